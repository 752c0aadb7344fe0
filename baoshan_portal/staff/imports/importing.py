"""How a file of rows becomes what is stored, by django-import-export: all of it, or nothing.

An import says what is wrong as ``Problem``s and shows what it would write as ``Change``s; both
are its ``Outcome``. Figures are written by the workflow alone, as drafts or submitted. Which
columns a file has is said by the resources: ``round_template`` and ``resources``.
"""

import unicodedata
from dataclasses import dataclass, field

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import IntegrityError, transaction
from django.utils import translation
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from import_export.formats import base_formats
from import_export.instance_loaders import BaseInstanceLoader
from import_export.results import Result, RowResult
from tablib import Dataset

from measures import workflow
from measures.characters import printable
from measures.spreadsheets import unquoted
from measures.submission import State
from measures.trail import Action, record
from metrics.models import Observation
from metrics.rules.choices import Certainty
from metrics.warnings import warnings_of

from .reading import FileError, Problem, Table, read_table

check_link = URLValidator(["http", "https"])


@dataclass
class Change:
    """One row that the import writes: ``cells`` are (column, old, new) of what it changes."""

    row: int
    code: str
    name: str
    is_new: bool
    cells: tuple[tuple[str, str, str], ...]
    last: str = ""
    warnings: list[str] = field(default_factory=list)


class Outcome(Result):
    """The result of an import, as people are told it."""

    def __init__(self):
        super().__init__()
        self.problems: list[Problem] = []
        self.changes: list[Change] = []
        #: Rows that stand in the portal as drafts already, just as the file has them.
        self.drafts = 0

    @property
    def unchanged(self) -> int:
        return self.totals[RowResult.IMPORT_TYPE_SKIP]

    @property
    def digest(self) -> str:
        """Differs as soon as something else would be written than this outcome shows."""
        written = [(change.row, change.code, change.cells) for change in self.changes]
        return salted_hmac(__name__, repr((written, self.drafts))).hexdigest()


class AnyTable(base_formats.CSV):
    """What is imported, read through ``read_table``: the file itself tells which format it has."""

    def create_dataset(self, in_stream):
        return as_dataset(read_table(in_stream))

    def get_read_mode(self):
        return "rb"

    def is_binary(self):
        return True

    def get_title(self):
        return "xlsx, csv"


def as_dataset(table: Table, headers: list[str] | None = None) -> Dataset:
    """``table`` for import-export, which also knows where a person finds its rows and columns."""
    dataset = Dataset(headers=headers or table.headers)
    for row in table.rows:
        dataset.append(row.cells)
    dataset.numbers = [row.number for row in table.rows]
    dataset.places = [table.place(index) for index in range(len(table.headers))]
    return dataset


def normalised(text: str) -> str:
    """``text`` for comparison: full-width, case and spaces do not matter."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


class ToldImport:
    """Gives an import its ``Outcome`` and its place in the trail.

    Subclasses say in ``load`` what they need to know before the first row is read.
    """

    # Called with the number of rows read so far, now and then.
    progress = None
    # The digest of the preview that a person has agreed to.
    expected = None
    needed = ("code",)

    def shown(self, column: str) -> str:
        """What the column is called in the files that people have."""
        return column

    @classmethod
    def get_result_class(cls):
        return Outcome

    def before_import(self, dataset, **kwargs):
        self.by = kwargs["user"]
        self.numbers, self.changes, self.drafts = dataset.numbers, [], 0
        self.first_row_of = {}
        try:
            columns = [field.column_name for field in self.fields.values()]
            check_headers(dataset, {name: self.shown(name) for name in columns}, self.needed)
            if not len(dataset):
                raise FileError(_("There is no row below the headers."))
            self.load(dataset)
        except FileError:
            # import-export would go on to the rows.
            while len(dataset):
                dataset.pop()
            raise

    def load(self, dataset):
        pass

    def import_data(self, dataset, *args, **kwargs):
        result = super().import_data(dataset, *args, **kwargs)
        result.problems = _problems(dataset, result)
        return result

    def before_import_row(self, row, row_number=None, **kwargs):
        if self.progress and row_number % 500 == 0:
            self.progress(row_number)
        number, code = self.numbers[row_number - 1], row["code"]
        if not code:
            raise ValidationError({"code": _("Expected a code; rows are recognised by it alone.")})
        earlier = self.first_row_of.setdefault(code, number)
        if earlier != number:
            raise ValidationError(
                {"code": _("This code stands in row %(row)d already.") % {"row": earlier}}
            )

    def after_import(self, dataset, result, **kwargs):
        result.changes, result.drafts = self.changes, self.drafts
        if result.has_errors() or result.has_validation_errors():
            return
        if self.expected not in {None, result.digest}:
            raise FileError(_("What stands in the portal has changed meanwhile: look again."))
        if not kwargs["dry_run"]:
            record(
                Action.IMPORTED, by=self.by, subject=self.subject(), note=self.told(result, kwargs)
            )

    def subject(self):
        return None

    def told(self, result, kwargs) -> str:
        new = sum(change.is_new for change in result.changes)
        counts = f"{new} new, {len(result.changes) - new} changed, {result.unchanged} unchanged"
        name = self._meta.model._meta.label_lower
        return f"{name}: {kwargs.get('file_name') or ''}: {counts}"


def check_headers(dataset: Dataset, known: dict[str, str], needed: tuple[str, ...]) -> None:
    """Raises FileError for headers that are missing, unknown or there twice.

    ``known`` are the columns with their names for people.
    """
    unknown = _("This column is not known; there are: %(known)s.") % {
        "known": ", ".join(known.values())
    }
    problems, found = [], set()
    for name, place in zip(dataset.headers, dataset.places, strict=True):
        if name not in known:
            problems.append(Problem(unknown, column=place, text=name))
        elif name in found:
            problems.append(Problem(_("This column is there twice."), column=place, text=name))
        found.add(name)
    problems += [
        Problem(_("The column “%(name)s” is missing.") % {"name": known[name]})
        for name in needed
        if name not in found
    ]
    if problems:
        raise FileError(*problems)


def _problems(dataset: Dataset, result: Outcome) -> list[Problem]:
    """What people are told; an error that is no fault of the file is raised, to be logged."""
    found = []
    for base in result.base_errors:
        if not isinstance(base.error, FileError):
            raise base.error
        found += base.error.problems
    for failed in result.error_rows:
        raise failed.errors[0].error
    places = dict(zip(dataset.headers, dataset.places, strict=True))
    for invalid in result.invalid_rows:
        cells = dict(zip(dataset.headers, dataset[invalid.number - 1], strict=True))
        for name, messages in invalid.error_dict.items():
            place, text = places.get(name, ""), cells.get(name, "")[:80]
            number = dataset.numbers[invalid.number - 1]
            found += [Problem(message, number, place, text) for message in messages]
    return found


class Preloaded(BaseInstanceLoader):
    """Finds rows among those that ``load`` has put into ``stored`` by their code."""

    def get_instance(self, row):
        return self.resource.stored.get(row["code"])


class ThroughWorkflow(ToldImport):
    """Writes all rows at once through the workflow, as drafts or, with ``submit``, submitted."""

    def __init__(self, *, submit=False, **kwargs):
        super().__init__(**kwargs)
        self.submit = submit
        self.written, self.unsubmitted, self.change_of = [], [], {}

    def validate_instance(self, instance, import_validation_errors=None, validate_unique=True):
        # full_clean would ask the database a dozen times for every row; import_instance has
        # checked what a file can say, and the constraints stand behind it.
        if import_validation_errors:
            raise ValidationError(import_validation_errors)

    def skip_row(self, instance, original, row, import_validation_errors=None):
        if import_validation_errors or self.cells:
            return False
        if instance.pk and instance.is_editable and self.is_filled(row):
            self.drafts += 1
            self.unsubmitted.append(instance)
        return True

    def is_filled(self, row) -> bool:
        return True

    def after_import_row(self, row, row_result, row_number=None, **kwargs):
        if row_result.import_type == RowResult.IMPORT_TYPE_SKIP:
            return
        change = self.change(row, self.numbers[row_number - 1], row_result.is_new())
        self.changes.append(change)
        self.change_of[id(row_result.instance)] = change

    def bulk_create(self, using_transactions, dry_run, raise_errors, batch_size=None, result=None):
        rows = [*self.create_instances, *self.update_instances]
        self.create_instances, self.update_instances = [], []
        if result.has_errors() or result.has_validation_errors():
            return
        self.written = rows
        try:
            with transaction.atomic():
                workflow.save_all(rows, by=self.by)
                if self.submit:
                    workflow.submit_all([*rows, *self.unsubmitted], by=self.by)
        except workflow.TransitionError as error:
            self.handle_import_error(result, FileError(str(error)), raise_errors)
        except IntegrityError:
            message = _("One of these figures has been recorded meanwhile; send the file again.")
            self.handle_import_error(result, FileError(message), raise_errors)

    def bulk_update(self, *args, **kwargs):
        """``bulk_create`` has written these rows too, in one step with the new ones."""

    def after_import(self, dataset, result, **kwargs):
        for row, warnings in zip(self.written, warnings_of(self.written), strict=True):
            self.change_of[id(row)].warnings = warnings
        super().after_import(dataset, result, **kwargs)

    def set_cell(self, instance, name: str, column: str, value, shown=str):
        """Puts ``value`` into the field ``name`` and remembers old and new if they differ."""
        old = getattr(instance, name)
        if same(old, value):
            return
        self.cells.append((column, shown(old) if instance.pk else "", shown(value)))
        setattr(instance, name, value)

    def refusal(self, instance) -> str:
        """Why the changes cannot be written over ``instance``, or nothing."""
        if instance.pk is None or instance.pk in self.editable:
            return ""
        if instance.state == State.PUBLISHED:
            return _("This figure is published and never changed in place: correct it instead.")
        if instance.state == State.SUBMITTED:
            return _("This figure waits for review: it must be returned before it is changed.")
        return _("You may not change this figure.")


def same(old, new) -> bool:
    """Whether a cell says what is stored."""
    if isinstance(old, str) and isinstance(new, str):
        # As the files give it out; an apostrophe before =1 may be one that a csv file needed.
        old = printable(old).strip()
        return printable(new).strip() in {old, unquoted(old)}
    return old == new


def certainty_words() -> dict[str, Certainty]:
    """What a cell may say, in either language or as the stable value."""
    words = {certainty.value: certainty for certainty in Certainty}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            words |= {normalised(str(certainty.label)): certainty for certainty in Certainty}
    return words


def read_certainty(text: str, words: dict[str, Certainty]) -> Certainty:
    if found := words.get(normalised(text)):
        return found
    expected = ", ".join(str(certainty.label) for certainty in Certainty)
    raise ValueError(_("Expected one of: %(words)s.") % {"words": expected})


def read_link(text: str) -> str:
    try:
        check_link(text)
    except ValidationError:
        raise ValueError(_("Expected a link that begins with https:// or http://.")) from None
    if len(text) > Observation._meta.get_field("evidence_url").max_length:
        raise ValueError(_("This link is too long."))
    return text
