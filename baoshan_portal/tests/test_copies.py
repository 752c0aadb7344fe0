"""A start keeps the copies of what is public if they are right, and makes them anew where not."""

import re
import shutil
import subprocess
import sys
from datetime import date
from io import StringIO
from types import SimpleNamespace

import pytest
from django.conf import LazySettings, settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from baoshan_portal.public.copies import write_missing
from measures import protection
from measures.past import past
from measures.submission import end_of_day
from measures.tests.factories import ISSUED
from metrics import check_results, copies, facts, kept_days, stamp, verdicts
from metrics.models import CopyStamp, Indicator, KeptDay, Target
from metrics.said_tables import FIGURES, KEYS, VALUES
from metrics.summary_tables import CHECKS, INDICATORS, TARGETS
from metrics.tests.factories import make_observation, make_withdrawal

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("report"), pytest.mark.long]

#: A day since when nothing was published.
DAY = date(2024, 5, 2)
#: The key of each copy.
KEY = {INDICATORS: "indicator_id", TARGETS: "target_id", CHECKS: "check_of_id", **KEYS}


def run(statement: str) -> list:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def everything() -> dict[str, list]:
    """What is in every copy, and the stamp."""
    return {
        table: run(f"SELECT * FROM {table} ORDER BY 1") for table in (*KEY, "metrics_copystamp")
    }


def changed_rows() -> int:
    """How many rows were inserted, changed and deleted in this transaction."""
    if connection.vendor == "sqlite":
        return connection.connection.total_changes
    ((count,),) = run("SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_xact_user_tables")
    return int(count)


@pytest.fixture(autouse=True)
def written():
    """The copies, in full."""
    write_missing()
    assert all(everything().values())


def start() -> int:
    """What a start does with the copies; returns how many rows it wrote into them."""
    call_command("migrate", verbosity=0)
    return write_missing()


def test_a_second_start_writes_no_row():
    # The report was put there by tests, and lacks a few versions.
    start()
    keep_a_day()
    before, rows = changed_rows(), everything()
    assert start() == 0
    assert changed_rows() == before
    assert everything() == rows
    assert KeptDay.objects.exists()


@pytest.mark.parametrize("table", KEY)
def test_a_row_that_was_taken_out_of_a_copy_is_written_again(table):
    rows = everything()
    key = rows[table][0][0]
    run(f"DELETE FROM {table} WHERE {KEY[table]} = {key}")
    assert start() == 1
    assert everything() == rows


def test_what_ended_is_not_begun_again_at_each_start():
    old = make_observation(published=ISSUED)
    make_withdrawal(old, published=ISSUED)
    start()
    before = changed_rows()
    assert start() == 0
    assert changed_rows() == before


def another_release(monkeypatch):
    monkeypatch.setattr(stamp, "of_release", lambda: "another")


def another_migration(monkeypatch):
    MigrationRecorder(connection).record_applied("metrics", "9999_written_past_the_triggers")


def a_migration_again(monkeypatch):
    rows = MigrationRecorder(connection).migration_qs.filter(app="metrics", name="0026_said")
    rows.update(applied=timezone.now())


def no_stamp(monkeypatch):
    CopyStamp.objects.all().delete()


def a_forged_stamp(monkeypatch):
    CopyStamp.objects.all().delete()
    CopyStamp.objects.create(text="f" * 64)


def one_too_many(monkeypatch):
    CopyStamp.objects.create(text="f" * 64)


def a_trigger_away(monkeypatch):
    table = "metrics_observation"
    where = f" ON {table}" if connection.vendor == "postgresql" else ""
    run(f"DROP TRIGGER {table}_unsays_update{where}")


def a_clock_set_back(monkeypatch):
    make_observation(published=timezone.now())
    write_missing()
    monkeypatch.setattr(copies, "is_to_come", lambda *asked: True)


@pytest.mark.parametrize(
    "happened",
    [
        another_release,
        another_migration,
        a_migration_again,
        no_stamp,
        a_forged_stamp,
        one_too_many,
        a_trigger_away,
        a_clock_set_back,
    ],
)
def test_copies_that_may_not_be_right_are_made_anew(happened, monkeypatch):
    right = everything()
    # As whatever happened may have left them.
    damage()
    keep_a_day()
    happened(monkeypatch)
    call_command("migrate", verbosity=0)
    monkeypatch.undo()
    # They are empty, so that readers read the rows.
    assert [run(f"SELECT count(*) FROM {table}") for table in copies.SUMMARIES] == [[(0,)]] * 3
    for table in copies.SAID:
        assert run(f"SELECT count(*) FROM {table} WHERE text <> ''") == [(0,)]
    assert not KeptDay.objects.exists()
    start()
    assert write_missing() == 0
    for table, rows in everything().items():
        lost = [row for row in right[table] if row not in rows]
        assert table == stamp.TABLE or lost == [], table


def keep_a_day() -> None:
    """What is not so of one."""
    said = {Indicator.objects.first().pk: [False] * 4 + ["none", None, None]}
    content = kept_days._packed(said)
    KeptDay.objects.create(name=f"facts {DAY}", ends=end_of_day(DAY), content=content)


def damage() -> None:
    for table, (column, text) in {
        INDICATORS: ("target", "published"),
        TARGETS: ("verdict", "met"),
        CHECKS: ("result", "fails"),
        VALUES: ("text", "无此"),
        FIGURES: ("english", "none such"),
    }.items():
        run(f"UPDATE {table} SET {column} = '{text}'")


def test_who_does_not_know_what_wrote_the_copies_writes_nothing(monkeypatch):
    """A process of another release that still runs, or runs already."""
    run(f"DELETE FROM {CHECKS}")
    another_release(monkeypatch)
    assert write_missing() == 0
    monkeypatch.undo()
    assert write_missing() > 0


def test_the_stamp_comes_with_the_emptied_copies_or_not_at_all(monkeypatch):
    before = everything()

    def broken(connection):
        raise KeyboardInterrupt

    another_release(monkeypatch)
    monkeypatch.setattr(stamp, "write", broken)
    with pytest.raises(KeyboardInterrupt):
        protection.install(connection)
    assert everything() == before


def test_a_release_that_knows_no_stamps_does_not_start_here(monkeypatch):
    monkeypatch.setattr(stamp, "triggers", list)
    assert f"{stamp.TABLE}_protect_update (unknown)" in protection.why_not_protected(connection)


@pytest.mark.once("reads files")
class TestOfARelease:
    @pytest.fixture
    def folder(self, tmp_path, monkeypatch):
        """A portal of a few files, and a package."""
        for name in ("metrics/facts.py", "locale/en.mo", "python/opencc-1.0.dist-info/x"):
            (tmp_path / name).parent.mkdir(parents=True)
            (tmp_path / name).write_text("one")
        monkeypatch.setattr(settings, "BASE_DIR", tmp_path)
        monkeypatch.setattr(stamp, "sys", SimpleNamespace(version="3", path=[tmp_path / "python"]))
        return tmp_path

    def of_release(self) -> str:
        return stamp.of_release.__wrapped__()

    def test_the_same_has_the_same(self, folder):
        assert self.of_release() == self.of_release()

    @pytest.mark.parametrize("name", ["metrics/facts.py", "locale/en.mo", "metrics/rules/new.py"])
    def test_another_file_makes_another(self, folder, name):
        before = self.of_release()
        (folder / name).parent.mkdir(exist_ok=True)
        # As long as it was.
        (folder / name).write_text("two")
        assert self.of_release() != before

    def test_another_version_of_a_package_makes_another(self, folder):
        before = self.of_release()
        shutil.move(folder / "python/opencc-1.0.dist-info", folder / "python/opencc-1.1.dist-info")
        assert self.of_release() != before

    def test_another_python_makes_another(self, folder, monkeypatch):
        before = self.of_release()
        monkeypatch.setattr(stamp.sys, "version", "4")
        assert self.of_release() != before


@pytest.mark.once("begins a process")
def test_it_is_told_when_a_process_begins():
    """Files may be replaced later."""
    begun = (
        "import django; django.setup(); from metrics import stamp; "
        "print(stamp.of_release.cache_info().currsize)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", begun], cwd=settings.BASE_DIR, capture_output=True, text=True
    )
    assert answer.stdout == "1\n", answer.stderr


#: Set by the environment and without a say in what is written.
WITHOUT_A_SAY = {"DEBUG", "DATABASES", "CACHE_ROOT", "CACHES"}


@pytest.mark.once("settings are read in Python")
def test_no_setting_of_an_installation_decides_what_is_written(monkeypatch):
    read = set()

    def watched(self, name):
        read.add(name)
        return object.__getattribute__(self, name)

    run(f"DELETE FROM {INDICATORS}")
    run(f"DELETE FROM {TARGETS}")
    run(f"DELETE FROM {CHECKS}")
    run(f"UPDATE {VALUES} SET text = ''")
    run(f"UPDATE {FIGURES} SET text = ''")
    timezone.get_default_timezone.cache_clear()
    monkeypatch.setattr(LazySettings, "__getattribute__", watched, raising=False)
    assert write_missing() > Indicator.objects.count()
    monkeypatch.undo()
    code = (settings.BASE_DIR / "baoshan_portal/settings.py").read_text("utf-8")
    by_environment = set(re.findall(r"^([A-Z_]+) = .*\benv\.", code, re.MULTILINE))
    assert "TIME_ZONE" in read
    assert read & by_environment <= WITHOUT_A_SAY


class TestCommand:
    def say(self, *options: str) -> str:
        out = StringIO()
        call_command("copies", *options, stdout=out)
        return out.getvalue()

    def test_copies_that_are_right_are_called_so(self):
        assert "Every copy" in self.say()

    @pytest.mark.parametrize(
        ("table", "column", "text"),
        [
            (INDICATORS, "inferred", "NOT inferred"),
            (INDICATORS, "of_first", "of_first + 1"),
            (TARGETS, "verdict", "'other'"),
            (TARGETS, "left", '"left" + 1'),
            (CHECKS, "result", "'other'"),
            (CHECKS, "apart", "apart + 1"),
            (VALUES, "text", "'other'"),
            (FIGURES, "english", "'other'"),
        ],
    )
    def test_a_wrong_row_is_named(self, table, column, text):
        key = everything()[table][0][0]
        run(f'UPDATE {table} SET "{column}" = {text} WHERE {KEY[table]} = {key}')
        with pytest.raises(CommandError, match=rf"^1 rows .* {table} {key}\."):
            self.say()
        assert "Made again" in self.say("--anew")
        assert "Every copy" in self.say()

    def test_a_kept_day_that_was_otherwise_is_named(self):
        keep_a_day()
        with pytest.raises(CommandError, match=rf"^1 rows .* metrics_keptday facts {DAY}\."):
            self.say()
        self.say("--anew")
        assert not KeptDay.objects.exists()

    def test_a_kept_day_that_was_so_is_not(self, monkeypatch):
        monkeypatch.setattr(kept_days, "FEW", 0)
        for table in copies.SUMMARIES:
            run(f"DELETE FROM {table}")
        with past(end_of_day(DAY)):
            facts.of(Indicator.objects.published(DAY), DAY, 30)
            verdicts.of(Target.objects.published(DAY), DAY)
            check_results.of_day(DAY)
        assert kept_days.write() == 3
        assert "Every copy" in self.say()

    @pytest.mark.parametrize("table", KEYS)
    def test_a_row_that_no_search_would_miss_is_named(self, table):
        key = everything()[table][0][0]
        run(f"DELETE FROM {table} WHERE {KEY[table]} = {key}")
        with pytest.raises(CommandError, match=f"{table} {key}"):
            self.say()
