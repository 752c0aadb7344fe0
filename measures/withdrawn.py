"""What was withdrawn 撤回: conditions and columns for the queries of everything public.

A ``Withdrawal`` names its subject by kind and permanent code, so that one table serves values,
periods without a figure, targets, notes, states, indicators, measures and checks, and a query pays
one condition for it.
"""

from datetime import datetime

from django.apps import apps
from django.db.models import DateTimeField, Expression, Func, Q, TextChoices, TextField, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from .prepared import Slot
from .text import in_chinese


class Subject(TextChoices):
    """The kinds of rows that can be withdrawn, by the names of their models."""

    OBSERVATION = "observation", _("value")
    NOFIGURE = "nofigure", _("period without a figure")
    TARGET = "target", _("target")
    PROGRESSNOTE = "progressnote", _("progress note")
    MEASURESTATE = "measurestate", _("state of a measure")
    INDICATOR = "indicator", _("indicator")
    MEASURE = "measure", _("measure")
    CHECK = "check", _("check")


def kind_of(model) -> str | None:
    """How a withdrawal names the rows of ``model``; None if they cannot be withdrawn."""
    name = model._meta.model_name
    return name if name in Subject.values else None


def model_of(kind: str):
    """The model whose rows a withdrawal calls ``kind``."""
    return next(model for model in apps.get_models() if model._meta.model_name == kind)


WITHDRAWALS = "measures_withdrawal"
#: What is not published has no moment, says a constraint.
_ROWS = f"FROM {WITHDRAWALS} w WHERE w.subject_type = %s AND w.published_at < %s"


class _Codes(Expression):
    """The codes of all rows of a kind that were withdrawn before ``moment``, to look ``in``.

    This and ``_Column`` are written in SQL, which is the same on both engines: a page asks for
    some twenty of them, each of which is costly to build as a query and to compile.
    """

    output_field = TextField()

    def __init__(self, kind: str, moment: datetime):
        super().__init__()
        self.kind, self.moment = kind, moment

    def as_sql(self, compiler, connection):
        return f"(SELECT w.subject_code {_ROWS})", _row_params(self, connection)


class _Column(Func):
    """``said``, in SQL, of the first or the last withdrawal before ``moment`` that names a row."""

    def __init__(self, code, kind: str, moment: datetime, said: str, order: str, output_field):
        super().__init__(code, output_field=output_field)
        self.kind, self.moment, self.said, self.order = kind, moment, said, order

    def as_sql(self, compiler, connection):
        code, params = compiler.compile(self.source_expressions[0])
        rows = f"{_ROWS} AND w.subject_code = {code}"
        order = f"ORDER BY w.published_at {self.order}, w.id {self.order}"
        return (
            f"(SELECT {self.said} {rows} {order} LIMIT 1)",
            [*_row_params(self, connection), *params],
        )


def _row_params(of: _Codes | _Column, connection) -> list:
    if isinstance(of.moment, Slot):
        return [of.kind, of.moment]
    return [of.kind, DateTimeField().get_db_prep_value(of.moment, connection)]


def is_withdrawn(model, moment: datetime, code: str = "code") -> Q:
    """True of rows that were withdrawn before ``moment``.

    ``code`` is the lookup of the code of a row of ``model``, where the query is of other rows.
    """
    kind = kind_of(model)
    if kind is None:
        return Q(pk__in=[])
    return Q(**{f"{code}__in": _Codes(kind, moment)})


def withdrawal_columns(model, moment: datetime, code: str = "code") -> dict:
    """``withdrawn_at`` and ``withdrawn_because`` (in the reader's language) to annotate rows with.

    Both are None for what was not withdrawn before ``moment``.
    """
    kind = kind_of(model)
    if kind is None:
        return {
            "withdrawn_at": Value(None, DateTimeField()),
            "withdrawn_because": Value(None, TextField()),
        }
    reason = "w.reason"
    if not in_chinese():
        reason = "CASE WHEN w.reason_en = '' THEN w.reason ELSE w.reason_en END"
    return {
        "withdrawn_at": _Column(code, kind, moment, "w.published_at", "ASC", DateTimeField()),
        # A reason that was worded anew replaces the first, the day stays.
        "withdrawn_because": _Column(code, kind, moment, reason, "DESC", TextField()),
    }


def either(first: dict, second: dict) -> dict:
    """Two ``withdrawal_columns`` in one: what the first does not say, the second does."""
    return {name: Coalesce(column, second[name]) for name, column in first.items()}
