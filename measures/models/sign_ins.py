"""Failed sign-ins, counted until their window closes; then one event of the trail tells of them."""

from django.db import models
from django.utils import timezone

from ..fields import CharField


class FailedSignIns(models.Model):
    """The failures of one account from one address in one window.

    ``account`` is empty for all names that are no account: they may be passwords, and a stranger
    could type any number of them. ``address`` is empty where it is not known.
    """

    address = CharField(max_length=45, blank=True)
    account = CharField(max_length=150, blank=True)
    count = models.PositiveIntegerField(default=1)
    first = models.DateTimeField(default=timezone.now)
    last = models.DateTimeField(default=timezone.now)
    locked_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["address", "account"], name="failedsignins_once")
        ]

    def __str__(self):
        return f"{self.account} {self.address} {self.count}"
