"""Which rows somebody may see, change, publish and correct."""

import pytest
from django.contrib.auth.models import Group

from .. import access
from ..access import (
    ADMINISTRATOR,
    AUDITOR,
    COMMITTEE,
    EDITOR,
    REVIEWER,
    ROLES,
    STEWARD,
    correctable,
    editable,
    may,
    permissions_of,
    publishable,
    reporting_departments,
    visible,
)
from ..models import Department, Measure, ProgressNote, Theme
from ..submission import State
from .factories import (
    ISSUED,
    make_department,
    make_measure,
    make_note,
    make_staff,
    make_superuser,
    make_theme,
    make_user,
)

pytestmark = pytest.mark.django_db

ALL = ProgressNote.objects.all


@pytest.fixture
def office():
    return make_department()


@pytest.fixture
def own(office):
    """A measure that the office leads."""
    return make_measure(lead=office)


@pytest.fixture
def foreign():
    return make_measure(lead=make_department())


def notes_in_every_state(measure, **fields):
    more = {State.RETURNED: {"return_reason": "缺证据"}, State.PUBLISHED: {"published": ISSUED}}
    return {
        state: make_note(**{"measure": measure, "state": state, **more.get(state, {}), **fields})
        for state in State
    }


def test_every_role_is_a_group_with_exactly_its_permissions():
    for name in ROLES:
        group = Group.objects.get(name=name)
        labels = group.permissions.values_list("content_type__app_label", "codename")
        assert {f"{app}.{codename}" for app, codename in labels} == permissions_of(name)


def test_entering_and_publishing_are_different_roles():
    entering = {"measures.add_progressnote", "metrics.add_observation", "metrics.add_target"}
    publishing = {"measures.publish_progressnote", "metrics.publish_observation"}
    assert [name for name in ROLES if permissions_of(name) & entering] == [EDITOR, STEWARD]
    assert [name for name in ROLES if permissions_of(name) & publishing] == [REVIEWER]


def test_an_auditor_changes_nothing_and_an_administrator_sees_no_figures():
    assert all(
        ".view_" in name or name.endswith(".see_every_department")
        for name in permissions_of(AUDITOR)
    )
    assert not [name for name in permissions_of(ADMINISTRATOR) if name.startswith("metrics.")]


@pytest.mark.parametrize(
    ("role", "seen"),
    [
        (EDITOR, "own"),
        (REVIEWER, "own and foreign"),
        (STEWARD, "own and foreign"),
        (AUDITOR, "own and foreign"),
        (ADMINISTRATOR, "own"),
    ],
)
def test_an_editor_sees_the_own_department_and_the_others_see_all(role, seen, office, own, foreign):
    user = make_staff(role, departments=[office])
    notes = {make_note(measure=own), make_note(measure=foreign)}
    measures = {own, foreign}
    if seen == "own":
        notes, measures = {note for note in notes if note.measure == own}, {own}
    assert set(visible(user, ALL())) == notes
    assert set(visible(user, Measure.objects.all())) == measures


def test_a_measure_without_a_lead_belongs_to_no_department(office):
    make_note(measure=make_measure(lead=None))
    assert not visible(make_staff(EDITOR, departments=[office]), ALL()).exists()
    assert visible(make_superuser(), ALL()).exists()


def test_what_belongs_to_no_measure_is_visible_to_all():
    theme = make_theme()
    assert list(visible(make_staff(EDITOR), Theme.objects.all())) == [theme]


def test_of_several_departments_each_row_is_seen_once(office):
    second = make_department()
    notes = [make_note(measure=make_measure(lead=lead)) for lead in (office, second)]
    user = make_staff(EDITOR, departments=[office, second])
    make_department().members.add(user)
    assert sorted(note.pk for note in visible(user, ALL())) == [note.pk for note in notes]


def test_an_editor_changes_drafts_and_returned_rows_of_the_own_department(office, own, foreign):
    notes = notes_in_every_state(own)
    notes_in_every_state(foreign)
    user = make_staff(EDITOR, departments=[office])
    assert set(editable(user, ALL())) == {notes[State.DRAFT], notes[State.RETURNED]}


def test_an_editor_corrects_published_rows_of_the_own_department(office, own, foreign):
    notes = notes_in_every_state(own)
    notes_in_every_state(foreign)
    user = make_staff(EDITOR, departments=[office])
    assert list(correctable(user, ALL())) == [notes[State.PUBLISHED]]


def test_what_is_being_corrected_is_not_corrected_again(office, own):
    old = make_note(measure=own, published=ISSUED)
    make_note(measure=own, supersedes=old, revision=2, correction_reason="笔误")
    assert not correctable(make_staff(EDITOR, departments=[office]), ALL()).exists()


def test_a_reviewer_publishes_what_others_submitted_and_changed():
    user, other = make_staff(REVIEWER), make_user()
    submitted = {"state": State.SUBMITTED}
    others = make_note(entered_by=other, changed_by=other, **submitted)
    imported = make_note(**submitted)
    make_note(entered_by=user, changed_by=other, **submitted)
    make_note(entered_by=other, changed_by=user, **submitted)
    make_note(entered_by=other)
    make_note(published=ISSUED)
    make_note(state=State.RETURNED, return_reason="缺证据")
    assert set(publishable(user, ALL())) == {others, imported}


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (EDITOR, {"editable", "correctable"}),
        (REVIEWER, {"publishable"}),
        (STEWARD, set()),
        (AUDITOR, set()),
        (ADMINISTRATOR, set()),
        (None, set()),
    ],
)
def test_what_each_role_may_do_to_notes(role, allowed, office, own):
    notes_in_every_state(own, entered_by=make_user())
    user = make_staff(role, departments=[office])
    choices = ("editable", "publishable", "correctable")
    assert {name for name in choices if getattr(access, name)(user, ALL()).exists()} == allowed


def test_a_superuser_may_do_all_but_publish_the_own_rows(own):
    boss = make_superuser()
    notes = notes_in_every_state(own, entered_by=boss)
    assert set(editable(boss, ALL())) == {notes[State.DRAFT], notes[State.RETURNED]}
    assert list(correctable(boss, ALL())) == [notes[State.PUBLISHED]]
    assert not publishable(boss, ALL()).exists()
    assert list(publishable(make_superuser(), ALL())) == [notes[State.SUBMITTED]]


def test_somebody_who_left_may_do_nothing(office, own):
    notes_in_every_state(own)
    gone = make_staff(EDITOR, REVIEWER, departments=[office], is_active=False)
    for choose in (editable, publishable, correctable):
        assert not choose(gone, ALL()).exists()


def test_a_single_row_is_judged_like_a_list(office, own, foreign):
    user = make_staff(EDITOR, departments=[office])
    assert may(user, editable, make_note(measure=own))
    assert not may(user, editable, make_note(measure=foreign))
    assert not may(user, correctable, make_note(measure=own))


def test_the_departments_that_somebody_reports_for(office):
    other = make_department()
    departments = Department.objects.all()
    assert list(reporting_departments(make_staff(EDITOR, departments=[office]), departments)) == [
        office
    ]
    assert not reporting_departments(make_staff(AUDITOR, departments=[office]), departments)
    assert set(reporting_departments(make_superuser(), departments)) == {office, other}


@pytest.mark.parametrize(
    ("role", "departments_led"),
    [
        (EDITOR, {"own"}),
        (STEWARD, {"own", "foreign", "nobody's"}),
        (REVIEWER, set()),
        (AUDITOR, set()),
        (ADMINISTRATOR, set()),
        (COMMITTEE, set()),
    ],
)
def test_a_report_is_taken_over_by_stewards_and_by_editors_for_their_own(
    role, departments_led, office, own, foreign
):
    user = make_staff(role, departments=[office])
    rows = {"own": own, "foreign": foreign, "nobody's": make_measure()}

    found = set(access.taken_over(user, Measure.objects.all()))

    assert found == {rows[whose] for whose in departments_led}
    assert access.takes_over_reports(user) == bool(departments_led)
