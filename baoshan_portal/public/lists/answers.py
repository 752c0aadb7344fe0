"""Which rows of a list have which answers, as a bit a row.

Sets of rows are whole numbers: however many rows there are, they are united, cut and counted in a
few steps of the processor for each answer.
"""

from array import array
from collections.abc import Iterable
from itertools import compress


class Bits:
    """Rows of a list that are set one by one: ``add`` their places, then read ``mask``."""

    def __init__(self, rows: int):
        self._bytes = bytearray((rows + 7) // 8)

    def add(self, place: int) -> None:
        self._bytes[place >> 3] |= 1 << (place & 7)

    @property
    def mask(self) -> int:
        return int.from_bytes(self._bytes, "little")


class Answers:
    """The rows of a list by their keys, and of each facet that was read who has each answer.

    A mask has the bit of a row's place in ``keys`` set.
    """

    def __init__(self, keys: Iterable[int]):
        self.keys = array("q", keys)
        self.all = (1 << len(self.keys)) - 1
        self._facets: dict[str, dict[str, int]] = {}

    def __contains__(self, facet: str) -> bool:
        return facet in self._facets

    def read(self, facet: str, answers: Iterable[Iterable[str]]) -> None:
        """Takes the ``answers`` of every row to ``facet``, in the order of ``keys``."""
        found: dict[str, Bits] = {}
        for place, of_row in enumerate(answers):
            for answer in of_row:
                if answer not in found:
                    found[answer] = Bits(len(self.keys))
                found[answer].add(place)
        self._facets[facet] = {answer: bits.mask for answer, bits in found.items()}

    def of(self, facet: str) -> dict[str, int]:
        """The mask of each answer that a row has."""
        return self._facets[facet]

    def any_of(self, facet: str, answers: Iterable[str]) -> int:
        """The mask of the rows that have at least one of ``answers``."""
        masks, found = self._facets[facet], 0
        for answer in answers:
            found |= masks.get(answer, 0)
        return found

    def mask_of(self, keys: Iterable[int]) -> int:
        """The mask of the rows with these ``keys``."""
        wanted, bits = set(keys), Bits(len(self.keys))
        for place, key in enumerate(self.keys):
            if key in wanted:
                bits.add(place)
        return bits.mask

    def keys_of(self, mask: int) -> list[int]:
        """The keys of the rows in ``mask``, in their order."""
        bits = format(mask, f"0{len(self.keys)}b")
        return list(compress(self.keys, (bit == "1" for bit in reversed(bits))))
