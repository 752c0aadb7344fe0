"""Ten more questions that a committee member would ask of this report, in a real browser.

Each is answered within three clicks from the overview; the answers are worked out by hand from
the report.
"""

import re

import pytest

from . import asked
from .server import serve

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serve(tmp_path_factory.mktemp("questions")) as server:
        yield server


@pytest.fixture(scope="module")
def page(browser):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(15_000)
    return page


@pytest.fixture
def answer(server, page):
    """The text to which links lead from the front page."""
    return lambda *links: asked.answer(page, f"{server.address}/en/", *links)


def test_which_claims_of_having_met_the_plan_can_be_verified(answer):
    text = answer("/en/targets/")

    assert "2 rows" in text
    assert text.count("reported met; target not published, cannot be verified") == 2


def test_what_did_the_loans_grow_by_and_is_the_stated_rate_right(answer):
    text = answer("/indicators/guaranteed-loan-amount/")

    # 36.15 − 23.14 = 13.01 亿元, and 36.15 ÷ 23.14 − 1 = 56.22 %.
    assert "up by CNY 1.301 billion (+56.22%)" in text
    assert re.search(r"stated rate.*56\.22%.*computed.*56\.22%", text)
    assert "holds" in text


def test_which_figures_have_not_been_updated_since(answer, page):
    text = answer("updated=no")

    (rows,) = re.findall(r"(\d+) rows", text)
    assert int(rows) > 100


def test_do_the_parts_of_the_newly_registered_enterprises_add_up(answer):
    text = answer("/en/checks/?result=holds")

    # 139 + 95 + 16 + 10 + 14 = 274, and the whole is 253: the parts overlap by at least 21.
    assert "253" in text
    assert "274" in text
    assert "overlap by at least 21" in text


def test_how_much_investment_was_signed_and_for_how_many_projects(answer):
    # The measure stands in the trail of the figure's page.
    text = answer("/indicators/signed-projects-investment/", "/measures/project-signing/")

    assert "218亿元" in text
    assert "42个" in text


def test_what_is_the_largest_and_the_smallest_sum_in_the_report(answer):
    text = answer("/indicators/guaranteed-loan-amount/", "/compare/funds/")

    assert text.index("CNY 21.8 billion") < text.index("CNY 1.4854 million")


def test_who_is_responsible_and_is_that_confirmed(answer):
    text = answer("/indicators/guaranteed-loan-amount/", "/measures/policy-guaranteed-loans/")

    assert re.search(r"Lead department .*proposed", text)


def test_where_in_the_report_does_a_figure_stand(answer):
    text = answer("/indicators/high-tech-enterprises/")

    assert "1475家" in text
    assert "宝府〔2023〕70号 1.3/3" in text


def test_which_periods_does_the_report_not_state(answer):
    text = answer("inferred=yes")

    assert "inferred" in text
    assert int(re.findall(r"(\d+) rows", text)[0]) > 50


def test_how_do_i_take_a_section_into_a_briefing(answer, page):
    answer("/en/sections/3/", "/en/packs/?section=")
    with page.expect_download() as download:
        page.click("text=Word")

    assert download.value.suggested_filename.endswith(".docx")
