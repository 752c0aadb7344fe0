"""Unlike periods, gaps, sums of quarters and agreed schedules, worked out by hand."""

from datetime import date
from decimal import Decimal

import pytest
from django.utils.translation import override

from measures.numerals import plain, rounded

from ..last_change import last_change, sums_by_year, year_on_year
from ..models import Indicator
from ..rules.choices import Frequency, Freshness, Kind
from ..rules.freshness import timeliness
from ..rules.periods import are_comparable, gaps, months_of, same_period_before
from ..wording import percent_text, timeliness_text
from .factories import make_indicator, make_observation

YEAR = date(2022, 1, 1), date(2022, 12, 31)


def quarter(year, number):
    last = {1: (3, 31), 2: (6, 30), 3: (9, 30), 4: (12, 31)}[number]
    return date(year, number * 3 - 2, 1), date(year, *last)


@pytest.mark.parametrize(
    ("start", "end", "months"),
    [
        ("2022-01-01", "2022-12-31", 12),
        ("2022-01-01", "2022-06-30", 6),
        ("2022-04-01", "2022-06-30", 3),
        ("2024-02-01", "2024-02-29", 1),
        # Of none of the calendar's lengths.
        ("2022-04-01", "2022-09-30", None),
        ("2022-02-01", "2022-04-30", None),
        ("2022-01-01", "2022-07-24", None),
        (None, "2022-12-31", None),
    ],
)
def test_the_unit_of_length_of_a_period(start, end, months):
    assert months_of((start and date.fromisoformat(start), date.fromisoformat(end))) == months


def test_a_year_and_a_quarter_never_meet():
    assert not are_comparable(Kind.FLOW, quarter(2023, 1), YEAR)
    assert are_comparable(Kind.FLOW, quarter(2023, 1), quarter(2022, 4))
    # As long as a quarter, and none.
    assert not are_comparable(Kind.FLOW, quarter(2023, 1), (date(2022, 2, 1), date(2022, 4, 30)))


def test_the_same_period_of_the_year_before():
    assert same_period_before(quarter(2024, 1)) == quarter(2023, 1)
    february = date(2025, 2, 1), date(2025, 2, 28)
    assert same_period_before(february) == (date(2024, 2, 1), date(2024, 2, 29))
    assert same_period_before((None, date(2024, 12, 31))) == (None, date(2023, 12, 31))


def test_three_silent_years_are_gaps():
    years = [(date(year, 1, 1), date(year, 12, 31)) for year in (2019, 2023)]
    missing = gaps(Kind.FLOW, Frequency.YEARLY, years)
    assert [end.year for _start, end in missing] == [2020, 2021, 2022]
    found = timeliness("yearly", years[1][1], date(2024, 6, 1), grace_days=30, gaps=len(missing))
    assert (found.state, found.gaps) == (Freshness.CURRENT, 3)
    with override("en"):
        assert timeliness_text(found) == "nothing due is missing · 3 earlier periods never reported"


def test_a_missing_quarter_of_a_flow_and_of_a_stock_is_named():
    flows = [quarter(2023, 1), quarter(2023, 3), (date(2021, 1, 1), date(2021, 12, 31))]
    assert gaps(Kind.FLOW, Frequency.QUARTERLY, flows) == [quarter(2023, 2)]
    ends = [(None, date(2023, 3, 31)), (None, date(2023, 9, 30))]
    june = date(2023, 6, 30)
    assert gaps(Kind.CUMULATIVE, Frequency.QUARTERLY, ends) == [(june, june)]
    # A value within a quarter stands for none that ends later.
    within = [(None, date(2023, 7, 24)), (None, date(2023, 12, 31))]
    september = date(2023, 9, 30)
    assert gaps(Kind.STOCK, Frequency.QUARTERLY, within) == [(september, september)]


def test_nothing_is_missing_of_what_comes_once_or_has_no_length():
    known = [(date(2019, 1, 1), date(2019, 5, 5)), (date(2023, 1, 1), date(2023, 7, 24))]
    assert gaps(Kind.FLOW, Frequency.YEARLY, known) == []
    assert gaps(Kind.STOCK, Frequency.ONCE, known) == []
    assert gaps(Kind.STOCK, Frequency.YEARLY, []) == []


@pytest.mark.parametrize(
    ("agreed_on", "state"),
    [
        (None, Freshness.SILENT),
        (date(2024, 6, 2), Freshness.SILENT),
        (date(2024, 6, 1), Freshness.LATE),
    ],
)
def test_only_a_schedule_that_was_agreed_can_be_overdue(agreed_on, state):
    found = timeliness(
        "yearly", date(2022, 12, 31), date(2024, 6, 1), grace_days=30, agreed_on=agreed_on
    )
    assert (found.state, found.missed) == (state, 1)


@pytest.mark.parametrize(
    ("value", "text"),
    [("104.125", "104.13"), ("0.005", "0.01"), ("-0.125", "-0.13"), ("2.675", "2.68"), ("3", "3")],
)
def test_a_half_is_rounded_up(value, text):
    assert plain(rounded(Decimal(value))) == text
    assert percent_text(Decimal(833) * 100 / 800) == "104.13%"


@pytest.fixture
def firms(db):
    """A year's 253 and 2024's quarters 64, 59, 66 and 60; 2023's first three: 61, 58 and 55."""
    indicator = make_indicator(frequency=Frequency.QUARTERLY)
    values = [(253, (date(2024, 1, 1), date(2024, 12, 31)))]
    values += [(value, quarter(2024, n)) for n, value in enumerate((64, 59, 66, 60), 1)]
    values += [(value, quarter(2023, n)) for n, value in enumerate((61, 58, 55), 1)]
    values += [(70, quarter(2025, 1))]
    for value, (start, end) in values:
        make_observation(
            indicator=indicator,
            value=Decimal(value),
            period_start=start,
            period_end=end,
            published=date(2025, 4, 20),
        )
    return indicator


def loaded(indicator):
    return Indicator.objects.with_history().select_related("unit").get(pk=indicator.pk)


def test_a_quarter_is_told_against_the_last_one_and_that_of_the_year_before(firms):
    row = loaded(firms)
    with override("en"):
        # 70 against 60, not against the year's 253, and against 64.
        assert last_change(row).text == "+10 organisations (+16.67%)"
        assert year_on_year(row).text == "+6 organisations (+9.38%)"


def test_quarters_add_up_to_the_year_beside_it(firms):
    first, second, third = sums_by_year(loaded(firms))
    assert (first.year, first.parts, first.total, first.stated, first.before) == (
        2025, 1, 70, None, 64,
    )  # fmt: skip
    assert (second.year, second.parts, second.of, second.total) == (2024, 4, 4, 249)
    assert second.stated.value == 253
    # The fourth quarter of 2023 is missing, so there is nothing to compare four quarters with.
    assert (second.before, second.difference_text) == (None, "")
    assert (third.year, third.parts, third.total) == (2023, 3, 174)


@pytest.mark.once("reads what a page says")
def test_a_page_names_the_gap_the_sums_and_both_days(client, firms):
    text = client.get(f"/en/indicators/{firms.code}/").content.decode()
    assert "Q4 2023" in text
    assert "not reported; that is not a zero" in text
    assert "Added up by year" in text
    assert 'Query date <time datetime="' in text
    assert 'Newest period of the data <time datetime="2025-03-31"' in text
