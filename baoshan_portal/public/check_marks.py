"""The results of the checks that an indicator takes part in: the mark beside its figure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from django.utils.translation import pgettext

from metrics.assessment import CheckState, assess_check, indicators_in
from metrics.models import NEWEST_FIRST, Check, CheckTerm, Observation, by_check
from metrics.rules.checks import Result

from .remembered import already_remembered, remembered

#: Under which name the marks of a day are remembered.
MARKS = "check marks"
#: What asks for an explanation stands first.
SEVERITY = [Result.FAILS, Result.QUESTION, Result.APPROXIMATE, Result.UNKNOWN, Result.HOLDS]

#: The results that a reader is shown beside a figure; the others call for nothing.
ASKING = frozenset({Result.FAILS, Result.QUESTION})


def by_indicator(states: Iterable[CheckState]) -> dict[int, list[Result]]:
    """The results of the checks that each indicator takes part in, the gravest first, each once.

    An indicator that is in no check is not among the keys.
    """
    return _by_indicator(map(_result, states))


def states_of(indicators: Iterable[int], as_of: date | None, *related: str) -> list[CheckState]:
    """Every check that was public on ``as_of`` (today if None) and in which one of ``indicators``
    (by their keys) takes part, with its result.

    Two queries, one less than ``assess_checks``, so that packs keep to their number; ``related``
    is what is loaded of their terms besides.
    """
    theirs = CheckTerm.objects.filter(indicator__in=indicators).values("check_of")
    checks = Check.objects.published(as_of, few=True).filter(pk__in=theirs).by_their_terms(*related)
    values = Observation.objects.published(as_of).filter(indicator__in=indicators_in(checks))
    known = values.by_indicator()
    return [assess_check(check, known) for check in checks]


class _Value(NamedTuple):
    """What a check reads of a value: a row of the table would bring a dozen columns besides."""

    pk: int
    indicator_id: int
    value: Decimal
    qualifier: str
    as_written: str
    period_start: date | None
    period_end: date


@dataclass(slots=True)
class _Unit:
    """As the other three: what a result needs of a row, of which there are tens of thousands."""

    quantity: str
    factor: Decimal


@dataclass(slots=True)
class _Figure:
    kind: str
    unit: _Unit


@dataclass(slots=True, eq=False)
class _Check:
    pk: int
    code: str
    kind: str
    comparable: bool
    loaded_terms: list["_Term"] = field(default_factory=list)


@dataclass(slots=True)
class _Term:
    pk: int | None
    role: str
    earlier: bool
    check_of: _Check
    indicator_id: int
    indicator: _Figure


class CheckResult(NamedTuple):
    """What came of a check, without what it says."""

    pk: int
    code: str
    result: Result
    indicators: tuple[int, ...]


def results_of_day(as_of: date | None) -> list[CheckResult]:
    """Every check that was public on ``as_of`` (today if None), in their order; two queries."""
    checks = by_check(_terms_of_day(as_of))
    values = Observation.objects.published(as_of).filter(indicator__in=indicators_in(checks))
    known = defaultdict(list)
    for row in values.order_by(*NEWEST_FIRST).values_list(*_Value._fields):
        value = _Value(*row)
        known[value.indicator_id].append(value)
    return [_result(assess_check(check, known)) for check in checks]


def _terms_of_day(as_of: date | None) -> list[_Term]:
    """The terms of every public check, check by check; one query."""
    public = Check.objects.published(as_of).order_by()
    rows = CheckTerm.objects.filter(check_of__in=public).values_list(
        "pk", "role", "earlier",
        "check_of", "check_of__code", "check_of__kind", "check_of__comparable",
        "indicator", "indicator__kind",
        "indicator__unit__quantity", "indicator__unit__factor",
    )  # fmt: skip
    terms, check = [], None
    for pk, role, earlier, key, code, kind, comparable, indicator, counted, *unit in rows:
        if check is None or check.pk != key:
            check = _Check(key, code, kind, comparable)
        terms.append(_Term(pk, role, earlier, check, indicator, _Figure(counted, _Unit(*unit))))
    return terms


def _result(state: CheckState) -> CheckResult:
    indicators = tuple(term.indicator_id for term, _value in state.terms)
    return CheckResult(state.check.pk, state.check.code, state.outcome.result, indicators)


def results_of_page(request) -> list[CheckResult]:
    """``results_of_day`` of the day that the page speaks of."""
    return remembered(request, "check results", lambda: results_of_day(request.as_of))


def of_day(as_of: date | None) -> dict[int, list[Result]]:
    """``by_indicator`` of every check that was public on ``as_of`` (today if None)."""
    return _by_indicator(results_of_day(as_of))


def _by_indicator(results: Iterable[CheckResult]) -> dict[int, list[Result]]:
    found = defaultdict(set)
    for one in results:
        for key in one.indicators:
            found[key].add(one.result)
    return {key: sorted(results, key=SEVERITY.index) for key, results in found.items()}


def of_page(request) -> dict[int, list[Result]]:
    """``of_day`` of the day that the page speaks of, asked for once however many marks it has."""
    if not hasattr(request, "check_marks"):
        request.check_marks = remembered(
            request, MARKS, lambda: _by_indicator(results_of_page(request))
        )
    return request.check_marks


def of_shown(request, indicators: Iterable[int]) -> dict[int, list[Result]]:
    """``of_page`` for the ``indicators`` (by their keys) that the page shows, and no others: two
    queries, whatever else there is to check; none where all are known already."""
    request.check_marks = already_remembered(request, MARKS)
    if request.check_marks is None:
        request.check_marks = by_indicator(states_of(indicators, request.as_of))
    return request.check_marks


def that_ask(results: Iterable[Result]) -> list[Result]:
    """Those that a reader is shown beside a figure: one that holds would be read as a verdict."""
    return [result for result in results if result in ASKING]


def asking(request, indicator) -> list[Result]:
    """The results for ``indicator`` that a reader is shown beside its name."""
    return that_ask(of_page(request).get(indicator.pk, []))


def words(results: list[Result]) -> str:
    """The results for a file, where no icon stands: does not hold; holds. Empty without any."""
    return pgettext("between filters", "; ").join(str(result.label) for result in results)
