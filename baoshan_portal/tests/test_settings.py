"""A missing or malformed setting stops start-up with a sentence that says what to do."""

import os
import re
import runpy
import subprocess
import sys
from unittest import mock

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

pytestmark = [pytest.mark.once("starts processes that open no database"), pytest.mark.long]

# Everything that a .env beside manage.py could say, so that it says nothing here.
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "SECRET_KEY": "kU3vZ7-2QmXwT9rB5nL8dF1gH6jS4aY0cP_eViOqRtWzMxNbKl",
    "DEBUG": "0",
    "DEMO": "0",
    "HTTPS": "1",
    "HSTS_WHOLE_DOMAIN": "1",
    "ALLOWED_HOSTS": "portal.example.gov.cn",
    "CSRF_TRUSTED_ORIGINS": "https://portal.example.gov.cn",
    "SCRIPT_NAME": "",
    "DATABASE_URL": "sqlite:///:memory:",
    "LOG_LEVEL": "WARNING",
}


def manage(*arguments: str, **changes: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env=ENVIRONMENT | changes,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_settings_of_a_server_pass_djangos_checks_for_deployment():
    answer = manage("check", "--deploy", "--fail-level", "WARNING")

    assert answer.returncode == 0, answer.stderr
    assert "no issues (0 silenced)" in answer.stdout


def test_a_portal_on_one_path_of_a_site_need_not_speak_for_the_whole_domain():
    told = (
        "from django.conf import settings as s; print(s.SECURE_HSTS_INCLUDE_SUBDOMAINS); "
        "from django.core.management import call_command; "
        # The check above warns of a server that does not speak for it.
        "call_command('check', deploy=True, fail_level='WARNING')"
    )
    answer = manage("shell", "-v", "0", "-c", told, HSTS_WHOLE_DOMAIN="0")

    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("False\n")
    assert "no issues" in answer.stdout


@pytest.fixture(scope="module")
def debugging():
    """What is said of a portal that is debugged, without a secret key and with old thresholds."""
    old = {"PACE_TOLERANCE_POINTS": "15", "STAGE_TERMS": "answered=180"}
    return manage("check", SECRET_KEY="", DEBUG="1", HTTPS="0", **old)


def test_debugging_needs_no_secret_key(debugging):
    assert debugging.returncode == 0


def test_a_threshold_that_is_still_set_is_told_to_have_no_effect(debugging):
    for name in ("PACE_TOLERANCE_POINTS", "STAGE_TERMS"):
        assert f"(portal.W001) {name} is set and no longer read." in debugging.stderr
    assert "changed by stewards under /admin/measures/threshold/" in debugging.stderr
    assert "REPORTING_GRACE_DAYS" not in debugging.stderr


def says_what_to_do(told: str) -> bool:
    return "environment" in told and ".env" in told and ENVIRONMENT["SECRET_KEY"] not in told


def test_a_missing_setting_stops_start_up_and_says_what_to_do():
    answer = manage("check", SECRET_KEY="")

    assert answer.returncode != 0
    assert "SECRET_KEY is not set." in answer.stderr.splitlines()[-1]
    assert says_what_to_do(answer.stderr.splitlines()[-1])


def settings_of(environment: dict[str, str]) -> dict:
    """What stands in the settings, read without a process; a .env beside manage.py has no say."""
    there = mock.patch.dict(os.environ, environment, clear=True)
    with there, mock.patch("environs.Env.read_env"):
        return runpy.run_path(str(settings.BASE_DIR / "baoshan_portal/settings.py"))


def refusal(**changes: str) -> str:
    """What the settings say with which no process starts, as the one above."""
    with pytest.raises(ImproperlyConfigured) as error:
        settings_of(ENVIRONMENT | changes)
    return str(error.value)


#: Values that are malformed, and what is said of them.
MALFORMED = {
    "DEBUG": ("maybe", "['Not a valid boolean.']"),
    "DEMO": ("perhaps", "['Not a valid boolean.']"),
    "HTTPS": ("perhaps", "['Not a valid boolean.']"),
    "DATABASE_URL": ("nonsense", "['Not a valid database URL.']"),
    "SCRIPT_NAME": ("baoshan", "["),
    "LOG_LEVEL": ("LOUD", "['Not a valid log level.']"),
}


def test_all_malformed_settings_are_told_at_once():
    told = refusal(**{name: value for name, (value, _told) in MALFORMED.items()})

    for name, (_value, sentence) in MALFORMED.items():
        assert f"'{name}': {sentence}" in told
    assert says_what_to_do(told)


def test_a_database_of_a_kind_that_is_unknown_is_told():
    told = refusal(DATABASE_URL="oracle9://a/b")

    assert "'DATABASE_URL': ['Not a valid database URL.']" in told
    assert says_what_to_do(told)


def test_every_setting_is_explained_in_the_example():
    code = (settings.BASE_DIR / "baoshan_portal/settings.py").read_text("utf-8")
    read = set(re.findall(r'\benv\.\w+\(\s*"(\w+)"', code))
    example = (settings.BASE_DIR / ".env.example").read_text("utf-8").splitlines()
    explained = {line.lstrip("#").split("=")[0] for line in example if "=" in line.split(" ")[0]}

    assert explained - read == {"HOST", "PORT"}
    assert read - explained == set()
