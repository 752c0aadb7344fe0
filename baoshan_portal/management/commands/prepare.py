"""Makes an installation ready to serve; safe to run before every start."""

import secrets
from contextlib import suppress

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.core.management import BaseCommand, CommandError, call_command
from django.core.management.sql import emit_post_migrate_signal
from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, transaction

from baoshan_portal.public.copies import write_missing
from measures import protection
from measures.chain import make_checkpoint
from measures.demo_database import check_database
from measures.models import Checkpoint, DemoMark, Opinion

FIXTURES = (
    "opinions", "reports", "sections", "themes", "departments", "measures", "measure_states",
    "units", "indicators", "observations", "plans", "targets", "checks", "stages",
    "synonyms",
)  # fmt: skip


class Command(BaseCommand):
    help = (
        "Collects the static files; migrates the database; loads the report into an empty one; "
        "writes what is missing of what lists read of each figure and what searches find it by, or "
        "all of it, if another release wrote it; "
        "creates the first administrator, if there is nobody yet, and prints the password once. "
        "With DEMO=1 it also fills the database with invented figures."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--no-static", action="store_true", help="The static files are collected already."
        )

    def handle(self, *args, **options):
        try:
            check_database()
        except ImproperlyConfigured as error:
            raise CommandError(f"{error} Nothing was changed.") from None
        why, is_behind = protection.why_not_protected(connection), protection.is_behind(connection)
        # While migrations wait, the triggers are those of an older release.
        if why and not is_behind:
            raise CommandError(f"{why} {protection.REPAIR} Nothing was changed.")
        if not options["no_static"]:
            call_command("collectstatic", interactive=False, verbosity=0)
        if is_behind:
            call_command("migrate", verbosity=0)
        else:
            # What ends every migration: permissions and triggers, should the last have broken off.
            emit_post_migrate_signal(0, interactive=False, db=DEFAULT_DB_ALIAS)
        if why := protection.why_not_protected(connection):
            raise CommandError(f"{why} {protection.REPAIR}")
        if not Opinion.objects.exists():
            with transaction.atomic():
                call_command("loaddata", *FIXTURES, verbosity=options["verbosity"])
                if settings.DEMO:
                    DemoMark.objects.create()
        User = get_user_model()
        if not User.objects.exists():
            password = secrets.token_urlsafe(12)
            User.objects.create_superuser("admin", password=password)
            self.stdout.write(
                f"First administrator: admin, password: {password} (shown only this once)"
            )
        if settings.DEMO:
            call_command("demo", stdout=self.stdout)
        # Where a server that runs is publishing at this moment, it is left to that.
        with suppress(OperationalError):
            write_missing()
        if not Checkpoint.objects.exists():
            # Everything that the portal begins with comes before its first checkpoint.
            make_checkpoint()
