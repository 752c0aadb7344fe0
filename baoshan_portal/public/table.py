"""What all public tables have in common: a page costs what its cells say, and not their columns."""

import inspect
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import django_tables2
from django.utils.html import format_html
from django.utils.safestring import SafeString

#: How a cell begins; on a phone its column is named beside it.
CELL = '<td {} data-label="{}">'


class Table(django_tables2.Table):
    """A table whose columns are asked once for what is the same in all of their cells.

    So no column may have attributes that depend on a row.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for column in self.columns.iterall():
            column.render, column.value = map(_with_signature, (column.render, column.value))

    @property
    def body(self) -> Iterator[list[tuple[SafeString, Any]]]:
        """The rows of this page: of each cell how it begins and what it shows."""
        columns = [
            (column.name, format_html(CELL, column.attrs["td"].as_html(), column.header))
            for column in self.columns
        ]
        for row in self.paginated_rows:
            yield [(start, row.get_cell(name)) for name, start in columns]


def _with_signature(method: Callable) -> Callable:
    """``method`` with its signature beside it, which django-tables2 looks for anew at each cell."""

    def same(**given):
        return method(**given)

    same.__signature__ = _signature(method.__func__)
    return same


@cache
def _signature(function: Callable) -> inspect.Signature:
    """Of a method of a class, without what it is called on."""
    found = inspect.signature(function)
    return found.replace(parameters=[*found.parameters.values()][1:])
