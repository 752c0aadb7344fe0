"""The columns of the templates that go out empty and come back with figures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils import translation

from .importing import normalised


@dataclass(frozen=True)
class Column:
    """A column of the template. Its names are a contract with files that are on their way, so
    they are kept here in both languages and not with the translations."""

    key: str
    chinese: str
    english: str
    width: int

    def __str__(self):
        return self.english if (translation.get_language() or "").startswith("en") else self.chinese


def key_in(columns: Sequence[Column]) -> Callable[[str], str]:
    """Finds the stable name of a column by its header, whichever language it is in."""
    keys = {
        name: column.key
        for column in columns
        for name in (column.key, normalised(column.chinese), normalised(column.english))
    }
    return lambda header: keys.get(normalised(header), header)
