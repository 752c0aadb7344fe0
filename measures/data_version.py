"""One number for all that the public may see: another one after each change of it.

Triggers write a random token in the transaction of the change, whichever door it comes through:
a row of its own for each transaction on PostgreSQL, so that nobody waits for another who has not
committed yet, and one row on SQLite. The version is the sum of the tokens: unlike a counter or a
newest row it differs whatever the order in which transactions that overlap are committed, and a
backup that is brought back and goes on differently never has a version that was there before.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from . import fixed_rounds, versions
from .triggers import Trigger

TABLE = "measures_dataversion"
#: Transactions that are kept apart; older ones are taken together once a day.
KEPT = 500

SYNONYMS = "measures_synonym"
#: What public pages read beside submissions; a change of the structure writes its versions.
ALWAYS = (
    versions.VERSIONS, "measures_checkpoint", SYNONYMS,
    fixed_rounds.ROUNDS, fixed_rounds.DUE,
)  # fmt: skip
#: A row that is not public yet changes nothing.
PUBLIC = "state = 'published'"
#: By the operation, the SQL condition that it touches what is public of a submission.
TOUCHES = {"INSERT": f"NEW.{PUBLIC}", "UPDATE": f"OLD.{PUBLIC} OR NEW.{PUBLIC}"}


@dataclass(frozen=True)
class Touched:
    """The rows that touch what is public of a table of submissions, in the SQL of a trigger.

    On SQLite that is one row; on PostgreSQL all of a statement, as they were and as they are, of
    which a function that is called for each row would cost more than what it does.
    """

    operation: str
    vendor: str

    def after(self, name: str, table: str, body: list[str]) -> Trigger:
        """The trigger ``name`` of ``table`` that runs ``body`` where there are any."""
        name = f"{table}_{name}_{self.operation.lower()}"
        if self.vendor == "sqlite":
            return Trigger(name, table, "AFTER", self.operation, TOUCHES[self.operation], body)
        condition = " OR ".join(f"EXISTS ({found})" for found in self._found(["1"]))
        return Trigger(name, table, "AFTER", self.operation, condition, body, tables=self._tables)

    def keys(self, *columns: str) -> str:
        """A query of what stands in ``columns`` of them, as ``key``, each once."""
        return " UNION ".join(self._found([f"{{row}}.{column} AS key" for column in columns]))

    def among(self, *columns: str) -> str:
        """A condition, to be put behind a column: it is what stands in one of ``columns``."""
        if self.vendor == "sqlite":
            return f"IN ({', '.join(f'NEW.{column}' for column in columns)})"
        # As an array it is looked up in an index, whatever the number for which a plan was made
        # that PostgreSQL keeps as long as the connection.
        return f"= ANY (ARRAY({self.keys(*columns)}))"

    @property
    def _tables(self) -> tuple[str, ...]:
        return ("NEW",) if self.operation == "INSERT" else ("OLD", "NEW")

    def _found(self, selected: list[str]) -> Iterator[str]:
        for what in selected:
            if self.vendor == "sqlite":
                yield f"SELECT {what.format(row='NEW')}"
                continue
            for name in self._tables:
                rows = f"{name.lower()}_rows"
                yield f"SELECT {what.format(row=rows)} FROM {rows} WHERE {rows}.{PUBLIC}"


def after_touching(
    name: str, table: str, body: Callable[[Touched], list[str]], vendor: str
) -> list[Trigger]:
    """The triggers ``name`` of a ``table`` of submissions, which run ``body`` after whatever
    touches what is public of it."""
    found = [Touched(operation, vendor) for operation in TOUCHES]
    return [touched.after(name, table, body(touched)) for touched in found]


def current(connection) -> int:
    """The version of ``connection``'s database; raises DatabaseError where it has none yet."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT sum(token) FROM {TABLE}")
        return int(cursor.fetchone()[0] or 0)


def triggers(submissions: list[str], vendor: str) -> list[Trigger]:
    """Those that raise the version when a public row of the ``submissions`` changes, or any row of
    a table that is named in ``ALWAYS``."""
    body = [_raise(vendor)]
    found = []
    for table in submissions:
        found += after_touching("raises", table, lambda _touched: body, vendor)
    for table in ALWAYS:
        for operation in ("INSERT", "UPDATE", "DELETE"):
            found.append(_trigger(table, operation, body))
    if vendor == "postgresql":
        # The other tables are never emptied.
        found.append(_trigger(SYNONYMS, "TRUNCATE", body))
    return found


def _trigger(table: str, operation: str, body: list[str]) -> Trigger:
    name = f"{table}_raises_{operation.lower()}"
    return Trigger(name, table, "AFTER", operation, "1 = 1", body)


def _raise(vendor: str) -> str:
    if vendor == "postgresql":
        # The number of a transaction comes again in another cluster, its beginning does not.
        values = "txid_current(), now(), (random() * 9e15)::bigint"
        again = "NOTHING"
    else:
        values = "0, '1970-01-01', random() / 1024"
        again = "UPDATE SET token = excluded.token"
    return (
        f"INSERT INTO {TABLE} (made_in, began_at, token) VALUES ({values}) "
        f"ON CONFLICT (made_in, began_at) DO {again}"
    )


def forget(connection) -> None:
    """Takes the oldest rows together, beyond ``KEPT``, so that the sum stays quick.

    The version becomes another one, which only costs that pages are made again.
    """
    from .models import DataVersion

    newest = DataVersion.objects.using(connection.alias).order_by("-pk")
    last = newest.values_list("pk", flat=True)[KEPT : KEPT + 1].first()
    if last:
        newest.filter(pk__lte=last).delete()
