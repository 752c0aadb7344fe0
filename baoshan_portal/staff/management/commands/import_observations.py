"""Imports a round's filled-in template from the command line, as the upload page does.

A table of a department's own, mapped to its indicators, is read by that page alone.
"""

from pathlib import Path

from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.core.management import BaseCommand, CommandError

from measures.models import Department, Round
from measures.workers import Busy

from ...imports.reading import FileError, check_size
from ...imports.round_template import import_entries


class Command(BaseCommand):
    help = (
        "Imports a filled-in template of any format that is read, but no table of a department's "
        "own: all rows or none. Without --submit the rows become drafts. What is wrong is listed "
        "by row and column."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)
        parser.add_argument("--round", required=True, help="code of the round")
        parser.add_argument("--department", required=True, help="code of the department")
        parser.add_argument("--as", required=True, dest="username", help="on whose account")
        parser.add_argument("--submit", action="store_true", help="submit the rows for review")
        parser.add_argument("--dry-run", action="store_true", help="check only, write nothing")

    def handle(self, *args, **options):
        file = options["file"]
        user = _one(get_user_model(), username=options["username"])
        round = _one(Round, code=options["round"])
        department = _one(Department, code=options["department"])
        try:
            check_size(file.stat().st_size)
            content = file.read_bytes()
        except (OSError, FileError) as error:
            raise CommandError(f"{file}: {error}") from None
        try:
            outcome = import_entries(
                content,
                round=round,
                department=department,
                by=user,
                name=file.name,
                submit=options["submit"],
                dry_run=options["dry_run"],
                progress=self.progress,
            )
        except PermissionDenied:
            raise CommandError(f"{user} does not report for {department}.") from None
        except Busy:
            raise CommandError("Other files are being read: try again in a minute.") from None
        if outcome.problems:
            for cause in outcome.causes:
                self.stderr.write(_line(cause))
            raise CommandError("Nothing was written.")
        for notice in outcome.notices:
            self.stderr.write(notice)
        for change in outcome.changes if options["dry_run"] else ():
            cells = "; ".join(f"{name}: {old or '–'} → {new}" for name, old, new in change.cells)
            self.stdout.write(f"{change.row}  {change.code}  {cells}")
        done = "would be written" if options["dry_run"] else "written"
        self.stdout.write(f"{len(outcome.changes)} rows {done}, {outcome.unchanged} left as is.")

    def progress(self, rows: int) -> None:
        self.stderr.write(f"{rows} rows read", ending="\n")


def _one(model, **by):
    try:
        return model.objects.get(**by)
    except model.DoesNotExist:
        wanted = ", ".join(f"{name} {value}" for name, value in by.items())
        raise CommandError(f"There is no {model._meta.verbose_name} with {wanted}.") from None


def _line(cause) -> str:
    rows = f"row {cause.rows}" if cause.rows else ""
    place = " ".join(filter(None, [rows, cause.column]))
    text = f" “{cause.text}”" if cause.text else ""
    return f"{place}{text}: {cause.message}".lstrip(": ")
