"""From which value the way to a target is measured, as a pure function.

A total that began before the plan did not begin at 0 when the plan began. It is paced from what
was there by then, or not at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from .choices import Certainty, Kind, Qualifier
from .periods import Period, are_comparable


class BaselineSource(TextChoices):
    """Why a value is the baseline."""

    STATED = "stated", _("stated with the target")
    BEFORE = "before", _("last public value by the day on which the plan began")
    ZERO = "zero", _("counted from the beginning of the plan")


@dataclass(frozen=True)
class Stated:
    """A value as its source states it, over its period."""

    value: Decimal
    qualifier: str
    period: Period


@dataclass(frozen=True)
class Baseline:
    """The value from which the way begins, and where it comes from; ``before`` is the public
    value that it is, None unless the source is ``BEFORE``."""

    value: Decimal
    source: BaselineSource
    before: Stated | None = None


def baseline(
    kind: str,
    *,
    stated: Decimal | None,
    start: date,
    now: Period | None,
    before: Stated | None,
) -> Baseline | None:
    """The baseline of a target whose plan begins on ``start``; None if it is not known.

    A ``stated`` one goes before all. Flows begin at 0, and so does a running total that itself
    begins with the plan or later (``now`` is the period of the newest value). Every other value
    is measured from ``before``, the newest one of a period that ended by ``start``, if the two
    may be subtracted. Growth rates have none.
    """
    if stated is not None:
        return Baseline(stated, BaselineSource.STATED)
    if kind == Kind.FLOW:
        return Baseline(Decimal(0), BaselineSource.ZERO)
    if now is None or kind == Kind.GROWTH:
        return None
    if kind == Kind.CUMULATIVE and now[0] is not None and now[0] >= start:
        return Baseline(Decimal(0), BaselineSource.ZERO)
    if before is None or not are_comparable(kind, now, before.period):
        return None
    return Baseline(before.value, BaselineSource.BEFORE, before)


def last_before(values: Sequence, start: date) -> Stated | None:
    """The newest of ``values`` (observations, newest first) that can be a baseline on ``start``.

    What was only expected is none. ``TargetQuerySet.with_value_before`` asks the database the
    same.
    """
    for value in values:
        if value.period_end <= start and value.certainty != Certainty.EXPECTED:
            return Stated(
                value.value, Qualifier(value.qualifier), (value.period_start, value.period_end)
            )
    return None
