"""The overview and what changed, in a real browser: counts lead to lists, pages fit."""

import pytest

from baoshan_portal.tests.people import press
from baoshan_portal.tests.server import serve

pytestmark = pytest.mark.browser

DESK = {"width": 1280, "height": 900}
NARROW = {"width": 320, "height": 900}


@pytest.fixture(scope="module")
def server(browser, tmp_path_factory):
    with serve(tmp_path_factory.mktemp("overview")) as server:
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
    told = count.inner_text()
    assert int(told) > 0
    press(count)

    assert page.url.endswith("#section-3")
    part = page.locator("section[aria-labelledby=section-3]")
    assert part.locator("h2").inner_text().startswith("3")
    assert part.locator("p.count").inner_text().startswith(f"{told} publications")


def test_folded_first_values_open_by_the_keyboard(server, page):
    page.goto(f"{server.address}/en/changes/?from=2023-07-01")
    line = page.locator("#theme-1-1 ~ details li").first
    assert not line.is_visible()

    page.locator("summary").first.focus()
    page.keyboard.press("Enter")

    assert line.is_visible()


def test_what_is_it_as_of_when_and_the_key_figures_are_seen_at_a_glance(server, page):
    page.goto(f"{server.address}/")

    for what in ("h1", ".strip time", ".bar", ".asked tfoot", ".key-figure >> nth=9"):
        box = page.locator(what).first.bounding_box()
        assert box["y"] + box["height"] <= DESK["height"], what


@pytest.mark.parametrize("size", ["normal", "large"])
@pytest.mark.parametrize(
    "address", ["/", "/en/", "/en/sections/1/", "/changes/?from=2023-07-01&unfold=all"]
)
def test_nothing_of_the_content_is_wider_than_a_narrow_phone(server, browser, address, size):
    context = browser.new_context(viewport=NARROW)
    context.add_cookies([{"name": "size", "value": size, "url": server.address}])
    page = context.new_page()
    page.goto(server.address + address)

    too_wide = page.evaluate(
        """() => [...document.querySelectorAll("main *")]
            .filter(one => one.getBoundingClientRect().right > innerWidth + 1)
            .map(one => one.outerHTML.slice(0, 100))"""
    )

    assert too_wide == []
    context.close()
