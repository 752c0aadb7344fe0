"""Some of the ``state_changes`` between two days: only what is shown is worked out.

What may differ is known from a few columns: where nothing was published, defined anew or due in
these days, nothing is judged. The database says of which measures that may be; of these it is
looked at in the order of the report, and what is left is judged, until enough is found or ``MOST``
were judged; whoever wants the rest reads on from there.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from itertools import islice

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from measures.models import Threshold, Version, Withdrawal
from measures.submission import end_of_day, stood
from measures.withdrawn import Subject
from metrics.models import CheckTerm, Indicator, Plan, Target

from .places import Counted, Place, Places
from .states import StateChange, changes_of

#: Rows that are judged together.
TOGETHER = 50
#: So many are judged for one page at the most.
MOST = 100
#: Measures that are looked at first where one after the other is, and then twice as many each time.
LOOKED_AT = 20


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
        #: By the key of a measure.
        self._found: dict[int, list[Candidate]] = {}

    def trend(self, direction: int) -> Iterator[StateChange | None]:
        """What became better (1) or worse (−1), in the order of the report; see ``_judged``."""
        found = self._judged(self.that_can_trend())
        return (change for change in found if change is None or change.trend == direction)

    def changed(self, measures: Collection[int]) -> Iterator[StateChange | None]:
        """What differs from a state that was public before, of ``measures`` by their keys; see
        ``_judged``."""
        return self._judged(self.that_may_have_changed(measures))

    def that_can_trend(self) -> Iterator[Candidate]:
        """All that can, in the order of the report, looked at as far as they are read."""
        measures = [key for key in self._places.in_order() if key in self._that_may_trend]
        begin, end = 0, LOOKED_AT
        while begin < len(measures):
            yield from filter(can_trend, self._candidates(measures[begin:end]))
            begin, end = end, 2 * end

    def that_may_have_changed(self, measures: Collection[int]) -> list[Candidate]:
        """What may differ from a state that was public before, of ``measures`` by their keys, to be
        ``judged``."""
        found = self._candidates(self._that_may_change.intersection(measures))
        return [row for row in found if not row.is_first]

    def told_first(self, measures: Collection[int]) -> list[Candidate]:
        """What had no public state before, of ``measures`` by their keys, to be ``judged``."""
        found = self._candidates(self._that_may_begin.intersection(measures))
        return [row for row in found if row.is_first]

    def of_section(self, section: int) -> list[int]:
        """The keys of the measures of a section, given by its key."""
        return [key for key, place in self._places.measures.items() if place.section == section]

    def look_at(self, sections: Collection[int]) -> None:
        """Reads at once what is asked of several sections, given by their keys."""
        of_them = {key for key, place in self._places.measures.items() if place.section in sections}
        if of_them:
            self._candidates(of_them & (self._that_may_change | self._that_may_begin))

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

    def _candidates(self, measures: Collection[int]) -> list[Candidate]:
        """Those of ``measures`` by their keys, in the order of ``state_changes``; five queries for
        those of which none was asked for yet."""
        if unknown := {key for key in measures if key not in self._found}:
            self._found |= {key: [] for key in unknown}
            for row in (*self._targets(unknown), *self._checks(unknown)):
                self._found[row.measure].append(row)
        found = (row for key in measures for row in self._found[key])
        return sorted(found, key=lambda row: row.order)

    @cached_property
    def _that_may_begin(self) -> set[int]:
        """All measures, by their keys, with what may have had no public state before, and some
        more; two queries."""
        return self._measures(*self._may_begin())

    def _may_begin(self) -> tuple[Q, Q]:
        """Conditions on versions of targets, and on terms of checks."""
        is_new = Q(indicator__published_on__gt=self.first) | Q(
            indicator__measure__published_on__gt=self.first
        )
        return is_new | Q(published_at__gte=self.since), is_new

    @cached_property
    def _that_may_change(self) -> set[int]:
        """The same with what may have another state than before; two queries, and two that are
        asked once."""
        return self._measures(*self._may_change())

    @cached_property
    def _that_may_trend(self) -> set[int]:
        """The same with what may have become better or worse; two queries."""
        valued = Q(indicator__summary__isnull=True) | Q(indicator__summary__first__lt=self.since)
        known = CheckTerm.objects.order_by().filter(valued).values("check_of")
        targets, terms = self._may_change()
        over = Q(ends__lt=self.first)
        return self._measures(
            targets & (valued | over | self._anew()), terms & Q(check_of__in=known)
        )

    def _may_change(self) -> tuple[Q, Q]:
        """Conditions on versions of targets, and on terms of checks."""
        touched = Q(indicator__summary__isnull=True) | Q(indicator__summary__last__gte=self.since)
        if self._lost:
            touched |= Q(indicator__code__in=self._lost)
        running = Q(value__isnull=False, ends__gte=self.first, plan__start_on__lt=self.last)
        ended = Q(ended_at__gte=self.since)
        before = Q(
            indicator__published_on__lte=self.first,
            indicator__measure__published_on__lte=self.first,
        )
        may_differ = touched | running | ended | self._anew()
        return Q(published_at__lt=self.since) & before & may_differ, before & touched

    def _anew(self) -> Q:
        """Of versions of targets those of which the terms were defined anew in these days."""
        if self._defined_in(Threshold):
            return ~Q(pk__in=[])
        return Q(indicator__in=self._defined_in(Indicator)) | Q(plan__in=self._defined_in(Plan))

    def _measures(self, targets: Q, terms: Q) -> set[int]:
        """The measures, by their keys, of targets, and of checks with one of these terms."""
        to_measure = "indicator__measure"
        compared = CheckTerm.objects.order_by().filter(check_of__in=_checks_with(terms))
        return {
            *self._aimed_at(targets).values_list(to_measure, flat=True).distinct(),
            *compared.values_list(to_measure, flat=True).distinct(),
        }

    def _aimed_at(self, targets: Q) -> QuerySet:
        """All versions of ``targets``, of which the conditions may name the day that ``ends`` the
        way."""
        rows = Target.objects.published_before(self.until).order_by()
        return rows.annotate(ends=Coalesce("due_on", "plan__end_on")).filter(targets)

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

    def _is_touched(self, counted: Counted) -> bool:
        """Whether it has other values than on the first day."""
        is_new = counted.last is not None and counted.last >= self.since
        return is_new or counted.code in self._lost

    def _is_valued_before(self, counted: Counted) -> bool:
        """Whether a value of it was published before these days."""
        return counted.first is not None and counted.first < self.since

    def _was_public(self, counted: Counted | None, day: date, moment: datetime) -> bool:
        if counted is None:
            return False
        measure = self._places.measures[counted.measure]
        if max(counted.since, measure.since) > day:
            return False
        fell = self._fallen.get((Subject.INDICATOR, counted.code)) or self._fallen.get(
            (Subject.MEASURE, measure.code)
        )
        return fell is None or fell >= moment

    def _targets(self, measures: set[int]) -> Iterator[Candidate]:
        may_differ = self._may_begin()[0] | self._may_change()[0]
        aimed_at = self._aimed_at(may_differ).filter(indicator__measure__in=measures)
        indicators = self._places.indicators(Q(pk__in=aimed_at.values("indicator")))
        rows = Target.objects.versions(self.until).filter(indicator__in=[*indicators])
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
            origin: self._standing(chain, indicators, self.last, self.until)
            for origin, chain in chains.items()
        }
        places = {row.pk: place for place, row in enumerate(rows)}
        for origin in sorted(
            filter(standing.get, chains), key=lambda key: places[standing[key].pk]
        ):
            chain, after = chains[origin], standing[origin]
            counted = indicators[after.indicator]
            before = self._standing(chain, indicators, self.first, self.since)
            if before is None or self._may_differ(before, after, counted):
                # Without a value nothing but the end of a term says something.
                due = min(row.due_on or row.plan__end_on for row in chain)
                is_known = self._is_valued_before(counted) or self.first > due
                yield Candidate(
                    ("target", origin), tuple(row.pk for row in chain), counted.measure,
                    self._places.measures[counted.measure], before is None,
                    is_known or self._is_defined(after),
                )  # fmt: skip

    def _standing(self, chain: list, indicators: dict[int, Counted], day: date, moment: datetime):
        for row in chain:
            counted = indicators.get(row.indicator)
            if stood(row, moment) and self._was_public(counted, day, moment):
                return row
        return None

    def _may_differ(self, before, after, counted: Counted) -> bool:
        if before.pk != after.pk or self._is_defined(after):
            return True
        if after.value is None:
            return False
        due = after.due_on or after.plan__end_on
        is_running = self.first <= due and after.plan__start_on < self.last
        return is_running or self._is_touched(counted)

    def _defined_in(self, model) -> list[int]:
        return [key for table, key in self._defined if table == model._meta.db_table]

    def _is_defined(self, row) -> bool:
        return not self._defined.isdisjoint(
            {
                (Indicator._meta.db_table, row.indicator),
                (Plan._meta.db_table, row.plan),
                (Threshold._meta.db_table, 0),
            }
        )

    def _checks(self, measures: set[int]) -> Iterator[Candidate]:
        terms: dict[tuple[int, str], list[int]] = {}
        may_differ = _checks_with(self._may_begin()[1] | self._may_change()[1])
        of_them = _checks_with(Q(indicator__measure__in=measures))
        rows = CheckTerm.objects.filter(check_of__in=of_them).filter(check_of__in=may_differ)
        columns = rows.values_list("check_of", "check_of__code", "indicator")
        for check, code, indicator in columns:
            terms.setdefault((check, code), []).append(indicator)
        compared = {indicator for some in terms.values() for indicator in some}
        indicators = self._places.indicators(Q(pk__in=compared))
        for (check, code), keys in terms.items():
            counted = [indicators.get(key) for key in keys]
            if not self._has_state(code, counted, self.last, self.until):
                continue
            before = self._has_state(code, counted, self.first, self.since)
            if before and not any(map(self._is_touched, counted)):
                continue
            measure = min(
                (row.measure for row in counted), key=lambda pk: self._places.measures[pk].key
            )
            if measure in measures:
                yield Candidate(
                    ("check", check), (check,), measure, self._places.measures[measure],
                    not before, any(map(self._is_valued_before, counted)),
                )  # fmt: skip

    def _has_state(
        self, code: str, counted: list[Counted | None], day: date, moment: datetime
    ) -> bool:
        fell = self._fallen.get((Subject.CHECK, code))
        if fell is not None and fell < moment:
            return False
        return all(self._was_public(row, day, moment) for row in counted)


def _checks_with(terms: Q) -> QuerySet:
    """The keys of the checks with one of ``terms``."""
    return CheckTerm.objects.order_by().filter(terms).values("check_of")
