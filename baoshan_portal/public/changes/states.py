"""Which states differ between the ends of two days: verdicts on targets, results of checks.

Both days are worked out from one reading of the database, so the cost does not grow with them.
"""

from collections import defaultdict
from copy import copy
from dataclasses import dataclass
from datetime import date, datetime

from django.utils import timezone

from measures.models import Measure
from measures.submission import end_of_day, stood
from measures.withdrawn import withdrawal_columns
from metrics.assessment import assess_check, indicators_in, verdict_of
from metrics.models import (
    Check,
    CheckTerm,
    Target,
    indicator_withdrawal,
)
from metrics.redefinition import Definitions, chain_of, redefinition
from metrics.rules.checks import Result
from metrics.rules.choices import Verdict

from .publications import histories

#: From bad to good; what cannot be told stands on neither ladder.
LADDERS = (
    (Verdict.MISSED, Verdict.BEHIND, Verdict.ON_TRACK, Verdict.MET),
    (Result.FAILS, Result.QUESTION, Result.APPROXIMATE, Result.HOLDS),
)
PLACE = ("indicator__unit__base", "indicator__measure__theme__section")


@dataclass(frozen=True)
class StateChange:
    """``target`` or ``check``, whichever the state is of, and what it was on the two days.

    ``before`` is None where it was not public on the first day. A target's verdict that is better
    by other terms rather than by a value ``is_redefined``, and ``otherwise`` is what it would be
    by the former terms (see ``redefinition``); it may then be the same as before.
    """

    measure: Measure
    target: Target | None
    check: Check | None
    before: Verdict | Result | None
    after: Verdict | Result
    is_redefined: bool = False
    otherwise: Verdict | None = None

    @property
    def trend(self) -> int:
        """1 if it became better, −1 if worse; 0 if nobody can say, or the terms were changed."""
        if not self.is_redefined:
            for ladder in LADDERS:
                if self.before in ladder and self.after in ladder:
                    steps = ladder.index(self.after) - ladder.index(self.before)
                    return (steps > 0) - (steps < 0)
        return 0


def state_changes(first: date, last: date) -> list[StateChange]:
    """What differs at the end of ``last`` from the end of ``first``; four queries, always.

    By the numbers of the measures, targets before checks. A check belongs to the measure of its
    figure that stands first in the report.
    """
    found = _differing(_Known(last), first, last).values()
    return sorted(found, key=lambda change: (change.measure.number_key, change.check is not None))


def changes_of(
    first: date, last: date, targets: list[int], checks: list[int]
) -> dict[tuple[str, int], StateChange]:
    """The ``state_changes`` of the targets, given by the keys of all their versions, and checks
    with these keys; by the kind and the key of the first version. Four queries at the most."""
    return _differing(_Known(last, targets, checks), first, last)


def _differing(known: "_Known", first: date, last: date) -> dict[tuple[str, int], StateChange]:
    before, after = known.states(first), known.states(last)
    redefined = known.redefined(first, last, after)
    return {
        key: StateChange(
            min((row.measure for row in indicators), key=lambda measure: measure.number_key),
            row if isinstance(row, Target) else None,
            row if isinstance(row, Check) else None,
            before[key][2] if key in before else None,
            state,
            key in redefined,
            redefined[key].otherwise if key in redefined else None,
        )
        for key, (row, indicators, state) in after.items()
        if key not in before or before[key][2] != state or key in redefined
    }


class _Known:
    """Targets and checks, all or those of these keys, and the values that decide on them, as known
    by the end of a day."""

    def __init__(
        self, last: date, targets: list[int] | None = None, checks: list[int] | None = None
    ):
        self.now = timezone.now()
        end = min(end_of_day(last), self.now)
        fallen = indicator_withdrawal(end, "indicator__")["withdrawn_at"]
        found = Target.objects.versions(end).annotate(indicator_withdrawn_at=fallen)
        if targets is not None:
            found = found.filter(pk__in=targets)
        self.targets = list(found.select_related("plan", *PLACE))
        check_fell = withdrawal_columns(Check, end, "check_of__code")["withdrawn_at"]
        terms = CheckTerm.objects.annotate(indicator_withdrawn_at=fallen, check_fell_at=check_fell)
        wanted = Check.objects.all() if checks is None else Check.objects.filter(pk__in=checks)
        self.checks = wanted.by_their_terms(*PLACE, terms=terms)
        watched = {target.indicator_id for target in self.targets} | indicators_in(self.checks)
        of_each = histories(watched, end)
        self.values = [value for values in of_each.values() for value in values]
        self.by_key = {target.pk: target for target in self.targets}
        self.definitions = Definitions.of(
            {target.indicator_id for target in self.targets},
            {target.plan_id for target in self.targets},
        )

    def states(self, day: date) -> dict:
        """Row, its indicators and its state on ``day``, by a key that outlives corrections."""
        # What is published later today is not public yet.
        moment = min(end_of_day(day), self.now)
        values = defaultdict(list)
        for value in self.values:
            if stood(value, moment):
                values[value.indicator_id].append(value)
        return self._verdicts(day, moment, values) | self._results(day, moment, values)

    def _verdicts(self, day: date, moment: datetime, values: dict) -> dict:
        found, tolerance = {}, self.definitions.tolerance_points(moment)
        for target in self.targets:
            indicator = target.indicator
            if stood(target, moment) and _is_public(target, day, moment):
                judged = copy(target)
                judged.plan = self.definitions.before(target.plan, moment)
                defined = self.definitions.before(indicator, moment)
                verdict = verdict_of(
                    defined, values[indicator.pk], judged, day, tolerance_points=tolerance
                )
                origin = chain_of(target, self.by_key)[0]
                found["target", origin.pk] = target, [indicator], verdict
        return found

    def redefined(self, first: date, last: date, states: dict) -> dict:
        """The ``redefinition`` of each target of ``states`` whose verdict became better by one
        between the two days, by the same keys."""
        since, until = end_of_day(first), min(end_of_day(last), self.now)
        values = defaultdict(list)
        for value in self.values:
            values[value.indicator_id].append(value)
        found = {}
        for key, (target, indicators, _state) in states.items():
            if not isinstance(target, Target):
                continue
            (indicator,) = indicators
            chain = chain_of(target, self.by_key)
            terms = redefinition(
                chain, indicator, values[indicator.pk], self.definitions,
                on=last, until=until, since=since,
            )  # fmt: skip
            if terms.is_redefined:
                found[key] = terms
        return found

    def _results(self, day: date, moment: datetime, values: dict) -> dict:
        found = {}
        for check in self.checks:
            indicators = [term.indicator for term in check.loaded_terms]
            if not all(_is_public(term, day, moment) for term in check.loaded_terms):
                continue
            if _fell(check.loaded_terms[0].check_fell_at, moment):
                continue
            found["check", check.pk] = check, indicators, assess_check(check, values).outcome.result
        return found


def _is_public(row: Target | CheckTerm, day: date, moment: datetime) -> bool:
    """Whether the indicator of ``row`` was public on ``day``."""
    return row.indicator.was_public(day) and not _fell(row.indicator_withdrawn_at, moment)


def _fell(withdrawn_at: datetime | None, moment: datetime) -> bool:
    return withdrawn_at is not None and withdrawn_at < moment
