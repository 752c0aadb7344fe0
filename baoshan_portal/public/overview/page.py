"""The first page: was it done, where is the trouble, and by which figures.

It counts nothing twice and asks the database seventeen questions, however many rows there are.
"""

from collections import Counter
from functools import partial

from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from measures.models import Opinion
from measures.submission import end_of_day
from measures.thresholds import Thresholds
from metrics.rules.choices import Kind, Verdict

from .. import check_marks, committee, opinions
from ..as_of import BadQuery, address, read_day
from ..changes.page import default_since
from ..changes.publications import counts_by_theme
from ..questions.rows import all_of
from ..standing import load, sections_of
from .key_figures import key_figures
from .states import ORDERS, states, trouble_text
from .trust import trust
from .verdict import headline, seen_instead, time_text

#: How many key figures stand above everything else.
FIRST_FIGURES = 4
#: How many questions the front page asks.
GRAVEST = 10


def page(request, code=""):
    """What became of what one opinion asked for.

    The opinion with that code; without one, the newest of the page's day.
    """
    as_of = request.as_of
    on = as_of or timezone.localdate()
    known_opinions = opinions.known_on(as_of)
    opinion = _chosen(known_opinions, code, request)
    if opinion is None:
        return render(request, "public/overview.html", {"opinion": None})
    reports = opinions.reports_by(opinion, on)
    report = reports[0] if reports else None
    since = read_day(request.GET.get("since"), "since") or default_since(report, on)
    if since > on:
        raise BadQuery(
            _("“since” is later than %(day)s, the day that this page speaks of.")
            % {"day": on.isoformat()}
        )
    order = request.GET.get("order", "")
    if order not in ORDERS:
        raise BadQuery(_("The sections can stand in their own order, or the worst first."))
    thresholds = Thresholds.read()
    standing = load(opinion, thresholds, on, as_of)
    new, last_published = counts_by_theme(end_of_day(since), end_of_day(on), opinion)
    evaluations = committee.Evaluations.of(opinion, as_of)
    # Only where there are several does an address name one.
    only = opinion.code if len(known_opinions) > 1 else ""
    link_to = partial(address, request)
    found = states(
        standing, sections_of(opinion, evaluations, as_of), new, link_to, only=only, order=order
    )
    cards = key_figures(
        [row for row in standing.indicators if row.is_key],
        [row for row in standing.indicators if row.kind == Kind.GROWTH and row.basis_id],
        {row.indicator.pk: row.state for row in reversed(standing.targets)},
        check_marks.of_results(standing.results),
    )
    asked = all_of(standing)
    results = Counter(one.result for one in standing.results)
    context = {
        "opinion": opinion,
        "only": only,
        "switch": opinions.switch(known_opinions, opinion, on, as_of),
        "report": report,
        "reports": reports,
        "on": on,
        "newest_period": standing.newest_period,
        "since": since,
        "is_since_report": bool(report) and since == report.issued_on,
        "last_published": last_published,
        "headline": headline(standing),
        "seen_instead": seen_instead(standing),
        "missed": [row for row in standing.targets if row.verdict == Verdict.MISSED],
        "worst": found.worst,
        "trouble": trouble_text(found.worst.of_section.trouble) if found.worst else "",
        "plans": [(plan, time_text(plan, on)) for plan in standing.plans],
        "stages": committee.stages_of(opinion, as_of, thresholds.terms),
        "evaluations": evaluations.of_reports,
        "states": found,
        "order": order,
        "first_figures": cards[:FIRST_FIGURES],
        "more_figures": cards[FIRST_FIGURES:],
        "questions": asked[:GRAVEST],
        "asked": len(asked),
        "trust": trust(
            [row.facts for row in standing.figures],
            results,
            partial(address, request, opinion=only),
        ),
    }
    return render(request, "public/overview.html", context)


def _chosen(known: list[Opinion], code: str, request) -> Opinion | None:
    """The opinion of the page; None if there is none at all.

    Raises NotYetPublic if it came after the page's day, Http404 if there is no such opinion.
    """
    if not code:
        return opinions.newest(known, request.as_of or timezone.localdate())
    found = next((row for row in known if row.code == code), None)
    if found is None:
        raise opinions.why_missing(code, request.as_of)
    return found
