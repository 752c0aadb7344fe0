"""A walk through every kind of public page in a real browser, with all that is asked of each."""

from dataclasses import dataclass, field
from http import HTTPStatus

from .axe import ALL, look_at
from .browser import DESK, complaints_of
from .kinds import ERRORS
from .pages import PLAIN_PAGES, in_both_languages, public_pages
from .slices import WHOLE, one_way_each, some

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
#: In which a page may be too wide; of these, too, each is seen in one by turns.
WIDTHS = (
    (PHONE, "normal"), (ZOOMED, "normal"), (NARROW, "normal"),
    (ZOOMED, "large"), (NARROW, "large"),
)  # fmt: skip


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
    measured: list[str] = field(default_factory=list)
    #: What is seen of pages on a desk and on paper, by their addresses.
    screens: dict[str, list[str]] = field(default_factory=dict)
    papers: dict[str, list[str]] = field(default_factory=dict)

    def look(self, page, rules=ALL) -> None:
        findings = look_at(page, rules, self.colours)
        self.violations += findings.violations
        self.passed |= findings.passed
        self.pages.add(page.url)
        self.looks += 1

    def measure(self, page, path: str, viewport: dict[str, int], size: str, theme: str) -> None:
        page.set_viewport_size(viewport)
        style(page, size, theme)
        width = page.evaluate("document.scrollingElement.scrollWidth")
        self.note_width(f"{path} {size}", width, viewport)

    def show(self, page, address: str) -> None:
        status, width = page.evaluate(SHOW, address)
        assert status == HTTPStatus.OK, address
        self.note_width(address, width, PHONE)

    def note_width(self, address: str, width: int, viewport: dict[str, int]) -> None:
        self.measured.append(address)
        if width > viewport["width"]:
            self.wide.append(f"{address}: {width} of {viewport['width']}")


def style(page, size: str, theme: str) -> None:
    """Show the open page as who chose so sees it."""
    page.evaluate("name => { document.documentElement.className = name }", name_of(size, theme))


def name_of(size: str, theme: str) -> str:
    return f"size-{size} theme-{theme}"


def walk_through(browser, server, addresses: list[str], turn: int) -> Walk:
    """Every kind of page, each opened in one way for all questions; with every turn in another.

    Axe-core looks at every third kind between two commits. Of the pages of their own every fifth
    is looked at on a desk and on paper as well; of what is not opened at all some is shown in the
    last of them.
    """
    walk = Walk()
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    heard = complaints_of(page)
    # There are too many elements in the pack of everything for axe-core; what has long names alone
    # is looked at for its width.
    opened, unseen = [*addresses, "/packs/"], {"/packs/", *(() if WHOLE else LONG)}
    looked_at = {*some(opened, every=3)} - unseen
    # The list that has every kind of navigation is the fourth.
    on_paper = some([address for address in opened if address in PLAIN_PAGES], every=5, first=3)
    for n, address in enumerate(opened):
        way = WAYS[(n + turn) % len(WAYS)]
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
            walk.measure(page, path, viewport, size, way.theme)
        if address in on_paper:
            page.set_viewport_size(DESK)
            for media, seen in (("print", walk.papers), ("screen", walk.screens)):
                page.emulate_media(media=media, reduced_motion="reduce")
                seen[path] = page.evaluate(SEEN, ["h1", *NAVIGATION])
        if address in looked_at:
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
    if turn == 0:
        alike = [address for address in PLAIN_PAGES if address not in opened]
        others = some(one_way_each(in_both_languages(*alike)), every=3)
        for address in [*others, *some(pages_of_rows(server), every=128)]:
            walk.show(page, address)
    walk.complaints += heard
    context.close()
    return walk


def pages_of_rows(server) -> list[str]:
    """The pages of all measures and indicators in both languages."""
    plain = in_both_languages(*PLAIN_PAGES)
    return [address for address in public_pages(server.text) if address not in plain]
