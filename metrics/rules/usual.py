"""What a value usually is, judged by its own past; robust, so that one odd value moves nothing.

A flow, a share, a growth and a rank stay near their median; what there is at a moment, and what
adds up, moves on from its last value by about what it moved before. The distance that is still
usual is ``DISTANCE`` times the median absolute deviation (Iglewicz and Hoaglin 1993 call 3.5 of
these an outlier), and never less than a share of the figure: a short past varies too little.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from statistics import median

from .choices import Kind

#: Fewer values tell nothing; what is older than the last so many tells of another time.
FEWEST, MOST = 4, 12
DISTANCE = Decimal(4)
#: From the median absolute deviation to a standard deviation.
DEVIATION = Decimal("1.4826")
#: The least spread: of a level, of a step beside the steps, and of a step beside the figure.
OF_LEVEL, OF_STEP, OF_FIGURE = Decimal("0.07"), Decimal("0.5"), Decimal("0.012")
#: These move on from where they were.
MOVING = frozenset({Kind.STOCK, Kind.CUMULATIVE, Kind.CAPACITY})
#: Of small numbers so many more or less are nothing.
FEW_STEPS = 3
#: A figure of fewer digits is what it was by chance.
TELLING_DIGITS = 4
#: Figures that mostly move by so many of their finest steps are seldom the same twice.
RARE = 2


@dataclass(frozen=True)
class Usual:
    """Between what the next value is usual, worked out from ``count`` earlier ones."""

    low: Decimal
    high: Decimal
    count: int

    def __contains__(self, value: Decimal) -> bool:
        return self.low <= value <= self.high


def usual(kind: str, past: Sequence[tuple[date, Decimal]], on: date) -> Usual | None:
    """What is usual on ``on`` after ``past``, its comparable values with their days, oldest first.

    None where the past is too short, or two of its values are of one day.
    """
    past = past[-MOST:]
    if len(past) < FEWEST:
        return None
    if kind in MOVING:
        return _moving(past, on)
    values = [value for _day, value in past]
    centre, spread = _centre_and_spread(values)
    reach = max(DISTANCE * max(spread, abs(centre) * OF_LEVEL), FEW_STEPS * _step(values))
    low, high = min(centre - reach, *values), max(centre + reach, *values)
    return Usual(low, high, len(values))


def _moving(past: Sequence[tuple[date, Decimal]], on: date) -> Usual | None:
    pairs = list(zip(past, past[1:], strict=False))
    days = [(later[0] - earlier[0]).days for earlier, later in pairs]
    if min(days) <= 0 or on <= past[-1][0]:
        return None
    steps = [(later[1] - earlier[1]) / n for (earlier, later), n in zip(pairs, days, strict=True)]
    ahead, last = (on - past[-1][0]).days, past[-1][1]
    centre, spread = _centre_and_spread(steps)
    one = _step([value for _day, value in past])
    reach = ahead * DISTANCE * max(spread, abs(centre) * OF_STEP)
    reach = max(reach, DISTANCE * abs(last) * OF_FIGURE, FEW_STEPS * one)
    expected = last + ahead * centre
    return Usual(min(expected - reach, last), max(expected + reach, last), len(past))


def _centre_and_spread(values: Sequence[Decimal]) -> tuple[Decimal, Decimal]:
    centre = median(values)
    return centre, DEVIATION * median(abs(value - centre) for value in values)


def _step(values: Sequence[Decimal]) -> Decimal:
    """The finest step in which such figures are told: 1 of whole numbers, 0.01 of 8.94."""
    places = max(-value.normalize().as_tuple().exponent for value in values)
    return Decimal(1).scaleb(-max(places, 0))


def digits(value: Decimal) -> int:
    """How many digits of a figure tell something: two of 130, three of 8.94."""
    return len(value.normalize().as_tuple().digits)


def would_differ(past: Sequence[tuple[date, Decimal]]) -> bool:
    """Whether the same figure again would be odd: the steps between the figures of ``past`` are
    mostly so large that none at all is rare. Of fewer than ``FEWEST`` figures nobody knows: then
    whether it has more than one digit.
    """
    values = [value for _day, value in past[-MOST:]]
    if len(values) < FEWEST:
        return digits(values[-1]) > 1
    steps = [abs(later - earlier) for earlier, later in zip(values, values[1:], strict=False)]
    return median(steps) >= RARE * _step(values)


def repeats(value: Decimal, past: Sequence[tuple[date, Decimal]]) -> date | None:
    """The day of an earlier value, not the last one, that was exactly ``value``; None without.

    Of figures with at least ``TELLING_DIGITS`` digits: of shorter ones it would be chance.
    """
    if digits(value) < TELLING_DIGITS:
        return None
    same = [day for day, earlier in past[:-1] if earlier == value]
    return same[-1] if same else None
