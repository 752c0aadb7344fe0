"""What is kept: compressed as a browser may ask for it, with the headers of whoever made it."""

import gzip
import hashlib
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import brotli
from django.utils.cache import cc_delim_re
from django.utils.http import http_date, parse_etags, parse_http_date_safe

#: What a proxy may keep a page for, in seconds; the portal itself asks the database each time.
KEPT_ELSEWHERE = 60
#: Smaller ones become larger when they are compressed.
SMALLEST = 200
#: Brotli's own middle: as small as gzip at its best, and faster; it looks back 256 kB, which is
#: more than a page, and would take many MB to look further.
BROTLI = {"quality": 5, "lgwin": 18}
#: Types that are compressed already gain nothing.
TEXT = re.compile(r"text/|image/svg|application/(json|javascript|atom\+xml|rss\+xml|xml)")
#: Of the answer as it was made; these are given anew.
GIVEN_ANEW = {"content-length", "content-encoding", "etag", "last-modified", "x-request-id", "vary"}


@dataclass(frozen=True)
class Kept:
    """What was made once; ``made`` in seconds. Subclasses say in which codings they hold it."""

    headers: tuple[tuple[str, str], ...]
    etag: str
    made: int

    #: Content codings at hand; identity is always
    codings = ()

    def body(self, coding: str) -> tuple[int | None, Iterable[bytes]]:
        """Its length in ``coding`` ("": identity), None where nobody knows, and the bytes."""
        raise NotImplementedError

    def answer(self, environ: dict, request_id: str, start_response) -> Iterable[bytes]:
        """Answers with all of it, or with 304 where the reader has it."""
        accepted = codings(environ.get("HTTP_ACCEPT_ENCODING", ""))
        coding = next((each for each in accepted if each in self.codings), "")
        etag = f'"{self.etag}{coding and "-" + coding}"'
        headers = [*self.headers, ("ETag", etag), ("X-Request-ID", request_id)]
        if self.is_known(environ, etag):
            start_response("304 Not Modified", headers)
            return []
        if coding:
            headers.append(("Content-Encoding", coding))
        length, chunks = self.body(coding)
        if length is not None:
            headers.append(("Content-Length", str(length)))
        start_response("200 OK", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else chunks

    def is_known(self, environ: dict, etag: str) -> bool:
        """Whether the reader has it, as RFC 9110 has it: the tag counts before the date."""
        if asked := environ.get("HTTP_IF_NONE_MATCH"):
            tags = parse_etags(asked)
            return "*" in tags or etag in {tag.removeprefix("W/") for tag in tags}
        since = parse_http_date_safe(environ.get("HTTP_IF_MODIFIED_SINCE") or "")
        return since is not None and self.made <= since


@dataclass(frozen=True)
class Page(Kept):
    """``bodies`` by content coding, ``""`` only where it is not compressed."""

    bodies: dict[str, bytes]

    @property
    def codings(self):
        return self.bodies.keys() - {""}

    @property
    def size(self) -> int:
        """Bytes that it takes in memory, about."""
        return 500 + sum(map(len, self.bodies.values()))

    def body(self, coding):
        found = self.bodies.get(coding)
        if found is None:
            found = gzip.decompress(self.bodies["gzip"])
        return len(found), [found]


def make(headers: list[tuple[str, str]], body: bytes) -> Page:
    """The page to keep of an answer that was not compressed."""
    bodies = {"": body}
    if len(body) >= SMALLEST and TEXT.match(given_by(headers).get("content-type", "")):
        bodies = {
            "br": brotli.compress(body, **BROTLI),
            "gzip": gzip.compress(body, mtime=0),
        }
    made = int(time.time())
    etag = hashlib.sha256(body).hexdigest()[:32]
    return Page(headers_of(headers, made), etag, made, bodies)


def given_by(headers: list[tuple[str, str]]) -> dict[str, str]:
    """The headers by their names in small letters."""
    return {name.lower(): value for name, value in headers}


def headers_of(headers: list[tuple[str, str]], made: int) -> tuple[tuple[str, str], ...]:
    """Those of an answer, as they are given to whoever asks again."""
    vary = [name for name in cc_delim_re.split(given_by(headers).get("vary", "")) if name]
    # The language stands in the address.
    vary = [name for name in vary if name.lower() not in ("accept-language", "accept-encoding")]
    return (
        *((name, value) for name, value in headers if name.lower() not in GIVEN_ANEW),
        ("Vary", ", ".join(["Accept-Encoding", *vary])),
        ("Last-Modified", http_date(made)),
        ("Cache-Control", f"public, max-age={KEPT_ELSEWHERE}"),
    )


@lru_cache(maxsize=256)
def codings(accepted: str) -> tuple[str, ...]:
    """Those of br and gzip that ``Accept-Encoding`` takes, the smaller first."""
    weights = {}
    for part in accepted.lower().split(","):
        name, _semicolon, parameter = part.strip().partition(";")
        _q, _equals, weight = parameter.strip().partition("=")
        try:
            weights[name.strip()] = float(weight) if weight else 1.0
        except ValueError:
            continue
    return tuple(name for name in ("br", "gzip") if weights.get(name, weights.get("*", 0)) > 0)
