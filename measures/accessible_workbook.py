"""Workbooks that the public takes away, by the rules for accessible statistics.

They meet the essential points of the checklist of the UK Government Analysis Function, as far as
a program can: a cover sheet, a sheet of notes that explains all shorthand, one marked table a
sheet below a title in A1, heads that are unique, texts that wrap, no blank cell without a code
from one list, a title and a language in the document's properties, no merged cells, headers or
footers. Of the points that are only advised: no filters and no frozen panes, because a program
shows the heads of a marked table in place of the letters of its columns.

Files that staff send back are made by ``spreadsheets.workbook``: their importers look for the
first row of the first sheet.
"""

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from django.utils.translation import get_language, gettext
from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.table import Table, TableColumn, TableStyleInfo

from .characters import printable
from .spreadsheets import (
    FORMATS,
    Column,
    Sheet,
    Style,
    new_sheet,
    typed_cell,
    with_watermark,
)
from .watermark import watermark, watermarked

#: Rows above a table: its title and what it holds.
ABOVE = 2
#: How much of a sheet's width goes to running text, in characters.
TEXT_WIDTH = 90
#: What Excel takes as the head of a column of a table, and as the name of a table.
LONGEST_HEAD, LONGEST_NAME = 255, 100

_NO_NAME = re.compile(r"\W+")


@dataclass(frozen=True)
class Cover:
    """The first sheet: ``facts`` are headings with what stands below each."""

    title: str
    what: str
    facts: Sequence[tuple[str, str]] = ()


def publication(
    cover: Cover, sheets: Sequence[Sheet], shorthand: Sequence[tuple[str, str]], missing: str
) -> bytes:
    """The workbook; rows are written as they are read.

    ``shorthand`` are codes and words of the tables with their meaning. ``missing`` is the code of
    an empty cell whose column names none.
    """
    book = Workbook(write_only=True)
    book.properties.creator = ""
    book.properties.title = printable(watermarked(cover.title), multiline=False)
    book.properties.language = "en-GB" if (get_language() or "").startswith("en") else "zh-CN"
    notes = _notes(shorthand)
    _add_cover(book, cover, [notes, *sheets])
    for sheet in (notes, *sheets):
        _add_table(book, sheet, missing)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _notes(shorthand: Sequence[tuple[str, str]]) -> Sheet:
    return Sheet(
        gettext("Notes"),
        [Column(gettext("Shorthand"), 24), Column(gettext("Meaning"), TEXT_WIDTH)],
        shorthand,
        gettext("What codes, words and signs in the tables of this file mean."),
    )


def _add_cover(book: Workbook, cover: Cover, sheets: Sequence[Sheet]) -> None:
    sheet = new_sheet(book, gettext("Cover"))
    sheet.column_dimensions["A"].width = TEXT_WIDTH
    text, heading = Style(sheet, "@", wraps=True), Style(sheet, "@", named="Headline 2")
    sheet.append([Style(sheet, "@", named="Headline 1").text(cover.title)])
    rows = 1
    contents = [
        gettext("%(name)s: %(value)s") % {"name": table.title, "value": table.note}
        if table.note
        else table.title
        for table in sheets
    ]
    parts = [
        ("", [cover.what, *([watermark()] if watermark() else [])]),
        *((name, said.splitlines()) for name, said in cover.facts if said.strip()),
        (gettext("Sheets of this file"), contents),
    ]
    for name, lines in parts:
        if name:
            sheet.append([heading.text(name)])
        for line in lines:
            sheet.append([text.text(line)])
        rows += bool(name) + len(lines)
    sheet.print_area = f"A1:A{rows}"


def _add_table(book: Workbook, table: Sheet, missing: str) -> None:
    columns, rows = with_watermark(table.columns, table.rows)
    heads = _unique(columns)
    sheet = new_sheet(book, table.title)
    last = get_column_letter(len(columns))
    for number, column in enumerate(columns, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = column.width
    # Nothing is beside or below these two, so that the text runs on past its column.
    sheet.append([Style(sheet, "@", named="Headline 1").text(table.title)])
    rows = iter(rows)
    try:
        # What goes wrong at the first row goes wrong before anything is written.
        first = next(rows, None)
        note = table.note or gettext("This sheet holds one table.")
        sheet.append([Style(sheet, "@").text(note if first else gettext("There are no rows."))])
        written = 0
        if first is not None:
            sheet.print_title_rows = f"{ABOVE + 1}:{ABOVE + 1}"
            head = Style(sheet, "@", bold=True, wraps=True)
            sheet.append([head.text(name) for name in heads])
            styles = [
                (
                    str(column.missing) or missing,
                    column.kind,
                    Style(sheet, FORMATS[column.kind], wraps=True),
                    Style(sheet, "@", wraps=True),
                )
                for column in columns
            ]
            for row in chain([first], rows):
                sheet.append([_cell(*cell) for cell in zip(row, styles, strict=True)])
                written += 1
    except BaseException:
        # Leaves no half-written part in the temporary folder.
        sheet.close()
        sheet._writer.cleanup()
        raise
    sheet.print_area = f"A1:{last}{ABOVE + bool(written) + written}"
    if written:
        place = f"A{ABOVE + 1}:{last}{ABOVE + 1 + written}"
        # Past ``add_table``, which warns of missing columns though they are there.
        sheet._tables.add(_marked(sheet.title, place, heads))


def _cell(value, how: tuple):
    missing, *styles = how
    is_missing = value is None or (isinstance(value, str) and not value.strip())
    return typed_cell(missing if is_missing else value, *styles)


def _marked(title: str, place: str, heads: list[str]) -> Table:
    """The mark of a table; without it a screen reader finds cells and no heads."""
    name = "_".join([gettext("Table"), *_NO_NAME.split(title)])[:LONGEST_NAME]
    columns = [TableColumn(id=number, name=head) for number, head in enumerate(heads, start=1)]
    style = TableStyleInfo(name="TableStyleLight1", showRowStripes=False)
    return Table(displayName=name, ref=place, tableColumns=columns, tableStyleInfo=style)


def _unique(columns: Iterable[Column]) -> list[str]:
    """The heads, each different from the others whatever its case, and none empty."""
    heads: list[str] = []
    for number, column in enumerate(columns, start=1):
        head = printable(str(column.heading), multiline=False).strip()[:LONGEST_HEAD]
        head = head or gettext("Column %(n)d") % {"n": number}
        taken = {other.casefold() for other in heads}
        count, found = 1, head
        while found.casefold() in taken:
            count += 1
            found = f"{head} ({count})"
        heads.append(found)
    return heads
