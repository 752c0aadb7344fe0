"""The public lists filter, sort and page through the URL, and export exactly what is filtered."""

import re
from datetime import date
from io import BytesIO
from urllib.parse import parse_qs, urlsplit

import openpyxl
import pytest

from baoshan_portal.tests import runs_once
from baoshan_portal.tests.pages import LISTS, language, links, rows_of, texts
from measures.models import Measure, Section
from measures.tests.factories import (
    ISSUED,
    as_reviewed,
    make_department,
    make_measure,
    make_note,
    make_section,
    make_theme,
    stored_as,
)
from metrics.rules.choices import Category, Claim, Kind, Level
from metrics.tests.factories import (
    make_indicator,
    make_money,
    make_observation,
    make_plan,
    make_target,
    make_unit,
)

from ..lists import facets
from ..lists.pages import measures_with_counts

pytestmark = [pytest.mark.django_db, pytest.mark.long]

EVERY_LIST = pytest.mark.parametrize("address", [f"/en{address}" for address in LISTS])


def html_of(client, address: str, **query) -> str:
    return client.get(address, query).getvalue().decode()


def exported(client, address: str, **query) -> list[dict]:
    return rows_of(html_of(client, address, format="csv", **query))


def names(client, address: str, **query) -> list[str]:
    """The rows of an English list, by name."""
    column = "Measure" if "measures" in address else "Indicator"
    return [row[column] for row in exported(client, address, **query)]


def workbook(client, address: str, **query):
    answer = client.get(address, {**query, "format": "xlsx"})
    return openpyxl.load_workbook(BytesIO(answer.content)).worksheets[-1]


@pytest.fixture
def two_places():
    """Alpha and Beta, a measure with an indicator and a target each, alike in nothing."""
    plan = make_plan()
    for name, code, fields, claim in (
        ("Alpha", "east", (Category.FUNDS, Kind.FLOW, Level.NATIONAL), Claim.MET),
        ("Beta", "west", (Category.SPACE, Kind.STOCK, Level.DISTRICT), Claim.NONE),
    ):
        section = make_section(code=f"{code}-section")
        theme = make_theme(code=f"{code}-theme", section=section)
        lead = make_department(code=f"{code}-office")
        measure = make_measure(theme=theme, lead=lead, name_en=name)
        category, kind, level = fields
        indicator = make_indicator(
            measure=measure,
            name_en=name,
            category=category,
            kind=kind,
            level=level,
            is_key=name == "Alpha",
        )
        make_target(indicator=indicator, plan=plan, claim=claim, published=ISSUED)


@EVERY_LIST
@pytest.mark.parametrize("name", ["section", "theme", "department"])
def test_a_list_filters_by_place_and_office(client, two_places, address, name):
    kind = {"department": "office"}.get(name, name)

    assert names(client, address, **{name: f"east-{kind}"}) == ["Alpha"]
    assert names(client, address, **{name: f"west-{kind}"}) == ["Beta"]
    assert names(client, address) == ["Alpha", "Beta"]


@pytest.mark.parametrize(
    ("name", "alpha", "beta", "neither"),
    [
        ("category", "funds", "space", "talent"),
        ("kind", "flow", "stock", "rank"),
        ("level", "national", "district", "municipal"),
    ],
)
def test_the_list_of_indicators_filters_by_what_they_are(
    client, two_places, name, alpha, beta, neither
):
    assert names(client, "/en/indicators/", **{name: alpha}) == ["Alpha"]
    assert names(client, "/en/indicators/", **{name: beta}) == ["Beta"]
    assert names(client, "/en/indicators/", **{name: neither}) == []


def test_the_list_of_indicators_filters_by_key_figures(client, two_places):
    assert names(client, "/en/indicators/", key="true") == ["Alpha"]
    assert names(client, "/en/indicators/", key="false") == ["Beta"]


def test_the_list_of_targets_filters_by_claim(client, two_places):
    assert names(client, "/en/targets/", claim="met") == ["Alpha"]
    assert names(client, "/en/targets/", claim="none") == ["Beta"]
    assert names(client, "/en/targets/", claim="not-met") == []


@EVERY_LIST
def test_filters_and_search_narrow_together(client, two_places, address):
    assert names(client, address, q="alpha", theme="east-theme") == ["Alpha"]
    assert names(client, address, q="alpha", theme="west-theme") == []


@EVERY_LIST
def test_page_and_file_show_the_same_rows(client, two_places, address):
    html = html_of(client, address, section="west-section")

    cells = texts(html, "td")
    # Plan and lead stand below the name of a target.
    assert any(cell.split()[0] == "Beta" for cell in cells if cell)
    assert not any("Alpha" in cell for cell in cells)
    assert "1 row" in texts(html, "p")


@runs_once.ADDRESSES
@EVERY_LIST
@pytest.mark.parametrize("file_format", [None, "csv", "xlsx"])
@pytest.mark.parametrize("name", ["section", "theme", "department"])
def test_a_filter_value_that_is_unknown_is_refused_on_a_page(
    client, two_places, address, name, file_format
):
    query = {name: "nowhere"} | ({"format": file_format} if file_format else {})

    answer = client.get(address, query)
    html = answer.content.decode()

    assert answer.status_code == 400
    assert len(texts(html, "h1")) == 1
    assert "Alpha" not in html
    assert "nothing is shown" in html


@runs_once.ADDRESSES
@pytest.mark.parametrize("name", ["category", "kind", "level", "key"])
def test_an_unknown_kind_of_indicator_is_refused(client, two_places, name):
    answer = client.get("/en/indicators/", {name: "nonsense"})

    assert answer.status_code == 400
    assert "Alpha" not in answer.content.decode()


@runs_once.ADDRESSES
@EVERY_LIST
def test_a_search_that_is_too_long_is_refused(client, two_places, address):
    assert client.get(address, {"q": "x" * 100}).status_code == 200
    assert client.get(address, {"q": "x" * 101}).status_code == 400
    assert client.get(address, {"q": "x" * 5000}).status_code == 400


@runs_once.ADDRESSES
@EVERY_LIST
def test_an_unknown_file_format_is_refused(client, two_places, address):
    answer = client.get(address, {"format": "docx"})

    assert answer.status_code == 400
    assert "docx" in answer.content.decode()


def test_measures_sort_by_number_as_a_person_counts(client):
    theme = make_theme(order=1, section=make_section(order=1))
    for order in (10, 2, 1):
        make_measure(theme=theme, order=order, name_en=f"Measure {order}")

    ascending = ["1.1.1", "1.1.2", "1.1.10"]
    for sort, expected in (("", ascending), ("number", ascending), ("-number", ascending[::-1])):
        rows = exported(client, "/en/measures/", sort=sort)
        assert [row["No."] for row in rows] == expected


def test_indicators_sort_by_value_across_units_of_one_quantity(client):
    units = make_money()
    for name, value, unit in (
        ("Middle", 5000, "万元"),
        ("Most", 1, "亿元"),
        ("Least", 9, "元"),
    ):
        make_observation(
            indicator=make_indicator(name_en=name, unit=units[unit]), value=value, published=ISSUED
        )

    assert names(client, "/en/indicators/", sort="figure") == ["Least", "Middle", "Most"]
    assert names(client, "/en/indicators/", sort="-figure") == ["Most", "Middle", "Least"]


def test_an_indicator_without_a_value_sorts_last_in_either_direction(client):
    make_indicator(name_en="Silent")
    for name, value in (("Less", -1), ("More", 1)):
        make_observation(
            indicator=make_indicator(name_en=name, unit=make_unit()), value=value, published=ISSUED
        )

    assert names(client, "/en/indicators/", sort="figure") == ["Less", "More", "Silent"]
    assert names(client, "/en/indicators/", sort="-figure") == ["More", "Less", "Silent"]


@EVERY_LIST
def test_every_column_that_offers_to_sort_does_and_says_so(client, two_places, address):
    html = html_of(client, address)
    offered = {
        parse_qs(urlsplit(link).query)["sort"][0].removeprefix("-")
        for link in links(html)
        if "sort=" in link
    }

    assert len(offered) >= 3
    for sort in offered:
        sorted_html = html_of(client, address, sort=sort)
        assert sorted_html.count('aria-sort="ascending"') == 1
        assert html_of(client, address, sort=f"-{sort}").count('aria-sort="descending"') == 1


@runs_once.ADDRESSES
@EVERY_LIST
@pytest.mark.parametrize(
    "sort", ["nonsense", "-", "--number", "pk", "qualifier", "inferred", "value", "password"]
)
def test_a_list_ignores_a_sort_that_it_does_not_offer(client, two_places, address, sort):
    assert client.get(address, {"sort": sort}).status_code == 200
    assert names(client, address, sort=sort) == ["Alpha", "Beta"]


@pytest.fixture
def sixty_measures():
    theme = make_theme(code="busy", order=1, section=make_section(order=1))
    for order in range(1, 61):
        make_measure(theme=theme, order=order, name_en=f"Work {order}")


def test_a_long_list_comes_in_pages_of_fifty(client, sixty_measures):
    first = texts(html_of(client, "/en/measures/"), "td")
    second = texts(html_of(client, "/en/measures/", page=2), "td")

    assert [name for name in first if name.startswith("Work")] == [
        f"Work {n}" for n in range(1, 51)
    ]
    assert [name for name in second if name.startswith("Work")] == [
        f"Work {n}" for n in range(51, 61)
    ]
    assert "60 rows" in html_of(client, "/en/measures/", page=2)


@pytest.mark.parametrize("sort", ["theme", "-theme", "lead", "indicator_count", "latest_note_on"])
def test_paging_through_rows_that_sort_alike_shows_each_once(client, sixty_measures, sort):
    shown = [
        cell
        for page in (1, 2)
        for cell in texts(html_of(client, "/en/measures/", sort=sort, page=page), "td")
        if cell.startswith("Work")
    ]

    assert sorted(shown) == sorted(f"Work {n}" for n in range(1, 61))


@runs_once.ADDRESSES
@pytest.mark.parametrize("page", ["9999", "0", "-1", "abc", "1.5", "9" * 30, "２.0"])
@pytest.mark.parametrize("prefix", ["", "/en"])
def test_a_page_that_does_not_exist_is_not_found(client, sixty_measures, prefix, page):
    answer = client.get(f"{prefix}/measures/", {"page": page})
    html = answer.content.decode()

    assert answer.status_code == 404
    assert len(texts(html, "h1")) == 1
    assert language(html) == ("en" if prefix else "zh-Hans")


@runs_once.ADDRESSES
@pytest.mark.parametrize("per_page", ["0", "-1", "abc", "1000000"])
def test_the_length_of_a_page_cannot_be_chosen(client, sixty_measures, per_page):
    html = html_of(client, "/en/measures/", per_page=per_page)

    assert len([cell for cell in texts(html, "td") if cell.startswith("Work")]) == 50


@pytest.mark.parametrize("query", [{}, {"page": 2}, {"page": "abc"}, {"per_page": 5}])
def test_a_file_holds_the_whole_filtered_set_and_not_a_page_of_it(client, sixty_measures, query):
    make_measure(name_en="Elsewhere")

    expected = [f"Work {n}" for n in range(1, 61)]
    assert names(client, "/en/measures/", theme="busy", **query) == expected
    rows = list(workbook(client, "/en/measures/", theme="busy", **query).values)
    assert [row[1] for row in rows[3:]] == expected


def test_a_file_is_sorted_like_the_page(client, sixty_measures):
    assert names(client, "/en/measures/", sort="-number")[:2] == ["Work 60", "Work 59"]


@runs_once.PAGES
def test_links_keep_filters_search_sort_and_day(client, sixty_measures):
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


@runs_once.FILES
@pytest.mark.parametrize("prefix", ["", "/en"])
def test_an_export_opens_in_excel_under_headers_in_the_language_of_the_page(
    client, two_places, prefix
):
    for address in LISTS:
        answer = client.get(f"{prefix}{address}", {"format": "csv"})
        content = answer.getvalue()
        assert content.startswith(b"\xef\xbb\xbf")
        assert answer["Content-Type"] == "text/csv; charset=utf-8"
        told, _sign, called = answer["Content-Disposition"].partition("; filename*=UTF-8''")
        assert re.fullmatch(r'attachment; filename="[a-z]+-\d{4}-\d\d-\d\d\.csv"', told)
        assert bool(called) == (not prefix)
        headers = list(rows_of(content.decode())[0])
        assert set(texts(html_of(client, f"{prefix}{address}"), "th")) <= set(headers)
        assert all(header.isascii() == bool(prefix) for header in headers)
        sheet = workbook(client, f"{prefix}{address}")
        assert [cell.value for cell in sheet[3]] == headers


@runs_once.FILES
def test_the_headers_for_people_are_these(client, two_places):
    headers = {address: list(exported(client, f"/en{address}")[0]) for address in LISTS}

    assert headers["/indicators/"] == [
        "No.",
        "Code",
        "Indicator",
        "Measure",
        "Latest value",
        "Value",
        "Unit",
        "Qualifier",
        "As written",
        "Period",
        "Period inferred",
        "Category",
        "Kind",
        "Checks with other figures",
        "Reported when due",
        "Source",
        "Change",
        "Year on year",
    ]


@runs_once.FILES
@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"])
def test_text_that_would_run_as_a_formula_is_quoted_where_a_cell_has_no_type(client, start):
    text = f"{start}HYPERLINK(1)"
    indicator = make_indicator(measure=make_measure())
    stored_as(indicator.measure, name_en=text)
    stored_as(indicator, name_en=text)
    stored_as(make_observation(indicator=indicator), ISSUED, as_written=text, source_name=text)

    (row,) = exported(client, "/en/indicators/")
    for column in ("Indicator", "Measure", "As written", "Source"):
        assert row[column].startswith(f"'{start.strip()}"), column
    assert exported(client, "/en/measures/")[0]["Measure"].startswith("'")
    sheet = workbook(client, "/en/indicators/")
    cells = [cell for cell in sheet[4] if cell.value and "HYPERLINK" in str(cell.value)]
    assert {(cell.data_type, cell.number_format) for cell in cells} == {("s", "@")}
    assert {cell.value for cell in cells} == {text.replace("\r", "\n")}
    assert len(cells) == 4


@runs_once.FILES
@pytest.mark.parametrize("figure", ["-3.2%", "−3.2 %", "+5家"])
def test_a_figure_with_its_sign_leaves_as_it_was_printed(client, figure):
    make_observation(indicator=make_indicator(), as_written=figure, published=ISSUED)

    assert exported(client, "/en/indicators/")[0]["As written"] == figure
    assert figure in [cell.value for cell in workbook(client, "/en/indicators/")[4]]


@runs_once.FILES
def test_a_number_stays_a_number_also_below_zero(client):
    indicator = make_indicator(unit=make_unit(name="%", quantity="percentage"))
    make_observation(indicator=indicator, value="-5.2", published=ISSUED)

    (row,) = exported(client, "/en/indicators/")
    sheet = workbook(client, "/en/indicators/")
    columns = [cell.value for cell in sheet[3]]
    value = sheet[4][columns.index("Value")]

    assert row["Value"] == "-5.2"
    assert value.data_type == "n"
    assert value.value == -5.2


@runs_once.FILES
def test_what_is_missing_is_an_empty_cell_and_not_a_zero(client):
    make_indicator(name_en="Silent")

    (row,) = exported(client, "/en/indicators/")

    assert row["Indicator"] == "Silent"
    for column in ("Latest value", "Value", "Qualifier", "As written", "Period", "Source"):
        assert row[column] == "", column


@runs_once.FILES
def test_the_latest_note_of_a_measure_is_an_iso_date_in_its_file(client):
    measure = make_measure()
    for day in (1, 30):
        make_note(measure=measure, happened_on=date(2023, 6, day), published=ISSUED)
    make_note(measure=measure, happened_on=date(2023, 7, 1))

    assert exported(client, "/en/measures/")[0]["Latest note"] == "2023-06-30"


@runs_once.PAGES
@EVERY_LIST
def test_an_empty_list_says_so(client, address):
    html = html_of(client, address)

    assert "answers to these filters" in html
    assert "0 rows" in html


@runs_once.FILES
def test_the_latest_note_of_a_measure_is_the_latest_public_one():
    measure = make_measure()
    june, july = date(2023, 6, 30), date(2023, 7, 31)
    make_note(measure=measure, happened_on=july, published=date(2023, 8, 1))
    make_note(measure=measure, happened_on=june, published=date(2023, 8, 15))
    make_note(measure=measure, happened_on=date(2023, 8, 31))
    latest = {
        as_of: measures_with_counts(as_of).get().latest_note_on
        for as_of in (date(2023, 7, 31), date(2023, 8, 1), None)
    }
    assert latest == {date(2023, 7, 31): None, date(2023, 8, 1): july, None: july}


def test_counts_of_a_measure_leave_out_indicators_that_are_not_public():
    measure = make_measure(published_on=date(2023, 7, 1))
    make_indicator(measure=measure)
    make_indicator(measure=measure, published_on=date(2023, 8, 1))
    make_indicator(measure=measure, published_on=None)
    counts = [
        measures_with_counts(day).get().indicator_count
        for day in (date(2023, 7, 24), date(2023, 7, 31), None)
    ]
    assert counts == [0, 1, 2]


@runs_once.PAGES
def test_a_filter_with_many_answers_shows_the_first_those_in_use_and_a_way_to_all(
    client, monkeypatch
):
    monkeypatch.setattr(facets, "MANY", 3)
    monkeypatch.setattr(facets, "FIRST", 2)
    section = make_section()
    themes = [make_theme(section=section, order=n + 1, code=f"theme-{n}") for n in range(5)]
    for n, theme in enumerate(themes):
        for _m in range(1 + (n in (1, 3))):
            make_measure(theme=theme)

    def offered(**query) -> list[str]:
        html = client.get("/en/measures/", query).content.decode()
        return re.findall(r'<input type="checkbox" name="theme" value="([^"]*)"', html)

    assert offered() == ["theme-1", "theme-3"]
    assert offered(theme="theme-4") == ["theme-1", "theme-3", "theme-4"]
    assert len(offered(all="theme")) == 5
    html = client.get("/en/measures/", {"q": ""}).content.decode()
    assert "?q=&amp;all=theme" in html
    assert "All 5 answers" in html
    assert len(client.get("/en/measures/", {"theme": "theme-0"}).content) > 0
