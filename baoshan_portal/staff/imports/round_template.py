"""The template of a department's figures for a round: its columns, and how it is read back.

Rows are recognised by the code of the indicator, and those without one by its name; an empty cell
changes nothing. Which round and department a file is of, it says itself (``origin``).
"""

from collections import defaultdict
from difflib import get_close_matches

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _

from measures import access
from measures.models import Department, Measure, Round
from measures.submission import State
from metrics.due import NewEntries, indicators_of, new_entry
from metrics.models import Indicator, Observation, Unit
from metrics.rules.choices import Certainty
from metrics.rules.periods import period_text
from metrics.wording import observed_text

from .cells import Words
from .columns import Column, wanted
from .importing import (
    ANSWER,
    Cell,
    Change,
    FileRow,
    Outcome,
    check_code,
    import_figures,
    normalised,
    read_link,
    refusal,
    set_answer,
    set_certainty,
    set_field,
    set_figure,
    template_rows,
)
from .names import numbers_text
from .origin import Origins, label
from .reading import FileError, Problem, Table

COLUMNS = (
    Column("code", "代码", "Code", 30, ("指标代码", "指标编码", "编码", "Indicator code")),
    Column("indicator", "指标", "Indicator", 36, ("指标名称", "名称", "Name", "Indicator name")),
    Column("unit", "计量单位", "Unit", 10, ("单位",)),
    Column("last_value", "上次数值", "Last value", 14),
    Column("last_period", "上次期间", "Last period", 24),
    Column("period", "本期期间", "Period", 24),
    Column("figure", "本期数值", "Figure", 16),
    Column("certainty", "确定程度", "Certainty", 12),
    Column("note", "说明", "Note", 36, ("备注", "Remarks")),
    Column("evidence", "佐证链接", "Evidence link", 36),
    Column("round", "填报轮次", "Round", 24),
    Column("department", "填报部门", "Department", 24),
    ANSWER,
)
LABELS = {column.key: column for column in COLUMNS}
NEEDED = ("figure",)
#: What a spreadsheet shows for zero, and what people write where nothing was counted.
NOTHING = frozenset({"-", "–", "—", "——", "－", "/", "无", "×", "…", "……"})
VALUES = ("figure", "certainty", "note", "evidence")
WANTED = wanted(COLUMNS, needed=NEEDED, values=VALUES, keys=("code", "indicator"))


def template_row(indicator: Indicator, round: Round, department: Department) -> list[str]:
    """The cells of an indicator in the template of a round, those for new values empty."""
    last, entry = indicator.latest, new_entry(indicator, round, department)
    given = {
        "code": indicator.code,
        "indicator": str(indicator),
        "unit": indicator.unit.name,
        "last_value": last.as_written if last else "",
        "last_period": period_text(last.period_start, last.period_end) if last else "",
        "period": period_text(entry.period_start, entry.period_end),
        "round": label(round),
        "department": label(department),
    }
    return [given.get(column.key, "") for column in COLUMNS]


class TemplateReader:
    """Reads the rows of a template that is filled in: a department's figures of one round."""

    def __init__(self, round: Round, department: Department, by, rows: list[FileRow]):
        self.round, self.department = round, department
        self.new_entries = NewEntries(round, department)
        # Names in the reader's language, which is asked for once.
        self.labels = {column.key: str(column) for column in COLUMNS}
        asked_for = list(indicators_of(round, department).select_related(None))
        # Each unit and measure once, and not once for each of its indicators; after these, so that
        # none of theirs is missing.
        units = Unit.objects.select_related("base").in_bulk()
        measures = Measure.objects.order_by().in_bulk({row.measure_id for row in asked_for})
        for measure in measures.values():
            measure.lead = department
        for indicator in asked_for:
            indicator.unit = units[indicator.unit_id]
            indicator.measure = measures[indicator.measure_id]
        self.units = {unit.name: unit for unit in units.values()}
        self.indicators = {indicator.code: indicator for indicator in asked_for}
        self.by_name = defaultdict(list)
        for indicator in self.indicators.values():
            for name in {normalised(indicator.name), normalised(indicator.name_en)} - {""}:
                self.by_name[name].append(indicator)
        #: The rows that were recognised by their name.
        self.named: list[int] = []
        for row in rows:
            self._find_code(row)
        codes = [row.cells["code"] for row in rows]
        unknown = {code for code in codes if code not in self.indicators and len(code) <= 80}
        self.elsewhere = Indicator.objects.select_related("measure").in_bulk(
            sorted(unknown), field_name="code"
        )
        self.certainties = Words(Certainty)
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

    def _find_code(self, row: FileRow) -> None:
        """Gives a row without a code that of the one indicator with its name."""
        if row.cells.setdefault("code", ""):
            return
        found = self.by_name.get(normalised(row.cells.get("indicator", "")), [])
        if len(found) == 1:
            row.cells["code"] = found[0].code
            self.named.append(row.number)

    def change(self, row: FileRow) -> Change:
        """What ``row`` changes. Raises ValidationError, by column, if it is wrong."""
        if not row.cells["code"] and row.cells.get("indicator"):
            raise ValidationError({"indicator": self._why_unknown(row.cells["indicator"])})
        check_code(row, self.first_row_of)
        code = row.cells["code"]
        indicator = self.indicators.get(code)
        if indicator is None:
            raise ValidationError({"code": self._why_not(code)})
        figure = self.stored.get(code) or self.new_entries.of(indicator)
        is_new, cells, errors = figure.pk is None, [], {}
        unit = row.cells.get("unit", "")
        if unit and normalised(unit) != normalised(indicator.unit.name):
            errors["unit"] = _("Wrong unit: the indicator is counted in %(unit)s.") % {
                "unit": indicator.unit.name
            }
        if self._is_named_otherwise(row, indicator):
            errors["indicator"] = _(
                "This is the name of another indicator; that of this code is “%(name)s”."
            ) % {"name": indicator}
        # An empty cell changes nothing: the template comes with empty cells.
        filled = {name: row.cells[name] for name in self.readers if row.cells.get(name)}
        if "figure" in filled and filled["figure"] in NOTHING:
            errors["figure"] = _(
                "This says neither that it is zero nor that there is no figure: write 0, or "
                "leave the cell empty."
            )
        if is_new and filled and "figure" not in filled:
            errors["figure"] = _("Expected a figure, because other cells are filled in.")
        for name, text in filled.items():
            if name in errors:
                continue
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
            is_blank=not filled,
        )

    def _is_named_otherwise(self, row: FileRow, indicator: Indicator) -> bool:
        """Whether the name beside the code of ``indicator`` is that of another of the round."""
        named = self.by_name.get(normalised(row.cells.get("indicator", "")), [])
        return bool(named) and indicator not in named

    def _why_unknown(self, name: str) -> str:
        same = self.by_name.get(normalised(name), [])
        if len(same) > 1:
            return _("Several indicators have this name; write the code of one: %(codes)s.") % {
                "codes": ", ".join(indicator.code for indicator in same)
            }
        near = get_close_matches(normalised(name), self.by_name, n=1)
        if near:
            (indicator, *_more) = self.by_name[near[0]]
            return _("No indicator of this round has this name: did you mean “%(name)s”?") % {
                "name": indicator
            }
        return _("No indicator of this round has this name: write its code.")

    def notices(self, rows: list[FileRow]) -> list[str]:
        """What to know of the rows beside what they change."""
        said = []
        if self.named:
            said.append(
                _("Rows without a code are matched by the name of the indicator: %(rows)s.")
                % {"rows": numbers_text(self.named)}
            )
        renamed = [
            row.number
            for row in rows
            if (indicator := self.indicators.get(row.cells["code"]))
            and (name := normalised(row.cells.get("indicator", "")))
            and name not in {normalised(indicator.name), normalised(indicator.name_en)}
            and name not in self.by_name
        ]
        if renamed:
            said.append(
                _("The column “%(name)s” was changed in the rows %(rows)s: it came with the "
                  "template, and nothing is taken from it.")
                % {"name": LABELS["indicator"], "rows": numbers_text(renamed)}
            )  # fmt: skip
        return said

    def _why_not(self, code: str) -> str:
        elsewhere = self.elsewhere.get(code)
        if elsewhere is None:
            return _("There is no indicator with this code.")
        if elsewhere.measure.lead_id != self.department.pk:
            return _("This indicator belongs to another department.")
        return _("This indicator is not due in this round.")

    def _read_figure(self, figure: Observation, text: str) -> list[Cell]:
        return set_figure(figure, self.labels["figure"], text, self.units)

    def _read_certainty(self, figure: Observation, text: str) -> list[Cell]:
        return set_certainty(figure, self.labels["certainty"], self.certainties.read(text))

    def _read_note(self, figure: Observation, text: str) -> list[Cell]:
        return set_field(figure, "note", self.labels["note"], text)

    def _read_evidence(self, figure: Observation, text: str) -> list[Cell]:
        return set_field(figure, "evidence_url", self.labels["evidence"], read_link(text))

    def _read_answer(self, figure: Observation, text: str) -> list[Cell]:
        return set_answer(figure, text)

    readers = {
        "figure": _read_figure,
        "certainty": _read_certainty,
        "note": _read_note,
        "evidence": _read_evidence,
        "answer": _read_answer,
    }


def import_entries(
    content: bytes, *, round, department, by, name="", submit=False, **how
) -> Outcome:
    """Takes a filled-in template: all rows as drafts or submitted, or none and the ``problems``.

    ``how`` is what else ``import_figures`` takes. Raises PermissionDenied if ``by`` does not
    report for the department.
    """
    how |= {"round": round, "department": department, "by": by, "name": name, "submit": submit}
    own = access.reporting_departments(by, Department.objects.filter(pk=department.pk))
    if not own.exists():
        raise PermissionDenied
    if not round.accepts(department):
        message = _("The round “%(round)s” takes no entry of this department.")
        return Outcome([Problem(message % {"round": round})])
    try:
        table, rows = template_rows(content, COLUMNS, WANTED)
        _check_keys(table, rows)
    except FileError as error:
        return Outcome(error.problems, is_no_template=True)
    return take_rows(rows, table, **how)


def take_rows(
    rows: list[FileRow], table: Table, *, round, department, by, name="", submit=False, **how
) -> Outcome:
    """Takes ``rows`` with the cells of the template, which stand in ``table``, as
    ``import_entries`` does."""
    try:
        reader = TemplateReader(round, department, by, rows)
        origin = Origins(round, department, reader.indicators, reader.elsewhere, LABELS).of(
            rows, table.titles
        )
        if origin.refusal:
            raise FileError(origin.refusal)
    except FileError as error:
        return Outcome(error.problems)
    table.notices += [*reader.notices(rows), *origin.notices]
    state = State.SUBMITTED if submit else State.DRAFT
    return import_figures(
        rows,
        reader.change,
        by=by,
        subject=round,
        note=f"{department.code}, {state}: {Observation._meta.label_lower}: {name}",
        submit=submit,
        table=table,
        **how,
    )


def _check_keys(table: Table, rows: list[FileRow]) -> None:
    """Raises FileError for a table whose rows nobody could recognise."""
    places = rows[0].places
    if "code" not in places and "indicator" not in places:
        raise FileError(
            _("The column “%(name)s” is missing; there are: %(there)s.")
            % {"name": LABELS["code"], "there": ", ".join(filter(None, table.headers))[:200]}
        )
