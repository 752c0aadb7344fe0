"""What is known of every figure: how far it can be checked, and how new it is.

One reading serves the filters of the list of indicators and the counts that lead there, so that a
count and its list agree. Today it comes from the ``summaries``, and of a past day from the rows.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from operator import attrgetter
from typing import NamedTuple

from django.db.models import (
    BooleanField,
    Case,
    Exists,
    F,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils import timezone

from measures.models import Report

from .models import NEWEST_FIRST, Indicator, NoFigure, Observation, Target, is_expected
from .rules.choices import Freshness
from .rules.freshness import Timeliness, timeliness
from .summary_tables import NO_TARGET, PUBLISHED, UNPUBLISHED


@dataclass(frozen=True, slots=True)
class Facts:
    """``value``: it has a public one; ``newest``: the last day of its newest period that was
    reported, None if none was; ``fresh``: by the days of grace that stood on the day.

    ``traced``: the newest value names its report or source; ``inferred``: the period of one was
    worked out; ``updated``: one was published after the day on which the first report on its
    opinion was issued. ``target``: ``none`` is public, the value is ``unpublished``, or one was
    ``published``. These are None or ``none`` where only the values were at hand.
    """

    value: bool
    fresh: Freshness
    newest: date | None
    traced: bool | None = None
    inferred: bool | None = None
    updated: bool | None = None
    target: str = NO_TARGET

    @property
    def has_target(self) -> bool:
        return self.target != NO_TARGET


class Read(NamedTuple):
    """What ``Facts`` are made of, as the database reads it: nothing of it depends on the day, as
    long as nothing is published. ``without`` ends the newest period that is said to have no figure.
    """

    value: bool
    traced: bool
    inferred: bool
    updated: bool
    target: str
    newest: date | None
    without: date | None


def expressions(as_of: date | None) -> dict:
    """How each of ``Read`` is read of an indicator from all its rows."""
    values = Observation.objects.published(as_of).filter(indicator=OuterRef("pk")).order_by()
    targets = Target.objects.published(as_of).filter(indicator=OuterRef("pk")).order_by()
    no_figures = NoFigure.objects.published(as_of).filter(indicator=OuterRef("pk")).order_by()
    has_source = Q(report__isnull=False) | ~Q(source_name="")
    with_source = Case(When(has_source, then=True), default=False, output_field=BooleanField())
    newest_source = values.order_by(is_expected(), *NEWEST_FIRST).values(answer=with_source)[:1]
    # From within the query of values, twice out to the indicator.
    reports = Report.objects.filter(opinion=OuterRef("indicator__measure__theme__section__opinion"))
    issued_on = reports.order_by("issued_on").values("issued_on")[:1]
    return {
        "value": Exists(values),
        "traced": Coalesce(Subquery(newest_source), Value(False)),
        "inferred": Exists(values.filter(period_inferred=True)),
        # In the portal's time zone, so that it is the day after which ``end_of_day`` begins.
        "updated": Exists(values.filter(published_at__date__gt=Subquery(issued_on))),
        "target": Case(
            When(Exists(targets.filter(value__isnull=False)), then=Value(PUBLISHED)),
            When(Exists(targets), then=Value(UNPUBLISHED)),
            default=Value(NO_TARGET),
        ),
        "newest": Subquery(_last_of(values.reported())),
        "without": Subquery(_last_of(no_figures)),
    }


def _last_of(rows: QuerySet) -> QuerySet:
    return rows.values("indicator").annotate(last=Max("period_end")).values("last")


def read(indicators: list[int]) -> dict[int, Read]:
    """Of the ``indicators`` (by their keys) what their rows say today; one query."""
    asked = {f"read_{name}": expression for name, expression in expressions(None).items()}
    rows = Indicator.objects.order_by().filter(pk__in=indicators).annotate(**asked)
    return {key: Read(*known) for key, *known in rows.values_list("pk", *asked)}


def columns(as_of: date | None) -> dict:
    """Annotations on indicators by which ``of_rows`` needs no query; null where no summary is."""
    if as_of is None:
        known = {name: F(f"summary__{name}") for name in Read._fields}
    else:
        known = expressions(as_of)
    known |= {"frequency": F("frequency"), "agreed_on": F("schedule_agreed_on")}
    return {f"read_{name}": each for name, each in known.items()}


def of_rows(rows: Iterable, as_of: date | None, grace_days: int) -> dict[int, Facts]:
    """The ``Facts`` of each of ``rows``, which have ``pk`` and ``columns``, on ``as_of`` (today if
    None), by its key; one query for those of which no summary was there."""
    known = {row.pk: _read_of(row) for row in rows}
    if missing := [key for key, told in known.items() if told[0] is None]:
        known |= read(missing)
    judge = _judge(as_of, grace_days)
    return {row.pk: judge(known[row.pk], row.read_frequency, row.read_agreed_on) for row in rows}


def of(
    indicators: QuerySet, as_of: date | None, grace_days: int, *fields: str
) -> list[tuple[tuple, Facts]]:
    """Each of ``indicators`` as a row with ``pk`` and ``fields``, and its ``Facts``; one query, and
    what ``of_rows`` asks."""
    asked = columns(as_of)
    rows = indicators.order_by().annotate(**asked)
    rows = rows.values_list("pk", *fields, *asked, named=True)
    known = of_rows(rows, as_of, grace_days)
    return [(row, known[row.pk]) for row in rows]


_read_of = attrgetter(*(f"read_{name}" for name in Read._fields))


def with_facts(indicators: QuerySet, as_of: date | None, grace_days: int) -> list[Indicator]:
    """``indicators``, each with its ``facts``; one query, and what ``of_rows`` asks."""
    rows = list(indicators.annotate(**columns(as_of)))
    known = of_rows(rows, as_of, grace_days)
    for row in rows:
        row.facts = known[row.pk]
    return rows


def _judge(as_of: date | None, grace_days: int) -> Callable[..., Facts]:
    """What makes ``Facts`` of the day out of what was read of an indicator.

    Thousands of them report as often, and reported last, as each other.
    """
    on = as_of or timezone.localdate()

    @cache
    def state(
        frequency: str, newest: date | None, without: date | None, agreed_on: date | None
    ) -> Freshness:
        told = timeliness(
            frequency,
            newest,
            on,
            grace_days=grace_days,
            agreed_on=agreed_on,
            no_figure_end=without,
        )
        return told.state

    def judge(told: tuple, frequency: str, agreed_on: date | None) -> Facts:
        value, traced, inferred, updated, target, newest, without = told
        fresh = state(frequency, newest, without, agreed_on)
        return Facts(value, fresh, newest, traced, inferred, updated, target)

    return judge


def facts_of(row: Indicator, timeliness: Timeliness) -> Facts:
    """What follows from the ``public_values`` of ``row`` alone."""
    newest = row.reported.period_end if row.reported else None
    return Facts(value=row.latest is not None, fresh=timeliness.state, newest=newest)
