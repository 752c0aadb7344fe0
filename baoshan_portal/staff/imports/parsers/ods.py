"""Workbooks of OpenDocument: .ods. A cell holds what it shows, as text, and what it stores."""

import io
import re
import zipfile
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from defusedxml.ElementTree import iterparse

from measures.numerals import plain

from ..reading import FileError
from .number_formats import Shown
from .sheets import MOST_COLUMNS, MOST_PLACES, MOST_SHEETS, Line, Merged, Source, locked

_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
#: Rows that are alike and hold something; those at the end of a sheet hold nothing.
MOST_REPEATED = 20_001
_WHOLE_DAY = re.compile(r"(?:[0-9]{2,4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}|[0-9]{1,2}[-/.][0-9]{1,2}"
                        r"[-/.][0-9]{2,4})")  # fmt: skip
_CELLS = {f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"}


def sheets(archive: zipfile.ZipFile) -> list[Source]:
    """The sheets, in their order. Raises FileError for one with a password."""
    names = archive.namelist()
    if "META-INF/manifest.xml" in names and b"encryption-data" in archive.read(
        "META-INF/manifest.xml"
    ):
        raise locked()
    content = archive.read("content.xml")
    return _sources(content)


def _sources(content: bytes) -> list[Source]:
    found: list[Source] = []
    hidden_styles: set[str] = set()
    style, row, column, depth = "", 0, 0, 0
    for event, element in iterparse(io.BytesIO(content), events=("start", "end")):
        tag = element.tag
        if event == "start":
            if tag == f"{_STYLE}style":
                style = element.get(f"{_STYLE}name", "")
            elif tag == f"{_STYLE}table-properties":
                if element.get(f"{_TABLE}display") == "false":
                    hidden_styles.add(style)
            elif tag == f"{_TABLE}table":
                depth += 1
                if depth == 1:
                    name = element.get(f"{_TABLE}name", "")
                    is_hidden = element.get(f"{_TABLE}style-name") in hidden_styles
                    number = len(found)
                    found.append(Source(name, _reader(content, number), is_hidden))
                    row = column = 0
            elif tag == f"{_TABLE}table-column" and depth == 1:
                count = _count(element, "number-columns-repeated")
                if element.get(f"{_TABLE}visibility", "visible") != "visible":
                    last = min(column + count, MOST_COLUMNS + 1)
                    found[-1].hidden_columns |= set(range(column, last))
                column += count
            elif tag == f"{_TABLE}table-row" and depth == 1:
                count = _count(element, "number-rows-repeated")
                if element.get(f"{_TABLE}visibility", "visible") != "visible":
                    found[-1].hidden_rows |= set(
                        range(row + 1, row + 1 + min(count, MOST_REPEATED))
                    )
                first_row, row, column = row + 1, row + count, 0
            elif tag in _CELLS and depth == 1:
                down = _count(element, "number-rows-spanned")
                across = _count(element, "number-columns-spanned")
                if (down > 1 or across > 1) and len(found[-1].merged) < MOST_PLACES:
                    found[-1].merged.append(
                        Merged(first_row, first_row + down - 1, column, column + across - 1)
                    )
                column += _count(element, "number-columns-repeated")
        else:
            if tag == f"{_TABLE}table":
                depth -= 1
            if depth <= 1 and tag in {f"{_TABLE}table-row", f"{_TABLE}table"}:
                element.clear()
    if not found:
        raise FileError("")
    return found[:MOST_SHEETS]


def _reader(content: bytes, number: int):
    return lambda: _lines(content, number)


def _lines(content: bytes, wanted: int) -> Iterator[Line]:
    """The rows of the ``wanted``-th sheet that hold anything."""
    sheet, depth, row = -1, 0, 0
    for event, element in iterparse(io.BytesIO(content), events=("start", "end")):
        tag = element.tag
        if event == "start":
            if tag == f"{_TABLE}table":
                depth += 1
                sheet += depth == 1
            continue
        if tag == f"{_TABLE}table":
            depth -= 1
            element.clear()
            if depth == 0 and sheet == wanted:
                return
        elif tag == f"{_TABLE}table-row" and depth == 1:
            if sheet == wanted:
                count = _count(element, "number-rows-repeated")
                line = _line(element)
                if any(line.cells):
                    for number in range(row + 1, row + 1 + min(count, MOST_REPEATED)):
                        yield Line(number, list(line.cells), line.stored, line.unsigned)
                row += count
            element.clear()


def _line(row) -> Line:
    line = Line(0, [])
    for cell in row:
        if cell.tag not in _CELLS:
            continue
        count = _count(cell, "number-columns-repeated")
        for _again in range(min(count, MOST_COLUMNS + 1 - len(line.cells))):
            if cell.tag.endswith("covered-table-cell"):
                line.cells.append("")
            else:
                _put(line, cell)
        if len(line.cells) > MOST_COLUMNS:
            break
    return line


def _put(line: Line, cell) -> None:
    text = "\n".join(_said(part) for part in cell if part.tag == f"{_TEXT}p").strip()
    kind = cell.get(f"{_OFFICE}value-type", "")
    value = cell.get(f"{_OFFICE}value", "")
    if formula := cell.get(f"{_TABLE}formula"):
        is_error = text.startswith(("#", "Err:"))
        line.cells.append(text if is_error else f"={formula.partition('=')[2]}")
    elif kind == "date":
        day = cell.get(f"{_OFFICE}date-value", "").removesuffix("T00:00:00")
        # What is written out with 年 stays; 1/4 must not come back as a fraction.
        is_said = text and not _WHOLE_DAY.fullmatch(text) and re.search("[年月日]", text)
        line.cells.append(text if is_said else day.replace("T", " "))
    elif kind in {"float", "percentage", "currency"}:
        line.put(_number(text, value, kind), _plain(value))
    elif not text and kind == "boolean":
        line.cells.append(cell.get(f"{_OFFICE}boolean-value", "").upper())
    elif not text and kind == "string":
        line.cells.append(cell.get(f"{_OFFICE}string-value", "").strip())
    else:
        line.cells.append(f"'{text}" if text.startswith("=") else text)


def _number(text: str, value: str, kind: str) -> Shown:
    """A number as it is shown; without a text, as some programs write, as it is stored."""
    try:
        stored = Decimal(value)
    except InvalidOperation:
        return Shown(text)
    if not text and kind == "percentage":
        return Shown(f"{plain(stored * 100)}%")
    if not text:
        return Shown(plain(stored))
    if match := re.fullmatch(r"[(（](.*)[)）](%?)", text):
        text = f"-{match[1]}{match[2]}"
    if re.fullmatch(r"-?[0-9.,]+E[+-]?[0-9]+", text, re.IGNORECASE):
        text = plain(Decimal(text.replace(",", "")))
    hides = stored < 0 and bool(re.search("[0-9]", text)) and not re.search("[-−－负减▲△]", text)
    return Shown(text, _says_all(text, stored, kind), hides_sign=hides)


def _says_all(text: str, stored: Decimal, kind: str) -> bool:
    digits = re.sub(r"[^0-9.]", "", text.replace(",", ""))
    try:
        said = Decimal(digits)
    except InvalidOperation:
        return not stored
    if kind == "percentage":
        said /= 100
    if "/" in text or said == abs(stored):
        return True
    # 89,400.00千元 says all of 89400000, 89,400 does not.
    scaled = re.search(r"[^\W\d_]", text) and said
    return bool(scaled) and any(said * 1000**power == abs(stored) for power in (1, 2, 3))


def _plain(value: str) -> str:
    try:
        return plain(Decimal(value))
    except InvalidOperation:
        return value


def _said(part) -> str:
    """The text of a paragraph; remarks beside it are none of its cell."""
    text = part.text or ""
    for child in part:
        if child.tag == f"{_TEXT}s":
            text += " " * min(_number_of(child, f"{_TEXT}c"), 100)
        elif child.tag in {f"{_TEXT}tab", f"{_TEXT}line-break"}:
            text += "\n" if child.tag.endswith("break") else " "
        elif child.tag != f"{_OFFICE}annotation":
            text += _said(child)
        text += child.tail or ""
    return text


def _count(element, name: str) -> int:
    return _number_of(element, f"{_TABLE}{name}")


def _number_of(element, name: str) -> int:
    said = element.get(name, "1")
    return max(1, int(said)) if said.isascii() and said.isdigit() and len(said) < 9 else 1
