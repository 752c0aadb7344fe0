"""The template of a report's figures: its columns, and how it is read back.

A report is a document, so a row says where in it a figure stands. By report, place, indicator and
period a figure is recognised: what stands there already is unchanged, changed while it is a
draft, or begins a correction if it is public. A row without a figure's cells changes nothing.
"""

import unicodedata
from collections import defaultdict
from datetime import date

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from measures import access
from measures.models import Measure, Report, Theme, closed_round, validate_locator
from measures.submission import EDITABLE, State
from metrics.models import Indicator, Observation, Unit
from metrics.rules.choices import Certainty, Kind
from metrics.rules.periods import STATES, period_text
from metrics.wording import observed_text, why_not_actual

from .cells import Words, read_day, read_yes, yes_or_no
from .columns import Column, wanted
from .importing import (
    ANSWER,
    Cell,
    Change,
    FileRow,
    Outcome,
    import_figures,
    normalised,
    refusal,
    set_answer,
    set_certainty,
    set_field,
    set_figure,
    template_rows,
)
from .reading import FileError

COLUMNS = (
    Column("place", "报告位置", "Place in the report", 18),
    Column("measure", "举措", "Measure", 36),
    Column("indicator", "指标", "Indicator", 36),
    Column("unit", "计量单位", "Unit", 10),
    Column("figure", "报告原文数值", "Figure as written", 18),
    Column("period_start", "所属期起", "Period from", 14),
    Column("period_end", "所属期止", "Period to", 14),
    Column("inferred", "所属期系推定", "Period inferred", 14),
    Column("certainty", "确定程度", "Certainty", 12),
    Column("reason", "更正理由", "Reason for correction", 40),
    ANSWER,
)
LABELS = {column.key: column for column in COLUMNS}
#: What a template comes with; a row with nothing else is not filled in.
GIVEN = frozenset({"measure", "indicator", "unit"})
NEEDED = ("place", "indicator", "figure", "period_end")
VALUES = tuple(column.key for column in COLUMNS if column.key not in GIVEN)
WANTED = wanted(COLUMNS, needed=NEEDED, values=VALUES, keys=("place", "indicator"))

#: By what a figure of a report is recognised: indicator, period and place
Key = tuple[int, date | None, date, str]


def indicators_for(report: Report, user):
    """The indicators of the report's opinion whose figures ``user`` may take over, by number."""
    of_opinion = Indicator.objects.of_opinion(report.opinion).not_withdrawn()
    return access.taken_over(user, of_opinion).with_place()


def names_of(indicators: list[Indicator]) -> dict[int, str]:
    """How each indicator is written in a template: by its name, or by its code if two share one."""
    by_name = defaultdict(list)
    for indicator in indicators:
        by_name[normalised(indicator.in_language("name"))].append(indicator)
    return {
        indicator.pk: indicator.in_language("name") if len(same) == 1 else indicator.code
        for same in by_name.values()
        for indicator in same
    }


class ReportReader:
    """Reads the rows of a report's template that is filled in."""

    def __init__(self, report: Report, by):
        self.report = report
        # An indicator that is withdrawn or of another office is told from one that is not there.
        rows = list(Indicator.objects.of_opinion(report.opinion).with_place().with_latest_value())
        allowed = indicators_for(report, by).order_by().values_list("pk", flat=True)
        self.allowed = set(allowed)
        standing = Indicator.objects.of_opinion(report.opinion).not_withdrawn().order_by()
        self.standing = set(standing.values_list("pk", flat=True))
        self.by_code = {row.code: row for row in rows}
        self.by_name = defaultdict(list)
        for row in rows:
            for name in {normalised(row.name), normalised(row.name_en)} - {""}:
                self.by_name[name].append(row)
        themes = Theme.objects.filter(section__opinion=report.opinion).select_related("section")
        self.themes = {theme.number for theme in themes}
        self.units = {unit.name: unit for unit in Unit.objects.all()}
        self.certainties = Words(Certainty)
        self.first_row_of: dict[Key, int] = {}
        self.rounds = {}
        self._find_figures(by)

    def _find_figures(self, by) -> None:
        """What of this report stands in the portal, and what a correction put elsewhere."""
        self.stored: dict[Key, Observation] = {}
        self.moved: dict[Key, Observation] = {}
        by_pk = {row.pk: row for row in self.by_code.values()}
        ours = (
            Observation.objects.filter(report=self.report, indicator__in=by_pk)
            .select_related("report", "round", "supersedes")
            .order_by("revision")
        )
        figures = {figure.pk: figure for figure in ours}
        for figure in figures.values():
            figure.indicator = by_pk[figure.indicator_id]
            if figure.supersedes_id in figures:
                old = figures[figure.supersedes_id]
                self.stored.pop(_key(old), None)
                if figure.state == State.PUBLISHED and _key(old) != _key(figure):
                    self.moved[_key(old)] = figure
                elif figure.state != State.PUBLISHED:
                    # Until it is public its place is that of what it corrects, too.
                    self.stored[_key(old)] = figure
            self.stored[_key(figure)] = figure
        withdrawn = Observation.objects.versions().filter(
            report=self.report, withdrawn_at__isnull=False
        )
        self.withdrawn = set(withdrawn.order_by().values_list("pk", flat=True))
        self.editable = {
            figure.pk
            for figure in figures.values()
            if figure.state in EDITABLE and figure.indicator_id in self.allowed
        }

    def change(self, row: FileRow) -> Change:
        """What ``row`` changes. Raises ValidationError, by column, if it is wrong."""
        errors, said = {}, {}
        readers = {
            "indicator": self._indicator,
            "place": self._place,
            "period_start": read_day,
            "period_end": read_day,
            "inferred": read_yes,
            "certainty": self.certainties.read,
        }
        for name, read in readers.items():
            text = row.cells.get(name, "")
            try:
                if name == "indicator":
                    said[name] = read(text, row.cells.get("measure", ""))
                elif text or name in NEEDED:
                    said[name] = read(text)
            except ValueError as error:
                errors[name] = str(error)
        indicator = said.get("indicator")
        if indicator:
            errors |= self._misfits(indicator, row.cells)
        if not row.cells["figure"]:
            errors["figure"] = _("Expected the figure as the report prints it.")
        if "period_end" in said and indicator and "period_start" not in errors:
            try:
                said["period_start"] = _beginning(
                    indicator, said.get("period_start"), said["period_end"]
                )
            except ValueError as error:
                errors["period_start"] = str(error)
        if errors:
            raise ValidationError(errors)
        return self._change(row, said)

    def _change(self, row: FileRow, said: dict) -> Change:
        indicator, place = said["indicator"], said["place"]
        start, end = said["period_start"], said["period_end"]
        key = (indicator.pk, start, end, place)
        first = self.first_row_of.setdefault(key, row.number)
        if first != row.number:
            message = _("This place, indicator and period stand in row %(row)d already.")
            raise ValidationError({"place": message % {"row": first}})
        if key in self.moved and key not in self.stored:
            raise ValidationError({"place": _moved_text(self.moved[key])})
        stored = self.stored.get(key)
        figure = self._in_hand(stored, indicator, place, start, end)
        cells = []
        try:
            cells += set_figure(figure, str(LABELS["figure"]), row.cells["figure"], self.units)
        except ValueError as error:
            raise ValidationError({"figure": str(error)}) from None
        cells += self._further(figure, said)
        self._check_writable(row, figure, stored, cells)
        reason = row.cells.get("reason", "")
        if (cells or figure.pk) and figure.supersedes_id and reason:
            cells += set_field(figure, "correction_reason", str(LABELS["reason"]), reason)
        answer = row.cells.get("answer", "")
        if answer and (cells or (figure.pk in self.editable)):
            try:
                cells += set_answer(figure, answer)
            except ValueError as error:
                raise ValidationError({"answer": str(error)}) from None
        period = period_text(start, end)
        if not stored:
            cells += [(f"{LABELS['period_start']} – {LABELS['period_end']}", "", period)]
        return Change(
            row.number,
            f"{indicator.code} · {place} · {period}",
            str(indicator),
            stored is None,
            tuple(cells),
            last=observed_text(indicator.latest, indicator.unit) if indicator.latest else "",
            figure=figure,
            is_draft=bool(figure.pk) and figure.is_editable,
        )

    def _in_hand(self, stored, indicator, place, start, end) -> Observation:
        """The row that the file speaks of: a new one, the stored draft, or a correction to be."""
        if stored is None:
            return Observation(
                indicator=indicator,
                report=self.report,
                locator=place,
                period_start=start,
                period_end=end,
            )
        if stored.state != State.PUBLISHED:
            return stored
        kept = {name: getattr(stored, name) for name in stored.content_fields()}
        return Observation(**kept, supersedes=stored, revision=stored.revision + 1)

    def _further(self, figure: Observation, said: dict) -> list[Cell]:
        """What other cells change; an empty one changes nothing."""
        cells = []
        if "certainty" in said:
            cells += set_certainty(figure, str(LABELS["certainty"]), said["certainty"])
        if "inferred" in said:
            cells += set_field(
                figure,
                "period_inferred",
                str(LABELS["inferred"]),
                said["inferred"],
                yes_or_no,
            )
        return cells

    def _check_writable(self, row, figure, stored, cells) -> None:
        """Raises ValidationError for what cannot be written as the row has it."""
        reason, errors = row.cells.get("reason", ""), {}
        if stored and stored.state == State.PUBLISHED:
            if not cells and stored.pk in self.withdrawn:
                errors["figure"] = _("This figure is withdrawn: it can only come back corrected.")
            elif cells and not reason:
                errors["reason"] = _("Another value is public already: a correction must say why.")
        elif cells and (why_not := refusal(figure, self.editable)):
            errors["figure"] = why_not
        elif cells and reason and not figure.supersedes_id:
            errors["reason"] = _("Expected nothing: what is not public needs no correction.")
        if cells and not figure.supersedes_id and (closed := self._closed(figure)):
            errors["period_end"] = _("The round “%(round)s” takes no entry of this department.") % {
                "round": closed
            }
        # A document knows nothing of what came after it.
        known = min(self.report.issued_on, timezone.localdate())
        if cells and (why := why_not_actual(figure.certainty, figure.period_end, known)):
            errors["certainty"] = why
        if errors:
            raise ValidationError(errors)

    def _closed(self, figure: Observation):
        asked = figure.department, figure.period_end
        if asked not in self.rounds:
            self.rounds[asked] = closed_round(*asked)
        return self.rounds[asked]

    def _indicator(self, text: str, measure: str) -> Indicator:
        if not text:
            raise ValueError(_("Expected the code or the name of an indicator."))
        found = self.by_name.get(normalised(text), [])
        if text in self.by_code:
            found = [self.by_code[text]]
        elif len(found) > 1 and measure:
            found = [row for row in found if _is_named(row.measure, measure)] or found
        if len(found) > 1:
            raise ValueError(
                _("Several indicators have this name; write the code of one: %(codes)s.")
                % {"codes": ", ".join(row.code for row in found)}
            )
        if not found:
            raise ValueError(self._why_unknown(text))
        (indicator,) = found
        if indicator.pk not in self.standing:
            raise ValueError(_("This indicator is withdrawn."))
        if indicator.pk not in self.allowed:
            raise ValueError(_("This indicator belongs to another department."))
        return indicator

    def _why_unknown(self, text: str) -> str:
        if len(text) <= 120 and Indicator.objects.filter(code=text).exists():
            return _("This indicator belongs to another opinion than the report answers.")
        return _(
            "There is no indicator with this code or name: create it first; what it counts goes "
            "through a review of its own."
        )

    def _place(self, text: str) -> str:
        place = unicodedata.normalize("NFKC", text).replace(" ", "")
        try:
            validate_locator(place)
        except ValidationError as error:
            raise ValueError(error.messages[0]) from None
        theme, _slash, sentence = place.partition("/")
        if theme not in self.themes:
            raise ValueError(_("The opinion has no theme %(number)s.") % {"number": theme[:20]})
        if len(place) > Observation._meta.get_field("locator").max_length:
            raise ValueError(_("No theme has so many sentences."))
        return place

    def _misfits(self, indicator: Indicator, cells: dict[str, str]) -> dict[str, str]:
        """What the cells that came with the template say of another indicator."""
        errors, unit = {}, cells.get("unit", "")
        if (measure := cells.get("measure", "")) and not _is_named(indicator.measure, measure):
            errors["measure"] = _("This indicator belongs to the measure %(measure)s.") % {
                "measure": measure_text(indicator.measure)
            }
        if unit and normalised(unit) != normalised(indicator.unit.name):
            errors["unit"] = _("Wrong unit: the indicator is counted in %(unit)s.") % {
                "unit": indicator.unit.name
            }
        return errors


def measure_text(measure: Measure) -> str:
    """How a template writes a measure: 1.2.2 and its name; needs the theme and its section."""
    return f"{measure.number} {measure}"


def _is_named(measure: Measure, text: str) -> bool:
    """Whether ``text`` means the measure: its code, number, name, or number and name."""
    names = [measure.name, measure.name_en]
    known = [measure.code, measure.number, *names, *(f"{measure.number} {n}" for n in names)]
    return normalised(text) in map(normalised, known)


def _beginning(indicator: Indicator, start: date | None, end: date) -> date | None:
    """The first day of the period; what stands at one day begins on it.

    Raises ValueError if the period needs one, or ends before it begins.
    """
    if start is None:
        if indicator.kind == Kind.FLOW:
            raise ValueError(_("Expected the first day of the period over which this was counted."))
        return end if indicator.kind in STATES | {Kind.SHARE} else None
    if start > end:
        raise ValueError(_("The period ends before it begins."))
    return start


def _key(figure: Observation) -> Key:
    return figure.indicator_id, figure.period_start, figure.period_end, figure.locator


def _moved_text(figure: Observation) -> str:
    return _("The figure of this place and period was corrected: it stands at %(place)s now.") % {
        "place": f"{figure.locator}, {period_text(figure.period_start, figure.period_end)}"
    }


def import_report(content: bytes, *, report: Report, by, name="", submit=False, **how) -> Outcome:
    """Takes a report's figures: all rows as drafts or submitted, or none and the ``problems``.

    ``how`` is what else ``import_figures`` takes. Raises PermissionDenied if ``by`` takes no
    figure of any report over.
    """
    if not access.takes_over_reports(by):
        raise PermissionDenied
    try:
        table, rows = template_rows(content, COLUMNS, WANTED, other_sheets=other_sheets())
    except FileError as error:
        return Outcome(error.problems)
    filled = [row for row in rows if any(row.cells[name] for name in row.cells.keys() - GIVEN)]
    state = State.SUBMITTED if submit else State.DRAFT
    outcome = import_figures(
        filled,
        ReportReader(report, by).change,
        by=by,
        subject=report,
        note=f"{state}: {Observation._meta.label_lower}: {name}",
        submit=submit,
        table=table,
        **how,
    )
    outcome.blank = len(rows) - len(filled)
    return outcome


def other_sheets() -> list[str]:
    """The titles, in every language, of the sheets that a template has beside that of its rows."""
    titles = []
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            titles += [_("List of indicators"), _("How to fill in")]
    return titles
