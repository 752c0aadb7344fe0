"""In what state a measure is: told by its department, or by a report until that confirms it."""

import re
from collections.abc import Collection
from datetime import date

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, OuterRef, Prefetch, Q, QuerySet, Window
from django.db.models.functions import Coalesce, RowNumber
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .. import access
from ..attached import attach
from ..evidence import evidence_path, validate_extension, validate_size
from ..fields import CharField, TextField, URLField
from ..prepared import prepared
from ..submission import Submission, SubmissionQuerySet
from ..text import InBothLanguages
from .documents import Report, validate_locator
from .tree import Measure


class MeasureStatus(models.TextChoices):
    """How far a measure has come; terminated, merged and split end it."""

    NOT_STARTED = "not-started", _("not started")
    IN_PROGRESS = "in-progress", _("in progress")
    COMPLETED = "completed", _("completed")
    ONGOING = "ongoing", _("carried on as routine work")
    TERMINATED = "terminated", _("terminated")
    MERGED = "merged", _("merged into another measure")
    SPLIT = "split", _("split into other measures")


#: Those in which other measures carry on what this one was.
LEADING_ON = (MeasureStatus.MERGED, MeasureStatus.SPLIT)

#: A state always carries words and an icon; the class gives the colour.
STATUS_LOOKS = {
    MeasureStatus.NOT_STARTED: ("none", "○"),
    MeasureStatus.IN_PROGRESS: ("open", "→"),
    MeasureStatus.COMPLETED: ("good", "✓"),
    MeasureStatus.ONGOING: ("good", "↻"),
    MeasureStatus.TERMINATED: ("bad", "✕"),
    MeasureStatus.MERGED: ("open", "⇥"),
    MeasureStatus.SPLIT: ("open", "⇄"),
}

#: Of two states since the same day, the one published last is newer.
NEWEST_FIRST = ("-since", "-published_at", "-pk")


def with_state(measures: QuerySet, as_of: date | None = None) -> QuerySet:
    """``measures`` with ``current_state`` loaded; one query however many rows."""
    newest = MeasureState.objects.latest_of_each(as_of)
    return measures.prefetch_related(Prefetch("states", newest, to_attr="loaded_states"))


def load_states(measures: Collection[Measure], as_of: date | None) -> None:
    """The same for ``measures`` that are read already; a query."""
    found = _newest([row.pk for row in measures], as_of=as_of)
    attach(measures, "loaded_states", found, "measure")


@prepared
def _newest(measures, *, as_of):
    return MeasureState.objects.latest_of_each(as_of).filter(measure__in=measures)


class MeasureStateQuerySet(SubmissionQuerySet):
    def latest_of_each(self, as_of: date | None = None):
        """The newest public state of each measure as of that day."""
        place = Window(RowNumber(), partition_by="measure", order_by=NEWEST_FIRST)
        rows = self.published(as_of).select_related("report")
        return rows.annotate(place=place).filter(place=1).order_by()

    def newest(self, as_of: date | None = None) -> QuerySet:
        """The public states of the measure of an outer query, newest first, for a subquery."""
        rows = self.published(as_of).filter(measure=OuterRef("pk"))
        return rows.order_by(*NEWEST_FIRST)


class MeasureState(InBothLanguages, Submission):
    """Since when a measure is in a state, and why; with a report's sentence, as that tells it."""

    measure = models.ForeignKey(
        Measure, models.PROTECT, related_name="states", verbose_name=_("measure")
    )
    status = models.CharField(_("state of the measure"), max_length=12, choices=MeasureStatus)
    since = models.DateField(
        _("since"), help_text=_("From a report: the day that the report speaks of.")
    )
    into = CharField(
        _("merged or split into"),
        max_length=600,
        blank=True,
        help_text=_("The measures that carry on what this one was."),
    )
    reason = TextField(_("reason (Chinese)"), help_text=_("Shown to the public beside the state."))
    reason_en = TextField(_("reason (English)"), blank=True)
    report = models.ForeignKey(
        Report,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("as told in the report"),
        help_text=_("Empty: the department confirms the state."),
    )
    locator = CharField(
        _("place in the report"),
        max_length=20,
        blank=True,
        validators=[validate_locator],
        help_text=_("Theme/sentence, for example 1.3/5; sentences are counted within the theme."),
    )
    evidence_url = URLField(_("evidence link"), blank=True)
    evidence_file = models.FileField(
        _("evidence file"),
        upload_to=evidence_path,
        blank=True,
        validators=[validate_extension, validate_size],
        help_text=_("Up to 10 MB; seen by staff only."),
    )

    role_rights = access.ENTRY
    stands_alone = True

    objects = MeasureStateQuerySet.as_manager()

    class Meta(Submission.Meta):
        ordering = ["measure", "-since", "-pk"]
        verbose_name = _("state of a measure")
        verbose_name_plural = _("states of measures")
        constraints = [
            *Submission.Meta.constraints,
            models.CheckConstraint(
                condition=Q(status__in=MeasureStatus.values),
                name="measurestate_status_known",
                violation_error_message=_("The state is none of the known ones."),
            ),
            models.CheckConstraint(
                condition=Q(status__in=LEADING_ON) & ~Q(into="")
                | ~Q(status__in=LEADING_ON) & Q(into=""),
                name="measurestate_leads_on",
                violation_error_message=_(
                    "A measure that was merged or split names those that carry it on, and no other "
                    "does."
                ),
            ),
            models.CheckConstraint(
                condition=~Q(reason=""),
                name="measurestate_has_reason",
                violation_error_message=_("A state must say why."),
            ),
            models.CheckConstraint(
                condition=Q(report__isnull=True, locator="")
                | (Q(report__isnull=False) & ~Q(locator="")),
                name="measurestate_place_in_report",
                violation_error_message=_("A report and the place in it belong together."),
            ),
            models.UniqueConstraint(
                F("measure"),
                F("since"),
                Coalesce("report", 0),
                F("revision"),
                name="measurestate_told_once",
                violation_error_message=_(
                    "This source's state of the measure since that day is recorded already."
                ),
            ),
        ]

    def __str__(self):
        return f"{self.measure}: {self.get_status_display()} ({self.since:%Y-%m-%d})"

    def clean(self):
        """Refuses a day to come, and measures to be carried on in that are not public."""
        super().clean()
        if self.since and self.since > timezone.localdate():
            raise ValidationError({"since": _("A state that is to come is not one yet.")})
        codes = self.into_codes
        if not codes:
            return
        public = set(Measure.objects.published().filter(code__in=codes).values_list("code"))
        if {(code,) for code in codes} - public or (self.measure_id and self.measure.code in codes):
            raise ValidationError({"into": _("Choose other measures that are public.")})
        if self.status == MeasureStatus.MERGED and len(codes) > 1:
            raise ValidationError({"into": _("A measure is merged into one other.")})

    @property
    def into_codes(self) -> list[str]:
        """The permanent codes of the measures that carry this one on."""
        return re.split(r"[\s,，、;；]+", self.into.strip()) if self.into.strip() else []

    @property
    def tone(self) -> str:
        return STATUS_LOOKS[self.status][0]

    @property
    def icon(self) -> str:
        return STATUS_LOOKS[self.status][1]

    @property
    def is_confirmed(self) -> bool:
        """Whether the department says so; otherwise a report does."""
        return self.report_id is None

    @property
    def source_text(self) -> str:
        """The document and the place in it; empty if the department confirmed it."""
        return f"{self.report.number} {self.locator}" if self.report else ""
