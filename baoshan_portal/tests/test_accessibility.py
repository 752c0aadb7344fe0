"""Everybody can use the pages: the rules of axe-core, the keyboard, zoom, motion, languages."""

import re
from dataclasses import dataclass, field

import pytest
from django.conf import settings

from baoshan_portal.public.about import AXE

from .axe import ALL, BY_COLOUR, VERSION, WCAG, look_at, look_at_colours
from .browser import DESK
from .kinds import ALIKE, kinds
from .people import be, serve_staff
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
#: What is looked at for its width.
WIDTHS = (
    (ZOOMED, "normal"), (NARROW, "normal"),
    (ZOOMED, "large"), (NARROW, "large"),
)  # fmt: skip


@pytest.fixture(scope="module")
def server(browser, tmp_path_factory):
    with serve_staff(tmp_path_factory.mktemp("accessibility")) as server:
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


@dataclass
class Walk:
    """What a walk through every kind of page in one language met; all of them are sentences."""

    violations: list[str] = field(default_factory=list)
    passed: set[str] = field(default_factory=set)
    pages: set[str] = field(default_factory=set)
    looks: int = 0
    wide: list[str] = field(default_factory=list)
    moving: list[str] = field(default_factory=list)

    def look(self, page, rules=ALL, without=()) -> None:
        self.add(page, look_at(page, rules, without))

    def look_at_colours(self, page, styles: list[str], seen: set[str]) -> None:
        self.add(page, look_at_colours(page, styles, seen))

    def add(self, page, findings) -> None:
        self.violations += findings.violations
        self.passed |= findings.passed
        self.pages.add(page.url)
        self.looks += 1


def style(page, size: str, theme: str) -> None:
    """Show the open page as who chose so sees it."""
    page.evaluate("name => { document.documentElement.className = name }", name_of(size, theme))


def name_of(size: str, theme: str) -> str:
    return f"size-{size} theme-{theme}"


@pytest.fixture(scope="module", params=range(len(WAYS) if WHOLE else 1))
def walk(request, browser, server, addresses):
    """Every kind of page, each opened in one way for all questions; in the long form in all."""
    walk, seen = Walk(), set()
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    for n, address in enumerate(addresses):
        way = WAYS[(n + request.param) % len(WAYS)]
        for name, value in (("size", way.size), ("theme", way.theme)):
            context.add_cookies([{"name": name, "value": value, "url": server.address}])
        page.set_viewport_size(way.viewport)
        page.goto(f"{server.address}{LANGUAGES[way.language]}{address}")
        chosen, moving = page.evaluate(f"[document.documentElement.className, ({MOVING})()]")
        assert chosen == way.name
        walk.moving += moving
        for viewport, size in one_way_each(WIDTHS, ways=len(WIDTHS), first=n):
            page.set_viewport_size(viewport)
            style(page, size, way.theme)
            width = page.evaluate("document.scrollingElement.scrollWidth")
            if width > viewport["width"]:
                walk.wide.append(f"{page.url} {size}: {width} of {viewport['width']}")
        # Last, because it takes out what is alike.
        page.set_viewport_size(way.viewport)
        style(page, way.size, way.theme)
        if way.media != "screen":
            page.emulate_media(media=way.media, reduced_motion="reduce")
        walk.look(page, without=BY_COLOUR)
        # And this at the very end: it takes out texts.
        walk.look_at_colours(page, [way.name], seen)
        if way.media != "screen":
            page.emulate_media(media="screen", reduced_motion="reduce")
    context.close()
    return walk


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
    page, walk, seen = open_page(), Walk(), set()
    page.goto(f"{server.address}/en/accessibility/")
    walk.look_at_colours(page, [name_of(size, theme)], seen)
    texts = len(page.inner_text("main"))
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
    walk.look_at_colours(page, [name_of(size, theme)], seen)

    assert {violation.split(": ")[1] for violation in walk.violations} == set(BY_COLOUR)
    assert len(page.inner_text("main")) < texts / 4


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


STAFF = {
    "editor": (
        "/admin/",
        "/admin/entry/2023-q4/science-technology/",
        "/admin/upload/2023-q4/science-technology/",
        "/admin/report-figures/baofu-2023-70/",
        "/admin/guide/",
    ),
    "reviewer": ("/admin/", "/admin/review/"),
    "steward": ("/admin/completeness/",),
    "administrator": ("/admin/",),
}


def test_axe_finds_nothing_on_the_desks_of_staff(server, open_page, capsys):
    page, walk, seen = open_page(), Walk(), set()
    schemes = ("light", "dark")

    def look(address: str) -> None:
        # Each in one of the schemes, two and two, so that each language is seen in both.
        first = len(walk.pages) // 2
        for scheme in schemes if WHOLE else [schemes[first % 2]]:
            page.emulate_media(color_scheme=scheme)
            assert page.goto(address).status == 200
            walk.look(page, WCAG, without=BY_COLOUR)
            walk.look_at_colours(page, [page.evaluate("document.documentElement.className")], seen)

    look(f"{server.address}/en/admin/login/")
    for first, (name, paths) in enumerate(STAFF.items()):
        be(page, server, name)
        # Each desk in one of the languages, and each person's in both if they have several.
        asked = [f"{prefix}{path}" for prefix in LANGUAGES.values() for path in paths]
        for address in one_way_each(asked, first=first):
            look(f"{server.address}{address}")

    tell(capsys, f"axe-core {VERSION}, staff: {len(walk.pages)} pages")
    assert "color-contrast" in walk.passed
    assert walk.violations == [], "\n".join(walk.violations)


def test_no_page_scrolls_sideways_when_zoomed_or_narrow(walk):
    assert walk.wide == [], "\n".join(walk.wide)


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
