"""Fills a database that was made for the demonstration; ``make demo`` runs it by ``prepare``."""

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from measures.demo_database import is_marked

from ... import filling


class Command(BaseCommand):
    help = (
        "Fills the demonstration's database with invented targets, values and notes, and prints "
        "the passwords of its people once. Refuses any other database. A second run changes "
        "nothing."
    )

    def handle(self, *args, **options):
        if not settings.DEMO:
            raise CommandError(
                "This is no demonstration, so nothing was changed. `make demo` starts one."
            )
        if not is_marked():
            raise CommandError(
                "This database was not made for the demonstration, so nothing was changed. "
                "`make demo` makes one."
            )
        if filling.is_filled():
            self.stdout.write("The demonstration is filled already; nothing was changed.")
            return
        self.stdout.write("Everybody’s password is shown only this once:")
        for name, password in filling.fill().items():
            self.stdout.write(f"  {name}, password: {password}")
