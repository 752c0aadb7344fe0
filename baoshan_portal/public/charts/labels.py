"""Where words of a chart stand so that they touch neither each other nor a mark (pure, pixels)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from .frame import TYPE, text_width

#: Between two words, and between words and a mark.
CLEAR = 3
ALIGNS = ("left", "center", "right")


class Box(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float

    def met(self, others: Iterable["Box"]) -> list["Box"]:
        """Those of ``others`` that it meets."""
        left, top, right, bottom = self
        return [
            other
            for other in others
            if left < other.right
            and other.left < right
            and top < other.bottom
            and other.top < bottom
        ]

    def within(self, other: "Box") -> bool:
        return (
            self.left >= other.left
            and self.top >= other.top
            and self.right <= other.right
            and self.bottom <= other.bottom
        )


class Place(NamedTuple):
    """Where words may stand: ``x`` is their left end, middle or right end as ``align`` says,
    ``y`` the middle of their height."""

    x: float
    y: float
    align: str = "center"

    def box(self, text: str) -> Box:
        width = text_width(text)
        left = self.x - width * {"left": 0, "center": 0.5, "right": 1}[self.align]
        half = TYPE / 2 + 1
        return Box(left - CLEAR, self.y - half, left + width + CLEAR, self.y + half)


@dataclass
class Paper:
    """What is taken of the room ``bounds``: by words, and by marks that words must not cover."""

    bounds: Box
    taken: list[Box] = field(default_factory=list)
    written: list[tuple[str, Place, str]] = field(default_factory=list)

    def mark(self, x: float, y: float, half: float = 6) -> None:
        self.taken.append(Box(x - half, y - half, x + half, y + half))

    def line(self, start: tuple[float, float], end: tuple[float, float], half=1.5) -> None:
        """A line is taken as a row of small marks."""
        (x, y), (to_x, to_y) = start, end
        steps = max(1, round(max(abs(to_x - x), abs(to_y - y)) / 6))
        for n in range(steps + 1):
            self.mark(x + (to_x - x) * n / steps, y + (to_y - y) * n / steps, half)

    def write(self, text: str, places: Sequence[Place], *, colour: str, must: bool = False) -> bool:
        """Write ``text`` at the first of ``places`` that is free; whether it was written.

        What ``must`` be written takes the place within bounds that disturbs the least.
        """
        places = [place for place in map(self._moved_in(text, must), places) if place]
        free = next((place for place in places if self._is_free(place.box(text))), None)
        if free is None and not (must and places):
            return False
        place = free or min(places, key=lambda place: self._clashes(place.box(text)))
        self.taken.append(place.box(text))
        self.written.append((text, place, colour))
        return True

    def _moved_in(self, text: str, must: bool):
        def moved(place: Place) -> Place | None:
            box = place.box(text)
            if box.within(self.bounds):
                return place
            # Sideways words may give way a little; a value below the axis says something else.
            shift = max(self.bounds.left - box.left, 0) + min(self.bounds.right - box.right, 0)
            place = place._replace(x=place.x + shift)
            fits = place.box(text).within(self.bounds)
            near = abs(shift) < 0.75 * (box.right - box.left)
            return place if fits and (near or must) else None

        return moved

    def _is_free(self, box: Box) -> bool:
        return not box.met(self.taken)

    def _clashes(self, box: Box) -> int:
        """Words upon words are worse than words upon a mark."""
        words = box.met(place.box(text) for text, place, _colour in self.written)
        return len(box.met(self.taken)) + 20 * len(words)


def around(x: float, y: float, off: float = 15) -> list[Place]:
    """The places around a mark, the best first."""
    return [
        Place(x, y - off),
        Place(x - 5, y - off, "left"),
        Place(x + 5, y - off, "right"),
        Place(x, y + off),
        Place(x - 5, y + off, "left"),
        Place(x + 5, y + off, "right"),
        Place(x + 11, y, "left"),
        Place(x - 11, y, "right"),
        Place(x + 14, y + off, "left"),
        Place(x - 14, y - off, "right"),
    ]


def ground(text: str, place: Place) -> dict:
    """The ground of words: tighter than the room they may take at the most."""
    box = place.box(text)
    spare = 0.12 * (box.right - box.left)
    left, right = {"left": (0, spare), "center": (spare / 2,) * 2, "right": (spare, 0)}[place.align]
    return {
        "left": box.left + left,
        "right": box.right - right,
        "top": box.top,
        "bottom": box.bottom,
    }


def along(start: float, end: float, y: float) -> list[Place]:
    """The places beside a level line."""
    return [
        Place(start + 2, y - 11, "left"),
        Place(end - 2, y - 11, "right"),
        Place((start + end) / 2, y - 11),
        Place(end - 2, y + 12, "right"),
        Place(start + 2, y + 12, "left"),
        Place((start + end) / 2, y + 12),
        Place(start - 6, y, "right"),
        Place(end + 6, y, "left"),
    ]


def rows(paper: Paper) -> Iterable[dict]:
    """What was written, as rows of a chart's data."""
    for text, place, colour in paper.written:
        yield {
            "x": place.x,
            "y": place.y,
            "align": place.align,
            "text": text,
            "colour": colour,
        }
