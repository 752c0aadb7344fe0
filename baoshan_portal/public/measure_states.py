"""The state of a measure on its page, with the measures that it leads to and comes from."""

from dataclasses import dataclass
from datetime import date

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
    """What was public of the state of ``measure`` on ``as_of``; three queries at the most."""
    rows = measure.states.versions(moment_of(as_of)).select_related("report")
    versions = list(rows.order_by(*NEWEST_FIRST))
    standing = history.standing(versions)
    current = standing[0] if standing else None
    public = Measure.objects.published(as_of).with_place()
    told = MeasureState.objects.latest_of_each(as_of).filter(into__contains=measure.code)
    origins = [
        row.measure
        for row in told.select_related("measure__theme__section").filter(measure__in=public)
        if measure.code in row.into_codes
    ]
    return StateOfMeasure(
        current=current,
        earlier=standing[1:],
        gone=history.replaced(versions),
        into=list(public.filter(code__in=current.into_codes)) if current and current.into else [],
        origins=origins,
    )
