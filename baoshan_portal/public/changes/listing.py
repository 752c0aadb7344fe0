"""The publications of some days in the order of the report, counted first and read page by page.

The database counts by indicator and by measure; where these stand is read once, in a few columns.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from operator import itemgetter
from typing import NamedTuple

from django.db.models import Count, F, Min, Q, Value
from django.utils import timezone

from metrics.models import Observation

from .places import Places
from .publications import CARRIERS, public_since, publications
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
        self._first_day = timezone.localdate(since)
        self.measures, self.indicators = places.measures, places.indicators
        self._news: Counter = Counter()
        self._firsts: Counter = Counter()
        #: When the first value of an indicator was public, by its key.
        self.first_moments: dict[int, datetime] = {}
        self._count()

    def _count(self) -> None:
        parts = [
            model.objects.published_before(self.until)
            .order_by()
            .values(kind=Value(PREFIX[model]), carrier=F(CARRIERS[model][0]))
            .annotate(
                total=Count("pk"),
                recent=Count("pk", filter=Q(published_at__gte=self.since)),
                first=Min("published_at"),
            )
            for model in CARRIERS
        ]
        for row in parts[0].union(*parts[1:], all=True):
            self._add(MODELS[row["kind"]], row["carrier"], row)
        self._count_firsts()

    def _add(self, model, key: int, row: dict) -> None:
        of_indicator = "indicator" in CARRIERS[model]
        known = (self.indicators if of_indicator else self.measures).get(key)
        if known is None:
            return
        measure = known.measure if of_indicator else key
        count = row["total"] if self._is_new(measure, known.since) else row["recent"]
        if count:
            self._news[measure] += count
            if model is Observation:
                self.first_moments[key] = row["first"]

    def _is_new(self, measure: int, since: date) -> bool:
        """Whether what is published on that day or with that measure became public in these days,
        whenever it was published itself."""
        return max(since, self.measures[measure].since) >= self._first_day

    def _count_firsts(self) -> None:
        together = {
            (row["indicator"], row["published_at"]): row["n"]
            for row in Observation.objects.published_before(self.until)
            .order_by()
            .values("indicator", "published_at")
            .annotate(n=Count("pk"))
            .filter(n__gt=1)
        }
        for key, moment in self.first_moments.items():
            measure = self.indicators[key].measure
            if moment >= self.since or self._is_new(measure, self.indicators[key].since):
                count = together.get((key, moment), 1)
                self._news[measure] -= count
                self._firsts[self.measures[measure].theme] += count

    @cached_property
    def groups(self) -> list[Group]:
        """All that have a publication, in the order of the report; first values end a theme."""
        found: list[Group] = []
        in_order = sorted(self.measures.items(), key=lambda item: item[1].key)
        for n, (measure, place) in enumerate(in_order):
            if self._news[measure]:
                found.append(Group(place.theme, measure, self._news[measure]))
            is_last = n + 1 == len(in_order) or in_order[n + 1][1].theme != place.theme
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
        first values by day; a theme may come twice. Two queries."""
        shown, begin = [], 0
        for group in self.groups:
            if begin < stop and start < begin + group.count:
                shown.append((group, max(0, start - begin), stop - begin))
            begin += group.count
        news = [group.measure for group, _low, _high in shown if group.measure]
        themes = {group.theme for group, _low, _high in shown if not group.measure}
        begun = [pk for pk, place in self.measures.items() if place.theme in themes]
        of_measure: dict[int, list[Ref]] = defaultdict(list)
        for measure, ref in self._refs(news, firsts=False):
            of_measure[measure].append(ref)
        firsts: dict[int, dict[date, list[Ref]]] = defaultdict(lambda: defaultdict(list))
        for measure, ref in self._refs(begun, firsts=True):
            firsts[self.measures[measure].theme][timezone.localdate(ref.at)].append(ref)
        for group, low, high in shown:
            if group.measure:
                yield group.theme, of_measure[group.measure][low:high]
            else:
                yield group.theme, list(_cut(firsts[group.theme], low, high))

    def _refs(self, measures: list[int], *, firsts: bool) -> list[tuple[int, Ref]]:
        """The publications of measures, the first values or all others, in their order, each with
        the key of its measure."""
        if not measures:
            return []
        parts = []
        for model in [Observation] if firsts else CARRIERS:
            rows = publications(model, self.since, self.until).order_by()
            rows = rows.filter(**{f"{CARRIERS[model][-1]}__in": measures})
            rows = rows.annotate(kind=Value(PREFIX[model]), carrier=F(CARRIERS[model][0]))
            parts.append(rows.values_list("kind", "pk", "code", "published_at", "carrier"))
        found = []
        for kind, pk, code, moment, carrier in parts[0].union(*parts[1:], all=True):
            model = MODELS[kind]
            if model is Observation and firsts != (moment <= self.first_moments[carrier]):
                continue
            measure, order, days = self._place(model, carrier)
            ref = Ref(public_since(moment, days), f"{kind}:{code}", model, pk)
            found.append(((*self.measures[measure].key, order), measure, ref))
        found.sort(key=lambda item: BY_MOMENT(item[2]), reverse=True)
        found.sort(key=itemgetter(0))
        return [(measure, ref) for _key, measure, ref in found]

    def _place(self, model, carrier: int) -> tuple[int, int, list[date]]:
        """Measure, order in it, and the days since when what carries the row is public."""
        if "indicator" not in CARRIERS[model]:
            return carrier, OF_MEASURE, [self.measures[carrier].since]
        counted = self.indicators[carrier]
        days = [self.measures[counted.measure].since, counted.since]
        return counted.measure, counted.order, days


def _cut(days: dict[date, list[Ref]], low: int, high: int) -> Iterator[Day]:
    """The publications from one place to another of ``days``, the last day first."""
    begin = 0
    for day, refs in sorted(days.items(), reverse=True):
        shown = refs[max(0, low - begin) : max(0, high - begin)]
        if shown:
            yield Day(day, len(refs), shown)
        begin += len(refs)
