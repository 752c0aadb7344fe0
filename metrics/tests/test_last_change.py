"""What changed from the value of the period before, and when nothing may be subtracted."""

from datetime import date
from decimal import Decimal

import pytest
from django.utils import translation

from metrics.choices import Kind, Qualifier
from metrics.last_change import BEGINNINGS_DIFFER, LENGTHS_DIFFER, last_change
from metrics.models import Indicator, Observation, Unit

FIRM = Unit(name="家", name_en="organisations", quantity="organisations")
YI = Unit(name="亿元", name_en="100 million yuan", quantity="money", factor=Decimal(10**8))
PERCENT = Unit(name="%", name_en="%", quantity="percentage")
RANK = Unit(name="名次", name_en="rank", quantity="rank")

YEAR_2021 = (date(2021, 1, 1), date(2021, 12, 31))
YEAR_2022 = (date(2022, 1, 1), date(2022, 12, 31))
FIRST_HALF_2023 = (date(2023, 1, 1), date(2023, 6, 30))
END_OF_2022 = (date(2022, 12, 31), date(2022, 12, 31))
JULY_2023 = (date(2023, 7, 24), date(2023, 7, 24))


def change(kind, unit, *values):
    """The last change of an indicator; ``values`` are newest first: value, period, qualifier."""
    indicator = Indicator(kind=kind, unit=unit)
    indicator.public_values = [
        Observation(
            value=Decimal(value),
            period_start=period[0],
            period_end=period[1],
            qualifier=qualifier[0] if qualifier else Qualifier.EXACT,
        )
        for value, period, *qualifier in values
    ]
    return last_change(indicator)


def test_the_loans_of_the_report_grew_as_it_says():
    grown = change(Kind.FLOW, YI, ("36.15", YEAR_2022), ("23.14", YEAR_2021))

    assert grown.difference.value == Decimal("13.01")
    assert grown.text == "+13.01亿元（+56.22%）"
    with translation.override("en"):
        assert grown.text == "+CNY 1.301 billion (+56.22%)"


def test_a_loss_carries_a_minus_sign():
    lost = change(Kind.STOCK, FIRM, ("1400", JULY_2023), ("1475", END_OF_2022))

    assert lost.text == "−75家（−5.08%）"


def test_of_percentages_the_difference_is_in_percentage_points_and_has_no_growth():
    rise = change(Kind.SHARE, PERCENT, ("36", YEAR_2022), ("35.5", YEAR_2021))

    assert rise.text == "+0.5个百分点"
    assert rise.growth.value is None
    with translation.override("en"):
        assert rise.text == "+0.5 percentage points"


@pytest.mark.parametrize(
    ("now", "before", "chinese", "english"),
    [
        ("4", "6", "上升2位", "up 2 places"),
        ("6", "5", "下降1位", "down 1 place"),
        ("6", "6", "持平", "unchanged"),
    ],
)
def test_a_smaller_rank_is_a_rise(now, before, chinese, english):
    moved = change(Kind.RANK, RANK, (now, YEAR_2022), (before, YEAR_2021))

    assert moved.text == chinese
    with translation.override("en"):
        assert moved.text == english


def test_of_inexact_values_the_difference_is_inexact():
    grown = change(Kind.STOCK, FIRM, ("2700", JULY_2023, Qualifier.OVER), ("2500", END_OF_2022))

    assert grown.text == "约+200家（约+8%）"


def test_from_zero_there_is_a_difference_and_no_growth():
    grown = change(Kind.FLOW, FIRM, ("5", YEAR_2022), ("0", YEAR_2021))

    assert grown.text == "+5家"


def test_a_half_year_is_not_subtracted_from_a_year():
    told = change(Kind.FLOW, FIRM, ("130", FIRST_HALF_2023), ("253", YEAR_2022))

    assert told.before.value == 253
    assert (told.text, told.difference.reason) == ("", LENGTHS_DIFFER)


def test_a_leap_year_is_as_long_as_any_other():
    leap = (date(2024, 1, 1), date(2024, 12, 31))

    assert change(Kind.FLOW, FIRM, ("6", leap), ("5", YEAR_2022)).text == "+1家（+20%）"


def test_running_totals_are_subtracted_only_if_they_begin_on_the_same_day():
    since_2021 = [
        ("8", (date(2021, 1, 1), JULY_2023[1])),
        ("6", (date(2021, 1, 1), END_OF_2022[1])),
    ]
    other = [("8", (date(2021, 1, 1), JULY_2023[1])), ("6", (date(2020, 1, 1), END_OF_2022[1]))]

    assert change(Kind.CUMULATIVE, FIRM, *since_2021).difference.value == 2
    assert change(Kind.CUMULATIVE, FIRM, *other).difference.reason == BEGINNINGS_DIFFER


def test_a_period_without_a_beginning_compares_only_with_another_such():
    open_2023, open_2022 = (None, JULY_2023[1]), (None, END_OF_2022[1])

    assert change(Kind.CUMULATIVE, FIRM, ("8", open_2023), ("6", open_2022)).text.startswith("+2家")
    mixed = change(Kind.FLOW, FIRM, ("8", open_2023), ("6", YEAR_2022))
    assert mixed.difference.reason == LENGTHS_DIFFER


def test_two_sources_for_one_period_are_no_change():
    assert change(Kind.FLOW, FIRM, ("5", YEAR_2022), ("6", YEAR_2022)) is None
    assert change(Kind.FLOW, FIRM, ("5", YEAR_2022)) is None
    assert change(Kind.FLOW, FIRM) is None
