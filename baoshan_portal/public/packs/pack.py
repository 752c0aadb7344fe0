"""Briefing packs: what is known of a section, theme, department or filtered list, to take away.

One gathering feeds the print view and the files, so that they cannot disagree.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from django.db.models import Prefetch
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import override, pgettext

from measures.chain import newest_checkpoint
from measures.models import Checkpoint, Evaluation, Measure, ProgressNote, Section, Theme
from measures.text import day_in_words, joined
from measures.watermark import file_name
from metrics import check_results
from metrics.assessment import Assessment, CheckState, assess
from metrics.facts import facts_of
from metrics.history import earlier_targets, newest_period, target_text
from metrics.last_change import last_change, year_on_year
from metrics.models import Indicator, Observation
from metrics.redefinition import redefinitions
from metrics.rules.checks import Result
from metrics.rules.periods import period_text
from metrics.rules.questions import of_check
from metrics.wording import as_written_text, observed_text, percent_text

from .. import check_marks
from ..as_of import BadQuery
from ..committee import evaluations_about
from ..lists.facets import values_in_words
from ..lists.filters import PLACE_NAMES, PLACES, IndicatorFilter, MeasureFilter
from ..prose import lead_text, listed
from ..questions.rows import Question, all_of
from ..standing import Figure, Standing, TargetState, with_status
from ..taken_away import filters_text
from .findings import findings

#: From a figure in a check to what a sentence on it needs.
OF_TERMS = ("indicator__measure__theme__section__opinion", "indicator__measure__lead")
#: Figures, and measures, that a pack prints at most: some sixty pages.
MOST = 400
#: How many questions a pack asks in its text.
GRAVEST = 5
#: Earlier values of an indicator in its line; the workbook has all of them.
MOST_EARLIER = 4


def _conclusion(state: Assessment) -> str:
    """The verdict, with completion and progress as far as they can be said."""
    parts = [str(state.verdict.label)]
    if percent := percent_text(state.completion.value):
        parts.append(_("completion %(percent)s") % {"percent": percent})
    if state.baseline and (percent := percent_text(state.progress.value)):
        parts.append(_("progress since the baseline %(percent)s") % {"percent": percent})
    return listed(parts)


class TooLarge(BadQuery):
    """A pack that nobody could print; the message names the way out."""

    def __init__(self):
        super().__init__(
            _(
                "This pack would hold more than the %(most)d figures or measures that can be "
                "printed: choose less, such as one section, theme or department, or take the list "
                "of indicators as CSV."
            )
            % {"most": MOST}
        )


@dataclass(frozen=True)
class PackIndicator:
    """An indicator with its newest public value and what can be concluded for each target.

    ``checks`` are the results of the checks that it takes part in, the gravest first.
    """

    indicator: Indicator
    assessments: list[Assessment]
    checks: list[Result]

    @property
    def latest(self) -> Observation | None:
        return self.indicator.latest

    @property
    def figure(self) -> str:
        if not self.latest:
            return _("no data")
        return observed_text(self.latest, self.indicator.unit)

    @property
    def change(self) -> str:
        """The change from the period before; empty if there is none."""
        change = last_change(self.indicator)
        return change.text if change else ""

    @property
    def year_on_year(self) -> str:
        """同比, where it is another change."""
        change = year_on_year(self.indicator)
        return change.text if change else ""

    @property
    def figure_as_printed(self) -> str:
        """The value, with the source's own writing where it is another one in Chinese."""
        if not self.latest:
            return self.figure
        with override("zh-hans"):
            chinese = self.figure
        if _alike(chinese, self.as_written):
            return self.figure
        return _("%(figure)s (printed: %(as_written)s)") % {
            "figure": self.figure,
            "as_written": self.as_written,
        }

    @property
    def earlier(self) -> str:
        """Every other public value with its period, newest first, as far as they fit."""
        now, unit = self.latest, self.indicator.unit
        seen = {(observed_text(now, unit), period_of(now))} if now else set()
        told = []
        for value in self.indicator.public_values:
            if (said := (observed_text(value, unit), period_of(value))) not in seen:
                seen.add(said)
                told.append(_("%(figure)s [%(period)s]") % {"figure": said[0], "period": said[1]})
        if not told:
            return ""
        shown = listed(told[:MOST_EARLIER])
        if len(told) > MOST_EARLIER:
            more = len(told) - MOST_EARLIER
            shown = _("%(values)s and %(n)d more") % {"values": shown, "n": more}
        return _("before: %(values)s") % {"values": shown}

    @property
    def course(self) -> str:
        """How the value came about: its change, the one from a year before, and those before."""
        parts = [self.change, self.earlier]
        if self.year_on_year:
            parts.insert(1, _("year on year %(change)s") % {"change": self.year_on_year})
        said = pgettext("between filters", "; ").join(filter(None, parts))
        return said or (_("one value only") if self.latest else "—")

    @property
    def as_written(self) -> str:
        return as_written_text(self.latest) if self.latest else "—"

    @property
    def period(self) -> str:
        return period_of(self.latest) if self.latest else "—"

    @property
    def period_and_kind(self) -> str:
        return f"{self.period} · {self.kind}" if self.latest else self.kind

    @property
    def kind(self) -> str:
        return self.indicator.get_kind_display()

    @property
    def verdict(self) -> str:
        """Every target with what can be concluded, or that there is none."""
        return "; ".join(
            f"{target_text(state.target)}: {_conclusion(state)}"
            if state.target
            else str(state.verdict.label)
            for state in self.assessments
        )

    @property
    def conclusion(self) -> str:
        """What can be concluded for its targets, and the checks that ask for an explanation."""
        asking = check_marks.that_ask(self.checks)
        if not asking:
            return self.verdict
        parts = {"verdict": self.verdict, "results": check_marks.words(asking)}
        return _("%(verdict)s; checks with other figures: %(results)s") % parts

    @property
    def source(self) -> str:
        return self.latest.source_text if self.latest else "—"

    @property
    def cells(self) -> list[str]:
        """In the order of ``Pack.columns``."""
        return [
            str(self.indicator),
            self.figure_as_printed,
            self.course,
            self.period_and_kind,
            self.conclusion,
            self.source,
        ]


@dataclass(frozen=True)
class Work:
    """A measure with the figures that were chosen and everything that was published on it."""

    measure: Measure
    lines: list[PackIndicator]
    notes: list[ProgressNote]

    @property
    def lead(self) -> str:
        return lead_text(self.measure)


@dataclass(frozen=True)
class Pack:
    """All that a briefing pack says; ``filters`` and ``link`` say how to get it again."""

    title: str
    day: date
    as_of: date | None
    filters: list[tuple[str, str]]
    link: str
    name: str
    works: list[Work]
    sources: list[str]
    evaluations: list[Evaluation]
    checkpoint: Checkpoint | None
    questions: list[Question]

    @property
    def gravest(self) -> list[Question]:
        """What a reader should ask first; the tables have all."""
        return self.questions[:GRAVEST]

    @property
    def more_questions_text(self) -> str:
        """That there are more than the gravest, and where; empty if there are not."""
        if len(self.questions) <= GRAVEST:
            return ""
        return _("These are the gravest %(n)d of %(of)d; the tables of the pack have all.") % {
            "n": GRAVEST,
            "of": len(self.questions),
        }

    @property
    def method(self) -> str:
        sentences = [
            _(
                "Each figure is printed in a named document, or was entered by staff and approved: "
                "the newest public value is shown, and a missing one is never a zero."
            ),
            _(
                "What can be concluded is computed against published targets only and kept apart "
                "from what documents claim; a period that the source does not state is marked as "
                "inferred."
            ),
        ]
        # Chinese sentences stand without a space between them.
        return joined(sentences)

    @property
    def newest_period(self) -> date | None:
        """The last day of the newest period of which the pack shows a reported value."""
        return newest_period(line.indicator for line in self.lines)

    @property
    def newest_text(self) -> str:
        return day_in_words(self.newest_period) if self.newest_period else _("no data")

    @property
    def checkpoint_text(self) -> str:
        """By which one can prove later that nothing before it was changed; see ``/method/``."""
        return str(self.checkpoint or _("none made yet"))

    @property
    def evaluation_text(self) -> str:
        """How the committee evaluated what the pack is about; said, too, where nothing is known."""
        if not self.evaluations:
            return _("not known: none published")
        return pgettext("between filters", "; ").join(
            f"{row} · {row.result_text}" for row in self.evaluations
        )

    @property
    def columns(self) -> list[str]:
        return [
            _("Indicator"),
            _("Latest value"),
            _("Change and earlier values"),
            _("Period and kind"),
            _("Target and conclusion"),
            _("Source"),
        ]

    @property
    def numbers(self) -> str:
        """The document numbers of the opinions that the pack is about."""
        opinions = {work.measure.theme.section.opinion.number for work in self.works}
        return listed(sorted(opinions))

    @property
    def findings(self) -> str:
        """What the pack finds, in sentences."""
        return findings(self)

    @property
    def filters_text(self) -> str:
        return filters_text(self.filters)

    @property
    def about(self) -> list[tuple[str, str]]:
        """What every form of the pack says of itself."""
        return [
            (_("Query date"), day_in_words(self.day)),
            (_("Newest period of the data"), self.newest_text),
            (_("Filters"), self.filters_text),
            (_("The committee’s evaluation"), self.evaluation_text),
            (_("Method"), self.method),
            (_("Permanent link"), self.link),
            (_("Checkpoint of the record"), self.checkpoint_text),
        ]

    @property
    def has_several(self) -> bool:
        """Whether rows of several opinions stand together, so that each names its own."""
        return len({work.measure.theme.section.opinion_id for work in self.works}) > 1

    @property
    def sections(self) -> list[tuple[Section, list[tuple[Theme, list[Work]]]]]:
        return [
            (section, [(theme, list(of_theme)) for theme, of_theme in groupby(of_section, _theme)])
            for section, of_section in groupby(self.works, lambda work: work.measure.theme.section)
        ]

    @property
    def lines(self) -> list[PackIndicator]:
        return [line for work in self.works for line in work.lines]

    @property
    def empty_text(self) -> str:
        return _(
            "Nothing that was public on this day answers to these filters. Take one of them away, "
            "or ask for a later day."
        )


def _theme(work: Work) -> Theme:
    return work.measure.theme


def _alike(*texts: str) -> bool:
    """Whether they are one figure, whatever its width, grouping and spaces."""
    bare = {re.sub(r"[\s,，]", "", unicodedata.normalize("NFKC", text)) for text in texts}
    return len(bare) == 1


def period_of(observation: Observation) -> str:
    """The period, with a word where it was worked out rather than stated."""
    text = period_text(observation.period_start, observation.period_end)
    return _("%(period)s (inferred)") % {"period": text} if observation.period_inferred else text


def gather(request) -> Pack:
    """The pack that the address asks for; the number of queries is that of its filters' kinds.

    Raises BadQuery for a filter, or the value of one, that the portal does not know, and TooLarge
    for more than a pack prints, before its values are loaded.
    """
    as_of = request.as_of
    day = as_of or timezone.localdate()
    indicators = Indicator.objects.published(as_of).with_place().with_history(as_of)
    chosen = IndicatorFilter(request.GET, queryset=indicators, request=request)
    if unknown := set(request.GET) - set(chosen.filters) - {"as_of"}:
        raise BadQuery(
            _("“%(name)s” is not a filter of the portal; there are: %(names)s.")
            % {"name": min(unknown)[:40], "names": ", ".join(chosen.filters)}
        )
    if not chosen.is_valid():
        names = ", ".join(str(chosen.form.fields[name].label) for name in chosen.form.errors)
        raise BadQuery(
            _("The portal does not know what was asked for under: %(names)s.") % {"names": names}
        )
    if chosen.qs.count() > MOST:
        raise TooLarge

    rows = list(chosen.qs)
    compared = check_results.comparing([row.pk for row in rows], as_of=as_of)
    checks = check_results.states_of(compared, as_of, *OF_TERMS)
    marks = check_marks.show(request, check_marks.by_indicator(checks))
    lines: dict[int, list[PackIndicator]] = {}
    for indicator in rows:
        states = [assess(indicator, target, day) for target in indicator.loaded_targets or [None]]
        lines.setdefault(indicator.measure_id, []).append(
            PackIndicator(indicator, states, marks.get(indicator.pk, []))
        )

    measures = Measure.objects.published(as_of)
    is_of_place = {asked.parameter for asked in chosen.chosen} <= PLACES
    if is_of_place:
        # Of a place, also the measures on which nothing was counted; of a list, only its rows'.
        measures = MeasureFilter(
            request.GET, queryset=measures, request=request, places=chosen.places
        ).qs
        if measures.count() > MOST:
            raise TooLarge
    else:
        measures = measures.filter(pk__in=lines)
    measures = (
        with_status(measures, as_of)
        .with_place()
        .select_related("theme__section__opinion", "report")
        .prefetch_related(
            Prefetch("notes", ProgressNote.objects.published(as_of), to_attr="public_notes")
        )
    )
    works = [Work(row, lines.get(row.pk, []), row.public_notes) for row in measures]

    query = [(asked.parameter, value) for asked in chosen.chosen for value, _words in asked.values]
    link = f"{reverse('packs')}?{urlencode([*query, ('as_of', day.isoformat())])}"
    places = _places(chosen)
    return Pack(
        title=_title(chosen, places),
        day=day,
        as_of=as_of,
        filters=[(asked.label, values_in_words(asked)) for asked in chosen.chosen],
        link=request.build_absolute_uri(link),
        name=file_name(
            "-".join(["pack", *(place.code for place in places), _day_of_state(works, as_of)])
        ),
        works=works,
        sources=_sources(works),
        evaluations=evaluations_about((work.measure.theme for work in works), as_of),
        checkpoint=newest_checkpoint(as_of),
        # Of a list, nothing can be said of the measures' other figures.
        questions=_questions(works if is_of_place else [], lines, checks, day, as_of),
    )


def _questions(
    works: list[Work],
    lines: dict[int, list[PackIndicator]],
    checks: list[CheckState],
    day: date,
    as_of: date | None,
) -> list[Question]:
    """What the figures of the pack give to ask; three queries."""
    chosen = [line for of_measure in lines.values() for line in of_measure]
    if not chosen and not works:
        return []
    for line in chosen:
        line.indicator.facts = facts_of(line.indicator, line.assessments[0].timeliness)
    keys = {line.indicator.pk for line in chosen}
    ours = [one for one in checks if keys & {term.indicator_id for term, _value in one.terms}]
    states = [state for line in chosen for state in line.assessments if state.target]
    targets = [state.target for state in states]
    terms = redefinitions(targets, earlier_targets(targets, as_of), as_of) if targets else {}
    indicators = [line.indicator for line in chosen]
    return all_of(
        Standing(
            on=day,
            as_of=as_of,
            opinion=None,
            figures=[Figure(row.pk, row.measure_id, row.facts) for row in indicators],
            indicators=indicators,
            targets=[TargetState(s.target, s, terms[s.target.pk]) for s in states],
            results=[check_results.of_state(one) for one in ours],
            contradictions=[one for one in ours if of_check(one.outcome.result)],
            measures=[work.measure for work in works],
        )
    )


def _places(filterset: IndicatorFilter) -> list:
    """The section, theme and department that are asked for, unless there are several of a kind."""
    found = [
        filterset.places.find(asked.parameter, asked.values[0][0])
        for asked in filterset.chosen
        if asked.parameter in PLACE_NAMES and len(asked.values) == 1
    ]
    return [place for place in found if place]


def _title(filterset: IndicatorFilter, places: list) -> str:
    if not filterset.chosen:
        return _("Briefing on everything that was asked for")
    if places and len(filterset.chosen) == 1:
        return _("Briefing: %(subject)s") % {"subject": places[0]}
    return _("Briefing on selected figures")


def _day_of_state(works: list[Work], as_of: date | None) -> str:
    """The day asked for, or that of the last publication in the pack; today if it holds none."""
    moments = [
        row.published_at
        for work in works
        for line in work.lines
        for row in (line.latest, *line.indicator.loaded_targets)
        if row
    ] + [note.published_at for work in works for note in work.notes]
    newest = max(moments, default=timezone.now())
    return (as_of or timezone.localdate(newest)).isoformat()


def _sources(works: list[Work]) -> list[str]:
    """Every document that the pack cites, reports first, each once."""
    cited = [
        row
        for work in works
        for line in work.lines
        for row in (line.latest, *line.indicator.loaded_targets)
        if row
    ]
    reports = {row.report for row in cited} | {work.measure.report for work in works}
    documents = [
        _("%(number)s %(name)s, %(issuer)s, issued on %(day)s")
        % {
            "number": report.number,
            "name": report,
            "issuer": report.in_language("issuer"),
            "day": day_in_words(report.issued_on),
        }
        for report in sorted(reports - {None}, key=lambda report: report.number)
    ]
    others = {f"{row.source_name} {row.source_url}".strip() for row in cited if row.source_name}
    return documents + sorted(others)
