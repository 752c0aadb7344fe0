"""Long pages as numbered pages: what stands on one, and the way to the others.

A page that holds all rows is as it was without numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.paginator import Page, Paginator

from measures.paging import page_or_404

#: Rows of a page that shows tables: some 30 kB compressed.
PER_PAGE = 100


@dataclass(frozen=True)
class Numbered:
    """One numbered page, as ``public/_pager.html`` reads it."""

    page: Page
    prefixed_page_field: str = "page"

    @property
    def paginator(self) -> Paginator:
        return self.page.paginator


def numbered(request, rows: Sequence, per_page: int, *, holding: int = 0) -> Numbered:
    """The page that ``?page=`` asks for, otherwise the one that has the row at ``holding``.

    Raises Http404 for a page that there is not.
    """
    paginator = Paginator(rows, per_page)
    return Numbered(page_or_404(paginator, request.GET.get("page", holding // per_page + 1)))


@dataclass(frozen=True)
class Part:
    """A part of a long page: how many rows it has in all, and where it begins."""

    count: int
    link: str


def in_parts(request, keys: Sequence[Sequence[int]]) -> tuple[Numbered, list[Part], list[int]]:
    """The numbered page of rows that stand in parts, given by their keys: the page, what is said
    of each part, and the keys that the page shows.

    A link is empty where the part is on the page, otherwise the query that leads to its page.
    """
    rows = [key for of_part in keys for key in of_part]
    shown = numbered(request, rows, PER_PAGE)
    parts, before = [], 0
    for of_part in keys:
        number = before // PER_PAGE + 1
        link = "" if number == shown.page.number else _query(request, number)
        parts.append(Part(len(of_part), link))
        before += len(of_part)
    return shown, parts, list(shown.page.object_list)


def _query(request, number: int) -> str:
    query = request.GET.copy()
    query["page"] = number
    return f"?{query.urlencode()}"
