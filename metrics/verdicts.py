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

from django.db.models import F, QuerySet
from django.utils import timezone

from measures.models import Threshold
from measures.submission import end_of_day
from measures.thresholds import JUDGING, Thresholds
from measures.thresholds import columns as threshold_columns

from . import kept_days
from .assessment import judge
from .models import BEFORE, Indicator, Observation, Plan, Target
from .rules.baseline import Stated
from .rules.choices import Verdict
from .rules.progress import holds_since, holds_until
from .touched import touched_since

#: The name of what ``kept_days`` keeps of them.
KEPT_AS = "verdicts"
#: What a verdict needs of a target and of a value, since there can be thousands.
OF_TARGET = (
    "pk", "indicator", "plan", "comparator", "value", "due_on", "baseline", "claim",
    "indicator__kind", "indicator__frequency", *(f"before_{name}" for name in BEFORE),
)  # fmt: skip
OF_VALUE = ("indicator", "value", "qualifier", "certainty", "period_start", "period_end")


class _Newest(NamedTuple):
    """``OF_VALUE`` of a value."""

    indicator: int
    value: Decimal
    qualifier: str
    certainty: str
    period_start: date | None
    period_end: date
    is_reported = Observation.is_reported


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
    """A ``verdict`` that holds from the day ``since`` to before ``until`` (None: from then on), as
    long as nothing is published."""

    verdict: Verdict
    since: date
    until: date | None


def columns() -> dict:
    """Annotations on targets that ``of_rows`` needs, with what is known; null where no summary
    is."""
    known = {f"read_{name}": F(f"summary__{name}") for name in Holding._fields}
    return {"read_indicator": F("indicator"), **known}


def of_rows(rows: Iterable, as_of: date | None) -> dict[int, Verdict]:
    """The verdict on each of ``rows``, targets with ``pk`` and ``columns`` that were public on
    ``as_of`` (today if None), by its key; three queries for those of which none is known, and one
    on a past day, and what ``kept_days`` says."""
    by_key = {row.pk: row for row in rows}

    def known(keys: list[int]) -> dict[int, Verdict]:
        return _known([by_key[key] for key in keys], as_of)

    return kept_days.of(KEPT_AS, as_of, by_key, known, lambda keys: of_day(keys, as_of), Verdict)


def _known(rows: list, as_of: date | None) -> dict[int, Verdict]:
    """The verdicts in the summaries on those ``rows`` of which they hold on ``as_of``, by their
    keys."""
    on = as_of or timezone.localdate()
    holding = [row for row in rows if _holds(row, on)]
    if as_of and holding:
        may_differ = _may_differ(as_of)
        holding = [row for row in holding if not may_differ(row.read_indicator)]
    return {row.pk: Verdict(row.read_verdict) for row in holding}


def _holds(row, on: date) -> bool:
    return bool(row.read_verdict) and row.read_since <= on < (row.read_until or date.max)


def _may_differ(as_of: date) -> Callable[[int], bool]:
    """Whether targets of an indicator, given by its key, may be judged otherwise today than on
    ``as_of``, but for the day; one query."""
    of_one = Indicator, Observation, Target
    found = touched_since(end_of_day(as_of), Plan, Threshold, *of_one)
    if found[Plan] or found[Threshold]:
        return lambda indicator: True
    touched = set().union(*(found[model] for model in of_one))
    return lambda indicator: indicator in touched


def of(targets: QuerySet, as_of: date | None, *fields: str) -> list[tuple[tuple, Verdict]]:
    """Each of ``targets`` as a row with ``pk`` and ``fields``, and the verdict on it; one query,
    and what ``of_rows`` asks."""
    asked = columns()
    rows = targets.order_by().annotate(**asked)
    rows = rows.values_list("pk", *fields, *asked, named=True)
    known = of_rows(rows, as_of)
    return [(row, known[row.pk]) for row in rows]


def of_day(targets: list[int], as_of: date | None) -> dict[int, Verdict]:
    """The verdict on each of ``targets``, by its key, on ``as_of`` (today if None), whatever is
    known already; three queries."""
    on = as_of or timezone.localdate()
    return {target.pk: say(on) for target, say in _judged(targets, as_of)}


def worked_out(targets: list[int]) -> Iterator[tuple[_Target, Holding]]:
    """Those of ``targets`` (by their keys) with what is concluded of them today, whatever is known
    already; three queries. Of a target ``pk`` and ``indicator_id`` are there."""
    on = timezone.localdate()
    for target, say in _judged(targets, None):
        since = holds_since(say, on, min(target.plan.start_on, target.due_day))
        yield target, Holding(say(on), since, holds_until(say, on, target.due_day))


def _judged(
    targets: list[int], as_of: date | None
) -> Iterator[tuple[_Target, Callable[[date], Verdict]]]:
    """Each of ``targets`` (by their keys) with what says its verdict on any day."""
    asked = threshold_columns(JUDGING)
    rows = Target.objects.filter(pk__in=targets).with_value_before(as_of).annotate(**asked)
    rows = list(rows.order_by().values_list(*OF_TARGET, *asked, named=True))
    if not rows:
        return
    newest = Observation.objects.latest_of_each(as_of)
    newest = newest.filter(indicator__in={row.indicator for row in rows})
    known = {value.indicator: value for value in starmap(_Newest, newest.values_list(*OF_VALUE))}
    plans = Plan.objects.in_bulk({row.plan for row in rows})
    # All are judged by the same.
    tolerance = Thresholds.beside(rows[0]).tolerance_points
    for row in rows:
        value = known.get(row.indicator)
        reported = value if value and value.is_reported else None
        figure = _Figure(row.indicator__kind, row.indicator__frequency, reported)
        target = _Target(
            row.pk, row.indicator, plans[row.plan], row.comparator, row.value, row.due_on,
            row.baseline, row.claim, Target.value_before.fget(row),
        )  # fmt: skip
        yield target, judge(figure, target, tolerance)
