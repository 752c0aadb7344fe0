"""A copy of the whole database as of one moment while others write, and back, on both engines."""

import hashlib
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, OperationalError
from django.db.migrations.loader import MigrationLoader

OF_POSTGRESQL = "('pg_catalog', 'information_schema')"


class Failed(Exception):
    """What the database did not do, as a sentence."""


@cache
def known_migrations() -> frozenset[tuple[str, str]]:
    """The migrations of this version, as (app, name); reads their files, once a process."""
    loader = MigrationLoader(None, load=False)
    loader.load_disk()
    return frozenset(loader.disk_migrations)


def is_empty(connection) -> bool:
    """Whether no table is there."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM information_schema.tables "
            f"WHERE table_schema NOT IN {OF_POSTGRESQL}"
            if connection.vendor == "postgresql"
            else "SELECT count(*) FROM sqlite_master"
        )
        return cursor.fetchone()[0] == 0


def copy(connection, target: Path) -> dict:
    """Write the database to ``target``; returns its contents as ``contents`` tells them."""
    if connection.vendor == "postgresql":
        return _dump(connection, target)
    try:
        connection.ensure_connection()
        with closing(sqlite3.connect(target)) as copied:
            connection.connection.backup(copied)
            # One file, without a log beside it.
            copied.execute("PRAGMA journal_mode=DELETE")
            _check(copied)
            return contents(copied.cursor(), "sqlite")
    except (DatabaseError, sqlite3.DatabaseError) as error:
        raise Failed(f"The database is damaged or cannot be read: {error}.") from error


def bring_back(connection, source: Path, expected: dict) -> None:
    """Fill the empty database from ``source``; raises Failed unless it then says ``expected``."""
    if connection.vendor == "postgresql":
        _load(connection, source, expected)
        return
    if connection.is_in_memory_db():
        raise Failed("The database is in memory, where nothing would stay.")
    with closing(sqlite3.connect(source)) as brought:
        _check(brought)
        _compare(expected, contents(brought.cursor(), "sqlite"))
    connection.close()
    place = Path(connection.settings_dict["NAME"])
    part = place.with_name(f"{place.name}.part")
    try:
        part.write_bytes(b"")
        part.chmod(0o600)
        _copy_to_disk(source, part)
        for log in ("-wal", "-shm", "-journal"):
            place.with_name(place.name + log).unlink(missing_ok=True)
        part.replace(place)
    finally:
        part.unlink(missing_ok=True)


def contents(cursor, vendor: str) -> dict:
    """What a database holds: rows of each table, triggers with a hash of each, migrations."""
    postgresql = vendor == "postgresql"
    cursor.execute(
        "SELECT table_schema || '.' || table_name FROM information_schema.tables "
        f"WHERE table_type = 'BASE TABLE' AND table_schema NOT IN {OF_POSTGRESQL} ORDER BY 1"
        if postgresql
        else "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' "
        "ORDER BY 1"
    )
    tables = {}
    for (name,) in cursor.fetchall():
        quoted = ".".join(f'"{part}"' for part in name.split(".", 1)) if postgresql else f'"{name}"'
        cursor.execute(f"SELECT count(*) FROM {quoted}")
        tables[name] = cursor.fetchone()[0]
    cursor.execute(
        "SELECT t.tgname, pg_get_triggerdef(t.oid) || p.prosrc FROM pg_trigger t "
        "JOIN pg_proc p ON p.oid = t.tgfoid WHERE NOT t.tgisinternal ORDER BY 1"
        if postgresql
        else "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY 1"
    )
    triggers = {
        name: hashlib.sha256(text.encode()).hexdigest()[:16] for name, text in cursor.fetchall()
    }
    migrations = []
    if any(name.endswith("django_migrations") for name in tables):
        cursor.execute("SELECT app, name FROM django_migrations ORDER BY 1, 2")
        migrations = [".".join(row) for row in cursor.fetchall()]
    return {"tables": tables, "triggers": triggers, "migrations": migrations}


def _compare(expected: dict, found: dict) -> None:
    for kind in ("migrations", "triggers", "tables"):
        if expected[kind] != found[kind]:
            before, after = (set(map(str, _items(told[kind]))) for told in (expected, found))
            differ = sorted(before ^ after)
            raise Failed(f"The {kind} are not those of the backup: {', '.join(differ[:3])}.")


def _items(told) -> list:
    return list(told.items()) if isinstance(told, dict) else told


def _check(database: sqlite3.Connection) -> None:
    try:
        (answer,) = database.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        answer = str(error)
    if answer != "ok":
        raise Failed(f"The database is damaged: {' '.join(answer.split())}.")


def _copy_to_disk(source: Path, target: Path) -> None:
    with source.open("rb") as read, target.open("wb") as written:
        shutil.copyfileobj(read, written)
        written.flush()
        os.fsync(written.fileno())


def _dump(connection, target: Path) -> dict:
    with _snapshot(connection) as (cursor, snapshot):
        _run(
            connection, "pg_dump", "--no-owner", "--no-privileges", "--encoding=UTF8",
            f"--snapshot={snapshot}", f"--file={target}",
        )  # fmt: skip
        return contents(cursor, "postgresql")


@contextmanager
def _snapshot(connection):
    """A moment that our own queries and pg_dump both see."""
    own = connection.copy()
    try:
        with own.cursor() as cursor:
            cursor.execute("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursor.execute("SELECT pg_export_snapshot()")
            yield cursor, cursor.fetchone()[0]
    except OperationalError as error:
        raise Failed(f"The database did not answer: {str(error).strip()}.") from error
    finally:
        own.close()


def _load(connection, source: Path, expected: dict) -> None:
    _run(
        connection, "psql", "--no-psqlrc", "--quiet", "--single-transaction",
        "--set=ON_ERROR_STOP=1", "--output=/dev/null", f"--file={source}",
    )  # fmt: skip
    with connection.cursor() as cursor:
        found = contents(cursor, "postgresql")
    try:
        _compare(expected, found)
    except Failed as error:
        raise Failed(f"{error} Drop this database, and restore into a new one.") from None


def _run(connection, program: str, *options: str) -> None:
    """Run a program of PostgreSQL on our database; raises Failed with what it says."""
    from psycopg2.extensions import make_dsn

    address = connection.get_connection_params()
    address.pop("cursor_factory", None)
    # Whoever lists the processes must not read it.
    password = address.pop("password", None)
    environment = {**os.environ, **({"PGPASSWORD": password} if password else {})}
    command = [
        str(Path(settings.POSTGRESQL_BIN) / program), *options, f"--dbname={make_dsn(**address)}"
    ]  # fmt: skip
    try:
        answer = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False
        )  # fmt: skip
    except OSError:
        raise Failed(
            f"{program} is not there: install PostgreSQL's client of the server's version, or set "
            "POSTGRESQL_BIN to the folder that has it."
        ) from None
    if answer.returncode:
        told = answer.stderr.strip().splitlines()[:3]
        raise Failed(f"{program} said: {' '.join(told)}")
