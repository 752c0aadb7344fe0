"""Charts of figures as Vega-Lite specs: what is drawn and what it says; ``drawing`` draws it.

A bar begins at zero, and its width is its period; a scale in powers of ten carries points, never
bars. About, nearly and over stand in the label, preliminary and expected values are hollow, and
what has no value is not drawn. Sizes are computed from the words, because the machine that draws
may lack the reader's fonts: nothing is ever cut.
"""

import re
import textwrap
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from measures.text import in_chinese

from .choices import Certainty, Kind
from .figures import figure_text, observed_text
from .models import Indicator, Observation, Target
from .periods import period_text
from .progress import why_unpaced

#: Small enough that a phone shows a history whole, with type that can be read.
WIDTH, HEIGHT = 460, 220
COMPARISON_WIDTH = 420
SMALL_WIDTH, SMALL_HEIGHT = 120, 32
TYPE = 13
#: From this ratio of the largest to the smallest value on, a scale of equal steps hides the small.
POWERS_OF_TEN_FROM = 100

#: The colours of ``tokens.css`` in light; on a page each is the token itself, so that a chart
#: follows the reader's choice of light or dark.
PAPER, INK, INK_SOFT, RULE, ACCENT = "#fdfcf9", "#1c1b19", "#5b5852", "#cfcac0", "#14507a"
TOKENS = {
    PAPER: "var(--paper)",
    INK: "var(--ink)",
    INK_SOFT: "var(--ink-soft)",
    RULE: "var(--rule)",
    ACCENT: "var(--accent)",
}
SHAPES = {
    Kind.STOCK: "circle",
    Kind.FLOW: "square",
    Kind.CUMULATIVE: "triangle-up",
    Kind.CAPACITY: "diamond",
}
#: The shapes in words' own signs, for the legend beside the chart.
SIGNS = {Kind.STOCK: "●", Kind.FLOW: "■", Kind.CUMULATIVE: "▲", Kind.CAPACITY: "◆"}
DASHED = [5, 4]


def inline(svg: str) -> SafeString:
    """The chart ``svg`` as a part of a page: its colours become the page's tokens."""
    for colour, token in TOKENS.items():
        svg = svg.replace(f'"{colour}"', f'"{token}"')
    # The sizes are the drawing's own; the style sheet may make it smaller, never larger.
    return mark_safe(re.sub(r"<svg ", '<svg role="presentation" ', svg, count=1))


def text_width(text: str, size: float = TYPE) -> float:
    """Pixels that ``text`` takes at the most: a Chinese character is as wide as it is high."""
    return sum(size if unicodedata.east_asian_width(c) in "WFA" else 0.62 * size for c in text)


def lines_of(text: str, width: float) -> list[str]:
    """``text`` in lines of at most ``width`` pixels."""
    if in_chinese():
        size = int(width // TYPE)
        return [text[at : at + size] for at in range(0, len(text), size)]
    return textwrap.wrap(text, int(width / (0.62 * TYPE)), break_long_words=True)


@dataclass(frozen=True)
class Heading:
    """What a chart says above itself where it stands alone, as a file."""

    title: str
    lines: tuple[str, ...] = ()


def _framed(
    layers: list[dict], *, width, height, left, right, top, bottom, heading=None, axis_above=0
) -> dict:
    """The layers within fixed margins; the heading, if any, goes above them.

    ``axis_above`` is what an axis at the top takes of the upper margin: a heading keeps clear of
    it by itself.
    """
    spec = {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": width,
        "height": height,
        "autosize": "none",
        "layer": layers,
        "config": {
            "font": "Noto Sans CJK SC, Microsoft YaHei, PingFang SC, sans-serif",
            "view": {"stroke": None},
            "axis": {
                "aria": False,
                "domainColor": RULE,
                "gridColor": RULE,
                "tickColor": RULE,
                "labelColor": INK_SOFT,
                "titleColor": INK_SOFT,
                "labelFontSize": TYPE - 1,
                "titleFontSize": TYPE - 1,
                "titleFontWeight": "normal",
                "labelLimit": 0,
                "titleLimit": 0,
            },
            "text": {"fontSize": TYPE, "fill": INK, "limit": 0},
        },
    }
    if heading:
        room = width + left + right - 24
        title = lines_of(heading.title, room * 0.8)
        notes = [part for line in heading.lines for part in lines_of(line, room)]
        spec["background"] = PAPER
        spec["title"] = {
            "text": title,
            "subtitle": notes,
            "anchor": "start",
            "frame": "group",
            "dx": 12 - left,
            "offset": top - axis_above,
            "fontSize": TYPE + 3,
            "color": INK,
            "subtitleColor": INK_SOFT,
            "subtitleFontSize": TYPE - 1,
            "subtitlePadding": 6,
            "limit": 0,
        }
        top += len(title) * (TYPE + 7) + len(notes) * (TYPE + 4) + 24
        bottom += 12
        right += 12
    else:
        spec["background"] = None
    spec["padding"] = {"left": left, "right": right, "top": top, "bottom": bottom}
    return spec


# The history of one indicator


def distinct(observations: Sequence[Observation]) -> list[Observation]:
    """Values to draw, oldest first; a figure that two sentences tell alike stands once."""
    found = {
        (row.period_start, row.period_end, row.value, row.qualifier): row for row in observations
    }
    return sorted(found.values(), key=lambda row: (row.period_end, row.pk or 0))


def has_history(observations: Sequence[Observation], targets: Sequence[Target]) -> bool:
    """Whether a chart says more than the figure: two values, or one and a target to compare."""
    drawn = len(distinct(observations))
    return drawn > 1 or (drawn == 1 and any(target.value is not None for target in targets))


def history(
    indicator: Indicator,
    observations: Sequence[Observation],
    targets: Sequence[Target],
    on: date,
    heading: Heading | None = None,
) -> dict:
    """The public values of ``indicator`` over time, its targets, and the even way to them.

    Needs the indicator's unit and the targets' plans. The way is drawn where ``pace`` has a
    meaning; the day of the page where a target makes it matter.
    """
    rows = [_datum(indicator, row) for row in distinct(observations)]
    known = [target for target in targets if target.value is not None]
    bars = indicator.kind == Kind.FLOW
    layers = []
    for target in known:
        layers += _target_layers(indicator, target)
    layers += _value_layers(rows, bars)
    layers += _labels(rows, bars)
    if known:
        layers.append(_day(on, rows, known))

    label = max(text_width(_axis_number(value)) for value in _extent(rows, known))
    widest = max(text_width(row["label"]) for row in rows)
    targets_widest = max((text_width(_target_label(indicator, t)) for t in known), default=0)
    scale = {"zero": indicator.kind != Kind.RANK, "nice": indicator.kind != Kind.RANK}
    if indicator.kind == Kind.RANK:
        scale |= {"reverse": True, "domainMin": 1}
    unit = indicator.unit.in_language("name")
    left = label + 20
    y = {
        "field": "value",
        "type": "quantitative",
        "scale": scale,
        "axis": {
            "title": unit,
            "titleAngle": 0,
            "titleAlign": "left",
            "titleX": -(left - 4),
            "titleY": -16,
            "format": ",~f",
            "tickCount": 5,
            "tickMinStep": 1 if indicator.kind == Kind.RANK else 0,
            "domain": False,
            "ticks": False,
        },
    }
    for layer in layers:
        if "y" in layer["encoding"]:
            layer["encoding"]["y"] = y | layer["encoding"]["y"]
    return _framed(
        layers,
        width=WIDTH,
        height=HEIGHT,
        left=left,
        right=max(widest / 2, targets_widest and 16, 16) + 8,
        top=40,
        bottom=36,
        heading=heading,
    )


def _datum(indicator: Indicator, row: Observation) -> dict:
    figure = figure_text(row.value, indicator.unit, row.qualifier)
    period = period_text(row.period_start, row.period_end)
    return {
        "start": (row.period_start or row.period_end).isoformat(),
        # A period ends with its last day, so the bar ends where the next day begins.
        "end": (row.period_end + timedelta(days=1)).isoformat(),
        "value": float(row.value),
        "label": figure,
        "said": _("%(period)s: %(figure)s")
        % {"period": period, "figure": observed_text(row, indicator.unit)},
        "fill": _fill(row),
    }


def _fill(row: Observation) -> str:
    return ACCENT if row.certainty == Certainty.ACTUAL else PAPER


def _time(field: str) -> dict:
    return {
        "field": field,
        "type": "temporal",
        "scale": {"type": "utc", "padding": 6},
        "axis": {
            "title": None,
            "format": "%Y-%m",
            "grid": False,
            "tickCount": 6,
            "labelOverlap": True,
        },
    }


def _value_layers(rows: list[dict], bars: bool) -> list[dict]:
    said = {"field": "said", "type": "nominal"}
    fill = {"field": "fill", "type": "nominal", "scale": None}
    value = {"y": {"field": "value"}}
    if bars:
        mark = {"type": "bar", "stroke": ACCENT, "strokeWidth": 1.5, "fillOpacity": 0.2}
        x = {"x": _time("start"), "x2": {"field": "end"}}
        encoding = x | value | {"y2": {"datum": 0}, "fill": fill, "description": said}
        return [{"data": {"values": rows}, "mark": mark, "encoding": encoding}]
    line = {"type": "line", "stroke": ACCENT, "strokeWidth": 1.5, "aria": False}
    point = {"type": "point", "stroke": ACCENT, "strokeWidth": 1.5, "size": 50, "opacity": 1}
    x = {"x": _time("end")}
    return [
        {"data": {"values": rows}, "mark": line, "encoding": x | value},
        {
            "data": {"values": rows},
            "mark": point,
            "encoding": x | value | {"fill": fill, "description": said},
        },
    ]


def _labels(rows: list[dict], bars: bool) -> list[dict]:
    """Every value in words while there is room; of many, the first and the newest.

    The first point's words begin at the point, to keep clear of the axis.
    """
    fits = sum(text_width(row["label"]) + 8 for row in rows) < WIDTH
    shown = rows if fits else [rows[0], rows[-1]]
    shown = [row | {"middle": _middle(row) if bars else row["end"]} for row in shown]
    if bars:
        return [_label_layer(shown, "center")]
    return [_label_layer(shown[:1], "left"), _label_layer(shown[1:], "center")]


def _label_layer(rows: list[dict], align: str) -> dict:
    return {
        "data": {"values": rows},
        "mark": {
            "type": "text",
            "dy": -12,
            "dx": -4 if align == "left" else 0,
            "align": align,
            "aria": False,
        },
        "encoding": {
            "x": _time("middle"),
            "y": {"field": "value"},
            "text": {"field": "label", "type": "nominal"},
        },
    }


def _middle(row: dict) -> str:
    start, end = date.fromisoformat(row["start"]), date.fromisoformat(row["end"])
    return (start + (end - start) / 2).isoformat()


def _target_label(indicator: Indicator, target: Target) -> str:
    figure = figure_text(target.value, indicator.unit)
    return _("target %(figure)s") % {"figure": f"{target.get_comparator_display()} {figure}"}


def _target_layers(indicator: Indicator, target: Target) -> list[dict]:
    """A line at the target's height from the plan's beginning to the due day, and the even way."""
    start, due = target.plan.start_on, target.due_on or target.plan.end_on
    label = _target_label(indicator, target)
    row = {
        "start": start.isoformat(),
        "end": due.isoformat(),
        "value": float(target.value),
        "label": label,
    }
    x = {"x": _time("start"), "x2": {"field": "end"}}
    layers = [
        {
            "data": {"values": [row]},
            "mark": {"type": "rule", "stroke": INK, "strokeWidth": 1.5},
            "encoding": x
            | {"y": {"field": "value"}, "description": {"field": "label", "type": "nominal"}},
        },
        {
            "data": {"values": [row]},
            "mark": {"type": "text", "align": "left", "dy": -8, "aria": False},
            "encoding": {
                "x": _time("start"),
                "y": {"field": "value"},
                "text": {"field": "label", "type": "nominal"},
            },
        },
    ]
    if why_unpaced(indicator.kind, indicator.frequency, target.baseline) is None:
        begin = target.baseline if target.baseline is not None else Decimal(0)
        way = [
            {"day": start.isoformat(), "value": float(begin)},
            {"day": due.isoformat(), "value": float(target.value)},
        ]
        layers.append(
            {
                "data": {"values": way},
                "mark": {
                    "type": "line",
                    "stroke": INK_SOFT,
                    "strokeWidth": 1.5,
                    "strokeDash": DASHED,
                    "aria": False,
                },
                "encoding": {"x": _time("day"), "y": {"field": "value"}},
            }
        )
    return layers


def _day(on: date, rows: list[dict], known: list[Target]) -> dict:
    """A thin upright on the day that the page speaks of, if it lies within what is drawn."""
    ends = [row["end"] for row in rows] + [
        (target.due_on or target.plan.end_on).isoformat() for target in known
    ]
    days = [{"day": on.isoformat()}] if on.isoformat() <= max(ends) else []
    return {
        "data": {"values": days},
        "mark": {"type": "rule", "stroke": INK_SOFT, "strokeDash": [1, 3], "aria": False},
        "encoding": {"x": _time("day")},
    }


def _extent(rows: list[dict], known: list[Target]) -> list[float]:
    return [row["value"] for row in rows] + [float(target.value) for target in known]


def _axis_number(value: float) -> str:
    # The axis may go a little beyond the greatest value: one digit more.
    return f"{value:,.0f}0"


def small(indicator: Indicator, observations: Sequence[Observation]) -> dict:
    """The course of ``indicator`` in the size of a word; its numbers stand beside it."""
    rows = [_datum(indicator, row) for row in distinct(observations)]
    layers = _value_layers(rows, indicator.kind == Kind.FLOW)
    scale = {"zero": indicator.kind != Kind.RANK, "reverse": indicator.kind == Kind.RANK}
    for layer in layers:
        for name in ("x", "y"):
            layer["encoding"][name]["axis"] = None
        layer["encoding"]["y"] |= {"type": "quantitative", "scale": scale}
        if layer["mark"]["type"] == "point":
            layer["mark"]["size"] = 12
    return _framed(layers, width=SMALL_WIDTH, height=SMALL_HEIGHT, left=4, right=4, top=4, bottom=4)


# The figures of one quantity beside each other


@dataclass(frozen=True)
class Bar:
    """One figure of a comparison: converted to the base unit, and in words as reported."""

    indicator: Indicator
    value: Decimal
    latest: Observation

    @property
    def text(self) -> str:
        return figure_text(self.latest.value, self.indicator.unit, self.latest.qualifier)


def in_powers_of_ten(bars: Sequence[Bar]) -> bool:
    """Whether a scale of equal steps would hide the small values; zero is on no such scale."""
    values = [bar.value for bar in bars]
    return min(values) > 0 and max(values) >= POWERS_OF_TEN_FROM * min(values)


def _powers_of_ten(values: Sequence[Decimal]) -> list[float]:
    """1, 10, 100 … from below the smallest to above the largest value, all above zero."""
    first, last = min(values).adjusted(), max(values).adjusted()
    return [10.0**n for n in range(first, last + 2)]


def comparison(bars: Sequence[Bar], unit: str, heading: Heading | None = None) -> dict:
    """Figures of one quantity in one unit, named ``unit``, in the order given.

    Points on a scale in powers of ten where the values need it, else bars from zero. The shape
    tells the kind of figure, because a stock and a flow count different things.
    """
    powers = in_powers_of_ten(bars)
    room = 16 * TYPE if in_chinese() else 44 * 0.62 * TYPE
    names = [lines_of(str(bar.indicator), room) for bar in bars]
    tallest = max(len(lines) for lines in names)
    rows = [
        {
            "name": f"{place:03}\n" + "\n".join(lines),
            "value": float(bar.value),
            "label": bar.text,
            "said": _("%(name)s: %(figure)s") % {"name": bar.indicator, "figure": bar.text},
            "shape": SHAPES.get(Kind(bar.indicator.kind), "cross"),
            "fill": _fill(bar.latest),
        }
        for place, (bar, lines) in enumerate(zip(bars, names, strict=True))
    ]
    ten_times = _("each step ten times as much")
    tens = _powers_of_ten([bar.value for bar in bars]) if powers else []
    scale = {"type": "log", "domain": [tens[0], tens[-1]]} if powers else {"zero": True}
    y = {
        "field": "name",
        "type": "nominal",
        "sort": None,
        "axis": {
            "title": None,
            # The number before the name keeps two indicators of one name apart.
            "labelExpr": "slice(split(datum.label, '\\n'), 1)",
            "labelFontSize": TYPE,
            "labelColor": INK,
            "labelLineHeight": TYPE + 3,
            "labelPadding": 10,
            "ticks": False,
            "domain": False,
            "grid": powers,
            "gridDash": [1, 3],
        },
    }
    x = {
        "field": "value",
        "type": "quantitative",
        "scale": scale,
        "axis": {
            "title": f"{unit} · {ten_times}" if powers else unit,
            "titleAnchor": "start",
            "format": ",~f",
            "tickCount": 5,
            "orient": "top",
            "labelOverlap": not powers,
        },
    }
    if powers:
        x["axis"] |= {"values": tens, "tickCount": len(tens)}
    fill = {"field": "fill", "type": "nominal", "scale": None}
    said = {"field": "said", "type": "nominal"}
    mark = (
        {"type": "point", "size": 70, "stroke": ACCENT, "strokeWidth": 1.5, "opacity": 1}
        if powers
        else {"type": "bar", "height": 14, "stroke": ACCENT, "strokeWidth": 1, "fillOpacity": 0.2}
    )
    encoding = {"x": x, "y": y, "fill": fill, "description": said}
    if powers:
        encoding["shape"] = {"field": "shape", "type": "nominal", "scale": None}
    layers = [
        {"mark": mark, "encoding": encoding},
        {
            "mark": {"type": "text", "align": "left", "dx": 9, "aria": False},
            "encoding": {"x": x, "y": y, "text": {"field": "label", "type": "nominal"}},
        },
    ]
    for layer in layers:
        layer["data"] = {"values": rows}
    return _framed(
        layers,
        width=COMPARISON_WIDTH,
        height=len(rows) * (tallest * (TYPE + 3) + 12),
        left=max(text_width(line) for lines in names for line in lines) + 20,
        right=max(text_width(row["label"]) for row in rows) + 16,
        top=44,
        bottom=8,
        heading=heading,
        axis_above=32,
    )
