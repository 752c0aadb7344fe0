"""The template of a department's figures for a round: its columns, and how it is read back.

Rows are recognised by the code of the indicator; an empty cell changes nothing.
"""

from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext as _
from import_export import resources
from import_export.fields import Field

from measures import access
from measures.models import Department, Round
from measures.submission import State
from metrics.due import indicators_of, new_entry
from metrics.entry import read_entry
from metrics.models import Indicator, Observation, Unit
from metrics.rules.choices import Certainty
from metrics.wording import figure_text

from .importing import (
    Change,
    Outcome,
    Preloaded,
    ThroughWorkflow,
    as_dataset,
    certainty_words,
    normalised,
    read_certainty,
    read_link,
)
from .reading import FileError, read_table


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
