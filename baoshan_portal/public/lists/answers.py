"""The answers of rows that were looked at one by one, since no summary says them."""

from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import compress

#: Facets that are counted together, by their names.
Group = tuple[str, ...]
#: The answers of a row to each facet of a group; most facets have one.
Combination = tuple[tuple[str, ...], ...]
#: Whether a group keeps the rows with such answers.
Keeps = Callable[[Group, Combination], bool]


class Answers:
    """Rows by their keys, and of each group of facets what they answer, in the same order.

    Thousands answer alike, and share what they answer.
    """

    def __init__(self, keys: Iterable[int], answers: dict[Group, Iterable[Combination]]):
        self._keys, same = array("q", keys), {}
        self._answers = {
            group: [same.setdefault(one, one) for one in of_rows]
            for group, of_rows in answers.items()
        }

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def keys(self) -> list[int]:
        return self._keys.tolist()

    def among(self, keys: Collection[int]) -> "Answers":
        """Those of the rows that are among ``keys``."""
        wanted = {*keys}
        chosen = [key in wanted for key in self._keys]
        answers = {group: compress(of_rows, chosen) for group, of_rows in self._answers.items()}
        return Answers(compress(self._keys, chosen), answers)

    def counted(self, group: Group, keeps: Keeps) -> Counter[Combination]:
        """How many of the rows that all other groups keep answer alike to ``group``."""
        others = [other for other in self._answers if other != group]
        return Counter(compress(self._answers[group], self._kept(others, keeps)))

    def kept(self, keeps: Keeps) -> list[int]:
        """The keys of the rows that all groups keep."""
        return [*compress(self._keys, self._kept([*self._answers], keeps))]

    def _kept(self, groups: list[Group], keeps: Keeps) -> Iterator[bool]:
        columns = []
        for group in groups:
            said = {one: keeps(group, one) for one in {*self._answers[group]}}
            columns.append(map(said.__getitem__, self._answers[group]))
        return map(all, zip(*columns, strict=True)) if columns else (True for _key in self._keys)
