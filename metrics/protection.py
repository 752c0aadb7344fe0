"""Triggers that keep the future out of what happened, and checks whole, also for raw SQL.

A value over a period that ends after the day of its publication can be expected or preliminary,
never actual. It is a trigger rather than a constraint because it speaks of the moment of
publication: what an older version of the portal let through is published and cannot change, so
that a constraint could never be added to such a database.
"""

from django.conf import settings

from measures.triggers import Trigger

from . import check_guards
from .rules.choices import Certainty

TABLE = "metrics_observation"
MESSAGE = "a period that has not ended is expected or preliminary, never actual"
OPERATIONS = ("INSERT", "UPDATE")


def triggers(vendor: str) -> list[Trigger]:
    """Those of the figures; ``measures.protection`` installs them."""
    # The portal's day: SQLite keeps moments in UTC, eight hours behind Shanghai.
    day = (
        f"(NEW.published_at AT TIME ZONE '{settings.TIME_ZONE}')::date"
        if vendor == "postgresql"
        else "date(NEW.published_at, '+8 hours')"
    )
    is_future = (
        f"NEW.state = 'published' AND NEW.certainty = '{Certainty.ACTUAL}' "
        f"AND NEW.period_end > {day}"
    )
    return [
        *check_guards.triggers(vendor),
        *(
            Trigger(
                f"{TABLE}_no_future_{operation.lower()}", TABLE, "BEFORE", operation,
                is_future, MESSAGE,
            )
            for operation in OPERATIONS
        ),
    ]  # fmt: skip
