"""One search over everything public: figures, measures, notes, departments and sources.

How words are compared says ``searching``. The rows are few enough (thousands) to be compared in
memory: one query a kind, whatever is asked, and one for the synonyms.
"""

from dataclasses import dataclass, replace

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
from metrics.models import Indicator, Observation
from metrics.wording import as_written_text, observed_text

from .as_of import BadQuery
from .searching import alternatives, asked_words, folded, number, searchable, suggestions

LONGEST = 100
SHOWN = 20
#: Groups whose rows people call by a name.
NAMED = ("figures", "measures", "departments")


@dataclass(frozen=True)
class Hit:
    """One row that answers: what it is called, what it says, and where it is."""

    name: str
    detail: str
    target: object
    text: str


@dataclass(frozen=True)
class HitGroup:
    """All hits of one kind; the page shows the first of them."""

    kind: str
    label: Promise
    hits: list[Hit]

    @property
    def shown(self) -> list[Hit]:
        return self.hits[:SHOWN]


def groups_of(as_of) -> list[HitGroup]:
    """All that is public, by kind."""
    return [
        HitGroup("figures", gettext_lazy("Figures"), _figures(as_of)),
        HitGroup("measures", gettext_lazy("Measures"), _measures(as_of)),
        HitGroup("notes", gettext_lazy("Progress notes"), _notes(as_of)),
        HitGroup("word", gettext_lazy("The committee’s word"), _word(as_of)),
        HitGroup("departments", gettext_lazy("Departments"), _departments(as_of)),
        HitGroup("sources", gettext_lazy("Sources"), _sources(as_of)),
    ]


def find(words: list[str], groups: list[HitGroup]) -> list[HitGroup]:
    """What answers to every one of ``words``, by kind; kinds without hits stay out."""
    known = {folded(row.term): folded(row.meaning) for row in Synonym.objects.all()}
    asked = [alternatives(word, known) for word in words]
    answered = (
        HitGroup(group.kind, group.label, _best_first(_once_each(hits), asked))
        for group in groups
        if (hits := [hit for hit in group.hits if _answers(hit, asked)])
    )
    return list(answered)


def _once_each(hits: list[Hit]) -> list[Hit]:
    """The newest of what answers for one row; how many more periods do is said."""
    together: dict[tuple, list[Hit]] = {}
    for hit in hits:
        together.setdefault((hit.name, hit.target), []).append(hit)
    return [
        replace(first, detail=f"{first.detail} · {_more(len(others))}") if others else first
        for first, *others in together.values()
    ]


def _more(n: int) -> str:
    return ngettext("%(n)d other period too", "%(n)d other periods too", n) % {"n": n}


def _best_first(hits: list[Hit], asked: list[list[str]]) -> list[Hit]:
    """What is called as was asked, then what is called so within, then all else."""

    def place(hit: Hit) -> int:
        name, texts = folded(hit.name), asked[0]
        if any(name.startswith(text) for text in texts):
            return 0
        return 1 if any(text in name for text in texts) else 2

    return sorted(hits, key=place)


def _answers(hit: Hit, asked: list[list[str]]) -> bool:
    return all(any(text in hit.text for text in texts) for texts in asked)


def _figures(as_of) -> list[Hit]:
    values = (
        Observation.objects.published(as_of)
        .filter(indicator__in=Indicator.objects.published(as_of))
        .select_related("indicator__unit__base", "report")
        .order_by("indicator__name", "-period_end")
    )
    return [
        Hit(
            str(value.indicator),
            " · ".join(_details(value)),
            value.indicator,
            searchable(
                value.indicator.name,
                value.indicator.name_en,
                value.indicator.code,
                value.indicator.scope,
                value.indicator.scope_en,
                value.as_written,
                value.source_text,
                number(value.value, value.indicator.unit.name),
            ),
        )
        for value in values
    ]


def _details(value: Observation) -> list[str]:
    """The figure, how the source writes it if that differs, and the source."""
    figure = observed_text(value, value.indicator.unit)
    return list(dict.fromkeys([figure, as_written_text(value), value.source_text]))


def _measures(as_of) -> list[Hit]:
    return [
        Hit(
            f"{measure.full_number} {measure}",
            measure.in_language("summary"),
            measure,
            searchable(
                measure.name,
                measure.name_en,
                measure.full_number,
                measure.code,
                measure.summary,
                measure.summary_en,
            ),
        )
        for measure in Measure.objects.published(as_of).with_place()
    ]


def _notes(as_of) -> list[Hit]:
    notes = (
        ProgressNote.objects.published(as_of)
        .filter(measure__in=Measure.objects.published(as_of))
        .select_related("measure")
    )
    return [
        Hit(str(note), note.in_language("text"), note.measure, searchable(note.text, note.text_en))
        for note in notes
    ]


def _word(as_of) -> list[Hit]:
    """Evaluations and stages; two queries."""
    evaluations = Evaluation.objects.published(as_of).with_subject()
    stages = OpinionStage.objects.published(as_of).select_related("opinion")
    return [
        Hit(
            str(row),
            text,
            row,
            searchable(
                str(row), text, row.document, row.note, row.note_en,
                *((row.body, row.body_en) if isinstance(row, Evaluation) else ()),
            ),
        )
        for rows, words in ((evaluations, "result_text"), (stages, "text"))
        for row in rows
        for text in [getattr(row, words)]
    ]  # fmt: skip


def _departments(as_of) -> list[Hit]:
    departments = Department.objects.filter(led__in=Measure.objects.published(as_of)).distinct()
    return [
        Hit(
            str(department),
            _("measures it leads, as proposed or confirmed"),
            department,
            searchable(department.name, department.name_en, department.code),
        )
        for department in departments
    ]


def _sources(as_of) -> list[Hit]:
    return [
        Hit(
            report.number,
            str(report),
            "method",
            searchable(report.name, report.name_en, report.number),
        )
        for report in Report.objects.published(as_of)
    ]


def page(request):
    """The answers to ``?q=``, with their number by kind."""
    query = request.GET.get("q", "").strip()
    if len(query) > LONGEST:
        raise BadQuery(_("Search for at most %(n)d characters.") % {"n": LONGEST})
    words = asked_words(query)
    everything = groups_of(request.as_of) if words else []
    groups = find(words, everything)
    context = {
        "query": query,
        "groups": groups,
        "total": sum(len(group.hits) for group in groups),
        "suggestions": [] if groups else suggestions(query, _names(everything)),
    }
    return render(request, "public/find.html", context)


def _names(groups: list[HitGroup]) -> list[str]:
    """The names of figures, measures and departments, by which something can be meant."""
    named = (group for group in groups if group.kind in NAMED)
    return list(dict.fromkeys(hit.name for group in named for hit in group.hits))
