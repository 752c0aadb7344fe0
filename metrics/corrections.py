"""Corrections told by their size: what a value said when it was first public, and what it says now.

A value and its corrections are one chain, whatever else is published for the same period.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple, TypeVar

from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _

from measures.models import Department
from measures.numerals import rounded
from measures.submission import moment_of

from .last_change import difference_text, has_growth, signed
from .models import Indicator, Observation
from .rules.choices import Qualifier
from .rules.corrections import Revisions, Size, revisions, size


class _Version(NamedTuple):
    """A value that was ever public, in what a mean needs: there may be tens of thousands."""

    pk: int
    supersedes_id: int | None
    value: Decimal
    ended_at: datetime | None
    lead: int | None
    kind: str
    quantity: str


Row = TypeVar("Row", Observation, _Version)


@dataclass(frozen=True)
class Correction:
    """The first public version of a value and the latest; both need the indicator's unit."""

    first: Observation
    latest: Observation

    @property
    def size(self) -> Size:
        indicator = self.latest.indicator
        relative = has_growth(indicator.kind, indicator.unit.quantity)
        return size(self.first.value, self.latest.value, relative=relative)

    @property
    def text(self) -> str:
        """Such as +2家 (+40%); 0 where the value is the first one again."""
        found = self.size
        text = difference_text(found.difference, self.latest.indicator.unit)
        if found.percent:
            percent = f"{signed(rounded(found.percent))}%"
            text = _("%(difference)s (%(growth)s)") % {"difference": text, "growth": percent}
        exact = self.first.qualifier == self.latest.qualifier == Qualifier.EXACT
        return text if exact else _("about %(figure)s") % {"figure": text}


def first_of(row: Row, known: Mapping[int, Row]) -> Row:
    """The version of ``row`` that was public first, as far as ``known`` (by key) goes."""
    while row.supersedes_id in known:
        row = known[row.supersedes_id]
    return row


def corrections(versions: Sequence[Observation]) -> list[Correction]:
    """Of each value that stands and was corrected, in the order of ``versions``.

    ``versions`` are all that were ever public, see ``versions`` of the query.
    """
    known = {row.pk: row for row in versions}
    return [
        Correction(first_of(row, known), row)
        for row in versions
        if row.supersedes_id in known and not row.replaced_at
    ]


def revisions_by_department(
    as_of: date | None = None,
) -> list[tuple[Department | None, Revisions]]:
    """How values were corrected, by the lead of their measure (None: not known).

    In the order of the departments' codes, without those that have no public value. Three queries.
    """
    moment = moment_of(as_of) or timezone.now()
    public = Observation.objects.filter(indicator__in=Indicator.objects.published(as_of))
    lead = "indicator__measure__lead"
    counts = public.published(as_of).order_by().values_list(lead).annotate(n=Count("pk"))
    of = dict(counts.values_list(lead, "n"))
    later = Observation.objects.filter(supersedes__isnull=False).order_by()
    of_chains = later.values("pk").union(later.values("supersedes"))
    rows = public.published_before(moment).filter(pk__in=of_chains).order_by("pk")
    rows = rows.values_list(
        "pk", "supersedes", "value", "ended_at", lead, "indicator__kind",
        "indicator__unit__quantity",
    )  # fmt: skip
    known = {row[0]: _Version(*row) for row in rows}
    sizes = defaultdict(list)
    for row in known.values():
        stands = row.ended_at is None or row.ended_at >= moment
        if stands and row.supersedes_id in known:
            relative = has_growth(row.kind, row.quantity)
            found = size(first_of(row, known).value, row.value, relative=relative)
            sizes[row.lead].append(found)
    departments: Iterable[Department] = Department.objects.filter(pk__in=[k for k in of if k])
    found = [(row, revisions(sizes[row.pk], of[row.pk])) for row in departments]
    return [*found, (None, revisions(sizes[None], of[None]))] if None in of else found
