"""What is kept of a table that was shown once, and how a new file is held against it (pure).

Columns are kept by their headers and not by their letters: one that moved is found again, one that
was reworded is told and never guessed.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date

from django.utils.translation import gettext as _
from openpyxl.utils import get_column_letter

from .headers import LOOKED_AT, MOST_ROWS, pattern, plain_header, rendered, shape
from .sheets import Sheet

#: So much of the headers that were kept must be there for a table to be the same one.
ALIKE = 0.5
#: What a column may be for, besides those of single rows.
ROLES = ("name", "unit", "value", "total", "growth")
NEEDED = ("name", "value")


@dataclass
class Layout:
    """The headers of all ``columns``, as ``pattern`` keeps them, over so many ``rows``; by each of
    ROLES the header of its column, '' for none."""

    rows: int
    columns: list[str]
    name: str
    unit: str
    value: str
    total: str
    growth: str

    @classmethod
    def of(cls, sheet: Sheet, first: int, last: int, places: dict[str, int | None], end: date):
        """The layout of a table whose columns stand at ``places``, by their roles."""
        kept = [pattern(header, end) for header in sheet.headers(first, last)]
        rows = sum(first <= line.number <= last for line in sheet.lines)
        roles = {role: "" if places[role] is None else kept[places[role]] for role in ROLES}
        return cls(rows, kept, **roles)

    def kept(self) -> dict:
        return asdict(self)


@dataclass
class Found:
    """A table with the headers of a layout: its sheet, the rows of its header, and how alike."""

    sheet: Sheet
    first: int
    last: int
    headers: list[str]
    alike: float

    def place(self, at: int) -> str:
        """How a person finds the column."""
        return f"{get_column_letter(at + 1)} {self.headers[at]}".strip()


@dataclass
class Changed:
    """How the headers of a file differ from those that were kept, in words for people."""

    new: list[str]
    gone: list[str]
    is_moved: bool

    def __bool__(self):
        return bool(self.new or self.gone or self.is_moved)

    def __str__(self):
        said = []
        if self.new:
            said.append(_("new: %(columns)s") % {"columns": _quoted(self.new)})
        if self.gone:
            said.append(_("gone: %(columns)s") % {"columns": _quoted(self.gone)})
        if self.is_moved:
            said.append(_("in another order"))
        return "; ".join(said)


def find(sheet: Sheet, layout: Layout) -> Found | None:
    """Where on ``sheet`` the table of ``layout`` stands; None if it does not."""
    kept = Counter(shape(header) for header in layout.columns if header)
    lines, best = sheet.lines[:LOOKED_AT], None
    for depth in sorted(range(1, MOST_ROWS + 1), key=lambda rows: rows != layout.rows):
        for at in range(len(lines) - depth + 1):
            first, last = lines[at].number, lines[at + depth - 1].number
            headers = sheet.headers(first, last)
            common = kept & Counter(shape(header) for header in headers if header)
            alike = common.total() / max(1, kept.total())
            if alike >= ALIKE and (best is None or alike > best.alike):
                best = Found(sheet, first, last, headers, alike)
    return best


def places_of(found: Found, header: str, end: date) -> list[int]:
    """The columns with the kept ``header`` in a file whose period ends on ``end``."""
    said = rendered(header, end)
    return [at for at, text in enumerate(found.headers) if plain_header(text) == said]


def changed(found: Found, layout: Layout, end: date) -> Changed:
    """What is different, the names of months, quarters and years aside."""
    now = [(shape(header), header) for header in found.headers if header]
    before = [(shape(header), rendered(header, end)) for header in layout.columns if header]
    common = Counter(name for name, _text in now) & Counter(name for name, _text in before)
    order_now, new = _split(now, common)
    order_before, gone = _split(before, common)
    return Changed(new, gone, order_now != order_before)


def _split(columns: Sequence[tuple[str, str]], common: Counter) -> tuple[list[str], list[str]]:
    """The shapes that both have, in their order, and the texts of the others."""
    left, both, others = Counter(common), [], []
    for name, text in columns:
        if left[name]:
            left[name] -= 1
            both.append(name)
        else:
            others.append(text)
    return both, others


def _quoted(texts: Sequence[str]) -> str:
    return ", ".join(f"“{text}”" for text in texts[:6]) + (" …" if len(texts) > 6 else "")
