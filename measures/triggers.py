"""Triggers as the code wants them and as a database has them: made in place, compared, taken aside.

Whatever changes them is one transaction, so that nobody else ever sees a table without its own,
and a process that is killed meanwhile leaves them as they were.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import transaction

#: Every trigger of their tables is the portal's; one that it does not know is none of its own.
APPS = ("measures_", "metrics_")


@dataclass(frozen=True)
class Trigger:
    """``body``: a sentence that refuses, or statements that record.

    ``first`` is a part of the condition that speaks of the row alone. PostgreSQL answers it in a
    fraction of the time that one takes which looks into a table, so it is asked before the rest.

    ``operation`` TRUNCATE, which only PostgreSQL has, is one of the whole statement. So is a
    trigger with ``tables``, OLD and NEW: these, as ``old_rows`` and ``new_rows``, are then all the
    rows that the statement changed.
    """

    name: str
    table: str
    when: str
    operation: str
    condition: str
    body: str | list[str]
    first: str = ""
    tables: tuple[str, ...] = ()


@dataclass(frozen=True)
class Made:
    """A trigger in the words of one engine: what makes it, and what the engine then says of it."""

    table: str
    statements: tuple[str, ...]
    text: str


def made(wanted: list[Trigger], connection) -> list[Made]:
    """Each of ``wanted`` for the engine of ``connection``; one query on PostgreSQL."""
    if connection.vendor == "postgresql":
        schema = _schema(connection)
        return [_made_by_function(trigger, schema) for trigger in wanted]
    return [_made_alone(trigger) for trigger in wanted]


def _made_alone(trigger: Trigger) -> Made:
    """On SQLite, where a trigger is one statement."""
    body = trigger.body
    body = [f"SELECT RAISE(ABORT, '{body}')"] if isinstance(body, str) else body
    condition = trigger.condition
    if trigger.first:
        condition = f"({trigger.first}) AND ({condition})"
    text = (
        f"CREATE TRIGGER {trigger.name} {trigger.when} {trigger.operation} ON {trigger.table} "
        f"FOR EACH ROW WHEN {condition} BEGIN {'; '.join(body)}; END"
    )
    return Made(trigger.table, (f"DROP TRIGGER IF EXISTS {trigger.name}", text), text)


def _made_by_function(trigger: Trigger, schema: str) -> Made:
    """On PostgreSQL the condition stands in the function, so that no column depends on it."""
    body = trigger.body
    if isinstance(body, str):
        body = [f"RAISE EXCEPTION USING ERRCODE = 'restrict_violation', MESSAGE = '{body}'"]
    each, row = "FOR EACH ROW", "OLD" if trigger.operation == "DELETE" else "NEW"
    if trigger.tables or trigger.operation == "TRUNCATE":
        each, row = "FOR EACH STATEMENT", "NULL"
    if trigger.tables:
        tables = " ".join(f"{name} TABLE AS {name.lower()}_rows" for name in trigger.tables)
        each = f"REFERENCING {tables} {each}"
    does = f"IF {trigger.condition} THEN {'; '.join(body)}; END IF;"
    if trigger.first:
        does = f"IF {trigger.first} THEN {does} END IF;"
    source = f" BEGIN {does} RETURN {row}; END "
    # A table of the same name in the session's own schema must not stand for the portal's.
    path = f"{schema}, pg_temp"
    tail = (
        f"TRIGGER {trigger.name} {trigger.when} {trigger.operation} ON {trigger.table} "
        f"{each} EXECUTE FUNCTION portal_{trigger.name}()"
    )
    function = (
        f"CREATE OR REPLACE FUNCTION portal_{trigger.name}() RETURNS trigger LANGUAGE plpgsql "
        f"SET search_path = {path} AS $portal${source}$portal$"
    )
    text = _postgresql_text("O", f"CREATE {tail}", [f"search_path={path}"], source)
    return Made(trigger.table, (function, f"CREATE OR REPLACE {tail}"), text)


def _postgresql_text(enabled: str, definition: str, settings: list[str], source: str) -> str:
    return "\n".join((enabled, definition, *settings, source))


def _schema(connection) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT quote_ident(current_schema())")
        return cursor.fetchone()[0]


def found(connection) -> dict[str, tuple[str, str]]:
    """(table, text) of every trigger on the portal's tables in the database, by its name."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT t.tgname, c.relname, t.tgenabled, pg_get_triggerdef(t.oid, true), "
                "p.proconfig, p.prosrc FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
                "JOIN pg_proc p ON p.oid = t.tgfoid "
                "WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace"
            )
            rows = [
                (name, table, _postgresql_text(enabled, definition, config or [], source))
                for name, table, enabled, definition, config, source in cursor.fetchall()
            ]
        else:
            cursor.execute("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'")
            rows = cursor.fetchall()
    return {name: (table, text) for name, table, text in rows if table.startswith(APPS)}


def differences(wanted: list[Trigger], connection) -> dict[str, str]:
    """What of the triggers in the database is not as ``wanted``: missing, altered or unknown."""
    there = found(connection)
    told = {}
    for trigger, right in zip(wanted, made(wanted, connection), strict=True):
        if trigger.name not in there:
            told[trigger.name] = "missing"
        elif there[trigger.name][1] != right.text:
            told[trigger.name] = "altered"
    return told | {name: "unknown" for name in there.keys() - {each.name for each in wanted}}


def replace(wanted: list[Trigger], connection) -> dict[str, str]:
    """Makes the triggers of the database those that are ``wanted``; returns the ``differences``."""
    with transaction.atomic(using=connection.alias):
        told = differences(wanted, connection)
        there = found(connection)
        with connection.cursor() as cursor:
            for name, why in told.items():
                if why == "unknown":
                    cursor.execute(_drop(name, there[name][0], connection))
            for new in made([each for each in wanted if each.name in told], connection):
                for statement in new.statements:
                    cursor.execute(statement)
        if told and connection.vendor == "postgresql":
            _drop_functions(connection, {f"portal_{trigger.name}" for trigger in wanted})
    return told


def remove(connection) -> None:
    """Drops every trigger of the portal's tables: only the clean-up after tests has a reason to."""
    replace([], connection)


def _drop(name: str, table: str, connection) -> str:
    quote = connection.ops.quote_name
    where = f" ON {quote(table)}" if connection.vendor == "postgresql" else ""
    return f"DROP TRIGGER {quote(name)}{where}"


def _drop_functions(connection, kept: set[str]) -> None:
    """Drops the portal's functions that serve no trigger any more."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.proname FROM pg_proc p WHERE p.pronamespace = current_schema()::regnamespace "
            "AND p.proname LIKE 'portal\\_%%' AND p.prorettype = 'trigger'::regtype "
            "AND NOT EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgfoid = p.oid)",
            [],
        )
        for (name,) in cursor.fetchall():
            if name not in kept:
                cursor.execute(f"DROP FUNCTION {connection.ops.quote_name(name)}()")


@contextmanager
def lifted(connection, *tables: str) -> Iterator[None]:
    """The narrow door for a migration that writes what is public: no trigger of ``tables`` inside.

    One transaction: nobody else can write to them meanwhile, and if it fails or its process is
    killed, the triggers stand as before. What is written inside gets no version.
    """
    with transaction.atomic(using=connection.alias):
        if connection.vendor == "postgresql":
            with _disabled(connection, tables):
                yield
        else:
            with aside(connection, *tables):
                yield


@contextmanager
def _disabled(connection, tables) -> Iterator[None]:
    with connection.cursor() as cursor:
        for turn in ("DISABLE", "ENABLE"):
            # A table with pending checks of foreign keys is not altered.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            for table in tables:
                cursor.execute(f"ALTER TABLE {table} {turn} TRIGGER USER")
            if turn == "DISABLE":
                yield


@contextmanager
def aside(connection, *tables: str) -> Iterator[None]:
    """SQLite's triggers, those of ``tables`` or all, are away inside and come back word for word.

    All must go while SQLite rebuilds a table, since it refuses to rename one while a trigger of
    any other names what is not there; those of the rebuilt table it drops.
    """
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        away = {
            name: (table, text)
            for name, (table, text) in found(connection).items()
            if not tables or table in tables
        }
        for name, (table, _text) in away.items():
            cursor.execute(_drop(name, table, connection))
        yield
        still = set(connection.introspection.table_names(cursor)) if away else set()
        for table, text in away.values():
            if table in still:
                cursor.execute(text)
