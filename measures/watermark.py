"""The demonstration: a portal on a database of its own that also holds invented figures.

Whatever leaves it, page, file or mail, carries the watermark. Nobody sees an invented figure
without it, because DEMO and the mark in the database must agree, or the portal does not start.
"""

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from .models import DemoMark, Opinion, User

CHINESE, ENGLISH = "演示数据", "invented data"
#: In both languages everywhere: whoever is handed a file did not choose its language.
WATERMARK = f"{CHINESE} / {ENGLISH}"


def watermark() -> str:
    """What every page and file of a demonstration says; empty in a real portal."""
    return WATERMARK if settings.DEMO else ""


def watermarked(text: str) -> str:
    """``text`` for a title, behind the watermark if this is a demonstration."""
    return f"{WATERMARK} · {text}" if settings.DEMO else text


def file_name(name: str) -> str:
    """The name of a file to take away: demo-indicators.csv in a demonstration."""
    return f"demo-{name}" if settings.DEMO else name


def is_marked() -> bool:
    """Whether the database was made for the demonstration; without tables it was not."""
    return _has_table(DemoMark) and DemoMark.objects.exists()


def check_database() -> None:
    """Raises ImproperlyConfigured if the database is not of the kind that DEMO says.

    A database without report and accounts may become either.
    """
    marked = is_marked()
    if marked and not settings.DEMO:
        raise ImproperlyConfigured(
            "This database was made for the demonstration and holds invented figures. Set DEMO=1 "
            "to show them as such, or DATABASE_URL to the real database."
        )
    if settings.DEMO and not marked and (_holds_any(Opinion) or _holds_any(User)):
        raise ImproperlyConfigured(
            "DEMO=1, but this database was not made for the demonstration. Take DEMO away, or set "
            "DATABASE_URL to a database of its own (none: var/demo.sqlite3)."
        )


def _holds_any(model) -> bool:
    return _has_table(model) and model.objects.exists()


def _has_table(model) -> bool:
    return model._meta.db_table in connection.introspection.table_names()
