"""Where pages are kept: the newest of each worker in its memory, all in what ``CACHES`` names."""

import fcntl
import logging
import time
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

from cachetools import LRUCache
from django.conf import settings
from django.core.cache import caches

from .download import Download, Downloads
from .page import Kept, Page

logger = logging.getLogger(__name__)

MB = 1024 * 1024
#: Of each worker's memory
IN_MEMORY = 8 * MB
#: Larger ones are not held in memory.
LARGEST_IN_MEMORY = MB // 2
#: What is known about an answer that is not kept: nobody waits for it again.
UNKEPT = object()
#: So many pages can be made at once without two that wait for each other by chance.
TURNS = 1024
#: Seconds that somebody waits for a page that another is making, and between two looks.
PATIENCE, LOOK = 20, 0.01


class Store:
    def __init__(self):
        self._memory = LRUCache(
            IN_MEMORY, getsizeof=lambda kept: kept.size if isinstance(kept, Kept) else 100
        )
        self._lock = Lock()
        folder = Path(settings.CACHE_ROOT)
        self._turns = folder / "turns"
        self.downloads = Downloads(folder / "downloads", settings.PAGE_CACHE_MB * MB)

    def get(self, key: str) -> Kept | object | None:
        """What is kept, UNKEPT where it is known that nothing is, or None."""
        with self._lock:
            found = self._memory.get(key)
        if isinstance(found, Download) and not found.path.exists():
            found = None
        if found is None:
            found = self._shared("get", key) or self.downloads.find(key)
            if found is not None:
                self._remember(key, found)
        return found

    def keep(self, key: str, page: Page) -> None:
        self._shared("set", key, page)
        self._remember(key, page)

    def do_not_keep(self, key: str) -> None:
        with self._lock:
            self._memory[key] = UNKEPT

    def _remember(self, key: str, page: Kept) -> None:
        if page.size <= LARGEST_IN_MEMORY:
            with self._lock:
                self._memory[key] = page

    def _shared(self, what: str, *values):
        """A cache that fails, such as a server that is away, is an empty one."""
        try:
            return getattr(caches["pages"], what)(*values)
        except Exception as error:
            logger.warning("Kept pages cannot be reached: %s", error)
            return None

    @contextmanager
    def turn(self, key: str):
        """Inside, nobody else makes the page of ``key``, in this process or another of the folder.

        After ``PATIENCE`` seconds, or where there is no folder, one goes on without a turn.
        """
        try:
            self._turns.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = (self._turns / str(int(key[:8], 16) % TURNS)).open("w")
        except OSError as error:
            logger.warning("Nobody waits for who makes the same page: %s", error)
            yield
            return
        # The system ends a turn with the process that had it.
        with file:
            until = time.monotonic() + PATIENCE
            while not _taken(file) and time.monotonic() < until:
                time.sleep(LOOK)
            yield


def _taken(file) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
