"""All figures of one category beside each other, each quantity in one unit."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby

from django.db.models import Q
from django.http import Http404
from django.shortcuts import render
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from measures.numerals import plain
from metrics.models import Indicator, Unit
from metrics.rules.choices import Category

from .charts import comparison, drawing, files
from .charts.comparison import SIGNS, Bar
from .charts.frame import Heading, inline
from .data_file import day_of_state

#: A rank says nothing beside the rank in another list, nor a share beside one of another whole.
NOT_DRAWN = frozenset({"percentage", "rank"})


@dataclass
class Comparison:
    """The figures of one quantity, the largest first, in ``unit``; those without value last.

    ``chart`` is None where there is nothing to compare.
    """

    unit: Unit
    bars: list[Bar]
    missing: list[Indicator]
    chart: SafeString | None = None

    @property
    def quantity(self) -> str:
        return self.unit.quantity

    @property
    def indicators(self) -> list[Indicator]:
        return [*(bar.indicator for bar in self.bars), *self.missing]

    @property
    def is_drawn(self) -> bool:
        return len(self.bars) > 1 and self.quantity not in NOT_DRAWN

    @property
    def in_powers_of_ten(self) -> bool:
        return self.is_drawn and comparison.in_powers_of_ten(self.bars)

    @property
    def rows(self) -> list[tuple[Bar, str]]:
        """Every figure with its value in the common unit, exact to the last digit."""
        return [(bar, plain(bar.value.normalize(), grouping=True)) for bar in self.bars]

    @property
    def signs(self) -> list[tuple[str, str]]:
        """The sign of every kind that is drawn, with the kind's name."""
        kinds = {bar.indicator.kind for bar in self.bars}
        return [(sign, kind.label) for kind, sign in SIGNS.items() if kind in kinds]

    @property
    def sources(self) -> list[str]:
        documents = (
            bar.latest.report.number if bar.latest.report else bar.latest.source_name
            for bar in self.bars
        )
        return list(dict.fromkeys(documents))

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
    indicators = Indicator.objects.published(as_of).filter(chosen).with_place().with_latest(as_of)
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
    return Comparison(unit, bars, [row for row in rows if row.latest is None])


def page(request, category):
    """The figures of ``category`` with a chart for every quantity that can be compared."""
    label = _label(category)
    comparisons = compared(category, request.as_of)
    rows = [row for one in comparisons for row in one.indicators]
    drawn = [one for one in comparisons if one.is_drawn]
    for one, svg in zip(drawn, drawing.svgs([one.spec() for one in drawn]), strict=True):
        one.chart = svg and inline(svg)
    context = {
        "category": category,
        "label": label,
        "categories": Category.choices,
        "comparisons": comparisons,
        "several": len({row.measure.theme.section.opinion_id for row in rows}) > 1,
        "draws_png": files.draws_png(),
    }
    return render(request, "public/compare.html", context)


def chart(request, category, quantity, file_format):
    """The chart of one quantity of ``category`` as a file."""
    label = _label(category)
    for one in compared(category, request.as_of):
        if one.quantity == quantity and one.is_drawn:
            title = _("%(category)s in %(unit)s") % {"category": label, "unit": one.unit}
            heading = files.heading_of(request, title, one.sources, one.newest_period)
            day = day_of_state(request.as_of)
            return files.answer(one.spec(heading), file_format, f"{category}-{quantity}", day)
    raise Http404


def _label(category: str) -> str:
    """The category's name in the reader's language; raises Http404 if there is none."""
    if category not in Category.values:
        raise Http404
    return Category(category).label
