"""The committee's word on the public pages: an axis of its own, beside what is computed or claimed.

Stages and evaluations are never counted together with figures, verdicts or claims; where they
contradict each other, the pages say so.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from django.db.models import Q
from django.utils import timezone

from measures.models import Evaluation, Opinion, OpinionStage, Section, Stage, Theme
from measures.prepared import prepared
from metrics.assessment import assess
from metrics.models import Indicator
from metrics.rules.choices import Claim, Verdict
from metrics.rules.stages import Term, term


@dataclass(frozen=True)
class StageLine:
    """One stage of an opinion: the row that tells its day (None: not known), and its term."""

    stage: Stage
    row: OpinionStage | None
    term: Term


def stages_of(opinion: Opinion, as_of: date | None, terms: Mapping[str, int]) -> list[StageLine]:
    """Every stage of ``opinion`` in its order, as public on ``as_of``; one query.

    ``terms`` are the ``Thresholds.terms`` of that day.
    """
    on = as_of or timezone.localdate()
    return lines_of({row.stage: row for row in _stages(opinion, as_of=as_of)}, on, terms)


@prepared
def _stages(opinion, *, as_of):
    return OpinionStage.objects.published(as_of).filter(opinion=opinion)


def lines_of(known: dict[str, OpinionStage], on: date, terms: Mapping[str, int]) -> list[StageLine]:
    """A line for every stage on the day ``on``; public rows and ``terms`` in days by stage."""
    start = known.get(Stage.HANDED_OVER)
    handed_over_on = start.happened_on if start else None
    lines = []
    for stage in Stage:
        row = known.get(stage)
        days = terms.get(stage)
        happened_on = row.happened_on if row else None
        lines.append(StageLine(stage, row, term(happened_on, handed_over_on, days, on)))
    return lines


@dataclass(frozen=True)
class Evaluations:
    """How the reports on an opinion were evaluated, and its sections; the newest first."""

    of_reports: list[Evaluation]
    of_sections: list[Evaluation]

    @classmethod
    def of(cls, opinion: Opinion, as_of: date | None) -> "Evaluations":
        """One query."""
        rows = _of_opinion(opinion, as_of=as_of)
        return cls([row for row in rows if row.report_id], [row for row in rows if row.section_id])


@prepared
def _of_opinion(opinion, *, as_of):
    about = Q(report__opinion=opinion) | Q(section__opinion=opinion)
    return Evaluation.objects.published(as_of).filter(about).with_subject()


def evaluations_about(themes: Iterable[Theme], as_of: date | None) -> list[Evaluation]:
    """The evaluations of ``themes``, of their sections, and of the reports on their opinions.

    One query; needs the sections and the opinions.
    """
    themes = {theme.pk: theme for theme in themes}
    sections = {theme.section_id: theme.section for theme in themes.values()}
    opinions = {section.opinion_id for section in sections.values()}
    found = _about(themes, sections, opinions, as_of=as_of)
    for row in found:
        if row.theme_id:
            row.theme = themes[row.theme_id]
        elif row.section_id:
            row.section = sections[row.section_id]
    return found


@prepared
def _about(themes, sections, opinions, *, as_of):
    about = Q(theme__in=themes) | Q(section__in=sections) | Q(report__opinion__in=opinions)
    return Evaluation.objects.published(as_of).filter(about).select_related("report__opinion")


@dataclass(frozen=True)
class Axes:
    """Three answers side by side: computed, claimed, and evaluated by the committee.

    ``evaluations`` are the newest first; none means that none is known to be published.
    ``claimed_met`` are the indicators of which the source says that a target was met.
    """

    verdicts: list[tuple[Verdict, int]]
    claims: list[tuple[Claim, int]]
    evaluations: list[Evaluation]
    claimed_met: list[Indicator]

    @property
    def targets(self) -> int:
        return sum(n for _verdict, n in self.verdicts)

    @property
    def contradicted(self) -> list[Indicator]:
        """What is claimed to be met, where the newest evaluation says “not satisfied”."""
        newest = next(iter(self.evaluations), None)
        return self.claimed_met if newest and newest.says_not_satisfied else []


def axes(indicators: Iterable[Indicator], evaluations: list[Evaluation], on: date) -> Axes:
    """What ``indicators`` (with latest value and targets) come to on ``on``, beside the word."""
    verdicts, claims, met = Counter(), Counter(), []
    for indicator in indicators:
        states = [assess(indicator, target, on) for target in indicator.loaded_targets]
        verdicts.update(state.verdict for state in states)
        said = [Claim(state.target.claim) for state in states]
        claims.update(claim for claim in said if claim != Claim.NONE)
        if any(claim.says_met for claim in said):
            met.append(indicator)
    return Axes(
        [(verdict, verdicts[verdict]) for verdict in Verdict if verdicts[verdict]],
        [(claim, claims[claim]) for claim in Claim if claims[claim]],
        evaluations,
        met,
    )


@dataclass(frozen=True)
class SectionsWord:
    """The evaluations that the page of a section shows, by what they are of."""

    of_section: list[Evaluation]
    of_reports: list[Evaluation]
    by_theme: dict[int, list[Evaluation]]

    @classmethod
    def of(cls, section: Section, as_of: date | None) -> "SectionsWord":
        """One query; needs the opinion."""
        rows = _in_section(section, section.opinion_id, as_of=as_of)
        by_theme: dict[int, list[Evaluation]] = {}
        for row in rows:
            if row.theme_id:
                row.theme.section = section
                by_theme.setdefault(row.theme_id, []).append(row)
            elif row.section_id:
                row.section = section
        return cls(
            [row for row in rows if row.section_id],
            [row for row in rows if row.report_id],
            by_theme,
        )

    def of_theme(self, theme: Theme) -> list[Evaluation]:
        return self.by_theme.get(theme.pk, [])


@prepared
def _in_section(section, opinion, *, as_of):
    about = Q(section=section) | Q(theme__section=section) | Q(report__opinion=opinion)
    rows = Evaluation.objects.published(as_of).filter(about)
    return rows.select_related("report__opinion", "theme")
