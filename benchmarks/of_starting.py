"""The second `make run` beside Django's own server: seconds until the first page is there.

On the report, with which everybody begins, and on SQLite, whatever database the others measure.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from urllib.request import urlopen

from django.conf import settings
from side_by_side import Line, ratios, seconds, taking_turns

from baoshan_portal.tests.server import free_port

PAGE = "/accessibility/"


def lines(rounds: int) -> Iterator[Line]:
    run = ["make", "--no-print-directory", "run"]
    server = [sys.executable, "manage.py", "runserver", "--noreload"]
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:///{folder}/portal.sqlite3"
        # The first time everything is made ready.
        until_a_page(run, database)
        found = taking_turns(
            rounds,
            run=partial(until_a_page, run, database),
            server=partial(until_a_page, server, database, port_behind=True),
        )
    yield Line("`make run` until the first page", found["run"], "s")
    share = ratios(found["run"], found["server"])
    yield Line("`make run` : `runserver`, until the first page", share, goal=1.5, at_most=True)


def until_a_page(command: list[str], database: str, *, port_behind: bool = False) -> float:
    """Seconds from the start of ``command`` to its first page; it is ended then."""
    port = str(free_port())
    process = subprocess.Popen(
        [*command, port] if port_behind else command,
        cwd=settings.BASE_DIR,
        env={**os.environ, "PORT": port, "DEMO": "0", "DATABASE_URL": database},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip

    def ask() -> None:
        while process.poll() is None:
            try:
                urlopen(f"http://127.0.0.1:{port}{PAGE}").close()
                return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError(f"{command} ended with {process.returncode}.")

    try:
        return seconds(ask)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()
