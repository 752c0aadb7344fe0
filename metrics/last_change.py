"""How the newest value of an indicator differs from the one of the period before.

Only what may be subtracted is (``periods.are_comparable``): flows and shares over periods of one
length, running totals that begin on the same day. Otherwise both values are shown, and why nothing
is computed. Pages, feeds and the reviewer's desk all ask here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from measures.numerals import plain, rounded

from .models import Indicator, Observation, Unit
from .rules import periods, progress
from .rules.choices import PERCENTAGE, RANK, Kind, Qualifier
from .wording import figure_text, observed_text

LENGTHS_DIFFER = gettext_lazy("The periods differ in length, so nothing is subtracted.")
BEGINNINGS_DIFFER = gettext_lazy("The totals begin on different days, so nothing is subtracted.")
BEGINNING_UNKNOWN = gettext_lazy(
    "Where one of the periods begins is not stated, so nothing is subtracted."
)
#: Their own growth means nothing, whatever their unit: 翻两番 after 翻一番 is no growth of 100%.
NO_GROWTH = frozenset({Kind.SHARE, Kind.GROWTH, Kind.RANK})
#: What is counted in these has no percentage of itself.
UNRELATED = frozenset({PERCENTAGE, RANK})


@dataclass(frozen=True)
class LastChange:
    """From ``before`` to ``now``; the difference is in the indicator's unit, growth in %.

    Either is an Answer: a value, or the reason why there is none. Percentages, growth rates and
    ranks have no ``growth``, because theirs means nothing.
    """

    indicator: Indicator
    now: Observation
    before: Observation
    difference: progress.Answer
    growth: progress.Answer

    @property
    def is_exact(self) -> bool:
        return self.now.qualifier == self.before.qualifier == Qualifier.EXACT

    @property
    def difference_text(self) -> str:
        """Such as +13.01亿元, 约−200家, +1.2个百分点 or 上升2位; empty if there is none."""
        value = self.difference.value
        return "" if value is None else self._about(difference_text(value, self.indicator.unit))

    @property
    def growth_text(self) -> str:
        """Such as +56.22%, to two decimals; empty if there is none or it rounds to nothing."""
        if self.growth.value is None:
            return ""
        growth = rounded(self.growth.value)
        return self._about(f"{signed(growth)}%") if growth else ""

    @property
    def text(self) -> str:
        """Difference and growth, as far as there are any: +13.01亿元（+56.22%）."""
        if not self.growth_text:
            return self.difference_text
        parts = {"difference": self.difference_text, "growth": self.growth_text}
        return _("%(difference)s (%(growth)s)") % parts

    @property
    def words(self) -> str:
        """The change in a sentence: up by 199家（+28.19%）, down by 2个百分点, up 3 places."""
        value = self.difference.value
        if value is None:
            return ""
        text = difference_words(value, self.indicator.unit, exact=self.is_exact)
        if not self.growth_text:
            return text
        return _("%(difference)s (%(growth)s)") % {"difference": text, "growth": self.growth_text}

    def _about(self, text: str) -> str:
        return text if self.is_exact else _("about %(figure)s") % {"figure": text}


def last_change(indicator: Indicator) -> LastChange | None:
    """The change to the newest public value from that of an earlier period; None without one.

    Needs the unit, and ``public_values``, newest first (``NEWEST_FIRST``).
    """
    now = indicator.latest
    before = now and value_before(indicator.kind, now, indicator.public_values)
    return between(indicator, now, before) if before else None


def year_on_year(indicator: Indicator) -> LastChange | None:
    """同比: the change to the newest public value from the same period of the year before.

    None without one, and where it is what ``last_change`` tells already. Needs the same.
    """
    now = indicator.latest
    values = indicator.public_values
    before = now and same_period_before(indicator.kind, now, values)
    if not before or before == value_before(indicator.kind, now, values):
        return None
    return between(indicator, now, before)


def value_before(kind: str, now: Observation, values: Iterable[Observation]) -> Observation | None:
    """The newest of ``values`` (newest first) of a period before that of ``now``.

    One that may be subtracted goes before one that may not: a quarter is told against the last
    quarter, though a year ended between them.
    """
    earlier = [value for value in values if value.period_end < now.period_end]
    fitting = (value for value in earlier if _why_not(kind, now, value) is None)
    return next(fitting, earlier[0] if earlier else None)


def same_period_before(
    kind: str, now: Observation, values: Iterable[Observation]
) -> Observation | None:
    """The one of ``values`` (newest first) of the same period a year before that of ``now``."""
    start, end = periods.same_period_before((now.period_start, now.period_end))
    return next(
        (
            value
            for value in values
            if value.period_end == end
            and (kind in periods.STATES or kind == Kind.CUMULATIVE or value.period_start == start)
            and _why_not(kind, now, value) is None
        ),
        None,
    )


@dataclass(frozen=True)
class YearSum:
    """What the ``parts`` reported for a year add up to, of ``of`` that the year has.

    ``total`` is in the indicator's unit, ``stated`` the year's own value if one is public, and
    ``before`` what the same parts of the year before come to, None unless all are public.
    """

    year: int
    parts: int
    of: int
    total: Decimal
    stated: Observation | None
    before: Decimal | None
    unit: Unit

    @property
    def difference_text(self) -> str:
        """同比 in the unit and in per cent; empty if there is none."""
        if self.before is None:
            return ""
        text = difference_text(self.total - self.before, self.unit)
        growth = progress.growth(self.total, self.before).value
        if not growth:
            return text
        parts = {"difference": text, "growth": f"{signed(rounded(growth))}%"}
        return _("%(difference)s (%(growth)s)") % parts


def sums_by_year(indicator: Indicator) -> list[YearSum]:
    """累计至今: what the months, quarters or half-years of a flow add up to, newest year first.

    Only flows add up, of one length, from January on and without a gap; what is only expected is
    not added. Needs ``public_values``, newest first.
    """
    if indicator.kind != Kind.FLOW:
        return []
    found: dict[tuple[int, int], dict[int, Observation]] = {}
    for value in reversed(indicator.public_values):
        months = periods.months_of((value.period_start, value.period_end))
        if months and value.is_reported:
            of_year = found.setdefault((value.period_end.year, months), {})
            of_year[value.period_end.month // months] = value
    sums = []
    for (year, months), values in sorted(found.items(), reverse=True):
        parts = max(values)
        if months == 12 or set(values) != set(range(1, parts + 1)):
            continue
        last_year = found.get((year - 1, months), {})
        same = [last_year[part].value for part in values if part in last_year]
        stated = found.get((year, 12), {}).get(1)
        total = sum(value.value for value in values.values())
        before = sum(same) if len(same) == parts else None
        sums.append(YearSum(year, parts, 12 // months, total, stated, before, indicator.unit))
    return sums


def stated_growth(indicator: Indicator, rates: list[Indicator]) -> str:
    """The growth that a source itself states of the newest public value: 35%; empty if none.

    ``rates`` are the indicators whose basis is ``indicator``; all need ``latest``. A growth of
    another period says nothing of the newest value.
    """
    now = indicator.latest
    for rate in rates:
        stated = rate.latest
        if rate.kind == Kind.GROWTH and now and stated and stated.period_end == now.period_end:
            return observed_text(stated, rate.unit)
    return ""


def between(indicator: Indicator, now: Observation, before: Observation) -> LastChange:
    """The change from one value of ``indicator`` to a later one."""
    if reason := _why_not(indicator.kind, now, before):
        difference = growth = progress.Answer(reason=reason)
    else:
        difference = progress.change(now.value, before.value)
        growth = (
            progress.growth(now.value, before.value)
            if has_growth(indicator.kind, indicator.unit.quantity)
            else progress.Answer(reason=progress.NO_RATIO)
        )
    return LastChange(indicator, now, before, difference, growth)


def has_growth(kind: str, quantity: str) -> bool:
    """Whether a change of such a figure is told in % of what it was, too."""
    return kind not in NO_GROWTH and quantity not in UNRELATED


def _why_not(kind: str, now: Observation, before: Observation) -> str | None:
    """Why the two may not be subtracted, or None."""
    starts = now.period_start, before.period_start
    if periods.are_comparable(kind, (starts[0], now.period_end), (starts[1], before.period_end)):
        return None
    if None in starts:
        return BEGINNING_UNKNOWN
    return BEGINNINGS_DIFFER if kind == Kind.CUMULATIVE else LENGTHS_DIFFER


def difference_words(value: Decimal, unit, *, exact: bool = True) -> str:
    """A difference in ``unit`` as a sentence says it: up by 199家, down by 30家, unchanged."""
    if value == 0 or unit.quantity == RANK:
        text = difference_text(value, unit)
        return text if exact else _("about %(figure)s") % {"figure": text}
    if unit.quantity == PERCENTAGE:
        size = _("%(points)s percentage points") % {"points": plain(abs(value))}
    else:
        size = figure_text(abs(value), unit)
    text = _("up by %(size)s") if value > 0 else _("down by %(size)s")
    return text % {"size": size if exact else _("about %(figure)s") % {"figure": size}}


def signed(value: Decimal) -> str:
    """With a sign, also of what is above zero: +1,200."""
    return f"{'−' if value < 0 else '+'}{plain(abs(value), grouping=True)}"


def difference_text(value: Decimal, unit) -> str:
    """A difference in ``unit`` with its sign: +12家, −0.5个百分点, 上升2位 or 持平."""
    if value == 0:
        return _("unchanged")
    if unit.quantity == PERCENTAGE:
        return _("%(points)s percentage points") % {"points": signed(value)}
    if unit.quantity == RANK:
        places = int(abs(value))
        # Rank 1 is the best, so a smaller number is a rise.
        if value < 0:
            return ngettext("up %(n)d place", "up %(n)d places", places) % {"n": places}
        return ngettext("down %(n)d place", "down %(n)d places", places) % {"n": places}
    sign = "−" if value < 0 else "+"
    return f"{sign}{figure_text(abs(value), unit)}"
