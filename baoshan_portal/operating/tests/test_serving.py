"""What is confirmed is on the disk, and the server's connections wait no longer than they may."""

from types import SimpleNamespace

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connection, connections
from django.db.utils import load_backend

from .. import serving, unavailable
from ..serving import bound_waiting, check, checked_later

pytestmark = pytest.mark.django_db

on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="Of SQLite's own settings.")
on_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="Of PostgreSQL's own settings."
)


def of_the_server(monkeypatch, **changes):
    """Another connection to the test's database, as the server opens it; to be closed."""
    database = {**connection.settings_dict, "OPTIONS": {**connection.settings_dict["OPTIONS"]}}
    database |= changes
    monkeypatch.setattr(serving, "connections", SimpleNamespace(settings={"default": database}))
    bound_waiting()
    return load_backend(database["ENGINE"]).DatabaseWrapper(database, "other")


def warnings(other, monkeypatch) -> dict[str, str]:
    monkeypatch.setattr(serving, "connections", {"other": other})
    return {warning.id: warning.msg for warning in check(databases=["other"])}


@on_sqlite
def test_sqlite_confirms_what_is_on_the_disk(tmp_path, monkeypatch):
    other = of_the_server(monkeypatch, NAME=tmp_path / "some.sqlite3")
    with other.cursor() as cursor:
        assert cursor.execute("PRAGMA synchronous").fetchone() == (2,)
        assert cursor.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert warnings(other, monkeypatch) == {}

        cursor.execute("PRAGMA synchronous = NORMAL")
        assert warnings(other, monkeypatch).keys() == {"operating.W001"}
    other.close()


@on_postgresql
def test_postgresql_that_confirms_too_early_is_told(monkeypatch):
    # Tests run without fsync, for their speed.
    assert "(fsync is off)" in warnings(connection, monkeypatch)["operating.W001"]

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
    assert "synchronous_commit" in warnings(connection, monkeypatch)["operating.W001"]


@on_postgresql
def test_a_server_that_could_ask_for_too_many_connections_is_told(monkeypatch, settings):
    assert "operating.W002" not in warnings(connection, monkeypatch)

    settings.WORKERS, settings.THREADS = 10, 12
    told = warnings(connection, monkeypatch)["operating.W002"]
    assert "120 connections" in told and "97" in told


def test_a_database_that_is_away_stops_no_check(monkeypatch):
    class Away:
        vendor = "sqlite"

        def cursor(self):
            raise OperationalError("away")

    assert warnings(Away(), monkeypatch) == {}


@on_postgresql
def test_only_the_servers_connections_are_bounded(monkeypatch, settings):
    settings.LOCK_SECONDS, settings.STATEMENT_SECONDS = 7, 11
    other = of_the_server(monkeypatch)
    with other.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('lock_timeout'), current_setting('statement_timeout')"
        )
        assert cursor.fetchone() == ("7s", "11s")
    other.close()

    assert "lock_timeout" not in str(connections["default"].settings_dict["OPTIONS"])


@on_postgresql
def test_what_takes_too_long_ends_as_busy(monkeypatch, settings):
    settings.LOCK_SECONDS = settings.STATEMENT_SECONDS = 1
    other = of_the_server(monkeypatch)
    with other.cursor() as cursor, pytest.raises(OperationalError) as raised:
        cursor.execute("SELECT pg_sleep(30)")
    assert unavailable.why(raised.value) == unavailable.BUSY

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(4711)")
    with other.cursor() as cursor, pytest.raises(OperationalError) as raised:
        cursor.execute("SELECT pg_advisory_lock(4711)")
    assert unavailable.why(raised.value) == unavailable.BUSY
    other.close()


def test_a_database_that_was_away_at_the_start_is_checked_when_it_comes(monkeypatch):
    came, ended = [], []
    monkeypatch.setattr(serving.os, "_exit", ended.append)

    def look():
        came.append(True)
        if len(came) == 1:
            raise OperationalError("away")
        if len(came) == 2:
            raise ImproperlyConfigured("invented figures")

    def application(environ, start_response):
        return ["page"]

    answer = checked_later(application, look)
    assert answer({"PATH_INFO": "/healthz"}, None) == ["page"]
    assert not came

    assert answer({"PATH_INFO": "/"}, None) == ["page"]
    assert ended == []
    answer({"PATH_INFO": "/"}, None)
    assert ended == [1]
    for _turn in range(3):
        answer({"PATH_INFO": "/"}, None)
    assert len(came) == 3
