"""The columns of the templates that go out empty and come back with figures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils import translation

from .names import plain_name
from .reading import Wanted


@dataclass(frozen=True)
class Column:
    """A column of the template. Its names are a contract with files that are on their way, so
    they are kept here in both languages and not with the translations. ``also`` are other names
    that mean nothing else."""

    key: str
    chinese: str
    english: str
    width: int
    also: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        return [self.key, self.chinese, self.english, *self.also]

    def __str__(self):
        return self.english if (translation.get_language() or "").startswith("en") else self.chinese


def names_of_columns(columns: Sequence[Column]) -> dict[str, str]:
    """The stable name of a column by each of its names, as ``plain_name`` has them."""
    return {plain_name(name): column.key for column in columns for name in column.names}


def key_in(columns: Sequence[Column]) -> Callable[[str], str]:
    """Finds the stable name of a column by its header, whichever language it is in."""
    keys = names_of_columns(columns)
    return lambda header: keys.get(plain_name(header), header)


def wanted(columns: Sequence[Column], *, needed, values, keys) -> Wanted:
    """What tells ``read_table`` which table of a file is meant."""
    return Wanted(
        {column.key: column.names for column in columns},
        tuple(needed),
        tuple(values),
        tuple(keys),
    )
