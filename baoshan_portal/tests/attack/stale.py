"""Readers while everything changes: nobody reads what is no longer so, or another person's page.

Acts of every kind, those of the time machine on the day's own clock, one after the other. After
each, pages and files are asked for twice as everybody does, and once past whatever is kept, of two
web machines that share the database alone: all are the same. Meanwhile eight readers ask on,
workers are killed, kept files are damaged, and there is room for a part of them only.
``ATTACK=long`` goes on for an hour.
"""

import gzip
import os
import random
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone

from baoshan_portal.demo.filling import PEOPLE

from .. import kept_days
from ..time_machine import Portal as World
from ..time_machine import deck
from . import Count
from .portal import Portal
from .visitor import Answer, Visitor

#: Readers of whom two have signed in.
READERS = 8
STAFF = ("demo-editor", "demo-reviewer")
#: How the admin greets them.
TITLES = {name: title for name, _role, title in PEOPLE}
GREETING = re.compile('id="user-tools">.*?</strong>', re.DOTALL)
#: Addresses that are compared after each act, the one before them again among them.
EACH = 4
#: Acts between two workers that are killed, and two files that are damaged.
KILL, DAMAGE = 10, 4
#: Seconds in which what a killed worker was asked for may be lost.
RECOVERY = 15
#: Whoever has a session is answered past what is kept, and this is nobody's.
AROUND = {"Cookie": f"{settings.SESSION_COOKIE_NAME}=nobody"}


def attack(portal: Portal):
    portal.stop()
    portal.environment |= {"WORKERS": "2", "PAGE_CACHE_MB": "2"}
    portal.start()
    clock = SimpleNamespace(shift=lambda seconds: None)
    world = World(random.Random(portal.begun), clock)
    crowd = Crowd(portal, kept_days.addresses(world.random, world.today))
    with _second_machine(portal) as second, crowd:
        yield from _change_and_compare([portal, second], world, crowd)
    yield from (count.row() for count in crowd.counts)


@contextmanager
def _second_machine(portal: Portal) -> Iterator[Portal]:
    """Another server on the same database, which keeps its pages for itself."""
    folder = Path(portal.environment["CACHE_ROOT"]).with_name("second")
    environment = portal.environment | {"CACHE_ROOT": str(folder), "WORKERS": "1"}
    second = Portal.of(environment, portal.command, portal.seconds).start()
    try:
        yield second
    finally:
        second.stop()


def _change_and_compare(machines: list[Portal], world: World, crowd: "Crowd"):
    portal = machines[0]
    pages, kills, damage = (
        Count(f"{what} while eight readers ask")
        for what in ("pages compared after an act", "killed workers", "damaged files")
    )
    # A page that is kept has a tag.
    kept, around = (_ask(portal, "/changes/", **headers) for headers in ({}, AROUND))
    is_around = "ETag" in kept.headers and "ETag" not in around.headers
    pages.add("" if is_around else "nothing was asked for past what is kept")
    cards, asked, done = iter(()), [], Counter()
    while portal.has_time():
        card = next(cards, None)
        if card is None:
            # Every kind before any comes again.
            cards = iter(deck(world.random, 60))
            continue
        if not world.act(card):
            continue
        done[card] += 1
        asked = [*asked[: EACH // 2], *_some(world, crowd)]
        for address in asked:
            pages.add(_fault(machines, address, card))
        turn = done.total()
        if turn % DAMAGE == 0:
            damage.add(_damage(portal, world.random))
        if turn % KILL == 0:
            kills.add(crowd.kill_a_worker())
    pages.note = f"{done.total()} acts of {len(done)} kinds"
    yield from (count.row() for count in (pages, kills, damage))


def _some(world: World, crowd: "Crowd") -> list[str]:
    """Some of the addresses of today, which the readers ask for from now on, too."""
    known = [*kept_days.addresses(world.random, world.today), *kept_days.DATA]
    crowd.addresses = known
    return ["/changes/", *world.random.sample(known, EACH // 2)]


def _fault(machines: list[Portal], address: str, after: str) -> str:
    """What is wrong with the pages of ``address``, of which nothing changes meanwhile."""
    day = timezone.localdate()
    answers = [
        _ask(machine, address, Host=urlsplit(machines[0].address).netloc, **headers)
        for machine in machines
        for headers in ({}, AROUND, {})
    ]
    if timezone.localdate() != day:
        # Midnight came between two of them.
        return _fault(machines, address, after)
    if fault := next((answer.fault for answer in answers if answer.fault), ""):
        return fault
    if len({(answer.status, _body(answer)) for answer in answers}) > 1:
        return f"{address} after {after} is not what is made for whoever has a session"
    return ""


def _ask(portal: Portal, address: str, **headers) -> Answer:
    """Asked again where a worker was killed meanwhile."""
    for _turn in range(RECOVERY):
        answer = Visitor(portal.address).get(address, **{"Accept-Encoding": "gzip"}, **headers)
        if answer.status:
            break
        time.sleep(1)
    return answer


def _body(answer: Answer) -> bytes:
    is_packed = answer.headers["Content-Encoding"] == "gzip"
    return gzip.decompress(answer.body) if is_packed else answer.body


def _damage(portal: Portal, chance: random.Random) -> str:
    """Breaks one of the kept files off, or writes something else into it."""
    folder = Path(portal.environment["CACHE_ROOT"])
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)
    files = [path for path in files if path.parts[len(folder.parts)] in ("pages", "charts")]
    if not files:
        return "nothing was kept"
    path = chance.choice(files)
    # Another process may have put it away meanwhile.
    with suppress(OSError):
        content = path.read_bytes()
        path.write_bytes(chance.choice((content[: len(content) // 2], b"", b"x" * len(content))))
    return ""


class Crowd:
    """Eight readers, each one page after the other until the end; two of them have signed in."""

    def __init__(self, portal: Portal, addresses: list[str]):
        self.portal, self.addresses = portal, addresses
        self.counts = [Count(f"pages of {who}") for who in ("six strangers", *STAFF)]
        people = [(None, self.counts[0])] * (READERS - len(STAFF))
        people += list(zip(STAFF, self.counts[1:], strict=True))
        self._threads = [
            threading.Thread(target=self._read, args=(self._visitor(name), name, count))
            for name, count in people
        ]
        self._end, self._killed_at = threading.Event(), 0.0

    def _visitor(self, name: str | None) -> Visitor:
        return self.portal.staff(name) if name else self.portal.visitor()

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error):
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _read(self, visitor: Visitor, name: str | None, count: Count) -> None:
        chance = random.Random(id(count))
        while not self._end.is_set():
            time.sleep(0.02)
            address = "/admin/" if chance.random() < 0.2 else chance.choice(self.addresses)
            begun = time.monotonic()
            answer = visitor.copy().get(address)
            if answer.status or begun > self._killed_at + RECOVERY:
                count.add(answer.fault or _of_another(answer, name))

    def kill_a_worker(self) -> str:
        workers = self.portal.workers()
        self._killed_at = time.monotonic()
        os.kill(workers[0], signal.SIGKILL)
        end = self._killed_at + RECOVERY
        while time.monotonic() < end:
            now = self.portal.workers()
            if len(now) == len(workers) and workers[0] not in now:
                self._killed_at = time.monotonic()
                return ""
            time.sleep(0.1)
        return f"{len(workers)} workers were {len(self.portal.workers())} after {RECOVERY} s"


def _of_another(answer: Answer, name: str | None) -> str:
    """Where a public page names one of staff, or the admin greets somebody but ``name``."""
    if answer.address != "/admin/":
        named = [title for title in TITLES.values() if title in answer.text]
        return f"{answer.address} names {named[0]}" if named else ""
    if answer.status == 503:
        return ""
    greeted = GREETING.search(answer.text)
    is_right = greeted and TITLES[name] in greeted[0] if name else answer.status == 302
    return "" if is_right else f"/admin/ answers {name or 'a stranger'} with {answer.status}"
