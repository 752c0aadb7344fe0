"""The page of checks: every relation between figures and what comes of it."""

from collections import Counter

from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from metrics.assessment import assess_check
from metrics.models import Check
from metrics.rules.checks import Result

from . import check_marks
from .as_of import BadQuery


def page(request):
    """Every relation between figures, with what comes of it; ``?result=`` shows one kind."""
    states = [
        assess_check(check)
        for check in Check.objects.published(request.as_of).with_terms(request.as_of)
    ]
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
    }
    return render(request, "public/checks.html", context)
