"""Pytest plugin, loaded before the settings are: the environment that tests run in."""

import gc
import os
import pickle
import shutil
import tempfile
from importlib import import_module
from pathlib import Path

import hypothesis
import pytest

# A busy machine is no fault of what is tested; `make test-long` looks at far more examples.
hypothesis.settings.register_profile("short", deadline=None, max_examples=50)
hypothesis.settings.register_profile("long", deadline=None, max_examples=10_000)
hypothesis.settings.load_profile("short")

#: What one run shares between its workers, which inherit the name of the folder.
IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ
SHARED = Path(os.environ.get("TESTS_SHARED") or tempfile.mkdtemp(prefix="portal-tests-"))
#: The connection that keeps the tests' database in memory until they open it
KEPT = pytest.StashKey()

# Set, even where empty, so that no .env beside manage.py changes what is tested.
os.environ.update(
    SECRET_KEY="tests-only",
    HTTPS="0",
    DEBUG="0",
    DEMO="0",
    ALLOWED_HOSTS="*",
    SCRIPT_NAME="",
    PACE_TOLERANCE_POINTS="",
    REPORTING_GRACE_DAYS="",
    STAGE_TERMS="",
    CONTACT="",
    TESTS_SHARED=str(SHARED),
    # Each chart is drawn once in a run; nothing is left from an earlier one.
    CACHE_ROOT=str(SHARED / "cache"),
)
os.environ.setdefault("DATABASE_URL", "sqlite:///:memory:")


@pytest.hookimpl(trylast=True)
def pytest_configure():
    from django.conf import settings

    # The runner takes only Django's own backend for one that can be kept in memory.
    database = settings.DATABASES["default"]
    if database["ENGINE"] == "measures.sqlite":
        database.setdefault("TEST", {})["NAME"] = ":memory:"


def pytest_sessionstart(session):
    if not IS_WORKER and session.config.getoption("numprocesses", None):
        from .migrated import migrate_meanwhile

        migrate_meanwhile()


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session):
    """Workers of a whole run begin to read the tests at different ones.

    In a clone that is new pytest compiles each test file anew, ten seconds in all; so each worker
    finds most of them compiled by another.
    """
    if IS_WORKER and session.config.args_source == pytest.Config.ArgsSource.TESTPATHS:
        given, names = session.config.workerinput, _test_modules(session.config)
        first = len(names) * int(given["workerid"].removeprefix("gw")) // given["workercount"]
        for name in names[first:] + names[:first]:
            import_module(name)


def _test_modules(config: pytest.Config) -> list[str]:
    files = (
        file.relative_to(config.rootpath).with_suffix("")
        for place in config.args
        for file in (config.rootpath / place).rglob("test_*.py")
    )
    return sorted(".".join(file.parts) for file in files)


def pytest_collection_finish(session):
    if IS_WORKER:
        from .migrated import begin_migrated

        session.config.stash[KEPT] = begin_migrated()
        # What is there already is taken as it is.
        session.config.option.reuse_db = True
    # What is loaded stays: looking through it for garbage again and again takes a tenth.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def pytest_itemcollected(item):
    if item.get_closest_marker("browser"):
        item.add_marker(pytest.mark.once("its server runs on SQLite"))
    once = item.get_closest_marker("once")
    if once and not once.args:
        raise pytest.UsageError(f"{item.nodeid} is marked as run once and does not say why.")
    if once and item.get_closest_marker("skipif"):
        raise pytest.UsageError(f"{item.nodeid} runs once and may be skipped: it runs nowhere.")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Apps with CHANGED files first, then long modules, so that no worker waits at the end."""
    changed = os.environ.get("CHANGED", "").split()

    def place(item):
        app = item.nodeid.partition("tests/")[0]
        touched = any(name.startswith(app) for name in changed)
        # Of the long ones those in a browser are the longest.
        return not touched, *(not item.get_closest_marker(mark) for mark in ("long", "browser"))

    items.sort(key=place)


def pytest_unconfigure():
    if not IS_WORKER:
        shutil.rmtree(SHARED, ignore_errors=True)


def pytest_terminal_summary(terminalreporter):
    """Says why tests were skipped, once however many they were."""
    skipped = terminalreporter.stats.get("skipped", [])
    for reason in sorted({report.longrepr[2] for report in skipped}):
        terminalreporter.write_line(reason)


@pytest.fixture(scope="session", autouse=True)
def static_files():
    """Pages name their static files by content, so these are collected, as in production."""
    from django.core.management import call_command
    from django.test import override_settings

    from .server import made_once

    def collect(folder):
        with override_settings(STATIC_ROOT=str(folder)):
            call_command("collectstatic", interactive=False, verbosity=0)

    # Tests sign many people in; a slow hash protects nobody here.
    hashers = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    folder = str(made_once("static", collect))
    # Every test has a client of its own, which would list the static files anew.
    with override_settings(
        STATIC_ROOT=folder, PASSWORD_HASHERS=hashers, WHITENOISE_AUTOREFRESH=True
    ):
        yield


@pytest.fixture(scope="session", autouse=True)
def emptying_after_transactional_tests():
    """Lets Django empty the tables after a transactional test, which the triggers refuse.

    What the migrations had put there, the roles and the thresholds, is put back.
    """
    from django.contrib.auth.models import Group, Permission
    from django.db import connection
    from django.test import TransactionTestCase

    from measures import access, protection
    from measures.models import Threshold
    from measures.thresholds import write_first

    empty = TransactionTestCase._fixture_teardown

    def without_triggers(case):
        protection.remove(connection)
        empty(case)
        access.write_roles(Group, Permission)
        write_first(Threshold)
        protection.install(connection)

    TransactionTestCase._fixture_teardown = without_triggers
    yield
    TransactionTestCase._fixture_teardown = empty


@pytest.fixture(scope="module")
def browser():
    from .browser import chromium

    # Not one a run: while it is open, Django takes the thread for an asynchronous one.
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def soffice() -> str:
    """LibreOffice; where none is installed a test is skipped in one line, in CI it fails."""
    path = shutil.which("soffice")
    if path is None:
        sentence = "No LibreOffice is installed, so no table of its making was tried."
        pytest.fail(sentence) if os.environ.get("CI") else pytest.skip(sentence)
    return path


@pytest.fixture
def temporary_folder(tmp_path, monkeypatch):
    """The folder in which files wait, one of the test's own."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def analyse() -> None:
    """Lets the database look at its tables, as one does by itself after a while.

    Only at the portal's own: a plain ANALYZE waits for whoever looks at the shared catalogues.
    """
    from django.apps import apps
    from django.db import connection

    with connection.cursor() as cursor:
        for label in ("measures", "metrics"):
            for model in apps.get_app_config(label).get_models(include_auto_created=True):
                cursor.execute(f"ANALYZE {connection.ops.quote_name(model._meta.db_table)}")


@pytest.fixture(scope="session")
def rows_of_the_report(django_db_setup, django_db_blocker):
    """Every row of the report, by model; read from the fixtures once in a run of tests."""
    from django.apps import apps

    from .server import made_once

    def read(folder):
        with django_db_blocker.unblock():
            (folder / "rows").write_bytes(pickle.dumps(_rows_of_the_fixtures()))

    rows = pickle.loads((made_once("report", read) / "rows").read_bytes())
    return {apps.get_model(label): rows_of_one for label, rows_of_one in rows.items()}


def _rows_of_the_fixtures() -> dict:
    """As the portal's loaddata stores them, by the model's label; none is left in the database."""
    from django.apps import apps
    from django.core.management import call_command
    from django.db import transaction

    from measures.models import DataVersion, Threshold, Version
    from metrics.models import (
        CheckSummary,
        CopyStamp,
        IndicatorSaid,
        IndicatorSummary,
        TargetSummary,
        ValueSaid,
    )
    from metrics.summaries import write_missing

    from ..management.commands.prepare import FIXTURES

    # The rows bring their versions and what a search finds them by with them; thresholds and the
    # stamp of the copies are there from the start.
    not_stored = (CopyStamp, DataVersion, IndicatorSaid, Threshold, ValueSaid, Version)
    # What is summarised takes its old summary away, so these come last.
    summaries = [IndicatorSummary, TargetSummary, CheckSummary]
    with transaction.atomic():
        call_command("loaddata", *FIXTURES, verbosity=0)
        write_missing()
        models = [
            model
            for label in ("measures", "metrics")
            for model in apps.get_app_config(label).get_models(include_auto_created=True)
            if model not in (*not_stored, *summaries)
        ]
        models += summaries
        rows = {model._meta.label: list(model._base_manager.order_by("pk")) for model in models}
        transaction.set_rollback(True)
    return rows


@pytest.fixture(scope="module")
def report(rows_of_the_report, django_db_blocker):
    """The whole report, there for all tests of a module."""
    from django.core.management.color import no_style
    from django.db import connection, transaction

    with django_db_blocker.unblock(), transaction.atomic():
        for model, rows in rows_of_the_report.items():
            model._base_manager.bulk_create(rows)
        # They came with their keys, so the database has counted none of them.
        counted = connection.ops.sequence_reset_sql(no_style(), list(rows_of_the_report))
        with connection.cursor() as cursor:
            for statement in counted:
                cursor.execute(statement)
        analyse()
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def module_rows(django_db_setup, django_db_blocker):
    """What fixtures of a module store is there for all of its tests, and taken back after them."""
    from django.db import transaction

    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def language(request):
    """Every test begins in the portal's own language, whatever the one before asked for.

    One that is marked ``english`` begins in that, so that it can name what people read.
    """
    from django.conf import settings
    from django.utils import translation

    english = request.node.get_closest_marker("english")
    with translation.override("en" if english else settings.LANGUAGE_CODE):
        yield
