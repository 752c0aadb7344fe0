"""Marks in everything that is not public, and a crawl of all that the portal gives to strangers."""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import urldefrag, urljoin

from django.utils import timezone

from measures.tests.factories import ISSUED

from .. import planted
from ..pages import (
    CHART_DATA,
    EMBEDS,
    EXPORTS,
    FILES,
    LISTS_AS_FILES,
    PICTURES,
    PLAIN_PAGES,
    in_both_languages,
    links,
)
from ..test_public_pages import ADDRESSES, PAST, leaks
from . import LONG, Count
from .portal import Portal
from .visitor import Answer, Visitor

#: As many as the command of ``make run`` answers at once.
READERS = 4
TOGETHER = 80
#: Addresses of one path with other questions behind it; there is no end of them.
QUERIES = 200 if LONG else 6


def attack(portal: Portal):
    marks = planted.plant()
    visitor = portal.visitor(patience=120)
    names = ("files and feeds", "past days", "addresses of what is hidden", "pages by their links")
    files, past, hidden, pages = counts = [Count(f"marks searched in {name}") for name in names]
    searches = [f"/find/?q={word}" for word in (planted.STEM, "9182", "不得")]
    feeds = ["/changes/feed/", "/changes/feed/section/1/"]
    more = in_both_languages(*feeds, *EMBEDS)
    _search(visitor, marks, [*FILES, *EXPORTS, *PICTURES, *CHART_DATA, *more], files)

    def codes():
        for kind, addresses in ADDRESSES.items():
            for code in sorted(marks.codes[kind]):
                yield from (address.format(code) for address in addresses)

    for answer in _search(visitor, marks, in_both_languages(*codes()), hidden):
        if answer.status not in (0, 400, 404):
            hidden.failures.append(f"{answer.status} at {answer.address}")
    for day in (ISSUED, timezone.localdate() - timedelta(days=1)):
        asked = [*PLAIN_PAGES, *FILES, *LISTS_AS_FILES, *PAST]
        sign = {address: "&" if "?" in address else "?" for address in asked}
        asked = [f"{address}{sign[address]}as_of={day}" for address in asked]
        _search(visitor, marks, asked, past)
    _crawl(portal, visitor, marks, in_both_languages("/", *PLAIN_PAGES, *searches), pages)
    return [count.row() for count in counts]


def _search(visitor: Visitor, marks, addresses, count: Count) -> list[Answer]:
    """Ask for ``addresses`` and count those that fail or show a mark."""
    with ThreadPoolExecutor(READERS) as pool:
        answers = list(pool.map(lambda address: visitor.copy().get(address), addresses))
    found = leaks(marks, {a.address: a for a in answers if a.status})
    for answer in answers:
        shown = found.get(answer.address)
        count.add(answer.fault or (f"{answer.address} shows {shown[0]}" if shown else ""))
    return answers


def _crawl(portal: Portal, visitor: Visitor, marks, begin, count: Count) -> None:
    """Follow every link from ``begin`` on until there is none left, or no time."""
    seen, waiting, asked_of = set(begin), deque(begin), {}
    while waiting and (not count.tried or portal.has_time()):
        batch = [waiting.popleft() for _ in range(min(TOGETHER, len(waiting)))]
        for answer in _search(visitor, marks, batch, count):
            if "html" not in answer.headers.get("Content-Type", ""):
                continue
            for link in links(answer.text):
                address = urldefrag(urljoin(answer.address, link))[0]
                path, _mark, query = address.partition("?")
                is_ours = address.startswith("/") and "/admin/" not in address
                if not is_ours or address in seen or path.startswith("/static/"):
                    continue
                asked_of[path] = asked_of.get(path, 0) + bool(query)
                if asked_of[path] <= QUERIES:
                    seen.add(address)
                    waiting.append(address)
    if waiting:
        count.note = f"{len(waiting)} more addresses were known when the time was over"
