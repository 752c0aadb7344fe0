"""How far the public figures can be checked: what is known of every indicator.

One set of questions serves the filters of the list of indicators and the counts that lead there,
so that a count and its list agree.
"""

from dataclasses import dataclass
from datetime import date

from django.db.models import Case, Exists, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from measures.models import Report
from metrics.models import (
    NEWEST_FIRST,
    Indicator,
    NoFigure,
    Observation,
    Target,
    is_expected,
)
from metrics.rules.choices import Frequency, Freshness
from metrics.rules.freshness import Timeliness, newest_due

from .lists.facets import yes_if

YES_OR_NO = ("value", "traced", "inferred", "updated")


def questions(as_of: date | None, grace_days: int) -> dict:
    """Expressions on indicators, by the name of the filter; most answer yes or no.

    ``value`` it has a public value; ``traced`` the newest one names its report or source;
    ``inferred`` the period of one was worked out; ``updated`` one was published after the day on
    which the first report on its opinion was issued. ``target``: none is public, the value is
    unpublished, or one was published. ``fresh``: a ``Freshness`` by the
    ``grace_days`` that stood on the day.
    """
    values = Observation.objects.published(as_of).filter(indicator=OuterRef("pk"))
    targets = Target.objects.published(as_of).filter(indicator=OuterRef("pk"))
    no_figures = NoFigure.objects.published(as_of).filter(indicator=OuterRef("pk"))
    with_source = yes_if(Q(report__isnull=False) | ~Q(source_name=""))
    newest_source = values.order_by(is_expected(), *NEWEST_FIRST).values(answer=with_source)[:1]
    # From within the query of values, twice out to the indicator.
    reports = Report.objects.filter(opinion=OuterRef("indicator__measure__theme__section__opinion"))
    issued_on = reports.order_by("issued_on").values("issued_on")[:1]
    return {
        "value": yes_if(Exists(values)),
        "traced": Coalesce(Subquery(newest_source), Value("no")),
        "inferred": yes_if(Exists(values.filter(period_inferred=True))),
        # In the portal's time zone, so that it is the day after which ``end_of_day`` begins.
        "updated": yes_if(Exists(values.filter(published_at__date__gt=Subquery(issued_on)))),
        "target": Case(
            When(Exists(targets.filter(value__isnull=False)), then=Value("published")),
            When(Exists(targets), then=Value("unpublished")),
            default=Value("none"),
        ),
        "fresh": _fresh(values.reported(), no_figures, as_of or timezone.localdate(), grace_days),
    }


def _fresh(values: QuerySet, no_figures: QuerySet, on: date, grace_days: int) -> Case:
    """``freshness.timeliness`` as an expression, for the same state in a filter.

    ``values`` are those reported, ``no_figures`` say that there is none.
    """

    def told(**conditions) -> Q:
        found = (rows.filter(**conditions) for rows in (values, no_figures))
        return Q(*map(Exists, found), _connector=Q.OR)

    due = {
        frequency: newest_due(frequency, on, grace_days)
        for frequency in Frequency
        if frequency != Frequency.ONCE
    }
    return Case(
        When(told() & Q(frequency=Frequency.ONCE), then=Value(Freshness.ONCE)),
        *(
            When(told(period_end__gte=end) & Q(frequency=frequency), then=Value(Freshness.CURRENT))
            for frequency, end in due.items()
        ),
        When(~Exists(values), then=Value(Freshness.NEVER)),
        When(schedule_agreed_on__lte=on, then=Value(Freshness.LATE)),
        default=Value(Freshness.SILENT),
    )


def facts_of(row: Indicator, timeliness: Timeliness) -> "Facts":
    """The ``Facts`` that follow from the ``public_values`` of ``row`` alone: value, freshness and
    newest period; the rest is not asked."""
    newest = row.reported.period_end if row.reported else None
    return Facts(value=row.latest is not None, fresh=timeliness.state, newest=newest)


@dataclass(frozen=True)
class Facts:
    """The answers to ``questions`` for an indicator, and the last day of its newest period that
    was reported, None if none was."""

    value: bool
    fresh: Freshness
    newest: date | None
    traced: bool | None = None
    inferred: bool | None = None
    updated: bool | None = None
    target: str = "none"

    @property
    def has_target(self) -> bool:
        return self.target != "none"


def with_facts(indicators: QuerySet, as_of: date | None, grace_days: int) -> list[Indicator]:
    """``indicators``, each with its ``facts``; one query."""
    asked = questions(as_of, grace_days)
    values = Observation.objects.published(as_of).reported().filter(indicator=OuterRef("pk"))
    newest = Subquery(values.order_by("-period_end").values("period_end")[:1])
    known = {f"known_{name}": read for name, read in (asked | {"newest": newest}).items()}
    rows = list(indicators.annotate(**known))
    for row in rows:
        yes = {name: getattr(row, f"known_{name}") == "yes" for name in YES_OR_NO}
        row.facts = Facts(
            **yes,
            target=row.known_target,
            fresh=Freshness(row.known_fresh),
            newest=row.known_newest,
        )
    return rows
