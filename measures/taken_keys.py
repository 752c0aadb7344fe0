"""No row takes the place of another by REPLACE, which SQLite lets slip past triggers of DELETE.

Before an insert or update SQLite is asked for every key whether another row has it, and refused as
without REPLACE. PostgreSQL knows no REPLACE, and its upsert meets the triggers of UPDATE.
"""

from django.db import models
from django.db.models.functions import Coalesce

from .triggers import Trigger


def triggers(model: type[models.Model]) -> list[Trigger]:
    """Those of a protected table of SQLite."""
    table = model._meta.db_table
    key, keys = model._meta.pk.column, list(_keys(model))
    return [
        Trigger(
            f"{table}_taken_{operation.lower()}", table, "BEFORE", operation, "1 = 1",
            [
                f"SELECT RAISE(ABORT, 'UNIQUE constraint failed: {name}') WHERE EXISTS "
                f"(SELECT 1 FROM {table} x WHERE {same}{other})"
                for name, same in keys
            ],
        )
        for operation, other in (("INSERT", ""), ("UPDATE", f" AND x.{key} <> OLD.{key}"))
    ]  # fmt: skip


def _keys(model):
    """(as SQLite names it, SQL condition that ``x`` has that of NEW) of every unique key."""
    meta = model._meta
    columns = [[field.column] for field in meta.concrete_fields if field.unique]
    columns += [[meta.get_field(n).column for n in names] for names in meta.unique_together]
    for names in columns:
        yield _told(meta.db_table, names), " AND ".join(f'x."{n}" = NEW."{n}"' for n in names)
    for constraint in meta.constraints:
        if not isinstance(constraint, models.UniqueConstraint):
            continue
        if constraint.expressions:
            name, parts = f"index ''{constraint.name}''", constraint.expressions
        else:
            names = [meta.get_field(field).column for field in constraint.fields]
            name, parts = _told(meta.db_table, names), map(models.F, constraint.fields)
        same = [f"{_sql(part, model, 'x')} = {_sql(part, model, 'NEW')}" for part in parts]
        for row in ("x", "NEW"):
            same += _where(constraint.condition, model, row)
        yield name, " AND ".join(same)


def _told(table: str, columns: list[str]) -> str:
    return ", ".join(f"{table}.{column}" for column in columns)


def _sql(part, model, row: str) -> str:
    if isinstance(part, models.F):
        return f'{row}."{model._meta.get_field(part.name).column}"'
    if isinstance(part, Coalesce):
        first, second = part.get_source_expressions()
        return f"COALESCE({_sql(first, model, row)}, {_sql(second, model, row)})"
    if isinstance(part, models.Value):
        return str(part.value) if isinstance(part.value, int) else f"'{part.value}'"
    raise NotImplementedError(f"a unique key of {model.__name__} by {part!r}")


def _where(condition: models.Q | None, model, row: str) -> list[str]:
    found = []
    for lookup, value in condition.children if condition else ():
        name, _, kind = lookup.partition("__")
        column = _sql(models.F(name), model, row)
        if (kind, value) == ("isnull", True):
            found.append(f"{column} IS NULL")
        elif (kind, value) == ("", True):
            found.append(f"{column} = 1")
        else:
            raise NotImplementedError(f"a unique key of {model.__name__} where {lookup}")
    return found
