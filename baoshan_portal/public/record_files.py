"""Open-data files of what is not a figure: checks, notes and definitions."""

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from measures.models import Measure, ProgressNote
from measures.models.tree import PLACE_IN_OPINION
from measures.spreadsheets import READ_TOGETHER
from metrics.assessment import OPINION_OF_TERM, CheckState, assess_checks
from metrics.models import Check, Indicator
from metrics.rules.checks import Result
from metrics.rules.choices import Missing

from .data_file import OPINION, Field, File, csv_answer, moment_text, number, prose

CHECKS = File(
    "checks.csv",
    _("Every public relation between figures with its result."),
    (
        Field("code", "string", _("permanent code")),
        Field("name", "string", _("name in Chinese")),
        Field("name_en", "string", _("name in English")),
        Field("kind", "string", _("the relation")),
        Field("comparable", "boolean", _("false: the figures count different things")),
        Field("figures", "string", _("role=code of the indicator, one after the other")),
        Field("result", "string", _("holds, approximate, fails or unknown")),
        Field("computed", "number", _("what the other figures give, in the base unit")),
        Field("stated", "number", _("what the source states, in the base unit")),
        Field("tolerance", "number", _("what rounding allows, in the base unit")),
        Field("reason", "string", _("why there is no result, as a code of the data package")),
        Field("note", "string", _("note in Chinese")),
        Field("note_en", "string", _("note in English")),
        Field("url", "string", _("where the page of checks shows it")),
        Field("opinion", "string", _("permanent codes of the opinions that its figures are of")),
    ),
    ("code",),
)
NOTES = File(
    "notes.csv",
    _("Every public progress note."),
    (
        Field("code", "string", _("permanent code of this version")),
        Field("measure_code", "string", _("permanent code of the measure")),
        Field("theme", "string", _("number of the theme, such as 1.2")),
        Field("happened_on", "date", _("the day that it tells of")),
        Field("text", "string", _("text in Chinese, on one line")),
        Field("text_en", "string", _("text in English, on one line")),
        Field("evidence_url", "string", _("link to the evidence")),
        Field("revision", "integer", _("1, or higher for a correction")),
        Field("published_at", "datetime", _("moment of publication")),
        OPINION,
    ),
    ("code",),
)
DEFINITIONS = File(
    "definitions.csv",
    _("What every public indicator counts."),
    (
        Field("code", "string", _("permanent code of the indicator")),
        Field("name", "string", _("name in Chinese")),
        Field("name_en", "string", _("name in English")),
        Field("scope", "string", _("what it counts, in Chinese")),
        Field("scope_en", "string", _("what it counts, in English")),
        Field("caution", "string", _("what it must not be added to, in Chinese")),
        Field("caution_en", "string", _("what it must not be added to, in English")),
        Field("category", "string", _("subject")),
        Field("kind", "string", _("stock, flow, cumulative, share, growth, rank or capacity")),
        Field("unit", "string", _("unit as printed")),
        Field("direction", "string", _("up, down or neutral: which way is better")),
        Field("level", "string", _("national, municipal or district; empty: not stated")),
        Field("basis", "string", _("code of the indicator that it is a share, growth or rank of")),
        Field("frequency", "string", _("how often a new value is expected")),
        Field("measure_code", "string", _("permanent code of the measure")),
        # One line an indicator while definitions have no versions; with them, one line a version.
        Field("public_from", "date", _("first day on which this wording was public")),
        Field("public_to", "date", _("last day; empty: still public")),
        OPINION,
    ),
    ("code", "public_from"),
)


def checks(request):
    as_of = request.as_of
    states = assess_checks(Check.objects.published(as_of), as_of, OPINION_OF_TERM)
    states.sort(key=lambda state: state.opinions[0].pk if state.opinions else 0)
    page = request.build_absolute_uri(reverse("checks"))
    return csv_answer(CHECKS, (_check(state, page) for state in states), as_of)


def _check(state: CheckState, page: str) -> tuple:
    check, outcome = state.check, state.outcome
    reason = None
    if outcome.result == Result.UNKNOWN:
        reason = Missing.NOT_YET_REPORTED if check.comparable else Missing.NOT_APPLICABLE
    return (
        check.code,
        check.name,
        check.name_en,
        check.kind,
        check.comparable,
        " ".join(f"{term.role}={term.indicator.code}" for term, _value in state.terms),
        outcome.result.value,
        number(outcome.computed),
        number(outcome.stated),
        number(outcome.tolerance),
        reason and reason.value,
        prose(check.note),
        prose(check.note_en),
        f"{page}#{check.code}",
        " ".join(opinion.code for opinion in state.opinions),
    )


def notes(request):
    as_of = request.as_of
    rows = (
        ProgressNote.objects.published(as_of)
        .filter(measure__in=Measure.objects.published(as_of))
        .select_related("measure__theme__section__opinion")
        .order_by(*(f"measure__{column}" for column in PLACE_IN_OPINION), "happened_on", "pk")
    )
    lines = (
        (
            row.code,
            row.measure.code,
            row.measure.theme.number,
            row.happened_on,
            prose(row.text),
            prose(row.text_en),
            row.evidence_url,
            row.revision,
            moment_text(row.published_at),
            row.measure.theme.section.opinion.code,
        )
        for row in rows.iterator(chunk_size=READ_TOGETHER)
    )
    return csv_answer(NOTES, lines, as_of)


def definitions(request):
    as_of = request.as_of
    rows = Indicator.objects.published(as_of).with_place()
    public = set(Indicator.objects.published(as_of).values_list("pk", flat=True))
    lines = (
        (
            row.code,
            row.name,
            row.name_en,
            prose(row.scope),
            prose(row.scope_en),
            prose(row.caution),
            prose(row.caution_en),
            row.category,
            row.kind,
            row.unit.name,
            row.direction,
            row.level,
            row.basis.code if row.basis_id in public else None,
            row.frequency,
            row.measure.code,
            max(row.published_on, row.measure.published_on),
            None,
            row.measure.theme.section.opinion.code,
        )
        for row in rows.iterator(chunk_size=READ_TOGETHER)
    )
    return csv_answer(DEFINITIONS, lines, as_of)
