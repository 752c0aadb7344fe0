"""What to ask 值得追问: all that is worth asking, by section and department, and as a file."""

from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from measures.models import Department, Opinion, Section, Theme
from measures.spreadsheets import Column, Kind
from measures.text import in_chinese
from measures.thresholds import Thresholds
from metrics.rules.questions import Ask

from ..as_of import BadQuery, address
from ..data_file import day_of_state
from ..lists.facets import NONE
from ..lists.page import file_format_of
from ..numbered import PER_PAGE, numbered
from ..prose import lead_text
from ..remembered import remembered_large
from ..standing import load_asking
from ..taken_away import list_cover, taken_table
from .rows import Question, all_of, slimmed

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


def answers(question: Question, name: str) -> dict:
    """What is true of ``question`` under a filter: codes with what has them, see ``_label``."""
    if name == "kind":
        return {question.ask.value: question.ask}
    if name == "department":
        leads = [measure.lead for measure in question.measures]
        return {lead.code if lead else NONE: lead for lead in leads}
    themes = [measure.theme for measure in question.measures]
    if name == "theme":
        return {theme.code: theme for theme in themes}
    sections = [theme.section for theme in themes]
    if name == "section":
        return {section.code: section for section in sections}
    return {section.opinion.code: section.opinion for section in sections}


def _label(name: str, answer) -> str:
    """What one of the ``answers`` under a filter is called."""
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


def _office(department: Department | None) -> tuple[str, str]:
    return (department.code, str(department)) if department else (NONE, _("not known"))


def chosen(rows: list[Question], query: dict[str, str]) -> list[Question]:
    """Those of ``rows`` that answer to ``query``, by the names of ``FILTERS``."""
    return [
        row
        for row in rows
        if all(value in answers(row, name) for name, value in query.items() if value)
    ]


def of_day(request) -> list[Question]:
    """Everything that was worth asking on the page's day, the gravest first."""
    on = request.as_of or timezone.localdate()
    return all_of(load_asking(Thresholds.read(), on, request.as_of))


def _of_page(request) -> list[Question]:
    """``of_day``, worked out once for each version of the data and each language."""
    language = "zh" if in_chinese() else "en"
    return remembered_large(request, f"questions {language}", lambda: slimmed(of_day(request)))


def page(request):
    """All of it, the gravest first; ``?section=``, ``?department=`` … narrow it, ``?by=`` parts
    it, ``?format=csv`` or ``xlsx`` gives it as a file."""
    rows = _of_page(request)
    query = {name: request.GET.get(name, "") for name in FILTERS}
    offered = {name: _choices(rows, query, name) for name in FILTERS}
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
    found = chosen(rows, query)
    if file_format := file_format_of(request):
        words = {name: {one.value: one.label for one in offered[name]} for name in FILTERS}
        filters = [
            (str(LABELS[name]), words[name].get(value, value))
            for name, value in query.items()
            if value
        ]
        return _file(request, file_format, found, filters)
    parts = _parts(found, by)
    shown = numbered(request, [(part, n) for part in parts for n in range(len(part[1]))], PER_PAGE)
    context = {
        "parts": _on_page(parts, shown.page.object_list),
        "table": shown,
        "count": len(found),
        "by": by,
        "ways": PARTED_BY.items(),
        "total": len(rows),
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


def _parts(rows: list[Question], by: str) -> list[tuple[str, list[Question]]]:
    """``rows`` below the names by which they are parted, numbered through; one part without any.

    A question about several measures stands with the first of them.
    """
    if not by:
        return [("", rows)]
    parts: dict[tuple, list[Question]] = {}
    for row in rows:
        if by == "section":
            section = row.section
            key = (section.opinion_id, section.order, "", f"{section.order} {section}")
        else:
            key = (row.lead is None, 0, *_office(row.lead))
        parts.setdefault(key, []).append(row)
    return [(key[-1], parts[key]) for key in sorted(parts)]


def _on_page(parts: list, places: list) -> list[tuple[str, int, int, list[Question]]]:
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


def _choices(rows: list[Question], query: dict[str, str], name: str) -> list[Choice]:
    """The answers of one filter with counts, while all others stay in force."""
    others = {other: value for other, value in query.items() if other != name}
    words: dict[str, str] = {}
    counts: dict[str, int] = {}
    left = {id(row) for row in chosen(rows, others)}
    for row in rows:
        for value, answer in answers(row, name).items():
            if value not in words:
                words[value] = _label(name, answer)
            counts[value] = counts.get(value, 0) + (id(row) in left)
    if name == "kind":
        order = [ask.value for ask in Ask if ask.value in words]
    else:
        order = sorted(words, key=lambda value: (value == NONE, words[value]))
    return [Choice(value, words[value], counts[value], query[name] == value) for value in order]


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


def cells(rows: list[Question], request) -> list[list]:
    """The rows of the file, in the order of ``columns``."""
    return [
        [
            number,
            str(row.ask.label),
            row.sentence,
            f"{row.section.opinion.prefix}{row.section.order} {row.section}",
            f"{row.theme.number} {row.theme}",
            f"{row.measure.full_number} {row.measure}",
            lead_text(row.measure),
            request.build_absolute_uri(address(request, row)),
        ]
        for number, row in enumerate(rows, 1)
    ]


def _file(request, file_format: str, rows: list[Question], filters: list[tuple[str, str]]):
    cover = list_cover(request, _("What to ask"), filters)
    day = day_of_state(request.as_of)
    return taken_table(file_format, "questions", day, cover, columns(), cells(rows, request))
