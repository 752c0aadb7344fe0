"""Which indicators a reporting round asks for, and the entry and the period that answer it.

A figure is due in the round in whose period its own period ends: quarterly figures in every
quarter, yearly ones in the round that ends the year. Periods are calendar months, quarters,
half-years and years.
"""

from datetime import date

from django.db.models import Exists, OuterRef, Q, QuerySet

from measures.models import Department, Round
from measures.submission import State

from .models import Indicator, Observation
from .rules.choices import Frequency, Kind
from .rules.periods import MONTHS, Period, last_period


def is_due(frequency: str, start: date, end: date, *, has_value: bool = False) -> bool:
    """Whether a round over ``start`` to ``end`` asks for an indicator of ``frequency``.

    What is reported once is asked for until it ``has_value``.
    """
    if frequency == Frequency.ONCE:
        return not has_value
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
    recurring = [
        frequency
        for frequency in MONTHS
        if is_due(frequency, round_.period_start, round_.period_end)
    ]
    elsewhere = Observation.objects.filter(
        Q(round__isnull=True) | ~Q(round=round_), indicator=OuterRef("pk"), state=State.PUBLISHED
    )
    return indicators.filter(
        Q(frequency__in=recurring) | (Q(frequency=Frequency.ONCE) & ~Exists(elsewhere))
    )


def indicators_of(round_: Round, department: Department) -> QuerySet:
    """What ``round_`` asks of the department, in the report's order, with ``latest`` loaded."""
    led = Indicator.objects.filter(measure__lead=department)
    return due_indicators(round_, led).with_place().with_latest_value()


def new_entry(indicator: Indicator, round_: Round, department: Department) -> Observation:
    """What the department says of ``indicator`` in ``round_``, without a figure yet.

    Needs the indicator's ``latest``.
    """
    start, end = entry_period(
        indicator.kind,
        indicator.frequency,
        round_.period_start,
        round_.period_end,
        since=indicator.latest.period_start if indicator.latest else None,
    )
    return Observation(
        indicator=indicator,
        round=round_,
        period_start=start,
        period_end=end,
        source_name=f"{department.name}{round_.name}"[:200],
    )
