"""Offices merge, split and end; what they led before keeps their names."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError

from .. import revisions, workflow
from ..access import ADMINISTRATOR, EDITOR, REVIEWER, STEWARD
from ..models import Department, Measure, Revision, TrailEvent, Version
from ..past import past
from ..reorganisation import move_measures, move_staff
from ..submission import end_of_day
from ..workflow import TransitionError
from .days import today, tomorrow, yesterday
from .factories import (
    as_reviewed,
    change,
    make_department,
    make_measure,
    make_staff,
    make_superuser,
    publish,
    submit_changes,
)

pytestmark = pytest.mark.django_db


def test_all_measures_of_two_offices_go_over_by_one_review():
    old, other, new = (make_department(name=name) for name in ("经委", "商委", "经商委"))
    led = [make_measure(lead=old, lead_confirmed=True) for _ in range(3)]
    made = Measure.objects.get(pk=make_measure(lead=other, published_on=None).pk)
    made.supporting.set([old, new])
    untouched = make_measure(lead=new)
    steward, reviewer = make_staff(STEWARD), make_staff(REVIEWER)

    revision = move_measures([old, other], new, by=steward)
    assert {measure.lead for measure in Measure.objects.filter(pk=led[0].pk)} == {old}
    revision.reason = "机构改革"
    workflow.save(revision, by=steward, seen=revision.version)
    workflow.submit(revision, by=steward)
    workflow.publish(revision, by=reviewer)

    assert set(Measure.objects.filter(lead=new)) == {*led, made, untouched}
    # Whoever leads does not support.
    assert list(made.supporting.all()) == []
    assert Version.objects.filter(revision=revision, subject_type="measures_measure").count() == 3
    with past(end_of_day(yesterday())):
        assert {str(row.lead) for row in Measure.objects.filter(pk__in=[m.pk for m in led])} == {
            str(old)
        }


def test_a_merger_keeps_the_old_name_in_the_past_and_says_who_continues():
    old, new = make_department(name="经委"), make_department(name="经商委")
    measure = make_measure(lead=old)
    publish(
        change(old, ended_on=today().isoformat(), succeeded_by=[new.code], name="经委（已并入）")
        + change(measure, lead=new.code)
    )

    old = Department.objects.get(pk=old.pk)
    assert (old.has_ended, list(old.succeeded_by.all())) == (True, [new])
    assert list(new.continues.all()) == [old]
    with past(end_of_day(yesterday())):
        before = Measure.objects.get(pk=measure.pk).lead
        assert (before.name, before.ended_on) == ("经委", None)
        assert list(before.succeeded_by.all()) == []


def test_an_ended_office_is_not_offered_and_begins_to_lead_nothing():
    ended = make_department(ended_on=today())
    ends_later = make_department(ended_on=tomorrow())
    stands = make_department()
    assert set(Department.objects.standing()) >= {ends_later, stands}
    assert ended not in Department.objects.standing()

    measure = make_measure()
    with pytest.raises(ValidationError):
        move_measures([stands], ended, by=make_staff(STEWARD))
    revision = submit_changes(change(measure, lead=ended.code), steward=make_staff(STEWARD))
    with pytest.raises(TransitionError, match="撤销|ended"):
        workflow.publish(revision, by=make_staff(REVIEWER))
    # What it leads already can be worded anew.
    led = make_measure(lead=ended)
    publish(change(led, name="新名称"))


def test_without_measures_there_is_nothing_to_move():
    with pytest.raises(ValidationError):
        move_measures([make_department()], make_department(), by=make_staff(STEWARD))


def test_staff_go_over_in_one_step_and_the_trail_says_so():
    old, other, new = (make_department() for _ in range(3))
    first = make_staff(EDITOR, departments=[old, other])
    second = make_staff(EDITOR, departments=[other])
    stays = make_staff(EDITOR, departments=[new])
    administrator = make_staff(ADMINISTRATOR)

    assert move_staff([old, other], new, by=administrator) == 2

    assert set(new.members.all()) == {first, second, stays}
    assert not old.members.exists() and not other.members.exists()
    events = TrailEvent.objects.filter(actor=administrator, action="permissions-changed")
    assert {event.subject_code for event in events} == {old.code, other.code, new.code}


def test_nobody_moves_themselves_but_a_superuser():
    old, new = make_department(), make_department()
    administrator, root = make_staff(ADMINISTRATOR, departments=[old]), make_superuser()
    with pytest.raises(PermissionDenied):
        move_staff([old], new, by=administrator)
    assert list(old.members.all()) == [administrator]
    root.departments.set([old])
    assert move_staff([old], new, by=root) == 2


def test_a_split_names_several_offices():
    old, first, second = (make_department() for _ in range(3))
    ended = {"ended_on": today().isoformat()}
    publish(change(old, **ended, succeeded_by=sorted([first.code, second.code])))
    assert set(Department.objects.get(pk=old.pk).succeeded_by.all()) == {first, second}
    assert revisions.told(old, "succeeded_by") == sorted([first.code, second.code])


def test_only_an_office_that_has_ended_is_continued_by_others():
    old, new = make_department(), make_department()
    steward, sentence = make_staff(STEWARD), "在哪一天|on which day"
    continued, ended = {"succeeded_by": [new.code]}, {"ended_on": today().isoformat()}
    with pytest.raises(TransitionError, match=sentence):
        submit_changes(change(old, **continued), steward=steward)
    submit_changes(change(old, **ended), steward=steward)
    revision = Revision.objects.get(entered_by=steward)
    workflow.publish(revision, by=make_staff(REVIEWER))

    # Both at once, and both taken back at once; never the day alone.
    old = Department.objects.get(pk=old.pk)
    assert old.has_ended
    with pytest.raises(TransitionError, match=sentence):
        submit_changes(change(old, ended_on=None), steward=make_staff(STEWARD))
    publish(change(old, ended_on=None, succeeded_by=[]))
    assert not Department.objects.get(pk=old.pk).succeeded_by.exists()


@pytest.mark.parametrize("operation", ["insert", "update", "stand again"])
def test_the_database_too_knows_no_successor_of_an_office_that_stands(operation):
    stands, ended, new = make_department(), make_department(ended_on=today()), make_department()
    ended.succeeded_by.add(new)
    Successor = Department.succeeded_by.through
    with pytest.raises(IntegrityError, match="others continue"), as_reviewed():
        if operation == "insert":
            stands.succeeded_by.add(new)
        elif operation == "update":
            Successor.objects.update(from_department=stands)
        else:
            Department.objects.filter(pk=ended.pk).update(ended_on=None)
