"""What can be concluded about an indicator; the plan of the tests runs from 2021 to 2023."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from measures.tests.factories import ISSUED

from ..assessment import assess
from ..models import Indicator
from ..rules import progress
from ..rules.choices import Claim, Comparator, Frequency, Kind, Qualifier, Verdict
from .factories import make_indicator, make_observation, make_target

pytestmark = pytest.mark.django_db

LAST_DAY = date(2023, 12, 31)
DAY_AFTER = date(2024, 1, 1)
HALFWAY = date(2022, 7, 2)  # day 548 of 1095: 50.05 % of the time

MONTHLY_TOTAL = {"kind": Kind.CUMULATIVE, "frequency": Frequency.MONTHLY}


def assessed(on, *, value=None, qualifier=Qualifier.EXACT, target=None, indicator=None, as_of=None):
    """The assessment on that day of an indicator with that value and those targets' fields."""
    row = make_indicator(**indicator or {})
    if value is not None:
        make_observation(indicator=row, value=Decimal(value), qualifier=qualifier, published=ISSUED)
    if target is not None:
        make_target(indicator=row, published=ISSUED, **target)
    row = Indicator.objects.with_latest(as_of).get(pk=row.pk)
    return assess(row, row.current_target, on)


def test_the_reports_own_claims_cannot_be_verified():
    """Academician workstations: reported exceeded and met early; no value, no due date."""
    found = assessed(
        ISSUED, value=33, target={"value": None, "claim": Claim.EXCEEDED_EARLY, "due_on": None}
    )
    assert found.verdict == Verdict.CLAIM_UNVERIFIABLE
    assert found.completion == progress.Answer(reason=progress.TARGET_UNKNOWN)
    assert (found.latest.value, found.target.claim) == (33, Claim.EXCEEDED_EARLY)


@pytest.mark.parametrize("claim", [Claim.MET, Claim.MET_EARLY, Claim.EXCEEDED_EARLY])
@pytest.mark.parametrize("on", [ISSUED, DAY_AFTER])
@pytest.mark.parametrize("value", [None, 33])
def test_no_day_and_no_value_verifies_a_claim_without_a_target(claim, on, value):
    found = assessed(on, value=value, target={"value": None, "claim": claim})
    assert found.verdict == Verdict.CLAIM_UNVERIFIABLE
    assert found.completion.value is None


@pytest.mark.parametrize("claim", [Claim.NONE, Claim.NOT_MET])
def test_a_target_without_value_and_without_a_claim_is_unknown(claim):
    found = assessed(ISSUED, value=33, target={"value": None, "claim": claim})
    assert found.verdict == Verdict.TARGET_UNKNOWN
    assert found.completion == progress.Answer(reason=progress.TARGET_UNKNOWN)


@pytest.mark.parametrize("value", [None, 33])
def test_without_a_target_there_is_nothing_to_reach(value):
    found = assessed(ISSUED, value=value)
    assert (found.verdict, found.target) == (Verdict.NO_TARGET, None)
    assert found.completion.value is None
    assert found.completion.reason


def test_a_draft_target_is_no_target():
    row = make_indicator()
    make_observation(indicator=row, published=ISSUED)
    make_target(indicator=row)
    row = Indicator.objects.with_latest().get()
    assert assess(row, row.current_target, ISSUED).verdict == Verdict.NO_TARGET


@pytest.mark.parametrize(
    ("value", "target", "on", "verdict", "completion"),
    [
        (12, 10, ISSUED, Verdict.MET, 120),
        (10, 10, DAY_AFTER, Verdict.MET, 100),
        (5, 10, LAST_DAY, Verdict.NOT_ASSESSABLE, 50),
        (5, 10, DAY_AFTER, Verdict.MISSED, 50),
        (0, 10, DAY_AFTER, Verdict.MISSED, 0),
    ],
)
def test_a_yearly_figure_against_its_target(value, target, on, verdict, completion):
    found = assessed(on, value=value, target={"value": Decimal(target)})
    assert (found.verdict, found.completion.value) == (verdict, completion)


def test_silence_after_the_due_date_is_a_missed_target():
    target = {"value": Decimal(10)}
    found = assessed(LAST_DAY, target=target)
    assert (found.verdict, found.completion.reason) == (Verdict.NO_DATA, progress.NO_DATA)
    assert assessed(DAY_AFTER, target=target).verdict == Verdict.MISSED
    assert found.latest is None


def test_a_target_falls_due_on_its_own_day_and_else_with_its_plan():
    own = {"value": Decimal(10), "due_on": date(2022, 12, 31)}
    assert assessed(date(2022, 12, 31), target=own).verdict == Verdict.NO_DATA
    assert assessed(date(2023, 1, 1), target=own).verdict == Verdict.MISSED
    with_plan = {"value": Decimal(10), "due_on": None}
    assert assessed(date(2023, 1, 1), target=with_plan).verdict == Verdict.NO_DATA


@pytest.mark.parametrize(
    ("value", "tolerance", "verdict"),
    [
        (45, 10, Verdict.ON_TRACK),  # 5.05 points behind
        (41, 10, Verdict.ON_TRACK),  # 9.05 points behind
        (40, 10, Verdict.BEHIND),  # 10.05 points behind
        (45, 5, Verdict.BEHIND),
        (60, 0, Verdict.ON_TRACK),
    ],
)
def test_a_monthly_total_is_held_against_the_time_used(value, tolerance, verdict, settings):
    settings.PACE_TOLERANCE_POINTS = tolerance
    found = assessed(HALFWAY, value=value, target={"value": Decimal(100)}, indicator=MONTHLY_TOTAL)
    assert (found.verdict, found.completion.value) == (verdict, value)


def test_a_baseline_is_where_the_way_begins():
    stock = {"kind": Kind.STOCK, "frequency": Frequency.QUARTERLY}
    target = {"value": Decimal(60), "baseline": Decimal(50)}
    found = assessed(HALFWAY, value=55, target=target, indicator=stock)
    assert (found.verdict, found.completion.value) == (Verdict.ON_TRACK, 50)
    worse = assessed(HALFWAY, value=48, target=target, indicator=stock)
    assert (worse.verdict, worse.completion.value) == (Verdict.BEHIND, -20)


def test_an_upper_limit_is_kept_or_broken():
    limit = {"value": Decimal(100), "comparator": Comparator.AT_MOST}
    found = assessed(HALFWAY, value=90, target=limit, indicator=MONTHLY_TOTAL)
    assert (found.verdict, found.completion.reason) == (Verdict.ON_TRACK, progress.LIMIT_IS_KEPT)
    broken = assessed(HALFWAY, value=101, target=limit, indicator=MONTHLY_TOTAL)
    assert broken.verdict == Verdict.MISSED


@pytest.mark.parametrize(
    ("qualifier", "verdict"),
    [
        (Qualifier.EXACT, Verdict.MET),
        (Qualifier.OVER, Verdict.MET),
        (Qualifier.NEARLY, Verdict.MISSED),
        (Qualifier.ABOUT, Verdict.NOT_ASSESSABLE),
    ],
)
def test_how_exact_a_figure_is_decides_at_the_edge(qualifier, verdict):
    found = assessed(DAY_AFTER, value=10, qualifier=qualifier, target={"value": Decimal(10)})
    assert found.verdict == verdict


def test_a_claim_does_not_hide_that_a_target_was_missed():
    found = assessed(DAY_AFTER, value=5, target={"value": Decimal(10), "claim": Claim.MET})
    assert (found.verdict, found.target.claim) == (Verdict.MISSED, Claim.MET)


def test_what_was_not_public_yet_is_not_assessed():
    day_before = ISSUED - timedelta(days=1)
    target = {"value": Decimal(10)}
    found = assessed(day_before, value=12, target=target, as_of=day_before)
    assert (found.verdict, found.latest, found.target) == (Verdict.NO_TARGET, None, None)


def test_zero_as_a_target_has_no_completion_but_a_verdict():
    found = assessed(DAY_AFTER, value=0, target={"value": Decimal(0)})
    assert (found.verdict, found.completion.reason) == (Verdict.MET, progress.NO_RATIO)
