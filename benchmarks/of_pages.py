"""Pages that were made before beside static files, and pages that are made beside one query."""

import gzip
import os
import socket
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from threading import Thread
from time import perf_counter
from urllib.request import Request, urlopen

from django.conf import settings
from django.core.management import call_command
from django.test import Client
from peer import datasette, program
from side_by_side import Line, ratios, seconds, taking_turns

from baoshan_portal.tests.pages import OFFICE, PLAIN_PAGES, SECTIONS
from baoshan_portal.tests.server import free_port, wait_for
from measures.models import Department, Measure, Opinion
from metrics.models import Indicator

HERE = Path(__file__).resolve().parent
#: Of one measurement, and connections at a time.
SECONDS, CONNECTIONS = 1.5, 2
KEPT = {"Accept-Encoding": "gzip"}
#: A session of nobody: Django makes the page, whatever is kept or remembered of other pages.
MADE = {**KEPT, "Cookie": f"{settings.SESSION_COOKIE_NAME}=nobody"}
OVERVIEW, LIST = "/", "/indicators/"
FACETS = "?_size=50&_facet=category&_facet=kind&_facet=level"
#: Times a view with one query: of a page, and of a table of fifty rows.
PAGE, TABLE = 10, 15
#: Seconds of any page at a hundred thousand indicators, and kB on the line, whatever the data.
SLOWEST, LARGEST = 1, 100


def lines(rounds: int) -> Iterator[Line]:
    with tempfile.TemporaryDirectory() as folder:
        static = _static_files(Path(folder))
        with serving("baoshan_portal.wsgi", folder) as portal, serving("one_query", folder) as one:
            for path in (OVERVIEW, LIST):
                found = taking_turns(
                    rounds,
                    ours=lambda path=path: rate(portal, path, KEPT),
                    static=lambda path=path: rate(portal, static[path], KEPT),
                )
                yield Line(f"{path}, made before, a second", found["ours"], "")
                goal = 0.7 if _is_sqlite() else 0.5
                share = ratios(found["ours"], found["static"])
                yield Line(f"{path}, made before : static file of the same bytes", share, goal=goal)
            for path, goal in _pages():
                found = taking_turns(
                    rounds,
                    ours=lambda path=path: rate(portal, path, MADE),
                    one=lambda: rate(one, "/one/", MADE),
                )
                times = ratios(found["one"], found["ours"])
                what = f"{path[:30]}, made anew : a view with one query"
                yield Line(what, times, goal=goal, at_most=True)
            if program():
                yield _beside_datasette(rounds, portal)
            yield from _of_every_kind(rounds, portal)


def _of_every_kind(rounds: int, portal: int) -> Iterator[Line]:
    """The slowest page and the largest, so that none is forgotten for want of a line of its own."""
    office, opinion = Department.objects.published().first(), Opinion.objects.published().first()
    # The report's own have no like here, and one section stands for all.
    pages = [path for path in PLAIN_PAGES if path not in {OFFICE, *SECTIONS[1:]}]
    pages += [office.get_absolute_url(), opinion.get_absolute_url(), "/find/?q=1"]
    pages += [path for path, _goal in _pages()]
    times, sizes = defaultdict(list), {}
    # In the first of them the process reads what it needs once, such as dictionaries.
    for number in range(1 + rounds):
        for path in dict.fromkeys(pages):
            asked = Request(f"http://127.0.0.1:{portal}{path}", headers=MADE)
            begun = perf_counter()
            with urlopen(asked) as answer:
                sizes[path] = len(answer.read()) / 1000
            if number:
                times[path].append(perf_counter() - begun)
    slowest = max(times, key=lambda path: median(times[path]))
    what = f"slowest of {len(times)} pages made anew: {slowest[:28]}"
    yield Line(what, times[slowest], "s", SLOWEST, True)
    largest = max(sizes, key=sizes.get)
    yield Line(f"largest, compressed: {largest[:28]}", [sizes[largest]], "kB", LARGEST, True)


def _beside_datasette(rounds: int, portal: int) -> Line:
    """Seconds of the list with all its facets and fifty rows, beside a table with three facets."""

    def read(address: str, **headers) -> None:
        urlopen(Request(address, headers=headers)).read()

    ours = f"http://127.0.0.1:{portal}{LIST}"
    with datasette() as tables:
        theirs = f"{tables}metrics_indicator{FACETS}"
        read(theirs)
        found = taking_turns(
            rounds,
            ours=lambda: seconds(lambda: read(ours, Cookie=MADE["Cookie"])),
            them=lambda: seconds(lambda: read(theirs)),
        )
    share = ratios(found["ours"], found["them"])
    return Line(f"{LIST}, made anew : Datasette’s table with facets", share)


def _is_sqlite() -> bool:
    return "sqlite" in settings.DATABASES["default"]["ENGINE"]


def _pages() -> list[tuple[str, int]]:
    indicator = Indicator.objects.published().order_by("pk").first()
    measure = Measure.objects.published().order_by("pk").first()
    return [
        (OVERVIEW, PAGE),
        ("/sections/1/", PAGE),
        (measure.get_absolute_url(), PAGE),
        (indicator.get_absolute_url(), PAGE),
        (LIST, TABLE),
        ("/measures/", TABLE),
        ("/targets/", TABLE),
    ]


def _static_files(folder: Path) -> dict[str, str]:
    """Collects the static files into ``folder``, with one of the bytes of each page beside them."""
    settings.STATIC_ROOT = folder / "static"
    call_command("collectstatic", interactive=False, verbosity=0)
    found = {}
    for number, path in enumerate((OVERVIEW, LIST)):
        body = Client().get(path).content
        name = f"page-{number}.html"
        (folder / "static" / name).write_bytes(body)
        (folder / "static" / f"{name}.gz").write_bytes(gzip.compress(body))
        found[path] = f"/static/{name}"
    return found


@contextmanager
def serving(module: str, folder: str) -> Iterator[int]:
    """The port of the deployment's server, with one process, on this database."""
    port = free_port()
    environment = {
        **os.environ, "STATIC_ROOT": f"{folder}/static", "CACHE_ROOT": f"{folder}/cache",
        "PYTHONPATH": f"{HERE.parent}:{HERE}", "THREADS": str(2 * CONNECTIONS),
    }  # fmt: skip
    command = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--http", "1", "--no-ws",
        "--port", str(port), "--workers", "1", "--blocking-threads", str(2 * CONNECTIONS),
        "--log-level", "warning", f"{module}:application",
    ]  # fmt: skip
    server = subprocess.Popen(command, env=environment, cwd=HERE)
    try:
        wait_for(port, server)
        yield port
    finally:
        server.terminate()
        server.wait()


def rate(port: int, path: str, headers: dict[str, str]) -> float:
    """Answers a second; raises RuntimeError for one that is no page."""
    told = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{told}\r\n".encode()
    # Once before: what is to be kept is made by then.
    _ask(port, request, until=0)
    counts: list[float] = []

    def visit():
        begun = perf_counter()
        answers = _ask(port, request, until=begun + SECONDS)
        counts.append(answers / (perf_counter() - begun))

    threads = [Thread(target=visit) for _each in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts)


def _ask(port: int, request: bytes, until: float) -> int:
    """How often ``request`` was answered on one connection until then, once at the least.

    A plain socket, because Python's own client takes longer than what is measured.
    """
    answers = 0
    with socket.create_connection(("127.0.0.1", port)) as connection:
        while answers == 0 or perf_counter() < until:
            connection.sendall(request)
            received = b""
            while b"\r\n\r\n" not in received:
                received += connection.recv(1 << 16)
            head, _blank, body = received.partition(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(head.decode(errors="replace"))
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            left = length - len(body)
            while left > 0:
                left -= len(connection.recv(1 << 20))
            answers += 1
    return answers
