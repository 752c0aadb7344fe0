"""Withdrawals 撤回: what was public and is not any more, since when and why."""

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .. import access
from ..fields import CharField, SlugField, TextField
from ..submission import State, Submission
from ..text import InBothLanguages
from ..withdrawn import Subject, model_of
from .tree import Measure


class Withdrawal(InBothLanguages, Submission):
    """One row that is withdrawn for good, by two persons and with a public reason.

    It says in words what it withdraws, so that lists of many kinds cost no query a row.
    """

    subject_type = models.CharField(
        _("kind of row"), max_length=20, choices=Subject, editable=False
    )
    subject_code = SlugField(_("code of the row"), max_length=120, editable=False)
    subject_name = CharField(_("row (Chinese)"), max_length=400, editable=False)
    subject_name_en = CharField(_("row (English)"), max_length=600, editable=False)
    measure = models.ForeignKey(
        Measure,
        models.PROTECT,
        editable=False,
        related_name="withdrawals",
        verbose_name=_("measure"),
    )
    indicator_code = SlugField(
        _("code of the indicator"), max_length=80, blank=True, editable=False
    )
    reason = TextField(
        _("reason (Chinese)"), help_text=_("Everybody reads it where the row used to stand.")
    )
    reason_en = TextField(_("reason (English)"), blank=True)

    role_rights = access.WITHDRAWAL

    class Meta(Submission.Meta):
        ordering = ["-entered_at", "-pk"]
        verbose_name = _("withdrawal")
        verbose_name_plural = _("withdrawals")
        constraints = [
            *Submission.Meta.constraints,
            models.CheckConstraint(
                condition=Q(subject_type__in=Subject.values) & ~Q(subject_code=""),
                name="withdrawal_has_subject",
                violation_error_message=_("A withdrawal names what it withdraws."),
            ),
            models.CheckConstraint(
                condition=~Q(reason=""),
                name="withdrawal_has_reason",
                violation_error_message=_("A withdrawal must say why."),
            ),
            models.UniqueConstraint(
                fields=["subject_type", "subject_code", "revision"],
                name="withdrawal_once",
                violation_error_message=_("This is withdrawn already, or about to be."),
            ),
        ]

    def __str__(self):
        return self.in_language("subject_name")

    def get_absolute_url(self):
        """Where the row used to stand, and where it is said that it is withdrawn."""
        if self.subject_type == Subject.CHECK:
            return f"{reverse('checks')}#{self.subject_code}"
        if self.indicator_code:
            return reverse("indicator", args=[self.indicator_code])
        return reverse("measure", args=[self.measure.code])

    def why_not_public(self, day) -> str:
        """Nothing is withdrawn twice, and what a correction replaced is not public any more."""
        others = type(self).objects.filter(
            subject_type=self.subject_type, subject_code=self.subject_code, state=State.PUBLISHED
        )
        if not self.supersedes_id and others.exists():
            return gettext("This is withdrawn already.")
        model = model_of(self.subject_type)
        if not self.supersedes_id and issubclass(model, Submission):
            replaced = model._base_manager.filter(
                supersedes__code=self.subject_code, state=State.PUBLISHED
            )
            if replaced.exists():
                return gettext("This was corrected meanwhile: withdraw its correction instead.")
        return ""
