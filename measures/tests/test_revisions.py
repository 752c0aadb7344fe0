"""Reviewed changes: entered by a steward, published by somebody else, applied all or none."""

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from .. import revisions, workflow
from ..access import REVIEWER, STEWARD
from ..models import Measure, Section, TrailEvent, Version
from ..past import past
from ..submission import State, end_of_day
from ..workflow import TransitionError
from .days import yesterday
from .factories import (
    ISSUED,
    change,
    make_department,
    make_measure,
    make_section,
    make_staff,
    make_theme,
    publish,
    reword,
    submit_changes,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def steward():
    return make_staff(STEWARD)


@pytest.fixture
def reviewer():
    return make_staff(REVIEWER)


def test_a_change_waits_for_somebody_else(steward, reviewer):
    measure = make_measure(name="旧名称")
    revision = submit_changes(change(measure, name="新名称"), steward=steward)
    measure.refresh_from_db()
    assert measure.name == "旧名称"
    with pytest.raises(PermissionDenied):
        workflow.publish(revision, by=steward)
    workflow.publish(revision, by=reviewer)
    measure.refresh_from_db()
    assert measure.name == "新名称"
    version = Version.objects.get(revision=revision)
    assert version.valid_from == revision.published_at
    (event,) = TrailEvent.objects.filter(subject_code=measure.code)
    assert (event.actor, event.note) == (reviewer, "机构改革")
    assert ("旧名称" in event.before, "新名称" in event.after) == (True, True)


def test_changes_of_one_steward_come_together_until_they_are_submit_changes(steward):
    first, second = make_measure(), make_measure()
    revisions.collect(change(first, name="甲"), by=steward)
    revision = revisions.collect(change(second, name="乙") + change(first, name="丙"), by=steward)
    assert [(entry["code"], entry["new"]) for entry in revision.changes] == [
        (first.code, "丙"),
        (second.code, "乙"),
    ]
    revision = revisions.collect([entry | {"new": entry["old"]} for entry in revision.changes[:1]],
                                 by=steward)  # fmt: skip
    assert [entry["code"] for entry in revision.changes] == [second.code]


def test_without_a_reason_or_a_change_nobody_is_asked(steward):
    measure = make_measure()
    revision = revisions.collect(change(measure, name="新"), by=steward)
    with pytest.raises(TransitionError):
        workflow.submit(revision, by=steward)
    revision.reason, revision.changes = "为何", []
    workflow.save(revision, by=steward, seen=revision.version)
    with pytest.raises(TransitionError):
        workflow.submit(revision, by=steward)


def test_twenty_measures_change_their_order_by_one_review(steward, reviewer):
    theme = make_theme()
    measures = [make_measure(theme=theme, order=n) for n in range(1, 21)]
    entries = [e for m in measures for e in change(m, order=21 - m.order)]
    revision = publish(entries, steward=steward, reviewer=reviewer)
    assert list(Measure.objects.order_by("order")) == measures[::-1]
    assert Version.objects.filter(revision=revision).count() == 20
    with past(end_of_day(yesterday())):
        assert list(Measure.objects.order_by("order")) == measures


def test_somebody_elses_change_that_came_first_is_not_written_over(steward, reviewer):
    measure, other = make_measure(name="旧"), make_measure(name="别的")
    entries = change(other, name="也新") + change(measure, name="新")
    revision = submit_changes(entries, steward=steward)
    reword(measure, name="更早的修订")
    with pytest.raises(TransitionError, match="更早的修订"):
        workflow.publish(revision, by=reviewer)
    revision.refresh_from_db()
    other.refresh_from_db()
    assert (revision.state, other.name) == (State.SUBMITTED, "别的")
    assert len(revisions.outdated(revision)) == 1


def test_a_constraint_that_does_not_hold_is_told_in_a_sentence(steward, reviewer):
    theme = make_theme()
    first, _second = (make_measure(theme=theme, order=n) for n in (1, 2))
    revision = submit_changes(change(first, order=2), steward=steward)
    with pytest.raises(TransitionError, match=str(first)):
        workflow.publish(revision, by=reviewer)
    first.refresh_from_db()
    assert first.order == 1


def test_a_draft_becomes_public_by_review_not_before_that_day(steward, reviewer):
    draft = make_measure(published_on=None)
    publish(change(draft, published_on="2024-01-01"), steward=steward, reviewer=reviewer)
    draft.refresh_from_db()
    assert draft.published_on == timezone.localdate()
    with past(end_of_day(yesterday())):
        assert not Measure.objects.exists()


def test_what_is_public_is_not_hidden_again_by_review(steward):
    measure = make_measure()
    revision = revisions.collect(change(measure, published_on=None), by=steward)
    revision.reason = "撤下"
    workflow.save(revision, by=steward, seen=revision.version)
    with pytest.raises(TransitionError, match=ISSUED.isoformat()):
        workflow.submit(revision, by=steward)
    measure.refresh_from_db()
    assert measure.published_on == ISSUED


def test_places_leads_and_supporting_departments_change(steward, reviewer):
    measure, theme = make_measure(), make_theme()
    lead, supporting = make_department(), make_department()
    publish(
        change(measure, theme=theme.code, lead=lead.code, lead_confirmed=True,
               supporting=[supporting.code]),
        steward=steward,
        reviewer=reviewer,
    )  # fmt: skip
    measure.refresh_from_db()
    assert (measure.theme, measure.lead, measure.lead_confirmed) == (theme, lead, True)
    assert list(measure.supporting.all()) == [supporting]


def test_a_row_is_made_by_review(steward, reviewer):
    like = make_section()
    values = revisions.says(like) | {"order": 77, "name": "新的部分"}
    made = Section(code="made")
    revision = publish([revisions.creation(made, values)], steward=steward, reviewer=reviewer)
    made = Section.objects.get(code="made")
    assert (made.name, made.order, made.opinion) == ("新的部分", 77, like.opinion)
    assert Version.objects.get(revision=revision).code == "made"
