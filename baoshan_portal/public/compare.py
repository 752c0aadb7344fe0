"""All figures of one category beside each other, each quantity in one unit."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby
from operator import itemgetter

from django.db.models import Q
from django.http import Http404
from django.shortcuts import render

from measures.numerals import plain
from metrics.models import Indicator, Unit
from metrics.rules.choices import MONEY, PERCENTAGE, RANK, Category
from metrics.rules.quantity import convert

from . import check_marks
from .charts import comparison, files
from .charts.comparison import Bar, Group, groups
from .charts.data import comparison_file
from .charts.figure import Figure, comparison_figure
from .charts.frame import Heading
from .data_file import day_of_state
from .numbered import in_parts

#: A rank says nothing beside the rank in another list, nor a share beside one of another whole.
NOT_DRAWN = frozenset({PERCENTAGE, RANK})
#: Bars of a chart that a reader can still tell from each other.
MOST_DRAWN = 100


@dataclass(frozen=True)
class Ordered:
    """The figures of one quantity by their keys: ``told`` have a value, the largest first,
    ``missing`` have none. ``unit`` is the key of the largest in which any of them is counted."""

    quantity: str
    unit: int
    told: list[int]
    missing: list[int]
    opinions: frozenset[int]

    @property
    def keys(self) -> list[int]:
        return self.told + self.missing

    @property
    def is_drawn(self) -> bool:
        """Whether its figures can be compared in one unit."""
        return len(self.told) > 1 and self.quantity not in NOT_DRAWN

    @property
    def has_chart(self) -> bool:
        return self.is_drawn and len(self.told) <= MOST_DRAWN


@dataclass
class Comparison:
    """Those of the figures of one quantity that are shown, in ``unit``.

    ``figure`` is None where there is nothing to compare, too much for one chart, or it stands on
    another numbered page.
    """

    order: Ordered
    unit: Unit
    bars: list[Bar]
    missing: list[Indicator]
    figure: Figure | None = None

    @property
    def groups(self) -> list[Group]:
        """The bars in groups of like size."""
        return groups(self.bars)

    @property
    def rows(self) -> list[tuple[Bar, str]]:
        """Every figure with its value in the common unit, exact to the last digit."""
        return [(bar, plain(bar.value.normalize(), grouping=True)) for bar in self.bars]

    @property
    def sources(self) -> list[str]:
        return list(dict.fromkeys(bar.latest.document for bar in self.bars))

    @property
    def newest_period(self) -> date:
        return max(bar.latest.period_end for bar in self.bars)

    def spec(self, heading: Heading | None = None) -> dict:
        return comparison.spec(self.bars, self.unit.in_language("name"), heading)

    def among(self, keys: Collection[int]) -> "Comparison":
        """Of its figures those with ``keys`` alone."""
        bars = [bar for bar in self.bars if bar.indicator.pk in keys]
        return replace(self, bars=bars, missing=[row for row in self.missing if row.pk in keys])


def ordered(category: str, as_of: date | None) -> list[Ordered]:
    """The public figures of ``category`` by quantity, the quantity of most figures first; one
    query."""
    chosen = Q(category=category)
    if category == Category.FUNDS:
        # Money is money also where it stands under another heading, such as projects.
        chosen |= Q(unit__quantity=MONEY)
    rows = Indicator.objects.published(as_of).filter(chosen).with_latest_base_value(as_of)
    rows = rows.values_list(
        "unit__quantity", "pk", "unit", "unit__factor", "latest_base_value",
        "measure__theme__section__opinion",
    )  # fmt: skip
    by_quantity = groupby(sorted(rows, key=itemgetter(0)), key=itemgetter(0))
    parts = [_ordered(quantity, [row[1:] for row in rows]) for quantity, rows in by_quantity]
    return sorted(parts, key=lambda part: (-len(part.told), part.quantity))


def _ordered(quantity: str, rows: list[tuple]) -> Ordered:
    keys, units, factors, values, opinions = zip(*rows, strict=True)
    told = [(value, key) for value, key in zip(values, keys, strict=True) if value is not None]
    # A rank of 1 is the best, so it stands first.
    told.sort(key=itemgetter(0), reverse=quantity != RANK)
    return Ordered(
        quantity,
        unit=units[factors.index(max(factors))],
        told=[key for _value, key in told],
        missing=[key for value, key in zip(values, keys, strict=True) if value is None],
        opinions=frozenset(opinions),
    )


def loaded(parts: Iterable[Ordered], as_of: date | None, keys: Collection[int]) -> list[Comparison]:
    """``parts`` with their figures among ``keys``, where there are any; a query for figures with
    their places, one for values, and one for units."""
    rows = Indicator.objects.published(as_of).filter(pk__in=keys)
    rows = {row.pk: row for row in rows.with_place().with_latest_value(as_of)}
    units = Unit.objects.in_bulk({part.unit for part in parts})
    found = []
    for part in parts:
        unit = units[part.unit]
        # What was withdrawn meanwhile is not there.
        told, missing = (
            [rows[key] for key in of_part if key in rows] for of_part in (part.told, part.missing)
        )
        if told or missing:
            bars = [_bar(row, unit) for row in told if row.latest]
            found.append(Comparison(part, unit, bars, missing))
    return found


def _bar(row: Indicator, unit: Unit) -> Bar:
    value = row.latest.value
    factors = {"factor_from": row.unit.factor, "factor_to": unit.factor}
    return Bar(row, convert(value, **factors), row.latest)


def page(request, category):
    """The figures of ``category`` with a chart for every quantity that can be compared."""
    label = _label(category)
    parts = ordered(category, request.as_of)
    shown, _parts, on_page = in_parts(request, [part.keys for part in parts])
    check_marks.of_shown(request, on_page)
    # A chart stands on the page of its first bar, and shows those of later pages too.
    drawn = [part for part in parts if part.has_chart and part.told[0] in on_page]
    comparisons = loaded(parts, request.as_of, {*on_page}.union(*(part.told for part in drawn)))
    for one in comparisons:
        if one.order in drawn:
            one.figure = _figure(request, category, one)
    if shown.paginator.num_pages > 1:
        comparisons = [one.among(frozenset(on_page)) for one in comparisons]
    context = {
        "category": category,
        "label": label,
        "categories": Category.choices,
        "comparisons": comparisons,
        "table": shown,
        "several": len(frozenset().union(*(part.opinions for part in parts))) > 1,
    }
    return render(request, "public/compare.html", context)


def figure_of(request, category: str, quantity: str) -> Figure:
    """The chart of one quantity of ``category``; raises Http404 if there is none."""
    return _figure(request, category, _drawn(request, category, quantity))


def chart(request, category, quantity, file_format):
    """The chart of one quantity of ``category`` as a file, or its data."""
    one = _drawn(request, category, quantity)
    name = f"{category}-{quantity}"
    if file_format == "csv":
        return comparison_file(f"{name}.csv", one.unit, one.groups, request.as_of)
    heading = _figure(request, category, one).caption.heading
    return files.answer(one.spec(heading), file_format, name, day_of_state(request.as_of))


def _drawn(request, category: str, quantity: str) -> Comparison:
    _label(category)
    for part in ordered(category, request.as_of):
        if part.quantity == quantity and part.has_chart:
            (one,) = loaded([part], request.as_of, part.keys)
            return one
    raise Http404


def _figure(request, category: str, one: Comparison) -> Figure:
    return comparison_figure(
        request,
        category,
        _label(category),
        one.order.quantity,
        str(one.unit),
        one.groups,
        sources=one.sources,
        newest=one.newest_period,
    )


def _label(category: str) -> str:
    """The category's name in the reader's language; raises Http404 if there is none."""
    if category not in Category.values:
        raise Http404
    return Category(category).label
