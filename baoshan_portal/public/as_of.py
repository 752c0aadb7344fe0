"""The day that a page speaks of: ``?as_of=2023-07-31`` shows what was public on that day.

The whole page is made in the past (``measures.past``): names, definitions and places are read as
they stood at the end of that day. The desk of staff knows no such day.
"""

from collections.abc import Callable
from datetime import date

from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from measures.past import changed_since, past, streamed_from_past
from measures.prepared import prepared
from measures.submission import end_of_day
from measures.text import day_in_words


class BadQuery(BadRequest):
    """Something in the address cannot be answered; the message says what and why."""


class NotYetPublic(Http404):
    """The page exists today but was not public on the day asked for."""


def read_day(text: str | None, name: str) -> date | None:
    """The day in ``text``, the query's part ``name``; None where nothing was asked for.

    Raises BadQuery for anything but an ISO date that is not in the future.
    """
    if not text:
        return None
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise BadQuery(
            _("“%(text)s” is not a date. Write %(name)s as year-month-day, such as 2023-07-31.")
            % {"text": text[:40], "name": name}
        ) from None
    if day > timezone.localdate():
        raise BadQuery(
            _("%(day)s is in the future; nobody knows yet what will be public then.")
            % {"day": day_in_words(day)}
        )
    return day


def get_public_or_404(rows: Callable[[date | None], QuerySet], request, code: str):
    """The row with that code, if it had become public by the day that the page speaks of.

    ``rows`` makes the query of all, public or not, with what the page needs of one on a day. What
    was withdrawn since keeps its page: ``withdrawn_at`` says so, and ``withdrawn_because``
    why; None if it stands. Raises NotYetPublic if it became public later, Http404 if it is not
    public or unknown.
    """
    as_of = request.as_of
    if found := _public(code, rows=rows, as_of=as_of):
        row = found[0]
        row.withdrawn_at = row.withdrawn_because = None
        return row
    once = rows(as_of).once_published(as_of).with_withdrawal(as_of).filter(code=code)
    row = next(iter(once.order_by()), None)
    if row is None:
        with past(None):
            # What is not public today is not known either.
            since = get_object_or_404(rows(None).once_published(), code=code).published_on
        if request.as_of is None:
            raise Http404  # It became public between the two questions.
        raise not_yet_public(request.as_of, since)
    return row


def not_yet_public(as_of: date, since: date) -> NotYetPublic:
    """The answer to whoever asks for ``as_of`` for what is public only ``since`` a later day."""
    return NotYetPublic(
        _("This was not public yet on %(day)s; it is since %(since)s.")
        % {"day": day_in_words(as_of), "since": day_in_words(since)}
    )


@prepared
def _public(code, *, rows, as_of):
    # To sort one costs more than to find it.
    return rows(as_of).published(as_of).filter(code=code).order_by()


def address(request, target, /, *args, **query) -> str:
    """The address of ``target``, a row or a URL name, keeping the day that ``request`` asks for.

    ``query`` becomes the query string; a value of None or "" is left out.
    """
    url = reverse(target, args=args) if isinstance(target, str) else target.get_absolute_url()
    url, hash_, anchor = url.partition("#")
    query = {key: value for key, value in query.items() if value not in (None, "")}
    if as_of := getattr(request, "as_of", None):
        query["as_of"] = as_of.isoformat()
    if query:
        url += ("&" if "?" in url else "?") + urlencode(query, doseq=True)
    return url + hash_ + anchor


class AsOfMiddleware:
    """Sets ``request.as_of``: a past day, or None where the page speaks of today; and of a past day
    ``request.read_from_versions``, the tables that are not read as they stand, None for all."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.as_of = request.read_from_versions = None
        request.as_of = read_day(request.GET.get("as_of"), "as_of")
        if request.as_of is None or _is_desk(request.path_info):
            return self.get_response(request)
        moment = end_of_day(request.as_of)
        asked = dict(vars(request))
        changed = request.read_from_versions = changed_since(moment)
        with past(moment, changed):
            answer = self.get_response(request)
        request.read_from_versions = None
        if changed_since(moment) != changed:
            # A table that was read as it stands became another before the page was done.
            vars(request).clear()
            vars(request).update(asked)
            with past(moment):
                answer = self.get_response(request)
        if answer.streaming:
            # A file is made while it is sent, long after this.
            answer.streaming_content = streamed_from_past(answer.streaming_content, moment)
        return answer


def _is_desk(path: str) -> bool:
    try:
        return "admin" in resolve(path).namespaces
    except Resolver404:
        return False
