"""Every published version of every value, target, state, withdrawal and threshold, with its time.

So that verdicts can be had again, what decides on them beside values and targets is told as well:
every version of kind and frequency of an indicator, and of the days of a plan. From this one file
``observations.csv`` and the verdict of any day can be had again: what was public at the end of a
day is what became public before that moment and was not replaced or withdrawn by then.
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby, islice
from operator import attrgetter

from django.utils.translation import gettext_lazy as _

from measures.models import (
    Measure,
    MeasureState,
    Threshold,
    ThresholdCode,
    Version,
    Withdrawal,
)
from measures.models.tree import PLACE_IN_OPINION
from measures.submission import moment_of
from measures.withdrawn import withdrawal_columns
from metrics.models import Indicator, Observation, Plan, Target

from .changes.publications import public_since
from .data_file import OPINION, Field, File, csv_answer, moment_text, number, prose
from .in_parts import LOADED, Slices, by_measures, parts_of_measures

OPINION_OF_MEASURE = "measure__theme__section__opinion"

#: The columns of ``observations.csv``, in its order.
OF_OBSERVATIONS = (
    Field("indicator_code", "string", _("permanent code of the indicator")),
    Field("indicator", "string", _("name of the indicator, in Chinese")),
    Field("theme", "string", _("number of the theme, such as 1.2")),
    Field("measure_code", "string", _("permanent code of the measure")),
    Field("value", "number", _("value or target as reported, in the unit")),
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
)
#: What further columns there are, by kind; the order is that of the file.
FURTHER = (
    Field("code", "string", _("permanent code of this version")),
    Field("sequence", "integer", _("of two that are alike otherwise, the higher one counts")),
    Field(
        "indicator_kind", "string", _("stock, flow, cumulative, share, growth, rank or capacity")
    ),
    Field("frequency", "string", _("how often a new value is expected")),
    Field("plan", "string", _("target: code of the plan")),
    Field("plan_start", "date", _("target: first day of the plan")),
    Field("plan_end", "date", _("target: last day of the plan")),
    Field("comparator", "string", _("target: at-least, at-most or exactly")),
    Field("due_on", "date", _("target: when it falls due; empty: not published")),
    Field("baseline", "number", _("target: value when the plan began; empty: not known")),
    Field("claim", "string", _("target: what the source says about reaching it")),
    Field("state", "string", _("state of the measure")),
    Field("state_on", "date", _("since when the measure is in this state")),
    Field("state_into", "string", _("codes of the measures that carry it on")),
    Field("withdrawn_kind", "string", _("withdrawal: kind of row")),
    Field("withdrawn_code", "string", _("withdrawal: code of the row")),
    Field("reason", "string", _("of a state, a withdrawal or a correction, in Chinese")),
)
VINTAGES = File(
    "vintages.csv",
    _(
        "Every version that was ever public of every value, target, state of a measure and "
        "withdrawal, with the time in which it stood; and of the terms by which values are judged."
    ),
    (
        *OF_OBSERVATIONS,
        Field(
            "kind",
            "string",
            _("observation, target, state, withdrawal, definition, plan or threshold"),
        ),
        Field("public_from", "datetime", _("from when on the public could read it; empty: always")),
        Field("public_to", "datetime", _("when it was replaced or fell; empty: still public")),
        *FURTHER,
        OPINION,
    ),
    ("kind", "code"),
)


def vintages(request):
    as_of = request.as_of
    return csv_answer(VINTAGES, lambda: _lines(moment_of(as_of), as_of), as_of)


def _lines(moment: datetime, as_of) -> Iterator[list]:
    """Values in the order of ``observations.csv``, then the rest."""
    yield from _figures(Observation, ("period_end", "locator", "pk"), moment, as_of)
    yield from _figures(Target, ("due_on", "pk"), moment, as_of)
    measures = Measure.objects.once_published(as_of)
    for model, line in ((MeasureState, _state), (Withdrawal, _withdrawal)):
        rows = model.objects.versions(moment)
        if model is MeasureState:
            fell = withdrawal_columns(Measure, moment, "measure__code")["withdrawn_at"]
            rows = rows.annotate(fell_at=fell).select_related("report")
        rows = rows.select_related(OPINION_OF_MEASURE).order_by(*_place("measure__"), "pk")
        for row in by_measures(rows, measures):
            yield _line(row, row.measure, **line(row))
    yield from _terms(moment, as_of)
    yield from _thresholds(moment)


def _figures(model, order: tuple[str, ...], moment: datetime, as_of) -> Iterator[list]:
    """Every version of the values or targets of each indicator, in its place."""
    line = _observation if model is Observation else _target
    related = ("report",) if model is Observation else ("report", "plan")
    indicators = Indicator.objects.once_published(as_of).with_withdrawal(as_of).with_place()
    slices = Slices(4 * LOADED)
    for measures in parts_of_measures(Measure.objects.once_published(as_of)):
        found = list(indicators.filter(measure__in=measures))
        for some in slices.of(found):
            of_each = {row.pk: [] for row in some}
            rows = model.objects.versions(moment).filter(indicator__in=of_each)
            for row in rows.select_related(*related).order_by(*order):
                of_each[row.indicator_id].append(row)
            slices.came(len(some), sum(map(len, of_each.values())))
            for indicator in some:
                for row in of_each[indicator.pk]:
                    row.indicator, row.fell_at = indicator, indicator.withdrawn_at
                    yield _line(row, indicator.measure, **line(row))


def _terms(moment: datetime, as_of) -> Iterator[list]:
    """Every version of what indicators and plans say that decides on a verdict.

    ``public_from`` is empty where it stood so from the beginning.
    """
    indicators = Indicator.objects.once_published(as_of).with_place().order_by("pk")
    plans = Plan.objects.published(as_of).select_related("opinion").order_by("pk")
    for model, rows, line in ((Indicator, indicators, _definition), (Plan, plans, _plan)):
        rows = rows.iterator(chunk_size=LOADED)
        while some := {row.pk: row for row in islice(rows, LOADED)}:
            versions = Version.objects.begun_before(model, moment).filter(subject_pk__in=some)
            for version in versions:
                row = some[version.subject_pk]
                cells = line(row, version.content) | {"code": f"{row.code}-{version.pk}"}
                yield _line_of_version(version, cells, moment)


def _line_of_version(version: Version, cells: dict, moment: datetime) -> list:
    """``cells`` and the time in which ``version`` stood, as far as it was known at ``moment``."""
    ended = version.valid_to and version.valid_to < moment
    cells |= {
        "sequence": version.pk,
        "public_from": moment_text(version.valid_from),
        "public_to": moment_text(version.valid_to) if ended else None,
    }
    return [cells.get(field.name) for field in VINTAGES.contract]


def _definition(row: Indicator, content: dict) -> dict:
    return {
        "kind": "definition",
        "indicator_code": row.code,
        "indicator": content["name"],
        "measure_code": row.measure.code,
        "theme": row.measure.theme.number,
        "unit": row.unit.name,
        "indicator_kind": content["kind"],
        "frequency": content["frequency"],
        "opinion": row.measure.theme.section.opinion.code,
    }


def _plan(row: Plan, content: dict) -> dict:
    return {
        "kind": "plan",
        "plan": row.code,
        "plan_start": content["start_on"],
        "plan_end": content["end_on"],
        "opinion": row.opinion.code,
    }


def _thresholds(moment: datetime) -> Iterator[list]:
    """What stood of every threshold by ``moment``, in their order; one query."""
    versions = Version.objects.begun_before(Threshold, moment).select_related("revision")
    for _code, of_one in groupby(versions, attrgetter("code")):
        for number_, row in enumerate(of_one, start=1):
            cells = {
                "kind": "threshold",
                "code": f"{row.code}-{number_}",
                "value": row.content["value"],
                "unit": "points" if row.code == ThresholdCode.PACE_TOLERANCE else "days",
                "revision": number_,
                "published_at": moment_text(row.valid_from),
                "reason": prose(row.revision.reason) if row.revision else None,
            }
            yield _line_of_version(row, cells, moment)


def _place(to: str) -> list[str]:
    return [f"{to}{column}" for column in PLACE_IN_OPINION]


def _line(row, measure: Measure, kind: str, **cells) -> list:
    """The cells of ``row`` in the order of the columns."""
    carriers = {measure, getattr(row, "indicator", measure)}
    public_from = public_since(row.published_at, [carrier.published_on for carrier in carriers])
    ends = [end for end in (row.replaced_at, getattr(row, "fell_at", None)) if end]
    cells |= {
        "theme": measure.theme.number,
        "measure_code": measure.code,
        "opinion": measure.theme.section.opinion.code,
        "revision": row.revision,
        "published_at": moment_text(row.published_at),
        "kind": kind,
        "public_from": moment_text(public_from),
        "public_to": moment_text(min(ends, default=None)),
        "code": row.code,
        "sequence": row.pk,
    }
    return [cells.get(field.name) for field in VINTAGES.contract]


def _figure(row) -> dict:
    """What values and targets have in common."""
    indicator = row.indicator
    known = row.value is not None
    return {
        "indicator_code": indicator.code,
        "indicator": indicator.name,
        "value": number(row.value),
        "unit": indicator.unit.name,
        "base_value": number(row.value * indicator.unit.factor) if known else None,
        "base_unit": indicator.unit.base_unit.name,
        "source": row.document,
        "locator": row.locator,
        "indicator_kind": indicator.kind,
        "frequency": indicator.frequency,
        "reason": prose(row.correction_reason),
    }


def _observation(row: Observation) -> dict:
    return _figure(row) | {
        "kind": "observation",
        "qualifier": row.qualifier,
        "as_written": row.as_written,
        "period_start": row.period_start,
        "period_end": row.period_end,
        "period_inferred": row.period_inferred,
        "certainty": row.certainty,
    }


def _target(row: Target) -> dict:
    return _figure(row) | {
        "kind": "target",
        "plan": row.plan.code,
        "plan_start": row.plan.start_on,
        "plan_end": row.plan.end_on,
        "comparator": row.comparator,
        "due_on": row.due_on,
        "baseline": number(row.baseline),
        "claim": row.claim,
    }


def _state(row: MeasureState) -> dict:
    return {
        "kind": "state",
        "source": row.report.number if row.report else "department",
        "locator": row.locator,
        "state": row.status,
        "state_on": row.since,
        "state_into": row.into,
        "reason": prose(row.reason),
    }


def _withdrawal(row: Withdrawal) -> dict:
    return {
        "kind": "withdrawal",
        "indicator_code": row.indicator_code,
        "withdrawn_kind": row.subject_type,
        "withdrawn_code": row.subject_code,
        "reason": prose(row.reason),
    }
