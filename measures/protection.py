"""Triggers that keep published rows and the trail unchangeable, also for raw SQL.

Published rows refuse UPDATE and DELETE (``ended`` says what of them is written later); trail events
refuse UPDATE always, and DELETE until they are older than TRAIL_MONTHS. What keeps the public rows
of the structure is in ``versions``, and apps above add theirs by ``also``.

They stand while a migration runs, and its end replaces in place what the code words otherwise.
``problems`` compares them word for word with the code; a portal without them does not start.
A release that words a trigger otherwise needs a migration, so that ``prepare`` knows of it.
"""

from collections.abc import Callable, Sequence

from django.apps import apps
from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import connections, models, transaction
from django.db.migrations.executor import MigrationExecutor

from . import (
    data_version,
    ended,
    fixed_rounds,
    publication,
    sign_off,
    taken_keys,
    triggers,
    versions,
)
from .submission import submissions
from .triggers import Trigger

PUBLISHED = "OLD.state = 'published'"

_further: list[Callable[[str], list[Trigger]]] = []
_copies: list[str] = []
_renewing: list[Callable] = []


def also(
    source: Callable[[str], list[Trigger]],
    copies: Sequence[str] = (),
    renew: Callable | None = None,
) -> None:
    """``source`` gives further triggers for a vendor (``sqlite``, ``postgresql``).

    ``copies`` are tables from which these delete what is not true any more. ``renew`` is told the
    connection, and whether one of the triggers was away, and empties those that may not be true.
    """
    _further.append(source)
    _copies.extend(copies)
    if renew:
        _renewing.append(renew)


def wanted(vendor: str) -> list[Trigger]:
    """Every trigger that the database must have."""
    found = [
        *_own(vendor),
        *ended.triggers(submissions(), vendor),
        *publication.triggers(submission_tables(), vendor),
        *versions.triggers(vendor),
        *data_version.triggers(submission_tables(), vendor),
        *sign_off.triggers(vendor),
    ]
    if vendor == "sqlite":
        for model in _protected_models():
            found += taken_keys.triggers(model)
    for source in _further:
        found += source(vendor)
    return found


def rules() -> list[tuple[str, str, str, str]]:
    """(table, operation, SQL condition, message) of what is neither changed nor deleted.

    What may not be changed of a public row is in ``ended``.
    """
    found = [(table, "DELETE", PUBLISHED, ended.REFUSED) for table in submission_tables()]
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


def submission_tables() -> list[str]:
    return [model._meta.db_table for model in submissions()]


def _protected_models() -> list[type[models.Model]]:
    tables = {*submission_tables(), *(rule[0] for rule in rules()), versions.VERSIONS}
    tables |= {kept.table for kept in versions.kept_tables()}
    every = apps.get_models(include_auto_created=True)
    return [model for model in every if model._meta.db_table in tables]


def _own(vendor: str) -> list[Trigger]:
    months = int(settings.TRAIL_MONTHS)
    young = (
        f"OLD.at > now() - interval '{months} months'"
        if vendor == "postgresql"
        else f"datetime(OLD.at) > datetime('now', '-{months} months')"
    )
    found = [
        Trigger(
            f"{table}_protect_{operation.lower()}", table, "BEFORE", operation,
            young if condition == "young" else condition, message,
        )
        for table, operation, condition, message in rules()
    ]  # fmt: skip
    if vendor == "postgresql":
        found += [
            Trigger(
                f"{table}_protect_truncate", table, "BEFORE", "TRUNCATE",
                "1 = 1", f"{table} is never emptied",
            )
            for table in dict.fromkeys(rule[0] for rule in rules())
        ]  # fmt: skip
    return found


def install(connection) -> dict[str, str]:
    """Makes the database's triggers those of the code, in one transaction.

    Returns what was not: see ``triggers.differences``.
    """
    every = wanted(connection.vendor)
    if not _is_migrated(connection, every):
        return {}
    with transaction.atomic(using=connection.alias):
        # Before anything is written: PostgreSQL makes no index with events pending.
        versions.install_indexes(connection)
        told = triggers.replace(every, connection)
        versions.write_missing(connection)
        ended.write_missing(submissions(), connection)
        for renew in _renewing:
            renew(connection, bool(told))
        versions.install_views(connection)
    return told


def remove(connection) -> None:
    """Drops the triggers; only the clean-up after tests has a reason to."""
    triggers.remove(connection)


def problems(connection) -> list[str]:
    """The triggers that are not as the code wants them: ``name (missing)``; none before tables."""
    every = wanted(connection.vendor)
    if not _is_migrated(connection, every):
        return []
    told = triggers.differences(every, connection)
    return [f"{name} ({why})" for name, why in sorted(told.items())]


def why_not_protected(connection) -> str:
    """A sentence for whoever runs the portal; empty if the protection is whole."""
    found = problems(connection)
    if not found:
        return ""
    shown = ", ".join(found[:10]) + (f" and {len(found) - 10} more" if len(found) > 10 else "")
    return (
        "What was published is not protected in this database, so the portal does not serve it. "
        f"Triggers: {shown}."
    )


REPAIR = (
    "Find out who took them away and what was written since; `manage.py protect` puts them back."
)
UPGRADE = "Run `manage.py prepare`, which migrates the database first."


def is_behind(connection) -> bool:
    """Whether migrations wait, whose end makes the triggers."""
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def refuse_unprotected(connection) -> None:
    """Raises ImproperlyConfigured if the protection is not whole."""
    if why := why_not_protected(connection):
        raise ImproperlyConfigured(f"{why} {UPGRADE if is_behind(connection) else REPAIR}")


def check(databases=None, **kwargs) -> list[checks.CheckMessage]:
    """The system check, for ``check --database default``; silent while migrations wait."""
    return [
        checks.Error(why, hint=REPAIR, id="measures.E001")
        for alias in databases or ()
        if (why := why_not_protected(connections[alias])) and not is_behind(connections[alias])
    ]


def _is_migrated(connection, every: list[Trigger]) -> bool:
    """Whether every table is there that the triggers stand on, and those that they write to."""
    needed = {data_version.TABLE, *_copies, *(trigger.table for trigger in every)}
    return needed <= set(connection.introspection.table_names())
