"""Two opinions side by side: nothing of the one stands under the other.

The second is invented (``tests/fixtures/second_opinion.yaml``): health care, asked for in 2024,
answered by a report in 2024 and a reply letter in 2025.
"""

import json
import re
from functools import cache
from io import BytesIO

import openpyxl
import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from docx import Document

from baoshan_portal.tests.pages import FILES, SECOND_OPINION, rows_of, texts
from baoshan_portal.tests.slices import some
from measures.models import Opinion, Section
from measures.tests.factories import ISSUED, to_the_past
from metrics.models import Indicator, Plan
from metrics.summaries import write_missing
from metrics.tests.factories import make_plan, make_target

from ..changes import page as page_of_changes
from .front_page import html_of, parts, row_of

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.long,
    pytest.mark.once("reads which rows a page shows; how they are asked for is tried on both"),
]

FIRST, SECOND = "baohui-2022-36", "invented-2024-18"
FIRST_NUMBER, SECOND_NUMBER = "宝会〔2022〕36号", "宝会〔2024〕18号"
#: What is only of the second opinion, and what is only of the first
HEALTH = ("Care close to home", "Community clinics", "People with a family doctor")
SCIENCE = ("Upgrading the industrial structure", "University technology transfer")


@pytest.fixture(scope="module")
def both(report):
    """Both opinions, there for all tests of a module."""
    call_command("loaddata", SECOND_OPINION, verbosity=0)
    write_missing()


def text_at(client, address: str, **query) -> str:
    answer = client.get(address, query)
    assert answer.status_code == 200, address
    return answer.getvalue().decode()


@pytest.fixture(scope="module")
def read(both):
    """The text at an address, which is asked for once: nothing changes between."""
    client = Client()

    @cache
    def read(address: str = "/en/", **query) -> str:
        return text_at(client, address, **query)

    return read


def main_of(html: str) -> str:
    return html[html.index("<main") : html.index("</main>")]


def words_of(html: str) -> str:
    return re.sub("<[^>]*>", "", main_of(html))


def without_switch(html: str) -> str:
    return re.sub('<nav class="opinions".*?</nav>', "", main_of(html), flags=re.DOTALL)


# One opinion


@pytest.fixture(scope="module")
def alone(report):
    """The text at an address where there is one opinion, asked for once."""
    client = Client()
    return cache(lambda address: text_at(client, address))


@pytest.mark.parametrize("address", ["/", "/en/", f"/en/opinions/{FIRST}/"])
def test_with_one_opinion_there_is_no_switch(alone, address):
    html = alone(address)

    assert 'class="opinions"' not in html
    assert "opinion=" not in html


@pytest.mark.sweep
@pytest.mark.parametrize("name", some(["measures", "indicators", "targets"], every=2))
def test_with_one_opinion_a_list_and_its_file_do_not_name_it(client, report, name):
    html = text_at(client, f"/en/{name}/")

    assert 'name="opinion"' not in html
    assert FIRST_NUMBER not in html
    assert "Opinion" not in text_at(client, f"/en/{name}/", format="csv").splitlines()[0]


def test_one_opinion_has_the_same_front_page_at_its_own_address(alone):
    assert main_of(alone("/en/")) == main_of(alone(f"/en/opinions/{FIRST}/"))


# The front page and the switch


def test_the_front_page_is_that_of_the_opinion_of_which_was_heard_last(read):
    assert without_switch(read()) == without_switch(read(f"/en/opinions/{SECOND}/"))


DAYS = [
    ("2024-03-14", FIRST),  # the day before it was issued
    ("2023-07-25", FIRST),
    ("2024-03-15", SECOND),
]


@pytest.mark.sweep
@pytest.mark.parametrize(("day", "code"), some(DAYS, every=2))
def test_the_newest_opinion_is_that_of_the_pages_day(read, day, code):
    page = read(as_of=day)

    assert without_switch(page) == without_switch(read(f"/en/opinions/{code}/", as_of=day))


def test_an_opinion_of_later_has_no_page_and_no_place_in_the_switch(client, read):
    answer = client.get(f"/en/opinions/{SECOND}/", {"as_of": "2024-03-14"})

    assert answer.status_code == 404
    assert "it is since 15 March 2024" in answer.content.decode()
    assert 'class="opinions"' not in read(as_of="2024-03-14")


def test_an_opinion_that_nobody_knows_is_not_found(client, read):
    assert client.get("/en/opinions/nothing/").status_code == 404
    assert client.get("/en/opinions/nothing/sections/1/").status_code == 404


def test_the_switch_lists_all_with_counts(read):
    (switch,) = re.findall('<nav class="opinions".*?</nav>', read(), re.DOTALL)
    first, second = texts(switch, "li")

    assert FIRST_NUMBER in first and "2023-07-25" in first
    assert "80 measures" in first and "118 of 118 indicators" in first
    assert SECOND_NUMBER in second and "4 measures" in second
    # The newest first; the care beds have no figure.
    assert second.index("reply letter 宝府〔2025〕91号") < second.index("report 宝府〔2024〕88号")
    assert "4 of 5 indicators" in second
    assert "%" not in first + second


@pytest.mark.sweep
@pytest.mark.parametrize(
    "address", some(["/", f"/opinions/{FIRST}/", "/?as_of=2024-06-01"], every=2)
)
def test_with_several_opinions_the_front_page_asks_eighteen_questions_at_most(
    client, both, address
):
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200

    assert len(queries) <= 18 + to_the_past("as_of" in address)


def test_the_page_of_an_opinion_shows_its_own_rows_alone(read):
    first = without_switch(read(f"/en/opinions/{FIRST}/"))
    second = without_switch(read(f"/en/opinions/{SECOND}/"))

    assert SCIENCE[0] in first and SCIENCE[0] not in second
    assert HEALTH[0] in second and HEALTH[0] not in first
    assert "宝府〔2023〕70号" in first and "宝府〔2023〕70号" not in second
    assert "宝府〔2025〕91号" in second and "宝府〔2024〕88号" in second
    assert "宝府〔2025〕91号" not in first


def test_the_counts_of_an_opinion_are_its_own(read):
    html = read(f"/en/opinions/{SECOND}/")

    for name, measures, figures in (
        ("Care close to home", 3, 4),
        ("Health of the old", 1, 1),
        ("Total", 4, 5),
    ):
        cells = [sum(map(int, re.findall(r"\d+", cell))) for cell in row_of(html, name)]
        assert cells[1:3] == [measures, figures], name
    counts = parts(html)
    assert counts["has one"][0] == "4/5"
    assert (
        sum(int(counts[label][0].partition("/")[0]) for label in ("holds", "cannot be told")) == 1
    )


@pytest.mark.sweep
def test_every_count_of_an_opinion_leads_to_a_list_of_as_many(read):
    # Of the first, test_overview_of_the_report follows the same counts.
    for code in some((SECOND, FIRST), every=2):
        offered = parts(read(f"/en/opinions/{code}/")).items()
        for label, (count, link) in some(offered, every=6):
            html = read(link.partition("?")[0] + "?" + link.partition("?")[2])
            n = int(count.partition("/")[0])
            if "/checks/" in link:
                assert html.count('<article class="check"') == n, (code, label)
            else:
                assert re.search(rf">{n} rows?<", html), (code, label, link)


def test_each_plan_shows_its_own_time_used(read):
    html = without_switch(read(f"/en/opinions/{SECOND}/", as_of="2025-12-31"))

    assert "Three-year health plan" in html
    assert "The plan’s period: 2 years gone, 1 year left until the end of 2026" in html
    assert "Ten-year plan" in html
    assert "The plan’s period: 5 years gone, 5 years left until the end of 2030" in html
    assert "Three-year action plan for the science" not in html


def test_a_further_plan_of_an_opinion_does_not_hide_the_first(client, both):
    plan = make_plan(opinion=Opinion.objects.get(code=FIRST), name_en="A further plan")
    of_first = Indicator.objects.of_opinion(plan.opinion).first()
    make_target(plan=plan, indicator=of_first, published=ISSUED)
    html = html_of(client, f"/en/opinions/{FIRST}/")

    assert "A further plan" in html
    assert str(Plan.objects.get(code="three-year-action-plan").name_en) in html


def test_the_committees_word_stands_under_its_own_opinion(read):
    first, second = (read(f"/en/opinions/{code}/") for code in (FIRST, SECOND))

    assert "evaluation-invented-evaluation-2025" in second
    assert "evaluation-invented-evaluation-2025" not in first
    changes = read("/en/changes/")
    assert f"/en/opinions/{SECOND}/#evaluation-invented-evaluation-2025" in changes


# Sections


def test_old_addresses_of_sections_mean_the_first_opinion(read):
    assert SCIENCE[0] in read("/en/sections/1/")
    assert "Care close to home" not in read("/en/sections/1/")


def test_the_sections_of_another_opinion_have_its_address(client, read):
    html = read(f"/en/opinions/{SECOND}/sections/1/")

    assert "Care close to home" in html
    assert not any(words in html for words in SCIENCE)
    assert client.get(f"/en/opinions/{SECOND}/sections/3/").status_code == 404
    # By the way of every opinion also those that have a shorter one.
    assert main_of(read(f"/en/opinions/{FIRST}/sections/1/")) == main_of(read("/en/sections/1/"))


def test_a_section_knows_its_address_without_a_query(both, django_assert_num_queries):
    with django_assert_num_queries(1):
        addresses = [row.get_absolute_url() for row in Section.objects.select_related("opinion")]

    assert addresses == [
        *(f"/sections/{n}/" for n in (1, 2, 3, 4)),
        *(f"/opinions/{SECOND}/sections/{n}/" for n in (1, 2)),
    ]


def test_pages_below_lead_up_to_their_own_section(read):
    for address in (
        "/en/measures/open-community-clinics/",
        "/en/indicators/community-clinics-new/",
    ):
        html = read(address)
        assert f"/en/opinions/{SECOND}/sections/1/" in html, address
        assert 'href="/en/sections/1/' not in html, address


# Lists, filters and files


LISTS = {"measures": (80, 4), "indicators": (118, 5), "targets": (2, 2)}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_asks_for_the_opinion_and_names_it(read, name):
    html = read(f"/en/{name}/", opinion=SECOND)

    assert f">{LISTS[name][1]} rows<" in html
    assert FIRST_NUMBER in html  # among the filters
    lines = rows_of(read(f"/en/{name}/", format="csv"))
    assert [row["Opinion"] for row in lines] == [
        *[FIRST_NUMBER] * LISTS[name][0],
        *[SECOND_NUMBER] * LISTS[name][1],
    ]
    lines = rows_of(read(f"/en/{name}/", format="csv", not_opinion=FIRST))
    assert {row["Opinion"] for row in lines} == {SECOND_NUMBER}


def test_the_filters_of_sections_and_themes_say_of_which_opinion_they_are(read):
    html = words_of(read("/en/indicators/"))

    assert f"{FIRST_NUMBER} 1 Upgrading" in html
    assert f"{SECOND_NUMBER} 1 Care close to home" in html
    assert f"{SECOND_NUMBER} 1.1 Community clinics" in html


@pytest.mark.sweep
@pytest.mark.parametrize("name", some(LISTS, every=2))
def test_a_second_opinion_costs_a_list_no_query(client, both, name):
    with CaptureQueriesContext(connection) as queries:
        html_of(client, f"/en/{name}/")
    with CaptureQueriesContext(connection) as of_one:
        html_of(client, f"/en/{name}/", opinion=SECOND)

    assert len(of_one) <= len(queries)


def test_every_open_data_file_tells_the_opinion_in_its_last_column(read):
    for address in FILES:
        if not address.endswith(".csv"):
            continue
        text = read(address)
        assert text.splitlines()[0].endswith(",opinion"), address
        # A threshold is of no opinion.
        found = [row["opinion"] for row in rows_of(text) if row.get("kind") != "threshold"]
        # Nobody has evaluated the first one; there is no note on either, and no figure is missing.
        expected = {
            "/data/evaluations.csv": {SECOND},
            "/data/notes.csv": set(),
            "/data/no_figures.csv": set(),
        }
        assert set(found) == expected.get(address, {FIRST, SECOND}), address
        if "vintages" not in address:
            assert found == sorted(found), address  # the first stands before the second
    package = json.loads(read("/data/datapackage.json"))
    assert [row["code"] for row in package["opinions"]] == [FIRST, SECOND]
    for resource in package["resources"]:
        assert resource["schema"]["fields"][-1]["name"] == "opinion"


def test_rows_of_the_open_data_stand_under_their_own_opinion(read):
    opinion_of = dict(
        Indicator.objects.values_list("code", "measure__theme__section__opinion__code")
    )
    for name in ("observations", "indicators", "measures", "targets"):
        for row in rows_of(read(f"/data/{name}.csv")):
            code = row.get("indicator_code") or row["code"]
            if name == "measures":
                measure_opinion = "clinic" in code or "doctor" in code or "care-beds" in code
            else:
                measure_opinion = opinion_of[code] == SECOND
            assert (row["opinion"] == SECOND) == measure_opinion, (name, code)


# An indicator of two plans


def test_an_indicator_with_targets_of_two_plans_shows_both(read):
    html = read("/en/indicators/community-clinics-open/")

    for words in ("Three-year health plan", "Ten-year plan", "≥ 90", "≥ 120"):
        assert words in html
    # Also in the sentences at the top.
    assert "Three-year health plan: Target at least 90" in words_of(html)
    assert "Ten-year plan for a healthy district: Target at least 120" in words_of(html)
    rows = [
        row
        for row in rows_of(read("/data/targets.csv"))
        if row["indicator_code"] == "community-clinics-open"
    ]
    assert {(row["plan"], row["value"]) for row in rows} == {
        ("invented-health-plan", "90"),
        ("invented-decade-plan", "120"),
    }


# Packs, changes, feeds, checks, find, compare


def test_a_pack_of_an_opinion_holds_its_rows_alone(read):
    html = read("/en/packs/", opinion=SECOND)

    assert SECOND_NUMBER in html and FIRST_NUMBER not in html
    assert "Community clinics open" in html and not any(words in html for words in SCIENCE)
    lines = read("/en/packs/pack.csv", opinion=SECOND)
    assert "Opinion" not in lines.splitlines()[0]


def test_a_pack_of_everything_names_the_opinion_of_each_row(client, read):
    html = words_of(read("/en/packs/"))
    assert html.index(f"{FIRST_NUMBER} Deliberation") < html.index(f"{SECOND_NUMBER} Deliberation")

    lines = rows_of(read("/en/packs/pack.csv").partition("\r\n\r\n")[0])
    assert {row["Opinion"] for row in lines if row["Indicator"]} == {FIRST_NUMBER, SECOND_NUMBER}
    # Of each a theme, which the same code writes.
    query = {"theme": ["core-area", "community-clinics"]}
    book = openpyxl.load_workbook(BytesIO(client.get("/en/packs/pack.xlsx", query).content))
    heads = {sheet.title: sheet.cell(3, 1).value for sheet in book}
    assert [heads[name] for name in ("Measures", "Indicators", "Values", "Targets")] == [
        "Opinion"
    ] * 4
    word = Document(BytesIO(client.get("/en/packs/pack.docx", query).content))
    said = [paragraph.text for paragraph in word.paragraphs]
    assert any(text.startswith(f"{SECOND_NUMBER} Deliberation") for text in said)


def test_changes_are_grouped_by_opinion(client, both, monkeypatch):
    monkeypatch.setattr(page_of_changes, "PER_PAGE", 1000)
    html = html_of(client, "/en/changes/", **{"from": "2023-07-24"})

    names = texts(html, "p")
    groups = [name for name in names if name.startswith((FIRST_NUMBER, SECOND_NUMBER))]
    assert [name.partition(" ")[0] for name in groups] == [FIRST_NUMBER, SECOND_NUMBER]
    anchors = re.findall(r'<h2 id="section-([^"]*)"', html)
    assert anchors == ["1", "2", "3", "4", f"{SECOND}-1", f"{SECOND}-2"]
    assert len(set(re.findall(r'\bid="([^"]*)"', html))) == len(re.findall(r'\bid="', html))


@pytest.mark.parametrize(
    ("key", "has", "has_not"),
    [
        ("section/1", "环上大科技园", "社区卫生"),
        (f"section/{SECOND}-1", "社区卫生", "环上大科技园"),
        (f"opinion/{SECOND}", "社区卫生", "环上大科技园"),
        (f"opinion/{FIRST}", "科技", "社区卫生"),
    ],
)
def test_a_feed_is_of_one_section_or_opinion(read, key, has, has_not):
    text = read(f"/changes/feed/{key}/")

    assert has in text and has_not not in text


@pytest.mark.parametrize("key", ["section/3000", f"section/{SECOND}-3", "section/x-y", "opinion/x"])
def test_there_is_no_feed_of_what_there_is_not(client, read, key):
    assert client.get(f"/changes/feed/{key}/").status_code == 404


def test_entries_of_feeds_say_of_which_opinion_a_number_is(read):
    text = read(f"/changes/feed/section/{SECOND}-1/")

    assert f"{SECOND_NUMBER} 1.1.1 " in text
    # What was published before there was a second one keeps its title.
    assert f"{FIRST_NUMBER} 1.1.1" not in read("/changes/feed/section/1/")


def test_checks_can_be_asked_for_by_opinion(client, read):
    everything, second = (read("/en/checks/", **query) for query in ({}, {"opinion": SECOND}))

    assert second.count('<article class="check"') == 1
    assert everything.count('<article class="check"') == 34
    assert everything.index("New clinics within all") > everything.index("New firms in the parks")
    assert client.get("/en/checks/", {"opinion": "x"}).status_code == 400


def test_find_and_compare_say_of_which_opinion_a_number_is(read):
    html = words_of(read("/en/find/", q="community clinics"))
    assert f"{SECOND_NUMBER} 1.1.1 Open community clinics" in html
    html = read("/en/compare/platforms/")
    assert FIRST_NUMBER in html and SECOND_NUMBER in html


def test_the_method_page_names_every_document_with_its_kind(read):
    html = read("/en/method/")

    for words in ("宝府〔2023〕70号", "宝府〔2024〕88号", "宝府〔2025〕91号", "reply letter"):
        assert words in html
