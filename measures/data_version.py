"""One number for all that the public may see: another one after each change of it.

Triggers write a random token in the transaction of the change, whichever door it comes through:
a row of its own for each transaction on PostgreSQL, so that nobody waits for another who has not
committed yet, and one row on SQLite. The version is the sum of the tokens: unlike a counter or a
newest row it differs whatever the order in which transactions that overlap are committed, and a
backup that is brought back and goes on differently never has a version that was there before.
"""

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
        for operation, condition in TOUCHES.items():
            found.append(_trigger(table, operation, condition, body))
    for table in ALWAYS:
        for operation in ("INSERT", "UPDATE", "DELETE"):
            found.append(_trigger(table, operation, "1 = 1", body))
    if vendor == "postgresql":
        # The other tables are never emptied.
        found.append(_trigger(SYNONYMS, "TRUNCATE", "1 = 1", body))
    return found


def _trigger(table: str, operation: str, condition: str, body: list[str]) -> Trigger:
    name = f"{table}_raises_{operation.lower()}"
    return Trigger(name, table, "AFTER", operation, condition, body)


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
