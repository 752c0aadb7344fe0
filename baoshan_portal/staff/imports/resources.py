"""Indicators and observations as the admin exports them and takes them back, keyed by code."""

import re
from decimal import Decimal, InvalidOperation

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _
from import_export import resources
from import_export.fields import Field
from import_export.formats import base_formats
from import_export.results import RowResult
from import_export.widgets import ForeignKeyWidget
from tablib import Dataset

from measures import access, revisions
from measures.models import Measure, Report
from measures.numerals import plain
from measures.spreadsheets import Kind
from measures.trail import Action, differences, record, snapshot
from metrics.entry import read_entry
from metrics.models import Indicator, Observation, Unit
from metrics.rules.choices import Certainty

from .cells import Words
from .importing import (
    Change,
    FileRow,
    Outcome,
    check_code,
    import_figures,
    known_rows,
    normalised,
    read_link,
    refusal,
    same,
    set_field,
)
from .reading import FileError, Wanted, read_table

#: Whatever else a table of the admin has, its rows are recognised by this column.
WANTED = Wanted({"code": ["code", "代码"]}, ("code",), keys=("code",))


class AnyTable(base_formats.CSV):
    """What is imported, as a ``Table``: the file itself tells which format it has."""

    def get_title(self):
        return "xlsx, ods, xls, csv"

    def create_dataset(self, in_stream):
        return read_table(in_stream, WANTED)

    def get_read_mode(self):
        return "rb"

    def is_binary(self):
        return True


class FileResource(resources.ModelResource):
    """What is exported can be imported again, by the admin's pages."""

    def import_data(self, table, *, user, file_name="", dry_run=False, **kwargs) -> Outcome:
        columns = [field.column_name for field in self.fields.values()]
        try:
            rows = known_rows(table, dict(zip(columns, columns, strict=True)))
        except FileError as error:
            return Outcome(error.problems)
        note = f"{self._meta.model._meta.label_lower}: {file_name}"
        return self.import_rows(rows, by=user, note=note, dry_run=dry_run)


class IndicatorResource(FileResource):
    """Every indicator; new and changed ones are imported by django-import-export's own loop."""

    measure = Field("measure", "measure", ForeignKeyWidget(Measure, "code"))
    unit = Field("unit", "unit", ForeignKeyWidget(Unit, "code"))
    basis = Field("basis", "basis", ForeignKeyWidget(Indicator, "code"))
    recipients = Field("recipients", "recipients", ForeignKeyWidget(Indicator, "code"))

    class Meta:
        model = Indicator
        import_id_fields = ("code",)
        exclude = ("id",)
        clean_model_instances = True
        skip_unchanged = True
        skip_html_diff = True
        store_instance = True

    columns = {
        "code": {"width": 30},
        "name": {"width": 40},
        "name_en": {"width": 40},
        "measure": {"width": 30},
        "scope": {"width": 50},
        "scope_en": {"width": 50},
        "caution": {"width": 50},
        "caution_en": {"width": 50},
    }

    def get_queryset(self):
        return super().get_queryset().select_related("measure", "unit", "basis", "recipients")

    def save_instance(self, instance, is_create, row, **kwargs):
        """A draft is written, a public row and "public since" wait for review."""
        stored = None if is_create else Indicator.objects.get(pk=instance.pk)
        if stored and revisions.is_public(stored):
            before, after = revisions.says(stored), revisions.says(instance)
            self.entries += revisions.changes_between(stored, before, after)
            return
        since, instance.published_on = instance.published_on, None
        super().save_instance(instance, is_create, row, **kwargs)
        if since:
            day = {"published_on": since.isoformat()}
            self.entries += revisions.changes_between(instance, {"published_on": None}, day)

    def import_rows(self, rows: list[FileRow], *, by, note: str, dry_run: bool) -> Outcome:
        self.by, self.rows, self.first_row_of, self.changes = by, rows, {}, []
        self.entries = []
        cells = [list(row.cells.values()) for row in rows]
        with transaction.atomic():
            result = resources.ModelResource.import_data(
                self,
                Dataset(*cells, headers=list(rows[0].cells)),
                dry_run=dry_run,
                use_transactions=True,
                rollback_on_validation_errors=True,
            )
            # What is no fault of the file is raised, to be logged.
            for error in [*result.base_errors, *(row.errors[0] for row in result.error_rows)]:
                raise error.error
            outcome = Outcome(changes=self.changes, unchanged=result.totals["skip"])
            for invalid in result.invalid_rows:
                outcome.problems += rows[invalid.number - 1].problems(invalid.error_dict)
            if not (dry_run or outcome.problems):
                if self.entries:
                    revisions.collect(self.entries, by=by)
                record(Action.IMPORTED, by=by, note=f"{note}: {outcome.counts}")
        return outcome

    def before_import_row(self, row, row_number, **kwargs):
        check_code(self.rows[row_number - 1], self.first_row_of)

    def import_field(self, field, instance, row, is_m2m=False, **kwargs):
        choices = Indicator._meta.get_field(field.attribute).choices
        if choices and row.get(field.column_name):
            row[field.column_name] = _chosen(row[field.column_name], choices)
        try:
            super().import_field(field, instance, row, is_m2m, **kwargs)
        except (InvalidOperation, ObjectDoesNotExist):
            raise ValueError(_("This is not known or cannot be read.")) from None

    def skip_row(self, instance, original, row, import_validation_errors=None):
        if import_validation_errors or original is None or original.pk is None:
            return False
        return all(
            same(f.get_value(instance), f.get_value(original)) for f in self.get_import_fields()
        )

    def after_import_row(self, row, row_result, row_number, **kwargs):
        if row_result.import_type == RowResult.IMPORT_TYPE_SKIP:
            return
        instance, original = row_result.instance, row_result.original
        is_new, names, cells = original is None, [], []
        for field in self.get_import_fields():
            names.append(field.attribute)
            old = "" if is_new else str(field.export(original))
            new = str(field.export(instance))
            if old != new:
                cells.append((field.column_name, old, new))
        number = self.rows[row_number - 1].number
        self.changes.append(Change(number, instance.code, str(instance), is_new, tuple(cells)))
        before = {} if is_new else snapshot(original, names)
        before, after = differences(before, snapshot(instance, names))
        action = Action.ENTERED if is_new else Action.CHANGED
        record(action, by=self.by, subject=instance, before=before, after=after)


class ObservationResource(FileResource):
    """Every observation; of a file that was exported, changes to drafts can be imported again."""

    indicator = Field("indicator", "indicator", ForeignKeyWidget(Indicator, "code"))
    unit = Field("indicator__unit__name", "unit", readonly=True)
    report = Field("report", "report", ForeignKeyWidget(Report, "code"))

    class Meta:
        model = Observation
        fields = (
            "code", "indicator", "unit", "period_start", "period_end", "period_inferred", "value",
            "qualifier", "as_written", "certainty", "report", "locator", "source_name", "note",
            "note_en", "evidence_url", "state", "revision", "published_at",
        )  # fmt: skip
        export_order = fields

    columns = {
        "code": {"width": 24},
        "indicator": {"width": 30},
        "period_start": {"width": 12},
        "period_end": {"width": 12},
        "value": {"width": 12, "kind": Kind.NUMBER},
        "note": {"width": 50},
        "note_en": {"width": 50},
        "evidence_url": {"width": 30},
        "published_at": {"width": 20},
    }

    def get_queryset(self):
        return (
            super()
            .get_queryset()
            .select_related("indicator__unit", "indicator__measure__lead", "report", "round")
        )

    def dehydrate_value(self, row):
        return Decimal(plain(row.value))

    def texts(self, figure: Observation, names) -> dict[str, str]:
        """The named columns as the export writes them."""
        return {name: str(self.export_field(self.fields[name], figure)) for name in names}

    def import_rows(self, rows: list[FileRow], *, by, note: str, dry_run: bool) -> Outcome:
        reader = ExportReader(self, by, {row.cells["code"] for row in rows})
        return import_figures(rows, reader.change, by=by, note=note, dry_run=dry_run)


class ExportReader:
    """Reads the rows of observations that were exported.

    The cells that say something can be changed, the workflow's bookkeeping is passed over, and
    everything else must stay as it is.
    """

    bookkeeping = frozenset({"state", "revision", "published_at"})
    derived = ("value", "qualifier")
    changeable = ("certainty", "evidence_url", "note", "note_en", "as_written")

    def __init__(self, resource: ObservationResource, by, codes: set[str]):
        self.texts = resource.texts
        rows = access.visible(by, resource.get_queryset())
        known = {code for code in codes if len(code) <= 120}
        self.stored = rows.in_bulk(known, field_name="code")
        drafts = access.editable(by, Observation.objects.all())
        self.editable = set(drafts.values_list("pk", flat=True))
        self.units = {unit.name: unit for unit in Unit.objects.all()}
        self.certainties = Words(Certainty)
        self.first_row_of: dict[str, int] = {}

    def change(self, row: FileRow) -> Change:
        """What ``row`` changes. Raises ValidationError, by column, if it is wrong."""
        check_code(row, self.first_row_of)
        figure = self.stored.get(row.cells["code"])
        if figure is None:
            raise ValidationError(
                {
                    "code": _(
                        "There is no figure with this code that you may see; "
                        "new figures come by the template of a round."
                    )
                }
            )
        compared = {name: text for name, text in row.cells.items() if name not in self.bookkeeping}
        old = self.texts(figure, [*compared, *self.derived])
        changed = {
            name: text
            for name, text in compared.items()
            if not same(_dashed(old[name]), _dashed(text))
        }
        cells = []
        errors = {
            name: _("Expected “%(old)s”: an import cannot change this.") % {"old": old[name]}
            for name in changed
            if name not in self.changeable + self.derived
        }
        for name in self.changeable:
            if name in changed:
                try:
                    cells += set_field(figure, name, name, self._value(figure, name, changed[name]))
                except ValueError as error:
                    errors[name] = str(error)
        for name, new in self.texts(figure, self.derived).items():
            if changed.get(name, new) != new and "as_written" not in errors:
                errors[name] = _(
                    "Expected “%(value)s”, as the figure as written says; change that instead."
                ) % {"value": new}
            elif new != old[name]:
                cells.append((name, old[name], new))
        if (cells or errors) and (why_not := refusal(figure, self.editable)):
            errors = {min(changed): why_not}
        if errors:
            raise ValidationError(errors)
        return Change(
            row.number, figure.code, str(figure.indicator), False, tuple(cells), figure=figure
        )

    def _value(self, figure: Observation, name: str, text: str):
        """What the field ``name`` is to hold; a figure's value and qualifier follow its text."""
        if name == "as_written":
            entry = read_entry(text, figure.indicator.unit, self.units)
            figure.value, figure.qualifier = entry.value, entry.qualifier
        if name == "certainty":
            return self.certainties.read(text)
        if name == "evidence_url" and text:
            return read_link(text)
        return text


#: What offices write for a choice beside the words of the portal.
SAID = {
    "月": "monthly", "月度": "monthly", "按月": "monthly",
    "季": "quarterly", "季度": "quarterly", "按季": "quarterly", "每季": "quarterly",
    "半年": "half-yearly", "半年度": "half-yearly",
    "年": "yearly", "年度": "yearly", "按年": "yearly", "一次性": "once",
    "国家": "national", "市": "municipal", "市级": "municipal", "区": "district",
}  # fmt: skip


def _chosen(text: str, choices) -> str:
    """The value of a choice that ``text`` names, in whichever language.

    Raises ValueError, with the choices in the language of the reader.
    """
    words = {}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            words |= {normalised(str(label)): value for value, label in choices}
    values = {value for value, _label in choices}
    word = normalised(text)
    found = words.get(word) or (text if text in values else SAID.get(word))
    if found not in values:
        expected = ", ".join(str(label) for value, label in choices if value)
        raise ValueError(_("Expected one of: %(words)s.") % {"words": expected})
    return found


def _dashed(text: str) -> str:
    """Excel writes the dates of a csv file its own way: 2022/3/1 for 2022-03-01."""
    if match := re.fullmatch(r"(\d{4})[-/年](\d{1,2})[-/月](\d{1,2})日?", text):
        return f"{match[1]}-{match[2]:0>2}-{match[3]:0>2}"
    return text
