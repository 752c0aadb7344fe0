"""What the page of changes shows the first few of, page by page.

``?part=`` names it: the committee's word, new wordings, states that became better or worse, and
of a section those that changed or were told for the first time. Of one new wording with many lines
``revision`` is its code.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice

from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from measures.models import Revision, Section
from measures.submission import end_of_day

from ..as_of import BadQuery
from .refs import entries, newest_revisions, newest_words
from .some_states import States
from .wordings import part_of

#: How many of each the page of changes shows.
FEW = 20
#: How many a page of the rest shows.
PER_PAGE = 50
#: How many targets and checks are judged for a page of the states that changed.
JUDGED = 100
TRENDS = {"better": 1, "worse": -1}

HEADINGS = {
    "words": gettext_lazy("The committee’s word"),
    "reworded": gettext_lazy("What was named, placed or defined anew"),
    "better": pgettext_lazy("states", "Better"),
    "worse": pgettext_lazy("states", "Worse"),
    "changed": gettext_lazy("States that changed"),
    "first": gettext_lazy("States told for the first time"),
}
PUBLICATIONS = {"words": newest_words, "reworded": newest_revisions}
#: Those of a section, which ``section`` names.
OF_SECTION = ("changed", "first")


@dataclass(frozen=True)
class Some:
    """Rows of a list from ``start`` on; ``count`` is how many it has, None where that is not
    known because it was not read to its end."""

    rows: list
    count: int | None
    start: int = 0

    def __bool__(self) -> bool:
        return bool(self.rows) or self.has_more

    @property
    def has_more(self) -> bool:
        return self.count is None or self.count > self.start + len(self.rows)


def some_publications(newest: Callable, since, until, start: int = 0, count: int = FEW) -> Some:
    """Those that ``newest`` finds between two moments."""
    refs = newest(start + count + 1, since, until)
    total = len(refs) if len(refs) <= start + count else None
    return Some(entries(refs[start : start + count], until), total, start)


def some_states(found: Iterator) -> Some:
    """The first of the states that ``found`` works out one after another."""
    rows = list(islice(found, FEW + 1))
    is_all = len(rows) <= FEW and None not in rows
    return Some([row for row in rows if row][:FEW], len(rows) if is_all else None)


def some_first(states: States, section: int) -> Some:
    """The first states of a section that were told for the first time."""
    rows = states.told_first(states.of_section(section))
    return Some(states.judged(rows[:FEW]), len(rows))


def some_changed(states: States, section: int) -> Some:
    """The first states of a section that are other ones than before."""
    return some_states(states.changed(states.of_section(section)))


def page(request, part: str, first: date, last: date, context: dict):
    """One part of what changed, page by page; raises BadQuery for a part that there is not."""
    if part not in HEADINGS:
        raise BadQuery(
            _("“part” can only be one of %(parts)s.") % {"parts": ", ".join(sorted(HEADINGS))}
        )
    number = request.GET.get("page") or "1"
    if not re.fullmatch("[1-9][0-9]{0,5}", number):
        raise Http404(_("This list has no such page."))
    number = int(number)
    code = request.GET.get("revision") if part == "reworded" else None
    section = None
    if part in OF_SECTION:
        key = request.GET.get("section", "")
        section = get_object_or_404(Section.objects.published(request.as_of).by_key(key))
    if code:
        shown, following = _part_of_one(code, first, last, number)
    else:
        shown = _rows(part, section, first, last, number)
        following = number + 1 if shown.has_more else None
    context |= {
        "part": part,
        "heading": HEADINGS[part],
        "section": section,
        "revision": code,
        "some": shown,
        "previous": number - 1,
        "next": following,
    }
    return render(request, "public/changes_part.html", context)


def _part_of_one(code: str, first: date, last: date, number: int) -> tuple[Some, int | None]:
    """Lines of one new wording, and the number of the page that follows (None: none does); raises
    Http404 if there is none of that code and page."""
    until = end_of_day(last)
    revisions = Revision.objects.published_between(end_of_day(first), until).filter(code=code)
    found = part_of(revisions, number, until)
    if not found:
        raise Http404(_("This list has no such page."))
    return Some([found], 1), found.rest


def _rows(part: str, section: Section | None, first: date, last: date, number: int) -> Some:
    """The page of that number of a part; raises Http404 if there is none."""
    start = (number - 1) * PER_PAGE
    if part in PUBLICATIONS:
        since, until = end_of_day(first), end_of_day(last)
        found = some_publications(PUBLICATIONS[part], since, until, start, PER_PAGE)
        if not found and number > 1:
            raise Http404(_("This list has no such page."))
        return found
    states = States(first, last)
    if part == "first":
        rows = states.told_first(states.of_section(section.pk))
        found = Some(states.judged(rows[start : start + PER_PAGE]), len(rows), start)
        if not found.rows and number > 1:
            raise Http404(_("This list has no such page."))
        return found
    # A page of these is what may have changed, because only judging tells.
    if part == "changed":
        rows = states.that_may_have_changed(states.of_section(section.pk))
    else:
        # One more, to know whether there is a further page.
        rows = list(islice(states.that_can_trend(), number * JUDGED + 1))
    judged = states.judged(rows[(number - 1) * JUDGED : number * JUDGED])
    if part != "changed":
        judged = [change for change in judged if change.trend == TRENDS[part]]
    is_last = number * JUDGED >= len(rows)
    if not judged and number > max(1, -(-len(rows) // JUDGED)):
        raise Http404(_("This list has no such page."))
    return Some(judged, len(judged) if is_last else None)
