"""What changed from the value of the period before, and when nothing may be subtracted."""

from datetime import date
from decimal import Decimal

import pytest
from django.utils import translation

from ..last_change import BEGINNING_UNKNOWN, BEGINNINGS_DIFFER, LENGTHS_DIFFER, last_change
from ..models import Indicator, Observation, Unit
from ..rules.choices import Kind, Qualifier

FIRM = Unit(name="家", name_en="organisations", quantity="organisations")
YI = Unit(name="亿元", name_en="100 million yuan", quantity="money", factor=Decimal(10**8))
PERCENT = Unit(name="%", name_en="%", quantity="percentage")
TIMES = Unit(name="倍", name_en="times", quantity="multiple")
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


@pytest.mark.parametrize("kind", [Kind.FLOW, Kind.CUMULATIVE, Kind.SHARE])
def test_that_a_beginning_is_not_stated_is_said(kind):
    told = change(kind, FIRM, ("8", (None, JULY_2023[1])), ("6", YEAR_2022))

    assert (told.text, told.difference.reason) == ("", BEGINNING_UNKNOWN)


def test_two_flows_of_no_stated_beginning_are_not_subtracted_and_two_totals_are():
    values = [("8", (None, JULY_2023[1])), ("6", (None, END_OF_2022[1]))]

    assert change(Kind.FLOW, FIRM, *values).difference.reason == BEGINNING_UNKNOWN
    assert change(Kind.CUMULATIVE, FIRM, *values).text == "+2家（+33.33%）"


def test_the_share_of_a_day_is_not_subtracted_from_that_of_a_year():
    told = change(Kind.SHARE, PERCENT, ("38", JULY_2023), ("36", YEAR_2022))

    assert (told.text, told.difference.reason) == ("", LENGTHS_DIFFER)
    assert change(Kind.RANK, RANK, ("4", JULY_2023), ("6", YEAR_2022)).text == "上升2位"


@pytest.mark.parametrize(
    ("now", "growth"),
    [("112345", "+12.35%"), ("87655", "−12.35%"), ("100005", "+0.01%"), ("100004", "")],
)
def test_half_a_hundredth_of_growth_is_rounded_up_and_less_than_it_is_not_told(now, growth):
    grown = change(Kind.STOCK, FIRM, (now, JULY_2023), ("100000", END_OF_2022))

    assert grown.growth_text == growth
    assert grown.difference_text


def test_what_did_not_change_has_no_growth_beside_it():
    assert change(Kind.FLOW, FIRM, ("5", YEAR_2022), ("5", YEAR_2021)).text == "持平"


def test_growth_itself_does_not_grow():
    grown = change(Kind.GROWTH, TIMES, ("4", YEAR_2022), ("2", YEAR_2021))

    assert grown.text == "+2倍"


def test_two_sources_for_one_period_are_no_change():
    assert change(Kind.FLOW, FIRM, ("5", YEAR_2022), ("6", YEAR_2022)) is None
    assert change(Kind.FLOW, FIRM, ("5", YEAR_2022)) is None
    assert change(Kind.FLOW, FIRM) is None
