"""Completion, schedule and verdict; expected values are worked out by hand."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ..rules import progress
from ..rules.choices import Claim, Comparator, Frequency, Kind, Qualifier, Verdict
from ..rules.progress import (
    Answer,
    change,
    completion,
    growth,
    holds_since,
    holds_until,
    is_met,
    multiple,
    needed_per_quarter,
    pace,
    reached_on,
    remaining,
    time_used,
    verdict,
)

pytestmark = pytest.mark.once("pure rules")

AT_LEAST, AT_MOST, EXACTLY = Comparator.AT_LEAST, Comparator.AT_MOST, Comparator.EXACTLY


def number(value):
    return None if value is None else Decimal(value)


def answer(value):
    """The expected answer: a number, or one of the reasons of ``progress``."""
    return Answer(Decimal(value)) if isinstance(value, str | int) else Answer(reason=value)


@pytest.mark.parametrize("both_or_neither", [{}, {"value": Decimal(1), "reason": "no"}])
def test_an_answer_is_either_a_value_or_a_reason(both_or_neither):
    with pytest.raises(ValueError, match="either"):
        Answer(**both_or_neither)


@pytest.mark.parametrize(
    ("value", "target", "comparator", "expected"),
    [
        ("30", "40", AT_LEAST, "75"),
        ("0", "40", AT_LEAST, "0"),
        ("50", "40", AT_LEAST, "125"),
        ("-4", "40", AT_LEAST, "-10"),
        ("833", "800", AT_LEAST, "104.125"),
        (None, "40", AT_LEAST, progress.NO_DATA),
        ("30", None, AT_LEAST, progress.TARGET_UNKNOWN),
        ("30", "0", AT_LEAST, progress.NO_RATIO),
        ("30", "-5", AT_LEAST, progress.NO_RATIO),
        ("0.5", "1", AT_LEAST, "50"),
        ("15", "30", AT_MOST, progress.LIMIT_IS_KEPT),
        ("30", "40", EXACTLY, "75"),
    ],
)
def test_completion_is_value_by_target(value, target, comparator, expected):
    assert completion(number(value), number(target), comparator=comparator) == answer(expected)


@pytest.mark.parametrize(
    ("value", "target", "comparator", "baseline", "expected"),
    [
        ("30", "40", AT_LEAST, "0", "75"),
        ("55", "60", AT_LEAST, "50", "50"),
        ("60", "60", AT_LEAST, "50", "100"),
        ("62", "60", AT_LEAST, "50", "120"),
        ("48", "60", AT_LEAST, "50", "-20"),
        ("-1", "0", AT_LEAST, "-4", "75"),
        # From 301 down to 271, where 361 is aimed at: 30 back, and 60 were to go.
        ("271", "361", AT_LEAST, "301", "-50"),
        ("55", "50", AT_LEAST, "50", progress.BASELINE_IS_TARGET),
        ("55", "40", AT_LEAST, "50", progress.BASELINE_BEYOND_TARGET),
        ("55", "49", AT_LEAST, "50", progress.BASELINE_BEYOND_TARGET),
        # Lower is better: from 20 down to 10.
        ("15", "10", AT_MOST, "20", "50"),
        ("8", "10", AT_MOST, "20", "120"),
        ("22", "10", AT_MOST, "20", "-20"),
        ("5", "0", AT_MOST, "20", "75"),
        ("15", "30", AT_MOST, "20", progress.BASELINE_BEYOND_TARGET),
        ("15", "10", EXACTLY, "20", "50"),
        ("25", "30", EXACTLY, "20", "50"),
        ("33", "30", EXACTLY, "20", "130"),
        ("30", "40", AT_LEAST, None, progress.NO_BASELINE),
        (None, "40", AT_LEAST, "0", progress.NO_DATA),
        ("30", None, AT_LEAST, "0", progress.TARGET_UNKNOWN),
    ],
)
def test_progress_is_the_way_since_the_baseline(value, target, comparator, baseline, expected):
    done = progress.progress(
        number(value), number(target), comparator=comparator, baseline=number(baseline)
    )
    assert done == answer(expected)


@pytest.mark.parametrize(
    ("value", "comparator", "qualifier", "expected"),
    [
        ("100", AT_LEAST, Qualifier.EXACT, True),
        ("99.9999", AT_LEAST, Qualifier.EXACT, False),
        ("100", AT_MOST, Qualifier.EXACT, True),
        ("100.0001", AT_MOST, Qualifier.EXACT, False),
        ("100", EXACTLY, Qualifier.EXACT, True),
        ("101", EXACTLY, Qualifier.EXACT, False),
        # 近100 is less than 100, 100余 is more.
        ("100", AT_LEAST, Qualifier.NEARLY, False),
        ("100", AT_MOST, Qualifier.NEARLY, True),
        ("100", EXACTLY, Qualifier.NEARLY, False),
        ("100", AT_LEAST, Qualifier.OVER, True),
        ("100", AT_MOST, Qualifier.OVER, False),
        ("100", AT_LEAST, Qualifier.ABOUT, None),
        ("100", AT_MOST, Qualifier.ABOUT, None),
        # 90余 lies between 90 and 100, 80余 between 80 and 90, 近110 between 100 and 110.
        ("90", AT_LEAST, Qualifier.OVER, False),
        ("80", AT_LEAST, Qualifier.OVER, False),
        ("98.5", AT_LEAST, Qualifier.OVER, False),
        ("110", AT_LEAST, Qualifier.NEARLY, True),
        ("200", AT_LEAST, Qualifier.NEARLY, True),
        ("104", AT_LEAST, Qualifier.ABOUT, True),
        ("96", AT_LEAST, Qualifier.ABOUT, False),
    ],
)
def test_whether_a_target_of_100_is_met(value, comparator, qualifier, expected):
    assert is_met(Decimal(value), Decimal(100), comparator, qualifier) is expected


@pytest.mark.parametrize(
    ("value", "qualifier"),
    [
        ("2700", Qualifier.OVER),
        ("2800", Qualifier.NEARLY),
        ("2800", Qualifier.ABOUT),
        ("2700", Qualifier.ABOUT),
    ],
)
def test_a_figure_too_rough_for_the_target_leaves_open_whether_it_is_met(value, qualifier):
    assert is_met(Decimal(value), Decimal(2750), AT_LEAST, qualifier) is None


@pytest.mark.parametrize(
    ("value", "qualifier", "low", "high"),
    [
        ("2700", Qualifier.OVER, "2700", "2800"),
        ("2.1", Qualifier.OVER, "2.1", "2.2"),
        ("30", Qualifier.NEARLY, "20", "30"),
        ("5", Qualifier.ABOUT, "4.5", "5.5"),
        ("300", Qualifier.ABOUT, "250", "350"),
    ],
)
def test_an_inexact_figure_is_rounded_at_its_last_digit_other_than_0(value, qualifier, low, high):
    assert progress.bounds(Decimal(value), qualifier) == (Decimal(low), Decimal(high))


@pytest.mark.parametrize(("value", "target"), [(None, "1"), ("1", None), (None, None)])
def test_nothing_is_met_or_unmet_without_value_and_target(value, target):
    assert is_met(number(value), number(target), AT_LEAST) is None


@pytest.mark.parametrize(
    ("start", "end", "on", "expected"),
    [
        (date(2023, 1, 1), date(2023, 4, 10), date(2023, 2, 19), "50"),  # 50 of 100 days
        (date(2023, 1, 1), date(2023, 4, 10), date(2023, 1, 1), "1"),
        (date(2023, 1, 1), date(2023, 4, 10), date(2022, 12, 31), "0"),
        (date(2023, 1, 1), date(2023, 4, 10), date(2023, 4, 10), "100"),
        (date(2023, 1, 1), date(2023, 4, 10), date(2024, 1, 1), "100"),
        (date(2023, 1, 1), date(2023, 1, 1), date(2023, 1, 1), "100"),
        (date(2023, 1, 2), date(2023, 1, 1), date(2023, 1, 1), progress.PERIOD_REVERSED),
        (None, date(2023, 1, 1), date(2023, 1, 1), progress.PERIOD_UNKNOWN),
        (date(2023, 1, 1), None, date(2023, 1, 1), progress.PERIOD_UNKNOWN),
    ],
)
def test_time_used(start, end, on, expected):
    assert time_used(start, end, on) == answer(expected)


@pytest.mark.parametrize(
    ("value", "target", "comparator", "expected"),
    [
        ("30", "40", AT_LEAST, "10"),
        ("50", "40", AT_LEAST, "0"),
        ("50", "49", AT_LEAST, "0"),
        ("50", "40", AT_MOST, "10"),
        ("30", "40", AT_MOST, "0"),
        ("50", "40", EXACTLY, "10"),
        ("30", "40", EXACTLY, "10"),
        (None, "40", AT_LEAST, progress.NO_DATA),
        ("30", None, AT_LEAST, progress.TARGET_UNKNOWN),
    ],
)
def test_remaining(value, target, comparator, expected):
    assert remaining(number(value), number(target), comparator) == answer(expected)


@pytest.mark.parametrize(
    ("left", "on", "due", "expected"),
    [
        # July to December: two quarters; on 29 June the second quarter still has a day.
        ("10", date(2023, 6, 30), date(2023, 12, 31), "5"),
        ("12", date(2023, 6, 29), date(2023, 12, 31), "4"),
        ("12", date(2023, 12, 31), date(2024, 12, 31), "3"),
        ("12", date(2023, 12, 30), date(2023, 12, 31), "12"),
        # July 2023 to December 2024: six quarters.
        ("12", date(2023, 6, 30), date(2024, 12, 31), "2"),
        ("0", date(2024, 6, 30), date(2023, 12, 31), "0"),
        ("10", date(2023, 12, 31), date(2023, 12, 31), progress.NO_TIME_LEFT),
        ("10", date(2023, 6, 30), None, progress.DUE_UNKNOWN),
        (progress.NO_DATA, date(2023, 6, 30), date(2023, 12, 31), progress.NO_DATA),
    ],
)
def test_what_each_quarter_still_has_to_bring(left, on, due, expected):
    assert needed_per_quarter(answer(left), on, due) == answer(expected)


def paced(kind=Kind.CUMULATIVE, frequency=Frequency.QUARTERLY, baseline=0):
    return {"kind": kind, "frequency": frequency, "baseline": number(baseline)}


@pytest.mark.parametrize(
    ("done", "elapsed", "terms", "expected"),
    [
        ("60", "50", paced(), "10"),
        ("40", "50", paced(), "-10"),
        ("40", "50", paced(Kind.FLOW, Frequency.MONTHLY), "-10"),
        ("40", "50", paced(Kind.STOCK, baseline=0), "-10"),
        ("40", "50", paced(Kind.STOCK, baseline=None), progress.NOT_PACED_BASELINE),
        ("40", "50", paced(Kind.CAPACITY, baseline=None), progress.NOT_PACED_BASELINE),
        ("40", "50", paced(baseline=None), progress.NOT_PACED_TOTAL),
        ("40", "50", paced(Kind.SHARE, baseline=0), progress.NOT_PACED),
        ("40", "50", paced(Kind.GROWTH, baseline=0), progress.NOT_PACED),
        ("40", "50", paced(Kind.RANK, baseline=0), progress.NOT_PACED),
        ("40", "50", paced(frequency=Frequency.YEARLY), progress.NOT_PACED_YEARLY),
        ("40", "50", paced(frequency=Frequency.ONCE), progress.NOT_PACED_YEARLY),
        (progress.NO_DATA, "50", paced(), progress.NO_DATA),
        ("40", progress.PERIOD_UNKNOWN, paced(), progress.PERIOD_UNKNOWN),
    ],
)
def test_pace_in_percentage_points(done, elapsed, terms, expected):
    assert pace(answer(done), answer(elapsed), **terms) == answer(expected)


START = date(2023, 1, 1)


@pytest.mark.parametrize(
    ("done", "start", "on", "terms", "expected"),
    [
        # Half is done in 10 days, so all is in 20; a third would take 30 and a bit, so 31.
        ("50", START, date(2023, 1, 10), paced(), date(2023, 1, 20)),
        ("33", START, date(2023, 1, 10), paced(), date(2023, 1, 31)),
        ("99", START, date(2023, 1, 10), paced(), date(2023, 1, 11)),
        ("50", START, START, paced(), date(2023, 1, 2)),
        # 4 % in the 1461 days of four years makes 36525 days; half in 18263 would make one more.
        ("4", START, date(2026, 12, 31), paced(), date(2123, 1, 1)),
        ("50", START, date(2072, 12, 31), paced(), progress.TOO_FAR),
        ("100", START, date(2023, 1, 10), paced(), progress.REACHED),
        ("0", START, date(2023, 1, 10), paced(), progress.NO_PROGRESS),
        ("-5", START, date(2023, 1, 10), paced(), progress.MOVED_AWAY),
        ("0.0001", START, date(2023, 1, 10), paced(), progress.TOO_FAR),
        ("50", date(9999, 12, 30), date(9999, 12, 31), paced(), progress.TOO_FAR),
        ("50", START, date(2022, 12, 31), paced(), progress.NOT_STARTED),
        ("50", None, date(2023, 1, 10), paced(), progress.PERIOD_UNKNOWN),
        (progress.NO_RATIO, START, date(2023, 1, 10), paced(), progress.NO_RATIO),
        ("50", START, date(2023, 1, 10), paced(Kind.SHARE), progress.NOT_PACED),
    ],
)
def test_day_on_which_the_target_is_reached_at_this_pace(done, start, on, terms, expected):
    expected = Answer(expected) if isinstance(expected, date) else answer(expected)
    assert reached_on(answer(done), start, on, **terms) == expected


@pytest.mark.parametrize(
    ("now", "before", "expected"),
    [
        ("36.15", "23.14", "56.22"),
        ("13", "3.25", "300"),
        ("5", "10", "-50"),
        ("3", "1", "200"),
        ("5", "0", progress.BASE_NOT_POSITIVE),
        ("5", "-1", progress.BASE_NOT_POSITIVE),
        (None, "10", progress.NO_DATA),
        ("5", None, progress.NO_DATA),
    ],
)
def test_growth_in_percent(now, before, expected):
    grown = growth(number(now), number(before))
    if grown.value is not None:
        grown = Answer(round(grown.value, 2))
    assert grown == answer(expected)


def test_change_is_the_difference():
    assert change(Decimal("36"), Decimal("35")) == answer(1)
    assert change(Decimal("0"), Decimal("35")) == answer(-35)
    assert change(None, Decimal("35")) == answer(progress.NO_DATA)


@pytest.mark.parametrize(("percent", "times"), [("300", "4"), ("0", "1"), ("-50", "0.5")])
def test_growth_as_a_multiple(percent, times):
    assert multiple(Decimal(percent)) == Decimal(times)


def judged(**terms):
    """The verdict halfway (50 of 100 days) through a plan for at least 100 in total."""
    given_terms = {
        "value": 60,
        "target_exists": True,
        "target": 100,
        "comparator": AT_LEAST,
        "baseline": 0,
        "claim": Claim.NONE,
        "start": date(2023, 1, 1),
        "due": date(2023, 4, 10),
        "on": date(2023, 2, 19),
        "kind": Kind.CUMULATIVE,
        "frequency": Frequency.QUARTERLY,
        "qualifier": Qualifier.EXACT,
        "tolerance_points": 5,
        **terms,
    }
    for name in ("value", "target", "baseline", "tolerance_points"):
        given_terms[name] = number(given_terms[name])
    return verdict(**given_terms)


ON_DUE, AFTER_DUE = date(2023, 4, 10), date(2023, 4, 11)
LIMIT = {"comparator": AT_MOST}


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ({}, Verdict.ON_TRACK),
        ({"value": 45}, Verdict.ON_TRACK),
        ({"value": 44}, Verdict.BEHIND),
        ({"value": -1}, Verdict.BEHIND),
        ({"value": 100}, Verdict.MET),
        ({"value": 130}, Verdict.MET),
        # No target, or one that is not known: nothing is computed.
        ({"target_exists": False, "target": None, "claim": Claim.MET}, Verdict.NO_TARGET),
        ({"target": None}, Verdict.TARGET_UNKNOWN),
        ({"target": None, "claim": Claim.NOT_MET}, Verdict.TARGET_UNKNOWN),
        ({"target": None, "claim": Claim.MET}, Verdict.CLAIM_UNVERIFIABLE),
        ({"target": None, "claim": Claim.MET_EARLY}, Verdict.CLAIM_UNVERIFIABLE),
        ({"target": None, "claim": "exceeded-early"}, Verdict.CLAIM_UNVERIFIABLE),
        ({"target": None, "on": AFTER_DUE, "value": None}, Verdict.TARGET_UNKNOWN),
        # A known target is judged by the figure, whatever is claimed.
        ({"value": 44, "claim": Claim.MET_EARLY}, Verdict.BEHIND),
        # Silence is not success.
        ({"value": None}, Verdict.NO_DATA),
        ({"value": None, "on": ON_DUE}, Verdict.NO_DATA),
        ({"value": None, "on": AFTER_DUE}, Verdict.MISSED),
        ({"value": None, "on": AFTER_DUE, "claim": Claim.MET}, Verdict.MISSED),
        ({"value": None, "due": None, "on": AFTER_DUE}, Verdict.NO_DATA),
        ({"value": 99, "on": ON_DUE}, Verdict.ON_TRACK),
        ({"value": 99, "on": AFTER_DUE}, Verdict.MISSED),
        ({"value": 100, "on": AFTER_DUE}, Verdict.MET),
        # How exactly the source states the figure.
        ({"value": 100, "qualifier": Qualifier.NEARLY, "on": AFTER_DUE}, Verdict.MISSED),
        ({"value": 100, "qualifier": Qualifier.NEARLY}, Verdict.ON_TRACK),
        ({"value": 100, "qualifier": Qualifier.OVER}, Verdict.MET),
        ({"value": 100, "qualifier": Qualifier.ABOUT}, Verdict.NOT_ASSESSABLE),
        ({"value": 100, "qualifier": Qualifier.ABOUT, "on": AFTER_DUE}, Verdict.NOT_ASSESSABLE),
        # What has no pace can be met or missed, but not on track or behind.
        ({"kind": Kind.STOCK, "baseline": None}, Verdict.NOT_ASSESSABLE),
        ({"baseline": None}, Verdict.NOT_ASSESSABLE),
        ({"kind": Kind.STOCK, "baseline": 30}, Verdict.BEHIND),
        ({"kind": Kind.STOCK, "baseline": 20}, Verdict.ON_TRACK),
        ({"kind": Kind.SHARE}, Verdict.NOT_ASSESSABLE),
        ({"frequency": Frequency.YEARLY}, Verdict.NOT_ASSESSABLE),
        ({"frequency": Frequency.YEARLY, "value": 100}, Verdict.MET),
        ({"frequency": Frequency.YEARLY, "on": AFTER_DUE}, Verdict.MISSED),
        ({"start": None}, Verdict.NOT_ASSESSABLE),
        ({"due": None}, Verdict.NOT_ASSESSABLE),
        ({"target": 0, "value": -1}, Verdict.NOT_ASSESSABLE),
        # A limit on a total is kept only when its time is over, and broken at once.
        ({**LIMIT, "value": 60}, Verdict.ON_TRACK),
        ({**LIMIT, "kind": Kind.FLOW, "value": 60}, Verdict.ON_TRACK),
        ({**LIMIT, "value": 60, "on": AFTER_DUE}, Verdict.MET),
        ({**LIMIT, "value": 101}, Verdict.MISSED),
        ({**LIMIT, "value": 100, "qualifier": Qualifier.OVER}, Verdict.MISSED),
        # From 200 down to 100.
        ({**LIMIT, "kind": Kind.STOCK, "baseline": 200, "value": 140}, Verdict.ON_TRACK),
        ({**LIMIT, "kind": Kind.STOCK, "baseline": 200, "value": 160}, Verdict.BEHIND),
        ({**LIMIT, "kind": Kind.STOCK, "baseline": 200, "value": 100}, Verdict.MET),
        ({**LIMIT, "kind": Kind.STOCK, "baseline": None, "value": 160}, Verdict.NOT_ASSESSABLE),
        ({"comparator": EXACTLY, "value": 100}, Verdict.ON_TRACK),
        ({"comparator": EXACTLY, "value": 100, "on": AFTER_DUE}, Verdict.MET),
        ({"comparator": EXACTLY, "value": 101}, Verdict.MISSED),
        (
            {"comparator": EXACTLY, "value": 100, "qualifier": Qualifier.NEARLY},
            Verdict.ON_TRACK,
        ),
        (
            {"comparator": EXACTLY, "kind": Kind.STOCK, "baseline": 0, "value": 120},
            Verdict.NOT_ASSESSABLE,
        ),
        (
            {"comparator": EXACTLY, "kind": Kind.STOCK, "baseline": 0, "value": "100.5"},
            Verdict.NOT_ASSESSABLE,
        ),
    ],
)
def test_verdict(terms, expected):
    assert judged(**terms) is expected


STORED = st.decimals(min_value=-(10**11) + 1, max_value=10**11 - 1, places=4) | st.integers(
    min_value=-3, max_value=3
).map(Decimal)
MAYBE = st.none() | STORED
DATES = st.dates()
MAYBE_DATES = st.none() | DATES
COMPARATORS = st.sampled_from(Comparator)
#: What is chosen from words of a verdict's terms.
WORDS = {
    "comparator": COMPARATORS,
    "kind": st.sampled_from(Kind),
    "frequency": st.sampled_from(Frequency),
    "qualifier": st.sampled_from(Qualifier),
    "claim": st.sampled_from(Claim),
}


@given(STORED, STORED, STORED, MAYBE, COMPARATORS)
def test_progress_never_falls_when_the_value_gets_better(one, other, target, baseline, comparator):
    low, high = sorted([one, other])
    done = [
        progress.progress(value, target, comparator=comparator, baseline=baseline).value
        for value in (low, high)
    ]
    if done[0] is not None:
        downwards = baseline is not None and baseline > target
        assert done[0] >= done[1] if downwards else done[0] <= done[1]


@given(STORED, STORED, MAYBE, st.sampled_from([AT_LEAST, AT_MOST]))
def test_progress_of_100_is_the_same_as_met(value, target, baseline, comparator):
    done = progress.progress(value, target, comparator=comparator, baseline=baseline)
    if done.value is not None and is_met(value, target, comparator):
        assert done.value >= 100
    elif done.value is not None:
        # One ten-thousandth below a large target rounds to 100 at most, never above.
        assert done.value <= 100


@given(MAYBE_DATES, MAYBE_DATES, DATES)
def test_time_used_lies_between_0_and_100(start, end, on):
    used = time_used(start, end, on).value
    assert used is None or 0 <= used <= 100


@given(STORED, STORED, COMPARATORS, st.sampled_from(Qualifier))
def test_a_rough_figure_never_contradicts_the_same_figure_seen_as_exact(
    value, target, comparator, qualifier
):
    rough = is_met(value, target, comparator, qualifier)
    if rough is not None and value != target:
        assert rough is is_met(value, target, comparator)


@given(
    value=MAYBE,
    target=MAYBE,
    baseline=MAYBE,
    start=MAYBE_DATES,
    due=MAYBE_DATES,
    on=DATES,
    **WORDS,
    target_exists=st.booleans(),
)
def test_no_combination_raises_and_none_is_judged_against_an_unknown_target(
    value, target, baseline, start, due, on, comparator, kind, frequency, qualifier, **claimed
):
    terms = {"kind": kind, "frequency": frequency, "baseline": baseline}
    done = progress.progress(value, target, comparator=comparator, baseline=baseline)
    elapsed = time_used(start, due, on)
    answers = [
        done,
        completion(value, target, comparator=comparator),
        elapsed,
        pace(done, elapsed, **terms),
        needed_per_quarter(remaining(value, target, comparator), on, due),
        reached_on(done, start, on, **terms),
        growth(value, baseline),
        change(value, baseline),
    ]
    assert all(isinstance(each, Answer) for each in answers)
    found = verdict(
        value=value,
        target=target,
        comparator=comparator,
        start=start,
        due=due,
        on=on,
        qualifier=qualifier,
        tolerance_points=Decimal(5),
        **claimed,
        **terms,
    )
    if target is None:
        assert found in {Verdict.NO_TARGET, Verdict.TARGET_UNKNOWN, Verdict.CLAIM_UNVERIFIABLE}
    if value is None:
        assert found not in {Verdict.MET, Verdict.ON_TRACK, Verdict.BEHIND}


BEGIN = date(2023, 1, 1)
#: Near each other, so that every day between can be looked at.
NEAR = st.integers(0, 40).map(lambda days: BEGIN + timedelta(days=days))
SMALL = st.none() | st.integers(-5, 120)


@given(
    value=SMALL,
    target=SMALL,
    baseline=SMALL,
    start=st.none() | NEAR,
    due=st.none() | NEAR,
    on=NEAR,
    **WORDS,
)
def test_a_verdict_holds_until_the_first_day_that_has_another(on, **terms):
    def say(day):
        return judged(on=day, **terms)

    days = [on + timedelta(days=n) for n in range(50)]
    assert holds_until(say, on, terms["due"]) == next(
        (day for day in days if say(day) != say(on)), None
    )


@given(
    value=SMALL,
    target=SMALL,
    baseline=SMALL,
    start=NEAR,
    due=NEAR,
    on=NEAR,
    **WORDS,
)
def test_a_verdict_holds_since_the_day_after_the_last_that_has_another(on, **terms):
    def say(day):
        return judged(on=day, **terms)

    first = min(terms["start"], terms["due"])
    before = [on - timedelta(days=n) for n in range(50)]
    other = next((day for day in before if say(day) != say(on)), None)
    assert holds_since(say, on, first) == (other + timedelta(days=1) if other else date.min)


def test_a_verdict_falls_behind_is_missed_and_stays():
    def say(day):
        return judged(on=day)

    # 60 of 100 after 50 of 100 days; the tolerance of 5 points is used up after 65.
    behind = holds_until(say, date(2023, 2, 19), ON_DUE)
    assert behind == date(2023, 3, 7)
    assert holds_until(say, behind, ON_DUE) == AFTER_DUE
    assert holds_until(say, AFTER_DUE, ON_DUE) is None
    first = date(2023, 1, 1)
    assert holds_since(say, AFTER_DUE + timedelta(days=9), first) == AFTER_DUE
    assert holds_since(say, ON_DUE, first) == behind
    assert holds_since(say, date(2023, 2, 19), first) == date.min


def test_a_target_that_is_due_on_the_last_day_of_all_is_never_over():
    terms = {"due": date.max, "value": 1, "start": date(2023, 1, 1), "tolerance_points": 0}
    until = holds_until(lambda day: judged(on=day, **terms), date(2023, 1, 2), date.max)
    assert judged(on=until, **terms) is Verdict.BEHIND
    assert judged(on=until - timedelta(days=1), **terms) is Verdict.ON_TRACK
    assert holds_until(lambda day: judged(on=day, **terms), until, date.max) is None
