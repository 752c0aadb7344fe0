"""All figures of one category beside each other, each quantity in one unit."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import groupby

from django.db.models import Q
from django.http import Http404
from django.shortcuts import render

from measures.numerals import plain
from metrics.models import Indicator, Unit
from metrics.rules.choices import Category

from . import check_marks
from .charts import comparison, files
from .charts.comparison import Bar, Group, groups
from .charts.data import comparison_file
from .charts.figure import Figure, comparison_figure
from .charts.frame import Heading
from .data_file import day_of_state
from .numbered import in_parts

#: A rank says nothing beside the rank in another list, nor a share beside one of another whole.
NOT_DRAWN = frozenset({"percentage", "rank"})
#: Bars of a chart that a reader can still tell from each other.
MOST_DRAWN = 100


@dataclass
class Comparison:
    """The figures of one quantity, the largest first, in ``unit``; those without value last.

    ``figure`` is None where there is nothing to compare, or too much for one chart. ``count`` is
    that of all bars, also where a numbered page shows some of them.
    """

    unit: Unit
    bars: list[Bar]
    missing: list[Indicator]
    count: int
    figure: Figure | None = None

    @property
    def quantity(self) -> str:
        return self.unit.quantity

    @property
    def indicators(self) -> list[Indicator]:
        return [*(bar.indicator for bar in self.bars), *self.missing]

    @property
    def is_drawn(self) -> bool:
        """Whether its figures can be compared in one unit."""
        return self.count > 1 and self.quantity not in NOT_DRAWN

    @property
    def has_chart(self) -> bool:
        return self.is_drawn and self.count <= MOST_DRAWN

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


def compared(category: str, as_of: date | None) -> list[Comparison]:
    """The public figures of ``category`` by quantity, the quantity of most figures first.

    The unit of a quantity is the largest one in which any of its figures is reported.
    """
    chosen = Q(category=category)
    if category == Category.FUNDS:
        # Money is money also where it stands under another heading, such as projects.
        chosen |= Q(unit__quantity="money")
    indicators = Indicator.objects.published(as_of).filter(chosen)
    indicators = indicators.with_place().with_latest_value(as_of)
    by_quantity = sorted(indicators, key=lambda row: row.unit.quantity)
    comparisons = [
        _comparison(list(rows))
        for _quantity, rows in groupby(by_quantity, key=lambda row: row.unit.quantity)
    ]
    comparisons.sort(key=lambda one: (-len(one.bars), one.quantity))
    return comparisons


def _comparison(rows: list[Indicator]) -> Comparison:
    unit = max((row.unit for row in rows), key=lambda unit: unit.factor)
    bars = [
        Bar(row, row.latest.value * row.unit.factor / Decimal(unit.factor), row.latest)
        for row in rows
        if row.latest
    ]
    # A rank of 1 is the best, so it stands first.
    bars.sort(key=lambda bar: bar.value, reverse=unit.quantity != "rank")
    return Comparison(unit, bars, [row for row in rows if row.latest is None], len(bars))


def page(request, category):
    """The figures of ``category`` with a chart for every quantity that can be compared."""
    label = _label(category)
    comparisons = compared(category, request.as_of)
    rows = [row for one in comparisons for row in one.indicators]
    keys = [[row.pk for row in one.indicators] for one in comparisons]
    shown, _parts, on_page = in_parts(request, keys)
    check_marks.of_shown(request, on_page)
    for one in comparisons:
        if one.has_chart and one.bars[0].indicator.pk in on_page:
            one.figure = _figure(request, category, one)
    if shown.paginator.num_pages > 1:
        comparisons = _narrowed(comparisons, frozenset(on_page))
    context = {
        "category": category,
        "label": label,
        "categories": Category.choices,
        "comparisons": comparisons,
        "table": shown,
        "several": len({row.measure.theme.section.opinion_id for row in rows}) > 1,
    }
    return render(request, "public/compare.html", context)


def _narrowed(comparisons: list[Comparison], keys: frozenset[int]) -> list[Comparison]:
    """Those with indicators of these keys, and of each no others."""
    found = [
        replace(
            one,
            bars=[bar for bar in one.bars if bar.indicator.pk in keys],
            missing=[row for row in one.missing if row.pk in keys],
        )
        for one in comparisons
    ]
    return [one for one in found if one.indicators]


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
    for one in compared(category, request.as_of):
        if one.quantity == quantity and one.has_chart:
            return one
    raise Http404


def _figure(request, category: str, one: Comparison) -> Figure:
    return comparison_figure(
        request,
        category,
        _label(category),
        one.quantity,
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
