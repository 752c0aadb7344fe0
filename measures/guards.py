"""What must hold between public rows of several tables, also for raw SQL.

A constraint sees one row of one table; these see more. ``versions`` has them beside its own.
"""

from collections.abc import Iterator

from .triggers import Trigger

DEPARTMENTS, SUCCESSORS = "measures_department", "measures_department_succeeded_by"
STANDS = "an office that others continue has a day on which it ended"


def triggers() -> Iterator[Trigger]:
    """Those of the departments."""
    stands = (
        f"EXISTS (SELECT 1 FROM {DEPARTMENTS} d WHERE d.id = NEW.from_department_id "
        "AND d.ended_on IS NULL)"
    )
    for operation in ("INSERT", "UPDATE"):
        name = f"{SUCCESSORS}_ended_{operation.lower()}"
        yield Trigger(name, SUCCESSORS, "BEFORE", operation, stands, STANDS)
    stands_again = (
        "NEW.ended_on IS NULL AND OLD.ended_on IS NOT NULL "
        f"AND EXISTS (SELECT 1 FROM {SUCCESSORS} s WHERE s.from_department_id = NEW.id)"
    )
    name = f"{DEPARTMENTS}_ended_update"
    yield Trigger(name, DEPARTMENTS, "BEFORE", "UPDATE", stands_again, STANDS)
