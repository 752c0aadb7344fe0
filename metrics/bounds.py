"""Between what the values of an indicator usually are, as a data steward has confirmed it.

Confirmed bounds take the place of those that are computed from the indicator's own history, which
are what is proposed to the steward. They are for those who enter and review, and never public.
"""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from measures import access
from measures.fields import CharField


class UsualBounds(models.Model):
    """The least and the largest usual value of ``indicator``, in its unit."""

    indicator = models.OneToOneField(
        "Indicator", models.PROTECT, related_name="usual_bounds", verbose_name=_("indicator")
    )
    least = models.DecimalField(_("least usual value"), max_digits=15, decimal_places=4)
    largest = models.DecimalField(_("largest usual value"), max_digits=15, decimal_places=4)
    basis = CharField(
        _("proposed"), max_length=200, blank=True, editable=False,
        help_text=_("What the indicator’s own history proposed when this was confirmed."),
    )  # fmt: skip
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+",
        verbose_name=_("confirmed by"),
    )  # fmt: skip
    confirmed_at = models.DateTimeField(_("confirmed at"), default=timezone.now, editable=False)

    role_rights = access.STRUCTURE_PART

    class Meta:
        ordering = ["indicator"]
        verbose_name = _("usual values")
        verbose_name_plural = _("usual values")
        constraints = [
            models.CheckConstraint(
                condition=Q(least__lte=F("largest")),
                name="usualbounds_in_order",
                violation_error_message=_("The least usual value is above the largest."),
            ),
        ]

    def __str__(self):
        return f"{self.indicator}"
