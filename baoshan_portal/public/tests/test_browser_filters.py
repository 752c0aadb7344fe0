"""The filters of the lists in a real browser: with htmx, without JavaScript, on a small phone."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from baoshan_portal.tests.browser import DESK
from baoshan_portal.tests.pages import LISTS, in_both_languages
from baoshan_portal.tests.people import press
from baoshan_portal.tests.server import serve
from baoshan_portal.tests.slices import one_way_each

pytestmark = [pytest.mark.browser, pytest.mark.sweep]

SMALLEST = {"width": 320, "height": 640}


@pytest.fixture(scope="module")
def server(browser, tmp_path_factory):
    with serve(tmp_path_factory.mktemp("filters")) as server:
        yield server


@pytest.fixture
def open_page(browser):
    """Opens a page of a new browser context; ``options`` are Playwright's."""
    contexts = []

    def open_page(cookies=(), **options):
        context = browser.new_context(**({"viewport": DESK} | options))
        context.set_default_timeout(15_000)
        context.add_cookies(cookies)
        contexts.append(context)
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()


def query(page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def rows(page) -> int:
    return int(re.search(r"\d+", page.inner_text("#count"))[0])


def tally(page, option: str) -> int:
    """The count beside an answer, by the id of its box."""
    return int(page.inner_text(f'label[for="{option}"] .tally'))


def test_a_tick_answers_at_once_and_keeps_its_place_for_the_keyboard(server, open_page):
    page = open_page()
    page.goto(f"{server.address}/en/indicators/")
    everything = rows(page)
    page.click("summary:has-text('Theme')")
    page.click("summary:has-text('Category')")
    funds, talent = tally(page, "in-category-funds"), tally(page, "in-theme-talent")

    page.focus("#in-category-funds")
    page.keyboard.press("Space")
    page.wait_for_url(re.compile("category=funds"))
    page.wait_for_selector("#chosen a")

    assert rows(page) == funds < everything
    assert tally(page, "in-theme-talent") < talent
    assert page.evaluate("document.activeElement.id") == "in-category-funds"
    assert page.is_checked("#in-category-funds")
    assert page.is_visible("#in-theme-talent"), "what the reader opened stays open"

    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.wait_for_url(re.compile("category=platforms|not_category"))
    assert query(page)["category"][0] == "funds"


def test_the_dash_leaves_an_answer_out_and_its_box_takes_it_back(server, open_page):
    page = open_page()
    page.goto(f"{server.address}/en/indicators/")
    everything = rows(page)
    page.click("summary:has-text('Category')")
    funds = tally(page, "in-category-funds")

    page.focus("button[name=not_category][value=funds]")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("not_category=funds"))
    page.wait_for_selector("#chosen a")

    assert rows(page) == everything - funds
    assert page.evaluate("document.activeElement.id") == "not-category-funds"
    assert page.is_checked("#not-category-funds")

    page.keyboard.press("Space")
    page.wait_for_selector("#chosen a", state="hidden")

    assert rows(page) == everything
    assert "not_category" not in query(page)


def test_after_an_answer_every_link_tells_the_same_state(server, open_page):
    page = open_page()
    page.goto(f"{server.address}/en/indicators/?as_of=2023-08-01&sort=-name")
    page.click("summary:has-text('Category')")
    page.click("#in-category-funds")
    page.wait_for_selector("#chosen a")
    page.click("#in-category-platforms")
    page.wait_for_selector("#chosen a:has-text('platforms')")

    for selector in ("a.language", "#take-away a >> nth=0", "#take-away a >> nth=2"):
        asked = parse_qs(urlsplit(page.get_attribute(selector, "href")).query)
        assert asked["category"] == ["funds", "platforms"], selector
        assert asked["as_of"] == ["2023-08-01"], selector
    assert "category=funds&category=platforms" in page.input_value("#display-next")
    page.reload()
    assert page.is_checked("#in-category-funds")
    assert page.is_checked("#in-category-platforms")
    assert query(page)["sort"] == ["-name"]


def test_two_quick_ticks_both_count(server, open_page):
    page = open_page()
    page.goto(f"{server.address}/en/indicators/")
    page.evaluate(
        """() => {
            document.querySelector('#in-category-funds').click();
            document.querySelector('#in-category-platforms').click();
        }"""
    )
    page.wait_for_selector("#chosen a:has-text('platforms')")

    assert query(page)["category"] == ["funds", "platforms"]


def test_without_javascript_ticks_wait_for_the_button_and_the_dash_takes_them_along(
    server, open_page
):
    page = open_page(java_script_enabled=False)
    page.goto(f"{server.address}/en/indicators/")
    page.click("summary:has-text('Category')")
    page.check("#in-category-funds")
    page.check("#in-category-platforms")
    page.click("summary:has-text('Theme')")
    press(page.locator("button[name=not_theme][value=talent]"))

    assert query(page)["category"] == ["funds", "platforms"]
    assert query(page)["not_theme"] == ["talent"]
    assert page.is_visible("#in-category-funds"), "a group in use is open"

    page.uncheck("#in-category-funds")
    press(page.locator("form.filters .actions button"))

    assert query(page)["category"] == ["platforms"]
    assert query(page)["not_theme"] == ["talent"]

    press(page.locator("#chosen a", has_text="platforms"))

    assert "category" not in query(page)
    assert query(page)["not_theme"] == ["talent"]


def test_open_filters_do_not_scroll_sideways_on_the_smallest_phone(server, open_page):
    page = open_page(viewport=SMALLEST)
    widths = {}
    # By turns in each language and in each type.
    ways = [
        (prefix + address, size)
        for prefix, size in (("", "normal"), ("/en", "large"), ("/en", "normal"), ("", "large"))
        for address in LISTS
    ]
    for address, size in one_way_each(ways):
        cookie = {"name": "size", "value": size, "url": server.address}
        page.context.add_cookies([cookie])
        page.goto(f"{server.address}{address}?not_theme=talent&section=top-level-design")
        assert f"size-{size}" in page.get_attribute("html", "class")
        page.eval_on_selector_all(
            "form.filters details", "all => all.forEach(one => one.open = true)"
        )
        widths[address, size] = page.evaluate("document.documentElement.scrollWidth")

    assert set(widths.values()) == {SMALLEST["width"]}, widths


def test_on_a_desk_the_table_begins_above_the_fold_with_two_groups_in_use(server, open_page):
    page = open_page()
    tops = {}
    for address in one_way_each(in_both_languages(*LISTS)):
        page.goto(f"{server.address}{address}?not_theme=talent&department=science-technology")
        tops[address] = page.locator("table.list").bounding_box()["y"]

    assert page.locator("form.filters details[open]").count() == 2
    assert max(tops.values()) < DESK["height"], tops
