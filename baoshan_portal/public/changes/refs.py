"""Which publications a page or a feed shows, found before any of them is loaded.

A reference costs a few columns, so that a list can be sorted and cut where its rows are many, and
only what is shown becomes a row with a history.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import chain, islice
from operator import attrgetter
from typing import NamedTuple

from django.db import connection
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Collate, Greatest
from django.db.models.lookups import LessThan
from django.utils import timezone

from measures.models import (
    Evaluation,
    Measure,
    MeasureState,
    OpinionStage,
    ProgressNote,
    Revision,
    Withdrawal,
)
from metrics.models import Indicator, NoFigure, Observation, Target

from .committee import told as words_told
from .committee import words_of
from .publications import CARRIERS, loaded, public_since, publications
from .wordings import named_in, revisions_of, rewordings_in, subjects_of

#: What the entries of a kind are called, before the code of the row.
PREFIX = {
    Observation: "observation",
    NoFigure: "no-figure",
    Target: "target",
    ProgressNote: "note",
    MeasureState: "state",
    Withdrawal: "withdrawal",
    Evaluation: "evaluation",
    OpinionStage: "stage",
    Revision: "revision",
}
MODELS = {prefix: model for model, prefix in PREFIX.items()}
#: Up to so many keys are named in a query by themselves.
FEW = 500


class Ref(NamedTuple):
    """One publication: when it became public, its permanent name, and the row that it is."""

    at: datetime
    id: str
    model: type
    pk: int


#: The order of lists and feeds, the newest first to be reversed.
BY_MOMENT = attrgetter("at", "id")


def newest(count: int, until: datetime, **place) -> list[Ref]:
    """The last ``count`` publications of a place before ``until``, newest first: figures, the
    committee's word and new wordings.

    A few queries a kind, none of which reads older rows than it has to.
    """
    found = newest_publications(count, until, **place)
    until = min(until, timezone.now())
    for rows in words_of(**place):
        found += _taken(rows.published_before(until), count)
    found += islice(_revisions(None, until, place), count)
    return sorted(found, key=BY_MOMENT, reverse=True)[:count]


def newest_publications(count: int, until: datetime, **place) -> list[Ref]:
    """The last ``count`` publications of a place."""
    found = chain(*(_newest_of(model, count, until, place) for model in CARRIERS))
    return sorted(found, key=BY_MOMENT, reverse=True)[:count]


def between(
    since: datetime, until: datetime, start: int = 0, stop: int | None = None, **place
) -> list[Ref]:
    """The publications of a place from ``since``, a midnight, to before ``until``, oldest first:
    those from one place of the list to another, None for its end.

    The database sorts what became public when it was published, and gives no more than is asked
    for; as in ``count_between`` all else is read.
    """
    few, parts = _of_words(since, until, place), []
    for model, own, carried in _by_model(since, until, place):
        few += _refs(model, carried)
        rows = own.annotate(kind=_by_byte(Value(PREFIX[model])), name=by_code())
        parts.append(rows.values_list("published_at", "kind", "name", "pk"))
    # As many of the few at the most stand before it.
    left_out = max(0, start - len(few))
    rows = parts[0].union(*parts[1:], all=True).order_by("published_at", "kind", "name")
    rows = rows[left_out:stop]
    found = [Ref(moment, f"{kind}:{code}", MODELS[kind], pk) for moment, kind, code, pk in rows]
    found = sorted([*few, *found], key=BY_MOMENT)
    return found[start - left_out : stop and stop - left_out]


def _by_model(
    since: datetime, until: datetime, place: dict
) -> Iterator[tuple[type, QuerySet, QuerySet]]:
    """Of each kind what ``between`` finds: rows that became public when they were published, and
    those that did with their indicator or measure."""
    day = timezone.localdate(since)
    late = _carriers_since(day, until)
    for model in CARRIERS:
        rows = publications(model, None, until, **place).order_by()
        before = {f"{carrier}__published_on__lt": day for carrier in CARRIERS[model]}
        yield model, rows.filter(published_at__gte=since, **before), rows.filter(late.carry(model))


def _of_words(since: datetime, until: datetime, place: dict) -> list[Ref]:
    """The committee's word and new wordings of ``between``."""
    found = [
        _refs(rows.model, rows.published_between(since, until).order_by())
        for rows in words_of(**place)
    ]
    return [*chain(*found), *_revisions(since, until, place)]


def count_between(since: datetime, until: datetime, before: Ref | None = None, **place) -> int:
    """How many ``between`` finds, or only those older than ``before``.

    The database counts; read is what became public with its indicator or measure, and the few
    kinds that nobody publishes by the thousand.
    """
    few, total = _of_words(since, until, place), 0
    for model, own, carried in _by_model(since, until, place):
        total += (own.filter(_stands_before(before, model)) if before else own).count()
        few += _refs(model, carried)
    key = before and BY_MOMENT(before)
    return total + sum(not key or BY_MOMENT(ref) < key for ref in few)


def _stands_before(ref: Ref, model) -> Q:
    """Whether a row of ``model`` that is public since it was published stands before ``ref``."""
    prefix, code = ref.id.split(":", 1)
    if PREFIX[model] == prefix:
        tie = Q(LessThan(by_code(), Value(code)))
        return Q(published_at__lt=ref.at) | Q(tie, published_at=ref.at)
    comparison = "lte" if PREFIX[model] < prefix else "lt"
    return Q(**{f"published_at__{comparison}": ref.at})


def newest_words(count: int, since: datetime, until: datetime) -> list[Ref]:
    """The last that the committee's office published in these days, newest first."""
    found = [_taken(rows.published_between(since, until), count) for rows in words_of()]
    return sorted(chain(*found), key=BY_MOMENT, reverse=True)[:count]


def newest_revisions(count: int, since: datetime, until: datetime) -> list[Ref]:
    """The last changes of wording in these days, newest first."""
    return list(islice(_revisions(since, until, {}), count))


def entries(refs: list[Ref], until: datetime, **place) -> list:
    """The publications that ``refs`` name, as they are told at ``until``, in the same order.

    Left out are changes of wording that speak of nothing public.
    """
    keys: dict[type, list[int]] = {}
    for ref in refs:
        keys.setdefault(ref.model, []).append(ref.pk)
    told = {}
    for model, pks in keys.items():
        if model is Revision:
            changes = rewordings_in(pks, until, subjects_of(**place))
        elif model in CARRIERS:
            changes = loaded(model, pks, until)
        else:
            (rows,) = (rows for rows in words_of() if rows.model is model)
            changes = words_told(rows.filter(pk__in=pks))
        told |= {change.id: change for change in changes}
    return [told[ref.id] for ref in refs if ref.id in told]


def _newest_of(model, count: int, until: datetime, place: dict) -> list[Ref]:
    rows = publications(model, None, until, **place)
    found = []
    if model is Observation and not place and (oldest := _oldest_of_newest(count, until)):
        found = _taken(rows.filter(published_at__gte=oldest), count, model)
    if len(found) < count:
        found = _taken(rows, count, model)
    if len(found) < count:
        return found
    # The moment of the last one itself, which may have become public later with its carrier.
    oldest = rows.filter(pk__in=[ref.pk for ref in found]).order_by("published_at")
    oldest = oldest.values_list("published_at", flat=True)[0]
    day = timezone.localdate(oldest) + timedelta(days=1)
    carriers = [F(f"{carrier}__published_on") for carrier in CARRIERS[model]]
    since = Greatest(*carriers) if len(carriers) > 1 else carriers[0]
    carried = _carriers_since(day, until).carry(model)
    late = rows.filter(carried, published_at__lte=oldest)
    return list({*found, *_refs(model, late.order_by(since.desc(), by_code().desc())[:count])})


def _oldest_of_newest(count: int, until: datetime) -> datetime | None:
    """When the last ``count`` values before ``until`` began to be published, of public indicators
    or not; None if there are fewer. Without it SQLite looks at the values of one indicator after
    another."""
    moments = Observation.objects.published_before(min(until, timezone.now()))
    moments = moments.order_by("-published_at").values_list("published_at", flat=True)
    return moments[count - 1 : count].first()


class Carriers(NamedTuple):
    """Measures, and indicators that are late themselves or with their measure, by their keys."""

    measures: list[int]
    indicators: list[int] | QuerySet

    def carry(self, model) -> Q:
        """Whether a row of ``model`` stands on one of them."""
        if "indicator" in CARRIERS[model]:
            return Q(indicator__in=self.indicators)
        return Q(**{f"{CARRIERS[model][-1]}__in": self.measures})


def _carriers_since(day: date, until: datetime) -> Carriers:
    """What became public on ``day`` or later, by ``until``; two queries."""
    last = timezone.localdate(until - timedelta.resolution)
    public = {"published_on__gte": day, "published_on__lte": last}
    measures = list(Measure.objects.filter(**public).order_by().values_list("pk", flat=True))
    indicators = Indicator.objects.filter(Q(**public) | Q(measure__in=measures)).order_by()
    # Asked for by itself: that there is none is the rule, and then nothing is read.
    known = list(indicators.values_list("pk", flat=True)[:FEW])
    return Carriers(measures, known if len(known) < FEW else indicators.values("pk"))


def _taken(rows: QuerySet, count: int, model=None) -> list[Ref]:
    rows = rows.order_by("-published_at", by_code().desc())
    return _refs(model or rows.model, rows[:count])


def by_code():
    """The order that Python gives to codes, whatever the database thinks of letters."""
    return _by_byte("code")


def _by_byte(text):
    return Collate(text, "C" if connection.vendor == "postgresql" else "BINARY")


def _refs(model, rows: QuerySet) -> list[Ref]:
    carriers = [f"{carrier}__published_on" for carrier in CARRIERS.get(model, ())]
    prefix = PREFIX[model]
    return [
        Ref(public_since(moment, days), f"{prefix}:{code}", model, pk)
        for pk, code, moment, *days in rows.values_list("pk", "code", "published_at", *carriers)
    ]


def _revisions(since: datetime | None, until: datetime, place: dict):
    """Reviewed changes of wording about a place, newest first, read as far as asked for."""
    rows, subjects = revisions_of(since, until, **place)
    if subjects is None:
        columns = rows.values_list("pk", "code", "published_at").iterator()
        for pk, code, moment in columns:
            yield Ref(moment, f"revision:{code}", Revision, pk)
        return
    columns = rows.values_list("pk", "code", "published_at", "changes").iterator(chunk_size=100)
    for pk, code, moment, changes in columns:
        if named_in(changes, subjects):
            yield Ref(moment, f"revision:{code}", Revision, pk)
