"""A briefing pack as tables, for Excel and CSV."""

import csv
from decimal import Decimal
from io import StringIO

from django.utils.translation import gettext as _

from measures.models import Measure
from measures.numerals import plain
from measures.watermark import with_watermark
from metrics.models import NEWEST_FIRST, Observation
from metrics.wording import as_written_text, figure_text

from .. import check_marks
from ..lists.page import safe_cell
from .pack import Pack, told_period


def _number(value: Decimal | None) -> Decimal | None:
    # As a number, but 51.79 rather than 51.7900.
    return None if value is None else Decimal(plain(value))


def _place(measure: Measure) -> list:
    return [measure.number, str(measure.theme.section), str(measure.theme), str(measure)]


def _place_columns() -> list[str]:
    return [_("No."), _("Section"), _("Theme"), _("Measure")]


def _value_columns() -> list[str]:
    return [
        _("Latest value"),
        _("Value"),
        _("Unit"),
        _("Qualifier"),
        _("As written"),
        _("Period"),
        _("Period from"),
        _("Period to"),
        _("Period inferred"),
        _("Certainty"),
        _("Source"),
    ]


def _value(value: Observation | None, unit) -> list:
    """The cells of ``_value_columns``; all but the unit are empty without a value."""
    if value is None:
        return [None, None, unit.in_language("name"), *[None] * 8]
    return [
        figure_text(value.value, unit, value.qualifier),
        _number(value.value),
        unit.in_language("name"),
        value.get_qualifier_display(),
        as_written_text(value),
        told_period(value),
        value.period_start,
        value.period_end,
        value.period_inferred,
        value.get_certainty_display(),
        value.source_text,
    ]


def indicator_rows(pack: Pack) -> list[list]:
    """A header, and a row for every indicator with its newest value."""
    rows = [
        [
            *_place_columns(),
            _("Code"),
            _("Indicator"),
            *_value_columns(),
            _("Category"),
            _("Kind"),
            _("Target and conclusion"),
            _("Checks with other figures"),
        ]
    ]
    for line in pack.lines:
        row = line.indicator
        rows.append(
            [
                *_place(row.measure),
                row.code,
                str(row),
                *_value(line.latest, row.unit),
                row.get_category_display(),
                line.kind,
                line.verdict,
                check_marks.words(line.checks),
            ]
        )
    return rows


def sheets(pack: Pack) -> dict[str, list[list]]:
    """The sheets of the workbook by their titles, each a header and its rows."""
    measures = [
        [*_place_columns(), _("Code"), _("Lead department"), _("Summary"), _("First told in")]
    ]
    notes = [[_("No."), _("Measure"), _("Date"), _("Text"), _("Evidence")]]
    for work in pack.works:
        row = work.measure
        told_in = f"{row.report.number} {row.locator}" if row.report else None
        measures.append([*_place(row), row.code, work.lead, row.in_language("summary"), told_in])
        for note in work.notes:
            text = note.in_language("text")
            notes.append([row.number, str(row), note.happened_on, text, note.evidence_url])

    indicators = {line.indicator.pk: line.indicator for line in pack.lines}
    by_indicator: dict[int, list[Observation]] = {}
    for value in (
        Observation.objects.published(pack.as_of)
        .filter(indicator__in=indicators)
        .select_related("report")
        .order_by(*NEWEST_FIRST)
    ):
        by_indicator.setdefault(value.indicator_id, []).append(value)
    values = [[_("No."), _("Code"), _("Indicator"), *_value_columns()[1:]]]
    targets = [
        [
            _("No."),
            _("Code"),
            _("Indicator"),
            _("Plan"),
            _("Comparison"),
            _("Target value"),
            _("Unit"),
            _("Due on"),
            _("Baseline"),
            _("What the report says"),
            _("What can be concluded"),
            _("Source"),
        ]
    ]
    for line in pack.lines:
        row = line.indicator
        head = [row.measure.number, row.code, str(row)]
        for value in by_indicator.get(row.pk, []):
            values.append([*head, *_value(value, row.unit)[1:]])
        for state in line.assessments:
            if target := state.target:
                targets.append(
                    [
                        *head,
                        str(target.plan),
                        target.get_comparator_display(),
                        _number(target.value),
                        row.unit.in_language("name"),
                        target.due_on,
                        _number(target.baseline),
                        target.get_claim_display(),
                        state.verdict.label,
                        target.source_text,
                    ]
                )
    about = [[pack.title, ""], *pack.about, *((_("Source"), source) for source in pack.sources)]
    return {
        _("Measures"): measures,
        _("Indicators"): indicator_rows(pack),
        _("Values"): values,
        _("Targets"): targets,
        _("Progress notes"): notes,
        _("About"): about if pack.works else [*about, (_("Result"), pack.empty_text)],
    }


def csv_text(pack: Pack) -> str:
    """The indicators; what the file is stands below them, so that its first line is the header."""
    text = StringIO()
    writer = csv.writer(text)
    about = [(pack.title,), *pack.about, *((_("Source"), source) for source in pack.sources)]
    if not pack.lines:
        about.append((pack.empty_text,))
    for row in with_watermark([*indicator_rows(pack), [], *about]):
        writer.writerow([safe_cell(cell) for cell in row])
    return "\ufeff" + text.getvalue()
