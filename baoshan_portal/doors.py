"""What every request passes on its way in: how much it may send, and who is given a session.

A stranger writes nothing: a body is refused by its length before anybody reads it, and a session
is kept for those alone who have signed in.
"""

import logging

from django.conf import settings
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.exceptions import BadRequest
from django.db import DataError
from django.http import HttpResponse
from django.template.defaultfilters import filesizeformat
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _

from measures.evidence import LARGEST
from measures.last_account import account_of

from .operating import unavailable
from .operating.bodies import length_of

logger = logging.getLogger(__name__)

KB, MB = 1024, 1024 * 1024
#: Of whoever has not signed in, anywhere: a search, or name and password.
OF_STRANGERS = 64 * KB
#: A form of the admin without a file.
OF_FORMS = 5 * MB
#: An entry sheet brings the evidence of many rows.
OF_SHEETS = 60 * MB
#: What surrounds a file in a form.
AROUND = 1 * MB
#: Pages of the admin whose rows have a file as evidence.
WITH_EVIDENCE = tuple(
    f"/admin/{place}/"
    for place in ("metrics/observation", "measures/progressnote", "measures/measurestate")
)
WITH_TABLE = ("/admin/upload/", "/admin/report-figures/")


def body_limit(path: str) -> int:
    """The bytes that somebody who has signed in may send to ``path``, which begins behind the
    portal's own prefix."""
    place = path.removeprefix("/en")
    if not place.startswith("/admin/"):
        return OF_STRANGERS
    if place.startswith("/admin/entry/"):
        return OF_SHEETS
    if place.startswith(WITH_TABLE) or place.endswith(("/import/", "/process_import/")):
        return settings.UPLOAD_LIMIT_MB * MB + AROUND
    return LARGEST + AROUND if place.startswith(WITH_EVIDENCE) else OF_FORMS


class BodyLimitMiddleware:
    """Refuses a body that is too long with 413, before it is read into memory or a file.

    One that does not say its length (chunked) is refused with 411: no browser sends such a form.
    Stands behind the sessions and before all that reads a form.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
            return _refusal(411, _("Say how long what you send is."))
        length = length_of(request.META)
        if length <= OF_STRANGERS:
            return self.get_response(request)
        # Whoever was signed in until now may take along what they typed: see ``staff/typed``.
        is_known = SESSION_KEY in request.session or account_of(request)[0]
        limit = body_limit(request.path_info) if is_known else OF_STRANGERS
        if length <= limit:
            return self.get_response(request)
        sentence = _("This is larger than %(limit)s, the most that this address takes.")
        return _refusal(413, sentence % {"limit": filesizeformat(limit)})


def _refusal(status: int, reason: str) -> HttpResponse:
    page = HttpResponse(render_to_string("413.html", {"reason": reason}), status=status)
    # Nobody reads what was sent, so the connection is of no further use.
    page["Connection"] = "close"
    return page


# Its name is part of what signs a session's data, so it is Django's own.
class SessionStore(db.SessionStore):
    """A session that knows whether it was written lately: then it ends later."""

    ends_at, is_prolonged = None, False

    def _get_session_from_db(self):
        row = super()._get_session_from_db()
        self.ends_at = row.expire_date if row else None
        return row

    @property
    def is_older(self) -> bool:
        """Whether it was written so long ago that a request is to prolong it."""
        if self.ends_at is None:
            return False
        age = self.get_expiry_age() - (self.ends_at - timezone.now()).total_seconds()
        return age >= settings.SESSION_WRITTEN_EVERY

    def save(self, must_create=False):
        """As Django's; of one that is but prolonged the end alone, so that nothing is lost which
        another request of the same person has put there meanwhile."""
        if must_create or not self.is_prolonged:
            return super().save(must_create)
        row = self.model.objects.filter(pk=self.session_key)
        if not row.update(expire_date=self.get_expiry_date()):
            raise UpdateError
        return None


class SignedInSessionMiddleware(SessionMiddleware):
    """Keeps sessions for people who have signed in and for nobody else.

    Whoever comes with an unknown cookie has it taken away, and no row is written. A request
    prolongs a session, which is written once in SESSION_WRITTEN_EVERY seconds for that; what a page
    does by itself (``request.is_no_activity``) does not.
    """

    def __init__(self, get_response):
        super().__init__(get_response)
        self.SessionStore = SessionStore

    def process_response(self, request, response):
        if getattr(request, "is_no_activity", False):
            return response
        asked = settings.SESSION_COOKIE_NAME in request.COOKIES
        session = request.session
        if (asked or session.modified) and SESSION_KEY not in session:
            request.session = self.SessionStore()
            if asked:
                patch_vary_headers(response, ("Cookie",))
        elif asked and not session.modified and session.is_older:
            session.modified = session.is_prolonged = True
        is_theirs = request.COOKIES.get(settings.SESSION_COOKIE_NAME) == session.session_key
        try:
            return super().process_response(request, response)
        except Exception as error:
            of_the_moment = unavailable.first_of(error)
            if of_the_moment is None:
                raise
            if not is_theirs:
                # Whoever signs in has no older session to go on with.
                raise of_the_moment from of_the_moment.__cause__
            # The page is made, and what it says of writing holds; only its session is older.
            logger.warning("A session was not kept: %s", error)
            return response


class CookiesVaryMiddleware:
    """Pages differ by the reader's choices, which cookies keep: a cache must know."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if response.headers.get("Content-Type", "").startswith("text/html"):
            patch_vary_headers(response, ("Cookie",))
        return response


#: How Django and the databases say that a key of a tampered request can be no key of a row.
NO_KEY = ("expected a number", "NUL (0x00)", "too large to convert to SQLite", "embedded null")


class NoKeyMiddleware:
    """A key that can be no key (letters, NUL, too many digits) is a bad request, no fault of ours.

    Forms name the field; what is left are the keys of rows in addresses and hidden fields.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        if is_about_a_key(exception):
            logger.warning("Not a key, at %s: %s", request.path_info[:200], exception)
            raise BadRequest from exception
        return None


def is_about_a_key(exception: Exception) -> bool:
    # Lists of the admin answer the second themselves; their exports do not.
    if isinstance(exception, DataError | IncorrectLookupParameters):
        return True
    return isinstance(exception, ValueError | OverflowError) and any(
        words in str(exception) for words in NO_KEY
    )
