"""How much of a long sweep over cases that are alike is seen between two commits.

`make test` takes some of the cases, always the same; `make test-long`, before a release, all.
"""

import os
from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")

WHOLE = os.environ.get("WHOLE") == "1"
#: Of the pages of measures and of indicators, which one piece of code makes.
OF_ROWS = 1 if WHOLE else 16


def some(cases: Iterable[T], every: int, first: int = 0) -> list[T]:
    """Each ``every``-th of ``cases``, beginning with the one at ``first``; in the long form all."""
    cases = list(cases)
    return cases if WHOLE else cases[first % every :: every]
