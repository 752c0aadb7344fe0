"""What to ask 值得追问: all that is worth asking, by section and department, and as a file."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from django.db.models import Model
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from measures.models import Department, Opinion, Section, Theme
from measures.spreadsheets import Column, Kind
from metrics.rules.questions import Ask

from ..as_of import BadQuery, address
from ..data_file import day_of_state
from ..lists.facets import NONE
from ..lists.page import file_format_of
from ..numbered import PER_PAGE, numbered
from ..prose import lead_text
from ..remembered import remembered_large
from ..taken_away import list_cover, taken_table
from .asked import AllAsked, Asked
from .rows import Question

#: How the page may be parted; the file is not.
PARTED_BY = {
    "": gettext_lazy("by gravity"),
    "section": gettext_lazy("by section"),
    "department": gettext_lazy("by department"),
}
FILTERS = ("opinion", "section", "theme", "department", "kind")
LABELS = {
    "opinion": gettext_lazy("Opinion"),
    "section": gettext_lazy("Section"),
    "theme": gettext_lazy("Theme"),
    "department": gettext_lazy("Department"),
    "kind": gettext_lazy("Kind of question"),
}


@dataclass(frozen=True)
class Choice:
    """One answer of a filter as the page offers it; ``count`` of what stands without it."""

    value: str
    label: str
    count: int
    is_chosen: bool


class Names:
    """What everything that is asked is found by under each filter, and what that is called in the
    reader's language; two queries."""

    def __init__(self, everything: AllAsked):
        #: How much is alike, by its kind and its measures.
        self._rows = everything.rows
        self._alike = Counter((row.ask, row.measures) for row in self._rows)
        measures = {measure for _ask, some in self._alike for measure in some}
        places = {measure: everything.places[measure] for measure in measures}
        themes = Theme.objects.select_related("section__opinion").order_by()
        themes = themes.in_bulk({place.theme for place in places.values()})
        leads = Department.objects.order_by()
        leads = leads.in_bulk({place.lead for place in places.values() if place.lead})
        #: By the name of a filter: by the key of a measure the row that it is found by.
        self._found_by: dict[str, dict[int, Model | None]] = {name: {} for name in FILTERS[:-1]}
        for measure, place in places.items():
            theme = themes[place.theme]
            self._found_by["opinion"][measure] = theme.section.opinion
            self._found_by["section"][measure] = theme.section
            self._found_by["theme"][measure] = theme
            self._found_by["department"][measure] = leads.get(place.lead)

    def _answers(self, name: str, ask: Ask, measures: tuple[int, ...]) -> dict:
        """What is true under a filter: codes with what has them, see ``_label``."""
        if name == "kind":
            return {ask.value: ask}
        rows = [self._found_by[name][measure] for measure in measures]
        return {row.code if row else NONE: row for row in rows}

    def chosen(self, query: dict[str, str]) -> list[Asked]:
        """What answers to ``query``, by the names of ``FILTERS``."""
        left = self._left(query)
        return [row for row in self._rows if (row.ask, row.measures) in left]

    def _left(self, query: dict[str, str]) -> set[tuple]:
        """Which of ``_alike`` answer to ``query``."""
        asked = {name: value for name, value in query.items() if value}
        return {
            alike
            for alike in self._alike
            if all(value in self._answers(name, *alike) for name, value in asked.items())
        }

    def choices(self, query: dict[str, str], name: str) -> list[Choice]:
        """The answers of one filter with counts, while all others stay in force."""
        left = self._left({other: value for other, value in query.items() if other != name})
        words: dict[str, str] = {}
        counts: Counter = Counter()
        for alike, count in self._alike.items():
            for value, answer in self._answers(name, *alike).items():
                if value not in words:
                    words[value] = _label(name, answer)
                counts[value] += count * (alike in left)
        if name == "kind":
            order = [ask.value for ask in Ask if ask.value in words]
        else:
            order = sorted(words, key=lambda value: (value == NONE, words[value]))
        return [Choice(value, words[value], counts[value], query[name] == value) for value in order]

    def parts(self, rows: list[Asked], by: str) -> list[tuple[str, list[Asked]]]:
        """``rows`` below the names by which they are parted, numbered through; one part without
        any.

        A question about several measures stands with the first of them.
        """
        if not by:
            return [("", rows)]
        found: dict[Model | None, list[Asked]] = defaultdict(list)
        for row in rows:
            found[self._found_by[by][row.measures[0]]].append(row)
        named = {_in_order(by, row): some for row, some in found.items()}
        return [(key[-1], named[key]) for key in sorted(named)]


def _label(name: str, answer) -> str:
    """What one of the answers under a filter is called."""
    match name:
        case "kind":
            return str(answer.label)
        case "department":
            return _office(answer)[1]
        case "opinion":
            return f"{answer.number} {answer}"
        case "section":
            return f"{answer.opinion.prefix}{answer.order} {answer}"
    return f"{answer.section.opinion.prefix}{answer.number} {answer}"


def _in_order(by: str, row: Section | Department | None) -> tuple:
    """To sort a part by; ends with its name."""
    if by == "section":
        return row.opinion_id, row.order, "", f"{row.order} {row}"
    return row is None, 0, *_office(row)


def _office(department: Department | None) -> tuple[str, str]:
    return (department.code, str(department)) if department else (NONE, _("not known"))


def page(request):
    """All of it, the gravest first; ``?section=``, ``?department=`` … narrow it, ``?by=`` parts
    it, ``?format=csv`` or ``xlsx`` gives it as a file."""
    everything = remembered_large(request, "questions", lambda: AllAsked(request.as_of))
    names = Names(everything)
    query = {name: request.GET.get(name, "") for name in FILTERS}
    offered = {name: names.choices(query, name) for name in FILTERS}
    for name, value in query.items():
        # What has no question today may have had one, or may have one tomorrow.
        known = {choice.value for choice in offered[name]} | set(Ask.values)
        if value and value not in known and not _exists(name, value):
            raise BadQuery(
                _("The portal does not know what was asked for under: %(names)s.")
                % {"names": LABELS[name]}
            )
    by = request.GET.get("by", "")
    if by not in PARTED_BY:
        raise BadQuery(_("Questions can be parted by section or by department."))
    found = names.chosen(query)
    if file_format := file_format_of(request):
        words = {name: {one.value: one.label for one in offered[name]} for name in FILTERS}
        filters = [
            (str(LABELS[name]), words[name].get(value, value))
            for name, value in query.items()
            if value
        ]
        return _file(request, file_format, everything.told(found), filters)
    parts = names.parts(found, by)
    shown = numbered(request, [(part, n) for part in parts for n in range(len(part[1]))], PER_PAGE)
    context = {
        "parts": _told(everything, _on_page(parts, shown.page.object_list)),
        "table": shown,
        "count": len(found),
        "by": by,
        "ways": PARTED_BY.items(),
        "total": len(everything.rows),
        "kinds": offered["kind"],
        "kind": query["kind"],
        "filters": [
            (name, LABELS[name], offered[name])
            for name in FILTERS[:-1]
            if name != "opinion" or len(offered["opinion"]) > 1
        ],
        "query": {name: value for name, value in query.items() if value},
        "is_narrowed": any(query.values()),
    }
    return render(request, "public/questions.html", context)


def _on_page(parts: list, places: list) -> list[tuple[str, int, int, list[Asked]]]:
    """Each of ``parts`` with rows at ``places``: its name, all its rows counted, the number of the
    first that is shown, and those that are. A part without any rows says so."""
    if not places:
        return [(name, len(rows), 1, rows) for name, rows in parts]
    found = []
    for part, of_part in groupby(places, key=itemgetter(0)):
        numbers = [n for _part, n in of_part]
        name, rows = part
        shown = rows[numbers[0] : numbers[-1] + 1]
        found.append((name, len(rows), numbers[0] + 1, shown))
    return found


def _told(everything: AllAsked, parts: list) -> list[tuple[str, int, int, list[Question]]]:
    """``parts`` with questions in place of what is asked."""
    told = everything.told([row for *_part, rows in parts for row in rows])
    questions = {(question.ask, question.about): question for question in told}
    return [
        (*part, [questions[key] for row in rows if (key := (row.ask, row.about)) in questions])
        for *part, rows in parts
    ]


def _exists(name: str, code: str) -> bool:
    if name == "kind":
        return code in Ask.values
    if name == "department" and code == NONE:
        return True
    model = {"opinion": Opinion, "section": Section, "theme": Theme, "department": Department}[name]
    return model.objects.published().filter(code=code).exists()


def columns() -> list[Column]:
    return [
        Column(_("No."), 6, Kind.NUMBER),
        Column(_("Kind of question"), 20),
        Column(_("Question"), 80),
        Column(_("Section"), 24),
        Column(_("Theme"), 24),
        Column(_("Measure"), 40),
        Column(_("Lead department"), 24),
        Column(_("Address"), 40),
    ]


def cells(rows: Iterable[Question], request) -> Iterator[list]:
    """The rows of the file, in the order of ``columns``."""
    for number, row in enumerate(rows, 1):
        yield [
            number,
            str(row.ask.label),
            row.sentence,
            f"{row.section.opinion.prefix}{row.section.order} {row.section}",
            f"{row.theme.number} {row.theme}",
            f"{row.measure.full_number} {row.measure}",
            lead_text(row.measure),
            request.build_absolute_uri(address(request, row)),
        ]


def _file(request, file_format: str, rows: Iterable[Question], filters: list[tuple[str, str]]):
    cover = list_cover(request, _("What to ask"), filters)
    day = day_of_state(request.as_of)
    return taken_table(file_format, "questions", day, cover, columns(), cells(rows, request))
