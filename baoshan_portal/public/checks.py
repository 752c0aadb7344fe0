"""The page of checks: every relation between figures and its result."""

from collections import Counter

from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from metrics.assessment import assess_checks
from metrics.models import Check
from metrics.rules.checks import Result

from . import check_marks
from .as_of import BadQuery


def page(request):
    """Every relation between figures, with its result; ``?result=`` shows one kind."""
    states = assess_checks(Check.objects.published(request.as_of), request.as_of)
    states.sort(key=lambda state: check_marks.SEVERITY.index(state.outcome.result))
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
        "withdrawn": Check.objects.withdrawn(request.as_of),
    }
    return render(request, "public/checks.html", context)
