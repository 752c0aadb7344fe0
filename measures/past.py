"""Reading the tables as they stood before a moment, under their own names.

Inside ``past`` the names of the kept tables (``versions.KEPT``) lead to views of their versions,
so every filter, join, order and search of the existing queries sees the past, and none can forget
to. A table that has not changed since says itself what its versions say, with all its indexes; it
needs no view as long as whoever reads asks afterwards whether it has changed meanwhile
(``changed_since``). What people submit (values, targets, notes) has its own ``published(as_of)``;
accounts and sessions are as they are.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections

from .versions import changes_since, kept_tables, past_schema, past_views

#: Where everything stands as it does now: no moment, and no table that is read by a view.
NOW = (None, frozenset())


@contextmanager
def past(
    moment: datetime | None,
    changed: Collection[str] | None = None,
    using: str = DEFAULT_DB_ALIAS,
):
    """Whatever is read inside stood before ``moment``; None: stands now, also inside another.

    ``changed`` are the tables that may differ from what they said then (``changed_since``); None:
    every kept one, which is right whatever changes meanwhile. Two statements on PostgreSQL. On
    SQLite temporary views, which touch no file. Nothing can be written to the kept tables inside.
    """
    connection = connections[using]
    before = _read(connection)
    if moment is None:
        changed = ()
    elif changed is None:
        changed = (kept.table for kept in kept_tables())
    _switch(connection, moment, frozenset(changed))
    try:
        yield
    finally:
        _switch(connection, *before)


def changed_since(moment: datetime, using: str = DEFAULT_DB_ALIAS) -> frozenset[str]:
    """The kept tables of which a public row became another at ``moment`` or later; one query."""
    return changes_since(connections[using], moment)


def is_read_as_before(moment: datetime) -> bool:
    """Whether what is read now stood before ``moment``: inside ``past`` of it, and no table that is
    read as it stands has changed meanwhile. One query."""
    before, changed = _read(connections[DEFAULT_DB_ALIAS])
    return before == moment and changed_since(moment) <= changed


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


def _read(connection) -> tuple[datetime | None, frozenset[str]]:
    """Before which moment ``connection`` reads, and which tables it reads by a view."""
    return getattr(connection, "read_before", NOW)


def _switch(connection, moment: datetime | None, changed: frozenset[str]) -> None:
    if (moment, changed) == _read(connection):
        return
    connection.read_before = moment, changed
    # A view has no key, by which PostgreSQL would know its other columns.
    has_keys = moment is None and type(connection.features).allows_group_by_selected_pks
    connection.features.allows_group_by_selected_pks = has_keys
    if moment is None and connection.connection is None:
        return  # Closed meanwhile, and the views with it.
    if connection.vendor == "postgresql":
        _switch_schemas(connection, moment, changed)
    else:
        _shadow(connection, moment, changed)


def _switch_schemas(connection, moment: datetime | None, changed: frozenset[str]) -> None:
    try:
        with connection.cursor() as cursor:
            if moment is None:
                cursor.execute(
                    "SELECT set_config('search_path', current_setting('portal.path'), false)"
                )
                connection.left_in_past = False
                return
            connection.left_in_past = True
            now = "regexp_replace(current_setting('search_path'), 'past_\\w+, ', '', 'g')"
            schemas = "".join(f"{past_schema(table)}, " for table in sorted(changed))
            cursor.execute(
                f"SELECT set_config('portal.path', {now}, false), "
                f"set_config('search_path', %s || {now}, false), "
                "set_config('portal.moment', %s, false)",
                [schemas, moment.isoformat()],
            )
    except DatabaseError:
        if moment is not None:
            connection.read_before = NOW
            raise
        # A failed transaction takes it back itself; a connection in doubt is not used again.
        if not connection.in_atomic_block:
            connection.close()


def _shadow(connection, moment: datetime | None, changed: frozenset[str]) -> None:
    connection.ensure_connection()
    # Past Django's cursor, which would parse and log every view.
    execute = connection.connection.execute
    connection.left_in_past = moment is not None
    views = past_views(connection, _quoted(connection, moment))
    for name, _select in views:
        execute(f'DROP VIEW IF EXISTS temp."{name}"')
    for name, select in views:
        if name in changed:
            execute(f'CREATE TEMP VIEW "{name}" AS {select}')


def _quoted(connection, moment: datetime | None) -> str:
    return "'" + str(connection.ops.adapt_datetimefield_value(moment)) + "'"
