"""What the public pages and files of a portal said on a day, kept to be compared with the past.

Pages of two moments differ in what is about the asking and not about the answer: ``without_marks``
names each such mark. Left out is what says nothing of a day: the page of components with its
made-up examples, the sentences on accessibility, and files that every day has alike.
"""

import re
import zipfile
from dataclasses import dataclass
from datetime import date, timedelta
from http import HTTPStatus
from io import BytesIO
from random import Random
from urllib.parse import quote

from django.test import Client
from django.utils import timezone

from measures.models import Department, Measure, Opinion, ProgressNote, Report, Section, Theme
from metrics.models import Indicator, Observation

from .time_machine import FIRST_DAY

#: Files for machines, which are the same in both languages.
DATA = tuple(
    f"/data/{name}"
    for name in (
        "observations.csv", "indicators.csv", "measures.csv", "targets.csv", "evaluations.csv",
        "checks.csv", "notes.csv", "definitions.csv", "vintages.csv", "no_figures.csv",
        "datapackage.json",
    )
)  # fmt: skip


def addresses(random: Random, day: date) -> list[str]:
    """Every public page and file of today, lists and search with filters that some row answers."""
    found = [
        "/", "/measures/", "/indicators/", "/targets/", "/checks/", "/changes/", "/packs/",
        "/questions/", "/questions/?by=department", "/?order=worst",
        "/method/", "/data/", "/changes/feed/",
        f"/changes/?from={FIRST_DAY - timedelta(days=1)}",
        f"/changes/?from={max(FIRST_DAY, day - timedelta(days=4))}&to={day - timedelta(days=1)}",
        f"/?since={FIRST_DAY}",
        *(f"/compare/{category}/" for category in ("enterprises", "funds")),
    ]  # fmt: skip
    for opinion in Opinion.objects.order_by("pk"):
        found += [f"/opinions/{opinion.code}/", f"/changes/feed/opinion/{opinion.code}/"]
    for section in Section.objects.select_related("opinion").order_by("pk"):
        found += [section.get_absolute_url(), f"/changes/feed/section/{section.key}/"]
    for measure in Measure.objects.once_published().order_by("pk"):
        found += [f"/measures/{measure.code}/", f"/changes/feed/measure/{measure.code}/"]
    for indicator in Indicator.objects.once_published().order_by("pk"):
        found += [f"/indicators/{indicator.code}/", f"/changes/feed/indicator/{indicator.code}/"]
        found += [f"/embed/indicators/{indicator.code}/", f"/indicators/{indicator.code}/chart.csv"]
    filters = [
        *(f"opinion={code}" for code in _opinions_to_choose()),
        *(f"section={row.code}" for row in Section.objects.order_by("pk")),
        *(f"theme={row.code}" for row in Theme.objects.order_by("pk")),
        *(f"department={row.code}" for row in Department.objects.order_by("pk")),
    ]
    for query in random.sample(filters, min(6, len(filters))):
        found += [f"{page}?{query}" for page in ("/measures/", "/indicators/", "/targets/")]
        found += [f"/packs/?{query}", f"/questions/?{query}"]
    found += [
        *(f"/measures/?status={value}" for value in ("in-progress", "merged", "none")),
        "/measures/?told=department", "/measures/?noted=yes", "/measures/?counted=no",
        "/measures/?confirmed=yes", "/indicators/?sort=-value", "/indicators/?kind=flow",
        *(f"/indicators/?fresh={value}" for value in ("late", "silent", "current")),
        "/indicators/?target=none", "/indicators/?value=no", "/indicators/?updated=yes",
        "/indicators/?check=holds", "/indicators/?check=fails", "/indicators/?key=true",
        *(f"/targets/?verdict={value}" for value in ("met", "behind", "missed")),
        "/targets/?claim=met",
    ]  # fmt: skip
    for word in random.sample(_words(), 6):
        found += [f"{page}?q={quote(word)}" for page in ("/find/", "/indicators/", "/measures/")]
    return list(dict.fromkeys(found))


def _opinions_to_choose() -> list[str]:
    """The opinions with a theme; a list asks for one of several only."""
    themes = Theme.objects.order_by("section__opinion")
    codes = set(themes.values_list("section__opinion__code", flat=True))
    return sorted(codes) if len(codes) > 1 else []


def files() -> list[str]:
    """Lists and packs to take away, in the language of the page."""
    lists = ("/measures/", "/indicators/", "/targets/", "/questions/")
    found = [f"{page}?format={kind}" for page in lists for kind in ("csv", "xlsx")]
    return found + [f"/packs/pack.{kind}" for kind in ("csv", "xlsx", "docx")]


def _words() -> list[str]:
    """Words and figures of rows, so that a search finds something, now or then."""
    found = [row.name for model in (Measure, Indicator, Department) for row in model.objects.all()]
    found += Observation.objects.published().values_list("as_written", flat=True)
    found += Report.objects.values_list("number", flat=True)
    found += ProgressNote.objects.published().values_list("text", flat=True)
    return sorted(set(found))


@dataclass(frozen=True)
class Answer:
    """What was answered at an address: ``text`` is without the marks of the asking."""

    status: int
    name: str
    text: str


def ask(client: Client, address: str, as_of: date | None = None) -> Answer:
    """The answer of today, or what is answered today to whoever asks for the day ``as_of``."""
    asked = address
    if as_of:
        asked += f"{'&' if '?' in address else '?'}as_of={as_of}"
    answer = client.get(asked)
    if answer.status_code != HTTPStatus.OK:
        return Answer(answer.status_code, "", "")
    content = answer.getvalue()
    if content.startswith(b"PK"):
        content = _parts(content)
    return Answer(
        answer.status_code,
        # A file of today carries the day of the last publication, one of the past the day asked
        # for.
        re.sub(r"\d{4}-\d\d-\d\d", "", answer.headers.get("Content-Disposition", "")),
        without_marks(content.decode(errors="replace"), as_of or timezone.localdate()),
    )


def _parts(content: bytes) -> bytes:
    """The parts of an Office file, one after the other."""
    with zipfile.ZipFile(BytesIO(content)) as archive:
        names = sorted(set(archive.namelist()) - {"docProps/core.xml"})
        return b"\n".join(name.encode() + b"\n" + archive.read(name) for name in names)


def without_marks(text: str, day: date) -> str:
    """``text``, a page or file of ``day``, without what only says that the day was asked for."""
    # The banner that this is the past, with the way back to today.
    text = re.sub(r'\s*<p class="as-of-banner".*?</p>', "", text, flags=re.DOTALL)
    # Forms and links that keep the day; today's have none, but for those to be printed.
    text = re.sub(rf'\s*<input type="hidden" name="as_of" value="{day}">', "", text)
    # In an attribute that is shown as text a quotation mark follows.
    text = re.sub(rf"\?as_of={day}(?:&amp;|&)(?!quot;)", "?", text)
    text = re.sub(rf"(?:\?|&amp;|&)as_of={day}", "", text)
    # The same within another link, that of the choice of type and colours.
    text = re.sub(rf"(?:%3F|%26)as_of%3D{day}", "", text)
    return re.sub(r"[ \t]*\n\s*", "\n", text)
