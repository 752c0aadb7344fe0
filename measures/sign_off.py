"""The optional second level: rows of some departments wait for their head before the reviewer.

It holds for what departments report (``access.ENTRY``) on measures of a department that has a
``SignOffRule``. A trigger keeps it, too, so that no door publishes past it.
"""

from collections.abc import Collection

from django.apps import apps
from django.db import models
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext

from . import access
from .publication import BECOMES
from .submission import State
from .triggers import Trigger
from .versions import Sql, first_day_over

MESSAGE = "the head of the department has not signed it off"
RULES, SIGN_OFFS = "measures_signoffrule", "measures_signoff"


def kinds() -> list[type[models.Model]]:
    """The kinds of rows that a head signs off."""
    return [row for row in apps.get_models() if getattr(row, "role_rights", None) is access.ENTRY]


def signed_off(queryset: QuerySet, **by) -> Exists:
    """Whether a row of ``queryset`` is signed off as it is now, ``by`` somebody if given."""
    return Exists(
        apps.get_model("measures", "SignOff").objects.filter(
            subject_type=queryset.model._meta.label_lower,
            subject_code=OuterRef("code"),
            version=OuterRef("version"),
            **by,
        )
    )


def waiting(queryset: QuerySet) -> QuerySet:
    """Those of the submitted rows ``queryset`` that wait for the head of their department."""
    model = queryset.model
    if model not in kinds():
        return queryset.none()
    return queryset.filter(
        ~signed_off(queryset), **{f"{model.measure_path}__lead__sign_off_rule__isnull": False}
    )


def without_waiting(queryset: QuerySet) -> QuerySet:
    """``queryset`` without what waits for the head of its department."""
    if queryset.model not in kinds():
        return queryset
    waits = waiting(queryset.model._base_manager.all()).filter(pk=OuterRef("pk"))
    return queryset.exclude(Exists(waits))


def with_waiting(queryset: QuerySet) -> QuerySet:
    """With ``waits_for_head``, in the same query: whether it is submitted and not signed off."""
    if queryset.model not in kinds():
        return queryset
    rows = waiting(queryset.model._base_manager.filter(state=State.SUBMITTED))
    return queryset.annotate(waits_for_head=Exists(rows.filter(pk=OuterRef("pk"))))


def state_text(row) -> str:
    """The state of ``row`` for staff, and for whom it waits; needs ``with_waiting``."""
    if row.state == State.SUBMITTED and getattr(row, "waits_for_head", False):
        return gettext("waiting for sign-off")
    return row.get_state_display()


def heads_of(rows: Collection) -> dict[int, int]:
    """By the key of each of ``rows``, of one kind, who signed it off as it is now; one query."""
    model = type(next(iter(rows)))
    if model not in kinds():
        return {}
    found = apps.get_model("measures", "SignOff").objects.filter(
        subject_type=model._meta.label_lower, subject_code__in=[row.code for row in rows]
    )
    by_version = {(row.subject_code, row.version): row.by_id for row in found}
    signed = {row.pk: by_version.get((row.code, row.version)) for row in rows}
    return {key: by for key, by in signed.items() if by is not None}


def missing_among(rows: Collection) -> set[int]:
    """The keys of those of ``rows``, of one kind, that wait for a head; one query at the most."""
    model = type(next(iter(rows)))
    waits = waiting(model._base_manager.filter(pk__in=[row.pk for row in rows]))
    return set(waits.order_by().values_list("pk", flat=True))


def is_missing(row) -> bool:
    """Whether ``row`` still waits for the head of its department."""
    return bool(missing_among([row]))


def triggers(vendor: str) -> list[Trigger]:
    """Nothing becomes public before its sign-off; ``protection`` installs them.

    Nor does a row that comes in as public, after the first day of the database.
    """
    found = []
    for model in kinds():
        table = model._meta.db_table
        is_asked = (
            f"EXISTS (SELECT 1 FROM {RULES} r JOIN measures_measure m "
            f"ON m.lead_id = r.department_id WHERE m.id = {_measure(model)})"
        )
        is_signed = (
            f"EXISTS (SELECT 1 FROM {SIGN_OFFS} s "
            f"WHERE s.subject_type = '{model._meta.label_lower}' "
            "AND s.subject_code = OLD.code AND s.version = OLD.version)"
        )
        for operation, condition in (
            ("UPDATE", f"{is_asked} AND NOT {is_signed}"),
            ("INSERT", f"{is_asked} AND {first_day_over(Sql(vendor))}"),
        ):
            found.append(
                Trigger(
                    f"{table}_signed_off_{operation.lower()}", table, "BEFORE", operation,
                    condition, MESSAGE, first=BECOMES[operation],
                )
            )  # fmt: skip
    return found


def _measure(model) -> str:
    """The SQL of the measure's key of a row of ``model``."""
    first, _path, rest = model.measure_path.partition("__")
    field = model._meta.get_field(first)
    if not rest:
        return f"NEW.{field.column}"
    table = field.related_model._meta.db_table
    return f"(SELECT measure_id FROM {table} WHERE id = NEW.{field.column})"
