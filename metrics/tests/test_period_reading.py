"""Periods as offices write them."""

from datetime import date

import pytest
from django.utils.translation import override

from ..rules.period_reading import periods_in, read_period
from ..rules.periods import period_text

pytestmark = pytest.mark.once("pure rules")

QUARTER = date(2026, 7, 1), date(2026, 9, 30)
YEAR = date(2026, 1, 1), date(2026, 12, 31)
DAY = date(2026, 9, 30), date(2026, 9, 30)


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("2026年第3季度", QUARTER),
        ("2026年三季度", QUARTER),
        ("２０２６年第三季度", QUARTER),
        ("2026Q3", QUARTER),
        ("2026-Q3", QUARTER),
        ("Q3 2026", QUARTER),
        ("2026年7-9月", QUARTER),
        ("2026年", YEAR),
        ("2026年度", YEAR),
        ("2026", YEAR),
        ("year 2026", YEAR),
        ("2026年上半年", (date(2026, 1, 1), date(2026, 6, 30))),
        ("2026年2月", (date(2026, 2, 1), date(2026, 2, 28))),
        ("2026.6", (date(2026, 6, 1), date(2026, 6, 30))),
        ("2026-09-30", DAY),
        ("2026/9/30", DAY),
        ("2026年9月30日", DAY),
        ("截至2026-09-30", (None, DAY[1])),
        ("up to 2026-09-30", (None, DAY[1])),
        ("2021-01-01 – 2026-09-30", (date(2021, 1, 1), DAY[1])),
        ("2026-02-30", None),
        ("2026年13月", None),
        ("46295", None),
        ("去年", None),
        ("", None),
    ],
)
def test_a_period_is_read_or_is_none(text, period):
    assert read_period(text) == period


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("period", [QUARTER, YEAR, DAY, (None, DAY[1]), (YEAR[0], DAY[1])])
def test_what_is_written_is_read_back(period, language):
    with override(language):
        assert read_period(period_text(*period)) == period


def test_a_title_names_its_periods():
    assert periods_in("区科委2026年第三季度指标填报表") == [QUARTER]
    assert periods_in("主要指标完成情况表（2026年1-12月）") == [YEAR]
    assert periods_in("指标填报表") == []
