"""What can be concluded of every target, without what it says: for lists and counts of many.

Verdicts come from the ``summaries`` where they are known and hold on the day, those of a past day
where nothing that decides over them was touched since; the others are worked out from the rows.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import starmap
from typing import NamedTuple

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from measures.models import Threshold
from measures.prepared import today
from measures.submission import end_of_day
from measures.thresholds import JUDGING, Thresholds
from measures.thresholds import columns as threshold_columns

from . import kept_days
from .assessment import baseline_of, judge
from .models import BEFORE, NEWEST_FIRST, Indicator, Observation, Plan, Target
from .rules.baseline import Stated
from .rules.choices import Verdict
from .rules.progress import completion, holds_since, holds_until, progress
from .rules.questions import shortfall
from .touched import touched_since

#: The name of what ``kept_days`` keeps of them.
KEPT_AS = "verdicts"
#: What a verdict needs of a target and of a value, since there can be thousands.
OF_TARGET = (
    "pk", "indicator", "plan", "comparator", "value", "due_on", "baseline", "claim",
    "indicator__kind", "indicator__frequency", *(f"before_{name}" for name in BEFORE),
)  # fmt: skip
OF_VALUE = ("indicator", "value", "qualifier", "period_start", "period_end")


class _Newest(NamedTuple):
    """``OF_VALUE`` of a value."""

    indicator: int
    value: Decimal
    qualifier: str
    period_start: date | None
    period_end: date


@dataclass(slots=True)
class _Figure:
    """As the next: rows of the tables would bring dozens of columns, and take longer to make."""

    kind: str
    frequency: str
    reported: _Newest | None


@dataclass(slots=True)
class _Target:
    pk: int
    indicator_id: int
    plan: Plan
    comparator: str
    value: Decimal | None
    due_on: date | None
    baseline: Decimal | None
    claim: str
    value_before: Stated | None
    due_day = Target.due_day


class Holding(NamedTuple):
    """A ``verdict`` that holds from the day ``since`` to before ``until`` (None: from then on), and
    how much of the way is ``left`` in percentage points (``shortfall``), as long as nothing is
    published."""

    verdict: Verdict
    since: date
    until: date | None
    left: float


def columns() -> dict:
    """Annotations on targets that ``of_rows`` needs, with what is known; null where no summary
    is."""
    known = {f"read_{name}": F(f"summary__{name}") for name in Holding._fields}
    return {"read_indicator": F("indicator"), **known}


def of_rows(rows: Iterable, as_of: date | None) -> dict[int, Verdict]:
    """The verdict on each of ``rows``, targets with ``pk`` and ``columns`` that were public on
    ``as_of`` (today if None), by its key; three queries for those of which none is known, and one
    on a past day, and what ``kept_days`` says."""
    return {key: verdict for key, (verdict, _left) in _of_rows(rows, as_of).items()}


def _of_rows(rows: Iterable, as_of: date | None) -> dict[int, tuple[Verdict, float]]:
    """``of_rows``, with what is ``left`` of the way."""
    by_key = {row.pk: row for row in rows}

    def known(keys: list[int]) -> dict[int, tuple[Verdict, float]]:
        return _known([by_key[key] for key in keys], as_of)

    return kept_days.of(KEPT_AS, as_of, by_key, known, lambda keys: of_day(keys, as_of), _of_json)


def _of_json(told: list) -> tuple[Verdict, float]:
    verdict, left = told
    return Verdict(verdict), left


def _known(rows: list, as_of: date | None) -> dict[int, tuple[Verdict, float]]:
    """What the summaries say of those ``rows`` of which they hold on ``as_of``, by their keys."""
    on = as_of or timezone.localdate()
    holding = [row for row in rows if _holds(row, on)]
    if as_of and holding:
        may_differ = _may_differ(as_of)
        holding = [row for row in holding if not may_differ(row.read_indicator)]
    return {row.pk: (Verdict(row.read_verdict), row.read_left) for row in holding}


def _holds(row, on: date) -> bool:
    return bool(row.read_verdict) and holds_on(on, row.read_since, row.read_until)


def holds_on(on: date, since: date, until: date | None) -> bool:
    """Whether what is a ``Holding`` from ``since`` to before ``until`` is one on that day."""
    return since <= on < (until or date.max)


def _may_differ(as_of: date) -> Callable[[int], bool]:
    """Whether targets of an indicator, given by its key, may be judged otherwise today than on
    ``as_of``, but for the day; one query."""
    touched = _touched(as_of)
    return lambda indicator: touched is None or indicator in touched


def _touched(as_of: date) -> set[int] | None:
    """The indicators, by their keys, whose targets may be judged otherwise today than on ``as_of``,
    but for the day; None: all. One query."""
    of_one = Indicator, Observation, Target
    found = touched_since(end_of_day(as_of), Plan, Threshold, *of_one)
    if found[Plan] or found[Threshold]:
        return None
    return set().union(*(found[model] for model in of_one))


def unknown(as_of: date | None) -> Q:
    """On which targets nothing is known on ``as_of`` (today if None) but by their rows; one query
    on a past day."""
    on = as_of or today()
    missing = Q(summary__isnull=True) | Q(summary__since__gt=on) | Q(summary__until__lte=on)
    if as_of is None:
        return missing
    touched = _touched(as_of)
    return ~Q(pk__in=[]) if touched is None else missing | Q(indicator__in=touched)


def of(targets: QuerySet, as_of: date | None, *fields: str) -> list[tuple[tuple, Verdict, float]]:
    """Each of ``targets`` as a row with ``pk`` and ``fields``, the verdict on it, and what is
    ``left`` of the way; one query, and what ``of_rows`` asks."""
    asked = columns()
    rows = targets.order_by().annotate(**asked)
    rows = rows.values_list("pk", *fields, *asked, named=True)
    known = _of_rows(rows, as_of)
    return [(row, *known[row.pk]) for row in rows]


def that_may_be(wanted: Q, as_of: date | None) -> Q:
    """A condition that all targets meet of which a summary that is ``wanted`` (a condition on it)
    would be told on ``as_of`` (today if None), as far as that is known; one query on a past day."""
    return wanted | unknown(as_of)


def counted(targets: QuerySet, as_of: date | None, *by: str) -> list[tuple[tuple, Verdict, int]]:
    """How many of ``targets`` are alike: the values of their fields ``by``, the verdict, and their
    number. Values may come again; as in ``facts.Counted`` the database counts."""
    others = of(targets.filter(unknown(as_of)), as_of, *by)
    known = targets.filter(summary__isnull=False).exclude(pk__in=[row.pk for row, *_ in others])
    rows = known.order_by().values_list(*by, "summary__verdict").annotate(n=Count("pk"))
    found = [(row[1 : 1 + len(by)], verdict, 1) for row, verdict, _left in others]
    return found + [(tuple(values), Verdict(verdict), n) for *values, verdict, n in rows]


def of_day(targets: list[int], as_of: date | None) -> dict[int, tuple[Verdict, float]]:
    """The verdict on each of ``targets`` and what is ``left`` of the way, by its key, on ``as_of``
    (today if None), whatever is known already; three queries."""
    on = as_of or timezone.localdate()
    return {target.pk: (say(on), left) for target, say, left in _judged(targets, as_of)}


def worked_out(targets: list[int]) -> Iterator[tuple[_Target, Holding]]:
    """Those of ``targets`` (by their keys) with what is concluded of them today, whatever is known
    already; three queries. Of a target ``pk`` and ``indicator_id`` are there."""
    on = timezone.localdate()
    for target, say, left in _judged(targets, None):
        since = holds_since(say, on, min(target.plan.start_on, target.due_day))
        yield target, Holding(say(on), since, holds_until(say, on, target.due_day), left)


def _judged(
    targets: list[int], as_of: date | None
) -> Iterator[tuple[_Target, Callable[[date], Verdict], float]]:
    """Each of ``targets`` (by their keys) with what says its verdict on any day, and what is left
    of the way."""
    asked = threshold_columns(JUDGING)
    rows = Target.objects.filter(pk__in=targets).with_value_before(as_of).annotate(**asked)
    rows = list(rows.order_by().values_list(*OF_TARGET, *asked, named=True))
    if not rows:
        return
    known = _reported({row.indicator for row in rows}, as_of)
    plans = Plan.objects.in_bulk({row.plan for row in rows})
    # All are judged by the same.
    tolerance = Thresholds.beside(rows[0]).tolerance_points
    for row in rows:
        reported = known.get(row.indicator)
        figure = _Figure(row.indicator__kind, row.indicator__frequency, reported)
        target = _Target(
            row.pk, row.indicator, plans[row.plan], row.comparator, row.value, row.due_on,
            row.baseline, row.claim, Target.value_before.fget(row),
        )  # fmt: skip
        yield target, judge(figure, target, tolerance), _left(figure, target)


def _reported(indicators: set[int], as_of: date | None) -> dict[int, _Newest]:
    """The newest value of each of ``indicators`` (by their keys) that is not only expected, where
    there is one; one query, which looks each up by itself."""
    values = Observation.objects.published(as_of).reported().filter(indicator=OuterRef("pk"))
    newest = Subquery(values.order_by(*NEWEST_FIRST).values("pk")[:1])
    keys = Indicator.objects.filter(pk__in=indicators).order_by().values(newest=newest)
    rows = Observation.objects.filter(pk__in=keys).order_by().values_list(*OF_VALUE)
    return {value.indicator: value for value in starmap(_Newest, rows)}


def _left(figure: _Figure, target: _Target) -> float:
    """The ``shortfall``, of which fifteen digits are enough to sort by."""
    value = figure.reported.value if figure.reported else None
    begins = baseline_of(figure, figure.reported, target, target.value_before)
    terms = {"comparator": target.comparator}
    done = progress(value, target.value, **terms, baseline=begins.value if begins else None)
    return float(shortfall(done, completion(value, target.value, **terms)))
