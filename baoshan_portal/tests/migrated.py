"""A worker's database begins as a copy of one that is migrated: five seconds less of each."""

import os
import sqlite3
from contextlib import closing

import psycopg2
from django.db import connection

from .server import made_once, migrate, migrate_in

#: What the databases of workers on PostgreSQL are copies of
TEMPLATE = "migrated"


def begin_migrated() -> sqlite3.Connection | None:
    """Let this worker's database begin so.

    In memory there is one as long as anybody is connected: for SQLite the connection comes back.
    """
    if connection.vendor == "sqlite":
        # Where Django looks for a database of tests that was kept
        there = sqlite3.connect("file:memorydb_default?mode=memory&cache=shared", uri=True)
        folder = made_once("migrated", migrate_in)
        with closing(sqlite3.connect(folder / "portal.sqlite3")) as migrated:
            migrated.backup(there)
        return there
    made_once("migrated on PostgreSQL", lambda _folder: _make_template(os.environ["DATABASE_URL"]))
    connection.settings_dict["TEST"]["TEMPLATE"] = TEMPLATE
    return None


def _make_template(server: str) -> None:
    with closing(psycopg2.connect(server)) as there:
        there.autocommit = True
        there.cursor().execute(f"CREATE DATABASE {TEMPLATE}")
    migrate(server.replace("/postgres?", f"/{TEMPLATE}?"))
