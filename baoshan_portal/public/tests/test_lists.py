"""The public lists filter, sort and page through the URL, and export exactly what is filtered."""

import re
from datetime import date
from io import BytesIO
from urllib.parse import parse_qs, urlsplit

import openpyxl
import pytest

from baoshan_portal.tests import runs_once
from baoshan_portal.tests.pages import LISTS, links, rows_of, texts
from baoshan_portal.tests.slices import one_way_each, some
from measures.tests.factories import (
    ISSUED,
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

FILTERS = pytest.mark.once("test_lists_the_slow_way compares any question on both databases")
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


@pytest.mark.sweep
@EVERY_LIST
def test_a_list_filters_by_place_and_office(client, two_places, address):
    kinds = {"section": "section", "theme": "theme", "department": "office"}
    ways = [
        ({name: f"{code}-{kind}"}, [found])
        for code, found in (("east", "Alpha"), ("west", "Beta"))
        for name, kind in kinds.items()
    ]

    assert names(client, address) == ["Alpha", "Beta"]
    for query, expected in one_way_each(ways, first=LISTS.index(address.removeprefix("/en"))):
        assert names(client, address, **query) == expected, query


@FILTERS
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


@FILTERS
def test_the_list_of_indicators_filters_by_key_figures(client, two_places):
    assert names(client, "/en/indicators/", key="true") == ["Alpha"]
    assert names(client, "/en/indicators/", key="false") == ["Beta"]


@FILTERS
def test_the_list_of_targets_filters_by_claim(client, two_places):
    assert names(client, "/en/targets/", claim="met") == ["Alpha"]
    assert names(client, "/en/targets/", claim="none") == ["Beta"]
    assert names(client, "/en/targets/", claim="not-met") == []


@FILTERS
@EVERY_LIST
def test_filters_and_search_narrow_together(client, two_places, address):
    assert names(client, address, q="alpha", theme="east-theme") == ["Alpha"]
    assert names(client, address, q="alpha", theme="west-theme") == []


@runs_once.PAGES
@EVERY_LIST
def test_page_and_file_show_the_same_rows(client, two_places, address):
    html = html_of(client, address, section="west-section")

    cells = texts(html, "td")
    # Plan and lead stand below the name of a target.
    assert any(cell.split()[0] == "Beta" for cell in cells if cell)
    assert not any("Alpha" in cell for cell in cells)
    assert "1 row" in texts(html, "p")


@runs_once.ADDRESSES
@pytest.mark.sweep
@EVERY_LIST
def test_a_filter_value_that_is_unknown_is_refused_on_a_page(client, two_places, address):
    names = ("section", "theme", "department")
    ways = [{name: "nowhere"} for name in names]
    ways += [{name: "nowhere", "format": kind} for kind in ("csv", "xlsx") for name in names]
    for query in one_way_each(ways, ways=3, first=LISTS.index(address.removeprefix("/en"))):
        answer = client.get(address, query)
        html = answer.content.decode()

        assert answer.status_code == 400, query
        assert len(texts(html, "h1")) == 1
        assert "Alpha" not in html
        assert "nothing is shown" in html


@runs_once.ADDRESSES
@pytest.mark.parametrize("name", ["category", "kind", "level", "key"])
def test_an_unknown_kind_of_indicator_is_refused(client, two_places, name):
    answer = client.get("/en/indicators/", {name: "nonsense"})

    assert answer.status_code == 400
    assert "Alpha" not in answer.content.decode()


@EVERY_LIST
def test_a_search_in_traditional_characters_finds_simplified_ones(client, address):
    measure = make_measure(name="体育场馆")
    figure = make_indicator(measure=measure, name="体育场馆数")
    make_target(indicator=figure, plan=make_plan(), published=ISSUED)

    assert len(names(client, address, q="體育場館")) == 1
    assert names(client, address, q="體育館") == []


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


@runs_once.PAGES
@pytest.mark.sweep
@EVERY_LIST
def test_every_column_that_offers_to_sort_does_and_says_so(client, two_places, address):
    html = html_of(client, address)
    offered = sorted(
        {
            parse_qs(urlsplit(link).query)["sort"][0].removeprefix("-")
            for link in links(html)
            if "sort=" in link
        }
    )

    assert len(offered) >= 3
    ways = [(name, "ascending") for name in offered]
    ways += [(f"-{name}", "descending") for name in offered]
    # Of the columns, which sort by one piece of code, each fourth.
    for sort, said in some(one_way_each(ways), every=4, first=len(address)):
        assert html_of(client, address, sort=sort).count(f'aria-sort="{said}"') == 1, sort


NOT_OFFERED = ("nonsense", "-", "--number", "pk", "qualifier", "inferred", "value", "password")


@runs_once.ADDRESSES
@pytest.mark.sweep
@EVERY_LIST
def test_a_list_ignores_a_sort_that_it_does_not_offer(client, two_places, address):
    # Each list is asked for others.
    for sort in some(NOT_OFFERED, every=8, first=LISTS.index(address.removeprefix("/en"))):
        assert client.get(address, {"sort": sort}).status_code == 200
        assert names(client, address, sort=sort) == ["Alpha", "Beta"], sort


@runs_once.FILES
@pytest.mark.sweep
@pytest.mark.parametrize(
    ("prefix", "address"),
    one_way_each([(prefix, address) for prefix in ("", "/en") for address in LISTS]),
)
def test_an_export_opens_in_excel_under_headers_in_the_language_of_the_page(
    client, two_places, prefix, address
):
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
def test_text_that_would_run_as_a_formula_is_quoted_where_a_cell_has_no_type(client):
    starts = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
    wanted = {f"{start}HYPERLINK(1)" for start in starts}
    for order, text in enumerate(sorted(wanted), 1):
        indicator = make_indicator(measure=make_measure(order=order))
        stored_as(indicator.measure, name_en=text)
        stored_as(indicator, name_en=text)
        stored_as(make_observation(indicator=indicator), ISSUED, as_written=text, source_name=text)

    rows, measures = (exported(client, f"/en/{name}/") for name in ("indicators", "measures"))
    told = [row[name] for row in rows for name in ("Indicator", "Measure", "As written", "Source")]
    told += [row["Measure"] for row in measures]
    assert len(told) == 5 * len(starts)
    assert {cell[0] for cell in told} == {"'"}
    assert {cell[1:].strip() for cell in told} == {text.strip() for text in wanted}
    shown = []
    for row in list(workbook(client, "/en/indicators/"))[3:]:
        cells = [cell for cell in row if cell.value and "HYPERLINK" in str(cell.value)]
        assert {(cell.data_type, cell.number_format) for cell in cells} == {("s", "@")}
        assert len(cells) == 4
        shown += [{cell.value for cell in cells}]
    assert all(len(values) == 1 for values in shown)
    assert set().union(*shown) == {text.replace("\r", "\n") for text in wanted}
    assert len(shown) == len(starts)


@runs_once.FILES
def test_a_figure_with_its_sign_leaves_as_it_was_printed(client):
    figures = ("-3.2%", "−3.2 %", "+5家")
    for figure in figures:
        make_observation(indicator=make_indicator(), as_written=figure, published=ISSUED)

    told = {row["As written"] for row in exported(client, "/en/indicators/")}
    sheet = workbook(client, "/en/indicators/")
    assert told == set(figures)
    assert set(figures) <= {cell.value for row in sheet for cell in row}


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
    assert "2023-06-30" in texts(html_of(client, "/en/measures/"), "td")


@runs_once.PAGES
def test_a_measure_without_a_note_has_a_dash_on_the_page_and_nothing_in_the_file(client):
    make_measure()

    assert texts(html_of(client, "/en/measures/"), "td")[-1] == "—"
    assert exported(client, "/en/measures/")[0]["Latest note"] == ""


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
