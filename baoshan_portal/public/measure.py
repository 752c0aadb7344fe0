"""The figures of one measure, as its page shows them: value, course, and state beside claim."""

from dataclasses import dataclass
from datetime import date

from django.shortcuts import render
from django.utils import timezone
from django.utils.safestring import SafeString

from measures.models import Measure
from metrics.assessment import Assessment, assess
from metrics.last_change import last_change
from metrics.models import Indicator, Observation

from .as_of import get_public_or_404
from .charts import drawing
from .charts.frame import inline
from .charts.history import distinct, small_spec


@dataclass
class Line:
    """An indicator with its public values, newest first, and what comes of its targets.

    ``change`` is empty, and ``course`` None, without an earlier value.
    """

    indicator: Indicator
    assessments: list[Assessment]
    course: SafeString | None = None

    @property
    def latest(self) -> Observation | None:
        return self.indicator.latest

    @property
    def change(self) -> str:
        change = last_change(self.indicator)
        return change.text if change else ""

    @property
    def has_course(self) -> bool:
        return len(distinct(self.indicator.public_values)) > 1


def lines_of(measure: Measure, as_of: date | None) -> list[Line]:
    """Every public indicator of ``measure`` in order; three queries."""
    on = as_of or timezone.localdate()
    indicators = (
        Indicator.objects.published(as_of).filter(measure=measure).with_place().with_history(as_of)
    )
    lines = []
    for row in indicators:
        states = [assess(row, target, on) for target in row.loaded_targets]
        lines.append(Line(row, states))
    drawn = [line for line in lines if line.has_course]
    specs = [small_spec(line.indicator, line.indicator.public_values) for line in drawn]
    for line, svg in zip(drawn, drawing.svgs(specs), strict=True):
        line.course = svg and inline(svg)
    return lines


def page(request, code):
    row = get_public_or_404(
        Measure.objects.select_related("theme__section", "lead", "report").prefetch_related(
            "supporting"
        ),
        request,
        code,
    )
    notes = row.notes.published(request.as_of)
    return render(request, "public/measure.html", {"measure": row, "notes": notes})
