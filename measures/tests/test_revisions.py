"""Reviewed changes: entered by a steward, published by somebody else, applied all or none."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from metrics.models import Check, CheckTerm
from metrics.rules.checks import Role
from metrics.tests.factories import make_check, make_indicator, make_term

from .. import revisions, workflow
from ..access import REVIEWER, STEWARD
from ..models import Measure, Section, TrailEvent, Version
from ..past import past
from ..submission import State, end_of_day
from ..workflow import TransitionError
from .factories import (
    ISSUED,
    make_department,
    make_measure,
    make_section,
    make_staff,
    make_theme,
    reword,
)

pytestmark = pytest.mark.django_db

YESTERDAY = timezone.localdate() - timedelta(days=1)


@pytest.fixture
def steward():
    return make_staff(STEWARD)


@pytest.fixture
def reviewer():
    return make_staff(REVIEWER)


def change(row, **new) -> list[dict]:
    """The entries by which a steward asks for ``new``."""
    before = {name: revisions.told(row, name) for name in new}
    return revisions.changes_between(row, before, new)


def submitted(entries, *, by, reason="机构改革"):
    revision = revisions.collect(entries, by=by)
    revision.reason = reason
    workflow.save(revision, by=by, seen=revision.version)
    workflow.submit(revision, by=by)
    return revision


def publish(entries, steward, reviewer):
    revision = submitted(entries, by=steward)
    workflow.publish(revision, by=reviewer)
    return revision


def test_a_change_waits_for_somebody_else(steward, reviewer):
    measure = make_measure(name="旧名称")
    revision = submitted(change(measure, name="新名称"), by=steward)
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


def test_changes_of_one_steward_come_together_until_they_are_submitted(steward):
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
    revision = publish(entries, steward, reviewer)
    assert list(Measure.objects.order_by("order")) == measures[::-1]
    assert Version.objects.filter(revision=revision).count() == 20
    with past(end_of_day(YESTERDAY)):
        assert list(Measure.objects.order_by("order")) == measures


def test_somebody_elses_change_that_came_first_is_not_written_over(steward, reviewer):
    measure, other = make_measure(name="旧"), make_measure(name="别的")
    revision = submitted(change(other, name="也新") + change(measure, name="新"), by=steward)
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
    revision = submitted(change(first, order=2), by=steward)
    with pytest.raises(TransitionError, match=str(first)):
        workflow.publish(revision, by=reviewer)
    first.refresh_from_db()
    assert first.order == 1


def test_a_draft_becomes_public_by_review_not_before_that_day(steward, reviewer):
    draft = make_measure(published_on=None)
    publish(change(draft, published_on="2024-01-01"), steward, reviewer)
    draft.refresh_from_db()
    assert draft.published_on == timezone.localdate()
    with past(end_of_day(YESTERDAY)):
        assert not Measure.objects.exists()


def test_what_is_public_is_not_hidden_again_by_review(steward):
    measure = make_measure()
    revision = revisions.collect(change(measure, published_on=None), by=steward)
    revision.reason = "撤下"
    workflow.save(revision, by=steward, seen=revision.version)
    with pytest.raises(TransitionError, match=ISSUED.isoformat()):
        workflow.submit(revision, by=steward)
    assert Client().get(measure.get_absolute_url()).status_code == 200


def test_places_leads_and_supporting_departments_change(steward, reviewer):
    measure, theme = make_measure(), make_theme()
    lead, supporting = make_department(), make_department()
    publish(
        change(measure, theme=theme.code, lead=lead.code, lead_confirmed=True,
               supporting=[supporting.code]),
        steward,
        reviewer,
    )  # fmt: skip
    measure.refresh_from_db()
    assert (measure.theme, measure.lead, measure.lead_confirmed) == (theme, lead, True)
    assert list(measure.supporting.all()) == [supporting]


def test_a_row_is_made_by_review(steward, reviewer):
    like = make_section()
    values = revisions.says(like) | {"order": 77, "name": "新的部分"}
    made = Section(code="made")
    revision = publish([revisions.creation(made, values)], steward, reviewer)
    made = Section.objects.get(code="made")
    assert (made.name, made.order, made.opinion) == ("新的部分", 77, like.opinion)
    assert Version.objects.get(revision=revision).code == "made"


def test_the_terms_of_a_check_change_by_review(steward, reviewer):
    check, indicator = make_check(), make_indicator()
    old = make_term(check_of=check, role=Role.PART)
    terms = [[Role.PART.value, indicator.code, False]]
    publish(change(check, terms=terms), steward, reviewer)
    assert [term.indicator for term in check.terms.all()] == [indicator]
    with past(end_of_day(YESTERDAY)):
        assert [term.indicator_id for term in CheckTerm.objects.all()] == [old.indicator_id]
        assert Check.objects.get() == check


def test_public_pages_of_the_past_speak_in_the_old_words(steward, reviewer):
    department = make_department(name="旧部门")
    measure = make_measure(name="旧名称", lead=department, lead_confirmed=True)
    indicator = make_indicator(measure=measure, name="旧指标", scope="旧口径")
    theme = make_theme(name="新主题")
    publish(
        change(measure, name="新名称", theme=theme.code)
        + change(indicator, name="新指标", scope="新口径")
        + change(department, name="新部门"),
        steward,
        reviewer,
    )
    client = Client()

    def read(address, **query):
        answer = client.get(address, query)
        assert answer.status_code == 200
        return answer.getvalue().decode()

    old_theme = measure.theme.name
    for address, new, old in (
        (measure.get_absolute_url(), ("新名称", "新部门"), ("旧名称", "旧部门", old_theme)),
        (indicator.get_absolute_url(), ("新指标", "新口径"), ("旧指标", "旧口径", "旧部门")),
        ("/measures/", ("新名称", "新部门"), ("旧名称", "旧部门")),
        ("/measures/?format=csv", ("新名称", "新部门"), ("旧名称", "旧部门")),
        ("/indicators/?q=新口径", ("新指标",), ()),
        ("/indicators/?q=旧口径", (), ("旧指标",)),
        ("/data/measures.csv", ("新名称",), ("旧名称",)),
        ("/data/indicators.csv", ("新指标", department.code), ("旧指标",)),
        (theme.section.get_absolute_url(), ("新名称",), ()),
    ):
        path, _mark, query = address.partition("?")
        query = dict([query.split("=")]) if query else {}
        today = read(path, **query)
        then = read(path, **query, as_of=YESTERDAY.isoformat()) if old else ""
        for word in new:
            assert word in today, (address, word)
            assert word not in then.replace(query.get("q", "-"), ""), (address, word)
        for word in old:
            assert word in then, (address, word)


def test_the_page_of_a_past_day_costs_at_most_two_more_queries():
    measure = make_measure()
    make_indicator(measure=measure)
    client, address = Client(), measure.get_absolute_url()
    client.get(address)
    with CaptureQueriesContext(connection) as today:
        client.get(address)
    with CaptureQueriesContext(connection) as then:
        client.get(address, {"as_of": date(2024, 1, 1).isoformat()})
    assert len(then) <= len(today) + 2
