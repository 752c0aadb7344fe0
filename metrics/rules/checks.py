"""Arithmetic consistency 勾稽 between figures, over plain values, without the database.

A stated figure stands for a range: a measured one for half a unit of its last printed digit on
either side, a count for itself alone, 约 近 余 as ``progress.bounds`` says. A relation holds where
the ranges agree exactly, holds approximately where they only overlap, and does not hold where
they do not meet. It warns and never blocks: in real returns rounding and scope often break it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .choices import MONEY, PERCENTAGE, Qualifier
from .progress import bounds

MEASURED = frozenset({MONEY, "area", "mass", PERCENTAGE})


class CheckKind(TextChoices):
    PART = "part", _("a part is at most the whole")
    SUM = "sum", _("the parts add up to the whole")
    OVERLAP = "overlap", _("each part is at most the whole; parts may overlap")
    SHARE = "share", _("part ÷ whole is the stated share")
    GROWTH = "growth", _("now ÷ before − 1 is the stated growth")
    BASE = "base", _("the growth leads back to a possible number before")
    SAME = "same", _("the same figure told twice")
    QUOTA = "quota", _("what is used is at most the quota")


class Role(TextChoices):
    WHOLE = "whole", _("whole")
    PART = "part", _("part")
    RATE = "rate", _("stated rate")
    NOW = "now", _("now")
    BEFORE = "before", pgettext_lazy("figure in a check", "before")


#: The roles that a relation cannot do without.
NEEDED = {
    CheckKind.PART: (Role.PART, Role.WHOLE),
    CheckKind.SUM: (Role.PART, Role.WHOLE),
    CheckKind.OVERLAP: (Role.PART, Role.WHOLE),
    CheckKind.SHARE: (Role.PART, Role.WHOLE, Role.RATE),
    CheckKind.GROWTH: (Role.NOW, Role.BEFORE, Role.RATE),
    CheckKind.BASE: (Role.NOW, Role.RATE),
    CheckKind.SAME: (Role.NOW, Role.BEFORE),
    CheckKind.QUOTA: (Role.PART, Role.WHOLE),
}


class Result(TextChoices):
    HOLDS = "holds", _("holds")
    APPROXIMATE = "approximate", _("holds approximately")
    FAILS = "fails", _("does not hold")
    QUESTION = "question", _("a question to ask")
    UNKNOWN = "unknown", _("cannot be told")


ASK = _(
    "The figures may count different things, but as they stand they contradict each other: ask "
    "what each of them counts."
)
NOT_COMPARABLE = _("The figures count different things, so they cannot be compared.")
MISSING = _("One of the figures has no public value.")
NOT_OF_ONE_TIME = _("The figures have no period in common, so they cannot be compared yet.")
INCOMPLETE = _("The check does not name all the figures that its relation needs.")
NO_BASE = _("The base is zero, so there is no ratio.")
NO_WHOLE_BASE = _("No whole number before gives exactly the stated rate.")


@dataclass(frozen=True)
class Figure:
    """A stated value in the base unit, how exact it is, and the step of its last digit.

    ``step`` is 0 for a count, which is exact unless qualified.
    """

    value: Decimal
    qualifier: str = Qualifier.EXACT
    step: Decimal = Decimal(0)

    @property
    def range(self) -> tuple[Decimal, Decimal]:
        """The smallest and the largest value that the figure can stand for."""
        if self.qualifier != Qualifier.EXACT:
            return bounds(self.value, self.qualifier)
        return self.value - self.step / 2, self.value + self.step / 2


@dataclass(frozen=True)
class CheckOutcome:
    """The result of a check; computed and stated value in the base unit, None where there is none;
    the difference that rounding allows; and the reason for the result, if it needs one.

    ``overlap`` is by how much the parts overlap at least, 0 where they need not."""

    result: Result
    computed: Decimal | None = None
    stated: Decimal | None = None
    tolerance: Decimal | None = None
    reason: str | None = None
    overlap: Decimal = Decimal(0)


def evaluate(kind: str, figures: dict[str, Sequence[Figure | None]]) -> CheckOutcome:
    """Check the ``figures``, by role, for the relation ``kind``; None is a figure without value.

    Raises KeyError if a role that the kind needs is missing.
    """
    if any(figure is None for group in figures.values() for figure in group):
        return CheckOutcome(Result.UNKNOWN, reason=MISSING)
    one = {role: group[0] for role, group in figures.items()}
    match kind:
        case CheckKind.PART | CheckKind.QUOTA:
            return _at_most(one[Role.PART], one[Role.WHOLE])
        case CheckKind.SUM:
            parts = figures[Role.PART]
            value = sum(part.value for part in parts)
            low = sum(part.range[0] for part in parts)
            high = sum(part.range[1] for part in parts)
            return _agree(value, (low, high), one[Role.WHOLE])
        case CheckKind.OVERLAP:
            return _overlap(figures[Role.PART], one[Role.WHOLE])
        case CheckKind.SAME:
            return _agree(one[Role.NOW].value, one[Role.NOW].range, one[Role.BEFORE])
        case CheckKind.SHARE:
            return _ratio(one[Role.PART], one[Role.WHOLE], one[Role.RATE], Decimal(0))
        case CheckKind.GROWTH:
            return _ratio(one[Role.NOW], one[Role.BEFORE], one[Role.RATE], Decimal(100))
        case CheckKind.BASE:
            # Where the number before is known, nothing need be led back to it.
            if before := one.get(Role.BEFORE):
                return _ratio(one[Role.NOW], before, one[Role.RATE], Decimal(100))
            return _base(one[Role.NOW], one[Role.RATE])
    raise ValueError(kind)


def _at_most(part: Figure, whole: Figure) -> CheckOutcome:
    low, high = part.range[0], whole.range[1]
    if part.value <= whole.value:
        result = Result.HOLDS
    else:
        result = Result.APPROXIMATE if low <= high else Result.FAILS
    tolerance = _half_width(part) + _half_width(whole)
    return CheckOutcome(result, part.value, whole.value, tolerance)


def _overlap(parts: Sequence[Figure], whole: Figure) -> CheckOutcome:
    """Each part at most the whole. Together they may be more: then some are counted twice, by as
    many at the least as the parts come to beyond the whole."""
    results = {_at_most(part, whole).result for part in parts}
    worst = next(
        each for each in (Result.FAILS, Result.APPROXIMATE, Result.HOLDS) if each in results
    )
    together = sum(part.value for part in parts)
    tolerance = sum(map(_half_width, parts)) + _half_width(whole)
    beyond = sum(part.range[0] for part in parts) - whole.range[1]
    return CheckOutcome(worst, together, whole.value, tolerance, overlap=max(Decimal(0), beyond))


def _agree(value: Decimal, range_: tuple[Decimal, Decimal], stated: Figure) -> CheckOutcome:
    low, high = stated.range
    if value == stated.value:
        result = Result.HOLDS
    else:
        result = Result.APPROXIMATE if range_[0] <= high and range_[1] >= low else Result.FAILS
    tolerance = (range_[1] - range_[0]) / 2 + _half_width(stated)
    return CheckOutcome(result, value, stated.value, tolerance)


def _ratio(upper: Figure, lower: Figure, stated: Figure, less: Decimal) -> CheckOutcome:
    """upper ÷ lower in %, minus ``less``; it holds if it rounds to the stated percentage."""
    if lower.range[0] <= 0:
        return CheckOutcome(Result.UNKNOWN, reason=NO_BASE)
    value = upper.value * 100 / lower.value - less
    low = upper.range[0] * 100 / lower.range[1] - less
    high = upper.range[1] * 100 / lower.range[0] - less
    stated_low, stated_high = stated.range
    if stated_low <= value <= stated_high:
        result = Result.HOLDS
    else:
        meets = low <= stated_high and high >= stated_low
        result = Result.APPROXIMATE if meets else Result.FAILS
    return CheckOutcome(result, value, stated.value, _half_width(stated))


def _base(now: Figure, rate: Figure) -> CheckOutcome:
    """The number before, worked back from the growth: for counts it must be a whole one."""
    low, high = (now.value / (1 + limit / 100) for limit in reversed(rate.range))
    value = now.value / (1 + rate.value / 100)
    tolerance = (high - low) / 2
    if low.to_integral_value(ROUND_CEILING) <= high:
        return CheckOutcome(Result.HOLDS, value, None, tolerance)
    return CheckOutcome(Result.APPROXIMATE, value, None, tolerance, NO_WHOLE_BASE)


def _half_width(figure: Figure) -> Decimal:
    low, high = figure.range
    return (high - low) / 2


def last_digit(as_written: str, quantity: str, factor: Decimal) -> Decimal:
    """The step of the last printed digit in the base unit: 51.79亿元 gives 1000000 yuan.

    0 for counts, which are exact, and for 翻番 and fractions, which print no digits of the value.
    """
    if quantity not in MEASURED or "/" in as_written or "分之" in as_written or "番" in as_written:
        return Decimal(0)
    _whole, _point, decimals = as_written.partition(".")
    places = len([character for character in decimals if character.isdigit()])
    return factor * Decimal(1).scaleb(-places)
