"""A check is a draft until somebody else publishes it, and never public without its figures."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from measures import protection, revisions, workflow
from measures.access import REVIEWER, STEWARD
from measures.models import Version
from measures.tests.factories import (
    as_reviewed,
    change,
    make_staff,
    order,
    publish,
    submit_changes,
)
from measures.workflow import TransitionError

from ..models import Check, CheckTerm
from ..rules.checks import NEEDED, CheckKind, Role
from .factories import make_check, make_indicator, make_money, make_term, make_unit

pytestmark = [pytest.mark.django_db, pytest.mark.english]


def percentage(**fields):
    return make_indicator(unit=make_unit(name="%", name_en="%", quantity="percentage"), **fields)


def new_check(*terms, kind=CheckKind.PART) -> list[dict]:
    """The entry that makes a check of these (role, indicator)."""
    check = Check(code="new", name="新勾稽", name_en="New", kind=kind, order=order())
    told = sorted([str(role), indicator.code, False] for role, indicator in terms)
    return [revisions.creation(check, revisions.says(check) | {"terms": told})]


def refused(statement, *values) -> str:
    refuses = pytest.raises(DatabaseError)
    with refuses as error, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)
    return str(error.value)


def complete(kind=CheckKind.PART) -> Check:
    check = make_check(kind=kind)
    for role in NEEDED[kind]:
        figure = percentage() if role == Role.RATE else make_indicator()
        make_term(check_of=check, role=role, indicator=figure)
    return check


def test_a_check_is_a_draft_until_somebody_else_publishes_it():
    steward = make_staff(STEWARD, REVIEWER)
    entries = new_check((Role.PART, make_indicator()), (Role.WHOLE, make_indicator()))
    revision = submit_changes(entries, steward=steward)
    assert not Check.objects.exists()
    with pytest.raises(PermissionDenied):
        workflow.publish(revision, by=steward)
    assert not Check.objects.exists()

    workflow.publish(revision, by=make_staff(REVIEWER))
    assert [check.code for check in Check.objects.published()] == ["new"]


@pytest.mark.parametrize("kind", CheckKind)
def test_a_change_that_leaves_a_check_without_a_figure_is_refused_with_a_sentence(kind):
    check = complete(kind)
    terms = revisions.told(check, "terms")
    check.clean_part(terms)
    for role in NEEDED[kind]:
        left = [term for term in terms if term[0] != role]
        with pytest.raises(TransitionError, match=f"lacks a figure: {Role(role).label}"):
            submit_changes(change(check, terms=left), steward=make_staff(STEWARD))


@pytest.mark.parametrize("kind", CheckKind)
def test_the_database_ends_no_change_that_leaves_a_check_without_a_figure(kind):
    check = complete(kind)
    with as_reviewed():
        Check.objects.filter(pk=check.pk).update(name="新名称")
    for role in NEEDED[kind]:
        with pytest.raises(DatabaseError, match="all the figures"), as_reviewed():
            check.terms.filter(role=role).delete()
    with pytest.raises(DatabaseError, match="all the figures"), as_reviewed():
        make_check(kind=kind)


def test_another_relation_asks_for_other_figures():
    check = complete()
    with pytest.raises(TransitionError, match="lacks a figure: now"):
        submit_changes(change(check, kind=CheckKind.SAME.value), steward=make_staff(STEWARD))
    with pytest.raises(DatabaseError, match="all the figures"), as_reviewed():
        Check.objects.filter(pk=check.pk).update(kind=CheckKind.SAME)


def test_units_that_do_not_compare_are_named():
    money = make_money()
    loans, firms = make_indicator(unit=money["亿元"], name_en="Loans"), make_indicator()
    whole = make_indicator(unit=money["万元"])
    steward = make_staff(STEWARD)
    with pytest.raises(TransitionError, match="is counted in .* does not compare with"):
        submit_changes(new_check((Role.PART, loans), (Role.WHOLE, firms)), steward=steward)
    share = [(Role.PART, loans), (Role.WHOLE, whole)]
    with pytest.raises(TransitionError, match="a stated rate is a percentage"):
        submit_changes(
            new_check(*share, (Role.RATE, firms), kind=CheckKind.SHARE), steward=make_staff(STEWARD)
        )
    # Multiples of one unit compare, and the percentage is the rate's alone.
    publish(new_check(*share, (Role.RATE, percentage()), kind=CheckKind.SHARE))
    with pytest.raises(ValidationError, match="does not compare"):
        Check.objects.get().clean_part(
            [["part", whole.code, False], ["whole", percentage().code, False]]
        )


def test_the_database_puts_no_unlike_figures_into_one_check():
    money, check = make_money(), complete(CheckKind.SHARE)
    loans = make_indicator(unit=money["亿元"])
    part = check.terms.get(role=Role.PART)
    with pytest.raises(DatabaseError, match="one quantity"), as_reviewed():
        make_term(check_of=check, role=Role.PART, indicator=loans)
    with pytest.raises(DatabaseError, match="one quantity"), as_reviewed():
        CheckTerm.objects.filter(pk=part.pk).update(indicator=loans)
    with pytest.raises(DatabaseError, match="one quantity"), as_reviewed():
        CheckTerm.objects.filter(role=Role.RATE).update(indicator=loans)
    with as_reviewed():
        CheckTerm.objects.filter(pk=part.pk).update(indicator=make_indicator())


def test_the_unit_of_a_compared_figure_stays_of_its_quantity():
    money = make_money()
    figure = make_indicator(unit=money["亿元"], published_on=None)
    make_term(indicator=figure)
    figure.unit = make_unit()
    with pytest.raises(ValidationError, match="A check compares it"):
        figure.clean()
    table = figure._meta.db_table
    message = refused(f"UPDATE {table} SET unit_id = %s WHERE id = %s", figure.unit_id, figure.pk)
    assert "one quantity" in message
    figure.unit = money["万元"]
    figure.save()
    with pytest.raises(DatabaseError, match="one quantity"), as_reviewed():
        type(money["元"]).objects.filter(pk=money["万元"].pk).update(quantity="area")


def test_a_check_that_comes_later_comes_by_review_alone():
    part, whole = make_indicator(), make_indicator()
    # The database's first row is two days old.
    protection.remove(connection)
    Version.objects.update(made_at=timezone.now() - timedelta(days=2))
    protection.install(connection)
    with pytest.raises(DatabaseError, match="reviewed change"), transaction.atomic():
        make_check()
    publish(new_check((Role.PART, part), (Role.WHOLE, whole)))
    assert Check.objects.published().exists()


def test_a_check_without_figures_is_not_public():
    check = make_check()
    assert not Check.objects.published().exists()
    make_term(check_of=check)
    assert Check.objects.published().exists()
