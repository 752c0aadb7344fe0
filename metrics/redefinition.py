"""Targets that were set, or what they measure defined, anew: what was first, and what it changed.

A verdict counts as changed by a redefinition if today's values would give a worse one by terms
that were public before: an earlier version of the target, its due date, the plan, the kind of
figure or the tolerance of the pace. What a new scope, unit or basis does to the values cannot be
computed; there the verdict counts as changed if it became better with the first values published
after the new words.
"""

import copy
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from measures.models import Threshold, ThresholdCode, Version
from measures.prepared import prepared
from measures.submission import moment_of, stood

from .assessment import verdict_of
from .history import before
from .models import Indicator, Observation, Plan, Target
from .rules.choices import Verdict
from .rules.redefinition import is_better, slip

#: What decides how the values of an indicator are judged.
JUDGED = ("kind", "frequency")
#: What decides which values it has.
MEANT = ("scope", "kind", "unit_id", "basis_id")
SPAN = ("start_on", "end_on")
TOLERANCE = Threshold._meta.db_table


def redefined_text(terms: "Redefinition") -> str:
    """That the verdict is due to other terms, and what it would be by the former ones, or empty."""
    if not terms.is_redefined:
        return ""
    said = _("The verdict changed because of a redefinition")
    if terms.otherwise is None:
        return said
    former = _("by the former terms: %(verdict)s") % {"verdict": terms.otherwise.label}
    return pgettext("between filters", "; ").join((said, former))


@prepared
def _former(indicators, plans):
    rows = Version.objects.filter(
        Q(subject_type=Indicator._meta.db_table, subject_pk__in=indicators)
        | Q(subject_type=Plan._meta.db_table, subject_pk__in=plans),
        valid_to__isnull=False,
    )
    tolerance = {"subject_type": TOLERANCE, "code": ThresholdCode.PACE_TOLERANCE}
    return rows | Version.objects.filter(**tolerance)


class Definitions:
    """What indicators and plans said before they were defined anew, and the tolerance by when."""

    def __init__(self, rows: Iterable[Version] = ()):
        self._former = defaultdict(list)
        for row in rows:
            self._former[row.subject_type, row.subject_pk].append(row)

    @classmethod
    def of(cls, indicators: Collection[int], plans: Collection[int]) -> "Definitions":
        """Of these rows, given by keys; one query."""
        return cls(_former(indicators, plans))

    def tolerance_points(self, moment: datetime) -> int:
        """The tolerance of the pace that stood just before ``moment``, in percentage points."""
        return next(row.content["value"] for row in self._tolerances if _stood(row, moment))

    def tolerance_moments(self) -> list[datetime]:
        """When the tolerance of the pace became another one."""
        return [row.valid_to for row in self._tolerances if row.valid_to]

    @cached_property
    def _tolerances(self) -> list[Version]:
        return next((rows for key, rows in self._former.items() if key[0] == TOLERANCE), [])

    def moved(self, indicator: int, plan: int) -> bool:
        """Whether the words of the indicator or the plan (by their keys), or the tolerance, ever
        were others."""
        keys = (Indicator._meta.db_table, indicator), (Plan._meta.db_table, plan)
        return any(key in self._former for key in keys) or bool(self.tolerance_moments())

    def moments(self, row: Indicator | Plan) -> list[datetime]:
        """When ``row`` began to say something else."""
        return [version.valid_to for version in self._versions(row)]

    def before(self, row, moment: datetime):
        """``row`` as it stood just before ``moment``."""
        for version in self._versions(row):
            if _stood(version, moment):
                return _as(row, version.content)
        return row

    def _versions(self, row) -> list[Version]:
        return self._former.get((row._meta.db_table, row.pk), [])


def _stood(version: Version, moment: datetime) -> bool:
    """Whether it is what stood just before ``moment``."""
    begun = version.valid_from is None or version.valid_from < moment
    return begun and (version.valid_to is None or moment <= version.valid_to)


def _as(row: Indicator | Plan, content: dict):
    """A copy of ``row`` that says what decides on a verdict as ``content`` has it."""
    found = copy.copy(row)
    if isinstance(row, Plan):
        for name in SPAN:
            setattr(found, name, date.fromisoformat(content[name]))
    else:
        for name in {*JUDGED, *MEANT}:
            setattr(found, name, content[name])
    return found


@dataclass(frozen=True)
class Redefinition:
    """What became of the terms of a target since it was first public.

    ``first_due`` and ``due`` count the end of the plan where no date is published. ``otherwise``
    is the verdict by the newest terms before that would give a worse one than today's; None
    where it is ``is_redefined`` by words whose effect cannot be computed, or not at all.
    """

    target: Target
    first: Target
    first_due: date
    due: date
    is_redefined: bool = False
    otherwise: Verdict | None = None

    @property
    def slip(self) -> int:
        return slip(self.first_due, self.due)

    @property
    def has_first(self) -> bool:
        """Whether an earlier version or another due date is to be told."""
        return self.first is not self.target or self.slip != 0


def chain_of(target: Target, earlier: Mapping[int, Target]) -> list[Target]:
    """All versions of ``target`` that were public, the first one first."""
    return [*reversed(before(target, earlier)), target]


def redefinition(
    chain: Sequence[Target],
    indicator: Indicator,
    values: Sequence[Observation],
    definitions: Definitions,
    *,
    on: date,
    until: datetime,
    since: datetime | None = None,
) -> Redefinition:
    """What became of the terms of a target (see ``chain_of``) until ``until``, judged on ``on``.

    ``values`` are all ``versions`` of the indicator, newest first. The plans of the chain need to
    be loaded. Only what changed after ``since`` (None: ever) counts.
    """
    terms, target = _Terms(chain, indicator, values, definitions), chain[-1]
    begun = chain[0].published_at
    first_plan = definitions.before(chain[0].plan, begun + timedelta.resolution)
    last_plan = definitions.before(target.plan, until)
    known = Redefinition(
        target, chain[0], chain[0].due_on or first_plan.end_on, target.due_on or last_plan.end_on
    )
    since = max(since, begun) if since else begun
    moments = [moment for moment in terms.moments() if since <= moment < until]
    if not moments:
        return known
    now = terms.verdict(until, values_at=until, on=on)
    for moment in sorted(moments, reverse=True):
        otherwise = terms.verdict(moment, values_at=until, on=on)
        if is_better(now, otherwise):
            return _flagged(known, otherwise)
        if terms.means_other(moment) and terms.became_better(moment, until, now):
            return _flagged(known, None)
    return known


def set_anew(targets: QuerySet) -> QuerySet:
    """Those of ``targets`` whose terms ever were others, of which alone there may be a
    ``redefinition``; one query."""
    tables = Indicator._meta.db_table, Plan._meta.db_table, TOLERANCE
    moved = Version.objects.filter(subject_type__in=tables, valid_to__isnull=False).exclude(
        ~Q(code=ThresholdCode.PACE_TOLERANCE), subject_type=TOLERANCE
    )
    keys = defaultdict(list)
    for table, key in moved.order_by().values_list("subject_type", "subject_pk").distinct():
        keys[table].append(key)
    if keys[TOLERANCE]:
        return targets
    indicators, plans = (keys[table] for table in tables[:2])
    return targets.filter(
        Q(supersedes__isnull=False) | Q(indicator__in=indicators) | Q(plan__in=plans)
    )


def _flagged(known: Redefinition, otherwise: Verdict | None) -> Redefinition:
    return Redefinition(known.target, known.first, known.first_due, known.due, True, otherwise)


@dataclass(frozen=True)
class _Terms:
    """By what a target was judged at any moment."""

    chain: Sequence[Target]
    indicator: Indicator
    values: Sequence[Observation]
    definitions: Definitions

    def moments(self) -> set[datetime]:
        found = {target.published_at for target in self.chain[1:]}
        found.update(self.definitions.moments(self.indicator))
        found.update(self.definitions.tolerance_moments())
        for plan in {target.plan for target in self.chain}:
            found.update(self.definitions.moments(plan))
        return found

    def verdict(self, moment: datetime, *, values_at: datetime, on: date) -> Verdict:
        """By the terms just before ``moment``, on the values just before ``values_at``."""
        rows = [row for row in self.chain if row.published_at < moment]
        target = copy.copy(rows[-1])
        target.plan = self.definitions.before(target.plan, moment)
        indicator = self.definitions.before(self.indicator, moment)
        values = [value for value in self.values if stood(value, values_at)]
        tolerance = self.definitions.tolerance_points(moment)
        return verdict_of(indicator, values, target, on, tolerance_points=tolerance)

    def means_other(self, moment: datetime) -> bool:
        """Whether the words of ``moment`` changed what the indicator counts."""
        old = self.definitions.before(self.indicator, moment)
        new = self.definitions.before(self.indicator, moment + timedelta.resolution)
        return any(getattr(old, name) != getattr(new, name) for name in MEANT)

    def became_better(self, moment: datetime, until: datetime, now: Verdict) -> bool:
        """Whether the first values published from ``moment`` on gave, and ``now`` still is, a
        better verdict than before."""
        news = [v.published_at for v in self.values if moment <= v.published_at < until]
        if not news:
            return False
        first = min(news)
        on = timezone.localdate(first)
        old = self.verdict(moment, values_at=moment, on=on)
        after = first + timedelta.resolution
        new = self.verdict(after, values_at=after, on=on)
        return is_better(new, old) and is_better(now, old)


def redefinitions(
    targets: Iterable[Target], earlier: Mapping[int, Target], as_of: date | None
) -> dict[int, Redefinition]:
    """The ``redefinition`` of each public target of a list, by its key.

    Two queries: one for definitions, and one for the values of what was ever set anew, if anything
    was.
    """
    targets, moment = list(targets), moment_of(as_of)
    chains = {target.pk: chain_of(target, earlier) for target in targets}
    plans = {row.plan_id for chain in chains.values() for row in chain}
    definitions = Definitions.of([target.indicator_id for target in targets], plans)
    anew = {
        target.indicator_id
        for target in targets
        if len(chains[target.pk]) > 1 or definitions.moved(target.indicator_id, target.plan_id)
    }
    rows = Observation.objects.filter(indicator__in=anew).versions(moment)
    values = rows.by_indicator() if anew else {}
    return {
        target.pk: redefinition(
            chains[target.pk],
            target.indicator,
            values.get(target.indicator_id, ()),
            definitions,
            on=as_of or timezone.localdate(),
            until=moment,
        )
        for target in targets
    }
