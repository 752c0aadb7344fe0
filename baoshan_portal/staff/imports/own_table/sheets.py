"""What stands on the sheets of a file, and which of its rows are named (pure but for reading)."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from ..parsers.layout import header_parts, is_aside
from ..parsers.sheets import Line, Merged
from ..reading import FileError, read_sheets

#: How a part of the row above is named.
_PART = re.compile(r"(?:其中|其内|内含|ofwhich|including)[:：,，]?", re.IGNORECASE)
#: 科技信贷金额（亿元）: what is counted in stands behind the name.
_UNIT_BEHIND = re.compile(r"(.+?)[(（]([^()（）]{1,12})[)）]")


@dataclass
class SheetLine:
    """A row with anything: ``faults`` say by place why no figure can be taken from a cell,
    ``stored`` what a cell holds that it does not show."""

    number: int
    cells: list[str]
    faults: dict[int, str] = field(default_factory=dict)
    stored: dict[int, str] = field(default_factory=dict)

    def cell(self, at: int | None) -> str:
        return self.cells[at].strip() if at is not None and at < len(self.cells) else ""


@dataclass
class Sheet:
    name: str
    lines: list[SheetLine]
    merged: list[Merged]
    hidden_rows: set[int]
    hidden_columns: set[int]

    @property
    def width(self) -> int:
        return max(len(line.cells) for line in self.lines)

    def parts(self, first: int, last: int) -> list[list[str]]:
        """By column the texts that stand above each other in the rows ``first`` to ``last``."""
        rows = [
            Line(line.number, line.cells) for line in self.lines if first <= line.number <= last
        ]
        if not rows:
            return [[] for _at in range(self.width)]
        found = header_parts(rows, self.width, self.merged)
        return [list(dict.fromkeys(parts)) for parts in found]

    def headers(self, first: int, last: int) -> list[str]:
        return [" ".join(parts) for parts in self.parts(first, last)]

    def titles(self, first: int) -> list[str]:
        """What stands above row ``first``."""
        above = [line for line in self.lines if line.number < first]
        return [" ".join(filter(None, dict.fromkeys(line.cells))) for line in above]

    def is_merged(self, number: int, at: int) -> bool:
        """Whether a cell below the header belongs to a range of several rows."""
        return any(
            place.first_row <= number <= place.last_row
            and place.first_row != place.last_row
            and place.first <= at <= place.last
            for place in self.merged
        )


@dataclass
class NamedRow:
    """A row with a name below the header; ``key`` tells it from all others of the table."""

    line: SheetLine
    name: str
    unit: str
    key: str


def sheets_of(content: bytes) -> tuple[list[Sheet], list[str]]:
    """The visible sheets that hold anything, and the names of hidden ones. Raises FileError."""
    shown, hidden = [], []
    for said in read_sheets(content):
        if said["is_hidden"]:
            hidden.append(said["name"])
            continue
        lines = [
            SheetLine(number, cells, dict(faults), dict(stored))
            for number, cells, faults, stored in said["lines"]
        ]
        merged = [Merged(*place) for place in said["merged"]]
        shown.append(
            Sheet(
                said["name"], lines, merged, set(said["hidden_rows"]), set(said["hidden_columns"])
            )
        )
    if not shown:
        raise FileError(
            _("The only table is on a hidden sheet, “%(sheet)s”: show the sheet and save.")
            % {"sheet": hidden[0]}
        )
    return shown, hidden


def plain(text: str) -> str:
    """``text`` for comparison: width, case and spaces do not matter."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text)).casefold()


def split_unit(name: str) -> tuple[str, str]:
    """A name and the unit behind it in brackets; '' if none is."""
    match = _UNIT_BEHIND.fullmatch(name.strip())
    return (match[1].strip(), match[2].strip()) if match else (name.strip(), "")


def without_part(name: str) -> str:
    """``name`` without the word that it is a part of the row above."""
    match = _PART.match(name)
    return name[match.end() :].strip() if match else name


def named_rows(sheet: Sheet, last: int, name_at: int, unit_at: int | None) -> list[NamedRow]:
    """The rows below row ``last`` that may hold a figure, in their order.

    Hidden rows, headings, notes and signatures are none. Two rows of one name are told apart by
    the row that they are a part of, or by the heading above.
    """
    found, heading, whole = [], "", ""
    for line in sheet.lines:
        texts = [cell.strip() for cell in line.cells if cell.strip()]
        name = line.cell(name_at)
        if line.number <= last or not name or line.number in sheet.hidden_rows or is_aside(texts):
            continue
        if len(texts) == 1:
            heading = name
            continue
        is_part = bool(_PART.match(name))
        whole = whole if is_part else plain(name)
        key = f"{whole}/{plain(name)}" if is_part else plain(name)
        found.append((NamedRow(line, name, line.cell(unit_at), key), plain(heading)))
    times = Counter(row.key for row, _heading in found)
    for row, above in found:
        if times[row.key] > 1 and above:
            row.key = f"{above}/{row.key}"
    return [row for row, _heading in found]


def twice(rows: Sequence[NamedRow]) -> list[NamedRow]:
    """The rows that cannot be told from another one."""
    times = Counter(row.key for row in rows)
    return [row for row in rows if times[row.key] > 1]
