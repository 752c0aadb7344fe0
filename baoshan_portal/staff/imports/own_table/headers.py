"""The headers of an office's own table: where they stand, what each is of, and of which months.

Pure. A header that names a month, a quarter or a year is kept with a mark in its place, so that
next month's column is found where this month's stood.
"""

import re
from collections.abc import Sequence
from datetime import date

from .sheets import Sheet, plain

#: The rows from the top in which a header is looked for, and over how many it may stand.
LOOKED_AT = 40
MOST_ROWS = 3

_NAME = re.compile(r"(?:主要)?(?:指标|项目|内容|名称)(?:名称|内容)?|(?:indicator|item|name).*")
_UNIT = re.compile(r"(?:计量|计算)?单位|unit")
#: Columns that are of no period of the round.
_OTHER = re.compile(
    r"上年|去年|上月|上季|上期|同期|同比|环比|增长|增幅|增速|增减|占比|比重|完成率|进度|目标|计划|"
    r"任务|备注|说明|lastyear|previous|growth|target|plan|remarks?|notes?"
)
_GROWTH = re.compile(r"同比.*|.*同比(?:增长|增速|增减|增幅|±).*|yearonyear.*|yoy.*")
_NUMBER = re.compile(r"[-+]?[0-9][0-9.,]*[%％]?")

_DIGITS = {sign: number for number, sign in enumerate("一二三四五六七八九", 1)}
_MONTHS = {**_DIGITS, "十": 10, "十一": 11, "十二": 12}
_MONTH = r"([0-9]{1,2}|十[一二]?|[一二三四五六七八九])月"
_SPAN = re.compile(rf"([0-9]{{1,2}})月?(?:-|—|–|~|至|到){_MONTH}")
_ONE_MONTH = re.compile(_MONTH)
_QUARTER = re.compile(r"(?:第?([一二三四1-4])季度?|q([1-4]))")
_YEAR = re.compile(r"((?:19|20|21)[0-9]{2})(?=年|-|\.|/|$|[^0-9])")
#: What stands in a kept header in place of what changes with the period.
MARK = re.compile(r"\{(?:Y|Y-1|C?Q|C?M)\}")
_CHINESE = {number: sign for sign, number in _MONTHS.items()}

Months = tuple[int, int]


def pattern(header: str, end: date) -> str:
    """``header`` with marks where it names the year, quarter or month in which ``end`` lies."""

    def month(match: re.Match) -> str:
        # Of 1-10月 the first month stays.
        said = match[1]
        number = _MONTHS.get(said) or int(said)
        if number != end.month:
            return match[0]
        return ("{M}" if said.isdigit() else "{CM}") + "月"

    def quarter(match: re.Match) -> str:
        said = match[1] or match[2]
        if _number(said) != (end.month + 2) // 3:
            return match[0]
        return match[0].replace(said, "{Q}" if said.isdigit() else "{CQ}")

    def year(match: re.Match) -> str:
        marks = {end.year: "{Y}", end.year - 1: "{Y-1}"}
        return marks.get(int(match[1]), match[1])

    text = _YEAR.sub(year, plain_header(header))
    return _QUARTER.sub(quarter, _ONE_MONTH.sub(month, text))


def rendered(kept: str, end: date) -> str:
    """What a kept ``pattern`` says in a file whose period ends on ``end``."""
    quarter = (end.month + 2) // 3
    for mark, text in {
        "{Y}": str(end.year),
        "{Y-1}": str(end.year - 1),
        "{Q}": str(quarter),
        "{CQ}": _CHINESE[quarter],
        "{M}": str(end.month),
        "{CM}": _CHINESE[end.month],
    }.items():
        kept = kept.replace(mark, text)
    return kept


def shape(header: str) -> str:
    """``header``, or a kept pattern, without any month, quarter or year: what stays the same."""
    text = MARK.sub("0", plain_header(header))
    text = _YEAR.sub("0", text)
    text = re.sub(r"(?:[0-9]{1,2}|十[一二]?|[一二三四五六七八九])(?=月)", "0", text)
    return re.sub(r"(?:第?[一二三四0-9](?=季))", "0", text)


def plain_header(header: str) -> str:
    """As ``plain``, but its parts stay apart."""
    # The marks are capital letters, which no comparison may lower.
    return " ".join(
        "".join(plain(bit) if not bit.startswith("{") else bit
                for bit in re.split(r"(\{[^}]*\})", part))
        for part in header.split(" ") if part.strip()
    )  # fmt: skip


def months_of_column(parts: Sequence[str], end: date) -> tuple[int, Months] | None:
    """The year and its months that a column is of; None if it does not say, or is of none.

    ``end`` tells what 本月, 本季 and 累计 mean. What is said lowest and in numbers counts most.
    """
    texts = [plain(part) for part in parts]
    if not texts or any(_OTHER.search(text) for text in texts):
        return None
    years = [int(found) for text in texts for found in _YEAR.findall(text)]
    year = years[-1] if years else end.year
    for text in reversed(texts):
        if match := _SPAN.search(text):
            return year, (int(match[1]), _number(match[2]))
        if match := _ONE_MONTH.search(text):
            return year, (_number(match[1]), _number(match[1]))
        if match := _QUARTER.search(text):
            last = _number(match[1] or match[2]) * 3
            return year, (last - 2, last)
    for text in reversed(texts):
        if re.search(r"本月|当月|thismonth", text):
            return year, (end.month, end.month)
        if re.search(r"本季|当季|thisquarter", text):
            last = (end.month + 2) // 3 * 3
            return year, (last - 2, last)
        if re.search(r"累计|本年|今年|年初|todate", text):
            return year, (1, end.month)
        if re.search(r"全年|年度", text):
            return year, (1, 12)
    return None


def _number(said: str) -> int:
    return _MONTHS.get(said) or int(said)


def is_growth(parts: Sequence[str]) -> bool:
    return any(_GROWTH.fullmatch(plain(part)) for part in parts)


def guessed_header(sheet: Sheet) -> tuple[int, int]:
    """The first and last row of the header, as far as it can be told."""
    lines = sheet.lines[:LOOKED_AT]
    for at, line in enumerate(lines):
        places = [n for n, cell in enumerate(line.cells) if _NAME.fullmatch(plain(cell))]
        if not places or sum(bool(cell) for cell in line.cells) < 2:
            continue
        last = max(
            (place.last_row for place in sheet.merged if place.first_row == line.number),
            default=line.number,
        )
        for below in lines[at + 1 : at + MOST_ROWS]:
            # Nothing below the name of the names, and no figure: a further row of headers.
            if below.cell(places[0]) or any(map(_NUMBER.fullmatch, below.cells)):
                break
            last = max(last, below.number)
        return line.number, min(last, line.number + MOST_ROWS - 1)
    return lines[0].number, lines[0].number


def guessed_columns(
    parts: Sequence[Sequence[str]], start: date, end: date
) -> dict[str, int | None]:
    """The places of the columns by what they are for; None where none is found."""
    found: dict[str, int | None] = dict.fromkeys(("name", "unit", "value", "total", "growth"))

    def is_first(role: str, at: int) -> None:
        if found[role] is None:
            found[role] = at

    for at, texts in enumerate(parts):
        if any(_NAME.fullmatch(plain(text)) for text in texts):
            is_first("name", at)
        elif any(_UNIT.fullmatch(plain(text)) for text in texts):
            is_first("unit", at)
        elif is_growth(texts):
            is_first("growth", at)
        elif said := months_of_column(texts, end):
            if said == (end.year, (start.month, end.month)):
                is_first("value", at)
            if any(re.search("累计|本年|年初", plain(text)) for text in texts):
                is_first("total", at)
    if found["name"] is None and parts:
        found["name"] = 0
    return found
