"""The page of a section: what was asked for, the measures taken and what is counted on each."""

from dataclasses import dataclass, replace
from datetime import date

from django.http import Http404
from django.shortcuts import render
from django.utils import timezone

from measures.attached import attach
from measures.models import Measure, Section, Theme
from measures.models.states import load_states
from measures.past import past
from measures.prepared import prepared
from metrics.assessment import assess
from metrics.courses import load_latest, load_targets, load_values
from metrics.models import Indicator
from metrics.rules.choices import Kind

from . import check_marks
from .as_of import not_yet_public
from .committee import Axes, SectionsWord, axes
from .overview.key_figures import key_figures

#: Figures of one measure that the page shows, and about how many of all: with a thousand it is
#: long, and below 100 kB on the line. The measure's own page has the others.
OF_MEASURE, OF_SECTION = 20, 1_000


@dataclass(frozen=True)
class ThemeMeasures:
    """A theme with its public measures; each has ``public_indicators``, with their latest value,
    and ``shown``, the first of them.

    ``axes``: computed, claimed and evaluated; None where the theme was not evaluated by itself.
    """

    theme: Theme
    axes: Axes | None = None

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


def show_some(measures: list[Measure]) -> list[Indicator]:
    """Gives each of the ``measures`` of a section the figures that it has ``shown``, as many as the
    page can bear; returns all of them."""
    each = max(1, min(OF_MEASURE, OF_SECTION // max(1, len(measures))))
    for measure in measures:
        measure.shown = measure.public_indicators[:each]
    return [indicator for measure in measures for indicator in measure.shown]


@prepared
def _sections(order, code, *, as_of):
    opinion = {"opinion__code": code} if code else {"opinion__is_first": True}
    found = Section.objects.published(as_of).filter(order=order, **opinion)
    return found.select_related("opinion")


@prepared
def _themes(section, *, as_of):
    return Theme.objects.published(as_of).filter(section=section)


@prepared
def _measures(themes, *, as_of):
    return Measure.objects.published(as_of).filter(theme__in=themes).order_by("order")


@prepared
def _indicators(measures, *, as_of):
    rows = Indicator.objects.published(as_of).filter(measure__in=measures).select_related("unit")
    return rows.with_thresholds().with_no_figures(as_of).order_by("order")


def themes_in(section: Section, as_of: date | None) -> list[Theme]:
    """The public themes of ``section`` with their ``public_measures``, the state of each and its
    ``public_indicators``, with what their targets are judged by besides values; five queries.

    Each row has its place from the one above it.
    """
    themes = _themes(section, as_of=as_of)
    for theme in themes:
        theme.section = section
    measures = _measures([row.pk for row in themes], as_of=as_of)
    indicators = _indicators([row.pk for row in measures], as_of=as_of)
    attach(themes, "public_measures", measures, "theme")
    attach(measures, "public_indicators", indicators, "measure")
    load_states(measures, as_of)
    load_targets(indicators, as_of, with_before=True)
    return themes


def _why_missing(order: int, code: str, as_of: date | None) -> Http404:
    """The answer to whoever asks for a section that is not public on ``as_of``."""
    with past(None):
        row = next(iter(_sections(order, code or None, as_of=None)), None)
        if row is None or as_of is None:
            return Http404()
        return not_yet_public(as_of, row.public_since())


def page(request, order, code=""):
    """One of the things asked for: its themes, their measures and what is counted on each.

    Of the opinion with that code; without one, of the portal's first.
    """
    as_of = request.as_of
    row = next(iter(_sections(order, code or None, as_of=as_of)), None)
    if row is None:
        raise _why_missing(order, code, as_of)
    themes = [ThemeMeasures(theme) for theme in themes_in(row, as_of)]
    counted = [indicator for line in themes for indicator in line.indicators]
    shown = show_some([measure for line in themes for measure in line.measures])
    load_latest(counted, as_of)
    on = as_of or timezone.localdate()
    word = SectionsWord.of(row, as_of)
    lines = []
    for own in themes:
        evaluated = word.of_theme(own.theme)
        lines.append(replace(own, axes=axes(own.indicators, evaluated, on) if evaluated else None))
    states = {
        indicator.pk: assess(indicator, indicator.current_target, on)
        for indicator in counted
        if indicator.current_target
    }
    chosen = [one for one in counted if one.is_key or one.is_section_key]
    keys = {indicator.pk for indicator in chosen}
    rates = [one for one in counted if one.kind == Kind.GROWTH and one.basis_id in keys]
    # The course of these alone is shown.
    load_values(chosen, as_of)
    context = {
        "section": row,
        "key_figures": key_figures(
            chosen,
            rates,
            states,
            check_marks.of_shown(request, {indicator.pk for indicator in [*chosen, *shown]}),
        ),
        "themes": lines,
        "axes": axes(counted, [*word.of_section, *word.of_reports], on),
    }
    return render(request, "public/section.html", context)
