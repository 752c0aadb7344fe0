"""What the work stands at, by section and theme: targets, measures and figures by their state.

Counts and never averages; each leads to exactly the list that it counts.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from measures.models import Evaluation, MeasureStatus, Section, Theme
from metrics.rules.choices import UNVERIFIABLE, Verdict
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
    lines = []
    for row in sections:
        place = {"section": row.section.code}
        of_section = _line(standing, row.section, row.themes, new, link_to, place)
        themes = [
            _line(standing, theme, [theme], new, link_to, {"theme": theme.code})
            for theme in row.themes
        ]
        if order == "worst":
            themes.sort(key=lambda line: line.trouble.key)
        lines.append(SectionLines(of_section, themes, next(iter(row.evaluations), None)))
    found = worst({at: line.of_section.trouble for at, line in enumerate(lines)})
    everything = [theme for row in sections for theme in row.themes]
    total = _line(standing, None, everything, new, link_to, {"opinion": only})
    return States(
        sorted(lines, key=lambda line: line.of_section.trouble.key) if order == "worst" else lines,
        total,
        None if found is None else lines[found],
    )


def _line(standing: Standing, row, themes, new: Counter, link_to, place: dict) -> Line:
    keys = {theme.pk for theme in themes}
    verdicts = Counter(one.verdict for one in standing.targets if one.theme.pk in keys)
    measures = [one for one in standing.measures if one.theme_id in keys]
    statuses = Counter(one.status for one in measures)
    figures = [one for one in standing.indicators if one.measure.theme_id in keys]
    fresh = Counter(one.facts.fresh for one in figures)

    def part(label, n: int, tone: str, page: str, **query) -> tuple:
        # What counts nothing is not shown, so nobody follows it.
        return label, n, link_to(page, **query, **place) if n else "", tone

    return Line(
        row,
        whole(
            _("Targets"),
            *(
                part(label, sum(verdicts[v] for v in group), tone, "targets", verdict=group)
                for label, group, tone in VERDICTS
            ),
        ),
        whole(
            _("Measures"),
            *(
                part(status.label, statuses[status], tone, "measures", status=status)
                for status, tone in STATUSES
            ),
            part(_("not known"), statuses[None], "no", "measures", status=NONE),
        ),
        whole(
            _("Figures"),
            *(
                part(state.label, fresh[state], tone, "indicators", fresh=state)
                for state, tone in FRESHNESS
            ),
        ),
        sum(new[key] for key in keys),
        standing.trouble(themes),
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
