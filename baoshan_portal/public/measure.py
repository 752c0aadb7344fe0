"""The figures of one measure, as its page shows them: value, course, and state beside claim."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet
from django.shortcuts import render
from django.utils import timezone

from measures.models import Measure, ProgressNote
from measures.prepared import prepared
from measures.submission import moment_of
from metrics import history
from metrics.assessment import Assessment, assess
from metrics.courses import CourseValue, load_targets, load_values
from metrics.last_change import last_change, year_on_year
from metrics.models import Indicator

from . import check_marks
from .as_of import get_public_or_404
from .changes.wordings import rewordings_of
from .charts.sparkline import Sparkline, sparkline
from .committee import evaluations_about
from .departments.ends import tell_ends
from .measure_states import state_of
from .numbered import numbered

#: Figures of a numbered page; most measures have a handful.
FIGURES = 50


@dataclass
class IndicatorRow:
    """An indicator with its public values, newest first, and the state of its targets.

    ``change`` is empty, and ``course`` None, without an earlier value.
    """

    indicator: Indicator
    assessments: list[Assessment]
    course: Sparkline | None

    @property
    def latest(self) -> CourseValue | None:
        return self.indicator.latest

    @property
    def change(self) -> str:
        change = last_change(self.indicator)
        return change.text if change else ""

    @property
    def year_on_year(self) -> str:
        """同比, where it is another one."""
        change = year_on_year(self.indicator)
        return change.text if change else ""


@prepared
def _keys(measure, *, as_of):
    rows = Indicator.objects.published(as_of).filter(measure=measure)
    return rows.order_by("order").values_list("pk", flat=True)


@prepared
def _indicators(keys, *, as_of):
    rows = Indicator.objects.filter(pk__in=keys).select_related("unit").order_by("order")
    return rows.with_thresholds().with_no_figures(as_of).with_is_checked()


def figures_of(measure: Measure, keys: Sequence[int], as_of: date | None) -> list[Indicator]:
    """The indicators of ``measure`` with these keys in order, with what ``indicator_rows`` needs of
    them; three queries."""
    found = _indicators(keys, as_of=as_of)
    for row in found:
        # Their place is that of the measure, which is at hand.
        row.measure = measure
    load_targets(found, as_of, with_before=False)
    load_values(found, as_of)
    return found


def indicator_rows(indicators: Iterable[Indicator], on: date) -> list[IndicatorRow]:
    """Each of ``indicators`` with how its targets stand ``on`` that day, and its course."""
    return [
        IndicatorRow(
            indicator,
            [assess(indicator, target, on) for target in indicator.loaded_targets],
            sparkline(indicator),
        )
        for indicator in indicators
    ]


@prepared
def _notes(measure, *, as_of):
    return ProgressNote.objects.versions(moment_of(as_of)).filter(measure=measure)


def _rows(as_of: date | None) -> QuerySet:
    rows = Measure.objects.with_place().select_related("report")
    return rows.prefetch_related("supporting")


def page(request, code):
    row = get_public_or_404(_rows, request, code)
    if row.withdrawn_at:
        return render(request, "public/withdrawn.html", {"row": row, "place": row.theme})
    on = request.as_of or timezone.localdate()
    shown = numbered(request, _keys(row, as_of=request.as_of), FIGURES)
    figures = figures_of(row, shown.page.object_list, request.as_of)
    lines = indicator_rows(figures, on)
    check_marks.of_shown(
        request, [line.indicator.pk for line in lines if line.indicator.is_checked]
    )
    departments = [*([row.lead] if row.lead else []), *row.supporting.all()]
    tell_ends(departments, on)
    notes = _notes(row, as_of=request.as_of)
    context = {
        "measure": row,
        "table": shown,
        "lines": lines,
        "has_courses": any(line.course for line in lines),
        "has_targets": any(line.assessments for line in lines),
        "notes": history.standing(notes),
        "state": state_of(row, request.as_of),
        "withdrawn_notes": [note for note in notes if note.withdrawn_at],
        "evaluations": evaluations_about([row.theme], request.as_of),
        "rewordings": rewordings_of(row, moment_of(request.as_of)),
    }
    return render(request, "public/measure.html", context)
