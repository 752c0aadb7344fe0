"""Workbooks of Office Open XML: .xlsx and .xlsm, also where they keep to its strict form."""

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from itertools import islice

import openpyxl
from openpyxl.utils import range_boundaries

from ..reading import FileError, Problem
from .number_formats import Shown, shown
from .sheets import (
    MOST_COLUMNS,
    MOST_PLACES,
    MOST_SHEETS,
    Line,
    Merged,
    Source,
    merged_message,
)

# Nothing in them may run on into the next tag: a search from every tag to the end takes minutes.
_MERGED = re.compile(
    rb"<(?:\w{1,20}:)?mergeCell\s[^<>]*?ref=[\"']([A-Z]{1,3}[0-9]{1,7}[A-Z0-9:]{0,12})[\"']"
)
_ROW = re.compile(rb"<(?:\w{1,20}:)?row\s([^<>]{1,400})>")
_COLUMN = re.compile(rb"<(?:\w{1,20}:)?col\s([^<>]{1,400})>")
_ATTRIBUTE = re.compile(rb"\b(r|hidden|min|max|ht|width|customHeight)=[\"']([^\"'<>]{1,20})[\"']")
_TRUE = {b"1", b"true", b"on"}

STRICT = b"http://purl.oclc.org/ooxml/"
_PLAIN_NAMES = (
    (b"http://purl.oclc.org/ooxml/spreadsheetml/main",
     b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"),
    (b"http://purl.oclc.org/ooxml/officeDocument/relationships",
     b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"),
    (b"http://purl.oclc.org/ooxml/drawingml/",
     b"http://schemas.openxmlformats.org/drawingml/2006/"),
    (b"http://purl.oclc.org/ooxml/officeDocument/",
     b"http://schemas.openxmlformats.org/officeDocument/2006/"),
)  # fmt: skip


def is_strict(archive: zipfile.ZipFile) -> bool:
    """Whether the names of the workbook are those of the strict form."""
    return any(
        STRICT in archive.read(part)
        for part in ("xl/workbook.xml", "_rels/.rels")
        if part in archive.namelist()
    )


def in_plain_names(archive: zipfile.ZipFile) -> bytes:
    """The workbook under the names that openpyxl knows; the parts are the same."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new:
        for part in archive.infolist():
            data = archive.read(part)
            if part.filename.endswith((".xml", ".rels")):
                for strict, plain in _PLAIN_NAMES:
                    data = data.replace(strict, plain)
            new.writestr(part.filename, data)
    return packed.getvalue()


def sheets(content: bytes, archive: zipfile.ZipFile) -> list[Source]:
    """The sheets with cells, in their order."""
    if is_strict(archive):
        content = in_plain_names(archive)
        archive = zipfile.ZipFile(io.BytesIO(content))
    # Under names of macros the same workbook is there; nothing in it is run.
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
    return [_source(sheet, archive) for sheet in book.worksheets[:MOST_SHEETS]]


def _source(sheet, archive: zipfile.ZipFile) -> Source:
    # Reading row by row shows neither merged cells nor what is hidden, and a workbook in memory
    # is far too large.
    part = archive.read(sheet._worksheet_path.removeprefix("/"))
    merged = []
    for found in islice(_MERGED.finditer(part), MOST_PLACES):
        first, first_row, last, last_row = range_boundaries(found[1].decode())
        merged.append(Merged(first_row, last_row, first - 1, last - 1))
    merged.sort(key=lambda place: place.first_row)
    if len(merged) == MOST_PLACES:
        # No header has so many; reading on could take all of the time.
        message = merged_message()
        raise FileError(*(Problem(message, place.first_row, text=str(place)) for place in merged))
    return Source(
        sheet.title,
        lambda: _lines(sheet),
        sheet.sheet_state != "visible",
        _hidden_rows(part),
        _hidden_columns(part),
        merged,
    )


def _hidden_rows(part: bytes) -> set[int]:
    hidden, number = set(), 0
    for row in _ROW.finditer(part):
        said = dict(_ATTRIBUTE.findall(row[1]))
        number = int(said[b"r"]) if said.get(b"r", b"").isdigit() else number + 1
        no_height = said.get(b"customHeight") in _TRUE and said.get(b"ht") in (b"0", b"0.0")
        if said.get(b"hidden") in _TRUE or no_height:
            hidden.add(number)
    return hidden


def _hidden_columns(part: bytes) -> set[int]:
    hidden = set()
    for column in islice(_COLUMN.finditer(part), MOST_PLACES):
        said = dict(_ATTRIBUTE.findall(column[1]))
        first, last = said.get(b"min", b""), said.get(b"max", b"")
        if not (first.isdigit() and last.isdigit()):
            continue
        if said.get(b"hidden") in _TRUE or said.get(b"width") in (b"0", b"0.0"):
            hidden |= set(range(int(first) - 1, min(int(last), MOST_COLUMNS + 1)))
    return hidden


def _lines(sheet) -> Iterator[Line]:
    # The declared size of the sheet may be wrong, by mistake or by malice.
    sheet.reset_dimensions()
    for number, cells in enumerate(sheet.iter_rows(max_col=MOST_COLUMNS + 1), 1):
        line = Line(number, [])
        # Every row comes as wide as the widest could be.
        width = max((at for at, cell in enumerate(cells, 1) if cell.value is not None), default=0)
        for cell in cells[:width]:
            _put(line, cell)
        yield line


def _put(line: Line, cell) -> None:
    value = cell.value
    if value is None:
        line.cells.append("")
    elif cell.data_type == "f":
        line.cells.append(value if isinstance(value, str) else "=")
    elif cell.data_type == "e":
        line.cells.append(str(value))
    elif isinstance(value, str):
        # Text by its type, whatever it begins with; a csv file would have the apostrophe.
        text = shown(value, cell.number_format).text.strip()
        line.cells.append(f"'{text}" if text.startswith("=") else text)
    else:
        line.put(_shown(value, cell.number_format), _stored(value))


def _shown(value, code: str) -> Shown:
    try:
        return shown(value, code)
    except (ArithmeticError, ValueError, IndexError):
        # A format that no program takes either.
        return shown(value, "General")


def _stored(value) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return shown(value, "General").text
