"""What a public page depends on, as a key: the address, the reader's choices, and what stands.

Whoever is signed in, or was told something by a cookie, is never answered from what is kept.
"""

import hashlib
import re
import time
from functools import cache
from pathlib import Path

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.http.cookie import parse_cookie
from django.utils import timezone

from baoshan_portal.public.display import CHOICES
from baoshan_portal.public.remembered import VERSION
from measures import data_version

from ..probes import PROBES

#: Cookies by which a page would be somebody's own; those of display choices are in the key.
OWN = (settings.SESSION_COOKIE_NAME, "messages")
#: Addresses below these are of staff, kept by others, or ask how the portal is.
ELSEWHERE = ("/static/", "/admin/", "/en/admin/", *PROBES)
#: Longer addresses are answered and not kept.
LONGEST = 2000
#: What of the code and of the static files a page is made from.
SOURCES = ("*.py", "*.html", "*.mo", "*.css", "*.js", "*.svg")
#: Where a function lies in memory is no setting.
PLACE = re.compile(r" at 0x[0-9a-f]+")
FOLDERS = ("baoshan_portal", "measures", "metrics", "templates", "locale", "static")


def key_of(environ: dict) -> str | None:
    """The key of the page that ``environ`` (WSGI) asks for; None if nothing is kept for it.

    Asks the database which version of the public data stands, and tells it in ``environ``; raises
    Error if it does not answer.
    """
    path, query = environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", "")
    if (
        not is_of_strangers(environ)
        or len(path) + len(query) > LONGEST
        or "HTTP_HOST" not in environ
        or "HTTP_RANGE" in environ
    ):
        return None
    cookies = parse_cookie(environ.get("HTTP_COOKIE", ""))
    choices = [
        cookies[name] if cookies.get(name) in values else "" for name, values in CHOICES.items()
    ]
    version = environ[VERSION] = version_that_stands()
    parts = (
        version,
        timezone.localdate().isoformat(),
        environ.get("wsgi.url_scheme"),
        environ.get("HTTP_X_FORWARDED_PROTO"),
        environ["HTTP_HOST"],
        path,
        query,
        choices,
        installation(),
    )
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogateescape")).hexdigest()


def is_of_strangers(environ: dict) -> bool:
    """Whether ``environ`` (WSGI) asks for what everybody may read, and nobody signed in asks."""
    if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
        return False
    if environ.get("PATH_INFO", "").startswith(ELSEWHERE):
        return False
    sent = environ.get("HTTP_COOKIE")
    return not sent or not any(name in parse_cookie(sent) for name in OWN)


def version_that_stands(alias: str = DEFAULT_DB_ALIAS) -> int:
    """That of the public data in a database; raises Error if it does not answer."""
    connection = connections[alias]
    # No request of Django's begins, so nobody else looks whether the connection has had its time.
    is_old = connection.close_at is not None and time.monotonic() >= connection.close_at
    if (connection.vendor == "sqlite" or is_old) and not connection.in_atomic_block:
        # Asks nothing of SQLite; PostgreSQL would be asked whether it is still there.
        connection.close_if_unusable_or_obsolete()
    return data_version.current(connection)


def address_of(environ: dict) -> str:
    """The address with its query, as the access log has it."""
    query = environ.get("QUERY_STRING", "")
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    return path + (f"?{query}" if query else "")


@cache
def installation() -> str:
    """What tells this release with these settings from any other that keeps in the same folder."""
    told = hashlib.sha256()
    for name in sorted(name for name in dir(settings) if name.isupper()):
        told.update(f"{name}={PLACE.sub('', str(getattr(settings, name)))}\n".encode())
    for path in sorted(_sources()):
        found = path.stat()
        told.update(f"{path} {found.st_size} {found.st_mtime_ns}\n".encode())
    return told.hexdigest()


def _sources() -> list[Path]:
    found = [
        path
        for folder in FOLDERS
        for pattern in SOURCES
        for path in (settings.BASE_DIR / folder).rglob(pattern)
    ]
    return found + list(Path(settings.STATIC_ROOT).glob("*.json"))
