"""The demonstration to attack, served by the very command that serves a portal."""

import sys
from collections.abc import Iterable
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from ..database_server import start
from ..server import prepare, serve

Row = tuple[str, int, int, str]


@contextmanager
def demonstration(**changes: str):
    """A server of a new demonstration; ``changes`` are settings, a database among them."""
    changes = {"DEMO": "1", "WORKERS": "2", **changes}
    with TemporaryDirectory(prefix="portal-attack-") as folder:
        prepare(Path(folder), **changes)
        with serve(Path(folder), **changes) as server:
            yield server


def main(run) -> None:
    """Run an attack by itself: on SQLite, or with ``--postgresql`` on one of its own."""
    changes = {}
    if "--postgresql" in sys.argv:
        changes["DATABASE_URL"] = start()
    with demonstration(**changes) as server:
        sys.exit(shown(run(server.address)))


def shown(rows: Iterable[Row]) -> int:
    """Print the rows; 1 if anything failed."""
    status = 0
    for name, tried, failed, note in rows:
        print(f"{name:<40} {tried:>6} {failed:>6}  {note}", flush=True)
        status |= failed > 0
    return int(status)
