"""Periods of the calendar: where they end, which compare, and how one is written (pure)."""

from calendar import monthrange
from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache

from django.utils.translation import gettext as _

from .choices import Frequency, Kind

#: A beginning of None is not stated.
Period = tuple[date | None, date]

#: Months in a period of each frequency that recurs
MONTHS = {
    Frequency.MONTHLY: 1,
    Frequency.QUARTERLY: 3,
    Frequency.HALF_YEARLY: 6,
    Frequency.YEARLY: 12,
}

#: Periods that are none of the calendar's are of one length if they differ by no more days.
SAME_LENGTH_DAYS = 3
#: States of one day, or of the time before it: how long that was says nothing of them.
STATES = frozenset({Kind.STOCK, Kind.CAPACITY, Kind.RANK})
#: Stated of a period or, as what stands at its end, of a day; the two are different things.
RATIOS = frozenset({Kind.SHARE, Kind.GROWTH})


def last_period(frequency: str, start: date, end: date) -> Period | None:
    """The last period of ``frequency`` that ends from ``start`` to ``end``; None if none does.

    ``once`` has no period of its own: the whole of the given one stands for it.
    """
    if frequency == Frequency.ONCE:
        return start, end
    months = MONTHS[frequency]
    ends = end_of_month(end)
    if ends > end:
        ends = end.replace(day=1) - timedelta(days=1)
    while ends.month % months:
        ends = ends.replace(day=1) - timedelta(days=1)
    if ends < start:
        return None
    # December is 0 of the next year when months are counted from 0.
    first = ends.year * 12 + ends.month - months
    return date(first // 12, first % 12 + 1, 1), ends


def are_comparable(kind: str, period: Period, earlier: Period) -> bool:
    """Whether the values of one indicator over the two periods may be subtracted.

    Flows need periods of one known length, shares and growth periods of one length or two days,
    running totals the same beginning. Of one indicator two totals "so far" are one series: the
    entry of a round carries the beginning of the last value on, stated or not. A correction of
    the value alone compares with what it corrects, whatever is known of their period.
    """
    if kind in STATES or period == earlier:
        return True
    if kind == Kind.CUMULATIVE:
        return period[0] == earlier[0]
    lengths = months_of(period), months_of(earlier)
    if any(lengths):
        return lengths[0] == lengths[1]
    days, days_before = _days(kind, period), _days(kind, earlier)
    if days is None or days_before is None:
        return False
    return abs(days - days_before) <= SAME_LENGTH_DAYS


@lru_cache(maxsize=1024)
def months_of(period: Period) -> int | None:
    """The unit of length of a period of the calendar: 12 for a year, 6, 3 or 1 months.

    None for every other period, such as 1 January to 24 July.
    """
    start, end = period
    if start is None or start.day != 1 or end != end_of_month(end):
        return None
    months = (end.year - start.year) * 12 + end.month - start.month + 1
    return months if months in MONTHS.values() and not (start.month - 1) % months else None


def year_before(day: date | None) -> date | None:
    """The same day of the year before; the end of February for the end of February."""
    if day is None:
        return None
    if day == end_of_month(day):
        return end_of_month(day.replace(year=day.year - 1, day=1))
    return day.replace(year=day.year - 1)


def same_period_before(period: Period) -> Period:
    """The same period of the year before, 上年同期."""
    start, end = period
    return year_before(start), year_before(end)


#: Of these a period of another length with the same end is another one.
OF_LENGTH = (Kind.FLOW, Kind.GROWTH)


def is_same_period(kind: str, one: Period, other: Period) -> bool:
    """Whether figures of that kind over the two are of one period: of flows and growth the whole
    of it counts, of states and running totals its end alone."""
    return one[1] == other[1] and (kind not in OF_LENGTH or one[0] == other[0])


def gaps(kind: str, frequency: str, known: Sequence[Period]) -> list[Period]:
    """The periods between the first and the last of ``known`` that are missing, oldest first.

    Flows, shares and growth are missed by periods of the length of the last one; states and
    running totals by the ``frequency`` at which they are expected, and a missing one is the last
    day of its period. What has no length or comes only once has no gaps.
    """
    if not known:
        return []
    newest = max(known, key=lambda period: period[1])
    of_periods = kind == Kind.FLOW or (kind in RATIOS and months_of(newest))
    months = months_of(newest) if of_periods else MONTHS.get(frequency)
    if not months:
        return []
    if of_periods:
        known = [period for period in known if months_of(period) == months]
    # A value within a period does not stand for the whole of it.
    ended = {
        (end.year * 12 + end.month - (end != end_of_month(end))) // months for _start, end in known
    }
    missing = [number for number in range(min(ended), max(ended)) if number not in ended]
    return [_numbered(number, months, of_periods) for number in missing]


def _numbered(number: int, months: int, of_periods: bool) -> Period:
    """The period of so many months with that number, counted from the year 0."""
    last = number * months - 1
    end = end_of_month(date(last // 12, last % 12 + 1, 1))
    first = last - months + 1
    return (date(first // 12, first % 12 + 1, 1) if of_periods else end), end


def _days(kind: str, period: Period) -> int | None:
    """From the first day to the last; a ratio of no stated beginning is one of its last day."""
    start, end = period
    if start is None:
        return 0 if kind in RATIOS else None
    return (end - start).days


def months_between(start: date, end: date) -> int:
    """Whole months from ``start`` to ``end``; 0 if it is the earlier one or less than a month."""
    months = (end.year - start.year) * 12 + end.month - start.month - (end.day < start.day)
    return max(0, months)


def is_over(end: date, on: date) -> bool:
    """Whether a value over a period that ends with ``end`` can be actual on the day ``on``.

    Of a day itself one can know what it brought; of what comes after it one can only expect.
    """
    return end <= on


def period_text(start: date | None, end: date) -> str:
    """``2022`` for a whole year, ``Q4 2023`` for a quarter, one date for a point in time,
    otherwise both ends.

    A start of None is a total whose beginning is not stated: ``up to 2023-07-24``.
    """
    if start is None:
        return _("up to %(end)s") % {"end": end.isoformat()}
    if start == end:
        return end.isoformat()
    if (start.month, start.day, end.month, end.day) == (1, 1, 12, 31) and start.year == end.year:
        return _("year %(year)d") % {"year": end.year}
    if _is_quarter(start, end):
        return _("Q%(quarter)d %(year)d") % {"quarter": end.month // 3, "year": end.year}
    return f"{start.isoformat()} – {end.isoformat()}"


def _is_quarter(start: date, end: date) -> bool:
    months = (start.year, start.month + 2) == (end.year, end.month) and not end.month % 3
    return months and start.day == 1 and end.day == monthrange(end.year, end.month)[1]


def end_of_month(day: date) -> date:
    """The last day of the month of ``day``."""
    return day.replace(day=monthrange(day.year, day.month)[1])
