"""What can be concluded of every target, without what it says: for lists and counts of many.

Verdicts of today come from the ``summaries`` where they are known and still hold; the others, and
those of a past day, are worked out from the rows.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from decimal import Decimal
from itertools import starmap
from typing import NamedTuple

from django.db.models import F, QuerySet
from django.utils import timezone

from measures.thresholds import JUDGING, Thresholds
from measures.thresholds import columns as threshold_columns

from .assessment import judge
from .models import Observation, Target
from .rules.choices import Verdict
from .rules.progress import holds_until

#: What a verdict needs of a target and of a value, since there can be thousands.
OF_TARGET = (
    "comparator", "value", "due_on", "baseline", "claim",
    "plan", "indicator__kind", "indicator__frequency",
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


class Holding(NamedTuple):
    """A ``verdict`` that holds from the day ``since`` to before ``until`` (None: from then on), as
    long as nothing is published."""

    verdict: Verdict
    since: date
    until: date | None


def columns(as_of: date | None) -> dict:
    """Annotations on targets by which ``of_rows`` needs no query; null where no summary is, and
    none of a past day."""
    if as_of:
        return {}
    return {f"read_{name}": F(f"summary__{name}") for name in Holding._fields}


def of_rows(rows: Iterable, as_of: date | None) -> dict[int, Verdict]:
    """The verdict on each of ``rows``, targets with ``pk`` and ``columns`` that were public on
    ``as_of`` (today if None), by its key; three queries for those of which none is known."""
    on, known = as_of or timezone.localdate(), {}
    if as_of is None:
        known = {row.pk: Verdict(row.read_verdict) for row in rows if _holds(row, on)}
    if unknown := [row.pk for row in rows if row.pk not in known]:
        known |= {target.pk: say(on) for target, say in _judged(unknown, as_of)}
    return known


def _holds(row, on: date) -> bool:
    return bool(row.read_verdict) and row.read_since <= on < (row.read_until or date.max)


def of(targets: QuerySet, as_of: date | None, *fields: str) -> list[tuple[tuple, Verdict]]:
    """Each of ``targets`` as a row with ``pk`` and ``fields``, and the verdict on it; one query,
    and what ``of_rows`` asks."""
    asked = columns(as_of)
    rows = targets.order_by().annotate(**asked)
    rows = rows.values_list("pk", *fields, *asked, named=True)
    known = of_rows(rows, as_of)
    return [(row, known[row.pk]) for row in rows]


def worked_out(targets: list[int]) -> Iterator[tuple[Target, Holding]]:
    """Those of ``targets`` (by their keys) with what is concluded of them today, whatever is known
    already; three queries."""
    on = timezone.localdate()
    for target, say in _judged(targets, None):
        yield target, Holding(say(on), on, holds_until(say, on, target.due_day))


def _judged(
    targets: list[int], as_of: date | None
) -> Iterator[tuple[Target, Callable[[date], Verdict]]]:
    """Each of ``targets`` (by their keys) with what says its verdict on any day."""
    rows = Target.objects.filter(pk__in=targets).with_value_before(as_of)
    rows = rows.annotate(**threshold_columns(JUDGING))
    rows = list(rows.select_related("indicator").prefetch_related("plan").only(*OF_TARGET))
    if not rows:
        return
    newest = Observation.objects.latest_of_each(as_of)
    newest = newest.filter(indicator__in={row.indicator_id for row in rows})
    known = {value.indicator: value for value in starmap(_Newest, newest.values_list(*OF_VALUE))}
    # All are judged by the same.
    tolerance = Thresholds.beside(rows[0]).tolerance_points
    for target in rows:
        value = known.get(target.indicator_id)
        target.indicator.loaded_latest = [value] if value else []
        yield target, judge(target.indicator, target, tolerance)
