"""What a value usually is, by its own past."""

from datetime import date
from decimal import Decimal

import pytest

from ..rules.choices import Kind
from ..rules.usual import FEWEST, repeats, usual, would_differ

ENDS = [date(2020 + n // 4, *((3, 31), (6, 30), (9, 30), (12, 31))[n % 4]) for n in range(16)]


def past(*values) -> list[tuple[date, Decimal]]:
    return [(day, Decimal(str(value))) for day, value in zip(ENDS, values, strict=False)]


def next_of(known) -> date:
    return ENDS[len(known)]


FLOW = past(61, 66, 58, 72, 60, 69, 63, 75)
TOTAL = past(367, 391, 410, 436, 455, 478, 503, 522)


@pytest.mark.parametrize(
    ("kind", "known", "value", "is_usual"),
    [
        (Kind.FLOW, FLOW, 59, True),
        (Kind.FLOW, FLOW, 72, True),
        # The sum of two quarters, a sign, a figure of another row.
        (Kind.FLOW, FLOW, 138, False),
        (Kind.FLOW, FLOW, -59, False),
        (Kind.FLOW, FLOW, 8, False),
        (Kind.CUMULATIVE, TOTAL, 547, True),
        # That of a year before, and two digits turned about.
        (Kind.CUMULATIVE, TOTAL, 455, False),
        (Kind.CUMULATIVE, TOTAL, 745, False),
        (Kind.SHARE, past(10, "10.5", 11, "10.8"), "10.9", True),
        (Kind.SHARE, past(10, "10.5", 11, "10.8"), "0.109", False),
        # Of small numbers some more or less are nothing.
        (Kind.FLOW, past(2, 3, 2, 3, 2, 2), 5, True),
        (Kind.STOCK, past(50, 50, 50, 50), 50, True),
    ],
)
def test_what_is_usual(kind, known, value, is_usual):
    found = usual(kind, known, next_of(known))

    assert (Decimal(str(value)) in found) == is_usual


def test_one_odd_value_in_the_past_moves_nothing():
    odd = past(61, 66, 58, 72, 60, 6900, 63, 75)

    assert usual(Kind.CUMULATIVE, past(*range(100, 108)), next_of(FLOW)).high < 120
    # What was once told is not unheard of, but nothing else of that size is usual.
    assert Decimal(690) in usual(Kind.FLOW, odd, next_of(odd))
    assert Decimal(69_000) not in usual(Kind.FLOW, odd, next_of(odd))


def test_a_longer_time_allows_a_longer_step():
    quarter, year = (usual(Kind.CUMULATIVE, TOTAL, day) for day in (ENDS[8], ENDS[11]))

    assert Decimal(620) in year
    assert Decimal(620) not in quarter


def test_too_short_a_past_tells_nothing():
    assert usual(Kind.FLOW, FLOW[: FEWEST - 1], ENDS[9]) is None
    assert usual(Kind.STOCK, FLOW, FLOW[-1][0]) is None


def test_an_earlier_figure_of_many_digits_again_is_told_with_its_day():
    known = past(20180, 21460, 19870, 22930)

    assert repeats(Decimal(21460), known) == ENDS[1]
    # The last one has a warning of its own, and short figures are the same by chance.
    assert repeats(Decimal(22930), known) is None
    assert repeats(Decimal(66), FLOW) is None


@pytest.mark.parametrize(
    ("known", "differs"),
    [(FLOW, True), (past(2, 3, 2, 3, 2), False), (past(25, 25, 26, 27), False),
     (past(345), True), (past(4), False)],
)  # fmt: skip
def test_the_same_again_is_odd_where_figures_move(known, differs):
    assert would_differ(known) == differs
