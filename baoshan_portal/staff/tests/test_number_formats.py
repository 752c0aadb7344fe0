"""What a cell shows under a number format."""

from datetime import date, datetime, time, timedelta

import pytest

from ..imports.parsers.number_formats import Shown, shown

pytestmark = pytest.mark.once("a pure module")

CHINESE_ACCOUNTS = '_ * #,##0.00_ ;_ * -#,##0.00_ ;_ * "-"??_ ;_ @_ '


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        (25, '0"%"', "25%"),
        (8.8, r"0.0\%", "8.8%"),
        (0.25, "0%", "25%"),
        (0.285, "0.0%", "28.5%"),
        (89400, '0"万元"', "89400万元"),
        (89_400_000, '#,##0.00,"千元"', "89,400.00千元"),
        (8_900_000, '0.0,,"百万"', "8.9百万"),
        (1475, "#,##0家", "1,475家"),
        (6, '"第"0', "第6"),
        (40, '"约"0"余家"', "约40余家"),
        (5, 'General"家"', "5家"),
        ("5", '@"家"', "5家"),
        (1234500, '[>=100000000]0.00,,"百万";[>=10000]0.0,"千";0', "1234.5千"),
        (0.5, "#.##", "0.5"),
        (5, "0.##", "5"),
        (5.5, "0.0#", "5.5"),
        (1234, "0000000", "0001234"),
        (-3.2, "0.0", "-3.2"),
        (-1234, "#,##0_);(#,##0)", "-1,234"),
        (12.5, CHINESE_ACCOUNTS, "12.50"),
        (0, CHINESE_ACCOUNTS, "-"),
        (0.25, "# ?/?", "1/4"),
        (8.25, "# ??/??", "8 1/4"),
        (0.25, "# ?/8", "2/8"),
        (89400, "0.00E+00", "89400"),
        (0.1 + 0.2, "General", "0.3"),
        (1e15, "G/通用格式", "1000000000000000"),
        (True, "0", "TRUE"),
        (5, "[$¥-804]#,##0.00", "¥5.00"),
        (date(2026, 9, 30), "mm-dd-yy", "2026-09-30"),
        (datetime(2026, 9, 30), 'yyyy"年"m"月"d"日"', "2026年9月30日"),
        (datetime(2026, 9, 30), 'yyyy"年"m"月"', "2026年9月"),
        (datetime(2026, 1, 4), 'm"月"d"日"', "1月4日"),
        # A fraction that a program took for a date is none when it is read.
        (datetime(2026, 1, 4), "m/d", "2026-01-04"),
        (datetime(2026, 1, 4, 8, 5), "yyyy年m月d日 h:mm", "2026年1月4日 8:05"),
        (time(3, 4), "h:mm", "03:04:00"),
        (timedelta(hours=26, minutes=5), "[h]:mm", "26:05"),
    ],
)
def test_a_value_is_shown_as_its_format_says(value, code, text):
    assert shown(value, code) == Shown(text)


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        (51.786, "0.00", "51.79"),
        (0.285, "0%", "29%"),
        (1.005, "0.00", "1.01"),
        (1234567, "#,##0,", "1,235"),
        (12345, r'0\.0,"万"', "1.2万"),
        (5, ";;;", ""),
        (-0.004, "0.00", "0.00"),
        (0.3333, "# ?/?", "1/3"),
    ],
)
def test_digits_that_are_not_shown_are_told(value, code, text):
    assert shown(value, code) == Shown(text, says_all=False)


def test_a_negative_number_without_its_sign_is_told():
    assert shown(-5, "0;[Red]0") == Shown("5", hides_sign=True)


@pytest.mark.parametrize(
    "code", ["", '"', "[", "\\", ";", "0;;", "?", "#/#", "0/0", "E+", "@@", "%"]
)
def test_a_format_that_is_none_is_shown_somehow(code):
    for value in (0, 1475, -0.5, 1e300, date(2026, 1, 1), "text"):
        assert isinstance(shown(value, code).text, str)
