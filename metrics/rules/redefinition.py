"""Whether a verdict is better by other terms rather than by another value; without the database.

The terms of a verdict are the target (value, comparator, baseline), the day on which it falls due,
the plan, and the definition of what is measured.
"""

from datetime import date

from .choices import Verdict

#: Which verdict is better; what cannot be said stands between the bad and the good ones.
GRADES = {Verdict.MISSED: 0, Verdict.BEHIND: 1, Verdict.ON_TRACK: 3, Verdict.MET: 4}
UNSAID = 2
#: Nothing was known of the target: what becomes known afterwards is disclosed, not redefined.
UNKNOWN = frozenset({Verdict.NO_TARGET, Verdict.TARGET_UNKNOWN, Verdict.CLAIM_UNVERIFIABLE})


def is_better(verdict: Verdict, than: Verdict) -> bool:
    """Whether ``verdict`` is better than the other; a bad one that can no longer be said is.

    Nothing is better than a verdict without a known target.
    """
    if than in UNKNOWN:
        return False
    return GRADES.get(verdict, UNSAID) > GRADES.get(than, UNSAID)


def slip(first: date | None, now: date | None) -> int | None:
    """By how many days the due date moved, below 0 if it came forward; None if one is unknown."""
    return None if first is None or now is None else (now - first).days
