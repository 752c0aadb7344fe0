"""What is worth asking 值得追问, and what first: the rule of the ranking, over plain values.

The kinds of questions stand in the order of their gravity: what was claimed against what was
computed, then what was promised and is not done, then what nobody can check, then figures that
contradict each other, then terms that moved, then silence after a date that was agreed, then what
has no figure at all, and last what was told once and never again, though nobody agreed to a date.
Within a kind the larger ``size`` comes first, and of equal ones the place in the opinion decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from .checks import CheckOutcome, Result
from .choices import Claim, Freshness, Verdict
from .progress import Answer


class Ask(TextChoices):
    """Why something is worth asking, the gravest first."""

    CLAIM = "claim", _("claimed otherwise")
    MISSED = "missed", _("target missed")
    BEHIND = "behind", _("behind schedule")
    UNVERIFIABLE = "unverifiable", _("claim cannot be verified")
    CONTRADICTION = "contradiction", _("figures contradict each other")
    REDEFINED = "redefined", _("redefined")
    LATE = "late", _("overdue")
    NO_FIGURE = "no-figure", _("promise without a figure")
    SILENT = "silent", _("no longer updated")


#: The place of each kind in the ranking.
RANKS = {ask: rank for rank, ask in enumerate(Ask)}
#: The results of checks that ask for an explanation; the others call for nothing.
ASKING = frozenset({Result.FAILS, Result.QUESTION})
#: A contradiction between figures that count the same is graver than one that may be a matter of
#: scope, whatever its size.
OF_ONE_SCOPE = Decimal(10) ** 6
#: More than any part of a way that is left.
OVER = Decimal(10) ** 6


def of_target(verdict: Verdict, claim: str) -> Ask | None:
    """What a target gives to ask: its gravest question alone; None for nothing."""
    if verdict.contradicts(Claim(claim)):
        return Ask.CLAIM
    return {
        Verdict.MISSED: Ask.MISSED,
        Verdict.BEHIND: Ask.BEHIND,
        Verdict.CLAIM_UNVERIFIABLE: Ask.UNVERIFIABLE,
    }.get(verdict)


def of_check(result: Result) -> Ask | None:
    return Ask.CONTRADICTION if result in ASKING else None


def of_freshness(state: Freshness) -> Ask | None:
    """Silence: after a date that was agreed, or where none was."""
    return {Freshness.LATE: Ask.LATE, Freshness.SILENT: Ask.SILENT}.get(state)


def shortfall(done: Answer, completion: Answer) -> Decimal:
    """How much of the way to a target is left, in percentage points, never below 0.

    By the progress since the baseline, or else by the completion; 100 where neither can be said,
    because nothing shows that anything was done.
    """
    share = completion.value if done.value is None else done.value
    return Decimal(100) if share is None else max(Decimal(0), 100 - share)


def size_of_target(verdict: Verdict, done: Answer, completion: Answer) -> Decimal:
    """The ``shortfall``; a target that was missed goes before one whose time is not over."""
    return shortfall(done, completion) + (OVER if verdict == Verdict.MISSED else 0)


def discrepancy(outcome: CheckOutcome) -> Decimal:
    """How far the figures of a check are apart, in % of what is stated; 0 where it is not said.

    Of figures of one scope a million is added, so that they come before questions of scope.
    """
    apart = Decimal(0)
    if outcome.computed is not None and outcome.stated:
        apart = abs(outcome.computed - outcome.stated) * 100 / abs(outcome.stated)
    return min(apart, OF_ONE_SCOPE - 1) + (OF_ONE_SCOPE if outcome.result == Result.FAILS else 0)


def gravity(ask: Ask, size: Decimal | float, place: tuple) -> tuple:
    """To sort by: the gravest first."""
    return RANKS[ask], -size, place


@dataclass(frozen=True)
class Trouble:
    """What speaks against a section or theme, in the order in which it counts."""

    missed: int = 0
    contradicted: int = 0
    behind: int = 0
    contradictions: int = 0
    late: int = 0

    @property
    def key(self) -> tuple[int, ...]:
        """To sort by: the worst first."""
        counts = (self.missed, self.contradicted, self.behind, self.contradictions, self.late)
        return tuple(-count for count in counts)

    def __bool__(self) -> bool:
        """Whether there is any; figures that contradict each other alone are a question."""
        return bool(self.missed or self.contradicted or self.behind or self.late)


def worst(troubles: Mapping[int, Trouble]) -> int | None:
    """The key of the one with the most trouble; None if none has any, or two have as much."""
    ranked = sorted(troubles, key=lambda key: troubles[key].key)
    if not ranked or not troubles[ranked[0]]:
        return None
    is_tied = len(ranked) > 1 and troubles[ranked[0]].key == troubles[ranked[1]].key
    return None if is_tied else ranked[0]
