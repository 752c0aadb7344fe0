"""The server of ``make run`` when it is too much, too slow, or its database is away.

What `baoshan_portal.tests.attack` does at length, for some seconds.
"""

import os
import signal
import sqlite3
import subprocess
import time
from contextlib import closing, suppress
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from django.conf import settings

from .attack import slow, storm
from .server import serve

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("portal")


@pytest.fixture(scope="module")
def server(folder):
    with serve(folder, THREADS="4", LOCK_SECONDS="1") as server:
        yield server


def send(server, path: str, form: str) -> tuple[int, str, dict]:
    """Status, page and headers of the answer to a form that passes the check of its origin."""
    connection = HTTPConnection(urlsplit(server.address).netloc, timeout=60)
    token = "a" * 32
    connection.request(
        "POST", path, f"csrfmiddlewaretoken={token}&{form}",
        {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"csrftoken={token}"},
    )  # fmt: skip
    with closing(connection):
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), dict(answer.getheaders())


def test_make_run_and_the_unit_start_the_same_server():
    told = subprocess.run(
        ["make", "--dry-run", "run"], cwd=settings.BASE_DIR, capture_output=True, text=True
    ).stdout
    assert told.splitlines()[-1] == "exec deploy/serve"
    assert "deploy/serve" in (settings.BASE_DIR / "deploy/systemd/portal.service").read_text()


def test_a_publication_that_is_confirmed_is_on_the_disk(server):
    ask = (
        "from django.db import connection as c; "
        "print(c.cursor().execute('PRAGMA synchronous').fetchone()[0])"
    )
    assert server.manage("shell", "--verbosity", "0", "-c", ask).strip() == "2"


def test_some_visitors_at_once_are_all_answered(server):
    ((_name, tried, failed, note),) = storm.run(server.address, visitors=16, each=2)

    assert (tried, failed) == (32, 0), note


def test_whoever_sends_slowly_keeps_nobody_waiting(server):
    # Without the bounds on waiting, ten seconds and more.
    rows = list(slow.run(server.address, connections=12, within=8, ordinary=3))

    assert len(rows) == len(slow.ATTACKS)
    assert [row for row in rows if row[2]] == []


def test_whoever_is_refused_while_still_sending_reads_why(server):
    connection = HTTPConnection(urlsplit(server.address).netloc, timeout=60)
    with closing(connection):
        connection.putrequest("POST", "/admin/")
        connection.putheader("Content-Length", "3000000")
        connection.endheaders()
        # The answer is decided by now; a connection that ended with it would be reset.
        time.sleep(0.5)
        for _part in range(30):
            connection.send(b"x" * 100_000)
        assert connection.getresponse().status == 413


def test_a_worker_that_is_killed_comes_back(server):
    (worker,) = server.workers()
    os.kill(worker, signal.SIGKILL)

    for _attempt in range(240):
        time.sleep(0.25)
        # Nobody listens until the new one is there; with two workers the other one does.
        with suppress(OSError):
            if server.get("/healthz").status == 200:
                break
    assert server.get("/").status == 200
    assert server.workers() not in ([], [worker])


def test_while_somebody_else_writes_pages_are_read_and_a_write_says_503(server, folder):
    with closing(sqlite3.connect(folder / "portal.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        pages = [server.get(path).status for path in ("/", "/en/measures/", "/readyz")]
        status, page, headers = send(server, "/en/admin/login/", "username=admin&password=wrong")

    assert pages == [200, 200, 200]
    assert (status, headers["retry-after"]) == (503, "30")
    assert "not saved, nor any part of it" in page
    status, page, _headers = send(server, "/en/admin/login/", "username=admin&password=wrong")
    assert status == 200


def test_a_database_that_is_away_is_told_and_comes_back_by_itself(server, folder):
    # A folder in its place, as where a disk is not mounted.
    place = folder / "portal.sqlite3"
    away = [
        (path, path.with_name(f"away-{path.name}"))
        for path in (place, place.with_name(f"{place.name}-wal"))
    ]
    for path, other in away:
        if path.exists():
            path.rename(other)
    place.mkdir()
    try:
        answer = server.get("/en/measures/")
        page = answer.read().decode()
        probes = [server.get(path).status for path in ("/healthz", "/readyz")]
    finally:
        place.rmdir()
        for path, other in away:
            if other.exists():
                other.rename(path)

    assert (answer.status, answer.headers["Retry-After"]) == (503, "30")
    assert "The database cannot be reached at the moment." in page
    assert probes == [200, 503]
    assert server.get("/en/measures/").status == 200
