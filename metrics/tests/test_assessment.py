"""What can be concluded about an indicator; the plan of the tests runs from 2021 to 2023."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from measures.models import Threshold
from measures.numerals import plain
from measures.tests.factories import ISSUED, reword

from ..assessment import assess, verdict_of
from ..models import Indicator, Unit
from ..rules import progress
from ..rules.baseline import BaselineSource
from ..rules.choices import Certainty, Claim, Comparator, Frequency, Kind, Qualifier, Verdict
from ..wording import percent_text
from .factories import make_indicator, make_money, make_observation, make_plan, make_target

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
def test_a_monthly_total_is_held_against_the_time_used(value, tolerance, verdict):
    reword(Threshold.objects.get(code="pace-tolerance"), value=tolerance)
    found = assessed(HALFWAY, value=value, target={"value": Decimal(100)}, indicator=MONTHLY_TOTAL)
    assert (found.verdict, found.completion.value) == (verdict, value)


def test_a_baseline_is_where_the_way_begins():
    stock = {"kind": Kind.STOCK, "frequency": Frequency.QUARTERLY}
    target = {"value": Decimal(60), "baseline": Decimal(50)}
    found = assessed(HALFWAY, value=55, target=target, indicator=stock)
    assert (found.verdict, found.progress.value) == (Verdict.ON_TRACK, 50)
    # 55 ÷ 60 is another number, and says nothing of the way that the plan went.
    assert percent_text(found.completion.value) == "91.67%"
    worse = assessed(HALFWAY, value=48, target=target, indicator=stock)
    assert (worse.verdict, worse.progress.value) == (Verdict.BEHIND, -20)


def credit(*, before=None, start=None, kind=Kind.CUMULATIVE, **terms):
    """科技信贷金额 of the demonstration: 8.94 of 12 on day 695 of the 1095 of 2025 to 2027.

    ``before`` are values and their last days; ``start`` is where all periods begin.
    """
    unit = Unit.objects.filter(name="亿元").first() or make_money()["亿元"]
    row = make_indicator(kind=kind, frequency=Frequency.QUARTERLY, unit=unit)
    plan = make_plan(start_on=date(2025, 1, 1), end_on=date(2027, 12, 31))
    for value, end, fields in [*(before or ()), ("8.94", date(2026, 9, 30), {})]:
        make_observation(
            **{
                "indicator": row,
                "value": Decimal(value),
                "period_start": start,
                "period_end": end,
                "published": end + timedelta(days=7),
                **fields,
            }
        )
    fields = {"value": Decimal(12), "published": date(2025, 1, 8)} | terms
    make_target(indicator=row, plan=plan, **fields)
    on = date(2026, 11, 26)
    as_lists = Indicator.objects.with_latest().get(pk=row.pk)
    as_pages = Indicator.objects.with_history().get(pk=row.pk)
    of_list, of_page = (assess(row, row.current_target, on) for row in (as_lists, as_pages))
    assert of_list.baseline == of_page.baseline
    assert (
        of_list.verdict
        == of_page.verdict
        == verdict_of(
            as_pages, as_pages.public_values, as_pages.current_target, on, tolerance_points=10
        )
    )
    return of_list


def said_of(state):
    return (
        state.baseline and plain(state.baseline.value),
        percent_text(state.completion.value),
        percent_text(state.progress.value),
        state.verdict,
    )


def test_a_total_that_began_before_the_plan_is_paced_from_its_value_then():
    """(8.94 − 6.02) ÷ (12 − 6.02) is 48.83 % where 63.47 % of the time is used."""
    found = credit(before=[("5.64", date(2024, 9, 30), {}), ("6.02", date(2024, 12, 31), {})])
    assert said_of(found) == ("6.02", "74.5%", "48.83%", Verdict.BEHIND)
    assert found.baseline.source == BaselineSource.BEFORE
    assert found.baseline.before.period == (None, date(2024, 12, 31))
    assert percent_text(found.time_used.value) == "63.47%"


def test_a_published_baseline_goes_before_the_last_value():
    found = credit(before=[("6.02", date(2024, 12, 31), {})], baseline=Decimal(4))
    # 4.94 of 8.
    assert said_of(found) == ("4", "74.5%", "61.75%", Verdict.ON_TRACK)
    assert found.baseline.source == BaselineSource.STATED


def test_a_total_without_a_value_before_the_plan_has_no_pace():
    found = credit(before=[("6.02", date(2025, 1, 2), {})])
    assert said_of(found) == (None, "74.5%", "", Verdict.NOT_ASSESSABLE)
    assert found.progress.reason == progress.NO_BASELINE


def test_a_value_of_the_plans_first_day_is_a_baseline():
    assert credit(before=[("6.02", date(2025, 1, 1), {})]).baseline.value == Decimal("6.02")


def test_what_was_only_expected_is_no_baseline():
    before = [("6.02", date(2024, 12, 31), {"certainty": Certainty.EXPECTED})]
    assert credit(before=before).baseline is None


def test_a_total_that_began_on_another_day_is_no_baseline():
    before = [("6.02", date(2024, 12, 31), {"period_start": date(2022, 1, 1)})]
    assert credit(before=before).baseline is None


def test_a_total_that_begins_with_the_plan_begins_at_zero():
    found = credit(start=date(2025, 1, 1))
    assert said_of(found) == ("0", "74.5%", "74.5%", Verdict.ON_TRACK)
    assert found.baseline.source == BaselineSource.ZERO


def test_a_value_corrected_later_was_the_baseline_until_then():
    found = credit(before=[("6.02", date(2024, 12, 31), {})])
    row = found.target.indicator
    old = row.observations.get(value=Decimal("6.02"))
    make_observation(
        indicator=row,
        value=Decimal(3),
        period_start=None,
        period_end=old.period_end,
        supersedes=old,
        revision=2,
        correction_reason="更正",
        published=date(2026, 1, 5),
    )
    for as_of, value in ((date(2026, 1, 4), "6.02"), (date(2026, 1, 5), "3")):
        for loaded in (
            Indicator.objects.with_latest(as_of).get(pk=row.pk),
            Indicator.objects.with_history(as_of).get(pk=row.pk),
        ):
            begins = assess(loaded, loaded.current_target, as_of).baseline
            assert begins.value == Decimal(value)


@pytest.mark.parametrize("kind", [Kind.STOCK, Kind.CAPACITY])
def test_a_stock_is_measured_from_its_last_value_too(kind):
    found = credit(before=[("6.02", date(2024, 12, 31), {})], kind=kind)
    assert said_of(found) == ("6.02", "74.5%", "48.83%", Verdict.BEHIND)


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
