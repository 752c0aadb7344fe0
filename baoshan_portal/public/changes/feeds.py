"""Atom feeds of what is published: everywhere, or of one opinion, section, department, measure
or indicator."""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.contrib.syndication.views import Feed
from django.db.models import Model
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.feedgenerator import Atom1Feed
from django.utils.html import escape
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import conditional_page

from measures.characters import printable
from measures.models import Department, Measure, Opinion, Section
from measures.submission import end_of_day
from measures.watermark import watermarked
from metrics.models import Indicator

from .archives import LENGTH, Chunk, archived, before, chunk_named, newest_refs
from .refs import Ref, entries

#: What an empty feed was last updated on: always the same, so that it can be cached.
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
#: Marks an archive (RFC 5005).
HISTORY = "http://purl.org/syndication/history/1.0"


def _carried(texts: dict) -> dict:
    return {
        name: printable(text) if isinstance(text, str) else text for name, text in texts.items()
    }


class StableAtom(Atom1Feed):
    """Says the same of the same entries; Django's would date an empty feed by the clock.

    Whatever stands in the database, the feed is XML that can be read.
    """

    def __init__(self, title, link, description, **kwargs):
        about = _carried({"title": title, "description": description, **kwargs})
        super().__init__(link=link, **about)

    def add_item(self, title, link, description, **kwargs):
        about = _carried({"title": title, "description": description, **kwargs})
        super().add_item(link=link, **about)

    def root_attributes(self):
        return super().root_attributes() | ({"xmlns:fh": HISTORY} if self._is_archive else {})

    def add_root_elements(self, handler):
        super().add_root_elements(handler)
        if self._is_archive:
            handler.addQuickElement("fh:archive", "")
        for relation, link in self.feed["further"].items():
            if relation != "self":
                handler.addQuickElement("link", "", {"rel": relation, "href": link})

    @property
    def _is_archive(self) -> bool:
        return "current" in self.feed["further"]

    def latest_post_date(self):
        return max((item["updateddate"] for item in self.items), default=NEVER)


@dataclass(frozen=True)
class Subscription:
    """What a feed reports: everything, or one ``kind`` of row; up to the moment ``until``."""

    kind: str
    row: Model | None
    until: datetime
    #: What it shows, newest first.
    refs: list[Ref]
    #: Addresses of the documents beside this one by how they relate to it; of an archive its own.
    further: dict[str, str]

    @property
    def place(self) -> dict:
        return {self.kind: self.row} if self.row else {}


def _address(request, chunk: Chunk | None) -> str:
    """Where an archive of this feed is, or its newest document if None; keeps the day."""
    query = {"archive": chunk.name} if chunk else {}
    if request.as_of:
        query["as_of"] = request.as_of.isoformat()
    return request.build_absolute_uri(f"{request.path}?{urlencode(query)}".rstrip("?"))


class Publications(Feed):
    """The newest publications of a place, as Atom; ``?archive=`` gives older ones."""

    feed_type = StableAtom
    subtitle = gettext_lazy(
        "Values, targets, notes, the committee’s word, corrections, withdrawals and new wordings, "
        "once published"
    )
    author_name = gettext_lazy("Baoshan follow-up portal")
    item_guid_is_permalink = False

    def get_object(self, request, kind="", key=""):
        until = end_of_day(request.as_of) if request.as_of else timezone.now()
        row = self._row(kind, key, request.as_of)
        place = {kind: row} if row else {}
        name = request.GET.get("archive")
        chunk = None if name is None else chunk_named(name)
        refs = archived(chunk, until, place) if chunk else newest_refs(until, place)
        further = {}
        if chunk:
            further = {"self": _address(request, chunk), "current": _address(request, None)}
        # Less than that is all there is.
        if (chunk or len(refs) >= LENGTH) and (older := before(refs[-1], until, place)):
            further["prev-archive"] = _address(request, older)
        return Subscription(kind, row, until, refs, further)

    def _row(self, kind, key, as_of) -> Model | None:
        if kind == "opinion":
            return get_object_or_404(Opinion.objects.published(as_of), code=key)
        if kind == "section":
            return get_object_or_404(Section.objects.published(as_of).by_key(key))
        if kind == "department":
            return get_object_or_404(Department.objects.once_published(as_of), code=key)
        if kind == "measure":
            return get_object_or_404(Measure.objects.once_published(as_of), code=key)
        if kind == "indicator":
            return get_object_or_404(Indicator.objects.once_published(as_of), code=key)
        if kind:
            raise Http404
        return None

    def title(self, subscription):
        name = watermarked(_("Baoshan follow-up portal"))
        return f"{name} · {subscription.row}" if subscription.row else name

    def link(self, subscription):
        row = subscription.row
        return row.get_absolute_url() if row else reverse("changes")

    def items(self, subscription):
        return entries(subscription.refs, subscription.until, **subscription.place)

    def feed_extra_kwargs(self, subscription):
        return {"further": subscription.further}

    def feed_url(self, subscription):
        return subscription.further.get("self")

    def item_title(self, change):
        # Readers of feeds show every entry by itself.
        return watermarked(f"{change.title}: {change.kind}")

    def item_description(self, change):
        text = f"{change.before} → {change.after}" if change.before else change.after
        # Atom1Feed gives a summary out as HTML, and this is text.
        return escape(f"{text} ({change.reason})" if change.reason else text)

    def item_link(self, change):
        return change.address or reverse("changes")

    def item_guid(self, change):
        """The same in both languages and at every address of the portal."""
        return f"urn:baoshan-portal:{change.id}"

    def item_updateddate(self, change):
        return change.at

    item_pubdate = item_updateddate


#: Answers 304 to a reader who has the newest state already.
publications = conditional_page(Publications())
