"""What came of every check, without what it says: for pages that show many or count them.

Results come from the ``summaries`` where they are known, those of a past day where nothing that a
check compares was touched since. What is read to work out the others is kept as small as may be,
since there can be tens of thousands.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from django.db.models import QuerySet

from measures.submission import end_of_day

from . import kept_days
from .assessment import CheckState, assess_check, indicators_in
from .models import NEWEST_FIRST, Check, CheckTerm, Indicator, Observation, Unit, by_check
from .rules.checks import Result
from .touched import touched_since

#: The name of what ``kept_days`` keeps of them.
KEPT_AS = "results"


class CheckResult(NamedTuple):
    """``indicators`` by their keys, those of its terms."""

    pk: int
    code: str
    result: Result
    indicators: tuple[int, ...]


def of_day(as_of: date | None) -> list[CheckResult]:
    """Every check that was public on ``as_of`` (today if None), in their order.

    Three queries, and one where every result is known; one more on a past day, and what
    ``kept_days`` says.
    """
    return of(Check.objects.published(as_of), as_of)


def of(checks: QuerySet, as_of: date | None) -> list[CheckResult]:
    """``of_day`` of those among ``checks``, which are public on it."""
    found = _with_todays(checks)
    by_key = {one.pk: one for one in found}

    def known(keys: list[int]) -> dict[int, Result]:
        return _known([by_key[key] for key in keys], as_of)

    told = kept_days.of(KEPT_AS, as_of, by_key, known, lambda keys: results(keys, as_of), Result)
    # One whose last figure left it between the two questions has no result any more.
    return [one._replace(result=told[one.pk]) for one in found if one.pk in told]


def _known(checks: list[CheckResult], as_of: date | None) -> dict[int, Result]:
    """Today's results of those ``checks`` of which they hold on ``as_of``, by their keys."""
    found = {one.pk: one.result for one in checks if one.result}
    if as_of and found:
        for key in _that_may_differ(checks, as_of):
            found.pop(key, None)
    return found


def worked_out(checks: list[int], as_of: date | None = None) -> list[CheckResult]:
    """Those of ``checks`` (by their keys) as they came out on ``as_of`` (today if None), whatever
    is known already; two queries."""
    rows = by_check(_terms(checks))
    values = _values(indicators_in(rows), as_of)
    return [of_state(assess_check(check, values)) for check in rows]


def results(checks: list[int], as_of: date | None) -> dict[int, Result]:
    """What came of each of ``checks`` by its key, as ``worked_out``."""
    return {one.pk: one.result for one in worked_out(checks, as_of)}


def of_state(state: CheckState) -> CheckResult:
    indicators = tuple(term.indicator_id for term, _value in state.terms)
    return CheckResult(state.check.pk, state.check.code, state.outcome.result, indicators)


def _with_todays(checks: QuerySet) -> list[CheckResult]:
    """``checks`` with a term and the result of today; None where it is not known. One query."""
    rows = CheckTerm.objects.filter(check_of__in=checks.order_by()).values_list(
        "check_of", "check_of__code", "check_of__summary__result", "indicator"
    )
    return [
        CheckResult(key, code, result and Result(result), tuple(row[-1] for row in terms))
        for (key, code, result), terms in groupby(rows, itemgetter(0, 1, 2))
    ]


def _that_may_differ(checks: Iterable[CheckResult], as_of: date) -> set[int]:
    """The keys of those ``checks`` whose result may be another than on ``as_of``; one query."""
    compared = (Indicator, Observation)
    found = touched_since(end_of_day(as_of), CheckTerm, Unit, Check, *compared)
    if found[CheckTerm] or found[Unit]:
        return {one.pk for one in checks}
    figures = set().union(*(found[model] for model in compared))
    return found[Check] | {one.pk for one in checks if not figures.isdisjoint(one.indicators)}


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
    loaded_terms: list["_Term"] = field(default_factory=list)


@dataclass(slots=True)
class _Term:
    pk: int | None
    role: str
    earlier: bool
    check_of: _Check
    indicator_id: int
    indicator: _Figure


def _values(indicators: set[int], as_of: date | None) -> dict[int, list[_Value]]:
    """The public values by the key of their indicator, newest first; one query."""
    rows = Observation.objects.published(as_of).filter(indicator__in=indicators)
    found = defaultdict(list)
    # Those of one indicator stand together in the index, by which they are found.
    for row in rows.order_by("indicator_id", *NEWEST_FIRST).values_list(*_Value._fields):
        value = _Value(*row)
        found[value.indicator_id].append(value)
    return found


def _terms(checks: list[int]) -> list[_Term]:
    """The terms of ``checks``, check by check; one query."""
    rows = CheckTerm.objects.filter(check_of__in=checks).values_list(
        "pk", "role", "earlier",
        "check_of", "check_of__code", "check_of__kind", "check_of__comparable",
        "indicator", "indicator__kind",
        "indicator__unit__quantity", "indicator__unit__factor",
    )  # fmt: skip
    terms, check = [], None
    for pk, role, earlier, key, code, kind, comparable, indicator, counted, *unit in rows:
        if check is None or check.pk != key:
            check = _Check(key, code, kind, comparable)
        terms.append(_Term(pk, role, earlier, check, indicator, _Figure(counted, _Unit(*unit))))
    return terms
