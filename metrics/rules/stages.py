"""Whether a stage of an opinion was reached in time: computed from days, never stored."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class InTime(TextChoices):
    """What can be said of a stage on a day."""

    IN_TIME = "in-time", _("in time")
    LATE = "late", _("late")
    OPEN = "open", _("not due yet")
    OVERDUE = "overdue", _("term over, nothing published")
    UNKNOWN = "unknown", _("cannot be told")


@dataclass(frozen=True)
class Term:
    """When a stage falls due (None: not known) and what follows.

    ``days_late`` counts from the due day to the day of the stage, or to the day asked about; it is
    0 unless the stage is late or overdue.
    """

    due_on: date | None
    state: InTime
    days_late: int = 0


def term(happened_on: date | None, handed_over_on: date | None, days: int | None, on: date) -> Term:
    """The term of a stage, as of ``on``.

    It is due ``days`` after ``handed_over_on``; if one of the two is not known (None), neither is
    the due day. A stage of which no day is known by ``on`` is never called in time, once its term
    is over.
    """
    due_on = due(handed_over_on, days)
    if due_on is None:
        return Term(None, InTime.UNKNOWN)
    days_late = ((happened_on or on) - due_on).days
    if days_late <= 0:
        return Term(due_on, InTime.IN_TIME if happened_on else InTime.OPEN)
    return Term(due_on, InTime.LATE if happened_on else InTime.OVERDUE, days_late)


def due(handed_over_on: date | None, days: int | None) -> date | None:
    """The day so many days later; None if one of the two is not known or no calendar has it."""
    if handed_over_on is None or days is None:
        return None
    try:
        return handed_over_on + timedelta(days=days)
    except OverflowError:
        return None
