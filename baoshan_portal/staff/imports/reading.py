"""Reading the tables that people upload, safely: the one door for all of them.

An upload is csv (UTF-8 with or without byte order mark, else GB18030) or xlsx. Whatever is wrong
with it is a FileError that says in a sentence where and what. A file is parsed by another process
(``parsing``), two on this machine at a time, which may take MEMORY_MB and CPU_SECONDS: a few bytes
can be made to unpack to anything.
"""

from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from openpyxl.utils import get_column_letter

from measures.watermark import watermark
from measures.workers import Ended, Limits, Places

#: 20,000 rows of a template's nine columns take 11 s on a slow processor, and 80 MB.
MEMORY_MB = 512
CPU_SECONDS = 30
SECONDS = 60

readers = Places(
    "reading",
    "baoshan_portal.staff.imports.parsing",
    Limits(seconds=SECONDS, cpu_seconds=CPU_SECONDS, memory_mb=MEMORY_MB, answer_mb=64, jobs=500),
)


@dataclass(frozen=True)
class Problem:
    """What is wrong in a file: ``message`` says what was expected, the rest says where."""

    message: str
    row: int | None = None
    column: str = ""
    text: str = ""


class FileError(Exception):
    """A file that cannot be taken; ``problems`` are for the person who sent it."""

    def __init__(self, *problems: Problem | str):
        self.problems = [Problem(p) if isinstance(p, str) else p for p in problems]
        super().__init__(self.problems[0].message)


@dataclass(frozen=True)
class Row:
    """One row with its ``number`` in the file, counted from 1 as spreadsheets do."""

    number: int
    cells: list[str]


@dataclass(frozen=True)
class Table:
    """The header cells and the rows that hold anything; every row is as wide as the headers."""

    headers: list[str]
    rows: list[Row]

    def __len__(self):
        # The admin's import page asks whether there is any row.
        return len(self.rows)

    def place(self, index: int) -> str:
        """How a person finds the column: its letter and its header."""
        return f"{get_column_letter(index + 1)} {self.headers[index]}".strip()


def check_size(size: int) -> None:
    """Raises FileError for a file that is larger than UPLOAD_LIMIT_MB."""
    if size > settings.UPLOAD_LIMIT_MB * 1024 * 1024:
        raise FileError(
            _("The file is larger than %(limit)d MB.") % {"limit": settings.UPLOAD_LIMIT_MB}
        )


def read_table(content: bytes) -> Table:
    """The table in a csv or xlsx file, told apart by what is in it, not by its name.

    Raises FileError, and Busy if others' files take every place: then nothing was read.
    """
    check_size(len(content))
    try:
        found = readers.do({"language": get_language()}, content)
    except Ended as error:
        raise FileError(
            _(
                "Reading this file takes more time or memory than a table needs: copy its cells "
                "into a new file and send that."
            )
        ) from error
    if problems := found.get("problems"):
        raise FileError(*(Problem(*problem) for problem in problems))
    table = Table(found["headers"], [Row(*row) for row in found["rows"]])
    return _without_watermark(table)


def _without_watermark(table: Table) -> Table:
    """Drops the last column of the files that a demonstration gave out."""
    if table.headers[-1] == watermark():
        for cells in (table.headers, *(row.cells for row in table.rows)):
            cells.pop()
    return table
