"""The page of checks: every relation between figures and its result."""

from collections import Counter

from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from metrics.assessment import OPINION_OF_TERM, assess_checks
from metrics.models import Check
from metrics.rules.checks import Result

from . import check_marks
from .as_of import BadQuery


def page(request):
    """Every relation between figures, with its result.

    ``?result=`` shows one kind, ``?opinion=`` those with a figure of one opinion.
    """
    as_of = request.as_of
    states = assess_checks(Check.objects.published(as_of), as_of, OPINION_OF_TERM)
    known = {opinion.code: opinion for state in states for opinion in state.opinions}
    opinion = request.GET.get("opinion", "")
    if opinion:
        if opinion not in known:
            raise BadQuery(_("No check has a figure of such an opinion."))
        states = [state for state in states if known[opinion] in state.opinions]
    states.sort(
        key=lambda state: (
            # One that names no figure yet speaks of no opinion.
            state.opinions[0].pk if state.opinions else 0,
            check_marks.SEVERITY.index(state.outcome.result),
        )
    )
    counts = Counter(state.outcome.result for state in states)
    chosen = request.GET.get("result", "")
    if chosen:
        if chosen not in Result.values:
            raise BadQuery(_("The portal knows no such result of a check."))
        states = [state for state in states if state.outcome.result == chosen]
    context = {
        "states": states,
        "counts": [(result, counts[result]) for result in Result],
        "total": sum(counts.values()),
        "chosen": chosen,
        "opinion": opinion,
        "opinions": sorted(known.values(), key=lambda row: row.pk) if len(known) > 1 else [],
        "withdrawn": Check.objects.withdrawn(request.as_of),
    }
    return render(request, "public/checks.html", context)
