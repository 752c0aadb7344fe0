"""Invented figures stay in databases of their own, which can be made on any day."""

import sqlite3
import subprocess
from contextlib import closing
from datetime import datetime, time
from io import StringIO
from unittest import mock

import pytest
import yaml
from django.apps import apps
from django.conf import global_settings, settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import override_settings
from django.utils import timezone

from baoshan_portal.management.commands.prepare import FIXTURES
from baoshan_portal.tests.server import install
from baoshan_portal.tests.slices import WHOLE, some
from baoshan_portal.tests.test_settings import ENVIRONMENT, settings_of
from measures.demo_database import check_database
from measures.models import DemoMark, Round
from measures.tests import forked
from measures.watermark import CHINESE, ENGLISH, file_name, watermark
from metrics.assessment import assess
from metrics.models import Indicator, Observation
from metrics.rules.choices import Verdict

from .. import filling

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("report"), pytest.mark.long]


def database() -> dict:
    return {
        model._meta.label: list(model._base_manager.order_by("pk").values_list())
        for label in ("auth", "measures", "metrics")
        for model in apps.get_app_config(label).get_models(include_auto_created=True)
    }


def refusal(command: str) -> str:
    """What a command says that must not run; it must have changed nothing."""
    before = database()
    with pytest.raises((CommandError, ImproperlyConfigured)) as error:
        call_command(command, stdout=StringIO())
    assert database() == before
    return str(error.value)


# A real database


@pytest.mark.once("compares the fixtures with what is invented")
def test_no_fixture_is_invented():
    texts = {
        name: (settings.BASE_DIR / f"fixtures/{name}.yaml").read_text("utf-8") for name in FIXTURES
    }
    for name, text in texts.items():
        rows = yaml.load(text, Loader=yaml.CSafeLoader)
        codes = [row["fields"].get("code", "") for row in rows]
        assert not [code for code in codes if code.startswith(filling.PREFIX)], name
        for words in ("虚构", "演示", CHINESE, ENGLISH):
            assert words not in text, name


def test_a_prepared_database_holds_nothing_invented():
    coded = [
        model
        for label in ("measures", "metrics")
        for model in apps.get_app_config(label).get_models()
        if "code" in {field.name for field in model._meta.fields}
    ]

    call_command("prepare", "--no-static", stdout=StringIO())

    assert len(coded) > 10
    for model in coded:
        assert not model._base_manager.filter(code__startswith=filling.PREFIX).exists()
    assert not DemoMark.objects.exists()
    assert watermark() == ""
    assert file_name("indicators.csv") == "indicators.csv"


def test_the_demonstration_does_not_fill_it():
    assert "no demonstration" in refusal("demo")
    with override_settings(DEMO=True):
        assert "not made for the demonstration" in refusal("demo")


@pytest.mark.parametrize("command", ["prepare", "remind"])
def test_nothing_takes_it_for_a_demonstration(command):
    with override_settings(DEMO=True):
        assert "was not made for the demonstration" in refusal(command)


# A demonstration's database


@pytest.mark.parametrize("command", ["prepare", "remind"])
def test_nothing_takes_a_demonstration_for_real(command):
    DemoMark.objects.create()

    assert "made for the demonstration and holds invented figures" in refusal(command)


def test_a_database_and_the_setting_agree_only_if_both_are_real_or_both_invented():
    check_database()
    with override_settings(DEMO=True), pytest.raises(ImproperlyConfigured):
        check_database()
    DemoMark.objects.create()
    with pytest.raises(ImproperlyConfigured):
        check_database()
    with override_settings(DEMO=True):
        check_database()


@pytest.mark.once("is about settings")
@pytest.mark.sweep
def test_the_server_starts_only_where_both_agree(tmp_path):
    file = tmp_path / "portal.sqlite3"

    def starts(**changes) -> subprocess.CompletedProcess:
        environment = without_address() | {"DATABASE_URL": f"sqlite:///{file}"} | changes
        ask = ("shell", "-v", "0", "-c", "import baoshan_portal.wsgi")
        (answer,) = forked.run(environment, ask)
        return answer

    # Nothing is there yet, so nothing false can be shown.
    for demo in some("10", every=2):
        assert starts(DEMO=demo).returncode == 0
    file.unlink(missing_ok=True)
    install(tmp_path, demo="0")
    # Where both agree, the servers of the tests in a browser start as well.
    if WHOLE:
        assert starts(DEMO="0").returncode == 0
    refused = starts(DEMO="1")
    assert refused.returncode != 0
    assert "was not made for the demonstration" in refused.stderr.splitlines()[-1]
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("INSERT INTO measures_demomark (made_at) VALUES ('2026-01-01')")
    if WHOLE:
        assert starts(DEMO="1").returncode == 0
    refused = starts(DEMO="0")
    assert refused.returncode != 0
    assert "holds invented figures" in refused.stderr.splitlines()[-1]


@pytest.mark.once("is about settings")
def test_without_an_address_each_has_files_and_cookies_of_its_own():
    real, invented = (settings_of(without_address() | {"DEMO": on}) for on in ("0", "1"))

    assert real["DATABASES"]["default"]["NAME"].endswith("/var/portal.sqlite3")
    assert invented["DATABASES"]["default"]["NAME"].endswith("/var/demo.sqlite3")
    assert real["MEDIA_ROOT"] != invented["MEDIA_ROOT"]
    for cookie in ("SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME"):
        first, other = (
            found.get(cookie, getattr(global_settings, cookie)) for found in (real, invented)
        )
        assert first != other


# Whatever the day


#: What there is on a day is reckoned in Python; the rarest shows that either database takes it.
ONCE = pytest.mark.once("reckons with days; one of them is filled on both databases")
OTHER_DAYS = ("2026-01-01", "2026-03-31", "2026-04-01", "2026-08-15", "2027-12-31")


@pytest.mark.sweep
@pytest.mark.parametrize(
    "day",
    ["2028-02-29", *(pytest.param(day, marks=ONCE) for day in OTHER_DAYS if WHOLE)],
)
def test_a_demonstration_made_on_any_day_shows_every_verdict_and_nothing_of_the_future(day):
    now = timezone.make_aware(datetime.combine(datetime.fromisoformat(day), time(9)))
    with transaction.atomic(), mock.patch("django.utils.timezone.now", return_value=now):
        filling.fill()

        today = timezone.localdate()
        assert today.isoformat() == day
        rows = list(Indicator.objects.published().with_place().with_latest())
        verdicts = {
            assess(row, target, today).verdict
            for row in rows
            for target in row.loaded_targets or [None]
        }
        assert verdicts == set(Verdict)
        for row in Observation.objects.filter(state="published"):
            assert row.published_at < now
            assert row.period_end < today or row.certainty == "expected"
        late = [
            round_.due_on < today
            for round_ in Round.objects.filter(locked=False, opens_on__lte=today).order_by("due_on")
        ]
        assert late == [True, False]
        transaction.set_rollback(True)


def without_address() -> dict[str, str]:
    return {name: text for name, text in ENVIRONMENT.items() if name != "DATABASE_URL"}
