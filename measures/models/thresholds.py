"""The thresholds that decide on verdicts: data that somebody else reviews, never settings."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .. import access
from ..text import NamedQuerySet
from .committee import Stage

TERM = "term-"


class ThresholdCode(models.TextChoices):
    """Every threshold that there is; each has exactly one row, which the migration makes."""

    PACE_TOLERANCE = "pace-tolerance", _("tolerance of the pace, in percentage points")
    REPORTING_GRACE = "reporting-grace", _("time to report after a period, in days")
    ACTED_ON = f"{TERM}{Stage.ACTED_ON}", _("term for acting upon an opinion, in days")
    ANSWERED = f"{TERM}{Stage.ANSWERED}", _("term for the answer to an opinion, in days")
    DELIBERATED = f"{TERM}{Stage.DELIBERATED}", _("term for its deliberation, in days")
    EVALUATED = f"{TERM}{Stage.EVALUATED}", _("term for its evaluation, in days")
    CLOSED = f"{TERM}{Stage.CLOSED}", _("term for closing it, in days")


#: All but the terms, of which any may be without a value.
ALWAYS_SET = [ThresholdCode.PACE_TOLERANCE.value, ThresholdCode.REPORTING_GRACE.value]


class Threshold(models.Model):
    """One number by which the portal judges; kept as a version like all that is public.

    ``value`` of ``pace-tolerance`` is in percentage points: how far the way done may lie behind
    the time used before it counts as behind. All others are days: after the end of a period until
    its value is due, and for a stage of an opinion from the day on which it was handed over, None
    where no term is set, because law sets none.
    """

    code = models.SlugField(_("threshold"), max_length=40, unique=True, choices=ThresholdCode)
    value = models.PositiveSmallIntegerField(
        _("value"), null=True, blank=True, help_text=_("Empty: no term is set.")
    )

    role_rights = access.THRESHOLD

    objects = NamedQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        verbose_name = _("threshold")
        verbose_name_plural = _("thresholds")
        constraints = [
            models.CheckConstraint(
                condition=Q(code__in=ThresholdCode.values),
                name="threshold_known",
                violation_error_message=_("The threshold is none of the known ones."),
            ),
            models.CheckConstraint(
                condition=~Q(code__in=ALWAYS_SET) | Q(value__isnull=False),
                name="threshold_has_value",
                violation_error_message=_("Only a term can be without a value."),
            ),
            models.CheckConstraint(
                condition=~Q(code=ThresholdCode.PACE_TOLERANCE) | Q(value__range=(0, 100)),
                name="threshold_points",
                violation_error_message=_("Percentage points are from 0 to 100."),
            ),
            models.CheckConstraint(
                condition=~Q(code=ThresholdCode.REPORTING_GRACE) | Q(value__range=(0, 365)),
                name="threshold_grace",
                violation_error_message=_("The time to report is from 0 to 365 days."),
            ),
            models.CheckConstraint(
                condition=Q(code__in=ALWAYS_SET) | Q(value__isnull=True) | Q(value__gte=1),
                name="threshold_term",
                violation_error_message=_("A term is one day or more."),
            ),
        ]

    def __str__(self):
        return str(self.get_code_display())

    def clean(self):
        """Refuses a value that the threshold cannot have, also where a form leaves the code out."""
        super().clean()
        self.validate_constraints()

    def natural_key(self):
        return (self.code,)
