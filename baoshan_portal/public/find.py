"""One search over everything public: figures, measures, notes, departments and sources.

How words are compared says ``searching``. Figures of today are found by the database's index
(``indexed``). What else is called is folded once for each version of the data, and for a past day
what figures and values say as well, and is swept through (``searched``). A search loads no more
rows than it shows and counts the others.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from django.db.models import Exists, OuterRef
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from measures.models import (
    Department,
    Evaluation,
    Measure,
    OpinionStage,
    ProgressNote,
    Report,
    Synonym,
)
from measures.models.notes import note_name
from measures.text import in_chinese
from metrics.models import Indicator, Observation, Unit
from metrics.wording import as_written_text, observed_text

from . import check_marks, indexed
from .indexed import OF_FIGURE
from .remembered import remembered_large
from .searched import Texts, in_all
from .searching import (
    alternatives,
    asked_words,
    folded,
    folded_all,
    query_of,
    said_of,
    said_of_values,
    suggestions,
)

SHOWN = 20
#: Values that are read and folded together.
AT_ONCE = 2_000


@dataclass(frozen=True)
class Hit:
    """One row that answers: what it is called, what it says, and where it is."""

    name: str
    detail: str
    target: object


@dataclass(frozen=True)
class HitGroup:
    """What answers of one kind: the first of them, and how many there are."""

    kind: str
    label: Promise
    count: int
    shown: list[Hit]


#: How many answer to every word, and of the best the key, and how many more of its name do.
Answers = tuple[int, list[tuple[int, int]]]


def first_of(found: list[tuple[int, int, int]], most: int | None) -> Answers:
    """Of ``found``, best first: place, key, and how many more of its name answer."""
    return len(found), [(key, more) for _place, key, more in found[:most]]


class Kind:
    """The rows of one kind, in the order in which they answer: what they are called and say.

    ``said`` are the folded texts of each row, as ``said_of`` makes them. Rows of one name and one
    of ``targets`` answer together; without targets each is its own.
    """

    def __init__(
        self,
        keys: Iterable[int],
        names: Sequence[str],
        said: Iterable[str],
        targets: Iterable[int] | None = None,
    ):
        self.keys = array("q", keys)
        self.names = Texts(folded_all(names))
        self.texts = Texts(said)
        numbers: dict[tuple, int] = {}
        rows = zip(names, self.keys if targets is None else targets, strict=True)
        self._together = array("q", (numbers.setdefault(row, len(numbers)) for row in rows))

    def answers(self, asked: list[list[str]], most: int | None) -> Answers:
        mask = in_all([self.texts.that_have(texts) for texts in asked])
        found: dict[int, list[int]] = {}
        for row in _ones(mask):
            found.setdefault(self._together[row], [row, -1])[1] += 1
        found = self.best_first(
            ((row, self.keys[row], more) for row, more in found.values()), asked
        )
        return first_of(found, most)

    def best_first(self, answers: Iterable[tuple[int, int, int]], asked: list[list[str]]) -> list:
        """What is called as was asked, then what is called so within, then all else."""
        begins = self.names.that_have(asked[0], at_the_start=True)
        within = self.names.that_have(asked[0])
        return sorted(answers, key=lambda answer: -begins[answer[0]] - within[answer[0]])


def _ones(mask: bytearray) -> Iterator[int]:
    at = mask.find(1)
    while at >= 0:
        yield at
        at = mask.find(1, at + 1)


class Values:
    """What all public values say, those of one indicator together and the newest first."""

    def __init__(self, as_of):
        self.keys, self.ends = array("q"), array("l")
        #: From the key of an indicator to the first and behind the last of its values.
        self.of_indicator: dict[int, tuple[int, int]] = {}
        self.texts = Texts(self._read(as_of))

    def _read(self, as_of) -> Iterator[str]:
        units = dict(Unit.objects.values_list("pk", "name"))
        unit_of = dict(Indicator.objects.order_by().values_list("pk", "unit"))
        reports = dict(Report.objects.order_by().values_list("pk", "number"))
        rows = (
            Observation.objects.published(as_of)
            .order_by("indicator_id", "-period_end", "-pk")
            .values_list(
                "pk", "indicator_id", "period_end", "as_written", "value",
                "report_id", "locator", "source_name",
            )
            .iterator(AT_ONCE)
        )  # fmt: skip
        while some := list(islice(rows, AT_ONCE)):
            said = []
            for pk, indicator, end, as_written, value, report, locator, source in some:
                if indicator not in unit_of or (report and report not in reports):
                    # Of a figure that the day does not know, or that came after they were read.
                    continue
                begin, _end = self.of_indicator.get(indicator, (len(self.keys), 0))
                self.keys.append(pk)
                self.ends.append(end.toordinal())
                self.of_indicator[indicator] = (begin, len(self.keys))
                document = reports[report] if report else source
                said.append((as_written, locator, value, units[unit_of[indicator]], document))
            yield from said_of_values(said)


class Words:
    """All that is public but figures by what it is called and said in words, in the reader's
    language."""

    def __init__(self, as_of):
        measures = list(Measure.objects.published(as_of).with_place())
        self.measures = self._measures(measures)
        self.notes = self._notes(as_of, {row.pk: str(row) for row in measures})
        self.word = _word(as_of)
        self.departments = self._departments(as_of)
        self.sources = _sources(as_of)

    def _measures(self, rows: list[Measure]) -> Kind:
        said = ("name", "name_en", "full_number", "code", "summary", "summary_en")
        self.measure_names = [_measure_name(row) for row in rows]
        return Kind([row.pk for row in rows], self.measure_names, _said(rows, *said))

    def _notes(self, as_of, measures: dict[int, str]) -> Kind:
        public = ProgressNote.objects.published(as_of).filter(measure__in=[*measures])
        # There are ten times as many notes, each of which would bring all that its measure says.
        told = "pk", "measure_id", "happened_on", "text", "text_en"
        rows = list(public.values_list(*told, named=True))
        return Kind(
            [row.pk for row in rows],
            [note_name(row.happened_on, measures[row.measure_id]) for row in rows],
            _said(rows, "text", "text_en"),
            [row.measure_id for row in rows],
        )

    def _departments(self, as_of) -> Kind:
        led = Department.objects.filter(led__in=Measure.objects.published(as_of))
        rows = list(led.distinct())
        self.department_names = [str(row) for row in rows]
        said = ("name", "name_en", "code")
        return Kind([row.pk for row in rows], self.department_names, _said(rows, *said))


class Names(Words):
    """These and the figures."""

    def __init__(self, as_of):
        super().__init__(as_of)
        rows = list(Indicator.objects.published(as_of).order_by("name", "pk").only(*OF_FIGURE))
        self.figure_names = [str(row) for row in rows]
        self.figures = Kind([row.pk for row in rows], self.figure_names, _said(rows, *OF_FIGURE))
        #: The same number for those of one name, among which the newest value comes first.
        places = {name: place for place, name in enumerate(dict.fromkeys(r.name for r in rows))}
        self.figure_places = array("q", (places[row.name] for row in rows))


def _said(rows: list, *fields: str) -> list[str]:
    return said_of(*([getattr(row, name) for row in rows] for name in fields))


def _measure_name(measure: Measure) -> str:
    return f"{measure.full_number} {measure}"


def _word(as_of) -> Kind:
    """Evaluations and, with keys below zero, stages."""
    rows = [
        *((row.pk, row, row.result_text) for row in _evaluations(as_of)),
        *((-row.pk, row, row.text) for row in _stages(as_of)),
    ]
    names = [str(row) for _key, row, _text in rows]
    others = [
        (text, row.document, row.note, row.note_en,
         *((row.body, row.body_en) if isinstance(row, Evaluation) else ("", "")))
        for _key, row, text in rows
    ]  # fmt: skip
    return Kind(
        [key for key, _row, _text in rows], names, said_of(names, *zip(*others, strict=True))
    )


def _evaluations(as_of):
    return Evaluation.objects.published(as_of).with_subject()


def _stages(as_of):
    return OpinionStage.objects.published(as_of).select_related("opinion")


def _sources(as_of) -> Kind:
    rows = list(Report.objects.published(as_of))
    return Kind(
        [row.pk for row in rows],
        [row.number for row in rows],
        _said(rows, "name", "name_en", "number"),
        [0] * len(rows),
    )


class Everything:
    """All that was public on a day by its names and values, through which a search sweeps."""

    def __init__(self, names: Names, values: Values):
        self.names, self.values = names, values

    def figures(self, asked: list[list[str]], most: int | None) -> Answers:
        kind, values = self.names.figures, self.values
        masks = []
        for texts in asked:
            mask = values.texts.that_have(texts)
            for row in _ones(kind.texts.that_have(texts)):
                begin, end = values.of_indicator.get(kind.keys[row], (0, 0))
                mask[begin:end] = b"\1" * (end - begin)
            masks.append(mask)
        answered = in_all(masks)
        found = []
        for row, key in enumerate(kind.keys):
            begin, end = values.of_indicator.get(key, (0, 0))
            if (first := answered.find(1, begin, end)) >= 0:
                found.append((row, first, answered.count(1, first, end) - 1))
        found.sort(key=lambda one: (self.names.figure_places[one[0]], -values.ends[one[1]]))
        found = kind.best_first(((row, values.keys[at], more) for row, at, more in found), asked)
        return first_of(found, most)

    def names_of_figures(self) -> list[str]:
        """What those with a value are called."""
        named = zip(self.names.figures.keys, self.names.figure_names, strict=True)
        return [name for key, name in named if key in self.values.of_indicator]


def names_of_figures() -> list[str]:
    """What figures with a value are called today, in the reader's language."""
    with_value = Observation.objects.published().filter(indicator=OuterRef("pk"))
    rows = Indicator.objects.published().filter(Exists(with_value)).order_by("name", "pk")
    return [str(row) for row in rows.only("name", "name_en")]


class Today:
    """All that is public now, the figures and their values as the database's index finds them."""

    def __init__(self, names: Words, named: Callable[[], list[str]] = names_of_figures):
        self.names, self.names_of_figures = names, named

    def figures(self, asked: list[list[str]], most: int | None) -> Answers:
        return indexed.figures(asked, most)


def everything_of(request) -> Everything | Today:
    """All that was public on the day that the page speaks of."""
    as_of, language = request.as_of, "zh" if in_chinese() else "en"
    if as_of is None:
        return Today(
            remembered_large(request, f"find words {language}", lambda: Words(None)),
            lambda: remembered_large(request, f"find named {language}", names_of_figures),
        )
    return Everything(
        remembered_large(request, f"find names {language}", lambda: Names(as_of)),
        remembered_large(request, "find values", lambda: Values(as_of)),
    )


def names_of_things(everything: Everything | Today) -> list[str]:
    """What figures, measures and departments are called, by which something can be meant."""
    names = everything.names
    figures = everything.names_of_figures()
    return list(dict.fromkeys([*figures, *names.measure_names, *names.department_names]))


def find(
    words: list[str], everything: Everything | Today, most: int | None = SHOWN
) -> list[HitGroup]:
    """What answers to every one of ``words``, by kind, ``most`` of each loaded (None: all).

    Kinds without hits stay out. One query for the synonyms, one a kind that answers, and of today
    those of ``indexed.figures``.
    """
    known = {folded(row.term): folded(row.meaning) for row in Synonym.objects.all()}
    asked = [alternatives(word, known) for word in words]
    names = everything.names
    groups = []
    for kind, label, answers, hits_of in (
        ("figures", gettext_lazy("Figures"), everything.figures, _figure_hits),
        ("measures", gettext_lazy("Measures"), names.measures.answers, _measure_hits),
        ("notes", gettext_lazy("Progress notes"), names.notes.answers, _note_hits),
        ("word", gettext_lazy("The committee’s word"), names.word.answers, _word_hits),
        ("departments", gettext_lazy("Departments"), names.departments.answers, _department_hits),
        ("sources", gettext_lazy("Sources"), names.sources.answers, _source_hits),
    ):
        count, shown = answers(asked, most)
        if count:
            hits = hits_of([key for key, _more in shown])
            groups.append(HitGroup(kind, label, count, [_with(hits[k], m) for k, m in shown]))
    return groups


def _with(hit: Hit, more: int) -> Hit:
    """The newest of what answers for one row; how many more periods do is said."""
    return replace(hit, detail=f"{hit.detail} · {_more(more)}") if more else hit


def _more(n: int) -> str:
    return ngettext("%(n)d other period too", "%(n)d other periods too", n) % {"n": n}


def _figure_hits(keys: list[int]) -> dict[int, Hit]:
    values = Observation.objects.select_related("indicator__unit__base", "report").in_bulk(keys)
    return {
        key: Hit(str(value.indicator), " · ".join(_details(value)), value.indicator)
        for key, value in values.items()
    }


def _details(value: Observation) -> list[str]:
    """The figure, how the source writes it if that differs, and the source."""
    figure = observed_text(value, value.indicator.unit)
    return list(dict.fromkeys([figure, as_written_text(value), value.source_text]))


def _measure_hits(keys: list[int]) -> dict[int, Hit]:
    measures = Measure.objects.with_place().in_bulk(keys)
    return {
        key: Hit(_measure_name(row), row.in_language("summary"), row)
        for key, row in measures.items()
    }


def _note_hits(keys: list[int]) -> dict[int, Hit]:
    notes = ProgressNote.objects.select_related("measure").in_bulk(keys)
    return {key: Hit(str(row), row.in_language("text"), row.measure) for key, row in notes.items()}


def _word_hits(keys: list[int]) -> dict[int, Hit]:
    evaluations = Evaluation.objects.with_subject().in_bulk([key for key in keys if key > 0])
    stages = OpinionStage.objects.select_related("opinion")
    stages = stages.in_bulk([-key for key in keys if key < 0])
    return {
        **{key: Hit(str(row), row.result_text, row) for key, row in evaluations.items()},
        **{-key: Hit(str(row), row.text, row) for key, row in stages.items()},
    }


def _department_hits(keys: list[int]) -> dict[int, Hit]:
    said = _("measures it leads, as proposed or confirmed")
    departments = Department.objects.in_bulk(keys)
    return {key: Hit(str(row), said, row) for key, row in departments.items()}


def _source_hits(keys: list[int]) -> dict[int, Hit]:
    reports = Report.objects.in_bulk(keys)
    return {key: Hit(row.number, str(row), "method") for key, row in reports.items()}


def page(request):
    """The answers to ``?q=``, with their number by kind."""
    query = query_of(request)
    words = asked_words(query)
    groups, suggested = [], []
    if words:
        everything = everything_of(request)
        groups = find(words, everything)
        figures = [group.shown for group in groups if group.kind == "figures"]
        check_marks.of_shown(request, [hit.target.pk for shown in figures for hit in shown])
        if not groups:
            suggested = suggestions(query, names_of_things(everything))
    context = {
        "query": query,
        "groups": groups,
        "total": sum(group.count for group in groups),
        "suggestions": suggested,
    }
    return render(request, "public/find.html", context)
