"""The database of tests is migrated once in a run; what other processes have are copies of it.

Whoever is first leaves one of its own: on SQLite a file, on PostgreSQL a template.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

#: What Django calls the copy on PostgreSQL.
TEMPLATE = "portal_migrated"


@contextmanager
def _alone(engine: str) -> Iterator[Path]:
    """Where the copy is, or is put, while nobody else looks; for PostgreSQL a sign that it is."""
    file = Path(os.environ["TESTS_SHARED"], f"migrated.{engine}")
    with file.with_suffix(f".{engine}-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield file


@contextmanager
def created(creation) -> Iterator[None]:
    """Django creates the database of a test process, whose migrations find nothing to do."""
    connection = creation.connection
    with _alone(connection.vendor) as copy:
        begin = _from_file if connection.vendor == "sqlite" else _from_template
        with begin(connection, copy):
            yield


@contextmanager
def _from_file(connection, copy: Path) -> Iterator[None]:
    if copy.exists():
        name = connection.creation._get_test_db_name()
        # It is in memory, where it stays as long as somebody has it open.
        with closing(sqlite3.connect(name, uri=True)) as own, closing(sqlite3.connect(copy)) as old:
            old.backup(own)
            yield
        return
    yield
    connection.ensure_connection()
    begun = copy.with_name(f"{copy.name}-begun")
    with closing(sqlite3.connect(begun)) as target:
        connection.connection.backup(target)
    begun.rename(copy)


@contextmanager
def _from_template(connection, copy: Path) -> Iterator[None]:
    if copy.exists():
        connection.settings_dict["TEST"]["TEMPLATE"] = TEMPLATE
        yield
        return
    yield
    connection.close()
    name = connection.ops.quote_name(connection.settings_dict["NAME"])
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {TEMPLATE} TEMPLATE {name}")
    copy.touch()
