"""Nothing public is written over and nothing becomes public past the review, by plain SQL."""

import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from measures import chain, protection, publication, workflow
from measures.access import EDITOR, REVIEWER
from measures.models import Opinion, ProgressNote, TrailEvent, Version
from measures.submission import State
from measures.tests.factories import (
    ISSUED,
    make_department,
    make_measure,
    make_note,
    make_opinion,
    make_section,
    make_staff,
)
from measures.trail import Action, record
from metrics.models import Observation
from metrics.tests.factories import make_observation

pytestmark = pytest.mark.long

NOTES, VALUES = ProgressNote._meta.db_table, Observation._meta.db_table
IS_POSTGRESQL = connection.vendor == "postgresql"
NOW = "now()" if IS_POSTGRESQL else "strftime('%Y-%m-%d %H:%M:%f', 'now')"


def columns_of(model, **other) -> tuple[str, str]:
    """The columns of ``model`` and what an INSERT … SELECT of a copy says for them."""
    columns = [field.column for field in model._meta.concrete_fields]
    told = [str(other.get(column, f'"{column}"')) for column in columns]
    return ", ".join(f'"{column}"' for column in columns), ", ".join(told)


# What is written over: SQLite alone.

REPLACED = {
    "a published note, by its key": (
        "INSERT OR REPLACE INTO {t} ({c}) SELECT {v} FROM {t} WHERE state = 'draft'",
        ProgressNote,
        {"id": "(SELECT id FROM {t} WHERE state = 'published')", "code": "'x'"},
    ),
    "a published note, by its code": (
        "REPLACE INTO {t} ({c}) SELECT {v} FROM {t} WHERE state = 'draft'",
        ProgressNote,
        {"id": "9999", "code": "(SELECT code FROM {t} WHERE state = 'published')"},
    ),
    "a published note, by a draft's code": (
        "UPDATE OR REPLACE {t} SET code = (SELECT code FROM {t} WHERE state = 'published') "
        "WHERE state = 'draft'",
        ProgressNote,
        {},
    ),
    "a published note, by a draft's key": (
        "UPDATE OR REPLACE {t} SET id = (SELECT id FROM {t} WHERE state = 'published') "
        "WHERE state = 'draft'",
        ProgressNote,
        {},
    ),
    "a published value, by source and period": (
        "INSERT OR REPLACE INTO {t} ({c}) SELECT {v} FROM {t} WHERE state = 'published'",
        Observation,
        {"id": "9999", "code": "'x'", "value": "6", "state": "'draft'", "published_at": "NULL"},
    ),
    "an event of the trail": (
        "REPLACE INTO {t} ({c}) SELECT {v} FROM {t}", TrailEvent, {"actor_name": "'wang'"}
    ),
    "a version": (
        "REPLACE INTO {t} ({c}) SELECT {v} FROM {t} WHERE subject_type = 'measures_measure'",
        Version,
        {"content": "'{{}}'"},
    ),
    "a version that stands": (
        "REPLACE INTO {t} ({c}) SELECT {v} FROM {t} WHERE subject_type = 'measures_measure'",
        Version,
        {"id": "9999", "content": "'{{}}'"},
    ),
    "the first opinion": (
        "UPDATE OR REPLACE {t} SET number = (SELECT number FROM {t} WHERE is_first = 1) "
        "WHERE is_first = 0",
        Opinion,
        {},
    ),
}  # fmt: skip


@pytest.mark.once("PostgreSQL knows no REPLACE")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attack", REPLACED)
def test_nothing_is_written_over_from_a_plain_connection(attack, tmp_path):
    make_note(published=ISSUED)
    make_note()
    make_observation(published=ISSUED)
    make_opinion()
    make_opinion()
    record(Action.ENTERED, actor_name="li")
    pattern, model, other = REPLACED[attack]
    table = model._meta.db_table
    columns, told = columns_of(model, **other)
    statement = pattern.replace("{c}", columns).replace("{v}", told).replace("{t}", table)
    statement = statement.replace("{{}}", "{}")
    with closing(sqlite3.connect(tmp_path / "plain.sqlite3")) as plain:
        connection.connection.backup(plain)
        assert plain.execute("PRAGMA recursive_triggers").fetchone() == (0,)
        before = plain.execute(f"SELECT * FROM {table}").fetchall()
        with pytest.raises(sqlite3.IntegrityError):
            plain.execute(statement)
        assert plain.execute(f"SELECT * FROM {table}").fetchall() == before
        # Without the triggers it is done: the attack is one.
        for trigger in protection.wanted("sqlite"):
            plain.execute(f"DROP TRIGGER {trigger.name}")
        plain.execute(statement)
        assert plain.execute(f"SELECT * FROM {table}").fetchall() != before


@pytest.mark.django_db
def test_a_taken_key_is_refused_in_the_words_of_the_database():
    section = make_section()
    with pytest.raises(DatabaseError, match="section_order_once|measures_section.order"):
        make_section(opinion=section.opinion, order=section.order)


# What is made public: both engines.


@pytest.fixture
def old_database(db):
    """The first row of the database is two days old, and something was published an hour ago."""
    make_department()
    first = make_note(published=timezone.now() - timedelta(hours=1))
    protection.remove(connection)
    Version.objects.update(made_at=timezone.now() - timedelta(days=2))
    protection.install(connection)
    return first


def published(by="%(reviewer)s", at=NOW, **more) -> str:
    values = {"state": "'published'", "published_by_id": by, "published_at": at, **more}
    return ", ".join(f"{name} = {value}" for name, value in values.items())


AGO = f"{NOW} - interval '2 hours'" if IS_POSTGRESQL else "datetime('now', '-2 hours')"
AHEAD = f"{NOW} + interval '1 day'" if IS_POSTGRESQL else "datetime('now', '+1 day')"
FORGERIES = {
    "without reviewer": f"UPDATE {NOTES} SET {published('NULL')} WHERE id = %(draft)s",
    "without reviewer, submitted": (
        f"UPDATE {NOTES} SET {published('NULL')} WHERE id = %(submitted)s"
    ),
    "by its author": f"UPDATE {NOTES} SET {published('%(editor)s')} WHERE id = %(submitted)s",
    "never submitted": f"UPDATE {NOTES} SET {published()} WHERE id = %(draft)s",
    "backdated": f"UPDATE {NOTES} SET {published(at=AGO)} WHERE id = %(submitted)s",
    "in the future": f"UPDATE {NOTES} SET {published(at=AHEAD)} WHERE id = %(submitted)s",
    "a correction of nothing public": (
        f"UPDATE {NOTES} SET "
        + published(supersedes_id="%(draft)s", revision=2, correction_reason="'x'")
        + " WHERE id = %(submitted)s"
    ),
}
COPIES = {
    "inserted without reviewer": {"published_by_id": "NULL"},
    "inserted by its author": {"published_by_id": "%(editor)s"},
    "inserted backdated": {"published_at": AGO},
    "inserted as a correction without reviewer": {
        "published_by_id": "NULL", "supersedes_id": "%(public)s", "revision": 2,
        "correction_reason": "'x'",
    },
}  # fmt: skip
for name, other in COPIES.items():
    values = {
        "id": "99999", "code": "'forged'", "state": "'published'", "entered_by_id": "%(editor)s",
        "published_by_id": "%(reviewer)s", "published_at": NOW, **other,
    }  # fmt: skip
    columns, told = columns_of(ProgressNote, **values)
    FORGERIES[name] = (
        f"INSERT INTO {NOTES} ({columns}) SELECT {told} FROM {NOTES} WHERE id = %(draft)s"
    )


def people_and_rows(public) -> dict[str, int]:
    department = make_department()
    editor, reviewer = make_staff(EDITOR, departments=[department]), make_staff(REVIEWER)
    measure = public.measure
    draft = make_note(measure=measure, entered_by=editor, changed_by=editor)
    submitted = make_note(
        measure=measure, entered_by=editor, changed_by=editor, state=State.SUBMITTED
    )
    return {
        "editor": editor.pk, "reviewer": reviewer.pk, "draft": draft.pk,
        "submitted": submitted.pk, "public": public.pk,
    }  # fmt: skip


def write(statement: str, keys: dict[str, int]) -> int:
    # Keys are our own numbers; the clock's format of SQLite holds percent signs.
    for name, key in keys.items():
        statement = statement.replace(f"%({name})s", str(key))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.rowcount


@pytest.mark.parametrize("forgery", ["backdated", "inserted backdated"])
def test_nothing_becomes_public_before_the_newest_checkpoint(old_database, forgery):
    """Also where nothing was published since, so that no publication stands in its way."""
    keys = people_and_rows(old_database)
    protection.remove(connection)
    long_ago = timezone.now() - timedelta(days=2)
    ProgressNote.objects.filter(pk=old_database.pk).update(published_at=long_ago)
    protection.install(connection)
    chain.make_checkpoint()
    with pytest.raises(DatabaseError, match=publication.FORGED):
        write(FORGERIES[forgery], keys)


@pytest.mark.parametrize("forgery", FORGERIES)
def test_nothing_becomes_public_past_the_review(old_database, forgery):
    keys = people_and_rows(old_database)
    with pytest.raises(DatabaseError, match=publication.FORGED):
        write(FORGERIES[forgery], keys)
    assert list(ProgressNote.objects.published()) == [old_database]


@pytest.mark.parametrize("field", ["published_by_id", "published_at"])
def test_one_forged_row_among_reviewed_ones_refuses_them_all(old_database, field):
    keys = people_and_rows(old_database)
    other = make_note(
        measure=old_database.measure, state=State.SUBMITTED,
        entered_by_id=keys["editor"], changed_by_id=keys["editor"],
    )  # fmt: skip
    forged = {"published_by_id": "NULL", "published_at": AGO}[field]
    right = {"published_by_id": "%(reviewer)s", "published_at": NOW}
    values = right | {field: f"CASE WHEN id = {other.pk} THEN {forged} ELSE {right[field]} END"}
    told = ", ".join(f"{name} = {value}" for name, value in values.items())
    with pytest.raises(DatabaseError, match=publication.FORGED):
        write(f"UPDATE {NOTES} SET state = 'published', {told} WHERE state = 'submitted'", keys)
    assert list(ProgressNote.objects.published()) == [old_database]


def test_a_reviewed_row_becomes_public(old_database):
    keys = people_and_rows(old_database)
    assert write(f"UPDATE {NOTES} SET {published()} WHERE id = %(submitted)s", keys) == 1


def test_the_workflow_goes_its_way(old_database):
    editor, reviewer = make_staff(EDITOR), make_staff(REVIEWER)
    note = ProgressNote(measure=make_measure(), happened_on=ISSUED, text="完成选址。")
    workflow.save(note, by=editor)
    workflow.submit(note, by=editor)
    workflow.publish(note, by=reviewer)
    draft = workflow.correct(note, by=editor, reason="笔误", text="完成选址和设计。")
    workflow.submit(draft, by=editor)
    workflow.publish(draft, by=reviewer)
    assert draft in ProgressNote.objects.published()


@pytest.mark.django_db
def test_what_a_database_begins_with_needs_no_reviewer():
    assert make_note(published=ISSUED) in ProgressNote.objects.published()
