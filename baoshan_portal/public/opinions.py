"""The opinions side by side: which one a page speaks of, and the switch between them."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Count, OuterRef, QuerySet, Subquery, prefetch_related_objects
from django.db.models.functions import Coalesce
from django.http import Http404
from django.utils import timezone

from measures.models import Measure, Opinion, Report
from measures.models.documents import issued_reports
from measures.past import past
from measures.prepared import prepared
from metrics import facts
from metrics.models import Indicator

from .as_of import not_yet_public


def known_on(as_of: date | None) -> list[Opinion]:
    """The opinions that were there on ``as_of`` (today if None), each with its reports; two
    queries.

    One whose day is not known is there as soon as something of it is public. Those of today where
    none was there yet, so that a page of a day before everything says what it waits for; a query
    more.
    """
    opinions, on = _public(as_of=as_of), as_of or timezone.localdate()
    if as_of and not opinions:
        opinions = _public(as_of=None)
    prefetch_related_objects(opinions, issued_reports())
    return [row for row in opinions if (begun_on(row) or on) <= on] or opinions


@prepared
def _public(*, as_of):
    return Opinion.objects.published(as_of).order_by("pk")


def begun_on(opinion: Opinion) -> date | None:
    """The day of issue, otherwise that of the first report; None if neither is known."""
    return opinion.issued_on or min(
        (report.issued_on for report in opinion.reports.all()), default=None
    )


def why_missing(code: str, as_of: date | None) -> Http404:
    """The answer to whoever asks for an opinion that is not known on the day ``as_of``."""
    with past(None):
        row = Opinion.objects.published().with_reports().filter(code=code).first()
    since = row and begun_on(row)
    if row is None or as_of is None or since is None:
        return Http404()
    return not_yet_public(as_of, since)


def reports_by(opinion: Opinion, on: date) -> list[Report]:
    """The reports that were issued by ``on``, the newest first; the earliest if none was yet."""
    reports = list(opinion.reports.all())
    return [report for report in reports if report.issued_on <= on] or reports[-1:]


def newest(opinions: list[Opinion], on: date) -> Opinion | None:
    """The opinion of which something was heard last: issued, or answered by a report."""

    def last_heard(opinion: Opinion) -> date:
        days = [report.issued_on for report in opinion.reports.all() if report.issued_on <= on]
        if opinion.issued_on and opinion.issued_on <= on:
            days.append(opinion.issued_on)
        return max(days, default=date.min)

    # Of two of one day the one entered last; the first of all where nothing is known of any.
    known = [row for row in opinions if last_heard(row) > date.min]
    return max(known, key=lambda row: (last_heard(row), row.pk)) if known else _first(opinions)


def _first(opinions: list[Opinion]) -> Opinion | None:
    return opinions[0] if opinions else None


@dataclass(frozen=True)
class Way:
    """An opinion as the switch lists it, with what is public of it: counts, never an average."""

    opinion: Opinion
    is_shown: bool
    reports: list[Report]
    measures: int
    indicators: int
    with_value: int


def switch(opinions: list[Opinion], shown: Opinion, on: date, as_of: date | None) -> list[Way]:
    """The opinions (see ``known_on``) with the state of each, one query; nothing where there is
    one."""
    if len(opinions) < 2:
        return []
    counted = Opinion.objects.annotate(**_counts(as_of)).in_bulk([row.pk for row in opinions])
    return [
        Way(
            row,
            row == shown,
            reports_by(row, on),
            counted[row.pk].measure_count,
            counted[row.pk].indicator_count,
            counted[row.pk].value_count,
        )
        for row in opinions
    ]


def _counts(as_of: date | None) -> dict:
    """Annotations: how many measures, indicators, and of these with a value, are public."""
    indicators = Indicator.objects.published(as_of)
    to_opinion = "theme__section__opinion"
    return {
        "measure_count": _count(Measure.objects.published(as_of), to_opinion),
        "indicator_count": _count(indicators, f"measure__{to_opinion}"),
        "value_count": _count(indicators.filter(facts.has_value(as_of)), f"measure__{to_opinion}"),
    }


def _count(rows: QuerySet, to_opinion: str) -> Coalesce:
    rows = rows.filter(**{to_opinion: OuterRef("pk")}).order_by().values(to_opinion)
    return Coalesce(Subquery(rows.annotate(n=Count("pk")).values("n")), 0)
