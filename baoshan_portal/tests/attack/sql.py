"""What the owner of the database, or any plain connection to it, tries by raw statements."""

import sqlite3
from contextlib import closing, suppress
from datetime import timedelta
from random import Random

from django.db import DatabaseError, connection, models, transaction
from django.utils import timezone

from measures import chain, protection, publication, versions
from measures.models import Checkpoint, Link, LinkForm, ProgressNote, Version
from measures.submission import Submission
from measures.tests.factories import make_note, make_opinion

from .. import test_chain, test_forgery
from . import LONG, Count
from .portal import Portal

POSTGRESQL = connection.vendor == "postgresql"
TAMPERINGS = 1_000


def attack(portal: Portal):
    public = _older_than_a_day()
    yield statements()
    yield forgeries(public)
    yield replacing(portal)
    yield tampering(portal)


def _older_than_a_day() -> ProgressNote:
    """What the first day of a database still allows is over; a public note."""
    protection.remove(connection)
    Version.objects.update(made_at=timezone.now() - timedelta(days=2))
    # Such a database would have been linked as it is.
    for model in (Link, LinkForm, Checkpoint):
        model.objects.all()._raw_delete(connection.alias)
    protection.install(connection)
    chain.make_checkpoint()
    return ProgressNote.objects.published().first()


def protected() -> dict[str, tuple[type[models.Model], str]]:
    """Every protected table, with its model and the condition of the rows that are public."""
    found = {}
    every = {model._meta.db_table: model for model in protection._protected_models()}
    for table, operation, condition, _message in protection.rules():
        if operation == "DELETE":
            condition = "1 = 1" if condition == "young" else condition
            found[table] = (every[table], condition.replace("OLD.", ""))
    for kept in versions.kept_tables():
        found[kept.table] = (kept.model, kept.public(kept.table))
    found[versions.VERSIONS] = (Version, "1 = 1")
    return found


def other(field: models.Field, value):
    """Another value of the kind that the column takes; None if there is none to be had."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, dict | list):
        return value | {"x": "伪"} if isinstance(value, dict) else [*value, "伪"]
    if isinstance(field, models.FileField):
        return f"{value}x"
    if isinstance(value, str):
        return (value[:-1] + "伪") if value else "伪"
    if hasattr(value, "year"):
        return value - timedelta(days=400)
    with suppress(TypeError):
        return value + 1
    return None


def statements() -> Count:
    """UPDATE of each column, DELETE and emptying of every protected table."""
    tried = Count("UPDATE, DELETE, TRUNCATE of what is public")
    quote = connection.ops.quote_name
    for table, (model, condition) in protected().items():
        rows = model._base_manager.extra(where=[condition]).order_by("pk")
        row = rows.last()
        if row is None:
            continue
        orders = [f"DELETE FROM {table} WHERE id = %s", f"DELETE FROM {table}"]
        for order in orders:
            tried.add(_passes(order, [row.pk] if "%s" in order else []))
        if POSTGRESQL:
            tried.add(_passes(f"TRUNCATE {table} CASCADE", []))
        for field in model._meta.concrete_fields:
            value = other(field, getattr(row, field.attname))
            if value is None or field.attname == "valid_to" or _is_free(model, field):
                continue
            order = f"UPDATE {table} SET {quote(field.column)} = %s WHERE id = %s"
            value = field.get_db_prep_value(value, connection)
            tried.add(_passes(order, [value, row.pk]))
    return tried.row()


def _is_free(model, field) -> bool:
    """Whether stewards may set the column of such a row from day to day: those of a round."""
    return model._meta.label == "measures.Round" and field.name != "due_fixed_at"


def _passes(order: str, values) -> str:
    """The order, if the database let it through; what it did is taken back."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(order, values)
            n = cursor.rowcount
            transaction.set_rollback(True)
    except DatabaseError:
        return ""
    return f"{order} of {n} rows" if n else ""


def forgeries(public: ProgressNote):
    """What the list of forgeries says, each refused as one."""
    tried = Count("a publication forged, backdated or slipped in")
    keys = test_forgery.people_and_rows(public)
    published = set(ProgressNote.objects.published())
    for name, order in test_forgery.FORGERIES.items():
        try:
            with transaction.atomic():
                n = test_forgery.write(order, keys)
                transaction.set_rollback(True)
            tried.add(f"{name}: {n} rows")
        except DatabaseError as error:
            tried.add("" if publication.FORGED in str(error) else f"{name}: {error}")
    tried.add("" if set(ProgressNote.objects.published()) == published else "others are public")
    return tried.row()


def replacing(portal: Portal):
    """REPLACE and ON CONFLICT: on SQLite from a connection that is not the portal's."""
    tried = Count("REPLACE and ON CONFLICT over what is public")
    make_note()
    make_opinion()
    for model in (m for m, _condition in protected().values()):
        if issubclass(model, Submission) and model._base_manager.filter(state="published").exists():
            columns, told = test_forgery.columns_of(model)
            table, changed = model._meta.db_table, "entered_at"
            conflict = f"ON CONFLICT (id) DO UPDATE SET {changed} = excluded.{changed}"
            tried.add(
                _passes(
                    f"INSERT INTO {table} ({columns}) SELECT {told} FROM {table} "
                    f"WHERE state = 'published' {conflict}", [],
                )
            )  # fmt: skip
    if POSTGRESQL:
        return tried.row()
    with closing(sqlite3.connect(connection.settings_dict["NAME"], timeout=20)) as plain:
        for name, (pattern, model, more) in test_forgery.REPLACED.items():
            columns, told = test_forgery.columns_of(model, **more)
            order = pattern.replace("{c}", columns).replace("{v}", told)
            order = order.replace("{t}", model._meta.db_table).replace("{{}}", "{}")
            before = plain.execute(f"SELECT * FROM {model._meta.db_table}").fetchall()
            with suppress(sqlite3.Error):
                plain.execute(order)
            after = plain.execute(f"SELECT * FROM {model._meta.db_table}").fetchall()
            plain.rollback()
            tried.add("" if before == after else name)
    return tried.row()


def tampering(portal: Portal):
    """The owner without triggers: a kept checkpoint finds whatever was done."""
    tried = Count(
        "tampering without triggers, found by the checkpoint",
        "as many as there was time for; `make test-long` tries a thousand",
    )
    checkpoint, chance = str(chain.make_checkpoint()), Random(9)
    protection.remove(connection)
    try:
        n = 0
        while tried.tried < TAMPERINGS and (LONG or portal.has_time()):
            way, n = test_chain.WAYS[n % len(test_chain.WAYS)], n + 1
            with transaction.atomic():
                if way(chance):
                    tried.add("" if chain.verify(checkpoint) else way.__name__)
                transaction.set_rollback(True)
        untouched = chain.verify(checkpoint)
        tried.add(f"found where nothing was done: {untouched[0]}" if untouched else "")
    finally:
        protection.install(connection)
    return tried.row()
