"""Puts back what protects published rows and the trail."""

from django.core.management import BaseCommand
from django.db import connection, transaction

from ... import protection
from ...trail import Action, record


class Command(BaseCommand):
    help = (
        "Makes the database's triggers those of this release, and records in the trail which were "
        "missing or altered. Needed when the portal does not start for want of them, and after a "
        "change of TRAIL_MONTHS."
    )
    # One of them says that the triggers are missing.
    requires_system_checks = []

    @transaction.atomic
    def handle(self, *args, **options):
        found = protection.problems(connection)
        protection.install(connection)
        if found:
            record(Action.PROTECTED, actor_name="protect", note="\n".join(found))
        self.stdout.write("\n".join(found) or "Every trigger was there as it should be.")
