"""Some of the ``state_changes`` between two days: only what is shown is worked out.

What may differ is known from a few columns: where nothing was published, defined anew or due in
these days, nothing is judged. What is left is judged in the order of the report, until enough is
found or ``MOST`` were judged; whoever wants the rest reads on from there.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from itertools import islice

from django.db.models import QuerySet
from django.utils import timezone

from measures.models import Threshold, Version, Withdrawal
from measures.submission import end_of_day, stood
from measures.withdrawn import Subject
from metrics.models import CheckTerm, Indicator, Observation, Plan, Target

from .places import Place, Places
from .states import StateChange, changes_of

#: Rows that are judged together.
TOGETHER = 50
#: So many are judged for one page at the most.
MOST = 100


@dataclass(frozen=True)
class Candidate:
    """A target with its versions, or a check, whose state may differ.

    ``is_first``: it was not public on the first day. ``can_trend``: what is known allows that it
    became better or worse.
    """

    key: tuple[str, int]
    pks: tuple[int, ...]
    measure: int
    place: Place
    is_first: bool
    can_trend: bool

    @property
    def order(self) -> tuple:
        return self.place.key, self.key[0] == "check"


def can_trend(row: Candidate) -> bool:
    return row.can_trend and not row.is_first


class States:
    """The changes of states from the end of one day to that of another; ``most`` are judged,
    ``MOST`` if None."""

    def __init__(
        self, first: date, last: date, places: Places | None = None, *, most: int | None = None
    ):
        self.first, self.last, self.now = first, last, timezone.now()
        self.since = min(end_of_day(first), self.now)
        self.until = min(end_of_day(last), self.now)
        self._places = places or Places(self.until)
        self._most = most or MOST
        self._known: dict[tuple, StateChange | None] = {}

    def trend(self, direction: int) -> Iterator[StateChange | None]:
        """What became better (1) or worse (−1), in the order of the report; see ``_judged``."""
        rows = (row for row in self.candidates if can_trend(row))
        found = self._judged(rows)
        return (change for change in found if change is None or change.trend == direction)

    def changed(self, where: Callable[[Candidate], bool]) -> Iterator[StateChange | None]:
        """What differs from a state that was public before; see ``_judged``."""
        return self._judged(row for row in self.candidates if not row.is_first and where(row))

    def told_first(self, where: Callable[[Candidate], bool]) -> list[Candidate]:
        """What had no public state before, to be ``judged``."""
        return [row for row in self.candidates if row.is_first and where(row)]

    def judged(self, rows: Iterable[Candidate]) -> list[StateChange]:
        """Of ``rows`` those that differ, as far as they may be judged."""
        return [change for change in self._judged(rows) if change]

    def _judged(self, rows: Iterable[Candidate]) -> Iterator[StateChange | None]:
        """What differs; None at the end if there is more to judge than may be for one page."""
        rows = iter(rows)
        while some := list(islice(rows, TOGETHER)):
            unknown = [row for row in some if row.key not in self._known]
            if unknown and len(self._known) + len(unknown) > self._most:
                yield None
                return
            if unknown:
                self._judge(unknown)
            yield from filter(None, (self._known[row.key] for row in some))

    def _judge(self, rows: list[Candidate]) -> None:
        self._known |= dict.fromkeys(row.key for row in rows)
        pks: dict[str, list[int]] = {"target": [], "check": []}
        for row in rows:
            pks[row.key[0]] += row.pks
        self._known |= changes_of(self.first, self.last, pks["target"], pks["check"])

    @cached_property
    def candidates(self) -> list[Candidate]:
        """In the order of ``state_changes``; seven queries."""
        return sorted([*self._targets(), *self._checks()], key=lambda row: row.order)

    @cached_property
    def _valued_before(self) -> set[int]:
        """The indicators of which a value was published before these days."""
        return _indicators_of(Observation.objects.published_before(self.since))

    @cached_property
    def _valued_since(self) -> set[int]:
        """Those of which one was published in these days."""
        return _indicators_of(Observation.objects.published_between(self.since, self.until))

    @cached_property
    def _fallen(self) -> dict[tuple[str, str], datetime]:
        """When what is withdrawn was, by kind and code; values are in ``_withdrawn`` of theirs."""
        rows = Withdrawal.objects.published_before(self.until).order_by("-published_at", "-pk")
        kinds = (Subject.INDICATOR, Subject.MEASURE, Subject.CHECK)
        rows = rows.filter(subject_type__in=kinds)
        return {(kind, code): moment for kind, code, moment in rows.values_list(
            "subject_type", "subject_code", "published_at"
        )}  # fmt: skip

    @cached_property
    def _lost(self) -> set[str]:
        """The codes of indicators of which a value was withdrawn in these days."""
        rows = Withdrawal.objects.filter(subject_type=Subject.OBSERVATION)
        rows = rows.published_between(self.since, self.until).order_by()
        return set(rows.values_list("indicator_code", flat=True))

    @cached_property
    def _defined(self) -> set[tuple[str, int]]:
        """Tables and keys of what was defined anew in these days; of thresholds without a key."""
        tables = [model._meta.db_table for model in (Indicator, Plan, Threshold)]
        rows = Version.objects.filter(
            subject_type__in=tables, valid_to__gte=self.since, valid_to__lte=self.until
        )
        return {
            (table, 0 if table == tables[-1] else pk)
            for table, pk in rows.values_list("subject_type", "subject_pk")
        }

    def _is_touched(self, indicator: int) -> bool:
        """Whether it has other values than on the first day."""
        is_new = indicator in self._valued_since
        return is_new or self._places.indicators[indicator].code in self._lost

    def _was_public(self, indicator: int, day: date, moment: datetime) -> bool:
        counted = self._places.indicators.get(indicator)
        if counted is None or self._places.since(indicator) > day:
            return False
        measure = self._places.measures[counted.measure]
        fell = self._fallen.get((Subject.INDICATOR, counted.code)) or self._fallen.get(
            (Subject.MEASURE, measure.code)
        )
        return fell is None or fell >= moment

    def _targets(self) -> Iterator[Candidate]:
        rows = Target.objects.versions(self.until)
        columns = (
            "pk", "indicator", "supersedes", "published_at", "replaced_at", "value", "plan",
            "plan__start_on", "due_on", "plan__end_on",
        )  # fmt: skip
        rows = list(rows.values_list(*columns, named=True))
        origins: dict[int, int] = {}
        for row in sorted(rows, key=lambda row: row.published_at):
            origins[row.pk] = origins.get(row.supersedes, row.pk)
        chains: dict[int, list] = {}
        for row in rows:
            chains.setdefault(origins[row.pk], []).append(row)
        standing = {
            origin: self._standing(chain, self.last, self.until) for origin, chain in chains.items()
        }
        places = {row.pk: place for place, row in enumerate(rows)}
        for origin in sorted(
            filter(standing.get, chains), key=lambda key: places[standing[key].pk]
        ):
            chain, after = chains[origin], standing[origin]
            before = self._standing(chain, self.first, self.since)
            if before is None or self._may_differ(before, after):
                measure = self._places.indicators[after.indicator].measure
                # Without a value nothing but the end of a term says something.
                due = min(row.due_on or row.plan__end_on for row in chain)
                is_known = after.indicator in self._valued_before or self.first > due
                yield Candidate(
                    ("target", origin), tuple(row.pk for row in chain), measure,
                    self._places.measures[measure], before is None,
                    is_known or self._is_defined(after),
                )  # fmt: skip

    def _standing(self, chain: list, day: date, moment: datetime):
        for row in chain:
            if stood(row, moment) and self._was_public(row.indicator, day, moment):
                return row
        return None

    def _may_differ(self, before, after) -> bool:
        if before.pk != after.pk or self._is_defined(after):
            return True
        if after.value is None:
            return False
        due = after.due_on or after.plan__end_on
        is_running = self.first <= due and after.plan__start_on < self.last
        return is_running or self._is_touched(after.indicator)

    def _is_defined(self, row) -> bool:
        return not self._defined.isdisjoint(
            {
                (Indicator._meta.db_table, row.indicator),
                (Plan._meta.db_table, row.plan),
                (Threshold._meta.db_table, 0),
            }
        )

    def _checks(self) -> Iterator[Candidate]:
        terms: dict[tuple[int, str], list[int]] = {}
        columns = CheckTerm.objects.values_list("check_of", "check_of__code", "indicator")
        for check, code, indicator in columns:
            terms.setdefault((check, code), []).append(indicator)
        for (check, code), indicators in terms.items():
            before = self._has_state(code, indicators, self.first, self.since)
            if not self._has_state(code, indicators, self.last, self.until):
                continue
            if before and not any(map(self._is_touched, indicators)):
                continue
            measures = {self._places.indicators[indicator].measure for indicator in indicators}
            measure = min(measures, key=lambda pk: self._places.measures[pk].key)
            yield Candidate(
                ("check", check), (check,), measure, self._places.measures[measure], not before,
                not self._valued_before.isdisjoint(indicators),
            )  # fmt: skip

    def _has_state(self, code: str, indicators: list[int], day: date, moment: datetime) -> bool:
        fell = self._fallen.get((Subject.CHECK, code))
        if fell is not None and fell < moment:
            return False
        return all(self._was_public(indicator, day, moment) for indicator in indicators)


def _indicators_of(values: QuerySet) -> set[int]:
    return set(values.order_by().values_list("indicator", flat=True).distinct())
