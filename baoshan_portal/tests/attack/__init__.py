"""Attacks on a running portal, for ``make attack``: bounded, and on this machine alone.

Each module here that ``MODULES`` names has ``attack(portal)``, or ``run(address)`` if it asks from
outside alone, which yields a ``Row`` or such a tuple for each way that it tried. ``portal`` is a
``Portal``: the demonstration, served as ``make run`` does, with a database of its own that is
thrown away afterwards. Whoever looks at rows from inside is in the same process: Django is set up
on that database.
"""

import os
from typing import NamedTuple

#: ATTACK=long: an hour an engine and more, before a release.
LONG = os.environ.get("ATTACK") == "long"

#: What is run, in this order, and about how many seconds each takes on two processors.
MODULES = {
    "crash": 100,
    "race": 70,
    "sql": 80,
    "leak": 80,
    "upload": 60,
    "stale": 90,
    "slow": 50,
    "storm": 50,
    "scanners": 60,
}
#: In the long form eight times as many, or these.
IN_LONG = {"stale": 3600}


def seconds_of(name: str) -> int:
    return IN_LONG.get(name, 8 * MODULES[name]) if LONG else MODULES[name]


class Row(NamedTuple):
    """What came of one way to attack: how often it was ``tried``, how often the portal ``failed``.

    ``note`` says what failed first, or what was not tried and why.
    """

    name: str
    tried: int
    failed: int
    note: str = ""


class Count:
    """Counts what was tried under one name; keeps the first failures for the note."""

    def __init__(self, name: str, note: str = ""):
        self.name, self.tried, self.failures, self.note = name, 0, [], note

    def add(self, failure: str = "") -> None:
        """One more was tried; it failed if there is a ``failure`` to tell."""
        self.tried += 1
        if failure:
            self.failures.append(failure)

    def row(self) -> Row:
        told = "; ".join(dict.fromkeys(self.failures[:3]))
        note = told or self.note
        if not self.tried:
            # Nothing tried proves nothing.
            return Row(self.name, 0, 1, f"nothing was tried; {note}".rstrip("; "))
        return Row(self.name, self.tried, len(self.failures), note)
