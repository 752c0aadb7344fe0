"""The chart of one indicator over time as a Vega-Lite spec.

A flow is bars from zero, each as wide as its period; every other kind is points on a line. About,
nearly and over stand in the label, what is expected is hollow, and what has no value is not drawn.
Every mark is named beside itself, so that nothing needs a legend.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise

from django.utils.translation import gettext as _

from measures.text import in_chinese
from metrics.assessment import baseline_from, gaps_of, newest_reported
from metrics.models import Indicator, Observation, Target
from metrics.rules.choices import MONEY, Certainty, Kind, Qualifier
from metrics.rules.periods import MONTHS, are_comparable, months_of, period_text
from metrics.rules.progress import why_unpaced
from metrics.wording import ENGLISH_MONEY, figure_text, observed_text

from .axes import APART, SMALL, Days, Values, day_after, ranks_axis, values_axis
from .frame import (
    ACCENT,
    FILE,
    INK,
    INK_SOFT,
    PAPER,
    RULE,
    Form,
    Heading,
    fill_of,
    framed,
    in_pixels,
    rules,
    text_width,
    words,
)
from .labels import ALIGNS, Box, Paper, Place, along, around, ground
from .labels import rows as written

DASHED = [5, 4]
#: Pixels of a bar at the most.
WIDEST = 150
#: Kinds whose value stands for the last day of its period.
STATES = frozenset({Kind.STOCK, Kind.CAPACITY, Kind.RANK, Kind.CUMULATIVE})
#: Former versions of corrected values, by the key of the one that stands.
Former = Mapping[int, Observation]


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
    *,
    form: Form = FILE,
    former: Former | None = None,
) -> dict:
    """The public values of ``indicator`` over time, its targets, and the even way to them.

    Needs the indicator's unit and the targets' plans. The way is drawn where ``pace`` has a
    meaning; the day of the page where a target makes it matter. What ``former`` says of a value
    that was corrected is drawn beside what it says now.
    """
    former = former or {}
    rows = _data(indicator, observations, former)
    known = [target for target in targets if target.value is not None]
    starts = {target.pk: baseline_from(indicator, observations, target) for target in known}
    bars = indicator.kind == Kind.FLOW

    heights = _heights(rows, known, starts)
    shown = [row["value"] for row in rows] + [float(target.value) for target in known]
    scale, _unit = axis_unit(indicator.unit, shown)
    values = (
        ranks_axis(heights, form.height)
        if indicator.kind == Kind.RANK
        else values_axis(heights, form.height, scale=scale)
    )
    for row in rows:
        row["number"] = _number(indicator.unit, row["exact"], row["qualifier"], scale)
        if before := row["before"]:
            said = _number(indicator.unit, before.value, before.qualifier, scale)
            said = {"figure": row["number"], "before": said}
            row["number"] = _("%(figure)s (was %(before)s)") % said
    decimals = _decimals(values, scale)
    ticks = [f"{tick / scale:,.{decimals}f}" if tick else "0" for tick in values.ticks]
    left, right = max(text_width(tick, SMALL) for tick in ticks) + 10, 14
    days = _days(rows, known, bars, form.width - left - right, (left, right))
    months, at_ends = _beat(indicator, observations)
    marks, day_names = days.axis(months, at_ends=at_ends)

    paper = Paper(Box(-left, -26, days.width + right, form.height))
    for tick, text in zip(values.ticks, ticks, strict=True):
        paper.taken.append(Place(-APART, values.at(tick), "right").box(text))
    layers = [*_grid(values, ticks, days.width), *_day_axis(marks, day_names, days, form.height)]
    x = {"type": "temporal", "axis": None, "scale": _day_scale(days)}
    y = {"type": "quantitative", "axis": None, "scale": _value_scale(values)}
    for target in known:
        layers += _target_layers(indicator, target, starts[target.pk])
    layers += _former_layers(rows, days, values, bars)
    layers += _value_layers(rows, bars, days.width, _inset(rows, days))
    _take(paper, rows, days, values, bars)
    covered = _covers(on, rows, known, bars)
    day = on if covered else None
    leaders = _write(paper, indicator, rows, known, starts, day, days, values, bars, scale)
    if leaders:
        layers.append(rules(leaders, stroke=INK_SOFT))
    layers += _words_layers(paper)
    if known:
        layers.append(_day(on, covered))
    for layer in layers:
        for name, axis in (("x", x), ("y", y)):
            if name in layer["encoding"]:
                layer["encoding"][name] = axis | layer["encoding"][name]
    return framed(
        layers,
        width=days.width,
        height=form.height,
        left=left,
        right=right,
        top=30,
        bottom=24 + (18 if any(name.row for name in day_names) else 0),
        heading=heading,
    )


def _heights(rows: list[dict], known: list[Target], starts: dict) -> list[float]:
    heights = [row["value"] for row in rows]
    heights += [row["former"] for row in rows if row["former"] is not None]
    heights += [float(target.value) for target in known]
    return heights + [float(begins.value) for begins in starts.values() if begins]


def unit_text(
    indicator: Indicator, observations: Sequence[Observation], targets: Sequence[Target]
) -> str:
    """The unit in which the axis of their chart counts."""
    values = [float(row.value) for row in observations]
    values += [float(target.value) for target in targets if target.value is not None]
    return axis_unit(indicator.unit, values)[1]


def _words_layers(paper: Paper) -> list[dict]:
    """What was written, on ground of its own, so that the lines of the grid do not cross it."""
    texts = list(written(paper))
    grounds = {
        "data": {"values": [ground(text, place) for text, place, _colour in paper.written]},
        "mark": {"type": "rect", "fill": PAPER, "aria": False},
        "encoding": {"x": in_pixels("left"), "y": in_pixels("top")}
        | {"x2": {"field": "right"}, "y2": {"field": "bottom"}},
    }
    aligned = {align: [t for t in texts if t["align"] == align] for align in ALIGNS}
    return [grounds, *(words(of_one, align) for align, of_one in aligned.items() if of_one)]


def axis_unit(unit, values: Sequence[float]) -> tuple[float, str]:
    """In what an axis counts: how many of ``unit`` are one of it, and its name.

    English counts money in millions or billions, as the figures beside the marks do.
    """
    if in_chinese() or unit.quantity != MONEY:
        return 1, unit.in_language("name")
    greatest = max((abs(value) for value in values), default=0) * float(unit.factor)
    for size, word in ENGLISH_MONEY:
        if greatest >= size:
            return float(size / Decimal(unit.factor)), f"CNY {word}"
    return 1 / float(unit.factor), "CNY"


def _number(unit, value: Decimal, qualifier: str, scale: float) -> str:
    """A value in the unit of the axis, which need not be said again."""
    figure = figure_text(value, unit, qualifier)
    if in_chinese() or unit.quantity != MONEY:
        name = unit.in_language("name")
        return figure.removesuffix(name).strip() if name != "%" else figure
    qualified, _cny, _amount = figure.partition("CNY")
    number = f"{float(value) / scale:,.6f}".rstrip("0").rstrip(".")
    return f"{qualified}{number}"


def _decimals(values: Values, scale: float) -> int:
    step = abs(values.ticks[1] - values.ticks[0]) / scale
    text = f"{step:.6f}".rstrip("0")
    return len(text.partition(".")[2])


def _days(rows: list[dict], known: list[Target], bars: bool, width: float, beyond) -> Days:
    """The days of all that is drawn; of points, with some room on both sides."""
    shown = [row["day"] for row in rows]
    for target in known:
        shown += [target.plan.start_on, day_after(target.due_day)]
    if bars:
        shown += [row["from"] for row in rows]
        return Days(min(shown), max(shown), width, beyond)
    first, last = min(shown).toordinal(), max(shown).toordinal()
    room = (last - first) * 0.06 or 183
    ends = (max(1, round(first - room)), min(date.max.toordinal(), round(last + room)))
    return Days(*map(date.fromordinal, ends), width, beyond)


def _beat(indicator: Indicator, observations: Sequence[Observation]) -> tuple[int | None, str]:
    """How many months are from one value to the next, None if nobody knows, and what the last
    days of years are called where all values stand for one or for its year."""
    rows = distinct(observations)
    lengths = {months_of((row.period_start, row.period_end)) for row in rows}
    at_ends = ""
    if indicator.kind != Kind.FLOW and all(is_end_of_year(row.period_end) for row in rows):
        of_years = indicator.kind not in STATES and lengths == {12}
        at_ends = _("%(year)d") if of_years else _("end %(year)d")
    of_periods = lengths.pop() if len(lengths) == 1 else None
    return of_periods or MONTHS.get(indicator.frequency), at_ends


def is_end_of_year(day: date) -> bool:
    return (day.month, day.day) == (12, 31)


def _data(indicator: Indicator, observations: Sequence[Observation], former: Former) -> list[dict]:
    """What is drawn, oldest first; the line breaks where a period was never reported."""
    missing = [end for _start, end in gaps_of(indicator, observations)]
    return [
        _datum(indicator, row, former.get(row.pk))
        | {"part": sum(end < row.period_end for end in missing)}
        for row in distinct(observations)
    ]


def _datum(indicator: Indicator, row: Observation, before: Observation | None) -> dict:
    figure = observed_text(row, indicator.unit)
    said = _("%(period)s: %(figure)s") % {
        "period": period_text(row.period_start, row.period_end),
        "figure": figure,
    }
    before_text = before and figure_text(before.value, indicator.unit, before.qualifier)
    if before_text:
        said = _("%(value)s, corrected from %(before)s") % {"value": said, "before": before_text}
    label = figure
    if before_text:
        label = _("%(figure)s (was %(before)s)") % {"figure": figure, "before": before_text}
    elif row.supersedes_id:
        label = _("%(figure)s, corrected") % {"figure": figure}
    start = row.period_start or row.period_end
    return {
        "from": start,
        # A period ends with its last day, so the bar ends where the next day begins.
        "day": day_after(row.period_end),
        "value": float(row.value),
        "exact": row.value,
        "qualifier": row.qualifier,
        "corrected": bool(before or row.supersedes_id),
        "label": label,
        "before": before,
        "said": said,
        "fill": fill_of(row.certainty),
        "hollow": row.certainty != Certainty.ACTUAL,
        "former": None if before is None or before.value == row.value else float(before.value),
    }


def _drawn(row: dict) -> dict:
    """What the spec says of a value."""
    return {
        "start": row["from"].isoformat(),
        "end": row["day"].isoformat(),
        **{name: row[name] for name in ("value", "said", "fill", "part")},
    }


def _moment(day: date) -> int:
    return round(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)


def _day_scale(days: Days) -> dict:
    return {"type": "utc", "domain": [_moment(days.first), _moment(days.last)], "nice": False}


def _value_scale(values: Values) -> dict:
    scale = {"domain": [values.low, values.high], "nice": False, "zero": not values.reverse}
    return scale | ({"reverse": True} if values.reverse else {})


def _grid(values: Values, ticks: list[str], width: float) -> list[dict]:
    """Level lines with their numbers; the one that bars stand on is stronger."""
    rows = [
        {
            "x": 0,
            "x2": width,
            "y": values.at(tick),
            "y2": values.at(tick),
            "stroke": INK_SOFT if tick == 0 and not values.reverse else RULE,
        }
        for tick in values.ticks
    ]
    grid = rules(rows)
    del grid["mark"]["stroke"]
    grid["encoding"]["stroke"] = {"field": "stroke", "type": "nominal", "scale": None}
    numbers = [
        {"x": -APART, "y": row["y"], "text": text, "colour": INK_SOFT}
        for row, text in zip(rows, ticks, strict=True)
    ]
    return [grid, words(numbers, "right", fontSize=SMALL)]


def _day_axis(marks: list[float], names, days: Days, height: float) -> list[dict]:
    ticks = [{"x": at, "x2": at, "y": height, "y2": height + 5} for at in marks]
    ticks.append({"x": 0, "x2": days.width, "y": height, "y2": height})
    texts = [
        {"x": name.at, "y": height + 16 + 17 * name.row, "text": name.text, "colour": INK_SOFT}
        for name in names
    ]
    return [rules(ticks, stroke=INK_SOFT), words(texts, "center", fontSize=SMALL)]


def _time(field: str) -> dict:
    return {"field": field, "type": "temporal"}


def _inset(rows: list[dict], days: Days) -> float:
    """How far a bar keeps from the ends of its period, so that each stands for itself and few are
    no walls."""
    narrowest = min(days.at(row["day"]) - days.at(row["from"]) for row in rows)
    return max(min(2, narrowest / 8), 0.14 * narrowest, (narrowest - WIDEST) / 2)


def _value_layers(rows: list[dict], bars: bool, width: float, inset: float) -> list[dict]:
    shown = [_drawn(row) for row in rows]
    said = {"field": "said", "type": "nominal"}
    fill = {"field": "fill", "type": "nominal", "scale": None}
    value = {"y": {"field": "value", "type": "quantitative"}}
    if bars:
        mark = {"type": "bar", "stroke": ACCENT, "strokeWidth": 1.5}
        mark |= {"xOffset": inset, "x2Offset": -inset}
        x = {"x": _time("start"), "x2": {"field": "end"}}
        encoding = x | value | {"y2": {"datum": 0}, "fill": fill, "description": said}
        return [{"data": {"values": shown}, "mark": mark, "encoding": encoding}]
    x = {"x": _time("end")}
    layers = [
        {
            "data": {"values": pieces},
            "mark": {"type": "line", "stroke": ACCENT, "strokeWidth": 2, "aria": False} | dash,
            "encoding": x | value | {"detail": {"field": "piece", "type": "nominal"}},
        }
        for pieces, dash in (
            (_pieces(rows, hollow=False), {}),
            (_pieces(rows, hollow=True), {"strokeDash": [2, 4]}),
        )
        if pieces
    ]
    point = {"type": "point", "stroke": ACCENT, "strokeWidth": 2, "opacity": 1}
    point["size"] = 55 if width > 16 * len(rows) else 14
    points = x | value | {"fill": fill, "description": said}
    return [*layers, {"data": {"values": shown}, "mark": point, "encoding": points}]


def _pieces(rows: list[dict], *, hollow: bool) -> list[dict]:
    """The line from value to value within each part, or only what leads from or to a hollow
    one; what is drawn in one go is one ``piece``."""
    pieces: list[list[dict]] = []
    for one, next_ in pairwise(rows):
        if one["part"] != next_["part"] or (one["hollow"] or next_["hollow"]) != hollow:
            continue
        if pieces and pieces[-1][-1] is one:
            pieces[-1].append(next_)
        else:
            pieces.append([one, next_])
    return [_drawn(row) | {"piece": n} for n, piece in enumerate(pieces) for row in piece]


def _former_layers(rows: list[dict], days: Days, values: Values, bars: bool) -> list[dict]:
    """A ring around what was corrected, and what it said before, tied to what it says now."""
    shown = [row for row in rows if row["former"] is not None]
    places = [
        {
            "x": days.at(_middle(row, bars)),
            "y": values.at(row["former"]),
            "x2": days.at(_middle(row, bars)),
            "y2": values.at(row["value"]),
        }
        for row in shown
    ]
    apart = [place for place in places if abs(place["y"] - place["y2"]) >= 9]
    rings = [] if bars else [{"x": place["x"], "y": place["y2"]} for place in places]
    mark = {"type": "point", "stroke": INK_SOFT, "strokeWidth": 1.5, "filled": False}
    mark |= {"aria": False, "opacity": 1}
    cross = mark | {"shape": "M-1,-1L1,1M-1,1L1,-1", "size": 90, "strokeWidth": 2}
    at = {"x": in_pixels("x"), "y": in_pixels("y")}
    return [
        *([rules(apart, stroke=INK_SOFT)] if apart else []),
        *([{"data": {"values": apart}, "mark": cross, "encoding": dict(at)}] if apart else []),
        *(
            [{"data": {"values": rings}, "mark": mark | {"size": 190}, "encoding": dict(at)}]
            if rings
            else []
        ),
    ]


def _middle(row: dict, bars: bool) -> date:
    return row["from"] + (row["day"] - row["from"]) / 2 if bars else row["day"]


def _target_label(indicator: Indicator, target: Target) -> str:
    return _target_text(target, figure_text(target.value, indicator.unit))


def _target_text(target: Target, figure: str) -> str:
    space = "" if in_chinese() else " "
    figure = f"{target.get_comparator_display()}{space}{figure}"
    return _("target %(figure)s") % {"figure": figure}


def _is_paced(indicator: Indicator, begins) -> bool:
    value = begins.value if begins else None
    return why_unpaced(indicator.kind, indicator.frequency, value) is None


def _target_layers(indicator: Indicator, target: Target, begins) -> list[dict]:
    """A line at the target's height from the plan's beginning to the due day, where it began, and
    the even way between the two."""
    row = {
        "start": target.plan.start_on.isoformat(),
        "end": day_after(target.due_day).isoformat(),
        "value": float(target.value),
        "label": _target_label(indicator, target),
    }
    height = {"y": {"field": "value", "type": "quantitative"}}
    x = {"x": _time("start"), "x2": {"field": "end"}} | height
    said = {"description": {"field": "label", "type": "nominal"}}
    line = {"type": "rule", "stroke": INK, "strokeWidth": 2}
    layers = [{"data": {"values": [row]}, "mark": line, "encoding": x | said}]
    if begins is None:
        return layers
    way = [
        {"day": row["start"], "value": float(begins.value)},
        {"day": row["end"], "value": row["value"]},
    ]
    at = {"x": _time("day")} | height
    if _is_paced(indicator, begins):
        dashed = {"type": "line", "stroke": INK_SOFT, "strokeWidth": 1.5, "strokeDash": DASHED}
        layers.append({"data": {"values": way}, "mark": dashed | {"aria": False}, "encoding": at})
    start = {"type": "point", "shape": "diamond", "size": 60, "stroke": INK, "fill": PAPER}
    start |= {"strokeWidth": 1.5, "aria": False, "opacity": 1}
    return [*layers, {"data": {"values": way[:1]}, "mark": start, "encoding": dict(at)}]


def _take(paper: Paper, rows: list[dict], days: Days, values: Values, bars: bool) -> None:
    """What the marks of the values take of the paper."""
    ends = [(days.at(row["day"]), values.at(row["value"])) for row in rows]
    if bars:
        ground = values.at(0)
        for row, (right, top) in zip(rows, ends, strict=True):
            box = Box(days.at(row["from"]), min(top, ground), right, max(top, ground))
            paper.taken.append(box)
        return
    for end in ends:
        paper.mark(*end)
    for (one, start), (next_, end) in zip(
        zip(rows, ends, strict=True), list(zip(rows, ends, strict=True))[1:], strict=False
    ):
        if one["part"] == next_["part"]:
            paper.line(start, end)


def _write(paper, indicator, rows, known, starts, on, days, values, bars, scale) -> list[dict]:
    """The words beside the marks, what matters most first; the lines that tie some to them.

    ``on`` is None where the day of the page is not shown.
    """
    for target in known:
        level = values.at(float(target.value))
        span = days.at(target.plan.start_on), days.at(day_after(target.due_day))
        paper.line((span[0], level), (span[1], level))
        if (begins := starts[target.pk]) is not None:
            at = span[0], values.at(float(begins.value))
            paper.mark(*at)
            if _is_paced(indicator, begins):
                paper.line(at, (span[1], level))
    if on:
        paper.line((days.at(on), 0), (days.at(on), values.height))
    for row in rows:
        if row["former"] is not None:
            at = days.at(_middle(row, bars))
            paper.mark(at, values.at(row["former"]))
            paper.line((at, values.at(row["former"])), (at, values.at(row["value"])))
    leaders = _write_values(paper, rows, days, values, bars)
    for target in known:
        level = values.at(float(target.value))
        span = days.at(target.plan.start_on), days.at(day_after(target.due_day))
        label = _target_label(indicator, target)
        places = along(*span, level)
        if not paper.write(label, places, colour=INK):
            number = _number(indicator.unit, target.value, Qualifier.EXACT, scale)
            paper.write(_target_text(target, number), places, colour=INK, must=True)
        # Other words so close to the line would be read as its name.
        paper.line((span[0], level), (span[1], level), half=14)
    said = set()
    for target in known:
        if (begins := starts[target.pk]) is None:
            continue
        level = values.at(float(target.value))
        span = days.at(target.plan.start_on), days.at(day_after(target.due_day))
        at = values.at(float(begins.value))
        figure = figure_text(begins.value, indicator.unit)
        text = _("baseline %(figure)s") % {"figure": figure}
        # Two targets of one plan begin at one place, and their ways need one name.
        if (span[0], at) not in said:
            said.add((span[0], at))
            paper.write(text, around(span[0], at), colour=INK_SOFT)
        if _is_paced(indicator, begins) and "way" not in said:
            middles = [
                (span[0] + (span[1] - span[0]) * share, at + (level - at) * share)
                for share in (0.5, 0.65, 0.35, 0.8)
            ]
            places = [
                place
                for x, y in middles
                for place in (Place(x + 10, y + 12, "left"), Place(x - 8, y - 10, "right"))
            ]
            if paper.write(_("even way to the target"), places, colour=INK_SOFT):
                said.add("way")
    if on:
        at = days.at(on)
        places = [Place(at + 4, -16, "left"), Place(at - 4, -16, "right")]
        paper.write(on.isoformat(), places, colour=INK_SOFT)
    return leaders


def _write_values(paper: Paper, rows: list[dict], days, values, bars: bool) -> list[dict]:
    """Every value while there is room, else the newest, the first and what was corrected.

    In words, or as numbers alone, which the unit of the axis explains. What stands far above its
    bar is tied to it by a line, which is returned.
    """
    leaders = []
    ordered = [rows[-1], *rows[:1], *reversed(rows[1:-1])] if len(rows) > 1 else rows
    tops = [
        (days.at(row["from"]), days.at(row["day"]), values.at(max(row["value"], 0)))
        for row in rows
        if bars
    ]

    def matters(row: dict) -> bool:
        return row is rows[-1] or row["corrected"]

    def top_of(row: dict) -> float:
        former = values.at(row["value"] if row["former"] is None else row["former"])
        return min(values.at(row["value"]), former - 7 if row["former"] is not None else former)

    def places(row: dict, text: str) -> list[Place]:
        at = days.at(_middle(row, bars)), values.at(row["value"])
        if not bars:
            return around(*at)
        if row["value"] < 0:
            return [Place(at[0], at[1] + 12)]
        box = Place(*at).box(text)
        beside = [top for left, right, top in tops if left < box.right and box.left < right]
        # Words above a neighbour would be read as the neighbour's.
        others = [min(beside)] if text == row["number"] and matters(row) else []
        return [Place(at[0], top - 11) for top in (top_of(row), *others)]

    def write(paper: Paper, row: dict, *names: str, must: bool = False) -> bool:
        last = names[-1]
        return any(
            paper.write(row[name], places(row, row[name]), colour=INK, must=must and name == last)
            for name in names
        )

    # English units are long: the newest says it for all.
    others = ("label", "number") if in_chinese() else ("number",)
    for names in others:
        tried = Paper(paper.bounds, [*paper.taken])
        fits = all(
            write(tried, row, *("label", "number") if row is rows[-1] else (names,))
            for row in ordered
        )
        if fits:
            break
    few = [*ordered[:2], *(row for row in ordered[2:] if row["corrected"])]
    for row in ordered if fits else few:
        both = matters(row) or (in_chinese() and not fits)
        shown = ("label", "number") if both else (names,)
        if write(paper, row, *shown, must=row is rows[-1]) and bars and row["value"] >= 0:
            _text, place, _colour = paper.written[-1]
            at, top = days.at(_middle(row, bars)), top_of(row)
            if place.y < top - 20:
                leaders.append({"x": at, "x2": at, "y": place.y + 8, "y2": top - 2})
    return leaders


def _covers(on: date, rows: list[dict], known: list[Target], bars: bool) -> bool:
    """Whether the day that the page speaks of lies within what is drawn, and a target makes it
    matter."""
    drawn = [row["day"] for row in rows] + [target.due_day for target in known]
    drawn += [target.plan.start_on for target in known]
    if bars:
        drawn += [row["from"] for row in rows]
    return bool(known) and min(drawn) <= on <= max(drawn)


def _day(on: date, covered: bool) -> dict:
    """A thin upright on the day that the page speaks of."""
    shown = [{"day": on.isoformat()}] if covered else []
    return {
        "data": {"values": shown},
        "mark": {"type": "rule", "stroke": INK_SOFT, "strokeDash": [1, 3], "aria": False},
        "encoding": {"x": _time("day")},
    }


def span_text(indicator: Indicator, observations: Sequence[Observation]) -> str:
    """From when to when the values are: of states and running totals the days that they speak of,
    of all else the first and the last period."""
    rows = distinct(observations)
    if indicator.kind in STATES:
        ends = [row.period_end.isoformat() for row in (rows[0], rows[-1])]
    elif all(months_of((row.period_start, row.period_end)) == 12 for row in rows):
        ends = [_("%(year)d") % {"year": row.period_end.year} for row in (rows[0], rows[-1])]
    elif all(months_of((row.period_start, row.period_end)) for row in rows):
        ends = [period_text(row.period_start, row.period_end) for row in (rows[0], rows[-1])]
    else:
        starts = rows[0].period_start or rows[0].period_end
        ends = [starts.isoformat(), rows[-1].period_end.isoformat()]
    return " – ".join(dict.fromkeys(ends))


def former_values(corrections) -> dict[int, Observation]:
    """``former`` of ``spec`` from what ``metrics.corrections`` found."""
    return {found.latest.pk: found.first for found in corrections}
