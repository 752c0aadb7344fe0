"""Periods without a figure: when they may be said, what they count for, and what stands beside."""

from datetime import date, timedelta

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from measures import workflow
from measures.models import Withdrawal
from measures.submission import State
from measures.tests.factories import ISSUED, make_round, make_user
from measures.workflow import TransitionError

from ..assessment import assess, gaps_of, unexplained
from ..due import counts_of, fix, handed_in_of
from ..models import Indicator, NoFigure
from ..rules.choices import Frequency, Freshness, Kind
from ..rules.freshness import timeliness
from ..withdrawal import withdraw
from .factories import (
    make_indicator,
    make_no_figure,
    make_observation,
    make_round_due,
    make_withdrawal,
)

pytestmark = pytest.mark.django_db

DAY = date(2024, 5, 1)
Q3 = {"period_start": date(2023, 7, 1), "period_end": date(2023, 9, 30)}
Q4 = {"period_start": date(2023, 10, 1), "period_end": date(2023, 12, 31)}


def end(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("latest", "without", "state", "missed"),
    [
        ("2023-09-30", None, Freshness.LATE, 2),
        ("2023-09-30", "2023-12-31", Freshness.LATE, 1),
        ("2023-09-30", "2024-03-31", Freshness.CURRENT, 0),
        ("2024-03-31", "2023-12-31", Freshness.CURRENT, 0),
        # Where nothing was ever reported, silence after it is no mere delay.
        (None, "2024-03-31", Freshness.CURRENT, 0),
        (None, "2023-12-31", Freshness.NEVER, 0),
        (None, None, Freshness.NEVER, 0),
    ],
)
def test_a_period_without_a_figure_counts_as_reported(latest, without, state, missed):
    found = timeliness(
        Frequency.QUARTERLY,
        latest and end(latest),
        DAY,
        grace_days=15,
        agreed_on=ISSUED,
        no_figure_end=without and end(without),
    )
    assert (found.state, found.missed) == (state, missed)


@pytest.fixture
def firms(db):
    return make_indicator(frequency=Frequency.QUARTERLY, kind=Kind.FLOW, published_on=ISSUED)


def loaded(indicator, as_of=None):
    lists = Indicator.objects.with_latest(as_of).get(pk=indicator.pk)
    pages = Indicator.objects.with_history(as_of).get(pk=indicator.pk)
    assert lists.periods_without_figure == pages.periods_without_figure
    return pages


def test_it_counts_from_the_day_on_which_it_is_public_and_stays_no_gap(firms):
    make_observation(indicator=firms, published=ISSUED, period_start=date(2023, 4, 1),
                     period_end=date(2023, 6, 30))  # fmt: skip
    make_observation(indicator=firms, published=end("2024-02-01"), **Q4)
    make_no_figure(indicator=firms, published=end("2024-02-03"), **Q3)
    make_no_figure(indicator=firms, period_start=None, period_end=date(2024, 3, 31))
    for day, gaps in ((end("2024-02-02"), 1), (end("2024-02-03"), 0)):
        row = loaded(firms, day)
        assert assess(row, None, day).timeliness.gaps == gaps
        # The chart still has no line through it.
        assert len(gaps_of(row, row.public_values)) == 1
    assert unexplained(row, gaps_of(row, row.public_values)) == []
    assert row.periods_without_figure == [(Q3["period_start"], Q3["period_end"])]


def test_of_flows_another_length_with_the_same_end_is_another_period(firms):
    year = {"period_start": date(2023, 1, 1), "period_end": date(2023, 12, 31)}
    quarter = make_no_figure(indicator=firms, published=ISSUED + timedelta(days=400), **Q4)
    make_observation(indicator=firms, published=ISSUED + timedelta(days=401), **year)
    assert list(NoFigure.objects.standing()) == [quarter]
    make_observation(indicator=firms, published=ISSUED + timedelta(days=402), **Q4)
    assert not NoFigure.objects.standing().exists()
    assert list(NoFigure.objects.standing(ISSUED + timedelta(days=401))) == [quarter]


def test_it_is_not_said_beside_a_public_value_nor_of_what_is_to_come(firms):
    make_observation(indicator=firms, published=end("2024-01-05"), **Q4)
    clerk, reviewer = make_user(), make_user()
    told = make_no_figure(indicator=firms, entered_by=clerk, changed_by=clerk, **Q4)
    with pytest.raises(TransitionError, match="已公布|is public"):
        workflow.submit(told, by=clerk)
    told = make_no_figure(indicator=firms, entered_by=clerk, changed_by=clerk, **Q3)
    workflow.submit(told, by=clerk)
    workflow.publish(told, by=reviewer)
    tomorrow = timezone.localdate() + timedelta(days=1)
    coming = {"period_start": None, "period_end": tomorrow}
    ahead = make_no_figure(indicator=firms, entered_by=clerk, changed_by=clerk, **coming)
    with pytest.raises(TransitionError):
        workflow.submit(ahead, by=clerk)
    with pytest.raises(DatabaseError), transaction.atomic():
        make_no_figure(
            indicator=firms, state=State.PUBLISHED, published_at=timezone.now(),
            period_start=date(2020, 1, 1), period_end=tomorrow,
        )  # fmt: skip


def test_it_is_corrected_and_withdrawn_like_a_value(firms):
    told = make_no_figure(indicator=firms, published=end("2024-01-05"), **Q3)
    clerk = make_user()
    draft = workflow.correct(told, by=clerk, reason="原因有误")
    assert (draft.reason, draft.period, draft.revision) == (told.reason, told.period, 2)
    workflow.delete(draft, by=clerk)
    withdraw(told, by=clerk, reason="误报")
    assert Withdrawal.objects.get().subject_type == "nofigure"
    Withdrawal.objects.all().delete()
    make_withdrawal(told, published=end("2024-02-05"))
    assert loaded(firms).periods_without_figure == []
    assert loaded(firms, end("2024-02-04")).periods_without_figure == [told.period]
    with pytest.raises(DatabaseError), transaction.atomic():
        NoFigure.objects.filter(pk=told.pk).update(note="改")


def test_what_a_locked_round_asked_for_and_what_was_handed_in():
    """Of three figures due one is handed in, one is said to be none, one is a draft."""
    round_ = make_round()
    due = [make_indicator() for _ in range(3)]
    for row in due:
        make_round_due(round=round_, indicator=row)
    make_observation(indicator=due[0], round=round_, state=State.SUBMITTED)
    make_no_figure(indicator=due[1], round=round_, state=State.SUBMITTED)
    make_no_figure(indicator=due[2], round=round_)
    make_observation(indicator=make_indicator(), round=round_)
    fix(round_)
    assert handed_in_of([round_]) == {(round_.pk, row.pk) for row in due[:2]}
    assert counts_of(round_) == (3, 2, 2)
