"""The state of a measure on its page, with the measures that it leads to and comes from."""

from dataclasses import dataclass
from datetime import date

from django.db.models import OuterRef, Q, Subquery

from measures.models import Measure, MeasureState
from measures.models.states import NEWEST_FIRST
from measures.submission import moment_of
from metrics import history


@dataclass(frozen=True)
class StateOfMeasure:
    """``current`` is None where nothing is known; ``earlier`` stand too, ``gone`` no longer do.

    ``into`` are the measures that carry this one on, ``origins`` those that it carries on.
    """

    current: MeasureState | None
    earlier: list[MeasureState]
    gone: list[MeasureState]
    into: list[Measure]
    origins: list[Measure]


def state_of(measure: Measure, as_of: date | None) -> StateOfMeasure:
    """What was public of the state of ``measure`` on ``as_of``.

    One query, and one more where it was merged or split.
    """
    public = Measure.objects.published(as_of).with_place()
    newest = (
        MeasureState.objects.published(as_of)
        .filter(measure=OuterRef("measure"))
        .order_by(*NEWEST_FIRST)
    )
    rows = (
        MeasureState.objects.versions(moment_of(as_of))
        .filter(Q(measure=measure) | Q(into__contains=measure.code, measure__in=public.order_by()))
        .annotate(newest=Subquery(newest.values("pk")[:1]))
        .select_related("report", "measure__theme__section")
        .order_by(*NEWEST_FIRST)
    )
    versions = [row for row in rows if row.measure_id == measure.pk]
    standing = history.standing(versions)
    current = standing[0] if standing else None
    origins = [
        row.measure
        for row in rows
        if row.measure_id != measure.pk and row.newest == row.pk and measure.code in row.into_codes
    ]
    return StateOfMeasure(
        current=current,
        earlier=standing[1:],
        gone=history.replaced(versions),
        into=list(public.filter(code__in=current.into_codes)) if current and current.into else [],
        origins=origins,
    )
