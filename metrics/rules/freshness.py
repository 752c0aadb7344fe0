"""Was a figure reported when it was due: judged by its frequency and the day, as pure functions.

Silence counts against it: that nothing is wrong with the last report says nothing of the present.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from .choices import Frequency, Freshness
from .periods import MONTHS, end_of_month, last_period

#: Nothing was due before; keeps days that a reader may ask for within the calendar.
EARLIEST = date(1900, 1, 1)
#: Days within which a period of every frequency ends.
LONGEST = timedelta(days=366)


@dataclass(frozen=True)
class Timeliness:
    """The state, how many periods fell due after the newest value and were never reported, and
    how many before it were passed over."""

    state: Freshness
    missed: int = 0
    gaps: int = 0


def newest_due(frequency: str, on: date, grace_days: int) -> date | None:
    """The end of the last period whose value was due by ``on``; None if none is ever due again.

    A value is due ``grace_days`` after its period has ended.
    """
    if frequency == Frequency.ONCE:
        return None
    settled = max(on, EARLIEST) - timedelta(days=grace_days)
    _start, end = last_period(frequency, settled - LONGEST, settled)
    return end


def timeliness(
    frequency: str,
    latest_end: date | None,
    on: date,
    *,
    grace_days: int,
    agreed_on: date | None = None,
    gaps: int = 0,
    no_figure_end: date | None = None,
) -> Timeliness:
    """The state of a figure whose newest public value is of a period that ended on ``latest_end``.

    None means that it has no public value at all. ``no_figure_end`` ends the newest period of
    which it was said that there is no figure, which is a report like a value. Only a schedule to
    which the department agreed, on ``agreed_on``, can be overdue; what the portal alone expects is
    told neutrally. ``gaps`` are the periods that were passed over before the newest value.
    """
    told_end = max(filter(None, (latest_end, no_figure_end)), default=None)
    if told_end is None:
        return Timeliness(Freshness.NEVER)
    due = newest_due(frequency, on, grace_days)
    if due is None:
        return Timeliness(Freshness.ONCE, gaps=gaps)
    months = MONTHS[frequency]
    # A value within a period does not stand for the whole of it.
    ended = _months(told_end) - (told_end != end_of_month(told_end))
    missed = max(0, _months(due) // months - ended // months)
    if not missed:
        return Timeliness(Freshness.CURRENT, gaps=gaps)
    if latest_end is None:
        return Timeliness(Freshness.NEVER)
    is_agreed = agreed_on is not None and agreed_on <= on
    return Timeliness(Freshness.LATE if is_agreed else Freshness.SILENT, missed, gaps)


def _months(day: date) -> int:
    """The number of the month of ``day``, counted from the year 0."""
    return day.year * 12 + day.month
