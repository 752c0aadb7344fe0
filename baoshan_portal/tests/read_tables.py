"""What is asked of the database in a test, and which tables that reads."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

TABLE = re.compile(r'(?:FROM|JOIN)\s+"?(\w+)"?', re.IGNORECASE)


@contextmanager
def statements() -> Iterator[list[tuple]]:
    """The SQL and the parameters of all that is asked inside, filled while it is asked."""
    asked: list[tuple] = []

    def watch(execute, sql, params, many, context):
        asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield asked


@contextmanager
def tables_read() -> Iterator[set[str]]:
    """The names behind FROM and JOIN in all that is asked inside, filled while it is asked."""
    read: set[str] = set()

    def watch(execute, sql, params, many, context):
        read.update(TABLE.findall(sql))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield read
