"""Where in a sheet the table is: its header, and which rows below it are none of the table (pure).

People write a title over the table and a unit, a header over several rows, a total and signatures
below. What is left out is named, so that nobody has to guess.
"""

import itertools
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from ..names import plain_name
from .sheets import Line, Merged

#: Rows with anything in which the header is looked for, and how many it may take.
LOOKED_AT = 40
MOST_HEADER_ROWS = 3

_SPACE = re.compile(r"[\s\u3000]+")
_TOTAL = re.compile(
    r"(?:本页|本表|全区|全部|各项|以上|总|区级)*(?:合计|总计|小计|共计|累计|总和)(?:数)?"
    r"(?:[(（\[].*[)）\]])?[:：]?|(?:grand|sub)?-?totals?[:：]?|sum[:：]?"
)
_SIGNATURE = re.compile(
    r"(?:填表|填报|制表|制单|编制|审核|复核|校对|经办|签发|审批|联系|统计|单位|部门|分管|主管|"
    r"科室|处室|分管领导|主要)*"
    r"(?:人员?|负责人?|领导|单位|部门|日期|时间|签字|签名|签章|盖章|公章|电话|手机|联系方式)"
    r"(?:[(（](?:签字|签名|签章|盖章|公章|签章处)[)）])?[:：].*"
    r"|(?:单位|部门)?(?:负责人|填表人|填报人|制表人|审核人|复核人|经办人|联系人|签字|签章|盖章|公章"
    r"|盖章处|签字盖章)(?:[(（].*[)）])?"
    r"|(?:填表|填报|制表|报出|上报|报送)(?:日期|时间).*"
    r"|(?:prepared|filledin|signed|checked|approved)by.*|signatures?[:：]?.*|date[:：].*"
)
_NOTE = re.compile(
    r"(?:备注|附注|注释|注|说明|填表说明|填报说明|指标解释|资料来源|数据来源)"
    r"(?:[0-9一二三四五六七八九十]+[.、．:：]?.*|[:：.．、（(].*|)"
    r"|(?:notes?|remarks?|sources?)[0-9]*[:：.].*|※.*|★.*|\*.*"
)
_UNIT_ROW = re.compile(r"(?:计量|金额|数量)?单位[:：].*|unit[:：].*")
_SECTION = re.compile(r"(?:[一二三四五六七八九十]+[、.．]|[(（][一二三四五六七八九十]+[)）]).*")
_COLUMN_NUMBER = re.compile(r"[甲乙丙丁戊己庚辛壬癸]|[a-z]|[(（]?[0-9]{1,2}[)）]?|[-—–]+|×")
#: A code of several words, or a place in a report: 1.3/5.
_CODE = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)+|[0-9]+(?:\.[0-9]+)*/[0-9]+", re.IGNORECASE)
_UNDER = re.compile(r"[(（\[].*[)）\]]|[-—–/]+|必填|选填|请勿修改|勿改|可空|填写|自动")


@dataclass(frozen=True)
class Names:
    """The columns that a table may have: by each name, as ``plain_name`` has it, their key.

    ``needed`` cannot be missing, ``values`` say something new, ``keys`` tell which row it is.
    """

    keys_by_name: dict[str, str] = field(default_factory=dict)
    needed: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()

    @classmethod
    def of(cls, said: dict) -> "Names":
        names = {plain_name(name): key for key, names in said["columns"].items() for name in names}
        return cls(names, *(tuple(said[part]) for part in ("needed", "values", "keys")))

    def key(self, header: str) -> str:
        return self.keys_by_name.get(plain_name(header), "")


@dataclass
class Header:
    """The names of the columns, the rows over which they stand, and how well they are known."""

    cells: list[str]
    first: int
    last: int
    score: float = 0


def find_header(lines: Sequence[Line], names: Names | None, merged: Sequence[Merged] = ()):
    """The ``Header`` in the first ``lines`` of a sheet; None if nothing stands there.

    Without ``names``, or where no row has enough of them, it is the first row that holds anything.
    """
    filled = [line for line in lines if any(cell.strip() for cell in line.cells)][:LOOKED_AT]
    if not filled:
        return None
    best = Header([cell.strip() for cell in filled[0].cells], filled[0].number, filled[0].number)
    if names is None:
        return best
    for at in range(len(filled)):
        for depth in range(1, MOST_HEADER_ROWS + 1):
            rows = filled[at : at + depth]
            if len(rows) < depth:
                break
            header = _header_of(rows, names, merged)
            # More rows only where they name more columns.
            if header.score > best.score + (0.01 if depth > 1 else 0):
                best = header
    return _with_rows_below(best, filled, names, merged)


def _with_rows_below(header: Header, filled: Sequence[Line], names: Names, merged) -> Header:
    """``header`` down to where the cells end that are merged from it downwards."""
    rows = range(header.first, header.last + 1)
    last = max((place.last_row for place in merged if place.first_row in rows), default=header.last)
    if not header.score or not header.last < last < header.first + MOST_HEADER_ROWS:
        return header
    lines = [line for line in filled if header.first <= line.number <= last]
    cells = _header_of(lines, names, merged).cells
    return Header(cells, header.first, last, header.score)


def _header_of(rows: Sequence[Line], names: Names, merged: Sequence[Merged]) -> Header:
    width = max(len(row.cells) for row in rows)
    cells = [_name_of(parts, names) for parts in header_parts(rows, width, merged)]
    found = {key for cell in cells if (key := names.key(cell))}
    # One known word in a row of data or in a title is none.
    needed = sum(key in found for key in names.needed)
    score = len(found) + needed * 2 if len(found) > 1 or needed == len(names.needed) else 0
    if len(rows) > 1 and not _all_headers(rows, names):
        score = 0
    return Header(cells, rows[0].number, rows[-1].number, score - 0.1 * (len(rows) - 1))


def _all_headers(rows: Sequence[Line], names: Names) -> bool:
    """Whether no row of a header over several could be one of data."""
    for row in rows:
        texts = [cell.strip() for cell in row.cells if cell.strip()]
        if any(_CODE.fullmatch(text) and not names.key(text) for text in texts):
            return False
        if any(re.fullmatch(r"[-+]?[0-9][0-9.,]*%?", text) for text in texts):
            return False
    return len({tuple(row.cells) for row in rows}) == len(rows) and all(
        len([cell for cell in row.cells if cell.strip()]) > 1 for row in rows
    )


def header_parts(rows: Sequence[Line], width: int, merged: Sequence[Merged]) -> list[list[str]]:
    """By column what stands in each of ``rows``; a merged cell stands over all of its columns."""
    grid = [[(row.cells + [""] * width)[at].strip() for at in range(width)] for row in rows]
    for place in merged:
        for number, row in enumerate(rows):
            if place.first_row <= row.number <= place.last_row and place.first < width:
                text = grid[number][place.first]
                for at in range(place.first + 1, min(place.last + 1, width)):
                    grid[number][at] = grid[number][at] or text
    if not merged:
        # A text file knows no merged cells: 本期 stands over what is named below to its right.
        for above, below in itertools.pairwise(grid):
            for at in range(1, width):
                if not above[at] and below[at]:
                    above[at] = above[at - 1]
    return [[row[at] for row in grid if row[at]] for at in range(width)]


def _name_of(parts: list[str], names: Names) -> str:
    """The name that the parts of a header above each other make."""
    if not parts:
        return ""
    distinct = list(dict.fromkeys(parts))
    for name in (distinct[-1], "".join(distinct), "".join(distinct[-2:]), *distinct):
        if names.key(name):
            return name
    return " ".join(distinct)


# What is no row of the table


@dataclass
class Rows:
    """Tells for one line after the other whether it belongs to the table; keeps what was left out.

    ``at`` are the places of the columns by their keys.
    """

    names: Names
    header: Header
    at: dict[str, int]
    left_out: list[tuple[int, str]] = field(default_factory=list)
    _begun: bool = False
    _notes: bool = False

    def belongs(self, line: Line) -> bool:
        """Whether the line, which holds something, is a row of the table."""
        texts = [cell.strip() for cell in line.cells if cell.strip()]
        if self._is_row(line, texts):
            self._begun = True
            return True
        self.left_out.append((line.number, texts[0][:40]))
        return False

    def _is_row(self, line: Line, texts: list[str]) -> bool:
        first = self._cell(line, self.names.keys[0]) if self.names.keys else ""
        if _CODE.fullmatch(first) and not self.names.key(first):
            return True
        if self._repeats_header(line):
            return False
        words = [_SPACE.sub("", unicodedata.normalize("NFKC", t)).casefold() for t in texts]
        key_cells = [self._cell(line, key) for key in self.names.keys if key in self.at]
        if not self._begun and self._is_under_header(line, words):
            return False
        heads = [word for word in map(_tight, [*key_cells, texts[0]]) if word]
        if any(_TOTAL.fullmatch(word) for word in heads):
            return False
        if _SIGNATURE.fullmatch(words[0]) or _UNIT_ROW.fullmatch(words[0]):
            return False
        # A row of data may be named 说明; one of notes says nothing else.
        is_alone = len(texts) == 1 or not any(key_cells)
        if _NOTE.fullmatch(words[0]) and (is_alone or len(words[0]) > 4):
            self._notes = True
            return False
        is_heading = self._notes or bool(_SECTION.fullmatch(words[0]))
        return not (is_heading and len(texts) == 1 and not self._cell(line, "figure"))

    def _cell(self, line: Line, key: str) -> str:
        at = self.at.get(key)
        return line.cells[at].strip() if at is not None and at < len(line.cells) else ""

    def _repeats_header(self, line: Line) -> bool:
        """The header again: on every printed page, or in another language below."""
        known = [
            self.names.key(cell) == self.names.key(self.header.cells[at])
            for at, cell in enumerate(line.cells[: len(self.header.cells)])
            if self.names.key(cell)
        ]
        return len(known) > 1 and all(known)

    def _is_under_header(self, line: Line, words: list[str]) -> bool:
        """Numbers of columns, units or hints between the header and the first row."""
        if len(words) > 2 and all(_COLUMN_NUMBER.fullmatch(word) for word in words):
            numbers = [int(found) for found in re.findall("[0-9]+", " ".join(words))]
            return numbers == list(range(1, len(numbers) + 1)) and bool(numbers)
        return all(_UNDER.fullmatch(word) for word in words)


def _tight(text: str) -> str:
    return _SPACE.sub("", unicodedata.normalize("NFKC", text)).casefold()


def is_aside(texts: Sequence[str]) -> bool:
    """Whether the filled cells of a row are a signature, a unit, a note or numbers of columns."""
    words = [_tight(text) for text in texts]
    if _SIGNATURE.fullmatch(words[0]) or _UNIT_ROW.fullmatch(words[0]):
        return True
    if _NOTE.fullmatch(words[0]) and len(words) == 1:
        return True
    return len(words) > 2 and all(_COLUMN_NUMBER.fullmatch(word) for word in words)


def left_out_text(left_out: Sequence[tuple[int, str]]) -> str:
    """The sentence that names rows which are none of the table."""
    shown = "; ".join(f"{number} “{text}”" for number, text in left_out[:12])
    if len(left_out) > 12:
        shown += " …"
    return _("Rows that are no figures are left out: %(rows)s.") % {"rows": shown}
