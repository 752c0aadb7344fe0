"""Sends everybody one mail about what is due, overdue, returned or waiting for them."""

from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.management import BaseCommand, CommandError
from django.template.loader import render_to_string
from django.urls import set_script_prefix
from django.utils import timezone
from django.utils.translation import gettext as _

from measures.demo_database import check_database
from measures.models import TrailEvent, User
from measures.trail import Action, record
from measures.watermark import watermark, watermarked

from ...my_work.page import returned_rows, waiting_for
from ...my_work.reviewers import MissingReviewers
from ...my_work.sheets import Sheets


class Command(BaseCommand):
    help = (
        "Sends one digest per person of what is due, overdue, returned or waiting for review. "
        "Nobody gets a second one within REMIND_EVERY_DAYS, so it is safe to run daily or twice."
    )

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="print instead of sending")

    def handle(self, *args, dry_run, **options):
        # Nobody may get invented figures by mail that do not say so.
        check_database()
        # PORTAL_URL already holds the path below which the portal lives.
        set_script_prefix("/")
        since = timezone.now() - timedelta(days=settings.REMIND_EVERY_DAYS)
        recently = set(
            TrailEvent.objects.filter(action=Action.REMINDED, at__gt=since).values_list(
                "subject_code", flat=True
            )
        )
        connection = get_connection()
        sent = failed = 0
        for user in User.objects.filter(is_active=True, is_staff=True).order_by("username"):
            text = digest(user)
            if not text or str(user.pk) in recently:
                continue
            if dry_run:
                self.stdout.write(f"--- {user.get_username()} <{user.email}>\n{text}")
            elif not user.email:
                self.stderr.write(f"{user.get_username()} has no address, so nothing was sent.")
                continue
            else:
                subject = watermarked(_("Baoshan follow-up portal: what waits for you"))
                try:
                    EmailMessage(subject, text, to=[user.email], connection=connection).send()
                except OSError as error:
                    # One address that the server refuses must not keep the others waiting.
                    self.stderr.write(f"{user.get_username()} <{user.email}>: {error}")
                    failed += 1
                    continue
                record(Action.REMINDED, actor_name="remind", subject=user, after=text)
            sent += 1
        self.stdout.write(f"{sent} digests {'printed' if dry_run else 'sent'}.")
        if failed:
            raise CommandError(
                f"{failed} digests could not be sent: look at EMAIL_HOST, run again."
            )


def digest(user: User) -> str:
    """The text of the mail to ``user``; empty if nothing waits for them."""
    today = timezone.localdate()
    sheets = Sheets(user, today)
    parts = {
        "overdue": sheets.overdue,
        "due_now": sheets.due_now,
        "returned": returned_rows(user, sheets),
        "waiting": waiting_for(user, today),
        "missing": MissingReviewers.of(user),
    }
    if not any(parts.values()):
        return ""
    name = user.get_full_name() or user.get_username()
    context = {**parts, "name": name, "portal": settings.PORTAL_URL, "watermark": watermark()}
    return render_to_string("email/digest.txt", context)
