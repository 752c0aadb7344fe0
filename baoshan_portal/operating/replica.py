"""Public pages and files read from a replica of PostgreSQL, where ``REPLICA_URL`` names one.

Everything else stays with the database that is written to: whatever staff see or send, whoever
comes with a session, and the probes. A replica follows a little later. Both databases are asked
every second which version of the public data they have (``measures.data_version``); a replica that
has had another for ``REPLICA_LAG_SECONDS``, or does not answer, is left alone until it has the
same again, and pages are read where they are written. Where that database does not answer, the
replica's last state is shown: nothing newer can have been published.

Kept pages (``page_cache``) are those of the version that the database which was read has.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, Error, connections

from .page_cache.asked import is_of_strangers, version_that_stands
from .page_cache.layer import end

logger = logging.getLogger(__name__)

ALIAS = "replica"
#: Seconds between two looks at both databases.
LOOK = 1


class ReadFromReplica:
    """``application`` of WSGI, which reads from the replica what strangers ask for."""

    def __init__(self, application):
        self.application = application
        self.replica = Replica()

    def __call__(self, environ, start_response):
        if not is_of_strangers(environ) or not self.replica.follows():
            return self.application(environ, start_response)
        said = []
        with read_there():
            chunks = self.application(environ, lambda *what: said.append(what))
        if said[0][0].startswith("503"):
            # It went away meanwhile, or ended what was read for what it has to follow.
            end(chunks)
            self.replica.leave()
            return self.application(environ, start_response)
        start_response(*said[0])
        return chunks if isinstance(chunks, list) else _ReadThere(chunks)


class _ReadThere:
    """``chunks`` of an answer, each of them read from the replica by whichever thread sends it."""

    def __init__(self, chunks):
        self._chunks, self._rest = chunks, iter(chunks)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        with read_there():
            return next(self._rest)

    def close(self) -> None:
        with read_there():
            end(self._chunks)


@contextmanager
def read_there():
    """Within, this thread knows the replica under the name of the database that is written to, so
    every query, cursor and view of the past goes there, and nothing can be written."""
    own = connections[DEFAULT_DB_ALIAS]
    connections[DEFAULT_DB_ALIAS] = connections[ALIAS]
    try:
        yield
    finally:
        connections[DEFAULT_DB_ALIAS] = own


class Replica:
    """Whether the replica is to be read from, as this process knows it.

    ``clock`` gives seconds, ``version`` that of the public data in the database of an alias, or
    None if it does not answer.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        version: Callable[[str], int | None] | None = None,
    ):
        self._clock, self._version = clock, version or version_of
        self._looking = Lock()
        self._looked_at = -LOOK
        #: When it was last seen to have what the other has; None: not since it was left alone.
        self._same_at: float | None = None
        self._is_read = False

    def follows(self) -> bool:
        now = self._clock()
        # Nobody waits for who looks.
        if now - self._looked_at >= LOOK and self._looking.acquire(blocking=False):
            try:
                self._look(now)
            finally:
                self._looked_at = self._clock()
                self._looking.release()
        return self._is_read

    def leave(self) -> None:
        """Reads from it no more until it has the same version again."""
        self._tell(False)
        self._same_at = None

    def _look(self, now: float) -> None:
        there = self._version(ALIAS)
        if there is None:
            self.leave()
            return
        here = self._version(DEFAULT_DB_ALIAS)
        if here is None or here == there:
            self._same_at = now
            self._tell(True)
        elif self._same_at is None or now - self._same_at > settings.REPLICA_LAG_SECONDS:
            self.leave()

    def _tell(self, is_read: bool) -> None:
        if is_read != self._is_read:
            logger.warning(
                "The replica is read from."
                if is_read
                else "The replica is away or behind; pages are read where they are written."
            )
        self._is_read = is_read


def version_of(alias: str) -> int | None:
    """The version of the public data there; None if the database does not answer."""
    try:
        return version_that_stands(alias)
    except Error:
        connections[alias].close()
        return None
