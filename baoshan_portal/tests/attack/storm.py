"""A hundred and fifty visitors at once: nobody sees an error, nearly everybody a page.

Run it by ``python -m baoshan_portal.tests.attack.storm``, with ``--postgresql`` on one of its own.
"""

import time
from collections import Counter
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from threading import Barrier, Thread
from urllib.parse import urlsplit

VISITORS, EACH = 150, 3
#: Of a hundred requests so many are answered with a page, the others with 503.
PAGES_OF_HUNDRED = 440 / 450 * 100
PAGES = (
    "/", "/measures/", "/indicators/", "/en/indicators/?sort=-name", "/targets/", "/checks/",
    "/changes/", "/data/", "/method/", "/?as_of=2024-01-31", "/sections/1/", "/data/measures.csv",
)  # fmt: skip
#: Seconds after which a visitor gives up.
PATIENCE = 300


def run(address: str, visitors: int = VISITORS, each: int = EACH) -> Iterator[tuple]:
    """``visitors`` begin at the same moment and ask for ``each`` pages one after the other."""
    answers: list[str] = []
    seconds: list[float] = []
    together = Barrier(visitors)

    def visit(number: int) -> None:
        together.wait()
        for turn in range(each):
            begun = time.monotonic()
            answers.append(_ask(address, PAGES[(number * each + turn) % len(PAGES)]))
            seconds.append(time.monotonic() - begun)

    threads = [Thread(target=visit, args=(number,)) for number in range(visitors)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    count = Counter(answers)
    tried, pages = visitors * each, count["200"]
    missing = max(0, round(tried * PAGES_OF_HUNDRED / 100) - pages)
    errors = tried - pages - count["503"]
    told = ", ".join(f"{answer}: {number}" for answer, number in sorted(count.items()))
    yield (
        f"storm of {visitors} visitors",
        tried,
        max(errors, missing),
        f"{told}; slowest {max(seconds):.1f} s",
    )


def _ask(address: str, path: str) -> str:
    """The status as text; 503 counts only with the word when to come again."""
    connection = HTTPConnection(urlsplit(address).netloc, timeout=PATIENCE)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
    except (OSError, HTTPException) as error:
        return type(error).__name__
    finally:
        connection.close()
    if answer.status == 503 and not answer.headers["Retry-After"]:
        return "503 without Retry-After"
    return str(answer.status)


if __name__ == "__main__":
    from .. import standalone  # noqa: F401
    from .served import main

    main(run)
