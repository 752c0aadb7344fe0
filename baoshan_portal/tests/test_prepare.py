"""``manage.py prepare`` makes an installation ready, and makes it ready only once."""

import re
from io import StringIO

import pytest
import yaml
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.db import connection, transaction

from measures import protection
from measures.models import Measure, User
from measures.tests.factories import reword
from metrics.models import Indicator, Observation
from metrics.summaries import write_missing
from metrics.tests.factories import make_observation

from ..management.commands.prepare import FIXTURES

pytestmark = [pytest.mark.django_db, pytest.mark.long]
FILES = pytest.mark.once("is about files")


def prepare(*options: str) -> str:
    """Run the command; returns what it says."""
    out = StringIO()
    call_command("prepare", *options, stdout=out)
    return out.getvalue()


@pytest.fixture(scope="module", autouse=True)
def first_run(static_files, django_db_setup, django_db_blocker):
    """What the first run says, in an empty database."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield prepare("--no-static")
        transaction.set_rollback(True)


def fixture_rows() -> list[dict]:
    return [
        row
        for name in FIXTURES
        for row in yaml.load(
            (settings.BASE_DIR / f"fixtures/{name}.yaml").read_text("utf-8"), yaml.CSafeLoader
        )
    ]


def counts() -> dict[str, int]:
    return {
        model._meta.label_lower: model.objects.count()
        for label in ("measures", "metrics")
        for model in apps.get_app_config(label).get_models()
    }


def test_an_empty_installation_gets_every_row_of_the_fixtures():
    rows = [row["model"] for row in fixture_rows()]

    assert {"measures.measure", "metrics.observation", "metrics.target"} <= set(rows)
    there = counts()
    for model in set(rows):
        assert there[model] == rows.count(model), model


@FILES
def test_every_fixture_file_is_loaded():
    files = {path.stem for path in (settings.BASE_DIR / "fixtures").glob("*.yaml")}
    assert files == set(FIXTURES)


@pytest.mark.once("an empty database is a new file")
def test_where_there_is_nothing_every_migration_waits(tmp_path):
    nothing = connection.copy("nothing")
    nothing.settings_dict["NAME"] = str(tmp_path / "portal.sqlite3")

    # So it is migrated; what it lacks is no damage.
    assert protection.is_behind(nothing)
    assert protection.why_not_protected(nothing) == ""
    nothing.close()


def test_the_first_administrator_is_told_the_password(first_run):
    password = re.search(r"admin, password: (\S+)", first_run)[1]

    admin = User.objects.get()
    assert admin.check_password(password)
    assert admin.is_superuser
    assert admin.is_staff
    assert len(password) >= 16


@pytest.mark.once("who there is is counted alike")
def test_an_installation_with_accounts_gets_no_administrator():
    User.objects.filter(username="admin").update(username="clerk", is_superuser=False)

    assert "password" not in prepare("--no-static")
    assert User.objects.get().username == "clerk"


def test_a_second_run_changes_nothing_and_tells_no_password():
    make_observation(indicator=Indicator.objects.first(), as_written="八面来风")
    measure = Measure.objects.first()
    reword(measure, name="改过的名称")
    write_missing()
    before, password = counts(), User.objects.get().password

    assert "password" not in prepare("--no-static")

    assert counts() == before
    assert User.objects.get().password == password
    assert Observation.objects.filter(as_written="八面来风", state="draft").exists()
    assert Measure.objects.get(pk=measure.pk).name == "改过的名称"


def test_what_a_migration_that_broke_off_left_undone_is_done_though_none_waits():
    permission = Permission.objects.filter(codename="add_session")
    permission.delete()

    prepare("--no-static")

    assert permission.exists()


@FILES
def test_the_static_files_are_collected(settings, tmp_path):
    settings.STATIC_ROOT = str(tmp_path)

    prepare("--no-static")
    assert not list(tmp_path.iterdir())

    prepare()
    assert (tmp_path / "staticfiles.json").exists()
    assert list((tmp_path / "css").glob("base.*.css.gz"))
    assert list((tmp_path / "admin/css").glob("base.*.css"))


@FILES
def test_the_models_have_no_change_without_a_migration():
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
