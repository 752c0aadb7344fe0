"""Pages for what cannot be shown: each says why, in the reader's language."""

from django.http import HttpResponseServerError
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from .as_of import BadQuery, NotYetPublic


def bad_request(request, exception):
    """400: the sentence of a BadQuery; of anything else only that it cannot be read."""
    reason = str(exception) if isinstance(exception, BadQuery) else _("It cannot be read.")
    return render(request, "400.html", {"reason": reason}, status=400)


def not_found(request, exception):
    """404: unknown, or not public yet on the day that was asked for."""
    reason = str(exception) if isinstance(exception, NotYetPublic) else ""
    return render(request, "404.html", {"reason": reason}, status=404)


def server_error(request):
    """500: says sorry without touching the database or the request's session.

    With the id by which the log knows it. Only of a page that was merely read it is sure that
    nothing was changed.
    """
    context = {
        "request_id": getattr(request, "id", ""),
        "was_read": request.method in ("GET", "HEAD"),
    }
    return HttpResponseServerError(render_to_string("500.html", context))
