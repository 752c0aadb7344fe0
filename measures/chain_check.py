"""Checks an export of the chained record against a checkpoint; needs Python alone.

    python measures/chain_check.py EXPORT CHECKPOINT

EXPORT is what ``manage.py export_record`` wrote: a JSON object a line, first the links in their
order, each with its row if there still is one. CHECKPOINT is a file with the checkpoint as
``manage.py checkpoint`` printed it and as ``/method/`` shows it: moment, size and last hash,
separated by spaces. Tells where anything up to the checkpoint was changed, dropped or inserted,
and ends with 1 then. Whether a signature is that of the portal's key it does not tell.
"""

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

START = "0" * 64
#: A transaction that began before a checkpoint may end after it.
IN_FLIGHT = timedelta(minutes=10)


@dataclass(frozen=True)
class Linked:
    """A link as it is stored, and ``values``, the row that it is about; None: there is none."""

    number: int
    kind: str
    row: int
    moment: str
    digest: str
    hash: str
    names: tuple[str, ...] = ()
    values: Mapping[str, object] | None = None
    #: Whether a row of this kind may be deleted after its term.
    may_be_gone: bool = False


@dataclass(frozen=True)
class Finding:
    """Where the record is not what was linked, and how: changed, dropped, inserted, broken."""

    number: int | None
    kind: str
    row: int | None
    what: str

    def __str__(self):
        place = f"link {self.number}" if self.number else "no link"
        return f"{self.what}: {self.kind} {self.row} ({place})"


def moment_text(moment: datetime) -> str:
    """A moment as links and checkpoints say it: by UTC, to the microsecond."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def digest_of(names: Iterable[str], values: Mapping[str, object]) -> str:
    """The SHA-256 of a row in its canonical form: JSON of its columns in the order of ``names``."""
    return _sha([values.get(name) for name in names])


def hash_of(number: int, kind: str, row: int, moment: str, digest: str, before: str) -> str:
    """The SHA-256 of a link; ``before`` is the hash of the link before it, or ``START``."""
    return _sha([number, kind, row, moment, digest, before])


_as_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


def _sha(parts: list) -> str:
    return hashlib.sha256(_as_json(parts).encode()).hexdigest()


def check(
    links: Iterable[Linked], size: int, root: str, made_at: str, *, young: str = ""
) -> Iterator[Finding]:
    """What of the first ``size`` links is not as it was, and what was slipped in since.

    ``root`` is the hash of the last of them. ``young``: what may be gone is there from that moment
    on.
    """
    before, seen, last = START, 0, datetime.fromisoformat(made_at) - IN_FLIGHT
    found_root = START
    for link in links:
        seen += 1
        if link.number != seen:
            yield Finding(link.number, link.kind, link.row, "a link before it is missing")
            seen = link.number
        right = hash_of(link.number, link.kind, link.row, link.moment, link.digest, before)
        if link.hash != right:
            yield Finding(link.number, link.kind, link.row, "the link was changed")
        before = link.hash
        if link.number == size:
            found_root = link.hash
        if link.number > size and datetime.fromisoformat(link.moment) < last:
            yield Finding(link.number, link.kind, link.row, "inserted after the checkpoint")
        if link.values is None:
            if not link.may_be_gone or link.moment >= young:
                yield Finding(link.number, link.kind, link.row, "dropped")
        elif digest_of(link.names, link.values) != link.digest:
            yield Finding(link.number, link.kind, link.row, "changed")
    if seen < size:
        yield Finding(None, "chain", None, f"cut off: {seen} of {size} links are left")
    elif found_root != root and size:
        yield Finding(size, "chain", None, "the chain is another one: all of it was made anew")


def read_export(lines: Iterable[str]) -> Iterator[Linked]:
    for line in lines:
        told = json.loads(line)
        yield Linked(**told | {"names": tuple(told["names"])})


def read_checkpoint(text: str) -> tuple[str, int, str]:
    """(moment, size, root) of a checkpoint as text; raises ValueError if it is none."""
    made_at, size, root = text.split()[:3]
    datetime.fromisoformat(made_at)
    return made_at, int(size), root


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print(__doc__)
        return 2
    with open(arguments[1], encoding="utf-8") as file:
        made_at, size, root = read_checkpoint(file.read())
    n = 0
    with open(arguments[0], encoding="utf-8") as file:
        young = json.loads(file.readline())["young"]
        for finding in check(read_export(file), size, root, made_at, young=young):
            n += 1
            print(finding)
    print(f"{n} findings against the checkpoint of {made_at} with {size} links.")
    return 1 if n else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
