"""Folded texts that are searched together, in the room of their bytes.

One sweep over the bytes finds every row, so that a search costs what it answers and little more:
a hundred thousand rows are some megabytes, where a row of Python's own would be a hundred.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence


class Texts:
    """Folded texts in an order, each without a line end."""

    def __init__(self, texts: Iterable[str]):
        made, self._starts = bytearray(b"\n"), array("Q")
        for text in texts:
            self._starts.append(len(made))
            made += text.replace("\n", " ").encode() + b"\n"
        self._bytes = bytes(made)

    def __len__(self) -> int:
        return len(self._starts)

    def that_have(self, sought: Sequence[str], *, at_the_start: bool = False) -> bytearray:
        """For each text 1 where it has one of ``sought`` (or begins with one), 0 where not."""
        found = bytearray(len(self))
        for one in sought:
            self._mark(found, one.encode(), b"\n" if at_the_start else b"")
        return found

    def _mark(self, found: bytearray, sought: bytes, before: bytes) -> None:
        if not sought:
            found[:] = b"\1" * len(found)
            return
        sought = before + sought
        # A text begins behind the line end of the one before.
        at = self._bytes.find(sought)
        while at >= 0:
            row = bisect_right(self._starts, at + len(before)) - 1
            found[row] = 1
            if row + 1 == len(found):
                return
            at = self._bytes.find(sought, self._starts[row + 1] - len(before))


def in_all(masks: Sequence[bytearray]) -> bytearray:
    """1 where all ``masks`` have it; they are of one length, and there is at least one."""
    first, *others = masks
    both = int.from_bytes(first)
    for mask in others:
        both &= int.from_bytes(mask)
    return bytearray(both.to_bytes(len(first)))
