"""The process that parses uploaded tables; asked by ``reading``, and by nobody in the server.

It has the portal's words, so that it can say what is wrong in the reader's language, and nothing
else: no settings, no models, no database.
"""

import csv
import io
import re
import warnings
import zipfile
from dataclasses import astuple
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path

import openpyxl
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import translation
from django.utils.translation import gettext as _
from openpyxl.utils import get_column_letter

from measures.cells import DIGITS_KEPT, LONGEST_CELL, unquoted
from measures.characters import clean_text, printable
from measures.numerals import plain

from .reading import FileError, Problem, Row, Table

MOST_ROWS = 20_000
MOST_COLUMNS = 60
#: Of the parts of an xlsx file together, once unpacked. A full table takes about 15 MB.
LARGEST_UNPACKED = 40 * 1024 * 1024
#: Tags in all parts together, two for each element that is not empty: a library takes up to 0.5 KB
#: for what 4 bytes say. A table of 20,000 rows and 20 columns has two million.
MOST_TAGS = 3_000_000
#: Of all cells together. One text of a workbook may stand in any number of cells.
MOST_CHARACTERS = 10_000_000
#: Cells of one row before anybody looks at them.
MOST_CELLS = 10_000
MOST_PROBLEMS = 1_000
#: What is unpacked at once to be looked at.
PIECE = 1024 * 1024

# Python's own limit of 131,072 characters would end the reading before LONGEST_CELL can be told;
# no cell is longer than the file, and that is limited before.
csv.field_size_limit(2**31 - 1)

# Nothing in it may run on into the next tag: a search from every tag to the end takes minutes.
_MERGED = re.compile(
    rb"<(?:\w{1,20}:)?mergeCell\s[^<>]*?ref=[\"']([A-Z]{1,3}[0-9]{1,7}[A-Z0-9:]{0,12})[\"']"
)


def begin() -> None:
    """Gives the process the portal's words, without its settings and apps."""
    settings.configure(LOCALE_PATHS=[Path(__file__).parents[3] / "locale"], LANGUAGE_CODE="zh-hans")
    apps.populate(())
    # A library warns of what it leaves out of a workbook; nobody who runs the portal need know.
    warnings.simplefilter("ignore")


def answer(job: dict, body: bytes) -> dict:
    """The table in ``body`` as ``headers`` and ``rows``, or its ``problems`` in the ``language``
    of ``job``; their parts are lists, in the order of the fields."""
    with translation.override(job["language"]):
        try:
            table = parse(body)
        except FileError as error:
            return {"problems": [astuple(problem) for problem in error.problems]}
    return {"headers": table.headers, "rows": [(row.number, row.cells) for row in table.rows]}


def parse(content: bytes) -> Table:
    """The table in a csv or xlsx file. Raises FileError."""
    if not content.strip():
        raise FileError(_("The file is empty."))
    if content.startswith(b"PK"):
        return _table(_xlsx_rows(content))
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise FileError(
            _("This is an old Excel file or one with a password: save it as .xlsx without one.")
        )
    return _table(_csv_rows(_decoded(content)))


def _decoded(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise FileError(_("This is a Unicode text file: save it as .xlsx or as CSV (UTF-8)."))
    has_mark = content.startswith(b"\xef\xbb\xbf")
    for encoding in ("utf-8-sig",) if has_mark else ("utf-8", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        # No text has it, and every file of another kind.
        if "\0" not in text:
            return text
        break
    raise FileError(_("This is neither an .xlsx file nor a text table in UTF-8 or GB18030."))


def _csv_rows(text: str):
    """(row number, cells as text) of every line; a cell with line breaks is still one row."""
    first = text.lstrip("\r\n").partition("\n")[0]
    separator = max(",\t;", key=first.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    number = 0
    while True:
        number += 1
        try:
            cells = next(lines, None)
        except csv.Error:
            raise FileError(
                Problem(_("The quotation marks of this row do not match."), number)
            ) from None
        if cells is None:
            return
        yield number, cells


def _xlsx_rows(content: bytes):
    """(row number, cells as text) of every row of the first sheet."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_archive(archive)
            yield from _sheet_rows(content, archive)
    except (FileError, MemoryError):
        raise
    except Exception as error:
        # expat says so in words.
        if "out of memory" in str(error):
            raise MemoryError from error
        # openpyxl answers damage with whatever exception it runs into.
        raise FileError(
            _("The .xlsx file is damaged: open it in a spreadsheet program and save it again.")
        ) from error


def _check_archive(archive: zipfile.ZipFile) -> None:
    """Refuses what would unpack to more than memory should hold, before anything is unpacked.

    zipfile never unpacks more than a part declares, if it is stored or deflated.
    """
    parts = archive.infolist()
    plain_parts = all(
        part.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for part in parts
    )
    if sum(part.file_size for part in parts) > LARGEST_UNPACKED or not plain_parts:
        raise FileError(
            _("The .xlsx file unpacks to more than %(limit)d MB; send the bare table.")
            % {"limit": LARGEST_UNPACKED // 1024 // 1024}
        )
    if sum(_tags(archive, part) for part in parts) > MOST_TAGS:
        raise FileError(
            _(
                "The .xlsx file holds more cells or formats than a table needs: copy the cells "
                "that are filled in into a new file and send that."
            )
        )


def _tags(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> int:
    """How many tags a part has at the most."""
    with archive.open(part) as unpacked:
        return sum(piece.count(b"<") for piece in iter(lambda: unpacked.read(PIECE), b""))


def _sheet_rows(content: bytes, archive: zipfile.ZipFile):
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
    sheet = book.worksheets[0]
    # Reading row by row shows no merged cells, and a workbook in memory is far too large.
    part = archive.read(sheet._worksheet_path.removeprefix("/"))
    merged = [found[1].decode() for found in islice(_MERGED.finditer(part), MOST_PROBLEMS)]
    if merged:
        message = _("Cells are merged here: split them, so that every row has its own.")
        found = [Problem(message, int(re.search(r"\d+", at)[0]), text=at) for at in merged]
        raise FileError(*sorted(found, key=lambda problem: problem.row))
    # The declared size of the sheet may be wrong, by mistake or by malice.
    sheet.reset_dimensions()
    rows = sheet.iter_rows(max_col=MOST_COLUMNS + 1)
    for number, cells in enumerate(rows, 1):
        yield number, [_cell_text(cell) for cell in cells]


def _cell_text(cell) -> str:
    """A cell's value as a person reads it."""
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "f":
        return value if isinstance(value, str) else "="
    if isinstance(value, str):
        # Text by its type, whatever it begins with; a csv file would have the apostrophe.
        value = value.strip()
        return f"'{value}" if value.startswith("=") else value
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float):
        # What stands behind the digits that are kept is noise of the binary fraction.
        number = Decimal(value if isinstance(value, int) else f"{value:.{DIGITS_KEPT}g}")
        if not number.is_finite():
            return str(value)
        if "%" in cell.number_format:
            return f"{plain(number * 100)}%"
        return plain(number)
    if isinstance(value, datetime) and not (value.hour or value.minute or value.second):
        value = value.date()
    return value.isoformat() if isinstance(value, date) else str(value)


def _table(lines) -> Table:
    """Splits off the headers, the first row that holds anything, and looks at every cell."""
    table, problems, characters = None, [], 0
    for number, cells in lines:
        if number > MOST_ROWS + 1:
            raise FileError(
                _("The table has more than %(limit)d rows; empty ones at its end count too.")
                % {"limit": MOST_ROWS}
            )
        if len(cells) > MOST_CELLS:
            raise FileError(Problem(_too_wide(), number))
        characters += sum(map(len, cells))
        if characters > MOST_CHARACTERS:
            raise FileError(
                _("The table holds more than %(limit)d characters.") % {"limit": MOST_CHARACTERS}
            )
        cells, refused = _cleaned(cells)
        while cells and not cells[-1]:
            cells.pop()
        if not cells:
            continue
        if table is None:
            if len(cells) > MOST_COLUMNS:
                raise FileError(_too_wide())
            table = Table(cells, [])
        else:
            cells += [""] * (len(table.headers) - len(cells))
            table.rows.append(Row(number, [unquoted(cell) for cell in cells]))
        problems += islice(_problems(table, number, cells, refused), MOST_PROBLEMS)
        if len(problems) >= MOST_PROBLEMS:
            break
    if problems:
        raise FileError(*problems)
    if table is None:
        raise FileError(_("The file is empty."))
    return table


def _too_wide() -> str:
    return _("The table has more than %(limit)d columns.") % {"limit": MOST_COLUMNS}


def _cleaned(cells: list[str]) -> tuple[list[str], dict[int, str]]:
    """The texts as they are kept, and by place why one cannot be."""
    texts, refused = [], {}
    for index, cell in enumerate(cells):
        try:
            cell = clean_text(cell, multiline=True)
        except ValidationError as error:
            refused[index] = error.messages[0]
        texts.append(cell.strip())
    return texts, refused


def _problems(table: Table, number: int, cells: list[str], refused: dict[int, str]):
    """What no cell of any upload may be."""
    for index, cell in enumerate(cells):
        message = ""
        if cell.startswith("="):
            message = _("Expected a plain value, not a formula: paste it as a value.")
        elif len(cell) > LONGEST_CELL:
            message = _("Expected at most %(limit)d characters.") % {"limit": LONGEST_CELL}
        elif index in refused:
            message = refused[index]
        elif index >= len(table.headers):
            if cell:
                message = _("This cell stands under no header.")
                yield Problem(message, number, get_column_letter(index + 1), cell[:80])
            continue
        if message:
            place = table.place(index) if index < len(table.headers) else ""
            yield Problem(message, number, place, printable(cell[:80]))
