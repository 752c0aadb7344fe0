"""What looks wrong about an entry without being forbidden: shown to whoever enters and reviews.

Nothing here blocks. The comparisons are pure functions over plain values; ``warnings_of`` finds
the values to compare with and puts what it finds into sentences.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _

from measures.numerals import rounded

from .assessment import CheckState, assess_check, figure_of
from .models import Check, CheckTerm, Indicator, Observation, UsualBounds
from .rules.checks import MEASURED, CheckKind, Figure, Result, Role, evaluate
from .rules.choices import Certainty, Kind
from .rules.periods import are_comparable, period_text
from .rules.usual import FEWEST, Usual, repeats, usual, would_differ
from .wording import figure_text, observed_text

#: Relations of two figures, which are compared of whatever days.
OF_TWO = frozenset({CheckKind.PART, CheckKind.QUOTA})


def falls(kind: str, value: Decimal, before: Decimal) -> bool:
    """Whether a running total became smaller."""
    return kind == Kind.CUMULATIVE and value < before


def is_ten_times(value: Decimal, before: Decimal) -> bool:
    """Whether ``value`` is at least ten times ``before``, as when the unit was mistaken."""
    return before != 0 and value / before >= 10


def is_a_tenth(value: Decimal, before: Decimal) -> bool:
    """Whether ``value`` is at most a tenth of ``before``; 0 and a change of sign are not."""
    return before != 0 and 0 < value / before <= Decimal("0.1")


def is_over_all(kind: str, value_in_percent: Decimal) -> bool:
    """Whether a share is more than the whole."""
    return kind == Kind.SHARE and value_in_percent > 100


def is_no_count(quantity: str, value: Decimal) -> bool:
    """Whether ``value`` cannot be a number of counted things: broken, or below zero."""
    return quantity not in MEASURED and (value < 0 or value % 1 != 0)


def is_over_whole(kind: CheckKind, part: Figure, whole: Figure) -> bool:
    """Whether ``part`` exceeds ``whole`` by more than rounding explains."""
    outcome = evaluate(kind, {Role.PART: [part], Role.WHOLE: [whole]})
    return outcome.result == Result.FAILS


def warnings_of(rows: Sequence[Observation]) -> list[list[str]]:
    """For each of ``rows``, stored or not, its warnings as sentences; three queries in all.

    A row is compared with the public value of the last comparable period before its own, and
    held beside the other figures of every check that it takes part in: as entered in the same
    ``rows``, else as public. Needs the rows' indicators with their units.
    """
    checks = _checks({row.indicator_id for row in rows})
    public = _public(rows, checks)
    return _found(rows, checks, public, _known(rows, public))


def warnings_and_checks(rows: Sequence[Observation]) -> list[tuple[list[str], list[CheckState]]]:
    """As ``warnings_of``, and how every check that a row takes part in stands with it."""
    checks = _checks({row.indicator_id for row in rows})
    public = _public(rows, checks)
    known = _known(rows, public)
    states = [
        [
            assess_check(check, known, row)
            for check in checks
            if row.indicator_id in {term.indicator_id for term in check.loaded_terms}
        ]
        for row in rows
    ]
    return list(zip(_found(rows, checks, public, known), states, strict=True))


def _found(rows, checks, public, known) -> list[list[str]]:
    pairs, others, today = _pairs(checks), _others(checks), timezone.localdate()
    confirmed = UsualBounds.objects.filter(indicator__in={row.indicator_id for row in rows})
    bounds = {row.indicator_id: row for row in confirmed}
    return [
        [
            *beside_its_past(row, known[row.indicator_id], today, bounds.get(row.indicator_id)),
            *_beside_others(row, pairs, known),
            *_disagreeing(row, others[row.indicator_id], known, public),
        ]
        for row in rows
    ]


def misquotes(row: Observation, old: Observation) -> str:
    """The warning that a correction of ``old`` puts other words into the report's mouth; else "".

    A slip in copying the report is mended so; what an office knows better has another source.
    """
    place, old_place = ((r.report_id, r.locator) for r in (row, old))
    if not row.report_id or place != old_place or row.as_written == old.as_written:
        return ""
    return _(
        "The report was read as “%(old)s” at this place. Unless that was a slip in copying it, "
        "name the source of the correction instead of the report."
    ) % {"old": old.as_written}


def _checks(indicators: set[int]) -> list[Check]:
    """Every check that joins one of ``indicators`` with other figures; one query."""
    checks = Check.objects.not_withdrawn()
    return checks.filter(comparable=True, terms__indicator__in=indicators).by_their_terms()


def _pairs(checks: list[Check]) -> list[tuple[CheckTerm, CheckTerm]]:
    """(part, whole) of every check that compares two figures."""
    found = []
    for check in checks:
        roles = {term.role: term for term in check.loaded_terms if not term.earlier}
        if check.kind in OF_TWO and {Role.PART, Role.WHOLE} <= roles.keys():
            found.append((roles[Role.PART], roles[Role.WHOLE]))
    return found


def _others(checks: list[Check]) -> dict[int, list[Check]]:
    """By indicator, the checks that it takes part in and that compare more than two figures."""
    found = defaultdict(list)
    for check in checks:
        if check.kind not in OF_TWO:
            for indicator in {term.indicator_id for term in check.loaded_terms}:
                found[indicator].append(check)
    return found


def _public(rows, checks) -> dict[int, list[Observation]]:
    """The public values of all indicators that ``rows`` and ``checks`` name, newest first."""
    indicators = {row.indicator_id: row.indicator for row in rows} | {
        term.indicator_id: term.indicator for check in checks for term in check.loaded_terms
    }
    public = (
        Observation.objects.published()
        .filter(indicator__in=indicators)
        .only(
            "indicator",
            "period_start",
            "period_end",
            "value",
            "qualifier",
            "certainty",
            "as_written",
        )  # fmt: skip
        .by_indicator()
    )
    for indicator, values in public.items():
        for value in values:
            value.indicator = indicators[indicator]
    return public


def _known(rows, public) -> dict[int, list[Observation]]:
    """The values to compare with by indicator, newest first; of one day those of ``rows`` first.

    A row that a correction in ``rows`` supersedes no longer counts.
    """
    superseded = {row.supersedes_id for row in rows}
    known = defaultdict(list)
    for row in rows:
        known[row.indicator_id].append(row)
    for indicator, values in public.items():
        known[indicator] += [value for value in values if value.pk not in superseded]
    for values in known.values():
        values.sort(key=lambda value: value.period_end, reverse=True)
    return known


def beside_its_past(
    row: Observation, known: Sequence[Observation], today: date, bounds: UsualBounds | None = None
) -> list[str]:
    """The warnings that ``row`` gives rise to by itself and beside ``known`` of its indicator.

    ``bounds`` are those that a steward has confirmed, None without: then its past sets them.
    """
    indicator = row.indicator
    found = []
    if is_over_all(indicator.kind, row.value * indicator.unit.factor):
        found.append(_("A share of more than 100 %: the part is larger than the whole."))
    earlier = [
        value
        for value in known
        if (value.pk != row.pk or value.pk is None)
        and value.period_end < row.period_end
        and are_comparable(indicator.kind, row.period, value.period)
    ]
    if why_not := row.why_not_public(today):
        found.append(why_not)
    if is_no_count(indicator.unit.quantity, row.base_value):
        found.append(_("What is counted is a whole number and not below zero."))
    if bounds and not bounds.least <= row.value <= bounds.largest:
        unit = indicator.unit
        found.append(
            _("Outside of what is usual: between %(low)s and %(high)s, as confirmed by a data "
              "steward.")
            % {"low": figure_text(bounds.least, unit), "high": figure_text(bounds.largest, unit)}
        )  # fmt: skip
    before = max(earlier, key=lambda value: value.period_end, default=None)
    if before is None:
        return found
    last = {"before": _text(before), "period": period_text(*before.period)}
    if falls(indicator.kind, row.value, before.value):
        found.append(_("A running total should not fall: it was %(before)s (%(period)s).") % last)
    if is_ten_times(row.value, before.value):
        found.append(
            _("Ten times the last value or more: %(before)s (%(period)s). Is the unit right?")
            % last
        )
    if is_a_tenth(row.value, before.value):
        found.append(
            _("A tenth of the last value or less: %(before)s (%(period)s). Is the unit right?")
            % last
        )
    if row.value == before.value and would_differ(_past(earlier)):
        found.append(_("The same as the last value: %(before)s (%(period)s).") % last)
    return found or _unusual(row, earlier, bounds)


def proposed_bounds(indicator: Indicator) -> Usual | None:
    """What is usual for the next value of ``indicator``, by its public values; None if unknown.

    One query; needs the kind of the indicator.
    """
    values = list(Observation.objects.published().filter(indicator=indicator))
    newest = max(values, key=lambda value: value.period_end, default=None)
    if newest is None:
        return None
    alike = (v for v in values if are_comparable(indicator.kind, newest.period, v.period))
    past = _past([newest, *(value for value in alike if value.pk != newest.pk)])
    if len(past) < FEWEST:
        return None
    on = past[-1][0] + (past[-1][0] - past[-2][0])
    return usual(indicator.kind, past, on)


def _unusual(
    row: Observation, earlier: Sequence[Observation], bounds: UsualBounds | None
) -> list[str]:
    """What else is odd beside the earlier comparable values: out of their range, or one again."""
    if row.certainty == Certainty.EXPECTED:
        return []
    past = _past(earlier)
    range_ = None if bounds else usual(row.indicator.kind, past, row.period_end)
    if range_ and row.value not in range_:
        unit = row.indicator.unit
        return [
            _(
                "Unusual: after the last %(n)d values, between %(low)s and %(high)s was to be "
                "expected. Is it this indicator’s figure, of this period?"
            )
            % {
                "n": range_.count,
                "low": figure_text(rounded(range_.low), unit),
                "high": figure_text(rounded(range_.high), unit),
            }
        ]
    if day := repeats(row.value, past):
        again = next(value for value in earlier if value.period_end == day)
        period = period_text(*again.period)
        return [_("Exactly the value of %(period)s. Is it of this period?") % {"period": period}]
    return []


def _past(earlier: Sequence[Observation]) -> list[tuple[date, Decimal]]:
    """The values that were reported, one a day, oldest first."""
    reported = (value for value in earlier if value.certainty != Certainty.EXPECTED)
    return sorted({value.period_end: value.value for value in reported}.items())


def _beside_others(row: Observation, pairs, known) -> list[str]:
    """The warnings that ``row`` gives rise to beside its whole and its parts."""
    found = []
    for part_term, whole_term in pairs:
        if row.indicator_id == part_term.indicator_id:
            part, whole = row, _beside(row, known[whole_term.indicator_id])
        elif row.indicator_id == whole_term.indicator_id:
            part, whole = _beside(row, known[part_term.indicator_id]), row
        else:
            continue
        if part is None or whole is None:
            continue
        figures = (figure_of(value, value.indicator.unit) for value in (part, whole))
        if is_over_whole(part_term.check_of.kind, *figures):
            found.append(
                _(
                    "The part is larger than the whole: %(part)s %(part_value)s (%(part_period)s), "
                    "but %(whole)s %(whole_value)s (%(whole_period)s)."
                )
                % {
                    "part": part.indicator,
                    "part_value": _text(part),
                    "part_period": period_text(*part.period),
                    "whole": whole.indicator,
                    "whole_value": _text(whole),
                    "whole_period": period_text(*whole.period),
                }
            )
    return found


def _disagreeing(row: Observation, checks, known, public) -> list[str]:
    """The ``checks`` on sums, shares, growth and repetitions that hold no longer with ``row``.

    What does not hold in public either, such as the sum of parts that overlap, is no news. A
    correction is held against the check as it stands with what it supersedes, of whatever time.
    """
    found = []
    corrected = [old for old in public[row.indicator_id] if old.pk == row.supersedes_id]
    for check in checks:
        state = assess_check(check, known, row)
        before = assess_check(check, public, *corrected)
        if state.outcome.result == Result.FAILS and before.outcome.result != Result.FAILS:
            found.append(
                _("%(check)s: computed %(computed)s, stated %(stated)s.")
                % {
                    "check": state.check,
                    "computed": state.computed_text,
                    "stated": state.text(state.outcome.stated),
                }
            )
    return found


def _beside(row: Observation, values: list[Observation]) -> Observation | None:
    """The one of another indicator's ``values`` to hold beside ``row``: of its day, else the last.

    Two flows are compared over the same period only.
    """
    fitting = [
        value
        for value in values
        if value.period_end <= row.period_end
        and (
            {row.indicator.kind, value.indicator.kind} != {Kind.FLOW} or value.period == row.period
        )
    ]
    return max(fitting, key=lambda value: value.period_end, default=None)


def _text(row: Observation) -> str:
    return observed_text(row, row.indicator.unit)
