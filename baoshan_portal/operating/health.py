"""Whether the portal can do its work: what /readyz tells, a check each.

Answers hold states and numbers, never a message of an exception, a path or a name: whoever can
reach the portal can read them.
"""

import shutil
import tempfile
import time
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from measures import protection
from measures.chain import newest_checkpoint

from . import archives, databases

MB = 1024 * 1024


def look() -> tuple[bool, dict[str, dict]]:
    """Whether all that must hold does, and what each check found.

    A backup that is late is told and does not count: a portal is not taken off for it.
    """
    found = {
        "database": _of_database(database),
        "migrations": _of_database(migrations),
        "protection": _of_database(protected),
        "checkpoint": _of_database(checkpoint),
        "cache": cache_folder(),
        "disk": disk(),
    }
    return all(check["ok"] for check in found.values()), {**found, "backup": backup()}


def _of_database(check) -> dict:
    try:
        return check()
    except (DatabaseError, InterfaceError):
        return {"ok": False}


def database() -> dict:
    """Raises DatabaseError if it cannot be reached."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return {"ok": True}


def migrations() -> dict:
    """``unapplied``: migrations of this version that the database has not seen."""
    unapplied = len(
        databases.known_migrations() - set(MigrationRecorder(connection).applied_migrations())
    )
    return {"ok": not unapplied, "unapplied": unapplied}


def protected() -> dict:
    """``problems``: how many triggers are not word for word as this version makes them."""
    problems = len(protection.problems(connection))
    return {"ok": not problems, "problems": problems}


def checkpoint() -> dict:
    """``age_hours`` of the newest checkpoint of the record, None without one; told alone."""
    newest = newest_checkpoint()
    if newest is None:
        return {"ok": True, "age_hours": None}
    age = (timezone.now() - newest.made_at).total_seconds() / 3600
    return {"ok": True, "age_hours": round(age, 1)}


def cache_folder() -> dict:
    """Whether a file can be written where charts are kept."""
    try:
        settings.CACHE_ROOT.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=settings.CACHE_ROOT) as file:
            file.write(b"1")
    except OSError:
        return {"ok": False}
    return {"ok": True}


def disk() -> dict:
    """``free_mb``: the least that is left where the portal writes."""
    try:
        free = min(shutil.disk_usage(_existing(folder)).free for folder in _folders())
    except OSError:
        return {"ok": False}
    return {"ok": free >= settings.DISK_FREE_MB * MB, "free_mb": free // MB}


def _folders() -> list[Path]:
    folders = [Path(settings.MEDIA_ROOT), Path(settings.CACHE_ROOT)]
    if connection.vendor == "sqlite" and not connection.is_in_memory_db():
        folders.append(Path(connection.settings_dict["NAME"]).parent)
    return folders


def _existing(folder: Path) -> Path:
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())


def backup() -> dict:
    """``age_hours`` of the newest backup in BACKUP_FOLDER, None without one; {} if not watched."""
    if not settings.BACKUP_FOLDER:
        return {}
    try:
        made = max(path.stat().st_mtime for path in archives.kept_in(Path(settings.BACKUP_FOLDER)))
    except (OSError, ValueError):
        return {"ok": False, "age_hours": None}
    age = (time.time() - made) / 3600
    return {"ok": age <= settings.BACKUP_LATE_HOURS, "age_hours": round(age, 1)}
