"""Brings a backup back into an empty installation."""

from pathlib import Path

from django.core.management import BaseCommand, CommandError
from django.db import DatabaseError

from ... import archives


class Command(BaseCommand):
    help = (
        "Restores a backup into an empty database and an empty MEDIA_ROOT, and compares every "
        "hash, row count, trigger and migration before it says done. Run `prepare` afterwards."
    )
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("source", type=Path, metavar="FILE")
        parser.add_argument("--identity", type=Path, help="file with the key of the backup")

    def handle(self, *args, source, identity, **options):
        try:
            manifest = archives.restore(source, identity)
        except archives.Refused as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(f"The database did not answer: {error}".strip()) from error
        contents = manifest["contents"]
        self.stdout.write(
            f"Done: the portal of {manifest['made_at']}, version {manifest['version']}. "
            f"{sum(contents['tables'].values())} rows in {len(contents['tables'])} tables, "
            f"{len(contents['triggers'])} triggers, {len(contents['migrations'])} migrations and "
            f"{len(manifest['parts']) - 1} files agree. Now run `manage.py prepare`."
        )
