"""Two to six indicators that a reader chose, side by side; the address names them.

In one unit where they are of one quantity, or each as an index: 100 is its own value at the first
end of a period from which all of them have one. Nothing is added up or divided by another.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import groupby

from django.http import Http404
from django.shortcuts import render
from django.utils.functional import cached_property
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from measures.numerals import plain, rounded
from measures.spreadsheets import Column, Kind
from metrics.history import newest_period
from metrics.models import Indicator, Observation, Unit
from metrics.rules.choices import PERCENTAGE, RANK, Category
from metrics.rules.choices import Kind as Counted
from metrics.rules.periods import period_text
from metrics.rules.quantity import convert
from metrics.wording import as_written_text, observed_text

from .as_of import BadQuery
from .charts import comparison, drawing, files, side_by_side
from .charts.comparison import Bar
from .charts.frame import Heading, inline
from .charts.history import distinct, series
from .data_file import day_of_state
from .lists.filters import INDICATOR_NAMES, has_word, search_words
from .lists.page import file_format_of
from .prose import listed
from .searching import query_of
from .taken_away import list_cover, taken_table

FEWEST, MOST = 2, 6
#: Of more indicators than a reader looks through, those that a search finds are offered.
OFFERED = 400
#: What a percentage or a rank was at first is no measure of what it became.
NOT_INDEXED = frozenset({PERCENTAGE, RANK})
UNIT, INDEX = "unit", "index"


@dataclass
class Chosen:
    """One of the indicators with the values that stand on one line, oldest first.

    ``base`` is the value that counts as 100; None where there is none, and ``why_not`` says why.
    """

    indicator: Indicator
    place: int
    values: list[Observation] = field(default_factory=list)
    base: Observation | None = None
    why_not: str = ""

    @property
    def sign(self) -> str:
        return side_by_side.SIGNS[self.place]

    @property
    def latest(self) -> Observation | None:
        return self.indicator.latest

    def index(self, value: Observation) -> Decimal | None:
        """``value`` where the base is 100."""
        return value.value * 100 / self.base.value if self.base else None

    @property
    def latest_index(self) -> str:
        found = self.latest and self.index(self.latest)
        return "" if found is None else plain(rounded(found))

    def in_unit(self, value: Observation, unit: Unit) -> Decimal:
        own = self.indicator.unit
        return convert(value.value, factor_from=own.factor, factor_to=unit.factor)


@dataclass
class Choice:
    """What is compared, in one unit or as indices."""

    chosen: list[Chosen]
    mode: str

    @property
    def is_enough(self) -> bool:
        return len(self.chosen) >= FEWEST

    @cached_property
    def unit(self) -> Unit | None:
        """The largest unit of the indicators; None where they are of several quantities."""
        units = [row.indicator.unit for row in self.chosen]
        if len({unit.quantity for unit in units}) != 1:
            return None
        return max(units, key=lambda unit: unit.factor)

    @property
    def drawn(self) -> list[Chosen]:
        if self.mode == INDEX:
            return [row for row in self.chosen if row.base]
        if self.unit is None or self.unit.quantity == RANK:
            return []
        return [row for row in self.chosen if row.values]

    @property
    def has_lines(self) -> bool:
        return any(len(row.values) > 1 for row in self.drawn)

    @property
    def rows(self) -> list[tuple[Chosen, str]]:
        """Each with its newest value in the common unit, exact to the last digit."""
        return [
            (
                row,
                plain(row.in_unit(row.latest, self.unit).normalize(), grouping=True)
                if self.unit and row.latest
                else "",
            )
            for row in self.chosen
        ]

    @property
    def points(self) -> list[tuple[Chosen, Observation, str]]:
        """Every value that is compared, with its index."""
        found = []
        for row in self.chosen:
            for value in reversed(row.values):
                index = row.index(value)
                found.append((row, value, "" if index is None else plain(rounded(index))))
        return found

    @property
    def lengths_differ(self) -> bool:
        """Whether periods of unlike length stand beside each other."""
        days = [
            (value.period_end - value.period_start).days
            for row in self.chosen
            if row.indicator.kind in {Counted.FLOW, Counted.CUMULATIVE}
            for value in row.values[-1:]
            if value.period_start
        ]
        # Months and quarters differ by some days.
        return bool(days) and max(days) - min(days) > 4

    @property
    def kinds_differ(self) -> bool:
        return len({row.indicator.kind for row in self.chosen}) > 1

    @property
    def small_are_hidden(self) -> bool:
        """Whether one scale would show some of the lines as flat at zero."""
        if self.mode != UNIT or not self.unit:
            return False
        values = [abs(row.in_unit(row.values[-1], self.unit)) for row in self.drawn]
        return bool(values) and max(values) > 50 * min(values)

    @property
    def sources(self) -> list[str]:
        values = [value for row in self.chosen for value in row.values]
        return list(dict.fromkeys(value.document for value in values))

    @property
    def newest_period(self) -> date | None:
        return newest_period(row.indicator for row in self.chosen)

    @property
    def title(self) -> str:
        return listed(row.indicator for row in self.chosen)

    def spec(self, heading: Heading | None = None, *, narrow: bool = False) -> dict | None:
        """The chart, ``narrow`` for a phone; None where there is nothing to compare in one."""
        if len(self.drawn) < FEWEST:
            return None
        if not self.has_lines:
            bars = [
                Bar(row.indicator, row.in_unit(row.latest, self.unit), row.latest)
                for row in self.drawn
            ]
            return comparison.spec(bars, self.unit.in_language("name"), heading)
        title = _("index, base = 100") if self.mode == INDEX else self.unit.in_language("name")
        lines = [
            side_by_side.Line(
                str(row.indicator), row.place, [self._point(row, value) for value in row.values]
            )
            for row in self.drawn
        ]
        from_zero = self.mode == UNIT
        return side_by_side.spec(lines, title, from_zero=from_zero, narrow=narrow, heading=heading)

    def _point(self, row: Chosen, value: Observation) -> side_by_side.Point:
        text = observed_text(value, row.indicator.unit)
        number = row.index(value) if self.mode == INDEX else row.in_unit(value, self.unit)
        return side_by_side.Point(value.period_end, number, text, value.certainty == "actual")


def choice_of(request) -> Choice:
    """What the address asks for; raises BadQuery for what is not public, and for too many."""
    codes = list(dict.fromkeys(filter(None, request.GET.getlist("indicator"))))
    if len(codes) > MOST:
        raise BadQuery(_("At most %(most)d indicators stand side by side.") % {"most": MOST})
    mode = request.GET.get("as", "")
    if mode not in ("", UNIT, INDEX):
        raise BadQuery(_("“as” can only be “unit” or “index”."))
    as_of = request.as_of
    found = Indicator.objects.published(as_of).filter(code__in=codes)
    known = {row.code: row for row in found.with_place().with_public_values(as_of)} if codes else {}
    if any(code not in known for code in codes):
        raise BadQuery(_("One of the indicators in the address was not public on this day."))
    chosen = [
        Chosen(known[code], n, distinct(series(known[code], known[code].public_values)))
        for n, code in enumerate(codes)
    ]
    _find_bases(chosen)
    one_quantity = len({row.indicator.unit.quantity for row in chosen}) <= 1
    if mode != INDEX:
        mode = UNIT if one_quantity else INDEX
    return Choice(chosen, mode)


def _find_bases(chosen: Sequence[Chosen]) -> None:
    """Sets each ``base``: its first value at or after the day from which all have one."""
    able = []
    for row in chosen:
        if row.indicator.unit.quantity in NOT_INDEXED:
            row.why_not = _("a percentage or a rank makes no index")
        elif len(row.values) < 2:
            row.why_not = _("there are no two values to compare")
        else:
            able.append(row)
    begin = max((row.values[0].period_end for row in able), default=None)
    for row in able:
        base = next((value for value in row.values if value.period_end >= begin), None)
        if base is None or base == row.values[-1]:
            row.why_not = _("it has no two values from the day on from which all have one")
        elif base.value <= 0:
            row.why_not = _("its value at the beginning is not above zero")
        else:
            row.base = base


def page(request):
    """The chosen indicators side by side, and the way to choose more."""
    choice = choice_of(request)
    if (file_format := file_format_of(request)) and choice.is_enough:
        chosen = [(_("Indicator"), str(row.indicator)) for row in choice.chosen]
        cover = list_cover(request, _("Compare indicators"), chosen)
        day = day_of_state(request.as_of)
        return taken_table(file_format, "compare", day, cover, COLUMNS, _lines(choice))
    spec = choice.spec() if choice.is_enough else None
    narrow = choice.spec(narrow=True) if spec and choice.has_lines else None
    drawn = drawing.svgs([one for one in (spec, narrow) if one])
    svg, small = (*drawn, None, None)[:2]
    context = {
        "choice": choice,
        "has_chart": spec is not None,
        "chart": svg and inline(svg),
        "narrow": small and inline(small),
        "categories": Category.choices,
        "offered": offered(request, choice),
        "is_full": len(choice.chosen) >= MOST,
        "most": MOST,
        "removals": [(row, _query(choice, without=row)) for row in choice.chosen],
        "modes": [
            (UNIT, gettext_lazy("In one unit"), _query(choice, mode=UNIT)),
            (INDEX, gettext_lazy("Indexed to 100"), _query(choice, mode=INDEX)),
        ],
        "query": _query(choice),
        "draws_png": files.draws_png(),
        "newest_period": choice.newest_period,
    }
    if not choice.chosen:
        del context["newest_period"]
    return render(request, "public/choose.html", context)


def chart(request, file_format):
    """The chart of the chosen indicators as a picture that says what it is."""
    choice = choice_of(request)
    heading = files.heading_of(
        request, choice.title, choice.sources, choice.newest_period, _query(choice)
    )
    spec = choice.spec(heading)
    if spec is None or not choice.is_enough:
        raise Http404
    return files.answer(spec, file_format, "compare", day_of_state(request.as_of))


def _query(choice: Choice, *, without: Chosen | None = None, mode: str = "") -> str:
    kept = [("indicator", row.indicator.code) for row in choice.chosen if row is not without]
    return urlencode([*kept, ("as", mode or choice.mode)])


@dataclass(frozen=True)
class Offered:
    """The ``count`` indicators ``by_theme`` from which one can be added.

    ``is_part`` where there are more than a reader looks through; ``words`` is what was searched.
    """

    by_theme: list[tuple[str, list[Indicator]]]
    count: int
    words: str
    is_part: bool

    @property
    def asks(self) -> bool:
        """Whether the page has a search."""
        return self.is_part or bool(self.words)


def offered(request, choice: Choice) -> Offered:
    """The public indicators that are not chosen; those whose names have the words of ``q``."""
    rows = Indicator.objects.published(request.as_of).with_place()
    rows = rows.exclude(pk__in=[row.indicator.pk for row in choice.chosen])
    words = query_of(request)
    for word in search_words(words):
        rows = rows.filter(has_word(word, *INDICATOR_NAMES))
    found = list(rows[: OFFERED + 1])
    shown = found[:OFFERED]
    themes = groupby(shown, key=lambda row: row.measure.theme)
    by_theme = [(f"{theme.number} {theme}", list(group)) for theme, group in themes]
    return Offered(by_theme, len(shown), words, is_part=len(found) > OFFERED)


COLUMNS = (
    Column(gettext_lazy("Code"), 30),
    Column(gettext_lazy("Indicator"), 40),
    Column(gettext_lazy("Kind"), 10),
    Column(gettext_lazy("Period"), 24),
    Column(gettext_lazy("Value"), 14, Kind.NUMBER),
    Column(gettext_lazy("Unit"), 10),
    Column(gettext_lazy("Qualifier"), 10),
    Column(gettext_lazy("Value in the base unit"), 18, Kind.NUMBER),
    Column(gettext_lazy("Base unit"), 10),
    Column(gettext_lazy("Index (base = 100)"), 12, Kind.NUMBER),
    Column(gettext_lazy("As written"), 16),
    Column(gettext_lazy("Source"), 24),
)


def _lines(choice: Choice) -> Iterable[tuple]:
    for row in choice.chosen:
        unit = row.indicator.unit
        for value in row.values:
            index = row.index(value)
            yield (
                row.indicator.code,
                str(row.indicator),
                row.indicator.get_kind_display(),
                period_text(value.period_start, value.period_end),
                Decimal(plain(value.value)),
                str(unit),
                value.get_qualifier_display(),
                Decimal(plain(value.value * unit.factor)),
                str(unit.base_unit),
                None if index is None else rounded(index),
                as_written_text(value),
                value.source_text,
            )
