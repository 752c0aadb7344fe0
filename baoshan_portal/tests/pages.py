"""What the site-wide tests ask of the portal: its public pages and files, and what is on a page."""

import csv
import re
from html import unescape
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

FILES = (
    "/data/observations.csv",
    "/data/indicators.csv",
    "/data/measures.csv",
    "/data/targets.csv",
    "/data/evaluations.csv",
    "/data/checks.csv",
    "/data/notes.csv",
    "/data/definitions.csv",
    "/data/vintages.csv",
    "/data/no_figures.csv",
    "/data/datapackage.json",
)
LISTS = ("/measures/", "/indicators/", "/targets/")
#: Lists that take no filters, but leave as files all the same
TABLES = ("/departments/", "/money/", "/counted/enterprises/", "/counted/platforms/")
LISTS_AS_FILES = tuple(
    f"{page}?format={kind}" for page in (*LISTS, *TABLES, "/questions/") for kind in ("csv", "xlsx")
)
SECTIONS = ("/sections/1/", "/sections/2/", "/sections/3/", "/sections/4/")
#: What there is of two opinions, once ``SECOND_OPINION`` is loaded
OPINIONS = (
    "/opinions/baohui-2022-36/",
    "/opinions/invented-2024-18/",
    "/opinions/invented-2024-18/sections/1/",
    "/opinions/invented-2024-18/sections/2/",
)
SECOND_OPINION = str(Path(__file__).parent / "fixtures" / "second_opinion.yaml")
COMPARISONS = ("/compare/enterprises/", "/compare/funds/", "/compare/platforms/")
#: Indicators that a reader chose
CHOICE = "/compare/?indicator=guaranteed-loan-amount&indicator=technology-credit-amount"
PICTURES = (
    "/indicators/guaranteed-loan-amount/chart.svg",
    "/en/indicators/guaranteed-loan-amount/chart.png",
    "/compare/funds/money.svg",
    "/en/compare/funds/money.png",
    CHOICE.replace("/compare/", "/compare/chart.svg"),
)
#: Charts for the pages of others: pages without the head and the foot of the site.
EMBEDS = ("/embed/indicators/guaranteed-loan-amount/", "/embed/compare/funds/money/")
CHART_DATA = ("/indicators/guaranteed-loan-amount/chart.csv", "/compare/funds/money.csv")
#: One that the report leaves to the portal to propose.
OFFICE = "/departments/science-technology/"
PLAIN_PAGES = (
    "/",
    *SECTIONS,
    *LISTS,
    *COMPARISONS,
    "/compare/",
    "/departments/",
    OFFICE,
    "/money/",
    "/counted/enterprises/",
    "/counted/platforms/",
    "/checks/",
    "/questions/",
    "/changes/",
    "/find/",
    "/packs/",
    "/method/",
    "/method/components/",
    "/data/",
    "/accessibility/",
)

#: Whatever a Content-Security-Policy of default-src 'self' forbids inside a page.
FORBIDDEN_INLINE = re.compile(
    r"<style\b|<script\b(?![^>]*\ssrc=)|<[^>]*\s(?:style|on[a-z]+)\s*=", re.IGNORECASE
)


def in_both_languages(*addresses: str) -> list[str]:
    return [*addresses, *(f"/en{address}" for address in addresses)]


EXPORTS = in_both_languages(*LISTS_AS_FILES)


def rows_of(text: str) -> list[dict]:
    """The lines of a CSV file by its headers."""
    return list(csv.DictReader(StringIO(text.removeprefix("\ufeff"))))


def public_pages(read, every: int = 1) -> list[str]:
    """Every public page in both languages; ``read`` gives the text at an address.

    Of the pages of measures and of indicators only each ``every``-th.
    """
    codes = [
        f"/{name}/{row['code']}/"
        for name in ("measures", "indicators")
        for row in rows_of(read(f"/data/{name}.csv"))[::every]
    ]
    return in_both_languages(*PLAIN_PAGES, *codes)


def texts(html: str, tag: str) -> list[str]:
    """The text of every ``tag`` element, without the tags inside it."""
    elements = re.findall(rf"<{tag}\b[^>]*>(.*?)</{tag}>", html, re.DOTALL)
    return [" ".join(unescape(re.sub("<[^>]*>", "", inner)).split()) for inner in elements]


def links(html: str, attributes: str = "href|src|action") -> list[str]:
    """Everything that a page refers to."""
    return [unescape(link) for link in re.findall(rf'\b(?:{attributes})="([^"]*)"', html)]


def language(html: str) -> str:
    return re.search('<html lang="([^"]*)"', html)[1]


def days(html: str) -> list[str]:
    """The days that ``time`` elements stand for."""
    return re.findall('<time datetime="([^"]*)"', html)


HAN = re.compile("[\u3400-\u9fff]")
#: Elements without an end.
VOID = frozenset({"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "wbr"})


class _Languages(HTMLParser):
    """Collects the texts with Chinese characters that stand in another language than Chinese."""

    def __init__(self):
        super().__init__()
        self.open, self.found = [("", "")], []

    def handle_starttag(self, tag, attributes):
        if tag not in VOID:
            self.open.append((tag, dict(attributes).get("lang") or self.open[-1][1]))

    def handle_endtag(self, tag):
        while self.open.pop()[0] != tag:
            pass

    def handle_data(self, text):
        elements = {tag for tag, _language in self.open}
        # The title of a page is in its language only as a whole.
        if not elements & {"head", "script"} and not self.open[-1][1].startswith("zh"):
            self.found += HAN.findall(text) and [text.strip()]


def chinese_not_marked(html: str) -> list[str]:
    """The texts of a page with Chinese in them that no ``lang`` says to be Chinese."""
    parser = _Languages()
    parser.feed(html)
    parser.close()
    return parser.found
