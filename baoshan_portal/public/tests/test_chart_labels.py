"""Words of a chart touch neither each other nor are cut, whatever the form; ticks follow values."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations

import pytest
from django.utils.translation import override

from measures.tests.factories import ISSUED
from metrics.rules.choices import Certainty, Frequency, Kind
from metrics.rules.periods import end_of_month
from metrics.tests.factories import (
    make_indicator,
    make_money,
    make_observation,
    make_plan,
    make_target,
)

from ..charts import history
from ..charts.axes import Days, ranks_axis, values_axis
from ..charts.frame import FORMS, lines_of, text_width
from ..charts.labels import Box, Paper, Place

pytestmark = [pytest.mark.django_db, pytest.mark.once("is about what charts draw and say")]

ON = date(2023, 6, 30)
ALL_FORMS = [*FORMS, *(form.large() for form in FORMS)]


def quarters(indicator, values, **last):
    """A value a quarter up to the second of 2023, newest first."""
    rows = []
    for n, value in enumerate(values, 2023 * 4 + 2 - len(values)):
        start = date(n // 4, n % 4 * 3 + 1, 1)
        fields = last if n == 2023 * 4 + 1 else {}
        rows.append(
            make_observation(
                indicator=indicator,
                value=Decimal(value),
                period_start=start,
                period_end=end_of_month(start.replace(month=start.month + 2)),
                published=ISSUED,
                **fields,
            )
        )
    return rows[::-1]


def texts(spec: dict):
    """Every word of a chart with its box, as the drawing has it."""
    for layer in spec["layer"]:
        mark = layer["mark"]
        if mark["type"] != "text":
            continue
        for row in layer["data"]["values"]:
            size = mark.get("fontSize", 13)
            width = text_width(row["text"], size)
            left = row["x"] - width * {"left": 0, "center": 0.5, "right": 1}[mark["align"]]
            yield row["text"], Box(left, row["y"] - size / 2, left + width, row["y"] + size / 2)


def collisions(spec: dict) -> list[tuple[str, str]]:
    return [(a, b) for (a, one), (b, other) in combinations(texts(spec), 2) if one.met([other])]


def cut(spec: dict) -> list[str]:
    left, right = -spec["padding"]["left"], spec["width"] + spec["padding"]["right"]
    return [text for text, box in texts(spec) if box.left < left - 1 or box.right > right + 1]


CASES = {
    "steady": (Kind.CUMULATIVE, range(100, 112)),
    "steep": (Kind.CUMULATIVE, [10 * 2**n for n in range(12)]),
    "flow": (Kind.FLOW, [5, 900, 12, 880, 30, 700, 40, 990, 1]),
    "flat": (Kind.STOCK, [123456789] * 8),
    "falling": (Kind.STOCK, range(9000, 1000, -900)),
    "below zero": (Kind.GROWTH, [-5, 3, -8, 2, 12, -1]),
    "ranks": (Kind.RANK, [9, 6, 14, 1, 2]),
    "two": (Kind.FLOW, [23, 36]),
    "forty": (Kind.STOCK, range(1000, 1040)),
}


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("money", [False, True])
def test_words_do_not_collide(language, case, money):
    kind, values = CASES[case]
    if money and kind == Kind.RANK:
        pytest.skip("a rank is no money")
    unit = {"unit": make_money()["亿元"]} if money else {}
    indicator = make_indicator(kind=kind, frequency=Frequency.QUARTERLY, **unit)
    certainty = Certainty.EXPECTED if case == "steep" else Certainty.ACTUAL
    observations = quarters(indicator, values, certainty=certainty)
    first = make_observation(indicator=indicator, value=Decimal(7), published=ISSUED)
    targets = [make_target(indicator=indicator, plan=make_plan(), value=Decimal(800))]

    for form in ALL_FORMS:
        with override(language):
            spec = history.spec(
                indicator,
                observations,
                targets,
                ON,
                form=form,
                former={observations[1].pk: first},
            )
        assert collisions(spec) == [], form
        assert cut(spec) == [], form
        # The newest is said in every form.
        newest = f"{observations[0].value.normalize():,f}"
        if not money or language == "zh-hans":
            assert any(newest in text for text, _box in texts(spec)), form


def named(days: Days, months, **options) -> list[str]:
    return [label.text for label in days.axis(months, **options)[1] if not label.row]


def test_yearly_values_have_years():
    with override("en"):
        days = Days(date(2020, 1, 1), date(2023, 1, 1), 900)
        assert named(days, 12) == ["2020", "2021", "2022"]
        # However much room there is.
        assert named(Days(date(2020, 1, 1), date(2023, 1, 1), 9000), 12) == [
            "2020",
            "2021",
            "2022",
        ]


def test_quarters_are_named_where_there_is_room_and_years_where_there_is_not():
    with override("en"):
        year = date(2022, 1, 1), date(2023, 1, 1)
        assert named(Days(*year, 400), 3) == ["Q1", "Q2", "Q3", "Q4"]
        assert named(Days(*year, 80), 3) == ["2022"]


def test_many_years_are_named_by_twos_and_fives():
    with override("en"):
        days = Days(date(2000, 1, 1), date(2031, 1, 1), 300)
        assert named(days, 12) == ["2000", "2005", "2010", "2015", "2020", "2025", "2030"]


def test_ends_of_years_are_named_back_from_the_last():
    with override("en"):
        days = Days(date(2019, 7, 1), date(2023, 3, 1), 200)
        assert named(days, 12, at_ends="end %(year)d") == ["end 2022", "end 2020"]


def test_steps_of_values_are_round_and_begin_at_zero():
    assert values_axis([706, 905], 300).ticks == (0, 200, 400, 600, 800, 1000)
    assert values_axis([-5, 12], 120).ticks == (-10, 0, 10, 20)
    # Nothing but zero is a scale, too.
    assert values_axis([0], 300).high == 1
    # 0.894 billion in units of 100 million: steps are round in billions.
    assert values_axis([8.94], 120, scale=10).ticks == (0, 5, 10)


def test_the_first_rank_is_on_top_and_the_last_is_clear_of_the_ground():
    axis = ranks_axis([5, 6], 300)

    assert axis.ticks == (1, 2, 3, 4, 5, 6)
    assert axis.at(1) == 0
    assert axis.at(6) < 300


def test_words_take_the_first_free_place_and_none_if_there_is_none():
    paper = Paper(Box(0, 0, 200, 100))
    paper.mark(50, 50)

    assert paper.write("abc", [Place(50, 50), Place(50, 20)], colour="x")
    assert paper.written[0][1] == Place(50, 20)
    assert not paper.write("abc", [Place(50, 20)], colour="x")
    assert paper.write("abc", [Place(50, 20), Place(50, 50)], colour="x", must=True)
    # Upon a mark rather than upon words.
    assert paper.written[1][1] == Place(50, 50)


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("宝府〔2023〕70号", 100, ["宝府〔2023〕", "70号"]),
        ("one two three", 70, ["one two", "three"]),
        ("x" * 20, 81, ["x" * 10, "x" * 10]),
        ("", 100, [""]),
    ],
)
def test_lines_break_between_words_and_never_before_what_ends_one(text, width, lines):
    assert lines_of(text, width) == lines


def test_a_gap_breaks_the_line():
    indicator = make_indicator(kind=Kind.STOCK, frequency=Frequency.QUARTERLY)
    rows = quarters(indicator, [1, 2, 3, 4])
    spec = history.spec(indicator, [rows[0], rows[2], rows[3]], [], ON)
    (line,) = [layer for layer in spec["layer"] if layer["mark"]["type"] == "line"]

    # From the first to the second, and nothing to the fourth.
    ends = [row["end"] for row in line["data"]["values"]]
    assert ends == [(row.period_end + timedelta(days=1)).isoformat() for row in (rows[3], rows[2])]


def test_the_way_to_what_is_expected_is_broken_too():
    indicator = make_indicator(kind=Kind.STOCK, frequency=Frequency.QUARTERLY)
    rows = quarters(indicator, [1, 2, 3], certainty=Certainty.EXPECTED)
    spec = history.spec(indicator, rows, [], ON)
    lines = [layer for layer in spec["layer"] if layer["mark"]["type"] == "line"]

    assert ["strokeDash" in layer["mark"] for layer in lines] == [False, True]


def test_what_a_corrected_value_said_first_is_drawn_and_said():
    indicator = make_indicator()
    old = make_observation(indicator=indicator, value=Decimal(40), published=ISSUED)
    rows = quarters(indicator, [30, 50])
    spec = history.spec(indicator, rows, [], ON, former={rows[0].pk: old})
    said = [
        row["said"]
        for layer in spec["layer"]
        if layer["mark"]["type"] == "bar"
        for row in layer["data"]["values"]
    ]
    crosses = [layer for layer in spec["layer"] if layer["mark"].get("shape", "").startswith("M-1")]

    assert said[1] == "2023年第2季度：50家，更正前为40家"
    assert len(crosses) == 1
    assert "50家（更正前40家）" in [text for text, _box in texts(spec)]
