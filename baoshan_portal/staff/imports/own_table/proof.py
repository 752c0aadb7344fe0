"""The totals and growth that a table states itself, held against the portal's own figures.

Where they disagree the preview warns. What the portal cannot compute, because a period is missing
or the column is of another one, is compared with nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from django.utils.translation import gettext as _

from metrics.entry import read_entry
from metrics.models import Observation, Unit
from metrics.rules.checks import MEASURED
from metrics.rules.choices import Kind
from metrics.rules.periods import STATES, Period, same_period_before
from metrics.rules.quantity import QuantityError
from metrics.wording import figure_text

from ..importing import Change

HALF = Decimal("0.5")
#: So many tenths of a percentage point are lost when growth is computed of rounded figures.
LOST = Decimal("0.1")


@dataclass
class Stated:
    """What a row says of its figure besides it, as shown; '' where it says nothing."""

    total: str = ""
    growth: str = ""
    unit: str = ""


def prove(changes: Sequence[Change], stated: dict[int, Stated], units: dict[str, Unit]) -> None:
    """Adds to each of ``changes`` the warnings that its row's totals give rise to."""
    for change in changes:
        said = stated.get(change.row)
        if said is None or change.figure is None:
            continue
        known = _known(change.figure)
        change.warnings = [
            *change.warnings,
            *_of_total(change.figure, known, said, units),
            *_of_growth(change.figure, known, said),
        ]


def total_of(kind: str, known: dict[Period, Decimal], end: date) -> Decimal | None:
    """What has come together from January to ``end``, of the values by their periods.

    Flows add up where no month is missing; what stands at a day, and a total that began with the
    year, is its own. None if it cannot be told.
    """
    january = date(end.year, 1, 1)
    if kind in STATES - {Kind.RANK}:
        return next((value for (_start, on), value in known.items() if on == end), None)
    if kind == Kind.CUMULATIVE:
        return known.get((january, end))
    if kind != Kind.FLOW:
        return None
    total, day = Decimal(0), january
    while day <= end:
        ends = [until for start, until in known if start == day and until <= end]
        if not ends:
            return None
        total += known[day, max(ends)]
        day = date.fromordinal(max(ends).toordinal() + 1)
    return total


def _known(figure: Observation) -> dict[Period, Decimal]:
    """The values of the indicator by their periods, ``figure`` among them; in its unit."""
    public = figure.indicator.public_values
    known = {(row.period_start, row.period_end): row.value for row in reversed(public)}
    return known | {(figure.period_start, figure.period_end): figure.value}


def _of_total(figure: Observation, known, said: Stated, units):
    kind, unit = figure.indicator.kind, figure.indicator.unit
    own = total_of(kind, known, figure.period_end)
    if not said.total or own is None:
        return
    try:
        text = said.total + (said.unit if said.unit in units and _number(said.total) else "")
        entry = read_entry(text, unit, units)
    except QuantityError:
        return
    factor = (entry.converted_from or unit).factor / unit.factor
    # Half of the last digit of what is stated, and of each figure that is added up.
    allowed = _last_digit(said.total) * factor * HALF
    if unit.quantity in MEASURED and kind == Kind.FLOW:
        finest = min(_last_digit(f"{value.normalize():f}") for value in known.values())
        allowed += finest * HALF * figure.period_end.month
    elif unit.quantity not in MEASURED:
        allowed = Decimal(0)
    if abs(own - entry.value) > allowed:
        yield _(
            "The table’s total of the year so far is %(stated)s; by the portal it is %(own)s."
        ) % {"stated": text, "own": figure_text(own, unit)}


def _of_growth(figure: Observation, known, said: Stated):
    stated = _number(said.growth.rstrip("%％"))
    kind = figure.indicator.kind
    if stated is None or kind not in {Kind.FLOW, Kind.CUMULATIVE, Kind.STOCK, Kind.CAPACITY}:
        return
    period = figure.period_start, figure.period_end
    before = same_period_before(period)
    pairs = [
        (known.get(period), known.get(before)),
        (total_of(kind, known, period[1]), total_of(kind, known, before[1])),
    ]
    grown = [(now / then - 1) * 100 for now, then in pairs if now is not None and then]
    allowed = _last_digit(said.growth) * HALF + LOST
    if grown and all(abs(own - stated) > allowed for own in grown):
        # The second, of the year so far, is what such tables state.
        yield _("The table states growth of %(stated)s %%; by the portal it is %(own)s %%.") % {
            "stated": said.growth.rstrip("%％"),
            "own": round(grown[-1], 1),
        }


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text.replace(",", "").replace("，", "").strip())
    except InvalidOperation:
        return None


def _last_digit(text: str) -> Decimal:
    """What one of the last digit of ``text`` is worth: 0.1 for 14.6, 1 for 15."""
    _whole, point, decimals = text.rstrip("%％").partition(".")
    digits = len([sign for sign in decimals if sign.isdigit()]) if point else 0
    return Decimal(1).scaleb(-digits)
