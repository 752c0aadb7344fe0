"""The course of a figure in the size of a word, without axes, drawn by the template.

As in its chart a flow is bars from zero, and everything else a line, with the best rank at the
top. Only values that may be compared with the newest one stand on it; a period that was never
reported breaks the line, and what is only expected or preliminary is hollow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from django.utils.translation import gettext as _

from metrics.assessment import gaps_of
from metrics.models import Indicator, Observation
from metrics.rules.choices import Certainty, Kind

from ..prose import when
from .axes import day_after
from .history import series

WIDTH, HEIGHT = 120, 28
#: Around the line, so that no point is cut.
MARGIN = 3


class Dot(NamedTuple):
    """The middle of a point; hollow where its value is not final."""

    x: str
    y: str
    is_hollow: bool


@dataclass(frozen=True)
class Sparkline:
    """``bars`` of a flow and ``hollow_bars``, those not final, as the paths that SVG takes; of
    everything else ``lines``, the points of each unbroken piece, ``dots``, those that stand alone,
    and ``last``, the newest point. ``label`` says the course in words."""

    label: str
    bars: str = ""
    hollow_bars: str = ""
    lines: Sequence[str] = ()
    dots: Sequence[Dot] = ()
    last: Dot | None = None
    width: int = WIDTH
    height: int = HEIGHT


def sparkline(indicator: Indicator) -> Sparkline | None:
    """The course of ``indicator`` (with its ``public_values``, newest first); None without one."""
    values = _comparable(indicator)
    if len(values) < 2:
        return None
    first, last = values[0], values[-1]
    label = _("from %(first)s (%(start)s) to %(last)s (%(end)s)") % {
        "first": first.as_written,
        "start": when(first),
        "last": last.as_written,
        "end": when(last),
    }
    if indicator.kind == Kind.FLOW:
        bars = _bars(values)
        solid, hollow = ("".join(bar for bar, value in zip(bars, values, strict=True)
                                 if _is_hollow(value) == is_hollow)
                         for is_hollow in (False, True))  # fmt: skip
        return Sparkline(label, bars=solid, hollow_bars=hollow)
    dots = _dots(values, is_rank=indicator.kind == Kind.RANK)
    pieces = _pieces(indicator, values, dots)
    return Sparkline(
        label,
        lines=[" ".join(f"{x},{y}" for x, y, _hollow in piece) for piece in pieces if piece[1:]],
        dots=[piece[0] for piece in pieces[:-1] if not piece[1:]],
        last=dots[-1],
    )


def _comparable(indicator: Indicator) -> list[Observation]:
    """The values on one line with the newest, oldest first, one for each period."""
    known: dict = {}
    for value in series(indicator, indicator.public_values):
        known.setdefault(value.period_end, value)
    return sorted(known.values(), key=lambda value: value.period_end)


def _is_hollow(value: Observation) -> bool:
    return value.certainty != Certainty.ACTUAL


def _bars(values: Sequence[Observation]) -> list[str]:
    """A bar from zero for each of ``values``, as wide as its period, as SVG draws it."""
    spans = [
        (value.period_start or value.period_end, day_after(value.period_end)) for value in values
    ]
    begin = min(start for start, _end in spans)
    days = (max(end for _start, end in spans) - begin).days
    low = min(0, *(value.value for value in values))
    high = max(0, *(value.value for value in values))
    zero = _up(0, low, high)
    bars = []
    for value, (start, end) in zip(values, spans, strict=True):
        # A fifth is left between two.
        room = _along((end - start).days, days) - MARGIN
        left = _along((start - begin).days, days) + room / 10
        height = _up(value.value, low, high) - zero
        bars.append(f"M{left:.1f},{zero:.1f}v{height:.1f}h{room * 0.8:.1f}v{-height:.1f}z")
    return bars


def _dots(values: Sequence[Observation], *, is_rank: bool) -> list[Dot]:
    """A point for each of ``values``, the lowest at the bottom, of ranks at the top."""
    first, last = values[0].period_end, values[-1].period_end
    ends = [edge(value.value for value in values) for edge in (min, max)]
    low, high = reversed(ends) if is_rank else ends
    dots = []
    for value in values:
        x = _along((value.period_end - first).days, (last - first).days)
        y = _up(value.value, low, high)
        dots.append(Dot(f"{x:.1f}", f"{y:.1f}", _is_hollow(value)))
    return dots


def _along(days: int, most: int) -> float:
    """Where on the way of ``most`` days ``days`` of them end."""
    return MARGIN + days / most * (WIDTH - 2 * MARGIN)


def _up(number: Decimal, low: Decimal, high: Decimal) -> float:
    """How high ``number`` stands between ``low`` and ``high``; in the middle if they are one."""
    share = (number - low) / (high - low) if high != low else 0.5
    return HEIGHT - MARGIN - float(share) * (HEIGHT - 2 * MARGIN)


def _pieces(
    indicator: Indicator, values: Sequence[Observation], dots: Sequence[Dot]
) -> list[list[Dot]]:
    """The ``dots`` of ``values`` where nothing is missing between them."""
    missing = [end for _start, end in gaps_of(indicator, values)]
    pieces = [[dots[0]]]
    for (before, value), dot in zip(pairwise(values), dots[1:], strict=True):
        if any(before.period_end < end < value.period_end for end in missing):
            pieces.append([])
        pieces[-1].append(dot)
    return pieces
