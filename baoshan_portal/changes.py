"""What became public between two days: values, corrections, targets, notes, and changed states."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby

from django.db.models import Count, F, Max, Q, QuerySet
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from measures.as_of import BadQuery, read_day
from measures.models import Measure, ProgressNote, Report, Section, Theme
from measures.submission import State, end_of_day
from metrics.figures import figure_text
from metrics.history import target_text
from metrics.last_change import between
from metrics.models import NEWEST_FIRST, Indicator, Observation, Target
from metrics.periods import period_text
from metrics.state_changes import StateChange, state_changes

#: From this many first values on, a page shows them folded, by theme.
FOLD_FROM = 20
#: What must be public itself before a row on it is.
CARRIERS = {
    Observation: ("indicator", "indicator__measure"),
    Target: ("indicator", "indicator__measure"),
    ProgressNote: ("measure",),
}


@dataclass(frozen=True)
class Change:
    """One publication.

    ``before`` is what it replaced or the value of the period before, empty if there was none;
    ``difference`` is told only where the two may be subtracted. ``first_value`` is the value
    itself if none of its indicator was ever public before, and None of everything else.
    """

    id: str
    at: datetime
    measure: Measure
    subject: Indicator | Measure
    kind: str
    before: str
    after: str
    reason: str = ""
    difference: str = ""
    first_value: Observation | None = None


def publications(
    model, since: datetime | None, until: datetime, *, section=None, measure=None, indicator=None
) -> QuerySet:
    """Rows of ``model`` that became public from ``since`` (None: ever) to before ``until``.

    Corrected ones too. A row on a measure or indicator that was made public later counts from
    that day on. The place narrows it to one section, measure or indicator.
    """
    until = min(until, timezone.now())
    to_measure = CARRIERS[model][-1]
    day = timezone.localdate(until - timedelta(microseconds=1))
    public = {f"{carrier}__published_on__lte": day for carrier in CARRIERS[model]}
    rows = model.objects.filter(state=State.PUBLISHED, published_at__lt=until, **public)
    if since:
        rows = rows.filter(_public_only_since(model, since))
    if section:
        rows = rows.filter(**{f"{to_measure}__theme__section": section})
    if measure:
        rows = rows.filter(**{to_measure: measure})
    if indicator:
        rows = rows.none() if model is ProgressNote else rows.filter(indicator=indicator)
    return rows


def _public_only_since(model, since: datetime) -> Q:
    """Rows that were not public before ``since``, a midnight."""
    found = Q(published_at__gte=since)
    for carrier in CARRIERS[model]:
        found |= Q(**{f"{carrier}__published_on__gte": timezone.localdate(since)})
    return found


def counts_by_theme(since: datetime, until: datetime) -> tuple[Counter, datetime | None]:
    """How many publications the list of these days has, by the theme's key; and the last ever.

    ``until`` bounds both. One query, whatever the kinds.
    """
    parts = [
        publications(model, None, until)
        .order_by()
        .values(theme=F(f"{CARRIERS[model][-1]}__theme"))
        .annotate(
            n=Count("pk", filter=_public_only_since(model, since)), newest=Max("published_at")
        )
        for model in CARRIERS
    ]
    counts, newest = Counter(), []
    for row in parts[0].union(*parts[1:], all=True):
        counts[row["theme"]] += row["n"]
        newest.append(row["newest"])
    return counts, max(newest, default=None)


def changes_between(since: datetime | None, until: datetime, **place) -> list[Change]:
    """All ``publications`` of these days and this place, newest first.

    Four queries however many rows.
    """
    found = [
        *_values(since, until, place),
        *map(_target, _rows(Target, since, until, place)),
        *map(_note, _rows(ProgressNote, since, until, place)),
    ]
    return sorted(found, key=lambda change: (change.at, change.id), reverse=True)


def _rows(model, since, until, place) -> QuerySet:
    rows = publications(model, since, until, **place).select_related(
        f"{CARRIERS[model][-1]}__theme__section", "supersedes"
    )
    return rows if model is ProgressNote else rows.select_related("indicator__unit")


def _values(since, until, place) -> list[Change]:
    rows = list(_rows(Observation, since, until, place))
    changed = publications(Observation, since, until, **place).values("indicator")
    history: dict[int, list[Observation]] = {}
    for value in Observation.objects.filter(
        state=State.PUBLISHED,
        published_at__lt=min(until, timezone.now()),
        indicator__in=changed,
    ).order_by(*NEWEST_FIRST):
        history.setdefault(value.indicator_id, []).append(value)
    return [_value(row, history[row.indicator_id]) for row in rows]


def _value(row: Observation, history: list[Observation]) -> Change:
    """``history`` is all that was ever public of the indicator, newest first."""
    indicator = row.indicator
    before = row.supersedes or _of_the_period_before(row, history)
    history_begins = min(value.published_at for value in history)
    return Change(
        f"observation:{row.code}",
        _public_since(row),
        indicator.measure,
        indicator,
        _("correction") if row.supersedes else _("new value"),
        _value_text(before, indicator) if before else "",
        _value_text(row, indicator),
        row.correction_reason,
        between(indicator, row, before).difference_text if before else "",
        first_value=row if row.published_at <= history_begins else None,
    )


def _of_the_period_before(row: Observation, history: list[Observation]) -> Observation | None:
    """The value of an earlier period that stood when ``row`` was published."""
    known = [value for value in history if value.published_at <= row.published_at]
    replaced = {value.supersedes_id for value in known}
    earlier = (
        value for value in known if value.period_end < row.period_end and value.pk not in replaced
    )
    return next(earlier, None)


def _value_text(value: Observation, indicator: Indicator) -> str:
    return _("%(figure)s (%(period)s)") % {
        "figure": figure_text(value.value, indicator.unit, value.qualifier),
        "period": period_text(value.period_start, value.period_end),
    }


def _target(row: Target) -> Change:
    if row.supersedes:
        row.supersedes.indicator = row.indicator
    return Change(
        f"target:{row.code}",
        _public_since(row),
        row.indicator.measure,
        row.indicator,
        _("target changed") if row.supersedes else _("target"),
        target_text(row.supersedes) if row.supersedes else "",
        target_text(row),
        row.correction_reason,
    )


def _note(row: ProgressNote) -> Change:
    return Change(
        f"note:{row.code}",
        _public_since(row),
        row.measure,
        row.measure,
        _("note corrected") if row.supersedes else _("progress note"),
        row.supersedes.in_language("text") if row.supersedes else "",
        row.in_language("text"),
        row.correction_reason,
    )


def _public_since(row) -> datetime:
    """When ``row`` became public: with the last of itself, its indicator and its measure."""
    carriers = [row.measure] if isinstance(row, ProgressNote) else [row.indicator]
    if not isinstance(row, ProgressNote):
        carriers.append(row.indicator.measure)
    mornings = (
        timezone.make_aware(datetime.combine(carrier.published_on, time.min))
        for carrier in carriers
    )
    return max(row.published_at, *mornings)


@dataclass(frozen=True)
class ThemeChanges:
    """The publications of a theme: the first values by their day, apart from everything else."""

    theme: Theme
    news: list[Change]
    firsts: list[tuple[date, list[Change]]]

    @property
    def count(self) -> int:
        return len(self.news) + sum(len(changes) for _day, changes in self.firsts)


@dataclass(frozen=True)
class SectionChanges:
    section: Section
    themes: list[ThemeChanges]
    states: list[StateChange]

    @property
    def count(self) -> int:
        """Publications, without states: these follow from them or from the calendar."""
        return sum(theme.count for theme in self.themes)

    @property
    def changed_states(self) -> list[StateChange]:
        return [state for state in self.states if state.before]

    @property
    def first_states(self) -> list[StateChange]:
        return [state for state in self.states if not state.before]


def by_section(changes: list[Change], states: list[StateChange]) -> list[SectionChanges]:
    """All sections in order, those without a change too; within a theme by the measures' numbers.

    One query.
    """
    found: dict[int, list[ThemeChanges]] = {}
    in_order = sorted(changes, key=_place)
    for theme, group in groupby(in_order, key=lambda change: change.measure.theme):
        of_theme = list(group)
        firsts: dict[date, list[Change]] = {}
        for change in of_theme:
            if change.first_value:
                firsts.setdefault(timezone.localdate(change.at), []).append(change)
        found.setdefault(theme.section_id, []).append(
            ThemeChanges(
                theme,
                [change for change in of_theme if not change.first_value],
                sorted(firsts.items(), reverse=True),
            )
        )
    return [
        SectionChanges(
            section,
            found.get(section.pk, []),
            [state for state in states if state.measure.theme.section_id == section.pk],
        )
        for section in Section.objects.all()
    ]


def _place(change: Change) -> tuple:
    """To sort by the order of the report: a measure's notes before its indicators."""
    is_indicator = isinstance(change.subject, Indicator)
    return *change.measure.number_key, change.subject.order if is_indicator else -1


def default_since(report: Report | None, last: date) -> date:
    """After which day changes are told unless asked otherwise: the report's day of issue.

    Everything the portal began with was published on that day; what matters to a reader is what
    came after. If ``last`` is not later than that day, or there is no report, it is the day
    before ``last``.
    """
    before = last - timedelta(days=1) if last > date.min else last
    return min(report.issued_on, before) if report else before


def page(request):
    """Figures, notes, targets and states that changed from one day to another, by section."""
    on = request.as_of or timezone.localdate()
    report = Report.objects.order_by("issued_on").first()
    last = read_day(request.GET.get("to"), "to") or on
    first = read_day(request.GET.get("from"), "from") or default_since(report, last)
    if last > on:
        raise BadQuery(
            _("“to” is later than %(day)s, the day that this page speaks of.")
            % {"day": on.isoformat()}
        )
    if first > last:
        raise BadQuery(_("“from” is later than “to”; exchange the two days."))
    unfold = request.GET.get("unfold", "")
    if unfold not in ("", "all"):
        raise BadQuery(_("“unfold” can only be “all”."))
    changes = changes_between(end_of_day(first), end_of_day(last))
    first_values = sum(change.first_value is not None for change in changes)
    context = {
        "first": first,
        "last": last,
        "on": on,
        "sections": by_section(changes, state_changes(first, last)),
        "total": len(changes),
        "spans": spans(report, on),
        "unfolded": bool(unfold) or first_values < FOLD_FROM,
        "foldable": first_values >= FOLD_FROM,
    }
    return render(request, "changes.html", context)


def _day_before_year(year: int) -> date:
    """After which day a year's changes are told: what came out on 1 January is one of them."""
    return date(year - 1, 12, 31) if year > date.min.year else date.min


def spans(report: Report | None, on: date) -> list[tuple[str, date, date]]:
    """Pairs of days that readers ask for, with their names; none that is empty."""
    found = [
        (_("the last 30 days"), on - timedelta(days=min(30, (on - date.min).days)), on),
        (_("this year"), _day_before_year(on.year), on),
    ]
    if report:
        issued = report.issued_on
        found = [
            (_("since the report"), issued, on),
            (_("the report itself"), issued - timedelta(days=1), issued),
            *found,
        ]
    return [(name, first, last) for name, first, last in found if first < last <= on]
