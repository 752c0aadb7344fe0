"""Triggers that keep published rows and the trail unchangeable, also for raw SQL.

Installed after every migration, because SQLite drops a table's triggers when a migration
rebuilds it. Published rows refuse UPDATE and DELETE; trail events refuse UPDATE always, and
DELETE until they are older than TRAIL_MONTHS. What keeps the public rows of the structure is in
``versions``.
"""

from django.apps import apps
from django.conf import settings
from django.db import transaction

from . import fixed_rounds, versions
from .submission import Submission

PUBLISHED = "OLD.state = 'published'"


def rules() -> list[tuple[str, str, str, str]]:
    """(table, operation, SQL condition, message) of every trigger, for SQLite."""
    submissions = [
        model._meta.db_table for model in apps.get_models() if issubclass(model, Submission)
    ]
    refused = "published rows are never changed or deleted: correct them by a new row"
    found = [
        (table, operation, PUBLISHED, refused)
        for table in submissions
        for operation in ("UPDATE", "DELETE")
    ]
    trail = apps.get_model("measures", "TrailEvent")._meta.db_table
    found.append((trail, "UPDATE", "1 = 1", "the trail is never changed"))
    found.append((trail, "DELETE", "young", "the trail is kept for the configured months"))
    found += [
        (f"measures_{name}", operation, "1 = 1", "the chain of the record is never changed")
        for name in ("link", "linkform", "checkpoint")
        for operation in ("UPDATE", "DELETE")
    ]
    found += fixed_rounds.rules()
    return found


def install(connection) -> None:
    """Create the triggers on ``connection``, replacing those that are there."""
    with transaction.atomic(using=connection.alias):
        remove(connection)
        with connection.cursor() as cursor:
            for statement in _statements(connection.vendor):
                cursor.execute(statement)
        versions.install(connection)


def remove(connection) -> None:
    """Drop the triggers; only migrations and the clean-up after tests have a reason to."""
    versions.remove(connection)
    with connection.cursor() as cursor:
        for table, operation, _condition, _message in rules():
            where = f" ON {table}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {_name(table, operation)}{where}")
        if connection.vendor == "postgresql":
            for table in {rule[0] for rule in rules()}:
                cursor.execute(f"DROP TRIGGER IF EXISTS {_name(table, 'truncate')} ON {table}")


def _name(table: str, operation: str) -> str:
    return f"{table}_protect_{operation.lower()}"


def _statements(vendor: str):
    months = int(settings.TRAIL_MONTHS)
    if vendor == "postgresql":
        # The message travels as the trigger's argument, so that one function serves all.
        yield (
            "CREATE OR REPLACE FUNCTION portal_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION USING ERRCODE = 'restrict_violation', "
            "MESSAGE = TG_ARGV[0]; END $$"
        )
        young = f"OLD.at > now() - interval '{months} months'"
        for table in {rule[0] for rule in rules()}:
            yield (
                f"CREATE TRIGGER {_name(table, 'truncate')} BEFORE TRUNCATE ON {table} "
                f"EXECUTE FUNCTION portal_refuse('{table} is never emptied')"
            )
    else:
        young = f"datetime(OLD.at) > datetime('now', '-{months} months')"
    for table, operation, condition, message in rules():
        when = young if condition == "young" else condition
        head = (
            f"CREATE TRIGGER {_name(table, operation)} BEFORE {operation} ON {table} FOR EACH ROW"
        )
        if vendor == "postgresql":
            yield f"{head} WHEN ({when}) EXECUTE FUNCTION portal_refuse('{message}')"
        else:
            yield f"{head} WHEN {when} BEGIN SELECT RAISE(ABORT, '{message}'); END"
