"""Published rows and the trail stay what they are, also for raw SQL."""

from datetime import timedelta
from io import StringIO

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from .. import protection
from ..models import ProgressNote, TrailEvent
from ..submission import State, Submission
from ..trail import Action, record
from .factories import ISSUED, make_note

pytestmark = pytest.mark.django_db

NOTES = ProgressNote._meta.db_table
TRAIL = TrailEvent._meta.db_table
#: What ``metrics`` adds: nothing to come is told as actual, no check is without its figures.
OF_NUMBERS = {
    "metrics_observation_no_future_insert", "metrics_observation_no_future_update",
    "metrics_check_reviewed_insert", "metrics_check_complete",
    "metrics_checkterm_unlike_insert", "metrics_checkterm_unlike_update",
    "metrics_indicator_unlike_update", "metrics_unit_unlike_update",
}  # fmt: skip
EMPTY = "TRUNCATE {} CASCADE" if connection.vendor == "postgresql" else "DELETE FROM {}"


def run(statement, *values) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.rowcount


def refused(statement, *values) -> str:
    with pytest.raises(DatabaseError) as error:
        run(statement, *values)
    return str(error.value)


def event_of(days_ago: float) -> TrailEvent:
    at = timezone.now() - timedelta(days=days_ago)
    return TrailEvent.objects.create(actor_name="li", action=Action.ENTERED, at=at)


@pytest.mark.parametrize(
    "statement",
    [
        f"UPDATE {NOTES} SET text = 'forged' WHERE id = %s",
        f"UPDATE {NOTES} SET state = 'draft', published_at = NULL WHERE id = %s",
        f"UPDATE {NOTES} SET published_at = '2020-01-01' WHERE id = %s",
        f"DELETE FROM {NOTES} WHERE id = %s",
    ],
)
def test_a_published_row_is_neither_changed_nor_deleted(statement):
    note = make_note(published=ISSUED)
    assert "correct them by a new row" in refused(statement, note.pk)
    assert ProgressNote.objects.get(pk=note.pk).text == note.text


def test_a_published_row_is_protected_from_the_orm_too():
    note = make_note(published=ISSUED)
    note.text = "forged"
    for write in (
        note.save,
        note.delete,
        lambda: ProgressNote.objects.update(text="forged"),
        lambda: ProgressNote.objects.bulk_update([note], ["text"]),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            write()
    assert ProgressNote.objects.get(pk=note.pk).text == "完成选址。"


@pytest.mark.parametrize("state", [State.DRAFT, State.SUBMITTED])
def test_what_is_not_published_can_be_changed_and_deleted(state):
    note = make_note(state=state)
    assert run(f"UPDATE {NOTES} SET text = 'better' WHERE id = %s", note.pk) == 1
    assert run(f"DELETE FROM {NOTES} WHERE id = %s", note.pk) == 1


def test_a_statement_that_meets_one_published_row_changes_none():
    draft = make_note()
    make_note(published=ISSUED)
    refused(f"UPDATE {NOTES} SET text = 'forged'")
    draft.refresh_from_db()
    assert draft.text == "完成选址。"


@pytest.mark.parametrize("table", [NOTES, TRAIL])
def test_a_table_is_not_emptied(table):
    make_note(published=ISSUED)
    record(Action.ENTERED, actor_name="li")
    refused(EMPTY.format(table))
    assert (ProgressNote.objects.count(), TrailEvent.objects.count()) == (1, 1)


def test_a_published_row_is_not_written_over_by_one_of_the_same_key():
    note, draft = make_note(published=ISSUED), make_note()
    columns = [field.column for field in ProgressNote._meta.concrete_fields]
    others = ", ".join(column for column in columns if column != "id")
    if connection.vendor == "postgresql":
        forgery = (
            f"INSERT INTO {NOTES} SELECT * FROM {NOTES} WHERE id = %s "
            "ON CONFLICT (id) DO UPDATE SET text = 'forged'"
        )
        refused(forgery, note.pk)
    else:
        refused(
            f"INSERT OR REPLACE INTO {NOTES} (id, {others}) SELECT %s, {others} FROM {NOTES} "
            "WHERE id = %s",
            note.pk,
            draft.pk,
        )
        refused(f"UPDATE OR REPLACE {NOTES} SET code = %s WHERE id = %s", note.code, draft.pk)
    assert set(ProgressNote.objects.values_list("pk", "code")) == {
        (note.pk, note.code),
        (draft.pk, draft.code),
    }


def test_every_kind_of_submission_and_the_trail_have_their_triggers():
    submissions = [m._meta.db_table for m in apps.get_models() if issubclass(m, Submission)]
    assert sorted(submissions) == [
        "measures_evaluation", "measures_measurestate", "measures_opinionstage",
        "measures_progressnote", "measures_revision", "measures_withdrawal",
        "metrics_nofigure", "metrics_observation", "metrics_target",
    ]  # fmt: skip
    expected = {trigger.name for trigger in protection.wanted(connection.vendor)}
    assert expected >= {
        f"{table}_protect_{operation}"
        for table in (*submissions, TRAIL)
        for operation in ("update", "delete")
    }
    chained = ("measures_link", "measures_linkform", "measures_checkpoint")
    assert expected >= OF_NUMBERS
    assert expected >= {
        f"{table}_protect_{each}" for table in chained for each in ("update", "delete")
    }
    if connection.vendor == "postgresql":
        emptied = {f"{table}_protect_truncate" for table in (*submissions, TRAIL, *chained)}
        assert emptied <= expected
        question = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O'"
    else:
        question = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    with connection.cursor() as cursor:
        cursor.execute(question)
        assert {name for (name,) in cursor.fetchall()} == expected


def test_an_event_is_never_changed_however_old():
    for event in (event_of(days_ago=0), event_of(days_ago=5000)):
        refused(f"UPDATE {TRAIL} SET actor_name = 'wang' WHERE id = %s", event.pk)
    assert set(TrailEvent.objects.values_list("actor_name", flat=True)) == {"li"}


def test_an_event_is_deleted_only_after_the_months_that_it_is_kept():
    # 24 months are 730 or 731 days.
    assert settings.TRAIL_MONTHS == 24
    young, old = event_of(days_ago=729), event_of(days_ago=732)
    assert "kept" in refused(f"DELETE FROM {TRAIL} WHERE id = %s", young.pk)
    assert run(f"DELETE FROM {TRAIL} WHERE id = %s", old.pk) == 1
    assert list(TrailEvent.objects.all()) == [young]


def purge(*options) -> str:
    out = StringIO()
    call_command("purge_trail", *options, stdout=out)
    return out.getvalue()


def test_purging_deletes_the_old_events_and_says_so_in_the_trail():
    # 24 months of 31 days are 744 days.
    young, old = event_of(days_ago=743), event_of(days_ago=745)
    assert purge("--dry-run").startswith("1 events are older")
    assert set(TrailEvent.objects.all()) == {young, old}
    assert purge().startswith("1 events are older")
    newest, kept = TrailEvent.objects.all()
    assert kept == young
    assert (newest.action, newest.actor_name, newest.actor) == (Action.PURGED, "purge_trail", None)
    assert newest.note.startswith("1 < ")


def test_purging_twice_deletes_and_records_nothing_more():
    event_of(days_ago=745)
    purge()
    purge()
    assert TrailEvent.objects.count() == 1


def test_migrating_puts_the_triggers_back():
    note = make_note(published=ISSUED)
    protection.remove(connection)
    call_command("migrate", verbosity=0)
    refused(f"DELETE FROM {NOTES} WHERE id = %s", note.pk)
