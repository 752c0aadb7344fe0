"""Mails everybody what is new for them, and once a week all that waits."""

from django.core.mail import EmailMessage, get_connection
from django.core.management import BaseCommand, CommandError
from django.urls import set_script_prefix
from django.utils import timezone
from django.utils.translation import gettext as _

from measures.demo_database import check_database
from measures.models import User
from measures.watermark import watermarked

from ...mails import Mail


class Command(BaseCommand):
    help = (
        "Run it daily. It mails each person what is new for them: rounds that opened, rows that "
        "were returned, rounds with missing figures that are due in REMIND_DAYS_BEFORE_DUE days; "
        "and every REMIND_EVERY_DAYS days all that is due, overdue, returned or waiting for "
        "review. Nobody gets two mails on one day, so it is safe to run it twice."
    )

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="print instead of sending")

    def handle(self, *args, dry_run, **options):
        # Nobody may get invented figures by mail that do not say so.
        check_database()
        # PORTAL_URL already holds the path below which the portal lives.
        set_script_prefix("/")
        today = timezone.localdate()
        connection = get_connection()
        sent = failed = 0
        for user in User.objects.filter(is_active=True, is_staff=True).order_by("username"):
            mail = Mail.of(user, today)
            if mail is None:
                continue
            if dry_run:
                self.stdout.write(f"--- {user.get_username()} <{user.email}>\n{mail.text}")
            elif not user.email:
                self.stderr.write(f"{user.get_username()} has no address, so nothing was sent.")
                continue
            else:
                try:
                    # No transaction is open: none can fail once the mail is gone.
                    _message(mail, connection).send()
                except OSError as error:
                    # One address that the server refuses must not keep the others waiting.
                    self.stderr.write(f"{user.get_username()} <{user.email}>: {error}")
                    failed += 1
                    continue
                mail.was_sent()
            sent += 1
        self.stdout.write(f"{sent} mails {'printed' if dry_run else 'sent'}.")
        if failed:
            raise CommandError(f"{failed} mails could not be sent: look at EMAIL_HOST, run again.")


def _message(mail: Mail, connection) -> EmailMessage:
    if mail.is_digest:
        subject = _("Baoshan follow-up portal: what waits for you")
    else:
        subject = _("Baoshan follow-up portal: what is new for you")
    return EmailMessage(
        watermarked(subject), mail.text, to=[mail.user.email], connection=connection
    )
