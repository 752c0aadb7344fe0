"""The list of targets: how far, since when, how long still and who leads; numbers in its files."""

from datetime import date, timedelta
from io import BytesIO

import pytest
from openpyxl import load_workbook

from baoshan_portal.tests.pages import rows_of
from measures.tests.days import today
from measures.tests.factories import ISSUED, make_department, make_measure
from metrics.tests.factories import (
    make_indicator,
    make_observation,
    make_plan,
    make_target,
    make_unit,
)

pytestmark = pytest.mark.django_db


def make_goal(value, target, *, baseline=None, due_on=None, unit=None, **fields):
    office = make_department(name_en="The office")
    measure = make_measure(lead=office, published_on=ISSUED)
    indicator = make_indicator(unit=unit or make_unit(), measure=measure, published_on=ISSUED)
    if value is not None:
        make_observation(indicator=indicator, value=value, published=ISSUED)
    plan = make_plan(start_on=date(2021, 1, 1), end_on=date(2021, 12, 31))
    return make_target(
        indicator=indicator, plan=plan, value=target, baseline=baseline, due_on=due_on,
        published=ISSUED, **fields,
    )  # fmt: skip


def row_of(client) -> dict:
    (row,) = rows_of(client.get("/en/targets/?format=csv").getvalue().decode())
    return row


def test_the_file_carries_numbers_with_the_baseline(client):
    make_goal("75.5", 100, baseline=60, due_on=today() + timedelta(days=10))
    row = row_of(client)

    said = {
        "Target value": "100", "Value": "75.5", "Difference": "-24.5", "Completion (%)": "75.5",
        "Baseline": "60", "Progress since the baseline (%)": "38.75", "Days left": "10",
        "Lead department": "The office",
    }  # fmt: skip
    assert {name: row[name] for name in said} == said
    book = load_workbook(BytesIO(client.get("/en/targets/?format=xlsx").content))
    sheet = book.worksheets[-1]
    head, cells = (list(line) for line in sheet.iter_rows(min_row=3, max_row=4))
    kinds = {name.value: cell.data_type for name, cell in zip(head, cells, strict=True)}
    assert {kinds[name] for name in said if name != "Lead department"} == {"n"}
    assert kinds["Due on"] == "d"


def test_the_page_says_difference_way_days_and_who_leads(client):
    make_goal(75, 100, baseline=60, due_on=today() + timedelta(days=10))
    page = client.get("/en/targets/").content.decode()

    for words in ("−25", "37.5%", "10 days left", "The office", "bar-part", 'width="37.5"'):
        assert words in page, words


def test_what_is_over_says_since_when(client):
    make_goal(75, 100, due_on=today() - timedelta(days=3))
    assert "over for 3 days" in client.get("/en/targets/").content.decode()
    assert row_of(client)["Days left"] == "-3"


def test_without_a_published_target_nothing_is_computed(client):
    make_goal(8, None)
    row = row_of(client)
    names = ("Target value", "Difference", "Completion (%)", "Due on", "Days left")
    assert [row[name] for name in names] == [""] * 5
    assert "None" not in client.get("/en/targets/").content.decode()


@pytest.mark.parametrize(
    ("value", "words"), [(5, "2 places worse"), (2, "1 place better"), (3, "equal to the target")]
)
def test_ranks_are_no_amounts(client, value, words):
    rank = make_unit(name="名次", name_en="rank", quantity="rank")
    make_goal(value, 3, unit=rank, comparator="at-most")
    assert words in client.get("/en/targets/").content.decode()


def test_a_past_day_counts_its_own_days(client):
    make_goal(75, 100, due_on=date(2023, 12, 31))
    page = client.get("/en/targets/?as_of=2023-12-01").content.decode()
    assert "30 days left" in page
