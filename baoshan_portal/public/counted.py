"""What is counted of platforms or enterprises, by level, with what is new and what there is apart.

A stock, what was added in a period and a running total are three columns, because none of them
can be worked out from the others, and nothing is added up over levels: a carrier of national
level is one of municipal level as well.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from django.http import Http404
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from measures.numerals import plain
from measures.spreadsheets import Column
from measures.spreadsheets import Kind as Cell
from metrics.history import newest_period
from metrics.models import Indicator
from metrics.rules.choices import MONEY, Category, Kind, Level
from metrics.rules.periods import period_text
from metrics.wording import as_written_text

from . import check_marks
from .data_file import day_of_state
from .lists.page import file_format_of
from .numbered import Numbered, Part, in_parts
from .taken_away import list_cover, taken_table

#: The categories whose figures are told apart by level.
CATEGORIES = (Category.ENTERPRISES, Category.PLATFORMS)
NOW, NEW, TOTAL, RATE = "now", "new", "total", "rate"
COLUMN_OF = {
    Kind.STOCK: NOW,
    Kind.CAPACITY: NOW,
    Kind.FLOW: NEW,
    Kind.CUMULATIVE: TOTAL,
    Kind.SHARE: RATE,
    Kind.GROWTH: RATE,
    Kind.RANK: RATE,
}
COLUMN_NAMES = {
    NOW: pgettext_lazy("a count", "There are (on a day)"),
    NEW: pgettext_lazy("a count", "New (in a period)"),
    TOTAL: pgettext_lazy("a count", "Total since (cumulative)"),
    RATE: pgettext_lazy("a count", "Share, growth or rank"),
}
UNKNOWN = pgettext_lazy("level", "level not stated")


@dataclass(frozen=True)
class LevelGroup:
    """The public indicators of one level; "" is not stated."""

    level: str
    label: str
    indicators: list[Indicator]
    part: Part | None = None

    @property
    def rows(self) -> list[tuple[Indicator, str]]:
        """Each with the name of the column in which its value stands."""
        return [(row, COLUMN_OF[row.kind]) for row in self.indicators]


LEVELS = (*Level.choices, ("", UNKNOWN))


def _counted(category: str, as_of: date | None):
    indicators = Indicator.objects.published(as_of).filter(category=category)
    return indicators.exclude(unit__quantity=MONEY)


def by_level(
    category: str, as_of: date | None, only: Iterable[int] | None = None
) -> list[LevelGroup]:
    """The public indicators of ``category``, but not money; national first, not stated last.

    With ``only`` those of these keys.
    """
    indicators = _counted(category, as_of)
    if only is not None:
        indicators = indicators.filter(pk__in=only)
    rows = list(indicators.with_place().with_latest_value(as_of))
    found = [
        LevelGroup(level, label, [row for row in rows if row.level == level])
        for level, label in LEVELS
    ]
    return [group for group in found if group.indicators or group.level]


def _of_page(request, category: str) -> tuple[Numbered, list[LevelGroup]]:
    """The numbered page, and the groups with the indicators that stand on it."""
    keys: dict[str, list[int]] = {level: [] for level, _label in LEVELS}
    for pk, level in _counted(category, request.as_of).with_place().values_list("pk", "level"):
        if level in keys:
            keys[level].append(pk)
    shown, parts, only = in_parts(request, list(keys.values()))
    found = by_level(category, request.as_of, only if shown.paginator.num_pages > 1 else None)
    of_level = dict(zip(keys, parts, strict=True))
    return shown, [replace(group, part=of_level[group.level]) for group in found]


def page(request, category):
    """What is counted of ``category`` by level; ``?format=csv`` or ``xlsx`` as a file."""
    if category not in CATEGORIES:
        raise Http404
    if file_format := file_format_of(request):
        label = Category(category).label
        cover = list_cover(request, _("What is counted: %(label)s") % {"label": label}, [])
        day = day_of_state(request.as_of)
        found = by_level(category, request.as_of)
        return taken_table(file_format, category, day, cover, COLUMNS, _lines(found))
    shown, found = _of_page(request, category)
    rows = [row for group in found for row in group.indicators]
    check_marks.of_shown(request, [row.pk for row in rows])
    context = {
        "table": shown,
        "category": category,
        "label": Category(category).label,
        "categories": [(one, one.label) for one in CATEGORIES],
        "groups": found,
        "columns": list(COLUMN_NAMES.items()),
        "cautions": [row for row in rows if row.caution],
        "newest_period": newest_period(rows),
    }
    return render(request, "public/counted.html", context)


COLUMNS = (
    Column(gettext_lazy("Level"), 12),
    Column(gettext_lazy("Code"), 30),
    Column(gettext_lazy("Indicator"), 40),
    *(Column(name, 14, Cell.NUMBER) for name in COLUMN_NAMES.values()),
    Column(gettext_lazy("Unit"), 10),
    Column(gettext_lazy("As written"), 16),
    Column(gettext_lazy("Period"), 24),
    Column(gettext_lazy("Kind"), 10),
    Column(gettext_lazy("What it counts"), 40),
    Column(gettext_lazy("Do not add to"), 40),
    Column(gettext_lazy("Source"), 24),
)


def _lines(found: Iterable[LevelGroup]):
    for group in found:
        for row, column in group.rows:
            latest = row.latest
            value = Decimal(plain(latest.value)) if latest else None
            yield (
                group.label,
                row.code,
                str(row),
                *(value if name == column else None for name in COLUMN_NAMES),
                str(row.unit),
                as_written_text(latest) if latest else "",
                period_text(latest.period_start, latest.period_end) if latest else "",
                row.get_kind_display(),
                row.in_language("scope"),
                row.in_language("caution"),
                latest.source_text if latest else "",
            )
