"""How long the server waits for the database, and whether database and server fit together.

The bounds are the server's alone: it calls ``bound_waiting`` when it starts. ``migrate``,
``backup`` and every other command wait as long as their work takes.
"""

import logging
import os
from collections.abc import Callable
from threading import Lock

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connections

logger = logging.getLogger(__name__)

#: Connections that commands and whoever looks after the database need beside the server's.
BESIDE = 5


def bound_waiting() -> None:
    """From now on this process waits for PostgreSQL as long as the settings say, and no longer."""
    for database in connections.settings.values():
        # SQLite waits LOCK_SECONDS for whoever writes; nobody waits for a reader.
        if database["ENGINE"] == "django.db.backends.postgresql":
            _bound(database)


def _bound(database: dict) -> None:
    options = database.setdefault("OPTIONS", {})
    bounds = {
        "lock_timeout": settings.LOCK_SECONDS,
        "statement_timeout": settings.STATEMENT_SECONDS,
    }
    given = [options["options"]] if options.get("options") else []
    # Those of DATABASE_URL come last and win.
    options["options"] = " ".join(
        [*(f"-c {name}={seconds}s" for name, seconds in bounds.items()), *given]
    )
    # A machine that is gone says nothing: the network gives up by itself after minutes.
    options.setdefault("tcp_user_timeout", settings.STATEMENT_SECONDS * 1000)


def checked_later(application, check: Callable[[], None]):
    """``application`` of WSGI, for a start without the database: ``check`` runs when it is there.

    A database that is not to be served then ends the process; the next one says why, and does not
    start.
    """
    checking, done = Lock(), []

    def answer(environ, start_response):
        alive = environ.get("PATH_INFO") == "/healthz"
        # Nobody waits for who looks.
        if not done and not alive and checking.acquire(blocking=False):
            try:
                check()
                done.append(True)
            except OperationalError:
                pass
            except ImproperlyConfigured as error:
                logger.critical("%s", error)
                os._exit(1)
            finally:
                checking.release()
        return application(environ, start_response)

    return answer


def check(databases=None, **kwargs) -> list[checks.CheckMessage]:
    """The system check, for ``check --database default``; nothing of a database that is away."""
    found = []
    for alias in databases or ():
        try:
            found += _problems(connections[alias])
        except OperationalError:
            continue
    return found


def _problems(connection) -> list[checks.CheckMessage]:
    if connection.vendor == "postgresql":
        return [*_durability_of_postgresql(connection), *_slots(connection)]
    return _durability_of_sqlite(connection)


def _durability_of_sqlite(connection) -> list[checks.CheckMessage]:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous")
        (level,) = cursor.fetchone()
    if level >= 2:
        return []
    return [
        checks.Warning(
            "SQLite confirms what is not on the disk yet (synchronous is below FULL).",
            hint="Take init_command out of the options of DATABASE_URL.",
            id="operating.W001",
        )
    ]


def _durability_of_postgresql(connection) -> list[checks.CheckMessage]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name FROM pg_settings WHERE setting = 'off' "
            "AND name IN ('fsync', 'synchronous_commit') ORDER BY name"
        )
        off = [name for (name,) in cursor.fetchall()]
    if not off:
        return []
    return [
        checks.Warning(
            f"PostgreSQL confirms what is not on the disk yet ({', '.join(off)} is off).",
            hint="Turn it on in postgresql.conf: a publication must outlive a power cut.",
            id="operating.W001",
        )
    ]


def _slots(connection) -> list[checks.CheckMessage]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('max_connections')::int "
            "- current_setting('superuser_reserved_connections')::int "
            "- coalesce(current_setting('reserved_connections', true), '0')::int, "
            "(SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user)"
        )
        slots, own = cursor.fetchone()
    slots = slots if own < 0 else min(slots, own)
    needed = settings.WORKERS * settings.THREADS
    if needed + BESIDE <= slots:
        return []
    return [
        checks.Warning(
            f"The server may open {needed} connections (WORKERS {settings.WORKERS} × THREADS "
            f"{settings.THREADS}), and the database has {slots} for the portal.",
            hint=f"Keep the product {BESIDE} below, or raise max_connections.",
            id="operating.W002",
        )
    ]
