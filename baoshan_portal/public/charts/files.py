"""Charts as files: SVG and PNG that say what they are, from when, and where to check them."""

from collections.abc import Iterable
from datetime import date
from http import HTTPStatus

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from measures.text import in_chinese
from measures.watermark import watermarked

from ..prose import listed
from . import drawing
from .frame import Heading

TYPES = {"svg": "image/svg+xml", "png": "image/png"}


def draws_png() -> bool:
    """Whether a PNG would show its words: Chinese ones need a font on this machine."""
    return not in_chinese() or drawing.draws_chinese()


def source_line(request, sources: str, newest: date | None) -> str:
    """The day that a chart speaks of, the ``newest`` of its data, and where they are from."""
    day = (request.as_of or timezone.localdate()).isoformat()
    said = {"day": day, "sources": sources, "newest": newest.isoformat() if newest else "—"}
    return _("Query date %(day)s · data up to %(newest)s · source: %(sources)s") % said


def heading_of(
    request,
    title: str,
    sources: Iterable[str],
    newest: date | None,
    query: str,
) -> Heading:
    """Title, day, ``newest`` day of the data, sources and permanent address of the page that the
    chart at ``request`` is of; ``query`` is what its address asks besides the day.

    Of charts that have a ``Caption``, which says the same and more, it is ``Caption.heading``.
    """
    day = (request.as_of or timezone.localdate()).isoformat()
    source = source_line(request, listed(sources), newest)
    page = request.build_absolute_uri(f"{request.path.rpartition('/')[0]}/?{query}&as_of={day}")
    return Heading(watermarked(title), notes=(source, page))


def answer(spec: dict, file_format: str, name: str, day: str) -> HttpResponse:
    """``spec`` as a file to take away; 503 with a sentence where this machine cannot draw it.

    ``day`` is that of the state which it shows.

    Raises Http404 for a format other than svg and png.
    """
    if file_format not in TYPES:
        raise Http404
    if file_format == "svg":
        (content,) = drawing.svgs([spec])
    else:
        content = drawing.png(spec) if draws_png() else None
    if content is None:
        sentence = _("This server cannot draw the picture; the table on the page says the same.")
        return HttpResponse(
            sentence,
            status=HTTPStatus.SERVICE_UNAVAILABLE,
            content_type="text/plain; charset=utf-8",
        )
    file_name = f"{name}-{day}.{file_format}"
    return HttpResponse(
        content,
        content_type=TYPES[file_format],
        headers={"Content-Disposition": f'attachment; filename="{file_name}"'},
    )
