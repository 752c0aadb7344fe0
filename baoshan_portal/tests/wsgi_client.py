"""Asks a WSGI application in this process, as the server does: past all before Django."""

import gzip
from contextlib import contextmanager
from dataclasses import dataclass

import brotli
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import RequestFactory


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    sent: bytes

    @property
    def body(self) -> bytes:
        """What was sent, as it was before it was compressed."""
        decode = {"gzip": gzip.decompress, "br": brotli.decompress}
        coding = self.headers.get("content-encoding")
        return decode[coding](self.sent) if coding and self.sent else self.sent


@contextmanager
def kept_connections():
    """As Django's own client: the connection holds the transaction of the test."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)


def keep_pages_in(folder, settings) -> None:
    """The pages that are made are kept in ``folder``, which is empty, and nowhere else."""
    settings.CACHE_ROOT = folder
    pages = {**settings.CACHES["pages"], "LOCATION": folder / "pages"}
    settings.CACHES = {**settings.CACHES, "pages": pages}


def ask(application, path: str, method: str = "GET", **headers: str) -> Answer:
    """``headers`` as in WSGI: ``HTTP_COOKIE="size=large"``."""
    environ = RequestFactory(SERVER_NAME="localhost").generic(method, path, **headers).environ
    environ.setdefault("HTTP_HOST", "localhost")
    told = []
    with kept_connections():
        chunks = application(
            environ, lambda status, given, exc_info=None: told.extend((status, given))
        )
        try:
            sent = b"".join(chunks)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
    status, given = told
    return Answer(int(status[:3]), {name.lower(): value for name, value in given}, sent)
