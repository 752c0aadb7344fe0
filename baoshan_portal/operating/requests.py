"""What happens to every request before Django's own middleware: a name, a line, the probes.

Probes are answered here because they must need no host name, no TLS, no session and no language.
"""

import logging
import re
import secrets
import time

from django.conf import settings
from django.http import HttpResponseNotAllowed

from measures.trail import client_address

from . import probes
from .logs import request_id

access = logging.getLogger("portal.access")
#: Longer ones, and what could break a line of a log, are not taken over.
GIVEN = re.compile(r"[A-Za-z0-9._-]{8,64}")
LONGEST = 500
#: What a browser is told of an answer that passed by those who else tell it: the probes.
SECURITY = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


def name_of(request) -> str:
    """The request's id: the proxy's, where one is trusted and gave a plain one, or a new one."""
    given = request.META.get("HTTP_X_REQUEST_ID", "")
    if settings.TRUST_PROXY and GIVEN.fullmatch(given):
        return given
    return secrets.token_hex(8)


class RequestMiddleware:
    """Gives the request an ``id``, writes it on the answer, and one line into the access log."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.id = name_of(request)
        token, begun = request_id.set(request.id), time.perf_counter()
        try:
            response = self.answer(request)
            response["X-Request-ID"] = request.id
            for name, value in SECURITY.items():
                response.setdefault(name, value)
            if settings.ACCESS_LOG:
                access.info("request", extra={"fields": line(request, response, begun)})
            return response
        finally:
            request_id.reset(token)

    def answer(self, request):
        probe = probes.PROBES.get(request.path_info)
        if probe is None:
            return self.get_response(request)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return probe(request) or self.get_response(request)


def line(request, response, begun: float) -> dict:
    """What the access log says of an answer; ``ms`` until it began to be sent."""
    length = None if response.streaming else len(response.content)
    return line_of(request, request.get_full_path(), response.status_code, length, begun)


def line_of(request, path: str, status: int, length: int | None, begun: float) -> dict:
    """``line`` of anything with ``META``; ``length`` in bytes, None if it is not known yet."""
    return {
        "address": client_address(request),
        "method": request.META["REQUEST_METHOD"],
        "path": path[:LONGEST],
        "status": status,
        "bytes": length,
        "ms": round((time.perf_counter() - begun) * 1000, 1),
        "agent": request.META.get("HTTP_USER_AGENT", "")[:LONGEST],
    }
