"""What was worked out of a past day, where that is much, looked up and kept.

Readers put down what they worked out, and a thread of the server writes it (``write``) if nothing
public has changed meanwhile: no reader waits for a writer, and all workers look it up.
"""

import json
import zlib
from collections import OrderedDict
from collections.abc import Callable, Collection
from datetime import date, datetime
from functools import partial
from threading import Lock
from typing import NamedTuple, TypeVar

from django.db import connection
from django.utils import timezone

from measures import data_version
from measures.past import is_read_as_before, past
from measures.submission import end_of_day

from . import copies
from .kept_day_table import TABLE, KeptDay

#: So many rows are worked out sooner than what is kept of all is read.
FEW = 1_000
#: What is kept: three things of each of thirty days.
MOST = 90
#: What waits to be written: those of two days.
MOST_WAITING = 6

Known = TypeVar("Known")


class _Waiting(NamedTuple):
    """``version``: that of the public data before it was worked out."""

    version: int
    ends: datetime
    known: dict


_waiting: OrderedDict[str, _Waiting] = OrderedDict()
_lock = Lock()


def of(
    what: str,
    day: date | None,
    keys: Collection[int],
    known: Callable[[list[int]], dict[int, Known]],
    work_out: Callable[[list[int]], dict[int, Known]],
    read: Callable[..., Known],
) -> dict[int, Known]:
    """What is known of the rows ``keys`` on ``day`` (today if None), by their keys: of many of a
    past day what is kept, then what is ``known`` anyway, and what ``work_out`` says of all else.

    ``read`` makes of the JSON that is kept what ``work_out`` made. Of many rows of a past day two
    queries besides.
    """
    if day is None or len(keys) <= FEW:
        found = known([*keys])
        if missing := [key for key in keys if key not in found]:
            found |= work_out(missing)
        return found
    name, ends = f"{what} {day}", end_of_day(day)
    # Before anything is read that a change could make old.
    version = data_version.current(connection)
    kept = _kept(name)
    found = {key: read(kept[key]) for key in keys if key in kept}
    # What is known of few is not worth the question what was touched since.
    if not found or len(keys) - len(found) > FEW:
        found |= known([key for key in keys if key not in found])
    if missing := [key for key in keys if key not in found]:
        worked = work_out(missing)
        found |= worked
        if len(missing) > FEW and ends < timezone.now() and is_read_as_before(ends):
            _put_down(name, _Waiting(version, ends, kept | worked))
    return found


def _put_down(name: str, one: _Waiting) -> None:
    with _lock:
        _waiting[name] = one
        while len(_waiting) > MOST_WAITING:
            _waiting.popitem(last=False)


def _kept(name: str) -> dict[int, list | str]:
    for content in KeptDay.objects.filter(pk=name).values_list("content", flat=True):
        return _unpacked(content)
    return {}


def _packed(known: dict) -> bytes:
    said = json.dumps([[*known], [*known.values()]], default=date.isoformat)
    return zlib.compress(said.encode(), 1)


def _unpacked(content: bytes) -> dict[int, list | str]:
    keys, said = json.loads(zlib.decompress(content))
    return dict(zip(keys, said, strict=True))


def wrong(work_out: dict[str, Callable[[list[int], date], dict]]) -> list[tuple[str, str]]:
    """(table, name) of each kept day of which ``work_out``, by what is kept, says another."""
    found = []
    for name in list(KeptDay.objects.order_by("pk").values_list("pk", flat=True)):
        what, _blank, day = name.partition(" ")
        kept, day = _kept(name), date.fromisoformat(day)
        with past(end_of_day(day)):
            known = work_out[what]([*kept], day)
        if _unpacked(_packed(known)) != kept:
            found.append((TABLE, name))
    return found


def write() -> int:
    """Writes what waits and is still so; returns how much. When it raises says ``copies``."""
    written = 0
    while True:
        with _lock:
            if not _waiting:
                return written
            name, one = _waiting.popitem()
        written += copies.alone([TABLE], partial(_store, name, one, _packed(one.known)))


def _store(name: str, one: _Waiting, content: bytes) -> int:
    if data_version.current(connection) != one.version:
        return 0
    KeptDay.objects.update_or_create(pk=name, defaults={"ends": one.ends, "content": content})
    newest = KeptDay.objects.order_by("-written_at").values_list("pk", flat=True)
    KeptDay.objects.filter(pk__in=list(newest[MOST:])).delete()
    return 1
