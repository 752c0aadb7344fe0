"""A feed in documents of bounded length: the newest entries, and archives of all others (RFC 5005).

Entries are cut into chunks of ``LENGTH``, counted from the oldest of each month, so that a chunk
once full, or of a month that is over, stays as it is and keeps its address. The newest document
begins with what no full chunk holds yet and ends where a chunk begins.
"""

import re
from datetime import date, datetime
from typing import NamedTuple

from django.http import Http404
from django.utils import timezone

from measures.submission import start_of_day

from .refs import Ref, between, count_between, newest

#: Entries of an archive, and the fewest of the newest document where there are more.
LENGTH = 100


class Chunk(NamedTuple):
    """The ``part`` of a month's entries, from 1; ``month`` is its first day."""

    month: date
    part: int

    @property
    def name(self) -> str:
        return f"{self.month.isoformat()[:7]}-{self.part}"


def chunk_named(name: str) -> Chunk:
    """The chunk of that name, such as 2023-07-2; raises Http404 for what names none."""
    found = re.fullmatch(r"(\d{4}-\d{2})-([1-9]\d{0,5})", name, re.ASCII)
    try:
        return Chunk(date.fromisoformat(f"{found[1]}-01"), int(found[2]))
    except (TypeError, ValueError):
        raise Http404 from None


def newest_refs(until: datetime, place: dict) -> list[Ref]:
    """What the newest document shows, newest first: at least ``LENGTH``, less than twice that, or
    all there are."""
    found = newest(2 * LENGTH, until, **place)
    if len(found) < 2 * LENGTH:
        return found
    older = _count_of_month(_month(found[LENGTH]), until, place, found[LENGTH])
    for length in range(LENGTH, 2 * LENGTH):
        last, following = found[length - 1], found[length]
        if _month(last) != _month(following) or (older + LENGTH - length + 1) % LENGTH == 0:
            return found[:length]
    raise AssertionError("of a hundred places one is a multiple of a hundred")


def archived(chunk: Chunk, until: datetime, place: dict) -> list[Ref]:
    """What an archive shows, newest first; raises Http404 if it is not full yet, or none."""
    end = chunk.part * LENGTH
    shown = between(*_of_month(chunk.month, until), end - LENGTH, end, **place)
    is_over = _following(chunk.month) <= timezone.localdate(until)
    if not shown or (len(shown) < LENGTH and not is_over):
        raise Http404
    return shown[::-1]


def before(oldest: Ref, until: datetime, place: dict) -> Chunk | None:
    """The archive of what is older than ``oldest``, the last entry of a document; None if nothing
    is."""
    month = _month(oldest)
    if older := _count_of_month(month, until, place, oldest):
        return Chunk(month, -(-older // LENGTH))
    if not (found := newest(1, start_of_day(month), **place)):
        return None
    month = _month(found[0])
    return Chunk(month, -(-_count_of_month(month, until, place) // LENGTH))


def _of_month(month: date, until: datetime) -> tuple[datetime, datetime]:
    return start_of_day(month), min(start_of_day(_following(month)), until)


def _count_of_month(month: date, until: datetime, place: dict, before: Ref | None = None) -> int:
    """How many entries a month has, or only those older than ``before``, one of them."""
    return count_between(*_of_month(month, until), before, **place)


def _month(ref: Ref) -> date:
    return timezone.localdate(ref.at).replace(day=1)


def _following(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)
