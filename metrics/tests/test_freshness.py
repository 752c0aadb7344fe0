"""Whether a figure was reported when it was due, worked out by hand on a calendar."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from measures.tests.factories import ISSUED

from ..rules.choices import Frequency, Freshness
from ..rules.freshness import Timeliness, newest_due, timeliness
from .factories import make_indicator, make_observation

ONCE, YEARLY, HALF = Frequency.ONCE, Frequency.YEARLY, Frequency.HALF_YEARLY
QUARTERLY, MONTHLY = Frequency.QUARTERLY, Frequency.MONTHLY
CURRENT, LATE = Freshness.CURRENT, Freshness.LATE


def state(frequency, latest_end: str, on: str, grace_days=30) -> Timeliness:
    """The state of a figure whose department agreed to its schedule."""
    end, day = date.fromisoformat(latest_end), date.fromisoformat(on)
    return timeliness(frequency, end, day, grace_days=grace_days, agreed_on=ISSUED)


@pytest.mark.parametrize(
    ("frequency", "latest_end", "on", "expected"),
    [
        # The year 2023 falls due on 30 January 2024.
        (YEARLY, "2022-12-31", "2024-01-29", Timeliness(CURRENT)),
        (YEARLY, "2022-12-31", "2024-01-30", Timeliness(LATE, 1)),
        (YEARLY, "2022-12-31", "2026-11-25", Timeliness(LATE, 3)),
        # A value of July stands neither for its quarter nor for its year.
        (YEARLY, "2023-07-24", "2023-12-31", Timeliness(CURRENT)),
        (YEARLY, "2023-07-24", "2026-11-25", Timeliness(LATE, 3)),
        (QUARTERLY, "2023-07-24", "2023-10-29", Timeliness(CURRENT)),
        (QUARTERLY, "2023-07-24", "2023-10-30", Timeliness(LATE, 1)),
        (QUARTERLY, "2023-06-30", "2023-10-30", Timeliness(LATE, 1)),
        (QUARTERLY, "2023-07-24", "2024-02-01", Timeliness(LATE, 2)),
        (HALF, "2023-06-30", "2024-01-30", Timeliness(LATE, 1)),
        # Nor does one of the day before the last: the second quarter stays due.
        (QUARTERLY, "2023-06-30", "2023-07-30", Timeliness(CURRENT)),
        (QUARTERLY, "2023-06-29", "2023-07-30", Timeliness(LATE, 1)),
        (MONTHLY, "2024-01-31", "2024-03-29", Timeliness(CURRENT)),
        (MONTHLY, "2023-11-30", "2024-03-30", Timeliness(LATE, 3)),
        (MONTHLY, "2024-01-31", "2024-03-30", Timeliness(LATE, 1)),
        # A value that is expected for the future is not overdue.
        (QUARTERLY, "2025-12-31", "2024-03-30", Timeliness(CURRENT)),
        # Nor is the calendar left at its end.
        (MONTHLY, "9999-12-31", "2024-03-30", Timeliness(CURRENT)),
        (ONCE, "2001-12-31", "2026-11-25", Timeliness(Freshness.ONCE)),
    ],
)
def test_a_figure_is_overdue_once_a_later_value_is_due(frequency, latest_end, on, expected):
    assert state(frequency, latest_end, on) == expected


@pytest.mark.parametrize(
    ("agreed_on", "expected"),
    [(None, Freshness.SILENT), ("2024-01-31", Freshness.SILENT), ("2024-01-30", LATE)],
)
def test_only_an_agreed_schedule_can_be_overdue(agreed_on, expected):
    agreed = agreed_on and date.fromisoformat(agreed_on)
    answer = timeliness(
        YEARLY, date(2022, 12, 31), date(2024, 1, 30), grace_days=30, agreed_on=agreed
    )

    assert answer == Timeliness(expected, 1)


@pytest.mark.parametrize("frequency", Frequency)
def test_what_was_never_reported_is_not_called_late(frequency):
    answer = timeliness(frequency, None, date(2026, 11, 25), grace_days=30)

    assert answer == Timeliness(Freshness.NEVER)


def test_without_grace_a_value_is_due_when_its_period_has_ended():
    assert newest_due(YEARLY, date(2023, 12, 31), 0) == date(2023, 12, 31)
    assert newest_due(YEARLY, date(2023, 12, 30), 0) == date(2022, 12, 31)
    assert newest_due(ONCE, date(2023, 12, 31), 0) is None


@given(
    st.sampled_from(Frequency), st.dates(), st.dates(), st.integers(0, 365), st.integers(0, 4000)
)
def test_silence_never_makes_a_figure_less_late(frequency, latest_end, on, grace, days):
    later = min(on, date.max - timedelta(days=days)) + timedelta(days=days)

    now = timeliness(frequency, latest_end, on, grace_days=grace)
    then = timeliness(frequency, latest_end, max(on, later), grace_days=grace)

    assert then.missed >= now.missed


@pytest.mark.once("reads what a page says")
@pytest.mark.django_db
def test_the_page_of_an_indicator_says_how_many_values_are_overdue(client):
    indicator = make_indicator(frequency=YEARLY)
    make_observation(
        indicator=indicator,
        period_start=date(2022, 1, 1),
        period_end=date(2022, 12, 31),
        published=ISSUED,
    )

    def page_on(day: str) -> str:
        page = client.get(f"/en/indicators/{indicator.code}/", {"as_of": day})
        return page.content.decode()

    assert "fallen due" not in page_on("2024-01-29")
    assert "Since then 1 value has fallen due, and none was published." in page_on("2024-01-30")
    assert "Since then 2 values have fallen due" in page_on("2025-01-30")
