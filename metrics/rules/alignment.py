"""Which values of several indicators belong beside each other in a check, without the database.

A flow of one quarter is no part of a yearly total, last year's growth says nothing of this year's
value, and a part of a later day than its whole proves nothing against it. Values of
different times would make a contradiction where there is none.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from .checks import CheckKind, Role
from .choices import Kind
from .periods import Period, year_before

#: Kinds whose value belongs to its whole period; all others are states of its last day.
OVER_PERIODS = frozenset({Kind.FLOW, Kind.GROWTH})
#: Relations in which a whole of a later day says nothing.
EXACT = frozenset(CheckKind) - {CheckKind.PART, CheckKind.QUOTA}


@dataclass(frozen=True)
class Series:
    """The values of one figure in a check: its kind and role, and their periods, newest first.

    ``earlier`` is the value of the same period a year before the others.
    """

    kind: str
    role: str
    periods: Sequence[Period]
    earlier: bool = False


def align(relation: str, figures: Sequence[Series]) -> list[int] | None:
    """For each of ``figures`` the index of its value at the newest time that all have in common.

    None if there is no such time. Flows and growth need the same period, states the same day; a
    whole or a quota may also be of a later day than its part, and a capacity of any day.
    """
    present = [figure for figure in figures if not figure.earlier]
    leading = [figure for figure in present if figure.kind in OVER_PERIODS]
    if not leading:
        leading = [figure for figure in present if relation in EXACT or figure.role == Role.PART]
    for period in leading[0].periods if leading else ():
        places = [_place(figure, period, relation, figure in leading) for figure in figures]
        if None not in places:
            return places
    return None


def _place(figure: Series, period: Period, relation: str, leads: bool) -> int | None:
    """The index of the value of ``figure`` that stands beside a value of ``period``."""
    start, end = period
    found = enumerate(figure.periods)
    if figure.earlier:
        start, end = year_before(start), year_before(end)
    if figure.kind in OVER_PERIODS:
        fitting = [place for place, period in found if period == (start, end)]
    elif figure.earlier or leads or relation in EXACT:
        fitting = [place for place, period in found if period[1] == end]
    elif figure.kind == Kind.CAPACITY:
        fitting = [place for place, _period in found]
    else:
        later = [(period[1], place) for place, period in found if period[1] >= end]
        fitting = [min(later)[1]] if later else []
    return fitting[0] if fitting else None
