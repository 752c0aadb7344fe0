"""What the page of changes shows the first few of, page by page.

``?part=`` names it: the committee's word, new wordings, states that became better or worse, and
of a section those that changed or were told for the first time.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice

from django.http import Http404
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from measures.models import Section
from measures.submission import end_of_day

from ..as_of import BadQuery
from .refs import entries, newest_revisions, newest_words
from .some_states import States

#: How many of each the page of changes shows.
FEW = 20
#: How many a page of the rest shows.
PER_PAGE = 50

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
        return bool(self.rows)

    @property
    def has_more(self) -> bool:
        return self.count is None or self.count > self.start + len(self.rows)


def some_publications(newest: Callable, since, until, start: int = 0, count: int = FEW) -> Some:
    """Those that ``newest`` finds between two moments."""
    refs = newest(start + count + 1, since, until)
    total = len(refs) if len(refs) <= start + count else None
    return Some(entries(refs[start : start + count], until), total, start)


def some_states(found: Iterator, start: int = 0, count: int = FEW) -> Some:
    """Those of the states that ``found`` works out one after another."""
    rows = list(islice(found, start, start + count + 1))
    total = start + len(rows) if len(rows) <= count else None
    return Some(rows[:count], total, start)


def some_first(states: States, section: int, start: int = 0, count: int = FEW) -> Some:
    """States of a section that were told for the first time."""
    rows = states.told_first(lambda row: row.place.section == section)
    return Some(states.judged(rows[start : start + count]), len(rows), start)


def some_changed(states: States, section: int, start: int = 0, count: int = FEW) -> Some:
    """States of a section that are other ones than before."""
    changed = states.changed(lambda row: row.place.section == section)
    return some_states(changed, start, count)


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
    start = (number - 1) * PER_PAGE
    section = _section(request.GET.get("section", "")) if part in OF_SECTION else None
    shown = _rows(part, section, first, last, start)
    if not shown and number > 1:
        raise Http404(_("This list has no such page."))
    context |= {
        "part": part,
        "heading": HEADINGS[part],
        "section": section,
        "some": shown,
        "previous": number - 1,
        "next": number + 1 if shown.has_more else None,
    }
    return render(request, "public/changes_part.html", context)


def _rows(part: str, section: Section | None, first: date, last: date, start: int) -> Some:
    if part in PUBLICATIONS:
        since, until = end_of_day(first), end_of_day(last)
        return some_publications(PUBLICATIONS[part], since, until, start, PER_PAGE)
    states = States(first, last)
    if section:
        read = some_first if part == "first" else some_changed
        return read(states, section.pk, start, PER_PAGE)
    return some_states(states.trend(1 if part == "better" else -1), start, PER_PAGE)


def _section(key: str) -> Section:
    """The section with that ``Section.key``; raises Http404 if there is none."""
    for section in Section.objects.published().select_related("opinion"):
        if section.key == key:
            return section
    raise Http404
