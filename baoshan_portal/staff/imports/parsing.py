"""The process that parses uploaded tables; asked by ``reading``, and by nobody in the server.

It has the portal's words, so that it can say what is wrong in the reader's language, and nothing
else: no settings, no models, no database. ``parsers`` has a reader for each format; here the sheet
is chosen, the header found, and every cell looked at.
"""

import io
import re
import warnings
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import astuple
from itertools import islice
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import translation
from django.utils.translation import gettext as _
from openpyxl.utils import get_column_letter

from measures.cells import LONGEST_CELL, unquoted
from measures.characters import clean_text, printable

from .names import numbers_text
from .parsers import kinds, ods, text, xls, xlsx
from .parsers.archives import check_archive
from .parsers.layout import (
    Header,
    Names,
    Rows,
    find_header,
    left_out_text,
)
from .parsers.sheets import MOST_COLUMNS, Line, Merged, Source, damaged, merged_message
from .reading import FileError, Problem, Row, Table

MOST_ROWS = 20_000
#: Of all cells together. One text of a workbook may stand in any number of cells.
MOST_CHARACTERS = 10_000_000
#: Cells of one row before anybody looks at them.
MOST_CELLS = 10_000
MOST_PROBLEMS = 1_000
#: Rows from the top in which a header is looked for, empty ones too.
TOP = 200
#: Rows of a sheet that is shown as it is; a table of an office has some dozens.
MOST_SHOWN = 1_000
#: Cells of one kind that a notice names.
MOST_NAMED = 12

#: What programs write where a formula has no value, and where a column is too narrow to show it.
_ERROR = re.compile(
    r"#(?:REF|VALUE|DIV/0|NAME|NUM|NULL|SPILL|CALC|FIELD|BLOCKED|CONNECT|BUSY|UNKNOWN|ERROR)[!?]"
    r"|#N/A(?:\s*N/A)?|#GETTING_DATA|#NAME\?|Err:[0-9]{3}|#{3,}",
    re.IGNORECASE,
)


def begin() -> None:
    """Gives the process the portal's words, without its settings and apps."""
    settings.configure(LOCALE_PATHS=[Path(__file__).parents[3] / "locale"], LANGUAGE_CODE="zh-hans")
    apps.populate(())
    # A library warns of what it leaves out of a workbook; nobody who runs the portal need know.
    warnings.simplefilter("ignore")


def answer(job: dict, body: bytes) -> dict:
    """The parts of the table in ``body``, or its ``problems``, in the ``language`` of ``job``;
    ``wanted`` are the columns that it may have (see ``layout.Names``), or None.

    With ``sheets``, all that stands on each sheet instead (see ``_sheet``). What is a list of
    objects elsewhere is one of lists here, in the order of their fields.
    """
    wanted = job.get("wanted")
    with translation.override(job["language"]):
        try:
            if job.get("sheets"):
                return {"sheets": as_they_stand(body)}
            table = parse(
                body, Names.of(wanted) if wanted else None, tuple(job.get("other_sheets", ()))
            )
        except FileError as error:
            return {"problems": [astuple(problem) for problem in error.problems]}
    return {
        "headers": table.headers,
        "rows": [(row.number, row.cells) for row in table.rows],
        "titles": table.titles,
        "notices": table.notices,
        "left_out": table.left_out,
    }


def parse(content: bytes, names: Names | None = None, other_sheets: Sequence[str] = ()) -> Table:
    """The table in a file of any known format. Raises FileError.

    ``names`` are the columns by which it is found; ``other_sheets`` the titles of sheets that come
    with a template of the portal and hold no figures.
    """
    if not content.strip():
        raise FileError(_("The file is empty."))
    sources = _sources(content, names)
    try:
        return _table(sources, names, other_sheets)
    except (FileError, MemoryError):
        raise
    except Exception as error:
        raise _fault(error) from error


def as_they_stand(content: bytes) -> list[dict]:
    """Every sheet that holds anything, whatever that is. Raises FileError."""
    if not content.strip():
        raise FileError(_("The file is empty."))
    try:
        found = [_sheet(source) for source in _sources(content, None)]
    except (FileError, MemoryError):
        raise
    except Exception as error:
        raise _fault(error) from error
    found = [sheet for sheet in found if sheet["lines"]]
    if not found:
        raise FileError(_("The file is empty."))
    return found


def _sheet(source: Source) -> dict:
    """The rows that hold anything: their number, their cells, and by place why no figure can be
    taken from a cell, and what is stored where a cell does not show it."""
    lines, characters = [], 0
    for line in source.lines():
        characters += sum(map(len, line.cells))
        if len(lines) > MOST_SHOWN or characters > MOST_CHARACTERS:
            # Long tables are no monthly ones; what was read is enough to say so.
            break
        cells, refused = _cleaned(line.cells[:MOST_COLUMNS])
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            line.cells = cells
            faults = [
                (at, message)
                for at, cell in enumerate(cells)
                if (message := _fault_of(cell, at, line, refused))
            ]
            stored = [(at, text) for at, text in line.stored.items() if at < len(cells)]
            lines.append((line.number, [unquoted(cell) for cell in cells], faults, stored))
    return {
        "name": source.name,
        "is_hidden": source.is_hidden,
        "lines": lines,
        "merged": [astuple(place) for place in source.merged],
        "hidden_rows": sorted(source.hidden_rows),
        "hidden_columns": sorted(source.hidden_columns),
    }


def _sources(content: bytes, names: Names | None) -> list[Source]:
    try:
        if content.startswith(b"PK"):
            return _archived(content)
        if content.startswith((xls.BEGINNING, *xls.BARE)):
            return xls.sheets(content)
        kinds.refuse_foreign(content)
    except (FileError, MemoryError):
        raise
    except Exception as error:
        raise _fault(error) from error
    return text.sheets(content, lambda lines: _looks_right(lines, names))


def _archived(content: bytes) -> list[Source]:
    archive = zipfile.ZipFile(io.BytesIO(content))
    check_archive(archive)
    if message := kinds.foreign_archive(archive):
        raise FileError(message)
    if "content.xml" in archive.namelist():
        return ods.sheets(archive)
    return xlsx.sheets(content, archive)


def _fault(error: Exception) -> Exception:
    # expat says so in words; the libraries answer damage with whatever exception they run into.
    return MemoryError() if "out of memory" in str(error) else damaged()


def _looks_right(lines: list[Line], names: Names | None) -> float:
    header = find_header(lines, names)
    return header.score if header else 0


# The sheet and its header


def _table(sources: list[Source], names: Names | None, other_sheets: Sequence[str]) -> Table:
    heads = {id(source): _head(source) for source in sources}
    filled = [source for source in sources if heads[id(source)]]
    visible = [source for source in filled if not source.is_hidden]
    found = {id(source): find_header(heads[id(source)], names, source.merged) for source in filled}
    known = [source for source in visible if found[id(source)].score > 0] if names else visible
    if not visible:
        if filled:
            raise FileError(
                _("The only table is on a hidden sheet, “%(sheet)s”: show the sheet and save.")
                % {"sheet": filled[0].name}
            )
        raise FileError(_("The file is empty."))
    source = (known or visible)[0]
    table = _rows(source, found[id(source)], names)
    others = [other for other in filled if other is not source and other.name not in other_sheets]
    table.notices[:0] = _about_sheets(source, others)
    return table


def _head(source: Source) -> list[Line]:
    """The first rows that hold anything."""
    lines = islice(source.lines(), TOP)
    found = []
    for line in lines:
        # A row that is too wide is told with its number when the table is read.
        cells = [cell[:LONGEST_CELL] for cell in line.cells[: MOST_COLUMNS + 1]]
        if any(cell.strip() for cell in cells):
            found.append(Line(line.number, [_clean(cell) for cell in cells]))
    return found


def _about_sheets(source: Source, others: list[Source]) -> list[str]:
    if not others:
        return []
    hidden = "、".join(f"“{other.name}”" for other in others if other.is_hidden)
    shown = "、".join(f"“{other.name}”" for other in others if not other.is_hidden)
    said = []
    if shown:
        said.append(
            _("Only the sheet “%(sheet)s” is read. Others that hold something are not: %(others)s.")
            % {"sheet": source.name, "others": shown}
        )
    if hidden:
        said.append(
            _("Hidden sheets are not read: %(others)s. What is read is “%(sheet)s”.")
            % {"sheet": source.name, "others": hidden}
        )
    return said


class Problems:
    """What is wrong in a table, up to MOST_PROBLEMS."""

    def __init__(self):
        self.found: list[Problem] = []

    @property
    def are_many(self) -> bool:
        return len(self.found) >= MOST_PROBLEMS

    def add(self, problems: Iterable[Problem]) -> None:
        self.found += islice(problems, MOST_PROBLEMS - len(self.found))


def _rows(source: Source, header: Header, names: Names | None) -> Table:
    """The table below ``header``; every cell that is taken is looked at."""
    headers = [_clean(cell) for cell in header.cells]
    while headers and not headers[-1]:
        headers.pop()
    if len(headers) > MOST_COLUMNS:
        raise FileError(_too_wide())
    table, problems = Table(headers, []), Problems()
    places = {key: at for at, name in reversed(list(enumerate(headers)))
              if names and (key := names.key(name))}  # fmt: skip
    sorter = Rows(names, header, places) if names else None
    #: Where it is not known which columns say something new, all of them are taken.
    taken = set(places.values()) if names and names.values else set(range(len(headers)))
    characters, odd, hidden, kept = 0, [], [], []
    for line in source.lines():
        if line.number > MOST_ROWS + header.last:
            raise FileError(
                _("The table has more than %(limit)d rows; empty ones at its end count too.")
                % {"limit": MOST_ROWS}
            )
        if len(line.cells) > MOST_CELLS:
            raise FileError(Problem(_too_wide(), line.number))
        characters += sum(map(len, line.cells))
        if characters > MOST_CHARACTERS:
            raise FileError(
                _("The table holds more than %(limit)d characters.") % {"limit": MOST_CHARACTERS}
            )
        cells, refused = _cleaned(line.cells)
        while cells and not cells[-1]:
            cells.pop()
        if not cells:
            continue
        line.cells = cells
        if line.number < header.first:
            table.titles.append(" ".join(filter(None, dict.fromkeys(cells))))
            continue
        if line.number <= header.last:
            problems.add(_problems(table, line, refused, set(range(len(headers)))))
            continue
        if sorter and not sorter.belongs(line):
            continue
        if names and line.number in source.hidden_rows:
            hidden.append(line)
            continue
        problems.add(_problems(table, line, refused, taken))
        odd += [(line.number, at, stored) for at, stored in line.stored.items() if at in taken][
            : MOST_NAMED + 1 - len(odd)
        ]
        cells += [""] * (len(headers) - len(cells))
        table.rows.append(Row(line.number, [unquoted(cell) for cell in cells[: len(headers)]]))
        kept.append(line.number)
        if problems.are_many:
            break
    problems.found[:0] = _merged_problems(source, header, kept, taken if names else None)
    if names:
        problems.found[:0] = _hidden_values(source, table, names, places)
    if problems.found:
        raise FileError(*sorted(problems.found[:MOST_PROBLEMS], key=lambda found: found.row or 0))
    table.left_out = len(sorter.left_out) if sorter else 0
    table.left_out += len(hidden)
    table.notices = [*_notices(source, table, sorter, hidden, odd, names, places)]
    return table


def _notices(source, table, sorter, hidden, odd, names, places):
    """What is said of a table that is read, so that nothing is taken or dropped unseen."""
    if sorter and sorter.left_out:
        yield left_out_text(sorter.left_out)
    if hidden:
        holding = [
            f"{line.number} “{_first(line)}”"
            for line in hidden
            if any(_cell(line, places.get(key)) for key in names.values)
        ]
        yield _("Hidden rows are not read: %(rows)s.") % {
            "rows": numbers_text([line.number for line in hidden])
        }
        if holding:
            message = _(
                "Among them are rows with new values; show them to have them read: %(rows)s."
            )
            yield message % {"rows": "; ".join(holding[:MOST_NAMED])}
    covered = [at for at in sorted(source.hidden_columns) if at < len(table.headers)]
    holding = [at for at in covered if any(row.cells[at] for row in table.rows)]
    if names and holding:
        yield _("Hidden columns hold something: %(columns)s.") % {
            "columns": ", ".join(table.place(at) for at in holding)
        }
    if odd:
        rows = {row.number: row for row in table.rows}
        shown = "; ".join(
            _("%(cell)s shows “%(shown)s” and holds %(stored)s")
            % {
                "cell": f"{get_column_letter(at + 1)}{number}",
                "shown": rows[number].cells[at],
                "stored": stored,
            }
            for number, at, stored in odd[:MOST_NAMED]
        )
        if len(odd) > MOST_NAMED:
            shown += " …"
        yield _("What a cell shows is read, not what it holds: %(cells)s.") % {"cells": shown}


def _first(line: Line) -> str:
    return next(cell for cell in line.cells if cell)[:40]


def _cell(line: Line, at: int | None) -> str:
    return line.cells[at] if at is not None and at < len(line.cells) else ""


def _hidden_values(source: Source, table: Table, names: Names, places: dict[str, int]):
    """New values that nobody sees: whether they are meant is for a person to say."""
    found = []
    for key in names.values:
        at = places.get(key)
        if at in source.hidden_columns and any(row.cells[at] for row in table.rows):
            message = _("This column is hidden and holds values: show it, or delete it.")
            found.append(Problem(message, column=table.place(at)))
    return found


def _merged_problems(source: Source, header: Header, kept: list[int], taken) -> list[Problem]:
    """Merged ranges among the rows of the table: which row has the value, nobody can tell."""
    rows = set(kept)
    message = merged_message()
    return [
        Problem(message, place.first_row, text=str(place))
        for place in source.merged
        if _touches(place, header, rows, taken)
    ]


def _touches(place: Merged, header: Header, rows: set[int], taken: set[int] | None) -> bool:
    if taken is None:
        return place.last_row > header.last
    if not any(at in taken for at in range(place.first, min(place.last, MOST_COLUMNS) + 1)):
        return False
    span = range(max(place.first_row, header.last + 1), place.last_row + 1)
    return any(number in rows for number in span[:MOST_ROWS])


# The cells


def _too_wide() -> str:
    return _("The table has more than %(limit)d columns.") % {"limit": MOST_COLUMNS}


def _clean(cell: str) -> str:
    try:
        return clean_text(cell, multiline=True).strip()
    except ValidationError:
        return cell.strip()


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


def _problems(table: Table, line: Line, refused: dict[int, str], taken: set[int]):
    """What no cell of any upload may be that is taken."""
    for index, cell in enumerate(line.cells):
        if index >= len(table.headers) or not table.headers[index]:
            if cell and line.number:
                message = _("This cell stands under no header.")
                yield Problem(message, line.number, get_column_letter(index + 1), cell[:80])
            continue
        if index in taken and (message := _fault_of(cell, index, line, refused)):
            yield Problem(message, line.number, table.place(index), printable(cell[:80]))


def _fault_of(cell: str, index: int, line: Line, refused: dict[int, str]) -> str:
    if cell.startswith("="):
        return _("Expected a plain value, not a formula: paste it as a value.")
    if _ERROR.fullmatch(cell):
        return _("This is an error of the spreadsheet and no value: write the value, or nothing.")
    if index in line.unsigned:
        return _(
            "This cell holds %(stored)s and shows it without its sign: show the sign."
        ) % {"stored": line.stored[index]}  # fmt: skip
    if len(cell) > LONGEST_CELL:
        return _("Expected at most %(limit)d characters.") % {"limit": LONGEST_CELL}
    return refused.get(index, "")
