"""What many pages work out alike, kept by each worker until something public changes.

A cache and never a source: where nobody says which version of the data stands, such as for people
who have signed in, each request works it out for itself.
"""

from collections.abc import Callable
from threading import Lock, RLock
from typing import TypeVar

from cachetools import LRUCache
from django.utils import timezone

#: Where the layer before Django tells the version of the public data (``measures.data_version``).
VERSION = "portal.data_version"
#: Things that are kept for one version: some of today, and of the past days that people ask for.
MOST = 24
#: Large ones: those of today, and most of one past day, in both languages.
MOST_LARGE = 7

Made = TypeVar("Made")


class _Memory:
    """What was made for one version alone, that which was asked for last: hardly anybody asks for
    an older one again."""

    def __init__(self, most: int):
        self._version, self._kept, self._lock = None, LRUCache(most), Lock()

    def get(self, version: int, key: tuple):
        with self._lock:
            if version != self._version:
                self._version = version
                self._kept.clear()
            return self._kept.get(key)

    def keep(self, version: int, key: tuple, made) -> None:
        with self._lock:
            # What took longer than its version stood is nobody's.
            if version == self._version:
                self._kept[key] = made


_memory, _large_memory = _Memory(MOST), _Memory(MOST_LARGE)
#: Nobody makes a large thing while another does: together they would need the memory twice.
_making = RLock()


def remembered(request, name: str, make: Callable[[], Made]) -> Made:
    """What ``make`` returns for the day that ``request`` asks for; the same until data change.

    ``name`` tells it from what else is kept. Nobody may change what is returned, and it must not
    depend on the reader or the language.
    """
    return _remembered(_memory, request, name, make)


def already_remembered(request, name: str):
    """What is ``remembered`` under ``name`` already; None if nothing is."""
    version = request.META.get(VERSION)
    return None if version is None else _memory.get(version, _key(request, name))


def remembered_large(request, name: str, make: Callable[[], Made]) -> Made:
    """``remembered`` for what needs megabytes: fewer are kept, and only one is made at a time."""
    if VERSION not in request.META:
        return make()
    found = _large_memory.get(request.META[VERSION], _key(request, name))
    if found is not None:
        # Nobody waits for what another makes.
        return found
    with _making:
        return _remembered(_large_memory, request, name, make)


def _key(request, name: str) -> tuple:
    # What was read while a table changed is found by nobody who reads that table otherwise.
    return name, request.as_of, request.read_from_versions, timezone.localdate()


def _remembered(memory: _Memory, request, name: str, make: Callable[[], Made]) -> Made:
    version = request.META.get(VERSION)
    if version is None:
        return make()
    key = _key(request, name)
    found = memory.get(version, key)
    if found is None:
        found = make()
        memory.keep(version, key, found)
    return found
