"""What came of every check, without what it says: for pages that show many or count them.

Results come from the ``summaries`` where they are known, those of a past day where nothing that a
check compares was touched since. What is read to work out the others is kept as small as may be,
since there can be tens of thousands.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from measures.models import Opinion
from measures.prepared import prepared
from measures.submission import end_of_day

from . import kept_days
from .assessment import CheckState, assess_check, indicators_in, is_settled
from .courses import CourseValue
from .models import NEWEST_FIRST, Check, CheckTerm, Indicator, Observation, Unit, by_check
from .rules.checks import Result
from .rules.questions import discrepancy
from .summary_tables import CheckSummary
from .touched import touched_since

#: The name of what ``kept_days`` keeps of them.
KEPT_AS = "results"
#: How far back values are read, for checks that are not settled before; None: all of them. A check
#: mostly needs the last quarter or two, and growth a year more.
REACHES = timedelta(days=200), timedelta(days=600), None


class CheckResult(NamedTuple):
    """``indicators`` by their keys, those of its terms; ``apart``: how far, see ``discrepancy``."""

    pk: int
    code: str
    result: Result
    apart: float
    indicators: tuple[int, ...]


def of_day(as_of: date | None) -> list[CheckResult]:
    """Every check that was public on ``as_of`` (today if None), in their order.

    Three queries, and one where every result is known; one more on a past day, and what
    ``kept_days`` says.
    """
    return of_opinion(None, as_of)


def of_opinion(opinion: Opinion | None, as_of: date | None) -> list[CheckResult]:
    """``of_day`` of those with a figure of ``opinion``; of all if it is None."""
    return _of(_terms_of_opinion(opinion, as_of=as_of), as_of)


def of_indicators(indicators: Collection[int], as_of: date | None) -> list[CheckResult]:
    """``of_day`` of those in which one of ``indicators`` (by their keys) takes part."""
    return _of(_terms_of_indicators(indicators, as_of=as_of), as_of)


def of(checks: QuerySet, as_of: date | None) -> list[CheckResult]:
    """``of_day`` of those among ``checks``, which are public on it."""
    return _of(_with_todays(checks), as_of)


@prepared
def _terms_of_opinion(opinion, *, as_of):
    checks = Check.objects.published(as_of)
    return _with_todays(checks.of_opinion(opinion) if opinion else checks)


@prepared
def _terms_of_indicators(indicators, *, as_of):
    return _with_todays(Check.objects.that_compare(indicators, as_of))


def _with_todays(checks: QuerySet) -> QuerySet:
    """The terms of ``checks`` with the result of today; None where it is not known."""
    return CheckTerm.objects.filter(check_of__in=checks.order_by()).values_list(
        "check_of", "check_of__code", "check_of__summary__result", "check_of__summary__apart",
        "indicator",
    )  # fmt: skip


def _of(terms: Iterable[tuple], as_of: date | None) -> list[CheckResult]:
    """The checks of ``terms``, which stand check by check, with their results on ``as_of``."""
    found = [
        CheckResult(key, code, result and Result(result), apart, tuple(row[-1] for row in rows))
        for (key, code, result, apart), rows in groupby(terms, itemgetter(0, 1, 2, 3))
    ]
    by_key = {one.pk: one for one in found}

    def known(keys: list[int]) -> dict[int, tuple[Result, float]]:
        return _known([by_key[key] for key in keys], as_of)

    told = kept_days.of(KEPT_AS, as_of, by_key, known, lambda keys: results(keys, as_of), _of_json)
    # One whose last figure left it between the two questions has no result any more.
    return [
        CheckResult(one.pk, one.code, *told[one.pk], one.indicators)
        for one in found
        if one.pk in told
    ]


def _of_json(told: list) -> tuple[Result, float]:
    result, apart = told
    return Result(result), apart


def _known(checks: list[CheckResult], as_of: date | None) -> dict[int, tuple[Result, float]]:
    """Today's results of those ``checks`` of which they hold on ``as_of``, and how far they are
    apart, by their keys."""
    found = {one.pk: (one.result, one.apart) for one in checks if one.result}
    if as_of and found:
        for key in _that_may_differ(checks, as_of):
            found.pop(key, None)
    return found


def worked_out(checks: list[int], as_of: date | None = None) -> list[CheckResult]:
    """Those of ``checks`` (by their keys) as they came out on ``as_of`` (today if None), whatever
    is known already; two queries, and two more for those that the newest values do not settle."""
    rows = by_check(_terms(checks))
    on, found = as_of or timezone.localdate(), {}
    for reach in REACHES:
        open_ = [check for check in rows if check.pk not in found]
        if not open_:
            break
        since = reach and on - reach
        values = values_of(indicators_in(open_), as_of, since)
        for check in open_:
            state = assess_check(check, values)
            if since is None or is_settled(state, since):
                found[check.pk] = of_state(state)
    return [found[check.pk] for check in rows]


def results(checks: list[int], as_of: date | None) -> dict[int, tuple[Result, float]]:
    """What came of each of ``checks`` and how far ``apart`` it is, by its key (``worked_out``)."""
    return {one.pk: (one.result, one.apart) for one in worked_out(checks, as_of)}


def of_state(state: CheckState) -> CheckResult:
    indicators = tuple(term.indicator_id for term, _value in state.terms)
    result, apart = state.outcome.result, float(discrepancy(state.outcome))
    return CheckResult(state.check.pk, state.check.code, result, apart, indicators)


def that_may_be(wanted: Collection[Result], as_of: date | None) -> Q:
    """A condition that all checks meet whose result on ``as_of`` (today if None) is ``wanted``, as
    far as that is known; one query on a past day."""
    return Q(summary__result__in=wanted) | _unknown(as_of)


def _unknown(as_of: date | None) -> Q:
    """Of which checks no result is known on ``as_of`` (today if None) but by their values; one
    query on a past day."""
    missing = Q(~Exists(CheckSummary.objects.filter(check_of=OuterRef("pk"))))
    if as_of is None:
        return missing
    touched = _touched(as_of)
    if touched is None:
        return ~Q(pk__in=[])
    checks, figures = touched
    terms = CheckTerm.objects.order_by().filter(indicator__in=figures)
    return missing | Q(pk__in=checks) | Q(pk__in=terms.values("check_of"))


def in_unknown(as_of: date | None) -> Q:
    """The indicators that take part in a check that was public on ``as_of`` (today if None) and of
    which no result is known; one query on a past day."""
    # The database looks at conditions in their order: few are unknown.
    checks = Check.objects.filter(_unknown(as_of)).published(as_of, few=True).order_by()
    return Q(pk__in=CheckTerm.objects.order_by().filter(check_of__in=checks).values("indicator"))


def _that_may_differ(checks: Iterable[CheckResult], as_of: date) -> set[int]:
    """The keys of those ``checks`` whose result may be another than on ``as_of``; one query."""
    touched = _touched(as_of)
    if touched is None:
        return {one.pk for one in checks}
    found, figures = touched
    return found | {one.pk for one in checks if not figures.isdisjoint(one.indicators)}


def _touched(as_of: date) -> tuple[set[int], set[int]] | None:
    """The checks, and the indicators with a term, by their keys, for which a result may be another
    than on ``as_of``; None: all. One query."""
    compared = (Indicator, Observation)
    found = touched_since(end_of_day(as_of), CheckTerm, Unit, Check, *compared)
    if found[CheckTerm] or found[Unit]:
        return None
    return found[Check], set().union(*(found[model] for model in compared))


def states_of(checks: Collection[int], as_of: date | None, *related: str) -> list[CheckState]:
    """The ``checks`` (by their keys) in their order on the values that were public on ``as_of``
    (today if None), with those that their terms stand for and the reports of these; three queries.

    ``related`` is what is loaded of their terms besides.
    """
    checks = by_check(_loaded_terms(checks, related=related))
    values = values_of(indicators_in(checks), as_of)
    states = [assess_check(check, values) for check in checks]
    # A figure has many values, of which a check compares one.
    shown = _shown({value.pk for state in states for _term, value in state.terms if value})
    by_key = {value.pk: value for value in shown}
    return [
        replace(state, terms=[(term, value and by_key[value.pk]) for term, value in state.terms])
        for state in states
    ]


@prepared
def comparing(indicators, *, as_of):
    """The keys of the public checks in which one of ``indicators`` (by their keys) takes part."""
    checks = Check.objects.that_compare(indicators, as_of)
    return checks.order_by().values_list("pk", flat=True)


@prepared
def _loaded_terms(checks, *, related):
    terms = CheckTerm.objects.filter(check_of__in=checks)
    return terms.select_related("check_of", "indicator__unit__base", *related)


@prepared
def _shown(values):
    return Observation.objects.filter(pk__in=values).select_related("report").order_by()


class Value(NamedTuple):
    """What a check reads and names of a value: a row of the table would bring a dozen columns
    besides."""

    pk: int
    indicator_id: int
    value: Decimal
    qualifier: str
    as_written: str
    certainty: str
    period_start: date | None
    period_end: date

    get_certainty_display = CourseValue.get_certainty_display


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


def values_of(
    indicators: set[int], as_of: date | None, since: date | None = None
) -> dict[int, list[Value]]:
    """The public values by the key of their indicator, newest first: those whose period ended on
    ``since`` or later, if it is given; one query."""
    found = defaultdict(list)
    for row in _values(indicators, since, as_of=as_of):
        value = Value(*row)
        found[value.indicator_id].append(value)
    return found


@prepared
def _values(indicators, since, *, as_of):
    rows = Observation.objects.published(as_of).filter(indicator__in=indicators)
    if since:
        rows = rows.filter(period_end__gte=since)
    # Those of one indicator stand together in the index, by which they are found.
    return rows.order_by("indicator_id", *NEWEST_FIRST).values_list(*Value._fields)


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
