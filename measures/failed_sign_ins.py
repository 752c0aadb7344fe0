"""Counting failed sign-ins and locking out: a stranger makes one row a window, and one event.

A window is open until ``LOCK_OUT_MINUTES`` have passed since the last failure, or since the lock,
which further attempts do not prolong. django-axes asks here and shows the page of a lock.
"""

from datetime import datetime

from axes.handlers.base import AxesHandler
from axes.helpers import get_client_username
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from .models import FailedSignIns, User
from .trail import Action, acting_from, record

#: Windows open at once; what comes on top is counted together.
MOST = 5_000


def _open(now: datetime) -> Q:
    since = now - settings.AXES_COOLOFF_TIME
    return Q(locked_at__gt=since) | Q(locked_at__isnull=True, last__gt=since)


def locked_accounts() -> set[str]:
    """The names of the accounts that are locked now, for some address."""
    rows = FailedSignIns.objects.filter(_open(timezone.now()), locked_at__isnull=False)
    return set(rows.values_list("account", flat=True))


def close(rows) -> int:
    """Ends windows: one event of the trail for each; the number of failures."""
    failures = 0
    for row in rows:
        deleted, _each = FailedSignIns.objects.filter(pk=row.pk, count=row.count).delete()
        if deleted:
            failures += row.count
            with acting_from(row.address or None):
                first, last = (
                    f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}" for at in (row.first, row.last)
                )
                record(
                    Action.SIGN_IN_FAILED,
                    actor_name=row.account,
                    note=f"{row.count}: {first} – {last}",
                )
    return failures


@transaction.atomic
def sweep() -> int:
    """Closes every window whose time has passed; the number of failures."""
    return close(FailedSignIns.objects.exclude(_open(timezone.now())))


class Handler(AxesHandler):
    """What django-axes asks of the table."""

    def get_failures(self, request, credentials=None) -> int:
        row = FailedSignIns.objects.filter(
            _open(timezone.now()), **_key(request, credentials)
        ).first()
        if row is None:
            return 0
        return max(row.count, settings.AXES_FAILURE_LIMIT) if row.locked_at else row.count

    @transaction.atomic
    def user_login_failed(self, sender, credentials, request=None, **kwargs):
        if request is None:
            # No page was asked, so nobody from outside was there.
            record(Action.SIGN_IN_FAILED, actor_name=str(credentials.get("username", ""))[:150])
            return
        sweep()
        now, key = timezone.now(), _key(request, credentials)
        if (
            FailedSignIns.objects.count() >= MOST
            and not FailedSignIns.objects.filter(**key).exists()
        ):
            key = {"address": "", "account": ""}
        row, is_new = FailedSignIns.objects.get_or_create(
            **key, defaults={"first": now, "last": now}
        )
        if not is_new:
            FailedSignIns.objects.filter(pk=row.pk).update(count=F("count") + 1, last=now)
            row.refresh_from_db()
        request.axes_failures_since_start = row.count
        if row.count < settings.AXES_FAILURE_LIMIT and not row.locked_at:
            return
        request.axes_locked_out, request.axes_credentials = True, credentials
        if FailedSignIns.objects.filter(pk=row.pk, locked_at__isnull=True).update(locked_at=now):
            record(Action.LOCKED_OUT, actor_name=row.account)

    @transaction.atomic
    def user_logged_in(self, sender, request, user, **kwargs):
        key = {
            "address": getattr(request, "axes_ip_address", None) or "",
            "account": user.get_username(),
        }
        close(FailedSignIns.objects.filter(**key))
        sweep()

    @transaction.atomic
    def reset_attempts(self, *, ip_address=None, username=None, ip_or_username=False) -> int:
        rows = FailedSignIns.objects.all()
        if username is not None:
            rows = rows.filter(account=username)
        if ip_address is not None:
            rows = rows.filter(address=ip_address)
        return close(rows)

    def post_save_access_attempt(self, instance, **kwargs):
        """The table of django-axes itself stays empty."""

    post_delete_access_attempt = post_save_access_attempt


def _key(request, credentials) -> dict:
    name = (get_client_username(request, credentials) or "")[:150]
    known = name and "\0" not in name and User.objects.filter(username=name).exists()
    return {"address": request.axes_ip_address or "", "account": name if known else ""}
