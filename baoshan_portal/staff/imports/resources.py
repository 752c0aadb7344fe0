"""Indicators and observations as the admin exports them and takes them back, keyed by code."""

import re
from decimal import Decimal, InvalidOperation

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.utils.translation import gettext as _
from import_export import resources
from import_export.fields import Field
from import_export.resources import Diff
from import_export.results import RowResult
from import_export.widgets import ForeignKeyWidget

from measures import access
from measures.models import Measure, Report
from measures.numerals import plain
from measures.spreadsheets import Kind
from measures.trail import Action, differences, record, snapshot
from metrics.entry import read_entry
from metrics.models import Indicator, Observation, Unit

from .importing import (
    Change,
    Preloaded,
    ThroughWorkflow,
    ToldImport,
    certainty_words,
    read_certainty,
    read_link,
    same,
)


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
            same(f.get_value(instance), f.get_value(original)) for f in self.get_import_fields()
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
        changed = {name for name in compared if not same(_dashed(old[name]), _dashed(row[name]))}
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
