"""Key figures as cards: the value, how it came about, and how far it is to its target.

Which ones and in what order is the steward's choice (``is_key``, ``is_section_key``,
``key_order``).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from metrics.assessment import Assessment
from metrics.last_change import LastChange, last_change, stated_growth, year_on_year
from metrics.models import Indicator, Observation
from metrics.rules.checks import Result
from metrics.wording import percent_text

from ..charts.sparkline import Sparkline, sparkline
from ..prose import aim, end_text


@dataclass(frozen=True)
class KeyFigure:
    """A key indicator, its newest public value (None: none), and how that came about.

    ``change`` is the computed change from the value of the period before, None if none is
    public; ``stated_growth`` is what the source itself says for the same period. ``checks`` are
    the results of the checks that it takes part in, the gravest first. ``state`` is that of its
    target, None where it has none.
    """

    indicator: Indicator
    change: LastChange | None
    year_on_year: LastChange | None
    stated_growth: str
    checks: list[Result]
    course: Sparkline | None
    state: Assessment | None

    @property
    def latest(self) -> Observation | None:
        return self.indicator.latest

    @property
    def aim(self) -> str:
        """What its target asks for; empty where that was not published."""
        return aim(self.state.target)

    @property
    def due(self) -> str:
        return end_text(self.state.target.due_day)

    @property
    def share(self) -> Decimal | None:
        """How much of the way is done, between 0 and 1: from the baseline where there is one."""
        done = self.state.progress.value
        if done is None or not self.state.baseline:
            done = self.state.completion.value
        return None if done is None else done / 100

    @property
    def is_progress(self) -> bool:
        """Whether ``share`` is that of the way since the baseline, and not of the whole."""
        return bool(self.state.baseline) and self.state.progress.value is not None

    @property
    def share_text(self) -> str:
        return percent_text(None if self.share is None else self.share * 100)


def key_figures(
    chosen: Iterable[Indicator],
    rates: Iterable[Indicator],
    states: Mapping[int, Assessment],
    marks: Mapping[int, list[Result]],
) -> list[KeyFigure]:
    """The ``chosen`` indicators as cards, in the steward's order, then in that of their numbers.

    ``rates`` are indicators that may tell their growth, ``states`` and ``marks`` those of their
    targets and checks by the key of an indicator. The ``chosen`` need their ``public_values``, the
    ``rates`` their ``latest``.
    """
    rates = list(rates)
    return [
        KeyFigure(
            row,
            last_change(row),
            year_on_year(row),
            stated_growth(row, [rate for rate in rates if rate.basis_id == row.pk]),
            marks.get(row.pk, []),
            sparkline(row),
            states.get(row.pk),
        )
        for row in sorted(chosen, key=_place)
    ]


def _place(row: Indicator) -> tuple:
    # Sorting is stable, so those without a place stay in the order of their numbers.
    return row.key_order is None, row.key_order or 0
