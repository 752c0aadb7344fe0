"""The terms of an opinion's stages, worked out by hand."""

from datetime import date

import pytest

from ..rules.stages import InTime, Term, due, term

pytestmark = pytest.mark.once("days alone")

HANDED_OVER, TODAY = date(2023, 2, 6), date(2024, 6, 30)


@pytest.mark.parametrize(
    ("happened_on", "on", "expected"),
    [
        # 6 February and 180 days: 22 left in February, 31, 30, 31, 30, 31 and 5 in August.
        (date(2023, 7, 25), TODAY, Term(date(2023, 8, 5), InTime.IN_TIME)),
        (date(2023, 8, 5), TODAY, Term(date(2023, 8, 5), InTime.IN_TIME)),
        (date(2023, 8, 6), TODAY, Term(date(2023, 8, 5), InTime.LATE, 1)),
        (None, date(2023, 8, 5), Term(date(2023, 8, 5), InTime.OPEN)),
        (None, date(2023, 8, 15), Term(date(2023, 8, 5), InTime.OVERDUE, 10)),
    ],
)
def test_a_stage_is_in_time_late_open_or_overdue(happened_on, on, expected):
    assert term(happened_on, HANDED_OVER, 180, on) == expected


@pytest.mark.parametrize(("handed_over", "days"), [(None, 180), (HANDED_OVER, None), (None, None)])
@pytest.mark.parametrize("happened_on", [None, date(2023, 7, 25)])
def test_without_a_day_or_a_term_nothing_is_told(happened_on, handed_over, days):
    assert term(happened_on, handed_over, days, TODAY) == Term(None, InTime.UNKNOWN)


def test_a_term_beyond_the_calendar_is_no_term():
    assert due(date.max, 1) is None
    assert due(date(2023, 1, 1), 10**9) is None
