"""The figures of one measure, as its page shows them: value, course, and state beside claim."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet
from django.shortcuts import render
from django.utils import timezone

from measures.models import Measure
from measures.submission import moment_of
from metrics import history
from metrics.assessment import Assessment, assess
from metrics.courses import CourseValue, load_values
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


def indicators_of(measure: Measure, as_of: date | None) -> QuerySet:
    """The public indicators of ``measure`` in order, with what ``indicator_rows`` needs of them
    besides their values."""
    # Their place is that of the measure, which is at hand.
    indicators = measure.indicators.published(as_of).select_related("unit").order_by("order")
    return indicators.with_targets(as_of, with_before=False).with_is_checked()


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


def page(request, code):
    row = get_public_or_404(
        Measure.objects.with_place().select_related("report").prefetch_related("supporting"),
        request,
        code,
    )
    if row.withdrawn_at:
        return render(request, "public/withdrawn.html", {"row": row, "place": row.theme})
    on = request.as_of or timezone.localdate()
    shown = numbered(request, indicators_of(row, request.as_of), FIGURES)
    load_values(shown.page, request.as_of)
    lines = indicator_rows(shown.page, on)
    check_marks.of_shown(
        request, [line.indicator.pk for line in lines if line.indicator.is_checked]
    )
    departments = [*([row.lead] if row.lead else []), *row.supporting.all()]
    tell_ends(departments, on)
    notes = list(row.notes.versions(moment_of(request.as_of)))
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
