"""Reading much, piece by piece, as it stood at one moment."""

from contextlib import contextmanager

from django.db import connection

BEGIN = {
    "postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    # Not IMMEDIATE, as the portal's transactions begin: nobody's writing waits for a reader.
    "sqlite": "BEGIN DEFERRED",
}


@contextmanager
def one_state():
    """Whatever is read inside is of one state of the database; nothing can be written inside.

    Past Django, which knows no transaction that only reads. Within a transaction it is that one's.
    """
    if connection.in_atomic_block:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(BEGIN[connection.vendor])
    try:
        yield
    finally:
        # Also after an error: ROLLBACK would take back where ``past`` has led meanwhile.
        if connection.connection is not None:
            with connection.cursor() as cursor:
                cursor.execute("COMMIT")
