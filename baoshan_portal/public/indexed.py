"""The figures that answer a search today, found by the database's index (``said_tables``).

What they are called and say is written there folded, once a change is over; until then a search
folds what is missing itself. One word, the longest, is looked for in the index, and whatever may
hold it is compared with all.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import takewhile

from django.db import connection
from django.db.models import (
    Case,
    Count,
    Exists,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    When,
)
from django.db.models.functions import Coalesce
from django.utils.translation import override

from measures.text import in_chinese
from metrics import copies
from metrics.models import Indicator, IndicatorSaid, Observation, ValueSaid
from metrics.said_tables import FIGURES, VALUES, write

from .searching import folded_all, said_of, said_of_values

#: Rows that are written together; nothing is published meanwhile.
TOGETHER = 5_000
#: Figures by whose values it is told how a word is found best, and how far apart they are.
TRIED, GOLDEN = 16, (5**0.5 - 1) / 2
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
        return Q(pk__in=values) | Q(indicator__in=self.figures_that_hold(texts))

    def figures_that_hold(self, texts: list[str]) -> list[int]:
        return [key for key, text, *_names in self.figures if _has(text, texts)]

    def called(self, texts: list[str], *, at_the_start: bool) -> list[int]:
        """The keys of the figures whose name in the reader's language holds one of ``texts``."""
        place = 2 if in_chinese() else 3
        named = [(row[0], row[place]) for row in self.figures]
        if at_the_start:
            return [key for key, name in named if name.startswith(tuple(texts))]
        return [key for key, name in named if _has(name, texts)]


def _has(text: str, texts: Sequence[str]) -> bool:
    return any(one in text for one in texts)


def _any(lookup: str, texts: Sequence[str]) -> Q:
    return Q(*((lookup, text) for text in texts), _connector=Q.OR)


def figures(asked: list[list[str]], most: int | None) -> tuple[int, list[tuple[int, int]]]:
    """How many figures have a value that answers to every word of ``asked``, and of the first
    ``most`` the newest such value, by its key, and how many more there are.

    A figure that says all of the words itself answers with each of its values, and none of these
    is looked at but those shown. Of what most values say the first found of each figure is enough.
    Six queries, and two more for what is not written yet.
    """
    missing = _Missing()
    public = Observation.objects.published().order_by()
    answers = Q()
    for texts in asked:
        answers &= (
            _any("said__text__holds", texts)
            | _any("indicator__said__text__holds", texts)
            | missing.that_hold(texts)
        )
    values, answering = public.filter(answers), Indicator.objects.published()
    own = _any("said__text__holds", [text for texts in asked for text in texts])
    if _are_found_soon(public, answers, own):
        # PostgreSQL would make a join of all values of what only asks whether there is one.
        one = Subquery(values.filter(indicator=OuterRef("pk")).values("pk")[:1])
        found = answering.alias(one=one).filter(one__isnull=False)
    else:
        found = answering.filter(pk__in=_by_index(asked, public, values, missing))
    found = found.annotate(place=_place(asked[0], missing)).order_by("place", "name", "pk")
    rows = list(found.values_list("pk", "place", "name"))
    first = _with_those_alike(rows, most)
    told: dict[int, list] = {}
    of_these = values.filter(indicator__in=[key for key, *_name in first])
    of_these = of_these.order_by("-period_end", "-pk")
    for key, end, value in of_these.values_list("indicator", "period_end", "pk"):
        told.setdefault(key, [end, value, -1])[2] += 1
    # Of one name the newest first. One that was withdrawn between the questions stays out.
    places = {name: place for place, name in enumerate(dict.fromkeys(row[1:] for row in first))}
    first = [(places[row[1:]], row[0]) for row in first if row[0] in told]
    first.sort(key=lambda row: (row[0], -told[row[1]][0].toordinal()))
    return len(rows), [tuple(told[key][1:]) for _place, key in first[:most]]


def _are_found_soon(values: QuerySet, answers: Q, own: Q) -> bool:
    """Whether a value that meets ``answers`` is found sooner by looking at those ``values`` of each
    figure until one does than by looking at all that do and meet ``own``, which the index finds, as
    far as some figures tell; two queries."""
    last = Indicator.objects.aggregate(last=Max("pk"))["last"] or 0
    # Scattered evenly, and in no step with the order in which figures were made.
    some = {last - int(last * (n * GOLDEN % 1)) for n in range(TRIED)}
    counted = values.filter(indicator__in=some).values("indicator").annotate(
        there=Count("pk"), meet=Count("pk", filter=answers), found=Count("pk", filter=answers & own)
    )  # fmt: skip
    looked_at = by_index = 0
    for row in counted:
        looked_at += (row["there"] + 1) / (row["meet"] + 1)
        by_index += row["found"]
    return looked_at < by_index


def _by_index(
    asked: list[list[str]], public: QuerySet, values: QuerySet, missing: _Missing
) -> QuerySet:
    """The keys of the figures that say every word of ``asked`` and have a value, and of those with
    one of ``values`` that does."""
    said = IndicatorSaid.objects.all()
    for texts in asked:
        said = said.filter(_any("text__holds", texts) | Q(pk__in=missing.figures_that_hold(texts)))
    if len(asked) == 1:
        # What figures say is asked of them.
        (texts,) = asked
        values = public.filter(_any("said__text__holds", texts) | missing.that_hold(texts))
    if all(text.strip() for texts in asked for text in texts):
        # Of the longest word there are fewest.
        longest, *others = sorted(asked, key=lambda texts: -min(map(len, texts)))
        of_index = Q(text__may_hold=longest) | Q(pk__in=missing.figures_that_hold(longest))
        said = said.filter(of_index)
        values = values.filter(pk__in=_may_answer(longest, others, missing))
    keys = said.filter(Exists(public.filter(indicator=OuterRef("pk")))).values("pk")
    return keys.union(values.values("indicator"), all=True)


def _with_those_alike(rows: list[tuple], most: int | None) -> list[tuple]:
    """The first ``most`` of ``rows``, and those after them that the last of them is like but for
    its key."""
    if most is None or len(rows) <= most:
        return rows
    last = rows[most - 1][1:]
    return rows[:most] + list(takewhile(lambda row: row[1:] == last, rows[most:]))


def _place(texts: list[str], missing: _Missing) -> Case:
    """What is called as was asked, then what is called so within, then all else."""
    name = f"said__{'chinese' if in_chinese() else 'english'}"
    begins, within = (
        Q(pk__in=missing.called(texts, at_the_start=at_the_start)) for at_the_start in (True, False)
    )
    return Case(
        When(_any(f"{name}__begins_with", texts) | begins, then=0),
        When(_any(f"{name}__holds", texts) | within, then=1),
        default=2,
    )


def _may_answer(longest: list[str], others: list[list[str]], missing: _Missing) -> QuerySet:
    """By the index, the keys of the values whose own text holds a word that their figure does not
    say: one of ``longest``, or one of ``others`` where the figure says that."""
    keys = ValueSaid.objects.filter(text__may_hold=longest).values("pk")
    parts = []
    any_other = [text for texts in others for text in texts]
    if any_other:
        of_figures = IndicatorSaid.objects.filter(text__may_hold=longest).values("pk")
        held = ValueSaid.objects.filter(text__may_hold=any_other).values("pk")
        parts.append(Observation.objects.filter(indicator__in=of_figures, pk__in=held))
    if missing:
        parts.append(Observation.objects.filter(missing.that_hold([*longest, *any_other])))
    return keys.union(*(part.order_by().values("pk") for part in parts), all=True)
