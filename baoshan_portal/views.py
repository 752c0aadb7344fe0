"""Pages that join words and numbers: overview, section, method, open data."""

from django.conf import settings
from django.db.models import Count, Max, Prefetch, Q
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from measures.models import Measure, Report, Section, Theme
from measures.workflow import end_of_day
from metrics.models import Indicator, Observation, Plan, Target

from .open_data import FILES

#: The version of axe-core that the tests run, as the accessibility page tells it.
AXE = "4.12.1"


def overview(request):
    """What was asked for, the key figures, and how far the figures can be trusted."""
    as_of = request.as_of
    indicators = Indicator.objects.published(as_of)
    report = Report.objects.select_related("opinion").order_by("issued_on").first()
    sections = Section.objects.prefetch_related(
        Prefetch("themes", Theme.objects.with_counts(as_of))
    )
    themes = [theme for section in sections for theme in section.themes.all()]
    context = {
        "report": report,
        "plan": Plan.objects.first(),
        "sections": sections,
        "key_indicators": indicators.filter(is_key=True).with_place().with_latest(as_of),
        "trust": trust(themes, indicators, report, as_of),
        "on": as_of or timezone.localdate(),
    }
    return render(request, "overview.html", context)


def trust(themes, indicators, report, as_of) -> dict:
    """Counts that say how far the public figures can be checked, each with its denominator.

    Needs ``with_counts`` on the themes.
    """
    observations = Observation.objects.published(as_of).filter(indicator__in=indicators)
    first_told = end_of_day(report.issued_on) if report else timezone.now()
    return {
        "measures": sum(theme.measure_count for theme in themes),
        "indicators": sum(theme.indicator_count for theme in themes),
        **observations.aggregate(
            observations=Count("pk"),
            with_value=Count("indicator", distinct=True),
            updated=Count("indicator", distinct=True, filter=Q(published_at__gte=first_told)),
            with_source=Count("pk", filter=Q(report__isnull=False) | ~Q(source_name="")),
            inferred=Count("pk", filter=Q(period_inferred=True)),
            last_published=Max("published_at"),
        ),
        **Target.objects.published(as_of)
        .filter(indicator__in=indicators)
        .aggregate(
            with_target=Count("indicator", distinct=True),
            with_target_value=Count("indicator", distinct=True, filter=Q(value__isnull=False)),
        ),
    }


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
    return render(request, "section.html", {"section": row, "themes": themes})


def method(request):
    """How everything is computed, with the thresholds in force."""
    context = {
        "reports": Report.objects.all(),
        "plans": Plan.objects.all(),
        "tolerance_points": settings.PACE_TOLERANCE_POINTS,
    }
    return render(request, "method.html", context)


def data(request):
    """The open-data files and the meaning of their columns."""
    return render(request, "data.html", {"files": FILES})


def accessibility(request):
    """What was done and tested so that everybody can read the portal, and what is not known."""
    return render(request, "accessibility.html", {"contact": settings.CONTACT, "axe": AXE})
