"""The tests themselves: what runs where, and that nothing runs nowhere."""

import re
import subprocess
from types import SimpleNamespace

import pytest
from django.conf import settings

from . import environment

pytestmark = pytest.mark.once("reads the Makefile and the marks")

ON_POSTGRESQL = "-p baoshan_portal.tests.postgresql"


def commands(target: str) -> list[str]:
    """What ``make target`` runs, of pytest."""
    told = subprocess.run(
        ["make", "--dry-run", target],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )
    return [line for line in told.stdout.splitlines() if "-m pytest" in line]


def test_everything_runs_on_sqlite_and_all_without_a_mark_on_postgresql():
    # They begin at once, so either may be told first.
    sqlite, postgresql = sorted(commands("test"), key=len)

    assert postgresql.split() == [*sqlite.split(), *ON_POSTGRESQL.split()]
    # Neither leaves anything out by a path or an expression.
    chosen = sqlite.partition("-m pytest")[2].split()
    others = {word for word in chosen if not word.isdigit()}
    assert others == {"-n", "--dist", "loadfile", "--no-loadscope-reorder"}
    assert "-m" not in settings_of_pytest() and "-k" not in settings_of_pytest()


def settings_of_pytest() -> list[str]:
    text = (settings.BASE_DIR / "pyproject.toml").read_text("utf-8")
    return re.search('^addopts = "(.*)"$', text, re.MULTILINE)[1].split()


def fake(**marks):
    """A test as pytest collects it, with ``marks`` by name and their arguments."""
    found = {name: getattr(pytest.mark, name)(*args).mark for name, args in marks.items()}
    return SimpleNamespace(
        nodeid="a/tests/test_a.py::test_a",
        get_closest_marker=found.get,
        add_marker=lambda mark: found.update({mark.name: mark.mark}),
    )


def test_a_test_that_runs_once_says_why():
    environment.pytest_itemcollected(fake(once=["pure rules"]))
    with pytest.raises(pytest.UsageError, match="does not say why"):
        environment.pytest_itemcollected(fake(once=[]))


def test_a_test_that_runs_once_cannot_be_skipped_there():
    with pytest.raises(pytest.UsageError, match="nowhere"):
        environment.pytest_itemcollected(fake(once=["pure rules"], skipif=["sqlite"]))


def test_a_test_in_a_browser_runs_once():
    item = fake(browser=[])
    environment.pytest_itemcollected(item)
    assert item.get_closest_marker("once").args


def test_changed_apps_come_first_and_then_the_long_modules(monkeypatch):
    def at(app, **marks):
        find = fake(**marks).get_closest_marker
        return SimpleNamespace(nodeid=f"{app}/tests/test_a.py::test_a", get_closest_marker=find)

    items = [at("measures"), at("metrics"), at("measures", long=[]), at("metrics", long=[])]
    short, other, long, other_long = items

    monkeypatch.delenv("CHANGED", raising=False)
    environment.pytest_collection_modifyitems(items)
    assert items == [long, other_long, short, other]

    monkeypatch.setenv("CHANGED", "README.md metrics/models.py")
    environment.pytest_collection_modifyitems(items)
    assert items == [other_long, other, long, short]
