"""Thresholds are reviewed and dated: a verdict of a past day uses the one that stood then."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from baoshan_portal.public.changes.states import state_changes
from baoshan_portal.tests.desk import browser_of, desk, fill_in, publish_what_waits
from baoshan_portal.tests.pages import rows_of
from measures.access import REVIEWER, STEWARD
from measures.former_settings import taken_over
from measures.models import Opinion, Revision, Stage, Threshold, ThresholdCode
from measures.past import past
from measures.submission import end_of_day
from measures.tests.days import yesterday
from measures.tests.factories import (
    ISSUED,
    change,
    make_opinion,
    make_report,
    make_staff,
    make_stage,
    publish,
    reword,
    submit_changes,
    the_threshold,
)
from measures.thresholds import FIRST, Thresholds, columns
from measures.workflow import publish as publish_row
from metrics.rules.choices import Frequency, Kind, Verdict
from metrics.tests.factories import make_indicator, make_observation, make_plan, make_target

pytestmark = [pytest.mark.django_db, pytest.mark.long]

STARTED, HALF, LATER = date(2022, 1, 1), date(2022, 7, 2), date(2022, 7, 10)


def behind_by_ten_points():
    """40 of 100, reported monthly, after half of the year that the plan has."""
    plan = make_plan(start_on=STARTED, end_on=date(2022, 12, 31))
    row = make_indicator(
        kind=Kind.CUMULATIVE, frequency=Frequency.MONTHLY, published_on=STARTED,
        schedule_agreed_on=STARTED,
    )  # fmt: skip
    reword(row.measure, STARTED, published_on=STARTED)
    make_observation(
        indicator=row, value=Decimal(40), period_start=STARTED, period_end=date(2022, 5, 31),
        published=date(2022, 6, 1),
    )  # fmt: skip
    make_target(indicator=row, plan=plan, value=Decimal(100), published=STARTED)
    return row


def file_of(client, name, day) -> list[dict]:
    answer = client.get(f"/data/{name}.csv", {"as_of": day.isoformat()})
    return rows_of(answer.getvalue().decode())


def test_every_threshold_has_one_row_with_the_value_that_the_settings_had():
    assert Thresholds.read() == Thresholds(10, 30, {})
    with past(end_of_day(date(2020, 1, 1))):
        assert Thresholds.read() == Thresholds(10, 30, {})


def test_what_a_server_sets_is_taken_over():
    assert taken_over({}) == {}
    environment = {
        "PACE_TOLERANCE_POINTS": "15",
        "REPORTING_GRACE_DAYS": "",
        "STAGE_TERMS": "answered=180, closed=365",
    }
    found = taken_over(environment)
    assert found == {"pace-tolerance": 15, "term-answered": 180, "term-closed": 365}
    said = Thresholds.said(FIRST | found)
    assert said == Thresholds(15, 30, {Stage.ANSWERED: 180, Stage.CLOSED: 365})
    with pytest.raises(ValueError, match="soon"):
        taken_over({"STAGE_TERMS": "answered=soon"})


def test_they_come_beside_a_row_without_a_query(django_assert_num_queries):
    make_opinion()
    reword(the_threshold("term-answered"), value=180)
    with django_assert_num_queries(1):
        (row,) = Opinion.objects.annotate(**columns(ThresholdCode))
        assert Thresholds.beside(row) == Thresholds(10, 30, {Stage.ANSWERED: 180})


def test_a_verdict_of_a_past_day_uses_the_tolerance_that_stood_then(client):
    row = behind_by_ten_points()
    reword(the_threshold(), LATER, value=20)
    before = LATER - timedelta(days=1)

    (then,), (now,) = (file_of(client, "targets", day) for day in (before, LATER))
    assert (then["verdict"], now["verdict"]) == (Verdict.BEHIND, Verdict.ON_TRACK)
    # Nothing was reported: what became better did so because it is judged otherwise.
    assert now["redefined"] == "true"
    for address in (row.get_absolute_url(), row.measure.get_absolute_url()):
        pages = [
            client.get(f"/en{address}", {"as_of": day.isoformat()}).content.decode()
            for day in (before, LATER)
        ]
        assert "behind" in pages[0], address
        assert pages[0].count("behind schedule") > pages[1].count("behind schedule"), address

    behind = [
        len(client.get("/targets/", {"verdict": "behind", "as_of": day}).context["table"].data)
        for day in (before.isoformat(), LATER.isoformat())
    ]
    assert behind == [1, 0]

    (found,) = state_changes(before, LATER)
    assert (found.before, found.after) == (Verdict.BEHIND, Verdict.ON_TRACK)
    assert found.is_redefined


def test_whether_a_figure_is_late_goes_by_the_days_that_stood_then(client):
    behind_by_ten_points()
    # The value of June is due 30 days after it, and from 20 July on 5 days after it.
    reword(the_threshold("reporting-grace"), date(2022, 7, 20), value=5)

    def late(day) -> list[str]:
        page = client.get("/en/indicators/", {"fresh": "late", "as_of": day.isoformat()})
        return [str(row) for row in page.context["table"].data]

    assert [len(late(date(2022, 7, day))) for day in (19, 20)] == [0, 1]


def test_terms_of_a_past_day_are_those_that_stood_then(client):
    opinion = make_report().opinion
    make_stage(
        opinion=opinion, stage=Stage.HANDED_OVER, happened_on=date(2022, 1, 1), published=ISSUED
    )
    reword(the_threshold("term-closed"), date(2024, 1, 1), value=365)

    def page(day) -> str:
        return client.get("/en/", {"as_of": day.isoformat()}).content.decode()

    assert "2023-01-01" not in page(date(2023, 12, 31))
    assert "2023-01-01" in page(date(2024, 1, 1))


def test_a_steward_proposes_and_somebody_else_publishes():
    row, steward = the_threshold(), make_staff(STEWARD, REVIEWER)
    answer = fill_in(browser_of(steward), desk(row, "change"), value="101")
    assert answer.status_code == 200
    assert "百分点应在0至100之间。" in answer.content.decode()
    fill_in(browser_of(steward), desk(row, "change"), value="15")
    assert the_threshold().value == 10
    publish_what_waits()
    assert the_threshold().value == 15

    revision = submit_changes(change(the_threshold(), value=20), steward=steward)
    with pytest.raises(PermissionDenied):
        publish_row(revision, by=steward)
    assert the_threshold().value == 15


def test_nobody_changes_one_past_the_review_or_takes_one_away():
    table = Threshold._meta.db_table
    for statement in (f"UPDATE {table} SET value = 99", f"DELETE FROM {table}"):
        refused = pytest.raises(DatabaseError, match="public")
        with refused, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_method_changes_and_files_tell_the_one_of_the_day(client):
    make_report()
    publish(change(the_threshold(), value=17), reason="与区统计局一致")

    def method(**query) -> str:
        return client.get("/en/method/", query).content.decode()

    assert "more than 17 percentage points" in method()
    assert "more than 10 percentage points" in method(as_of=yesterday().isoformat())

    changes = client.get("/en/changes/", {"from": yesterday().isoformat()}).content.decode()
    for text in ("tolerance of the pace", "17", "与区统计局一致"):
        assert text in changes
    package = client.get("/data/datapackage.json").json()
    assert package["thresholds"]["pace_tolerance_points"] == 17

    rows = rows_of(client.get("/data/vintages.csv").getvalue().decode())
    versions = [row for row in rows if row["code"].startswith("pace-tolerance")]
    assert [(row["kind"], row["value"], row["unit"]) for row in versions] == [
        ("threshold", "10", "points"), ("threshold", "17", "points")
    ]  # fmt: skip
    assert versions[0]["public_from"] == "" and versions[1]["public_to"] == ""
    assert versions[0]["public_to"] == versions[1]["public_from"] != ""
    assert versions[1]["reason"] == Revision.objects.get().reason
    rows = file_of(client, "vintages", yesterday())
    (version,) = [row for row in rows if row["code"].startswith("pace-tolerance")]
    assert (version["value"], version["public_to"]) == ("10", "")


@pytest.mark.parametrize(("address", "times"), [("/", 1), ("/indicators/", 0), ("/targets/", 0)])
def test_a_page_asks_once_for_all_thresholds_or_has_those_that_judge(client, address, times):
    behind_by_ten_points()
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    alone = 'SELECT "measures_threshold"'
    assert sum(query["sql"].startswith(alone) for query in queries) == times
