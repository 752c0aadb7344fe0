"""The demonstration as ``make demo`` fills it, in place of the database of the tests."""

import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path

from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import override_settings

from baoshan_portal.tests.server import install


@contextmanager
def demonstration(folder: Path):
    """A demonstration, on SQLite, made once in a run of tests; gives what its preparation said."""
    connection.ensure_connection()
    told = install(folder, demo="1")
    with (
        override_settings(DEMO=True, MEDIA_ROOT=folder / "files"),
        closing(sqlite3.connect(":memory:")) as before,
    ):
        connection.connection.backup(before)
        with closing(sqlite3.connect(folder / "portal.sqlite3")) as filled:
            filled.backup(connection.connection)
        forget_what_was_read()
        yield told
        before.backup(connection.connection)
        forget_what_was_read()


def forget_what_was_read() -> None:
    """Keys that Django keeps belong to one database."""
    ContentType.objects.clear_cache()
