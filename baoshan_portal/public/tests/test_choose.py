"""Indicators that a reader chose side by side: one unit or an index, and nothing in between."""

import re
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from baoshan_portal.tests import runs_once
from baoshan_portal.tests.pages import rows_of
from measures.tests.factories import ISSUED
from metrics.tests.factories import make_indicator, make_money, make_observation, make_unit

from .. import choose
from ..charts import side_by_side
from ..charts.side_by_side import Line, Point

pytestmark = [pytest.mark.django_db, pytest.mark.long]


def make_course(*values, unit=None, first=2020, **fields):
    """A public stock with a value at the end of each year from ``first`` on."""
    indicator = make_indicator(
        unit=unit or make_unit(), kind="stock", published_on=ISSUED, **fields
    )
    for n, value in enumerate(values):
        day = date(first + n, 12, 31)
        make_observation(
            indicator=indicator, value=Decimal(value), period_start=day, period_end=day,
            published=ISSUED,
        )  # fmt: skip
    return indicator


def address(*indicators, **query) -> str:
    parts = [f"indicator={row.code}" for row in indicators]
    return "/en/compare/?" + "&".join([*parts, *(f"{k}={v}" for k, v in query.items())])


def table(client, *indicators, **query) -> list[dict]:
    text = client.get(address(*indicators, format="csv", **query)).getvalue().decode()
    return rows_of(text)


def test_money_in_two_units_is_compared_in_the_larger(client):
    units = make_money()
    first, second = (
        make_course(2, 4, unit=units["亿元"]),
        make_course(1100, 2200, unit=units["万元"]),
    )
    context = client.get(address(first, second)).context

    assert str(context["choice"].unit) == units["亿元"].name_en
    assert [text for _row, text in context["choice"].rows] == ["4", "0.22"]
    assert context["choice"].mode == "unit"
    assert context["has_chart"]


@runs_once.PAGES
def test_unlike_things_are_indexed_and_the_page_says_why(client):
    first, second = make_course(50, 75), make_course(4, 3, unit=make_unit(quantity="parks"))
    answer = client.get(address(first, second))

    assert answer.context["choice"].mode == "index"
    assert "no unit holds them all" in answer.content.decode()
    assert [row["Index (base = 100)"] for row in table(client, first, second)] == [
        "100", "150", "100", "75",
    ]  # fmt: skip


def test_the_base_is_where_all_of_them_have_a_value(client):
    unit = make_unit()
    older = make_course(10, 20, 40, unit=unit)
    younger = make_course(5, 6, unit=unit, first=2021)
    found = table(client, older, younger, **{"as": "index"})
    assert [row["Index (base = 100)"] for row in found] == ["50", "100", "200", "100", "120"]


@runs_once.PAGES
@pytest.mark.parametrize("values", [(0, 5), (7,)])
def test_what_has_no_base_is_listed_with_the_reason_and_not_drawn(client, values):
    unit = make_unit()
    whole, odd = make_course(1, 2, unit=unit), make_course(*values, unit=unit)
    answer = client.get(address(whole, odd, **{"as": "index"}))

    assert not answer.context["has_chart"]
    (_row, other) = answer.context["choice"].chosen
    assert other.why_not
    assert "No chart" in answer.content.decode()


@runs_once.PAGES
def test_one_indicator_is_a_beginning_and_seven_are_too_many(client):
    unit = make_unit()
    rows = [make_course(1, 2, unit=unit) for _n in range(7)]
    assert client.get("/compare/").status_code == 200
    alone = client.get(address(rows[0]))
    assert alone.status_code == 200
    assert not alone.context["choice"].is_enough
    assert client.get(address(*rows[:6])).context["has_chart"]
    assert client.get(address(*rows)).status_code == 400


def test_what_is_not_public_cannot_be_chosen(client):
    public, hidden = make_course(1, 2), make_indicator(published_on=None)
    assert client.get(address(public, hidden)).status_code == 400
    assert client.get(address(public, public, as_of="2023-07-01")).status_code == 400
    assert hidden.code not in client.get("/compare/").content.decode()


@runs_once.ADDRESSES
@pytest.mark.parametrize(
    "query", ["as=nonsense", "format=pdf", "indicator=%00", "indicator=no-such"]
)
def test_what_cannot_be_answered_is_refused(client, query):
    assert client.get(f"/compare/?{query}").status_code == 400


@runs_once.FILES
def test_the_chart_is_a_file_that_names_what_it_shows(client):
    unit = make_unit()
    rows = [make_course(1, 2, unit=unit, name_en=name) for name in ("Alpha", "Beta")]
    url = address(*rows).replace("/compare/?", "/compare/chart.svg?")
    answer = client.get(url)

    assert answer["Content-Type"] == "image/svg+xml"
    text = answer.content.decode()
    assert "Alpha, Beta" in text
    assert f"indicator={rows[0].code}" in text
    assert client.get(url.replace(".svg", ".gif")).status_code == 404
    assert client.get("/compare/chart.svg").status_code == 404


@runs_once.PAGES
def test_every_indicator_leads_to_the_comparison(client):
    row = make_course(1, 2)
    page = client.get(row.get_absolute_url()).content.decode()
    assert f"/compare/?indicator={row.code}" in page


@runs_once.QUERIES
@pytest.mark.parametrize("query", [{}, {"as": "index"}, {"as_of": "2023-08-01"}])
def test_the_queries_do_not_grow_with_the_choice(client, query):
    def cost(*rows) -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(address(*rows, **query))
        return len(queries)

    unit = make_unit()
    rows = [make_course(1, 2, unit=unit) for _n in range(6)]
    assert cost(*rows) == cost(*rows[:2]) <= 8


@pytest.mark.once("reckons with places on a drawing")
def test_names_at_the_ends_of_lines_never_touch():
    lines = [
        Line(f"名称很长的指标第{n}项，挤在同一个位置上" * 2, n, [
            Point(date(2021, 12, 31), Decimal(100), "", True),
            Point(date(2022, 12, 31), Decimal(100 + n), "", True),
        ])
        for n in range(6)
    ]  # fmt: skip
    spec = side_by_side.spec(lines, "家", from_zero=True)
    labels = sorted(spec["layer"][-1]["data"]["values"], key=lambda row: row["y"])
    for above, below in zip(labels, labels[1:], strict=False):
        height = (above["text"].count("\n") + 1) * side_by_side.LINE
        assert below["y"] - above["y"] >= height


def offered(client, *indicators, **query) -> tuple[list[str], str]:
    """The codes that can be added, and what is said of how many there are."""
    html = client.get(address(*indicators, **query)).content.decode()
    choices = re.search(r'<select id="add".*?</select>', html, re.DOTALL)[0]
    options = re.findall(r'<option value="([\w-]+)">', choices)
    said = re.search(r'<p class="source" role="status">(.*?)</p>', html)
    return options, said[1] if said else ""


def make_halls() -> list:
    names = {"东": "east", "南": "south", "西": "west", "北": "north"}
    return [make_indicator(name=f"{zh}馆", name_en=f"Hall {en}") for zh, en in names.items()]


def test_of_too_many_indicators_the_first_are_offered_and_a_search(client, monkeypatch):
    monkeypatch.setattr(choose, "OFFERED", 3)
    rows = make_halls()
    codes = [row.code for row in rows]
    assert offered(client) == (
        codes[:3],
        "Only the first 3 indicators are offered; search for words of the one you want.",
    )
    # One that is chosen is offered no more, and three can be looked through.
    assert offered(client, rows[0]) == (codes[1:], "")


@runs_once.ADDRESSES
def test_a_search_longer_than_anybody_types_is_refused(client):
    assert client.get(address(q="馆" * 100)).status_code == 200
    answer = client.get(address(q="馆" * 101))
    assert (answer.status_code, "at most 100" in answer.content.decode()) == (400, True)


@runs_once.PAGES
def test_a_search_of_what_can_be_added_keeps_what_is_chosen(client):
    rows = make_halls()
    assert offered(client, rows[0], q="HALL west") == ([rows[2].code], "1 indicator is offered.")
    assert offered(client, rows[0], q="馆 东") == ([], "0 indicators are offered.")
    html = client.get(address(rows[0], q="hall")).content.decode()
    assert f'<input type="hidden" name="indicator" value="{rows[0].code}">' in html
    assert '<input id="words" type="search" name="q" value="hall" maxlength="100">' in html
