"""What is known of every figure: how far it can be checked, and how new it is.

One reading serves the filters of the list of indicators and the counts that lead there, so that a
count and its list agree. It comes from the ``summaries``, of a past day for what was not touched
since; all else comes from the rows.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from operator import attrgetter
from typing import NamedTuple

from django.db.models import (
    Case,
    Count,
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
from django.utils import timezone

from measures.models import Measure, Report, Section, Theme
from measures.submission import end_of_day

from . import kept_days
from .models import Indicator, NoFigure, Observation, Target
from .rules.choices import Frequency, Freshness
from .rules.freshness import Timeliness, newest_due, timeliness
from .summary_tables import NO_TARGET, PUBLISHED, UNPUBLISHED
from .touched import touched_since

#: The name of what ``kept_days`` keeps of it.
KEPT_AS = "facts"


@dataclass(frozen=True, slots=True)
class Facts:
    """``value``: it has a public one; ``newest``: the last day of its newest period that was
    reported, None if none was; ``fresh``: by the days of grace that stood on the day, and
    ``missed``, how many periods fell due after the newest.

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
    missed: int = 0

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


def read(measures: dict[int, int], as_of: date | None = None) -> dict[int, Read]:
    """Of each indicator, given by its key with that of its measure, what its rows said on ``as_of``
    (today if None); four queries.

    Of its values an index names those that matter: the others are not looked at.
    """
    asked = {"indicator__in": [*measures]}
    values = Observation.objects.published(as_of).filter(indicator=OuterRef("pk")).order_by()
    last_published = values.order_by("-published_at").values("published_at")
    newest = values.reported().order_by("-period_end").values("period_end")
    of_values = Indicator.objects.filter(pk__in=[*measures]).order_by().values_list(
        "pk", Subquery(last_published[:1]), Exists(values.filter(period_inferred=True)),
        Subquery(newest[:1]),
    )  # fmt: skip
    told = {key: row for key, *row in of_values}
    targets = Target.objects.published(as_of).filter(**asked).order_by()
    no_figures = NoFigure.objects.published(as_of).filter(**asked).order_by()
    with_value = dict(targets.values_list("indicator").annotate(Count("value")))
    without = dict(no_figures.values_list("indicator").annotate(Max("period_end")))
    first_day_over = _ends_of_first_days(measures.values())
    found = {}
    for key, measure in measures.items():
        published_at, inferred, newest = told.get(key, (None, False, None))
        begins = first_day_over.get(measure)
        found[key] = Read(
            value=published_at is not None,
            # No value is without a report or another source, says a constraint.
            traced=published_at is not None,
            inferred=inferred,
            updated=bool(published_at and begins and published_at >= begins),
            target=_target_state(with_value.get(key)),
            newest=newest,
            without=without.get(key),
        )
    return found


def _ends_of_first_days(measures: Iterable[int]) -> dict[int, datetime]:
    """By each of ``measures`` (keys) the end of the day on which the first report on its opinion
    was issued, if one was; one query."""
    reports = Report.objects.filter(opinion=OuterRef("theme__section__opinion"))
    issued_on = Subquery(reports.order_by("issued_on").values("issued_on")[:1])
    rows = Measure.objects.filter(pk__in={*measures}).order_by().values_list("pk", issued_on)
    return {key: end_of_day(day) for key, day in rows if day}


def _target_state(with_value: int | None) -> str:
    """Of an indicator by how many of its targets have a value; None: it has no target."""
    if with_value is None:
        return NO_TARGET
    return PUBLISHED if with_value else UNPUBLISHED


def columns() -> dict:
    """Annotations on indicators that ``of_rows`` needs, with what is known today; null where no
    summary is."""
    asked = {"measure": "measure_id", "frequency": "frequency", "agreed_on": "schedule_agreed_on"}
    asked |= {name: f"summary__{name}" for name in Read._fields}
    return {f"read_{name}": F(path) for name, path in asked.items()}


def of_rows(rows: Iterable, as_of: date | None, grace_days: int) -> dict[int, Facts]:
    """The ``Facts`` of each of ``rows``, which have ``pk`` and ``columns``, on ``as_of`` (today if
    None), by its key; four queries for those of which no summary holds, and one on a past day, and
    what ``kept_days`` says."""
    by_key = {row.pk: row for row in rows}

    def known(keys: list[int]) -> dict[int, tuple]:
        return _known([by_key[key] for key in keys], as_of)

    def work_out(keys: list[int]) -> dict[int, Read]:
        return read({key: by_key[key].read_measure for key in keys}, as_of)

    told = kept_days.of(KEPT_AS, as_of, by_key, known, work_out, _of_json)
    judge = _judge(as_of, grace_days)
    return {row.pk: judge(told[row.pk], row.read_frequency, row.read_agreed_on) for row in rows}


def _known(rows: list, as_of: date | None) -> dict[int, tuple]:
    """What the summaries say of those ``rows`` of which they hold on ``as_of``, by their keys."""
    found = {row.pk: told for row in rows if (told := _read_of(row))[0] is not None}
    if as_of and found:
        may_differ = _may_differ(as_of)
        found = {row.pk: found[row.pk] for row in rows if row.pk in found and not may_differ(row)}
    return found


def of(
    indicators: QuerySet, as_of: date | None, grace_days: int, *fields: str
) -> list[tuple[tuple, Facts]]:
    """Each of ``indicators`` as a row with ``pk`` and ``fields``, and its ``Facts``; one query, and
    what ``of_rows`` asks."""
    return beside(rows_of(indicators, *fields), as_of, grace_days)


def rows_of(indicators: QuerySet, *fields: str) -> QuerySet:
    """Rows with ``pk``, ``fields`` and ``columns`` of ``indicators``, in any order."""
    asked = columns()
    return indicators.order_by().annotate(**asked).values_list("pk", *fields, *asked, named=True)


def beside(rows: Iterable, as_of: date | None, grace_days: int) -> list[tuple[tuple, Facts]]:
    """Each of ``rows`` (see ``of_rows``) with its ``Facts``."""
    known = of_rows(rows, as_of, grace_days)
    return [(row, known[row.pk]) for row in rows]


def _may_differ(as_of: date) -> Callable[..., bool]:
    """Whether ``read`` may say another of a row with ``columns`` today than on ``as_of``; one
    query."""
    touched = _touched(as_of)
    if touched is None:
        return lambda row: True
    indicators, measures = touched
    return lambda row: row.pk in indicators or row.read_measure in measures


def _touched(as_of: date) -> tuple[set[int], set[int]] | None:
    """The indicators and the measures, by their keys, of which ``read`` may say another today than
    on ``as_of``; None: all. One query."""
    of_every, of_one = (Report, Section, Theme), (Indicator, Observation, Target, NoFigure)
    found = touched_since(end_of_day(as_of), Measure, *of_every, *of_one)
    if any(found[model] for model in of_every):
        return None
    return set().union(*(found[model] for model in of_one)), found[Measure]


def unknown(as_of: date | None) -> Q:
    """Of which indicators nothing is known on ``as_of`` (today if None) but by their rows; one
    query on a past day."""
    missing = Q(summary__isnull=True)
    if as_of is None:
        return missing
    touched = _touched(as_of)
    if touched is None:
        return ~Q(pk__in=[])
    indicators, measures = touched
    return missing | Q(pk__in=indicators) | Q(measure__in=measures)


def _of_json(told: list) -> Read:
    *others, newest, without = told
    return Read(*others, _day(newest), _day(without))


@lru_cache(maxsize=5_000)
def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


_read_of = attrgetter(*(f"read_{name}" for name in Read._fields))


#: The ``Facts`` that are so or not.
YES_OR_NO = ("value", "traced", "inferred", "updated")


def fresh(as_of: date | None, grace_days: int) -> Case:
    """``Facts.fresh`` on ``as_of`` (today if None), of indicators of which a summary holds:
    ``timeliness`` in the database's words."""
    on = as_of or timezone.localdate()
    in_time = Q()
    for frequency in Frequency:
        if due := newest_due(frequency, on, grace_days):
            told = Q(summary__newest__gte=due) | Q(summary__without__gte=due)
            in_time |= Q(told, frequency=frequency)
    return Case(
        When(summary__newest=None, summary__without=None, then=Value(Freshness.NEVER)),
        When(frequency=Frequency.ONCE, then=Value(Freshness.ONCE)),
        When(in_time, then=Value(Freshness.CURRENT)),
        When(summary__newest=None, then=Value(Freshness.NEVER)),
        When(schedule_agreed_on__lte=on, then=Value(Freshness.LATE)),
        default=Value(Freshness.SILENT),
    )


def has_value(as_of: date | None) -> Q:
    """A condition on indicators: whether one had a public value on ``as_of`` (today if None)."""
    values = Observation.objects.published(as_of).filter(indicator=OuterRef("pk"))
    if as_of:
        return Q(Exists(values))
    return Q(summary__value=True) | Q(Exists(values), summary__isnull=True)


class Counted:
    """The ``Facts`` of many, without what tells how far they can be checked: the database counts
    those that it knows, and only the others are looked at one by one.

    ``fields`` are all that is asked of an indicator. One query and what ``of`` asks for what is not
    known, and one more on a past day.
    """

    def __init__(self, indicators: QuerySet, as_of: date | None, grace_days: int, *fields: str):
        self._fields, self._fresh = fields, fresh(as_of, grace_days)
        self._judge = _judge(as_of, grace_days)
        self._unknown = of(indicators.filter(unknown(as_of)), as_of, grace_days, *fields)
        keys = [row.pk for row, _facts in self._unknown]
        self._known = indicators.filter(summary__isnull=False).exclude(pk__in=keys).order_by()

    def by(self, *fields: str) -> list[tuple[tuple, Facts, int]]:
        """How many are alike: the values of these ``fields``, ``Facts`` and a number; the same may
        come again. One query."""
        found = [
            (tuple(getattr(row, name) for name in fields), facts, 1) for row, facts in self._unknown
        ]
        size = len(_SUMMARY)
        rows = self._known.values_list(*_SUMMARY, *fields).annotate(n=Count("pk"))
        return found + [(row[size:-1], self._facts(row[:size]), row[-1]) for row in rows]

    def late(self) -> list[tuple[tuple, Facts]]:
        """Each that is overdue, as a row with ``pk`` and all fields; one query."""
        found = [(row, facts) for row, facts in self._unknown if facts.fresh == Freshness.LATE]
        rows = self._known.alias(fresh=self._fresh).filter(fresh=Freshness.LATE)
        for row in rows.values_list("pk", *self._fields, *_SUMMARY, named=True):
            found.append((row, self._facts(row[-len(_SUMMARY) :])))
        return found

    def _facts(self, told: Sequence) -> Facts:
        value, target, newest, without, frequency, agreed_on = told
        read = Read(value, None, None, None, target, newest, without)
        return self._judge(read, frequency, agreed_on)


#: What ``Counted`` reads of an indicator of which a summary holds.
_SUMMARY = (
    "summary__value", "summary__target", "summary__newest", "summary__without", "frequency",
    "schedule_agreed_on",
)  # fmt: skip


def _judge(as_of: date | None, grace_days: int) -> Callable[..., Facts]:
    """What makes ``Facts`` of the day out of what was read of an indicator.

    Thousands of them report as often, and reported last, as each other.
    """
    on = as_of or timezone.localdate()

    @cache
    def on_the_day(
        frequency: str, newest: date | None, without: date | None, agreed_on: date | None
    ) -> Timeliness:
        return timeliness(
            frequency,
            newest,
            on,
            grace_days=grace_days,
            agreed_on=agreed_on,
            no_figure_end=without,
        )

    def judge(told: tuple, frequency: str, agreed_on: date | None) -> Facts:
        value, traced, inferred, updated, target, newest, without = told
        due = on_the_day(frequency, newest, without, agreed_on)
        return Facts(value, due.state, newest, traced, inferred, updated, target, due.missed)

    return judge


def facts_of(row: Indicator, timeliness: Timeliness) -> Facts:
    """What follows from the ``public_values`` of ``row`` alone."""
    newest = row.reported.period_end if row.reported else None
    value = row.latest is not None
    return Facts(value, timeliness.state, newest, missed=timeliness.missed)
