"""Reads a period as offices write it: 2026年第3季度, 2026Q3, 1-9月, 截至2026-09-30 (pure)."""

import re
import unicodedata
from datetime import date

from .periods import Period, end_of_month

_QUARTERS = {"一": 1, "二": 2, "三": 3, "四": 4, "1": 1, "2": 2, "3": 3, "4": 4}
_YEAR = r"(?P<year>(?:19|20|21)[0-9]{2})"
_DAY = (
    rf"{_YEAR}(?:[-/.](?P<month>[0-9]{{1,2}})[-/.](?P<day>[0-9]{{1,2}})"
    r"|年(?P<month2>[0-9]{1,2})月(?P<day2>[0-9]{1,2})日?)"
)
_QUARTER = (
    rf"{_YEAR}年?度?-?(?:第?(?P<quarter>[一二三四1-4])季度?|[qQ](?P<q>[1-4]))"
    rf"|[qQ](?P<q2>[1-4])-?(?P<year2>(?:19|20|21)[0-9]{{2}})"
)
_HALF = rf"{_YEAR}年?(?P<half>[上下])半年"
_MONTHS = (
    rf"{_YEAR}(?:年|-|/|\.)(?P<first>[0-9]{{1,2}})月?"
    r"(?:(?:-|—|–|~|～|至|到)(?P<last>[0-9]{1,2})月)?(?:份)?"
)
_WHOLE_YEAR = rf"(?:year)?{_YEAR}(?:年度|年|全年)?(?:全年)?"
_RANGE = re.compile(r"(.+?)(?:–|—|~|～|至|到)(.+)")
_SO_FAR = re.compile(r"(?:截至|截止|upto|至)(.+)", re.IGNORECASE)
#: What of a longer text can only be meant as a period, the narrowest first.
_WITHIN = re.compile("|".join(
    re.sub(r"\?P<\w+>", "?:", pattern) for pattern in (
        _DAY, _QUARTER, _HALF,
        rf"{_YEAR}年[0-9]{{1,2}}月?(?:(?:-|—|–|~|～|至)[0-9]{{1,2}})?月", rf"{_YEAR}年度?",
    )
))  # fmt: skip


def read_period(text: str) -> Period | None:
    """The period that ``text`` means; None if it means none, or is not clear."""
    text = _plain(text)
    if match := _SO_FAR.fullmatch(text):
        period = _calendar(match[1])
        return (None, period[1]) if period else None
    if period := _calendar(text):
        return period
    if match := _RANGE.fullmatch(text):
        begin, end = _calendar(match[1]), _calendar(match[2])
        if begin and end and begin[0] <= end[1]:
            return begin[0], end[1]
    return None


def periods_in(text: str) -> list[Period]:
    """The periods that a title names, in their order."""
    found = (_calendar(match[0]) for match in _WITHIN.finditer(_plain(text)))
    return [period for period in found if period]


def _plain(text: str) -> str:
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text))


def _calendar(text: str) -> tuple[date, date] | None:
    try:
        if match := re.fullmatch(_DAY, text):
            month, day = match["month"] or match["month2"], match["day"] or match["day2"]
            day = date(int(match["year"]), int(month), int(day))
            return day, day
        if match := re.fullmatch(_QUARTER, text):
            year = int(match["year"] or match["year2"])
            number = _QUARTERS[match["quarter"] or match["q"] or match["q2"]]
            return _months(year, number * 3 - 2, number * 3)
        if match := re.fullmatch(_HALF, text):
            first = 1 if match["half"] == "上" else 7
            return _months(int(match["year"]), first, first + 5)
        if match := re.fullmatch(_WHOLE_YEAR, text, re.IGNORECASE):
            return _months(int(match["year"]), 1, 12)
        if match := re.fullmatch(_MONTHS, text):
            first = int(match["first"])
            last = int(match["last"] or first)
            return _months(int(match["year"]), first, last) if first <= last else None
    except ValueError:
        return None
    return None


def _months(year: int, first: int, last: int) -> tuple[date, date]:
    return date(year, first, 1), end_of_month(date(year, last, 1))
