"""The histories of many figures in light rows, as pages that show their courses read them, and
their targets."""

from collections.abc import Callable, Collection
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from django.db.models import QuerySet

from measures.attached import attach
from measures.prepared import prepared

from .models import NEWEST_FIRST, Indicator, Observation, Target
from .rules.choices import Certainty


class CourseValue(NamedTuple):
    """A public value and its source, under the names that an ``Observation`` has for them: a row of
    the table would bring twenty columns besides."""

    pk: int
    value: Decimal
    qualifier: str
    as_written: str
    certainty: str
    period_start: date | None
    period_end: date
    period_inferred: bool
    document: str
    locator: str

    is_reported = Observation.is_reported
    period = Observation.period

    @property
    def source_text(self) -> str:
        # A place is named in a report alone, and always there.
        return f"{self.document} {self.locator}" if self.locator else self.document

    def get_certainty_display(self) -> str:
        return Certainty(self.certainty).label


#: From a row of the table, in the order of ``CourseValue``.
_COLUMNS = (
    "pk", "value", "qualifier", "as_written", "certainty", "period_start", "period_end",
    "period_inferred",
)  # fmt: skip


def load_values(indicators: Collection[Indicator], as_of: date | None) -> None:
    """Gives each of ``indicators`` its ``public_values`` in light rows, newest first; a query."""
    _load(indicators, _values, as_of, "public_values")


def load_latest(indicators: Collection[Indicator], as_of: date | None) -> None:
    """Gives each of ``indicators`` its newest value in a light row, see ``latest``; a query."""
    _load(indicators, _latest, as_of, "loaded_latest")


def load_targets(
    indicators: Collection[Indicator], as_of: date | None, *, with_before: bool
) -> None:
    """Gives each of ``indicators`` its ``loaded_targets``, as ``with_targets`` does; a query."""
    keys = [row.pk for row in indicators]
    found = _targets(keys, with_before=with_before, as_of=as_of)
    attach(indicators, "loaded_targets", found, "indicator")


@prepared
def _targets(indicators, *, with_before, as_of):
    targets = Target.objects.to_judge(as_of, with_before=with_before)
    return targets.filter(indicator__in=indicators)


@prepared
def _values(indicators, *, as_of):
    values = Observation.objects.published(as_of).filter(indicator__in=indicators)
    return _in_columns(values.order_by("indicator_id", *NEWEST_FIRST))


@prepared
def _latest(indicators, *, as_of):
    values = Observation.objects.latest_of_each(as_of).filter(indicator__in=indicators)
    return _in_columns(values)


def _in_columns(values: QuerySet) -> QuerySet:
    return values.values_list("indicator_id", "report__number", "source_name", "locator", *_COLUMNS)


def _load(
    indicators: Collection[Indicator], read: Callable[..., list], as_of: date | None, name: str
) -> None:
    found = {row.pk: [] for row in indicators}
    for row in indicators:
        setattr(row, name, found[row.pk])
    for key, report, source, locator, *told in read(found, as_of=as_of):
        found[key].append(CourseValue(*told, report or source, locator))
