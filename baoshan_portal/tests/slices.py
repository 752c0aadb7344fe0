"""How much of a long sweep over cases that are alike is seen between two commits.

`make test` takes some of the cases, always the same; `make test-long`, before a release, all.
"""

import os
from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

T = TypeVar("T")

WHOLE = os.environ.get("WHOLE") == "1"
#: Of the pages of measures and of indicators, which one piece of code makes.
OF_ROWS = 1 if WHOLE else 64


def some(cases: Iterable[T], every: int, first: int = 0) -> list[T]:
    """Each ``every``-th of ``cases``, beginning with the one at ``first``; in the long form all."""
    cases = list(cases)
    return cases if WHOLE else cases[first % every :: every]


def one_way_each(cases: Iterable[T], ways: int = 2, first: int = 0) -> list[T]:
    """Each case in one of its ways, by turns; in the long form all.

    ``cases`` are as many lists as there are ``ways``, of one order, one behind the other.
    """
    cases = list(cases)
    if WHOLE:
        return cases
    count = len(cases) // ways
    return [cases[n + count * ((n + first) % ways)] for n in range(count)]


def one_of_each(cases: Iterable[T], kind: Callable[[T], Hashable], first: int = 0) -> list[T]:
    """One case of each kind, of the next kind the next; in the long form all."""
    cases = list(cases)
    if WHOLE:
        return cases
    kinds: dict[Hashable, list[T]] = {}
    for case in cases:
        kinds.setdefault(kind(case), []).append(case)
    return [alike[(first + n) % len(alike)] for n, alike in enumerate(kinds.values())]
