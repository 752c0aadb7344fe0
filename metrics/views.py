"""Public pages of figures: indicators, their values and sources, and targets."""

from collections import Counter
from datetime import date

from django.db.models import F, Q
from django.http import Http404
from django.shortcuts import render
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from measures.as_of import BadQuery, get_public_or_404
from measures.listing import ListPage

from . import check_marks, drawing, history, history_chart, pictures
from .assessment import assess, assess_check
from .chart_frame import inline
from .checks import Result
from .figures import aggregation_rule
from .filters import IndicatorFilter, TargetFilter
from .last_change import told_growth
from .models import NEWEST_FIRST, Check, Indicator, Observation, Target
from .tables import IndicatorTable, TargetTable
from .telling import tell


class IndicatorList(ListPage):
    template_name = "metrics/list.html"
    filterset_class = IndicatorFilter
    table_class = IndicatorTable
    heading = _("Indicators")
    file_name = "indicators"
    pack_parameters = frozenset(IndicatorFilter.base_filters)

    def get_queryset(self):
        as_of = self.request.as_of
        return (
            Indicator.objects.published(as_of)
            .with_place()
            .with_latest(as_of)
            .with_latest_base_value(as_of)
        )


class TargetList(ListPage):
    template_name = "metrics/targets.html"
    filterset_class = TargetFilter
    table_class = TargetTable
    heading = _("Targets")
    file_name = "targets"

    def get_queryset(self):
        return Target.objects.for_list(self.request.as_of)


def checks(request):
    """Every relation between figures, with what comes of it; ``?result=`` shows one kind."""
    states = [
        assess_check(check)
        for check in Check.objects.published(request.as_of).with_terms(request.as_of)
    ]
    states.sort(key=lambda state: check_marks.SEVERITY.index(state.outcome.result))
    counts = Counter(state.outcome.result for state in states)
    chosen = request.GET.get("result", "")
    if chosen:
        if chosen not in Result.values:
            raise BadQuery(_("The portal knows no such result of a check."))
        states = [state for state in states if state.outcome.result == chosen]
    context = {
        "states": states,
        "counts": [(result, counts[result]) for result in Result],
        "total": sum(counts.values()),
        "chosen": chosen,
    }
    return render(request, "metrics/checks.html", context)


def load(request, code: str) -> tuple[Indicator, list[Observation], list[Target]]:
    """The indicator of the page, and every value and target that had ever been public by its day.

    Raises Http404 as ``get_public_or_404`` does.
    """
    as_of = request.as_of
    row = get_public_or_404(Indicator.objects.with_place(), request, code)
    values = list(history.versions(row.observations, as_of).order_by(*NEWEST_FIRST))
    targets = list(
        history.versions(row.targets, as_of)
        .select_related("plan")
        .order_by(F("due_on").asc(nulls_last=True), "pk")
    )
    # What ``with_history`` would ask for again is among them.
    row.public_values = history.standing(values)
    row.loaded_targets = history.standing(targets)
    return row, values, targets


def indicator(request, code):
    as_of = request.as_of
    on = as_of or timezone.localdate()
    row, values, targets = load(request, code)
    assessment = assess(row, row.current_target, on)
    related = list(
        Indicator.objects.published(as_of)
        .filter(Q(basis=row) | Q(pk=row.basis_id))
        .select_related("unit")
        .with_latest_value(as_of)
    )
    derived = [other for other in related if other.basis_id == row.pk]
    checks = [
        assess_check(check)
        for check in Check.objects.published(as_of)
        .filter(terms__indicator=row)
        .distinct()
        .with_terms(as_of)
    ]
    has_chart = history_chart.has_history(row.public_values, row.loaded_targets)
    context = {
        "indicator": row,
        "told": tell(row, assessment, on, told_growth(row, derived)),
        "has_target_line": any(target.value is not None for target in row.loaded_targets),
        "has_chart": has_chart,
        "chart": chart_of(row, on) if has_chart else None,
        "draws_png": pictures.draws_png(),
        "observations": row.public_values,
        "corrected_values": history.replaced(values),
        "corrected_targets": history.replaced(targets),
        "assessments": [assess(row, target, on) for target in row.loaded_targets],
        "assessment": assessment,
        "basis": next((other for other in related if other.pk == row.basis_id), None),
        "checks": checks,
        "check_results": check_marks.by_indicator(checks).get(row.pk),
        "derived": derived,
        "aggregation_rule": aggregation_rule(row.kind),
    }
    return render(request, "metrics/indicator.html", context)


def chart_of(row: Indicator, on: date) -> SafeString | None:
    """The history of an indicator as a part of its page; None if it cannot be drawn."""
    (svg,) = drawing.svgs([history_chart.spec(row, row.public_values, row.loaded_targets, on)])
    return svg and inline(svg)


def indicator_chart(request, code, file_format):
    """The chart of an indicator's page as a picture that tells what it is."""
    on = request.as_of or timezone.localdate()
    row, _values, _targets = load(request, code)
    if not history_chart.has_history(row.public_values, row.loaded_targets):
        raise Http404
    sources = dict.fromkeys(value.source_text.partition(" ")[0] for value in row.public_values)
    heading = pictures.heading_of(request, str(row), sources)
    spec = history_chart.spec(row, row.public_values, row.loaded_targets, on, heading)
    return pictures.answer(spec, file_format, row.code)
