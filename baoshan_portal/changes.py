"""What became public between two moments: values, corrections, targets and progress notes."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.contrib.syndication.views import Feed
from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from measures.as_of import BadQuery, read_day
from measures.demo import watermarked
from measures.models import Measure, ProgressNote, Section
from measures.submission import State, end_of_day
from metrics.assessment import assess
from metrics.figures import figure_text
from metrics.models import Indicator, Observation, Target
from metrics.periods import period_text

FEED_LENGTH = 100


@dataclass(frozen=True)
class Change:
    """One publication. ``before`` is what it replaced, empty if it replaced nothing."""

    code: str
    at: datetime
    measure: Measure
    subject: Indicator | Measure
    kind: str
    before: str
    after: str
    reason: str


def changes_between(since: datetime | None, until: datetime, **place) -> list[Change]:
    """Everything published from ``since`` (None: from the beginning) to before ``until``.

    ``place`` narrows it to one ``section``, ``measure`` or ``indicator``. Newest first; three
    queries however many rows.
    """
    found = [
        *_of(Observation, "indicator__measure", since, until, place, _observation),
        *_of(Target, "indicator__measure", since, until, place, _target),
        *_of(ProgressNote, "measure", since, until, place, _note),
    ]
    return sorted(found, key=lambda change: (change.at, change.code), reverse=True)


def _of(model, to_measure, since, until, place, as_change):
    until = min(until, timezone.now())
    day = timezone.localdate(until - timedelta(microseconds=1))
    rows = model.objects.filter(
        state=State.PUBLISHED,
        published_at__lt=until,
        **{f"{to_measure}__published_on__lte": day},
    ).select_related(f"{to_measure}__theme__section", "supersedes")
    if since:
        rows = rows.filter(published_at__gte=since)
    if "section" in place:
        rows = rows.filter(**{f"{to_measure}__theme__section": place["section"]})
    if "measure" in place:
        rows = rows.filter(**{to_measure: place["measure"]})
    if model is not ProgressNote:
        rows = rows.filter(indicator__published_on__lte=day)
        rows = rows.select_related("indicator__unit__base")
    if "indicator" in place:
        rows = rows.none() if model is ProgressNote else rows.filter(indicator=place["indicator"])
    return [as_change(row) for row in rows]


def _observation(row: Observation) -> Change:
    def told(value: Observation) -> str:
        figure = figure_text(value.value, row.indicator.unit, value.qualifier)
        return f"{figure} ({period_text(value.period_start, value.period_end)})"

    return Change(
        row.code,
        row.published_at,
        row.indicator.measure,
        row.indicator,
        _("correction") if row.supersedes else _("new value"),
        told(row.supersedes) if row.supersedes else "",
        told(row),
        row.correction_reason,
    )


def _target(row: Target) -> Change:
    def told(target: Target) -> str:
        if target.value is None:
            return _("not published")
        figure = figure_text(target.value, row.indicator.unit)
        return f"{target.get_comparator_display()} {figure}"

    return Change(
        row.code,
        row.published_at,
        row.indicator.measure,
        row.indicator,
        _("target changed") if row.supersedes else _("target"),
        told(row.supersedes) if row.supersedes else "",
        told(row),
        row.correction_reason,
    )


def _note(row: ProgressNote) -> Change:
    return Change(
        row.code,
        row.published_at,
        row.measure,
        row.measure,
        _("note corrected") if row.supersedes else _("progress note"),
        row.supersedes.in_language("text") if row.supersedes else "",
        row.in_language("text"),
        row.correction_reason,
    )


def changed_states(start: date, end: date) -> list[tuple[Indicator, str, str]]:
    """Indicators with a target whose verdict differs between the ends of two days."""
    before, after = (
        {
            target.indicator: assess(target.indicator, target, day).verdict
            for target in Target.objects.for_list(day)
        }
        for day in (start, end)
    )
    return [
        (indicator, before[indicator].label if indicator in before else "", verdict.label)
        for indicator, verdict in after.items()
        if before.get(indicator) != verdict
    ]


def page(request):
    """Figures, notes, targets and states that changed from one day to another, by section."""
    last = read_day(request.GET.get("to"), "to") or request.as_of or timezone.localdate()
    first = read_day(request.GET.get("from"), "from") or date(last.year, 1, 1)
    if first > last:
        raise BadQuery(_("“from” is later than “to”; exchange the two days."))
    changes = changes_between(end_of_day(first), end_of_day(last))
    sections: dict[Section, list[Change]] = {}
    for change in sorted(changes, key=lambda change: change.measure.number_key):
        sections.setdefault(change.measure.theme.section, []).append(change)
    context = {
        "first": first,
        "last": last,
        "sections": sections.items(),
        "total": len(changes),
        "states": changed_states(first, last),
    }
    return render(request, "changes.html", context)


class Publications(Feed):
    """An Atom feed of what is published: everywhere, or of one section, measure or indicator."""

    feed_type = Atom1Feed
    subtitle = gettext_lazy("Values, corrections, targets and progress notes as they are published")

    def get_object(self, request, kind="", key=""):
        if kind == "section":
            return {"section": get_object_or_404(Section, order=key if key.isdecimal() else 0)}
        if kind == "measure":
            return {"measure": get_object_or_404(Measure.objects.published(), code=key)}
        if kind == "indicator":
            return {"indicator": get_object_or_404(Indicator.objects.published(), code=key)}
        if kind:
            raise Http404
        return {}

    def title(self, place):
        name = next(iter(place.values()), "")
        portal = watermarked(_("Baoshan follow-up portal"))
        return f"{portal} · {name}" if name else portal

    def link(self, place):
        row = next(iter(place.values()), None)
        return row.get_absolute_url() if row else reverse("changes")

    def items(self, place):
        return changes_between(None, timezone.now(), **place)[:FEED_LENGTH]

    def item_title(self, change):
        # Readers of feeds show every entry by itself.
        return watermarked(f"{change.measure.number} {change.subject}: {change.kind}")

    def item_description(self, change):
        told = f"{change.before} → {change.after}" if change.before else change.after
        return f"{told} ({change.reason})" if change.reason else told

    def item_link(self, change):
        return change.subject.get_absolute_url()

    def item_guid(self, change):
        return f"urn:baoshan-portal:{change.code}"

    item_guid_is_permalink = False

    def item_updateddate(self, change):
        return change.at

    item_pubdate = item_updateddate
