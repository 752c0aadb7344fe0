"""Where periods end, how one is written, and which compare."""

from datetime import date

import pytest
from django.utils.translation import override

from ..rules.choices import Frequency, Kind
from ..rules.periods import are_comparable, last_period, period_text

pytestmark = pytest.mark.once("pure rules")

LAST = date(2023, 12, 31)


@pytest.mark.parametrize(
    ("start", "end", "english", "chinese"),
    [
        (None, LAST, "up to 2023-12-31", "截至2023-12-31"),
        (LAST, LAST, "2023-12-31", "2023-12-31"),
        (date(2023, 1, 1), LAST, "year 2023", "2023年"),
        (date(2023, 10, 1), LAST, "Q4 2023", "2023年第4季度"),
        (date(2024, 1, 1), date(2024, 3, 31), "Q1 2024", "2024年第1季度"),
        (date(2024, 4, 1), date(2024, 6, 30), "Q2 2024", "2024年第2季度"),
        (date(2023, 11, 1), date(2024, 1, 31), *["2023-11-01 – 2024-01-31"] * 2),
        (date(2023, 10, 1), date(2023, 12, 30), *["2023-10-01 – 2023-12-30"] * 2),
        (date(2022, 10, 1), LAST, *["2022-10-01 – 2023-12-31"] * 2),
        (date(2023, 10, 2), LAST, *["2023-10-02 – 2023-12-31"] * 2),
        (date(2023, 12, 1), LAST, *["2023-12-01 – 2023-12-31"] * 2),
        (date(2022, 1, 1), LAST, *["2022-01-01 – 2023-12-31"] * 2),
        (date(2023, 2, 1), date(2023, 4, 30), *["2023-02-01 – 2023-04-30"] * 2),
    ],
)
def test_a_period_is_written_as_people_call_it(start, end, english, chinese):
    with override("en"):
        assert period_text(start, end) == english
    with override("zh-hans"):
        assert period_text(start, end) == chinese


@pytest.mark.parametrize(
    ("frequency", "start", "end", "first", "last"),
    [
        (Frequency.MONTHLY, "2024-01-01", "2024-02-29", "2024-02-01", "2024-02-29"),
        (Frequency.MONTHLY, "2024-01-01", "2024-02-28", "2024-01-01", "2024-01-31"),
        (Frequency.MONTHLY, "2023-12-01", "2024-01-30", "2023-12-01", "2023-12-31"),
        (Frequency.QUARTERLY, "2023-01-01", "2023-12-31", "2023-10-01", "2023-12-31"),
        (Frequency.QUARTERLY, "2023-01-01", "2023-12-30", "2023-07-01", "2023-09-30"),
        (Frequency.QUARTERLY, "2023-01-01", "2023-05-31", "2023-01-01", "2023-03-31"),
        (Frequency.HALF_YEARLY, "2023-01-01", "2023-12-31", "2023-07-01", "2023-12-31"),
        (Frequency.HALF_YEARLY, "2023-01-01", "2023-12-30", "2023-01-01", "2023-06-30"),
        # The year before ended on the first of the days that are asked for.
        (Frequency.YEARLY, "2022-12-31", "2023-12-30", "2022-01-01", "2022-12-31"),
        # What comes only once belongs to the whole time.
        (Frequency.ONCE, "2021-03-05", "2023-12-30", "2021-03-05", "2023-12-30"),
    ],
)
def test_the_last_period_that_has_ended(frequency, start, end, first, last):
    found = last_period(frequency, date.fromisoformat(start), date.fromisoformat(end))
    assert found == (date.fromisoformat(first), date.fromisoformat(last))


def test_no_year_ends_between_new_year_and_the_day_before_its_last():
    assert last_period(Frequency.YEARLY, date(2023, 1, 1), date(2023, 12, 30)) is None


Q1, Q2 = (date(2023, 1, 1), date(2023, 3, 31)), (date(2023, 4, 1), date(2023, 6, 30))
HALF = (Q1[0], Q2[1])
JANUARY, FEBRUARY = (Q1[0], date(2023, 1, 31)), (date(2023, 2, 1), date(2023, 2, 28))
YEAR_2022, YEAR_2024 = ((date(year, 1, 1), date(year, 12, 31)) for year in (2022, 2024))
DAY_2022, DAY_2023 = ((date(year, 12, 31), date(year, 12, 31)) for year in (2022, 2023))
UNKNOWN_2022, UNKNOWN_2023 = (None, DAY_2022[1]), (None, DAY_2023[1])


@pytest.mark.parametrize(
    ("kind", "period", "earlier", "answer"),
    [
        # Flows need one known length; a leap day and the days of a month make no difference.
        (Kind.FLOW, Q2, Q1, True),
        (Kind.FLOW, YEAR_2024, YEAR_2022, True),
        (Kind.FLOW, FEBRUARY, JANUARY, True),
        (Kind.FLOW, (FEBRUARY[0], date(2023, 2, 27)), JANUARY, False),
        (Kind.FLOW, HALF, Q1, False),
        (Kind.FLOW, Q2, YEAR_2022, False),
        (Kind.FLOW, Q2, UNKNOWN_2022, False),
        (Kind.FLOW, UNKNOWN_2023, UNKNOWN_2022, False),
        # Running totals need one beginning; of one indicator two totals "so far" are one series.
        (Kind.CUMULATIVE, HALF, Q1, True),
        (Kind.CUMULATIVE, Q2, Q1, False),
        (Kind.CUMULATIVE, UNKNOWN_2023, UNKNOWN_2022, True),
        (Kind.CUMULATIVE, UNKNOWN_2023, YEAR_2022, False),
        # States do not depend on how long the time before them was.
        (Kind.STOCK, DAY_2023, YEAR_2022, True),
        (Kind.CAPACITY, DAY_2023, UNKNOWN_2022, True),
        (Kind.RANK, DAY_2023, YEAR_2022, True),
        # A share of a day is not the share of a year.
        (Kind.SHARE, YEAR_2024, YEAR_2022, True),
        (Kind.SHARE, DAY_2023, DAY_2022, True),
        (Kind.SHARE, UNKNOWN_2023, DAY_2022, True),
        (Kind.SHARE, UNKNOWN_2023, UNKNOWN_2022, True),
        (Kind.SHARE, UNKNOWN_2023, (date(2022, 12, 28), DAY_2022[1]), True),
        (Kind.SHARE, UNKNOWN_2023, (date(2022, 12, 27), DAY_2022[1]), False),
        (Kind.SHARE, DAY_2023, YEAR_2022, False),
        (Kind.SHARE, UNKNOWN_2023, YEAR_2022, False),
        (Kind.SHARE, Q2, YEAR_2022, False),
        (Kind.GROWTH, Q2, Q1, True),
        (Kind.GROWTH, Q2, YEAR_2022, False),
        (Kind.GROWTH, UNKNOWN_2023, UNKNOWN_2022, True),
    ],
)
def test_only_like_periods_are_compared(kind, period, earlier, answer):
    assert are_comparable(kind, period, earlier) is answer
    assert are_comparable(kind, earlier, period) is answer


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("period", [YEAR_2022, DAY_2022, UNKNOWN_2022])
def test_a_correction_of_a_value_compares_with_what_it_corrects(kind, period):
    assert are_comparable(kind, period, period)
