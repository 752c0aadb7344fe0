"""How an opinion stands on a day: all that the front page and what to ask are made of, read once.

As many queries however many rows: indicators, targets, their definitions, values, checks and their
keys, themes, measures, and what the committee said.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import NamedTuple

from django.db.models import F, Q, QuerySet, Subquery

from measures.models import Evaluation, Measure, MeasureState, Opinion, Section, Theme
from measures.prepared import prepared
from measures.submission import moment_of
from measures.thresholds import Thresholds
from metrics import check_results, facts
from metrics.assessment import (
    Assessment,
    CheckState,
    assess,
    assess_check,
    indicators_in,
)
from metrics.check_results import CheckResult
from metrics.courses import load_latest, load_values
from metrics.facts import Facts
from metrics.history import replaced, standing
from metrics.models import (
    PLACE_IN_OPINION,
    CheckTerm,
    Indicator,
    Plan,
    Target,
    by_check,
)
from metrics.redefinition import Redefinition, redefinitions
from metrics.rules.choices import Freshness, Kind, Verdict
from metrics.rules.questions import of_check

from .committee import Evaluations


@dataclass(frozen=True)
class TargetState:
    """A public target, what can be concluded of it, and what became of its terms."""

    target: Target
    state: Assessment
    terms: Redefinition

    @property
    def indicator(self) -> Indicator:
        return self.target.indicator

    @property
    def verdict(self) -> Verdict:
        return self.state.verdict

    @property
    def theme(self) -> Theme:
        return self.indicator.measure.theme


class Figure(NamedTuple):
    """A public indicator by its key, without what it says."""

    pk: int
    measure_id: int
    facts: Facts


@dataclass(frozen=True)
class Standing:
    """What was public of an opinion, or of all if it is None, on the day ``on``.

    ``figures`` are all of its indicators, and ``indicators`` those of which more is told: key
    figures, with all ``public_values``, and with their ``latest`` value what tells their growth,
    has a target, is overdue or is in a check that gives something to ask. ``results`` are those of
    every check, and ``contradictions`` the checks among them that give something to ask. Each
    measure has its ``status``, None where it is not known.
    """

    on: date
    as_of: date | None
    opinion: Opinion | None
    figures: list[Figure]
    indicators: list[Indicator]
    targets: list[TargetState]
    results: list[CheckResult]
    contradictions: list[CheckState]
    measures: list[Measure]

    @property
    def newest_period(self) -> date | None:
        """The last day of the newest period that was reported; None if none was."""
        days = (row.facts.newest for row in self.figures)
        return max((day for day in days if day), default=None)

    @cached_property
    def plans(self) -> list[Plan]:
        """The plans of its targets, the first to begin first."""
        plans = {row.target.plan for row in self.targets}
        return sorted(plans, key=lambda plan: (plan.start_on, plan.pk))


def load(opinion: Opinion | None, thresholds: Thresholds, on: date, as_of: date | None) -> Standing:
    """Ten queries, and some more where not every fact, verdict and result was known."""
    told = facts.beside(_figures(opinion, as_of=as_of), as_of, thresholds.grace_days)
    measures = _measures(opinion, as_of=as_of)
    versions = _versions(opinion, as_of=as_of)
    results = check_results.of_opinion(opinion, as_of)
    asking = [one for one in results if of_check(one.result)]
    more = {row.pk for row, known in told if _has_more_to_tell(row, known)}
    more |= {target.indicator_id for target in versions}
    more |= {key for one in asking for key in one.indicators}
    figures = [Figure(row.pk, row.measure_id, known) for row, known in told]
    # A check may compare figures of another opinion besides.
    more &= {figure.pk for figure in figures}
    rows = _with_facts(_indicators(more, as_of=as_of), figures)
    by_key = _placed(rows, measures)
    load_values([row for row in rows if row.is_key], as_of)
    load_latest([row for row in rows if not row.is_key], as_of)
    return Standing(
        on,
        as_of,
        opinion,
        figures,
        rows,
        _target_states(versions, by_key, thresholds, on, as_of),
        results,
        _contradictions([one.pk for one in asking], by_key, as_of),
        measures,
    )


def _has_more_to_tell(row, known: Facts) -> bool:
    is_growth_of_key = row.kind == Kind.GROWTH and row.basis__is_key
    return row.is_key or is_growth_of_key or known.fresh == Freshness.LATE


def _with_facts(rows: list[Indicator], figures: list[Figure]) -> list[Indicator]:
    """``rows``, which are among ``figures``, each with its ``facts``."""
    known = {figure.pk: figure.facts for figure in figures}
    for row in rows:
        row.facts = known[row.pk]
    return rows


def load_some(
    thresholds: Thresholds,
    on: date,
    as_of: date | None,
    *,
    targets: Collection[int],
    checks: Collection[int],
    indicators: Collection[int],
    measures: Collection[int],
) -> Standing:
    """The same of some targets, checks, indicators and measures of any opinion, by their keys: with
    the targets of the same indicators, with all ``figures`` of the ``measures``, of values with the
    newest, and without any ``results``. As many queries however many rows."""
    aimed_at = Target.objects.filter(pk__in=targets).order_by()
    shown = {*indicators, *aimed_at.values_list("indicator", flat=True)}
    told = facts.of(
        Indicator.objects.published(as_of).filter(Q(pk__in=shown) | Q(measure__in=measures)),
        as_of, thresholds.grace_days, "measure_id",
    )  # fmt: skip
    figures = [Figure(row.pk, row.measure_id, known) for row, known in told]
    some = [row.pk for row in figures if row.pk in shown]
    rows = _asked(some, figures, as_of)
    loaded = _some_measures({*measures, *(row.measure_id for row in rows)}, as_of=as_of)
    by_key = _placed(rows, loaded)
    return Standing(
        on,
        as_of,
        None,
        figures,
        rows,
        _target_states(_some_versions(some, as_of=as_of), by_key, thresholds, on, as_of),
        [],
        _contradictions(checks, by_key, as_of),
        loaded,
    )


def _of_opinion(opinion: Opinion | None, as_of: date | None) -> QuerySet:
    indicators = Indicator.objects.published(as_of)
    return indicators.of_opinion(opinion) if opinion else indicators


@prepared
def _figures(opinion, *, as_of):
    fields = "measure_id", "is_key", "kind", "basis__is_key"
    return facts.rows_of(_of_opinion(opinion, as_of), *fields)


@prepared
def _indicators(keys, *, as_of):
    rows = Indicator.objects.filter(pk__in=keys).select_related("unit__base", "basis")
    return rows.with_thresholds().with_no_figures(as_of).order_by(*PLACE_IN_OPINION)


@prepared
def _versions(opinion, *, as_of):
    return _versions_of_targets(_of_opinion(opinion, as_of), as_of)


@prepared
def _measures(opinion, *, as_of):
    measures = Measure.objects.published(as_of)
    if opinion:
        measures = measures.filter(theme__section__opinion=opinion)
    return with_status(measures.with_place(), as_of)


def _placed(rows: list[Indicator], measures: list[Measure]) -> dict[int, Indicator]:
    """``rows`` by their keys, each with its measure, which is loaded once and not beside each."""
    places = {measure.pk: measure for measure in measures}
    for row in rows:
        # One that became public or was withdrawn between the two questions is asked for by itself.
        if measure := places.get(row.measure_id):
            row.measure = measure
    return {row.pk: row for row in rows}


def _target_states(
    versions: list[Target],
    indicators: dict[int, Indicator],
    thresholds: Thresholds,
    on: date,
    as_of: date | None,
) -> list[TargetState]:
    """What stands of the ``versions`` of targets, with what can be concluded of each."""
    # One whose figure became public between the two questions is told of in a moment.
    versions = [target for target in versions if target.indicator_id in indicators]
    for target in versions:
        target.indicator = indicators[target.indicator_id]
    targets = standing(versions)
    terms = redefinitions(targets, {row.pk: row for row in replaced(versions)}, as_of)
    return [
        TargetState(target, assess(target.indicator, target, on, thresholds), terms[target.pk])
        for target in targets
    ]


def _contradictions(
    checks: Collection[int], indicators: dict[int, Indicator], as_of: date | None
) -> list[CheckState]:
    """Those of ``checks`` (by their keys) that give something to ask, with their terms on
    ``indicators``; two queries, and one more for terms on others."""
    terms = _terms(checks)
    if others := {term.indicator_id for term in terms} - indicators.keys():
        indicators = indicators | {row.pk: row for row in _with_places(others)}
    for term in terms:
        term.indicator = indicators[term.indicator_id]
    found = by_check(terms)
    values = check_results.values_of(indicators_in(found), as_of)
    # A value that came meanwhile may have ended one.
    assessed = (assess_check(check, values) for check in found)
    return [state for state in assessed if of_check(state.outcome.result)]


@prepared
def _terms(checks):
    return CheckTerm.objects.filter(check_of__in=checks).select_related("check_of")


@prepared
def _with_places(indicators):
    return Indicator.objects.filter(pk__in=indicators).with_place()


@prepared
def _some_indicators(keys, *, as_of):
    rows = Indicator.objects.published(as_of).filter(pk__in=keys).order_by(*PLACE_IN_OPINION)
    # Thousands are counted in a dozen units.
    return rows.with_thresholds().with_no_figures(as_of).prefetch_related("unit")


@prepared
def _some_measures(keys, *, as_of):
    measures = Measure.objects.published(as_of).filter(pk__in=keys)
    return with_status(measures.with_place(), as_of)


@prepared
def _some_versions(indicators, *, as_of):
    public = Indicator.objects.published(as_of).filter(pk__in=indicators)
    # Thousands are of a few plans, and no question names where a target was told.
    rows = _versions_of_targets(public, as_of).select_related(None)
    return rows.prefetch_related("plan")


def _asked(keys: list[int], figures: list[Figure], as_of: date | None) -> list[Indicator]:
    """The indicators with these ``keys`` of ``figures`` with what a question says of them: their
    facts and the newest value, and no other; three queries."""
    rows = _some_indicators(keys, as_of=as_of)
    load_latest(rows, as_of)
    return _with_facts(rows, figures)


def _versions_of_targets(indicators: QuerySet, as_of: date | None) -> QuerySet:
    """Every target that was ever public, in the order of the indicators and of its due date."""
    place = (f"indicator__{column}" for column in PLACE_IN_OPINION)
    return (
        Target.objects.filter(indicator__in=indicators)
        .versions(moment_of(as_of))
        .with_value_before(as_of)
        .select_related("plan", "report")
        .order_by(*place, F("due_on").asc(nulls_last=True), "pk")
    )


def with_status(measures: QuerySet, as_of: date | None) -> QuerySet:
    """``measures`` with ``status``, that of the newest public state; None where none is known."""
    status = MeasureState.objects.newest(as_of).values("status")[:1]
    return measures.annotate(status=Subquery(status))


@prepared
def themes_of(opinion, *, as_of):
    """The public themes of an opinion in their order, with section and opinion."""
    themes = Theme.objects.published(as_of).filter(section__opinion=opinion)
    return themes.select_related("section__opinion")


@dataclass(frozen=True)
class SectionThemes:
    """A section with its themes, and how the committee evaluated it, the newest first."""

    section: Section
    themes: Sequence[Theme]
    evaluations: Sequence[Evaluation]


def sections_of(opinion: Opinion, known: Evaluations, as_of: date | None) -> list[SectionThemes]:
    """The public sections of ``opinion`` with their themes; one query.

    Of a section without a public theme nothing but its evaluation is public.
    """
    by_section = defaultdict(list)
    for theme in themes_of(opinion, as_of=as_of):
        by_section[theme.section].append(theme)
    for evaluation in known.of_sections:
        by_section[evaluation.section] += []
    return [
        SectionThemes(
            section,
            by_section[section],
            [row for row in known.of_sections if row.section == section],
        )
        for section in sorted(by_section, key=lambda section: section.order)
    ]
