"""Pages about the portal itself: method, open data, accessibility."""

from django.conf import settings
from django.shortcuts import render

from measures.chain import newest_checkpoint
from measures.models import Report
from measures.thresholds import Thresholds
from metrics.corrections import revisions_by_department
from metrics.models import Plan

from .open_data import FILES

#: The version of axe-core that the tests run, as the accessibility page names it.
AXE = "4.12.1"


def method(request):
    """How everything is computed, with the thresholds that stood on the day of the page."""
    thresholds = Thresholds.read()
    context = {
        "reports": Report.objects.published(request.as_of),
        "plans": Plan.objects.published(request.as_of),
        "tolerance_points": thresholds.tolerance_points,
        "revisions": revisions_by_department(request.as_of),
        "grace_days": thresholds.grace_days,
        "checkpoint": newest_checkpoint(request.as_of),
        "terms": list(thresholds.terms.items()),
    }
    return render(request, "public/method.html", context)


def data(request):
    """The open-data files and the meaning of their columns."""
    return render(request, "public/data.html", {"files": FILES})


def accessibility(request):
    """What was done and tested so that everybody can read the portal, and what is not known."""
    return render(request, "public/accessibility.html", {"contact": settings.CONTACT, "axe": AXE})
