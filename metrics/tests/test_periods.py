"""How a period is written."""

from datetime import date

import pytest
from django.utils.translation import override

from metrics.periods import period_text

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
        (date(2023, 2, 1), date(2023, 4, 30), *["2023-02-01 – 2023-04-30"] * 2),
    ],
)
def test_a_period_is_written_as_people_call_it(start, end, english, chinese):
    with override("en"):
        assert period_text(start, end) == english
    with override("zh-hans"):
        assert period_text(start, end) == chinese
