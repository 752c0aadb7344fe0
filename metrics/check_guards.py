"""Triggers that let no check become public whose figures do not make its relation, also not by SQL.

A reviewed change cannot end while a check that it touches lacks a figure, and no row can put
figures of two quantities into one check. What was public before these rules came stays as it is.
"""

from measures.triggers import Trigger
from measures.versions import (
    APPLYING,
    IS_APPLYING,
    REFUSED,
    REVISIONS,
    VERSIONS,
    Sql,
    first_day_over,
)

from .rules.checks import NEEDED, Role
from .rules.choices import PERCENTAGE

CHECKS, TERMS, INDICATORS, UNITS = (
    "metrics_check", "metrics_checkterm", "metrics_indicator", "metrics_unit"
)  # fmt: skip
INCOMPLETE = "a check names all the figures that its relation needs"
UNLIKE = "figures of a check are of one quantity, and a stated rate is a percentage"


def triggers(vendor: str) -> list[Trigger]:
    sql = Sql(vendor)
    unreviewed = f"NOT {IS_APPLYING} AND {first_day_over(sql)}"
    found = [
        Trigger(f"{CHECKS}_reviewed_insert", CHECKS, "BEFORE", "INSERT", unreviewed, REFUSED),
        Trigger(f"{CHECKS}_complete", APPLYING, "BEFORE", "DELETE", _incomplete(), INCOMPLETE),
    ]
    for operation, other in (("INSERT", "1 = 1"), ("UPDATE", "t.id <> OLD.id")):
        name = f"{TERMS}_unlike_{operation.lower()}"
        found.append(Trigger(name, TERMS, "BEFORE", operation, _unlike(other), UNLIKE))
    in_check = f"EXISTS (SELECT 1 FROM {TERMS} t WHERE t.indicator_id = NEW.id)"
    other_unit = f"{_quantity('OLD.unit_id')} <> {_quantity('NEW.unit_id')} AND {in_check}"
    name = f"{INDICATORS}_unlike_update"
    found.append(Trigger(name, INDICATORS, "BEFORE", "UPDATE", other_unit, UNLIKE))
    other_quantity = (
        f"OLD.quantity <> NEW.quantity AND EXISTS (SELECT 1 FROM {TERMS} t "
        f"JOIN {INDICATORS} i ON i.id = t.indicator_id WHERE i.unit_id = NEW.id)"
    )
    name = f"{UNITS}_unlike_update"
    found.append(Trigger(name, UNITS, "BEFORE", "UPDATE", other_quantity, UNLIKE))
    return found


def _incomplete() -> str:
    """Whether the change that ends left a check without a figure that its kind needs."""
    lacks = " OR ".join(
        f"(c.kind = '{kind}' AND NOT EXISTS (SELECT 1 FROM {TERMS} t "
        f"WHERE t.check_of_id = c.id AND t.role = '{role}'))"
        for kind, roles in NEEDED.items()
        for role in roles
    )
    touched = (
        f"EXISTS (SELECT 1 FROM {VERSIONS} v WHERE v.code = c.code "
        f"AND v.subject_type IN ('{CHECKS}', '{TERMS}') AND (v.revision_id = OLD.revision_id "
        f"OR v.valid_to = (SELECT r.published_at FROM {REVISIONS} r WHERE r.id = OLD.revision_id)))"
    )
    return f"EXISTS (SELECT 1 FROM {CHECKS} c WHERE {touched} AND ({lacks}))"


def _unlike(other: str) -> str:
    """Whether a figure, NEW, is of another quantity than its role or the ``other`` ones ask for."""
    mine = (
        f"(SELECT u.quantity FROM {INDICATORS} i JOIN {UNITS} u ON u.id = i.unit_id "
        "WHERE i.id = NEW.indicator_id)"
    )
    another = (
        f"EXISTS (SELECT 1 FROM {TERMS} t JOIN {INDICATORS} i ON i.id = t.indicator_id "
        f"JOIN {UNITS} u ON u.id = i.unit_id WHERE t.check_of_id = NEW.check_of_id "
        f"AND t.role <> '{Role.RATE}' AND {other} AND u.quantity <> {mine})"
    )
    return (
        f"(NEW.role = '{Role.RATE}' AND {mine} <> '{PERCENTAGE}') "
        f"OR (NEW.role <> '{Role.RATE}' AND {another})"
    )


def _quantity(unit: str) -> str:
    return f"(SELECT u.quantity FROM {UNITS} u WHERE u.id = {unit})"
