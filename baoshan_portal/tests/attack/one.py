"""One attack in a process of its own: NAME SECONDS COMMAND; prints a JSON list for each row."""

import importlib
import json
import os
import signal
import sys

from .. import standalone  # noqa: F401
from .portal import Portal


def main(name: str, seconds: str, command: str) -> None:
    portal = Portal.of(dict(os.environ), command, float(seconds)).start()

    def end(*_signal):
        # Whatever still waits for an answer would keep this process from its end.
        portal.stop()
        os._exit(1)

    signal.signal(signal.SIGTERM, end)
    try:
        module = importlib.import_module(f".{name}", __package__)
        # What only asks from outside needs no more than the address.
        rows = module.attack(portal) if hasattr(module, "attack") else module.run(portal.address)
        for row in rows:
            print(json.dumps(list(row), ensure_ascii=False), flush=True)
    finally:
        portal.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
