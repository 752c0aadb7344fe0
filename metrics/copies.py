"""How copies of what is public are written again: while nobody publishes, some at a time."""

from collections.abc import Callable, Sequence

from django.db import connection, transaction

from measures.protection import submission_tables
from measures.publication import is_to_come


def write_missing(tables: Sequence[str], write_some: Callable[[], int]) -> int:
    """Calls ``write_some``, which writes into ``tables`` and returns how many rows, each time in a
    transaction of its own, until nothing is missing; returns how many in all.

    None while something is public only in a moment, by another server's clock. Raises
    OperationalError on PostgreSQL while something is being published: what is not committed yet
    cannot be read, and neither waits for the other.
    """
    written = 0
    while made := _alone(tables, write_some):
        written += made
    return written


@transaction.atomic
def _alone(tables: Sequence[str], write_some: Callable[[], int]) -> int:
    if connection.vendor == "postgresql":
        # Who publishes writes here, and holds that until the end. SQLite has one writer anyway.
        with connection.cursor() as cursor:
            names = ", ".join(tables)
            cursor.execute(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE NOWAIT")
    return 0 if is_to_come(connection, submission_tables()) else write_some()
