"""A mark beside every figure that takes part in a check, wherever the figure is shown."""

import csv
import io
import re
from datetime import date

import pytest

from baoshan_portal.tests import runs_once
from measures.tests.factories import ISSUED
from metrics.check_results import of_day, states_of
from metrics.models import Check, CheckTerm, Indicator
from metrics.rules.checks import Result, Role
from metrics.tests.factories import make_check, make_observation, make_term

from .. import check_marks

pytestmark = pytest.mark.django_db

IN_A_BROKEN_CHECK = "nanda-enterprises-new"
IN_NO_CHECK = "nanda-registered-capital-new"
SAID = "Check with other figures: does not hold"


@pytest.fixture
def broken(report):
    """The report, and a check that does not hold: none of its own is broken."""
    check = make_check()
    whole, part = (
        Indicator.objects.get(code=code) for code in (IN_A_BROKEN_CHECK, "high-tech-enterprises")
    )
    make_term(check_of=check, indicator=whole)
    make_term(check_of=check, role=Role.PART, indicator=part)


def after_name(html: str, code: str) -> list[str]:
    """What stands between each link to an indicator and the next link."""
    found = re.findall(rf'href="/en/indicators/{code}/[^>]*>[^<]*</a>(.*?)<a ', html, re.DOTALL)
    assert found
    return found


@runs_once.PAGES
@pytest.mark.parametrize(
    "address",
    [
        "/en/",
        "/en/sections/1/",
        "/en/measures/nanda-enterprise-clustering/",
        "/en/indicators/?q=registered",
        "/en/indicators/?q=registered&as_of=2023-08-01",
        "/en/find/?q=nanda+registered",
    ],
)
def test_a_figure_in_a_check_is_marked_and_one_in_none_is_not(client, broken, address):
    html = client.get(address).content.decode()

    assert all(SAID in text for text in after_name(html, IN_A_BROKEN_CHECK))
    assert not any("check-mark" in text for text in after_name(html, IN_NO_CHECK))


@runs_once.PAGES
@pytest.mark.parametrize(
    "address", ["/en/", "/en/sections/1/", "/en/indicators/high-tech-enterprises/"]
)
def test_a_check_that_holds_is_no_mark_of_praise(client, report, address):
    html = client.get(address).content.decode()

    assert "1,475" in html
    assert (
        Result.HOLDS
        in check_marks.of_results(of_day(None))[
            Indicator.objects.get(code="high-tech-enterprises").pk
        ]
    )
    marks = re.findall(r'<span class="check-mark[^"]*" title="([^"]*)"', html)
    assert not [mark for mark in marks if mark.endswith((": holds", ": cannot be checked"))]


@runs_once.PAGES
@pytest.mark.parametrize("address", ["/en/compare/enterprises/", "/en/targets/"])
def test_comparisons_and_targets_mark_exactly_the_figures_that_a_check_asks_about(
    client, broken, address
):
    html = client.get(address).content.decode()
    results = check_marks.of_results(of_day(None))
    asked = {
        row.code
        for row in Indicator.objects.filter(pk__in=results)
        if check_marks.that_ask(results[row.pk])
    }

    shown = set(re.findall(r'<td[^>]*><a href="/en/indicators/([\w-]+)/', html))

    assert shown
    for code in shown:
        cell = re.search(rf'<a href="/en/indicators/{code}/.*?</td>', html, re.DOTALL)[0]
        assert ("check-mark" in cell) == (code in asked), code


@runs_once.PAGES
def test_the_page_of_an_indicator_marks_its_figure(client, broken):
    html = client.get(f"/en/indicators/{IN_A_BROKEN_CHECK}/").content.decode()
    (headline,) = re.findall(r'<p class="headline-figure">.*?</p>', html, re.DOTALL)

    assert SAID in headline


def test_every_figure_in_a_check_is_marked_in_the_list_and_told_in_its_file(client, broken):
    in_checks = set(CheckTerm.objects.values_list("indicator__code", flat=True))

    text = client.get("/en/indicators/?format=csv").getvalue().decode("utf-8-sig")

    shown = {
        row["Code"]: row["Checks with other figures"] for row in csv.DictReader(io.StringIO(text))
    }
    assert len(shown) == Indicator.objects.count()
    assert {code for code, words in shown.items() if words} == in_checks
    assert shown[IN_A_BROKEN_CHECK] == "does not hold; holds"


@runs_once.PAGES
def test_packs_tell_what_came_of_the_checks(client, broken):
    page = client.get("/en/packs/?theme=core-area").content.decode()
    file = client.get("/en/packs/pack.csv?theme=core-area").content.decode("utf-8-sig")

    assert "checks with other figures: does not hold" in page
    assert "does not hold; holds" not in page
    shown = {row["Code"]: row for row in csv.DictReader(io.StringIO(file))}
    assert shown[IN_A_BROKEN_CHECK]["Checks with other figures"] == "does not hold; holds"
    assert shown[IN_NO_CHECK]["Checks with other figures"] == ""


def test_of_several_results_the_gravest_stands_first():
    whole = make_observation(value=5, published=ISSUED).indicator
    for value in (4, 6):
        check = make_check()
        make_term(check_of=check, indicator=whole)
        part = make_observation(value=value, published=ISSUED).indicator
        make_term(check_of=check, role=Role.PART, indicator=part)

    assert check_marks.of_results(of_day(None))[whole.pk] == [Result.FAILS, Result.HOLDS]
    assert check_marks.words([Result.FAILS, Result.HOLDS]) == "不符；相符"


def test_a_check_that_was_not_public_on_the_day_leaves_no_mark(report):
    assert check_marks.of_results(of_day(None))
    assert check_marks.of_results(of_day(date(2023, 7, 24))) == {}


def test_the_marks_say_what_the_page_of_checks_says(report):
    marks = check_marks.of_results(of_day(None))
    checks = [check.pk for check in Check.objects.published()]
    assert marks == check_marks.by_indicator(states_of(checks, None))
