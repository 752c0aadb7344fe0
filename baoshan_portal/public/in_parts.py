"""Rows of files in the order of opinion and number, read in parts.

That order is one of four tables, so no index has it: sorting a million rows comes before the first
of them. There are few measures, though. They are put in order first; what belongs to some of them
is then found by its keys and sorted by itself, and memory does not grow with the rows.
"""

from collections.abc import Iterator

from django.db.models import QuerySet

from measures.models.tree import PLACE_IN_OPINION

#: Measures of many that are read first, so that the first lines leave early, and then at a time;
#: and how many where Django makes objects of all that belongs to them.
FIRST, TOGETHER, AS_OBJECTS = 2, 100, 10
#: Rows of one query, about, and of how many things at the most.
ROWS, MOST = 5_000, 2_000
#: Objects of Django that are in memory at a time, with what belongs to them.
LOADED = 200


def parts_of_measures(measures: QuerySet) -> Iterator[list[int]]:
    """The keys of ``measures`` in the order of their places, some at a time; one query."""
    return parts_of(list(in_order(measures)), AS_OBJECTS)


def in_order(measures: QuerySet) -> QuerySet:
    """The keys of ``measures`` in the order of their places."""
    return measures.order_by(*PLACE_IN_OPINION).values_list("pk", flat=True)


def parts_of(keys: list[int], most: int = TOGETHER) -> Iterator[list[int]]:
    """``keys`` of measures: of many the first few and then ``most`` at a time."""
    first = len(keys) if len(keys) <= TOGETHER else FIRST
    if keys:
        yield keys[:first]
    for start in range(first, len(keys), most):
        yield keys[start : start + most]


def by_measures(rows: QuerySet, measures: QuerySet, to_measure: str = "measure") -> Iterator:
    """``rows``, whose own order begins with the place of their measure, in parts.

    ``to_measure`` is the lookup to it. One query, and those of each part.
    """
    for keys in parts_of_measures(measures):
        found = rows.filter(**{f"{to_measure}__in": keys})
        yield from found.iterator(chunk_size=LOADED)


class Slices:
    """Pieces of a list, as long as about ``rows`` came of the last; see ``came``."""

    def __init__(self, rows: int = ROWS):
        self.rows, self.length = rows, 20

    def of(self, items: list) -> Iterator[list]:
        start = 0
        while start < len(items):
            piece = items[start : start + self.length]
            start += len(piece)
            yield piece

    def came(self, items: int, rows: int) -> None:
        """``rows`` came of so many ``items``."""
        fitting = items * self.rows // max(rows, 1)
        self.length = max(1, min(fitting, 4 * self.length, MOST))
