"""Which values belong beside each other in a check."""

from datetime import date

import pytest

from ..check_results import states_of
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
        # A quarter and a year that end on one day are two periods.
        ("part", [part("flow", Q4), whole("flow", year(2023))], None),
        ("base", [Series("flow", Role.NOW, [Q4]), Series("growth", Role.RATE, [year(2023)])], None),
        # What was new in a period is within every later total, and not within an earlier one.
        ("part", [part("flow", year(2022)), whole("cumulative", WINTER, SUMMER)], [0, 1]),
        ("part", [part("flow", year(2023), year(2022)), whole("cumulative", SUMMER)], [1, 0]),
        # States: the whole of the same day or the next one after it.
        ("part", [part("stock", WINTER, SUMMER), whole("stock", SUMMER)], [1, 0]),
        ("part", [part("stock", SUMMER), whole("stock", NEXT_SUMMER, WINTER)], [0, 1]),
        ("part", [part("stock", WINTER), whole("stock", SUMMER)], None),
        # A limit holds for any day, the newest one; what is used of it is of the leading day.
        ("quota", [part("cumulative", WINTER), whole("capacity", SUMMER)], [0, 0]),
        ("quota", [part("stock", SUMMER), whole("capacity", NEXT_SUMMER, WINTER)], [0, 0]),
        ("part", [part("capacity", WINTER, SUMMER), whole("stock", SUMMER)], [1, 0]),
        # A ratio needs one day.
        ("share", [part("stock", WINTER, SUMMER), whole("stock", SUMMER),
                   Series("share", Role.RATE, [SUMMER])], [1, 0, 0]),
        ("share", [part("stock", WINTER), whole("stock", WINTER),
                   Series("share", Role.RATE, [SUMMER])], None),
        ("share", [part("stock", SUMMER), whole("stock", WINTER),
                   Series("share", Role.RATE, [SUMMER])], None),
        ("same", [Series("stock", Role.NOW, [WINTER, SUMMER]),
                  Series("stock", Role.BEFORE, [SUMMER])], [1, 0]),
        ("base", [Series("stock", Role.NOW, [WINTER]),
                  Series("growth", Role.RATE, [year(2022)])], None),
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


def test_the_value_of_the_year_before_does_not_set_the_time_though_it_stands_first():
    figures = [
        Series(Kind.FLOW, Role.BEFORE, [year(2021)], earlier=True),
        Series(Kind.FLOW, Role.NOW, [year(2022)]),
        Series(Kind.GROWTH, Role.RATE, [year(2022)]),
    ]
    assert align(CheckKind.GROWTH, figures) == [0, 0, 0]


def test_an_earlier_value_is_of_the_day_one_year_before_and_of_no_later_one():
    def before(*periods):
        return Series(Kind.STOCK, Role.WHOLE, periods, earlier=True)

    used = part(Kind.STOCK, WINTER)
    assert align(CheckKind.PART, [used, before(WINTER, SUMMER, total(2022, 12, 31))]) == [0, 2]
    assert align(CheckKind.PART, [used, before(WINTER, SUMMER)]) is None


def test_no_figure_has_no_time():
    assert align(CheckKind.SUM, []) is None
    assert align(CheckKind.PART, [whole(Kind.STOCK, SUMMER)]) is None


def test_a_leap_day_has_a_year_before():
    assert year_before(date(2024, 2, 29)) == date(2023, 2, 28)
    assert year_before(date(2023, 2, 28)) == date(2022, 2, 28)
    assert year_before(None) is None


def loans_and_growth(growth_of=2022):
    """Loans of 36 after 23, the growth stated of a year, and the check that joins them."""
    loans = make_indicator()
    percent = make_unit(name="%", name_en="%", quantity="percentage")
    rate = make_indicator(kind=Kind.GROWTH, unit=percent)
    check = make_check(kind=CheckKind.GROWTH)
    make_term(check_of=check, role=Role.NOW, indicator=loans)
    make_term(check_of=check, role=Role.BEFORE, indicator=loans, earlier=True)
    make_term(check_of=check, role=Role.RATE, indicator=rate)
    for value, number in ((23, 2021), (36, 2022)):
        publish(loans, value, number)
    publish(rate, 57, growth_of)
    return loans, rate


def firms_and_growth():
    """30 firms and a growth of 50 % in 2022; the check can only lead that back to 20."""
    firms = make_indicator()
    percent = make_unit(name="%", name_en="%", quantity="percentage")
    rate = make_indicator(kind=Kind.GROWTH, unit=percent)
    check = make_check(kind=CheckKind.BASE, note="报告未给出上年数。")
    make_term(check_of=check, role=Role.NOW, indicator=firms)
    make_term(check_of=check, role=Role.RATE, indicator=rate)
    publish(firms, 30, 2022)
    publish(rate, 50, 2022)
    return firms, rate


#: All periods of these tests have ended by then.
LATER = date(2024, 1, 5)


def publish(indicator, value, number):
    start, end = year(number)
    fields = {"period_start": start, "period_end": end, "value": value, "published": LATER}
    make_observation(indicator=indicator, **fields)


def state():
    (found,) = states_of([check.pk for check in Check.objects.published()], None)
    return found


@pytest.mark.django_db
def test_a_new_value_contradicts_no_growth_of_the_year_before():
    loans, rate = loans_and_growth()
    assert state().outcome.result == Result.HOLDS

    publish(loans, 40, 2023)
    assert state().outcome.result == Result.HOLDS
    assert sorted(value.value for _term, value in state().terms) == [23, 36, 57]

    publish(rate, 57, 2023)
    assert state().outcome.result == Result.FAILS


@pytest.mark.django_db
def test_values_of_different_times_give_no_result_and_are_shown(client):
    loans_and_growth(growth_of=2020)

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

    publish(firms, before, 2021)

    assert (state().relation, state().outcome.result) == (CheckKind.GROWTH, result)
    assert [value.value for _term, value in state().terms] == [30, 50, before]
    # What the note says is no longer so.
    assert "报告未给出上年数。" not in client.get("/checks/").content.decode()


@pytest.mark.django_db
def test_an_older_time_at_which_the_number_before_is_known_is_not_preferred():
    firms, rate = firms_and_growth()
    publish(firms, 5, 2018)
    publish(firms, 10, 2019)
    publish(rate, 100, 2019)

    assert state().relation == CheckKind.BASE
    assert [value.value for _term, value in state().terms] == [30, 50]
