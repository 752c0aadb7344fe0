"""Figures of one quantity beside each other: bars from zero, broken into groups of like size.

Where one figure is many times another, one scale hides the small ones, and a scale in powers of ten
misleads whoever does not know it. So each group has a scale of its own, and says by how much it is
enlarged.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from django.utils.translation import gettext as _

from measures.numerals import plain
from measures.text import in_chinese
from metrics.models import Indicator, Observation
from metrics.rules.choices import Certainty
from metrics.wording import observed_text

from .frame import (
    ACCENT,
    FILE,
    INK,
    INK_SOFT,
    Form,
    Heading,
    fill_of,
    framed,
    in_pixels,
    lines_of,
    rules,
    text_width,
    words,
)

#: Within a group no bar is shorter than this share of the longest.
SHORTEST = Decimal(1) / 16
BAR = 14
#: Pixels between the groups, where the scale of the next is said.
BETWEEN = 34


@dataclass(frozen=True)
class Bar:
    """One figure of a comparison: converted to the base unit, and in words as reported."""

    indicator: Indicator
    value: Decimal
    latest: Observation

    @property
    def text(self) -> str:
        return observed_text(self.latest, self.indicator.unit)

    @property
    def is_hollow(self) -> bool:
        return self.latest.certainty != Certainty.ACTUAL


@dataclass(frozen=True)
class Group:
    """Bars of like size, on one scale; ``times`` larger than that of the group before, None for
    the first."""

    bars: list[Bar]
    times: Decimal | None = None

    @property
    def longest(self) -> Decimal:
        return max(0, *(bar.value for bar in self.bars))

    @property
    def rows(self) -> list[tuple[Bar, str]]:
        """Each bar with its length in per cent of the longest, as an attribute of SVG."""
        return [(bar, f"{self.share(bar) * 100:.2f}") for bar in self.bars]

    def share(self, bar: Bar) -> Decimal:
        """The length of a bar; what is below zero has none, its number says so."""
        return max(bar.value, Decimal(0)) / self.longest if self.longest else Decimal(0)

    @property
    def note(self) -> str:
        """How its scale compares with that of the group before; empty for the first."""
        if self.times is None:
            return ""
        times = plain(Decimal(f"{self.times:.2g}"), grouping=True)
        return _("Smaller figures: bars %(times)s times as long as above") % {"times": times}


def groups(bars: Sequence[Bar]) -> list[Group]:
    """``bars``, the largest first, broken where one is too small beside the largest of its group.

    What is zero or below opens no group: it has no bar on any scale.
    """
    found: list[list[Bar]] = []
    for bar in bars:
        small = found and 0 < bar.value < SHORTEST * max(one.value for one in found[-1])
        if small or not found:
            found.append([])
        found[-1].append(bar)
    made = [Group(part) for part in found]
    scales = [
        one.longest / next_.longest if next_.longest else None for one, next_ in pairwise(made)
    ]
    return [Group(group.bars, times) for group, times in zip(made, [None, *scales], strict=True)]


def spec(
    bars: Sequence[Bar], unit: str, heading: Heading | None = None, *, form: Form = FILE
) -> dict:
    """Figures of one quantity, named as reported, in the order given: the largest first.

    ``unit`` is the one that they were brought to; it is not written, as each bar says its own.
    """
    room = 15 * 13 if in_chinese() else 26 * 0.62 * 13
    left = room + 16
    right = max(text_width(bar.text) for bar in bars) + 16
    width = max(120, form.width - left - right)
    rows, names, notes, grounds, y = [], [], [], [], 0
    for group in groups(bars):
        if group.note:
            y += BETWEEN
            notes.append({"x": 0, "y": y - 14, "text": group.note, "colour": INK_SOFT})
        top = y
        for bar in group.bars:
            lines = lines_of(str(bar.indicator), room)
            height = len(lines) * 16 + 10
            middle = y + height / 2
            rows.append(
                {
                    "x": 0,
                    "x2": float(group.share(bar)) * width,
                    "y": middle - BAR / 2,
                    "y2": middle + BAR / 2,
                    "value": float(bar.value),
                    "said": _("%(name)s: %(figure)s") % {"name": bar.indicator, "figure": bar.text},
                    "fill": fill_of(bar.latest.certainty),
                    "label": bar.text,
                }
            )
            names += [
                {"x": -10, "y": middle + (n - (len(lines) - 1) / 2) * 16, "text": line}
                | {"colour": INK}
                for n, line in enumerate(lines)
            ]
            y += height
        grounds.append({"x": 0, "x2": 0, "y": top, "y2": y})
    labels = [
        {"x": row["x2"] + 7, "y": row["y"] + BAR / 2, "text": row["label"], "colour": INK}
        for row in rows
    ]
    ends = {"x2": {"field": "x2"}, "y2": {"field": "y2"}}
    fill = {"field": "fill", "type": "nominal", "scale": None}
    bar_layer = {
        "data": {"values": rows},
        "mark": {"type": "rect", "stroke": ACCENT, "strokeWidth": 1, "aria": True},
        "encoding": {"x": in_pixels("x"), "y": in_pixels("y")}
        | ends
        | {"fill": fill, "description": {"field": "said", "type": "nominal"}},
    }
    layers = [
        rules(grounds, stroke=INK_SOFT),
        bar_layer,
        words(names, "right"),
        words(labels),
    ]
    if notes:
        layers.append(words(notes, fontSize=12))
    return framed(
        layers, width=width, height=y, left=left, right=right, top=8, bottom=8, heading=heading
    )
