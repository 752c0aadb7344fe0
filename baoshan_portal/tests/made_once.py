"""What a run of tests makes once and its workers share, in a folder that ends with the run."""

import fcntl
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import mkdtemp

from django.conf import settings
from django.db import connection

from .database_server import MIGRATED


def made_once(name: str, make: Callable[[Path], None]) -> Path:
    """The folder that ``make`` fills, once in a run; whoever asks meanwhile waits for it."""
    shared = Path(os.environ["TESTS_SHARED"])
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / name).exists():
            # Under another name as long as it is not whole.
            unfinished = Path(mkdtemp(dir=shared))
            make(unfinished)
            unfinished.rename(shared / name)
    return shared / name


def migrate(folder: Path) -> None:
    """Make an installation in ``folder`` that has its migrations and nothing else."""
    _migrate(f"sqlite:///{folder / 'portal.sqlite3'}")


def _migrate(database: str) -> None:
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0", "--skip-checks"],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": database},
        check=True,
    )


def begin_migrated() -> sqlite3.Connection | None:
    """Let the tests' database begin as a copy of one that is migrated: five seconds of each worker.

    In memory there is one as long as anybody is connected: for SQLite the connection comes back.
    """
    if connection.vendor == "sqlite":
        # Where Django looks for a database of tests that was kept
        there = sqlite3.connect("file:memorydb_default?mode=memory&cache=shared", uri=True)
        with closing(sqlite3.connect(made_once("migrated", migrate) / "portal.sqlite3")) as one:
            one.backup(there)
        return there
    template = os.environ["DATABASE_URL"].replace("/postgres?", f"/{MIGRATED}?")
    made_once("migrated on PostgreSQL", lambda _folder: _migrate(template))
    connection.settings_dict["TEST"]["TEMPLATE"] = MIGRATED
    return None
