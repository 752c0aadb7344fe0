"""After a change what readers ask for most is made again before somebody asks.

First the summaries of what has changed, then the pages, one after the other. Nobody waits then for
a page with all its charts; and nobody is kept waiting by it: it begins when nothing has changed for
a moment, and ends when something changes. What readers worked out of past days is written besides.
"""

import fcntl
import logging
import sys
import time
from collections import Counter
from io import BytesIO
from pathlib import Path
from threading import Lock, Thread

from django.conf import settings
from django.db import Error, connection
from django.utils import timezone

from baoshan_portal.public.copies import write_missing
from metrics import kept_days

from .asked import is_of_strangers, version_that_stands
from .layer import read

logger = logging.getLogger(__name__)

#: Pages that are made again, and those of which it is known how often they were asked for.
MOST, KNOWN = 16, 1000
#: Seconds between two looks at the version; one that stands for two looks is made pages of.
LOOK = 2
#: What of a request decides which page it asks for.
ADDRESS = (
    "HTTP_HOST", "HTTP_X_FORWARDED_PROTO", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL",
    "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "wsgi.url_scheme",
)  # fmt: skip
AGENT = "portal (ahead of readers)"


class Ahead:
    """``application`` of WSGI, whose readers' habits are known to a thread of its own."""

    def __init__(self, application):
        self.application = application
        self._asked: Counter[tuple] = Counter()
        self._lock = Lock()
        #: The version and day of the last look, and those of which the pages were made.
        self._seen = self._made = None

    def __call__(self, environ, start_response):
        if not _is_page(environ):
            return self.application(environ, start_response)

        def start(status, headers, exc_info=None):
            if status.startswith("200"):
                self._note(environ)
            return start_response(status, headers, exc_info)

        return self.application(environ, start)

    def _note(self, environ: dict) -> None:
        with self._lock:
            self._asked[tuple((name, environ[name]) for name in ADDRESS if name in environ)] += 1
            if len(self._asked) > KNOWN:
                self._asked = Counter(dict(self._asked.most_common(KNOWN // 2)))

    def start(self) -> None:
        """Begins to look, in a thread that ends with the process."""
        Thread(target=self._go_on, name="ahead", daemon=True).start()

    def _go_on(self) -> None:
        while True:
            time.sleep(LOOK)
            try:
                self.look()
            except Error:
                # The database is away; whoever asks is told so.
                connection.close()
            except Exception:
                logger.exception("Pages were not made ahead of their readers.")

    def look(self) -> int:
        """Makes the pages, if something has changed and nothing does now; returns how many."""
        kept_days.write()
        stands = self._stands()
        if stands == self._made:
            return 0
        if stands != self._seen:
            self._seen = stands
            return 0
        write_missing()
        is_first, self._made = self._made is None, stands
        return 0 if is_first else self._make(stands)

    def _stands(self) -> tuple:
        return version_that_stands(), timezone.localdate()

    def _make(self, stands: tuple) -> int:
        with self._lock:
            most = [page for page, _times in self._asked.most_common(MOST)]
            # What was read long ago is forgotten.
            self._asked = Counter({page: n // 2 for page, n in self._asked.items() if n > 1})
        folder = Path(settings.CACHE_ROOT)
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "ahead.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                # Another worker does it, for all.
                return 0
            for made, page in enumerate(most):
                if self._stands() != stands:
                    return made
                self._ask(dict(page))
        return len(most)

    def _ask(self, address: dict) -> None:
        environ = {
            **address,
            "REQUEST_METHOD": "GET",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_USER_AGENT": AGENT,
            "HTTP_ACCEPT_ENCODING": "br, gzip",
            "wsgi.input": BytesIO(),
            "wsgi.errors": sys.stderr,
        }
        read(self.application(environ, lambda *told: None))


def _is_page(environ: dict) -> bool:
    """Whether a page is asked for, in the plainest way: no file, and no choice of display."""
    path, query = environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", "")
    is_file = "format=" in query or not path.endswith("/")
    return not is_file and not environ.get("HTTP_COOKIE") and is_of_strangers(environ)
