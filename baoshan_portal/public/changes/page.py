"""The page of changes: what became public between two days, by section, and what it changed."""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from django.core.paginator import Page
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from measures.models import Report, Section, Theme
from measures.paging import page_or_404
from measures.submission import end_of_day

from ..as_of import BadQuery, read_day
from ..lists.page import CountedPaginator
from . import rest
from .listing import Day, Listing
from .places import Places
from .publications import Publication
from .refs import Ref, entries, newest_revisions, newest_words
from .rest import Some, some_changed, some_first, some_publications, some_states
from .some_states import States

#: Publications of a page.
PER_PAGE = 100
#: From this many first values on, a page shows them folded, by theme.
FOLD_FROM = 20


@dataclass(frozen=True)
class Firsts:
    """First values that became public on a day: ``changes`` are those of the page, of ``count``."""

    day: date
    count: int
    changes: list[Publication]


@dataclass
class ThemeChanges:
    """What a page has of a theme: the first values by their day, apart from everything else."""

    theme: Theme
    news: list[Publication] = field(default_factory=list)
    firsts: list[Firsts] = field(default_factory=list)


@dataclass(frozen=True)
class SectionChanges:
    """A section with ``count`` publications on all pages, the first of them on ``page``.

    ``count`` is without states: these follow from them or from the calendar. ``themes`` and
    states are those of the page that is shown; states stand where the section begins.
    """

    section: Section
    count: int
    page: int
    themes: list[ThemeChanges]
    is_shown: bool
    changed_states: Some | None = None
    first_states: Some | None = None


def sections_of(
    listing: Listing, page: Page, states: States, as_of: date | None
) -> list[SectionChanges]:
    """All sections that were public on ``as_of`` (today if None) by opinion and order, those
    without a change too; of those that are not on ``page`` no more than their place. What is on the
    page is loaded, and nothing else."""
    start = (page.number - 1) * PER_PAGE
    parts = list(listing.part(start, start + PER_PAGE))
    refs = [ref for _theme, part in parts for ref in _refs_in(part)]
    told = {change.id: change for change in entries(refs, listing.until)}
    themes: dict[int, ThemeChanges] = {}
    for key, part in parts:
        theme = themes.setdefault(key, ThemeChanges(told[_refs_in(part)[0].id].measure.theme))
        for item in part:
            if isinstance(item, Day):
                changes = [told[ref.id] for ref in item.refs]
                theme.firsts.append(Firsts(item.day, item.count, changes))
            else:
                theme.news.append(told[item.id])
    found, begin = [], 0
    for section in Section.objects.published(as_of).select_related("opinion"):
        count = listing.by_section[section.pk]
        number = min(begin // PER_PAGE + 1, page.paginator.num_pages)
        own = [theme for theme in themes.values() if theme.theme.section_id == section.pk]
        is_shown = bool(own) or number == page.number
        found.append(SectionChanges(section, count, number, own, is_shown))
        begin += count
    states.look_at([row.section.pk for row in found if row.page == page.number])
    return [
        replace(
            row,
            changed_states=some_changed(states, row.section.pk),
            first_states=some_first(states, row.section.pk),
        )
        if row.page == page.number
        else row
        for row in found
    ]


def _refs_in(part: list[Ref] | list[Day]) -> list[Ref]:
    return [ref for item in part for ref in (item.refs if isinstance(item, Day) else [item])]


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
    context = {
        "first": first,
        "last": last,
        "on": on,
        "query": {"from": first.isoformat(), "to": last.isoformat()},
        "spans": spans(report, on),
    }
    if part := request.GET.get("part", ""):
        return rest.page(request, part, first, last, context)
    since, until = end_of_day(first), end_of_day(last)
    places = Places(until)
    listing = Listing(since, until, places)
    paginator = CountedPaginator([], PER_PAGE, count=listing.total)
    asked = request.GET.get("page") or _page_at(listing, request.GET.get("at"), request.as_of)
    shown = page_or_404(paginator, asked)
    states = States(first, last, places)
    sections = sections_of(listing, shown, states, request.as_of)
    is_first = shown.number == 1
    context |= {
        "sections": sections,
        "several": len({part.section.opinion_id for part in sections}) > 1,
        "total": listing.total,
        "unfolded": bool(unfold) or listing.first_values < FOLD_FROM,
        "unfold": unfold,
        "foldable": listing.first_values >= FOLD_FROM,
        "page_of": shown,
        "numbers": paginator.get_elided_page_range(shown.number, on_each_side=3, on_ends=1),
    }
    if is_first:
        context |= {
            "better": some_states(states.trend(1)),
            "worse": some_states(states.trend(-1)),
            "words": some_publications(newest_words, since, until),
            "reworded": some_publications(newest_revisions, since, until),
        }
    return render(request, "public/changes.html", context)


def _page_at(listing: Listing, at: str | None, as_of: date | None) -> int:
    """The page on which the section or theme ``at`` begins, given as the anchors name them."""
    if not at:
        return 1
    themes = Theme.objects.published(as_of).select_related("section__opinion")
    found = {row.pk for row in themes if at in (row.section.key, row.key)}
    if not found:
        raise BadQuery(_("“at” can only be the number of a section, or of a theme, such as 1-2."))
    return listing.begins(found) // PER_PAGE + 1


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
