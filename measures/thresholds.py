"""The thresholds that stand: those that judge are read beside the rows of a query.

Inside ``past`` they are those that stood then, as everything else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from django.db.models import Subquery

from .models import Stage, Threshold, ThresholdCode
from .models.thresholds import TERM

#: What the portal begins with; no term of an opinion's stages is set, because law sets none.
FIRST = {ThresholdCode.PACE_TOLERANCE: 10, ThresholdCode.REPORTING_GRACE: 30}
#: By which verdicts and timeliness are judged
JUDGING = (ThresholdCode.PACE_TOLERANCE, ThresholdCode.REPORTING_GRACE)


@dataclass(frozen=True)
class Thresholds:
    """``tolerance_points`` in percentage points, ``grace_days`` and the ``terms`` of stages in
    days; a stage without a term is not among them."""

    tolerance_points: int
    grace_days: int
    terms: Mapping[str, int]

    @classmethod
    def said(cls, values: Mapping[str, int | None]) -> Self:
        """From values by code."""
        terms = {stage: values.get(f"{TERM}{stage}") for stage in Stage}
        return cls(
            values[ThresholdCode.PACE_TOLERANCE],
            values[ThresholdCode.REPORTING_GRACE],
            {stage: days for stage, days in terms.items() if days is not None},
        )

    @classmethod
    def read(cls) -> Self:
        """One query."""
        return cls.said(dict(Threshold.objects.values_list("code", "value")))

    @classmethod
    def beside(cls, row) -> Self:
        """Those that were read with ``row``, whose query has ``columns``."""
        return cls.said({code: getattr(row, _column(code), None) for code in ThresholdCode})


def columns(codes: Iterable[str]) -> dict[str, Subquery]:
    """Annotations with which ``Thresholds.beside`` a row costs no query of its own; for a few
    ``codes``, because all of them cost more than a query."""
    return {
        _column(code): Subquery(Threshold.objects.filter(code=code).values("value")[:1])
        for code in codes
    }


def _column(code: str) -> str:
    return f"threshold_{str(code).replace('-', '_')}"


def write_first(model, values: Mapping[str, int | None] = FIRST) -> None:
    """Makes a row of every threshold, with the given model class."""
    for code in ThresholdCode:
        model.objects.get_or_create(code=code.value, defaults={"value": values.get(code)})
