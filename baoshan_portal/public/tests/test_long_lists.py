"""A long list comes in pages, and its file whole."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from baoshan_portal.tests import runs_once
from baoshan_portal.tests.pages import language, links, texts
from baoshan_portal.tests.slices import one_way_each, some
from measures import spreadsheets
from measures.models import Measure, Section
from measures.tests.factories import (
    as_reviewed,
    make_department,
    make_measure,
    make_section,
    make_theme,
)

from ..remembered import VERSION
from .test_lists import html_of, names, workbook

pytestmark = pytest.mark.django_db

SORTS = ("theme", "-theme", "lead", "indicator_count", "latest_note_on")


@pytest.fixture(scope="module", autouse=True)
def sixty_measures(module_rows):
    theme = make_theme(code="busy", order=1, section=make_section(order=1))
    for order in range(1, 61):
        make_measure(theme=theme, order=order, name_en=f"Work {order}")


def works(html: str) -> list[str]:
    return [cell for cell in texts(html, "td") if cell.startswith("Work")]


def test_a_long_list_comes_in_pages_of_fifty(client):
    first, second = (html_of(client, "/en/measures/", **page) for page in ({}, {"page": 2}))

    assert works(first) == [f"Work {n}" for n in range(1, 51)]
    assert works(second) == [f"Work {n}" for n in range(51, 61)]
    assert "60 rows" in second


@pytest.mark.sweep
@pytest.mark.parametrize("sort", some(SORTS, every=3))
def test_paging_through_rows_that_sort_alike_shows_each_once(client, sort):
    shown = [
        name
        for page in (1, 2)
        for name in works(html_of(client, "/en/measures/", sort=sort, page=page))
    ]

    assert sorted(shown) == sorted(f"Work {n}" for n in range(1, 61))


def test_the_whole_list_is_counted_once_for_a_version_of_the_data(client):
    def asked(version, address="/en/measures/", **query):
        with CaptureQueriesContext(connection) as queries:
            html = client.get(address, query, **{VERSION: version}).text
        assert "60 rows" in html or "共60条" in html
        return sum("GROUP BY 1" in query["sql"] for query in queries)

    first, second = 10**8, 10**8 + 1

    assert asked(first) == 1
    assert not asked(first, page=2)
    assert not asked(first, "/measures/", sort="-lead")
    assert asked(first, section=Section.objects.get().code) > 0
    assert asked(second) == 1


@runs_once.ADDRESSES
@pytest.mark.sweep
def test_a_page_that_does_not_exist_is_not_found(client):
    numbers = ("9999", "0", "-1", "abc", "1.5", "9" * 30, "２.0")
    ways = [(prefix, page) for prefix in ("", "/en") for page in numbers]
    for prefix, page in one_way_each(ways):
        answer = client.get(f"{prefix}/measures/", {"page": page})
        html = answer.content.decode()

        assert answer.status_code == 404, page
        assert len(texts(html, "h1")) == 1
        assert language(html) == ("en" if prefix else "zh-Hans")


@runs_once.ADDRESSES
@pytest.mark.sweep
def test_the_length_of_a_page_cannot_be_chosen(client):
    for per_page in some(("0", "-1", "abc", "1000000"), every=3):
        assert len(works(html_of(client, "/en/measures/", per_page=per_page))) == 50, per_page


@pytest.mark.sweep
def test_a_file_holds_the_whole_filtered_set_and_not_a_page_of_it(client):
    make_measure(name_en="Elsewhere")
    expected = [f"Work {n}" for n in range(1, 61)]
    queries = ({}, {"page": 2}, {"page": "abc"}, {"per_page": 5})

    for kind, query in one_way_each([(k, q) for k in ("csv", "xlsx") for q in queries]):
        if kind == "csv":
            found = names(client, "/en/measures/", theme="busy", **query)
        else:
            rows = list(workbook(client, "/en/measures/", theme="busy", **query).values)
            found = [row[1] for row in rows[3:]]
        assert found == expected, (kind, query)


def test_a_file_is_sorted_like_the_page(client):
    assert names(client, "/en/measures/", sort="-number")[:2] == ["Work 60", "Work 59"]


@runs_once.PAGES
def test_links_keep_filters_search_sort_and_day(client):
    other = make_measure(theme=make_theme(code="other", section=Section.objects.get(order=1)))
    state = {
        "theme": ["busy", "other"],
        "not_department": ["none", "office"],
        "q": ["Work"],
        "as_of": ["2023-08-01"],
        "sort": ["-name"],
    }
    with as_reviewed():
        other.supporting.add(make_department(code="office"))
        Measure.objects.update(lead=make_department(code="lead"))

    html = html_of(client, "/en/measures/", page=2, **state)

    kept = [parse_qs(urlsplit(link).query) for link in links(html)]
    by_what = {
        "sort": [query for query in kept if query.get("sort", ["-name"]) != ["-name"]],
        "page": [query for query in kept if query.keys() == {*state, "page"}],
        "file": [query for query in kept if "format" in query],
    }
    assert all(by_what.values())
    for query in sum(by_what.values(), []):
        for key in ("theme", "not_department", "q", "as_of"):
            assert query[key] == state[key]
    for query in by_what["sort"]:
        assert query["page"] == ["1"]
    assert [query["format"] for query in by_what["file"]] == [["csv"], ["xlsx"]]
    for query in by_what["file"]:
        assert query["sort"] == ["-name"]
        assert "page" not in query
    for name, value in (("sort", "-name"), ("as_of", "2023-08-01")):
        assert f'<input type="hidden" name="{name}" value="{value}">' in html
    for box in ("in-theme-busy", "in-theme-other", "not-department-none", "not-department-office"):
        assert re.search(f'id="{box}" checked', html), box


def test_a_long_file_says_what_is_so_when_it_is_sent(client, monkeypatch):
    """It is begun anew then: what was read of a past day before does not outlive that day's views
    on SQLite."""
    monkeypatch.setattr(spreadsheets, "SENT_TOGETHER", 100)
    answer = client.get("/en/measures/", {"format": "csv"})
    with as_reviewed():
        Measure.objects.update(name_en="Renamed")

    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert sum("Renamed" in line for line in lines) == 60
