"""Rows beside the rows that they belong to, read by a query of their own."""

from collections import defaultdict
from collections.abc import Iterable

from django.db.models import Model


def attach(rows: Iterable[Model], name: str, found: Iterable[Model], of: str) -> None:
    """Gives each of ``rows`` as ``name`` the list of those ``found`` whose foreign key ``of`` names
    it, in their order; and these the row. As ``prefetch_related`` does with what is read
    already."""
    rows = list(rows)
    by_key, of_each = {row.pk: row for row in rows}, defaultdict(list)
    for one in found:
        row = by_key[getattr(one, f"{of}_id")]
        setattr(one, of, row)
        of_each[row.pk].append(one)
    for row in rows:
        setattr(row, name, of_each[row.pk])
