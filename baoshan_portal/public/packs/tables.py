"""A briefing pack as tables, for Excel and CSV."""

from collections.abc import Iterator
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from measures.accessible_workbook import Cover
from measures.models import Measure
from measures.numerals import plain
from measures.spreadsheets import Column, Kind, Sheet, csv_lines
from metrics.models import NEWEST_FIRST, Observation
from metrics.rules.choices import Missing
from metrics.wording import as_written_text, baseline_text, observed_text, percent_text

from .. import check_marks
from ..prose import lead_text
from ..taken_away import code_of, dates_of, of_the_office, workbook_of
from .pack import Pack, period_of


def _number(value: Decimal | None) -> Decimal | None:
    # As a number, but 51.79 rather than 51.7900.
    return None if value is None else Decimal(plain(value))


def _numbered(pack: Pack, measure: Measure) -> list:
    """The number, behind its opinion where rows of several stand together."""
    opinion = [measure.theme.section.opinion.number] if pack.has_several else []
    return [*opinion, measure.number]


def _number_columns(pack: Pack) -> list[Column]:
    opinion = [Column(_("Opinion"), 24)] if pack.has_several else []
    return [*opinion, Column(_("No."), 8)]


def _place(pack: Pack, measure: Measure) -> list:
    theme = measure.theme
    return [*_numbered(pack, measure), str(theme.section), str(theme), str(measure)]


def _place_columns(pack: Pack) -> list[Column]:
    return [
        *_number_columns(pack),
        Column(_("Section"), 24),
        Column(_("Theme"), 24),
        Column(_("Measure"), 40),
    ]


def _value_columns() -> list[Column]:
    none = {"missing": code_of(Missing.NOT_YET_REPORTED)}
    return [
        Column(_("Latest value"), **none),
        Column(_("Value"), 12, Kind.NUMBER, **none),
        Column(_("Unit"), 10),
        Column(_("Qualifier"), 10, **none),
        Column(_("As written"), **none),
        Column(_("Period"), 26, **none),
        # A total may begin on a day that no source states.
        Column(_("Period from"), 12, Kind.DATE),
        Column(_("Period to"), 12, Kind.DATE, **none),
        Column(_("Period inferred"), 10, **none),
        Column(_("Certainty"), 12, **none),
        Column(_("Source"), 24, **none),
    ]


def _subject_columns(pack: Pack) -> list[Column]:
    return [*_number_columns(pack), Column(_("Code"), 30), Column(_("Indicator"), 40)]


def _value(value: Observation | None, unit) -> list:
    """The cells of ``_value_columns``; all but the unit are empty without a value."""
    if value is None:
        return [None, None, unit.in_language("name"), *[None] * 8]
    return [
        observed_text(value, unit),
        _number(value.value),
        unit.in_language("name"),
        value.get_qualifier_display(),
        as_written_text(value),
        period_of(value),
        value.period_start,
        value.period_end,
        value.period_inferred,
        value.get_certainty_display(),
        value.source_text,
    ]


def _indicator_columns(pack: Pack) -> list[Column]:
    none = {"missing": code_of(Missing.NOT_APPLICABLE)}
    return [
        *_place_columns(pack),
        Column(_("Code"), 30),
        Column(_("Indicator"), 40),
        *_value_columns(),
        Column(_("Category")),
        Column(_("Kind")),
        Column(_("Target and conclusion"), 40),
        Column(_("Checks with other figures"), 40, **none),
        Column(pgettext("of a figure", "Change"), 24, **none),
        Column(_("year on year"), 24, **none),
    ]


def _indicator_rows(pack: Pack) -> Iterator[list]:
    """Every indicator with its newest value."""
    for line in pack.lines:
        row = line.indicator
        yield [
            *_place(pack, row.measure),
            row.code,
            str(row),
            *_value(line.latest, row.unit),
            row.get_category_display(),
            line.kind,
            line.verdict,
            check_marks.words(line.checks),
            line.change,
            line.year_on_year,
        ]


def _questions(pack: Pack) -> tuple[list[Column], list[list]]:
    columns = [
        Column(_("Kind of question"), 20),
        Column(_("Question"), 80),
        *_number_columns(pack),
        Column(_("Measure"), 40),
        Column(_("Lead department"), 24),
    ]
    rows = [
        [
            row.ask.label,
            row.sentence,
            *_numbered(pack, row.measure),
            str(row.measure),
            lead_text(row.measure),
        ]
        for row in pack.questions
    ]
    return columns, rows


def _about(pack: Pack) -> list[tuple[str, str]]:
    """What the pack is, below its title; a file has its days as 2023-07-25."""
    _day, _newest, *about = pack.about
    newest = pack.newest_period.isoformat() if pack.newest_period else _("no data")
    return [
        (_("Query date"), pack.day.isoformat()),
        (_("Newest period of the data"), newest),
        *about,
    ]


def sheets(pack: Pack) -> list[Sheet]:
    measures, notes = [], []
    for work in pack.works:
        row = work.measure
        told_in = f"{row.report.number} {row.locator}" if row.report else None
        measures.append(
            [*_place(pack, row), row.code, work.lead, row.in_language("summary"), told_in]
        )
        for note in work.notes:
            text = note.in_language("text")
            notes.append(
                [*_numbered(pack, row), str(row), note.happened_on, text, note.evidence_url]
            )

    indicators = {line.indicator.pk: line.indicator for line in pack.lines}
    by_indicator: dict[int, list[Observation]] = {}
    for value in (
        Observation.objects.published(pack.as_of)
        .filter(indicator__in=indicators)
        .select_related("report")
        .order_by(*NEWEST_FIRST)
    ):
        by_indicator.setdefault(value.indicator_id, []).append(value)
    values, targets = [], []
    for line in pack.lines:
        row = line.indicator
        head = [*_numbered(pack, row.measure), row.code, str(row)]
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
                        baseline_text(state.baseline, row.unit),
                        percent_text(state.completion.value),
                        percent_text(state.progress.value),
                    ]
                )
    measure_columns = [
        *_place_columns(pack),
        Column(_("Code"), 30),
        Column(_("Lead department"), 24),
        Column(_("Summary"), 50),
        Column(_("First told in"), 24),
    ]
    target_columns = [
        *_subject_columns(pack),
        Column(_("Plan"), 24),
        Column(_("Comparison"), 12),
        Column(_("Target value"), 12, Kind.NUMBER),
        Column(_("Unit"), 10),
        Column(_("Due on"), 12, Kind.DATE),
        Column(_("Baseline"), 12, Kind.NUMBER),
        Column(_("What the report says"), 24),
        Column(_("What can be concluded"), 24),
        Column(_("Source"), 24),
        Column(_("Measured from"), 30),
        Column(_("Completion"), 12),
        Column(_("Progress since the baseline"), 12),
    ]
    note_columns = [
        *_number_columns(pack),
        Column(_("Measure"), 40),
        Column(_("Date"), 12, Kind.DATE),
        Column(_("Text"), 50),
        Column(_("Evidence"), 30, missing=code_of(Missing.NOT_APPLICABLE)),
    ]
    return [
        Sheet(_("Measures"), measure_columns, measures, _("One row a measure.")),
        Sheet(
            _("Indicators"),
            _indicator_columns(pack),
            _indicator_rows(pack),
            _("One row an indicator, with its newest value."),
        ),
        Sheet(
            _("Values"),
            [*_subject_columns(pack), *_value_columns()[1:]],
            values,
            _("One row a value: all that is public, not the newest only."),
        ),
        Sheet(_("Targets"), target_columns, targets, _("One row a target.")),
        Sheet(_("Progress notes"), note_columns, notes, _("One row a note.")),
        Sheet(_("What to ask"), *_questions(pack), _("One row a question, the gravest first.")),
    ]


def cover(pack: Pack) -> Cover:
    _query_date, *about = _about(pack)
    facts = [
        (_("Source"), "\n".join(pack.sources)),
        *dates_of(pack.day),
        *about,
        *of_the_office(),
    ]
    return Cover(pack.title, pack.findings if pack.works else pack.empty_text, facts)


def xlsx(pack: Pack) -> bytes:
    return workbook_of(cover(pack), sheets(pack))


def csv_text(pack: Pack) -> str:
    """The indicators; what the file is stands below them, so that its first line is the header."""
    sources = ((_("Source"), source) for source in pack.sources)
    asked = ((_("What to ask"), question.sentence) for question in pack.questions)
    about = [(pack.title,), *_about(pack), *sources, *asked]
    if not pack.lines:
        about.append((pack.empty_text,))
    return "".join(csv_lines(_indicator_columns(pack), [*_indicator_rows(pack), [], *about]))
