"""Which states differ between the ends of two days: verdicts on targets, results of checks.

Both days are worked out from one reading of the database, so the cost does not grow with them.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime

from django.utils import timezone

from measures.models import Measure
from measures.submission import end_of_day, stood
from measures.withdrawn import withdrawal_columns
from metrics.assessment import assess_check, indicators_in, verdict_of
from metrics.models import (
    NEWEST_FIRST,
    Check,
    CheckTerm,
    Observation,
    Target,
    indicator_withdrawal,
)
from metrics.rules.checks import Result
from metrics.rules.choices import Verdict

PLACE = ("indicator__unit__base", "indicator__measure__theme__section")


@dataclass(frozen=True)
class StateChange:
    """``target`` or ``check``, whichever the state is of, and what it was on the two days.

    ``before`` is None where it was not public on the first day.
    """

    measure: Measure
    target: Target | None
    check: Check | None
    before: Verdict | Result | None
    after: Verdict | Result


def state_changes(first: date, last: date) -> list[StateChange]:
    """What differs at the end of ``last`` from the end of ``first``; four queries, always.

    By the numbers of the measures, targets before checks. A check belongs to the measure of its
    figure that stands first in the report.
    """
    known = _Known(last)
    before, after = known.states(first), known.states(last)
    changes = [
        StateChange(
            min((row.measure for row in indicators), key=lambda measure: measure.number_key),
            row if isinstance(row, Target) else None,
            row if isinstance(row, Check) else None,
            before[key][2] if key in before else None,
            state,
        )
        for key, (row, indicators, state) in after.items()
        if key not in before or before[key][2] != state
    ]
    return sorted(changes, key=lambda change: (change.measure.number_key, change.check is not None))


class _Known:
    """All targets and checks, and the values that decide on them, as known by the end of a day."""

    def __init__(self, last: date):
        self.now = timezone.now()
        end = min(end_of_day(last), self.now)
        fallen = indicator_withdrawal(end, "indicator__")["withdrawn_at"]
        targets = Target.objects.versions(end).annotate(indicator_withdrawn_at=fallen)
        self.targets = list(targets.select_related("plan", *PLACE))
        terms = CheckTerm.objects.annotate(indicator_withdrawn_at=fallen)
        checks = Check.objects.annotate(**withdrawal_columns(Check, end))
        self.checks = list(checks.with_terms(*PLACE, terms=terms))
        watched = {target.indicator_id for target in self.targets} | indicators_in(self.checks)
        values = Observation.objects.filter(indicator__in=watched)
        self.values = list(values.versions(end).order_by(*NEWEST_FIRST))

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
        by_key = {target.pk: target for target in self.targets}
        found = {}
        for target in self.targets:
            indicator = target.indicator
            if stood(target, moment) and _is_public(target, day, moment):
                verdict = verdict_of(indicator, values[indicator.pk], target, day)
                found["target", _origin(target, by_key)] = target, [indicator], verdict
        return found

    def _results(self, day: date, moment: datetime, values: dict) -> dict:
        found = {}
        for check in self.checks:
            indicators = [term.indicator for term in check.loaded_terms]
            if not all(_is_public(term, day, moment) for term in check.loaded_terms):
                continue
            if not indicators or _fell(check.withdrawn_at, moment):
                continue
            found["check", check.pk] = check, indicators, assess_check(check, values).outcome.result
        return found


def _is_public(row: Target | CheckTerm, day: date, moment: datetime) -> bool:
    """Whether the indicator of ``row`` was public on ``day``."""
    return row.indicator.was_public(day) and not _fell(row.indicator_withdrawn_at, moment)


def _fell(withdrawn_at: datetime | None, moment: datetime) -> bool:
    return withdrawn_at is not None and withdrawn_at < moment


def _origin(target: Target, by_key: dict[int, Target]) -> int:
    """The key of the first version of ``target``."""
    while target.supersedes_id in by_key:
        target = by_key[target.supersedes_id]
    return target.pk
