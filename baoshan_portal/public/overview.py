"""The first page: what was asked for, the key figures, and how far they can be trusted.

It counts nothing twice and asks the database thirteen questions, however many rows there are,
and two more for the switch where there are several opinions.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from functools import partial

from django.db.models import Prefetch, Q
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from measures.models import Opinion, Section, Theme
from measures.submission import end_of_day
from measures.thresholds import Thresholds
from metrics.assessment import assess_check, indicators_in
from metrics.last_change import LastChange, last_change, stated_growth, year_on_year
from metrics.models import Check, Indicator, Observation, Plan
from metrics.rules.checks import Result
from metrics.rules.choices import Freshness, Kind
from metrics.rules.progress import time_used

from . import check_marks, committee, opinions
from .as_of import BadQuery, address, read_day
from .changes.page import default_since
from .changes.publications import counts_by_theme
from .quality import facts


def page(request, code=""):
    """What one opinion asked for, its key figures, and how far they can be trusted.

    The opinion with that code; without one, the newest of the page's day.
    """
    as_of = request.as_of
    on = as_of or timezone.localdate()
    known_opinions = opinions.known_on(on)
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
    thresholds = Thresholds.beside(opinion)
    known = facts(as_of, opinion, thresholds.grace_days)
    new, last_published = counts_by_theme(end_of_day(since), end_of_day(on), opinion)
    keys, checks = key_figures_and_checks(as_of, opinion)
    sections = sections_of(opinion, known, new, as_of)
    # Only where there are several does an address name one.
    only = opinion.code if len(known_opinions) > 1 else ""
    context = {
        "opinion": opinion,
        "only": only,
        "switch": opinions.switch(known_opinions, opinion, as_of, on),
        "report": report,
        "reports": reports,
        "on": on,
        "newest_period": max((row["newest"] for row in known if row["newest"]), default=None),
        "since": since,
        "is_since_report": bool(report) and since == report.issued_on,
        "last_published": last_published,
        "plans": [
            (plan, time_used(plan.start_on, plan.end_on, on).value)
            for plan in Plan.objects.published().filter(opinion=opinion)
        ],
        "stages": committee.stages_of(opinion, as_of, thresholds.terms),
        "evaluations": committee.evaluations_of_reports(opinion, as_of),
        "sections": sections,
        "total": Counts.total(section.counts for section in sections),
        "key_figures": keys,
        "trust": trust(known, checks, partial(address, request, opinion=only)),
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


@dataclass(frozen=True)
class Counts:
    """``with_value`` of the ``indicators``; ``new``: publications since the chosen day."""

    measures: int = 0
    indicators: int = 0
    with_value: int = 0
    new: int = 0

    @classmethod
    def total(cls, counts) -> "Counts":
        rows = [(row.measures, row.indicators, row.with_value, row.new) for row in counts]
        return cls(*map(sum, zip(*rows, strict=True))) if rows else cls()


@dataclass(frozen=True)
class SectionCounts:
    section: Section
    themes: list[tuple[Theme, Counts]]

    @property
    def counts(self) -> Counts:
        return Counts.total(counts for _theme, counts in self.themes)


def sections_of(
    opinion: Opinion, known: list[dict], new: Counter, as_of: date | None
) -> list[SectionCounts]:
    """Every section of ``opinion`` with its themes and what they hold; two queries."""
    indicators = Counter(row["theme"] for row in known)
    with_value = Counter(row["theme"] for row in known if row["value"])
    themes = Theme.objects.published().with_measure_count(as_of)
    return [
        SectionCounts(
            section,
            [
                (
                    theme,
                    Counts(
                        theme.measure_count,
                        indicators[theme.pk],
                        with_value[theme.pk],
                        new[theme.pk],
                    ),
                )
                for theme in section.themes.all()
            ],
        )
        for section in opinion.sections.published().prefetch_related(Prefetch("themes", themes))
    ]


@dataclass(frozen=True)
class KeyFigure:
    """A key indicator, its newest public value (None: none), and how that came about.

    ``change`` is the computed change from the value of the period before, None if none is
    public; ``stated_growth`` is what the source itself says for the same period. ``checks`` are
    the results of the checks that it takes part in, the gravest first.
    """

    indicator: Indicator
    latest: Observation | None
    change: LastChange | None
    year_on_year: LastChange | None
    stated_growth: str
    checks: list[Result]


def key_figures_and_checks(as_of: date | None, opinion: Opinion) -> tuple[list[KeyFigure], Counter]:
    """The key figures of ``opinion`` in order, and how many of its checks have which result.

    Four queries: both need values of indicators, which are asked for together.
    """
    growth = Q(basis__is_key=True, kind=Kind.GROWTH)
    indicators = list(
        Indicator.objects.published(as_of)
        .of_opinion(opinion)
        .filter(Q(is_key=True) | growth)
        .with_place()
    )
    checks = list(Check.objects.published(as_of).of_opinion(opinion).with_terms())
    asked = {row.pk for row in indicators} | indicators_in(checks)
    values = (
        Observation.objects.published(as_of)
        .filter(indicator__in=asked)
        .select_related("report")
        .by_indicator()
    )
    for row in indicators:
        row.public_values = values[row.pk]
    states = [assess_check(check, values) for check in checks]
    marks = check_marks.by_indicator(states)
    keys = [
        KeyFigure(
            row,
            row.latest,
            last_change(row),
            year_on_year(row),
            stated_growth(row, [rate for rate in indicators if rate.basis_id == row.pk]),
            marks.get(row.pk, []),
        )
        for row in indicators
        if row.is_key
    ]
    return keys, Counter(state.outcome.result for state in states)


@dataclass(frozen=True)
class Part:
    """Some of a ``Whole``: how many, where they are listed, and how the bar shows them."""

    label: str
    count: int
    link: str
    tone: str
    start: int


@dataclass(frozen=True)
class Whole:
    """All indicators, or all checks, by one question; the parts do not overlap."""

    label: str
    parts: list[Part]

    @property
    def total(self) -> int:
        return sum(part.count for part in self.parts)


def whole(label: str, *parts: tuple) -> Whole:
    """``parts`` are label, count, link and tone each."""
    made, start = [], 0
    for name, count, link, tone in parts:
        made.append(Part(name, count, link, tone, start))
        start += count
    return Whole(label, made)


def trust(known: list[dict], checks: Counter, link_to) -> list[Whole]:
    """Counts that say how far the public figures can be checked, each with a link to its list.

    ``known`` are the ``facts`` of the indicators, ``checks`` counts checks by their results, and
    ``link_to`` makes an address.
    """

    def listed(**query):
        return link_to("indicators", **query)

    def yes_or_no(label, name, key, yes, no):
        n = sum(row[key] for row in known)
        return whole(
            label,
            (yes, n, listed(**{name: "yes"}), "yes"),
            (no, len(known) - n, listed(**{name: "no"}), "no"),
        )

    published = sum(row["target_value"] for row in known)
    unpublished = sum(row["target"] for row in known) - published
    fresh = Counter(row["fresh"] for row in known)
    return [
        yes_or_no(_("Public value"), "value", "value", _("has one"), _("has none")),
        yes_or_no(
            _("Source"),
            "traced",
            "traced",
            _("traced to a sentence or document"),
            _("not traced"),
        ),
        whole(
            _("Target"),
            (_("value published"), published, listed(target="published"), "yes"),
            (_("known, not published"), unpublished, listed(target="unpublished"), "half"),
            (
                _("none known"),
                len(known) - published - unpublished,
                listed(target="none"),
                "no",
            ),
        ),
        yes_or_no(_("Since the report"), "updated", "updated", _("updated"), _("not updated")),
        whole(
            _("Reported when due"),
            *(
                (state.label, fresh[state], listed(fresh=state), tone)
                for state, tone in (
                    (Freshness.LATE, "bad"),
                    (Freshness.SILENT, "open"),
                    (Freshness.NEVER, "warn"),
                    (Freshness.ONCE, "no"),
                    (Freshness.CURRENT, "good"),
                )
            ),
        ),
        yes_or_no(
            _("Period"), "inferred", "inferred", _("partly inferred"), _("as the source states")
        ),
        whole(
            _("Checks"),
            *(
                (result.label, checks[result], link_to("checks", result=result), tone)
                for result, tone in (
                    (Result.FAILS, "bad"),
                    (Result.QUESTION, "half"),
                    (Result.APPROXIMATE, "warn"),
                    (Result.UNKNOWN, "open"),
                    (Result.HOLDS, "good"),
                )
            ),
        ),
    ]
