"""值得追问: what the state of an opinion gives to ask, each a sentence with both figures.

What counts as a question, and which comes first, is the rule of ``metrics.rules.questions``.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from measures.models import Department, Measure, MeasureStatus, Section, Theme
from measures.text import day_in_words
from metrics.assessment import CheckState
from metrics.models import Check, Indicator
from metrics.rules import questions
from metrics.rules.checks import Result
from metrics.rules.choices import Verdict
from metrics.rules.progress import time_used
from metrics.rules.questions import Ask
from metrics.wording import observed_text, percent_text

from ..prose import aim, end_text, listed, when
from ..standing import Figure, Standing, TargetState

#: How many figures of a check a sentence names.
FIGURES = 4
#: What a question can be about.
TARGET, CHECK, INDICATOR, MEASURE = "target", "check", "indicator", "measure"
#: Nothing more is promised of these.
ENDED = frozenset({MeasureStatus.TERMINATED, MeasureStatus.MERGED, MeasureStatus.SPLIT})


@dataclass(frozen=True)
class Question:
    """``text`` goes on after the name of the ``subject``; ``size`` as in ``questions.gravity``.

    ``about`` names the row that gives it to ask, see ``asked.Asked``. ``measures`` are all that it
    is about, the first one before all.
    """

    ask: Ask
    size: Decimal
    about: tuple[str, int]
    subject: Indicator | Measure | Check
    text: str
    measures: tuple[Measure, ...]
    order: int = 0

    @property
    def sentence(self) -> str:
        return _("%(name)s: %(text)s") % {"name": self.subject, "text": self.text}

    def get_absolute_url(self) -> str:
        """Where both figures can be read."""
        return self.subject.get_absolute_url()

    @property
    def measure(self) -> Measure:
        return self.measures[0]

    @property
    def theme(self) -> Theme:
        return self.measure.theme

    @property
    def section(self) -> Section:
        return self.theme.section

    @property
    def lead(self) -> Department | None:
        return self.measure.lead

    @property
    def gravity(self) -> tuple:
        theme, measure = self.theme, self.measure
        place = (theme.section.opinion_id, theme.section.order, theme.order, measure.order)
        return questions.gravity(self.ask, self.size, (*place, self.order))


def all_of(standing: Standing) -> list[Question]:
    """Everything that is worth asking, the gravest first."""
    found = [
        *_of_targets(standing),
        *_of_checks(standing),
        *_of_terms(standing),
        *_of_silence(standing),
        *_of_words(standing),
    ]
    return sorted(found, key=lambda question: question.gravity)


def _of_targets(standing: Standing) -> Iterator[Question]:
    for row in standing.targets:
        if ask := questions.of_target(row.verdict, row.target.claim):
            size = questions.size_of_target(row.verdict, row.state.progress, row.state.completion)
            text = _target_text(ask, row, standing)
            yield _about(ask, size, (TARGET, row.target.pk), row.indicator, text)


def _target_text(ask: Ask, row: TargetState, standing: Standing) -> str:
    target, value = row.target, row.indicator.reported
    said = {
        "claim": target.get_claim_display(),
        "verdict": row.verdict.label,
        "when": when(value) if value else "",
        "figure": observed_text(value, row.indicator.unit) if value else _("no public value"),
        "due": end_text(target.due_day),
        "target": aim(target) if target.value is not None else "",
    }
    if ask == Ask.UNVERIFIABLE:
        if value is None:
            return _("%(claim)s, but neither a value nor the target was published.") % said
        return _("%(claim)s with %(figure)s (%(when)s), but the target was never published.") % said
    if ask == Ask.CLAIM and value is None:
        return _("%(claim)s; the target is %(target)s by %(due)s, but no value is public.") % said
    if ask == Ask.CLAIM:
        return (
            _(
                "%(claim)s, but it was %(figure)s (%(when)s), and the target is %(target)s by "
                "%(due)s: %(verdict)s."
            )
            % said
        )
    if ask == Ask.MISSED and value is None:
        return _("it should be %(target)s by %(due)s, and no value is public.") % said
    if ask == Ask.MISSED:
        return _("it should be %(target)s by %(due)s, and was %(figure)s (%(when)s).") % said
    elapsed = time_used(target.plan.start_on, target.due_day, standing.on)
    said |= {
        "progress": percent_text(row.state.progress.value),
        "elapsed": percent_text(elapsed.value),
    }
    return (
        _(
            "the target is %(target)s by %(due)s, and it was %(figure)s (%(when)s): %(progress)s "
            "of the way is done, %(elapsed)s of the time is used."
        )
        % said
    )


def _of_checks(standing: Standing) -> Iterator[Question]:
    for state in standing.contradictions:
        ask = questions.of_check(state.outcome.result)
        measures = dict.fromkeys(term.indicator.measure for term, _value in state.terms)
        size = questions.discrepancy(state.outcome)
        about = CHECK, state.check.pk
        yield Question(ask, size, about, state.check, _check_text(state), tuple(measures))


def _check_text(state: CheckState) -> str:
    known = [(term.indicator, value) for term, value in state.terms if value]
    figures = [f"{row} {observed_text(value, row.unit)}" for row, value in known]
    if len({(value.period_start, value.period_end) for _row, value in known}) > 1:
        # Years may lie between them, which may be all that is wrong.
        figures = [
            _("%(figure)s (%(period)s)") % {"figure": figure, "period": when(value)}
            for figure, (_row, value) in zip(figures, known, strict=True)
        ]
    said = {"figures": listed(figures[:FIGURES]) + ("…" if len(figures) > FIGURES else "")}
    if state.outcome.result == Result.QUESTION:
        return _("%(figures)s contradict each other as they stand; what does each count?") % said
    return _("%(figures)s cannot all be right.") % said


def _of_terms(standing: Standing) -> Iterator[Question]:
    for row in standing.targets:
        if row.terms.is_redefined:
            size = Decimal(max(0, row.terms.slip))
            about = TARGET, row.target.pk
            yield _about(Ask.REDEFINED, size, about, row.indicator, _terms_text(row))


def _terms_text(row: TargetState) -> str:
    said = {
        "first": _aim_or_none(row.terms.first),
        "first_due": end_text(row.terms.first_due),
        "target": _aim_or_none(row.target),
        "due": end_text(row.terms.due),
        "verdict": row.verdict.label,
    }
    if row.terms.otherwise is None:
        return _("its definition changed, and with the next value it became “%(verdict)s”.") % said
    said["otherwise"] = Verdict(row.terms.otherwise).label
    return (
        _(
            "the target was %(first)s by %(first_due)s and is now %(target)s by %(due)s; by the "
            "former terms it would be “%(otherwise)s”, now it is “%(verdict)s”."
        )
        % said
    )


def _aim_or_none(target) -> str:
    if target.value is None:
        return _("not published")
    return aim(target)


def _of_silence(standing: Standing) -> Iterator[Question]:
    for row in standing.indicators:
        # One whose value was withdrawn after the facts were read is never late in a moment.
        if questions.of_freshness(row.facts.fresh) == Ask.LATE and row.reported:
            missed = row.facts.missed
            about = INDICATOR, row.pk
            yield _about(Ask.LATE, Decimal(missed), about, row, _late_text(row, missed))
    silent: dict[int, list[Figure]] = defaultdict(list)
    for row in standing.figures:
        if questions.of_freshness(row.facts.fresh) == Ask.SILENT:
            silent[row.measure_id].append(row)
    # A pack has figures of measures about whose words nothing is asked.
    measures = {row.measure_id: row.measure for row in standing.indicators}
    measures |= {row.pk: row for row in standing.measures}
    for key, rows in silent.items():
        # One that became public after the measures were read has its question in a moment.
        if not (measure := measures.get(key)):
            continue
        newest = max(row.facts.newest for row in rows)
        text = ngettext(
            "%(n)d figure stands as of %(day)s and was not updated since.",
            "%(n)d figures stand as of %(day)s and were not updated since.",
            len(rows),
        ) % {"n": len(rows), "day": day_in_words(newest)}
        about = MEASURE, measure.pk
        yield Question(Ask.SILENT, Decimal(len(rows)), about, measure, text, (measure,))


def _late_text(row: Indicator, missed: int) -> str:
    return ngettext(
        "since %(figure)s (%(when)s) %(n)d value has fallen due, and none was published.",
        "since %(figure)s (%(when)s) %(n)d values have fallen due, and none was published.",
        missed,
    ) % {
        "n": missed,
        "figure": observed_text(row.reported, row.unit),
        "when": when(row.reported),
    }


def _of_words(standing: Standing) -> Iterator[Question]:
    counted = {row.measure_id for row in standing.figures}
    told = {row.measure_id for row in standing.figures if row.facts.value}
    for measure in standing.measures:
        if measure.pk in told or measure.status in ENDED:
            continue
        text = (
            _("its figures are defined, but none of them has a public value.")
            if measure.pk in counted
            else _("words alone so far, and no figure by which it could be measured.")
        )
        about = MEASURE, measure.pk
        yield Question(Ask.NO_FIGURE, Decimal(0), about, measure, text, (measure,))


def _about(ask: Ask, size: Decimal, about: tuple[str, int], row: Indicator, text: str) -> Question:
    return Question(ask, size, about, row, text, (row.measure,), row.order)
