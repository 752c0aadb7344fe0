"""How many values of each indicator ever became public, and when: counted without looking at each.

Columns for queries of indicators. They come from the ``summaries``: what was published stays so,
whatever becomes of it, and a summary is thrown away when a further value is. What no summary says,
and what one moment parts, is looked up in the index of the values of an indicator.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import (
    Case,
    Count,
    DateTimeField,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils import timezone

from measures.prepared import now

from .models import Indicator, Observation

#: Half of the time that a portal is taken to have stood.
LONG = timedelta(days=5 * 365)


class Moments(NamedTuple):
    """``values`` that ever were public, when the ``first`` became so, how many ``of_first`` at that
    very moment, and when the ``last``; None where there is no value."""

    values: int
    first: datetime | None
    of_first: int
    last: datetime | None


def read(indicators: Iterable[int]) -> dict[int, Moments]:
    """Of each of ``indicators`` (by their keys), whatever is known already; one query."""
    moment = timezone.now()
    rows = Indicator.objects.filter(pk__in=[*indicators]).order_by()
    rows = rows.annotate(first=_first(), last=_last(moment)).values_list(
        "pk",
        _count(published_at__lt=moment),
        "first",
        _count(published_at=OuterRef("first")),
        "last",
    )
    return {key: Moments(*told) for key, *told in rows}


def first_moment() -> Case:
    """When the first value of an indicator became public, null if none did."""
    return _known(F("summary__first"), _first())


def of_first_moment() -> Case:
    """How many values of an indicator became public with the first; needs ``first_moment`` as
    ``first``."""
    return _known(F("summary__of_first"), _count(published_at=OuterRef("first")))


def last_before(moment: datetime) -> Case:
    """When the last value of an indicator before ``moment`` became public, null if none did."""
    return Case(
        When(summary__last__lt=moment, then=F("summary__last")),
        When(summary__first__gte=moment, then=Value(None, DateTimeField())),
        default=_last(moment),
    )


def is_long_ago(moment: datetime) -> bool:
    """Whether more values are likely to have come since ``moment`` than before."""
    return timezone.now() - moment >= LONG


def values_before(moment: datetime, *, long_ago: bool) -> Case:
    """How many values of an indicator became public before ``moment``.

    Where one moment parts them the fewer are counted: if it ``is_long_ago`` those before.
    """
    before = _count(published_at__lt=moment)
    if not long_ago:
        since = _count(published_at__gte=moment, published_at__lt=now())
        before = _known(F("summary__values") - since, before)
    return Case(
        When(summary__last__lt=moment, then=F("summary__values")),
        When(Q(summary__first__gte=moment) | Q(summary__values=0), then=Value(0)),
        default=before,
        output_field=IntegerField(),
    )


def _known(known, otherwise) -> Case:
    return Case(When(summary__isnull=False, then=known), default=otherwise)


def _values(**of) -> QuerySet:
    return Observation.objects.filter(indicator=OuterRef("pk"), **of).order_by()


def _first() -> Subquery:
    rows = _values(published_at__isnull=False).order_by("published_at")
    return Subquery(rows.values("published_at")[:1])


def _last(moment: datetime) -> Subquery:
    rows = _values(published_at__lt=moment).order_by("-published_at")
    return Subquery(rows.values("published_at")[:1])


def _count(**of) -> Coalesce:
    counted = _values(**of).values("indicator").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)
