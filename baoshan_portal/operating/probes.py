"""The addresses for machines that watch the portal: /healthz, /readyz and /metrics."""

from django.conf import settings
from django.http import HttpResponse, HttpResponseNotFound, JsonResponse

from . import health

#: What proxies write into what they pass on: either spelling that TRUST_PROXY knows.
BY_PROXY = {"HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED"}


def healthz(request):
    """200 while the process answers at all; asks nobody else."""
    return _uncached(HttpResponse("alive\n", content_type="text/plain"))


def readyz(request):
    """200 if the portal can do all its work, else 503; each check in a few words as JSON."""
    ready, checks = health.look()
    return _uncached(JsonResponse({"ready": ready, **checks}, status=200 if ready else 503))


def metrics(request):
    """Counters for Prometheus, for whoever asks the server itself; None where METRICS is off."""
    if not settings.METRICS:
        return None
    if BY_PROXY & request.META.keys():
        # It came through the proxy, from outside.
        return _uncached(
            HttpResponseNotFound("Ask the server itself.\n", content_type="text/plain")
        )
    from django_prometheus.exports import ExportToDjangoView

    return _uncached(ExportToDjangoView(request))


def _uncached(response):
    response["Cache-Control"] = "no-store"
    return response


PROBES = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics}
