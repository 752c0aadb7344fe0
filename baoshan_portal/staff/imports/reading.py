"""Reading the tables that people upload, safely: the one door for all of them.

An upload is a workbook (.xlsx also in its strict form, .xlsm, .ods, .xls, .et) or a text table in
UTF-8, UTF-16 or GB18030; which, its content says. Whatever is wrong with it is a FileError that
says in a sentence where and what. A file is parsed by another process (``parsing``), two on this
machine at a time, which may take MEMORY_MB and CPU_SECONDS: a few bytes can be made to unpack to
anything.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from openpyxl.utils import get_column_letter

from measures.watermark import watermark
from measures.workers import Ended, Limits, Places

#: A table of 20,000 rows and nine columns took 11 s on a slow processor, and 80 MB.
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
class Wanted:
    """The columns by which a table is found in a file: the names that each key may have.

    ``needed`` are the keys that no table lacks, ``values`` those that say something new, ``keys``
    those that tell which row it is, the code first.
    """

    columns: dict[str, list[str]]
    needed: tuple[str, ...]
    values: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


@dataclass
class Table:
    """The header cells and the rows that hold anything; every row is as wide as the headers."""

    headers: list[str]
    rows: list[Row]
    #: The lines above the headers, as they stand there.
    titles: list[str] = field(default_factory=list)
    #: What a person should know of how the file was read, in sentences.
    notices: list[str] = field(default_factory=list)
    #: How many rows hold something, but no figure.
    left_out: int = 0

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


def read_table(
    content: bytes, wanted: Wanted | None = None, *, other_sheets: Sequence[str] = ()
) -> Table:
    """The table in a file, told apart by what is in it, not by its name.

    With ``wanted`` it is the one below the header of these columns, on the first visible sheet
    that has one; else the first row that holds anything is the header. ``other_sheets`` are titles
    of sheets that need not be named where they are not read.

    Raises FileError, and Busy if others' files take every place: then nothing was read.
    """
    found = _ask(
        content,
        wanted=asdict(wanted) if wanted else None,
        other_sheets=list(other_sheets),
    )
    rows = [Row(*row) for row in found.pop("rows")]
    return _without_watermark(Table(rows=rows, **found))


def read_sheets(content: bytes) -> list[dict]:
    """All that stands on each sheet of a file, as ``parsing._sheet`` has it.

    Raises as ``read_table`` does.
    """
    return _ask(content, sheets=True)["sheets"]


def _ask(content: bytes, **job) -> dict:
    check_size(len(content))
    job["language"] = get_language()
    try:
        found = readers.do(job, content)
    except Ended as error:
        raise FileError(
            _(
                "Reading this file takes more time or memory than a table needs: copy its cells "
                "into a new file and send that."
            )
        ) from error
    if problems := found.get("problems"):
        raise FileError(*(Problem(*problem) for problem in problems))
    return found


def _without_watermark(table: Table) -> Table:
    """Drops the column that a demonstration puts into the files that it gives out."""
    if (mark := watermark()) and mark in table.headers:
        at = table.headers.index(mark)
        for cells in (table.headers, *(row.cells for row in table.rows)):
            del cells[at]
    return table
