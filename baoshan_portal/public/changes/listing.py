"""The publications of some days in the order of the report, counted first and read page by page.

The database counts by measure; where these stand is read once, in a few columns.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from operator import itemgetter
from typing import NamedTuple

from django.db.models import Case, Count, F, Q, Sum, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from metrics.models import Observation
from metrics.moments import of_first_moment

from .places import Counted, Places
from .publications import CARRIERS, indicators_with_values, is_begun, public_since, publications
from .refs import BY_MOMENT, MODELS, PREFIX, Ref

#: What a measure's own publications are sorted by: they stand before those of its indicators.
OF_MEASURE = -1


class Group(NamedTuple):
    """Publications that stand together: of a measure, or the first values of a theme."""

    theme: int
    measure: int | None
    count: int


@dataclass(frozen=True)
class Day:
    """First values of a theme that became public on a day: those of a page, of ``count``."""

    day: date
    count: int
    refs: list[Ref]


class Listing:
    """What became public from ``since`` to before ``until``, both midnights."""

    def __init__(self, since: datetime, until: datetime, places: Places):
        # One moment for all queries: what is published meanwhile has no place yet.
        self.since, self.until = since, min(until, timezone.now())
        self._places, self.measures = places, places.measures
        self._news: Counter = Counter()
        self._firsts: Counter = Counter()
        self._count()

    def _count(self) -> None:
        """One query."""
        parts = [
            publications(model, self.since, self.until)
            .order_by()
            .values(place=F(CARRIERS[model][-1]))
            .annotate(n=Count("pk"), firsts=Value(0))
            for model in CARRIERS
            if model is not Observation
        ]
        values = indicators_with_values(self.since, self.until)
        begun = Case(When(is_begun(self.since), then=of_first_moment()), default=0)
        values = values.values(place=F("measure")).annotate(
            n=Coalesce(Sum("recent"), 0), firsts=Coalesce(Sum(begun), 0)
        )
        for row in values.union(*parts, all=True):
            # What became public with a measure of today has no place yet.
            if place := self.measures.get(row["place"]):
                self._news[row["place"]] += row["n"] - row["firsts"]
                self._firsts[place.theme] += row["firsts"]

    @cached_property
    def groups(self) -> list[Group]:
        """All that have a publication, in the order of the report; first values end a theme."""
        found: list[Group] = []
        in_order = self._places.in_order()
        for n, measure in enumerate(in_order):
            place = self.measures[measure]
            if self._news[measure]:
                found.append(Group(place.theme, measure, self._news[measure]))
            following = self.measures[in_order[n + 1]] if n + 1 < len(in_order) else None
            is_last = following is None or following.theme != place.theme
            if is_last and self._firsts[place.theme]:
                found.append(Group(place.theme, None, self._firsts[place.theme]))
        return found

    @property
    def total(self) -> int:
        return sum(group.count for group in self.groups)

    @property
    def first_values(self) -> int:
        return sum(self._firsts.values())

    @cached_property
    def by_section(self) -> Counter:
        """How many publications each section has, by its key."""
        of_theme = {place.theme: place.section for place in self.measures.values()}
        found: Counter = Counter()
        for group in self.groups:
            found[of_theme[group.theme]] += group.count
        return found

    def begins(self, themes: set[int]) -> int:
        """How many publications stand before the first of these themes, given by their keys; 0 if
        they have none."""
        before = 0
        for group in self.groups:
            if group.theme in themes:
                return before
            before += group.count
        return 0

    def part(self, start: int, stop: int) -> Iterator[tuple[int, list[Ref] | list[Day]]]:
        """The publications from one place of the list to another, by theme: what is new, and the
        first values by day; a theme may come twice. Three queries."""
        shown, begin = [], 0
        for group in self.groups:
            if begin < stop and start < begin + group.count:
                shown.append((group, max(0, start - begin), stop - begin))
            begin += group.count
        news = [group.measure for group, _low, _high in shown if group.measure]
        themes = {group.theme for group, _low, _high in shown if not group.measure}
        begun = [pk for pk, place in self.measures.items() if place.theme in themes]
        indicators = self._places.indicators(Q(measure__in={*news, *begun}))
        of_measure: dict[int, list[Ref]] = defaultdict(list)
        for measure, ref in self._refs(news, indicators, firsts=False):
            of_measure[measure].append(ref)
        firsts: dict[int, dict[date, list[Ref]]] = defaultdict(lambda: defaultdict(list))
        for measure, ref in self._refs(begun, indicators, firsts=True):
            firsts[self.measures[measure].theme][timezone.localdate(ref.at)].append(ref)
        for group, low, high in shown:
            if group.measure:
                yield group.theme, of_measure[group.measure][low:high]
            else:
                yield group.theme, list(_cut(firsts[group.theme], low, high))

    def _refs(
        self, measures: list[int], indicators: dict[int, Counted], *, firsts: bool
    ) -> list[tuple[int, Ref]]:
        """The publications of measures, the first values or all others, in their order, each with
        the key of its measure."""
        if not measures:
            return []
        parts = []
        for model in [Observation] if firsts else CARRIERS:
            rows = publications(model, self.since, self.until).order_by()
            rows = rows.filter(**{f"{CARRIERS[model][-1]}__in": measures})
            if firsts:
                first = F("indicator__summary__first")
                rows = rows.filter(Q(published_at=first) | Q(indicator__summary__isnull=True))
            rows = rows.annotate(kind=Value(PREFIX[model]), carrier=F(CARRIERS[model][0]))
            parts.append(rows.values_list("kind", "pk", "code", "published_at", "carrier"))
        found = []
        for kind, pk, code, moment, carrier in parts[0].union(*parts[1:], all=True):
            model = MODELS[kind]
            of_indicator = "indicator" in CARRIERS[model]
            counted = indicators.get(carrier) if of_indicator else None
            if of_indicator and counted is None:
                continue
            if model is Observation and firsts != (moment <= counted.first):
                continue
            measure = counted.measure if counted else carrier
            days = [self.measures[measure].since]
            if counted:
                days.append(counted.since)
            ref = Ref(public_since(moment, days), f"{kind}:{code}", model, pk)
            order = counted.order if counted else OF_MEASURE
            found.append(((*self.measures[measure].key, order), measure, ref))
        found.sort(key=lambda item: BY_MOMENT(item[2]), reverse=True)
        found.sort(key=itemgetter(0))
        return [(measure, ref) for _key, measure, ref in found]


def _cut(days: dict[date, list[Ref]], low: int, high: int) -> Iterator[Day]:
    """The publications from one place to another of ``days``, the last day first."""
    begin = 0
    for day, refs in sorted(days.items(), reverse=True):
        shown = refs[max(0, low - begin) : max(0, high - begin)]
        if shown:
            yield Day(day, len(refs), shown)
        begin += len(refs)
