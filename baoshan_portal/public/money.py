"""Every public amount of money by its nature, with who received it and how much of a quota is used.

Amounts stand beside each other and are never added up: they overlap, are of different periods,
and a quota, what was applied for and what was lent are three things.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from measures.numerals import plain, rounded
from measures.prepared import prepared
from measures.spreadsheets import Column, Kind
from metrics.assessment import CheckState
from metrics.check_results import states_of
from metrics.history import newest_period
from metrics.models import Check, Indicator, Unit
from metrics.rules.checks import CheckKind, Result, Role
from metrics.rules.choices import MONEY, Nature
from metrics.rules.periods import period_text
from metrics.rules.quantity import convert
from metrics.wording import as_written_text, observed_text, percent_text

from . import check_marks
from .data_file import day_of_state
from .lists.page import file_format_of
from .numbered import Numbered, Part, in_parts
from .taken_away import list_cover, taken_table

#: What amounts of each nature are, and what they are not.
MEANINGS = {
    Nature.PUBLIC: gettext_lazy("Spent or set aside from a public budget."),
    Nature.SUBSIDY: gettext_lazy("Paid out of public funds to enterprises or persons; no loan."),
    Nature.CREDIT: gettext_lazy("Lent or guaranteed: to be paid back, and no public money."),
    Nature.QUOTA: gettext_lazy(
        "How much may be lent, and how much of that was applied for: nothing of it is lent yet."
    ),
    Nature.INVESTMENT: gettext_lazy(
        "Planned or agreed investment, registered capital and financing raised: none of these says "
        "what was paid in or spent."
    ),
    Nature.REVENUE: gettext_lazy("What enterprises took in; no money of the district."),
    "": gettext_lazy("Amounts of which nobody has said yet what they are."),
}
UNKNOWN = pgettext_lazy("money", "nature not stated")


@dataclass(frozen=True)
class QuotaUse:
    """How much of a quota is used, by a public check; ``share`` in %, None where it cannot be said.

    ``other`` is the figure at the other end: the quota for what is used, and what is used for
    the quota.
    """

    check: Check
    other: Indicator
    share: Decimal | None
    text: str

    @property
    def width(self) -> str | None:
        """How much of a bar is filled, in %."""
        return None if self.share is None else f"{min(100, max(0, self.share)):.4g}"


@dataclass
class Amount:
    """One figure of money; ``recipients`` is None if nothing public counts them."""

    indicator: Indicator
    recipients: Indicator | None = None
    uses: list[QuotaUse] = field(default_factory=list)
    unit: Unit | None = None

    @property
    def in_unit(self) -> str:
        """The newest value in the ``unit`` of all amounts, exact to the last digit."""
        value, own = self.indicator.latest.value, self.indicator.unit
        value = convert(value, factor_from=own.factor, factor_to=self.unit.factor)
        return plain(value.normalize(), grouping=True)


@dataclass(frozen=True)
class NatureGroup:
    """All public amounts of one nature; "" is not stated."""

    nature: str
    label: str
    meaning: str
    amounts: list[Amount]
    part: Part | None = None


def groups(
    as_of: date | None, only: Iterable[int] | None = None, unit: Unit | None = None
) -> list[NatureGroup]:
    """The public amounts of each nature in the order of ``Nature``, also where there is none.

    Those whose nature is not stated come last, and only if there are any. With ``only`` those of
    these keys, which stand in ``unit``.
    """
    indicators = _amounts(as_of)
    if only is not None:
        indicators = indicators.filter(pk__in=only)
    rows = [Amount(row) for row in indicators.with_place().with_latest_value(as_of)]
    if unit is None:
        unit = max((row.indicator.unit for row in rows), key=lambda unit: unit.factor, default=None)
    public = Indicator.objects.published(as_of).select_related("unit").with_latest_value(as_of)
    counting = public.in_bulk({row.indicator.recipients_id for row in rows} - {None})
    uses = quota_uses(as_of, [row.indicator.pk for row in rows]) if rows else {}
    for row in rows:
        row.unit = unit
        row.recipients = counting.get(row.indicator.recipients_id)
        row.uses = uses.get(row.indicator.pk, [])
    # In the past a row may be older than the column.
    found = {nature: [] for nature in (*Nature, "")}
    for row in rows:
        found[row.indicator.nature or ""].append(row)
    return [
        NatureGroup(nature, Nature(nature).label if nature else UNKNOWN, MEANINGS[nature], amounts)
        for nature, amounts in found.items()
        if nature or amounts
    ]


def _amounts(as_of: date | None):
    return Indicator.objects.published(as_of).filter(unit__quantity=MONEY)


def quota_uses(as_of: date | None, indicators: list[int]) -> dict[int, list[QuotaUse]]:
    """By the keys of both figures of each public check of a quota in which one of ``indicators``
    (by their keys) takes part; four queries."""
    checks = _quotas(indicators, as_of=as_of)
    found: dict[int, list[QuotaUse]] = {}
    for state in states_of(checks, as_of):
        by_role = {term.role: (term.indicator, value) for term, value in state.terms}
        if not {Role.PART, Role.WHOLE} <= by_role.keys():
            continue
        (used, _now), (quota, _limit) = by_role[Role.PART], by_role[Role.WHOLE]
        share, text = _share(state, by_role)
        for row, other in ((used, quota), (quota, used)):
            found.setdefault(row.pk, []).append(QuotaUse(state.check, other, share, text))
    return found


@prepared
def _quotas(indicators, *, as_of):
    checks = Check.objects.that_compare(indicators, as_of).filter(kind=CheckKind.QUOTA)
    return checks.order_by().values_list("pk", flat=True)


def _share(state: CheckState, by_role: dict) -> tuple[Decimal | None, str]:
    """Use ÷ quota in % with both figures in words; None and the reason where it cannot be said."""
    (used, now), (quota, limit) = by_role[Role.PART], by_role[Role.WHOLE]
    if state.outcome.result == Result.UNKNOWN or not limit.value:
        return None, str(state.outcome.reason)
    share = now.value * used.unit.factor * 100 / (limit.value * quota.unit.factor)
    said = {
        "share": percent_text(share),
        "used": observed_text(now, used.unit),
        "quota": observed_text(limit, quota.unit),
    }
    return share, _("%(share)s (%(used)s of %(quota)s)") % said


def _of_page(request) -> tuple[Numbered, list[NatureGroup]]:
    """The numbered page, and the groups with the amounts that stand on it."""
    as_of = request.as_of
    keys: dict[str, list[int]] = {nature: [] for nature in (*Nature, "")}
    units: dict[int, Unit] = {}
    columns = [f"unit__{name}" for name in ("pk", "name", "name_en", "factor")]
    rows = _amounts(as_of).with_place().values_list("pk", "nature", *columns)
    for pk, nature, unit, name, name_en, factor in rows:
        keys[nature or ""].append(pk)
        units.setdefault(unit, Unit(pk=unit, name=name, name_en=name_en, factor=factor))
    shown, parts, only = in_parts(request, list(keys.values()))
    if shown.paginator.num_pages == 1:
        found = groups(as_of)
    else:
        found = groups(as_of, only, max(units.values(), key=lambda unit: unit.factor))
    of_nature = dict(zip(keys, parts, strict=True))
    return shown, [replace(group, part=of_nature[group.nature]) for group in found]


def page(request):
    """All public amounts by nature; ``?format=csv`` or ``xlsx`` as a file."""
    if file_format := file_format_of(request):
        cover = list_cover(request, _("Money by its nature"), [])
        day = day_of_state(request.as_of)
        found = groups(request.as_of)
        return taken_table(file_format, "money", day, cover, COLUMNS, _lines(found))
    shown, found = _of_page(request)
    amounts = [row for group in found for row in group.amounts]
    check_marks.of_shown(request, [row.indicator.pk for row in amounts])
    context = {
        "groups": found,
        "table": shown,
        "unit": amounts[0].unit if amounts else None,
        "newest_period": newest_period(row.indicator for row in amounts),
    }
    return render(request, "public/money.html", context)


COLUMNS = (
    Column(pgettext_lazy("of money", "Nature"), 14),
    Column(gettext_lazy("Code"), 30),
    Column(gettext_lazy("Indicator"), 40),
    Column(gettext_lazy("Value"), 14, Kind.NUMBER),
    Column(gettext_lazy("Unit"), 10),
    Column(gettext_lazy("Qualifier"), 10),
    Column(gettext_lazy("In yuan"), 18, Kind.NUMBER),
    Column(gettext_lazy("As written"), 16),
    Column(gettext_lazy("Period"), 24),
    Column(gettext_lazy("Kind"), 10),
    Column(gettext_lazy("Recipients are counted by"), 30),
    Column(gettext_lazy("Recipients"), 12, Kind.NUMBER),
    Column(gettext_lazy("Unit of the recipients"), 12),
    Column(gettext_lazy("Quota used in %"), 12, Kind.NUMBER),
    Column(gettext_lazy("Quota and use"), 40),
    Column(gettext_lazy("Do not add to"), 40),
    Column(gettext_lazy("Source"), 24),
)


def _lines(found: Iterable[NatureGroup]):
    for group in found:
        for row in group.amounts:
            yield _line(group, row)


def _line(group: NatureGroup, row: Amount) -> tuple:
    indicator, latest = row.indicator, row.indicator.latest
    received = row.recipients and row.recipients.latest
    shares = [use.share for use in row.uses if use.share is not None]
    return (
        group.label,
        indicator.code,
        str(indicator),
        latest and Decimal(plain(latest.value)),
        str(indicator.unit),
        latest and latest.get_qualifier_display(),
        latest and Decimal(plain(latest.value * indicator.unit.factor)),
        as_written_text(latest) if latest else "",
        period_text(latest.period_start, latest.period_end) if latest else "",
        indicator.get_kind_display(),
        str(row.recipients or ""),
        received and Decimal(plain(received.value)),
        str(row.recipients.unit) if row.recipients else "",
        rounded(shares[0]) if shares else None,
        "; ".join(f"{use.check}: {use.text}" for use in row.uses),
        indicator.in_language("caution"),
        latest.source_text if latest else "",
    )
