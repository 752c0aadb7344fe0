"""Arithmetic of targets and schedules, over plain values, without the database.

Every function that may have nothing to say returns an ``Answer``: a value, or the reason why
there is none. Values are Decimals in the indicator's unit, as far as the database can hold them
(15 digits); results are not rounded. The rules are those of Chinese plan monitoring: 序时进度 is
elapsed days ÷ days of the period, and an upper limit (控制在…内) is kept, not completed.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from .choices import Claim, Comparator, Frequency, Kind, Qualifier, Verdict

NO_DATA = _("There is no data.")
NO_TARGET = _("No target has been published.")
TARGET_UNKNOWN = _("The target value is not published.")
NO_RATIO = _("A share of a target or limit that is not above zero cannot be computed.")
LIMIT_IS_KEPT = _("An upper limit is kept, not completed.")
NO_BASELINE = _("The value when the plan began is not known.")
BASELINE_IS_TARGET = _("The target equals the baseline, so there is no way to measure.")
BASELINE_BEYOND_TARGET = _("The baseline already met the target, so there is no way to measure.")
PERIOD_UNKNOWN = _("The beginning or the end of the period is not known.")
PERIOD_REVERSED = _("The period ends before it begins.")
DUE_UNKNOWN = _("The due date is not known.")
NO_TIME_LEFT = _("No time is left before the due date.")
NOT_PACED = _("Shares, growth rates and ranks do not advance evenly with time.")
NOT_PACED_YEARLY = _("The value comes once a year or once only, so it has no pace.")
NOT_PACED_BASELINE = _("Without a baseline the pace of a stock is not known.")
NOT_PACED_TOTAL = _(
    "Without its value when the plan began, the pace of a running total is not known."
)
REACHED = _("The target is reached already.")
NOT_STARTED = _("The period has not begun.")
NO_PROGRESS = _("The value stands where it stood when the plan began.")
MOVED_AWAY = _("The value is further from the target than when the plan began.")
TOO_FAR = _("At this pace it would take more than a hundred years.")
BASE_NOT_POSITIVE = _("Growth cannot be computed from a base that is not above zero.")


@dataclass(frozen=True)
class Answer:
    """A value or the reason why there is none: exactly one of the two is None."""

    value: Decimal | date | None = None
    reason: str | None = None

    def __post_init__(self):
        if (self.value is None) == (self.reason is None):
            raise ValueError("An Answer has either a value or a reason.")


def completion(value: Decimal | None, target: Decimal | None, *, comparator: Comparator) -> Answer:
    """完成率: the value ÷ the target, in %; above 100 the target is surpassed.

    It says nothing of what was there before the plan: that is ``progress``. No answer: no data,
    target unknown or not above zero, or an upper limit, which is kept and not completed.
    """
    if value is None:
        return Answer(reason=NO_DATA)
    if target is None:
        return Answer(reason=TARGET_UNKNOWN)
    if comparator == Comparator.AT_MOST:
        return Answer(reason=LIMIT_IS_KEPT)
    if target <= 0:
        return Answer(reason=NO_RATIO)
    return Answer(value * 100 / target)


def progress(
    value: Decimal | None,
    target: Decimal | None,
    *,
    comparator: Comparator,
    baseline: Decimal | None,
) -> Answer:
    """较基期进展: how much of the way from the baseline to the target is done, in %.

    Above 100 the target is surpassed, below 0 the value moved away from it. For an upper limit
    the way leads down from the baseline; for "exactly" it leads up or down, and above 100 means
    past the target. No answer: no data, target or baseline unknown, or a baseline that met the
    target from the start.
    """
    if value is None:
        return Answer(reason=NO_DATA)
    if target is None:
        return Answer(reason=TARGET_UNKNOWN)
    if baseline is None:
        return Answer(reason=NO_BASELINE)
    if baseline == target:
        return Answer(reason=BASELINE_IS_TARGET)
    if is_met(baseline, target, comparator):
        return Answer(reason=BASELINE_BEYOND_TARGET)
    return Answer((value - baseline) * 100 / (target - baseline))


def is_met(
    value: Decimal | None,
    target: Decimal | None,
    comparator: Comparator,
    qualifier: Qualifier = Qualifier.EXACT,
) -> bool | None:
    """Whether the value satisfies the target; None if either is unknown or it is too close to say.

    近100 does not reach 100, 100余 does, and of 约100 nobody can say.
    """
    if value is None or target is None:
        return None
    side = _side(value, target, qualifier)
    if side is None:
        return None
    if comparator == Comparator.AT_LEAST:
        return side >= 0
    if comparator == Comparator.AT_MOST:
        return side <= 0
    return side == 0


def _side(value: Decimal, target: Decimal, qualifier: Qualifier) -> int | None:
    """-1 if the true value is below the target, 0 if equal, 1 if above, None if not certain."""
    if qualifier == Qualifier.EXACT:
        return (value > target) - (value < target)
    low, high = bounds(value, qualifier)
    if target < low or (target == low and qualifier != Qualifier.ABOUT):
        return 1
    if target > high or (target == high and qualifier != Qualifier.ABOUT):
        return -1
    return None


def bounds(value: Decimal, qualifier: Qualifier) -> tuple[Decimal, Decimal]:
    """Between what the true value of an inexact figure lies.

    It counts as rounded at its last digit other than 0, so that 2700余 lies between 2700 and
    2800, 近30 between 20 and 30, and 约5 between 4.5 and 5.5.
    """
    step = Decimal(1).scaleb(value.normalize().as_tuple().exponent)
    return {
        Qualifier.OVER: (value, value + step),
        Qualifier.NEARLY: (value - step, value),
        Qualifier.ABOUT: (value - step / 2, value + step / 2),
    }[qualifier]


def time_used(start: date | None, end: date | None, on: date) -> Answer:
    """序时进度: elapsed days ÷ days of the period, in %, from 0 before it to 100 after it.

    First, last and cut-off day count in full: on 30 June, 181 of the 365 days of 2023 are used.
    """
    if start is None or end is None:
        return Answer(reason=PERIOD_UNKNOWN)
    if end < start:
        return Answer(reason=PERIOD_REVERSED)
    elapsed, days = (on - start).days + 1, (end - start).days + 1
    return Answer(Decimal(max(0, min(elapsed, days))) * 100 / days)


def remaining(value: Decimal | None, target: Decimal | None, comparator: Comparator) -> Answer:
    """How far the value still has to move, in its unit: 0 once the target is met, never below."""
    if value is None:
        return Answer(reason=NO_DATA)
    if target is None:
        return Answer(reason=TARGET_UNKNOWN)
    return Answer(Decimal(0) if is_met(value, target, comparator) else abs(target - value))


def needed_per_quarter(remaining: Answer, on: date, due: date | None) -> Answer:
    """What each quarter still has to bring, in the indicator's unit.

    The calendar quarters from the day after ``on`` to ``due`` share it evenly; one that has begun
    or is cut short counts as one, because staff report by quarters.
    """
    if remaining.value is None or remaining.value == 0:
        return remaining
    if due is None:
        return Answer(reason=DUE_UNKNOWN)
    if due <= on:
        return Answer(reason=NO_TIME_LEFT)
    return Answer(remaining.value / (_quarter(due) - _quarter(on + timedelta(days=1)) + 1))


def _quarter(day: date) -> int:
    return day.year * 4 + (day.month - 1) // 3


def pace(
    done: Answer, elapsed: Answer, *, kind: Kind, frequency: Frequency, baseline: Decimal | None
) -> Answer:
    """``progress`` minus ``time_used`` in percentage points; below 0 is behind schedule.

    No answer for what does not grow evenly within the period: indicators reported yearly or
    once, shares, growth rates, ranks, and whatever has no ``baseline`` (see
    ``baseline.baseline``).
    """
    if reason := why_unpaced(kind, frequency, baseline):
        return Answer(reason=reason)
    if done.value is None:
        return done
    if elapsed.value is None:
        return elapsed
    return Answer(done.value - elapsed.value)


def why_unpaced(kind: Kind, frequency: Frequency, baseline: Decimal | None) -> str | None:
    """Why an indicator does not advance evenly within its period; None if it does."""
    if kind in {Kind.SHARE, Kind.GROWTH, Kind.RANK}:
        return NOT_PACED
    if frequency in {Frequency.YEARLY, Frequency.ONCE}:
        return NOT_PACED_YEARLY
    if baseline is None:
        return NOT_PACED_TOTAL if kind == Kind.CUMULATIVE else NOT_PACED_BASELINE
    return None


def reached_on(
    done: Answer,
    start: date | None,
    on: date,
    *,
    kind: Kind,
    frequency: Frequency,
    baseline: Decimal | None,
) -> Answer:
    """The day on which the target is reached if ``progress`` goes on as from start to ``on``.

    The value is a date. No answer for what has no pace (see ``pace``), for no progress, for a
    target that is reached already, and for more than a hundred years.
    """
    if reason := why_unpaced(kind, frequency, baseline):
        return Answer(reason=reason)
    if done.value is None:
        return done
    if start is None:
        return Answer(reason=PERIOD_UNKNOWN)
    if on < start:
        return Answer(reason=NOT_STARTED)
    if done.value >= 100:
        return Answer(reason=REACHED)
    if done.value < 0:
        return Answer(reason=MOVED_AWAY)
    if done.value == 0:
        return Answer(reason=NO_PROGRESS)
    days = math.ceil(((on - start).days + 1) * 100 / done.value)
    if days > min(36525, (date.max - start).days):
        return Answer(reason=TOO_FAR)
    return Answer(start + timedelta(days=days - 1))


def verdict(
    *,
    value: Decimal | None,
    target_exists: bool,
    target: Decimal | None,
    comparator: Comparator,
    baseline: Decimal | None,
    claim: Claim,
    start: date | None,
    due: date | None,
    on: date,
    kind: Kind,
    frequency: Frequency,
    qualifier: Qualifier,
    tolerance_points: Decimal,
) -> Verdict:
    """What can be concluded on the day ``on``; ``target`` is None if its value is unknown.

    A target is missed the day after ``due`` whatever was or was not reported; ``start`` and
    ``due`` bound its schedule, and ``tolerance_points`` is how many percentage points behind it
    still count as on track. The claim decides nothing but how an unknown target is called.
    """
    if not target_exists:
        return Verdict.NO_TARGET
    if target is None:
        return Verdict.CLAIM_UNVERIFIABLE if Claim(claim).says_met else Verdict.TARGET_UNKNOWN
    is_over = due is not None and on > due
    if value is None:
        return Verdict.MISSED if is_over else Verdict.NO_DATA
    met = is_met(value, target, comparator, qualifier)
    if met is None:
        return Verdict.NOT_ASSESSABLE
    # What is added up until the due date can still pass a limit, and cannot come back below it.
    may_pass = comparator != Comparator.AT_LEAST and kind in {Kind.FLOW, Kind.CUMULATIVE}
    if met:
        return Verdict.ON_TRACK if may_pass and not is_over else Verdict.MET
    if is_over or (may_pass and _side(value, target, qualifier) == 1):
        return Verdict.MISSED
    done = progress(value, target, comparator=comparator, baseline=baseline)
    elapsed = time_used(start, due, on)
    ahead = pace(done, elapsed, kind=kind, frequency=frequency, baseline=baseline)
    # Past an exact target is neither on the way to it nor behind.
    if ahead.value is None or done.value > 100:
        return Verdict.NOT_ASSESSABLE
    return Verdict.ON_TRACK if ahead.value >= -tolerance_points else Verdict.BEHIND


def holds_until(say: Callable[[date], Verdict], on: date, due: date | None) -> date | None:
    """The first day on which ``say`` says another ``verdict`` than on the day ``on``, with nothing
    published; None if it never does.

    With time alone an even pace falls behind, once, and the day after ``due`` decides: so all days
    from the change on differ from ``on``, and it is found by halves.
    """
    if due is None or on > due:
        return None
    # No day comes after the last of all.
    now, last = say(on), due + timedelta(days=due < date.max)
    if say(last) == now:
        return None
    _same, other = _turn(lambda day: say(day) == now, on, last)
    return other


def holds_since(say: Callable[[date], Verdict], on: date, first: date) -> date:
    """The first of the days up to ``on`` on all of which ``say`` says the same ``verdict``.

    ``first`` is the day on which the way to the target begins, or ends where that is before: no
    day before differs from the one before it, and from it on see ``holds_until``.
    """
    other = first - timedelta(days=first > date.min)
    now = say(on)
    if on < first or say(other) == now:
        return date.min
    same, _other = _turn(lambda day: say(day) == now, on, other)
    return same


def _turn(is_same: Callable[[date], bool], same: date, other: date) -> tuple[date, date]:
    """The neighbouring days between which ``is_same`` turns false, once on the way from ``same``
    to ``other``, which is earlier or later."""
    while abs(days := (other - same).days) > 1:
        between = same + timedelta(days=days // 2)
        if is_same(between):
            same = between
        else:
            other = between
    return same, other


def change(now: Decimal | None, before: Decimal | None) -> Answer:
    """``now`` minus ``before`` in their unit; of two percentages that is percentage points."""
    if now is None or before is None:
        return Answer(reason=NO_DATA)
    return Answer(now - before)


def growth(now: Decimal | None, before: Decimal | None) -> Answer:
    """Growth from ``before`` to ``now`` in %; no answer from a base of zero or below."""
    if now is None or before is None:
        return Answer(reason=NO_DATA)
    if before <= 0:
        return Answer(reason=BASE_NOT_POSITIVE)
    return Answer((now - before) * 100 / before)


def multiple(growth: Decimal) -> Decimal:
    """How many times as much a growth in % makes: 300 gives 4, as 翻两番 is ×4."""
    return growth / 100 + 1
