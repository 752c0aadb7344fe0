"""Visitors who send or read slowly, on purpose: everybody else is still answered at once.

Run it by ``python -m baoshan_portal.tests.attack.slow``, with ``--postgresql`` on one of its own.
"""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from threading import Event, Thread
from urllib.parse import urlsplit
from urllib.request import urlopen

#: Seconds that an ordinary request may take more than without an attack, and connections of each.
WITHIN, CONNECTIONS = 2.0, 100
#: Seconds of an attack before the ordinary requests, and between two bytes of who trickles.
BEFORE, BETWEEN = 1.0, 0.5
ORDINARY = ("/", "/measures/", "/en/", "/method/", "/data/", "/healthz")

HOST = b"Host: 127.0.0.1\r\n"
#: With the cookie of a form, since without it nobody reads what is sent.
COOKIE = b"Cookie: csrftoken=%s; demo_csrftoken=%s\r\n" % (b"a" * 32, b"a" * 32)
FORM = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 5000\r\n\r\n"
#: What each connection sends first, whether it then sends a byte now and then, and how many
#: connections there are at the most: whoever asks for much and reads nothing makes work as well.
ATTACKS = {
    "forms that trickle": (b"POST /admin/login/ HTTP/1.1\r\n" + HOST + COOKIE + FORM, True, 1000),
    "forms that stop": (b"POST / HTTP/1.1\r\n" + HOST + COOKIE + FORM + b"csrfmiddle", False, 1000),
    "heads that trickle": (b"GET / HTTP/1.1\r\n" + HOST + b"X-Slow: ", True, 1000),
    "connections without a word": (b"", False, 1000),
    "answers that nobody reads": (
        b"GET /data/observations.csv HTTP/1.1\r\n" + HOST + b"\r\n", False, 8
    ),
}  # fmt: skip


def run(
    address: str,
    connections: int = CONNECTIONS,
    within: float = WITHIN,
    ordinary: int = 12,
    before: float = BEFORE,
) -> Iterator[tuple]:
    """Each kind of slowness in turn, with ``ordinary`` requests meanwhile."""
    usual = max(_asked(address, path) for path in ORDINARY * 2)
    for name, (begin, trickles, most) in ATTACKS.items():
        number = min(connections, most)
        with ExitStack() as stack:
            held = [stack.enter_context(_connected(address)) for _n in range(number)]
            ended = Event()
            stack.callback(ended.set)
            for connection in held:
                with suppress(OSError):
                    connection.sendall(begin)
            if trickles:
                Thread(target=_trickle, args=(held, ended), daemon=True).start()
            time.sleep(before)
            seconds = [_asked(address, ORDINARY[n % len(ORDINARY)]) for n in range(ordinary)]
        late = sum(second > usual + within for second in seconds)
        yield (
            f"{number} {name}",
            ordinary,
            late,
            f"slowest ordinary request {max(seconds):.2f} s, without {usual:.2f} s",
        )


def _connected(address: str) -> socket.socket:
    where = urlsplit(address)
    return socket.create_connection((where.hostname, where.port), timeout=10)


def _trickle(held: list[socket.socket], ended: Event) -> None:
    while not ended.wait(BETWEEN):
        for connection in held:
            # Whoever was cut off sends no more.
            with suppress(OSError):
                connection.send(b"a")


def _asked(address: str, path: str) -> float:
    """Seconds until the whole page was there; endless where it was no page."""
    begun = time.monotonic()
    try:
        with urlopen(address + path, timeout=30) as answer:
            answer.read()
    except OSError:
        return float("inf")
    return time.monotonic() - begun


if __name__ == "__main__":
    from .. import standalone  # noqa: F401
    from .served import main

    main(run)
