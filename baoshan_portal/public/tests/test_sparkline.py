"""The course of a figure in the size of a word says what its chart says."""

import re
from datetime import date
from decimal import Decimal

import pytest

from measures.tests.factories import ISSUED
from metrics.rules.choices import Certainty, Kind
from metrics.tests.factories import make_indicator, make_observation

from ..charts.sparkline import HEIGHT, MARGIN, sparkline

pytestmark = [pytest.mark.django_db, pytest.mark.once("is about what a drawing says")]

TOP, BOTTOM = float(MARGIN), float(HEIGHT - MARGIN)


def course_of(*values, **fields):
    """The course of one value a year from 2020 on, each of them a number or with fields."""
    indicator = make_indicator(**fields)
    rows = [
        make_observation(
            indicator=indicator,
            period_start=date(year, 1, 1),
            period_end=date(year, 12, 31),
            published=ISSUED,
            **(value if isinstance(value, dict) else {"value": Decimal(value)}),
        )
        for year, value in enumerate(values, start=2020)
    ]
    indicator.public_values = rows[::-1]
    return sparkline(indicator)


def bars_of(path: str) -> list[tuple[float, float]]:
    """Of each bar where it begins and how high it is; negative is upwards."""
    return [
        (float(y), float(height)) for y, height in re.findall(r"M[\d.]+,([\d.]+)v([-\d.]+)", path)
    ]


def test_a_flow_is_bars_from_zero():
    course = course_of(4, 8, kind=Kind.FLOW)
    assert bars_of(course.bars) == [(BOTTOM, (TOP - BOTTOM) / 2), (BOTTOM, TOP - BOTTOM)]
    assert not (course.hollow_bars or course.lines or course.last)


def test_a_loss_hangs_below_zero():
    (zero, gain), (_zero, loss) = bars_of(course_of(5, -5, kind=Kind.FLOW).bars)
    assert gain == -loss < 0
    assert TOP < zero < BOTTOM


def test_the_best_rank_stands_at_the_top():
    course = course_of(3, 1, kind=Kind.RANK)
    assert [float(point.partition(",")[2]) for point in course.lines[0].split()] == [BOTTOM, TOP]


@pytest.mark.parametrize("certainty", [Certainty.PRELIMINARY, Certainty.EXPECTED])
def test_what_is_not_final_is_hollow(certainty):
    last = {"value": Decimal(8), "certainty": certainty}
    flow, stock = (course_of(4, 6, last, kind=kind) for kind in (Kind.FLOW, Kind.STOCK))
    assert len(bars_of(flow.bars)) == 2
    assert len(bars_of(flow.hollow_bars)) == 1
    assert stock.last.is_hollow
    assert not course_of(4, 6, kind=Kind.STOCK).last.is_hollow


def test_one_value_has_no_course():
    assert course_of(4) is None
