"""The course of a figure as a line without axes, drawn by the template.

Only values that may be compared with the newest one stand on it; a period that was never
reported breaks the line, and what is only expected is a hollow point.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from metrics.assessment import gaps_of
from metrics.models import Indicator, Observation
from metrics.rules.periods import are_comparable

from ..prose import when

WIDTH, HEIGHT = 120, 28
#: Around the line, so that no point is cut.
MARGIN = 3


@dataclass(frozen=True)
class Sparkline:
    """``lines`` are the points of each unbroken piece as SVG takes them, ``dots`` those that stand
    alone; ``last`` is the newest point, hollow if it ``is_expected``; ``label`` says the course in
    words."""

    lines: list[str]
    dots: list[tuple[str, str]]
    last: tuple[str, str]
    is_expected: bool
    label: str
    width: int = WIDTH
    height: int = HEIGHT


def sparkline(indicator: Indicator) -> Sparkline | None:
    """The course of ``indicator`` (with its ``public_values``, newest first); None without one."""
    values = _comparable(indicator)
    if len(values) < 2:
        return None
    first, last = values[0], values[-1]
    days = (last.period_end - first.period_end).days
    low = min(value.value for value in values)
    span = max(value.value for value in values) - low

    def point(value: Observation) -> tuple[str, str]:
        along = Decimal((value.period_end - first.period_end).days) / days
        up = (value.value - low) / span if span else Decimal("0.5")
        x = MARGIN + along * (WIDTH - 2 * MARGIN)
        y = HEIGHT - MARGIN - up * (HEIGHT - 2 * MARGIN)
        return f"{x:.1f}", f"{y:.1f}"

    pieces = [[point(value) for value in piece] for piece in _pieces(indicator, values)]
    return Sparkline(
        [" ".join(map(",".join, piece)) for piece in pieces if len(piece) > 1],
        [piece[0] for piece in pieces[:-1] if len(piece) == 1],
        point(last),
        not last.is_reported,
        _("from %(first)s (%(start)s) to %(last)s (%(end)s)")
        % {
            "first": first.as_written,
            "start": when(first),
            "last": last.as_written,
            "end": when(last),
        },
    )


def _comparable(indicator: Indicator) -> list[Observation]:
    """The values on one line with the newest, oldest first, one for each period."""
    known: dict = {}
    for value in indicator.public_values:
        known.setdefault(value.period_end, value)
    newest = next(iter(known.values()), None)
    return sorted(
        (
            value
            for value in known.values()
            if are_comparable(
                indicator.kind,
                (newest.period_start, newest.period_end),
                (value.period_start, value.period_end),
            )
        ),
        key=lambda value: value.period_end,
    )


def _pieces(indicator: Indicator, values: Sequence[Observation]) -> list[list[Observation]]:
    """``values`` where nothing is missing between them."""
    missing = [end for _start, end in gaps_of(indicator, values)]
    pieces = [[values[0]]]
    for before, value in zip(values, values[1:], strict=False):
        if any(before.period_end < end < value.period_end for end in missing):
            pieces.append([])
        pieces[-1].append(value)
    return pieces
