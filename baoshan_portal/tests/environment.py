"""Pytest plugin, loaded before the settings are: the environment that tests run in."""

import os

import hypothesis
import pytest

# Set, even where empty, so that no .env beside manage.py changes what is tested.
os.environ.update(
    SECRET_KEY="tests-only",
    HTTPS="0",
    DEBUG="0",
    DEMO="0",
    ALLOWED_HOSTS="*",
    SCRIPT_NAME="",
    PACE_TOLERANCE_POINTS="10",
    REPORTING_GRACE_DAYS="30",
    CONTACT="",
)
os.environ.setdefault("DATABASE_URL", "sqlite:///:memory:")
# The long form of every property test, by hand: pytest --hypothesis-profile=thorough
hypothesis.settings.register_profile("thorough", max_examples=5_000, deadline=None)


def pytest_terminal_summary(terminalreporter):
    """Says why tests were skipped, once however many they were."""
    skipped = terminalreporter.stats.get("skipped", [])
    for reason in sorted({report.longrepr[2] for report in skipped}):
        terminalreporter.write_line(reason)


@pytest.fixture(scope="session", autouse=True)
def static_files(tmp_path_factory):
    """Pages name their static files by content, so these are collected, as in production."""
    from django.core.management import call_command
    from django.test import override_settings

    # Tests sign many people in; a slow hash protects nobody here.
    hashers = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    folder = str(tmp_path_factory.mktemp("static"))
    # Every test has a client of its own, which would list the static files anew.
    with override_settings(
        STATIC_ROOT=folder, PASSWORD_HASHERS=hashers, WHITENOISE_AUTOREFRESH=True
    ):
        call_command("collectstatic", interactive=False, verbosity=0)
        yield


@pytest.fixture(scope="session", autouse=True)
def emptying_after_transactional_tests():
    """Lets Django empty the tables after a transactional test, which the triggers refuse.

    What the migrations had put there, the roles, is put back.
    """
    from django.contrib.auth.models import Group, Permission
    from django.db import connection
    from django.test import TransactionTestCase

    from measures import access, protection

    empty = TransactionTestCase._fixture_teardown

    def without_triggers(case):
        protection.remove(connection)
        empty(case)
        access.write_roles(Group, Permission)
        protection.install(connection)

    TransactionTestCase._fixture_teardown = without_triggers
    yield
    TransactionTestCase._fixture_teardown = empty


@pytest.fixture(scope="module")
def report(django_db_setup, django_db_blocker):
    """The whole report, loaded once for all tests of a module."""
    from django.core.management import call_command
    from django.db import connection, transaction

    from ..management.commands.prepare import FIXTURES

    with django_db_blocker.unblock(), transaction.atomic():
        call_command("loaddata", *FIXTURES, verbosity=0)
        # As a database does by itself after a while, so that it plans for what there is.
        connection.cursor().execute("ANALYZE")
        yield
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def language():
    """Every test begins in the portal's own language, whatever the one before asked for."""
    from django.conf import settings
    from django.utils import translation

    with translation.override(settings.LANGUAGE_CODE):
        yield
