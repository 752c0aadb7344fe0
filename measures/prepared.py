"""Queries that pages ask again and again with other values: built and compiled once.

Django builds a query wherever it is asked and compiles it each time that it runs. For the dozen
queries of a page that takes as long as all else together. A ``prepared`` query keeps its SQL.
"""

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from datetime import date, datetime
from functools import wraps

from django.core.exceptions import EmptyResultSet
from django.db import connection, connections
from django.db.models import (
    BigIntegerField,
    DateField,
    DateTimeField,
    Expression,
    Model,
    QuerySet,
    TextField,
)
from django.db.models.sql import Query
from django.db.models.sql.where import WhereNode
from django.utils import timezone
from django.utils.translation import get_language


class Slot(Expression):
    """Where the value ``name`` comes."""

    def __init__(self, name: int | str, output_field):
        super().__init__(output_field)
        self.name = name

    def as_sql(self, compiler, connection):
        return "%s", [self]

    def written(self, value, connection):
        """``value`` as the database takes it."""
        return self.output_field.get_db_prep_value(value, connection)


class Keys(Slot):
    """Where keys come, among which a row's is looked for: ``__in``, see ``lookups``."""

    def __init__(self, name: int):
        super().__init__(name, BigIntegerField())

    def written(self, value, connection):
        return as_one_parameter(value, connection)


def as_one_parameter(keys: Iterable[int | None], connection) -> list[int] | str:
    """``keys``, each once, as an array, or as a list in JSON on SQLite; no row has None.

    Raises TypeError for what is no key.
    """
    known = [*dict.fromkeys(key for key in keys if key is not None)]
    if others := [key for key in known if not isinstance(key, int)]:
        raise TypeError(f"Among many keys are no keys: {others[:3]}")
    return known if connection.vendor == "postgresql" else json.dumps(known)


_NOW, _TODAY = Slot("now", DateTimeField()), Slot("today", DateField())
_FIELDS = {int: BigIntegerField, str: TextField, date: DateField, datetime: DateTimeField}

_preparing = ContextVar("preparing", default=False)


def now() -> datetime | Slot:
    """The moment at which a query is asked."""
    return _NOW if _preparing.get() else timezone.now()


def today() -> date | Slot:
    """The day on which a query is asked."""
    return _TODAY if _preparing.get() else timezone.localdate()


class BakedIn(ValueError):
    """A prepared query would ask for the day or the moment of its preparation for ever."""


def prepared(build: Callable[..., QuerySet]) -> Callable[..., list]:
    """Makes of ``build``, which returns a queryset, what returns its rows: with other values each
    time, and with the same SQL.

    What is given by position are values: texts, days, moments, rows (for their keys), keys and
    collections of keys. What is given by name, and a None, belongs to the question: ``build`` runs
    once for each combination of these, in each language, with slots for the values. It can compare
    them and nothing else, and looks at the clock through ``now`` and ``today`` alone. A
    ``Prefetch`` in it can have neither, for it is another query.

    Of a past day (``as_of``) the query is built as any other, and so is that for no key at all or
    for what can be none, of which Django knows that no row has it.

    Raises BakedIn if a day or a moment came into the query by another way. What is only worked out
    of the clock, such as a number of days, nobody sees.
    """
    statements: dict[tuple, _Statement] = {}

    @wraps(build)
    def ask(*values, **form) -> list:
        if form.get("as_of") or any(_is_beyond(value) for value in values):
            return list(build(*values, **form))
        # What is read in the past are views, of which PostgreSQL knows no keys to group by.
        has_keys = connection.features.allows_group_by_selected_pks
        key = (get_language(), has_keys, *map(type, values), *form.items())
        if key not in statements:
            statements[key] = _Statement(build, values, form)
        return statements[key].ask(values)

    return ask


class _Statement:
    """A form of a question, compiled."""

    def __init__(self, build: Callable[..., QuerySet], values: tuple, form: dict):
        self.build, self.form = build, form
        with _in_preparation():
            self.rows = build(*(_slot(name, value) for name, value in enumerate(values)), **form)
            self.compiler = self.rows.query.get_compiler(self.rows.db)
            try:
                self.sql, self.params = self.compiler.as_sql()
            except EmptyResultSet:
                # Django knows that no row can be meant, whatever the values.
                self.sql, self.params = None, ()
        # That of this thread, which it would keep open.
        self.compiler.connection = None
        # The conditions stand in the SQL; as trees they are a third of what is kept.
        self.rows.query.where = WhereNode()
        self.compiler.where = self.compiler.having = self.compiler.qualify = None
        if baked := [param for param in self.params if _is_of_the_clock(param)]:
            raise BakedIn(f"{build.__qualname__}: {baked}")

    def ask(self, values: tuple) -> list:
        if self.sql is None:
            return []
        given = {name: getattr(value, "pk", value) for name, value in enumerate(values)}
        given |= {"now": timezone.now(), "today": timezone.localdate()}
        rows = self.rows._chain()
        rows._query = rows.query.chain(_Asked)
        rows.query.statement, rows.query.given = self, given
        return list(rows)


class _Asked(Query):
    """The query of a ``statement``, with the values that are ``given``."""

    statement: _Statement
    given: dict

    def get_compiler(self, using=None, connection=None, elide_empty=True):
        """What compiled the statement, with the values, for the connection of this thread."""
        connection = connection or connections[using]
        params = tuple(
            param.written(self.given[param.name], connection) if isinstance(param, Slot) else param
            for param in self.statement.params
        )
        compiler = copy(self.statement.compiler)
        compiler.connection, compiler.using = connection, using
        compiler.as_sql = lambda *_args, **_kwargs: (self.statement.sql, params)
        return compiler


@contextmanager
def _in_preparation() -> Iterator[None]:
    token = _preparing.set(True)
    try:
        yield
    finally:
        _preparing.reset(token)


def _slot(name: int, value) -> Slot | None:
    if value is None:
        return None
    if isinstance(value, Model):
        return Slot(name, BigIntegerField())
    if type(value) in _FIELDS:
        return Slot(name, _FIELDS[type(value)]())
    if _is_many(value):
        return Keys(name)
    raise TypeError(f"A prepared query takes no {type(value).__name__} as a value: {value!r}")


def _is_many(value) -> bool:
    return isinstance(value, Collection) and not isinstance(value, str)


def _is_beyond(value) -> bool:
    if isinstance(value, int):
        return value.bit_length() > 63
    return _is_many(value) and not value


def _is_of_the_clock(param) -> bool:
    is_text = isinstance(param, str) and re.match(r"\d{4}-\d\d-\d\d", param)
    return bool(is_text) or isinstance(param, date)
