"""The layer before all of Django: a public page that was made already costs one question.

The question is which version of the public data stands. A page is made once for each version, day,
address and choice of display, whoever asks; then it is bytes until the version changes.
"""

import time
from types import SimpleNamespace

from django.conf import settings
from django.db import Error, connection

from baoshan_portal.public.remembered import VERSION
from measures.protection import submission_tables
from measures.publication import is_to_come

from ..logs import request_id
from ..requests import access, line_of, name_of
from .asked import address_of, key_of
from .page import Kept, codings, given_by, headers_of, make
from .store import UNKEPT, Store

#: A request that a page is made for asks for all of it, as it is.
CONDITIONS = ("HTTP_ACCEPT_ENCODING", "HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE")
#: Larger ones are handed through.
LARGEST = 16 * 1024 * 1024


class PageCache:
    """``application`` of WSGI, with what it made for strangers kept."""

    def __init__(self, application):
        self.application = application
        self.store = Store()

    def __call__(self, environ, start_response):
        begun = time.perf_counter()
        try:
            key = key_of(environ)
        except Error:
            # Whatever it is, the page itself will say so.
            connection.close()
            key = None
        page = key and self.store.get(key)
        if isinstance(page, Kept):
            return self._kept(page, environ, start_response, begun)
        if key is None:
            return self.application(environ, start_response)
        if page is None:
            with self.store.turn(key):
                page = self.store.get(key)
                if page is None:
                    return self._made(key, environ, start_response)
        if page is UNKEPT:
            kept = environ if _is_settled() else _forgetting(environ)
            return self.application(kept, start_response)
        return self._kept(page, environ, start_response, begun)

    def _made(self, key: str, environ: dict, start_response):
        """Answers with what the application makes, and keeps it where it is everybody's."""
        if not _is_settled():
            return self.application(_forgetting(environ), start_response)
        answer = _Answer()
        chunks = self.application(_whole(environ), answer.start)
        if not answer.is_for_everybody(chunks):
            # What failed may succeed the next time, and then be kept.
            if not answer.status.startswith("5"):
                self.store.do_not_keep(key)
        elif not chunks.streaming:
            page = make(answer.headers, read(chunks))
            self.store.keep(key, page)
            return page.answer(environ, answer.request_id, start_response)
        elif "gzip" in codings(environ.get("HTTP_ACCEPT_ENCODING", "")) and not _is_head(environ):
            # The tag is known when all of it was sent.
            headers = headers_of(answer.headers, int(time.time()))
            given = [("Content-Encoding", "gzip"), ("X-Request-ID", answer.request_id)]
            start_response(answer.status, [*headers, *given])
            return self.store.downloads.kept_while_sent(key, headers, chunks)
        start_response(answer.status, answer.headers)
        if _is_head(environ):
            chunks.close()
            return []
        return chunks

    def _kept(self, page: Kept, environ: dict, start_response, begun: float):
        """Answers with what was made before, and writes the line that Django writes otherwise."""
        request = SimpleNamespace(META=environ)
        name = name_of(request)
        if not settings.ACCESS_LOG:
            return page.answer(environ, name, start_response)
        answer = _Answer()
        chunks = page.answer(environ, name, answer.start)
        start_response(answer.status, answer.headers)
        length = int(given_by(answer.headers).get("content-length", 0))
        token = request_id.set(name)
        fields = line_of(request, address_of(environ), int(answer.status[:3]), length, begun)
        access.info("request", extra={"fields": fields})
        request_id.reset(token)
        return chunks


class _Answer:
    """What the application says before the body."""

    status, headers = "", []

    @property
    def request_id(self) -> str:
        return dict(self.headers)["X-Request-ID"]

    def start(self, status, headers, exc_info=None):
        self.status, self.headers = status, headers

    def is_for_everybody(self, chunks) -> bool:
        given = given_by(self.headers)
        return (
            self.status.startswith("200")
            and "set-cookie" not in given
            and "cache-control" not in given
            and (chunks.streaming or len(chunks.content) <= LARGEST)
        )


def _forgetting(environ: dict) -> dict:
    """``environ`` without the version, so that nothing of what is made for it is remembered."""
    return {name: value for name, value in environ.items() if name != VERSION}


def _is_settled() -> bool:
    """Whether what is public now is what is public until the version changes or the day ends."""
    try:
        return not is_to_come(connection, submission_tables())
    except Error:
        # Whatever it is, the page itself will say so.
        connection.close()
        return False


def _is_head(environ: dict) -> bool:
    return environ["REQUEST_METHOD"] == "HEAD"


def _whole(environ: dict) -> dict:
    asked = {name: value for name, value in environ.items() if name not in CONDITIONS}
    return {**asked, "REQUEST_METHOD": "GET"}


def read(chunks) -> bytes:
    """The whole of an answer of WSGI."""
    try:
        return b"".join(chunks)
    finally:
        end(chunks)


def end(chunks) -> None:
    """Closes an answer of WSGI, as whoever has read it must; one that is kept has nothing to."""
    if hasattr(chunks, "close"):
        chunks.close()
