"""Workbooks in the binary format of old: .xls, and what WPS calls .et."""

import io
import struct
from collections.abc import Iterator
from datetime import datetime

import xlrd
from django.utils.translation import gettext as _
from xlrd.biffh import XLRDError, error_text_from_code
from xlrd.compdoc import CompDoc, CompDocError
from xlrd.xldate import XLDateError, xldate_as_datetime

from ..reading import FileError
from .number_formats import shown
from .sheets import MOST_COLUMNS, MOST_PLACES, MOST_SHEETS, Line, Merged, Source, locked

BEGINNING = b"\xd0\xcf\x11\xe0"
#: A workbook without a folder around it begins with its version.
BARE = (b"\x09\x08\x10\x00\x00\x06", b"\x09\x08\x08\x00\x00\x05", b"\x09\x04", b"\x09\x02")
_FORMULA, _SHEET, _END = 0x0006, 0x0085, 0x000A


def sheets(content: bytes) -> list[Source]:
    """The sheets with cells, in their order. Raises FileError for another kind of document."""
    if content.startswith(BEGINNING):
        _check_kind(content)
    try:
        book = xlrd.open_workbook(
            file_contents=content, formatting_info=True, logfile=io.StringIO(), on_demand=False
        )
    except XLRDError as error:
        if "encrypted" in str(error):
            raise locked() from None
        raise
    formulas = _formulas(content, book)
    return [
        _source(book, number, formulas.get(number, set()))
        for number in range(min(book.nsheets, MOST_SHEETS))
    ]


def _check_kind(content: bytes) -> None:
    """Raises FileError for what Word, WPS and others keep in a file of the same kind."""
    names = content.replace(b"\0", b"")
    if b"EncryptedPackage" in names and b"Workbook" not in names:
        raise locked()
    if b"WordDocument" in names and b"Workbook" not in names:
        raise FileError(
            _("This is a text document of Word or WPS (.doc, .wps): copy its table into a "
              "spreadsheet and send that.")
        )  # fmt: skip
    if b"PowerPoint Document" in names:
        raise FileError(_("These are slides: copy the table into a spreadsheet and send that."))


def _source(book, number: int, formulas: set[tuple[int, int]]) -> Source:
    sheet = book.sheet_by_index(number)
    return Source(
        sheet.name,
        lambda: _lines(book, sheet, formulas),
        bool(sheet.visibility),
        {at + 1 for at, row in sheet.rowinfo_map.items() if row.hidden},
        {at for at, column in sheet.colinfo_map.items() if column.hidden},
        sorted(
            (Merged(top + 1, end, left, right - 1)
             for top, end, left, right in sheet.merged_cells[:MOST_PLACES]),
            key=lambda place: place.first_row,
        ),
    )  # fmt: skip


def _lines(book, sheet, formulas) -> Iterator[Line]:
    for row in range(sheet.nrows):
        line = Line(row + 1, [])
        for column, cell in enumerate(sheet.row(row)[: MOST_COLUMNS + 1]):
            if (row, column) in formulas and cell.ctype != xlrd.XL_CELL_ERROR:
                line.cells.append("=")
            else:
                _put(line, book, cell)
        yield line


def _put(line: Line, book, cell) -> None:
    value, code = cell.value, "General"
    if cell.xf_index is not None:
        code = book.format_map[book.xf_list[cell.xf_index].format_key].format_str or code
    if cell.ctype == xlrd.XL_CELL_TEXT:
        text = shown(value, code).text.strip()
        line.cells.append(f"'{text}" if text.startswith("=") else text)
    elif cell.ctype == xlrd.XL_CELL_BOOLEAN:
        line.cells.append(str(bool(value)).upper())
    elif cell.ctype == xlrd.XL_CELL_ERROR:
        line.cells.append(error_text_from_code.get(value, "#ERROR!"))
    elif cell.ctype == xlrd.XL_CELL_DATE:
        line.cells.append(_day(value, code, book.datemode))
    elif cell.ctype == xlrd.XL_CELL_NUMBER:
        try:
            found = shown(value, code)
        except (ArithmeticError, ValueError, IndexError):
            found = shown(value, "General")
        line.put(found, shown(value, "General").text)
    else:
        line.cells.append("")


def _day(value: float, code: str, mode: int) -> str:
    try:
        day = xldate_as_datetime(value, mode)
    except (XLDateError, OverflowError, ValueError):
        return shown(value, "General").text
    # Below one it is a time of no day.
    return shown(day if value >= 1 else datetime.time(day), code).text


def _formulas(content: bytes, book) -> dict[int, set[tuple[int, int]]]:
    """By sheet the cells, row and column from 0, that hold formulas: xlrd shows their results."""
    stream = content
    if content.startswith(BEGINNING):
        try:
            folder = CompDoc(content, logfile=io.StringIO())
            streams = (folder.get_named_stream(name) for name in ("Workbook", "Book"))
            stream = next(filter(None, streams), b"")
        except CompDocError:
            return {}
    begins = [at for at in _beginnings(stream) if at < len(stream)]
    found = {}
    for number, at in enumerate(begins[: book.nsheets]):
        cells = found.setdefault(number, set())
        # A chart within a sheet has an end of its own.
        depth = 0
        for kind, body in _records(stream, at):
            if kind in {0x0809, 0x0409, 0x0209, 0x0009}:
                depth += 1
            elif kind == _END:
                depth -= 1
                if depth <= 0:
                    break
            elif kind & 0xFF == _FORMULA and kind in {0x0006, 0x0206, 0x0406} and len(body) >= 4:
                cells.add(struct.unpack("<HH", body[:4]))
    return found


def _beginnings(stream: bytes) -> list[int]:
    """Where each worksheet begins, in their order."""
    return [
        struct.unpack("<I", body[:4])[0]
        for kind, body in _records(stream, 0, until_end=True)
        # What is no worksheet (a chart, a macro) has no cells for xlrd either.
        if kind == _SHEET and len(body) >= 6 and body[5] == 0
    ]


def _records(stream: bytes, at: int, *, until_end: bool = False) -> Iterator[tuple[int, bytes]]:
    while at + 4 <= len(stream):
        kind, size = struct.unpack("<HH", stream[at : at + 4])
        yield kind, stream[at + 4 : at + 4 + size]
        if until_end and kind == _END:
            return
        at += 4 + size
