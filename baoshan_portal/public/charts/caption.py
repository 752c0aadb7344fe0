"""What a chart says of itself wherever it stands: page, embedded in another's page, or file.

Title, what it shows in which unit and period, its source, its days, and how it is cited.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from django.utils.http import urlencode
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from measures.watermark import watermarked

from ..as_of import address
from ..prose import listed
from .files import draws_png, source_line
from .frame import Heading

#: How high the frame of an embedded chart is, in pixels, besides what is drawn.
AROUND = 190


@dataclass(frozen=True)
class Caption:
    """``page`` is the address that shows for ever what is shown now; ``embed`` is that for a
    frame, which shows each day's state unless a day was asked for; ``files`` are addresses by
    what they are called."""

    title: str
    subtitle: str
    source: str
    page: str
    embed: str
    files: list[tuple[str, str]]
    sources: str
    newest: str
    day: str
    height: int

    @property
    def heading(self) -> Heading:
        """The same above and below a picture that stands alone."""
        return Heading(watermarked(self.title), (self.subtitle,), (self.source, self.page))

    @property
    def subtitle_shown(self) -> SafeString:
        return _days_whole(self.subtitle)

    @property
    def source_shown(self) -> SafeString:
        return _days_whole(self.source)

    @property
    def frame_code(self) -> str:
        """What whoever embeds the chart copies into a page."""
        title = self.title.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
        return (
            f'<iframe src="{self.embed}" title="{title}" width="100%" height="{self.height}" '
            'loading="lazy"></iframe>'
        )

    @property
    def short_citation(self) -> str:
        return _("%(title)s, %(portal)s, %(day)s, %(page)s") % self._cited

    @property
    def full_citation(self) -> str:
        """As GB/T 7714 asks in Chinese: data online, with the day on which they were read."""
        return (
            _(
                "%(portal)s. %(title)s: %(subtitle)s [data, online]. Source: %(sources)s; data "
                "up to %(newest)s. Retrieved %(day)s, from %(page)s"
            )
            % self._cited
        )

    @property
    def _cited(self) -> dict[str, str]:
        return {
            "portal": _("Baoshan follow-up portal"),
            "title": watermarked(self.title),
            "subtitle": self.subtitle,
            "sources": self.sources,
            "newest": self.newest,
            "day": self.day,
            "page": self.page,
        }


def _days_whole(text: str) -> SafeString:
    """``text`` for a page, where no day is broken between two lines."""
    return mark_safe(re.sub(r"\d{4}-\d\d-\d\d", r'<span class="whole">\g<0></span>', escape(text)))


def caption(
    request,
    title: str,
    subtitle: str,
    *,
    sources: Iterable[str],
    newest: date | None,
    page: str,
    embed: str,
    chart: str,
    args: tuple[str, ...],
    height: int,
) -> Caption:
    """``page``, ``embed`` and ``chart`` are names of addresses with ``args``; that of the chart
    takes a format besides. ``height`` is that of what is drawn, on a narrow screen."""
    day = (request.as_of or timezone.localdate()).isoformat()
    names = listed(dict.fromkeys(sources))
    page_args = args if page != "compare" else args[:1]
    page_url = f"{reverse(page, args=page_args)}?{urlencode({'as_of': day})}"
    formats = ["svg", *(["png"] if draws_png() else []), "csv"]
    return Caption(
        title=title,
        subtitle=subtitle,
        source=source_line(request, names, newest),
        page=request.build_absolute_uri(page_url),
        embed=request.build_absolute_uri(address(request, embed, *args)),
        files=[(name.upper(), address(request, chart, *args, name)) for name in formats],
        sources=names,
        newest=newest.isoformat() if newest else "—",
        day=day,
        height=height + AROUND,
    )
