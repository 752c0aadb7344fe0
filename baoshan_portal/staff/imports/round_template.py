"""The template of a department's figures for a round: its columns, and how it is read back.

Rows are recognised by the code of the indicator; an empty cell changes nothing.
"""

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _

from measures import access
from measures.models import Department, Round
from measures.submission import State
from metrics.due import indicators_of, new_entry
from metrics.models import Indicator, Observation, Unit
from metrics.wording import observed_text

from .columns import Column, key_in
from .importing import (
    Cell,
    Change,
    FileRow,
    Outcome,
    certainty_words,
    check_code,
    import_figures,
    known_rows,
    normalised,
    read_certainty,
    read_link,
    refusal,
    set_certainty,
    set_field,
    set_figure,
)
from .reading import FileError, read_table

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


class TemplateReader:
    """Reads the rows of a template that is filled in: a department's figures of one round."""

    def __init__(self, round: Round, department: Department, by, codes: list[str]):
        self.round, self.department = round, department
        asked_for = indicators_of(round, department)
        self.indicators = {indicator.code: indicator for indicator in asked_for}
        unknown = {code for code in codes if code not in self.indicators and len(code) <= 80}
        self.elsewhere = Indicator.objects.select_related("measure").in_bulk(
            sorted(unknown), field_name="code"
        )
        self.units = {unit.name: unit for unit in Unit.objects.all()}
        self.words = certainty_words()
        self.first_row_of: dict[str, int] = {}
        # A correction under way is no entry of the round: its figure stands until it is published.
        counts = Q(supersedes__isnull=True) | Q(state=State.PUBLISHED)
        ours = (
            Observation.objects.filter(counts, round=round, indicator__measure__lead=department)
            .select_related("indicator", "report", "round")
            .order_by("revision")
        )
        self.stored = {row.indicator.code: row for row in ours}
        for row in self.stored.values():
            # With unit, measure and department loaded.
            row.indicator = self.indicators.get(row.indicator.code, row.indicator)
        self.editable = set(access.editable(by, ours).values_list("pk", flat=True))

    def change(self, row: FileRow) -> Change:
        """What ``row`` changes. Raises ValidationError, by column, if it is wrong."""
        check_code(row, self.first_row_of)
        code = row.cells["code"]
        indicator = self.indicators.get(code)
        if indicator is None:
            raise ValidationError({"code": self._why_not(code)})
        figure = self.stored.get(code) or new_entry(indicator, self.round, self.department)
        is_new, cells, errors = figure.pk is None, [], {}
        unit = row.cells.get("unit", "")
        if unit and normalised(unit) != normalised(indicator.unit.name):
            errors["unit"] = _("Wrong unit: the indicator is counted in %(unit)s.") % {
                "unit": indicator.unit.name
            }
        # An empty cell changes nothing: the template comes with empty cells.
        filled = {name: row.cells[name] for name in self.readers if row.cells.get(name)}
        if is_new and filled and "figure" not in filled:
            errors["figure"] = _("Expected a figure, because other cells are filled in.")
        for name, text in filled.items():
            try:
                cells += self.readers[name](self, figure, text)
            except ValueError as error:
                errors[name] = str(error)
        if cells and not errors and (why_not := refusal(figure, self.editable)):
            errors["figure"] = why_not
        if errors:
            raise ValidationError(errors)
        last = indicator.latest
        return Change(
            row.number,
            code,
            str(indicator),
            is_new,
            tuple(cells),
            last=observed_text(last, indicator.unit) if last else "",
            figure=figure,
            is_draft="figure" in filled and not is_new and figure.is_editable,
        )

    def _why_not(self, code: str) -> str:
        elsewhere = self.elsewhere.get(code)
        if elsewhere is None:
            return _("There is no indicator with this code.")
        if elsewhere.measure.lead_id != self.department.pk:
            return _("This indicator belongs to another department.")
        return _("This indicator is not due in this round.")

    def _read_figure(self, figure: Observation, text: str) -> list[Cell]:
        return set_figure(figure, str(LABELS["figure"]), text, self.units)

    def _read_certainty(self, figure: Observation, text: str) -> list[Cell]:
        return set_certainty(figure, str(LABELS["certainty"]), read_certainty(text, self.words))

    def _read_note(self, figure: Observation, text: str) -> list[Cell]:
        return set_field(figure, "note", str(LABELS["note"]), text)

    def _read_evidence(self, figure: Observation, text: str) -> list[Cell]:
        return set_field(figure, "evidence_url", str(LABELS["evidence"]), read_link(text))

    readers = {
        "figure": _read_figure,
        "certainty": _read_certainty,
        "note": _read_note,
        "evidence": _read_evidence,
    }


def import_entries(
    content: bytes, *, round, department, by, name="", submit=False, **how
) -> Outcome:
    """Takes a filled-in template: all rows as drafts or submitted, or none and the ``problems``.

    ``how`` is what else ``import_figures`` takes. Raises PermissionDenied if ``by`` does not
    report for the department.
    """
    own = access.reporting_departments(by, Department.objects.filter(pk=department.pk))
    if not own.exists():
        raise PermissionDenied
    try:
        if not round.accepts(department):
            raise FileError(
                _("The round “%(round)s” takes no entry of this department.") % {"round": round}
            )
        columns = {column.key: str(column) for column in COLUMNS}
        needed, key = ("code", "figure"), key_in(COLUMNS)
        rows = known_rows(read_table(content), columns, needed=needed, key=key)
    except FileError as error:
        return Outcome(error.problems)
    reader = TemplateReader(round, department, by, [row.cells["code"] for row in rows])
    state = State.SUBMITTED if submit else State.DRAFT
    return import_figures(
        rows,
        reader.change,
        by=by,
        subject=round,
        note=f"{department.code}, {state}: {Observation._meta.label_lower}: {name}",
        submit=submit,
        **how,
    )
