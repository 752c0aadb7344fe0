"""The figures that answer a search today, found by the database's index (``said_tables``).

What they are called and say is written there folded, once a change is over; until then a search
folds what is missing itself. One word, the longest, is looked for in the index, and whatever may
hold it is compared with all.
"""

from collections.abc import Callable, Iterator, Sequence

from django.db import connection
from django.db.models import Case, Count, Max, Min, Q, When, Window
from django.db.models.functions import Coalesce
from django.utils.translation import override

from measures.text import in_chinese
from metrics import copies
from metrics.models import Indicator, IndicatorSaid, Observation, ValueSaid
from metrics.said_tables import FIGURES, VALUES, write

from .searching import folded_all, said_of, said_of_values

#: Rows that are written together; nothing is published meanwhile.
TOGETHER = 5_000
#: What a value says and is read with.
OF_VALUE = (
    "as_written", "locator", "value", "indicator__unit__name",
    Coalesce("report__number", "source_name"),
)  # fmt: skip
#: What a figure says.
OF_FIGURE = ("name", "name_en", "code", "scope", "scope_en")


def write_missing() -> int:
    """Writes what is said of each public figure and value of which that is not known; returns how
    many. When it writes none and what it raises says ``copies``.
    """
    return copies.write_missing(copies.SAID, _write_some)


def _write_some() -> int:
    values, figures = _unknown_values(TOGETHER), _unknown_figures(TOGETHER)
    said = _values(values)
    write(VALUES, said, connection)
    write(FIGURES, figures, connection)
    # What ended stays so.
    ended = {*values}.difference(key for key, _text in said)
    ValueSaid.objects.filter(pk__in=ended).delete()
    return len(values) + len(figures)


def wrong() -> list[tuple[str, int]]:
    """(table, key) of each figure and public value that is written otherwise than it is said, or
    for which there is no row; to be asked while nobody publishes."""
    public = dict(Observation.objects.published().order_by().values_list("pk", "said__text"))
    known = {key: text for key, text in public.items() if text != ""}
    said = dict(_in_parts(_values, [*known]))
    found = [(VALUES, key) for key, text in known.items() if text != said.get(key)]
    names = [f"said__{name}" for name in ("text", "chinese", "english")]
    rows = Indicator.objects.order_by().values_list("pk", *names)
    known = {key: tuple(texts) for key, *texts in rows if texts[0] != ""}
    figures = Indicator.objects.filter(pk__in=known).order_by().only(*OF_FIGURE)
    said = {key: tuple(texts) for key, *texts in _in_parts(_figures, list(figures))}
    return found + [(FIGURES, key) for key, texts in known.items() if texts != said.get(key)]


def _in_parts(say: Callable[[list], list], rows: list) -> Iterator:
    for begin in range(0, len(rows), TOGETHER):
        yield from say(rows[begin : begin + TOGETHER])


def _unknown_values(most: int | None = None) -> list[int]:
    return list(ValueSaid.objects.filter(text="").values_list("pk", flat=True)[:most])


def _values(keys: list[int]) -> list[tuple[int, str]]:
    """The key of each value among ``keys`` that is public, and what is said of it; one query."""
    if not keys:
        return []
    public = Observation.objects.published().filter(pk__in=keys).order_by()
    rows = list(public.values_list("pk", *OF_VALUE))
    texts = said_of_values([row[1:] for row in rows])
    return [(row[0], text) for row, text in zip(rows, texts, strict=True)]


def _unknown_figures(most: int | None = None) -> list[tuple[int, str, str, str]]:
    """The key of each figure of which it is not written, what is said of it, and what it is called
    in either language; one query."""
    unknown = IndicatorSaid.objects.filter(text="").select_related("indicator")
    unknown = unknown.only(*(f"indicator__{name}" for name in OF_FIGURE))
    return _figures([said.indicator for said in unknown[:most]])


def _figures(rows: list[Indicator]) -> list[tuple[int, str, str, str]]:
    """The key of each of ``rows``, what is said of it, and what it is called in either language."""
    texts = said_of(*([getattr(row, name) for row in rows] for name in OF_FIGURE))
    names = []
    for language in ("zh-hans", "en"):
        with override(language):
            names.append(folded_all([str(row) for row in rows]))
    return list(zip([row.pk for row in rows], texts, *names, strict=True))


class _Missing:
    """What is public and not written yet."""

    def __init__(self):
        self.values, self.figures = _values(_unknown_values()), _unknown_figures()

    def __bool__(self):
        return bool(self.values or self.figures)

    def that_hold(self, texts: list[str]) -> Q:
        """Those values that hold one of ``texts``, or whose figure does."""
        values = [key for key, text in self.values if _has(text, texts)]
        figures = [key for key, text, *_names in self.figures if _has(text, texts)]
        return Q(pk__in=values) | Q(indicator__in=figures)

    def called(self, texts: list[str], *, at_the_start: bool) -> Q:
        place = 1 if in_chinese() else 2
        named = [(row[0], row[place + 1]) for row in self.figures]
        if at_the_start:
            return Q(indicator__in=[key for key, name in named if name.startswith(tuple(texts))])
        return Q(indicator__in=[key for key, name in named if _has(name, texts)])


def _has(text: str, texts: Sequence[str]) -> bool:
    return any(one in text for one in texts)


def _any(lookup: str, texts: Sequence[str]) -> Q:
    return Q(*((lookup, text) for text in texts), _connector=Q.OR)


def figures(asked: list[list[str]], most: int | None) -> tuple[int, list[tuple[int, int]]]:
    """How many figures have a value that answers to every word of ``asked``, and of the first
    ``most`` the newest such value, by its key, and how many more there are.

    Four queries, and two more for what is not written yet.
    """
    missing = _Missing()
    values = Observation.objects.published().of_public_indicators().order_by()
    for texts in asked:
        values = values.filter(
            _any("said__text__holds", texts)
            | _any("indicator__said__text__holds", texts)
            | missing.that_hold(texts)
        )
    found = values.filter(_may_answer(asked, missing))
    found = (
        found.values("indicator")
        .annotate(
            newest=Max("period_end"),
            place=Min(_place(asked[0], missing)),
            called=Min("indicator__name"),
            count=Window(Count("*")),
        )
        .order_by("place", "called", "-newest", "indicator")
    )
    rows = list(found[:most])
    if not rows:
        return 0, []
    keys = [row["indicator"] for row in rows]
    newest: dict[int, list[int]] = {}
    of_these = values.filter(indicator__in=keys).order_by("-period_end", "-pk")
    for key, value in of_these.values_list("indicator", "pk"):
        newest.setdefault(key, [value, -1])[1] += 1
    # One that was withdrawn between the two questions stays out.
    return rows[0]["count"], [tuple(newest[key]) for key in keys if key in newest]


def _place(texts: list[str], missing: _Missing) -> Case:
    """What is called as was asked, then what is called so within, then all else."""
    name = f"indicator__said__{'chinese' if in_chinese() else 'english'}"
    return Case(
        When(
            _any(f"{name}__begins_with", texts) | missing.called(texts, at_the_start=True), then=0
        ),
        When(_any(f"{name}__holds", texts) | missing.called(texts, at_the_start=False), then=1),
        default=2,
    )


def _may_answer(asked: list[list[str]], missing: _Missing) -> Q:
    """By the index, the values that may answer to the longest word, of which there are fewest."""
    texts = max(asked, key=lambda texts: min(map(len, texts)))
    if not all(map(str.strip, texts)):
        return Q()
    found = ValueSaid.objects.filter(text__may_hold=texts).values("pk")
    of_figures = Observation.objects.filter(
        indicator__in=IndicatorSaid.objects.filter(text__may_hold=texts).values("pk")
    )
    parts = [of_figures.order_by().values("pk")]
    if missing:
        parts.append(Observation.objects.filter(missing.that_hold(texts)).order_by().values("pk"))
    return Q(pk__in=found.union(*parts, all=True))
