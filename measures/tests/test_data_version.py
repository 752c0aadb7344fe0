"""What the public sees changes the version, in the transaction of the change; no draft does."""

from datetime import date, timedelta

import pytest
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.utils import timezone

from .. import data_version, workflow
from ..access import REVIEWER
from ..chain import make_checkpoint
from ..models import DataVersion, Round
from .factories import (
    ISSUED,
    change,
    make_department,
    make_evaluation,
    make_measure,
    make_note,
    make_round,
    make_staff,
    make_stage,
    make_state,
    make_superuser,
    make_synonym,
    make_user,
    publish,
)

pytestmark = pytest.mark.django_db


def version() -> int:
    return data_version.current(connection)


def nothing_changed_yet() -> int:
    """The version, as in a transaction of its own: PostgreSQL raises it once in each."""
    DataVersion.objects.all().delete()
    return version()


def other_name():
    publish(change(make_measure(), name="另一个名称"))


CHANGES = {
    "note": lambda: make_note(published=ISSUED),
    "stage": lambda: make_stage(published=ISSUED),
    "evaluation": lambda: make_evaluation(published=ISSUED),
    "state": lambda: make_state(published=ISSUED),
    "measure": make_measure,
    "department": make_department,
    "name": other_name,
    "synonym": make_synonym,
    "round": make_round,
    "checkpoint": make_checkpoint,
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_the_public_sees_changes_the_version(name):
    before = version()

    CHANGES[name]()

    assert version() != before


def test_a_draft_that_is_published_changes_it_and_the_draft_does_not():
    note = make_note(entered_by=make_superuser())
    before = nothing_changed_yet()
    note.text = "仍是草稿"
    note.save()
    make_note(measure=note.measure)
    assert version() == before

    workflow.submit(note, by=note.entered_by)
    assert version() == before
    workflow.publish(note, by=make_staff(REVIEWER))

    assert version() != before


def test_a_round_that_is_locked_or_deleted_changes_it():
    row = make_round()
    for act in (lambda: Round.objects.filter(pk=row.pk).update(locked=True), row.delete):
        before = nothing_changed_yet()
        act()
        assert version() != before


def test_synonyms_that_are_emptied_change_it():
    make_synonym()
    before = nothing_changed_yet()
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE measures_synonym"
            if connection.vendor == "postgresql"
            else "DELETE FROM measures_synonym"
        )

    assert version() != before


def test_people_change_nothing():
    before = version()

    make_user().save()

    assert version() == before


def test_what_is_taken_back_leaves_the_version():
    before = version()
    with transaction.atomic():
        make_note(published=ISSUED)
        transaction.set_rollback(True)

    assert version() == before


def test_one_transaction_is_one_row():
    make_note(published=ISSUED)
    there = DataVersion.objects.count()

    for _each in range(3):
        make_note(published=ISSUED)

    assert DataVersion.objects.count() == there


def test_old_rows_are_taken_together_each_day():
    long_ago = timezone.now() - timedelta(days=900)
    DataVersion.objects.bulk_create(
        DataVersion(made_in=n, began_at=long_ago, token=n) for n in range(data_version.KEPT + 50)
    )
    before = version()

    call_command("checkpoint")

    assert DataVersion.objects.count() <= data_version.KEPT + 1
    assert version() != before


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
@pytest.mark.django_db(transaction=True)
def test_transactions_that_overlap_raise_it_each_and_wait_for_nobody():
    """A counter would make one wait; a newest row would hide who commits later."""
    make_measure()
    other = connections.create_connection("default")
    seen = [version()]
    insert = data_version.triggers([], "postgresql")[0].body[0]
    try:
        with transaction.atomic():
            make_round(period_start=date(2020, 1, 1), period_end=date(2020, 3, 31))
            with other.cursor() as cursor:
                cursor.execute("SET lock_timeout = '2s'")
                cursor.execute(insert)
                cursor.execute(f"SELECT sum(token) FROM {data_version.TABLE}")
                seen.append(int(cursor.fetchone()[0]))
        seen.append(version())
    finally:
        other.close()

    assert len(set(seen)) == 3
