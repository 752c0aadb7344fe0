"""Triggers that keep the future out of what happened, and checks whole, also for raw SQL.

A value over a period that ends after the day of its publication can be expected or preliminary,
never actual. It is a trigger rather than a constraint because it speaks of the moment of
publication: what an older version of the portal let through is published and cannot change, so
that a constraint could never be added to such a database.
"""

from django.conf import settings

from measures import versions

from . import check_guards
from .rules.choices import Certainty

TABLE = "metrics_observation"
MESSAGE = "a period that has not ended is expected or preliminary, never actual"
OPERATIONS = ("INSERT", "UPDATE")


def install(connection) -> None:
    """Create the triggers on ``connection``, replacing those that are there.

    On PostgreSQL it needs the function that ``measures.protection`` makes.
    """
    is_postgresql = connection.vendor == "postgresql"
    # The portal's day: SQLite keeps moments in UTC, eight hours behind Shanghai.
    day = (
        f"(NEW.published_at AT TIME ZONE '{settings.TIME_ZONE}')::date"
        if is_postgresql
        else "date(NEW.published_at, '+8 hours')"
    )
    is_future = (
        f"NEW.state = 'published' AND NEW.certainty = '{Certainty.ACTUAL}' "
        f"AND NEW.period_end > {day}"
    )
    remove(connection)
    with connection.cursor() as cursor:
        for trigger in check_guards.triggers(connection.vendor):
            for statement in versions.create(trigger, connection.vendor):
                cursor.execute(statement)
        for operation in OPERATIONS:
            name = f"{TABLE}_no_future_{operation.lower()}"
            where = f" ON {TABLE}" if is_postgresql else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{where}")
            head = f"CREATE TRIGGER {name} BEFORE {operation} ON {TABLE} FOR EACH ROW"
            cursor.execute(
                f"{head} WHEN ({is_future}) EXECUTE FUNCTION portal_refuse('{MESSAGE}')"
                if is_postgresql
                else f"{head} WHEN {is_future} BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
            )


def remove(connection) -> None:
    """Takes away those that name other tables than their own, before a migration changes tables."""
    with connection.cursor() as cursor:
        for trigger in check_guards.triggers(connection.vendor):
            for statement in versions.drop(trigger, connection.vendor):
                cursor.execute(statement)
