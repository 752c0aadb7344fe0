"""The log says in a line what happened, under the number that the visitor saw."""

import json
import logging
import re
import subprocess
import sys

import pytest
from django.conf import settings as project
from django.core import mail
from django.http import HttpResponse
from django.test import Client
from django.urls import path

from ...tests.test_settings import ENVIRONMENT
from .. import logs
from ..requests import RequestMiddleware, access

pytestmark = pytest.mark.once("asks no database")


def broken(request):
    raise ArithmeticError(f"nobody can divide by {request.GET.get('by')}")


urlpatterns = [
    path("broken/", broken),
    path("fine/", lambda request: HttpResponse("fine")),
    path("gone/", lambda request: HttpResponse("gone", status=410)),
]
handler500 = "baoshan_portal.public.errors.server_error"


@pytest.fixture
def lines(settings):
    """What is written to the log, as it was before JSON."""
    found = []
    handler = logging.Handler()
    handler.addFilter(logs.RequestId())
    handler.emit = lambda record: found.append(json.loads(logs.JsonFormatter().format(record)))
    loggers = [logging.getLogger(), access]
    loggers[0].addHandler(handler)
    yield found
    loggers[0].removeHandler(handler)


@pytest.fixture
def site(settings):
    """A client of a site where /broken/ fails."""
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = [
        f"{RequestMiddleware.__module__}.{RequestMiddleware.__name__}",
        "django.middleware.locale.LocaleMiddleware",
    ]
    return Client(raise_request_exception=False)


def test_the_error_page_the_answer_and_the_log_name_the_same_number(site, lines):
    answer = site.get("/broken/", {"by": "zero\nINFO forged"})

    number = answer["X-Request-ID"]
    assert answer.status_code == 500
    assert re.fullmatch("[0-9a-f]{16}", number)
    assert f"<code>{number}</code>" in answer.content.decode()
    assert "报告" in answer.content.decode()
    (event,) = [line for line in lines if line["level"] == "ERROR"]
    assert event["request_id"] == number
    assert event["traceback"].rstrip().endswith("divide by zero\nINFO forged")
    assert site.get("/broken/")["X-Request-ID"] != number
    assert logs.request_id.get() == ""


def test_what_django_logs_of_an_answer_that_was_sent_has_its_number_too(site, lines):
    number = site.get("/gone/")["X-Request-ID"]

    assert [line["request_id"] for line in lines] == [number]


def test_a_number_is_taken_over_only_from_a_trusted_proxy_and_only_a_plain_one(site, settings):
    def number(given):
        return site.get("/fine/", HTTP_X_REQUEST_ID=given)["X-Request-ID"]

    assert number("abcdef0123456789") != "abcdef0123456789"
    settings.TRUST_PROXY = True
    assert number("abcdef0123456789") == "abcdef0123456789"
    for bad in ("short", "a" * 65, "with space", "<b>bold</b>", "号" * 10):
        assert number(bad) != bad


def test_the_access_log_is_a_line_a_request_if_it_is_asked_for(site, lines, settings):
    site.get("/fine/?q=1")
    assert [line for line in lines if line["logger"] == access.name] == []

    settings.ACCESS_LOG = True
    site.get("/fine/?q=1", HTTP_USER_AGENT="x" * 900, REMOTE_ADDR="203.0.113.9")

    (line,) = [line for line in lines if line["logger"] == access.name]
    assert (line["address"], line["method"], line["path"], line["status"]) == (
        "203.0.113.9", "GET", "/fine/?q=1", 200,
    )  # fmt: skip
    assert line["ms"] >= 0
    assert len(line["agent"]) == 500
    assert line["request_id"]


def test_every_line_of_a_server_is_json_unless_lines_for_people_are_asked_for():
    script = (
        "import django; django.setup(); import logging; "
        "logging.getLogger('django.request').error('one\\ntwo'); "
        "logging.getLogger('portal').info('unimportant')"
    )

    def told(**changes):
        return subprocess.run(
            [sys.executable, "-c", script], cwd=project.BASE_DIR, text=True, check=True,
            env={**ENVIRONMENT, "DJANGO_SETTINGS_MODULE": "baoshan_portal.settings", **changes},
            capture_output=True,
        ).stderr.splitlines()  # fmt: skip

    (line,) = told()
    assert json.loads(line)["message"] == "one\ntwo"
    assert told(LOG_FORMAT="line")[0].endswith("ERROR django.request: one")


@pytest.fixture
def mailed(settings, tmp_path):
    """The mails to administrators; what was mailed before is forgotten."""
    settings.ADMINS = [("IT", "it@example.gov.cn")]
    settings.CACHE_ROOT = tmp_path
    handler = logs.MailHandler(logging.ERROR)
    handler.addFilter(logs.RequestId())
    logging.getLogger().addHandler(handler)
    logs._mailed.clear()
    yield mail.outbox
    logging.getLogger().removeHandler(handler)


@pytest.fixture
def only_handler():
    """The handler of the settings steps aside, so that each mail is sent by the one tried."""
    root = logging.getLogger()
    own = [handler for handler in root.handlers if isinstance(handler, logs.MailHandler)]
    for handler in own:
        root.removeHandler(handler)
    yield
    for handler in own:
        root.addHandler(handler)


def test_the_same_error_is_mailed_once_in_an_hour(only_handler, mailed, site, time_machine):
    time_machine.move_to("2026-11-26 08:00:00+08:00", tick=False)
    for n in range(50):
        answer = site.get("/broken/", {"by": f"secret-{n}"})

    assert len(mailed) == 1
    assert mailed[0].to == ["it@example.gov.cn"]
    assert "ArithmeticError" in mailed[0].subject
    assert "/broken/" in mailed[0].body and "test_logs.py" in mailed[0].body
    assert "by=" not in mailed[0].body
    assert answer["X-Request-ID"] not in mailed[0].body

    time_machine.shift(3601)
    answer = site.get("/broken/")
    assert len(mailed) == 2
    assert answer["X-Request-ID"] in mailed[1].body
    assert "49 times more" in mailed[1].body


def test_many_different_errors_send_no_more_than_twenty_mails(only_handler, mailed):
    for n in range(60):
        logging.getLogger("portal").error(f"error number {n}")

    assert len(mailed) == 20


def test_a_full_disk_is_mailed_about_too(only_handler, mailed, settings, tmp_path):
    (tmp_path / "file").write_text("in the way")
    settings.CACHE_ROOT = tmp_path / "file/cache"

    for _n in range(5):
        logging.getLogger("portal").error("no space left")

    assert len(mailed) == 1


def test_whoever_asks_for_a_wrong_host_sends_no_mail(only_handler, mailed, client, settings):
    settings.ALLOWED_HOSTS = ["portal.example.gov.cn"]

    assert client.get("/", HTTP_HOST="wrong.example").status_code == 400
    assert mailed == []
