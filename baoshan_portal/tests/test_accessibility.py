"""Everybody can use the pages: the rules of axe-core, the keyboard, zoom, motion, languages."""

import re

import pytest

from baoshan_portal.public.about import AXE

from .axe import VERSION, WCAG, look_at
from .kinds import kinds
from .pages import SECTIONS
from .people import hire, sign_in
from .server import serve

pytestmark = [pytest.mark.browser, pytest.mark.long]

DESK = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
#: A desk of 1280 pixels at 200 %, and the narrowest screen that WCAG asks for.
ZOOMED = {"width": 640, "height": 450}
NARROW = {"width": 320, "height": 640}
LANGUAGES = {"zh": "", "en": "/en"}
#: Long pages that differ from a shorter one in their rows only.
TWINS = (*SECTIONS[1:], "/measures/", "/indicators/", "/indicators/?page=2", "/checks/")
MODES = [
    (language, size, theme, DESK)
    for language in LANGUAGES
    for size in ("normal", "large")
    for theme in ("light", "dark")
] + [("zh", "normal", "light", PHONE), ("en", "large", "dark", PHONE)]


@pytest.fixture(scope="module")
def server(browser, tmp_path_factory):
    with serve(tmp_path_factory.mktemp("accessibility")) as server:
        hire(server)
        yield server


@pytest.fixture(scope="module")
def addresses(server):
    return kinds(server)


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


def chosen_of(addresses, size, theme, viewport) -> list[str]:
    """The addresses to look at in one mode: all of them, but long twins in the first mode only."""
    if viewport == PHONE:
        return addresses[::3]
    if (size, theme) == ("normal", "light"):
        return addresses
    return [address for address in addresses if address not in TWINS]


@pytest.mark.parametrize(
    ("language", "size", "theme", "viewport"),
    MODES,
    ids=[f"{a}-{b}-{c}-{viewport['width']}" for a, b, c, viewport in MODES],
)
def test_axe_finds_nothing_on_any_kind_of_page(
    server, open_page, addresses, capsys, language, size, theme, viewport
):
    page = open_page(size=size, theme=theme, viewport=viewport)
    looked = chosen_of(addresses, size, theme, viewport)
    violations, passed = [], set()
    for address in looked:
        page.goto(f"{server.address}{LANGUAGES[language]}{address}")
        assert page.get_attribute("html", "class") == f"size-{size} theme-{theme}"
        findings = look_at(page)
        violations += findings.violations
        passed |= findings.passed

    tell(
        capsys,
        f"axe-core {VERSION}, {language} {size} {theme} {viewport['width']}: {len(looked)} "
        f"pages, {len(passed)} rules passed, {len(violations)} violations",
    )
    # A look that looked at nothing would find nothing either.
    assert {"color-contrast", "html-has-lang", "label", "region"} <= passed
    assert violations == [], "\n".join(violations)


def test_axe_would_find_what_is_wrong(server, open_page):
    page = open_page()
    page.goto(f"{server.address}/en/")
    page.evaluate(
        """() => document.querySelector("main").insertAdjacentHTML("beforeend",
        "<p class=source><font color=#ddd>pale</font></p><img src=x><h5>deep</h5>")"""
    )

    rules = {violation.split(": ")[1] for violation in look_at(page).violations}

    assert {"color-contrast", "image-alt", "heading-order"} <= rules


def test_the_accessibility_page_names_the_version_that_looked():
    assert AXE == VERSION


STAFF = {
    "editor": (
        "/admin/",
        "/admin/entry/2023-q4/science-technology/",
        "/admin/upload/2023-q4/science-technology/",
        "/admin/guide/",
    ),
    "reviewer": ("/admin/", "/admin/review/"),
    "administrator": ("/admin/",),
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_desks_of_staff(server, open_page, capsys, scheme):
    page = open_page(color_scheme=scheme)
    page.goto(f"{server.address}/en/admin/login/")
    violations, looked = list(look_at(page, WCAG).violations), 1
    for name, paths in STAFF.items():
        sign_in(page, server, name)
        for path in paths:
            for prefix in LANGUAGES.values():
                assert page.goto(f"{server.address}{prefix}{path}").status == 200
                violations += look_at(page, WCAG).violations
                looked += 1

    tell(capsys, f"axe-core {VERSION}, staff {scheme}: {looked} pages")
    assert violations == [], "\n".join(violations)


@pytest.mark.parametrize("size", ["normal", "large"])
@pytest.mark.parametrize("prefix", LANGUAGES.values(), ids=LANGUAGES)
def test_no_page_scrolls_sideways_when_zoomed_or_narrow(server, open_page, addresses, prefix, size):
    page = open_page(size=size, viewport=ZOOMED, device_scale_factor=2)
    wide = []
    for address in addresses:
        page.goto(f"{server.address}{prefix}{address}")
        for viewport in (ZOOMED, NARROW):
            page.set_viewport_size(viewport)
            width = page.evaluate("document.scrollingElement.scrollWidth")
            if width > viewport["width"]:
                wide.append(f"{page.url}: {width} of {viewport['width']}")

    assert wide == [], "\n".join(wide)


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
    "address", ["/en/", "/indicators/", "/en/indicators/high-tech-enterprises/", "/en/changes/"]
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


#: What would move: elements with a transition or an animation, and scrolling that is smooth.
MOVING = """() => [...document.querySelectorAll("*")].filter(one => {
  const style = getComputedStyle(one);
  return style.animationName !== "none" || style.scrollBehavior !== "auto"
    || style.transitionDuration.split(",").some(time => parseFloat(time) > 0);
}).map(one => one.outerHTML.slice(0, 100))"""


def test_nothing_moves_for_readers_who_asked_for_that(server, open_page, addresses):
    page = open_page(reduced_motion="reduce")
    moving = []
    for address in addresses:
        page.goto(server.address + address)
        moving += page.evaluate(MOVING)
    assert moving == []

    # Others see the page scroll to a place on it, so the question above can have an answer.
    page.emulate_media(reduced_motion="no-preference")
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
