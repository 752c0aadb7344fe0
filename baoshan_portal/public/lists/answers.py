"""Which rows of a list have which answers, as a bit a row.

Sets of rows are whole numbers: however many rows there are, they are united, cut and counted in a
few steps of the processor for each answer.
"""

from array import array
from collections.abc import Iterable
from itertools import compress


def mask_of_places(places: Iterable[int], rows: int) -> int:
    """The mask of the rows at ``places`` among so many ``rows``."""
    found = bytearray((rows + 7) // 8)
    for place in places:
        found[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(found, "little")


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
        found: dict[str, list[int]] = {}
        for place, of_row in enumerate(answers):
            for answer in of_row:
                if answer in found:
                    found[answer].append(place)
                else:
                    found[answer] = [place]
        self._facets[facet] = {
            answer: mask_of_places(places, len(self.keys)) for answer, places in found.items()
        }

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
        wanted = set(keys)
        places = (place for place, key in enumerate(self.keys) if key in wanted)
        return mask_of_places(places, len(self.keys))

    def keys_of(self, mask: int) -> list[int]:
        """The keys of the rows in ``mask``, in their order."""
        bits = format(mask, f"0{len(self.keys)}b")
        return list(compress(self.keys, (bit == "1" for bit in reversed(bits))))
