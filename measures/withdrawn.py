"""What was withdrawn 撤回: conditions and columns for the queries of everything public.

A ``Withdrawal`` names its subject by kind and permanent code, so that one table serves values,
targets, notes, states, indicators, measures and checks, and a query pays one condition for it.
"""

from datetime import datetime

from django.apps import apps
from django.db.models import (
    Case,
    DateTimeField,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextChoices,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

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


def withdrawals_of(kind: str, moment: datetime) -> QuerySet:
    """The withdrawals of that kind of row that were public before ``moment``, the first first."""
    rows = apps.get_model("measures", "Withdrawal").objects.published_before(moment)
    return rows.filter(subject_type=kind).order_by("published_at", "pk")


def is_withdrawn(model, moment: datetime, code: str = "code") -> Q:
    """True of rows that were withdrawn before ``moment``.

    ``code`` is the lookup of the code of a row of ``model``, where the query is of other rows.
    """
    kind = kind_of(model)
    if kind is None:
        return Q(pk__in=[])
    codes = withdrawals_of(kind, moment).order_by().values("subject_code")
    return Q(**{f"{code}__in": codes})


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
    rows = withdrawals_of(kind, moment).filter(subject_code=OuterRef(code))
    reason = F("reason")
    if not in_chinese():
        reason = Case(When(reason_en="", then=F("reason")), default=F("reason_en"))
    return {
        "withdrawn_at": Subquery(rows.values("published_at")[:1]),
        # A reason that was worded anew replaces the first, the day stays.
        "withdrawn_because": Subquery(rows.reverse().values(said=reason)[:1]),
    }


def either(first: dict, second: dict) -> dict:
    """Two ``withdrawal_columns`` in one: what the first does not say, the second does."""
    return {name: Coalesce(column, second[name]) for name, column in first.items()}
