"""Everybody can use the pages: the rules of axe-core, the keyboard, zoom, phones, paper, motion."""

import re
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import pytest
from django.conf import settings

from baoshan_portal.public.about import AXE

from .axe import ALL, BY_COLOUR, VERSION, look_at
from .browser import DESK, complaints_of
from .kinds import ALIKE, ERRORS, kinds
from .pages import FILES, LISTS_AS_FILES, PLAIN_PAGES, in_both_languages, public_pages
from .server import serve
from .slices import WHOLE, one_way_each, some

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.sweep]

PHONE = {"width": 390, "height": 844}
#: A desk of 1280 pixels at 200 %, and the narrowest screen that WCAG asks for.
ZOOMED = {"width": 640, "height": 450}
NARROW = {"width": 320, "height": 640}
LANGUAGES = {"zh": "", "en": "/en"}


@dataclass(frozen=True)
class Way:
    """How a reader sees a page."""

    language: str
    viewport: dict[str, int]
    size: str
    theme: str
    media: str = "screen"

    @property
    def name(self) -> str:
        return name_of(self.size, self.theme)


#: Taken by turns, so that each page is seen in one and each of them on many kinds of pages.
WAYS = (
    Way("zh", DESK, "normal", "light"),
    Way("en", PHONE, "large", "dark"),
    Way("zh", DESK, "large", "dark"),
    Way("en", DESK, "normal", "light"),
    Way("zh", PHONE, "normal", "light"),
    Way("en", DESK, "normal", "dark"),
    Way("zh", DESK, "normal", "light", media="print"),
)
#: Rows with names as long as may be, otherwise like others
LONG = ("/measures/long/", "/indicators/long/")
#: What is looked at for its width.
WIDTHS = (
    (ZOOMED, "normal"), (NARROW, "normal"),
    (ZOOMED, "large"), (NARROW, "large"),
)  # fmt: skip


@pytest.fixture(scope="module")
def server(browser, tmp_path_factory):
    with serve(tmp_path_factory.mktemp("accessibility")) as server:
        yield server


@pytest.fixture(scope="module")
def addresses(server):
    found = kinds(server)
    return found if WHOLE else [address for address in found if address not in ALIKE]


@pytest.fixture
def open_page(browser, server):
    """Makes a page that shows the portal as a reader chose to see it."""
    contexts = []

    def make(*, size="normal", theme="light", **options):
        context = browser.new_context(**{"viewport": DESK} | options)
        contexts.append(context)
        for name, value in (("size", size), ("theme", theme)):
            context.add_cookies([{"name": name, "value": value, "url": server.address}])
        return context.new_page()

    yield make
    for context in contexts:
        context.close()


def tell(capsys, sentence: str) -> None:
    """Print what was measured although the test passes."""
    with capsys.disabled():
        print(f"\n  {sentence}", end="")


#: What would move: elements with a transition or an animation, and scrolling that is smooth.
MOVING = """() => [...document.querySelectorAll("*")].filter(one => {
  const style = getComputedStyle(one);
  return style.animationName !== "none" || style.scrollBehavior !== "auto"
    || style.transitionDuration.split(",").some(time => parseFloat(time) > 0);
}).map(one => one.outerHTML.slice(0, 100))"""


#: What nobody needs on paper.
NAVIGATION = ("header nav", "header form", "form.filters", ".pager", "a.language")
#: Which elements are seen of those that selectors name.
SEEN = """selectors => selectors.filter(selector =>
  [...document.querySelectorAll(selector)].some(one =>
    one.getClientRects().length && getComputedStyle(one).visibility === "visible"))"""
#: Shows another page of the same kind in the open one, which costs a fifth of opening it.
SHOW = """async address => {
  const answer = await fetch(address);
  const other = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.documentElement.lang = other.documentElement.lang;
  document.body.replaceWith(other.body);
  return [answer.status, document.documentElement.scrollWidth];
}"""


@dataclass
class Walk:
    """What a walk through every kind of page met; mostly sentences."""

    violations: list[str] = field(default_factory=list)
    passed: set[str] = field(default_factory=set)
    pages: set[str] = field(default_factory=set)
    looks: int = 0
    colours: set[str] = field(default_factory=set)
    wide: list[str] = field(default_factory=list)
    moving: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    #: Pages on a phone, and what is seen of others on a desk and on paper, by their addresses.
    widths: dict[str, int] = field(default_factory=dict)
    screens: dict[str, list[str]] = field(default_factory=dict)
    papers: dict[str, list[str]] = field(default_factory=dict)

    def look(self, page, rules=ALL) -> None:
        findings = look_at(page, rules, self.colours)
        self.violations += findings.violations
        self.passed |= findings.passed
        self.pages.add(page.url)
        self.looks += 1

    def measure(self, page, viewport: dict[str, int], size: str, theme: str) -> int:
        page.set_viewport_size(viewport)
        style(page, size, theme)
        width = page.evaluate("document.scrollingElement.scrollWidth")
        if width > viewport["width"]:
            self.wide.append(f"{page.url} {size}: {width} of {viewport['width']}")
        return width

    def show(self, page, address: str) -> None:
        status, self.widths[address] = page.evaluate(SHOW, address)
        assert status == HTTPStatus.OK, address


def style(page, size: str, theme: str) -> None:
    """Show the open page as who chose so sees it."""
    page.evaluate("name => { document.documentElement.className = name }", name_of(size, theme))


def name_of(size: str, theme: str) -> str:
    return f"size-{size} theme-{theme}"


@pytest.fixture(scope="module", params=range(len(WAYS) if WHOLE else 1))
def walk(request, browser, server, addresses):
    """Every kind of page, each opened in one way for all questions; in the long form in all.

    Of the pages of their own every third is looked at on a desk and on paper as well; what is not
    opened at all is shown in the last of them.
    """
    walk = Walk()
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    heard = complaints_of(page)
    # There are too many elements in the pack of everything for axe-core; what has long names alone
    # is looked at for its width.
    opened, unseen = [*addresses, "/packs/"], {"/packs/", *(() if WHOLE else LONG)}
    on_paper = some([address for address in opened if address in PLAIN_PAGES], every=3)
    for n, address in enumerate(opened):
        way = WAYS[(n + request.param) % len(WAYS)]
        for name, value in (("size", way.size), ("theme", way.theme)):
            context.add_cookies([{"name": name, "value": value, "url": server.address}])
        page.set_viewport_size(way.viewport)
        path = f"{LANGUAGES[way.language]}{address}"
        answer = page.goto(server.address + path)
        assert answer.ok != (address in ERRORS), path
        # That a page was not found the browser tells as well.
        walk.complaints += [
            line for line in heard if answer.ok or f"of {answer.status}" not in line
        ]
        heard.clear()
        chosen, moving = page.evaluate(f"[document.documentElement.className, ({MOVING})()]")
        assert chosen == way.name
        walk.moving += moving
        for viewport, size in one_way_each(WIDTHS, ways=len(WIDTHS), first=n):
            walk.measure(page, viewport, size, way.theme)
        walk.widths[path] = walk.measure(page, PHONE, "normal", way.theme)
        if address in on_paper:
            page.set_viewport_size(DESK)
            for media, seen in (("print", walk.papers), ("screen", walk.screens)):
                page.emulate_media(media=media, reduced_motion="reduce")
                seen[path] = page.evaluate(SEEN, ["h1", *NAVIGATION])
        if address not in unseen:
            page.set_viewport_size(way.viewport)
            style(page, way.size, way.theme)
            if way.media != "screen":
                page.emulate_media(media=way.media, reduced_motion="reduce")
            # Behind all others, because it takes out what is alike.
            walk.look(page)
            if way.media != "screen":
                page.emulate_media(media="screen", reduced_motion="reduce")
    page.set_viewport_size(PHONE)
    style(page, "normal", way.theme)
    if request.param == 0:
        alike = [address for address in PLAIN_PAGES if address not in opened]
        for address in [*one_way_each(in_both_languages(*alike)), *some(rows(server), every=128)]:
            if address not in walk.widths:
                walk.show(page, address)
    walk.complaints += heard
    context.close()
    return walk


def rows(server) -> list[str]:
    """The pages of all measures and indicators in both languages."""
    plain = in_both_languages(*PLAIN_PAGES)
    return [address for address in public_pages(server.text) if address not in plain]


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


def test_no_page_scrolls_sideways_when_zoomed_or_narrow(walk):
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
    print(f"{len(walk.widths)} pages, {int(resident[1]) // 1024} MB")
    assert int(resident[1]) < 150 * 1024
    assert [line for line in server.log if "ERROR" in line] == []


def test_no_public_page_scrolls_sideways_on_a_phone(walk, request):
    is_first = request.node.callspec.params["walk"] == 0
    assert len(walk.widths) > (400 if WHOLE and is_first else 45)
    wide = {address: n for address, n in walk.widths.items() if n > PHONE["width"]}
    assert wide == {}


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
    assert len(walk.papers) >= (10 if WHOLE else 6)
    assert {address: seen for address, seen in walk.papers.items() if seen != ["h1"]} == {}


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
        ["/indicators/", "/en/changes/", "/en/indicators/high-tech-enterprises/", "/en/"], every=2
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
