"""The editors' desk for words; the desks of all models alike are tested in metrics."""

import re
from datetime import date

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from baoshan_portal.tests import runs_once
from baoshan_portal.tests.desk import (
    browser_of,
    desk,
    errors,
    fill_in,
    filled_in,
    messages,
    publish_what_waits,
    take_step,
)
from measures import workflow
from measures.access import EDITOR, REVIEWER, STEWARD
from measures.models import ProgressNote, Revision, Round, TrailEvent, User
from measures.submission import State
from measures.tests.factories import (
    ISSUED,
    make_department,
    make_measure,
    make_note,
    make_opinion,
    make_report,
    make_round,
    make_section,
    make_staff,
    make_superuser,
    make_theme,
    make_user,
)
from measures.workflow import correct
from metrics.tests.factories import (
    make_indicator,
    make_no_figure,
    make_observation,
    make_round_due,
)

pytestmark = [pytest.mark.django_db, pytest.mark.english, runs_once.STEPS, pytest.mark.long]


@pytest.fixture
def admin_user():
    """Whoever is signed in with ``admin_client``."""
    return make_superuser()


@pytest.fixture
def office():
    return make_department()


@pytest.fixture
def editor(office):
    """The browser of an editor of the office."""
    return browser_of(make_staff(EDITOR, departments=[office]))


@pytest.fixture
def reviewer():
    return browser_of(make_staff(REVIEWER))


def test_a_note_from_draft_to_correction(editor, reviewer, office):
    measure = make_measure(lead=office)
    answer = fill_in(
        editor, desk(ProgressNote, "add"), measure=measure.pk, happened_on="2023-06-30", text="开园"
    )
    note = ProgressNote.objects.get()
    assert answer.status_code == 302
    assert (note.state, note.text, note.happened_on) == (State.DRAFT, "开园", date(2023, 6, 30))

    take_step(editor, note, "submit")
    assert take_step(editor, note, "publish").status_code == 403
    assert take_step(reviewer, note, "publish").status_code == 302
    note.refresh_from_db()
    assert note.state == State.PUBLISHED
    assert list(ProgressNote.objects.published()) == [note]

    answer = take_step(editor, note, "correct", reason="日期有误")
    draft = ProgressNote.objects.get(supersedes=note)
    assert answer.url == desk(draft, "change")
    assert (draft.revision, draft.text, draft.correction_reason) == (2, "开园", "日期有误")
    fill_in(editor, desk(draft, "change"), happened_on="2023-06-29")
    take_step(editor, draft, "submit")
    take_step(reviewer, draft, "publish")
    (shown,) = ProgressNote.objects.published()
    assert (shown.revision, shown.happened_on) == (2, date(2023, 6, 29))


def test_a_note_is_returned_with_a_reason_and_mended(editor, reviewer, office):
    note = make_note(measure=make_measure(lead=office), state=State.SUBMITTED)
    unsaid = take_step(reviewer, note, "return", reason=" ")
    assert unsaid.context["form"].errors == {"reason": ["This field is required."]}
    note.refresh_from_db()
    assert note.state == State.SUBMITTED

    take_step(reviewer, note, "return", reason="缺证据")
    note.refresh_from_db()
    assert (note.state, note.return_reason) == (State.RETURNED, "缺证据")
    assert "缺证据" in editor.get(desk(note, "change")).content.decode()

    fill_in(editor, desk(note, "change"), evidence_url="https://example.org/1")
    take_step(editor, note, "submit")
    take_step(reviewer, note, "publish")
    note.refresh_from_db()
    assert (note.state, note.evidence_url) == (State.PUBLISHED, "https://example.org/1")


@pytest.mark.parametrize(
    ("state", "steps"),
    [
        (State.DRAFT, {"submit"}),
        (State.RETURNED, {"submit"}),
        (State.SUBMITTED, {"publish", "return", "recall"}),
        (State.PUBLISHED, {"correct", "withdraw"}),
    ],
)
def test_a_page_offers_exactly_the_steps_that_are_open(state, steps, admin_client):
    published = {"published_at": timezone.now()} if state == State.PUBLISHED else {}
    note = make_note(state=state, return_reason="缺证据", **published)
    page = admin_client.get(desk(note, "change"))
    # What is typed would be lost on the way to another page, so the form itself submits.
    assert ('name="_submit"' in page.content.decode()) is ("submit" in steps)
    assert {step for step, _heading in page.context["steps"]} == steps - {"submit"}
    for step in ("submit", "publish", "return", "recall", "correct", "withdraw"):
        expected = 200 if step in steps else 403
        assert admin_client.get(desk(note, "step", step)).status_code == expected
        linked = step in steps - {"submit"}
        assert (f"../step/{step}/" in page.content.decode()) is linked


@pytest.mark.parametrize("is_new", [True, False])
def test_what_was_typed_is_saved_and_submitted_at_once(is_new, editor, office):
    measure = make_measure(lead=office)
    address = desk(ProgressNote, "add") if is_new else desk(make_note(measure=measure), "change")
    typed = {"measure": measure.pk, "happened_on": "2023-06-30", "text": "关园", "_submit": "1"}

    answer = editor.post(address, filled_in(editor.get(address), **typed), follow=True)

    (note,) = ProgressNote.objects.all()
    assert (note.text, note.state) == ("关园", State.SUBMITTED)
    assert messages(answer)[-1].startswith("Submitted for review: ")


def test_a_correction_that_changes_nothing_is_not_submitted(editor, office):
    public = make_note(measure=make_measure(lead=office), published=ISSUED)
    take_step(editor, public, "correct", reason="笔误")
    draft = ProgressNote.objects.get(supersedes=public)

    answer = editor.post(
        desk(draft, "change"),
        filled_in(editor.get(desk(draft, "change")), _submit="1"),
        follow=True,
    )

    assert "This correction changes nothing yet." in messages(answer)
    draft.refresh_from_db()
    assert draft.state == State.DRAFT


def test_a_returned_row_says_on_top_why(editor, office):
    note = make_note(
        measure=make_measure(lead=office), state=State.RETURNED, return_reason="缺证据"
    )
    assert "Returned: 缺证据" in editor.get(desk(note, "change")).content.decode()


def test_an_unknown_step_and_an_unknown_row_are_refused(admin_client):
    note = make_note()
    assert admin_client.get(desk(note, "step", "erase")).status_code == 403
    note.pk = 0
    assert admin_client.get(desk(note, "step", "submit")).status_code == 404


def test_a_step_from_a_page_that_is_out_of_date_says_so(admin_client):
    note = make_note(state=State.SUBMITTED, version=2)
    answer = admin_client.post(desk(note, "step", "publish"), {"seen": "1"}, follow=True)
    assert messages(answer) == [
        "This row was changed meanwhile and is now “waiting for review”; look at it again."
    ]
    note.refresh_from_db()
    assert note.state == State.SUBMITTED


@pytest.mark.parametrize("state", [State.SUBMITTED, State.PUBLISHED])
def test_what_is_in_review_or_public_is_read_only(state, admin_client):
    published = {"published_at": timezone.now()} if state == State.PUBLISHED else {}
    note = make_note(state=state, text="开园", **published)
    page = admin_client.get(desk(note, "change"))
    assert page.status_code == 200
    assert 'name="_save"' not in page.content.decode()
    assert 'name="text"' not in page.content.decode()
    sent = {"measure": note.measure_id, "happened_on": "2023-06-30", "text": "关园", "seen": "1"}
    assert admin_client.post(desk(note, "change"), sent).status_code == 403
    assert admin_client.get(desk(note, "delete")).status_code == 403
    assert admin_client.post(desk(note, "delete"), {"post": "yes"}).status_code == 403
    assert ProgressNote.objects.get().text == "开园"


@pytest.mark.parametrize("state", [State.DRAFT, State.RETURNED])
def test_what_was_not_published_can_be_deleted(state, admin_client):
    note = make_note(state=state, return_reason="缺证据")
    page = admin_client.get(desk(note, "delete")).content.decode()
    sent = {"post": "yes", "seen": re.search(r'name="seen" value="(\d+)"', page)[1]}
    assert admin_client.post(desk(note, "delete"), sent).status_code == 302
    assert not ProgressNote.objects.exists()


def test_what_somebody_else_changed_meanwhile_is_not_deleted(admin_client):
    note = make_note()
    workflow.save(note, by=make_user(), seen=1)

    answer = admin_client.post(desk(note, "delete"), {"post": "yes", "seen": "1"}, follow=True)

    assert "was changed meanwhile" in messages(answer)[0]
    assert ProgressNote.objects.exists()


def test_rows_cannot_be_deleted_in_bulk(admin_client):
    note = make_note()
    sent = {"action": "delete_selected", "_selected_action": [note.pk], "post": "yes"}
    admin_client.post(desk(ProgressNote, "changelist"), sent)
    assert ProgressNote.objects.exists()
    assert (
        "delete_selected" not in admin_client.get(desk(ProgressNote, "changelist")).content.decode()
    )


def test_several_rows_are_moved_on_at_once(admin_client, admin_user):
    other = make_user()
    rows = [
        make_note(state=State.SUBMITTED, entered_by=other),
        make_note(state=State.SUBMITTED, entered_by=admin_user),
        make_note(state=State.DRAFT),
    ]

    def act(action):
        sent = {"action": action, "_selected_action": [row.pk for row in rows]}
        return messages(admin_client.post(desk(ProgressNote, "changelist"), sent, follow=True))

    assert "1 row was moved on." in act("submit_selected")
    # A list does not show what is published; the review does.
    assert act("publish_selected") == ["No action selected."]
    states = [ProgressNote.objects.get(pk=row.pk).state for row in rows]
    assert states == [State.SUBMITTED, State.SUBMITTED, State.SUBMITTED]


@pytest.mark.parametrize("key", ["abc", "0", "9999"])
def test_a_step_of_a_row_that_does_not_exist_is_not_found(admin_client, key):
    assert (
        admin_client.get(f"/en/admin/measures/progressnote/{key}/step/submit/").status_code == 404
    )


def test_nobody_types_in_the_bookkeeping(admin_client, admin_user):
    sent = {
        "state": "published", "published_at": "2023-07-25", "published_by": make_user().pk,
        "revision": "7", "code": "mine", "entered_by": make_user().pk, "version": "9",
    }  # fmt: skip
    fill_in(
        admin_client,
        desk(ProgressNote, "add"),
        measure=make_measure().pk,
        happened_on="2023-06-30",
        text="开园",
        **sent,
    )
    note = ProgressNote.objects.get()
    assert (note.state, note.published_at, note.published_by) == (State.DRAFT, None, None)
    assert (note.revision, note.version, note.entered_by) == (1, 1, admin_user)
    assert note.code != "mine"


def test_the_reason_of_a_correction_can_be_reworded_but_not_removed(admin_client, admin_user):
    draft = correct(make_note(published=ISSUED), by=admin_user, reason="笔误")
    fill_in(admin_client, desk(draft, "change"), correction_reason="日期有误")
    draft.refresh_from_db()
    assert draft.correction_reason == "日期有误"
    answer = fill_in(admin_client, desk(draft, "change"), correction_reason="")
    assert errors(answer) == {
        "__all__": ["A correction names the row that it supersedes and the reason."]
    }


def test_a_row_that_is_no_correction_has_no_reason_to_type_in(admin_client):
    page = admin_client.get(desk(make_note(), "change"))
    assert "correction_reason" not in page.context["adminform"].form.fields


def test_whoever_saves_second_keeps_what_they_typed(admin_client):
    note = make_note(text="开园")
    mine = filled_in(admin_client.get(desk(note, "change")), text="我的")
    fill_in(admin_client, desk(note, "change"), text="别人的")
    answer = admin_client.post(desk(note, "change"), mine)
    (message,) = errors(answer)["__all__"]
    assert "别人的" in message
    assert "我的" in answer.content.decode()
    assert ProgressNote.objects.get().text == "别人的"
    admin_client.post(desk(note, "change"), filled_in(answer))
    assert ProgressNote.objects.get().text == "我的"


def test_an_editor_sees_and_changes_nothing_of_another_department(editor):
    note = make_note(measure=make_measure(lead=make_department()), text="别家的事")
    for page in ("change", "delete", "history"):
        answer = editor.get(desk(note, page))
        assert answer.status_code in {302, 403}
    assert "别家的事" not in editor.get(desk(ProgressNote, "changelist")).content.decode()
    assert editor.get(desk(note, "step", "submit")).status_code == 404
    answer = fill_in(
        editor,
        desk(ProgressNote, "add"),
        measure=note.measure_id,
        happened_on="2023-06-30",
        text="混入",
    )
    assert "measure" in errors(answer)
    assert ProgressNote.objects.count() == 1


@pytest.mark.parametrize(
    "make",
    [
        make_department,
        make_opinion,
        make_report,
        make_section,
        make_theme,
        make_measure,
        make_round,
    ],
)
def test_a_code_is_set_once_and_never_changed(make, admin_client):
    row = make(code="first")
    assert "code" in admin_client.get(desk(type(row), "add")).context["adminform"].form.fields
    page = admin_client.get(desk(row, "change"))
    assert "code" not in page.context["adminform"].form.fields
    assert "first" in page.content.decode()
    answer = fill_in(admin_client, desk(row, "change"), code="second", name_en="Renamed")
    assert answer.status_code == 302, errors(answer)
    publish_what_waits()
    row.refresh_from_db()
    assert (row.code, row.name_en) == ("first", "Renamed")


def test_what_a_steward_changes_of_a_public_row_waits_for_review():
    steward = browser_of(make_staff(STEWARD))
    measure = make_measure(name="旧名称")
    answer = steward.post(
        desk(measure, "change"), filled_in(steward.get(desk(measure, "change")), name="新名称"),
        follow=True,
    )  # fmt: skip
    revision = Revision.objects.get()
    assert desk(revision, "change") in messages(answer)[0]
    assert [(entry["old"], entry["new"]) for entry in revision.changes] == [("旧名称", "新名称")]
    fill_in(steward, desk(revision, "change"), reason="更准确", taken_out=[])
    measure.refresh_from_db()
    assert measure.name == "旧名称"
    publish_what_waits()
    measure.refresh_from_db()
    assert measure.name == "新名称"


def test_public_since_is_not_emptied_and_not_set_by_one_person(client):
    steward = browser_of(make_staff(STEWARD))
    public, draft = make_measure(), make_measure(published_on=None)
    fill_in(steward, desk(public, "change"), published_on="")
    fill_in(steward, desk(draft, "change"), published_on="2024-01-01", name="改过")
    for row in (public, draft):
        row.refresh_from_db()
    assert (public.published_on, draft.published_on, draft.name) == (ISSUED, None, "改过")
    day = {"as_of": "2024-01-01"}
    assert client.get(public.get_absolute_url(), day).status_code == 200
    assert client.get(draft.get_absolute_url()).status_code == 404


def test_a_line_is_taken_out_of_a_revision(admin_client):
    measure = make_measure()
    fill_in(admin_client, desk(measure, "change"), name="新名称", summary="新概述")
    revision = Revision.objects.get()
    fill_in(admin_client, desk(revision, "change"), taken_out=["0"], reason="更准确")
    revision.refresh_from_db()
    assert [entry["field"] for entry in revision.changes] == ["summary"]


def test_a_second_measure_of_the_same_order_gets_a_sentence(admin_client):
    first = make_measure()
    answer = fill_in(
        admin_client,
        desk(type(first), "add"),
        code="second",
        theme=first.theme_id,
        order=first.order,
        name="措施",
        name_en="Measure",
        summary="概述",
        summary_en="Summary",
    )
    assert errors(answer) == {"__all__": ["This theme has a measure with that order already."]}


def test_an_account_is_made_by_its_page(admin_client):
    address = "/en/admin/measures/user/add/"
    fields = {"usable_password": "true", "password1": "hX7-tulip-9", "password2": "hX7-tulip-9"}
    fields["groups"] = [Group.objects.get(name=STEWARD).pk]
    answer = admin_client.post(address, {"username": "li", **fields})
    user = User.objects.get(username="li")
    assert answer.url == desk(user, "change")
    assert user.check_password("hX7-tulip-9")
    assert (user.is_staff, user.is_superuser, user.must_change_password) == (True, False, True)


def test_locking_a_round_is_recorded():
    steward = browser_of(make_staff(STEWARD))
    row = make_round()
    for action, locked, recorded in [("lock", True, "locked"), ("unlock", False, "unlocked")]:
        sent = {"action": action, "_selected_action": [row.pk]}
        if action == "lock":
            page = steward.post(desk(Round, "changelist"), sent)
            assert str(row) in page.content.decode()
            assert not Round.objects.filter(locked=True).exists()
        steward.post(desk(Round, "changelist"), sent | {"post": "yes"})
        row.refresh_from_db()
        assert row.locked is locked
        assert TrailEvent.objects.filter(subject_code=row.code, action=recorded).count() == 1


@pytest.mark.english
def test_locking_and_unlocking_a_round_say_what_they_did():
    steward, row = browser_of(make_staff(STEWARD)), make_round(name_en="Quarter")
    due = [make_indicator() for _ in range(3)]
    for indicator in due:
        make_round_due(round=row, indicator=indicator)
    make_observation(indicator=due[0], round=row, state=State.SUBMITTED)
    make_no_figure(indicator=due[1], round=row, state=State.SUBMITTED)
    make_observation(indicator=due[2], round=row)
    said = []
    for action in ("lock", "unlock"):
        sent = {"action": action, "_selected_action": [row.pk], "post": "yes"}
        said += messages(steward.post(desk(Round, "changelist"), sent, follow=True))
    assert said == [
        "“Quarter” is locked: of 3 figures due, 2 were handed in; 1 drafts stay where they are and "
        "can no longer be submitted. What was due is fixed; corrections remain possible.",
        "“Quarter” is unlocked and takes entry again; what was due stays fixed.",
    ]


def test_who_supports_a_measure_is_on_the_trail(admin_client):
    measure, office = make_measure(code="park"), make_department(name="园区办")
    fill_in(admin_client, desk(measure, "change"), supporting=[office.pk], order=77)
    measure.refresh_from_db()
    assert measure.order != 77
    publish_what_waits()

    event = TrailEvent.objects.get(subject_code="park")
    assert event.action == "changed"
    assert event.after.splitlines() == ["顺序: 77", "配合单位: 园区办"]


def test_the_dates_of_a_round_are_on_the_trail():
    steward, row = browser_of(make_staff(STEWARD)), make_round(code="q4")
    fill_in(steward, desk(row, "change"), due_on="2099-01-31")

    event = TrailEvent.objects.get(subject_code="q4")
    assert (event.action, event.after) == ("changed", "完成时限: 2099-01-31")
    assert event.before == f"完成时限: {row.due_on}"


def test_the_trail_can_be_read_but_not_written(admin_client):
    make_note()
    event = TrailEvent.objects.create(actor_name="li", action="entered", after="text: 开园")
    assert "li" in admin_client.get(desk(TrailEvent, "changelist")).content.decode()
    page = admin_client.get(desk(event, "change"))
    assert page.status_code == 200
    assert 'name="_save"' not in page.content.decode()
    assert admin_client.post(desk(event, "change"), {"actor_name": "wang"}).status_code == 403
    assert admin_client.get(desk(TrailEvent, "add")).status_code == 403
    assert admin_client.post(desk(event, "delete"), {"post": "yes"}).status_code == 403
    assert TrailEvent.objects.get(pk=event.pk).actor_name == "li"


def test_signing_in_and_failing_to_is_on_the_trail(client):
    user = make_superuser(username="li")
    user.set_password("hX7-tulip-9")
    user.save()
    for password in ("wrong", "hX7-tulip-9"):
        client.post("/en/admin/login/", {"username": "li", "password": password})
    assert list(TrailEvent.objects.order_by("pk").values_list("actor_name", "action")) == [
        ("li", "signed-in"),
        # Told when the window closes.
        ("li", "sign-in-failed"),
    ]
