"""Compares the copies of what is public with the rows that they are made from."""

from django.core.management import BaseCommand, CommandError
from django.db import OperationalError, connection, transaction

from baoshan_portal.public.copies import write_missing, wrong
from metrics import copies

#: Rows that are named.
SHOWN = 10


class Command(BaseCommand):
    help = (
        "Compares what lists read of each figure, target and check, and what searches find figures "
        "and values by, with the rows that they are made from, and names what differs. To be asked "
        "while nobody publishes. With --anew it empties them and makes them again."
    )

    def add_arguments(self, parser):
        parser.add_argument("--anew", action="store_true", help="make all of them again")

    def handle(self, *args, **options):
        if options["anew"]:
            self._make_anew()
        if found := wrong():
            shown = ", ".join(f"{table} {key}" for table, key in found[:SHOWN])
            raise CommandError(
                f"{len(found)} rows say another than what they are made from: {shown}. "
                "`manage.py copies --anew` makes all of them again."
            )
        self.stdout.write("Every copy says what it is made from.")

    def _make_anew(self) -> None:
        with transaction.atomic():
            copies.begin_anew(connection)
        try:
            made = write_missing()
        except OperationalError as error:
            raise CommandError(f"Somebody publishes; try again. {error}") from None
        self.stdout.write(f"Made again: {made} rows.")
