"""What is reported together is handed in together, through whichever door it comes."""

import re
from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from baoshan_portal.tests import runs_once
from baoshan_portal.tests.desk import browser_of, errors, messages
from measures import workflow
from measures.access import AUDITOR, EDITOR, REVIEWER, STEWARD
from measures.models import TrailEvent
from measures.submission import State
from measures.tests.factories import (
    make_department,
    make_measure,
    make_round,
    make_staff,
)
from metrics.models import CompulsoryPair, NoFigure, Observation
from metrics.rules.choices import Certainty, Frequency, Kind, Missing
from metrics.tests.factories import (
    make_indicator,
    make_no_figure,
    make_observation,
    make_pair,
    make_withdrawal,
)

from ..entry_sheet.page import sheet_url
from .test_entry_sheet import Sheet
from .uploads import UploadDesk

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.long,
    pytest.mark.english,
    pytest.mark.usefixtures("temporary_folder"),
    runs_once.STEPS,
]

ADD = "/en/admin/metrics/compulsorypair/add/"
QUARTER = {"period_start": date(2023, 7, 1), "period_end": date(2023, 9, 30)}


def lacks(row, other, period="2023-09-30"):
    return (
        f"“{row}” is reported together with “{other}”, of which nothing is handed in for this "
        f"period ({period}): enter its figure, or that there is none, and submit both together."
    )


class Desk(UploadDesk):
    submits = "1"

    def __init__(self):
        self.department = make_department()
        self.clerk = make_staff(EDITOR, departments=[self.department])
        self.round = make_round()
        self.measure = make_measure(lead=self.department)
        self.quota, self.used, self.other = (
            self.indicator(
                code=code, name_en=code.title(), kind=Kind.STOCK, frequency=Frequency.QUARTERLY
            )
            for code in ("quota", "used", "other")
        )
        self.pair = make_pair(first=self.quota, second=self.used)
        self.browser = browser_of(self.clerk)
        self.address = f"/en/admin/upload/{self.round.code}/{self.department.code}/"
        self.sheet = Sheet(sheet_url(self.round, self.department), self.browser)

    def draft(self, indicator, **fields):
        end = fields.setdefault("period_end", date(2023, 9, 30))
        fields.setdefault("period_start", end)
        return make_observation(indicator=indicator, entered_by=self.clerk, **fields)

    def states(self):
        rows = [*Observation.objects.all(), *NoFigure.objects.all()]
        return {row.indicator.code: row.state for row in rows}


@pytest.fixture
def desk():
    return Desk()


# The entry sheet


def test_the_sheet_submits_the_others_and_keeps_the_lone_one_as_a_draft(desk):
    desk.sheet.send("submit", **{"figure-quota-figure": "100", "figure-other-figure": "7"})
    assert [message for *_row, message in desk.sheet.errors] == [lacks("Quota", "Used")]
    assert desk.states() == {"quota": State.DRAFT, "other": State.SUBMITTED}
    desk.sheet.type(desk.used, "submit", figure="60")
    assert desk.sheet.errors == []
    assert set(desk.states().values()) == {State.SUBMITTED}


def test_both_go_together_in_one_press(desk):
    desk.sheet.send("submit", **{"figure-quota-figure": "100", "figure-used-figure": "60"})
    assert desk.sheet.errors == []
    assert desk.states() == {"quota": State.SUBMITTED, "used": State.SUBMITTED}
    assert "2 rows were submitted for review." in desk.sheet.text


def test_no_figure_answers_too(desk):
    desk.sheet.send(
        "submit",
        **{"figure-used-figure": "60", "figure-quota-reason": Missing.NOT_YET_SETTLED},
    )
    assert desk.sheet.errors == []
    assert desk.states() == {"quota": State.SUBMITTED, "used": State.SUBMITTED}


def test_that_there_is_no_figure_is_asked_for_nothing(desk):
    desk.sheet.type(desk.quota, "submit", reason=Missing.NOT_YET_SETTLED)
    assert desk.states() == {"quota": State.SUBMITTED}


def test_drafts_and_what_saves_itself_are_never_asked(desk):
    desk.sheet.type(desk.quota, figure="100")
    assert desk.sheet.errors == []
    seen = desk.sheet.open().row(desk.used).seen
    data = {"autosave": "1", "figure-used-seen": seen, "figure-used-figure": "6"}
    told = desk.browser.post(desk.sheet.address, data | {"figure-used-certainty": "actual"})
    assert told.json()["faults"] == []
    assert desk.states() == {"quota": State.DRAFT, "used": State.DRAFT}


# Files and the admin


def test_a_file_with_one_of_them_is_told_and_stores_nothing(desk):
    page = desk.take("code,figure\nquota,100\n")
    assert messages(page) == [lacks("Quota", "Used")]
    assert not Observation.objects.exists()
    desk.store("code,figure\nquota,100\n", submit="0")
    assert desk.states() == {"quota": State.DRAFT}
    desk.store("code,figure\nquota,100\nused,60\n")
    assert desk.states() == {"quota": State.SUBMITTED, "used": State.SUBMITTED}


def test_in_the_admin_one_is_kept_as_a_draft_and_both_are_submitted_from_the_list(desk):
    rows = [desk.draft(desk.quota), desk.draft(desk.used)]
    page = desk.browser.post(
        reverse("admin:metrics_observation_step", args=[rows[0].pk, "submit"]),
        {"seen": rows[0].version}, follow=True,
    )  # fmt: skip
    assert messages(page) == [lacks("Quota", "Used")]
    address = reverse("admin:metrics_observation_changelist")
    sent = {"action": "submit_selected", "_selected_action": [rows[0].pk]}
    page = desk.browser.post(address, sent, follow=True)
    assert messages(page)[0].endswith(lacks("Quota", "Used"))
    assert set(desk.states().values()) == {State.DRAFT}
    sent["_selected_action"] = [row.pk for row in rows]
    page = desk.browser.post(address, sent, follow=True)
    assert messages(page) == ["2 rows were moved on."]
    assert set(desk.states().values()) == {State.SUBMITTED}


# The workflow


@pytest.mark.parametrize("submit", [workflow.submit, lambda r, by: workflow.submit_all([r], by=by)])
def test_the_workflow_asks_whoever_comes_by_another_door(desk, submit):
    row = desk.draft(desk.used)
    desk.draft(desk.quota)
    with pytest.raises(workflow.TransitionError) as refused:
        submit(row, by=desk.clerk)
    assert str(refused.value) == lacks("Used", "Quota")


@pytest.mark.parametrize(
    "there",
    [
        {"published": date(2023, 10, 9)},
        {"state": State.SUBMITTED},
        {"state": State.SUBMITTED, "certainty": Certainty.PRELIMINARY},
    ],
)
def test_what_is_public_or_waits_for_review_is_enough(desk, there):
    desk.draft(desk.quota, **there)
    workflow.submit(desk.draft(desk.used), by=desk.clerk)


def test_a_period_that_is_public_without_a_figure_is_enough(desk):
    make_no_figure(
        indicator=desk.quota, period_start=None, period_end=date(2023, 9, 30),
        published=date(2023, 10, 9),
    )  # fmt: skip
    workflow.submit(desk.draft(desk.used), by=desk.clerk)


@pytest.mark.parametrize(
    "there",
    [
        {},
        {"state": State.RETURNED, "return_reason": "理由"},
        {"period_end": date(2023, 6, 30), "published": date(2023, 10, 9)},
        {"certainty": Certainty.EXPECTED, "published": date(2023, 10, 9)},
    ],
)
def test_drafts_returned_rows_other_periods_and_what_is_only_expected_are_not(desk, there):
    desk.draft(desk.quota, **there)
    with pytest.raises(workflow.TransitionError, match="is reported together with"):
        workflow.submit(desk.draft(desk.used), by=desk.clerk)


def test_what_is_withdrawn_is_not(desk):
    row = desk.draft(desk.quota, published=date(2023, 10, 9))
    make_withdrawal(row, published=date(2023, 10, 10))
    with pytest.raises(workflow.TransitionError, match="is reported together with"):
        workflow.submit(desk.draft(desk.used), by=desk.clerk)


def test_of_flows_the_whole_period_counts(desk):
    flows = [desk.indicator(kind=Kind.FLOW) for _n in range(2)]
    make_pair(first=flows[0], second=flows[1])
    desk.draft(flows[0], period_start=date(2023, 1, 1), published=date(2023, 10, 9))
    row = desk.draft(flows[1], **QUARTER)
    with pytest.raises(workflow.TransitionError, match="Q3 2023"):
        workflow.submit(row, by=desk.clerk)
    desk.draft(flows[0], **QUARTER, published=date(2023, 10, 9))
    workflow.submit(row, by=desk.clerk)


def test_a_correction_that_stays_in_its_period_is_asked_for_nothing(desk):
    row = desk.draft(desk.used, published=date(2023, 10, 9))
    changed = workflow.correct(row, by=desk.clerk, reason="漏计", note="说明")
    workflow.submit(changed, by=desk.clerk)
    assert changed.state == State.SUBMITTED


def test_a_correction_to_another_period_is_asked(desk):
    row = desk.draft(desk.used, published=date(2023, 10, 9))
    day = date(2023, 9, 29)
    changes = {"period_start": day, "period_end": day, "warning_answer": "改期"}
    changed = workflow.correct(row, by=desk.clerk, reason="期间有误", **changes)
    with pytest.raises(workflow.TransitionError, match=r"\(2023-09-29\)"):
        workflow.submit(changed, by=desk.clerk)


def test_what_nobody_can_enter_is_not_asked_for(desk):
    hidden = desk.indicator(published_on=None)
    make_pair(first=desk.other, second=hidden)
    workflow.submit(desk.draft(desk.other), by=desk.clerk)


def test_two_departments_do_not_wait_for_each_other(desk):
    moved = make_indicator(
        measure=make_measure(lead=make_department()), kind=Kind.STOCK,
        frequency=Frequency.QUARTERLY,
    )  # fmt: skip
    make_pair(first=desk.other, second=moved)
    workflow.submit(desk.draft(desk.other), by=desk.clerk)


@pytest.fixture
def both(desk):
    """Values of both that wait for review."""
    rows = [desk.draft(desk.quota), desk.draft(desk.used)]
    workflow.submit_all(rows, by=desk.clerk)
    return rows


def publish_one(row, by):
    workflow.publish(row, by=by)


def publish_some(row, by):
    for refused in workflow.publish_all([row], by=by).values():
        raise refused


@pytest.mark.parametrize("publish", [publish_one, publish_some])
def test_what_was_left_alone_waits_until_both_are_there_again(desk, both, publish):
    quota, used = both
    reviewer = make_staff(REVIEWER)
    workflow.recall(used, by=desk.clerk)

    with pytest.raises(workflow.TransitionError) as refused:
        publish(quota, by=reviewer)

    assert str(refused.value) == (
        "“Quota” is reported together with “Used”, of which nothing is handed in any more for "
        "this period (2023-09-30): return it, so that both come together."
    )
    assert Observation.objects.get(pk=quota.pk).state == State.SUBMITTED
    workflow.submit(used, by=desk.clerk)
    publish(quota, by=reviewer)
    publish(used, by=reviewer)
    assert set(desk.states().values()) == {State.PUBLISHED}


@pytest.mark.parametrize("publish", [publish_one, publish_some])
def test_nor_is_it_published_when_the_other_was_returned(desk, both, publish):
    quota, used = both
    reviewer = make_staff(REVIEWER)
    workflow.send_back(used, by=reviewer, reason="理由")

    with pytest.raises(workflow.TransitionError, match="nothing is handed in any more"):
        publish(quota, by=reviewer)


def test_one_query_more_where_there_is_no_pair(desk, django_assert_num_queries):
    row = desk.draft(desk.other)
    with django_assert_num_queries(1):
        assert Observation.in_groups([row]) == [[row]]


def test_pairs_are_looked_up_by_the_figures_and_not_among_all_there_are(desk):
    with CaptureQueriesContext(connection) as asked:
        Observation.in_groups([desk.draft(desk.other)])
    sql = next(query["sql"] for query in asked if "compulsorypair" in query["sql"])
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        plan = [step for *_numbers, step in cursor.fetchall()]
    assert "SEARCH metrics_compulsorypair USING INTEGER PRIMARY KEY (rowid=?)" in plan
    assert not [step for step in plan if step.startswith("SCAN")]


# Who declares it


def test_a_steward_declares_a_pair_once(desk):
    steward = browser_of(make_staff(STEWARD))
    steward.post(ADD, {"first": desk.other.pk, "second": desk.used.pk})
    assert CompulsoryPair.objects.count() == 2
    assert TrailEvent.objects.filter(subject_type="metrics.compulsorypair").count() == 1
    page = steward.post(ADD, {"first": desk.used.pk, "second": desk.other.pk})
    assert "These two indicators are declared a pair already." in page.content.decode()
    page = steward.post(ADD, {"first": desk.used.pk, "second": desk.used.pk})
    assert "An indicator is no pair with itself." in page.content.decode()
    assert CompulsoryPair.objects.count() == 2


def test_a_pair_that_asks_for_what_cannot_be_is_refused(desk):
    steward = browser_of(make_staff(STEWARD))
    yearly = desk.indicator(frequency=Frequency.YEARLY, name_en="Yearly")
    page = steward.post(ADD, {"first": desk.other.pk, "second": yearly.pk})
    assert errors(page) == {
        "__all__": ["They are not reported equally often: “Other” quarterly, “Yearly” yearly."]
    }
    foreign = make_indicator(
        measure=make_measure(lead=make_department()), frequency=Frequency.QUARTERLY
    )
    page = steward.post(ADD, {"first": desk.other.pk, "second": foreign.pk})
    assert errors(page) == {
        "__all__": ["They are reported by two departments, of which each would wait for the other."]
    }


@pytest.mark.parametrize("role", [EDITOR, REVIEWER, AUDITOR])
def test_others_only_read_it(role, desk):
    browser = browser_of(make_staff(role))
    page = reverse("admin:metrics_compulsorypair_change", args=[desk.pair.pk])
    assert browser.get(page).status_code == 200
    assert browser.post(page, {"first": desk.other.pk}).status_code == 403
    assert browser.get(ADD).status_code == 403


KEY = "0123456789abcdef" * 2


@pytest.mark.parametrize("kind", ["compulsorypair", "usualbounds", "nofigure"])
def test_a_double_click_on_add_makes_one_row(kind, desk):
    """The second is answered as the first one was."""
    typed = {
        "compulsorypair": {"first": desk.other.pk, "second": desk.used.pk},
        "usualbounds": {"indicator": desk.other.pk, "least": "1", "largest": "9"},
        "nofigure": {
            "indicator": desk.other.pk, "reason": Missing.NOT_YET_SETTLED, "source_name": "台账",
            "period_start": "2023-09-30", "period_end": "2023-09-30",
        },
    }[kind]  # fmt: skip
    browser = desk.browser if kind == "nofigure" else browser_of(make_staff(STEWARD))
    address = f"/en/admin/metrics/{kind}/add/"
    assert 'name="once"' in browser.get(address).content.decode()
    answers = [browser.post(address, typed | {"once": KEY}) for _n in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert answers[0].url == answers[1].url


def test_an_indicators_page_leads_to_its_usual_values_and_pairs(desk):
    browser = browser_of(make_staff(STEWARD))
    page = browser.get(reverse("admin:metrics_indicator_change", args=[desk.quota.pk]))
    links = re.findall(
        r'href="(/en/admin/metrics/(?:usualb|compuls)[^"]*\?[^"]*)"', page.content.decode()
    )
    assert len(links) == 2
    shown = [list(browser.get(link).context["cl"].result_list) for link in links]
    assert shown == [[], [desk.pair]]


def test_my_work_leads_to_the_table_of_ones_own(desk):
    page = desk.browser.get("/en/admin/").content.decode()
    address = reverse("admin:own-table", args=[desk.round.code, desk.department.code])
    assert address in page
