"""Departments side by side and each by itself: what it leads, what is late, what it was asked."""

from datetime import date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from baoshan_portal.tests import runs_once
from baoshan_portal.tests.pages import rows_of
from measures.models import Round
from measures.tests.days import yesterday
from measures.tests.factories import (
    ISSUED,
    change,
    make_department,
    make_measure,
    make_note,
    make_round,
    publish,
    reword,
    to_the_past,
)
from metrics import due
from metrics.rules.choices import Claim, Frequency
from metrics.tests.factories import (
    make_indicator,
    make_observation,
    make_plan,
    make_target,
    make_unit,
)

from ..departments import records

pytestmark = [pytest.mark.django_db, pytest.mark.long]


def make_led(office=None, **fields):
    """A public measure that ``office`` leads."""
    return make_measure(lead=office or make_department(), published_on=ISSUED, **fields)


def record_of(office, as_of=None):
    return records.record_of(office, as_of)


def table(client, **query) -> dict[str, dict]:
    text = client.get("/en/departments/", {"format": "csv", **query}).getvalue().decode()
    return {row["Code"]: row for row in rows_of(text)}


def test_what_it_leads_and_supports_is_counted(client):
    office = make_department()
    for confirmed in (True, False):
        make_led(office, lead_confirmed=confirmed)
    make_led().supporting.add(office)
    make_measure(lead=office, published_on=None)

    row = table(client)[office.code]
    assert (row["Leads"], row["of these proposed"], row["Supports"]) == ("2", "1", "1")


@runs_once.PAGES
def test_proposals_are_marked_and_the_table_says_so(client):
    office = make_department()
    measure = make_led(office)
    assert "1 proposed" in client.get("/en/departments/").content.decode()
    assert "is a proposal of the portal" in client.get("/en/departments/").content.decode()

    reword(measure, lead_confirmed=True)
    assert "proposed" not in client.get("/en/departments/").content.decode()


def make_judged(office, value, target, claim=Claim.NONE):
    unit = make_unit()
    indicator = make_indicator(measure=make_led(office), unit=unit, published_on=ISSUED)
    make_observation(indicator=indicator, value=value, published=ISSUED)
    plan = make_plan(start_on=date(2021, 1, 1), end_on=date(2023, 12, 31))
    make_target(
        indicator=indicator, plan=plan, value=target, due_on=date(2023, 12, 31), claim=claim,
        published=ISSUED,
    )  # fmt: skip
    return indicator


def test_targets_are_counted_by_their_conclusion_and_the_gravest_department_stands_first(client):
    good, bad = make_department(code="a-good"), make_department(code="b-bad")
    make_judged(good, 10, 10)
    make_judged(bad, 9, 10, claim=Claim.MET)

    rows = table(client)
    assert list(rows) == ["b-bad", "a-good"]
    assert rows["b-bad"]["target missed"] == rows["a-good"]["target met"] == "1"
    assert rows["b-bad"]["target met"] == "0"
    assert rows["b-bad"]["Claims that the values contradict"] == "1"
    page = client.get("/en/departments/b-bad/").content.decode()
    assert "contradicts what the source claims" in page


def test_what_was_agreed_and_not_reported_is_overdue(client):
    office = make_department()
    indicator = make_indicator(
        measure=make_led(office), frequency=Frequency.QUARTERLY, schedule_agreed_on=ISSUED,
        published_on=ISSUED,
    )  # fmt: skip
    make_observation(
        indicator=indicator, period_start=None, period_end=date(2023, 6, 30), published=ISSUED
    )

    assert table(client)[office.code]["overdue"] == "1"
    assert 'id="late"' in client.get(f"/departments/{office.code}/").content.decode()
    # On the day of issue nothing was late yet.
    assert record_of(office, ISSUED).overdue == 0


DUE = date(2024, 4, 20)


def make_asked(office, submitted: date | None) -> Round:
    """A locked round that asked one figure of ``office``, handed in on that day or never."""
    round_ = make_round(
        period_start=date(2024, 1, 1), period_end=date(2024, 3, 31), opens_on=date(2024, 3, 20),
        due_on=DUE,
    )  # fmt: skip
    indicator = make_indicator(
        measure=make_led(office), frequency=Frequency.QUARTERLY, published_on=ISSUED
    )
    due.fix(round_)
    if submitted:
        make_observation(
            indicator=indicator, round=round_, period_start=round_.period_start,
            period_end=round_.period_end, published=DUE + timedelta(days=30),
            submitted_at=timezone.make_aware(datetime.combine(submitted, datetime.min.time())),
        )  # fmt: skip
    return round_


@pytest.mark.parametrize(
    ("submitted", "counts"),
    [
        (DUE, (1, 1, 0, 0)),
        (DUE + timedelta(days=1), (1, 0, 1, 0)),
        (None, (1, 0, 0, 1)),
    ],
)
def test_on_time_is_what_was_handed_in_by_the_due_day(client, submitted, counts):
    office = make_department()
    make_asked(office, submitted)

    row = table(client)[office.code]
    names = ("Due in locked rounds", "handed in on time", "handed in late", "never handed in")
    assert tuple(int(row[name]) for name in names) == counts
    assert row["On time"] == ("100" if counts[1] else "0")


def test_a_round_that_is_not_locked_counts_for_nobody(client):
    office = make_department()
    make_led(office)
    make_round(due_on=DUE, opens_on=date(2024, 3, 20))

    assert record_of(office).on_time_share is None
    assert table(client)[office.code]["On time"] == ""


def test_a_department_that_ended_and_handed_all_over_keeps_its_page(client):
    old, new = make_department(name="经委"), make_department(name="经信委")
    measure = make_led(old)
    publish(change(measure, lead=new.code))
    reword(old, since=yesterday(), ended_on=yesterday())
    with_page = client.get(f"/departments/{old.code}/")

    assert with_page.status_code == 200
    assert f"已于{yesterday().isoformat()}撤销" in with_page.content.decode()
    assert old.code in table(client)
    assert table(client)[old.code]["Leads"] == "0"
    # Of yesterday, the measure still stands under the old one.
    assert table(client, as_of=yesterday().isoformat())[old.code]["Leads"] == "1"


def test_an_office_that_names_no_public_measure_has_no_page(client):
    hidden, ended = make_department(), make_department(ended_on=ISSUED)
    make_measure(lead=hidden, published_on=None)
    for office in (hidden, ended):
        assert client.get(f"/departments/{office.code}/").status_code == 404
        assert office.code not in table(client)


def test_a_draft_that_changed_its_department_shows_neither_before_its_day(client):
    before, now = make_department(), make_department()
    tomorrow = timezone.localdate() + timedelta(days=1)
    measure = make_measure(lead=before, published_on=tomorrow)
    reword(measure, lead=now)
    for office in (before, now):
        assert client.get(f"/departments/{office.code}/").status_code == 404


def test_a_past_day_shows_the_departments_of_that_day(client):
    office = make_department()
    make_led(office)
    day_before = (ISSUED - timedelta(days=1)).isoformat()
    assert client.get(f"/departments/{office.code}/", {"as_of": day_before}).status_code == 404
    assert table(client, as_of=day_before) == {}


def test_the_page_lists_what_changed_and_the_feed_has_it(client):
    office = make_department()
    measure = make_led(office)
    note = make_note(measure=measure, published=date(2023, 9, 1), text="已开工。", text_en="Begun.")
    other = make_note(measure=make_led(), published=date(2023, 9, 1), text_en="Elsewhere.")

    page = client.get(f"/en/departments/{office.code}/?as_of=2023-09-01").content.decode()
    feed = client.get(f"/en/changes/feed/department/{office.code}/").content.decode()
    for text in (page, feed):
        assert "Begun." in text
        assert "Elsewhere." not in text
    assert note.pk != other.pk
    assert client.get("/changes/feed/department/nobody/").status_code == 404


@runs_once.QUERIES
@pytest.mark.parametrize("query", ["", "?format=csv", "?as_of=2023-08-01"])
def test_the_queries_do_not_grow_with_the_departments(client, query):
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/departments/{query}").getvalue()
        return len(queries)

    make_asked(make_department(), DUE)
    make_judged(make_department(), 9, 10)
    before = cost()
    for _n in range(5):
        office = make_department()
        make_asked(office, DUE)
        make_judged(office, 9, 10)
        make_led().supporting.add(office)
    # On a past day also what was touched since, of figures and of targets.
    of_past = to_the_past(query) + 2 if "as_of" in query else 0
    assert cost() == before <= 18 + of_past


@runs_once.ADDRESSES
def test_an_unknown_format_is_refused_with_a_sentence(client):
    assert client.get("/departments/?format=pdf").status_code == 400


@runs_once.PAGES
def test_the_report_shows_all_its_proposed_departments(report, client):
    page = client.get("/departments/").content.decode()
    assert "区科学技术委员会" in page
    assert "建议" in page
