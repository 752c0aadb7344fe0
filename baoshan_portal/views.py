"""Pages that join words and numbers: section, method, open data."""

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Prefetch
from django.shortcuts import get_object_or_404, render

from measures.models import Measure, Report, Section, Theme
from metrics.models import Indicator, Plan

from .open_data import FILES

#: The version of axe-core that the tests run, as the accessibility page tells it.
AXE = "4.12.1"


@dataclass(frozen=True)
class ThemeLines:
    """A theme with its public measures; each has ``public_indicators``, with their latest value."""

    theme: Theme

    @property
    def measures(self) -> list[Measure]:
        return self.theme.public_measures

    @property
    def with_figures(self) -> int:
        """Measures on which the documents give a figure at all."""
        return sum(bool(measure.public_indicators) for measure in self.measures)

    @property
    def indicators(self) -> list[Indicator]:
        return [row for measure in self.measures for row in measure.public_indicators]

    @property
    def with_value(self) -> int:
        return sum(indicator.latest is not None for indicator in self.indicators)


def section(request, order):
    """One of the things asked for: its themes, their measures and what is counted on each."""
    as_of = request.as_of
    row = get_object_or_404(Section.objects.select_related("opinion"), order=order)
    measures = (
        Measure.objects.published(as_of)
        .with_place()
        .prefetch_related(
            Prefetch(
                "indicators",
                Indicator.objects.published(as_of).with_place().with_latest(as_of),
                to_attr="public_indicators",
            )
        )
    )
    themes = row.themes.select_related("section").prefetch_related(
        Prefetch("measures", measures, to_attr="public_measures")
    )
    context = {"section": row, "themes": [ThemeLines(theme) for theme in themes]}
    return render(request, "section.html", context)


def method(request):
    """How everything is computed, with the thresholds in force."""
    context = {
        "reports": Report.objects.all(),
        "plans": Plan.objects.all(),
        "tolerance_points": settings.PACE_TOLERANCE_POINTS,
        "grace_days": settings.REPORTING_GRACE_DAYS,
    }
    return render(request, "method.html", context)


def data(request):
    """The open-data files and the meaning of their columns."""
    return render(request, "data.html", {"files": FILES})


def accessibility(request):
    """What was done and tested so that everybody can read the portal, and what is not known."""
    return render(request, "accessibility.html", {"contact": settings.CONTACT, "axe": AXE})
