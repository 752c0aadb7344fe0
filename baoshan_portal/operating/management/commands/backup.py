"""Backs the portal up while it is running."""

from pathlib import Path

from django.core.management import BaseCommand, CommandError
from django.db import DatabaseError

from ... import archives


class Command(BaseCommand):
    help = (
        "Writes database and evidence files into one archive while the portal is running, "
        "encrypted if BACKUP_RECIPIENT is set. Into a folder, it is named by its moment."
    )
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("target", nargs="?", type=Path, metavar="FILE_OR_FOLDER")
        parser.add_argument("--keep", type=int, help="in a folder: delete all but so many newest")
        parser.add_argument("--new-key", type=Path, help="write a new secret key to this file")

    def handle(self, *args, target, keep, new_key, **options):
        try:
            if new_key:
                self.stdout.write(f"BACKUP_RECIPIENT={archives.new_key(new_key)}")
                return
            if target is None:
                raise CommandError("Name a file or a folder for the backup.")
            self.back_up(target, keep)
        except archives.Refused as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(f"The database did not answer: {error}".strip()) from error
        except OSError as error:
            raise CommandError(f"It could not be written: {error}.") from error

    def back_up(self, target: Path, keep: int | None):
        is_folder = target.is_dir()
        if keep is not None and (keep < 1 or not is_folder):
            raise CommandError("--keep takes 1 or more, and a folder that is there.")
        file = target / archives.name_now() if is_folder else target
        manifest = archives.make(file)
        rows = sum(manifest["contents"]["tables"].values())
        self.stdout.write(
            f"{file}: {rows} rows, {len(manifest['parts']) - 1} files, "
            f"{file.stat().st_size / 1024 / 1024:.1f} MB."
        )
        if keep:
            for old in archives.forget_all_but(keep, target):
                self.stdout.write(f"Deleted {old.name}.")
