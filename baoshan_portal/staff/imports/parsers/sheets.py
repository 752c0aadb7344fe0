"""What every reader makes of a file: sheets, whose rows are read one after the other."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from openpyxl.utils import get_column_letter

from ..reading import FileError
from .number_formats import Shown

MOST_COLUMNS = 60
#: Sheets of a workbook that are looked at.
MOST_SHEETS = 50
#: What is kept of all that is said of single places.
MOST_PLACES = 1_000


@dataclass
class Line:
    """One row: its ``number`` counted from 1, its ``cells`` as they are shown.

    ``stored`` has, by place, what a cell holds where what it shows does not say all of it;
    ``unsigned`` the places of negative numbers that are shown as if they were positive.
    """

    number: int
    cells: list[str]
    stored: dict[int, str] = field(default_factory=dict)
    unsigned: set[int] = field(default_factory=set)

    def put(self, shown: Shown, stored: str) -> None:
        """Adds a cell, of which ``stored`` is kept if it shows something else."""
        if shown.hides_sign:
            self.unsigned.add(len(self.cells))
        if shown.hides_sign or not shown.says_all:
            self.stored[len(self.cells)] = stored
        self.cells.append(shown.text)


@dataclass
class Merged:
    """A merged range; numbers count from 1, places of columns from 0."""

    first_row: int
    last_row: int
    first: int
    last: int

    def __str__(self):
        return (
            f"{get_column_letter(self.first + 1)}{self.first_row}:"
            f"{get_column_letter(self.last + 1)}{self.last_row}"
        )


@dataclass
class Source:
    """A sheet: ``lines`` reads its rows anew each time; what is hidden or merged is known from
    the start."""

    name: str
    lines: Callable[[], Iterator[Line]]
    is_hidden: bool = False
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    merged: list[Merged] = field(default_factory=list)


def merged_message() -> str:
    return _("Cells are merged here: split them, so that every row has its own.")


def damaged() -> FileError:
    return FileError(_("The file is damaged: open it in a spreadsheet program and save it again."))


def locked() -> FileError:
    return FileError(_("This file has a password: save it without one."))
