"""What became public between two days: values, corrections, targets, notes, and changed states."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from django.db.models import (
    BigIntegerField,
    BooleanField,
    Case,
    Count,
    ExpressionWrapper,
    F,
    Max,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from measures.models import (
    Department,
    Evaluation,
    Measure,
    MeasureState,
    Opinion,
    OpinionStage,
    ProgressNote,
    Withdrawal,
)
from measures.prepared import prepared
from measures.submission import start_of_day, stood
from measures.withdrawn import Subject
from metrics.corrections import Correction, first_of
from metrics.history import target_text
from metrics.last_change import between, same_period_before, value_before
from metrics.models import NEWEST_FIRST, Indicator, NoFigure, Observation, Target
from metrics.moments import first_moment, is_long_ago, last_before, values_before
from metrics.rules.choices import Certainty
from metrics.rules.periods import period_text
from metrics.wording import observed_text

#: What must be public itself before a row on it is.
CARRIERS = {
    Observation: ("indicator", "indicator__measure"),
    NoFigure: ("indicator", "indicator__measure"),
    Target: ("indicator", "indicator__measure"),
    ProgressNote: ("measure",),
    MeasureState: ("measure",),
    Withdrawal: ("measure",),
}


@dataclass(frozen=True)
class Publication:
    """One publication.

    ``before`` is what it replaced or the value of the period before, empty if there was none;
    ``difference`` is empty unless the two may be subtracted. ``first_value`` is the value
    itself if none of its indicator was ever public before, and None of everything else.
    ``first`` and ``size`` tell a corrected value by what it said when it was first public.
    """

    id: str
    at: datetime
    measure: Measure
    subject: Indicator | Measure | Withdrawal
    kind: str
    before: str
    after: str
    reason: str = ""
    difference: str = ""
    first_value: Observation | None = None
    first: str = ""
    size: str = ""

    @property
    def title(self) -> str:
        return f"{self.measure.full_number} {self.subject}"

    @property
    def address(self) -> str:
        return self.subject.get_absolute_url()


def publications(
    model,
    since: datetime | None,
    until: datetime,
    *,
    opinion=None,
    section=None,
    department=None,
    measure=None,
    indicator=None,
) -> QuerySet:
    """Rows of ``model`` that became public from ``since`` (None: ever) to before ``until``.

    Corrected ones too. A row on a measure or indicator that was made public later counts from
    that day on. The place narrows it to one opinion, section, department
    that leads, measure or indicator.
    """
    until = min(until, timezone.now())
    rows = _public_before(model, until, _last_day(until))
    if since:
        rows = rows.filter(_public_only_since(model, since, timezone.localdate(since)))
    rows = _of_place(rows, CARRIERS[model][-1], opinion, section, department, measure)
    return _of_indicator(rows, indicator) if indicator else rows


def _public_before(model, until: datetime, last_day: date) -> QuerySet:
    """Rows of ``model`` that became public before ``until``, ``last_day`` being the one it ends."""
    public = {f"{carrier}__published_on__lte": last_day for carrier in CARRIERS[model]}
    return model.objects.published_before(until).filter(**public)


def _last_day(until: datetime) -> date:
    return timezone.localdate(until - timedelta.resolution)


def _of_place(
    rows: QuerySet, to_measure: str, opinion=None, section=None, department=None, measure=None
) -> QuerySet:
    """Those of ``rows``, from which ``to_measure`` leads to the measure, of the place."""
    if opinion:
        rows = rows.filter(**{f"{to_measure}__theme__section__opinion": opinion})
    if section:
        rows = rows.filter(**{f"{to_measure}__theme__section": section})
    if department:
        rows = rows.filter(**{f"{to_measure}__lead": department})
    if measure:
        rows = rows.filter(**{to_measure: measure})
    return rows


def _of_indicator(rows: QuerySet, indicator: Indicator) -> QuerySet:
    if rows.model is Withdrawal:
        fallen_with_it = Q(subject_type=Subject.MEASURE, measure=indicator.measure_id)
        return rows.filter(Q(indicator_code=indicator.code) | fallen_with_it)
    of_indicators = "indicator" in CARRIERS[rows.model]
    return rows.filter(indicator=indicator) if of_indicators else rows.none()


def _public_only_since(model, since: datetime, first_day: date) -> Q:
    """Rows that were not public before ``since``, the midnight with which ``first_day`` begins."""
    found = Q(published_at__gte=since)
    for carrier in CARRIERS[model]:
        found |= Q(**{f"{carrier}__published_on__gte": first_day})
    return found


def counts_by_theme(
    since: datetime, until: datetime, opinion: Opinion | None = None
) -> tuple[Counter, datetime | None]:
    """How many publications the list of these days has, by the theme's key; and the last ever.

    ``until`` bounds both, and both are of ``opinion`` alone, of all if None. The committee's word
    counts for the last, and for no theme. One query, whatever the kinds.
    """
    span = Span.of(since, until)
    counts, newest = Counter(), []
    for row in _counted_by_theme(*span, opinion, long_ago=span.long_ago):
        if row["place"]:
            counts[row["place"]] += row["n"]
        if row["newest"]:
            newest.append(row["newest"])
    return counts, max(newest, default=None)


def counts_by_lead(since: datetime, until: datetime) -> dict[int, tuple[int, datetime]]:
    """By the key of the department that leads: publications of these days, and the last ever.

    One query.
    """
    span = Span.of(since, until)
    counts, newest = Counter(), defaultdict(list)
    for row in _counted_by_lead(*span, None, long_ago=span.long_ago):
        counts[row["place"]] += row["n"]
        newest[row["place"]].append(row["newest"])
    return {lead: (counts[lead], max(moments)) for lead, moments in newest.items() if lead}


def count_of_lead(department: Department, since: datetime, until: datetime) -> int:
    """How many ``publications`` of these days a department has; one query."""
    span = Span.of(since, until)
    return sum(row["n"] for row in _counted_by_lead(*span, department, long_ago=span.long_ago))


class Span(NamedTuple):
    """The moments ``since`` and ``until``, ``until`` not after now, and the days that begin with
    the one and end with the other."""

    since: datetime
    first_day: date
    until: datetime
    last_day: date

    @classmethod
    def of(cls, since: datetime, until: datetime) -> "Span":
        until = min(until, timezone.now())
        return cls(since, timezone.localdate(since), until, _last_day(until))

    @property
    def long_ago(self) -> tuple[bool, bool]:
        """Of which moment, since and until, more values are likely to have come after it."""
        return is_long_ago(self.since), is_long_ago(self.until)


@prepared
def _counted_by_theme(since, first_day, until, last_day, opinion, *, long_ago):
    span = Span(since, first_day, until, last_day)
    parts = _counted("theme", span, long_ago, opinion=opinion)
    for rows in (
        OpinionStage.objects.filter(opinion=opinion) if opinion else OpinionStage.objects,
        Evaluation.objects.of_opinion(opinion) if opinion else Evaluation.objects,
    ):
        rows = rows.published_before(until).order_by().values(place=Value(None, BigIntegerField()))
        parts.append(rows.annotate(n=Value(0), newest=Max("published_at")))
    return parts[0].union(*parts[1:], all=True)


@prepared
def _counted_by_lead(since, first_day, until, last_day, department, *, long_ago):
    span = Span(since, first_day, until, last_day)
    first, *others = _counted("lead", span, long_ago, department=department)
    return first.union(*others, all=True)


def _counted(column: str, span: Span, long_ago: tuple[bool, bool], **place) -> list[QuerySet]:
    """For each kind of row, by that column of the measure as ``place``: ``n`` publications of the
    ``span``, and the ``newest`` of all before its end."""
    found = []
    for model, carriers in CARRIERS.items():
        # Of values there may be a million.
        if model is Observation:
            of_each = _with_values(span, long_ago, **place)
            rows = of_each.values(place=F(f"measure__{column}")).annotate(
                n=Coalesce(Sum("recent"), 0), newest=Max(last_before(span.until))
            )
        else:
            of_days = _public_only_since(model, span.since, span.first_day)
            rows = _of_place(
                _public_before(model, span.until, span.last_day), carriers[-1], **place
            )
            rows = rows.order_by().values(place=F(f"{carriers[-1]}__{column}"))
            rows = rows.annotate(n=Count("pk", filter=of_days), newest=Max("published_at"))
        found.append(rows)
    return found


def indicators_with_values(since: datetime, until: datetime, **place) -> QuerySet:
    """Indicators with values that were published before ``until``, each with how many
    ``publications`` from ``since`` on these are, as ``recent``, without looking at each value."""
    span = Span.of(since, until)
    return _with_values(span, span.long_ago, **place)


def _with_values(span: Span, long_ago: tuple[bool, bool], **place) -> QuerySet:
    rows = _of_place(Indicator.objects.order_by(), "measure", **place)
    rows = rows.filter(published_on__lte=span.last_day, measure__published_on__lte=span.last_day)
    # What is published with an indicator or measure of these days, became public in them.
    is_new = Q(published_on__gte=span.first_day) | Q(measure__published_on__gte=span.first_day)
    since_is_long_ago, until_is_long_ago = long_ago
    earlier = values_before(span.since, long_ago=since_is_long_ago)
    rows = rows.annotate(
        first=first_moment(),
        is_new=ExpressionWrapper(is_new, BooleanField()),
        recent=values_before(span.until, long_ago=until_is_long_ago)
        - Case(When(is_new, then=0), default=earlier),
    )
    return rows.filter(first__lt=span.until)


def is_begun(since: datetime) -> Q:
    """Of ``indicators_with_values`` those whose first value is one of the recent."""
    return Q(is_new=True) | Q(first__gte=since)


def loaded(model, pks: list[int], until: datetime) -> list[Publication]:
    """The publications of ``model`` with these keys, which are public, as told at ``until``.

    One query, of values two.
    """
    rows = model.objects.filter(pk__in=pks).order_by()
    rows = rows.select_related(f"{CARRIERS[model][-1]}__theme__section__opinion", "supersedes")
    if "indicator" in CARRIERS[model]:
        rows = rows.select_related("indicator__unit")
    rows = list(rows)
    if rows and model is Observation:
        history = histories({row.indicator_id for row in rows}, until)
        return [_value(row, history[row.indicator_id]) for row in rows]
    return [TELL[model](row) for row in rows]


class Said(NamedTuple):
    """What a value is compared by: a row of a history, of which only a few are ever shown."""

    pk: int
    indicator_id: int
    period_start: date | None
    period_end: date
    value: Decimal
    qualifier: str
    as_written: str
    certainty: str
    published_at: datetime
    supersedes_id: int | None
    replaced_at: datetime | None

    @property
    def is_reported(self) -> bool:
        return self.certainty != Certainty.EXPECTED

    def get_certainty_display(self) -> str:
        return Certainty(self.certainty).label


def histories(indicators: Iterable[int], until: datetime) -> dict[int, list[Said]]:
    """All that was ever public of each before ``until``, newest first; one query."""
    found: dict[int, list[Said]] = {}
    ever = Observation.objects.versions(min(until, timezone.now()))
    ever = ever.filter(indicator__in=indicators).order_by(*NEWEST_FIRST)
    for row in ever.values_list(*Said._fields):
        value = Said(*row)
        found.setdefault(value.indicator_id, []).append(value)
    return found


def _value(row: Observation, history: list[Said]) -> Publication:
    """``history`` is all that was ever public of the indicator, newest first."""
    indicator = row.indicator
    before = row.supersedes or _of_the_period_before(row, history)
    history_begins = min(value.published_at for value in history)
    first = first_of(row, {value.pk: value for value in history})
    return Publication(
        f"observation:{row.code}",
        _public_since(row),
        indicator.measure,
        indicator,
        _("correction") if row.supersedes else _("new value"),
        _value_text(before, indicator) if before else "",
        _value_text(row, indicator),
        row.correction_reason,
        _difference(row, before, history),
        first_value=row if row.published_at <= history_begins else None,
        first=observed_text(first, indicator.unit) if row.supersedes else "",
        size=Correction(first, row).text if row.supersedes else "",
    )


def _of_the_period_before(row: Observation, history: list[Said]) -> Said | None:
    """The value of an earlier period that stood when ``row`` was published."""
    # What was published in the same moment stands beside it.
    moment = row.published_at + timedelta.resolution
    return value_before(
        row.indicator.kind, row, [value for value in history if stood(value, moment)]
    )


def _difference(row: Observation, before: Observation | Said | None, history) -> str:
    """The change from ``before``, and beside it 同比 where that is another one."""
    if before is None:
        return ""
    text = between(row.indicator, row, before).difference_text
    moment = row.published_at + timedelta.resolution
    public = [value for value in history if stood(value, moment)]
    same = same_period_before(row.indicator.kind, row, public)
    if row.supersedes_id or same is None or same == before:
        return text
    year = between(row.indicator, row, same).difference_text
    year = _("on the same period of the year before %(change)s") % {"change": year}
    return pgettext("between filters", "; ").join(filter(None, (text, year)))


def _value_text(value: Observation | Said, indicator: Indicator) -> str:
    return _("%(figure)s (%(period)s)") % {
        "figure": observed_text(value, indicator.unit),
        "period": period_text(value.period_start, value.period_end),
    }


def _no_figure(row: NoFigure) -> Publication:
    return Publication(
        f"no-figure:{row.code}",
        _public_since(row),
        row.indicator.measure,
        row.indicator,
        _("no figure, worded anew") if row.supersedes else _("no figure"),
        _no_figure_text(row.supersedes) if row.supersedes else "",
        _no_figure_text(row),
        row.correction_reason or row.in_language("note"),
    )


def _no_figure_text(row: NoFigure) -> str:
    return _("%(figure)s (%(period)s)") % {"figure": row.text, "period": period_text(*row.period)}


def _target(row: Target) -> Publication:
    if row.supersedes:
        row.supersedes.indicator = row.indicator
    return Publication(
        f"target:{row.code}",
        _public_since(row),
        row.indicator.measure,
        row.indicator,
        _("target changed") if row.supersedes else _("target"),
        target_text(row.supersedes) if row.supersedes else "",
        target_text(row),
        row.correction_reason,
    )


def _note(row: ProgressNote) -> Publication:
    return Publication(
        f"note:{row.code}",
        _public_since(row),
        row.measure,
        row.measure,
        _("note corrected") if row.supersedes else _("progress note"),
        row.supersedes.in_language("text") if row.supersedes else "",
        row.in_language("text"),
        row.correction_reason,
    )


def _state(row: MeasureState) -> Publication:
    return Publication(
        f"state:{row.code}",
        _public_since(row),
        row.measure,
        row.measure,
        _("state of the measure corrected") if row.supersedes else _("state of the measure"),
        _state_text(row.supersedes) if row.supersedes else "",
        f"{_state_text(row)} {row.in_language('reason')}",
        row.correction_reason,
    )


def _state_text(row: MeasureState) -> str:
    text = _("%(state)s since %(day)s") % {
        "state": row.get_status_display(),
        "day": row.since.isoformat(),
    }
    return text if row.is_confirmed else f"{text} · {_('as told in the report')}"


def _withdrawal(row: Withdrawal) -> Publication:
    return Publication(
        f"withdrawal:{row.code}",
        _public_since(row),
        row.measure,
        row,
        _("reason of a withdrawal worded anew") if row.supersedes else _("withdrawal"),
        row.supersedes.in_language("reason") if row.supersedes else "",
        _("withdrawn: %(kind)s") % {"kind": row.get_subject_type_display()},
        row.in_language("reason"),
    )


TELL = {
    NoFigure: _no_figure,
    Target: _target,
    ProgressNote: _note,
    MeasureState: _state,
    Withdrawal: _withdrawal,
}


def _public_since(row) -> datetime:
    """When ``row`` became public: with the last of itself, its indicator and its measure."""
    if "indicator" in CARRIERS[type(row)]:
        carriers = [row.indicator, row.indicator.measure]
    else:
        carriers = [row.measure]
    return public_since(row.published_at, [carrier.published_on for carrier in carriers])


def public_since(published_at: datetime, days: Iterable[date]) -> datetime:
    """When a row became public: with the last of itself and of what carries it."""
    day = max(days, default=date.min)
    # Midnights are dear to compute, and nearly all rows are younger than what carries them.
    if day <= timezone.localdate(published_at):
        return published_at
    return start_of_day(day)
