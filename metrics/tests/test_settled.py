"""A check that the newest values settle comes out as on all of them, and few need more."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from measures.tests.factories import ISSUED

from .. import check_results
from ..assessment import assess_check, is_settled
from ..check_results import Value, _Check, _Figure, _Term, _Unit
from ..models import Check
from ..rules.checks import NEEDED, CheckKind, Role
from ..rules.choices import Certainty, Kind, Qualifier
from ..rules.periods import year_before
from .factories import make_observation, make_whole_check

#: Ends of months, in leap years too, of which some have a year before.
ENDS = [
    date(2024, 2, 29), date(2023, 12, 31), date(2023, 7, 24), date(2023, 2, 28),
    date(2022, 12, 31), date(2022, 7, 24), date(2021, 12, 31),
]  # fmt: skip


@st.composite
def cases(draw) -> tuple[_Check, dict[int, list[Value]]]:
    """A check, mostly whole, and the values of its figures, newest first."""
    kind = draw(st.sampled_from([*CheckKind, CheckKind.BASE]))
    check = _Check(1, "c", kind, draw(st.integers(0, 4)) > 0)
    starts = draw(st.sampled_from([[None], [None, date(2021, 1, 1)]]))
    counted = draw(st.sampled_from([[Kind.STOCK], [Kind.STOCK, Kind.FLOW], list(Kind)]))
    values = {}
    for key, role in enumerate(NEEDED[kind][draw(st.integers(0, 9)) == 9 :]):
        told = draw(st.lists(st.tuples(st.sampled_from(starts), st.sampled_from(ENDS)), max_size=5))
        rows = [
            Value(
                pk, key, Decimal(draw(st.integers(0, 3))), Qualifier.EXACT, "1", Certainty.ACTUAL,
                start, end,
            )
            for pk, (start, end) in enumerate(told)
        ]  # fmt: skip
        values[key] = sorted(rows, key=lambda row: (row.period_end, row.pk), reverse=True)
        figure = _Figure(draw(st.sampled_from(counted)), _Unit("count", Decimal(1)))
        earlier = role == Role.BEFORE and draw(st.booleans())
        check.loaded_terms.append(_Term(1, role, earlier, check, key, figure))
    return check, values


def of_terms(state) -> tuple:
    return state.outcome, [(term.role, value) for term, value in state.terms]


@pytest.mark.once("compares values, not rows")
@settings(max_examples=300)
@given(case=cases(), since=st.sampled_from(ENDS))
def test_what_is_settled_is_so_on_all_values(case, since):
    check, values = case
    newest = {key: [row for row in rows if row.period_end >= since] for key, rows in values.items()}
    state = assess_check(check, newest)
    if is_settled(state, since):
        assert of_terms(state) == of_terms(assess_check(check, values))


@pytest.mark.once("compares days")
@given(st.dates(date(1990, 1, 1), date(2060, 1, 1)), st.integers(0, 40))
def test_a_later_day_has_no_earlier_year_before(day, days):
    assert year_before(day) <= year_before(day + timedelta(days=days))


@pytest.mark.django_db
def test_of_a_check_no_more_values_are_read_than_settle_it(monkeypatch):
    for last in (2022, 2019):
        for term in make_whole_check().terms.all():
            for year in range(last - 8, last + 1):
                period = {"period_start": date(year, 1, 1), "period_end": date(year, 12, 31)}
                make_observation(indicator=term.indicator, **period, published=ISSUED)
    keys = list(Check.objects.values_list("pk", flat=True))
    read, values_of = [], check_results.values_of

    def noted(*asked):
        values = values_of(*asked)
        read.append(sum(map(len, values.values())))
        return values

    monkeypatch.setattr(check_results, "values_of", noted)
    told = check_results.worked_out(keys, ISSUED)
    # None of the last half year, two years of the first check, and of the other everything.
    assert read == [0, 4, 18]
    monkeypatch.setattr(check_results, "REACHES", (None,))
    assert check_results.worked_out(keys, ISSUED) == told
    assert read[3:] == [36]
