"""Which verdicts and results of checks differ between the ends of two days."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from measures.tests.factories import ISSUED, make_measure, reword
from metrics.models import CheckTerm
from metrics.rules.checks import CheckKind, Result, Role
from metrics.rules.choices import Certainty, Claim, Verdict
from metrics.tests.factories import (
    make_check,
    make_indicator,
    make_observation,
    make_plan,
    make_target,
    make_term,
)
from metrics.tests.test_history import corrected

from ..changes.states import StateChange, state_changes

pytestmark = pytest.mark.django_db

JULY, AUGUST, SEPTEMBER = date(2023, 7, 31), date(2023, 8, 10), date(2023, 9, 1)
PLAN_ENDS = date(2023, 12, 31)
BEFORE = ISSUED - timedelta(days=1)


def rows(changes):
    """(subject, before, after) of each."""
    return [
        (change.check or change.target.indicator, change.before, change.after) for change in changes
    ]


def aimed_at(target="10", value="5", **fields):
    """An indicator at ``value`` that aims at ``target``, both public since the day of issue."""
    indicator = make_indicator(**fields)
    make_observation(indicator=indicator, value=Decimal(value), published=ISSUED)
    make_target(indicator=indicator, value=target and Decimal(target), published=ISSUED)
    return indicator


def part_of_a_whole(part, whole):
    """A check that 'part' is at most 'whole', on values that are public since the day of issue."""
    check = make_check(kind=CheckKind.PART)
    for role, value in ((Role.PART, part), (Role.WHOLE, whole)):
        term = make_term(check_of=check, role=role)
        make_observation(indicator=term.indicator, value=Decimal(value), published=ISSUED)
    return check


def test_a_correction_of_a_value_changes_the_verdict():
    indicator = aimed_at()
    corrected(indicator.observations.get(), make_observation, AUGUST, "漏计", value=Decimal(12))

    assert rows(state_changes(JULY, AUGUST)) == [(indicator, Verdict.NOT_ASSESSABLE, Verdict.MET)]
    assert rows(state_changes(JULY, AUGUST - timedelta(days=1))) == []
    assert rows(state_changes(AUGUST, SEPTEMBER)) == []


@pytest.mark.parametrize(
    ("before", "after", "trend"),
    [
        (Verdict.BEHIND, Verdict.ON_TRACK, 1),
        (Verdict.MET, Verdict.MISSED, -1),
        (Verdict.NOT_ASSESSABLE, Verdict.MET, 0),
        (Verdict.NO_DATA, Verdict.MISSED, 0),
        (None, Verdict.MET, 0),
        (Result.FAILS, Result.HOLDS, 1),
        (Result.HOLDS, Result.QUESTION, -1),
        (Result.HOLDS, Result.UNKNOWN, 0),
    ],
)
def test_a_state_becomes_better_or_worse_only_where_both_can_be_told(before, after, trend):
    change = StateChange(None, None, None, before, after)

    assert change.trend == trend
    assert replace(change, is_redefined=True).trend == 0


def test_the_calendar_alone_changes_a_verdict():
    indicator = aimed_at()

    changes = state_changes(PLAN_ENDS, PLAN_ENDS + timedelta(days=1))

    assert rows(changes) == [(indicator, Verdict.NOT_ASSESSABLE, Verdict.MISSED)]


def test_a_target_that_becomes_known_in_value_is_the_same_target():
    indicator = aimed_at(target=None)
    target = indicator.targets.get()
    target = corrected(target, make_target, AUGUST, "公布目标值", value=Decimal(4))
    corrected(target, make_target, SEPTEMBER, "更正目标值", value=Decimal(3))

    assert rows(state_changes(JULY, AUGUST)) == [(indicator, Verdict.TARGET_UNKNOWN, Verdict.MET)]
    assert rows(state_changes(JULY, SEPTEMBER)) == [
        (indicator, Verdict.TARGET_UNKNOWN, Verdict.MET)
    ]


def test_two_targets_of_one_indicator_have_a_state_each():
    indicator = aimed_at()
    make_target(
        indicator=indicator,
        plan=make_plan(),
        value=None,
        claim=Claim.MET,
        published=AUGUST,
    )

    assert rows(state_changes(JULY, AUGUST)) == [(indicator, None, Verdict.CLAIM_UNVERIFIABLE)]


def test_a_correction_changes_the_result_of_a_check():
    check = part_of_a_whole(5, 8)
    (part,) = check.terms.filter(role=Role.PART)
    corrected(part.indicator.observations.get(), make_observation, AUGUST, "漏计", value=Decimal(9))

    assert rows(state_changes(JULY, AUGUST)) == [(check, Result.HOLDS, Result.FAILS)]
    assert rows(state_changes(AUGUST, SEPTEMBER)) == []


def test_a_check_and_its_earlier_value_are_looked_up_on_each_day():
    indicator = make_indicator()
    check = make_check(kind=CheckKind.SAME)
    make_term(check_of=check, role=Role.NOW, indicator=indicator)
    make_term(check_of=check, role=Role.BEFORE, indicator=indicator, earlier=True)
    make_observation(indicator=indicator, published=ISSUED)
    make_observation(
        indicator=indicator,
        period_start=date(2023, 1, 1),
        period_end=PLAN_ENDS,
        certainty=Certainty.PRELIMINARY,
        published=AUGUST,
    )

    assert rows(state_changes(JULY, AUGUST)) == [(check, Result.UNKNOWN, Result.HOLDS)]


def test_what_was_not_public_has_no_state_before():
    indicator, check = aimed_at(), part_of_a_whole(5, 8)

    found = rows(state_changes(BEFORE, JULY))

    assert set(found) == {(indicator, None, Verdict.NOT_ASSESSABLE), (check, None, Result.HOLDS)}
    assert rows(state_changes(date(1, 1, 1), BEFORE)) == []


def test_a_check_with_a_figure_that_is_not_public_yet_has_no_state():
    check = part_of_a_whole(5, 8)
    hidden = make_indicator(published_on=SEPTEMBER)
    reword(CheckTerm.objects.get(check_of=check, role=Role.PART), indicator=hidden)

    assert rows(state_changes(BEFORE, AUGUST)) == []
    assert rows(state_changes(BEFORE, SEPTEMBER)) == [(check, None, Result.UNKNOWN)]


def test_a_check_without_figures_has_no_state():
    make_check()

    assert state_changes(BEFORE, JULY) == []


def test_what_is_published_later_today_changes_nothing_yet():
    indicator = aimed_at()
    in_an_hour = timezone.now() + timedelta(hours=1)
    corrected(indicator.observations.get(), make_observation, in_an_hour, "漏计", value=Decimal(12))
    today = timezone.localdate()

    assert rows(state_changes(today - timedelta(days=1), today)) == []


def test_the_last_moment_of_a_day_belongs_to_it():
    indicator = aimed_at()
    moment = datetime(2023, 8, 10, 23, 59, 59, tzinfo=ZoneInfo("Asia/Shanghai"))
    corrected(indicator.observations.get(), make_observation, moment, "漏计", value=Decimal(12))

    assert state_changes(AUGUST - timedelta(days=1), AUGUST) != []
    assert state_changes(AUGUST, SEPTEMBER) == []


def test_states_stand_in_the_order_of_the_report():
    first = make_measure(order=1)
    second = make_measure(order=2, theme=first.theme)
    later, earlier = aimed_at(measure=second), aimed_at(measure=first)

    assert [row for row, _before, _after in rows(state_changes(BEFORE, JULY))] == [
        earlier,
        later,
    ]


def test_ten_times_the_rows_cost_no_further_query():
    def cost():
        with CaptureQueriesContext(connection) as queries:
            for change in state_changes(BEFORE, JULY):
                assert str(change.measure.theme.section)
                assert str(change.target or change.check)
        return len(queries)

    aimed_at()
    part_of_a_whole(5, 8)
    one = cost()
    for _n in range(9):
        aimed_at()
        part_of_a_whole(5, 8)

    assert cost() == one == 4
