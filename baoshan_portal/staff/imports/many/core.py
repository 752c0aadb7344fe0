"""How rows that used to be typed one by one come in by one file: all of them, or none.

A ``Kind`` says which columns a file has, what stands in the portal already, and who may send one;
its ``reader`` takes row after row. Every row is written while the file is read, in one transaction
that a preview and a file with any fault take back: so what only the database can say is said in
the preview, and a row may name another one further up.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, models, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from measures.trail import Action, record
from measures.workflow import TransitionError

from ..columns import Column, key_in
from ..importing import Cell, Change, FileRow, Outcome, known_rows
from ..reading import FileError, Problem, read_table

#: What one file may bring; each row is checked by a dozen questions to the database.
MOST_ROWS = 2_000
#: In a cell: what stands there is to be emptied. An empty cell changes nothing.
NOTHING = frozenset({"-", "–", "—", "无"})

_BETWEEN = re.compile(r"[、,，;；|\n]+")


@dataclass
class RowChange(Change):
    """``waits`` says that the row is public: what changes in it waits for review."""

    waits: bool = False

    @property
    def what(self) -> str:
        return _("by review") if self.waits else super().what


class Reader(ABC):
    """Reads and writes the rows of one file; ``by`` is who sent it."""

    def __init__(self, by):
        self.by = by
        self.first_row_of: dict[object, int] = {}

    @abstractmethod
    def take(self, row: FileRow) -> RowChange:
        """Writes what ``row`` says. Raises ValidationError, by column, if it is wrong."""

    @abstractmethod
    def rows(self) -> list[list[str]]:
        """What stands in the portal, a cell for each column."""

    # Most have nothing more to do then.
    def finish(self, submit: bool) -> None:  # noqa: B027
        """Called once all rows are written; raises ValidationError if they do not fit."""

    def once(self, key, row: FileRow, column: str) -> None:
        """Raises ValidationError if ``key`` stood in a row further up."""
        first = self.first_row_of.setdefault(key, row.number)
        if first != row.number:
            text = _("This stands in row %(row)d already.") % {"row": first}
            raise ValidationError({column: text})


@dataclass(frozen=True)
class Kind:
    """One kind of rows; ``key`` stands in the address, ``model`` is whose list leads to it.

    ``may`` says who sends files, ``choices`` what may be chosen in a column, ``help`` what one
    must know besides. What ``is_submitted`` is reviewed row by row.
    """

    key: str
    model: type[models.Model]
    title: str | Promise
    columns: Sequence[Column]
    needed: tuple[str, ...]
    reader: type[Reader]
    may: Callable[[models.Model], bool]
    choices: Callable[[], dict[str, tuple[str, ...]]] = dict
    help: tuple[str | Promise, ...] = ()
    is_submitted: bool = False

    @property
    def labels(self) -> dict[str, str]:
        return {column.key: str(column) for column in self.columns}


@dataclass
class RowsOutcome(Outcome):
    """The ``reader`` knows more of what was written; None if there was no row."""

    reader: Reader | None = None


def import_rows(
    content: bytes, kind: Kind, *, by, name="", submit=False, dry_run=False, expected=None
) -> RowsOutcome:
    """Takes a file of this kind: all rows, or none and the ``problems`` of the outcome.

    ``expected`` is the digest of the outcome that somebody agreed to. Raises PermissionDenied if
    ``by`` may not send it.
    """
    if not kind.may(by):
        raise PermissionDenied
    try:
        rows = known_rows(
            read_table(content), kind.labels, needed=kind.needed, key=key_in(kind.columns)
        )
        if len(rows) > MOST_ROWS:
            raise FileError(
                _("The file has %(n)d rows; one file may have %(most)d: send it in parts.")
                % {"n": len(rows), "most": MOST_ROWS}
            )
    except FileError as error:
        return RowsOutcome(error.problems)
    reader = kind.reader(by)
    with transaction.atomic():
        outcome = _taken(rows, reader, kind)
        if not outcome.problems and expected not in {None, outcome.digest}:
            text = _("What stands in the portal has changed meanwhile: look again.")
            outcome.problems.append(Problem(text))
        if not outcome.problems:
            _finish(reader, outcome, submit)
        if outcome.problems or dry_run:
            transaction.set_rollback(True)
        else:
            label = kind.model._meta.label_lower
            record(Action.IMPORTED, by=by, note=f"{label}: {name}: {outcome.counts}")
    return outcome


def _taken(rows: list[FileRow], reader: Reader, kind: Kind) -> RowsOutcome:
    outcome, labels = RowsOutcome(reader=reader), kind.labels

    def refuse(row: FileRow, messages: dict[str, list[str]]) -> None:
        # What is missing may have no column in the file at all.
        named = replace(row, places={**labels, **row.places})
        outcome.problems += named.problems(messages)

    for row in rows:
        if not any(row.cells.values()):
            continue
        try:
            with transaction.atomic():
                change = reader.take(row)
        except ValidationError as error:
            refuse(row, _by_column(error))
        except TransitionError as error:
            refuse(row, {"": [str(error)]})
        except IntegrityError:
            refuse(row, {"": [_("Another row says the same already.")]})
        else:
            if change.cells:
                outcome.changes.append(change)
            else:
                outcome.unchanged += 1
                outcome.same.append(change)
    return outcome


def _finish(reader: Reader, outcome: Outcome, submit: bool) -> None:
    try:
        with transaction.atomic():
            reader.finish(submit)
    except ValidationError as error:
        outcome.problems += [Problem(message) for message in error.messages]
    except TransitionError as error:
        outcome.problems.append(Problem(str(error)))


def _by_column(error: ValidationError) -> dict[str, list[str]]:
    return error.message_dict if hasattr(error, "error_dict") else {"": error.messages}


def difference(columns: dict[str, str], before: dict[str, str], after: dict[str, str]):
    """What differs between the cells of two rows, as (column's label, old, new)."""
    cells: list[Cell] = []
    for key, label in columns.items():
        old, new = before.get(key, ""), after.get(key, "")
        if old != new:
            cells.append((label, old, new))
    return tuple(cells)


def said(row: FileRow, *, but=()) -> dict[str, str]:
    """The cells of ``row`` that say something, a dash as the empty text that it stands for."""
    return {
        key: "" if text in NOTHING else text
        for key, text in row.cells.items()
        if text and key not in but
    }


def read_each(cells: dict[str, str], readers: dict[str, Callable]) -> dict[str, object]:
    """What ``readers`` make of the cells that they are for.

    A reader raises ValueError with a sentence; all of them together are one ValidationError.
    """
    values, errors = {}, {}
    for key, text in cells.items():
        if key in readers:
            try:
                values[key] = readers[key](text)
            except ValueError as error:
                errors[key] = str(error)
    if errors:
        raise ValidationError(errors)
    return values


def parts(text: str) -> list[str]:
    """The names in a cell that holds several, however they are separated."""
    return [part for part in (part.strip() for part in _BETWEEN.split(text)) if part]


def check(row: models.Model, *, but=()) -> None:
    """All that the model asks of ``row``, by field. Raises ValidationError."""
    row.full_clean(exclude=but)
