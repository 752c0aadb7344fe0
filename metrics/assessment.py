"""What can be concluded about an indicator: joins its rows with the arithmetic of ``progress``.

Page, admin and file all ask here, so they cannot disagree.
"""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from django.conf import settings

from .models import Check, CheckTerm, Indicator, Observation, Target, Unit
from .rules import progress
from .rules.alignment import Series, align
from .rules.checks import (
    INCOMPLETE,
    NOT_COMPARABLE,
    NOT_OF_ONE_TIME,
    CheckKind,
    Figure,
    Outcome,
    Result,
    Role,
    evaluate,
    last_digit,
)
from .rules.choices import Verdict
from .rules.freshness import Timeliness, timeliness
from .wording import figure_text


@dataclass(frozen=True)
class Assessment:
    """The state of one indicator on one day."""

    latest: Observation | None
    target: Target | None
    completion: progress.Answer
    verdict: Verdict
    time_used: progress.Answer
    timeliness: Timeliness

    @property
    def contradicts_claim(self) -> bool:
        """Whether the verdict speaks against what the source claims of the target."""
        return self.target is not None and self.verdict.contradicts(self.target.claim)


def assess(indicator: Indicator, target: Target | None, on: date) -> Assessment:
    """The state of ``indicator`` on ``on`` against ``target``; None means that it has no target.

    Needs ``with_latest``. Completion is in percent, or cannot be said, with the reason.
    """
    latest = indicator.latest
    value = latest.value if latest else None
    wanted = target.value if target else None
    if target is None:
        completion = progress.Answer(reason=progress.NO_TARGET)
    else:
        completion = progress.completion(
            value, wanted, comparator=target.comparator, baseline=target.baseline
        )
    start = target.plan.start_on if target else None
    due = (target.due_on or target.plan.end_on) if target else None
    verdict = progress.verdict(
        value=value,
        target_exists=target is not None,
        target=wanted,
        comparator=target.comparator if target else "",
        baseline=target.baseline if target else None,
        claim=target.claim if target else "",
        start=start,
        due=due,
        on=on,
        kind=indicator.kind,
        frequency=indicator.frequency,
        qualifier=latest.qualifier if latest else "",
        tolerance_points=settings.PACE_TOLERANCE_POINTS,
    )
    return Assessment(
        latest=latest,
        target=target,
        completion=completion,
        verdict=verdict,
        time_used=progress.time_used(start, due, on),
        timeliness=timeliness_of(indicator, on),
    )


def timeliness_of(indicator: Indicator, on: date) -> Timeliness:
    """Whether ``indicator`` was reported when due, as of ``on``; needs ``latest``."""
    latest = indicator.latest
    return timeliness(
        indicator.frequency,
        latest.period_end if latest else None,
        on,
        grace_days=settings.REPORTING_GRACE_DAYS,
    )


@dataclass(frozen=True)
class CheckState:
    """What came of one check: its outcome, and the value that each of its terms stands for."""

    check: Check
    outcome: Outcome
    terms: list[tuple[CheckTerm, Observation | None]]

    @property
    def relation(self) -> CheckKind:
        """What was checked: growth itself, where the number before has become public."""
        knows_before = any(term.role == Role.BEFORE for term, _value in self.terms)
        if self.check.kind == CheckKind.BASE and knows_before:
            return CheckKind.GROWTH
        return CheckKind(self.check.kind)

    @property
    def unit(self) -> Unit:
        """The unit in which the outcome is told: the stated rate's, the whole's, or the first's."""
        units = {term.role: term.indicator.unit for term, _value in self.terms}
        told_in = Role.NOW if self.relation == CheckKind.BASE else Role.RATE
        return units.get(told_in) or units.get(Role.WHOLE) or self.terms[0][0].indicator.unit

    def text(self, value: Decimal | None) -> str:
        """A value of the outcome for a reader, to two decimals; empty if it cannot be told."""
        if value is None:
            return ""
        rounded = (value / self.unit.factor).quantize(Decimal("0.01"), ROUND_HALF_UP)
        return figure_text(rounded, self.unit)

    @property
    def computed_text(self) -> str:
        return self.text(self.outcome.computed)

    @property
    def tolerance_text(self) -> str:
        return self.text(self.outcome.tolerance)


def assess_check(check: Check) -> CheckState:
    """Evaluate ``check`` on the values that are public; needs ``with_terms``.

    One that still lacks a figure which its relation needs cannot be told.
    """
    terms, are_of_one_time = _values_of(check)
    if not check.comparable:
        return CheckState(check, Outcome(Result.UNKNOWN, reason=NOT_COMPARABLE), terms)
    figures: dict[str, list[Figure | None]] = {}
    for term, observation in terms:
        figures.setdefault(term.role, []).append(_figure(term.indicator, observation))
    try:
        outcome = evaluate(check.kind, figures)
    except KeyError:
        outcome = Outcome(Result.UNKNOWN, reason=INCOMPLETE)
    else:
        if not are_of_one_time:
            outcome = Outcome(Result.UNKNOWN, reason=NOT_OF_ONE_TIME)
    return CheckState(check, outcome, terms)


def with_year_before(terms: list[CheckTerm]) -> list[CheckTerm]:
    """The ``terms`` of a check, and if it leads growth back to a number, that number itself."""
    now = next((term for term in terms if term.role == Role.NOW), None)
    if now is None or now.check_of.kind != CheckKind.BASE:
        return terms
    before = CheckTerm(
        check_of=now.check_of, role=Role.BEFORE, indicator=now.indicator, earlier=True
    )
    return [*terms, before]


def _values_of(check: Check) -> tuple[list[tuple[CheckTerm, Observation | None]], bool]:
    """Each term of ``check`` with its value at the newest time that all have in common, and True.

    The newest values and False where there is no such time. Where a term has no value at all, or
    the values are not compared, the newest values have to do.
    """
    terms = check.loaded_terms
    newest = [(term, _newest(term)) for term in terms]
    if not check.comparable or not all(value for _term, value in newest):
        return newest, True
    places = _aligned(check, terms)
    if places is None:
        return newest, False
    more = with_year_before(terms)
    more_places = _aligned(check, more) if len(more) > len(terms) else None
    # Not at an older time, only because the number before is known there.
    if more_places and more_places[:-1] == places:
        terms, places = more, more_places
    values = [
        term.indicator.public_values[place] for term, place in zip(terms, places, strict=True)
    ]
    return list(zip(terms, values, strict=True)), True


def _aligned(check: Check, terms: list[CheckTerm]) -> list[int] | None:
    series = [
        Series(
            term.indicator.kind,
            term.role,
            [(value.period_start, value.period_end) for value in term.indicator.public_values],
            term.earlier,
        )
        for term in terms
    ]
    return align(check.kind, series)


def _newest(term: CheckTerm) -> Observation | None:
    """The newest public value, or the newest one of an earlier period."""
    values = term.indicator.public_values
    if term.earlier:
        values = [value for value in values if value.period_end < values[0].period_end]
    return values[0] if values else None


def _figure(indicator: Indicator, observation: Observation | None) -> Figure | None:
    if observation is None:
        return None
    unit = indicator.unit
    return Figure(
        observation.value * unit.factor,
        observation.qualifier,
        last_digit(observation.as_written, unit.quantity, unit.factor),
    )
