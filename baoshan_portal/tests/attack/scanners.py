"""What scanners of vulnerabilities do: known places, odd texts, headers, methods and raw bytes.

Never 500, never anything of ours in an answer, the security headers on every answer of the portal.
"""

import io
import re
import shutil
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPException, HTTPMessage, HTTPResponse
from itertools import chain
from random import Random
from urllib.parse import quote, urlsplit

from ..test_doors import KNOWN, NAMES, ODD_KEYS, PUBLIC, STAFF, filled
from . import LONG, Count, Row
from .portal import Portal
from .probes import HEADERS, METHODS, PLACES, PROGRAMS, RAW, TEXTS
from .visitor import Answer, Visitor

PAGES = ("/", "/en/find/", "/admin/login/", "/data/indicators.csv", "/static/css/base.css")
#: Of what the portal itself answers.
SECURITY = {
    "content-security-policy": "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
}
#: What the server answers by itself to what is no HTTP.
BY_THE_SERVER = {400, 408, 413, 414, 431, 505}
#: What no answer holds: our files, our code, a text of theirs that runs.
NEVER = re.compile(
    rb"root:.*?:0:0|Traceback|SECRET_KEY|DATABASE_URL|django\.core|<script>qzx|<svg onload=qzx|"
    rb"SQLite format 3|PGDMP|\[core\]\s+repositoryformatversion|INSTALLED_APPS|File &quot;/"
)
PROPERTIES = 20_000 if LONG else 1_500


def attack(portal: Portal):
    headers = Count("security headers on every answer")
    never = Count("nothing of ours, and nothing that runs, in an answer")
    steps = (_places, _texts, _headers, _methods, _raw, _forms)
    for count, answers in chain((step(portal) for step in steps), _properties(portal)):
        for answer in answers:
            headers.add(_missing(answer))
            never.add(_told(answer))
        yield count.row()
    yield headers.row()
    yield never.row()
    yield from _programs(portal)


def _missing(answer: Answer) -> str:
    """Which security header is not there; the server itself refuses what is no HTTP, with none."""
    by_the_server = answer.status in BY_THE_SERVER and not answer.body
    if answer.status == 0 or (by_the_server and "X-Request-ID" not in answer.headers):
        return ""
    lacking = [n for n, v in SECURITY.items() if v not in answer.headers.get(n, "")]
    return f"{', '.join(lacking)} at {answer.address[:60]}" if lacking else ""


def _told(answer: Answer) -> str:
    place = answer.headers.get("Location", "")
    if "evil.example" in urlsplit(place).netloc or re.match(r"[/\\]{2}", place):
        return f"leads to {place[:60]} from {answer.address[:60]}"
    if answer.headers.get("Access-Control-Allow-Origin") not in (None, "*"):
        return f"allows an origin at {answer.address[:60]}"
    if "qzx" in answer.headers.get("Set-Cookie", ""):
        return f"sets a cookie of theirs at {answer.address[:60]}"
    found = NEVER.search(answer.body)
    return f"{found[0][:30]!r} at {answer.address[:60]}" if found else ""


def _judge(count: Count, answers: list[Answer], may_be_silent=False) -> tuple[Count, list[Answer]]:
    for answer in answers:
        count.add("" if may_be_silent and answer.status == 0 else answer.fault)
    return count, answers


def _all(step, cases) -> list[Answer]:
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(step, cases))


def _places(portal: Portal):
    ask = portal.visitor()
    places = [f"{prefix}/{place}" for place in PLACES for prefix in ("", "/en")]
    answers = _all(lambda place: send(ask, request("GET", place), place), places)
    count, answers = _judge(Count("places of other programs, and ways out of ours"), answers)
    known = ("login", "jsi18n", "static/..", "healthz", "readyz", "robots", "admin/", "data/")
    for answer in answers:
        # Only what the portal has is there.
        if answer.status == 200 and not any(word in answer.address for word in known):
            count.failures.append(f"200 at {answer.address}")
    return count, answers


def _texts(portal: Portal):
    ask = portal.visitor()
    asked = [
        f"{page}?{name}={quote(text)}"
        for n, text in enumerate(TEXTS)
        for page in ("/find/", "/measures/", "/en/indicators/", "/changes/", "/packs/", "/")
        for name in ("q", NAMES[n % len(NAMES)], NAMES[(n + 7) % len(NAMES)])
    ]
    below = ("/measures/", "/en/indicators/", "/sections/", "/changes/feed/section/", "/")
    asked += [f"{place}{quote(text, safe='')}/" for text in TEXTS for place in below]
    # The short form asks for each text on some pages, and for each page with some texts.
    asked = asked if LONG else asked[::7]
    answers = _all(lambda a: send(ask, request("GET", a), a), asked)
    return _judge(Count("texts that are commands elsewhere"), answers)


def _headers(portal: Portal):
    ask = portal.visitor()
    cases = [(page, name, value) for page in PAGES for name, value in HEADERS]

    def step(case):
        page, name, value = case
        method = "POST" if name in ("Content-Type", "Content-Length") else "GET"
        return send(ask, request(method, page, {name: value}), f"{page} with {name}: {value[:30]}")

    # A length without its bytes: both wait, the server as long as it likes.
    return _judge(Count("odd headers"), _all(step, cases), may_be_silent=True)


def _methods(portal: Portal):
    ask = portal.visitor()
    cases = [(page, method) for page in PAGES for method in METHODS]
    answers = _all(lambda c: send(ask, request(c[1], c[0]), f"{c[1][:9]} {c[0]}"), cases)
    count, answers = _judge(Count("methods"), answers)
    for answer in answers:
        if answer.address.startswith("TRACE") and b"X-Probe" in answer.body:
            count.failures.append(f"{answer.address} gives the request back")
    return count, answers


def _raw(portal: Portal):
    ask = portal.visitor(patience=10)
    answers = _all(lambda case: send(ask, case[1], case[0]), RAW.items())
    count, answers = _judge(Count("bytes that no browser sends"), answers, may_be_silent=True)
    count.add("" if portal.answers(10) else "the portal does not answer after them")
    return count, answers


def _forms(portal: Portal):
    """Every address by POST without the token that its page gives."""
    ask, staff = portal.visitor(), portal.staff("demo-steward")
    addresses = [filled(text, lambda: "known") for text in (*PUBLIC, *STAFF)]
    body = b"username=x&password=y&reason=x&action=lock&_selected_action=1&post=yes"
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    count, all_answers = Count("forms of another site, refused"), []
    for who in (ask, staff):
        answers = _all(lambda a, who=who: who.copy().ask("POST", a, body, kind), addresses)
        _judge(count, answers)
        for answer in answers:
            # A way to the page for signing in, or with a slash, is none of a form.
            if answer.status == 200:
                count.failures.append(f"200 at {answer.address}")
        all_answers += answers
    return count, all_answers


def _properties(portal: Portal):
    """Every pattern of address with odd parameters, as a stranger and as staff."""
    chance = Random(1)
    texts = [text for text in (*ODD_KEYS, *KNOWN, *TEXTS) if len(text) < 2_000]
    strange, steward = portal.visitor(), portal.staff("demo-steward")
    for name, who, patterns in (("a stranger", strange, PUBLIC), ("a steward", steward, STAFF)):
        cases = []
        for n in range(PROPERTIES):
            place = filled(patterns[n % len(patterns)], lambda: chance.choice(texts))
            query = "&".join(
                f"{chance.choice(NAMES)}={quote(chance.choice(texts), safe='')}"
                for _ in range(chance.randrange(4))
            )
            method = chance.choice(["GET", "GET", "POST"])
            cases.append((method, f"{quote(place, safe='/')}?{query}"))
        count, answers = Count(f"every address with odd parameters, as {name}"), []
        share = 1.0 if who is strange else 1.4
        # On a machine that is busy, one batch at least.
        while cases and (not answers or portal.has_time(share)):
            batch, cases = cases[:100], cases[100:]
            answers += _all(lambda c, who=who: _asked(who, *c), batch)
        yield _judge(count, answers)


def _asked(who: Visitor, method: str, path: str) -> Answer:
    who = who.copy()
    if method == "POST":
        return who.post(
            path, {"action": "x", "index": "\x00", "_selected_action": "a", "seen": "-"}
        )
    return send(who, request(method, path, {"Cookie": _cookies(who)}), path)


def _cookies(who: Visitor) -> str:
    return "; ".join(f"{name}={value}" for name, value in who.cookies.items()) or "a=b"


def request(method: str, path: str, headers=None) -> bytes:
    """A request written by hand, so that nothing of it is put right by a library."""
    told = {"Host": "127.0.0.1", "Connection": "close", "X-Probe": "1", **(headers or {})}
    path = path if path.startswith("/") else f"/{path}"
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in told.items())]
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "replace")


def send(who: Visitor, sent: bytes, name: str) -> Answer:
    """The answer to raw bytes; status 0 where the server hung up without one."""
    place = urlsplit(who.address)
    try:
        with socket.create_connection((place.hostname, place.port), who.patience) as connection:
            connection.settimeout(min(who.patience, 20))
            # Refused before its end, the reason may still be there to read.
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(sent)
            return _read(connection, sent, name)
    except (OSError, HTTPException) as error:
        return Answer(0, HTTPMessage(), f"{type(error).__name__} {error}".encode(), name)


def _read(connection, sent: bytes, name: str) -> Answer:
    received = io.BytesIO()
    while piece := connection.recv(65_536):
        received.write(piece)
    response = HTTPResponse(
        _Received(received.getvalue()), method=sent.split(b" ")[0].decode("latin-1")
    )
    response.begin()
    return Answer(response.status, response.headers, response.read(), name)


class _Received:
    """Bytes that came, as the library wants a socket."""

    def __init__(self, content: bytes):
        self.content = content

    def makefile(self, *_args):
        return io.BytesIO(self.content)


def _programs(portal: Portal):
    """The scanners that are installed; those that are not are named."""
    for program in PROGRAMS:
        path = shutil.which(program)
        if path is None:
            yield Row(program, 0, 0, "not installed, so not run")
            continue
        count = Count(program)
        if program == "nikto":
            command = [path, "-host", portal.address, "-maxtime", "120s", "-nointeractive"]
        elif program == "nuclei":
            command = [path, "-u", portal.address, "-duc", "-severity", "medium,high,critical"]
        else:
            yield Row(program, 0, 0, "installed, and run by hand: it wants a plan of its own")
            continue
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        lines = [line for line in done.stdout.splitlines() if line.startswith(("+ [", "["))]
        count.add("; ".join(lines[:3]))
        yield count.row()
