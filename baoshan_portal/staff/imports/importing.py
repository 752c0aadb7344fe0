"""How the rows of a file become figures: all of them, or none and what is wrong.

``known_rows`` finds the columns of a file, a reader turns each row into a ``Change`` or says what
is wrong with it, and ``import_figures`` writes all changes in one step through the workflow.
The modules that have a reader say which columns a file has.
"""

import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from measures import workflow
from measures.cells import unquoted
from measures.characters import printable
from measures.submission import State
from measures.trail import Action, record
from measures.watermark import WATERMARK
from metrics.answers import warnings_beside
from metrics.entry import read_entry
from metrics.models import Observation, Unit
from metrics.rules.choices import Certainty
from metrics.wording import figure_text

from .columns import Column, key_in, names_of_columns
from .names import meant, numbers_text
from .reading import FileError, Problem, Table, Wanted, read_table

#: So many rows may have the same fault before it is told once for all of them.
MOST_ALIKE = 3

#: The column for answers to warnings, in every template that has one.
ANSWER = Column(
    "answer", "核实说明", "Answer to warnings", 36, ("提示说明", "对提示的说明", "预警说明")
)

check_link = URLValidator(["http", "https"])

Cell = tuple[str, str, str]


@dataclass(frozen=True)
class FileRow:
    """A row of a file: its number there, its cells by column, and how a person finds each."""

    number: int
    cells: dict[str, str]
    places: dict[str, str]

    def problems(self, messages: dict[str, list[str]]) -> list[Problem]:
        """What is wrong with the row, by column."""
        return [
            Problem(
                message, self.number, self.places.get(column, ""), self.cells.get(column, "")[:80]
            )
            for column, of_column in messages.items()
            for message in of_column
        ]


@dataclass
class Change:
    """What a row of the file changes: ``cells`` are (column, old, new), none if it changes nothing.

    ``figure`` is the row of the portal with its new values, ``is_draft`` says whether it stands
    there as a draft already.
    """

    row: int
    code: str
    name: str
    is_new: bool
    cells: tuple[Cell, ...]
    last: str = ""
    figure: Observation | None = None
    is_draft: bool = False
    #: Whether the row says nothing: it came with the template and was not filled in.
    is_blank: bool = False
    warnings: list[str] = field(default_factory=list)

    @property
    def answer(self) -> str:
        """What was answered to the warnings."""
        return self.figure.warning_answer if self.figure is not None else ""

    @property
    def what(self) -> str:
        """What becomes of the row, for a person."""
        if self.figure is not None and self.figure.supersedes_id:
            return _("correction")
        return _("new") if self.is_new else _("changed")

    @property
    def begins_correction(self) -> bool:
        figure = self.figure
        return figure is not None and figure.pk is None and figure.supersedes_id is not None


@dataclass
class Outcome:
    """What an import writes, or would write, and what is wrong: then nothing is written."""

    problems: list[Problem] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    #: How many rows change nothing, and which, where a page names them.
    unchanged: int = 0
    same: list[Change] = field(default_factory=list)
    #: How many rows of a template are not filled in, how many of the file hold no figure at all
    #: (a total, a signature), and what else is to know of how it was read.
    blank: int = 0
    left_out: int = 0
    notices: list[str] = field(default_factory=list)
    #: Of the unchanged, the drafts that are submitted too if the changes are.
    repeated: list[Observation] = field(default_factory=list)
    #: Whether there are problems because the table has not the columns that were looked for.
    is_no_template: bool = False

    @property
    def causes(self) -> list["Cause"]:
        """The problems, those of one cause together."""
        return by_cause(self.problems)

    @property
    def drafts(self) -> int:
        return len(self.repeated)

    @property
    def warned(self) -> list[Change]:
        """The changes, and the drafts that would be submitted with them, that have warnings."""
        return [change for change in [*self.changes, *self.same_drafts] if change.warnings]

    @property
    def same_drafts(self) -> list[Change]:
        """Of the unchanged, those of ``repeated``."""
        return [change for change in self.same if change.is_draft]

    @property
    def digest(self) -> str:
        """Differs as soon as something else would be written than this outcome shows."""
        written = [(change.row, change.code, change.cells) for change in self.changes]
        return salted_hmac(__name__, repr((written, self.drafts))).hexdigest()

    @property
    def counts(self) -> str:
        """For the trail."""
        return "{new} new, {update} changed, {skip} unchanged".format_map(self.totals)

    # The rest is what the admin's pages ask of a result of django-import-export.

    @property
    def totals(self) -> dict[str, int]:
        new = sum(change.is_new for change in self.changes)
        changed = len(self.changes) - new
        return {"new": new, "update": changed, "delete": 0, "skip": self.unchanged}

    def has_errors(self) -> bool:
        return bool(self.problems)

    has_validation_errors = has_errors


@dataclass(frozen=True)
class Cause:
    """What is wrong in one row, or in the same way in many: the parts of a ``Problem``, and
    ``rows`` as a text, of which ``text`` is what stands in the first."""

    rows: str
    column: str
    text: str
    message: str


def by_cause(problems: list[Problem]) -> list[Cause]:
    """``problems`` in their order; what rows of a column share is told once, and so is what is
    said of other cells if they are more than MOST_ALIKE."""
    places: dict[tuple[str, str], list[Problem]] = {}
    for problem in problems:
        places.setdefault((problem.message, problem.column), []).append(problem)
    causes = []
    for (message, column), same in places.items():
        is_one = len({problem.text for problem in same}) == 1 and all(one.row for one in same)
        if len(same) > MOST_ALIKE or (is_one and len(same) > 1):
            rows = numbers_text([problem.row for problem in same if problem.row])
            causes.append((same[0], Cause(rows, column, same[0].text, message)))
        else:
            causes += [(one, Cause(str(one.row or ""), column, one.text, message)) for one in same]
    order = {id(problem): at for at, problem in enumerate(problems)}
    return [cause for _first, cause in sorted(causes, key=lambda pair: order[id(pair[0])])]


def template_rows(
    content: bytes, columns: Sequence[Column], wanted: Wanted, *, other_sheets: Sequence[str] = ()
) -> tuple[Table, list[FileRow]]:
    """The table of these ``columns`` in a file, and its rows; a column of no template is left out.

    Raises FileError as ``read_table`` and ``known_rows`` do.
    """
    table = read_table(content, wanted, other_sheets=other_sheets)
    rows = known_rows(
        table,
        {column.key: str(column) for column in columns},
        needed=wanted.needed,
        key=key_in(columns),
        names=names_of_columns(columns),
        values=wanted.values,
    )
    return table, rows


def known_rows(
    table: Table,
    known: dict[str, str],
    needed=("code",),
    key: Callable[[str], str] = str,
    *,
    names: Mapping[str, str] | None = None,
    values: Collection[str] = (),
) -> list[FileRow]:
    """The rows of ``table``; ``known`` are the columns that it may have, with their names for
    people, ``key`` finds the column of a header.

    With ``names``, the keys by every name that a column may have, a column that is not known is
    left out with a notice of ``table``; one that nearly has the name of a column that is missing
    and ``needed``, or of ``values``, is asked about. Without, no other column is taken.

    Raises FileError for columns that are missing, unknown or there twice, and if there is no row.
    """
    places: dict[str, int] = {}
    problems, unknown = [], []
    for index, header in enumerate(table.headers):
        column, place = key(header), table.place(index)
        if not header:
            continue
        if header == WATERMARK:
            message = _("This file comes from a demonstration, whose figures are invented.")
            problems.append(Problem(message, column=place, text=header))
        elif column not in known:
            unknown.append(index)
        elif column in places:
            problems.append(Problem(_("This column is there twice."), column=place, text=column))
        else:
            places[column] = index
    missing = [column for column in needed if column not in places]
    if unknown and names is None:
        problems.append(_unknown_problem(table, unknown, known))
    elif unknown:
        wanted = {column for column in known if column not in places}
        slips = {}
        for index in unknown:
            column = meant(table.headers[index], names, wanted)
            if column in {*needed, *values} and column not in slips.values():
                slips[index] = column
        for index, column in slips.items():
            message = _("This column is not known: did you mean “%(name)s”?")
            problems.append(
                Problem(
                    message % {"name": known[column]},
                    column=table.place(index),
                    text=table.headers[index],
                )
            )
        missing = [column for column in missing if column not in slips.values()]
        if left := [index for index in unknown if index not in slips]:
            table.notices.append(
                _("Columns that are not known are left out: %(columns)s.")
                % {"columns": ", ".join(table.place(index) for index in left)}
            )
    if missing:
        problems.append(_missing_problem(table, missing, known))
    if problems:
        raise FileError(*problems)
    if not table.rows:
        raise FileError(_("There is no row below the headers."))
    shown = {column: table.place(index) for column, index in places.items()}
    return [
        FileRow(row.number, {column: row.cells[at] for column, at in places.items()}, shown)
        for row in table.rows
    ]


def _unknown_problem(table: Table, unknown: list[int], known: dict[str, str]) -> Problem:
    text = ", ".join(table.headers[index] for index in unknown)
    message = ngettext(
        "This column is not known; there are: %(known)s.",
        "These columns are not known; there are: %(known)s.",
        len(unknown),
    ) % {"known": ", ".join(known.values())}
    places = ", ".join(table.place(index) for index in unknown)
    return Problem(message, column=places, text=text[:200])


def _missing_problem(table: Table, missing: list[str], known: dict[str, str]) -> Problem:
    """One sentence, however many are missing, with what there is instead."""
    there = [header for header in table.headers if header]
    if len(missing) == 1:
        message = _("The column “%(name)s” is missing; there are: %(there)s.") % {
            "name": known[missing[0]],
            "there": ", ".join(there)[:200],
        }
    else:
        message = _("The columns %(names)s are missing; there are: %(there)s.") % {
            "names": ", ".join(f"“{known[column]}”" for column in missing),
            "there": ", ".join(there)[:200],
        }
    return Problem(message)


def check_code(row: FileRow, first_row_of: dict[str, int]) -> None:
    """Raises ValidationError for a row without code, or with one that stands further up."""
    code = row.cells["code"]
    if not code:
        raise ValidationError({"code": _("Expected a code; rows are recognised by it alone.")})
    if first_row_of.setdefault(code, row.number) != row.number:
        message = _("This code stands in row %(row)d already.") % {"row": first_row_of[code]}
        raise ValidationError({"code": message})


def import_figures(
    rows: list[FileRow],
    read: Callable[[FileRow], Change],
    *,
    by,
    note: str,
    subject=None,
    submit: bool = False,
    dry_run: bool = False,
    expected: str | None = None,
    progress: Callable[[int], None] | None = None,
    table: Table | None = None,
    answers: Mapping[int, str] | None = None,
) -> Outcome:
    """Writes what ``rows`` change, as drafts or, with ``submit``, submitted; all or nothing.

    ``read`` raises ValidationError, by column, for a row that is wrong. ``expected`` is the digest
    of the outcome that a person has agreed to. ``note`` begins what the trail says of the import,
    of ``subject``. ``progress`` is called with the number of rows read so far, now and then.
    ``table`` is where the rows come from, with what is to be said of it. ``answers`` are those
    that a person gave to warnings of the preview, by row; without one nothing is submitted.
    """
    outcome, today = Outcome(), timezone.localdate()
    if table is not None:
        outcome.left_out, outcome.notices = table.left_out, list(table.notices)
    for count, row in enumerate(rows, 1):
        if progress and count % 500 == 0:
            progress(count)
        try:
            change = read(row)
        except ValidationError as error:
            outcome.problems += row.problems(error.message_dict)
            continue
        if change.cells and change.figure and (why_not := change.figure.why_not_public(today)):
            outcome.problems += row.problems({"certainty": [why_not]})
        elif change.cells:
            outcome.changes.append(change)
        elif change.is_blank:
            outcome.blank += 1
        else:
            outcome.unchanged += 1
            outcome.same.append(change)
            outcome.repeated += [change.figure] if change.is_draft else []
    if outcome.problems:
        return outcome
    try:
        if expected is not None and expected != outcome.digest:
            raise FileError(_("What stands in the portal has changed meanwhile: look again."))
        with transaction.atomic():
            _write(outcome, by, submit, answers or {}, trial=dry_run)
            # Only the database can say whether its constraints hold, so a dry run writes too.
            if dry_run:
                transaction.set_rollback(True)
            else:
                record(Action.IMPORTED, by=by, subject=subject, note=f"{note}: {outcome.counts}")
    except FileError as error:
        outcome.problems = error.problems
    return outcome


def _write(outcome: Outcome, by, submit: bool, answers: Mapping[int, str], *, trial: bool) -> None:
    for change in [*outcome.changes, *outcome.same_drafts]:
        if answer := answers.get(change.row):
            try:
                answered(change.figure, answer)
            except ValueError as error:
                raise FileError(Problem(str(error), change.row)) from None
    begun = [change for change in outcome.changes if change.begins_correction]
    others = [change.figure for change in outcome.changes if not change.begins_correction]
    others += [change.figure for change in outcome.same_drafts if change.row in answers]
    try:
        workflow.save_all(others, by=by, trial=trial)
        for change in begun:
            change.figure = _correct(change, by)
        _warn(outcome)
        if submit:
            _check_answered(outcome)
            figures = [change.figure for change in outcome.changes]
            workflow.submit_all([*figures, *outcome.repeated], by=by, trial=trial)
    except workflow.TransitionError as error:
        raise FileError(str(error)) from None
    except IntegrityError:
        raise FileError(
            _("One of these figures has been recorded meanwhile; send the file again.")
        ) from None


def _warn(outcome: Outcome) -> None:
    """Finds the warnings of all that would be submitted."""
    changes = [*outcome.changes, *outcome.same_drafts]
    found = warnings_beside([change.figure for change in changes])
    for change, warnings in zip(changes, found, strict=True):
        change.warnings = warnings


def _check_answered(outcome: Outcome) -> None:
    """Raises FileError, one sentence for all rows, if warnings have no answer."""
    if rows := [change.row for change in outcome.warned if not change.answer]:
        raise FileError(
            _("Figures that look unusual are submitted with a short answer why they are right: "
              "write it below the warnings or in the column “%(column)s”, in the rows %(rows)s. "
              "As drafts they are taken without.")
            % {"column": ANSWER, "rows": numbers_text(rows)}
        )  # fmt: skip


def answered(figure: Observation, text: str) -> None:
    """Puts ``text`` as the answer to the warnings of ``figure`` as it is now.

    Raises ValueError if it is too long.
    """
    most = Observation._meta.get_field("warning_answer").max_length
    if len(text) > most:
        raise ValueError(_("Expected at most %(limit)d characters.") % {"limit": most})
    figure.warning_answer, figure.is_answered_anew = text, True


def set_answer(figure: Observation, text: str) -> list[Cell]:
    """As ``answered``; what that changes, if anything."""
    old = figure.warning_answer
    answered(figure, text)
    return [] if same(old, text) else [(str(ANSWER), old if stands(figure) else "", text)]


def _correct(change: Change, by) -> Observation:
    figure, old = change.figure, change.figure.supersedes
    says = {name: getattr(figure, name) for name in figure.content_fields()}
    changes = {name: value for name, value in says.items() if value != getattr(old, name)}
    try:
        return workflow.correct(old, by=by, reason=figure.correction_reason, **changes)
    except ValidationError as error:
        raise FileError(Problem(" ".join(error.messages), change.row)) from None


def set_field(figure: Observation, name: str, column: str, value, shown=str) -> list[Cell]:
    """Puts ``value`` into the field ``name``; what that changes, if anything."""
    old = getattr(figure, name)
    if same(old, value):
        return []
    setattr(figure, name, value)
    return [(column, shown(old) if stands(figure) else "", shown(value))]


def set_certainty(figure: Observation, column: str, certainty: Certainty) -> list[Cell]:
    """Puts how certain the figure is; what that changes, if anything."""
    return set_field(
        figure, "certainty", column, certainty, lambda value: str(Certainty(value).label)
    )


def stands(figure: Observation) -> bool:
    """Whether the portal has the figure already, in its own row or in the one it corrects."""
    return bool(figure.pk or figure.supersedes_id)


def set_figure(figure: Observation, column: str, text: str, units: dict[str, Unit]) -> list[Cell]:
    """Puts the figure that ``text`` says; what that changes, and how it was read.

    Raises QuantityError if it cannot be read (``read_entry``). Needs the indicator's unit.
    """
    unit, old = figure.indicator.unit, figure.as_written
    entry = read_entry(text, unit, units)
    if stands(figure) and (figure.value, figure.qualifier) == (entry.value, entry.qualifier):
        return []
    figure.value, figure.qualifier, figure.as_written = entry.value, entry.qualifier, text
    read_as = figure_text(entry.value, unit, entry.qualifier)
    if entry.converted_from:
        read_as = _("%(figure)s, converted from %(unit)s") % {
            "figure": read_as,
            "unit": entry.converted_from.name,
        }
    return [(column, old, text if text == read_as else f"{text} ({read_as})")]


def refusal(figure: Observation, editable: set[int]) -> str:
    """Why ``figure`` cannot be changed, or nothing; ``editable`` are the keys of those that can."""
    if figure.pk is None or figure.pk in editable:
        return ""
    if figure.state == State.PUBLISHED:
        return _("This figure is published and never changed in place: correct it instead.")
    if figure.state == State.SUBMITTED:
        return _("This figure waits for review: it must be returned before it is changed.")
    return _("You may not change this figure.")


def same(old, new) -> bool:
    """Whether a cell says what is stored."""
    if isinstance(old, str) and isinstance(new, str):
        # As the files give it out; an apostrophe before =1 may be one that a csv file needed.
        old = printable(old).strip()
        return printable(new).strip() in {old, unquoted(old)}
    return old == new


def normalised(text: str) -> str:
    """``text`` for comparison: full-width, case and spaces do not matter."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def read_link(text: str) -> str:
    try:
        check_link(text)
    except ValidationError:
        raise ValueError(_("Expected a link that begins with https:// or http://.")) from None
    if len(text) > Observation._meta.get_field("evidence_url").max_length:
        raise ValueError(_("This link is too long."))
    return text
