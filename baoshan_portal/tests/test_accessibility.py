"""Everybody can use the pages: the rules of axe-core, the keyboard, zoom, phones, paper, motion."""

import re
from http import HTTPStatus
from pathlib import Path

import pytest
from django.conf import settings

from baoshan_portal.public.about import AXE

from .axe import BY_COLOUR, VERSION, look_at
from .browser import opening
from .kinds import ALIKE, kinds
from .pages import FILES, LISTS_AS_FILES, in_both_languages
from .server import serve
from .slices import WHOLE, one_way_each, some
from .walk import MOVING, NAVIGATION, PHONE, SHOW, WAYS, Walk, walk_through

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.sweep]


@pytest.fixture(scope="module")
def server(browser, tmp_path_factory):
    with serve(tmp_path_factory.mktemp("accessibility")) as server:
        yield server


@pytest.fixture
def open_page(browser, server):
    with opening(browser, server) as open_page:
        yield open_page


@pytest.fixture(scope="module")
def addresses(server):
    found = kinds(server)
    return found if WHOLE else [address for address in found if address not in ALIKE]


@pytest.fixture(scope="module", params=range(len(WAYS) if WHOLE else 1))
def walk(request, browser, server, addresses):
    """Every kind of page, each opened in one way; in the long form in all."""
    return walk_through(browser, server, addresses, request.param)


def tell(capsys, sentence: str) -> None:
    """Print what was measured although the test passes."""
    with capsys.disabled():
        print(f"\n  {sentence}", end="")


def test_axe_finds_nothing_on_any_kind_of_page(walk, addresses, capsys):
    tell(
        capsys,
        f"axe-core {VERSION}: {walk.looks} looks at {len(walk.pages)} pages, "
        f"{len(walk.passed)} rules passed, {len(walk.violations)} violations",
    )
    # A look that looked at nothing would find nothing either.
    assert {"color-contrast", "html-has-lang", "label", "region"} <= walk.passed
    assert walk.violations == [], "\n".join(walk.violations)


def test_colours_and_type_are_chosen_apart():
    """So that a page in large type need not be looked at in every colour again."""
    rules = {}
    for sheet in sorted((settings.BASE_DIR / "static/css").glob("*.css")):
        css = re.sub(r"/\*.*?\*/", "", sheet.read_text(encoding="utf-8"), flags=re.DOTALL)
        for selector, body in re.findall(r"([^{};]+)\{([^{}]*)\}", css):
            if chosen := re.search(r"\.(size|theme)-", selector):
                names = {line.partition(":")[0].strip() for line in body.split(";")} - {""}
                rules.setdefault(chosen[1], set()).update(names)

    assert rules["size"] == {"font-size", "zoom"}
    assert all(name.startswith("--") or name == "color-scheme" for name in rules["theme"])


@pytest.mark.parametrize(("size", "theme"), some([("large", "dark"), ("normal", "light")], every=2))
def test_axe_would_find_what_is_wrong_in_any_style(server, open_page, size, theme):
    """And on a later page of the same kind, whose other colours were seen before."""
    page, walk = open_page(size=size, theme=theme), Walk()
    page.goto(f"{server.address}/en/accessibility/")
    walk.look(page, BY_COLOUR)
    assert walk.violations == []

    page.goto(f"{server.address}/en/accessibility/")
    ground, ink = ("#333", "#ddd") if theme == "dark" else ("#ddd", "#333")
    page.evaluate(
        """([ground, ink]) => {
          document.querySelector("main").insertAdjacentHTML("beforeend",
            `<p class=source><font color=${ground}>pale</font></p>
             <p>some text around <a href=x id=alike>a link</a> in it</p>`);
          document.getElementById("alike").style =
            `color: ${ink}; text-decoration: none; border: none`;
        }""",
        [ground, ink],
    )
    walk.look(page, BY_COLOUR)

    assert {violation.split(": ")[1] for violation in walk.violations} == set(BY_COLOUR)
    assert page.locator("main *:not([data-seen])").count() < page.locator("main *").count() / 4


def test_axe_would_find_what_is_wrong(server, open_page):
    page = open_page()
    page.goto(f"{server.address}/en/accessibility/")
    page.evaluate(
        """() => document.querySelector("main").insertAdjacentHTML("beforeend",
        "<p class=source><font color=#ddd>pale</font></p><img src=x><h5>deep</h5>")"""
    )

    rules = {violation.split(": ")[1] for violation in look_at(page).violations}

    assert {"color-contrast", "image-alt", "heading-order"} <= rules


def test_of_rows_that_are_alike_one_is_looked_at(server, open_page):
    page = open_page()
    page.goto(f"{server.address}/en/indicators/")
    rows = page.locator("main tbody tr")
    before = rows.count()
    page.evaluate(
        """() => document.querySelector("main tbody tr:last-child td:last-child")
        .insertAdjacentHTML("beforeend", "<font color=#ddd>pale</font>")"""
    )
    violations = look_at(page).violations

    assert 1 < rows.count() < before
    assert [violation for violation in violations if "color-contrast" in violation]


def test_the_accessibility_page_names_the_version_that_looked():
    assert AXE == VERSION


def test_no_page_scrolls_sideways_on_a_phone_when_zoomed_or_narrow(walk, request):
    is_first = request.node.callspec.params["walk"] == 0
    assert len(walk.measured) > (600 if WHOLE and is_first else 40)
    assert walk.wide == [], "\n".join(walk.wide)


def test_every_page_shown_once_leaves_a_worker_below_150_mb(walk, server):
    lists = one_way_each(in_both_languages(*LISTS_AS_FILES))
    # Of each kind of file some, the largest among them
    for address in (*some(lists, every=3), *some(FILES, every=4)):
        answer = server.get(address)
        assert answer.status == HTTPStatus.OK, address
        answer.read()

    (worker,) = server.workers()
    status = Path(f"/proc/{worker}/status").read_text()
    (resident,) = [line.split() for line in status.splitlines() if line.startswith("VmRSS")]
    print(f"{len(walk.measured)} pages, {int(resident[1]) // 1024} MB")
    assert int(resident[1]) < 150 * 1024
    assert [line for line in server.log if "ERROR" in line] == []


def test_a_page_that_is_shown_is_as_wide_as_one_that_is_opened(server, open_page):
    page = open_page(viewport=PHONE)
    page.goto(f"{server.address}/en/measures/")
    address = "/indicators/high-tech-enterprises/"

    assert page.evaluate(SHOW, address) == [HTTPStatus.OK, PHONE["width"]]
    assert page.inner_text("h1") in server.text(address)
    # Its style sheets are in force, and what is too wide would be seen.
    page.evaluate("document.querySelector('h1').style.width = '900px'")
    assert page.evaluate("document.documentElement.scrollWidth") > PHONE["width"]


def test_the_browser_complains_about_no_public_page(walk):
    assert walk.complaints == [], "\n".join(walk.complaints)


def test_paper_shows_the_content_without_navigation(walk):
    shown = walk.screens.values()
    assert all({"h1", "header nav", "header form"} <= {*seen} for seen in shown)
    assert {*NAVIGATION} <= {selector for seen in shown for selector in seen}
    assert len(walk.papers) >= (10 if WHOLE else 3)
    assert {address: seen for address, seen in walk.papers.items() if seen != ["h1"]} == {}


def test_on_paper_a_search_says_what_was_searched_for(server, open_page):
    page = open_page()
    page.goto(f"{server.address}/en/find/?q=148.54")
    page.emulate_media(media="print")
    asked = page.locator("main [type=search]")
    assert asked.is_visible()
    assert asked.input_value() == "148.54"
    assert not page.locator("main form button").is_visible()


#: Whatever a keyboard should reach, in the order of the document: [what it is, its place].
REACHABLE = """() => {
  const all = [...document.querySelectorAll(
    "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']")];
  window.reachable = all.filter(one => !one.disabled && one.checkVisibility({
    visibilityProperty: true, contentVisibilityAuto: true}));
  return window.reachable.map(one => one.outerHTML.slice(0, 100));
}"""
#: Where the keyboard is: its place among the reachable, and how the place is marked.
FOCUSED = """() => {
  const one = document.activeElement, style = getComputedStyle(one);
  const box = one.getBoundingClientRect();
  return {
    place: window.reachable.indexOf(one),
    outline: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
    seen: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
    left: box.left + scrollX, right: box.right + scrollX,
    top: box.top + scrollY, bottom: box.bottom + scrollY,
  };
}"""


@pytest.mark.parametrize(
    "address",
    some(
        ["/indicators/", "/en/changes/", "/en/indicators/high-tech-enterprises/", "/en/"], every=4
    ),
)
def test_the_keyboard_goes_through_the_whole_page_in_its_order(server, open_page, address):
    # Where the page is still scrolling, nothing can be said of what is seen.
    page = open_page(reduced_motion="reduce")
    page.goto(server.address + address)
    names = page.evaluate(REACHABLE)
    stops = []
    # A field for a date has several stops inside.
    for _press in range(3 * len(names)):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUSED)
        if not stops or stop["place"] != stops[-1]["place"]:
            stops.append(stop)
        if stop["place"] == -1:
            break

    # Through all of them, then out of the page: nothing left out, nothing twice, no trap.
    assert [stop["place"] for stop in stops] == [*range(len(names)), -1]
    unmarked = [names[stop["place"]] for stop in stops[:-1] if not stop["outline"] > 0]
    assert unmarked == []
    assert [names[stop["place"]] for stop in stops[:-1] if not stop["seen"]] == []
    back = [
        names[stop["place"]]
        for before, stop in zip(stops, stops[1:-1], strict=False)
        if stop["bottom"] <= before["top"] and stop["right"] <= before["left"]
    ]
    assert back == []


def test_the_first_link_leads_past_the_navigation_into_the_content(server, open_page):
    page = open_page()
    page.goto(f"{server.address}/en/indicators/high-tech-enterprises/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")

    assert page.evaluate("document.querySelector('main a') === document.activeElement")


def test_nothing_moves_for_readers_who_asked_for_that(walk, server, open_page):
    assert walk.moving == []

    # Others see the page scroll to a place on it, so the question above can have an answer.
    page = open_page()
    page.goto(f"{server.address}/")
    assert page.evaluate(MOVING) != []


def test_readers_find_large_type_at_the_top_and_keep_it(server, browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{server.address}/indicators/?category=funds")
    sizes = []
    for name in ("大字版", "标准字号"):
        sizes.append(int(re.search(r"\d+", _font_size(page))[0]))
        with page.expect_navigation():
            page.click(f"header >> text={name}")
        assert page.url == f"{server.address}/indicators/?category=funds"
    context.close()

    assert sizes == [16, 20]


def _font_size(page) -> str:
    return page.locator("body").evaluate("one => getComputedStyle(one).fontSize")
