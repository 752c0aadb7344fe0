"""The scales of a history: where a day and a value stand, and what is written beside them.

Days follow the frequency of the values: years where they come once a year. Pure, in pixels.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.translation import gettext as _

from .frame import text_width

#: Pixels of the words along the axes.
SMALL = 12
#: Between two words of an axis at the least.
APART = 8
#: What the spans of a time axis may last, in months; from a year on, every so many years are named.
SPANS = (1, 3, 6, 12, 24, 60, 120, 240, 600)


@dataclass(frozen=True)
class Label:
    """Words of an axis around ``at``, in pixels, in its first or second ``row``."""

    at: float
    text: str
    row: int = 0


@dataclass(frozen=True)
class Days:
    """The days from ``first`` up to ``last`` along ``width`` pixels."""

    first: date
    last: date
    width: float
    #: How far words may stand out on the left and on the right.
    beyond: tuple[float, float] = (0, 0)

    def at(self, day: date) -> float:
        return (day - self.first).days / (self.last - self.first).days * self.width

    def axis(self, months: int | None, *, at_ends: str = "") -> tuple[list[float], list[Label]]:
        """Where its ticks stand, and its words.

        ``months`` is what the values last or how often they come; None if nothing is known of
        it. ``at_ends`` is what the last day of ``%(year)d`` is called, where all values stand on
        such days.
        """
        if at_ends:
            return self._ends_of_years(at_ends)
        finest = months or (12 if (self.last - self.first).days > 3 * 366 else 3)
        found = ([], [])
        # Quarters that do not fit become years at once: halves are nobody's period then.
        spans = [span for span in SPANS if span >= finest and (span != 6 or finest == 6)]
        for span in spans:
            found = self._spans(span)
            if not _crowded(found[1]):
                break
        return found

    def _label(self, at: float, text: str, row: int = 0) -> Label:
        half = _width(text) / 2
        low, high = half - self.beyond[0], self.width + self.beyond[1] - half
        return Label(max(low, min(at, high)), text, row)

    def _ends_of_years(self, name: str) -> tuple[list[float], list[Label]]:
        years = [
            year
            for year in range(self.first.year - 1, self.last.year + 1)
            if self.first <= date(year + 1, 1, 1) <= self.last
        ]
        ends = {year: self.at(date(year + 1, 1, 1)) for year in years}
        labels = []
        for every in (1, 2, 5, 10, 20, 50):
            # Counted back from the last, which matters most.
            named = [year for year in reversed(years) if not (years[-1] - year) % every]
            labels = [self._label(ends[year], name % {"year": year}) for year in named]
            if not _crowded(labels):
                break
        return [*ends.values()], labels

    def _spans(self, months: int) -> tuple[list[float], list[Label]]:
        ticks, labels, years = [], [], set()
        length = min(months, 12)
        number = (self.first.year * 12 + self.first.month - 1) // length * length
        while (start := _month(number)) < self.last:
            end = _month(number + length)
            if start >= self.first:
                ticks.append(self.at(start))
            seen = self.at(max(start, self.first)), self.at(min(end, self.last))
            middle, room = sum(seen) / 2, seen[1] - seen[0]
            whole = self.first <= start and end <= self.last
            if length == 12:
                text = _("%(year)d") % {"year": start.year}
                if not start.year % (months // 12) and (whole or room > _width(text)):
                    labels.append(self._label(middle, text))
            elif whole or room > _width(_part(start, months)):
                labels.append(self._label(middle, _part(start, months)))
                if start.year not in years:
                    labels.append(self._label(middle, _("%(year)d") % {"year": start.year}, row=1))
                    years.add(start.year)
            number += length
        if _month(number) == self.last:
            ticks.append(self.width)
        return ticks, labels


def _part(start: date, months: int) -> str:
    """What a month, a quarter or a half-year is called; its year stands below."""
    if months == 1:
        return _("month %(month)d") % {"month": start.month}
    if months == 3:
        return _("Q%(quarter)d") % {"quarter": start.month // 3 + 1}
    return _("first half") if start.month == 1 else _("second half")


def _month(number: int) -> date:
    return date(number // 12, number % 12 + 1, 1)


def _width(text: str) -> float:
    return text_width(text, SMALL)


def _crowded(labels: Sequence[Label]) -> bool:
    """Whether two words of a row would touch."""
    for row in (0, 1):
        placed = sorted((label for label in labels if label.row == row), key=lambda one: one.at)
        for one, next_ in zip(placed, placed[1:], strict=False):
            if next_.at - one.at < (_width(one.text) + _width(next_.text)) / 2 + APART:
                return True
    return False


@dataclass(frozen=True)
class Values:
    """The values from ``low`` to ``high`` along ``height`` pixels; the greatest stands on top,
    and ``reverse`` the smallest, as of ranks. ``ticks`` are named."""

    low: float
    high: float
    height: float
    ticks: tuple[float, ...]
    reverse: bool = False

    def at(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return share * self.height if self.reverse else (1 - share) * self.height


def values_axis(values: Sequence[float], height: float, *, scale: float = 1) -> Values:
    """The scale of ``values`` from zero in even steps; ``scale`` is what one unit of the axis
    makes in the values, so that its steps are round in what is written beside them."""
    low, high = min(0, *values) / scale, max(0, *values) / scale
    if low == high:
        high = 1.0
    step = _round_step((high - low) / max(2, min(5, height // 56)))
    bottom, top = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(n * step * scale for n in range(bottom, top + 1))
    return Values(ticks[0], ticks[-1], height, ticks)


def ranks_axis(values: Sequence[float], height: float) -> Values:
    """The scale of ranks: the first on top."""
    last = max(2, math.ceil(max(values)))
    step = max(1, math.ceil(last / 7))
    ticks = (1.0, *(float(n) for n in range(step if step > 1 else 2, last + 1, step)))
    # The last is kept clear of the ground, where it would read as nothing.
    return Values(1, last + max(0.5, last / 12), height, ticks, reverse=True)


def _round_step(step: float) -> float:
    """1, 2 or 5 times a power of ten, not below ``step``."""
    size = 10 ** math.floor(math.log10(step))
    return next(n * size for n in (1, 2, 5, 10) if n * size >= step * (1 - 1e-9))


def day_after(day: date) -> date:
    """Where a period that ends with ``day`` ends on the axis; its own last day at the calendar's
    end."""
    return day + timedelta(days=1) if day < date.max else day
