"""What wrote the copies of what is public (``summary_tables``, ``said_tables``), as one text.

A copy stays right as long as triggers see each change and the same would be written again. What
changes without a trigger is in the stamp: the portal's code and words, the packages and Python that
fold and compare, and the migrations, which may write while triggers are away. It stands in the
database in the transaction that emptied the copies, so that all that is in them was written under
it; one that is missing or another is that of nobody.
"""

import hashlib
import sys
from functools import cache
from pathlib import Path

from django.conf import settings
from django.db import models
from django.db.migrations.recorder import MigrationRecorder

from measures.fields import CharField
from measures.triggers import Trigger

TABLE = "metrics_copystamp"
#: What of the code the copies are made from; all of it, since less would have to be kept up.
SOURCES = ("*.py", "*.mo")
FOLDERS = ("baoshan_portal", "measures", "metrics", "locale")


class CopyStamp(models.Model):
    """One row; see ``stamp``."""

    text = CharField(max_length=64)

    class Meta:
        default_permissions = ()

    def __str__(self):
        return self.text


@cache
def of_release() -> str:
    """What this process runs, as a hash.

    To be asked when it begins: of files that take their place later it would tell another.
    """
    told = hashlib.sha256(f"{sys.version} {settings.TIME_ZONE}".encode())
    for package in sorted(
        found.name for folder in sys.path for found in Path(folder).glob("*-info")
    ):
        told.update(f"\n{package}".encode())
    for path in sorted(
        path
        for folder in FOLDERS
        for pattern in SOURCES
        for path in (settings.BASE_DIR / folder).rglob(pattern)
    ):
        content = path.read_bytes()
        told.update(f"\n{path.relative_to(settings.BASE_DIR)} {len(content)}\n".encode())
        told.update(content)
    return told.hexdigest()


def stamp(connection) -> str:
    """What would stand now in the database of ``connection``: this release and its migrations."""
    told = hashlib.sha256(of_release().encode())
    applied = MigrationRecorder(connection).applied_migrations()
    for (app, name), row in sorted(applied.items()):
        told.update(f"\n{row.pk} {app} {name} {row.applied.isoformat()}".encode())
    return told.hexdigest()


def stands(connection) -> bool:
    """Whether what is in the copies was written by this release; a few short queries."""
    rows = CopyStamp.objects.using(connection.alias)
    return list(rows.values_list("text", flat=True)) == [stamp(connection)]


def triggers() -> list[Trigger]:
    """The one that refuses another text in place of one; it also keeps releases off that know of no
    stamps and would write copies under it: none starts beside a trigger that it does not know."""
    name = f"{TABLE}_protect_update"
    return [Trigger(name, TABLE, "BEFORE", "UPDATE", "1 = 1", "a stamp is written, never changed")]


def write(connection) -> None:
    """Says that what is in the copies, nothing yet, is of this release."""
    rows = CopyStamp.objects.using(connection.alias)
    rows.all().delete()
    rows.create(text=stamp(connection))
