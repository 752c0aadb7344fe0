"""Deletes what the trail need not keep any longer."""

from django.core.management import BaseCommand
from django.db import transaction

from ...failed_sign_ins import sweep
from ...models import TrailEvent
from ...trail import Action, kept_since, record


class Command(BaseCommand):
    help = "Deletes trail events older than TRAIL_MONTHS, and records that in the trail."

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="only say how many there are")

    @transaction.atomic
    def handle(self, *args, dry_run, **options):
        if not dry_run:
            sweep()
        limit = kept_since()
        old = TrailEvent.objects.filter(at__lt=limit)
        n = old.count() if dry_run else old.delete()[0]
        if n and not dry_run:
            record(
                Action.PURGED, actor_name="purge_trail", note=f"{n} < {limit:%Y-%m-%d %H:%M:%S%z}"
            )
        self.stdout.write(f"{n} events are older than {limit:%Y-%m-%d}.")
