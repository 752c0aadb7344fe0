"""Whether the portal can do its work: what /readyz tells, a check each.

Answers hold states and numbers, never a message of an exception, a path or a name: whoever can
reach the portal can read them.
"""

import shutil
import tempfile
import time
from functools import cache
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder

from measures import protection, versions
from metrics import check_guards
from metrics import protection as metrics_protection

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
        "cache": cache_folder(),
        "disk": disk(),
    }
    # The newest checkpoint of the record belongs here once there is one.
    return all(check["ok"] for check in found.values()), {**found, "backup": backup()}


def _of_database(check) -> dict:
    try:
        return check()
    except DatabaseError:
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
    """Whether as many triggers are there as the protection makes; their text is not compared."""
    expected = _triggers_expected(connection.vendor)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'"
            if connection.vendor == "postgresql"
            else "SELECT count(*) FROM sqlite_master WHERE type = 'trigger'"
        )
        (triggers,) = cursor.fetchone()
    return {"ok": triggers >= expected, "triggers": triggers, "expected": expected}


@cache
def _triggers_expected(vendor: str) -> int:
    rules = protection.rules()
    expected = len(rules) + len(versions.triggers(vendor)) + len(check_guards.triggers(vendor))
    expected += len(metrics_protection.OPERATIONS)
    if vendor == "postgresql":
        # Against TRUNCATE: on every table of the rules, every kept one and their versions.
        expected += len({rule[0] for rule in rules}) + len(versions.KEPT) + 1
    return expected


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
