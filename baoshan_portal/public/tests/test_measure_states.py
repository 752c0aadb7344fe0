"""The state of a measure: who says it, since when, where it leads, and what it said before."""

import re
from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from baoshan_portal.public.measure_states import state_of
from baoshan_portal.tests import runs_once
from baoshan_portal.tests.desk import browser_of, desk, errors, fill_in, take_step
from baoshan_portal.tests.pages import rows_of
from measures.access import EDITOR, REVIEWER
from measures.models import MeasureState, MeasureStatus
from measures.submission import State
from measures.tests.factories import (
    ISSUED,
    make_department,
    make_measure,
    make_report,
    make_section,
    make_staff,
    make_state,
    make_theme,
)
from metrics.tests.factories import make_withdrawal

pytestmark = [pytest.mark.django_db, pytest.mark.long]

BEFORE, LATER = date(2023, 8, 31), date(2023, 9, 1)
MERGED, SPLIT = MeasureStatus.MERGED, MeasureStatus.SPLIT


@pytest.fixture
def theme():
    return make_theme(section=make_section(order=1, opinion=make_report().opinion))


@pytest.fixture
def measure(theme):
    return make_measure(theme=theme, lead=make_department())


def words(client, address, **query) -> str:
    answer = client.get(address, query)
    assert answer.status_code == 200
    return " ".join(re.sub("<[^>]*>", " ", answer.content.decode()).split())


def line_of(client, measure, **query) -> dict:
    lines = rows_of(client.get("/data/measures.csv", query).getvalue().decode())
    return next(line for line in lines if line["code"] == measure.code)


def test_the_state_since_the_latest_day_counts_and_that_of_a_past_day_can_be_had(client, measure):
    make_state(
        measure=measure, published=ISSUED, since=date(2023, 7, 1),
        report=measure.theme.section.opinion.reports.get(), locator="1.1/1",
    )  # fmt: skip
    make_state(
        measure=measure, published=LATER, since=date(2023, 8, 1), status=MeasureStatus.COMPLETED,
        reason="验收合格。",
    )  # fmt: skip
    # What is filled in later of an earlier day replaces nothing.
    make_state(
        measure=measure, published=date(2023, 10, 1), since=date(2023, 1, 1),
        status=MeasureStatus.NOT_STARTED,
    )  # fmt: skip

    now = line_of(client, measure)
    assert (now["state"], now["state_on"], now["state_source"]) == (
        "completed", "2023-08-01", "department",
    )  # fmt: skip
    then = line_of(client, measure, as_of=BEFORE.isoformat())
    assert (then["state"], then["state_on"]) == ("in-progress", "2023-07-01")
    assert then["state_source"].endswith("号 1.1/1")
    assert "验收合格。" in words(client, measure.get_absolute_url())
    page = words(client, measure.get_absolute_url(), as_of=BEFORE.isoformat())
    assert "验收合格。" not in page
    assert state_of(measure, BEFORE).current.is_confirmed is False


def test_a_measure_of_which_nobody_said_anything_has_no_state(client, measure):
    make_state(measure=measure)

    assert line_of(client, measure)["state"] == ""
    assert state_of(measure, None).current is None


def test_list_and_section_show_the_state_and_it_is_a_filter(client, measure):
    other = make_measure(theme=measure.theme)
    make_state(measure=measure, published=LATER, status=MeasureStatus.TERMINATED)

    for query, found in (
        ({"status": "terminated"}, [measure]),
        ({"not_status": "terminated"}, [other]),
        ({"status": "none"}, [other]),
        ({"told": "department"}, [measure]),
        ({"told": "report"}, []),
    ):
        page = client.get("/measures/", query)
        assert [row.record for row in page.context["table"].rows] == found, query
    label = MeasureStatus.TERMINATED.label
    assert f"✕ {label}" in words(client, "/measures/")
    assert f"✕ {label}" in words(client, "/sections/1/")
    assert f"✕ {label}" not in words(client, "/sections/1/", as_of=ISSUED.isoformat())


@runs_once.PAGES
@pytest.mark.parametrize(("status", "count"), [(MERGED, 1), (SPLIT, 2)])
def test_what_was_merged_or_split_is_linked_both_ways(client, measure, status, count):
    others = [make_measure(theme=measure.theme) for _ in range(count)]
    into = " ".join(other.code for other in others)
    make_state(measure=measure, published=LATER, status=status, into=into)

    assert state_of(measure, None).into == others
    page = client.get(measure.get_absolute_url()).content.decode()
    for other in others:
        assert other.get_absolute_url() in page
        assert state_of(other, None).origins == [measure]
        assert state_of(other, BEFORE).origins == []
        back = client.get(other.get_absolute_url()).content.decode()
        assert measure.get_absolute_url() in back


def test_what_a_measure_carried_on_is_told_while_that_is_the_others_newest_state(measure):
    other = make_measure(theme=measure.theme)
    make_state(
        measure=other, published=ISSUED, since=date(2023, 7, 1), status=MERGED, into=measure.code
    )
    assert state_of(measure, None).origins == [other]

    make_state(
        measure=other, published=LATER, since=date(2023, 8, 1), status=MeasureStatus.IN_PROGRESS
    )

    assert state_of(measure, None).origins == []
    assert state_of(measure, BEFORE).origins == [other]


def test_a_code_within_another_code_is_no_link(measure):
    short = make_measure(code="park", theme=measure.theme)
    long = make_measure(code="park-events", theme=measure.theme)
    make_state(measure=measure, published=ISSUED, status=MERGED, into=long.code)

    assert state_of(long, None).origins == [measure]
    assert state_of(short, None).origins == []


def test_a_corrected_and_a_withdrawn_state_stay_readable(client, measure):
    first = make_state(measure=measure, published=ISSUED, since=date(2023, 7, 1))
    make_state(
        measure=measure, published=LATER, since=first.since, supersedes=first, revision=2,
        correction_reason="尚未开工", status=MeasureStatus.NOT_STARTED,
    )  # fmt: skip
    assert "尚未开工" in words(client, measure.get_absolute_url())
    make_withdrawal(MeasureState.objects.get(revision=2), published=LATER, reason="措施有误")

    assert "措施有误" in words(client, measure.get_absolute_url())
    assert line_of(client, measure)["state"] == ""
    for address in ("/changes/?from=2023-07-01", "/changes/feed/"):
        assert "措施有误" in words(client, address)
        assert "尚未开工" in words(client, address)


@runs_once.QUERIES
def test_states_cost_no_query_a_row(client, theme):
    def cost(address):
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(address)
            answer.getvalue()
        return len(queries)

    addresses = ["/measures/", "/sections/1/", "/data/measures.csv", "/measures/?format=csv"]
    make_state(measure=make_measure(theme=theme), published=ISSUED)
    few = {address: cost(address) for address in addresses}
    for _ in range(5):
        make_state(measure=make_measure(theme=theme), published=ISSUED)
    assert {address: cost(address) for address in addresses} == few


# The desk


def test_an_editor_enters_a_state_and_a_reviewer_publishes_it(client, measure):
    clerk = browser_of(make_staff(EDITOR, departments=[measure.lead]))
    other = make_measure(theme=measure.theme)
    typed = {
        "measure": measure.pk, "status": "merged", "since": "2023-08-01", "reason": "合并办理。",
        "into": [other.code],
    }  # fmt: skip
    fill_in(clerk, desk(MeasureState, "add"), **typed)
    row = MeasureState.objects.get()
    assert (row.state, row.into) == (State.DRAFT, other.code)
    take_step(clerk, row, "submit")
    reviewer = browser_of(make_staff(REVIEWER))
    assert "合并办理。" in reviewer.get("/en/admin/review/").content.decode()
    row.refresh_from_db()
    reviewer.post("/en/admin/review/", {"row": [f"measurestate:{row.pk}:{row.version}"]})

    assert line_of(client, measure)["state"] == "merged"
    assert other.code in clerk.get(desk(row, "change")).content.decode()


@runs_once.FORMS
@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"status": "merged"}, "__all__"),
        ({"status": "completed", "into": True}, "__all__"),
        ({"since": "2999-01-01"}, "since"),
        ({"reason": ""}, "reason"),
    ],
)
def test_the_form_says_what_a_state_must_be(measure, typed, field):
    other = make_measure(theme=measure.theme)
    if typed.get("into"):
        typed = typed | {"into": [other.code]}
    clerk = browser_of(make_staff(EDITOR, departments=[measure.lead]))
    good = {"measure": measure.pk, "status": "ongoing", "since": "2023-08-01", "reason": "x"}
    answer = fill_in(clerk, desk(MeasureState, "add"), **good | typed)
    assert field in errors(answer)
    assert not MeasureState.objects.exists()


def test_a_measure_is_merged_into_one_other_measure_that_is_public(measure):
    others = [make_measure(theme=measure.theme) for _ in range(2)]
    hidden = make_measure(theme=measure.theme, published_on=timezone.localdate() + timedelta(1))
    for into in (measure.code, hidden.code, " ".join(other.code for other in others)):
        with pytest.raises(ValidationError):
            MeasureState(measure=measure, status=MERGED, into=into, since=ISSUED).clean()


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"status": "done"}, "measurestate_status_known"),
        ({"status": "merged"}, "measurestate_leads_on"),
        ({"into": "park"}, "measurestate_leads_on"),
        ({"reason": ""}, "measurestate_has_reason"),
        ({"locator": "1.1/1"}, "measurestate_place_in_report"),
    ],
)
def test_the_database_refuses_what_a_state_cannot_be(fields, name):
    row = make_state()
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        MeasureState.objects.filter(pk=row.pk).update(**fields)


def test_the_database_refuses_the_same_state_twice(measure):
    make_state(measure=measure, since=ISSUED)
    with pytest.raises(IntegrityError), transaction.atomic():
        make_state(measure=measure, since=ISSUED)
