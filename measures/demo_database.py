"""Whether a database was made for the demonstration: it must agree with DEMO, or nothing starts."""

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from .models import DemoMark, Opinion, User


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
