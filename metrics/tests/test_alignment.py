"""Which values belong beside each other in a check."""

from datetime import date

import pytest

from measures.tests.factories import ISSUED

from ..assessment import assess_check
from ..models import Check
from ..rules.alignment import Series, align, year_before
from ..rules.checks import CheckKind, Result, Role
from ..rules.choices import Kind
from .factories import make_check, make_indicator, make_observation, make_term, make_unit


def year(number):
    return date(number, 1, 1), date(number, 12, 31)


def total(*day):
    return None, date(*day)


Q4 = date(2023, 10, 1), date(2023, 12, 31)
SUMMER, WINTER, NEXT_SUMMER = total(2023, 7, 24), total(2023, 12, 31), total(2024, 7, 24)


def part(kind, *periods):
    return Series(kind, Role.PART, periods)


def whole(kind, *periods):
    return Series(kind, Role.WHOLE, periods)


@pytest.mark.parametrize(
    ("relation", "figures", "places"),
    [
        # Flows: the newest period that both have.
        ("part", [part("flow", Q4, year(2022)), whole("flow", year(2022))], [1, 0]),
        ("part", [part("flow", Q4), whole("flow", year(2022))], None),
        ("sum", [part("flow", year(2023), year(2022)), whole("flow", year(2022))], [1, 0]),
        # What was new in a period is within every later total, and not within an earlier one.
        ("part", [part("flow", year(2022)), whole("cumulative", WINTER, SUMMER)], [0, 1]),
        ("part", [part("flow", year(2023), year(2022)), whole("cumulative", SUMMER)], [1, 0]),
        # States: the whole of the same day or the next one after it.
        ("part", [part("stock", WINTER, SUMMER), whole("stock", SUMMER)], [1, 0]),
        ("part", [part("stock", SUMMER), whole("stock", NEXT_SUMMER, WINTER)], [0, 1]),
        ("part", [part("stock", WINTER), whole("stock", SUMMER)], None),
        # A limit holds for any day.
        ("quota", [part("cumulative", WINTER), whole("capacity", SUMMER)], [0, 0]),
        # A ratio needs one day.
        ("share", [part("stock", WINTER, SUMMER), whole("stock", SUMMER),
                   Series("share", Role.RATE, [SUMMER])], [1, 0, 0]),
        ("share", [part("stock", WINTER), whole("stock", WINTER),
                   Series("share", Role.RATE, [SUMMER])], None),
        ("base", [Series("stock", Role.NOW, [WINTER, total(2022, 12, 31)]),
                  Series("growth", Role.RATE, [year(2022)])], [1, 0]),
    ],
)  # fmt: skip
def test_the_newest_time_that_all_have_in_common(relation, figures, places):
    assert align(relation, figures) == places


@pytest.mark.parametrize(
    ("rates", "values", "places"),
    [
        ([year(2022)], [year(2022), year(2021)], [0, 1, 0]),
        ([year(2022)], [year(2023), year(2022), year(2021)], [1, 2, 0]),
        ([year(2023)], [year(2023), year(2021)], None),
        ([Q4], [Q4, (date(2023, 7, 1), date(2023, 9, 30)),
                (date(2022, 10, 1), date(2022, 12, 31))], [0, 2, 0]),
    ],
)  # fmt: skip
def test_growth_is_measured_against_the_same_period_of_the_year_before(rates, values, places):
    figures = [
        Series(Kind.FLOW, Role.NOW, values),
        Series(Kind.FLOW, Role.BEFORE, values, earlier=True),
        Series(Kind.GROWTH, Role.RATE, rates),
    ]
    assert align(CheckKind.GROWTH, figures) == places


def test_no_figure_has_no_time():
    assert align(CheckKind.SUM, []) is None
    assert align(CheckKind.PART, [whole(Kind.STOCK, SUMMER)]) is None


def test_a_leap_day_has_a_year_before():
    assert year_before(date(2024, 2, 29)) == date(2023, 2, 28)
    assert year_before(date(2023, 2, 28)) == date(2022, 2, 28)
    assert year_before(None) is None


def loans_and_growth(told_of=2022):
    """Loans of 36 after 23, the growth that was told of a year, and the check that joins them."""
    loans = make_indicator()
    percent = make_unit(name="%", name_en="%", quantity="percentage")
    rate = make_indicator(kind=Kind.GROWTH, unit=percent)
    check = make_check(kind=CheckKind.GROWTH)
    make_term(check_of=check, role=Role.NOW, indicator=loans)
    make_term(check_of=check, role=Role.BEFORE, indicator=loans, earlier=True)
    make_term(check_of=check, role=Role.RATE, indicator=rate)
    for value, number in ((23, 2021), (36, 2022)):
        tell(loans, value, number)
    tell(rate, 57, told_of)
    return loans, rate


def firms_and_growth():
    """30 firms and a growth of 50 % in 2022; the check can only lead that back to 20."""
    firms = make_indicator()
    percent = make_unit(name="%", name_en="%", quantity="percentage")
    rate = make_indicator(kind=Kind.GROWTH, unit=percent)
    check = make_check(kind=CheckKind.BASE, note="报告未给出上年数。")
    make_term(check_of=check, role=Role.NOW, indicator=firms)
    make_term(check_of=check, role=Role.RATE, indicator=rate)
    tell(firms, 30, 2022)
    tell(rate, 50, 2022)
    return firms, rate


def tell(indicator, value, number):
    start, end = year(number)
    fields = {"period_start": start, "period_end": end, "value": value, "published": ISSUED}
    make_observation(indicator=indicator, **fields)


def state():
    (check,) = Check.objects.published().with_terms()
    return assess_check(check)


@pytest.mark.django_db
def test_a_new_value_contradicts_no_growth_of_the_year_before():
    loans, rate = loans_and_growth()
    assert state().outcome.result == Result.HOLDS

    tell(loans, 40, 2023)
    assert state().outcome.result == Result.HOLDS
    assert sorted(value.value for _term, value in state().terms) == [23, 36, 57]

    tell(rate, 57, 2023)
    assert state().outcome.result == Result.FAILS


@pytest.mark.django_db
def test_values_of_different_times_cannot_be_told_and_are_shown(client):
    loans_and_growth(told_of=2020)

    assert state().outcome.result == Result.UNKNOWN
    assert sorted(value.value for _term, value in state().terms) == [23, 36, 57]
    page = client.get("/en/checks/").content.decode()
    assert "The figures have no period in common" in page


@pytest.mark.django_db
@pytest.mark.parametrize(("before", "result"), [(20, Result.HOLDS), (25, Result.FAILS)])
def test_growth_is_checked_itself_once_the_number_before_is_public(client, before, result):
    firms, _rate = firms_and_growth()
    assert state().relation == CheckKind.BASE
    assert state().outcome.computed == 20
    assert "报告未给出上年数。" in client.get("/checks/").content.decode()

    tell(firms, before, 2021)

    assert (state().relation, state().outcome.result) == (CheckKind.GROWTH, result)
    assert [value.value for _term, value in state().terms] == [30, 50, before]
    # What the note says is no longer so.
    assert "报告未给出上年数。" not in client.get("/checks/").content.decode()


@pytest.mark.django_db
def test_an_older_time_at_which_the_number_before_is_known_is_not_preferred():
    firms, rate = firms_and_growth()
    tell(firms, 5, 2018)
    tell(firms, 10, 2019)
    tell(rate, 100, 2019)

    assert state().relation == CheckKind.BASE
    assert [value.value for _term, value in state().terms] == [30, 50]
