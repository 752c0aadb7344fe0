"""What was named, placed or defined anew: the reviewed changes of public wording."""

from collections.abc import Container
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial, reduce
from itertools import chain, islice
from operator import or_

from django.db.models import Model, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from measures.models import Measure, Report, Revision, Section, Theme
from measures.revisions import Line, lines_of
from metrics.models import Indicator, Plan

#: Stands for a row that is not public, in what became public.
HIDDEN = gettext_lazy("not public")

#: Of so many rows the database is asked which revisions name one.
FEW = 50
#: How many lines of one change are told together: an upload may name thousands of rows anew.
LINES = 50

#: A row by its model's label and its code.
Subject = tuple[str, str]


@dataclass(frozen=True)
class Alike:
    """Rows of one kind of which the same field changed in the same way."""

    kind: str
    field: str
    old: str
    new: str
    rows: list[tuple[str, Measure | Indicator | None]]
    """The name of each, and itself if it has a page of its own."""


@dataclass(frozen=True)
class Rewording:
    """One reviewed change with a part of those of its lines that a reader asks for.

    ``rest`` is the number of the part that follows, None if this is the last one.
    """

    revision: Revision
    lines: list[Line]
    rest: int | None = None

    @property
    def id(self) -> str:
        return f"revision:{self.revision.code}"

    @property
    def at(self) -> datetime:
        return self.revision.published_at

    @property
    def day(self) -> date:
        return timezone.localdate(self.at)

    @property
    def reason(self) -> str:
        return self.revision.reason

    kind = property(lambda self: _("named, placed or defined anew"))
    before = ""

    @property
    def title(self) -> str:
        """The rows that it is about, the first of them by name."""
        rows = list(dict.fromkeys(line.row for line in self.lines))
        if self.rest:
            return _("%(first)s and others") % {"first": rows[0]}
        if len(rows) == 1:
            return rows[0]
        return _("%(first)s and %(more)d more") % {"first": rows[0], "more": len(rows) - 1}

    @property
    def after(self) -> str:
        told = [
            f"{line.row} · {line.field}: {line.old or '—'} → {line.new or '—'}"
            for line in self.lines
        ]
        return pgettext("between filters", "; ").join([*told, "…"] if self.rest else told)

    @property
    def address(self) -> str:
        """The page of the one row that it is about, where that has one."""
        rows = {line.subject for line in self.lines}
        row = _with_page(rows.pop()) if len(rows) == 1 and not self.rest else None
        return row.get_absolute_url() if row else ""

    @property
    def alike(self) -> list[Alike]:
        """The lines; of those that say the same of several rows, one."""
        found: dict[tuple, Alike] = {}
        for line in self.lines:
            key = line.model, line.field, line.old, line.new
            found.setdefault(key, Alike(*key, [])).rows.append((line.row, _with_page(line.subject)))
        return list(found.values())


def _with_page(row: Model | None) -> Measure | Indicator | None:
    return row if isinstance(row, Indicator | Measure) else None


def rewordings_of(row: Measure | Indicator, until: datetime) -> list[Rewording]:
    """What ``row`` was ever called, placed or defined anew before ``until``, newest first.

    A query, and if there are any one for each kind of row that they name.
    """
    found = Revision.objects.published_between(None, until)
    # Every entry of the list names its row, and a code has no character that JSON escapes.
    found = found.annotate(text=Cast("changes", TextField())).filter(text__contains=f'"{row.code}"')
    return _of(found, {(row._meta.label_lower, row.code)}, until)


def revisions_of(
    since: datetime | None, until: datetime, **place
) -> tuple[QuerySet, set[Subject] | None]:
    """Reviewed changes from ``since`` (None: ever) to before ``until``, newest first, and the
    subjects that one of a place has to name (see ``named_in``)."""
    rows = Revision.objects.published_between(since, until).order_by("-published_at", "-pk")
    subjects = subjects_of(**place)
    if subjects is not None and len(subjects) <= FEW:
        named = (Q(text__contains=f'"{code}"') for _model, code in subjects)
        rows = rows.annotate(text=Cast("changes", TextField())).filter(reduce(or_, named))
    return rows, subjects


def named_in(changes: list[dict], subjects: Container[Subject]) -> bool:
    """Whether one of a revision's ``changes`` is about one of ``subjects``."""
    return any(_subject(change) in subjects for change in changes)


def rewordings_in(
    pks: list[int], until: datetime, subjects: Container[Subject] | None = None
) -> list[Rewording]:
    """What the revisions with these keys say of ``subjects``, or of everything that is public
    before ``until`` if None, newest first; a query, and one for each kind of row that they name."""
    return _of(Revision.objects.filter(pk__in=pks), subjects, until)


def part_of(revisions: QuerySet, number: int, until: datetime) -> Rewording | None:
    """The part of that number, from 1, of what the one revision that ``revisions`` finds says of
    public rows, or the next one that says anything; None if there is none."""
    found = _of(revisions, None, until, number)
    return found[0] if found else None


def _of(found: QuerySet, subjects, until: datetime, number: int = 1) -> list[Rewording]:
    last = timezone.localdate(until - timedelta.resolution)
    waiting = {
        revision: [
            change
            for change in revision.changes
            if subjects is None or _subject(change) in subjects
        ]
        for revision in found.order_by("-published_at", "-pk")
    }
    order, kept = list(waiting), {}
    # A change of which the first lines are not public is looked through until one is.
    while waiting:
        start, end = (number - 1) * LINES, number * LINES
        parts = {revision: changes[start:end] for revision, changes in waiting.items()}
        lines = lines_of(list(chain(*parts.values())), partial(_hide, day=last))
        hidden, told = _not_public(lines, last), iter(lines)
        number += 1
        for revision, part in parts.items():
            own = [line for line in islice(told, len(part)) if line.subject not in hidden]
            has_rest = len(waiting[revision]) > end
            if own:
                kept[revision] = Rewording(revision, own, number if has_rest else None)
            if own or not has_rest:
                del waiting[revision]
    return [kept[revision] for revision in order if revision in kept]


def _subject(change: dict) -> Subject:
    return change["model"], change["code"]


def _hide(rows: dict[str, dict], day: date) -> None:
    """Other words for the measures and indicators that a change names, but that are not public.

    Any other row that a public one names is public by that.
    """
    for model in (Measure, Indicator):
        named = rows.get(model._meta.label_lower, {})
        if named:
            public = model.objects.once_published(day).order_by().filter(code__in=named)
            for code in named.keys() - set(public.values_list("code", flat=True)):
                named[code] = HIDDEN


def _not_public(lines: list[Line], day: date) -> set:
    """The rows that changes speak of, but that are not public on ``day``."""
    rows = {line.subject for line in lines if isinstance(line.subject, Model)}
    hidden = {HIDDEN}
    # The end of today has not come yet.
    as_of = day if day < timezone.localdate() else None
    for model in {type(row) for row in rows} - {Measure, Indicator}:
        known = getattr(model.objects, "once_published", getattr(model.objects, "published", None))
        if known:
            codes = {row.code for row in rows if type(row) is model}
            public = known(as_of).order_by().filter(code__in=codes)
            public = set(public.values_list("code", flat=True))
            hidden |= {row for row in rows if type(row) is model and row.code not in public}
    return hidden


def subjects_of(
    *, opinion=None, section=None, department=None, measure=None, indicator=None
) -> set[Subject] | None:
    """The rows of a place, whose wordings its feed tells; None: everything."""
    if indicator:
        return {_named(indicator)}
    if measure:
        return {_named(measure), *_all(measure.indicators)}
    if section:
        place = {"theme__section": section}
        own = {_named(section), *_all(section.themes)}
    elif opinion:
        place = {"theme__section__opinion": opinion}
        own = {_named(opinion)}
        own |= _all(Section.objects.filter(opinion=opinion))
        own |= _all(Theme.objects.filter(section__opinion=opinion))
        own |= _all(Report.objects.filter(opinion=opinion))
        own |= _all(Plan.objects.filter(opinion=opinion))
    elif department:
        place = {"lead": department}
        own = {_named(department)}
    else:
        return None
    measures = Measure.objects.filter(**place)
    return own | _all(measures) | _all(Indicator.objects.filter(measure__in=measures.order_by()))


def _named(row: Model) -> Subject:
    return row._meta.label_lower, row.code


def _all(rows) -> set[Subject]:
    label = rows.model._meta.label_lower
    return {(label, code) for code in rows.order_by().values_list("code", flat=True)}
