"""The one writer of tables: every CSV and Excel file that leaves the portal.

A file is made of columns, declared once, and of rows, which are written as they are read: memory
does not grow with them. In a demonstration every table has one more column, the watermark.

What could run as a formula is made safe without damage. In a workbook a text cell is text by its
type and is left alone. CSV knows no types: there an apostrophe goes before the text, but never
before a number with its sign, nor in a file for machines, which quotes nothing at all.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from itertools import chain
from urllib.parse import quote

from django.http import HttpResponse, StreamingHttpResponse
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext, override
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from .cells import DIGITS_KEPT, LONGEST_CELL, quoted
from .characters import begins_like_a_formula, printable
from .numerals import plain
from .one_state import one_state
from .watermark import watermark

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
#: What Excel can hold.
MOST_ROWS = 1_048_576
LONGEST_TITLE = 31
#: A text column that is at least as wide breaks its lines.
WRAPS_FROM = 40
#: Bytes that leave together.
SENT_TOGETHER = 100_000

BYTE_ORDER_MARK = "\ufeff"
_NO_FILE_NAME = re.compile(r'[\\/:*?"<>|]')
_NO_TITLE = re.compile(r"[\\*?:/\[\]]")


class Kind(StrEnum):
    """What a program may take the cells of a column for. Whatever does not fit stays text."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"


FORMATS = {Kind.TEXT: "@", Kind.NUMBER: "General", Kind.DATE: "yyyy-mm-dd"}


@dataclass(frozen=True)
class Column:
    """``heading`` is what its readers call it; ``width`` is in characters of a workbook, where
    one may choose among ``choices``, or what stands in the cells ``choices_from`` (see
    ``cells_of_column``). ``missing`` is what stands in a cell that would be empty, in a workbook
    that the public takes away."""

    heading: str | Promise
    width: int = 16
    kind: Kind = Kind.TEXT
    choices: tuple[str, ...] = ()
    choices_from: str = ""
    missing: str | Promise = ""


def cells_of_column(title: str, number: int, rows: int) -> str:
    """The cells below the head of the ``number``-th column of another sheet of a workbook.

    For ``Column.choices_from``: a list that is written into the rule itself ends at 255 signs.
    """
    letter = get_column_letter(number)
    title = title.replace("'", "''")
    return f"'{title}'!${letter}$2:${letter}${max(rows, 1) + 1}"


@dataclass(frozen=True)
class Sheet:
    """One table of a workbook; ``note`` says what its rows are, where the public reads it."""

    title: str
    columns: Sequence[Column]
    rows: Iterable[Sequence]
    note: str = ""


def with_watermark(columns, rows, *, last=False):
    """In a demonstration, behind or before (``last``) the other columns one that says so.

    A column and not a line above the table: it stays with every row that is filtered, sorted or
    copied into another table, and the first line remains the header that programs look for.
    """
    mark = watermark()
    if not mark:
        return columns, rows
    if last:
        return [*columns, Column(mark)], ([*row, mark] for row in rows)
    return [Column(mark), *columns], ([mark, *row] for row in rows)


# CSV


def csv_lines(columns, rows, *, last=False) -> Iterator[str]:
    """The lines of a file for people: headings in their language, formulas quoted."""
    columns, rows = with_watermark(columns, rows, last=last)
    head = [column.heading for column in columns]
    cells = ([quoted(_text(value)) for value in row] for row in chain([head], rows))
    lines = _lines(cells)
    # Without the mark Excel garbles Chinese.
    yield BYTE_ORDER_MARK + next(lines)
    yield from lines


def machine_lines(names: Sequence[str], rows) -> Iterator[str | bytes]:
    """The lines of a file for machines: no mark, ``true`` and ISO dates; bytes among rows stay.

    Names and sources are quoted nowhere, because the doors refuse one that begins like a formula;
    a row that is older than the doors is quoted all the same.
    """
    write = csv.writer(_Echo()).writerow
    yield write(names)
    for row in rows:
        yield row if isinstance(row, bytes) else write(map(machine_text, row))


def streamed(
    lines: Iterable[str] | Callable[[], Iterable[str | bytes]],
    file_name: str,
    *,
    disposition="attachment",
    called: str = "",
):
    """A download that is made while it is sent, some lines at a time; see ``names_of_file``.

    ``lines`` may be a function that makes them, or many at once as bytes; what it makes when they
    are sent is of one state of the database. What goes wrong at the first rows is still answered
    with an error page, so the function of a long file is called twice.
    """
    make = lines if callable(lines) else None
    chunks = _chunks(make() if make else lines)
    first = [next(chunks, b"")]
    while make and first[-1] and sum(map(len, first)) < SENT_TOGETHER:
        first.append(next(chunks, b""))
    if make and first[-1]:
        chunks.close()
        chunks = _in_one_state(make)
    else:
        chunks = chain(first, chunks)
    return StreamingHttpResponse(
        _in_language(get_language(), chunks),
        content_type=TYPES["csv"],
        headers={"Content-Disposition": names_of_file(file_name, called, disposition)},
    )


def names_of_file(file_name: str, called: str = "", disposition: str = "attachment") -> str:
    """The header that names a download: ``file_name`` is ASCII, ``called`` the name for people.

    Browsers prefer the second (RFC 5987); what no file system takes is left out of it.
    """
    header = f'{disposition}; filename="{file_name}"'
    called = _NO_FILE_NAME.sub("", printable(called, multiline=False)).strip(" .")
    return f"{header}; filename*=UTF-8''{quote(called, safe='')}" if called else header


def _lines(rows) -> Iterator[str]:
    writer = csv.writer(_Echo())
    return (writer.writerow(row) for row in rows)


class _Echo:
    """A file for ``csv.writer`` that keeps nothing: each line is handed back."""

    def write(self, line: str) -> str:
        return line


def _chunks(lines: Iterable[str | bytes]) -> Iterator[bytes]:
    """``lines`` in pieces that are worth sending; the first, of head and one row, early."""
    waiting, size, enough = [], 0, 0
    for line in lines:
        waiting.append(line if isinstance(line, bytes) else line.encode())
        size += len(waiting[-1])
        if size >= enough and len(waiting) > 1:
            yield b"".join(waiting)
            waiting, size, enough = [], 0, SENT_TOGETHER
    if waiting:
        yield b"".join(waiting)


def _in_one_state(make: Callable[[], Iterable[str | bytes]]) -> Iterator[bytes]:
    with one_state(), closing(_chunks(make())) as chunks:
        yield from chunks


def _in_language(language: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """``chunks``, each made in ``language``: when they are sent, the request is over."""
    while True:
        with override(language):
            chunk = next(chunks, None)
        if chunk is None:
            return
        yield chunk


def _text(value) -> str:
    """A value as people read it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    return plain(value) if isinstance(value, Decimal) else printable(str(value))


def machine_text(value) -> str:
    """A value as ``machine_lines`` writes it."""
    if value is None:
        return ""
    if isinstance(value, str):
        # Most short words of a table stand in it many times.
        return _short_words(value) if len(value) <= 20 else _machine_words(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return plain(value) if isinstance(value, Decimal) else str(value)


def _machine_words(value: str) -> str:
    # What was quoted as prose begins with its apostrophe, and is none.
    return quoted(value) if begins_like_a_formula(value) else printable(value)


_short_words = lru_cache(maxsize=2_000)(_machine_words)


# Workbooks


def workbook(sheets: Iterable[Sheet], *, title: str = "", last=False) -> bytes:
    """The sheets as xlsx, each with a frozen head that is also printed on every page."""
    book = Workbook(write_only=True)
    book.properties.creator = ""
    book.properties.title = printable(title, multiline=False) or None
    for sheet in sheets:
        _add(book, sheet, last)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def new_sheet(book: Workbook, title: str):
    """An empty sheet, printed on A4 across the width of the page."""
    title = _NO_TITLE.sub(" ", printable(str(title), multiline=False))
    sheet = book.create_sheet(title[:LONGEST_TITLE] or None)
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = "9"  # A4
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    return sheet


def _add(book: Workbook, table: Sheet, last: bool) -> None:
    columns, rows = with_watermark(table.columns, table.rows, last=last)
    sheet = new_sheet(book, table.title)
    sheet.freeze_panes = "A2"
    sheet.print_title_rows = "1:1"
    for number, column in enumerate(columns, start=1):
        letter = get_column_letter(number)
        sheet.column_dimensions[letter].width = column.width
        if column.choices or column.choices_from:
            words = column.choices_from or '"{}"'.format(",".join(column.choices))
            rule = DataValidation("list", formula1=words, allow_blank=True)
            rule.add(f"{letter}2:{letter}{MOST_ROWS}")
            sheet.data_validations.append(rule)
    head = Style(sheet, "@", bold=True)
    sheet.append([head.text(column.heading) for column in columns])
    styles = [
        (
            column.kind,
            Style(sheet, FORMATS[column.kind]),
            Style(sheet, "@", wraps=column.width >= WRAPS_FROM),
        )
        for column in columns
    ]
    try:
        for row in rows:
            sheet.append(
                [typed_cell(value, *style) for value, style in zip(row, styles, strict=True)]
            )
    except BaseException:
        # Leaves no half-written part in the temporary folder.
        sheet.close()
        sheet._writer.cleanup()
        raise


class Style:
    """How cells look; made once for each column, because making it takes longer than a cell.

    ``named`` is a style of Excel's own, which marks headings as such.
    """

    def __init__(self, sheet, number_format: str, *, wraps=False, bold=False, named=""):
        self.sheet = sheet
        model = WriteOnlyCell(sheet)
        if named:
            model.style = named
        model.number_format = number_format
        model.alignment = Alignment(vertical="top", wrap_text=wraps)
        if bold:
            model.font = Font(bold=True)
        self._style = model._style

    def value(self, value):
        """A cell of a number or a date."""
        cell = WriteOnlyCell(self.sheet, value)
        cell._style = self._style
        return cell

    def text(self, value):
        """A cell of text: whatever it looks like, it is no formula, and typing in it makes none."""
        cell = WriteOnlyCell(self.sheet)
        cell._style = self._style
        if text := _text(value)[:LONGEST_CELL]:
            # Past openpyxl, which would take =1 for a formula and #N/A for an error.
            cell._value, cell.data_type = text, "s"
        return cell


def typed_cell(value, kind: Kind, style: Style, text_style: Style):
    """``value`` as its kind if it fits, otherwise as text."""
    is_its_kind = {Kind.NUMBER: _is_number, Kind.DATE: _is_date}.get(kind)
    return style.value(value) if is_its_kind and is_its_kind(value) else text_style.text(value)


def _is_date(value) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)


def _is_number(value) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, Decimal):
        return len(value.as_tuple().digits) <= DIGITS_KEPT
    return isinstance(value, int)


def download(
    file_format: str, title: str, columns, rows, file_name: str, *, last=False
) -> HttpResponse | StreamingHttpResponse:
    """The rows as a file to take away, csv or xlsx."""
    if file_format == "csv":
        return streamed(csv_lines(columns, rows, last=last), file_name)
    return HttpResponse(
        workbook([Sheet(title, columns, rows)], last=last),
        content_type=TYPES["xlsx"],
        headers={"Content-Disposition": f'attachment; filename="{file_name}"'},
    )
