"""Every public row is a version: triggers that keep what stood, and views that read it again.

A row that is public changes only while a reviewed change is being applied (``revisions``). The
triggers write what it said into ``Version``, whichever door the change came through, and refuse
any other change of the row or of a version. ``past`` reads the versions of a moment under the
names of the tables, so that every query sees them as they stood.

Both are made from the models' fields; ``protection`` puts the triggers into the database.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.apps import apps
from django.db import models, transaction

from . import fixed_rounds, guards
from .triggers import Trigger, lifted

VERSIONS, REVISIONS, APPLYING = "measures_version", "measures_revision", "measures_applying"
#: Its rows come with the tables, so they begin no database and have always been there.
THRESHOLDS = "measures_threshold"

#: The tables that are kept; a row of a second one belongs to a row of another and goes with it.
KEPT = (
    ("measures.opinion", None),
    ("measures.report", None),
    ("measures.section", None),
    ("measures.theme", None),
    ("measures.department", None),
    ("measures.department_succeeded_by", "from_department"),
    ("measures.measure", None),
    ("measures.measure_supporting", "measure"),
    ("measures.threshold", None),
    ("metrics.unit", None),
    ("metrics.indicator", None),
    ("metrics.plan", None),
    ("metrics.check", None),
    ("metrics.checkterm", "check_of"),
)

REFUSED = "what is public changes only by a reviewed change"
FIXED = "the code of a public row is permanent, and what was public is never hidden again"
GONE = "what was ever public is never deleted"
WRITTEN = "a version is never changed or deleted"
FORGED = "versions are written by the change of a row alone"
UNREVIEWED = "only a published change that was never applied can be applied, one at a time"


class Sql:
    """The few expressions that the two engines write differently."""

    def __init__(self, vendor: str):
        self.postgresql = vendor == "postgresql"
        self.same = "IS NOT DISTINCT FROM" if self.postgresql else "IS"
        self.now = (
            "clock_timestamp()" if self.postgresql else "strftime('%Y-%m-%d %H:%M:%f', 'now')"
        )
        self.yesterday = (
            "now() - interval '1 day'"
            if self.postgresql
            else "strftime('%Y-%m-%d %H:%M:%f', 'now', '-1 day')"
        )

    def content(self, columns: list[str], row: str) -> str:
        """The whole row as JSON."""
        if self.postgresql:
            return f"to_jsonb({row})"
        pairs = ", ".join(f"'{name}', {row}.\"{name}\"" for name in columns)
        return f"json_object({pairs})"

    def changed(self, columns: list[str]) -> str:
        if self.postgresql:
            return "OLD IS DISTINCT FROM NEW"
        return "(" + " OR ".join(f'OLD."{c}" IS NOT NEW."{c}"' for c in columns) + ")"

    def column(self, field: models.Field, connection) -> str:
        """A column of the row out of the JSON, with the type that the table gives it."""
        name, kind = field.column, field.db_type(connection)
        if self.postgresql:
            return f"(content->>'{name}')::{kind}"
        if kind.startswith(("integer", "bigint", "smallint", "bool")):
            kind = "INTEGER"
        else:
            kind = "NUMERIC" if kind.startswith("decimal") else "TEXT"
        return f"CAST(json_extract(content, '$.{name}') AS {kind})"


@dataclass(frozen=True)
class Kept:
    """One of the tables that are kept."""

    model: type[models.Model]
    parent: models.ForeignKey | None = None

    @property
    def table(self) -> str:
        return self.model._meta.db_table

    @cached_property
    def columns(self) -> list[str]:
        return [field.column for field in self.model._meta.concrete_fields]

    @property
    def has_day(self) -> bool:
        """Whether a row is a draft until it has a day from which it is public."""
        return "published_on" in self.columns

    def public(self, row: str) -> str:
        """The SQL condition that the row is or will be public; drafts may change freely."""
        if self.parent:
            owner = Kept(self.parent.related_model)
            if owner.has_day:
                return (
                    f"EXISTS (SELECT 1 FROM {owner.table} owner "
                    f"WHERE owner.id = {row}.{self.parent.column} AND {owner.public('owner')})"
                )
        return f"{row}.published_on IS NOT NULL" if self.has_day else "1 = 1"

    def code(self, row: str) -> str:
        """The natural identity; a part has that of the row to which it belongs."""
        if not self.parent:
            return f"{row}.code"
        owner = self.parent.related_model._meta.db_table
        return f"(SELECT code FROM {owner} WHERE id = {row}.{self.parent.column})"


def kept_tables() -> list[Kept]:
    found = []
    for label, parent in KEPT:
        model = apps.get_model(label)
        found.append(Kept(model, model._meta.get_field(parent) if parent else None))
    return found


MOMENT = f"(SELECT r.published_at FROM {APPLYING} a JOIN {REVISIONS} r ON r.id = a.revision_id)"
REVISION = f"(SELECT revision_id FROM {APPLYING})"
IS_APPLYING = f"EXISTS (SELECT 1 FROM {APPLYING})"


def first_day_over(sql: Sql) -> str:
    """Whether the database holds rows for longer than a day; null while it is empty."""
    begun = f"SELECT made_at FROM {VERSIONS} WHERE subject_type <> '{THRESHOLDS}'"
    return f"({begun} ORDER BY id LIMIT 1) < {sql.yesterday}"


def _insert(kept: Kept, row: str, sql: Sql, source: str = "", where: str = "1 = 1") -> str:
    """Makes the standing version of ``row``.

    Without a reviewed change that is a row which comes in with its day: on the database's first
    day the rows that it begins with, which count as always there, and later one that counts from
    now on.
    """
    valid_from = (
        f"CASE WHEN {IS_APPLYING} THEN {MOMENT} "
        f"WHEN {first_day_over(sql)} THEN {sql.now} ELSE NULL END"
        if kept.table != THRESHOLDS
        else f"CASE WHEN {IS_APPLYING} THEN {MOMENT} ELSE NULL END"
    )
    return (
        f"INSERT INTO {VERSIONS} "
        "(subject_type, subject_pk, code, content, valid_from, valid_to, revision_id, made_at) "
        f"SELECT '{kept.table}', {row}.id, {kept.code(row)}, {sql.content(kept.columns, row)}, "
        f"{valid_from}, NULL, {REVISION}, {sql.now} {source} WHERE {where}"
    )


def _standing(kept: Kept, row: str) -> str:
    return f"subject_type = '{kept.table}' AND subject_pk = {row}.id AND valid_to IS NULL"


def triggers(vendor: str) -> list[Trigger]:
    sql, tables = Sql(vendor), kept_tables()
    found = []
    for kept in tables:
        found += _guards(kept, sql) + _records(kept, tables, sql)
    found += [*_guards_of_versions(tables, sql), _guard_of_fixed_rounds()]
    if sql.postgresql:
        found += [
            Trigger(f"{table}_version_truncate", table, "BEFORE", "TRUNCATE", "1 = 1", GONE)
            for table in (VERSIONS, *(kept.table for kept in tables))
        ]
    return [*found, *guards.triggers()]


def _guards(kept: Kept, sql: Sql) -> list[Trigger]:
    old, new, changed = kept.public("OLD"), kept.public("NEW"), sql.changed(kept.columns)
    fixed = [f"NOT (OLD.id {sql.same} NEW.id)"]
    if not kept.parent:
        fixed.append(f"NOT (OLD.code {sql.same} NEW.code)")
    if kept.has_day:
        fixed.append("NEW.published_on IS NULL")
    found = [
        Trigger(
            f"{kept.table}_reviewed_update", kept.table, "BEFORE", "UPDATE",
            f"({old} OR {new}) AND {changed} AND NOT {IS_APPLYING}", REFUSED,
        ),
        Trigger(
            f"{kept.table}_fixed_update", kept.table, "BEFORE", "UPDATE",
            f"{old} AND ({' OR '.join(fixed)})", FIXED,
        ),
        Trigger(
            f"{kept.table}_reviewed_delete", kept.table, "BEFORE", "DELETE",
            f"{old} AND NOT {IS_APPLYING}" if kept.parent else old,
            REFUSED if kept.parent else GONE,
        ),
    ]  # fmt: skip
    if kept.parent:
        found.append(
            Trigger(
                f"{kept.table}_reviewed_insert", kept.table, "BEFORE", "INSERT",
                f"{new} AND NOT {IS_APPLYING} AND {first_day_over(sql)}", REFUSED,
            )
        )  # fmt: skip
    return found


def _records(kept: Kept, tables: list[Kept], sql: Sql) -> list[Trigger]:
    old, new = kept.public("OLD"), kept.public("NEW")
    standing = _standing(kept, "NEW")
    none = f"NOT EXISTS (SELECT 1 FROM {VERSIONS} WHERE {standing})"
    after_update = [
        # A change that writes a row twice says once what it says in the end.
        f"UPDATE {VERSIONS} SET content = {sql.content(kept.columns, 'NEW')} "
        f"WHERE {standing} AND revision_id = {REVISION}",
        f"UPDATE {VERSIONS} SET valid_to = {MOMENT} "
        f"WHERE {standing} AND (revision_id IS NULL OR revision_id <> {REVISION})",
        _insert(kept, "NEW", sql, where=none),
    ]
    if kept.has_day:
        # A draft's parts become public with it.
        for part in tables:
            if part.parent and part.parent.related_model is kept.model:
                missing = f"NOT EXISTS (SELECT 1 FROM {VERSIONS} WHERE {_standing(part, 'part')})"
                mine = f"part.{part.parent.column} = NEW.id AND {missing}"
                after_update.append(_insert(part, "part", sql, f"FROM {part.table} part", mine))
    found = [
        Trigger(
            f"{kept.table}_version_insert", kept.table, "AFTER", "INSERT", new,
            [_insert(kept, "NEW", sql)],
        ),
        Trigger(
            f"{kept.table}_version_update", kept.table, "AFTER", "UPDATE",
            f"{new} AND ({sql.changed(kept.columns)} OR NOT {old})", after_update,
        ),
    ]  # fmt: skip
    if kept.parent:
        close = f"UPDATE {VERSIONS} SET valid_to = {MOMENT} WHERE {_standing(kept, 'OLD')}"
        found.append(
            Trigger(f"{kept.table}_version_delete", kept.table, "AFTER", "DELETE", "1 = 1", [close])
        )
    return found


def _guards_of_versions(tables: list[Kept], sql: Sql) -> list[Trigger]:
    unchanged = " AND ".join(
        f"OLD.{name} {sql.same} NEW.{name}"
        for name in ("id", "subject_type", "subject_pk", "code", "valid_from", "revision_id",
                     "made_at")
    )  # fmt: skip
    legal = (
        f"{unchanged} AND OLD.valid_to IS NULL AND {IS_APPLYING} AND "
        f"((NEW.valid_to {sql.same} {MOMENT} AND OLD.content {sql.same} NEW.content) OR "
        f"(NEW.valid_to IS NULL AND OLD.revision_id {sql.same} {REVISION}))"
    )
    is_a_row = " OR ".join(
        f"(NEW.subject_type = '{kept.table}' AND EXISTS (SELECT 1 FROM {kept.table} x "
        f"WHERE x.id = NEW.subject_pk AND {kept.public('x')}))"
        for kept in tables
    )
    other = (
        f"EXISTS (SELECT 1 FROM {VERSIONS} v WHERE v.subject_type = NEW.subject_type "
        "AND v.subject_pk = NEW.subject_pk)"
    )
    forged = (
        f"NEW.valid_to IS NOT NULL OR NOT (NEW.revision_id {sql.same} {REVISION}) "
        f"OR NOT ({is_a_row}) OR (NEW.revision_id IS NULL AND {other})"
    )
    unreviewed = (
        f"{IS_APPLYING} "
        f"OR NOT EXISTS (SELECT 1 FROM {REVISIONS} r WHERE r.id = NEW.revision_id "
        "AND r.state = 'published') "
        f"OR EXISTS (SELECT 1 FROM {VERSIONS} v WHERE v.revision_id = NEW.revision_id)"
    )
    return [
        Trigger(*_named(VERSIONS, "INSERT"), forged, FORGED),
        Trigger(*_named(VERSIONS, "UPDATE"), f"NOT ({legal})", WRITTEN),
        Trigger(*_named(VERSIONS, "DELETE"), "1 = 1", WRITTEN),
        Trigger(*_named(APPLYING, "INSERT"), unreviewed, UNREVIEWED),
        Trigger(*_named(APPLYING, "UPDATE"), "1 = 1", UNREVIEWED),
    ]


def _guard_of_fixed_rounds() -> Trigger:
    return Trigger(*_named(fixed_rounds.DUE, "INSERT"), fixed_rounds.IS_FIXED, fixed_rounds.FIXED)


def _named(table: str, operation: str) -> tuple[str, str, str, str]:
    return f"{table}_protect_{operation.lower()}", table, "BEFORE", operation


def install_indexes(connection) -> None:
    """Makes an index for each foreign key of the views, by which the rows of another are found.

    They are expressions of the JSON, word for word those of the views, so no model declares them.
    """
    sql = Sql(connection.vendor)
    wanted = {
        f"version_{kept.table}_{field.column}": (kept.table, sql.column(field, connection))
        for kept in kept_tables()
        for field in kept.model._meta.concrete_fields
        if isinstance(field, models.ForeignKey)
    }
    with connection.cursor() as cursor:
        there = (
            "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()"
            if sql.postgresql
            else "SELECT name FROM sqlite_master WHERE type = 'index'"
        )
        cursor.execute(there)
        for name in wanted.keys() - {name for (name,) in cursor.fetchall()}:
            table, column = wanted[name]
            cursor.execute(
                f"CREATE INDEX {name} ON {VERSIONS} (({column})) WHERE subject_type = '{table}'"
            )


def past_schema(table: str) -> str:
    """The schema with the view of ``table`` alone, so that each can be read by its own or not."""
    return f"past_{table}"


def install_views(connection) -> None:
    """Makes the schemas of the past anew; SQLite has its views for a connection alone."""
    if connection.vendor != "postgresql":
        return
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        # Earlier releases had one for all.
        cursor.execute("DROP SCHEMA IF EXISTS past CASCADE")
        for name, select in past_views(connection):
            schema = past_schema(name)
            cursor.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
            cursor.execute(f"CREATE SCHEMA {schema}")
            cursor.execute(f'CREATE VIEW {schema}."{name}" AS {select}')


def write_missing(connection) -> None:
    """The first version of every public row that has none, and columns that came later.

    A column that a migration adds has, in versions made before, the value that it gave the row.
    """
    sql = Sql(connection.vendor)
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        for kept in kept_tables():
            none = (
                f"NOT EXISTS (SELECT 1 FROM {VERSIONS} v WHERE v.subject_type = '{kept.table}' "
                "AND v.subject_pk = x.id)"
            )
            source = f"FROM {kept.table} x"
            cursor.execute(_insert(kept, "x", sql, source, f"{kept.public('x')} AND {none}"))
        columns = [(kept, name) for kept in kept_tables() for name in kept.columns]
        late = [column for column in columns if _is_late(cursor, *column, sql)]
        if late:
            with lifted(connection, VERSIONS):
                for kept, column in late:
                    cursor.execute(_add_column(kept, column, sql))


def _lacks(kept: Kept, column: str, sql: Sql) -> str:
    has = (
        f"jsonb_exists(content, '{column}')"
        if sql.postgresql
        else f"json_type(content, '$.{column}') IS NOT NULL"
    )
    return f"subject_type = '{kept.table}' AND NOT {has}"


def _is_late(cursor, kept: Kept, column: str, sql: Sql) -> bool:
    cursor.execute(f"SELECT 1 FROM {VERSIONS} WHERE {_lacks(kept, column, sql)} LIMIT 1")
    return cursor.fetchone() is not None


def _add_column(kept: Kept, column: str, sql: Sql) -> str:
    if sql.postgresql:
        return (
            f"UPDATE {VERSIONS} SET content = content || jsonb_build_object('{column}', "
            f'to_jsonb(x."{column}")) FROM {kept.table} x '
            f"WHERE {_lacks(kept, column, sql)} AND subject_pk = x.id"
        )
    return (
        f"UPDATE {VERSIONS} SET content = json_set(content, '$.{column}', "
        f'(SELECT x."{column}" FROM {kept.table} x WHERE x.id = subject_pk)) '
        f"WHERE {_lacks(kept, column, sql)}"
    )


def changes_since(connection, moment: datetime) -> frozenset[str]:
    """The kept tables of which a row has a version that began or ended at ``moment`` or later."""
    found = " OR ".join(
        f"EXISTS (SELECT 1 FROM {VERSIONS} v WHERE v.subject_type = t.name AND v.{column} >= %s)"
        for column in ("valid_from", "valid_to")
    )
    names = " UNION ALL ".join(f"SELECT '{kept.table}' AS name" for kept in kept_tables())
    moments = [connection.ops.adapt_datetimefield_value(moment)] * 2
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT t.name FROM ({names}) t WHERE {found}", moments)
        return frozenset(name for (name,) in cursor.fetchall())


def past_views(connection, moment: str = "") -> list[tuple[str, str]]:
    """(table, SELECT) of every kept table as it stood before ``moment``, an SQL expression."""
    sql = Sql(connection.vendor)
    if sql.postgresql:
        # Read by the view, so that the views stay and only the moment changes.
        moment = "current_setting('portal.moment')::timestamptz"
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_schema()")
            schema = f'"{cursor.fetchone()[0]}".'
    else:
        schema = "main."
    found = []
    for kept in kept_tables():
        columns = [
            f'{"subject_pk" if field.primary_key else sql.column(field, connection)} '
            f'AS "{field.column}"'
            for field in kept.model._meta.concrete_fields
        ]  # fmt: skip
        select = (
            f"SELECT {', '.join(columns)} FROM {schema}{VERSIONS} "
            f"WHERE subject_type = '{kept.table}' "
            f"AND (valid_from IS NULL OR valid_from < {moment}) "
            f"AND (valid_to IS NULL OR valid_to >= {moment})"
        )
        found.append((kept.table, select))
    return found
