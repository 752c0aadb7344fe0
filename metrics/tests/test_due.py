"""What a round asks for, and the period of what is entered in it."""

from datetime import date, timedelta

import pytest
from django.db import DatabaseError, transaction
from django.forms import model_to_dict
from django.utils import timezone

from measures.many_rows import insert_all
from measures.models import Round
from measures.tests.factories import (
    ISSUED,
    make_department,
    make_measure,
    make_round,
    reword,
)

from ..due import (
    NewEntries,
    due_by_department,
    due_in_rounds,
    due_indicators,
    entry_period,
    fix,
    indicators_of,
    is_due,
    new_entry,
)
from ..models import Indicator, Observation, RoundDue
from ..rules.choices import Frequency, Kind
from ..rules.periods import last_period
from .factories import make_indicator, make_observation, make_unit

ONCE, YEARLY, HALF = Frequency.ONCE, Frequency.YEARLY, Frequency.HALF_YEARLY
QUARTERLY, MONTHLY = Frequency.QUARTERLY, Frequency.MONTHLY


def day(text: str) -> date:
    return date.fromisoformat(text)


def quarter(year: int, n: int) -> tuple[date, date]:
    ends = {1: (3, 31), 2: (6, 30), 3: (9, 30), 4: (12, 31)}
    return date(year, n * 3 - 2, 1), date(year, *ends[n])


@pytest.mark.parametrize(
    ("frequency", "quarters"),
    [(MONTHLY, {1, 2, 3, 4}), (QUARTERLY, {1, 2, 3, 4}), (HALF, {2, 4}), (YEARLY, {4})],
)
def test_a_figure_is_due_in_the_quarters_that_end_its_period(frequency, quarters):
    assert {n for n in range(1, 5) if is_due(frequency, *quarter(2024, n))} == quarters


@pytest.mark.parametrize(
    ("frequency", "start", "end", "first", "last"),
    [
        (MONTHLY, "2024-02-01", "2024-02-29", "2024-02-01", "2024-02-29"),
        (MONTHLY, "2023-07-01", "2023-09-30", "2023-09-01", "2023-09-30"),
        (MONTHLY, "2023-07-01", "2023-09-29", "2023-08-01", "2023-08-31"),
        (QUARTERLY, "2023-01-01", "2023-12-31", "2023-10-01", "2023-12-31"),
        (QUARTERLY, "2023-02-01", "2023-05-31", "2023-01-01", "2023-03-31"),
        (HALF, "2023-01-01", "2023-12-30", "2023-01-01", "2023-06-30"),
        (YEARLY, "2023-10-01", "2023-12-31", "2023-01-01", "2023-12-31"),
        (YEARLY, "2023-12-31", "2024-06-30", "2023-01-01", "2023-12-31"),
        (ONCE, "2023-07-05", "2023-08-06", "2023-07-05", "2023-08-06"),
    ],
)
def test_the_last_period_that_ends_in_a_round(frequency, start, end, first, last):
    assert last_period(frequency, day(start), day(end)) == (day(first), day(last))


@pytest.mark.parametrize(
    ("frequency", "start", "end"),
    [
        (MONTHLY, "2023-07-02", "2023-07-30"),
        (QUARTERLY, "2023-07-01", "2023-09-29"),
        (HALF, "2023-07-01", "2023-12-30"),
        (YEARLY, "2024-01-01", "2024-11-30"),
    ],
)
def test_a_round_in_which_no_period_ends_asks_for_nothing(frequency, start, end):
    assert last_period(frequency, day(start), day(end)) is None
    assert not is_due(frequency, day(start), day(end))


def test_what_is_reported_once_is_due_in_any_round():
    assert is_due(ONCE, date(2023, 7, 5), date(2023, 8, 6))


Q4 = quarter(2023, 4)
SINCE = date(2021, 1, 1)


@pytest.mark.parametrize(
    ("kind", "frequency", "period"),
    [
        (Kind.FLOW, YEARLY, (date(2023, 1, 1), date(2023, 12, 31))),
        (Kind.FLOW, QUARTERLY, Q4),
        (Kind.FLOW, ONCE, Q4),
        (Kind.GROWTH, HALF, (date(2023, 7, 1), date(2023, 12, 31))),
        (Kind.CUMULATIVE, YEARLY, (SINCE, Q4[1])),
        *((kind, YEARLY, (Q4[1], Q4[1]))
          for kind in (Kind.STOCK, Kind.SHARE, Kind.RANK, Kind.CAPACITY)),
    ],
)  # fmt: skip
def test_the_period_of_an_entry_follows_from_the_kind(kind, frequency, period):
    assert entry_period(kind, frequency, *Q4, since=SINCE) == period


def test_a_total_whose_beginning_is_not_stated_keeps_it_open():
    assert entry_period(Kind.CUMULATIVE, QUARTERLY, *Q4) == (None, Q4[1])


@pytest.fixture
def third_quarter(db):
    return make_round()


def asked_for(round_) -> set:
    return set(due_indicators(round_, Indicator.objects.all()))


def test_a_quarter_asks_for_monthly_and_quarterly_figures(third_quarter):
    unit = make_unit()
    made = {name: make_indicator(unit=unit, frequency=name) for name in Frequency}
    assert asked_for(third_quarter) == {made[ONCE], made[MONTHLY], made[QUARTERLY]}


def test_what_was_reported_once_elsewhere_is_asked_for_no_more(third_quarter):
    reported, in_another_round = make_indicator(frequency=ONCE), make_indicator(frequency=ONCE)
    make_observation(indicator=reported, published=ISSUED)
    make_observation(indicator=in_another_round, published=ISSUED, round=make_round())
    assert asked_for(third_quarter) == set()


def test_what_is_reported_once_stays_on_its_sheet(third_quarter):
    indicator = make_indicator(frequency=ONCE)
    make_observation(indicator=indicator, published=ISSUED, round=third_quarter)
    make_observation(indicator=indicator, round=make_round())
    assert asked_for(third_quarter) == {indicator}


def test_many_rounds_at_once_ask_for_what_each_asks_for(third_quarter, django_assert_num_queries):
    year = make_round(period_start=date(2023, 1, 1), period_end=date(2023, 12, 31))
    rounds = [third_quarter, year, make_round(period_start=ISSUED, period_end=ISSUED)]
    unit = make_unit()
    made = {name: make_indicator(unit=unit, frequency=name) for name in Frequency}
    here, elsewhere = (make_indicator(unit=unit, frequency=ONCE) for _ in range(2))
    make_observation(indicator=here, published=ISSUED, round=year)
    make_observation(indicator=elsewhere, published=ISSUED)
    with django_assert_num_queries(2):
        found = due_in_rounds(rounds, Indicator.objects.all())
    asked = [set(found[round_.pk]) for round_ in rounds]
    assert asked == [asked_for(round_) for round_ in rounds]
    assert asked == [
        {made[ONCE], made[MONTHLY], made[QUARTERLY]},
        {*made.values(), here},
        {made[ONCE]},
    ]


def test_a_round_asks_a_department_for_what_it_leads_in_the_order_of_the_report(
    third_quarter, django_assert_num_queries
):
    office, unit = make_department(), make_unit()
    measure = make_measure(lead=office)
    second = make_indicator(measure=measure, unit=unit, frequency=QUARTERLY, order=2)
    first = make_indicator(measure=measure, unit=unit, frequency=MONTHLY, order=1)
    make_indicator(measure=measure, unit=unit, frequency=YEARLY)
    make_indicator(unit=unit, frequency=QUARTERLY)
    make_observation(indicator=second, published=ISSUED)
    with django_assert_num_queries(2):
        found = list(indicators_of(third_quarter, office))
        assert [row.latest and row.latest.value for row in found] == [None, 5]
    assert found == [first, second]


def test_a_new_entry_of_a_total_begins_where_the_latest_one_began(third_quarter):
    office = make_department(name="科委")
    total = make_indicator(
        measure=make_measure(lead=office), kind=Kind.CUMULATIVE, frequency=QUARTERLY
    )
    make_observation(indicator=total, published=ISSUED, period_start=SINCE)
    third_quarter.refresh_from_db()
    row = new_entry(indicators_of(third_quarter, office).get(), third_quarter, office)
    assert (row.period_start, row.period_end) == (SINCE, third_quarter.period_end)
    assert (row.indicator, row.round) == (total, third_quarter)
    assert (row.source_name, row.pk) == (f"科委{third_quarter.name}", None)


def test_new_entries_of_one_form_are_rows_of_their_own_as_the_model_makes_them(third_quarter):
    office = make_department()
    for _n in range(2):
        make_indicator(measure=make_measure(lead=office), frequency=QUARTERLY)
    third_quarter.refresh_from_db()
    indicators = indicators_of(third_quarter, office)
    entries = NewEntries(third_quarter, office)
    rows = [entries.of(indicator) for indicator in indicators]
    for row, indicator in zip(rows, indicators, strict=True):
        same = Observation(
            indicator=indicator, round=third_quarter, period_start=row.period_start,
            period_end=row.period_end, source_name=row.source_name, code=row.code,
            entered_at=row.entered_at,
        )  # fmt: skip
        assert model_to_dict(row) == model_to_dict(same)
        assert vars(row).keys() == vars(same).keys()
        row.value, row.as_written = 5, "5"
    insert_all(rows)
    stored = Observation.objects.order_by("pk")
    assert [(row.indicator, row.pk) for row in stored] == [(row.indicator, row.pk) for row in rows]


def test_an_indicator_is_due_from_the_day_on_which_it_became_public(third_quarter):
    ends = third_quarter.period_end
    on_the_last_day = make_indicator(frequency=QUARTERLY, published_on=ends)
    make_indicator(frequency=QUARTERLY, published_on=ends + timedelta(days=1))
    make_indicator(frequency=QUARTERLY, published_on=None)
    make_indicator(frequency=QUARTERLY, measure=make_measure(published_on=ends + timedelta(days=1)))

    assert asked_for(third_quarter) == {on_the_last_day}
    assert due_in_rounds([third_quarter], Indicator.objects.select_related("measure")) == {
        third_quarter.pk: [on_the_last_day]
    }


def test_or_from_a_later_day_that_a_steward_set(third_quarter):
    ends = third_quarter.period_end
    in_time = make_indicator(frequency=QUARTERLY, due_from=ends)
    make_indicator(frequency=QUARTERLY, due_from=ends + timedelta(days=1))

    assert asked_for(third_quarter) == {in_time}
    assert due_in_rounds([third_quarter], Indicator.objects.select_related("measure")) == {
        third_quarter.pk: [in_time]
    }


def test_a_locked_round_keeps_what_it_asked_for_and_of_whom(third_quarter):
    first, second = make_department(), make_department()
    moving, staying = (
        make_indicator(measure=make_measure(lead=first), frequency=QUARTERLY) for _ in range(2)
    )
    make_indicator(frequency=QUARTERLY)

    fix(third_quarter)
    reword(moving.measure, lead=second)
    make_indicator(measure=make_measure(lead=first), frequency=QUARTERLY)
    third_quarter.refresh_from_db()
    fix(third_quarter)

    key = third_quarter.pk
    assert due_by_department([third_quarter], [first, second]) == {
        (key, first.pk, moving.pk), (key, first.pk, staying.pk)
    }  # fmt: skip
    assert set(indicators_of(third_quarter, first)) == {staying}
    assert set(indicators_of(third_quarter, second)) == set()
    another = make_round()
    assert (another.pk, second.pk, moving.pk) in due_by_department([another], [first, second])


def test_what_was_due_in_a_locked_round_cannot_be_rewritten(third_quarter):
    lead = make_department()
    indicator = make_indicator(measure=make_measure(lead=lead), frequency=QUARTERLY)
    fix(third_quarter)
    late = make_indicator(measure=make_measure(lead=lead), frequency=QUARTERLY)
    (row,) = RoundDue.objects.all()
    assert row.indicator == indicator

    for rewrite in (
        lambda: RoundDue.objects.update(indicator=late),
        lambda: RoundDue.objects.all()._raw_delete(RoundDue.objects.db),
        lambda: RoundDue.objects.create(round=third_quarter, indicator=late, department=lead),
        lambda: Round.objects.update(due_fixed_at=None),
        lambda: Round.objects.update(due_fixed_at=timezone.now()),
    ):
        with pytest.raises(DatabaseError, match="what was due"), transaction.atomic():
            rewrite()
    Round.objects.update(locked=False)
    assert RoundDue.objects.get() == row
