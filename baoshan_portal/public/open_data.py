"""The open-data contract: CSV files for machines, always the full set of a day, and their
description; what the files have in common is in ``data_file``, versions are in ``vintages``.
"""

from collections.abc import Iterator
from functools import partial, wraps

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.http import JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from measures import watermark
from measures.chain import newest_checkpoint
from measures.models import Department, Evaluation, Measure, MeasureState, Opinion, Report
from measures.numerals import plain, rounded
from measures.thresholds import Thresholds
from metrics.assessment import Assessment, assess
from metrics.history import earlier_targets
from metrics.models import Indicator, Target, Unit
from metrics.redefinition import redefinitions
from metrics.rules.choices import Missing
from metrics.rules.progress import Answer

from .data_file import NATURE, OPINION, Field, File, csv_answer, moment_text, number, prose
from .in_parts import LOADED, by_measures, parts_of_measures
from .lists.pages import measures_with_counts
from .no_figures import NO_FIGURES
from .record_files import CHECKS, DEFINITIONS, NOTES
from .values_file import value_lines
from .vintages import OF_OBSERVATIONS, VINTAGES

#: Beside a figure: what it counts, how final it is, and why its cell is empty.
EXPLANATION = (
    Field("scope", "string", _("what it counts, in Chinese")),
    Field("caution", "string", _("what it must not be added to, in Chinese")),
    Field(
        "status",
        "string",
        _("actual, preliminary or expected: how final the newest value is; empty: none"),
    ),
    Field("reason", "string", _("why the value is empty, as a code of the data package")),
)
OBSERVATIONS = File(
    "observations.csv",
    _("Every public value, one per line."),
    (*OF_OBSERVATIONS, OPINION),
    ("indicator_code", "period_start", "period_end", "source", "locator"),
)
INDICATORS = File(
    "indicators.csv",
    _("Every public indicator with its newest value, its target and what can be concluded."),
    (
        Field("code", "string", _("permanent code")),
        Field("name", "string", _("name in Chinese")),
        Field("name_en", "string", _("name in English")),
        Field("theme", "string", _("number of the theme, such as 1.2")),
        Field("measure_code", "string", _("permanent code of the measure")),
        Field("category", "string", _("subject")),
        Field("kind", "string", _("stock, flow, cumulative, share, growth, rank or capacity")),
        Field("unit", "string", _("unit as printed")),
        Field("direction", "string", _("up, down or neutral: which way is better")),
        Field("basis", "string", _("code of the indicator that it is a share, growth or rank of")),
        Field("department", "string", _("code of the lead department, proposed or confirmed")),
        Field("latest_value", "number", _("newest value, in the unit; empty: none")),
        Field("latest_qualifier", "string", _("exact, about, nearly or over")),
        Field("latest_period_end", "date", _("last day of the newest value's period")),
        Field("target_value", "number", _("target; empty: none, or not published")),
        Field("target_due", "date", _("when the target falls due; empty: not published")),
        Field("target_claim", "string", _("what the source says about reaching the target")),
        Field(
            "completion",
            "number",
            _("value ÷ target in percent, to two decimals; empty: cannot be said"),
        ),
        Field("verdict", "string", _("what can be concluded")),
        Field("url", "string", _("page of the indicator")),
        *EXPLANATION,
        Field("target_reason", "string", _("why the target is empty, as a code")),
        Field("completion_reason", "string", _("why the completion is empty, as a code")),
        Field(
            "progress",
            "number",
            _("way from the baseline to the target in percent; empty: cannot be said"),
        ),
        Field("level", "string", _("national, municipal or district; empty: not stated")),
        Field("nature", "string", NATURE),
        Field("recipients", "string", _("code of the indicator that counts who received it")),
        OPINION,
    ),
    ("code",),
)
MEASURES = File(
    "measures.csv",
    _("Every public measure."),
    (
        Field("code", "string", _("permanent code")),
        Field("number", "string", _("number in the current order, such as 1.2.2")),
        Field("name", "string", _("name in Chinese")),
        Field("name_en", "string", _("name in English")),
        Field("section", "string", _("number of the section")),
        Field("theme", "string", _("number of the theme, such as 1.2")),
        Field("lead", "string", _("code of the lead department; empty: not known")),
        Field("lead_confirmed", "boolean", _("false: the lead is the portal's proposal")),
        Field("indicators", "integer", _("how many public indicators it has")),
        Field("latest_note_on", "date", _("date of the newest public progress note")),
        Field("url", "string", _("page of the measure")),
        Field("state", "string", _("state of the measure; empty: not known")),
        Field("state_on", "date", _("since when it is in this state")),
        Field(
            "state_source",
            "string",
            _("department: confirmed; else document number and theme/sentence that say so"),
        ),
        OPINION,
    ),
    ("code",),
)
TARGETS = File(
    "targets.csv",
    _("Every public target; an empty value was not published."),
    (
        Field("indicator_code", "string", _("permanent code of the indicator")),
        Field("plan", "string", _("code of the plan")),
        Field("comparator", "string", _("at-least, at-most or exactly")),
        Field("value", "number", _("target in the indicator's unit; empty: not published")),
        Field("due_on", "date", _("when it falls due; empty: not published")),
        Field("baseline", "number", _("value when the plan began; empty: not known")),
        Field("claim", "string", _("what the source says about reaching it")),
        Field("verdict", "string", _("what can be concluded")),
        Field("source", "string", _("document number or name of the source")),
        *EXPLANATION,
        Field("due_reason", "string", _("why the due date is empty, as a code")),
        Field("baseline_reason", "string", _("why the baseline is empty, as a code")),
        Field("first_value", "number", _("target when it was first public")),
        Field("first_due_on", "date", _("due date when it was first public, or the plan's end")),
        Field("slip_days", "integer", _("by how many days the due date was put off")),
        Field("redefined", "boolean", _("true: the verdict changed because of a redefinition")),
        OPINION,
    ),
    ("indicator_code", "plan", "due_on"),
)
EVALUATIONS = File(
    "evaluations.csv",
    _("Every public evaluation by the congress: its own word, neither computed nor claimed."),
    (
        Field("code", "string", _("permanent code")),
        Field("report", "string", _("number of the report evaluated; empty: no whole report")),
        Field("section", "string", _("number of the section evaluated, or of the theme's section")),
        Field("theme", "string", _("number of the theme evaluated, such as 1.2")),
        Field("body", "string", _("who evaluated, in Chinese")),
        Field("body_en", "string", _("who evaluated, in English")),
        Field("held_on", "date", _("day of the evaluation")),
        Field(
            "result",
            "string",
            _("satisfied, fairly-satisfied or not-satisfied; empty: not published"),
        ),
        Field("satisfied", "integer", _("votes “satisfied”; empty: not published")),
        Field("fairly_satisfied", "integer", _("votes “fairly satisfied”; empty: not published")),
        Field("not_satisfied", "integer", _("votes “not satisfied”; empty: not published")),
        Field("abstained", "integer", _("abstentions; empty: not published")),
        Field("decision", "string", _("none, closed or followed-up")),
        Field("document", "string", _("number or name of the document")),
        Field("document_url", "string", _("link to the document")),
        Field("note", "string", _("note in Chinese")),
        Field("note_en", "string", _("note in English")),
        Field("revision", "integer", _("1, or higher for a correction")),
        Field("published_at", "datetime", _("moment of publication")),
        Field("url", "string", _("where the evaluation stands")),
        OPINION,
    ),
    ("code",),
)
FILES = (
    OBSERVATIONS,
    INDICATORS,
    MEASURES,
    TARGETS,
    CHECKS,
    NOTES,
    EVALUATIONS,
    DEFINITIONS,
    VINTAGES,
    NO_FIGURES,
)


def for_everybody(view):
    """Lets programs on other sites read what ``view`` answers, from within a browser."""

    @wraps(view)
    def answer(request, *args, **kwargs):
        response = view(request, *args, **kwargs)
        response["Access-Control-Allow-Origin"] = "*"
        return response

    return answer


def observations(request):
    return csv_answer(OBSERVATIONS, partial(value_lines, request.as_of), request.as_of)


def indicators(request):
    as_of = request.as_of
    on = as_of or timezone.localdate()
    public = Indicator.objects.published(as_of)
    rows = public.with_place().with_latest(as_of).select_related("recipients")
    rows = rows.annotate(
        basis_is_public=Exists(public.filter(pk=OuterRef("basis"))),
        recipients_are_public=Exists(public.filter(pk=OuterRef("recipients"))),
    )
    measures = Measure.objects.published(as_of)
    return csv_answer(
        INDICATORS,
        lambda: (_indicator(request, row, on) for row in by_measures(rows, measures)),
        as_of,
    )


def _indicator(request, row: Indicator, on) -> tuple:
    state = assess(row, row.current_target, on)
    latest, target = state.latest, state.target
    lead = row.measure.lead
    return (
        row.code,
        row.name,
        row.name_en,
        row.measure.theme.number,
        row.measure.code,
        row.category,
        row.kind,
        row.unit.name,
        row.direction,
        row.basis.code if row.basis_is_public else None,
        lead.code if lead else None,
        number(latest and latest.value),
        latest and latest.qualifier,
        latest and latest.period_end,
        number(target and target.value),
        target and target.due_on,
        target and target.claim,
        _percent(state.completion),
        state.verdict.value,
        request.build_absolute_uri(row.get_absolute_url()),
        prose(row.scope),
        prose(row.caution),
        latest and latest.certainty,
        None if latest else Missing.NOT_YET_REPORTED.value,
        _unpublished(target and target.value),
        _why_no_completion(state),
        _percent(state.progress),
        row.level,
        row.nature,
        row.recipients.code if row.recipients_are_public else None,
        row.measure.theme.section.opinion.code,
    )


def _unpublished(value) -> str | None:
    return Missing.NOT_PUBLISHED.value if value is None else None


def _why_no_completion(state: Assessment) -> str | None:
    if state.completion.value is not None:
        return None
    if state.target is None or state.target.value is None:
        return Missing.NOT_PUBLISHED.value
    return (Missing.NOT_APPLICABLE if state.latest else Missing.NOT_YET_REPORTED).value


def measures(request):
    as_of = request.as_of
    rows = measures_with_counts(as_of)
    public = Measure.objects.published(as_of)
    return csv_answer(
        MEASURES,
        lambda: (_measure(request, row) for row in by_measures(rows, public, "pk")),
        as_of,
    )


def _measure(request, row: Measure) -> tuple:
    return (
        row.code,
        row.number,
        row.name,
        row.name_en,
        row.theme.section.order,
        row.theme.number,
        row.lead.code if row.lead else None,
        row.lead_confirmed,
        row.indicator_count,
        row.latest_note_on,
        request.build_absolute_uri(row.get_absolute_url()),
        *_state(row.current_state),
        row.theme.section.opinion.code,
    )


def _state(state: MeasureState | None) -> tuple:
    if state is None:
        return None, None, None
    return state.status, state.since, state.source_text or "department"


def targets(request):
    return csv_answer(TARGETS, partial(_targets, request.as_of), request.as_of)


def _targets(as_of) -> Iterator[tuple]:
    on = as_of or timezone.localdate()
    for measures in parts_of_measures(Measure.objects.published(as_of)):
        found = Target.objects.for_list(as_of).filter(indicator__measure__in=measures)
        # Some at a time: SQLite takes no thousand of keys in what is loaded with them.
        rows = list(found.iterator(chunk_size=LOADED))
        terms = redefinitions(rows, earlier_targets(rows, as_of), as_of)
        for row in rows:
            yield (
                row.indicator.code,
                row.plan.code,
                row.comparator,
                number(row.value),
                row.due_on,
                number(row.baseline),
                row.claim,
                assess(row.indicator, row, on).verdict.value,
                row.document,
                prose(row.indicator.scope),
                prose(row.indicator.caution),
                row.indicator.latest and row.indicator.latest.certainty,
                _unpublished(row.value),
                _unpublished(row.due_on),
                _unpublished(row.baseline),
                number(terms[row.pk].first.value),
                terms[row.pk].first_due,
                terms[row.pk].slip,
                terms[row.pk].is_redefined,
                row.indicator.measure.theme.section.opinion.code,
            )


def evaluations(request):
    rows = Evaluation.objects.published(request.as_of).with_subject().order_by("held_on", "pk")
    # Few, and each finds its opinion in another way.
    rows = sorted(rows, key=lambda row: row.opinion.pk)
    return csv_answer(
        EVALUATIONS,
        (
            (
                row.code,
                row.report.number if row.report else None,
                getattr(row.section or (row.theme and row.theme.section), "order", None),
                row.theme.number if row.theme else None,
                row.body,
                row.body_en,
                row.held_on,
                row.grade,
                *(n for _name, n in row.votes),
                row.decision,
                row.document,
                row.document_url,
                prose(row.note),
                prose(row.note_en),
                row.revision,
                moment_text(row.published_at),
                request.build_absolute_uri(row.get_absolute_url()),
                row.opinion.code,
            )
            for row in rows
        ),
        request.as_of,
    )


def _named(rows, *fields: str) -> list[dict]:
    return list(rows.order_by("code").values("code", "name", "name_en", *fields))


def _licences() -> list[dict]:
    if not settings.DATA_LICENCE:
        return []
    licence = {"title": settings.DATA_LICENCE, "path": settings.DATA_LICENCE_URL}
    return [{key: text for key, text in licence.items() if text}]


def _reports(as_of) -> str:
    return "、".join(
        Report.objects.published(as_of).order_by("issued_on", "pk").values_list("number", flat=True)
    )


def datapackage(request):
    """The description of the files, as Frictionless Data Package."""
    thresholds, as_of = Thresholds.read(), request.as_of
    checkpoint = newest_checkpoint(as_of)
    return JsonResponse(
        {
            "name": watermark.file_name("baoshan-portal"),
            "title": watermark.watermarked(
                f"Baoshan portal: figures of {_reports(as_of)} and what became of them"
            ),
            "homepage": request.build_absolute_uri(reverse("overview")),
            "licenses": _licences(),
            "contributors": [{"title": settings.CONTACT, "role": "contact"}]
            if settings.CONTACT
            else [],
            "sources": [
                {"title": f"{report.number} {report.name}"}
                for report in Report.objects.published(as_of)
            ],
            "opinions": _named(Opinion.objects.published(as_of), "number"),
            "reasons": {code: str(label) for code, label in Missing.choices},
            "thresholds": {
                "pace_tolerance_points": thresholds.tolerance_points,
                "reporting_grace_days": thresholds.grace_days,
                "stage_term_days": dict(thresholds.terms),
            },
            "checkpoint": checkpoint and str(checkpoint),
            "departments": _named(Department.objects.published(as_of)),
            "units": [
                {**unit, "factor": plain(unit["factor"])}
                for unit in _named(
                    Unit.objects.published(as_of), "quantity", "base__code", "factor"
                )
            ],
            "resources": [
                {
                    "name": file.name.removesuffix(".csv"),
                    "path": request.build_absolute_uri(reverse(file.name)),
                    "profile": "tabular-data-resource",
                    "format": "csv",
                    "mediatype": "text/csv",
                    "encoding": "utf-8",
                    "description": str(file.description),
                    "schema": {
                        "fields": [
                            {
                                "name": field.name,
                                "type": field.type,
                                "description": str(field.description),
                            }
                            for field in file.fields
                        ],
                        "primaryKey": list(file.primary_key),
                    },
                }
                for file in FILES
            ],
        },
        json_dumps_params={"ensure_ascii": False, "indent": 2},
    )


def _percent(answer: Answer) -> str | None:
    """A percentage to two decimals; None where it cannot be said."""
    return None if answer.value is None else plain(rounded(answer.value))
