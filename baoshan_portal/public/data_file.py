"""What the open-data files are made of: columns with a meaning, and the way they are sent.

UTF-8, stable English headers, ISO dates. Columns may be added at the end; none is ever renamed,
moved or dropped. Free text stands on one line, with an apostrophe before what a spreadsheet
program would take for a formula.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from measures import watermark
from measures.numerals import plain
from measures.prepared import now, prepared
from measures.spreadsheets import machine_lines, quoted, streamed

from .changes.publications import CARRIERS


@dataclass(frozen=True)
class Field:
    """A column: its header, its Table Schema type and what it means."""

    name: str
    type: str
    description: Promise


@dataclass(frozen=True)
class File:
    """A file: its name, what it holds, the columns of the contract and the key of its rows."""

    name: str
    description: Promise
    contract: tuple[Field, ...]
    primary_key: tuple[str, ...]

    @property
    def fields(self) -> tuple[Field, ...]:
        """The columns; a demonstration has one more at the end, as the contract allows."""
        return (*self.contract, WATERMARK) if watermark.watermark() else self.contract

    @property
    def header(self) -> list[str]:
        return [field.name for field in self.fields]


WATERMARK = Field("watermark", "string", _("says that this is a demonstration"))
#: What the nature of an amount of money is called.
NATURE = _("public, subsidy, credit, quota, investment or revenue; empty: no money, or not said")
OPINION = Field("opinion", "string", _("permanent code of the opinion; numbers are unique in it"))


def csv_answer(file: File, rows, as_of: date | None) -> StreamingHttpResponse:
    """``rows``, or what makes them, as the file, whose name carries the day of its state.

    Among rows of the contract's columns there may be bytes: many lines with all ``fields``.
    """
    name = f"{file.name.removesuffix('.csv')}-{day_of_state(as_of)}.csv"
    make = partial(_lines, file, rows)
    lines = make if callable(rows) else make()
    return streamed(lines, watermark.file_name(name), disposition="inline")


def _lines(file: File, rows) -> Iterator[str | bytes]:
    rows = rows() if callable(rows) else rows
    if mark := watermark.watermark():
        rows = (row if isinstance(row, bytes) else (*row, mark) for row in rows)
    return machine_lines(file.header, rows)


def day_of_state(as_of: date | None) -> str:
    """The day that the name of a file carries: the one asked for, or of the last publication.

    One query, or none; today where nothing was ever published.
    """
    if as_of:
        return as_of.isoformat()
    found = [moment for (moment,) in _newest_of_each()]
    return timezone.localdate(max(found, default=None)).isoformat()


@prepared
def _newest_of_each():
    # The last of each by its index; the greatest would be looked for among all.
    newest = [
        model.objects.filter(
            pk__in=model.objects.published_before(now()).order_by("-published_at").values("pk")[:1]
        )
        .order_by()
        .values_list("published_at")
        for model in CARRIERS
    ]
    return newest[0].union(*newest[1:], all=True)


def moment_text(moment: datetime | None) -> str | None:
    """A moment in the portal's time zone; None stays an empty cell."""
    return timezone.localtime(moment).isoformat() if moment else None


def number(value) -> str | None:
    """A decimal as plain digits; None, which becomes an empty cell, stays None."""
    return None if value is None else plain(value)


def prose(text: str) -> str:
    """Free text for a cell of one line that no spreadsheet program runs."""
    return quoted(" ".join(text.split()))
