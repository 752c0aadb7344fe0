"""The portal in a real browser: finding a figure, small screens, paper, the admin, the console."""

import re
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urljoin

import pytest
from playwright.sync_api import expect

from .browser import DESK
from .pages import FILES, LISTS_AS_FILES, PLAIN_PAGES, in_both_languages, public_pages, rows_of
from .people import be, press, serve_staff, sign_in
from .slices import WHOLE, one_of_each, one_way_each, some

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.sweep]

PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def server(browser, tmp_path_factory):
    with serve_staff(tmp_path_factory.mktemp("browser")) as server:
        yield server


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport=DESK, accept_downloads=True)
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()


def complaints_of(page) -> list[str]:
    """Whatever the browser will complain about on ``page``: policy, scripts, missing files."""
    complaints = []

    def hear(message):
        # The rest are hints to developers, such as one about Django's own form of passwords.
        if message.type in ("error", "warning"):
            complaints.append(f"{page.url}: {message.type}: {message.text}")

    page.on("console", hear)
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    return complaints


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
        every=2,
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


#: Shows another page of the same kind in the open one, which costs a fifth of opening it.
SHOW = """async address => {
  const answer = await fetch(address);
  const other = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.documentElement.lang = other.documentElement.lang;
  document.body.replaceWith(other.body);
  return [answer.status, document.documentElement.scrollWidth];
}"""


def in_the_other_language(address: str) -> str:
    return address.removeprefix("/en") if address.startswith("/en/") else f"/en{address}"


#: What nobody needs on paper.
NAVIGATION = ("header nav", "header form", "form.filters", ".pager", "a.language")
#: Which elements are seen of those that selectors name.
SEEN = """selectors => selectors.filter(selector =>
  [...document.querySelectorAll(selector)].some(one =>
    one.getClientRects().length && getComputedStyle(one).visibility === "visible"))"""


@dataclass
class Walk:
    """What was met on the pages that were shown, by their addresses."""

    complaints: list[str]
    widths: dict[str, int] = field(default_factory=dict)
    screens: dict[str, list[str]] = field(default_factory=dict)
    papers: dict[str, list[str]] = field(default_factory=dict)


@pytest.fixture(scope="module")
def walk(server, browser):
    """Every public page on a phone: what the browser complained about, and how wide it is.

    All pages of their own are opened, of measures and indicators some, each in one of the
    languages. Every other one is looked at on a desk and on paper as well, and in those between
    the same page of the other language is shown; others of measures and indicators are shown in
    the last of them.
    """
    context = browser.new_context(viewport=PHONE)
    page = context.new_page()
    walk = Walk(complaints_of(page))

    def show(address: str) -> None:
        status, walk.widths[address] = page.evaluate(SHOW, address)
        assert status == HTTPStatus.OK, address

    pages = one_way_each(public_pages(server.text, every=16 if WHOLE else 32))
    on_paper = some(pages, every=2)
    for address in pages:
        assert page.goto(server.address + address).status == HTTPStatus.OK, address
        walk.widths[address] = page.evaluate("document.documentElement.scrollWidth")
        if address not in on_paper:
            show(in_the_other_language(address))
            continue
        page.set_viewport_size(DESK)
        for media, seen in (("print", walk.papers), ("screen", walk.screens)):
            page.emulate_media(media=media)
            seen[address] = page.evaluate(SEEN, ["h1", *NAVIGATION])
        page.set_viewport_size(PHONE)
    for address in some(public_pages(server.text), every=64):
        if address not in walk.widths:
            show(address)
    context.close()
    return walk


def test_every_page_shown_once_leaves_a_worker_below_150_mb(walk, server):
    for address in (*one_way_each(in_both_languages(*LISTS_AS_FILES)), *FILES):
        answer = server.get(address)
        assert answer.status == HTTPStatus.OK, address
        answer.read()

    (worker,) = server.workers()
    status = Path(f"/proc/{worker}/status").read_text()
    (resident,) = [line.split() for line in status.splitlines() if line.startswith("VmRSS")]
    print(f"{len(walk.widths)} pages, {int(resident[1]) // 1024} MB")
    assert int(resident[1]) < 150 * 1024
    assert [line for line in server.log if "ERROR" in line] == []


def test_no_public_page_scrolls_sideways_on_a_phone(walk):
    assert len(walk.widths) > (400 if WHOLE else 50)
    wide = {address: n for address, n in walk.widths.items() if n > PHONE["width"]}
    assert wide == {}


def test_a_page_that_is_shown_is_as_wide_as_one_that_is_opened(server, page):
    code = indicator_of(server, "翻两番")
    page.set_viewport_size(PHONE)
    page.goto(f"{server.address}/en/measures/")
    address = f"/indicators/{code}/"

    assert page.evaluate(SHOW, address) == [HTTPStatus.OK, PHONE["width"]]
    assert page.inner_text("h1") in server.text(address)
    # Its style sheets are in force, and what is too wide would be seen.
    page.evaluate("document.querySelector('h1').style.width = '900px'")
    assert page.evaluate("document.documentElement.scrollWidth") > PHONE["width"]


def test_the_browser_complains_about_no_public_page(walk):
    assert walk.complaints == [], "\n".join(walk.complaints)


def kind_of_admin_page(address: str) -> tuple:
    """Pages of rows are made alike for all models of an app; of the others each is its own."""
    path, _, query = address.partition("/admin/")[2].partition("?")
    first, *others = path.split("/")
    if first not in ("auth", "measures", "metrics"):
        return (first,)
    # An app's models, a list, a form for a new row or for one that is there
    return first, str(len(others)), others[-2] if len(others) == 3 else "", bool(query)


def test_the_browser_complains_about_no_page_of_the_admin(server, page):
    complaints = complaints_of(page)
    page.goto(f"{server.address}/en/admin/login/")
    sign_in(page, server, "admin", server.password)

    def links(selector: str) -> list[str]:
        found = page.eval_on_selector_all(
            selector, "all => all.map(one => one.getAttribute('href'))"
        )
        return [urljoin(page.url, link).partition("#")[0] for link in found if link]

    start = f"{server.address}/en/admin/"
    addresses = {link for link in links("a") if link.startswith(start) and "logout" not in link}
    for address in one_of_each(sorted(addresses), kind=kind_of_admin_page):
        page.goto(address)
        rows = links("#result_list th a")
        if rows:
            page.goto(rows[0])

    assert len(addresses) > 15
    assert complaints == [], "\n".join(complaints)


def test_paper_shows_the_content_without_navigation(walk):
    shown = walk.screens.values()
    assert all({"h1", "header nav", "header form"} <= {*seen} for seen in shown)
    assert {*NAVIGATION} <= {selector for seen in shown for selector in seen}
    assert len(walk.papers) >= len(PLAIN_PAGES) // (1 if WHOLE else 2)
    assert {address: seen for address, seen in walk.papers.items() if seen != ["h1"]} == {}


def test_the_keyboard_reaches_the_content_first(server, page):
    page.goto(f"{server.address}/en/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main"

    page.keyboard.press("Enter")

    assert page.url.endswith("#main")


def test_lists_work_without_javascript(server, browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{server.address}/en/indicators/")
    page.fill("form.filters [name=q]", "148.54")
    press(page.locator("form.filters .actions button"))

    assert page.locator("table.list tbody tr").count() == 1
    assert "148.54万元" in page.inner_text("table.list")
    context.close()


def test_a_draft_of_the_admin_is_public_only_after_somebody_else_published_it(server, page):
    code = indicator_of(server, "51.79亿元")
    public = [
        f"/en/indicators/{code}/",
        "/en/indicators/?q=77.31",
        "/en/find/?q=77.31",
        "/changes/",
        "/en/indicators/?format=csv",
        "/data/observations.csv",
        "/data/indicators.csv",
    ]
    complaints = complaints_of(page)

    be(page, server, "admin")
    page.goto(f"{server.address}/en/admin/metrics/observation/add/")
    page.click(".field-indicator .select2-selection")
    page.fill(".select2-search__field", code)
    # The list of all indicators stays until the answer to what was typed arrives.
    options = page.locator(".select2-results__option[aria-selected]")
    expect(options).to_have_count(1)
    options.click()
    page.fill("[name=as_written]", "77.31亿元")
    page.fill("[name=period_start]", "2023-01-01")
    page.fill("[name=period_end]", "2023-12-31")
    page.fill("[name=source_name]", "区统计局年报")
    page.click("[name=_continue]")
    page.wait_for_url(re.compile(r"/observation/\d+/change/"))
    row = page.url
    shows = [address for address in public if "77.31" in visible_text(server, address)]
    assert shows == []

    press(page.locator("[name=_submit]"))
    page.goto(row)
    assert page.locator(".object-tools >> text=Publish").count() == 0
    assert "77.31" not in server.text("/data/observations.csv")

    be(page, server, "reviewer")
    page.goto(row)
    press(page.locator(".object-tools >> text=Publish"))
    press(page.locator("[type=submit].default"))

    shows = [address for address in public if "77.31" in visible_text(server, address)]
    assert shows == public
    page.goto(f"{server.address}/en/indicators/{code}/")
    assert "77.31亿元" in page.inner_text("main")
    assert "by two persons of staff" in page.inner_text("main")
    assert complaints == [], "\n".join(complaints)


def visible_text(server, address: str) -> str:
    """The text at an address without what it was asked for."""
    asked = r'(value="|q=|Find: )77\.31|<p class="chosen".*?</p>'
    return re.sub(asked, "", server.text(address), flags=re.DOTALL)
