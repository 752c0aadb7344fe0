"""The portal in a real browser: finding a figure, the overview and what changed, the filters."""

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from .browser import DESK, opening
from .pages import LISTS, in_both_languages, rows_of
from .people import press
from .server import serve
from .slices import one_of_each, one_way_each, some
from .walk import PHONE

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.sweep]

NARROW = {"width": 320, "height": 900}
SMALLEST = {"width": 320, "height": 640}


@pytest.fixture(scope="module")
def server(browser, tmp_path_factory):
    with serve(tmp_path_factory.mktemp("browser")) as server:
        yield server


@pytest.fixture
def open_page(browser, server):
    with opening(browser, server) as open_page:
        yield open_page


@pytest.fixture
def page(open_page):
    return open_page()


@pytest.fixture
def plain_page(open_page):
    """A page without JavaScript."""
    return open_page(java_script_enabled=False)


def indicator_of(server, as_written: str) -> str:
    (row,) = [
        row
        for row in rows_of(server.text("/data/observations.csv"))
        if row["as_written"] == as_written
    ]
    return row["indicator_code"]


@pytest.mark.parametrize(
    ("figure", "locator"),
    some(
        [("148.54万元", "3.2/7"), ("近百名", "2.1/6"), ("翻两番", "1.3/4"), ("第6", "1.3/3")],
        every=4,
    ),
)
def test_a_committee_member_finds_a_figure_and_follows_it_to_its_sentence(
    server, page, figure, locator
):
    code = indicator_of(server, figure)

    page.goto(f"{server.address}/")
    page.fill("header [type=search]", figure)
    page.press("header [type=search]", "Enter")
    page.click(f'main a[href="/indicators/{code}/"]')

    page.wait_for_url(f"{server.address}/indicators/{code}/")
    assert page.locator("h1").count() == 1
    assert f"宝府〔2023〕70号 {locator}" in page.inner_text("main")
    assert figure in page.inner_text("main")

    page.click("a[hreflang=en]")
    page.wait_for_url(f"{server.address}/en/indicators/{code}/")
    assert page.get_attribute("html", "lang") == "en"
    assert f"宝府〔2023〕70号 {locator}" in page.inner_text("main")

    page.click("a[hreflang=zh-Hans]")
    page.wait_for_url(f"{server.address}/indicators/{code}/")
    assert page.get_attribute("html", "lang") == "zh-Hans"


def test_a_committee_member_takes_all_fund_figures_away_as_a_table(server, page):
    page.goto(f"{server.address}/en/indicators/")
    page.click("summary:has-text('Category')")
    page.check("#in-category-funds")
    page.wait_for_url(re.compile("category=funds"))
    with page.expect_download() as download:
        page.click("text=CSV")

    file = Path(download.value.path()).read_bytes()
    rows = rows_of(file.decode())
    assert file.startswith(b"\xef\xbb\xbf")
    assert {row["Category"] for row in rows} == {"funds"}
    assert "51.79亿元" in [row["As written"] for row in rows]


def test_the_keyboard_reaches_the_content_first(server, page):
    page.goto(f"{server.address}/en/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main"

    page.keyboard.press("Enter")

    assert page.url.endswith("#main")


def test_lists_work_without_javascript(server, plain_page):
    page = plain_page
    page.goto(f"{server.address}/en/indicators/")
    page.fill("form.filters [name=q]", "148.54")
    press(page.locator("form.filters .actions button"))

    assert page.locator("table.list tbody tr").count() == 1
    assert "148.54万元" in page.inner_text("table.list")


# The overview and what changed


def test_a_committee_member_asks_what_is_new_and_follows_the_number(server, plain_page):
    page = plain_page
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


def test_folded_first_values_open_by_the_keyboard(server, plain_page):
    page = plain_page
    page.goto(f"{server.address}/en/changes/?from=2023-07-01")
    line = page.locator("#theme-1-1 ~ details li").first
    assert not line.is_visible()

    page.locator("summary").first.focus()
    page.keyboard.press("Enter")

    assert line.is_visible()


def test_what_is_it_as_of_when_and_the_key_figures_are_seen_at_a_glance(server, plain_page):
    page = plain_page
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


def test_the_worst_first_is_one_tap_away_and_keeps_the_place(server, plain_page):
    page = plain_page
    page.goto(f"{server.address}/en/")
    press(page.get_by_role("link", name="the worst first"))

    assert page.url.endswith("/en/?order=worst#asked")
    press(page.get_by_role("link", name="in their own order"))
    assert page.url.endswith("/en/#asked") or page.url.endswith("/en/?#asked")


def test_what_to_ask_leads_to_the_sentence_of_the_source_in_three_clicks(server, plain_page):
    page = plain_page
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
    # A page that has both languages in one of them, and each in one of the types.
    pages = one_of_each(one_way_each(NARROW_PAGES), kind=lambda page: page[0].removeprefix("/en"))
    for address, size in pages:
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


# The filters of the lists


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
    for address, size in one_way_each(ways, ways=4):
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
