"""What numbers hang on is kept as versions too, and changes by review."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from measures import versions
from measures.models import Measure, Version
from measures.past import past
from measures.submission import end_of_day
from measures.tests.days import yesterday
from measures.tests.factories import (
    ISSUED,
    as_reviewed,
    change,
    make_department,
    make_measure,
    make_report,
    publish,
)

from ..models import Check, CheckTerm, Indicator, Unit
from ..rules.checks import Role
from .factories import make_check, make_indicator, make_money, make_plan, make_term

pytestmark = pytest.mark.django_db


MAY = date(2024, 5, 1)


def refused(statement, *values) -> str:
    with (
        pytest.raises(DatabaseError) as error,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement, values)
    return str(error.value)


def versions_of(row) -> list[Version]:
    return list(Version.objects.filter(subject_type=row._meta.db_table, subject_pk=row.pk))


def on(day: date):
    """As it stood at the end of ``day``."""
    return past(end_of_day(day))


def kept_rows() -> dict:
    """A public row of every kept table."""
    measure = make_measure(lead=make_department(ended_on=ISSUED))
    measure.supporting.add(make_department())
    measure.lead.succeeded_by.add(make_department())
    make_plan()
    make_term(indicator=make_indicator(measure=measure))
    tables = [kept.model for kept in versions.kept_tables()]
    make_report()
    return {model: model._base_manager.first() for model in tables}


def test_no_public_row_of_any_table_is_changed_or_deleted_by_raw_sql():
    for model, row in kept_rows().items():
        table = model._meta.db_table
        column = "name" if hasattr(row, "name") else "id"
        value = "'forged'" if column == "name" else "id + 1000"
        assert versions_of(row), table
        refused(f"UPDATE {table} SET {column} = {value} WHERE id = %s", row.pk)
        assert "public" in (message := refused(f"DELETE FROM {table} WHERE id = %s", row.pk)), (
            message
        )
        if connection.vendor == "postgresql":
            refused(f"TRUNCATE {table} CASCADE")


def test_supporting_departments_and_terms_of_checks_are_read_as_they_stood():
    measure, first, second = make_measure(), make_department(), make_department()
    measure.supporting.add(first)
    check = make_check()
    whole, part = (make_term(check_of=check, role=role) for role in (Role.WHOLE, Role.PART))
    gone = part.pk
    with as_reviewed(MAY):
        measure.supporting.set([second])
        part.delete()
        new = make_term(check_of=check, role=Role.PART)
    with on(date(2024, 4, 30)):
        assert list(Measure.objects.get(pk=measure.pk).supporting.all()) == [first]
        assert {term.pk for term in Check.objects.get().terms.all()} == {whole.pk, gone}
    with on(MAY):
        assert list(Measure.objects.filter(supporting=second)) == [measure]
        assert set(CheckTerm.objects.all()) == {whole, new}


def test_values_come_back_with_their_types():
    units = make_money()
    indicator = make_indicator(unit=units["万元"], is_key=True)
    with on(MAY):
        then = Indicator.objects.select_related("unit__base", "measure").get()
        assert then.is_key is True
        assert then.published_on == ISSUED
        assert then.unit.factor == Decimal(10_000)
        assert type(then.unit.factor) is Decimal
        assert then.basis_id is None
        assert list(Unit.objects.filter(factor__gt=Decimal("9999.5")).order_by("factor")) == [
            units["万元"], units["亿元"]
        ]  # fmt: skip
        assert Indicator.objects.filter(is_key=True, published_on__lte=ISSUED).exists()
        assert not Indicator.objects.filter(published_on__gt=ISSUED).exists()
        for model in {kept.model for kept in versions.kept_tables()}:
            rows = list(model._base_manager.order_by("pk"))
            with past(None):
                assert rows == list(model._base_manager.order_by("pk"))
                stored = {row.pk: row.__dict__ for row in model._base_manager.all()}
            for row in rows:
                assert {k: v for k, v in row.__dict__.items() if k != "_state"} == {
                    k: v for k, v in stored[row.pk].items() if k != "_state"
                }
    assert indicator.unit.factor == 10_000


def test_the_terms_of_a_check_change_by_review():
    check, indicator = make_check(), make_indicator()
    whole, old = (make_term(check_of=check, role=role) for role in (Role.WHOLE, Role.PART))
    terms = [
        [Role.PART.value, indicator.code, False],
        [Role.WHOLE.value, whole.indicator.code, False],
    ]
    publish(change(check, terms=terms))
    assert [term.indicator for term in check.terms.filter(role=Role.PART)] == [indicator]
    with past(end_of_day(yesterday())):
        parts = CheckTerm.objects.filter(role=Role.PART)
        assert [term.indicator_id for term in parts] == [old.indicator_id]
        assert Check.objects.get() == check
