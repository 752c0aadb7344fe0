"""Which indicators a reporting round asks for, and the entry and the period that answer it.

A figure is due in the round in whose period its own period ends: quarterly figures in every
quarter, yearly ones in the round that ends the year. Periods are calendar months, quarters,
half-years and years. An indicator is due from the day on which it became public, or a later one
that a steward set: rounds whose period ended before that day do not ask for it.

When a round is locked, what it asked for and of whom is written down, and its counts go by that.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from django.db import transaction
from django.db.models import Exists, Min, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from measures.models import Department, Round
from measures.submission import EDITABLE, State, new_code

from .models import Indicator, NoFigure, Observation, RoundDue
from .rules.choices import Frequency, Kind
from .rules.periods import Period, last_period


def is_due(frequency: str, start: date, end: date) -> bool:
    """Whether a period of ``frequency`` ends in a round over ``start`` to ``end``."""
    return last_period(frequency, start, end) is not None


def entry_period(
    kind: str, frequency: str, start: date, end: date, *, since: date | None = None
) -> Period:
    """The period of a value of an indicator that is due in a round over ``start`` to ``end``.

    Flows and growth cover the period that ends in the round; states are those of its last day;
    cumulative totals run from ``since``, where the latest value begins (None: not stated).
    """
    if kind in {Kind.FLOW, Kind.GROWTH}:
        return last_period(frequency, start, end) or (start, end)
    if kind == Kind.CUMULATIVE:
        return since, end
    return end, end


def due_indicators(round_: Round, indicators: QuerySet) -> QuerySet:
    """Those of ``indicators`` that ``round_`` asks for, also where they are entered by now.

    What is reported once drops out when it has a public value from elsewhere.
    """
    elsewhere = Observation.objects.filter(
        Q(round__isnull=True) | ~Q(round=round_), indicator=OuterRef("pk"), state=State.PUBLISHED
    )
    return (
        indicators.not_withdrawn()
        .filter(_begun(round_))
        .filter(~Q(frequency=Frequency.ONCE) | ~Exists(elsewhere), frequency__in=_asked(round_))
    )


def _begun(round_: Round) -> Q:
    """Those that were public, and due, by the end of the round's period."""
    end = round_.period_end
    return Q(published_on__lte=end, measure__published_on__lte=end) & (
        Q(due_from__isnull=True) | Q(due_from__lte=end)
    )


def _has_begun(indicator: Indicator, round_: Round) -> bool:
    """As ``_begun``; needs the measure."""
    due_from = indicator.due_from or round_.period_end
    return indicator.was_public(round_.period_end) and due_from <= round_.period_end


def due_in_rounds(rounds: list[Round], indicators: QuerySet) -> dict[int, list[Indicator]]:
    """What ``due_indicators`` lists for each round, by the rounds' keys.

    Two queries for any number of rounds.
    """
    once = indicators.filter(frequency=Frequency.ONCE)
    public = Observation.objects.filter(indicator__in=once.values("pk"), state=State.PUBLISHED)
    # None: a value from elsewhere than a round.
    reported: dict[int, set[int | None]] = defaultdict(set)
    for indicator, round_ in public.order_by().values_list("indicator", "round").distinct():
        reported[indicator].add(round_)
    rows = list(indicators.not_withdrawn().select_related("measure"))
    found = {}
    for round_ in rounds:
        asked = _asked(round_)
        found[round_.pk] = [
            row
            for row in rows
            if row.frequency in asked
            and _has_begun(row, round_)
            and not reported.get(row.pk, set()) - {round_.pk}
        ]
    return found


def due_by_department(
    rounds: list[Round], departments: list[Department]
) -> set[tuple[int, int, int]]:
    """(round, department, indicator), by their keys, of all that is or was due.

    Of rounds that were locked, what was written down then; of others, what departments lead now.
    Three queries at the most.
    """
    fixed = [round_ for round_ in rounds if round_.due_fixed_at]
    found = set()
    if fixed:
        rows = RoundDue.objects.filter(round__in=fixed, department__in=departments)
        found.update(rows.values_list("round", "department", "indicator"))
    led = Indicator.objects.filter(measure__lead__in=departments).order_by()
    for round_, indicators in due_in_rounds([r for r in rounds if r not in fixed], led).items():
        found.update((round_, row.measure.lead_id, row.pk) for row in indicators)
    return found


@transaction.atomic
def fix(round_: Round) -> None:
    """Writes down what ``round_`` asks for, once and for good; whoever locks it does."""
    round_ = Round.objects.select_for_update().get(pk=round_.pk)
    if round_.due_fixed_at:
        return
    led = Indicator.objects.filter(measure__lead__isnull=False).select_related("measure")
    RoundDue.objects.bulk_create(
        RoundDue(round=round_, indicator=row, department_id=row.measure.lead_id)
        for row in due_indicators(round_, led).order_by("pk")
    )
    round_.due_fixed_at = timezone.now()
    round_.save(update_fields=["due_fixed_at"])


def entries_handed_in(rounds: Iterable[Round]) -> list[QuerySet]:
    """The figures that wait for review or are public, and what is said to have none."""
    handed_in = {"supersedes": None, "state__in": [State.SUBMITTED, State.PUBLISHED]}
    return [
        model.objects.filter(round__in=rounds, **handed_in) for model in (Observation, NoFigure)
    ]


def handed_in_of(rounds: Iterable[Round]) -> set[tuple[int, int]]:
    """(round, indicator), by their keys, of what was handed in: a figure, or that there is none.

    One query.
    """
    figures, none = (
        rows.order_by().values_list("round", "indicator") for rows in entries_handed_in(rounds)
    )
    return set(figures.union(none))


def days_handed_in(entries: Iterable[QuerySet]) -> dict[tuple[int, int], date]:
    """By round and indicator, by their keys: the day on which the first of ``entries`` was handed
    in, or became public where it never was. By this day somebody is on time or late.

    ``entries`` are querysets of figures and of what has none; one query.
    """
    kinds = [
        rows.order_by()
        .values("round", "indicator")
        .annotate(at=Min(Coalesce("submitted_at", "published_at")))
        for rows in entries
    ]
    found: dict[tuple[int, int], date] = {}
    for row in kinds[0].union(*kinds[1:], all=True):
        key, day = (row["round"], row["indicator"]), timezone.localdate(row["at"])
        found[key] = min(day, found.get(key, day))
    return found


def counts_of(round_: Round) -> tuple[int, int, int]:
    """Of a locked round: figures that it asked for, those handed in or said to be none, drafts."""
    asked = set(RoundDue.objects.filter(round=round_).values_list("indicator", flat=True))
    entered = asked & {indicator for _round, indicator in handed_in_of([round_])}
    drafts = sum(
        model.objects.filter(round=round_, supersedes=None, state__in=EDITABLE).count()
        for model in (Observation, NoFigure)
    )
    return len(asked), len(entered), drafts


def _asked(round_: Round) -> set[Frequency]:
    start, end = round_.period_start, round_.period_end
    return {frequency for frequency in Frequency if is_due(frequency, start, end)}


def indicators_of(round_: Round, department: Department) -> QuerySet:
    """What ``round_`` asks of the department, in the report’s order, with ``public_values``.

    Of a locked round what it asked then and the department still leads, as it can be entered.
    """
    led = Indicator.objects.filter(measure__lead=department)
    if round_.due_fixed_at:
        fixed = RoundDue.objects.filter(round=round_, department=department)
        found = led.not_withdrawn().filter(pk__in=fixed.values("indicator"))
    else:
        found = due_indicators(round_, led)
    return found.with_place().with_public_values()


class NewEntries:
    """What the department says of indicators in ``round_``, without a figure yet."""

    def __init__(self, round_: Round, department: Department):
        self.round = round_
        # Django asks 35 fields for their defaults, which takes longer than all else of a new row.
        self._blank = Observation(round=round_, source_name=f"{department.name}{round_.name}"[:200])

    def of(self, indicator: Indicator) -> Observation:
        """The one of ``indicator``; needs its ``latest``."""
        latest, entry = indicator.latest, Observation.__new__(Observation)
        # What copy() does, which besides compares versions of Django.
        entry.__dict__.update(self._blank.__getstate__())
        entry.code, entry.indicator = new_code(), indicator
        entry.period_start, entry.period_end = entry_period(
            indicator.kind,
            indicator.frequency,
            self.round.period_start,
            self.round.period_end,
            since=latest.period_start if latest else None,
        )
        return entry


def new_entry(indicator: Indicator, round_: Round, department: Department) -> Observation:
    """As ``NewEntries``, where there are few."""
    return NewEntries(round_, department).of(indicator)


def new_no_figure(indicator: Indicator, round_: Round, department: Department) -> NoFigure:
    """As ``new_entry``: that there is no figure in ``round_``, without a reason yet."""
    entry = new_entry(indicator, round_, department)
    return NoFigure(
        indicator=indicator,
        round=round_,
        period_start=entry.period_start,
        period_end=entry.period_end,
        source_name=entry.source_name,
    )
