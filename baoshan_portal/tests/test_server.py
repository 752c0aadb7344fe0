"""The server of ``make run``: behind a proxy under a sub-path, started again, overloaded."""

import os
import re
import signal
import sqlite3
import subprocess
import time
from contextlib import closing, suppress
from http import HTTPStatus
from http.client import HTTPConnection
from urllib.parse import urljoin, urlsplit

import pytest
from django.conf import settings

from .attack import slow, storm
from .pages import LISTS, PLAIN_PAGES, in_both_languages, links
from .server import install, serve
from .slices import WHOLE, one_of_each, one_way_each

pytestmark = pytest.mark.browser

PREFIX = "/baoshan"
#: What a preparation makes where it is missing.
MADE = "FROM auth_permission WHERE codename = 'add_session'"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("portal")


@pytest.fixture(scope="module")
def server(folder):
    """As `make run` starts it, which makes the database ready first."""
    install(folder, demo="0")
    with closing(sqlite3.connect(folder / "portal.sqlite3")) as database, database:
        assert database.execute(f"DELETE {MADE}").rowcount == 1
    changes = {"SCRIPT_NAME": PREFIX, "THREADS": "4", "LOCK_SECONDS": "1"}
    with serve(folder, PREPARE="1", **changes) as server:
        yield server


@pytest.fixture(scope="module")
def behind_proxy(server):
    """Asks for a path as a visitor would, and like the proxy takes the sub-path away."""

    def get(path: str):
        assert path.startswith(f"{PREFIX}/"), path
        return server.get(path.removeprefix(PREFIX))

    return get


def test_with_prepare_the_server_makes_the_database_ready_and_says_its_address(folder, server):
    assert server.get("/").status == HTTPStatus.OK
    assert f"{server.address}{PREFIX}/\n" in server.log
    with closing(sqlite3.connect(folder / "portal.sqlite3")) as database:
        assert database.execute(f"SELECT count(*) {MADE}").fetchone() == (1,)


def test_pages_are_compressed_for_whoever_takes_it(server):
    for address in ("/", "/data/indicators.csv"):
        answer = server.get(address, **{"Accept-Encoding": "gzip"})
        assert answer.headers["Content-Encoding"] == "gzip"


def test_static_files_may_be_kept_for_good(server, behind_proxy):
    (sheet, *_others) = [link for link in links(server.text("/")) if link.endswith(".css")]

    answer = behind_proxy(sheet)

    assert answer.status == HTTPStatus.OK
    assert answer.headers["Content-Type"].startswith("text/css")
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.read()


def kind_of_link(link: str) -> tuple[str, bool]:
    """The part of the site that a link below the sub-path leads to, and whether it is a file."""
    path = link.removeprefix(PREFIX).removeprefix("/en")
    return path.split("/")[1], "." in path.rpartition("/")[2]


@pytest.mark.sweep
def test_under_a_sub_path_every_link_stays_below_it_and_answers(behind_proxy):
    pages = [f"{PREFIX}{address}" for address in in_both_languages(*PLAIN_PAGES)]
    found, read = set(), one_way_each(pages)
    for page in read:
        html = behind_proxy(page).read().decode()
        found |= {urljoin(page, link) for link in links(html)}
    # An address printed in full names this very server, too.
    paths = {urlsplit(link)._replace(scheme="", netloc="", fragment="").geturl() for link in found}

    assert {link for link in paths if not link.startswith(f"{PREFIX}/")} == set()
    assert set(pages) <= paths
    # One measure and one indicator stand for all.
    of_each_kind = {
        re.sub("(measures|indicators)/[^/]+/$", r"\1", link): link
        for link in sorted(paths)
        if "?" not in link
    }
    assert len(of_each_kind) > len(pages)
    others = [link for link in of_each_kind.values() if WHOLE or link not in pages]
    for link in one_of_each(others, kind=kind_of_link):
        assert behind_proxy(link).status in (HTTPStatus.OK, HTTPStatus.FOUND), link


def test_under_a_sub_path_the_style_sheets_are_served(behind_proxy):
    html = behind_proxy(f"{PREFIX}/").read().decode()
    sheets = [link for link in links(html) if link.endswith(".css")]

    assert len(sheets) >= 3
    for sheet in sheets:
        answer = behind_proxy(sheet)
        assert answer.status == HTTPStatus.OK
        assert answer.headers["Content-Type"].startswith("text/css")


@pytest.mark.parametrize(
    ("path", "status", "target"),
    [
        ("/measures", 301, "/measures/"),
        ("/en/indicators?q=1", 301, "/en/indicators/?q=1"),
        ("/admin/", 302, "/admin/login/?next=/baoshan/admin/"),
        ("/en/admin/", 302, "/en/admin/login/?next=/baoshan/en/admin/"),
    ],
)
def test_under_a_sub_path_redirects_stay_below_it(behind_proxy, path, status, target):
    answer = behind_proxy(PREFIX + path)

    assert answer.status == status
    assert answer.headers["Location"] == PREFIX + target


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("/", "/en/"),
        ("/en/", "/"),
        ("/indicators/?q=1", "/en/indicators/?q=1"),
        ("/en/measures/?as_of=2023-08-01", "/measures/?as_of=2023-08-01"),
        ("/nothing/", "/en/"),
    ],
)
def test_under_a_sub_path_the_other_language_is_the_same_page(behind_proxy, here, there):
    html = behind_proxy(PREFIX + here).read().decode()

    assert PREFIX + there in links(html)


def test_under_a_sub_path_files_name_addresses_below_it(behind_proxy):
    assert f"{PREFIX}/indicators/" in behind_proxy(f"{PREFIX}/data/indicators.csv").read().decode()
    package = behind_proxy(f"{PREFIX}/data/datapackage.json").read().decode()
    assert f"{PREFIX}/data/observations.csv" in package
    for address in LISTS:
        answer = behind_proxy(f"{PREFIX}{address}?format=csv")
        assert answer.status == HTTPStatus.OK


# When it is too much, too slow, or its database is away: what `baoshan_portal.tests.attack` does at
# length, for some seconds


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
        ["make", "--no-print-directory", "--dry-run", "run"],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
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
    rows = list(slow.run(server.address, connections=12, within=8, ordinary=3, before=0.3))

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
