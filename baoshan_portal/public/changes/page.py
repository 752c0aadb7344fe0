"""The page of changes: what became public between two days, by section, and what it changed."""

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from measures.models import Report, Section, Theme
from measures.submission import end_of_day
from metrics.models import Indicator

from ..as_of import BadQuery, read_day
from .committee import word_changes
from .publications import Publication, changes_between
from .states import StateChange, state_changes
from .wordings import rewordings

#: From this many first values on, a page shows them folded, by theme.
FOLD_FROM = 20


@dataclass(frozen=True)
class ThemeChanges:
    """The publications of a theme: the first values by their day, apart from everything else."""

    theme: Theme
    news: list[Publication]
    firsts: list[tuple[date, list[Publication]]]

    @property
    def count(self) -> int:
        return len(self.news) + sum(len(changes) for _day, changes in self.firsts)


@dataclass(frozen=True)
class SectionChanges:
    section: Section
    themes: list[ThemeChanges]
    states: list[StateChange]

    @property
    def count(self) -> int:
        """Publications, without states: these follow from them or from the calendar."""
        return sum(theme.count for theme in self.themes)

    @property
    def changed_states(self) -> list[StateChange]:
        return [state for state in self.states if state.before]

    @property
    def first_states(self) -> list[StateChange]:
        return [state for state in self.states if not state.before]


def by_section(changes: list[Publication], states: list[StateChange]) -> list[SectionChanges]:
    """All public sections by opinion and order, those without a change too; in a theme
    by the numbers.

    One query.
    """
    found: dict[int, list[ThemeChanges]] = {}
    in_order = sorted(changes, key=_place)
    for theme, group in groupby(in_order, key=lambda change: change.measure.theme):
        of_theme = list(group)
        firsts: dict[date, list[Publication]] = {}
        for change in of_theme:
            if change.first_value:
                firsts.setdefault(timezone.localdate(change.at), []).append(change)
        found.setdefault(theme.section_id, []).append(
            ThemeChanges(
                theme,
                [change for change in of_theme if not change.first_value],
                sorted(firsts.items(), reverse=True),
            )
        )
    return [
        SectionChanges(
            section,
            found.get(section.pk, []),
            [state for state in states if state.measure.theme.section_id == section.pk],
        )
        for section in Section.objects.published().select_related("opinion")
    ]


def _place(change: Publication) -> tuple:
    """To sort by the order of the report: a measure's notes before its indicators."""
    is_indicator = isinstance(change.subject, Indicator)
    return *change.measure.number_key, change.subject.order if is_indicator else -1


def newest_report(on: date) -> Report | None:
    """The report that was issued last by ``on``; the earliest if none was yet."""
    reports = list(Report.objects.published().order_by("-issued_on", "-pk"))
    return next((row for row in reports if row.issued_on <= on), reports[-1] if reports else None)


def default_since(report: Report | None, last: date) -> date:
    """After which day changes are listed unless asked otherwise: the report's day of issue.

    Everything the portal began with was published on that day; what matters to a reader is what
    came after. If ``last`` is not later than that day, or there is no report, it is the day
    before ``last``.
    """
    before = last - timedelta(days=1) if last > date.min else last
    return min(report.issued_on, before) if report else before


def page(request):
    """Figures, notes, targets and states that changed from one day to another, by section."""
    on = request.as_of or timezone.localdate()
    last = read_day(request.GET.get("to"), "to") or on
    report = newest_report(last)
    first = read_day(request.GET.get("from"), "from") or default_since(report, last)
    if last > on:
        raise BadQuery(
            _("“to” is later than %(day)s, the day that this page speaks of.")
            % {"day": on.isoformat()}
        )
    if first > last:
        raise BadQuery(_("“from” is later than “to”; exchange the two days."))
    unfold = request.GET.get("unfold", "")
    if unfold not in ("", "all"):
        raise BadQuery(_("“unfold” can only be “all”."))
    changes = changes_between(end_of_day(first), end_of_day(last))
    first_values = sum(change.first_value is not None for change in changes)
    states = state_changes(first, last)
    sections = by_section(changes, states)
    context = {
        "first": first,
        "last": last,
        "on": on,
        "better": [state for state in states if state.trend > 0],
        "worse": [state for state in states if state.trend < 0],
        "sections": sections,
        "several": len({part.section.opinion_id for part in sections}) > 1,
        "reworded": rewordings(end_of_day(first), end_of_day(last)),
        "total": len(changes),
        "words": word_changes(end_of_day(first), end_of_day(last)),
        "spans": spans(report, on),
        "unfolded": bool(unfold) or first_values < FOLD_FROM,
        "foldable": first_values >= FOLD_FROM,
    }
    return render(request, "public/changes.html", context)


def _day_before_year(year: int) -> date:
    """After which day a year's changes are listed: what came out on 1 January is one of them."""
    return date(year - 1, 12, 31) if year > date.min.year else date.min


def spans(report: Report | None, on: date) -> list[tuple[str, date, date]]:
    """Pairs of days that readers ask for, with their names; none that is empty."""
    found = [
        (_("the last 30 days"), on - timedelta(days=min(30, (on - date.min).days)), on),
        (_("this year"), _day_before_year(on.year), on),
    ]
    if report:
        issued = report.issued_on
        found = [
            (_("since the report"), issued, on),
            (_("the report itself"), issued - timedelta(days=1), issued),
            *found,
        ]
    return [(name, first, last) for name, first, last in found if first < last <= on]
