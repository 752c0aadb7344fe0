"""Machines that watch the portal ask /healthz, /readyz and /metrics."""

import os
import subprocess
import sys
import time
from collections import namedtuple

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.test import RequestFactory

from measures.chain import make_checkpoint

from .. import archives, databases, health, probes

pytestmark = pytest.mark.django_db


def ready(client) -> tuple[int, dict]:
    answer = client.get("/readyz")
    return answer.status_code, answer.json()


def test_alive_asks_no_database_whatever_cookies_come_with_it(client, django_assert_num_queries):
    client.cookies["sessionid"] = "abcdefghijklmnopqrstuvwxyz012345"

    with django_assert_num_queries(0):
        answer = client.get("/healthz", HTTP_HOST="10.0.0.7")

    assert (answer.status_code, answer.content) == (200, b"alive\n")
    assert answer["Cache-Control"] == "no-store"
    assert not answer.cookies


@pytest.mark.parametrize(("method", "path"), [("get", "/healthz"), ("post", "/readyz")])
def test_a_probe_is_neither_framed_nor_guessed_at(client, method, path):
    answer = getattr(client, method)(path)

    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_the_policy_of_a_page_stays_its_own(client):
    assert "default-src 'self'" in client.get("/nothing/")["Content-Security-Policy"]


def test_a_probe_needs_no_tls_and_no_name_and_is_only_read(client, settings):
    settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT = ["portal.example.gov.cn"], True

    assert client.get("/healthz", HTTP_HOST="127.0.0.1").status_code == 200
    assert client.get("/readyz", HTTP_HOST="127.0.0.1").status_code == 200
    assert client.post("/readyz").status_code == 405
    elsewhere = client.get("/en/readyz", secure=True, HTTP_HOST="portal.example.gov.cn")
    assert elsewhere.status_code in (301, 404)


def test_a_whole_portal_is_ready_for_three_questions(client, django_assert_max_num_queries):
    health.look()

    with django_assert_max_num_queries(9):
        status, told = ready(client)

    assert status == 200
    assert told["ready"]
    assert told["migrations"] == {"ok": True, "unapplied": 0}
    assert told["protection"] == {"ok": True, "problems": 0}
    assert told["checkpoint"] == {"ok": True, "age_hours": None}
    assert told["backup"] == {}
    assert client.get("/readyz")["Cache-Control"] == "no-store"


def test_a_database_that_is_away_is_told_without_its_words(client, monkeypatch):
    def refuse():
        raise OperationalError('connection to "db.intern" failed: password of "portal"')

    monkeypatch.setattr(health, "database", refuse)
    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["database"] == {"ok": False}
    assert b"portal" not in answer.content and b"intern" not in answer.content


def test_a_migration_that_the_database_has_not_seen(client, monkeypatch):
    known = databases.known_migrations()
    monkeypatch.setattr(databases, "known_migrations", lambda: known | {("measures", "9999_new")})

    status, told = ready(client)

    assert status == 503
    assert told["migrations"] == {"ok": False, "unapplied": 1}


def test_a_trigger_that_is_missing(client):
    where = " ON measures_trailevent" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER measures_trailevent_protect_update{where}")

    status, told = ready(client)

    assert status == 503
    assert told["protection"] == {"ok": False, "problems": 1}


def test_the_age_of_the_newest_checkpoint(client):
    make_checkpoint()
    assert ready(client)[1]["checkpoint"] == {"ok": True, "age_hours": 0.0}


def test_a_cache_that_cannot_be_written_and_a_full_disk(client, settings, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    settings.CACHE_ROOT = tmp_path / "file/cache"
    usage = namedtuple("usage", "total used free")(10, 10, 3 * 1024 * 1024)
    monkeypatch.setattr(health.shutil, "disk_usage", lambda folder: usage)

    status, told = ready(client)

    assert status == 503
    assert told["cache"] == {"ok": False}
    assert told["disk"] == {"ok": False, "free_mb": 3}


def test_the_age_of_the_newest_backup_is_told_and_takes_no_portal_off(client, settings, tmp_path):
    settings.BACKUP_FOLDER = str(tmp_path)
    assert ready(client)[1]["backup"] == {"ok": False, "age_hours": None}

    (tmp_path / "portal-notes.txt").write_text("not a backup")
    for hours in (80, 30):
        backup = tmp_path / f"portal-20261101T0000{hours}Z.tar.gz"
        backup.write_bytes(b"")
        os.utime(backup, (time.time() - hours * 3600,) * 2)
    status, told = ready(client)
    assert (status, told["backup"]) == (200, {"ok": False, "age_hours": 30.0})

    (tmp_path / archives.name_now()).write_bytes(b"")
    assert ready(client)[1]["backup"] == {"ok": True, "age_hours": 0.0}


@pytest.mark.parametrize(
    "passed_on", [{"HTTP_X_FORWARDED_FOR": "203.0.113.9"}, {"HTTP_FORWARDED": 'for="203.0.113.9"'}]
)
def test_counters_are_off_unless_asked_for_and_never_answered_through_the_proxy(
    client, settings, passed_on
):
    assert client.get("/metrics").status_code == 404

    settings.METRICS = True
    asked_outside = RequestFactory().get("/metrics", **passed_on)
    assert probes.metrics(asked_outside).status_code == 404


def test_counters_count_the_pages_that_were_asked_for(tmp_path):
    script = (
        "import django; django.setup()\n"
        "from django.test import Client\n"
        "client = Client()\n"
        "client.get('/nowhere/'); client.get('/healthz')\n"
        "print(client.get('/metrics').content.decode())\n"
    )
    environment = {
        **os.environ, "METRICS": "1", "DEBUG": "1", "CACHE_ROOT": str(tmp_path),
        "ALLOWED_HOSTS": "testserver",
        "DJANGO_SETTINGS_MODULE": "baoshan_portal.settings", "DATABASE_URL": "sqlite:///:memory:",
    }  # fmt: skip
    told = subprocess.run(
        [sys.executable, "-c", script],
        env=environment, cwd=settings.BASE_DIR, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip

    assert 'django_http_responses_total_by_status_total{status="404"} 1.0' in told
    assert 'django_http_requests_total_by_method_total{method="GET"} 1.0' in told
    # The probes themselves are not visitors.
    assert 'status="200"' not in told
