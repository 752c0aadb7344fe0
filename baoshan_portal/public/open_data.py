"""The open-data contract: four CSV files for machines and their description.

UTF-8, stable English headers, ISO dates, always the full set that was public on the day asked
for. Columns may be added at the end; none is ever renamed, moved or dropped.
"""

from dataclasses import dataclass

from django.http import JsonResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from measures import watermark
from measures.models import MeasureState
from measures.numerals import plain
from measures.spreadsheets import READ_TOGETHER, machine_lines, streamed
from metrics.assessment import assess
from metrics.models import Indicator, Observation, Target
from metrics.rules.progress import Answer

from .lists.pages import measures_with_counts


@dataclass(frozen=True)
class Field:
    """A column: its header, its Table Schema type and what it means."""

    name: str
    type: str
    description: Promise


@dataclass(frozen=True)
class File:
    """A file: its name, what it holds, the columns of the contract and the key of its rows."""

    name: str
    description: Promise
    contract: tuple[Field, ...]
    primary_key: tuple[str, ...]

    @property
    def fields(self) -> tuple[Field, ...]:
        """The columns; a demonstration has one more at the end, as the contract allows."""
        return (*self.contract, WATERMARK) if watermark.watermark() else self.contract

    @property
    def header(self) -> list[str]:
        return [field.name for field in self.fields]


WATERMARK = Field("watermark", "string", _("says that this is a demonstration"))
OBSERVATIONS = File(
    "observations.csv",
    _("Every public value, one per line."),
    (
        Field("indicator_code", "string", _("permanent code of the indicator")),
        Field("indicator", "string", _("name of the indicator, in Chinese")),
        Field("theme", "string", _("number of the theme, such as 1.2")),
        Field("measure_code", "string", _("permanent code of the measure")),
        Field("value", "number", _("value as reported, in the unit")),
        Field("unit", "string", _("unit as printed")),
        Field("base_value", "number", _("value in the base unit of the quantity")),
        Field("base_unit", "string", _("base unit of the quantity")),
        Field("qualifier", "string", _("exact, about, nearly or over")),
        Field("as_written", "string", _("the figure as the source prints it")),
        Field("period_start", "date", _("first day; empty: beginning not stated")),
        Field("period_end", "date", _("last day")),
        Field("period_inferred", "boolean", _("true: the source does not state the period")),
        Field("certainty", "string", _("actual, preliminary or expected")),
        Field("source", "string", _("document number or name of the source")),
        Field("locator", "string", _("theme/sentence in the document")),
        Field("revision", "integer", _("1, or higher for a correction")),
        Field("published_at", "datetime", _("moment of publication")),
    ),
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
            _("percent of the target, to two decimals; empty: cannot be said"),
        ),
        Field("verdict", "string", _("what can be concluded")),
        Field("url", "string", _("page of the indicator")),
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
    ),
    ("indicator_code", "plan", "due_on"),
)
FILES = (OBSERVATIONS, INDICATORS, MEASURES, TARGETS)


def observations(request):
    as_of = request.as_of
    rows = (
        Observation.objects.published(as_of)
        .filter(indicator__in=Indicator.objects.published(as_of))
        .select_related("indicator__unit__base", "indicator__measure__theme__section", "report")
        .order_by(
            "indicator__measure__theme__section__order",
            "indicator__measure__theme__order",
            "indicator__measure__order",
            "indicator__order",
            "period_end",
            "locator",
            "pk",
        )
    )
    return _csv(
        OBSERVATIONS,
        (
            (
                row.indicator.code,
                row.indicator.name,
                row.indicator.measure.theme.number,
                row.indicator.measure.code,
                plain(row.value),
                row.indicator.unit.name,
                plain(row.base_value),
                row.indicator.unit.base_unit.name,
                row.qualifier,
                row.as_written,
                row.period_start,
                row.period_end,
                row.period_inferred,
                row.certainty,
                row.report.number if row.report else row.source_name,
                row.locator,
                row.revision,
                timezone.localtime(row.published_at).isoformat(),
            )
            for row in rows.iterator(chunk_size=READ_TOGETHER)
        ),
    )


def indicators(request):
    as_of = request.as_of
    on = as_of or timezone.localdate()
    rows = Indicator.objects.published(as_of).with_place().with_latest(as_of)
    public = set(Indicator.objects.published(as_of).values_list("pk", flat=True))
    lines = (
        _indicator(request, row, on, public) for row in rows.iterator(chunk_size=READ_TOGETHER)
    )
    return _csv(INDICATORS, lines)


def _indicator(request, row: Indicator, on, public: set[int]) -> tuple:
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
        row.basis.code if row.basis_id in public else None,
        lead.code if lead else None,
        _number(latest and latest.value),
        latest and latest.qualifier,
        latest and latest.period_end,
        _number(target and target.value),
        target and target.due_on,
        target and target.claim,
        _percent(state.completion),
        state.verdict.value,
        request.build_absolute_uri(row.get_absolute_url()),
    )


def measures(request):
    as_of = request.as_of
    rows = measures_with_counts(as_of)
    return _csv(
        MEASURES,
        (
            (
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
            )
            for row in rows.iterator(chunk_size=READ_TOGETHER)
        ),
    )


def _state(state: MeasureState | None) -> tuple:
    if state is None:
        return None, None, None
    return state.status, state.since, state.source_text or "department"


def targets(request):
    as_of = request.as_of
    on = as_of or timezone.localdate()
    rows = Target.objects.for_list(as_of)
    return _csv(
        TARGETS,
        (
            (
                row.indicator.code,
                row.plan.code,
                row.comparator,
                _number(row.value),
                row.due_on,
                _number(row.baseline),
                row.claim,
                assess(row.indicator, row, on).verdict.value,
                row.report.number if row.report else row.source_name,
            )
            for row in rows.iterator(chunk_size=READ_TOGETHER)
        ),
    )


def datapackage(request):
    """The description of the files, as Frictionless Data Package."""
    return JsonResponse(
        {
            "name": watermark.file_name("baoshan-portal"),
            "title": watermark.watermarked(
                "Baoshan portal: figures of 宝府〔2023〕70号 and what became of them"
            ),
            "homepage": request.build_absolute_uri(reverse("overview")),
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


def _number(value) -> str | None:
    """A decimal as plain digits; None, which becomes an empty cell, stays None."""
    return None if value is None else plain(value)


def _percent(answer: Answer) -> str | None:
    """A percentage to two decimals; None where it cannot be said."""
    return None if answer.value is None else plain(round(answer.value, 2))


def _csv(file: File, rows) -> StreamingHttpResponse:
    more = [watermark.watermark()] if watermark.watermark() else []
    lines = machine_lines(file.header, ([*row, *more] for row in rows))
    return streamed(lines, watermark.file_name(file.name), disposition="inline")
