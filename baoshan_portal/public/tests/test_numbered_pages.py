"""Pages that would be long have numbered pages, and load what they show."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from baoshan_portal.tests import runs_once
from measures.tests.factories import ISSUED, make_measure
from metrics.models import Check
from metrics.rules.checks import Role
from metrics.tests.factories import (
    make_check,
    make_indicator,
    make_observation,
    make_term,
    make_unit,
)

from .. import checks, compare, numbered
from .. import measure as measure_page
from ..questions import page as questions

pytestmark = pytest.mark.django_db


def html_of(client, address, **query) -> str:
    answer = client.get(address, query)
    assert answer.status_code == 200
    return answer.content.decode()


def make_checks(count: int, begin: int = 0) -> list[Check]:
    """Checks, each of a part that is more than its whole."""
    made, measure = [], make_measure()
    for n in range(begin, begin + count):
        order = measure.indicators.count()
        whole = make_indicator(measure=measure, order=order + 1, name_en=f"Whole {n}")
        part = make_indicator(
            measure=measure, order=order + 2, name_en=f"Part {n}", unit=whole.unit
        )
        make_observation(indicator=whole, value=1, as_written="1", published=ISSUED)
        make_observation(indicator=part, value=2, as_written="2", published=ISSUED)
        check = make_check(code=f"check-{n}", order=n + 1, name_en=f"Check {n}")
        make_term(check_of=check, indicator=whole, role=Role.WHOLE)
        make_term(check_of=check, indicator=part, role=Role.PART)
        made.append(check)
    return made


def make_figures(count: int) -> None:
    """Amounts and numbers of enterprises, the last of each the largest."""
    measure = make_measure()
    yuan, firms = make_unit(name="元", quantity="money"), make_unit(name="家")
    for n in range(1, count + 1):
        for order, unit, more in (
            (n, yuan, {"category": "funds", "nature": "public" if n % 2 else "credit"}),
            (count + n, firms, {"category": "enterprises", "level": "national" if n % 2 else ""}),
        ):
            name = f"{unit.quantity} {n}"
            indicator = make_indicator(
                measure=measure, order=order, name_en=name, unit=unit, **more
            )
            make_observation(indicator=indicator, value=n, as_written=str(n), published=ISSUED)


def shown(html: str) -> list[str]:
    return re.findall('class="check" id="([^"]*)"', html)


@pytest.fixture
def two_a_page(monkeypatch):
    monkeypatch.setattr(checks, "PER_PAGE", 2)
    monkeypatch.setattr(questions, "PER_PAGE", 2)
    monkeypatch.setattr(numbered, "PER_PAGE", 2)
    monkeypatch.setattr(compare, "MOST_DRAWN", 2)


def test_checks_have_pages_and_a_link_to_one_leads_to_its_page(client, two_a_page):
    *_others, last = make_checks(5)

    first = html_of(client, "/en/checks/")

    assert shown(first) == ["check-0", "check-1"]
    assert 'class="pager"' in first
    assert "all 5" in first
    assert shown(html_of(client, "/en/checks/", page=3)) == ["check-4"]
    assert last.get_absolute_url().endswith("/checks/?check=check-4#check-4")
    assert shown(html_of(client, "/en/checks/", check="check-3")) == ["check-2", "check-3"]
    assert shown(html_of(client, "/en/checks/", check="unknown")) == ["check-0", "check-1"]
    assert client.get("/en/checks/", {"page": 4}).status_code == 404
    assert client.get("/en/checks/", {"page": "x"}).status_code == 404


@runs_once.PAGES
def test_few_checks_stand_on_one_page(client):
    make_checks(3)
    assert 'class="pager"' not in html_of(client, "/en/checks/")


#: Whose rows have numbered pages.
LONG = (
    "/en/checks/", "/en/questions/", "/en/money/", "/en/counted/enterprises/",
    "/en/compare/enterprises/", "/en/compare/funds/",
)  # fmt: skip


@runs_once.QUERIES
def test_what_is_not_shown_costs_no_query(client, two_a_page):
    def costs() -> dict[str, int]:
        found = {}
        for address in LONG:
            with CaptureQueriesContext(connection) as queries:
                html_of(client, address)
            found[address] = len(queries)
        return found

    make_checks(3)
    make_figures(5)
    before = costs()
    make_checks(9, begin=3)
    make_figures(9)
    assert costs() == before


def test_questions_have_pages_and_are_numbered_through(client, two_a_page):
    make_checks(5)

    html = html_of(client, "/en/questions/", page=2)

    # The sixth asks why nothing was said of the measure.
    assert "6 questions" in html
    assert '<ol class="questions of-all" start="3">' in html
    assert html.count('class="ask') == 2
    assert html_of(client, "/en/questions/", by="section", page=3).count('class="ask') == 2
    rows = client.get("/en/questions/", {"format": "csv"}).getvalue().decode().splitlines()
    assert len([row for row in rows if "cannot all be right" in row]) == 5


def rows_of(html: str) -> list[str]:
    """The names of the indicators in the tables of the page."""
    return re.findall(r'<td data-label="Indicator"><a [^>]*>([^<]*)</a>', html)


def test_money_has_pages_and_its_contents_lead_to_them(client, two_a_page):
    make_figures(5)

    first = html_of(client, "/en/money/")
    last = html_of(client, "/en/money/", page=3)

    assert rows_of(first) == ["money 1", "money 3"]
    assert rows_of(html_of(client, "/en/money/", page=2)) == ["money 5", "money 2"]
    assert rows_of(last) == ["money 4"]
    assert 'href="#nature-public"' in first
    assert 'href="?page=2#nature-credit"' in first
    assert 'id="nature-credit"' not in first
    assert 'href="?page=1#nature-public"' in last
    file = client.get("/en/money/", {"format": "csv"}).getvalue().decode()
    assert all(f"money {n}" in file for n in range(1, 6))


@runs_once.PAGES
def test_what_is_counted_has_pages(client, two_a_page):
    make_figures(5)
    pages = [html_of(client, "/en/counted/enterprises/", page=n) for n in (1, 2, 3)]
    assert [len(rows_of(html)) for html in pages] == [2, 2, 1]
    assert len({name for html in pages for name in rows_of(html)}) == 5
    assert all("national" in html.lower() for html in pages)


@runs_once.PAGES
def test_a_comparison_has_pages_the_largest_first_and_no_chart_of_too_many(client, two_a_page):
    make_figures(5)

    first = html_of(client, "/en/compare/funds/")

    assert rows_of(first) == ["money 5", "money 4"]
    assert rows_of(html_of(client, "/en/compare/funds/", page=3)) == ["money 1"]
    assert "too many for one chart" in first
    assert client.get("/en/compare/funds/money.svg").status_code == 404


def test_a_measure_with_many_figures_has_pages(client, monkeypatch):
    monkeypatch.setattr(measure_page, "FIGURES", 2)
    measure = make_measure()
    for n in range(1, 4):
        indicator = make_indicator(measure=measure, order=n, name_en=f"Figure {n}")
        make_observation(indicator=indicator, published=ISSUED)
    address = "/en" + measure.get_absolute_url()

    def figures(**query):
        return re.findall(r">(Figure \d)<", html_of(client, address, **query))

    assert figures() == ["Figure 1", "Figure 2"]
    assert 'rel="next" href="?page=2"' in html_of(client, address)
    assert figures(page=2) == ["Figure 3"]
    assert client.get(address, {"page": 3}).status_code == 404
