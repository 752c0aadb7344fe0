"""The page of an indicator: its values, their sources, its targets, and the chart as a file."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.http import Http404
from django.shortcuts import render
from django.utils import timezone

from measures.prepared import prepared
from measures.submission import moment_of
from metrics import check_results, history
from metrics.assessment import (
    CheckState,
    assess,
    baseline_from,
    gaps_of,
    unexplained,
)
from metrics.corrections import corrections
from metrics.last_change import stated_growth, sums_by_year
from metrics.models import NEWEST_FIRST, Indicator, NoFigure, Observation, Target
from metrics.redefinition import Definitions, Redefinition, chain_of, redefinition
from metrics.rules.periods import Period, period_text
from metrics.wording import aggregation_rule

from . import check_marks
from .as_of import get_public_or_404
from .changes.wordings import rewordings_of
from .charts import files
from .charts import history as history_chart
from .charts.data import history_file
from .charts.figure import history_figure
from .charts.history import former_values
from .data_file import day_of_state
from .summary import summary


def load(request, code: str) -> tuple[Indicator, list[Observation], list[Target]]:
    """The indicator of the page, and every value and target that had ever been public by its day.

    Raises Http404 as ``get_public_or_404`` does.
    """
    as_of = request.as_of
    row = get_public_or_404(_rows, request, code)
    values = _values(row, as_of=as_of)
    for value in values:
        value.indicator = row
    # What each took the place of is among them, unless that was a value of another figure.
    known = {value.pk: value for value in values}
    for value in values:
        if before := known.get(value.supersedes_id):
            value.supersedes = before
    targets = _targets(row, as_of=as_of)
    for target in targets:
        target.indicator = row
    # What ``with_history`` would ask for again is among them.
    row.public_values = history.standing(values)
    row.loaded_targets = history.standing(targets)
    return row, values, targets


@prepared
def _values(indicator, *, as_of):
    rows = Observation.objects.versions(moment_of(as_of)).filter(indicator=indicator)
    return rows.select_related("report").order_by(*NEWEST_FIRST)


@prepared
def _targets(indicator, *, as_of):
    rows = Target.objects.versions(moment_of(as_of)).filter(indicator=indicator)
    rows = rows.select_related("plan", "report")
    return rows.order_by(F("due_on").asc(nulls_last=True), "pk")


def _rows(as_of: date | None) -> QuerySet:
    """With whether there may be what most have not, so that it is asked for of few: checks,
    figures derived from it, and periods said to have no figure."""
    rows = Indicator.objects.with_place().with_thresholds().with_no_figures(as_of)
    return rows.with_is_checked().annotate(
        is_basis=Exists(Indicator.objects.filter(basis=OuterRef("pk"))),
        is_without=Exists(NoFigure.objects.filter(indicator=OuterRef("pk"))),
    )


def page(request, code):
    as_of = request.as_of
    on = as_of or timezone.localdate()
    row, values, targets = load(request, code)
    if row.withdrawn_at:
        return render(request, "public/withdrawn.html", {"row": row, "place": row.measure})
    assessment = assess(row, row.current_target, on)
    redefinitions = redefinitions_of(row, values, targets, on, moment_of(as_of))
    related = _related(row, as_of)
    derived = [other for other in related if other.basis_id == row.pk]
    checks = _checks(row, as_of)
    corrected = corrections(values)
    missing = unexplained(row, gaps_of(row, row.public_values))
    without = _no_figures(row, as_of)
    states = [assess(row, target, on) for target in row.loaded_targets]
    context = {
        "indicator": row,
        "newest_period": row.latest and row.latest.period_end,
        "gaps": missing,
        "lines": lines(
            row.public_values,
            [told for told in history.standing(without) if not told.has_value],
            missing,
        ),
        "summary": summary(row, assessment, on, stated_growth(row, derived), others=states[1:]),
        "figure": history_figure(request, row, former_values(corrected)),
        "sums": sums_by_year(row),
        "observations": row.public_values,
        "corrections": corrected,
        "corrected_values": history.replaced(values),
        "corrected_no_figures": history.replaced(without),
        "corrected_targets": history.replaced(targets),
        "judged": [(state, redefinitions[state.target.pk]) for state in states],
        "assessment": assessment,
        "basis": next((other for other in related if other.pk == row.basis_id), None),
        "checks": checks,
        "check_results": check_marks.by_indicator(checks).get(row.pk),
        "derived": derived,
        "aggregation_rule": aggregation_rule(row.kind),
        "rewordings": rewordings_of(row, moment_of(as_of)),
    }
    return render(request, "public/indicator.html", context)


def _related(row: Indicator, as_of: date | None) -> list[Indicator]:
    """What ``row`` is a share, growth or rank of, and what is one of it, with the newest values."""
    if not row.is_basis and row.basis_id is None:
        return []
    rows = Indicator.objects.published(as_of).filter(Q(basis=row) | Q(pk=row.basis_id))
    return list(rows.select_related("unit").with_newest_value(as_of))


def _checks(row: Indicator, as_of: date | None) -> list[CheckState]:
    """The public checks that ``row`` takes part in, with their results."""
    if not row.is_checked:
        return []
    return check_results.states_of(check_results.comparing([row.pk], as_of=as_of), as_of)


def _no_figures(row: Indicator, as_of: date | None) -> list[NoFigure]:
    """Every period that had ever been public without a figure by that day."""
    if not row.is_without:
        return []
    rows = row.nofigures.versions(moment_of(as_of)).with_has_value(as_of)
    return list(rows.select_related("report", "supersedes"))


def redefinitions_of(
    row: Indicator, values: list[Observation], targets: list[Target], on: date, moment: datetime
) -> dict[int, Redefinition]:
    """What became of the terms of each standing target, by its key; one query, if there is any.

    ``values`` and ``targets`` are all that were ever public (see ``load``).
    """
    if not row.loaded_targets:
        return {}
    definitions = Definitions.of([row.pk], {target.plan_id for target in targets})
    by_key = {target.pk: target for target in targets}
    return {
        target.pk: redefinition(
            chain_of(target, by_key), row, values, definitions, on=on, until=moment
        )
        for target in row.loaded_targets
    }


@dataclass(frozen=True)
class Line:
    """A period in the list of values: with its value, said to have none, or never reported."""

    period: str
    end: date
    value: Observation | None = None
    without: NoFigure | None = None


def lines(
    values: list[Observation], without: Iterable[NoFigure], missing: list[Period]
) -> list[Line]:
    """The values with the periods between them and after them that have none, newest first."""
    rows = [Line("", value.period_end, value=value) for value in values]
    rows += [Line(period_text(*row.period), row.period_end, without=row) for row in without]
    rows += [Line(period_text(start, end), end) for start, end in missing]
    # Sorting is stable: values of one day stay in their order.
    return sorted(rows, key=lambda row: row.end, reverse=True)


def chart(request, code, file_format):
    """The chart of an indicator's page as a picture that says what it is, or as its data."""
    on = request.as_of or timezone.localdate()
    row, values, _targets = load(request, code)
    former = former_values(corrections(values))
    figure = None if row.withdrawn_at else history_figure(request, row, former, draw=False)
    if figure is None:
        raise Http404
    drawn = history_chart.series(row, row.public_values)
    if file_format == "csv":
        starts = {target.pk: baseline_from(row, drawn, target) for target in row.loaded_targets}
        missing = gaps_of(row, drawn)
        name = f"{row.code}.csv"
        return history_file(
            name, row, drawn, missing, row.loaded_targets, starts, former, request.as_of
        )
    heading = figure.caption.heading
    spec = history_chart.spec(row, drawn, row.loaded_targets, on, heading, former=former)
    return files.answer(spec, file_format, row.code, day_of_state(request.as_of))
