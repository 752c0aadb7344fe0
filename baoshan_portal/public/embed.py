"""Charts for the pages of others: the one place of the portal that may stand in a frame."""

from csp.decorators import csp_replace
from django.http import Http404
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_exempt

from metrics.corrections import corrections

from .charts.figure import history_figure
from .charts.history import former_values
from .compare import figure_of
from .indicator import load


def framed_anywhere(view):
    """Lets whoever wants to show the answer within a page of theirs; nothing can be done in it."""
    return xframe_options_exempt(csp_replace({"frame-ancestors": ["*"]})(view))


@framed_anywhere
def indicator(request, code):
    """The chart of an indicator; a sentence where it was withdrawn since somebody embedded it."""
    row, values, _targets = load(request, code)
    if row.withdrawn_at:
        return render(request, "public/embed.html", {"withdrawn": row, "page": row})
    figure = history_figure(request, row, former_values(corrections(values)))
    if figure is None:
        raise Http404
    newest = row.latest and row.latest.period_end
    return render(request, "public/embed.html", {"figure": figure, "newest_period": newest})


@framed_anywhere
def compare(request, category, quantity):
    """The figures of one quantity of a category."""
    figure = figure_of(request, category, quantity)
    return render(request, "public/embed.html", {"figure": figure})
