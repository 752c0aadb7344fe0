"""What came of every check, without what it says: for pages that show many or count them.

Results of today come from the ``summaries`` where they are known. What is read to work out the
others is kept as small as may be, since there can be tens of thousands.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from django.db.models import CharField, F, QuerySet, Value

from .assessment import CheckState, assess_check, indicators_in
from .models import NEWEST_FIRST, Check, CheckTerm, Observation, by_check
from .rules.checks import Result

#: No result is known.
NOTHING = Value(None, output_field=CharField())


class CheckResult(NamedTuple):
    """``indicators`` by their keys, those of its terms."""

    pk: int
    code: str
    result: Result
    indicators: tuple[int, ...]


def of_day(as_of: date | None) -> list[CheckResult]:
    """Every check that was public on ``as_of`` (today if None), in their order.

    Two queries, and one where every result is known.
    """
    return of(Check.objects.published(as_of), as_of)


def of(checks: QuerySet, as_of: date | None) -> list[CheckResult]:
    """``of_day`` of those among ``checks``, which are public on it."""
    return _results(checks, as_of, NOTHING if as_of else F("check_of__summary__result"))


def worked_out(checks: list[int]) -> list[CheckResult]:
    """Those of ``checks`` (by their keys) today, whatever is known already; two queries."""
    return _results(checks, None, NOTHING)


def of_state(state: CheckState) -> CheckResult:
    indicators = tuple(term.indicator_id for term, _value in state.terms)
    return CheckResult(state.check.pk, state.check.code, state.outcome.result, indicators)


class _Value(NamedTuple):
    """What a check reads of a value: a row of the table would bring a dozen columns besides."""

    pk: int
    indicator_id: int
    value: Decimal
    qualifier: str
    as_written: str
    period_start: date | None
    period_end: date


@dataclass(slots=True)
class _Unit:
    """As the other three: what a result needs of a row."""

    quantity: str
    factor: Decimal


@dataclass(slots=True)
class _Figure:
    kind: str
    unit: _Unit


@dataclass(slots=True, eq=False)
class _Check:
    pk: int
    code: str
    kind: str
    comparable: bool
    result: Result | None
    loaded_terms: list["_Term"] = field(default_factory=list)


@dataclass(slots=True)
class _Term:
    pk: int | None
    role: str
    earlier: bool
    check_of: _Check
    indicator_id: int
    indicator: _Figure


def _results(checks: QuerySet | list[int], as_of: date | None, known) -> list[CheckResult]:
    """``known`` reads the result of a term's check, null where it is not known."""
    found = by_check(_terms(checks, known))
    unknown = [check for check in found if check.result is None]
    values = _values(indicators_in(unknown), as_of) if unknown else {}
    return [
        of_state(assess_check(check, values))
        if check.result is None
        else CheckResult(
            check.pk, check.code, check.result, tuple(t.indicator_id for t in check.loaded_terms)
        )
        for check in found
    ]


def _values(indicators: set[int], as_of: date | None) -> dict[int, list[_Value]]:
    """The public values by the key of their indicator, newest first; one query."""
    rows = Observation.objects.published(as_of).filter(indicator__in=indicators)
    found = defaultdict(list)
    # Those of one indicator stand together in the index, by which they are found.
    for row in rows.order_by("indicator_id", *NEWEST_FIRST).values_list(*_Value._fields):
        value = _Value(*row)
        found[value.indicator_id].append(value)
    return found


def _terms(checks: QuerySet | list[int], known) -> list[_Term]:
    """The terms of ``checks``, check by check; one query."""
    if isinstance(checks, QuerySet):
        checks = checks.order_by()
    rows = CheckTerm.objects.filter(check_of__in=checks).values_list(
        "pk", "role", "earlier",
        "check_of", "check_of__code", "check_of__kind", "check_of__comparable", known,
        "indicator", "indicator__kind",
        "indicator__unit__quantity", "indicator__unit__factor",
    )  # fmt: skip
    terms, check = [], None
    for pk, role, earlier, key, code, kind, comparable, result, indicator, counted, *unit in rows:
        if check is None or check.pk != key:
            check = _Check(key, code, kind, comparable, result and Result(result))
        terms.append(_Term(pk, role, earlier, check, indicator, _Figure(counted, _Unit(*unit))))
    return terms
