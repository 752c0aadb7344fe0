"""Who is missing for review is told to whoever can mend it, before anything waits."""

import pytest
from django.utils import timezone

from baoshan_portal.staff.mails import Mail
from baoshan_portal.staff.my_work.reviewers import MissingReviewers
from baoshan_portal.tests.desk import browser_of
from measures.access import ADMINISTRATOR, COMMITTEE, EDITOR, REVIEWER, STEWARD
from measures.models import Evaluation, MeasureState, OpinionStage, ProgressNote
from measures.submission import State
from measures.tests.factories import make_department, make_measure, make_note, make_staff, make_user
from metrics.models import Observation, Target

pytestmark = pytest.mark.django_db

COMMITTEES = {OpinionStage, Evaluation}


@pytest.fixture
def steward():
    return make_staff(STEWARD)


def kinds(missing) -> set:
    return {kind for shortage in missing.shortages for kind in shortage.kinds}


def test_that_there_is_no_reviewer_is_told_before_anything_is_submitted(steward):
    (shortage,) = MissingReviewers.of(steward).shortages
    assert {Observation, ProgressNote, Target, MeasureState} <= set(shortage.kinds)
    assert (shortage.people, shortage.stuck) == ([], [])


def test_one_is_too_few(steward):
    only = make_staff(REVIEWER, first_name="", last_name="王审核")
    (shortage,) = MissingReviewers.of(steward).shortages
    assert shortage.people == [only]
    assert "王审核" in shortage.sentence


def test_two_are_enough_and_nothing_is_said(steward):
    make_staff(REVIEWER)
    make_staff(REVIEWER)
    assert MissingReviewers.of(steward) is None
    assert 'id="work-missing"' not in browser_of(steward).get("/admin/").content.decode()


def test_who_left_or_may_not_sign_in_does_not_count(steward):
    for fields in ({"is_active": False}, {"is_staff": False}):
        user = make_staff(REVIEWER)
        for name, value in fields.items():
            setattr(user, name, value)
        user.save()
    (shortage,) = MissingReviewers.of(steward).shortages
    assert shortage.people == []


def test_a_row_in_which_the_only_two_had_a_hand_is_counted(steward):
    one, other = make_staff(REVIEWER), make_staff(REVIEWER)
    make_note(state=State.SUBMITTED, entered_by=one, changed_by=other)
    make_note(state=State.SUBMITTED, entered_by=one, changed_by=one)
    make_note(state=State.DRAFT, entered_by=one, changed_by=other)
    (shortage,) = MissingReviewers.of(steward).shortages
    assert (shortage.kinds, shortage.people) == ([ProgressNote], [one, other])
    assert [(count.kind, count.n) for count in shortage.stuck] == [(ProgressNote, 1)]
    make_staff(REVIEWER)
    assert MissingReviewers.of(steward) is None


def test_what_the_only_reviewer_entered_is_counted_and_leads_to_the_list(steward):
    office = make_department()
    only = make_staff(EDITOR, REVIEWER, departments=[office])
    measure = make_measure(lead=office)
    fields = {"measure": measure, "state": State.SUBMITTED}
    make_note(entered_by=only, changed_by=only, **fields)
    make_note(entered_by=make_user(), **fields)
    (shortage,) = MissingReviewers.of(steward).shortages
    (count,) = shortage.stuck
    assert count.n == 1
    page = browser_of(steward).get("/admin/").content.decode()
    assert 'id="work-missing"' in page
    assert count.url in page.replace("&amp;", "&")
    assert shortage.sentence in Mail.of(steward, timezone.localdate()).text


def test_the_congresss_own_rows_are_told_to_administrators_alone(steward):
    make_staff(REVIEWER)
    make_staff(REVIEWER)
    assert MissingReviewers.of(steward) is None
    administrator = make_staff(ADMINISTRATOR)
    assert kinds(MissingReviewers.of(administrator)) == COMMITTEES
    make_staff(COMMITTEE)
    make_staff(COMMITTEE)
    assert MissingReviewers.of(administrator) is None


def test_nobody_else_is_told(steward):
    for role in (EDITOR, REVIEWER, COMMITTEE):
        assert MissingReviewers.of(make_staff(role)) is None
