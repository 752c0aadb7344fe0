"""Deletes what the trail need not keep any longer."""

from datetime import timedelta

from django.conf import settings
from django.core.management import BaseCommand
from django.db import transaction
from django.utils import timezone

from ...failed_sign_ins import sweep
from ...models import TrailEvent
from ...trail import Action, record

#: No month is longer, so nothing is deleted before its time, whatever the months
DAYS_PER_MONTH = 31


class Command(BaseCommand):
    help = "Deletes trail events older than TRAIL_MONTHS, and records that in the trail."

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="only say how many there are")

    @transaction.atomic
    def handle(self, *args, dry_run, **options):
        if not dry_run:
            sweep()
        limit = timezone.now() - timedelta(days=DAYS_PER_MONTH * settings.TRAIL_MONTHS)
        old = TrailEvent.objects.filter(at__lt=limit)
        n = old.count() if dry_run else old.delete()[0]
        if n and not dry_run:
            record(
                Action.PURGED, actor_name="purge_trail", note=f"{n} < {limit:%Y-%m-%d %H:%M:%S%z}"
            )
        self.stdout.write(f"{n} events are older than {limit:%Y-%m-%d}.")
