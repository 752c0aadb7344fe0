"""The chart of figures of one quantity beside each other, as a Vega-Lite spec.

A bar begins at zero; a scale in powers of ten carries points, never bars. About, nearly and over
stand in the label.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from measures.text import in_chinese
from metrics.models import Indicator, Observation
from metrics.rules.choices import Kind
from metrics.wording import observed_text

from .frame import ACCENT, INK, TYPE, Heading, fill_of, framed, lines_of, text_width

WIDTH = 420
#: From this ratio of the largest to the smallest value on, a scale of equal steps hides the small.
POWERS_OF_TEN_FROM = 100

SHAPES = {
    Kind.STOCK: "circle",
    Kind.FLOW: "square",
    Kind.CUMULATIVE: "triangle-up",
    Kind.CAPACITY: "diamond",
}
#: The shapes in words' own signs, for the legend beside the chart.
SIGNS = {Kind.STOCK: "●", Kind.FLOW: "■", Kind.CUMULATIVE: "▲", Kind.CAPACITY: "◆"}


@dataclass(frozen=True)
class Bar:
    """One figure of a comparison: converted to the base unit, and in words as reported."""

    indicator: Indicator
    value: Decimal
    latest: Observation

    @property
    def text(self) -> str:
        return observed_text(self.latest, self.indicator.unit)


def in_powers_of_ten(bars: Sequence[Bar]) -> bool:
    """Whether a scale of equal steps would hide the small values; zero is on no such scale."""
    values = [bar.value for bar in bars]
    return min(values) > 0 and max(values) >= POWERS_OF_TEN_FROM * min(values)


def _powers_of_ten(values: Sequence[Decimal]) -> list[float]:
    """1, 10, 100 … from below the smallest to above the largest value, all above zero."""
    first, last = min(values).adjusted(), max(values).adjusted()
    return [10.0**n for n in range(first, last + 2)]


def spec(bars: Sequence[Bar], unit: str, heading: Heading | None = None) -> dict:
    """Figures of one quantity in one unit, named ``unit``, in the order given.

    Points on a scale in powers of ten where the values need it, else bars from zero. The shape
    shows the kind of figure, because a stock and a flow count different things.
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
            "fill": fill_of(bar.latest.certainty),
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
    return framed(
        layers,
        width=WIDTH,
        height=len(rows) * (tallest * (TYPE + 3) + 12),
        left=max(text_width(line) for lines in names for line in lines) + 20,
        right=max(text_width(row["label"]) for row in rows) + 16,
        top=44,
        bottom=8,
        heading=heading,
        axis_above=32,
    )
