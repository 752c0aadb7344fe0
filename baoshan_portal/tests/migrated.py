"""A worker's database begins as a copy of one that is migrated: five seconds less of each."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Thread

from django.db import connection

from .databases import create
from .server import made_once, migrate, migrate_in

#: What the databases of workers on PostgreSQL are copies of
TEMPLATE = "migrated"


def migrate_meanwhile() -> None:
    """Let the original be made while the workers still read the tests."""
    Thread(target=_original, daemon=True).start()


def begin_migrated() -> sqlite3.Connection | None:
    """Let this worker's database begin so.

    In memory there is one as long as anybody is connected: for SQLite the connection comes back.
    """
    original = _original()
    if connection.vendor == "sqlite":
        # Where Django looks for a database of tests that was kept
        there = sqlite3.connect("file:memorydb_default?mode=memory&cache=shared", uri=True)
        with closing(sqlite3.connect(original / "portal.sqlite3")) as migrated:
            migrated.backup(there)
        return there
    connection.settings_dict["TEST"]["TEMPLATE"] = TEMPLATE
    return None


def _original() -> Path:
    """Its folder, empty where it is a database of the tests' server."""
    if connection.vendor == "sqlite":
        return made_once("migrated", migrate_in)
    return made_once("migrated on PostgreSQL", lambda _folder: _make_template())


def _make_template() -> None:
    migrate(create(os.environ["DATABASE_URL"], TEMPLATE))
