"""The Atom feeds: valid, stable, findable, and cheap to ask again."""

from datetime import date, datetime
from decimal import Decimal
from html import unescape
from html.parser import HTMLParser
from urllib.parse import urlsplit
from xml.etree import ElementTree

import feedparser
import pytest
from django.urls import clear_script_prefix, set_script_prefix

from baoshan_portal.tests import runs_once
from baoshan_portal.tests.pages import links
from baoshan_portal.tests.slices import one_way_each
from measures.tests.factories import (
    ISSUED,
    make_measure,
    make_note,
    make_report,
    make_section,
    make_theme,
    stored_as,
)
from metrics.tests.factories import make_indicator, make_observation, make_target
from metrics.tests.test_history import corrected

pytestmark = [pytest.mark.django_db, pytest.mark.long]

ATOM = "{http://www.w3.org/2005/Atom}"
AUGUST = date(2023, 8, 10)
PREFIXES = pytest.mark.parametrize("prefix", ["", "/en"])


@pytest.fixture
def rows():
    """An indicator with a value that was corrected, a target and a note; and another section."""
    report = make_report()
    section = make_section(order=1, opinion=report.opinion)
    theme = make_theme(order=1, section=section)
    measure = make_measure(theme=theme, order=1, code="known")
    indicator = make_indicator(measure=measure, code="known")
    value = make_observation(indicator=indicator, published=ISSUED)
    corrected(value, make_observation, AUGUST, "漏计 <一家> & 其他", value=Decimal(6))
    make_target(indicator=indicator, published=ISSUED)
    make_note(measure=measure, published=ISSUED)
    other = make_section(order=2, opinion=report.opinion)
    make_observation(
        indicator=make_indicator(measure=make_measure(theme=make_theme(section=other, order=1))),
        published=ISSUED,
    )
    return indicator


def feed_of(client, address: str, **headers) -> ElementTree.Element:
    response = client.get(address, **headers)
    assert response.status_code == 200
    assert response["Content-Type"] == "application/atom+xml; charset=utf-8"
    return ElementTree.fromstring(response.content)


def text(element, name: str) -> str:
    """The text of the one child of that name."""
    (child,) = element.findall(ATOM + name)
    return child.text


def entries(feed) -> list:
    return feed.findall(f"{ATOM}entry")


def links_of(element) -> dict[str, str]:
    return {
        link.get("rel", "alternate"): link.get("href") for link in element.findall(f"{ATOM}link")
    }


def is_absolute(address: str) -> bool:
    return urlsplit(address).scheme in ("http", "https") and bool(urlsplit(address).netloc)


FEEDS = {
    "/changes/feed/": 5,
    "/changes/feed/section/1/": 4,
    "/changes/feed/section/2/": 1,
    "/changes/feed/measure/known/": 4,
    "/changes/feed/indicator/known/": 3,
}


@runs_once.FILES
@pytest.mark.sweep
@pytest.mark.parametrize(
    ("prefix", "address", "count"),
    one_way_each([(prefix, *feed) for prefix in ("", "/en") for feed in FEEDS.items()]),
)
def test_a_feed_has_all_that_atom_asks_for(client, rows, prefix, address, count):
    feed = feed_of(client, prefix + address)

    assert feed.tag == f"{ATOM}feed"
    assert feed.get("{http://www.w3.org/XML/1998/namespace}lang") == (prefix[1:] or "zh-hans")
    assert is_absolute(text(feed, "id"))
    assert text(feed, "title")
    assert text(feed.find(f"{ATOM}author"), "name")
    assert datetime.fromisoformat(text(feed, "updated")).tzinfo
    assert links_of(feed)["self"] == f"http://testserver{prefix}{address}"
    assert len(entries(feed)) == count
    leads_to = set()
    for entry in entries(feed):
        assert text(entry, "id").startswith("urn:")
        assert text(entry, "title")
        assert datetime.fromisoformat(text(entry, "updated")).tzinfo
        link = links_of(entry)["alternate"]
        assert link.startswith(f"http://testserver{prefix}/")
        leads_to.add(urlsplit(link).path)
    for path in leads_to:
        assert client.get(path).status_code == 200, path


@PREFIXES
def test_ids_are_unique_and_the_same_whoever_asks(client, rows, prefix):
    ids = [text(entry, "id") for entry in entries(feed_of(client, f"{prefix}/changes/feed/"))]

    assert len(set(ids)) == len(ids) == 5
    again = feed_of(client, "/changes/feed/", headers={"host": "portal.example"})
    assert [text(entry, "id") for entry in entries(again)] == ids


def test_a_value_and_a_target_with_one_code_are_two_entries(client, rows):
    measure = rows.measure
    indicator = make_indicator(measure=measure)
    make_observation(indicator=indicator, code="one-code", published=AUGUST)
    make_target(indicator=indicator, code="one-code", published=AUGUST)

    feed = feed_of(client, f"/changes/feed/indicator/{indicator.code}/")

    assert len({text(entry, "id") for entry in entries(feed)}) == 2


def test_the_newest_publication_stands_first_and_dates_the_feed(client, rows):
    feed = feed_of(client, "/en/changes/feed/")

    newest = entries(feed)[0]
    assert text(newest, "updated") == text(feed, "updated")
    assert datetime.fromisoformat(text(feed, "updated")).date() == AUGUST
    assert unescape(text(newest, "summary")) == (
        "5 organisations (year 2022) → 6 organisations (year 2022) (漏计 <一家> & 其他)"
    )


def test_a_feed_of_nothing_is_the_same_every_time(client, rows):
    measure = make_measure(theme=rows.measure.theme, order=2)
    address = f"/changes/feed/measure/{measure.code}/"

    first, second = client.get(address), client.get(address)

    assert entries(ElementTree.fromstring(first.content)) == []
    assert first.content == second.content
    assert first["ETag"] == second["ETag"]


def test_a_feed_shows_what_was_public_on_the_day_asked_for(client, rows):
    assert len(entries(feed_of(client, "/changes/feed/?as_of=2023-08-09"))) == 4
    assert len(entries(feed_of(client, "/changes/feed/?as_of=2023-07-24"))) == 0
    address = "/changes/feed/indicator/known/?as_of=2023-07-24"
    assert client.get(address).status_code == 404


@pytest.mark.parametrize("compressed", [False, True])
def test_who_has_the_newest_state_gets_an_empty_answer(client, rows, compressed):
    accept = {"accept-encoding": "gzip"} if compressed else {}

    def get(**headers):
        return client.get("/changes/feed/", headers={**accept, **headers})

    first = get()
    etag, modified = first["ETag"], first["Last-Modified"]
    assert modified == "Thu, 10 Aug 2023 04:00:00 GMT"

    for headers in ({"if-none-match": etag}, {"if-modified-since": modified}):
        answer = get(**headers)
        assert answer.status_code == 304
        assert answer.content == b""

    make_note(measure=rows.measure, published=date(2023, 9, 1))
    for headers in ({"if-none-match": etag}, {"if-modified-since": modified}):
        assert get(**headers).status_code == 200


@runs_once.FILES
def test_under_a_path_every_address_carries_it(client, rows, settings):
    settings.FORCE_SCRIPT_NAME = "/baoshan"
    set_script_prefix("/baoshan")
    try:
        feed = feed_of(client, "/en/changes/feed/")
    finally:
        clear_script_prefix()

    addresses = [text(feed, "id"), *links_of(feed).values()]
    addresses += [links_of(entry)["alternate"] for entry in entries(feed)]
    assert len(addresses) == 8
    for address in addresses:
        assert address.startswith("http://testserver/baoshan/en/"), address


@runs_once.PAGES
@PREFIXES
def test_feeds_can_be_found_by_people_and_by_programs(client, rows, prefix):
    everything, of_section = f"{prefix}/changes/feed/", f"{prefix}/changes/feed/section/1/"

    for page, feeds in (
        ("/changes/", [everything, of_section, f"{prefix}/changes/feed/section/2/"]),
        ("/sections/1/", [of_section]),
    ):
        html = client.get(f"{prefix}{page}").content.decode()
        head, _body, main = html.partition("<main")
        alternates = [line for line in head.splitlines() if "application/atom+xml" in line]
        assert set(links("".join(alternates), "href")) == {everything, *feeds}
        assert set(feeds) <= set(links(main, "href"))


def test_a_subscription_does_not_stop_on_the_day_of_the_page(client, rows):
    """Whoever subscribes on a page of the past wants to hear what comes."""
    for page in ("/changes/", "/sections/1/"):
        html = client.get(page, {"as_of": "2023-08-01"}).content.decode()
        feeds = [link for link in links(html, "href") if "/changes/feed/" in link]
        assert feeds
        assert [link for link in feeds if "?" in link] == []


MARKUP = "<b>重点</b> <img src=x onerror=alert(1)> &amp; 1 < 2"


@runs_once.FILES
def test_markup_in_a_note_reaches_a_reader_of_feeds_as_text(client):
    measure = make_measure(name=MARKUP, name_en=MARKUP)
    make_note(measure=measure, text=MARKUP, text_en=MARKUP, published=ISSUED)

    feed = feedparser.parse(client.get("/changes/feed/").content, sanitize_html=False)

    (entry,) = feed.entries
    assert not feed.bozo
    assert entry.summary_detail.type == "text/html"
    page = HTMLText()
    page.feed(entry.summary)
    assert (page.elements, page.text) == ([], MARKUP)
    assert entry.title_detail.type == "text/plain"
    assert MARKUP in entry.title


class HTMLText(HTMLParser):
    """What a reader of a feed shows of a piece of HTML, and the elements that it finds."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.elements, self.text = [], ""

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)

    def handle_data(self, data):
        self.text += data


def test_a_feed_survives_what_older_rows_hold(client, rows):
    note = make_note(measure=rows.measure)
    stored_as(note, ISSUED, text="一\x0b二\x07三", text_en="一\x0b二\x07三")
    stored_as(rows.measure, name="重\x0c点\x1f", name_en="重\x0c点\x1f")

    for address in FEEDS:
        feed = feedparser.parse(client.get(address).content)
        assert not feed.bozo, address
    told = [
        entry.summary for entry in feedparser.parse(client.get("/changes/feed/").content).entries
    ]
    assert any("一\n二三" in summary for summary in told)
