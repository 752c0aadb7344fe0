"""What must hold between public rows of several tables, also for raw SQL.

A constraint sees one row of one table; these see more. ``versions`` installs them with its own.
"""

from collections.abc import Iterator

DEPARTMENTS, SUCCESSORS = "measures_department", "measures_department_succeeded_by"
STANDS = "an office that others continue has a day on which it ended"

#: Name, table, when, operation, condition and sentence, as ``versions.Trigger`` takes them.
Rule = tuple[str, str, str, str, str, str]


def rules() -> Iterator[Rule]:
    yield from _of_departments()


def _of_departments() -> Iterator[Rule]:
    stands = (
        f"EXISTS (SELECT 1 FROM {DEPARTMENTS} d WHERE d.id = NEW.from_department_id "
        "AND d.ended_on IS NULL)"
    )
    for operation in ("INSERT", "UPDATE"):
        name = f"{SUCCESSORS}_ended_{operation.lower()}"
        yield name, SUCCESSORS, "BEFORE", operation, stands, STANDS
    stands_again = (
        "NEW.ended_on IS NULL AND OLD.ended_on IS NOT NULL "
        f"AND EXISTS (SELECT 1 FROM {SUCCESSORS} s WHERE s.from_department_id = NEW.id)"
    )
    yield f"{DEPARTMENTS}_ended_update", DEPARTMENTS, "BEFORE", "UPDATE", stands_again, STANDS
