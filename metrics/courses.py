"""The histories of many figures in light rows, as pages that show their courses read them."""

from collections.abc import Collection
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from django.db.models import QuerySet

from .models import NEWEST_FIRST, Indicator, Observation
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
    values = Observation.objects.published(as_of).order_by("indicator_id", *NEWEST_FIRST)
    _load(indicators, values, "public_values")


def load_latest(indicators: Collection[Indicator], as_of: date | None) -> None:
    """Gives each of ``indicators`` its newest value in a light row, see ``latest``; a query."""
    _load(indicators, Observation.objects.latest_of_each(as_of), "loaded_latest")


def _load(indicators: Collection[Indicator], values: QuerySet, name: str) -> None:
    found = {row.pk: [] for row in indicators}
    for row in indicators:
        setattr(row, name, found[row.pk])
    rows = values.filter(indicator__in=found).values_list(
        "indicator_id", "report__number", "source_name", "locator", *_COLUMNS
    )
    for key, report, source, locator, *told in rows:
        found[key].append(CourseValue(*told, report or source, locator))
