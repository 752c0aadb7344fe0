"""From draft to published: who may do what, when, and what the public saw on any day."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone, translation

from .. import workflow
from ..models import ProgressNote, TrailEvent
from ..submission import State, end_of_day
from ..trail import Action
from ..workflow import StaleRow, TransitionError, correct, delete, publish, save, send_back, submit
from .factories import (
    ISSUED,
    make_department,
    make_measure,
    make_note,
    make_round,
    make_unlock,
    make_user,
)

pytestmark = [pytest.mark.django_db, pytest.mark.english]

SHANGHAI = ZoneInfo("Asia/Shanghai")
BEFORE_ISSUE = ISSUED - timedelta(days=1)


@pytest.fixture
def editor():
    return make_user()


@pytest.fixture
def reviewer():
    return make_user()


def note_in(state, **fields):
    """A note in that state, as if it had come there by the steps."""
    more = {
        State.RETURNED: {"return_reason": "缺证据"},
        State.PUBLISHED: {"published_at": timezone.now()},
    }
    return make_note(state=state, **more.get(state, {}), **fields)


STEPS = {
    "submit": submit,
    "publish": publish,
    "return": lambda row, by: send_back(row, by=by, reason="缺证据"),
    "correct": lambda row, by: correct(row, by=by, reason="笔误"),
}
ALLOWED = {
    (State.DRAFT, "submit"): State.SUBMITTED,
    (State.RETURNED, "submit"): State.SUBMITTED,
    (State.SUBMITTED, "publish"): State.PUBLISHED,
    (State.SUBMITTED, "return"): State.RETURNED,
    (State.PUBLISHED, "correct"): State.PUBLISHED,
}
ALL = [(state, step) for state in State for step in STEPS]


@pytest.mark.parametrize(("state", "step"), ALLOWED)
def test_a_step_that_the_state_allows(state, step, reviewer):
    note = note_in(state)
    STEPS[step](note, by=reviewer)
    assert ProgressNote.objects.get(pk=note.pk).state == note.state == ALLOWED[state, step]


@pytest.mark.parametrize(("state", "step"), [pair for pair in ALL if pair not in ALLOWED])
def test_a_step_that_the_state_forbids_changes_nothing(state, step, reviewer):
    note = note_in(state)
    before = ProgressNote.objects.values().get(pk=note.pk)
    with pytest.raises(TransitionError) as error:
        STEPS[step](note, by=reviewer)
    assert str(error.value) == (
        "Only a published row can be corrected."
        if step == "correct"
        else f"This row was changed meanwhile and is now “{state.label}”; look at it again."
    )
    assert list(ProgressNote.objects.values()) == [before]


def test_submitting_notes_the_moment_and_forgets_why_it_was_returned(editor):
    note = note_in(State.RETURNED, entered_by=editor)
    earliest = timezone.now()
    submit(note, by=editor)
    assert earliest <= note.submitted_at <= timezone.now()
    assert note.return_reason == ""


def test_publishing_notes_who_and_when(editor, reviewer):
    note = note_in(State.SUBMITTED, entered_by=editor)
    earliest = timezone.now()
    publish(note, by=reviewer)
    assert (note.entered_by, note.published_by) == (editor, reviewer)
    assert earliest <= note.published_at <= timezone.now()


def test_nobody_publishes_what_they_entered(editor):
    note = note_in(State.SUBMITTED, entered_by=editor)
    with pytest.raises(PermissionDenied, match="Nobody publishes what they entered themselves"):
        publish(note, by=editor)
    note.refresh_from_db()
    assert (note.state, note.published_at) == (State.SUBMITTED, None)


def test_nobody_publishes_their_own_correction(editor, reviewer):
    draft = correct(
        note_in(State.PUBLISHED, entered_by=reviewer), by=editor, reason="笔误", text="改"
    )
    submit(draft, by=editor)
    with pytest.raises(PermissionDenied):
        publish(draft, by=editor)
    publish(draft, by=reviewer)
    assert draft.state == State.PUBLISHED


def test_the_database_too_demands_four_eyes(editor):
    note = note_in(State.SUBMITTED, entered_by=editor)
    to_published = {"state": State.PUBLISHED, "published_at": timezone.now()}
    rows = ProgressNote.objects.filter(pk=note.pk)
    with pytest.raises(IntegrityError, match="progressnote_four_eyes"), transaction.atomic():
        rows.update(published_by=editor, **to_published)
    assert rows.update(published_by=make_user(), **to_published) == 1


@pytest.mark.parametrize("blank", ["", " ", "\n\t\u3000"])
def test_a_return_needs_a_reason(blank, reviewer):
    note = note_in(State.SUBMITTED)
    with pytest.raises(TransitionError, match="Whoever returns a row must say why"):
        send_back(note, by=reviewer, reason=blank)
    note.refresh_from_db()
    assert note.state == State.SUBMITTED


@pytest.mark.parametrize("blank", ["", " ", "\n\t\u3000"])
def test_a_correction_needs_a_reason(blank, reviewer):
    note = note_in(State.PUBLISHED)
    with pytest.raises(TransitionError, match="A correction must say why"):
        correct(note, by=reviewer, reason=blank)
    assert ProgressNote.objects.count() == 1


def test_the_reason_of_a_return_is_kept_without_the_spaces_around_it(reviewer):
    note = note_in(State.SUBMITTED)
    send_back(note, by=reviewer, reason=" 缺证据\n")
    assert note.return_reason == "缺证据"


def test_only_drafts_and_returned_rows_can_be_edited():
    assert {state for state in State if note_in(state).is_editable} == {
        State.DRAFT,
        State.RETURNED,
    }


def test_a_correction_begins_as_a_draft_with_the_words_of_the_old_row(editor, reviewer):
    old = note_in(
        State.PUBLISHED,
        entered_by=reviewer,
        published_by=make_user(),
        text="开园",
        text_en="Opened",
        evidence_url="https://example.org/1",
    )
    draft = correct(old, by=editor, reason=" 日期有误 ", happened_on=date(2023, 6, 1))
    draft.refresh_from_db()
    assert (draft.state, draft.revision, draft.supersedes) == (State.DRAFT, 2, old)
    assert (draft.correction_reason, draft.entered_by) == ("日期有误", editor)
    assert (draft.measure, draft.text, draft.text_en) == (old.measure, "开园", "Opened")
    assert draft.evidence_url == "https://example.org/1"
    assert draft.happened_on == date(2023, 6, 1)
    assert (draft.published_at, draft.published_by, draft.submitted_at) == (None, None, None)
    assert draft.code != old.code
    before = (old.state, old.happened_on)
    old.refresh_from_db()
    assert (old.state, old.happened_on) == before == (State.PUBLISHED, date(2023, 6, 30))


def test_the_trail_says_what_a_correction_changes_and_into_what(editor, reviewer):
    old = note_in(State.PUBLISHED, entered_by=reviewer, published_by=make_user(), text="开园")
    correct(old, by=editor, reason="笔误", text="开工")
    event = TrailEvent.objects.get(action=Action.CORRECTED)
    assert "开园" in event.before and "开工" not in event.before
    assert "开工" in event.after and "开园" not in event.after


def test_a_correction_that_contradicts_the_model_is_not_begun(editor):
    with pytest.raises(ValidationError, match="text"):
        correct(note_in(State.PUBLISHED), by=editor, reason="笔误", text="")
    assert ProgressNote.objects.count() == 1


def test_a_correction_supersedes_from_the_day_on_which_it_is_published():
    old = make_note(published=date(2023, 7, 25), text="一")
    new = make_note(
        published=date(2023, 8, 10),
        text="二",
        supersedes=old,
        revision=2,
        correction_reason="笔误",
    )
    published = ProgressNote.objects.published
    assert list(published(date(2023, 7, 24))) == []
    assert list(published(date(2023, 7, 25))) == [old]
    assert list(published(date(2023, 8, 9))) == [old]
    assert list(published(date(2023, 8, 10))) == [new]
    assert list(published()) == [new]


def test_of_three_revisions_only_the_last_stands():
    first = make_note(published=date(2023, 7, 1))
    second = make_note(
        published=date(2023, 8, 1), supersedes=first, revision=2, correction_reason="笔误"
    )
    third = make_note(
        published=date(2023, 9, 1), supersedes=second, revision=3, correction_reason="笔误"
    )
    days = [date(2023, 7, 15), date(2023, 8, 15), date(2023, 9, 15), None]
    shown = [list(ProgressNote.objects.published(day)) for day in days]
    assert shown == [[first], [second], [third], [third]]


@pytest.mark.parametrize("state", [State.DRAFT, State.SUBMITTED, State.RETURNED])
def test_an_unpublished_correction_supersedes_nothing(state):
    old = make_note(published=ISSUED)
    note_in(state, supersedes=old, revision=2, correction_reason="笔误")
    assert list(ProgressNote.objects.published()) == [old]


def test_a_correction_goes_through_the_same_steps(editor, reviewer):
    old = make_note(published=ISSUED)
    draft = correct(old, by=editor, reason="笔误", text="改正后")
    submit(draft, by=editor)
    assert list(ProgressNote.objects.published()) == [old]
    publish(draft, by=reviewer)
    assert list(ProgressNote.objects.published()) == [draft]
    yesterday = timezone.localdate() - timedelta(days=1)
    assert list(ProgressNote.objects.published(yesterday)) == [old]


@pytest.mark.parametrize("state", State)
def test_a_row_is_corrected_once_only(state, editor):
    old = note_in(State.PUBLISHED)
    note_in(state, supersedes=old, revision=2, correction_reason="笔误")
    with pytest.raises(TransitionError, match="A correction of this row is already under way"):
        correct(old, by=editor, reason="笔误")
    assert old.corrections.count() == 1


def test_a_correction_given_up_leaves_room_for_another(editor):
    old = note_in(State.PUBLISHED)
    correct(old, by=editor, reason="笔误").delete()
    assert correct(old, by=editor, reason="笔误").revision == 2


def test_the_database_too_keeps_corrections_to_one():
    old = note_in(State.PUBLISHED)
    correction = {"supersedes": old, "revision": 2, "correction_reason": "笔误"}
    make_note(**correction)
    with pytest.raises(IntegrityError), transaction.atomic():
        make_note(**correction)


@pytest.mark.parametrize(
    ("step", "meanwhile"),
    [
        ("submit", ["submit"]),
        ("submit", ["submit", "publish"]),
        ("publish", ["return"]),
        ("publish", ["publish"]),
        ("return", ["publish"]),
        ("return", ["return"]),
    ],
)
def test_a_step_that_somebody_else_was_quicker_with_says_so(step, meanwhile, reviewer):
    stale = note_in(State.DRAFT if step == "submit" else State.SUBMITTED)
    quicker = make_user()
    for done in meanwhile:
        STEPS[done](ProgressNote.objects.get(pk=stale.pk), by=quicker)
    before = ProgressNote.objects.values().get(pk=stale.pk)
    with pytest.raises(TransitionError) as error:
        STEPS[step](stale, by=reviewer)
    assert str(error.value) == (
        f"This row was changed meanwhile and is now “{State(before['state']).label}”; "
        "look at it again."
    )
    assert ProgressNote.objects.values().get(pk=stale.pk) == before


def test_nobody_publishes_other_words_than_those_on_their_screen(editor, reviewer):
    on_screen = note_in(State.SUBMITTED, entered_by=editor, text="开园")
    row = ProgressNote.objects.get(pk=on_screen.pk)
    send_back(row, by=make_user(), reason="缺证据")
    row.text = "关园"
    save(row, by=editor, seen=row.version)
    submit(row, by=editor)
    with pytest.raises(TransitionError, match="changed meanwhile and is now “waiting for review”"):
        publish(on_screen, by=reviewer)
    assert not ProgressNote.objects.published().exists()


# Saving and deleting


def test_a_new_row_belongs_to_whoever_saves_it(editor):
    note = ProgressNote(measure=make_measure(), happened_on=ISSUED, text="开园")
    save(note, by=editor)
    note.refresh_from_db()
    assert (note.state, note.version, note.revision) == (State.DRAFT, 1, 1)
    assert (note.entered_by, note.changed_by) == (editor, editor)


@pytest.mark.parametrize("state", [State.DRAFT, State.RETURNED])
def test_a_change_keeps_the_state_and_tells_who_made_it(state, editor):
    author = make_user()
    note = note_in(state, entered_by=author, changed_by=author)
    note.text = "关园"
    save(note, by=editor, seen=1)
    note.refresh_from_db()
    assert (note.text, note.state, note.version) == ("关园", state, 2)
    assert (note.entered_by, note.changed_by) == (author, editor)


@pytest.mark.parametrize("state", [State.SUBMITTED, State.PUBLISHED])
def test_what_is_in_review_or_public_cannot_be_saved(state, editor):
    note = note_in(state, text="开园")
    note.text = "关园"
    with pytest.raises(TransitionError, match=f"is now “{state.label}”"):
        save(note, by=editor, seen=1)
    assert ProgressNote.objects.get().text == "开园"


def test_whoever_saves_second_is_told_what_changed(editor):
    note = note_in(State.DRAFT, text="开园")
    mine, theirs = (ProgressNote.objects.get(pk=note.pk) for _ in range(2))
    theirs.text = "关园"
    save(theirs, by=make_user(username="li"), seen=1)
    mine.happened_on = date(2023, 6, 1)
    with pytest.raises(StaleRow, match="li changed this row") as error:
        save(mine, by=editor, seen=1)
    assert error.value.changes == "date: 2023-06-30\ntext (Chinese): 关园"
    note.refresh_from_db()
    assert (note.text, note.happened_on, note.version) == ("关园", date(2023, 6, 30), 2)


@pytest.mark.parametrize("state", [State.DRAFT, State.RETURNED])
def test_what_was_not_published_can_be_deleted(state, editor):
    delete(note_in(state), by=editor)
    assert not ProgressNote.objects.exists()


@pytest.mark.parametrize("state", [State.SUBMITTED, State.PUBLISHED])
def test_what_is_in_review_or_public_cannot_be_deleted(state, editor):
    with pytest.raises(TransitionError, match=f"is now “{state.label}”"):
        delete(note_in(state), by=editor)
    assert ProgressNote.objects.count() == 1


def test_nobody_publishes_what_they_changed(editor, reviewer):
    note = note_in(State.DRAFT, entered_by=editor, changed_by=editor)
    note.text = "关园"
    save(note, by=reviewer, seen=1)
    submit(note, by=editor)
    with pytest.raises(PermissionDenied):
        publish(note, by=reviewer)
    with pytest.raises(PermissionDenied):
        publish(note, by=editor)
    publish(note, by=make_user())
    assert note.state == State.PUBLISHED


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.update(text="关园"),
        lambda rows: rows.update(state=State.DRAFT, published_at=None),
        lambda rows: rows.delete(),
    ],
)
def test_the_database_too_keeps_published_rows_as_they_are(change):
    note_in(State.PUBLISHED, text="开园")
    rows = ProgressNote.objects.all()
    with pytest.raises(DatabaseError, match="never changed or deleted"), transaction.atomic():
        change(rows)
    assert rows.get().text == "开园"


# Rounds


@pytest.mark.parametrize("step", [lambda note, by: save(note, by=by, seen=1), submit])
def test_a_locked_round_takes_no_entry_without_an_unlock(step, editor):
    office = make_department()
    round_ = make_round(name_en="Third quarter", locked=True)
    note = note_in(State.DRAFT, measure=make_measure(lead=office), round=round_)
    with pytest.raises(TransitionError, match="“Third quarter” takes no entry"):
        step(note, by=editor)
    make_unlock(round=round_, department=make_department())
    with pytest.raises(TransitionError):
        step(note, by=editor)
    make_unlock(round=round_, department=office)
    step(note, by=editor)


def test_a_round_takes_no_entry_before_it_opens(editor):
    tomorrow = timezone.localdate() + timedelta(days=1)
    early = make_round(opens_on=tomorrow, due_on=tomorrow)
    with pytest.raises(TransitionError, match="takes no entry"):
        submit(note_in(State.DRAFT, round=early), by=editor)
    submit(note_in(State.DRAFT, round=make_round()), by=editor)


def test_a_correction_may_come_after_the_round_was_locked(editor):
    draft = correct(
        note_in(State.PUBLISHED, round=make_round(locked=True)),
        by=editor,
        reason="笔误",
        text="改",
    )
    submit(draft, by=editor)
    assert draft.state == State.SUBMITTED


# What was public when


def test_a_day_ends_at_midnight_in_shanghai():
    end = end_of_day(date(2023, 7, 25))
    assert end == datetime(2023, 7, 25, 16, tzinfo=ZoneInfo("UTC"))
    assert end_of_day(date(2023, 12, 31)) == datetime(2024, 1, 1, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("published_at", "first_day"),
    [
        (datetime(2023, 7, 25, 0, 0, tzinfo=SHANGHAI), date(2023, 7, 25)),
        (datetime(2023, 7, 25, 23, 59, 59, 999999, tzinfo=SHANGHAI), date(2023, 7, 25)),
        (datetime(2023, 7, 26, 0, 0, tzinfo=SHANGHAI), date(2023, 7, 26)),
        # Still the 25th in London, already the 26th here.
        (datetime(2023, 7, 25, 20, 0, tzinfo=ZoneInfo("UTC")), date(2023, 7, 26)),
    ],
)
def test_a_row_is_public_from_the_day_in_shanghai_on(published_at, first_day):
    make_note(published=published_at)
    published = ProgressNote.objects.published
    assert not published(first_day - timedelta(days=1)).exists()
    assert published(first_day).exists()


def test_a_correction_at_midnight_leaves_the_old_row_on_the_day_before():
    old = make_note(published=datetime(2023, 7, 25, tzinfo=SHANGHAI))
    new = make_note(
        published=datetime(2023, 8, 1, tzinfo=SHANGHAI),
        supersedes=old,
        revision=2,
        correction_reason="笔误",
    )
    assert list(ProgressNote.objects.published(date(2023, 7, 31))) == [old]
    assert list(ProgressNote.objects.published(date(2023, 8, 1))) == [new]


@pytest.mark.parametrize("as_of", [None, BEFORE_ISSUE, ISSUED, date(9998, 12, 31)])
def test_what_is_not_published_is_never_public(as_of):
    for state in (State.DRAFT, State.SUBMITTED, State.RETURNED):
        note_in(state)
    assert list(ProgressNote.objects.published(as_of)) == []


def test_what_will_be_published_in_the_future_is_not_public_now():
    make_note(published=timezone.now() + timedelta(hours=1))
    assert list(ProgressNote.objects.published()) == []


@pytest.mark.parametrize(
    "step",
    [
        lambda row, by: workflow.save(row, by=by, seen=row.version),
        lambda row, by: workflow.delete(row, by=by),
        lambda row, by: workflow.submit(row, by=by),
    ],
)
def test_a_step_on_a_row_that_was_deleted_meanwhile_says_so(step):
    editor = make_user()
    row = make_note(entered_by=editor, changed_by=editor)
    type(row).objects.get(pk=row.pk).delete()
    with translation.override("en"), pytest.raises(TransitionError, match="deleted meanwhile"):
        step(row, editor)
