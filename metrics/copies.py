"""How copies of what is public begin, and are written again: while nobody publishes."""

from collections.abc import Callable, Sequence

from django.db import connection, transaction

from measures.protection import submission_tables
from measures.publication import is_to_come

from . import kept_day_table, said_tables, stamp
from .said_tables import FIGURES, VALUES
from .summary_tables import CHECKS, INDICATORS, TARGETS

SUMMARIES, SAID = (INDICATORS, TARGETS, CHECKS), (VALUES, FIGURES)
EMPTIED = (*SUMMARIES, *SAID, kept_day_table.TABLE)
#: All of them, with what says who wrote them.
TABLES = (*EMPTIED, stamp.TABLE)


def renew(connection, triggers_were_away: bool) -> None:
    """Keeps what is in the copies if this release wrote it and triggers saw each change since, and
    else begins anew; within a transaction.

    By a clock that was set back, what was written of later publications is not public yet.
    """
    if (
        triggers_were_away
        or not stamp.stands(connection)
        or is_to_come(connection, submission_tables())
    ):
        begin_anew(connection)
    else:
        said_tables.begin_missing(connection)


def begin_anew(connection) -> None:
    """Empties the copies, which ``write_missing`` fills again; within a transaction."""
    with connection.cursor() as cursor:
        for table in EMPTIED:
            cursor.execute(f"DELETE FROM {table}")
    said_tables.begin_anew(connection)
    stamp.write(connection)


def write_missing(tables: Sequence[str], write_some: Callable[[], int]) -> int:
    """Calls ``write_some``, which writes into ``tables`` and returns how many rows, each time in a
    transaction of its own, until nothing is missing; returns how many in all.

    None while something is public only in a moment, by another server's clock, nor where the copies
    are those of another release, which may write otherwise. Raises OperationalError on PostgreSQL
    while something is being published: what is not committed yet cannot be read, and neither waits
    for the other.
    """
    written = 0
    while made := alone(tables, write_some):
        written += made
    return written


@transaction.atomic
def alone(tables: Sequence[str], write_some: Callable[[], int]) -> int:
    """What ``write_missing`` does once."""
    if connection.vendor == "postgresql":
        # Who publishes writes here, and holds that until the end. SQLite has one writer anyway.
        with connection.cursor() as cursor:
            names = ", ".join(tables)
            cursor.execute(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE NOWAIT")
    if is_to_come(connection, submission_tables()) or not stamp.stands(connection):
        return 0
    return write_some()
