"""The page of checks: every relation between figures and its result."""

from collections import Counter

from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from measures.models import Opinion
from metrics import check_results
from metrics.assessment import OPINION_OF_TERM
from metrics.models import Check, Indicator
from metrics.rules.checks import Result

from .as_of import BadQuery
from .check_marks import SEVERITY, CheckResult, results_of_page
from .numbered import PER_PAGE, numbered
from .remembered import remembered


def page(request):
    """Every relation between figures, with its result.

    ``?result=`` shows one kind, ``?opinion=`` those with a figure of one opinion, ``?check=`` the
    numbered page that has it.
    """
    results = results_of_page(request)
    opinions_of = remembered(request, "opinions of checks", lambda: _opinions_of(results))
    opinions = Opinion.objects.in_bulk({key for keys in opinions_of.values() for key in keys})
    known = {opinion.code: opinion for opinion in opinions.values()}
    opinion = request.GET.get("opinion", "")
    if opinion:
        if opinion not in known:
            raise BadQuery(_("No check has a figure of such an opinion."))
        results = [one for one in results if known[opinion].pk in opinions_of[one.pk]]
    # One that names no figure yet speaks of no opinion.
    results = sorted(
        results, key=lambda one: (min(opinions_of[one.pk], default=0), SEVERITY.index(one.result))
    )
    counts = Counter(one.result for one in results)
    chosen = request.GET.get("result", "")
    if chosen:
        if chosen not in Result.values:
            raise BadQuery(_("The portal knows no such result of a check."))
        results = [one for one in results if one.result == chosen]
    asked = request.GET.get("check", "")
    place = next((n for n, one in enumerate(results) if one.code == asked), 0)
    shown = numbered(request, results, PER_PAGE, holding=place)
    context = {
        "states": _states(shown.page.object_list, request.as_of),
        "table": shown,
        "counts": [(result, counts[result]) for result in Result],
        "total": sum(counts.values()),
        "chosen": chosen,
        "opinion": opinion,
        "opinions": sorted(known.values(), key=lambda row: row.pk) if len(known) > 1 else [],
        "withdrawn": Check.objects.withdrawn(request.as_of),
    }
    return render(request, "public/checks.html", context)


def _opinions_of(results: list[CheckResult]) -> dict[int, set[int]]:
    """The keys of the opinions whose figures each check compares; one query."""
    opinion_of = dict(
        Indicator.objects.filter(check_terms__isnull=False)
        .order_by()
        .values_list("pk", "measure__theme__section__opinion")
    )
    return {one.pk: {opinion_of[key] for key in one.indicators} for one in results}


def _states(results: list[CheckResult], as_of) -> list:
    keys = [one.pk for one in results]
    states = check_results.states_of(keys, as_of, OPINION_OF_TERM)
    return sorted(states, key=lambda state: keys.index(state.check.pk))
