"""Backups: one archive of database and evidence files, and back into an empty installation.

An archive is a .tar.gz, encrypted with age if a recipient is set: first the database as of one
moment, then the files, at last a manifest with the hash of each part. One that was cut off has no
manifest. Whatever the database's rows name was there before the files are copied.
"""

import hashlib
import json
import re
import shutil
import subprocess
import tarfile
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from django.conf import settings
from django.db import connection

from baoshan_portal import VERSION

from . import databases

MANIFEST, FILES = "manifest.json", "files/"
NAME = re.compile(r"portal-\d{8}T\d{6}Z\.tar\.gz(\.age)?")
AGE = b"age-encryption.org/"


class Refused(Exception):
    """Why nothing was done, as a sentence for whoever runs the portal."""


def kept_in(folder: Path) -> list[Path]:
    """The backups in ``folder``, oldest first; raises OSError if it cannot be read."""
    return sorted(path for path in folder.iterdir() if NAME.fullmatch(path.name))


def name_now() -> str:
    """What a backup of this moment is called, by UTC so that names sort by age."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    return f"portal-{stamp}.tar.gz{'.age' if settings.BACKUP_RECIPIENT else ''}"


def make(target: Path) -> dict:
    """Write a backup to ``target``, which appears when it is whole; returns its manifest.

    Raises Refused if there is such a file, the database is damaged or the recipient is no key.
    """
    recipient = _recipient()
    if target.exists():
        raise Refused(f"{target} is there already, and no backup is written over another.")
    if not target.parent.is_dir():
        raise Refused(f"There is no folder {target.parent}.")
    part = target.with_name(f"{target.name}.part")
    with _workplace() as place:
        manifest = _pack(place / "archive.tar.gz", place)
        try:
            with part.open("xb") as written:
                part.chmod(0o600)
                with (place / "archive.tar.gz").open("rb") as plain:
                    if recipient:
                        _pyrage().encrypt_io(plain, written, [recipient])
                    else:
                        shutil.copyfileobj(plain, written)
            part.rename(target)
        except FileExistsError:
            raise Refused(f"Another backup is writing {part}; if not, delete it.") from None
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    return manifest


def forget_all_but(keep: int, folder: Path) -> list[Path]:
    """Delete the oldest backups of ``folder`` until ``keep`` are left; returns those deleted."""
    old = kept_in(folder)[:-keep]
    for path in old:
        path.unlink()
    return old


def restore(source: Path, identity: Path | None = None) -> dict:
    """Bring a backup back into an empty installation; returns its manifest.

    Raises Refused if the installation is not empty, the archive is not whole, is of another
    engine, kind or newer version, or if afterwards the database does not say what it said.
    Then nothing is left of it, unless the message says so.
    """
    files = Path(settings.MEDIA_ROOT)
    if not databases.is_empty(connection):
        raise Refused(
            "The database is not empty. Set DATABASE_URL to an empty one; a backup is never "
            "restored over what is there."
        )
    if files.exists() and any(files.iterdir()):
        raise Refused(f"{files} is not empty. Move away what is in it, or set MEDIA_ROOT.")
    with _workplace() as place:
        manifest = _unpack(_readable(source, identity, place), place)
        _check_kind(manifest)
        try:
            if (place / FILES).exists():
                shutil.copytree(place / FILES, files, dirs_exist_ok=True)
            databases.bring_back(connection, place / _database_part(), manifest["contents"])
        except BaseException as error:
            _empty(files)
            if isinstance(error, (databases.Failed, OSError)):
                raise Refused(str(error)) from error
            raise
    return manifest


@contextmanager
def _workplace():
    """A folder of our own for what is not encrypted yet, on the portal's machine."""
    settings.CACHE_ROOT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="backup-", dir=settings.CACHE_ROOT) as folder:
        yield Path(folder)


def _database_part() -> str:
    return "database.sql" if connection.vendor == "postgresql" else "database.sqlite3"


def _pack(archive: Path, place: Path) -> dict:
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        contents = databases.copy(connection, place / _database_part())
    except databases.Failed as error:
        raise Refused(f"{error} No backup was made.") from error
    parts = {}
    with tarfile.open(archive, "w:gz", compresslevel=6) as tar:
        parts[_database_part()] = _add(tar, place / _database_part(), _database_part())
        (place / _database_part()).unlink()
        root = Path(settings.MEDIA_ROOT)
        for path in sorted(root.rglob("*")) if root.exists() else ():
            if path.is_file() and not path.is_symlink():
                name = FILES + path.relative_to(root).as_posix()
                try:
                    parts[name] = _add(tar, path, name)
                except FileNotFoundError:
                    # A draft's file, deleted meanwhile.
                    continue
        manifest = {
            "format": 1,
            "version": VERSION,
            "commit": _commit(),
            "engine": connection.vendor,
            "made_at": made_at,
            "demo": settings.DEMO,
            "contents": contents,
            "parts": parts,
        }
        (place / MANIFEST).write_text(json.dumps(manifest, indent=1, ensure_ascii=False))
        tar.add(place / MANIFEST, MANIFEST)
    return manifest


def _add(tar: tarfile.TarFile, path: Path, name: str) -> dict:
    with path.open("rb") as file:
        told = tar.gettarinfo(arcname=name, fileobj=file)
        reader = _Hashing(file)
        tar.addfile(told, reader)
    return {"bytes": told.size, "sha256": reader.sha256.hexdigest()}


class _Hashing:
    """A file that is hashed while it is read."""

    def __init__(self, file):
        self.file, self.sha256 = file, hashlib.sha256()

    def read(self, size=-1):
        data = self.file.read(size)
        self.sha256.update(data)
        return data


def _commit() -> str:
    """The commit that is installed; empty where the portal was not installed from git."""
    try:
        answer = subprocess.run(
            ["git", "describe", "--always", "--dirty"],
            cwd=settings.BASE_DIR, capture_output=True, text=True, check=False,
        )  # fmt: skip
    except OSError:
        return ""
    return answer.stdout.strip()


def _unpack(archive: Path, place: Path) -> dict:
    """Unpack into ``place`` and compare every hash; returns the manifest."""
    found = {}
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                if not member.isfile() or not _is_ours(member.name) or member.name in found:
                    raise Refused(f"{member.name} does not belong into a backup of the portal.")
                target = place / member.name
                target.parent.mkdir(parents=True, exist_ok=True)
                reader = _Hashing(tar.extractfile(member))
                with target.open("wb") as file:
                    shutil.copyfileobj(reader, file)
                found[member.name] = {"bytes": member.size, "sha256": reader.sha256.hexdigest()}
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        raise Refused(f"The archive cannot be read to its end: {error}.") from error
    if found.pop(MANIFEST, None) is None:
        raise Refused("The archive has no manifest: it is no backup of the portal, or was cut off.")
    try:
        manifest = json.loads((place / MANIFEST).read_text())
        parts = manifest["parts"]
        wrong = sorted(n for n in parts.keys() | found.keys() if parts.get(n) != found.get(n))
    except (ValueError, KeyError, AttributeError, TypeError):
        raise Refused("The manifest of the archive cannot be read.") from None
    if manifest.get("format") != 1:
        raise Refused("The archive was made by a newer portal; restore it with that version.")
    if wrong:
        raise Refused(f"Not as they were when the backup was made: {', '.join(wrong[:5])}.")
    return manifest


def _is_ours(name: str) -> bool:
    if name.startswith(FILES):
        path = PurePosixPath(name)
        return not path.is_absolute() and ".." not in path.parts
    return name in (MANIFEST, "database.sql", "database.sqlite3")


def _check_kind(manifest: dict) -> None:
    if manifest["engine"] != connection.vendor:
        raise Refused(
            f"The backup is of {manifest['engine']}, and DATABASE_URL is {connection.vendor}."
        )
    if manifest["demo"] != settings.DEMO:
        raise Refused(
            "The backup is of a demonstration: set DEMO=1."
            if manifest["demo"]
            else "The backup is of a real portal: take DEMO away."
        )
    known = {".".join(key) for key in databases.known_migrations()}
    newer = [name for name in manifest["contents"]["migrations"] if name not in known]
    if newer:
        raise Refused(
            f"The backup was made by a version of the portal that knows {newer[0]}, which this "
            "one does not. Install that version first."
        )


def _empty(folder: Path) -> None:
    """Delete what is in ``folder``, which was empty; itself it may be a mounted one."""
    for path in folder.iterdir() if folder.exists() else ():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _readable(source: Path, identity: Path | None, place: Path) -> Path:
    """``source``, decrypted into ``place`` where it is encrypted."""
    try:
        with source.open("rb") as file:
            encrypted = file.read(len(AGE)) == AGE
    except OSError as error:
        raise Refused(f"{source} cannot be read: {error.strerror}.") from None
    if not encrypted:
        return source
    if identity is None:
        raise Refused("The backup is encrypted: name the file with its key by --identity.")
    pyrage, plain = _pyrage(), place / "archive.tar.gz"
    try:
        keys = [
            pyrage.x25519.Identity.from_str(line.strip())
            for line in identity.read_text().splitlines()
            if line.startswith("AGE-SECRET-KEY-")
        ]
    except (OSError, UnicodeDecodeError, pyrage.IdentityError):
        raise Refused(f"{identity} is no file with a key of age.") from None
    try:
        with source.open("rb") as file, plain.open("wb") as written:
            pyrage.decrypt_io(file, written, keys)
    except (OSError, pyrage.DecryptError):
        raise Refused(
            f"{identity} is not the key of this backup, or the backup was damaged."
        ) from None
    return plain


def new_key(file: Path) -> str:
    """Write a new secret key to ``file``, readable by its owner; returns the recipient for it."""
    key = _pyrage().x25519.Identity.generate()
    try:
        with file.open("x") as written:
            file.chmod(0o600)
            written.write(f"# Opens backups for {key.to_public()}\n{key}\n")
    except OSError as error:
        raise Refused(f"{file} cannot be written: {error.strerror}.") from None
    return str(key.to_public())


def _recipient():
    """The key that BACKUP_RECIPIENT names; None where backups are not encrypted."""
    if not settings.BACKUP_RECIPIENT:
        return None
    pyrage = _pyrage()
    try:
        return pyrage.x25519.Recipient.from_str(settings.BACKUP_RECIPIENT)
    except pyrage.RecipientError:
        raise Refused(
            "BACKUP_RECIPIENT is no public key of age; `manage.py backup --new-key FILE` makes one."
        ) from None


def _pyrage():
    # Only backups need it, so no server process loads it.
    import pyrage

    return pyrage
