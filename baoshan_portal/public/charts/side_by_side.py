"""The chart of a few indicators over time beside each other, as a Vega-Lite spec.

Lines differ in shape and dashes besides their ink, and each carries its name at its end, so that
nobody needs a legend or colours. What has one value only is one point.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from .frame import ACCENT, INK, INK_SOFT, PAPER, TYPE, Heading, framed, lines_of, text_width

WIDTH, NARROW, HEIGHT = 560, 250, 300
#: Shape, ink and dashes of the first to the sixth line.
STYLES = (
    ("circle", ACCENT, [1, 0]),
    ("square", INK, [1, 0]),
    ("triangle-up", ACCENT, [6, 3]),
    ("diamond", INK, [6, 3]),
    ("triangle-down", INK_SOFT, [1, 0]),
    ("cross", INK_SOFT, [2, 3]),
)
#: The shapes in words' own signs, for the table beside the chart.
SIGNS = ("●", "■", "▲", "◆", "▼", "✚")
LINE = TYPE + 3
ROOM = 15 * TYPE


@dataclass(frozen=True)
class Point:
    """One value of a line: where it stands, in words, and whether it is more than expected."""

    day: date
    value: Decimal
    text: str
    is_actual: bool


@dataclass(frozen=True)
class Line:
    """The points of one indicator in the order of time; ``place`` chooses its style."""

    name: str
    place: int
    points: Sequence[Point]


def spec(
    lines: Sequence[Line],
    title: str,
    *,
    from_zero: bool,
    narrow: bool = False,
    heading: Heading | None = None,
) -> dict:
    """``lines`` (each with a point) over one scale, named ``title``.

    ``narrow`` is for a phone: the lines carry their signs, which the page explains.
    """
    width = NARROW if narrow else WIDTH
    values = [float(point.value) for line in lines for point in line.points]
    low, high = _domain(min(values), max(values), from_zero)
    layers = [layer for line in lines for layer in _line_layers(line)]
    ends = [(line, float(line.points[-1].value)) for line in lines]
    ends = [(line, (high - value) / (high - low) * HEIGHT) for line, value in ends]
    labels = _labels(ends, narrow)
    layers.append(
        {
            "data": {"values": labels},
            "mark": {
                "type": "text",
                "align": "left",
                "baseline": "middle",
                "lineBreak": "\n",
                "lineHeight": LINE,
                "aria": False,
            },
            "encoding": {
                "x": {"value": width + 12},
                "y": {"field": "y", "type": "quantitative", "scale": None, "axis": None},
                "text": {"field": "text", "type": "nominal"},
                "color": {"field": "ink", "type": "nominal", "scale": None, "legend": None},
            },
        }
    )
    scale = {"domain": [low, high], "nice": False, "zero": False}
    years = {point.day.year for line in lines for point in line.points}
    # A year before and after, so that one value alone stands in the middle.
    x = {
        "type": "temporal",
        "axis": {
            "title": None,
            "format": "%Y" if len(years) > 2 else "%Y-%m",
            "tickCount": (3 if narrow else 6)
            if len(years) <= 2
            else {"interval": "year", "step": _step(years)},
            "grid": False,
            "labelOverlap": True,
        },
    }
    y = {
        "type": "quantitative",
        "scale": scale,
        "axis": {
            "title": title,
            "titleAngle": 0,
            "titleAlign": "left",
            "titleX": -_left(low, high) + 4,
            "titleY": -16,
            "format": ",~f",
            "tickCount": 5,
            "domain": False,
            "ticks": False,
        },
    }
    for layer in layers[:-1]:
        layer["encoding"]["x"] |= x
        layer["encoding"]["y"] |= y
    return framed(
        layers,
        width=width,
        height=HEIGHT,
        left=_left(low, high),
        right=max(text_width(part) for row in labels for part in row["text"].split("\n")) + 20,
        top=40,
        bottom=36,
        heading=heading,
    ) | {"resolve": {"scale": {"y": "shared"}}}


def _step(years: set[int]) -> int:
    return max(1, (max(years) - min(years)) // 8)


def _domain(low: float, high: float, from_zero: bool) -> tuple[float, float]:
    """The ends of the scale, with a little air; from zero where a length is what is read."""
    if from_zero:
        low, high = min(low, 0), max(high, 0)
    air = (high - low or abs(high) or 1) * 0.06
    return low - (air if low else 0), high + (air if high else 0)


def _left(low: float, high: float) -> float:
    """Pixels for the numbers of the scale."""
    return max(text_width(f"{round(value):,}") for value in (low, high)) + 28


def _line_layers(line: Line) -> list[dict]:
    shape, ink, dashes = STYLES[line.place]
    rows = [
        {
            "day": point.day.isoformat(),
            "value": float(point.value),
            "said": _("%(name)s: %(figure)s") % {"name": line.name, "figure": point.text},
            "fill": ink if point.is_actual else PAPER,
        }
        for point in line.points
    ]
    place = {"x": {"field": "day"}, "y": {"field": "value"}}
    mark = {"type": "line", "stroke": ink, "strokeWidth": 1.75, "strokeDash": dashes, "aria": False}
    points = {
        "mark": {
            "type": "point", "shape": shape, "size": 46, "stroke": ink, "strokeWidth": 1.5,
            "opacity": 1,
        },
        "encoding": {
            **{name: dict(channel) for name, channel in place.items()},
            "fill": {"field": "fill", "type": "nominal", "scale": None, "legend": None},
            "description": {"field": "said", "type": "nominal"},
        },
        "data": {"values": rows},
    }  # fmt: skip
    if len(rows) == 1:
        return [points]
    return [{"mark": mark, "encoding": place, "data": {"values": rows}}, points]


def _labels(ends: Sequence[tuple[Line, float]], only_signs: bool) -> list[dict]:
    """The name at the end of each line, moved up or down so that no two touch."""
    texts = [
        SIGNS[line.place]
        if only_signs
        else "\n".join(lines_of(f"{SIGNS[line.place]} {line.name}", ROOM))
        for line, _height in ends
    ]
    rows = sorted(zip(ends, texts, strict=True), key=lambda row: row[0][1])
    heights = [(text.count("\n") + 1) * LINE + 4 for _end, text in rows]
    tops, free = [], 0.0
    for ((_line, wanted), _text), height in zip(rows, heights, strict=True):
        top = max(wanted - height / 2, free)
        tops.append(top)
        free = top + height
    # What ran over the lower edge pushes the others up again.
    edge = HEIGHT + LINE
    for n in reversed(range(len(rows))):
        tops[n] = min(tops[n], edge - heights[n])
        edge = tops[n]
    return [
        {
            # The text hangs from the middle of its first line.
            "y": top + LINE / 2,
            "text": text,
            "ink": STYLES[line.place][1],
        }
        for ((line, _wanted), text), top in zip(rows, tops, strict=True)
    ]
