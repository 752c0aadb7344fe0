"""Makes an installation ready to serve; safe to run before every start."""

import secrets

from django.contrib.auth import get_user_model
from django.core.management import BaseCommand, call_command

from measures.models import Opinion

FIXTURES = (
    "opinions", "reports", "sections", "themes", "departments", "measures",
    "units", "indicators", "observations", "plans", "targets", "checks",
)  # fmt: skip


class Command(BaseCommand):
    help = (
        "Collects the static files; migrates the database; loads the report into an empty one; "
        "creates the first administrator, if there is nobody yet, and prints the password once."
    )

    def handle(self, *args, **options):
        call_command("collectstatic", interactive=False, verbosity=0)
        call_command("migrate", verbosity=0)
        if not Opinion.objects.exists():
            call_command("loaddata", *FIXTURES, verbosity=options["verbosity"])
        User = get_user_model()
        if not User.objects.exists():
            password = secrets.token_urlsafe(12)
            User.objects.create_superuser("admin", password=password)
            self.stdout.write(
                f"First administrator: admin, password: {password} (shown only this once)"
            )
