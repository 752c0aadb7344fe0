"""What can be concluded about an indicator: joins its rows with the arithmetic of ``progress``.

Page, admin and file all ask here, so they cannot disagree.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from measures.models import Opinion
from measures.numerals import rounded
from measures.thresholds import Thresholds

from .models import Check, CheckTerm, Indicator, Observation, Target, Unit
from .rules import progress
from .rules.alignment import Series, align
from .rules.baseline import Baseline, Stated, baseline, last_before
from .rules.checks import (
    ASK,
    INCOMPLETE,
    NOT_COMPARABLE,
    NOT_OF_ONE_TIME,
    CheckKind,
    CheckOutcome,
    Figure,
    Result,
    Role,
    evaluate,
    last_digit,
)
from .rules.choices import Verdict
from .rules.freshness import Timeliness, timeliness
from .rules.periods import Period, gaps, is_same_period, year_before
from .rules.progress import Answer
from .wording import figure_text


@dataclass(frozen=True)
class Assessment:
    """The state of one indicator on one day.

    ``completion`` is value ÷ target, ``progress`` the way done since the ``baseline``; both in
    %, and both of ``latest`` only if it is not just expected.
    """

    latest: Observation | None
    target: Target | None
    baseline: Baseline | None
    completion: Answer
    progress: Answer
    verdict: Verdict
    time_used: Answer
    timeliness: Timeliness

    @property
    def contradicts_claim(self) -> bool:
        """Whether the verdict speaks against what the source claims of the target."""
        return self.target is not None and self.verdict.contradicts(self.target.claim)


def assess(
    indicator: Indicator, target: Target | None, on: date, thresholds: Thresholds | None = None
) -> Assessment:
    """The state of ``indicator`` on ``on`` against ``target``; None means that it has no target.

    Needs ``with_latest`` or ``with_history``. ``thresholds`` are those that stood on ``on``, None
    where they were loaded with ``indicator``.
    """
    thresholds = thresholds or indicator.thresholds
    latest, reported = indicator.latest, indicator.reported
    begins = None
    if target is None:
        completion = way_done = Answer(reason=progress.NO_TARGET)
    else:
        begins = baseline_of(indicator, reported, target, target.value_before)
        value = reported.value if reported else None
        terms = {"comparator": target.comparator}
        completion = progress.completion(value, target.value, **terms)
        way_done = progress.progress(
            value, target.value, **terms, baseline=begins.value if begins else None
        )
    return Assessment(
        latest=latest,
        target=target,
        baseline=begins,
        completion=completion,
        progress=way_done,
        verdict=_verdict(indicator, reported, target, begins, on, thresholds.tolerance_points),
        time_used=progress.time_used(*_span(target), on),
        timeliness=timeliness_of(indicator, on, thresholds),
    )


def judge(indicator: Indicator, target: Target, tolerance_points: int) -> Callable[[date], Verdict]:
    """What says the verdict on ``target`` on any day if nothing else is public; needs ``assess``'s
    rows, and neither thresholds nor periods without a figure."""
    reported = indicator.reported
    begins = baseline_of(indicator, reported, target, target.value_before)
    return lambda on: _verdict(indicator, reported, target, begins, on, tolerance_points)


def baseline_of(
    indicator: Indicator, now: Observation | None, target: Target, before: Stated | None
) -> Baseline | None:
    """From what the way to ``target`` is measured; ``before`` is the value when its plan began."""
    return baseline(
        indicator.kind,
        stated=target.baseline,
        start=target.plan.start_on,
        now=(now.period_start, now.period_end) if now else None,
        before=before,
    )


def verdict_of(
    indicator: Indicator,
    values: Sequence[Observation],
    target: Target,
    on: date,
    *,
    tolerance_points: int,
) -> Verdict:
    """What can be concluded on ``on`` if ``values`` are those that are public, newest first."""
    begins = baseline_from(indicator, values, target)
    reported = newest_reported(values)
    return _verdict(indicator, reported, target, begins, on, tolerance_points)


def baseline_from(
    indicator: Indicator, values: Sequence[Observation], target: Target
) -> Baseline | None:
    """``baseline_of`` where all public ``values`` are at hand, newest first."""
    before = last_before(values, target.plan.start_on)
    return baseline_of(indicator, newest_reported(values), target, before)


def newest_reported(values: Sequence[Observation]) -> Observation | None:
    """The first of ``values`` that is not only expected."""
    return next((value for value in values if value.is_reported), None)


def _verdict(
    indicator: Indicator,
    reported: Observation | None,
    target: Target | None,
    begins: Baseline | None,
    on: date,
    tolerance_points: int,
) -> Verdict:
    start, due = _span(target)
    return progress.verdict(
        value=reported.value if reported else None,
        target_exists=target is not None,
        target=target.value if target else None,
        comparator=target.comparator if target else "",
        baseline=begins.value if begins else None,
        claim=target.claim if target else "",
        start=start,
        due=due,
        on=on,
        kind=indicator.kind,
        frequency=indicator.frequency,
        qualifier=reported.qualifier if reported else "",
        tolerance_points=tolerance_points,
    )


def _span(target: Target | None) -> tuple[date | None, date | None]:
    """When the way to ``target`` begins and when it is due."""
    if target is None:
        return None, None
    return target.plan.start_on, target.due_day


def timeliness_of(
    indicator: Indicator, on: date, thresholds: Thresholds | None = None
) -> Timeliness:
    """Whether ``indicator`` was reported when due, as of ``on``; needs ``latest``.

    That there is no figure for a period counts as a report. ``thresholds`` as in ``assess``. Gaps
    are counted where ``public_values`` are loaded.
    """
    reported = indicator.reported
    values = getattr(indicator, "public_values", ())
    return timeliness(
        indicator.frequency,
        reported.period_end if reported else None,
        on,
        grace_days=(thresholds or indicator.thresholds).grace_days,
        agreed_on=indicator.schedule_agreed_on,
        gaps=len(unexplained(indicator, gaps_of(indicator, values))),
        no_figure_end=max((end for _start, end in indicator.periods_without_figure), default=None),
    )


def gaps_of(indicator: Indicator, values: Iterable[Observation]) -> list[Period]:
    """The periods for which none of ``values`` was reported, between the first and the last."""
    known = [(value.period_start, value.period_end) for value in values if value.is_reported]
    return gaps(indicator.kind, indicator.frequency, known)


def unexplained(indicator: Indicator, missing: Iterable[Period]) -> list[Period]:
    """Those of ``missing`` for which nobody said that there is no figure."""
    said = indicator.periods_without_figure
    return [
        gap
        for gap in missing
        if not any(is_same_period(indicator.kind, gap, period) for period in said)
    ]


#: From a figure in a check to its opinion
OPINION_OF_TERM = "indicator__measure__theme__section__opinion"
#: Values by the key of their indicator, newest first.
Values = Mapping[int, Sequence[Observation]]
#: A figure in a check with the value that it stands for; None if there is none.
Valued = tuple[CheckTerm, Observation | None]


@dataclass(frozen=True)
class CheckState:
    """One check with its outcome, and the value that each of its terms stands for.

    ``is_of_one_time``: false where these are the newest for want of a time that all have in common.
    """

    check: Check
    outcome: CheckOutcome
    terms: list[Valued]
    is_of_one_time: bool = True

    @property
    def relation(self) -> CheckKind:
        """What was checked: growth itself, where the number before has become public."""
        knows_before = any(term.role == Role.BEFORE for term, _value in self.terms)
        if self.check.kind == CheckKind.BASE and knows_before:
            return CheckKind.GROWTH
        return CheckKind(self.check.kind)

    @property
    def opinions(self) -> list[Opinion]:
        """The opinions of its figures; needs ``OPINION_OF_TERM`` loaded."""
        found = {term.indicator.measure.theme.section.opinion for term, _value in self.terms}
        return sorted(found, key=lambda opinion: opinion.pk)

    @property
    def unit(self) -> Unit:
        """The unit of the outcome: the stated rate's, the whole's, or the first's."""
        units = {term.role: term.indicator.unit for term, _value in self.terms}
        role = Role.NOW if self.relation == CheckKind.BASE else Role.RATE
        return units.get(role) or units.get(Role.WHOLE) or self.terms[0][0].indicator.unit

    def text(self, value: Decimal | None) -> str:
        """A value of the outcome for a reader, to two decimals; empty if there is none."""
        if value is None:
            return ""
        return figure_text(rounded(value / self.unit.factor), self.unit)

    @property
    def computed_text(self) -> str:
        return self.text(self.outcome.computed)

    @property
    def overlap_text(self) -> str:
        """By how much the parts overlap at least; empty where they need not."""
        return self.text(self.outcome.overlap) if self.outcome.overlap else ""

    @property
    def tolerance_text(self) -> str:
        return self.text(self.outcome.tolerance)


def indicators_in(checks: Iterable[Check]) -> set[int]:
    """The keys of the indicators that ``checks`` (with their terms) compare."""
    return {term.indicator_id for check in checks for term in check.loaded_terms}


def assess_check(check: Check, values: Values, at: Observation | None = None) -> CheckState:
    """Evaluate ``check`` (with its terms) on ``values``.

    It compares the values of the newest time that all figures have in common. Without such a
    time, without a value, or without a figure that the relation needs, the result is unknown and
    the newest values are shown. ``at`` fixes the time: that value alone stands for its indicator.
    """
    terms, are_of_one_time = _terms(check, values, at)
    figures: dict[str, list[Figure | None]] = {}
    for term, observation in terms:
        figure = observation and figure_of(observation, term.indicator.unit)
        figures.setdefault(term.role, []).append(figure)
    try:
        outcome = evaluate(check.kind, figures)
    except KeyError:
        outcome = CheckOutcome(Result.UNKNOWN, reason=INCOMPLETE)
    else:
        if not check.comparable:
            quantities = {term.indicator.unit.quantity for term, _value in terms}
            outcome = _question(outcome, len(quantities) == 1)
        elif not are_of_one_time:
            outcome = CheckOutcome(Result.UNKNOWN, reason=NOT_OF_ONE_TIME)
    return CheckState(check, outcome, terms, are_of_one_time)


def is_settled(state: CheckState, since: date) -> bool:
    """Whether ``state`` is that of all values, if it was assessed on those alone whose period ended
    on ``since`` or later.

    The newest values are among these if there are any. A time that all have in common is looked for
    from the newest on, each with values of its day, of later ones, or of a year before; these are
    at hand as long as what was found is.
    """
    if not state.is_of_one_time or not all(value for _term, value in state.terms):
        return False
    if not state.check.comparable or state.check.kind != CheckKind.BASE:
        return True
    found = {term.role: value for term, value in state.terms}
    # Where the number before may be public, but was not at hand.
    now = found.get(Role.NOW)
    return Role.BEFORE in found or now is None or year_before(now.period_end) >= since


def _question(outcome: CheckOutcome, of_one_quantity: bool) -> CheckOutcome:
    """Of figures that count different things: what contradicts common sense is worth asking."""
    if of_one_quantity and outcome.result == Result.FAILS:
        return CheckOutcome(Result.QUESTION, reason=ASK)
    return CheckOutcome(Result.UNKNOWN, reason=NOT_COMPARABLE)


def figure_of(observation: Observation, unit: Unit) -> Figure:
    """The value as checks compare it: in the base unit, with the range that it stands for."""
    return Figure(
        observation.value * unit.factor,
        observation.qualifier,
        last_digit(observation.as_written, unit.quantity, unit.factor),
    )


def _terms(check: Check, values: Values, at: Observation | None) -> tuple[list[Valued], bool]:
    """Each term of ``check`` with its value at the newest time that all have in common, and True.

    The newest values and False where there is no such time. Where a term has no value at all, or
    the values are not compared, the newest values have to do.
    """
    terms = check.loaded_terms
    known = [_known(term, values, at) for term in terms]
    newest = [_newest(term, rows) for term, rows in zip(terms, known, strict=True)]
    if not check.comparable or not all(newest):
        return list(zip(terms, newest, strict=True)), True
    places = _aligned(check, terms, known)
    if places is None:
        return list(zip(terms, newest, strict=True)), False
    if before := _year_before(check, terms):
        more = [*known, _known(before, values, at)]
        more_places = _aligned(check, [*terms, before], more)
        # Not at an older time, only because the number before is known there.
        if more_places and more_places[:-1] == places:
            terms, known, places = [*terms, before], more, more_places
    found = [rows[place] for rows, place in zip(known, places, strict=True)]
    return list(zip(terms, found, strict=True)), True


def _year_before(check: Check, terms: list[CheckTerm]) -> CheckTerm | None:
    """The number before, if ``check`` leads growth back to it: where it is public, it counts."""
    now = next((term for term in terms if term.role == Role.NOW), None)
    if now is None or check.kind != CheckKind.BASE:
        return None
    before = copy(now)
    before.pk, before.role, before.earlier = None, Role.BEFORE, True
    return before


def _known(term: CheckTerm, values: Values, at: Observation | None) -> Sequence[Observation]:
    if at and at.indicator_id == term.indicator_id and not term.earlier:
        return [at]
    return values.get(term.indicator_id, ())


def _newest(term: CheckTerm, rows: Sequence[Observation]) -> Observation | None:
    """The newest value, or the newest one of an earlier period."""
    if term.earlier:
        rows = [row for row in rows if row.period_end < rows[0].period_end]
    return rows[0] if rows else None


def _aligned(
    check: Check, terms: list[CheckTerm], known: list[Sequence[Observation]]
) -> list[int] | None:
    series = [
        Series(
            term.indicator.kind,
            term.role,
            [(row.period_start, row.period_end) for row in rows],
            term.earlier,
        )
        for term, rows in zip(terms, known, strict=True)
    ]
    return align(check.kind, series)
