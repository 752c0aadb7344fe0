"""The results of the checks that an indicator takes part in: the mark beside its figure."""

from collections import defaultdict
from collections.abc import Collection, Iterable

from django.utils.translation import pgettext

from metrics import check_results, kept_days
from metrics.assessment import CheckState
from metrics.check_results import CheckResult
from metrics.rules.checks import Result
from metrics.rules.questions import ASKING

from .remembered import already_remembered, remembered

#: Under which name the marks of a day are remembered.
MARKS = "check marks"
#: What asks for an explanation stands first.
SEVERITY = [Result.FAILS, Result.QUESTION, Result.APPROXIMATE, Result.UNKNOWN, Result.HOLDS]


def by_indicator(states: Iterable[CheckState]) -> dict[int, list[Result]]:
    """``of_results`` of checks that were assessed."""
    return of_results(map(check_results.of_state, states))


def of_results(results: Iterable[CheckResult]) -> dict[int, list[Result]]:
    """The results of the checks that each indicator takes part in, the gravest first, each once.

    An indicator that is in no check is not among the keys.
    """
    found = defaultdict(set)
    for one in results:
        for key in one.indicators:
            found[key].add(one.result)
    return {key: sorted(results, key=SEVERITY.index) for key, results in found.items()}


def results_of_page(request) -> list[CheckResult]:
    """Every check that was public on the day that the page speaks of, with its result."""
    return remembered(request, "check results", lambda: check_results.of_day(request.as_of))


def of_page(request) -> dict[int, list[Result]]:
    """``of_results`` of all, asked for once however many marks the page has."""
    if not hasattr(request, "check_marks"):
        request.check_marks = remembered(
            request, MARKS, lambda: of_results(results_of_page(request))
        )
    return request.check_marks


def of_indicators(request, indicators: Collection[int]) -> dict[int, list[Result]]:
    """``of_page`` for ``indicators`` (by their keys), and perhaps for others: a query, whatever
    else there is to check, and one more where not every result is known; none where all are
    remembered or there is no indicator."""
    if not indicators:
        return {}
    if len(indicators) > kept_days.FEW:
        return of_page(request)
    found = already_remembered(request, MARKS)
    if found is None:
        found = of_results(check_results.of_indicators(indicators, request.as_of))
    return found


def of_shown(request, indicators: Collection[int]) -> dict[int, list[Result]]:
    """``of_indicators``, of those that the page shows."""
    return show(request, of_indicators(request, indicators))


def show(request, marks: dict[int, list[Result]]) -> dict[int, list[Result]]:
    """``marks`` as those of the page, which has to show no figure that they were not asked for."""
    request.check_marks = marks
    return marks


def that_ask(results: Iterable[Result]) -> list[Result]:
    """Those that a reader is shown beside a figure: one that holds would be read as a verdict."""
    return [result for result in results if result in ASKING]


def asking(request, indicator) -> list[Result]:
    """The results for ``indicator`` that a reader is shown beside its name."""
    return that_ask(of_page(request).get(indicator.pk, []))


def words(results: list[Result]) -> str:
    """The results for a file, where no icon stands: does not hold; holds. Empty without any."""
    return pgettext("between filters", "; ").join(str(result.label) for result in results)
