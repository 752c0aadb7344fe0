"""Where everything public stands in the report, in a few columns."""

from datetime import date, datetime
from typing import NamedTuple

from django.utils import timezone

from measures.models import Measure
from metrics.models import Indicator


class Place(NamedTuple):
    """Where a measure stands, see ``Measure.number_key``; and since when it is public."""

    key: tuple[int, int, int, int]
    section: int
    theme: int
    since: date
    code: str


class Counted(NamedTuple):
    """An indicator: its measure, its order there, and since when it is public."""

    measure: int
    order: int
    since: date
    code: str


class Places:
    """Measures and indicators that had become public before ``until``, by their keys."""

    def __init__(self, until: datetime):
        # Whoever came later has no publication before, so a day too many is no harm.
        last = timezone.localdate(min(until, timezone.now()))
        rows = Measure.objects.filter(published_on__lte=last).order_by()
        columns = rows.values_list(
            "pk", "theme__section__opinion", "theme__section__order", "theme__order", "order",
            "theme__section", "theme", "published_on", "code",
        )  # fmt: skip
        self.measures = {pk: Place(tuple(row[:4]), *row[4:]) for pk, *row in columns}
        rows = Indicator.objects.filter(published_on__lte=last).order_by()
        columns = rows.values_list("pk", "measure", "order", "published_on", "code")
        self.indicators = {pk: Counted(*row) for pk, *row in columns if row[0] in self.measures}

    def since(self, indicator: int) -> date:
        """Since when that indicator and its measure are public."""
        counted = self.indicators[indicator]
        return max(counted.since, self.measures[counted.measure].since)
