"""Wholes and their parts: a bar, the counts beside it, and the list behind each count."""

from dataclasses import dataclass

from metrics.rules.choices import Freshness

#: The states of figures, the worst first, and how a bar shows them.
FRESHNESS = (
    (Freshness.LATE, "bad"),
    (Freshness.SILENT, "open"),
    (Freshness.NEVER, "warn"),
    (Freshness.ONCE, "no"),
    (Freshness.CURRENT, "good"),
)


@dataclass(frozen=True)
class Part:
    """Some of a ``Whole``: how many, where they are listed, and how the bar shows them."""

    label: str
    count: int
    link: str
    tone: str
    start: int


@dataclass(frozen=True)
class Whole:
    """All targets, measures, indicators or checks by one question; the parts do not overlap."""

    label: str
    parts: list[Part]

    @property
    def total(self) -> int:
        return sum(part.count for part in self.parts)


def whole(label: str, *parts: tuple) -> Whole:
    """``parts`` are label, count, link and tone each."""
    made, start = [], 0
    for name, count, link, tone in parts:
        made.append(Part(name, count, link, tone, start))
        start += count
    return Whole(label, made)
