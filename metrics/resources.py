"""What the admin imports and exports, by django-import-export: keyed by code, never by title.

An import says what is wrong as ``Problem``s, shows what it would write as ``Change``s, and writes
all rows or none; figures are written by the workflow alone.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.core.validators import URLValidator
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import translation
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from import_export import resources
from import_export.fields import Field
from import_export.formats import base_formats
from import_export.instance_loaders import BaseInstanceLoader
from import_export.resources import Diff
from import_export.results import Result, RowResult
from import_export.widgets import ForeignKeyWidget
from tablib import Dataset

from measures import access, workflow
from measures.models import Department, Round
from measures.submission import State
from measures.trail import Action, differences, record, snapshot

from .choices import Certainty
from .due import indicators_of, new_entry
from .entry import read_entry
from .figures import figure_text
from .files import FileError, Problem, Table, csv_file, read_table, xlsx_file
from .models import Indicator, Measure, Observation, Report, Unit
from .quantity import plain
from .warnings import warnings_of


@dataclass(frozen=True)
class Column:
    """A column of the template. Its names are a contract with files that are on their way, so
    they are kept here in both languages and not with the translations."""

    key: str
    chinese: str
    english: str
    width: int

    def __str__(self):
        return self.english if (translation.get_language() or "").startswith("en") else self.chinese


COLUMNS = (
    Column("code", "代码", "Code", 30),
    Column("indicator", "指标", "Indicator", 36),
    Column("unit", "计量单位", "Unit", 10),
    Column("last_value", "上次数值", "Last value", 14),
    Column("last_period", "上次期间", "Last period", 24),
    Column("figure", "本期数值", "Figure", 16),
    Column("certainty", "确定程度", "Certainty", 12),
    Column("note", "说明", "Note", 36),
    Column("evidence", "佐证链接", "Evidence link", 36),
)
LABELS = {column.key: column for column in COLUMNS}
WRITABLE = ("figure", "certainty", "note", "evidence")

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


class TableFormat:
    """A format of django-import-export that reads through ``read_table``."""

    def create_dataset(self, in_stream):
        return as_dataset(read_table(in_stream))

    def get_read_mode(self):
        return "rb"

    def is_binary(self):
        return True


class XLSX(TableFormat, base_formats.XLSX):
    def export_data(self, dataset, **kwargs):
        return xlsx_file(dataset.headers, dataset)


class AnyTable(TableFormat, base_formats.CSV):
    """What is imported: the file itself tells which format it has."""

    def get_title(self):
        return "xlsx, csv"


class CSV(TableFormat, base_formats.CSV):
    def export_data(self, dataset, **kwargs):
        return csv_file(dataset.headers, dataset)


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
        if _same(old, value):
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


def _same(old, new) -> bool:
    if isinstance(old, str) and isinstance(new, str):
        # A spreadsheet program writes line breaks its own way.
        return old.replace("\r\n", "\n").strip() == new.replace("\r\n", "\n").strip()
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


class EntryResource(ThroughWorkflow, resources.ModelResource):
    """The template, filled in: a department's figures of one round."""

    code = Field(column_name="code")
    indicator = Field(column_name="indicator")
    unit = Field(column_name="unit")
    last_value = Field(column_name="last_value")
    last_period = Field(column_name="last_period")
    figure = Field(column_name="figure")
    certainty = Field(column_name="certainty")
    note = Field(column_name="note")
    evidence = Field(column_name="evidence")

    class Meta:
        model = Observation
        import_id_fields = ("code",)
        fields = tuple(LABELS)
        instance_loader_class = Preloaded
        use_bulk = True
        batch_size = None
        skip_diff = True
        store_instance = True

    def __init__(self, *, round: Round, department: Department, progress=None, **kwargs):
        super().__init__(**kwargs)
        self.round, self.department, self.progress = round, department, progress

    needed = ("code", "figure")

    def shown(self, column):
        return str(LABELS[column])

    def subject(self):
        return self.round

    def told(self, result, kwargs):
        state = State.SUBMITTED if self.submit else State.DRAFT
        return f"{self.department.code}, {state}: {super().told(result, kwargs)}"

    def load(self, dataset):
        asked_for = indicators_of(self.round, self.department)
        self.indicators = {indicator.code: indicator for indicator in asked_for}
        codes = dataset["code"]
        unknown = sorted({code for code in codes if code not in self.indicators})
        self.elsewhere = Indicator.objects.select_related("measure").in_bulk(
            [code for code in unknown if len(code) <= 80], field_name="code"
        )
        self.units = {unit.name: unit for unit in Unit.objects.all()}
        self.words = certainty_words()
        # A correction under way is no entry of the round: its figure stands until it is published.
        counts = Q(supersedes__isnull=True) | Q(state=State.PUBLISHED)
        ours = (
            Observation.objects.filter(
                counts, round=self.round, indicator__measure__lead=self.department
            )
            .select_related("indicator", "report", "round")
            .order_by("revision")
        )
        self.stored = {row.indicator.code: row for row in ours}
        for row in self.stored.values():
            # With unit, measure and department loaded.
            row.indicator = self.indicators.get(row.indicator.code, row.indicator)
        self.editable = set(access.editable(self.by, ours).values_list("pk", flat=True))

    def before_import_row(self, row, **kwargs):
        super().before_import_row(row, **kwargs)
        code = row["code"]
        if code in self.indicators:
            return
        elsewhere = self.elsewhere.get(code)
        if elsewhere is None:
            message = _("There is no indicator with this code.")
        elif elsewhere.measure.lead_id != self.department.pk:
            message = _("This indicator belongs to another department.")
        else:
            message = _("This indicator is not due in this round.")
        raise ValidationError({"code": message})

    def init_instance(self, row=None):
        return new_entry(self.indicators[row["code"]], self.round, self.department)

    def is_filled(self, row):
        return bool(row["figure"])

    def import_instance(self, instance, row, **kwargs):
        self.cells, errors = [], {}
        indicator = self.indicators[row["code"]]
        unit = row.get("unit", "")
        if unit and normalised(unit) != normalised(indicator.unit.name):
            errors["unit"] = _("Wrong unit: the indicator is counted in %(unit)s.") % {
                "unit": indicator.unit.name
            }
        filled = any(row.get(name) for name in WRITABLE)
        if instance.pk is None and filled and not row["figure"]:
            errors["figure"] = _("Expected a figure, because other cells are filled in.")
        for name in WRITABLE:
            if text := row.get(name, ""):
                try:
                    getattr(self, f"read_{name}_cell")(instance, indicator, text)
                except ValueError as error:
                    errors[name] = str(error)
        if self.cells and not errors and (refusal := self.refusal(instance)):
            errors["figure"] = refusal
        if errors:
            raise ValidationError(errors)

    # An empty cell changes nothing: the template comes with empty cells.

    def read_figure_cell(self, instance, indicator, text):
        entry = read_entry(text, indicator.unit, self.units)
        old = instance.as_written
        if instance.pk and (instance.value, instance.qualifier) == (entry.value, entry.qualifier):
            return
        instance.value, instance.qualifier = entry.value, entry.qualifier
        instance.as_written = text
        read_as = figure_text(entry.value, indicator.unit, entry.qualifier)
        if entry.converted_from:
            read_as = _("%(figure)s, converted from %(unit)s") % {
                "figure": read_as,
                "unit": entry.converted_from.name,
            }
        shown = text if text == read_as else f"{text} ({read_as})"
        self.cells.append((str(LABELS["figure"]), old, shown))

    def read_certainty_cell(self, instance, indicator, text):
        certainty = read_certainty(text, self.words)
        self.set_cell(
            instance,
            "certainty",
            str(LABELS["certainty"]),
            certainty,
            lambda value: str(Certainty(value).label),
        )

    def read_note_cell(self, instance, indicator, text):
        self.set_cell(instance, "note", str(LABELS["note"]), text)

    def read_evidence_cell(self, instance, indicator, text):
        self.set_cell(instance, "evidence_url", str(LABELS["evidence"]), read_link(text))

    def change(self, row, number, is_new):
        indicator = self.indicators[row["code"]]
        last = indicator.latest
        return Change(
            number,
            indicator.code,
            str(indicator),
            is_new,
            tuple(self.cells),
            figure_text(last.value, indicator.unit, last.qualifier) if last else "",
        )


def import_entries(
    content: bytes, *, round, department, by, name="", dry_run=False, expected=None, **how
) -> Outcome:
    """Takes a filled-in template: all rows as drafts or submitted, or none and the ``problems``.

    ``expected`` is the digest of the outcome that a person has seen and agreed to, ``how`` what
    else EntryResource takes. Raises PermissionDenied if ``by`` does not report for the department.
    """
    own = access.reporting_departments(by, Department.objects.filter(pk=department.pk))
    if not own.exists():
        raise PermissionDenied
    try:
        if not round.accepts(department):
            raise FileError(
                _("The round “%(round)s” takes no entry of this department.") % {"round": round}
            )
        table = read_table(content)
        dataset = as_dataset(table, [_key(header) for header in table.headers])
    except FileError as error:
        outcome = Outcome()
        outcome.problems = error.problems
        return outcome
    resource = EntryResource(round=round, department=department, **how)
    resource.expected = expected
    return resource.import_data(
        dataset,
        dry_run=dry_run,
        use_transactions=True,
        rollback_on_validation_errors=True,
        user=by,
        file_name=name,
    )


def _key(header: str) -> str:
    """The stable name of a template's column, whichever language it is in."""
    wanted = normalised(header)
    for column in COLUMNS:
        if wanted in {column.key, normalised(column.chinese), normalised(column.english)}:
            return column.key
    return header


class IndicatorResource(ToldImport, resources.ModelResource):
    measure = Field("measure", "measure", ForeignKeyWidget(Measure, "code"))
    unit = Field("unit", "unit", ForeignKeyWidget(Unit, "code"))
    basis = Field("basis", "basis", ForeignKeyWidget(Indicator, "code"))

    class Meta:
        model = Indicator
        import_id_fields = ("code",)
        exclude = ("id",)
        clean_model_instances = True
        skip_unchanged = True
        store_instance = True

    @classmethod
    def get_diff_class(cls):
        return Pairs

    def get_queryset(self):
        return super().get_queryset().select_related("measure", "unit", "basis")

    def import_field(self, field, instance, row, is_m2m=False, **kwargs):
        try:
            super().import_field(field, instance, row, is_m2m, **kwargs)
        except (InvalidOperation, ObjectDoesNotExist):
            raise ValueError(_("This is not known or cannot be read.")) from None

    def skip_row(self, instance, original, row, import_validation_errors=None):
        if import_validation_errors or original is None or original.pk is None:
            return False
        return all(
            _same(f.get_value(instance), f.get_value(original)) for f in self.get_import_fields()
        )

    def after_import_row(self, row, row_result, row_number=None, **kwargs):
        if row_result.import_type == RowResult.IMPORT_TYPE_SKIP:
            return
        instance, is_new = row_result.instance, row_result.is_new()
        cells = zip(self.get_diff_headers(), row_result.diff, strict=True)
        self.changes.append(
            Change(
                self.numbers[row_number - 1],
                instance.code,
                str(instance),
                is_new,
                tuple((name, *pair) for name, pair in cells if pair[0] != pair[1]),
            )
        )
        names = [f.attribute for f in self.get_import_fields()]
        old = {} if is_new else snapshot(row_result.original, names)
        before, after = differences(old, snapshot(instance, names))
        action = Action.ENTERED if is_new else Action.CHANGED
        record(action, by=self.by, subject=instance, before=before, after=after)


class Pairs(Diff):
    """Old and new beside each other, for the template to mark up."""

    def as_html(self):
        old = [""] * len(self.left) if self.new else self.left
        return [(str(a), str(b)) for a, b in zip(old, self.right, strict=True)]


class ObservationResource(ThroughWorkflow, resources.ModelResource):
    """Every observation; of a file that was exported, changes to drafts can be imported again.

    The cells that say something can be changed, the workflow's bookkeeping is passed over, and
    everything else must stay as it is.
    """

    indicator = Field("indicator", "indicator", ForeignKeyWidget(Indicator, "code"))
    unit = Field("indicator__unit__name", "unit", readonly=True)
    report = Field("report", "report", ForeignKeyWidget(Report, "code"))

    class Meta:
        model = Observation
        import_id_fields = ("code",)
        fields = (
            "code", "indicator", "unit", "period_start", "period_end", "period_inferred", "value",
            "qualifier", "as_written", "certainty", "report", "locator", "source_name", "note",
            "note_en", "evidence_url", "state", "revision", "published_at",
        )  # fmt: skip
        export_order = fields
        instance_loader_class = Preloaded
        use_bulk = True
        batch_size = None
        skip_diff = True
        store_instance = True

    bookkeeping = frozenset({"state", "revision", "published_at"})
    derived = ("value", "qualifier")
    texts = ("note", "note_en")

    def get_queryset(self):
        return (
            super()
            .get_queryset()
            .select_related("indicator__unit", "indicator__measure__lead", "report", "round")
        )

    def dehydrate_value(self, row):
        return Decimal(plain(row.value))

    def load(self, dataset):
        rows = access.visible(self.by, self.get_queryset())
        codes = {code for code in dataset["code"] if len(code) <= 120}
        self.stored = rows.in_bulk(codes, field_name="code")
        drafts = access.editable(self.by, Observation.objects.all())
        self.editable = set(drafts.values_list("pk", flat=True))
        self.units = {unit.name: unit for unit in Unit.objects.all()}
        self.words = certainty_words()

    def before_import_row(self, row, **kwargs):
        super().before_import_row(row, **kwargs)
        if row["code"] not in self.stored:
            raise ValidationError(
                {
                    "code": _(
                        "There is no figure with this code that you may see; "
                        "new figures come by the template of a round."
                    )
                }
            )

    def import_instance(self, instance, row, **kwargs):
        self.cells, errors = [], {}
        compared = [name for name in row if name not in self.bookkeeping]
        old = self._texts(instance, [*compared, *self.derived])
        changed = {name for name in compared if not _same(_dashed(old[name]), _dashed(row[name]))}
        for name in changed - {
            "as_written",
            "certainty",
            "evidence_url",
            *self.derived,
            *self.texts,
        }:
            errors[name] = _("Expected “%(old)s”: an import cannot change this.") % {
                "old": old[name]
            }
        for name in ("certainty", "evidence_url", *self.texts):
            if name not in changed:
                continue
            try:
                if name == "certainty":
                    value = read_certainty(row[name], self.words)
                elif name == "evidence_url":
                    value = read_link(row[name]) if row[name] else ""
                else:
                    value = row[name]
                self.set_cell(instance, name, name, value)
            except ValueError as error:
                errors[name] = str(error)
        if "as_written" in changed:
            try:
                entry = read_entry(row["as_written"], instance.indicator.unit, self.units)
                instance.value, instance.qualifier = entry.value, entry.qualifier
                self.set_cell(instance, "as_written", "as_written", row["as_written"])
            except ValueError as error:
                errors["as_written"] = str(error)
        for name, new in self._texts(instance, self.derived).items():
            if name in changed and row[name] != new and "as_written" not in errors:
                errors[name] = _(
                    "Expected “%(value)s”, as the figure as written says; change that instead."
                ) % {"value": new}
            elif new != old[name]:
                self.cells.append((name, old[name], new))
        if (self.cells or errors) and (refusal := self.refusal(instance)):
            errors = {sorted(changed)[0]: refusal}
        if errors:
            raise ValidationError(errors)

    def _texts(self, instance, names) -> dict[str, str]:
        """The named columns as the export writes them."""
        return {name: str(self.export_field(self.fields[name], instance)) for name in names}

    def change(self, row, number, is_new):
        row = self.stored[row["code"]]
        return Change(number, row.code, str(row.indicator), is_new, tuple(self.cells))


def _dashed(text: str) -> str:
    """Excel writes the dates of a csv file its own way: 2022/3/1 for 2022-03-01."""
    if match := re.fullmatch(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})", text):
        return f"{match[1]}-{match[2]:0>2}-{match[3]:0>2}"
    return text
