"""Reporting rounds 填报期: when figures and notes of a period are asked for."""

from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .. import access
from ..fields import TextField
from ..text import Named, NamedQuerySet
from .people import Department


class Round(Named):
    """One period for which departments report; once locked, it takes no entry."""

    period_start = models.DateField(_("period from"))
    period_end = models.DateField(_("period to"))
    opens_on = models.DateField(_("opens on"))
    due_on = models.DateField(_("due on"))
    locked = models.BooleanField(_("locked"), default=False, editable=False)
    due_fixed_at = models.DateTimeField(
        _("what was due is fixed since"), null=True, blank=True, editable=False
    )

    role_rights = access.STRUCTURE

    objects = NamedQuerySet.as_manager()

    class Meta:
        ordering = ["-period_end", "-due_on"]
        verbose_name = _("round")
        verbose_name_plural = _("rounds")
        constraints = [
            models.CheckConstraint(
                condition=Q(period_start__lte=F("period_end")),
                name="round_period_in_order",
                violation_error_message=_("The period ends before it begins."),
            ),
            models.CheckConstraint(
                condition=Q(opens_on__lte=F("due_on")),
                name="round_opens_before_due",
                violation_error_message=_("A round is not due before it opens."),
            ),
        ]

    def accepts(self, department: Department | None) -> bool:
        """Whether ``department`` may enter today: opened, and not locked for it."""
        if timezone.localdate() < self.opens_on:
            return False
        return not self.locked or self.unlocks.filter(department=department).exists()


class RoundUnlock(models.Model):
    """A steward's recorded exception: one department may enter although the round is locked."""

    round = models.ForeignKey(
        Round, models.CASCADE, related_name="unlocks", verbose_name=_("round")
    )
    department = models.ForeignKey(
        Department, models.PROTECT, related_name="+", verbose_name=_("department")
    )
    reason = TextField(_("reason"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by")
    )
    at = models.DateTimeField(_("when"), default=timezone.now, editable=False)

    role_rights = access.EXCEPTION

    class Meta:
        default_permissions = ("add", "view")
        ordering = ["-at"]
        verbose_name = _("unlock")
        verbose_name_plural = _("unlocks")
        constraints = [
            models.UniqueConstraint(
                fields=["round", "department"],
                name="roundunlock_once",
                violation_error_message=_("The round is unlocked for this department already."),
            ),
            models.CheckConstraint(
                condition=~Q(reason=""),
                name="roundunlock_has_reason",
                violation_error_message=_("Whoever unlocks a round must say why."),
            ),
        ]

    def __str__(self):
        return f"{self.round} – {self.department}"


def closed_round(department: Department | None, day: date) -> Round | None:
    """A locked round to whose period ``day`` belongs and that takes no entry of the department.

    None if there is none; an entry beside the rounds must not slip past their locks.
    """
    locked = Round.objects.filter(locked=True, period_start__lte=day, period_end__gte=day)
    return next((round_ for round_ in locked if not round_.accepts(department)), None)
