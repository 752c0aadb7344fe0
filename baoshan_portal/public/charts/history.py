"""The chart of one indicator over time as a Vega-Lite spec, and the same in the size of a word.

A flow is bars from zero, each as wide as its period; every other kind is points on a line. About,
nearly and over stand in the label, and what has no value is not drawn.
"""

from collections.abc import Sequence
from datetime import date, timedelta

from django.utils.translation import gettext as _

from metrics.assessment import baseline_from, gaps_of, newest_reported
from metrics.models import Indicator, Observation, Target
from metrics.rules.choices import Kind
from metrics.rules.periods import are_comparable, period_text
from metrics.rules.progress import why_unpaced
from metrics.wording import figure_text, observed_text

from .frame import ACCENT, INK, INK_SOFT, Heading, fill_of, framed, text_width

#: Small enough that a phone shows a history whole, with type that can be read.
WIDTH, HEIGHT = 460, 220
SMALL_WIDTH, SMALL_HEIGHT = 120, 32
DASHED = [5, 4]


def distinct(observations: Sequence[Observation]) -> list[Observation]:
    """Values to draw, oldest first; a figure that two sentences state alike stands once."""
    found = {
        (row.period_start, row.period_end, row.value, row.qualifier): row for row in observations
    }
    return sorted(found.values(), key=lambda row: (row.period_end, row.pk or 0))


def series(indicator: Indicator, observations: Sequence[Observation]) -> list[Observation]:
    """Those of ``observations`` (newest first) that belong on one line with the newest.

    A year and its quarters do not, nor totals that begin on different days.
    """
    if not observations:
        return []
    newest = newest_reported(observations) or observations[0]
    period = newest.period_start, newest.period_end
    return [
        row
        for row in observations
        if are_comparable(indicator.kind, period, (row.period_start, row.period_end))
    ]


def has_history(observations: Sequence[Observation], targets: Sequence[Target]) -> bool:
    """Whether a chart says more than the figure: two values, or one and a target to compare."""
    drawn = len(distinct(observations))
    return drawn > 1 or (drawn == 1 and any(target.value is not None for target in targets))


def spec(
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
    rows = _data(indicator, observations)
    known = [target for target in targets if target.value is not None]
    bars = indicator.kind == Kind.FLOW
    layers = []
    for target in known:
        layers += _target_layers(indicator, observations, target)
    layers += _value_layers(rows, bars)
    layers += _labels(rows, bars)
    if known:
        layers.append(_day(on, rows, known, bars))

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
    return framed(
        layers,
        width=WIDTH,
        height=HEIGHT,
        left=left,
        right=max(widest / 2, targets_widest and 16, 16) + 8,
        top=40,
        bottom=36,
        heading=heading,
    )


def _data(indicator: Indicator, observations: Sequence[Observation]) -> list[dict]:
    """What is drawn, oldest first; the line breaks where a period was never reported."""
    missing = [end for _start, end in gaps_of(indicator, observations)]
    return [
        _datum(indicator, row) | {"part": sum(end < row.period_end for end in missing)}
        for row in distinct(observations)
    ]


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
        "fill": fill_of(row.certainty),
    }


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
        {
            "data": {"values": rows},
            "mark": line,
            "encoding": x | value | {"detail": {"field": "part", "type": "nominal"}},
        },
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


def _target_layers(
    indicator: Indicator, observations: Sequence[Observation], target: Target
) -> list[dict]:
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
    begins = baseline_from(indicator, observations, target)
    begin = begins.value if begins else None
    if why_unpaced(indicator.kind, indicator.frequency, begin) is None:
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


def _day(on: date, rows: list[dict], known: list[Target], bars: bool) -> dict:
    """A thin upright on the day that the page speaks of, if it lies within what is drawn."""
    drawn = [row["end"] for row in rows]
    drawn += [(target.due_on or target.plan.end_on).isoformat() for target in known]
    drawn += [target.plan.start_on.isoformat() for target in known]
    if bars:
        drawn += [row["start"] for row in rows]
    day = on.isoformat()
    days = [{"day": day}] if min(drawn) <= day <= max(drawn) else []
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


def small_spec(indicator: Indicator, observations: Sequence[Observation]) -> dict:
    """The course of ``indicator`` in the size of a word; its numbers stand beside it."""
    rows = _data(indicator, observations)
    layers = _value_layers(rows, indicator.kind == Kind.FLOW)
    scale = {"zero": indicator.kind != Kind.RANK, "reverse": indicator.kind == Kind.RANK}
    for layer in layers:
        for name in ("x", "y"):
            layer["encoding"][name]["axis"] = None
        layer["encoding"]["y"] |= {"type": "quantitative", "scale": scale}
        if layer["mark"]["type"] == "point":
            layer["mark"]["size"] = 12
    return framed(layers, width=SMALL_WIDTH, height=SMALL_HEIGHT, left=4, right=4, top=4, bottom=4)
