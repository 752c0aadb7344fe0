"""The overview and what changed, in a real browser: counts lead to lists, pages fit."""

import re

import pytest

from baoshan_portal.tests.browser import DESK
from baoshan_portal.tests.people import press
from baoshan_portal.tests.server import serve
from baoshan_portal.tests.slices import one_way_each

pytestmark = [pytest.mark.browser, pytest.mark.sweep]

PHONE = {"width": 390, "height": 844}
NARROW = {"width": 320, "height": 900}


@pytest.fixture(scope="module")
def server(browser, tmp_path_factory):
    with serve(tmp_path_factory.mktemp("overview")) as server:
        yield server


@pytest.fixture(scope="module")
def demonstration(browser, tmp_path_factory):
    with serve(tmp_path_factory.mktemp("overview-demo"), DEMO="1") as server:
        yield server


@pytest.fixture
def page(browser):
    """A page without JavaScript."""
    context = browser.new_context(viewport=DESK, java_script_enabled=False)
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


def test_a_committee_member_asks_what_is_new_and_follows_the_number(server, page):
    page.goto(f"{server.address}/en/")
    page.fill("[name=since]", "2023-07-01")
    press(page.locator(".since button"))

    count = page.locator("a[href*='#section-3']").first
    shown = count.inner_text()
    assert int(shown) > 0
    press(count)

    assert page.url.endswith("#section-3")
    part = page.locator("section[aria-labelledby=section-3]")
    assert part.locator("h2").inner_text().startswith("3")
    assert part.locator("p.count").inner_text().startswith(f"{shown} publications")


def test_folded_first_values_open_by_the_keyboard(server, page):
    page.goto(f"{server.address}/en/changes/?from=2023-07-01")
    line = page.locator("#theme-1-1 ~ details li").first
    assert not line.is_visible()

    page.locator("summary").first.focus()
    page.keyboard.press("Enter")

    assert line.is_visible()


def test_what_is_it_as_of_when_and_the_key_figures_are_seen_at_a_glance(server, page):
    page.goto(f"{server.address}/")

    for what in ("h1", ".findings", ".key-figure >> nth=3", ".asked thead", ".asked .shares"):
        box = page.locator(what).first.bounding_box()
        assert box["y"] + box["height"] <= DESK["height"], what


@pytest.mark.parametrize("address", ["/", "/en/"])
def test_verdict_and_first_key_figure_are_within_700_px_of_a_phone(server, browser, address):
    context = browser.new_context(viewport=PHONE)
    page = context.new_page()
    page.goto(server.address + address)

    for what in ("h1", ".findings", ".key-figure"):
        box = page.locator(what).first.bounding_box()
        assert box["y"] + box["height"] <= 700, what
    context.close()


def test_the_worst_first_is_one_tap_away_and_keeps_the_place(server, page):
    page.goto(f"{server.address}/en/")
    press(page.get_by_role("link", name="the worst first"))

    assert page.url.endswith("/en/?order=worst#asked")
    press(page.get_by_role("link", name="in their own order"))
    assert page.url.endswith("/en/#asked") or page.url.endswith("/en/?#asked")


def test_what_to_ask_leads_to_the_sentence_of_the_source_in_three_clicks(server, page):
    page.goto(f"{server.address}/en/")
    press(page.locator("#to-ask").locator("xpath=../..").get_by_role("link", name="all 80"))
    page.select_option("#id_section", "top-level-design")
    press(page.locator(".filters button"))
    press(page.locator(".questions li a").first)

    assert "宝府〔2023〕70号 4.1/7" in page.inner_text("main")


#: Pages in normal and in large type.
NARROW_PAGES = [
    (address, size)
    for size in ("normal", "large")
    for address in (
        "/",
        "/en/",
        "/en/questions/",
        "/questions/",
        "/en/sections/1/",
        "/changes/?from=2023-07-01&unfold=all",
    )
]


def test_nothing_of_the_content_is_wider_than_a_narrow_phone(server, browser):
    context = browser.new_context(viewport=NARROW)
    page = context.new_page()
    too_wide = []
    for address, size in one_way_each(NARROW_PAGES):
        context.add_cookies([{"name": "size", "value": size, "url": server.address}])
        page.goto(server.address + address)
        assert f"size-{size}" in page.get_attribute("html", "class")
        too_wide += page.evaluate(
            """() => [...document.querySelectorAll("main *")]
                .filter(one => one.getBoundingClientRect().right > innerWidth + 1)
                .map(one => location.href + ": " + one.outerHTML.slice(0, 100))"""
        )
    context.close()

    assert too_wide == []


@pytest.mark.parametrize("address", ["/", "/en/"])
def test_the_overview_is_printed_on_two_pages(demonstration, page, tmp_path, address):
    page.goto(f"{demonstration.address}{address}")

    page.pdf(path=tmp_path / "overview.pdf", format="A4", prefer_css_page_size=True)

    printed = (tmp_path / "overview.pdf").read_bytes()
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 2
