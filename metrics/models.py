"""Numbers: what is counted, what was observed, and what was aimed at."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from itertools import groupby
from operator import attrgetter

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import (
    Aggregate,
    Case,
    Exists,
    F,
    OuterRef,
    Prefetch,
    Q,
    Subquery,
    Value,
    When,
    Window,
)
from django.db.models.functions import Cast, Coalesce, Concat, RowNumber
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from measures import access
from measures.evidence import evidence_path, validate_extension, validate_size
from measures.fields import CharField, SlugField, TextField, URLField
from measures.models import Department, Measure, Opinion, Report, Round, validate_locator
from measures.models.tree import PLACE_IN_OPINION as MEASURES_PLACE
from measures.prepared import today
from measures.submission import Submission, SubmissionQuerySet, moment_of
from measures.text import InBothLanguages, Named, NamedQuerySet
from measures.thresholds import JUDGING, Thresholds
from measures.thresholds import columns as threshold_columns
from measures.withdrawn import either, is_withdrawn, withdrawal_columns

from .bounds import UsualBounds as UsualBounds
from .kept_day_table import KeptDay as KeptDay
from .pairs import CompulsoryPair as CompulsoryPair
from .pairs import check_pairs, left_alone, together
from .rules.baseline import Stated, last_before
from .rules.checks import NEEDED, CheckKind, Role
from .rules.choices import (
    MONEY,
    NO_FIGURE_REASONS,
    PERCENTAGE,
    Category,
    Certainty,
    Claim,
    Comparator,
    Direction,
    Frequency,
    Kind,
    Level,
    Nature,
    Qualifier,
)
from .rules.periods import OF_LENGTH, Period, is_over, is_same_period
from .said_tables import IndicatorSaid as IndicatorSaid
from .said_tables import ValueSaid as ValueSaid
from .stamp import CopyStamp as CopyStamp
from .summary_tables import CheckSummary as CheckSummary
from .summary_tables import IndicatorSummary as IndicatorSummary
from .summary_tables import TargetSummary as TargetSummary
from .table_mappings import TableMapping as TableMapping
from .wording import no_figure_text, no_figure_yet_text, why_not_actual


class UnitQuerySet(NamedQuerySet):
    def published(self, as_of: date | None = None):
        """Units in which an indicator public by ``as_of`` (today if None) is counted, and the base
        units of these."""
        used = Indicator.objects.once_published(as_of).order_by()
        return self.filter(Q(pk__in=used.values("unit")) | Q(pk__in=used.values("unit__base")))


class Unit(Named):
    """A unit as sources print it; ``name`` is the printed symbol, such as 亿元."""

    quantity = SlugField(
        _("quantity"),
        max_length=40,
        help_text=_("What is measured: money, area, enterprises … Only one quantity converts."),
    )
    base = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="multiples",
        verbose_name=_("base unit"),
        help_text=_("Empty: this is the base unit itself."),
    )
    factor = models.DecimalField(
        _("factor"),
        max_digits=20,
        decimal_places=6,
        default=1,
        validators=[MinValueValidator(0)],
        help_text=_("How many base units one of these is: 100000000 for 亿元."),
    )

    role_rights = access.STRUCTURE

    objects = UnitQuerySet.as_manager()

    class Meta:
        ordering = ["quantity", "factor"]
        verbose_name = _("unit")
        verbose_name_plural = _("units")
        constraints = [
            models.CheckConstraint(
                condition=Q(base__isnull=True, factor=1) | Q(base__isnull=False, factor__gt=0),
                name="unit_factor_to_base",
                violation_error_message=_(
                    "A base unit has the factor 1, every other unit a factor above 0."
                ),
            )
        ]

    def clean(self):
        """Refuses what would change values in this unit: a published row stays as it is."""
        super().clean()
        if self.base and (self.base.base_id or self.base.quantity != self.quantity):
            raise ValidationError({"base": _("Choose the base unit of the same quantity.")})
        stored = Unit.objects.filter(pk=self.pk).first()
        fixed = ("name", "quantity", "base", "factor")
        changed = [name for name in fixed if getattr(stored, name, None) != getattr(self, name)]
        if stored and changed and stored.is_in_use:
            message = _("Values are told in this unit: make a new unit instead.")
            raise ValidationError(dict.fromkeys(changed, message))

    @property
    def is_in_use(self) -> bool:
        """Whether an indicator is counted in this unit or in a multiple of it."""
        return Indicator.objects.filter(Q(unit=self) | Q(unit__base=self)).exists()

    @property
    def base_unit(self) -> "Unit":
        """The unit in which values of this quantity are compared; itself if it is the base."""
        return self.base or self


#: From an indicator: the columns to sort by, so that the rows of an opinion stand together.
PLACE_IN_OPINION = (*(f"measure__{column}" for column in MEASURES_PLACE), "order")


def indicator_withdrawal(moment: datetime, path: str = "") -> dict:
    """``withdrawal_columns`` of an indicator, with which it falls also with its measure.

    ``path`` is the lookup to the indicator, such as ``indicator__``.
    """
    return either(
        withdrawal_columns(Indicator, moment, f"{path}code"),
        withdrawal_columns(Measure, moment, f"{path}measure__code"),
    )


def public_values(as_of: date | None) -> Prefetch:
    """All public values of indicators as ``public_values``, newest first."""
    values = Observation.objects.published(as_of).select_related("report").order_by(*NEWEST_FIRST)
    return Prefetch("observations", values, to_attr="public_values")


def _once_public_indicator(as_of: date | None, path: str = "") -> Q:
    """Whether the indicator at ``path`` had become public, with its measure, by ``as_of``."""
    day = as_of or today()
    return Q(**{f"{path}published_on__lte": day, f"{path}measure__published_on__lte": day})


def _withdrawn_indicator(moment: datetime, path: str = "") -> Q:
    """Whether the indicator at ``path``, or its measure, was withdrawn before ``moment``."""
    measure = is_withdrawn(Measure, moment, f"{path}measure__code")
    return is_withdrawn(Indicator, moment, f"{path}code") | measure


class IndicatorQuerySet(NamedQuerySet):
    def published(self, as_of: date | None = None):
        """Indicators that were public on ``as_of`` (today if None), on a public measure."""
        withdrawn = _withdrawn_indicator(moment_of(as_of))
        return self.once_published(as_of).exclude(withdrawn)

    def once_published(self, as_of: date | None = None):
        """Indicators that had become public by ``as_of``, withdrawn since or not."""
        return self.filter(_once_public_indicator(as_of))

    def not_withdrawn(self):
        """Without what is withdrawn by now, or falls with its measure."""
        return self.exclude(_withdrawn_indicator(timezone.now()))

    def with_withdrawal(self, as_of: date | None = None):
        """With ``withdrawn_at`` and ``withdrawn_because``, of itself or of its measure."""
        return self.annotate(**indicator_withdrawal(moment_of(as_of)))

    def with_place(self):
        """With unit, measure, its place and lead loaded, in the order of opinion and number."""
        return self.select_related(
            "unit__base", "measure__theme__section__opinion", "measure__lead", "basis"
        ).order_by(*PLACE_IN_OPINION)

    def of_opinion(self, opinion: Opinion):
        return self.filter(measure__theme__section__opinion=opinion)

    def with_thresholds(self):
        """With ``thresholds``, in the same query."""
        return self.annotate(**threshold_columns(JUDGING))

    def with_no_figures(self, as_of: date | None = None):
        """With ``periods_without_figure``, in the same query."""
        return self.annotate(without_figure=periods_without_figure(as_of))

    def with_is_checked(self):
        """With ``is_checked``: whether it is a figure of any check, in the same query."""
        return self.annotate(is_checked=Exists(CheckTerm.objects.filter(indicator=OuterRef("pk"))))

    def with_newest_value(self, as_of: date | None = None):
        """With ``latest`` loaded, and nothing to judge it by; one query however many rows."""
        values = Observation.objects.latest_of_each(as_of).select_related("report")
        return self.prefetch_related(Prefetch("observations", values, to_attr="loaded_latest"))

    def with_latest_value(self, as_of: date | None = None):
        """With ``latest``, ``thresholds`` and ``periods_without_figure`` loaded, one query however
        many rows."""
        return self.with_thresholds().with_no_figures(as_of).with_newest_value(as_of)

    def with_latest(self, as_of: date | None = None):
        """With ``latest`` and ``current_target`` loaded, two queries however many rows."""
        return self.with_newest_value(as_of).with_targets(as_of)

    def with_public_values(self, as_of: date | None = None):
        """With ``public_values``, newest first, and what ``with_latest_value`` loads; one query."""
        rows = self.with_thresholds().with_no_figures(as_of)
        return rows.prefetch_related(public_values(as_of))

    def with_history(self, as_of: date | None = None):
        """With ``public_values``, newest first, ``latest`` and ``current_target`` loaded.

        Two queries however many rows; for few indicators, because it loads every value.
        """
        values = public_values(as_of)
        return self.prefetch_related(values).with_targets(as_of, with_before=False)

    def with_targets(self, as_of: date | None = None, *, with_before: bool = True):
        """With ``loaded_targets`` and what they are judged by besides values; one query.

        ``with_before`` with the value that each may be measured from, which is among
        ``public_values`` where they are loaded.
        """
        targets = Target.objects.to_judge(as_of, with_before=with_before)
        rows = self.with_thresholds().with_no_figures(as_of)
        return rows.prefetch_related(Prefetch("targets", targets, to_attr="loaded_targets"))

    def with_latest_base_value(self, as_of: date | None = None):
        """With the newest public value in the base unit, to sort by; null where there is none."""
        values = Observation.objects.published(as_of).filter(indicator=OuterRef("pk"))
        values = values.order_by(*NEWEST_FIRST).values("value")
        # As ``latest`` has it, and each the first of an index: in one order, what is only expected
        # last, all values of each figure would be sorted.
        newest = Coalesce(Subquery(values.reported()[:1]), Subquery(values[:1]))
        return self.annotate(latest_base_value=newest * F("unit__factor"))


class Indicator(Named):
    """Something that is counted or measured on a measure, with its definition."""

    measure = models.ForeignKey(
        Measure, models.PROTECT, related_name="indicators", verbose_name=_("measure")
    )
    order = models.PositiveSmallIntegerField(_("order"))
    unit = models.ForeignKey(
        Unit, models.PROTECT, related_name="indicators", verbose_name=_("unit")
    )
    category = models.CharField(_("category"), max_length=20, choices=Category)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    direction = models.CharField(
        _("direction"), max_length=10, choices=Direction, default=Direction.UP
    )
    level = models.CharField(_("level"), max_length=10, choices=Level, blank=True)
    nature = models.CharField(
        _("nature of the money"),
        max_length=12,
        choices=Nature,
        blank=True,
        help_text=_("Of an amount of money only; what differs in nature is never added up."),
    )
    recipients = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="received",
        verbose_name=_("recipients are counted by"),
        help_text=_("The indicator that counts who received the money."),
    )
    scope = TextField(
        _("what it counts (Chinese)"), help_text=_("Scope 口径: what is counted, and how.")
    )
    scope_en = TextField(_("what it counts (English)"), blank=True)
    caution = TextField(
        _("do not add to (Chinese)"),
        blank=True,
        help_text=_("Figures that overlap with this one or count something else."),
    )
    caution_en = TextField(_("do not add to (English)"), blank=True)
    basis = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="derived",
        verbose_name=_("is a share, growth or rank of"),
    )
    frequency = models.CharField(
        _("frequency"), max_length=12, choices=Frequency, default=Frequency.YEARLY
    )
    schedule_agreed_on = models.DateField(
        _("schedule agreed on"),
        null=True,
        blank=True,
        help_text=_(
            "When the department agreed to report this often. Until then nothing is called overdue."
        ),
    )
    due_from = models.DateField(
        _("due from"),
        null=True,
        blank=True,
        help_text=_(
            "The first day whose figures are asked for. Empty: from the day on which it is public."
        ),
    )
    is_key = models.BooleanField(
        _("key figure"), default=False, help_text=_("Shown on the overview.")
    )
    is_section_key = models.BooleanField(
        _("key figure of its section"),
        default=False,
        help_text=_("Shown on top of its section's page, as key figures of the overview are."),
    )
    key_order = models.PositiveSmallIntegerField(
        _("place among key figures"),
        null=True,
        blank=True,
        help_text=_("1 stands first. Empty: behind those that have a place, by number."),
    )
    published_on = models.DateField(
        _("public since"), null=True, blank=True, help_text=_("Empty: not public yet.")
    )

    measure_path = "measure"
    role_rights = access.STRUCTURE

    objects = IndicatorQuerySet.as_manager()

    class Meta:
        ordering = ["measure", "order"]
        verbose_name = _("indicator")
        verbose_name_plural = _("indicators")
        constraints = [
            models.UniqueConstraint(
                fields=["measure", "order"],
                name="indicator_order_once",
                violation_error_message=_("This measure has an indicator with that order already."),
            ),
            models.CheckConstraint(
                condition=Q(basis__isnull=True) | ~Q(basis=F("pk")),
                name="indicator_not_its_own_basis",
                violation_error_message=_("An indicator cannot be derived from itself."),
            ),
            models.CheckConstraint(
                condition=Q(recipients__isnull=True) | (~Q(nature="") & ~Q(recipients=F("pk"))),
                name="indicator_recipients_of_money",
                violation_error_message=_(
                    "Only money has recipients: say its nature, and name another indicator."
                ),
            ),
        ]

    def get_absolute_url(self):
        return reverse("indicator", args=[self.code])

    def clean(self):
        """Refuses another unit once there are values, which would change what they say, and
        recipients or a nature of what is no money."""
        super().clean()
        self._check_nature()
        stored = Indicator.objects.filter(pk=self.pk).exclude(unit=self.unit_id).first()
        if stored and (stored.observations.exists() or stored.targets.exists()):
            raise ValidationError(
                {"unit": _("Values are told in the unit until now: make a new indicator instead.")}
            )
        if stored and stored.unit.quantity != self.unit.quantity and stored.check_terms.exists():
            raise ValidationError(
                {"unit": _("A check compares it with other figures of the quantity until now.")}
            )

    def _check_nature(self) -> None:
        if self.nature and self.unit_id and self.unit.quantity != MONEY:
            raise ValidationError(
                {"nature": _("It is counted in %(unit)s, which is no money.") % {"unit": self.unit}}
            )
        if self.recipients and self.recipients.unit.quantity == MONEY:
            raise ValidationError(
                {
                    "recipients": _("“%(figure)s” is money and counts nobody.")
                    % {"figure": self.recipients}
                }
            )

    def was_public(self, day: date) -> bool:
        """Whether ``published(day)`` has it; needs the measure."""
        days = self.published_on, self.measure.published_on
        return all(since is not None and since <= day for since in days)

    @property
    def thresholds(self) -> Thresholds:
        """By what it is judged, without terms of stages; needs ``with_thresholds``."""
        return Thresholds.beside(self)

    @property
    def latest(self) -> "Observation | None":
        """The newest public value, or None; needs ``with_newest_value`` or ``with_history``.

        What is only expected counts where nothing was ever reported, and nowhere else.
        """
        loaded = self.public_values if hasattr(self, "public_values") else self.loaded_latest
        return next((value for value in loaded if value.is_reported), loaded[0] if loaded else None)

    @property
    def reported(self) -> "Observation | None":
        """``latest`` unless it is only expected: what freshness and verdicts go by."""
        return self.latest if self.latest and self.latest.is_reported else None

    @property
    def periods_without_figure(self) -> list[Period]:
        """Those for which it is public that there is no figure; none without ``with_no_figures``,
        as where nothing but a verdict is asked for."""
        texts = (getattr(self, "without_figure", None) or "").split()
        days = [text.split("/") for text in texts]
        return [(date.fromisoformat(a) if a else None, date.fromisoformat(b)) for a, b in days]

    @property
    def current_target(self) -> "Target | None":
        """The public target that falls due first, or None; needs as ``latest``."""
        return self.loaded_targets[0] if self.loaded_targets else None


class Sourced(InBothLanguages):
    """Where a figure comes from: a sentence of a report, or another source by name."""

    report = models.ForeignKey(
        Report,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("report"),
    )
    locator = CharField(
        _("place in the report"),
        max_length=20,
        blank=True,
        validators=[validate_locator],
        help_text=_("Theme/sentence, for example 1.3/5; sentences are counted within the theme."),
    )
    source_name = CharField(
        _("other source"),
        max_length=200,
        blank=True,
        help_text=_("If it is not from a report: the name of the return, ledger or document."),
        open_data=True,
    )
    source_url = URLField(_("link to the source"), blank=True)
    note = TextField(_("note (Chinese)"), blank=True)
    note_en = TextField(_("note (English)"), blank=True)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=(Q(report__isnull=False, source_name="") & ~Q(locator=""))
                | (Q(report__isnull=True, locator="") & ~Q(source_name="")),
                name="%(class)s_has_source",
                violation_error_message=_(
                    "Name a report and the place in it, or another source; not both, not neither."
                ),
            )
        ]

    @property
    def document(self) -> str:
        """The document or the other source, without the place in it; needs ``report``."""
        return self.report.number if self.report else self.source_name

    @property
    def source_text(self) -> str:
        """The document and the place in it, such as 宝府〔2023〕70号 1.3/5; needs ``report``."""
        return f"{self.document} {self.locator}" if self.report else self.document


#: Of two values with the same end of their period, the one published last is newer.
NEWEST_FIRST = ("-period_end", "-published_at", "-pk")


def is_expected() -> Case:
    """1 for a value that is only expected, otherwise 0, to sort by."""
    return Case(When(certainty=Certainty.EXPECTED, then=Value(1)), default=Value(0))


class ObservationQuerySet(SubmissionQuerySet):
    def reported(self):
        """Without what is only expected."""
        return self.exclude(certainty=Certainty.EXPECTED)

    def of_public_indicators(self, as_of: date | None = None):
        """Those of ``Indicator.published``, asked of each value's: quicker where there are few."""
        rows = self.filter(_once_public_indicator(as_of, "indicator__"))
        return rows.exclude(_withdrawn_indicator(moment_of(as_of), "indicator__"))

    def latest_of_each(self, as_of: date | None = None):
        """The newest published observation of each indicator as of that day.

        Newest by the end of its period; of two with the same end, the one published last. An
        older period that is filled in later therefore never replaces a newer one, and what is
        only expected never replaces what was reported.
        """
        place = Window(
            RowNumber(), partition_by="indicator", order_by=(is_expected(), *NEWEST_FIRST)
        )
        # Their own order would join four tables to every value before the newest is known.
        return self.published(as_of).annotate(place=place).filter(place=1).order_by()

    def by_indicator(self) -> defaultdict[int, list["Observation"]]:
        """The values by the key of their indicator, newest first; one query."""
        found = defaultdict(list)
        for value in self.order_by("indicator_id", *NEWEST_FIRST):
            found[value.indicator_id].append(value)
        return found


class OfPeriod(Sourced, Submission):
    """What is said of one indicator for one period; ``round`` is the one in which it was asked."""

    indicator = models.ForeignKey(
        Indicator, models.PROTECT, related_name="%(class)ss", verbose_name=_("indicator")
    )
    round = models.ForeignKey(
        Round,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="%(class)ss",
        verbose_name=_("round"),
    )
    period_start = models.DateField(
        _("period from"),
        null=True,
        blank=True,
        help_text=_("Empty for a cumulative total whose beginning is not stated."),
    )
    period_end = models.DateField(_("period to"))

    measure_path = "indicator__measure"
    role_rights = access.ENTRY

    class Meta(Submission.Meta):
        abstract = True
        ordering = ["indicator", "-period_end", "-revision"]
        constraints = [
            *Submission.Meta.constraints,
            *Sourced.Meta.constraints,
            models.CheckConstraint(
                condition=Q(period_start__isnull=True) | Q(period_start__lte=F("period_end")),
                name="%(class)s_period_in_order",
                violation_error_message=_("The period ends before it begins."),
            ),
        ]

    @property
    def period(self) -> Period:
        return self.period_start, self.period_end


class Observation(OfPeriod):
    """One value of one indicator over one period, as one source states it."""

    period_inferred = models.BooleanField(
        _("period inferred"),
        default=False,
        help_text=_("The source does not state the period; it was worked out."),
    )
    value = models.DecimalField(
        _("value"),
        max_digits=15,
        decimal_places=4,
        help_text=_("In the indicator's unit, as reported."),
    )
    qualifier = models.CharField(
        _("qualifier"), max_length=10, choices=Qualifier, default=Qualifier.EXACT
    )
    as_written = CharField(
        _("as written"),
        max_length=40,
        help_text=_("The figure as the source prints it: 近30名, 2.1万余个, 翻两番."),
        open_data=True,
    )
    certainty = models.CharField(
        _("certainty"), max_length=12, choices=Certainty, default=Certainty.ACTUAL
    )

    evidence_url = URLField(_("evidence link"), blank=True)
    evidence_file = models.FileField(
        _("evidence file"),
        upload_to=evidence_path,
        blank=True,
        validators=[validate_extension, validate_size],
        help_text=_("Up to 10 MB; seen by staff only."),
    )
    warning_answer = CharField(
        _("answer to the warnings"),
        max_length=200,
        blank=True,
        help_text=_("Why the figure is right although it looks unusual; read by reviewers only."),
    )

    for_review = frozenset({"warning_answer"})
    #: Whether ``warning_answer`` was given for the figure as it is now, in the same words or not.
    is_answered_anew = False

    stands_alone = True

    objects = ObservationQuerySet.as_manager()

    class Meta(OfPeriod.Meta):
        verbose_name = _("observation")
        verbose_name_plural = _("observations")
        indexes = [
            # Answers by itself how many values an indicator has, and since when.
            models.Index(
                fields=["indicator", "published_at", "state"], name="observation_public_moments"
            ),
            # The newest period, which the foot of every page names, is its first.
            models.Index(fields=["-period_end"], name="observation_newest_period"),
            # The newest of each indicator on any day: what became public later is passed over.
            models.Index(
                fields=["indicator", "-period_end", "-published_at"],
                name="observation_newest_of_each",
            ),
            # By the moment, too, or else SQLite would rather go through all by the index above.
            models.Index(
                fields=["indicator", "published_at"],
                condition=Q(period_inferred=True),
                name="observation_inferred",
            ),
            # What has ended since a moment; most values stand.
            models.Index(
                fields=["ended_at"],
                condition=Q(ended_at__isnull=False),
                name="observation_ended_at",
            ),
        ]
        constraints = [
            *OfPeriod.Meta.constraints,
            models.CheckConstraint(
                condition=~Q(as_written=""),
                name="observation_as_written",
                violation_error_message=_("Write the figure as the source prints it."),
            ),
            models.UniqueConstraint(
                F("indicator"),
                Coalesce("period_start", date(1, 1, 1)),
                F("period_end"),
                Coalesce("report", 0),
                F("locator"),
                F("source_name"),
                F("revision"),
                name="observation_told_once",
                violation_error_message=_(
                    "This source's value of the indicator for this period is recorded already."
                ),
            ),
        ]

    def __str__(self):
        return f"{self.indicator} {self.as_written} ({self.period_end:%Y-%m-%d})"

    def why_not_public(self, day: date) -> str:
        """Why the value cannot be published on ``day``: its period has not ended, yet it is
        called actual. Empty if it can."""
        return why_not_actual(self.certainty, self.period_end, day)

    @classmethod
    def check_together(cls, rows):
        from .answers import check_answered

        check_answered(rows)
        check_pairs(rows)

    @classmethod
    def left_alone(cls, rows):
        return left_alone(rows)

    @classmethod
    def in_groups(cls, rows):
        return together(rows)

    def take_the_place_of(self, before):
        """What was answered for another figure or period is no answer any more."""
        if self.is_answered_anew or self.warning_answer != before.warning_answer:
            return
        said = ("indicator_id", "value", "period_start", "period_end")
        if any(getattr(self, name) != getattr(before, name) for name in said):
            self.warning_answer = ""

    @property
    def is_reported(self) -> bool:
        """Whether it happened: what is only expected has not."""
        return self.certainty != Certainty.EXPECTED

    @property
    def base_value(self):
        """The value in the base unit, for comparison; needs the indicator's unit loaded."""
        return self.value * self.indicator.unit.factor


class Joined(Aggregate):
    """Texts of several rows in one, a blank between them."""

    function = "STRING_AGG"
    template = "%(function)s(%(expressions)s, ' ')"
    output_field = models.TextField()

    def as_sqlite(self, compiler, connection, **more):
        return self.as_sql(compiler, connection, function="GROUP_CONCAT", **more)


def periods_without_figure(as_of: date | None) -> Subquery:
    """Of an indicator, as ``start/end start/end``: the periods that are public without a figure."""
    text = models.CharField()
    start = Coalesce(Cast("period_start", text), Value(""), output_field=text)
    period = Concat(start, Value("/"), Cast("period_end", text), output_field=text)
    rows = NoFigure.objects.published(as_of).filter(indicator=OuterRef("pk")).order_by()
    return Subquery(rows.values("indicator").annotate(told=Joined(period)).values("told"))


#: Why nobody says of a period that it has no figure.
HAS_FIGURE = _("A figure for this period is public: correct or withdraw it instead.")


class NoFigureQuerySet(SubmissionQuerySet):
    def standing(self, as_of: date | None = None):
        """``published`` without those beside which a reported value of their period is public."""
        return self.published(as_of).exclude(_has_value(as_of))

    def with_has_value(self, as_of: date | None = None):
        """With ``has_value``: whether a reported value of the same period is public."""
        return self.annotate(has_value=_has_value(as_of))


def _has_value(as_of: date | None) -> Exists:
    same_end = {"indicator": OuterRef("indicator"), "period_end": OuterRef("period_end")}
    return Exists(
        Observation.objects.published(as_of)
        .reported()
        .filter(**same_end)
        .filter(~Q(indicator__kind__in=OF_LENGTH) | Q(period_start=OuterRef("period_start")))
    )


class NoFigure(OfPeriod):
    """That there is no figure of one indicator for one period, and why; ``note`` says it in words.

    A value that is reported later needs no correction of it: it stands in its place.
    """

    reason = models.CharField(
        _("why there is no figure"),
        max_length=20,
        choices=[(reason.value, reason.label) for reason in NO_FIGURE_REASONS],
    )

    objects = NoFigureQuerySet.as_manager()

    class Meta(OfPeriod.Meta):
        verbose_name = _("period without a figure")
        verbose_name_plural = _("periods without a figure")
        constraints = [
            *OfPeriod.Meta.constraints,
            models.CheckConstraint(
                condition=Q(reason__in=NO_FIGURE_REASONS),
                name="nofigure_reason_known",
                violation_error_message=_("The reason is none of the known ones."),
            ),
            models.UniqueConstraint(
                F("indicator"),
                Coalesce("period_start", date(1, 1, 1)),
                F("period_end"),
                F("revision"),
                name="nofigure_told_once",
                violation_error_message=_(
                    "It is recorded already that there is no figure for this period."
                ),
            ),
        ]

    def __str__(self):
        return f"{self.indicator} {self.text} ({self.period_end:%Y-%m-%d})"

    @property
    def text(self) -> str:
        """What stands in place of a figure: 未报数据：尚未确定."""
        return no_figure_text(self.get_reason_display())

    def clean(self):
        super().clean()
        told = self.indicator_id and self.period_end
        if told and (why := self.why_not_public(timezone.localdate())):
            raise ValidationError({"period_end": why})

    def why_not_public(self, day: date) -> str:
        """Nobody knows of a period to come that it brings no figure, and nobody says so beside
        one that is public."""
        if not is_over(self.period_end, day):
            return no_figure_yet_text(self.period_end)
        values = self.indicator.observations.published().reported()
        if any(
            is_same_period(self.indicator.kind, value.period, self.period)
            for value in values.filter(period_end=self.period_end)
        ):
            return str(HAS_FIGURE)
        return ""


class RoundDue(models.Model):
    """What a round asked of a department when it was locked; never changed afterwards."""

    round = models.ForeignKey(Round, models.PROTECT, related_name="due", verbose_name=_("round"))
    indicator = models.ForeignKey(
        Indicator, models.PROTECT, related_name="+", verbose_name=_("indicator")
    )
    department = models.ForeignKey(
        Department, models.PROTECT, related_name="+", verbose_name=_("department")
    )

    class Meta:
        default_permissions = ()
        verbose_name = _("figure due in a round")
        verbose_name_plural = _("figures due in a round")
        constraints = [
            models.UniqueConstraint(
                fields=["round", "indicator"],
                name="rounddue_once",
                violation_error_message=_("The round asks for this indicator already."),
            )
        ]

    def __str__(self):
        return f"{self.round}: {self.indicator}"


class PlanQuerySet(NamedQuerySet):
    def published(self, as_of: date | None = None):
        """Plans with a target that was public by ``as_of`` (today if None), whatever became of it
        since, for an indicator that was."""
        targets = Target.objects.published_before(moment_of(as_of)).order_by()
        indicators = Indicator.objects.once_published(as_of)
        return self.filter(pk__in=targets.filter(indicator__in=indicators).values("plan"))


class Plan(Named):
    """A plan that sets targets, such as the three-year action plan."""

    opinion = models.ForeignKey(
        Opinion, models.PROTECT, related_name="plans", verbose_name=_("opinion")
    )
    start_on = models.DateField(_("from"))
    end_on = models.DateField(_("to"))
    dates_inferred = models.BooleanField(
        _("dates inferred"),
        default=False,
        help_text=_("The sources do not state the dates; they were worked out."),
    )
    note = TextField(_("note (Chinese)"), blank=True)
    note_en = TextField(_("note (English)"), blank=True)

    role_rights = access.STRUCTURE

    objects = PlanQuerySet.as_manager()

    class Meta:
        ordering = ["start_on"]
        verbose_name = _("plan")
        verbose_name_plural = _("plans")
        constraints = [
            models.CheckConstraint(
                condition=Q(start_on__lt=F("end_on")),
                name="plan_dates_in_order",
                violation_error_message=_("The plan ends before it begins."),
            )
        ]


#: What is read of the value that may be a target's baseline.
BEFORE = ("value", "qualifier", "period_start", "period_end")


class TargetQuerySet(SubmissionQuerySet):
    def with_value_before(self, as_of: date | None = None):
        """With what ``value_before`` needs, in the same query; the same as ``last_before``."""
        values = (
            Observation.objects.published(as_of)
            .reported()
            .filter(indicator=OuterRef("indicator"), period_end__lte=OuterRef("plan__start_on"))
            .order_by(*NEWEST_FIRST)
        )
        return self.annotate(
            **{f"before_{name}": Subquery(values.values(name)[:1]) for name in BEFORE}
        )

    def to_judge(self, as_of: date | None = None, *, with_before: bool):
        """Public targets with plan and report, what is due first first; ``with_before`` as
        ``IndicatorQuerySet.with_targets`` has it."""
        rows = self.published(as_of).select_related("plan", "report")
        rows = rows.order_by(F("due_on").asc(nulls_last=True), "pk")
        return rows.with_value_before(as_of) if with_before else rows

    def for_list(self, as_of: date | None = None):
        """Public targets of public indicators, with all that a verdict needs loaded."""
        indicators = Indicator.objects.with_place().with_latest_value(as_of)
        return (
            self.published(as_of)
            .filter(Exists(Indicator.objects.published(as_of).filter(pk=OuterRef("indicator"))))
            .with_value_before(as_of)
            .select_related("plan", "report")
            .prefetch_related(Prefetch("indicator", indicators))
        )


class Target(Sourced, Submission):
    """What a plan aims at for one indicator; the value may be unknown and is never invented."""

    indicator = models.ForeignKey(
        Indicator, models.PROTECT, related_name="targets", verbose_name=_("indicator")
    )
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="targets", verbose_name=_("plan"))
    comparator = models.CharField(
        _("comparator"), max_length=10, choices=Comparator, default=Comparator.AT_LEAST
    )
    value = models.DecimalField(
        _("target value"),
        max_digits=15,
        decimal_places=4,
        null=True,
        blank=True,
        help_text=_("In the indicator's unit. Empty: not published."),
    )
    due_on = models.DateField(_("due on"), null=True, blank=True, help_text=_("Empty: not known."))
    baseline = models.DecimalField(
        _("baseline"),
        max_digits=15,
        decimal_places=4,
        null=True,
        blank=True,
        help_text=_("The value when the plan began. Empty: not known."),
    )
    claim = models.CharField(_("claim"), max_length=20, choices=Claim, default=Claim.NONE)

    measure_path = "indicator__measure"
    role_rights = access.STEWARDS_ENTRY
    stands_alone = True

    objects = TargetQuerySet.as_manager()

    class Meta(Submission.Meta):
        ordering = ["indicator", "plan", "due_on"]
        verbose_name = _("target")
        verbose_name_plural = _("targets")
        constraints = [
            *Submission.Meta.constraints,
            *Sourced.Meta.constraints,
            models.UniqueConstraint(
                F("indicator"),
                F("plan"),
                Coalesce("due_on", date(1, 1, 1)),
                F("revision"),
                name="target_set_once",
                violation_error_message=_(
                    "This plan's target for the indicator and date is recorded already."
                ),
            ),
        ]

    def __str__(self):
        return f"{self.indicator} – {self.plan}"

    def clean(self):
        """Refuses a due date outside the plan; a correction may leave the one that is public."""
        super().clean()
        if self.due_on is None or self.plan_id is None:
            return
        old = self.supersedes
        if old and (old.due_on, old.plan_id) == (self.due_on, self.plan_id):
            return
        if not self.plan.start_on <= self.due_on <= self.plan.end_on:
            raise ValidationError(
                {
                    "due_on": _("The plan runs from %(start)s to %(end)s.")
                    % {"start": self.plan.start_on, "end": self.plan.end_on}
                }
            )

    @property
    def due_day(self) -> date:
        """The due date, or the end of the plan where none is published."""
        return self.due_on or self.plan.end_on

    @property
    def value_before(self) -> Stated | None:
        """The last public value by the day on which the plan began, or None.

        Needs ``with_value_before``, or the indicator's ``public_values``.
        """
        if not hasattr(self, "before_value"):
            return last_before(self.indicator.public_values, self.plan.start_on)
        value, qualifier, start, end = (getattr(self, f"before_{name}") for name in BEFORE)
        return None if value is None else Stated(value, qualifier, (start, end))


class CheckQuerySet(NamedQuerySet):
    def published(self, as_of: date | None = None, *, few=False):
        """Checks that stood on ``as_of`` (today if None) and have figures, all of them public.

        With ``few`` each is looked at by itself, which costs nothing for the others there are.
        """
        standing = self._of(Indicator.objects.published(as_of), few)
        return standing.exclude(is_withdrawn(Check, moment_of(as_of)))

    def that_compare(self, indicators: Iterable[int], as_of: date | None = None):
        """Those that stood on ``as_of`` in which one of ``indicators`` (by their keys) takes
        part."""
        theirs = CheckTerm.objects.order_by().filter(indicator__in=indicators).values("check_of")
        return self.published(as_of, few=True).filter(pk__in=theirs)

    def once_published(self, as_of: date | None = None):
        """Checks whose figures had all become public by ``as_of``, withdrawn since or not."""
        return self._of(Indicator.objects.once_published(as_of))

    def _of(self, indicators, few=False):
        terms = CheckTerm.objects.order_by()
        if few:
            terms = terms.filter(check_of=OuterRef("pk"))
            public = indicators.order_by().filter(pk=OuterRef("indicator"))
            return self.filter(Exists(terms)).exclude(Exists(terms.exclude(Exists(public))))
        # As two sets, whose sizes PostgreSQL guesses better than those of what has no other.
        hidden = terms.exclude(indicator__in=indicators)
        known, lacking = terms.values("check_of"), hidden.values("check_of")
        return self.filter(pk__in=known).exclude(pk__in=lacking)

    def not_withdrawn(self):
        return self.exclude(is_withdrawn(Check, timezone.now()))

    def of_opinion(self, opinion: Opinion):
        """Those with a figure of ``opinion``; one between two opinions belongs to both."""
        terms = CheckTerm.objects.order_by()
        of_it = terms.filter(indicator__measure__theme__section__opinion=opinion)
        return self.filter(pk__in=of_it.values("check_of"))

    def withdrawn(self, as_of: date | None = None):
        """What was withdrawn by ``as_of``, the last first, with moment and reason."""
        columns = withdrawal_columns(Check, moment_of(as_of))
        return (
            self.once_published(as_of)
            .annotate(**columns)
            .filter(withdrawn_at__isnull=False)
            .order_by("-withdrawn_at", "code")
        )

    def by_their_terms(self, *related: str, terms: models.QuerySet | None = None) -> list["Check"]:
        """Those that have terms, with ``loaded_terms``, each with its indicator, unit and
        ``related``; one query.

        ``terms`` may be a query that knows more of each.
        """
        terms = CheckTerm.objects.all() if terms is None else terms
        terms = terms.filter(check_of__in=self).select_related(
            "check_of", "indicator__unit", *related
        )
        return by_check(terms)


def by_check(terms: Iterable["CheckTerm"]) -> list["Check"]:
    """The checks of ``terms``, which stand check by check, each with its ``loaded_terms``."""
    checks = []
    for check, of_check in groupby(terms, attrgetter("check_of")):
        check.loaded_terms = list(of_check)
        checks.append(check)
    return checks


class Check(Named):
    """A relation 勾稽 that figures should satisfy; the result is computed, never stored."""

    kind = models.CharField(_("relation"), max_length=10, choices=CheckKind)
    comparable = models.BooleanField(
        _("comparable"),
        default=True,
        help_text=_("Untick where the figures count different things; the note says which."),
    )
    note = TextField(_("note (Chinese)"), blank=True)
    note_en = TextField(_("note (English)"), blank=True)
    order = models.PositiveSmallIntegerField(_("order"))

    role_rights = access.STRUCTURE

    objects = CheckQuerySet.as_manager()

    class Meta:
        ordering = ["order", "code"]
        verbose_name = _("check")
        verbose_name_plural = _("checks")
        constraints = [
            models.CheckConstraint(
                condition=Q(comparable=True) | ~Q(note=""),
                name="check_says_why_not_comparable",
                violation_error_message=_("Say why the figures cannot be compared."),
            )
        ]

    def get_absolute_url(self):
        """The numbered page of checks that has it, and the place on it."""
        return reverse("checks") + self.place

    @property
    def place(self) -> str:
        """What leads from the address of all checks to the page that has it. Servers are not told
        what stands behind the #."""
        return f"?check={self.code}#{self.code}"

    def clean_part(self, terms: list[list]) -> None:
        """Refuses ``terms`` (role, code of the indicator, earlier) that do not make the relation.

        Every role that the kind needs is there, a rate is a percentage, and everything else of
        one quantity. An indicator that does not exist is none of this method's concern.
        """
        roles = {role for role, _code, _earlier in terms}
        problems = [
            _("The relation “%(relation)s” lacks a figure: %(role)s.")
            % {"relation": self.get_kind_display(), "role": role.label}
            for role in NEEDED.get(self.kind, ())
            if role not in roles
        ]
        codes = [code for _role, code, _earlier in terms]
        known = Indicator.objects.select_related("unit").in_bulk(codes, field_name="code")
        figures = [(role, known[code]) for role, code, _earlier in terms if code in known]
        expected = next((row.unit for role, row in figures if role != Role.RATE), None)
        for role, row in figures:
            told = {"figure": row, "unit": row.unit}
            if role == Role.RATE and row.unit.quantity != PERCENTAGE:
                text = _("“%(figure)s” is counted in %(unit)s; a stated rate is a percentage.")
                problems.append(text % told)
            elif role != Role.RATE and row.unit.quantity != expected.quantity:
                text = _(
                    "“%(figure)s” is counted in %(unit)s, which does not compare with %(other)s."
                )
                problems.append(text % {**told, "other": expected})
        if problems:
            raise ValidationError(problems)


class CheckTermManager(models.Manager):
    def get_by_natural_key(self, check, role, indicator, earlier):
        return self.get(check_of__code=check, role=role, indicator__code=indicator, earlier=earlier)


class CheckTerm(models.Model):
    """One figure in a check: the indicator's public value of the newest period that the figures
    have in common (``align``), or the value of the same period a year before."""

    check_of = models.ForeignKey(
        Check, models.CASCADE, related_name="terms", verbose_name=_("check")
    )
    role = models.CharField(_("role"), max_length=10, choices=Role)
    indicator = models.ForeignKey(
        Indicator, models.PROTECT, related_name="check_terms", verbose_name=_("indicator")
    )
    earlier = models.BooleanField(
        _("the value of the same period a year before"),
        default=False,
        help_text=_("Instead of that of the newest period that the figures have in common."),
    )

    role_rights = access.STRUCTURE_PART

    objects = CheckTermManager()

    class Meta:
        ordering = ["check_of", "role", "pk"]
        verbose_name = _("figure in a check")
        verbose_name_plural = _("figures in a check")
        constraints = [
            models.UniqueConstraint(
                fields=["check_of", "role", "indicator", "earlier"],
                name="checkterm_once",
                violation_error_message=_("The figure stands in this check already."),
            )
        ]

    def __str__(self):
        return f"{self.get_role_display()}: {self.indicator}"

    def natural_key(self):
        return (*self.check_of.natural_key(), self.role, self.indicator.code, self.earlier)
