"""Triggers that keep the future out of what happened, and checks whole, also for raw SQL.

A value over a period that ends after the day of its publication can be expected or preliminary,
never actual; and nobody knows of a period to come that it has no figure. It is a trigger rather
than a constraint because it speaks of the moment of publication: what an older version of the
portal let through is published and cannot change, so that a constraint could never be added to
such a database.
"""

from django.conf import settings

from measures.publication import BECOMES
from measures.triggers import Trigger

from . import check_guards, kept_day_table, said_tables, stamp, summary_tables
from .rules.choices import Certainty

TABLE = "metrics_observation"
MESSAGE = "a period that has not ended is expected or preliminary, never actual"
NO_FIGURE_TABLE = "metrics_nofigure"
NO_FIGURE_MESSAGE = "of a period that has not ended nobody knows that it has no figure"


def triggers(vendor: str) -> list[Trigger]:
    """Those of the figures; ``measures.protection`` installs them."""
    # The portal's day: SQLite keeps moments in UTC, eight hours behind Shanghai.
    day = (
        f"(NEW.published_at AT TIME ZONE '{settings.TIME_ZONE}')::date"
        if vendor == "postgresql"
        else "date(NEW.published_at, '+8 hours')"
    )
    is_future = f"NEW.period_end > {day}"
    is_actual = f"NEW.certainty = '{Certainty.ACTUAL}'"
    return [
        *check_guards.triggers(vendor),
        *summary_tables.triggers(vendor),
        *said_tables.triggers(vendor),
        *kept_day_table.triggers(),
        *stamp.triggers(),
        *(
            Trigger(
                f"{table}_no_future_{operation.lower()}", table, "BEFORE", operation,
                condition, message, first=becomes,
            )
            for table, condition, message in (
                (TABLE, f"{is_actual} AND {is_future}", MESSAGE),
                (NO_FIGURE_TABLE, is_future, NO_FIGURE_MESSAGE),
            )
            for operation, becomes in BECOMES.items()
        ),
    ]  # fmt: skip
