"""The second level: where a department asks for it, its head signs off before the reviewer."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from baoshan_portal.tests.desk import browser_of, desk, errors, messages
from measures import access, workflow
from measures.access import ADMINISTRATOR, EDITOR, HEAD, REVIEWER
from measures.models import SignOff, SignOffRule, TrailEvent, Version
from measures.submission import State
from measures.tests.factories import (
    make_department,
    make_measure,
    make_note,
    make_round,
    make_sign_off_rule,
    make_staff,
    make_state,
)
from measures.triggers import lifted
from metrics.due import new_entry
from metrics.models import Indicator, Observation
from metrics.rules.choices import Frequency
from metrics.tests.factories import make_indicator, make_no_figure, make_observation, make_target

from ..entry_sheet.page import sheet_url
from ..mails import Mail
from ..my_work.page import MyWork

pytestmark = [pytest.mark.django_db, pytest.mark.english, pytest.mark.long]

PAGE = "/en/admin/sign-off/"


@pytest.fixture
def office():
    return make_department(name="区科委", name_en="Science")


@pytest.fixture
def measure(office):
    return make_measure(lead=office)


@pytest.fixture
def clerk(office):
    return make_staff(EDITOR, departments=[office])


@pytest.fixture
def head(office):
    return make_staff(HEAD, departments=[office])


@pytest.fixture
def reviewer():
    return make_staff(REVIEWER)


@pytest.fixture
def rule(office):
    return make_sign_off_rule(department=office)


@pytest.fixture
def row(measure, clerk):
    """Submitted by a clerk."""
    row = make_observation(
        indicator=make_indicator(measure=measure), entered_by=clerk, changed_by=clerk
    )
    workflow.submit(row, by=clerk)
    return row


def token(row) -> str:
    return f"{row._meta.model_name}:{row.pk}:{row.version}"


def may_publish(user, row) -> bool:
    return access.may(user, access.publishable, row)


def test_without_the_rule_rows_go_to_the_reviewer_at_once(row, head, reviewer):
    assert may_publish(reviewer, row)
    assert not access.may(head, access.signable, row)
    with pytest.raises(workflow.TransitionError, match="waits for no sign-off"):
        workflow.sign(row, by=head)


def test_what_waits_is_shown_to_the_head_alone_until_it_is_signed(row, rule, head, reviewer):
    queue, signing = browser_of(reviewer), browser_of(head)
    assert token(row) not in queue.get("/en/admin/review/").content.decode()
    page = signing.get(PAGE).content.decode()
    assert token(row) in page and "1 row waits for your sign-off." in page
    answer = signing.post(PAGE, {"row": [token(row)]}, follow=True)
    assert messages(answer) == ["1 row was signed off."]
    assert token(row) not in signing.get(PAGE).content.decode()
    assert token(row) in queue.get("/en/admin/review/").content.decode()
    queue.post("/en/admin/review/", {"row": [token(row)], "publish": "1"})
    row.refresh_from_db()
    assert row.state == State.PUBLISHED
    event = TrailEvent.objects.get(action="signed-off")
    assert (event.actor, event.subject_code) == (head, row.code)


def test_a_reviewer_cannot_publish_before(row, rule, reviewer):
    with pytest.raises(workflow.TransitionError, match="has not signed this row off"):
        workflow.publish(row, by=reviewer)
    answer = browser_of(reviewer).post("/en/admin/review/", {"row": [token(row)]}, follow=True)
    assert "The head of the department has not signed this row off." in messages(answer)[0]
    assert browser_of(reviewer).get(desk(row, "step", "publish")).status_code == 403


@pytest.mark.parametrize("make", [make_note, make_state])
def test_the_database_refuses_it_too_of_words(make, measure, rule, reviewer):
    row = make(measure=measure, state=State.SUBMITTED)
    refuses(row, reviewer)


@pytest.mark.parametrize("make", [make_observation, make_no_figure])
def test_the_database_refuses_it_too_of_figures(make, measure, rule, reviewer):
    row = make(indicator=make_indicator(measure=measure), state=State.SUBMITTED)
    refuses(row, reviewer)


def test_nor_does_a_row_come_in_as_public(measure, rule, clerk, reviewer):
    make_note(measure=measure)
    with lifted(connection, Version._meta.db_table):
        Version.objects.update(made_at=timezone.now() - timedelta(days=2))
    public = {"published": timezone.now(), "published_by": reviewer, "entered_by": clerk}

    with pytest.raises(IntegrityError, match="has not signed it off"), transaction.atomic():
        make_note(measure=measure, **public)

    assert make_note(measure=make_measure(), **public).pk


def refuses(row, reviewer) -> None:
    rows = type(row).objects.filter(pk=row.pk)
    public = {"state": State.PUBLISHED, "published_at": timezone.now(), "published_by": reviewer}
    with pytest.raises(IntegrityError, match="has not signed it off"), transaction.atomic():
        rows.update(**public)
    SignOff.objects.create(
        subject_type=row._meta.label_lower,
        subject_code=row.code,
        version=row.version,
        by=make_staff(HEAD),
    )
    assert rows.update(**public) == 1


def test_targets_are_the_stewards_and_wait_for_no_head(measure, rule, reviewer):
    row = make_target(indicator=make_indicator(measure=measure), state=State.SUBMITTED)
    assert may_publish(reviewer, row)


def test_nobody_signs_what_they_entered(rule, measure, office):
    both = make_staff(EDITOR, HEAD, departments=[office])
    row = make_note(measure=measure, entered_by=both, changed_by=both)
    workflow.submit(row, by=both)
    assert not access.may(both, access.signable, row)
    with pytest.raises(PermissionDenied, match="signs off what they entered"):
        workflow.sign(row, by=both)


def test_nobody_publishes_what_they_signed(rule, row, office):
    both = make_staff(HEAD, REVIEWER, departments=[office])
    workflow.sign(row, by=both)
    with pytest.raises(PermissionDenied, match="publishes what they signed off"):
        workflow.publish(row, by=both)
    assert not may_publish(both, row)


def test_the_desk_says_why_a_reviewer_who_signed_may_not_publish(rule, row, office):
    both = make_staff(HEAD, REVIEWER, departments=[office])
    workflow.sign(row, by=both)

    browser = browser_of(both)
    sent = {"row": token(row)}
    (sentence,) = messages(browser.post("/en/admin/review/", sent, follow=True))
    assert sentence.endswith("Nobody publishes what they signed off themselves.")


def test_many_rows_at_once_pass_the_same_door(rule, row, office, reviewer):
    both = make_staff(HEAD, REVIEWER, departments=[office])
    assert "has not signed" in str(workflow.publish_all([row], by=reviewer)[row])
    workflow.sign(row, by=both)
    row.refresh_from_db()

    assert "signed off themselves" in str(workflow.publish_all([row], by=both)[row])
    assert workflow.publish_all([row], by=reviewer) == {}


def test_a_head_signs_for_the_own_department_alone(rule, row):
    other = make_staff(HEAD, departments=[make_department()])
    everywhere = make_staff(HEAD, REVIEWER, departments=[make_department()])
    for user in (other, everywhere):
        assert not access.may(user, access.signable, row)
        answer = browser_of(user).post(PAGE, {"row": [token(row)]}, follow=True)
        assert messages(answer) and not SignOff.objects.exists()


def test_what_comes_again_is_signed_anew(rule, row, clerk, head, reviewer):
    workflow.sign(row, by=head)
    workflow.recall(row, by=clerk)
    workflow.submit(row, by=clerk)
    assert access.may(head, access.signable, row)
    assert not may_publish(reviewer, row)


def test_a_head_returns_with_a_reason(rule, row, head, clerk):
    browser = browser_of(head)
    answer = browser.post(PAGE, {"row": [token(row)], "return": "1", "reason": ""})
    assert "Whoever returns a row must say why." in answer.content.decode()
    browser.post(PAGE, {"row": [token(row)], "return": "1", "reason": "口径有误"})
    row.refresh_from_db()
    assert (row.state, row.return_reason) == (State.RETURNED, "口径有误")


def test_an_older_version_is_not_signed(rule, row, head):
    stale = token(row)
    Observation.objects.filter(pk=row.pk).update(version=row.version + 1)
    answer = browser_of(head).post(PAGE, {"row": [stale]}, follow=True)
    assert "look at it again" in messages(answer)[0]
    assert not SignOff.objects.exists()


def test_withdrawing_the_rule_releases_what_waits(rule, row, reviewer):
    admin = browser_of(make_staff(ADMINISTRATOR))
    answer = admin.post(desk(rule, "delete"), {"post": "yes"}, follow=True)
    assert "goes on to the reviewer" in answer.content.decode()
    assert not SignOffRule.objects.exists()
    assert may_publish(reviewer, row)
    workflow.publish(row, by=reviewer)
    assert TrailEvent.objects.filter(action="deleted").exists()


def test_the_rule_is_refused_where_nobody_is_head(office):
    admin = browser_of(make_staff(ADMINISTRATOR))
    add = reverse("admin:measures_signoffrule_add")
    answer = admin.post(add, {"department": office.pk})
    assert "has the role of its head" in errors(answer)["department"][0]
    make_staff(HEAD, departments=[office])
    admin.post(add, {"department": office.pk})
    assert SignOffRule.objects.get().department == office
    answer = admin.post(add, {"department": office.pk})
    assert errors(answer)["department"]


def test_my_work_says_how_much_waits_and_reviewers_do_not_count_it(rule, row, head, reviewer):
    assert MyWork.of(head).signing.waiting == [("observations", 1)]
    assert PAGE in browser_of(head).get("/en/admin/").content.decode()
    assert MyWork.of(reviewer).signing is None
    assert MyWork.of(reviewer).review.waiting == []


def test_it_is_in_chinese_too(rule, row, head):
    page = browser_of(head).get("/admin/sign-off/").content.decode()
    assert "审签" in page and "Sign" not in page.split("<main", 1)[1].split("observation", 1)[0]


def test_the_sheet_and_the_lists_say_for_whom_a_row_waits(rule, measure, office, clerk, head):
    round_ = make_round()
    indicator = make_indicator(measure=measure, frequency=Frequency.QUARTERLY)
    loaded = Indicator.objects.with_latest_value().get(pk=indicator.pk)
    entry = new_entry(loaded, round_, office)
    entry.value, entry.as_written = 5, "5家"
    workflow.save(entry, by=clerk)
    workflow.submit(entry, by=clerk)
    browser = browser_of(clerk)
    pages = (
        "/en/admin/metrics/observation/",
        reverse("admin:metrics_observation_change", args=[entry.pk]),
        sheet_url(round_, office),
    )
    for page in pages[:2]:
        assert "waiting for sign-off" in browser.get(page).content.decode(), page
    (line,) = browser.get(pages[2]).context["sheet"].figures
    assert line.state == "waiting for sign-off"
    workflow.sign(entry, by=head)
    for page in pages:
        assert "waiting for sign-off" not in browser.get(page).content.decode(), page


def test_the_heads_mail_says_what_waits(row, rule, head, clerk):
    text = Mail.of(head, timezone.localdate()).text
    assert "Waiting for your sign-off" in text
    assert PAGE in text
    assert Mail.of(clerk, timezone.localdate()) is None
    workflow.sign(row, by=head)
    assert Mail.of(head, timezone.localdate()) is None
