"""Reading the tables as they stood before a moment, under their own names.

Inside ``past`` the names of the kept tables (``versions.KEPT``) lead to views of their versions,
so every filter, join, order and search of the existing queries sees the past, and none can forget
to. What people submit (values, targets, notes) has its own ``published(as_of)``; accounts and
sessions are as they are.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections

from .versions import past_views


@contextmanager
def past(moment: datetime | None, using: str = DEFAULT_DB_ALIAS):
    """Whatever is read inside stood before ``moment``; None: stands now, also inside another.

    Two statements on PostgreSQL. On SQLite temporary views, which touch no file. Nothing can be
    written to the kept tables inside.
    """
    connection = connections[using]
    before = getattr(connection, "read_before", None)
    _switch(connection, moment)
    try:
        yield
    finally:
        _switch(connection, before)


def streamed_from_past(chunks, moment: datetime) -> Iterator:
    """``chunks``, each of them made in the past."""
    with past(moment):
        yield from chunks


def stands_now(**kwargs) -> None:
    """Closes a kept connection that is still in the past, because a file was not read to its end.

    To be called before each request where connections outlive one.
    """
    for connection in connections.all(initialized_only=True):
        if getattr(connection, "left_in_past", False):
            connection.left_in_past = False
            connection.close()


def _switch(connection, moment: datetime | None) -> None:
    before = getattr(connection, "read_before", None)
    if moment == before:
        return
    connection.read_before = moment
    # A view has no key, by which PostgreSQL would know its other columns.
    has_keys = moment is None and type(connection.features).allows_group_by_selected_pks
    connection.features.allows_group_by_selected_pks = has_keys
    if moment is None and connection.connection is None:
        return  # Closed meanwhile, and the views with it.
    if connection.vendor == "postgresql":
        _switch_schema(connection, moment)
    else:
        _shadow(connection, moment)


def _switch_schema(connection, moment: datetime | None) -> None:
    try:
        with connection.cursor() as cursor:
            if moment is None:
                cursor.execute(
                    "SELECT set_config('search_path', current_setting('portal.path'), false)"
                )
                connection.left_in_past = False
                return
            connection.left_in_past = True
            cursor.execute(
                "SELECT set_config('portal.path', replace(current_setting('search_path'), "
                "'past, ', ''), false), set_config('search_path', 'past, ' || "
                "replace(current_setting('search_path'), 'past, ', ''), false), "
                "set_config('portal.moment', %s, false)",
                [moment.isoformat()],
            )
    except DatabaseError:
        if moment is not None:
            connection.read_before = None
            raise
        # A failed transaction takes it back itself; a connection in doubt is not used again.
        if not connection.in_atomic_block:
            connection.close()


def _shadow(connection, moment: datetime | None) -> None:
    connection.ensure_connection()
    # Past Django's cursor, which would parse and log every view.
    execute = connection.connection.execute
    connection.left_in_past = moment is not None
    views = past_views(connection, _quoted(connection, moment))
    for name, _select in views:
        execute(f'DROP VIEW IF EXISTS temp."{name}"')
    if moment is not None:
        for name, select in views:
            execute(f'CREATE TEMP VIEW "{name}" AS {select}')


def _quoted(connection, moment: datetime | None) -> str:
    return "'" + str(connection.ops.adapt_datetimefield_value(moment)) + "'"
