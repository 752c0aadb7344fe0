"""Pages for what cannot be shown: each says why, in the reader's language."""

from django.http import HttpResponseServerError
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from .as_of import BadQuery, NotYetPublic

#: A page of an error shows no data, so it does not tell how new they are.
_NO_DATA = {"newest_period": None}


def bad_request(request, exception):
    """400: the sentence of a BadQuery; of anything else only that it cannot be read."""
    reason = str(exception) if isinstance(exception, BadQuery) else _("It cannot be read.")
    return render(request, "400.html", _NO_DATA | {"reason": reason}, status=400)


def forbidden(request, exception):
    """403: the sentence of who refused, if there is one, and what was sent, to be copied."""
    texts = (text.strip() for name, text in request.POST.items() if _is_typed(name))
    typed = [text for text in texts if len(text) > 1]
    context = _NO_DATA | {"reason": str(exception), "typed": typed}
    return render(request, "403.html", context, status=403)


def _is_typed(name: str) -> bool:
    """Whether a field holds what a person has typed, as opposed to what its page needs."""
    hidden = ("csrfmiddlewaretoken", "next", "typed", "preview")
    return name not in hidden and "password" not in name and not name.endswith(("seen", "once"))


def not_found(request, exception):
    """404: unknown, or not public yet on the day that was asked for."""
    reason = str(exception) if isinstance(exception, NotYetPublic) else ""
    return render(request, "404.html", _NO_DATA | {"reason": reason}, status=404)


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
