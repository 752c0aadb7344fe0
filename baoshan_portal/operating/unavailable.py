"""Database, disk or readers of files cannot be used at the moment: 503 with a sentence, when to
come again.

That is no fault of the portal's, so no page says so, and every one says what was not saved. Pages
that only read go on where reading works; a write fails as a whole, within its transaction.
"""

import errno
import logging
import sys

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpResponse, UnreadablePostError
from django.template.loader import render_to_string
from django.utils.translation import get_language_from_path, override
from django.utils.translation import gettext as _

from baoshan_portal.public import errors
from measures.workers import Busy

logger = logging.getLogger(__name__)

RETRY_SECONDS = 30
#: A file takes longer to read than a lock is held.
FILES_RETRY_SECONDS = 60
#: SQLite's primary result codes: https://sqlite.org/rescode.html
SQLITE_BUSY = {5, 6}
SQLITE_UNWRITABLE = {8, 13}
SQLITE_AWAY = {3, 9, 10, 11, 14, 26}
#: PostgreSQL's SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html
POSTGRESQL_BUSY = ("55P03", "57014", "40001", "40P01")
POSTGRESQL_UNWRITABLE = ("25006", "53100")
POSTGRESQL_AWAY = ("08", "53", "57", "58", "XX001", "XX002")
DISK_UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO}

BUSY, UNWRITABLE, AWAY, FILES = "busy", "unwritable", "away", "files"


def why(error: BaseException | None) -> str | None:
    """BUSY, UNWRITABLE or AWAY if ``error`` says so; None for all else, a fault of ours."""
    if isinstance(error, UnreadablePostError):
        return BUSY
    if isinstance(error, OSError):
        return UNWRITABLE if error.errno in DISK_UNWRITABLE else None
    # What Django raises has the driver's own error as its cause.
    for found in (error, getattr(error, "__cause__", None)):
        code = getattr(found, "sqlite_errorcode", None)
        if code is not None:
            return _of_sqlite(code)
        state = getattr(found, "pgcode", None)
        if state is not None:
            return _of_postgresql(state)
    # A connection to PostgreSQL that was refused, lost or closed has no state.
    lost = isinstance(error, InterfaceError | OperationalError)
    return AWAY if lost and connection.vendor == "postgresql" else None


def first_of(error: BaseException | None) -> BaseException | None:
    """``error`` or one that it was raised for, if that is of the moment; None if none is.

    Django calls a session that cannot be written a deleted one.
    """
    while error is not None and not why(error):
        error = error.__context__
    return error


def _of_sqlite(code: int) -> str | None:
    # The extended codes have the primary one in their lowest byte.
    for reason, codes in (
        (BUSY, SQLITE_BUSY),
        (UNWRITABLE, SQLITE_UNWRITABLE),
        (AWAY, SQLITE_AWAY),
    ):
        if code & 0xFF in codes:
            return reason
    return None


def _of_postgresql(state: str) -> str | None:
    if state in POSTGRESQL_BUSY:
        return BUSY
    if state in POSTGRESQL_UNWRITABLE:
        return UNWRITABLE
    return AWAY if state.startswith(POSTGRESQL_AWAY) else None


def server_error(request):
    """The answer to an exception that nobody caught: 503 if it is of the moment, else 500."""
    reason = why(sys.exception())
    return page(request, reason) if reason else errors.server_error(request)


def page(request, reason: str) -> HttpResponse:
    """The bare page that asks neither the database nor the session, in the address's language."""
    with override(get_language_from_path(request.path_info) or settings.LANGUAGE_CODE):
        told = {
            BUSY: _("More is going on than the portal can do at once."),
            UNWRITABLE: _("The database or the disk takes nothing at the moment."),
            AWAY: _("The database cannot be reached at the moment."),
            FILES: _("Two other files are being read at the moment."),
        }
        context = {
            "reason": told[reason],
            "was_read": request.method in ("GET", "HEAD"),
            "was_saved": getattr(request, "committed", True),
            "request_id": getattr(request, "id", ""),
        }
        answer = HttpResponse(render_to_string("503.html", context), status=503)
    answer["Retry-After"] = str(FILES_RETRY_SECONDS if reason == FILES else RETRY_SECONDS)
    answer["Cache-Control"] = "no-store"
    return answer


class UnavailableMiddleware:
    """Knows of every request that may write whether it has: ``request.committed``.

    Answers instead of the page where what was sent was not read (``bodies``), or not begun with,
    because others' files take every process that works on files.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.committed = False
        if request.method in ("GET", "HEAD"):
            return self.get_response(request)
        with connection.execute_wrapper(_Watch(request)):
            response = self.get_response(request)
        if getattr(request.environ.get("wsgi.input"), "refused", False) and not request.committed:
            return page(request, BUSY)
        return response

    def process_exception(self, request, exception):
        if not isinstance(exception, Busy):
            return None
        logger.warning("%s", exception)
        return page(request, FILES)


class _Watch:
    """Notes on the request when what a statement wrote is committed."""

    WRITE = ("INSERT", "UPDATE", "DELETE")

    def __init__(self, request):
        self.request = request

    def __call__(self, execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        if not self.request.committed and sql.lstrip()[:6].upper() in self.WRITE:
            # At once where no transaction is open; never if its savepoint is taken back.
            context["connection"].on_commit(self.note)
        return result

    def note(self):
        self.request.committed = True
