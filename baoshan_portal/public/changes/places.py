"""Where everything public stands in the report, in a few columns."""

from datetime import date, datetime
from typing import NamedTuple

from django.db.models import Q
from django.utils import timezone

from measures.models import Measure
from metrics.models import Indicator
from metrics.moments import first_moment, last_before


class Place(NamedTuple):
    """Where a measure stands, see ``Measure.number_key``; and since when it is public."""

    key: tuple[int, int, int, int]
    section: int
    theme: int
    since: date
    code: str


class Counted(NamedTuple):
    """An indicator: its measure, its order there, and since when it is public; when its first value
    became so, and the last before ``until``, None if none did."""

    measure: int
    order: int
    since: date
    code: str
    first: datetime | None
    last: datetime | None


class Places:
    """Measures, by their keys, that had become public before ``until``, and their indicators."""

    def __init__(self, until: datetime):
        self._until = min(until, timezone.now())
        # Whoever came later has no publication before, so a day too many is no harm.
        self._last_day = timezone.localdate(self._until)
        rows = Measure.objects.filter(published_on__lte=self._last_day).order_by()
        columns = rows.values_list(
            "pk", "theme__section__opinion", "theme__section__order", "theme__order", "order",
            "theme__section", "theme", "published_on", "code",
        )  # fmt: skip
        self.measures = {pk: Place(tuple(row[:4]), *row[4:]) for pk, *row in columns}

    def indicators(self, which: Q) -> dict[int, Counted]:
        """Those that ``which`` chooses and that had become public, by their keys; one query."""
        rows = Indicator.objects.filter(which, published_on__lte=self._last_day).order_by()
        rows = rows.annotate(first=first_moment(), last=last_before(self._until))
        columns = rows.values_list(
            "pk", "measure", "order", "published_on", "code", "first", "last"
        )
        return {pk: Counted(*row) for pk, *row in columns if row[0] in self.measures}

    def in_order(self) -> list[int]:
        """The keys of the measures in the order of their numbers."""
        return sorted(self.measures, key=lambda measure: self.measures[measure].key)
