"""The state of a measure on its page, with the measures that it leads to and comes from."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Q, QuerySet

from measures.models import Measure, MeasureState
from measures.models.states import NEWEST_FIRST
from measures.prepared import prepared
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

    One query, and one more where it was merged or split, or carries another on.
    """
    rows = _versions(measure, measure.code, as_of=as_of)
    versions = [row for row in rows if row.measure_id == measure.pk]
    standing = history.standing(versions)
    current = standing[0] if standing else None
    into = current.into_codes if current else []
    others = {
        row.measure_id
        for row in rows
        if row.measure_id != measure.pk and not row.replaced_at and measure.code in row.into_codes
    }
    public = Measure.objects.published(as_of).with_place()
    return StateOfMeasure(
        current=current,
        earlier=standing[1:],
        gone=history.replaced(versions),
        into=list(public.filter(code__in=into)) if into else [],
        origins=_leading_to(measure, public.filter(pk__in=others), as_of) if others else [],
    )


@prepared
def _versions(measure, code, *, as_of):
    rows = MeasureState.objects.versions(moment_of(as_of))
    rows = rows.filter(Q(measure=measure) | Q(into__contains=code))
    return rows.select_related("report").order_by(*NEWEST_FIRST)


def _leading_to(measure: Measure, others: QuerySet, as_of: date | None) -> list[Measure]:
    """Those of ``others`` that ``measure`` carries on by their newest state; one query."""
    states = MeasureState.objects.filter(measure__in=others.order_by()).latest_of_each(as_of)
    states = states.select_related("measure__theme__section").order_by(*NEWEST_FIRST)
    return [row.measure for row in states if measure.code in row.into_codes]
