"""``ended_at`` of what was published: when a correction or a withdrawal took its place.

A correction ends the row that it supersedes, a withdrawal the row that it names; the first counts.
Triggers write it in the transaction of either, whichever door that comes through, and
refuse any other moment. It is a copy, by which a page asks for what stands without looking for
what came afterwards: ``write_missing`` works it out anew from the corrections and withdrawals.
"""

from django.db import models, transaction

from .data_version import PUBLIC, Touched, after_touching
from .publication import BECOMES
from .triggers import Trigger
from .versions import Sql
from .withdrawn import WITHDRAWALS, kind_of

REFUSED = "published rows are never changed or deleted: correct them by a new row"


def triggers(submissions: list[type[models.Model]], vendor: str) -> list[Trigger]:
    """Those that write the moment, and those that let nothing else of a public row be changed."""
    sql, found = Sql(vendor), []
    for model in submissions:
        table = model._meta.db_table
        found.append(
            Trigger(
                f"{table}_protect_update", table, "BEFORE", "UPDATE",
                _is_refused(model, sql), REFUSED,
                first=f"OLD.{PUBLIC}",
            )
        )  # fmt: skip

        def both(touched: Touched, model=model, table=table) -> list[str]:
            return [_write(model, f"{table}.id {touched.among('id', 'supersedes_id')}", sql)]

        found += after_touching("ends", table, both, vendor)
    withdrawn = [
        _write(model, f"{table}.code = NEW.subject_code AND NEW.subject_type = '{kind}'", sql)
        for model in submissions
        if (table := model._meta.db_table) and (kind := kind_of(model))
    ]
    return found + [
        Trigger(
            f"{WITHDRAWALS}_withdraws_{operation.lower()}", WITHDRAWALS, "AFTER", operation,
            becomes, withdrawn,
        )
        for operation, becomes in BECOMES.items()
    ]  # fmt: skip


def _moment(model, row: str) -> str:
    """The SQL of the moment at which ``row`` ended; null while it stands."""
    table, kind = model._meta.db_table, kind_of(model)
    moments = [
        f"SELECT c.published_at AS moment FROM {table} c "
        f"WHERE c.supersedes_id = {row}.id AND c.{PUBLIC}"
    ]
    if kind:
        moments.append(
            f"SELECT w.published_at AS moment FROM {WITHDRAWALS} w "
            f"WHERE w.subject_type = '{kind}' AND w.subject_code = {row}.code AND w.{PUBLIC}"
        )
    return f"(SELECT min(e.moment) FROM ({' UNION ALL '.join(moments)}) e)"


def _is_refused(model, sql: Sql) -> str:
    """Whether an UPDATE changes a public row otherwise than by the moment at which it ended."""
    if sql.postgresql:
        other = "(to_jsonb(OLD) - 'ended_at') IS DISTINCT FROM (to_jsonb(NEW) - 'ended_at')"
    else:
        columns = [field.column for field in model._meta.concrete_fields]
        other = sql.changed([name for name in columns if name != "ended_at"])
    true = f"NEW.ended_at {sql.same} {_moment(model, 'OLD')}"
    return f"{other} OR NOT ({true})"


def _write(model, where: str, sql: Sql) -> str:
    table = model._meta.db_table
    return (
        f"UPDATE {table} SET ended_at = {_moment(model, table)} "
        f"WHERE {where} AND {_is_wrong(model, sql)}"
    )


def _is_wrong(model, sql: Sql) -> str:
    """Whether a row is public, and its moment another than that of the corrections."""
    table = model._meta.db_table
    return f"{table}.{PUBLIC} AND NOT ({table}.ended_at {sql.same} {_moment(model, table)})"


def _may_have_ended(model) -> str:
    """True of every row that has ended, or says so."""
    table = model._meta.db_table
    ended = [
        f"{table}.ended_at IS NOT NULL",
        f"{table}.id IN (SELECT supersedes_id FROM {table} c WHERE c.{PUBLIC})",
    ]
    if kind := kind_of(model):
        ended.append(
            f"{table}.code IN (SELECT subject_code FROM {WITHDRAWALS} w "
            f"WHERE w.subject_type = '{kind}' AND w.{PUBLIC})"
        )
    return f"({' OR '.join(ended)})"


def wrong(submissions: list[type[models.Model]], connection) -> list[tuple[type, int]]:
    """The model and the key of every public row whose moment is not as the corrections and
    withdrawals have it; a query a model."""
    sql, found = Sql(connection.vendor), []
    with connection.cursor() as cursor:
        for model in submissions:
            cursor.execute(
                f"SELECT id FROM {model._meta.db_table} "
                f"WHERE {_may_have_ended(model)} AND {_is_wrong(model, sql)} ORDER BY id"
            )
            found += [(model, key) for (key,) in cursor.fetchall()]
    return found


def write_missing(submissions: list[type[models.Model]], connection) -> None:
    """Every moment that is not written as the corrections and withdrawals have it."""
    sql = Sql(connection.vendor)
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        for model in submissions:
            cursor.execute(_write(model, _may_have_ended(model), sql))
