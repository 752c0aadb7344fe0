"""What the work stands at, by section and theme: targets, measures and figures by their state.

Counts and never averages; each leads to exactly the list that it counts.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from measures.models import Evaluation, MeasureStatus, Section, Theme
from metrics.rules.choices import UNVERIFIABLE, Freshness, Verdict
from metrics.rules.questions import Trouble, worst

from ..lists.facets import NONE
from ..prose import listed
from ..standing import SectionThemes, Standing
from .shares import FRESHNESS, Whole, whole

#: Verdicts that stand together on the front page, the worst first, and how the bar shows them.
VERDICTS = (
    (gettext_lazy("missed"), (Verdict.MISSED,), "bad"),
    (gettext_lazy("behind"), (Verdict.BEHIND,), "warn"),
    (gettext_lazy("cannot be verified"), UNVERIFIABLE, "open"),
    (pgettext_lazy("targets", "on track"), (Verdict.ON_TRACK,), "yes"),
    (pgettext_lazy("targets", "met"), (Verdict.MET,), "good"),
)
STATUSES = (
    (MeasureStatus.TERMINATED, "bad"),
    (MeasureStatus.NOT_STARTED, "warn"),
    (MeasureStatus.IN_PROGRESS, "yes"),
    (MeasureStatus.ONGOING, "good"),
    (MeasureStatus.COMPLETED, "good"),
    (MeasureStatus.MERGED, "half"),
    (MeasureStatus.SPLIT, "half"),
)
#: In which order the sections may stand.
ORDERS = ("", "worst")


@dataclass(frozen=True)
class Line:
    """A section, a theme or the total, by three questions; ``new`` counts publications."""

    row: Section | Theme | None
    targets: Whole
    measures: Whole
    figures: Whole
    new: int
    trouble: Trouble

    @property
    def wholes(self) -> tuple[Whole, ...]:
        return self.targets, self.measures, self.figures


@dataclass(frozen=True)
class SectionLines:
    """A section and its themes; ``evaluation`` is the committee's newest on it, or None."""

    of_section: Line
    themes: list[Line]
    evaluation: Evaluation | None

    @property
    def section(self) -> Section:
        return self.of_section.row


@dataclass(frozen=True)
class States:
    sections: list[SectionLines]
    total: Line
    worst: SectionLines | None


@dataclass
class _Tally:
    """What there is of one theme or several: targets by their verdicts and how many of them
    contradict what is claimed, the keys of checks that give something to ask, measures by their
    status, and figures by their freshness."""

    verdicts: Counter = field(default_factory=Counter)
    contradicted: int = 0
    checks: set[int] = field(default_factory=set)
    statuses: Counter = field(default_factory=Counter)
    fresh: Counter = field(default_factory=Counter)

    def add(self, other: "_Tally") -> None:
        self.verdicts += other.verdicts
        self.contradicted += other.contradicted
        # One that compares figures of two themes counts once.
        self.checks |= other.checks
        self.statuses += other.statuses
        self.fresh += other.fresh

    @property
    def trouble(self) -> Trouble:
        """What speaks against the work."""
        return Trouble(
            missed=self.verdicts[Verdict.MISSED],
            contradicted=self.contradicted,
            behind=self.verdicts[Verdict.BEHIND],
            contradictions=len(self.checks),
            late=self.fresh[Freshness.LATE],
        )


def _tallies(standing: Standing) -> dict[int, _Tally]:
    """By the key of each theme; each row is looked at once."""
    found: dict[int, _Tally] = defaultdict(_Tally)
    for row in standing.targets:
        of_theme = found[row.theme.pk]
        of_theme.verdicts[row.verdict] += 1
        of_theme.contradicted += row.state.contradicts_claim
    for state in standing.contradictions:
        for term, _value in state.terms:
            found[term.indicator.measure.theme_id].checks.add(state.check.pk)
    themes = {measure.pk: measure.theme_id for measure in standing.measures}
    for measure in standing.measures:
        found[measure.theme_id].statuses[measure.status] += 1
    for figure in standing.figures:
        # That of a measure which became public between the two questions is counted in a moment.
        if theme := themes.get(figure.measure_id):
            found[theme].fresh[figure.facts.fresh] += 1
    return found


def states(
    standing: Standing,
    sections: Iterable[SectionThemes],
    new: Counter,
    link_to,
    *,
    only: str = "",
    order: str = "",
) -> States:
    """``link_to`` makes an address; ``only`` is the code of the opinion if there are several."""
    lines, tallies = [], _tallies(standing)
    for row in sections:
        place = {"section": row.section.code}
        of_section = _line(tallies, row.section, row.themes, new, link_to, place)
        themes = [
            _line(tallies, theme, [theme], new, link_to, {"theme": theme.code})
            for theme in row.themes
        ]
        if order == "worst":
            themes.sort(key=lambda line: line.trouble.key)
        lines.append(SectionLines(of_section, themes, next(iter(row.evaluations), None)))
    found = worst({at: line.of_section.trouble for at, line in enumerate(lines)})
    everything = [theme for row in sections for theme in row.themes]
    total = _line(tallies, None, everything, new, link_to, {"opinion": only})
    return States(
        sorted(lines, key=lambda line: line.of_section.trouble.key) if order == "worst" else lines,
        total,
        None if found is None else lines[found],
    )


def _line(tallies: dict[int, _Tally], row, themes, new: Counter, link_to, place: dict) -> Line:
    tally, keys = _Tally(), {theme.pk for theme in themes}
    for key in keys & tallies.keys():
        tally.add(tallies[key])

    def part(label, n: int, tone: str, page: str, **query) -> tuple:
        # What counts nothing is not shown, so nobody follows it.
        return label, n, link_to(page, **query, **place) if n else "", tone

    return Line(
        row,
        whole(
            _("Targets"),
            *(
                part(label, sum(tally.verdicts[v] for v in group), tone, "targets", verdict=group)
                for label, group, tone in VERDICTS
            ),
        ),
        whole(
            _("Measures"),
            *(
                part(status.label, tally.statuses[status], tone, "measures", status=status)
                for status, tone in STATUSES
            ),
            part(_("not known"), tally.statuses[None], "no", "measures", status=NONE),
        ),
        whole(
            _("Figures"),
            *(
                part(state.label, tally.fresh[state], tone, "indicators", fresh=state)
                for state, tone in FRESHNESS
            ),
        ),
        sum(new[key] for key in keys),
        tally.trouble,
    )


def trouble_text(trouble: Trouble) -> str:
    """What speaks against a section, in words and counts; empty if nothing does."""
    parts = (
        (ngettext("%(n)d target missed", "%(n)d targets missed", trouble.missed), trouble.missed),
        (
            ngettext("%(n)d claim contradicted", "%(n)d claims contradicted", trouble.contradicted),
            trouble.contradicted,
        ),
        (ngettext("%(n)d target behind", "%(n)d targets behind", trouble.behind), trouble.behind),
        (ngettext("%(n)d figure overdue", "%(n)d figures overdue", trouble.late), trouble.late),
    )
    return listed(text % {"n": n} for text, n in parts if n)
