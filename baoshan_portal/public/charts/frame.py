"""What every chart shares: colours, the sizes of words, margins, and the way into a page.

Sizes are computed from the words, because the machine that draws may lack the reader's fonts:
nothing is ever cut. Preliminary and expected values are hollow.
"""

import re
import unicodedata
from dataclasses import dataclass, replace

from django.utils.safestring import SafeString, mark_safe

from metrics.rules.choices import Certainty

#: Pixels of an ordinary word.
TYPE = 13
#: How much larger words are in 关怀版.
LARGE = 1.25

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


def inline(svg: str) -> SafeString:
    """The chart ``svg`` as a part of a page: its colours become the page's tokens."""
    for colour, token in TOKENS.items():
        svg = svg.replace(f'"{colour}"', f'"{token}"')
    # The sizes are the drawing's own; the style sheet may make it smaller, never larger.
    return mark_safe(re.sub(r"<svg ", '<svg role="presentation" ', svg, count=1))


def text_width(text: str, size: float = TYPE) -> float:
    """Pixels that ``text`` takes at the most: a Chinese character is as wide as it is high."""
    return sum(size if unicodedata.east_asian_width(c) in "WFA" else 0.62 * size for c in text)


#: A word, with what must not begin a line, or a single character of Chinese.
_WORDS = re.compile(r"[\x21-\x7e]+|.[，。、；：！？）〕】》”’]*", re.DOTALL)


def lines_of(text: str, width: float) -> list[str]:
    """``text`` in lines of at most ``width`` pixels; a word is cut only where none can hold it."""
    lines = [""]
    for word in _WORDS.findall(" ".join(text.split())):
        if text_width(lines[-1] + word) <= width:
            lines[-1] += word
            continue
        lines.append(word.lstrip())
        while len(lines[-1]) > 1 and text_width(lines[-1]) > width:
            fits = next(n for n in range(len(lines[-1]), 0, -1) if n == 1
                        or text_width(lines[-1][:n]) <= width)  # fmt: skip
            lines[-1:] = [lines[-1][:fits], lines[-1][fits:]]
    return [line.rstrip() for line in lines if line.strip()] or [""]


def fill_of(certainty: str) -> str:
    """The colour inside a value's mark: only what is actual is filled."""
    return ACCENT if certainty == Certainty.ACTUAL else PAPER


@dataclass(frozen=True)
class Form:
    """How wide a chart is drawn, all its margins included, and how high what is within them.

    A page carries several, and the style sheet shows the one that fits, so that words neither
    shrink on a phone nor grow on a wide screen.
    """

    name: str
    width: int
    height: int

    def large(self) -> "Form":
        """The same for 关怀版: drawn smaller, and shown at the same size."""
        return replace(self, width=round(self.width / LARGE))


FORMS = (Form("wide", 1000, 300), Form("middle", 560, 270), Form("narrow", 340, 240))
#: Of a picture that stands alone: in a document its words are as large as the document's.
FILE = Form("file", 640, 300)
#: Of a picture that is printed half a page wide.
ON_PAPER = Form("paper", 400, 200)


@dataclass(frozen=True)
class Heading:
    """What a chart says above itself where it stands alone, as a file, and below itself."""

    title: str
    lines: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def in_pixels(field: str) -> dict:
    """The encoding of a place that is given in pixels."""
    return {"field": field, "type": "quantitative", "scale": None, "axis": None}


def words(rows: list[dict], align: str = "left", **mark) -> dict:
    """The ``text`` of each row in its ``colour`` at ``x`` and ``y``, the middle of its height."""
    return {
        "data": {"values": rows},
        "mark": {"type": "text", "align": align, "baseline": "middle", "aria": False, **mark},
        "encoding": {
            "x": in_pixels("x"),
            "y": in_pixels("y"),
            "text": {"field": "text", "type": "nominal"},
            "color": {"field": "colour", "type": "nominal", "scale": None},
        },
    }


def rules(rows: list[dict], **mark) -> dict:
    """A line of each row from ``x``, ``y`` to ``x2``, ``y2``."""
    return {
        "data": {"values": rows},
        "mark": {"type": "rule", "stroke": RULE, "aria": False, **mark},
        "encoding": {name: in_pixels(name) for name in ("x", "y")}
        | {name: {"field": name} for name in ("x2", "y2")},
    }


def framed(layers: list[dict], *, width, height, left, right, top, bottom, heading=None) -> dict:
    """The layers within fixed margins; the heading, if any, goes above and below them."""
    spec = {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": width,
        "height": height,
        "autosize": "none",
        "layer": layers,
        "config": {
            "font": "Noto Sans CJK SC, Microsoft YaHei, PingFang SC, sans-serif",
            "view": {"stroke": None},
            "axis": {"aria": False},
            "text": {"fontSize": TYPE, "fill": INK, "limit": 0},
        },
    }
    if heading:
        room = width + left + right - 24
        title = lines_of(heading.title, room * 0.8)
        lines = [part for line in heading.lines for part in lines_of(line, room)]
        notes = [part for line in heading.notes for part in lines_of(line, room)]
        spec["background"] = PAPER
        spec["title"] = {
            "text": title,
            "subtitle": lines,
            "anchor": "start",
            "frame": "group",
            "dx": 12 - left,
            "offset": top,
            "fontSize": TYPE + 4,
            "color": INK,
            "subtitleColor": INK_SOFT,
            "subtitleFontSize": TYPE,
            "subtitlePadding": 6,
            "limit": 0,
        }
        top += len(title) * (TYPE + 8) + len(lines) * (TYPE + 5) + 24
        if notes:
            below = [
                {
                    "x": 12 - left,
                    "y": height + bottom + 14 + n * (TYPE + 4),
                    "text": note,
                    "colour": INK_SOFT,
                }
                for n, note in enumerate(notes)
            ]
            spec["layer"] = [*layers, words(below, fontSize=TYPE - 1)]
            bottom += len(notes) * (TYPE + 4) + 8
        bottom += 12
        right += 12
    else:
        spec["background"] = None
    spec["padding"] = {"left": left, "right": right, "top": top, "bottom": bottom}
    return spec
