"""By how much values were corrected; arithmetic over plain values, without the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Size:
    """How far the latest value lies from the first one, in the unit and in % of the first."""

    difference: Decimal
    percent: Decimal | None


def size(first: Decimal, latest: Decimal, *, relative: bool = True) -> Size:
    """The size of a correction.

    No percentage of a first value of 0, and where values are not ``relative``: a share corrected
    from 1% to 2% was not corrected by 100%.
    """
    difference = latest - first
    if not relative or first == 0:
        return Size(difference, None)
    return Size(difference, difference * 100 / abs(first))


@dataclass(frozen=True)
class Revisions:
    """Of ``of`` public values, ``corrected`` say something else than at first.

    ``mean`` and ``mean_absolute`` are in %, over those ``measured`` whose size has a percentage;
    None if there are none. A mean far from 0 says that first values lean to one side.
    """

    of: int
    corrected: int
    measured: int
    mean: Decimal | None
    mean_absolute: Decimal | None


def revisions(sizes: Sequence[Size], of: int) -> Revisions:
    """The means over the sizes of corrections; those that changed no value are not counted."""
    changed = [found for found in sizes if found.difference]
    percents = [found.percent for found in changed if found.percent is not None]
    n = len(percents)
    return Revisions(
        of,
        len(changed),
        n,
        sum(percents) / n if n else None,
        sum(map(abs, percents)) / n if n else None,
    )
