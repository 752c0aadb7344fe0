"""Beside every answer of a filter stands the number of rows that the list has with it."""

import re
from datetime import date
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.http import urlencode

from baoshan_portal.tests import runs_once
from baoshan_portal.tests.pages import LISTS, links, rows_of, texts
from baoshan_portal.tests.slices import one_of_each, one_way_each, some
from measures.models import Department, Measure
from measures.tests.factories import as_reviewed, make_note, reword
from metrics.models import Indicator
from metrics.rules.checks import Role
from metrics.rules.choices import Claim
from metrics.tests.factories import (
    make_check,
    make_observation,
    make_plan,
    make_target,
    make_term,
)

pytestmark = [pytest.mark.django_db, pytest.mark.sweep, pytest.mark.long]

UPDATED = date(2023, 9, 1)

BOX = re.compile(
    r'<input type="checkbox" name="(\w+)" value="([\w-]+)" id="[\w-]+"( checked)?>'
    r"<label [^>]*>(.*?)</label>",
    re.DOTALL,
)


@pytest.fixture(scope="module")
def living_report(report):
    """The report, and what came after it: an update, a target with its value, a note, a lead."""
    indicators = list(Indicator.objects.order_by("pk")[:3])
    make_observation(indicator=indicators[0], period_end=date(2023, 8, 31), published=UPDATED)
    # Of today, so that it is not overdue.
    make_observation(
        indicator=Indicator.objects.get(code="nanda-registered-capital-new"),
        period_end=timezone.localdate(),
        published=timezone.now(),
    )
    plan = make_plan()
    for indicator, value, claim in zip(indicators, (1, 10**6, None), Claim, strict=False):
        make_target(
            indicator=indicator,
            plan=plan,
            value=value,
            claim=claim,
            due_on=date(2023, 8, 31),
            published=UPDATED,
        )
    make_note(measure=Measure.objects.first(), published=UPDATED)
    # One whose department agreed to its schedule is overdue, and takes part in a broken check.
    agreed = Indicator.objects.get(code="nanda-enterprises-new")
    reword(agreed, schedule_agreed_on=UPDATED)
    check = make_check()
    make_term(check_of=check, indicator=agreed)
    more = Indicator.objects.get(code="high-tech-enterprises")
    make_term(check_of=check, role=Role.PART, indicator=more)
    with as_reviewed():
        nanda = Department.objects.get(code="nanda")
        Measure.objects.filter(lead=nanda).update(lead_confirmed=True)


@pytest.fixture(scope="module")
def boxes(living_report):
    """What a page offers, asked for once: nothing changes between.

    By parameter and answer: the count, and whether it is ticked.
    """
    client, known = Client(), {}

    def boxes(address: str, query: dict) -> dict[tuple[str, str], tuple[int, bool]]:
        asked = f"{address}?{urlencode(query, doseq=True)}"
        if asked not in known:
            answer = client.get(asked)
            assert answer.status_code == 200
            known[asked] = {}
            for parameter, value, checked, label in BOX.findall(answer.content.decode()):
                tally = re.search(r'<span class="tally">(\d+)</span>', label)
                known[asked][parameter, unescape(value)] = int(tally[1]), bool(checked)
        return known[asked]

    return boxes


def number_of_rows(client, address: str, query: dict) -> int:
    return len(rows_of(client.get(address, query | {"format": "csv"}).getvalue().decode()))


STATES = {
    "/measures/": [
        {},
        {"section": ["industrial-structure"], "not_theme": ["core-area"], "noted": ["no"]},
        {"as_of": "2023-08-01", "counted": ["yes"], "q": "企业"},
        {"as_of": "2023-07-01"},
    ],
    "/indicators/": [
        {},
        {"category": ["enterprises", "funds"], "not_theme": ["talent", "core-area"], "q": "企业"},
        {"check": ["holds"], "not_check": ["fails"], "as_of": "2023-08-01"},
        {"updated": ["yes", "no"], "not_level": ["none"], "not_kind": ["flow"]},
        {"as_of": "2023-07-01"},
    ],
    "/targets/": [
        {},
        {"valued": ["yes"], "not_claim": ["met"]},
        {"not_verdict": ["met", "claim-unverifiable"]},
        {"as_of": "2023-08-01"},
    ],
}


def filter_of(box) -> str:
    (parameter, _value), _offer = box
    return parameter.removeprefix("not_")


ONCE = pytest.mark.once("test_lists_the_slow_way compares any question on both databases")


@pytest.mark.parametrize(
    ("address", "state"),
    [
        pytest.param(address, state, marks=ONCE if number else ())
        for address, states in STATES.items()
        for number, state in enumerate(some(states, every=2))
    ],
    ids=lambda part: urlencode(part, doseq=True) if isinstance(part, dict) else part,
)
def test_the_count_of_an_answer_is_the_length_of_its_list(client, boxes, address, state):
    offered = boxes(address, state)

    assert len(offered) > 30
    # Each state takes an answer of others of the filters, together half of them;
    # ``test_lists_the_slow_way`` counts all answers.
    states = some(STATES[address], every=2)
    place = states.index(state)
    one_each = one_of_each(offered.items(), kind=filter_of, first=place)
    for (parameter, value), (count, _checked) in some(one_each, every=2 * len(states), first=place):
        facet = parameter.removeprefix("not_")
        others = [answer for answer in state.get(f"not_{facet}", ()) if answer != value]
        chosen = {**state, facet: [value], f"not_{facet}": others}
        assert number_of_rows(client, address, chosen) == count, (facet, value)


@ONCE
@pytest.mark.parametrize(
    ("address", "facets"),
    [
        ("/measures/", {"section"}),
        ("/indicators/", {"category", "level", "target", "check"}),
        ("/targets/", {"claim", "verdict"}),
    ],
)
def test_excluding_an_answer_takes_away_what_choosing_it_shows(client, boxes, address, facets):
    everything = number_of_rows(client, address, {})

    offered = [box for box in boxes(address, {}).items() if box[0][0] in facets]
    assert {facet for (facet, _value), _offer in offered} == facets
    for (facet, value), (count, _checked) in one_of_each(offered, kind=filter_of):
        left = number_of_rows(client, address, {f"not_{facet}": value})
        assert left == everything - count, (facet, value)


@ONCE
def test_what_is_excluded_is_left_out_of_the_counts_of_its_own_filter(client, boxes):
    """Of a row with two answers the one is not counted where the other is excluded."""
    fewer = set()
    for (facet, value), (count, _checked) in boxes("/indicators/", {"not_check": "fails"}).items():
        if facet == "check" and value != "fails":
            chosen = {"check": value, "not_check": "fails"}
            assert number_of_rows(client, "/indicators/", chosen) == count, value
            if count < boxes("/indicators/", {})["check", value][0]:
                fewer.add(value)
    assert fewer


def test_the_states_are_worth_testing(client, boxes):
    """Every answer of the newer filters has rows somewhere, so that no count is a mere 0 = 0."""
    offered = boxes("/indicators/", {})
    empty = {answer for answer, (count, _checked) in offered.items() if not count}

    assert empty <= {
        ("value", "no"), ("traced", "no"), ("fresh", "never"),
        *((name, value) for name, value in offered if name in ("department", "kind")),
    }  # fmt: skip
    for name in ("noted", "confirmed", "counted"):
        for value in ("yes", "no"):
            assert boxes("/measures/", {})[name, value][0] > 0
    targets = boxes("/targets/", {})
    assert {targets["valued", "yes"][0], targets["valued", "no"][0]} == {2, 3}
    assert targets["verdict", "missed"][0] > 0


@runs_once.PAGES
@pytest.mark.parametrize("address", LISTS)
def test_the_page_ticks_what_the_address_asks_for(client, boxes, address):
    offered = boxes(address, {"theme": ["talent", "financing"], "not_department": ["economy"]})

    ticked = {answer for answer, (_count, checked) in offered.items() if checked}
    assert ticked == {
        ("theme", "talent"),
        ("theme", "financing"),
        ("not_department", "economy"),
    }
    assert ("department", "economy") not in offered


@runs_once.FILES
@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_the_links_to_files_give_exactly_the_filtered_rows(client, living_report, file_format):
    query = {"category": ["funds", "talent"], "not_theme": ["financing"], "as_of": "2023-08-01"}
    html = client.get("/en/indicators/", query).content.decode()
    (link,) = [link for link in links(html) if f"format={file_format}" in link]

    file = client.get(f"/en/indicators/{link}")
    assert file.status_code == 200

    shown = int(re.search(r"(\d+) rows", html)[1])
    assert 0 < shown < 50
    if file_format == "csv":
        rows = rows_of(file.getvalue().decode())
        assert len(rows) == shown
        assert {row["Category"] for row in rows} == {"funds", "talent"}


@runs_once.PAGES
def test_each_value_in_use_has_a_link_that_takes_it_away(client, living_report):
    query = {
        "q": "企业", "category": ["funds", "enterprises"], "not_theme": ["talent"],
        "as_of": "2023-08-01", "sort": "name", "page": "1",
    }  # fmt: skip
    html = client.get("/en/indicators/", query).content.decode()
    chosen = re.search(r'<p class="chosen" id="chosen">(.*?)</p>', html, re.DOTALL)[1]

    assert texts(chosen, "a") == [
        "企业 ×", "2.1 Environment for innovative talent ×", "enterprises ×", "funds ×",
        "Clear all",
    ]  # fmt: skip
    less = [link.partition("?")[2].split("&") for link in links(chosen, "href")]
    asked = {"category=enterprises", "category=funds", "not_theme=talent"}
    assert [asked - set(query) for query in less[1:4]] == [
        {"not_theme=talent"},
        {"category=enterprises"},
        {"category=funds"},
    ]
    assert not any(part.startswith("q=") for part in less[0])
    for query in less[:4]:
        assert "as_of=2023-08-01" in query
        assert "sort=name" in query
        assert "page=1" not in query
    assert less[4] == ["as_of=2023-08-01"]
    for link in some(links(chosen, "href"), every=2):
        assert client.get(link).status_code == 200


@runs_once.PAGES
def test_where_nothing_is_asked_for_nothing_is_shown(client, living_report):
    html = client.get("/en/indicators/").content.decode()

    assert '<p class="chosen" id="chosen"></p>' in html
    assert "<details open" not in html


@runs_once.ADDRESSES
@pytest.mark.parametrize(
    ("address", "query"),
    one_way_each([(a, q) for q in ("theme=talent&theme=x", "not_department=x") for a in LISTS]),
)
def test_an_unknown_answer_among_known_ones_is_refused(client, living_report, address, query):
    answer = client.get(f"/en{address}?{query}")
    html = answer.content.decode()

    assert answer.status_code == 400
    assert "nothing is shown" in html
    assert "0 rows" in html
    assert 'class="tally"' not in html, "of a question that was not understood nothing is counted"
    assert "<details open" in html, "the reader sees which filter it is"


@runs_once.ADDRESSES
@pytest.mark.parametrize(
    "query",
    [
        "traced=maybe",
        "target=met",
        "updated=1",
        "inferred=true",
        "value=",
        "check=good",
        "check=holds&check=",
        "not_check=nothing",
        "key=yes",
    ],
)
def test_the_filters_of_trust_know_their_answers(client, living_report, query):
    empty_only = query in ("value=", "check=holds&check=")

    assert client.get(f"/indicators/?{query}").status_code == (200 if empty_only else 400)


@runs_once.QUERIES
@pytest.mark.parametrize(
    ("address", "file_format"),
    one_way_each([(address, kind) for kind in ("", "csv") for address in LISTS]),
)
def test_every_filter_at_once_costs_at_most_nineteen_queries(client, boxes, address, file_format):
    query = {"q": "企", "format": file_format}
    for (parameter, value), _offer in boxes(address, {}).items():
        query.setdefault(parameter, value)

    with CaptureQueriesContext(connection) as queries:
        assert client.get(address, query).status_code == 200

    # Eight of them for facts and results of checks that no summary says.
    assert len(queries) <= 19


@runs_once.PAGES
@pytest.mark.parametrize(
    ("address", "query", "leads"),
    [
        ("/measures/", "", True),
        ("/measures/", "theme=talent&theme=financing&not_department=economy", True),
        ("/measures/", "q=企业", False),
        ("/measures/", "theme=talent&noted=no", False),
        ("/indicators/", "check=fails&q=企业&not_level=none", True),
        ("/targets/", "", False),
    ],
)
def test_a_list_leads_to_a_pack_only_of_the_same_rows(client, living_report, address, query, leads):
    html = client.get(f"/en{address}?{query}&as_of=2023-08-01&sort=name").content.decode()
    main = html.partition("<main")[2].partition("</main>")[0]
    packs = [link for link in links(main, "href") if "/packs/" in link]

    assert len(packs) == leads
    for link in packs:
        column = "Measure" if address == "/measures/" else "Indicator"
        shown = rows_of(
            client.get(f"/en{address}?{query}&as_of=2023-08-01&format=csv").getvalue().decode()
        )
        pack = client.get(link)
        assert pack.status_code == 200
        headings = texts(pack.content.decode(), "h4" if column == "Measure" else "td")
        for row in shown:
            assert any(row[column] in heading for heading in headings), row[column]
        if column == "Measure":
            assert len(headings) == len(shown)
