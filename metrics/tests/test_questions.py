"""Which question is graver: the documented rule of what to ask, over plain values."""

from decimal import Decimal

import pytest

from ..rules.checks import CheckOutcome, Result
from ..rules.choices import Claim, Freshness, Verdict
from ..rules.progress import NO_BASELINE, Answer
from ..rules.questions import (
    Ask,
    Trouble,
    discrepancy,
    gravity,
    of_check,
    of_freshness,
    of_target,
    shortfall,
    size_of_target,
    worst,
)

pytestmark = pytest.mark.once("is arithmetic over plain values")

NONE = Answer(reason=NO_BASELINE)


def test_the_kinds_stand_in_the_order_of_the_method_page():
    assert [ask.value for ask in Ask] == [
        "claim", "missed", "behind", "unverifiable", "contradiction", "redefined", "late",
        "no-figure", "silent",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("verdict", "claim", "asked"),
    [
        (Verdict.MISSED, Claim.NONE, Ask.MISSED),
        (Verdict.MISSED, Claim.MET, Ask.CLAIM),
        (Verdict.ON_TRACK, Claim.MET_EARLY, Ask.CLAIM),
        (Verdict.MET, Claim.NOT_MET, Ask.CLAIM),
        (Verdict.MISSED, Claim.NOT_MET, Ask.MISSED),
        (Verdict.BEHIND, Claim.NONE, Ask.BEHIND),
        (Verdict.CLAIM_UNVERIFIABLE, Claim.MET, Ask.UNVERIFIABLE),
        (Verdict.MET, Claim.MET, None),
        (Verdict.ON_TRACK, Claim.NONE, None),
        (Verdict.NO_DATA, Claim.NONE, None),
        (Verdict.TARGET_UNKNOWN, Claim.NONE, None),
        (Verdict.NOT_ASSESSABLE, Claim.NONE, None),
    ],
)
def test_a_target_asks_its_gravest_question_or_none(verdict, claim, asked):
    assert of_target(verdict, claim) == asked


def test_every_verdict_with_every_claim_has_an_answer():
    answers = {of_target(verdict, claim) for verdict in Verdict for claim in Claim}
    assert {None, Ask.MISSED, Ask.CLAIM} < answers <= {None, *Ask}


def test_checks_and_silence_ask_where_something_is_wrong():
    asking = {Result.FAILS, Result.QUESTION}
    assert {r for r in Result if of_check(r)} == asking
    assert of_freshness(Freshness.LATE) == Ask.LATE
    assert of_freshness(Freshness.SILENT) == Ask.SILENT
    assert of_freshness(Freshness.CURRENT) is of_freshness(Freshness.ONCE) is None
    assert of_freshness(Freshness.NEVER) is None


@pytest.mark.parametrize(
    ("done", "completion", "left"),
    [
        (Answer(Decimal(60)), Answer(Decimal(90)), 40),
        (NONE, Answer(Decimal(90)), 10),
        (Answer(Decimal(-20)), Answer(Decimal(90)), 120),
        (Answer(Decimal(130)), NONE, 0),
        (NONE, NONE, 100),
    ],
)
def test_what_is_left_of_the_way_is_the_size_of_a_question(done, completion, left):
    assert shortfall(done, completion) == left


def test_a_missed_target_goes_before_one_whose_time_is_not_over():
    missed = size_of_target(Verdict.MISSED, Answer(Decimal(99)), NONE)
    behind = size_of_target(Verdict.BEHIND, Answer(Decimal(-500)), NONE)

    assert missed > behind == 600


def test_figures_of_one_scope_come_before_questions_of_scope_whatever_their_size():
    small = CheckOutcome(Result.FAILS, Decimal(101), Decimal(100))
    smaller = CheckOutcome(Result.FAILS, Decimal(100), Decimal(100))
    question = CheckOutcome(Result.QUESTION, Decimal(10) ** 12, Decimal(1))
    unsaid = CheckOutcome(Result.QUESTION)

    assert discrepancy(small) == 1_000_001
    assert discrepancy(small) > discrepancy(smaller) > discrepancy(question) > discrepancy(unsaid)
    assert discrepancy(unsaid) == discrepancy(CheckOutcome(Result.QUESTION, Decimal(5), Decimal(0)))


def test_kind_goes_before_size_and_size_before_place():
    ranked = sorted(
        [
            gravity(Ask.BEHIND, 500, (1,)),
            gravity(Ask.CLAIM, 0, (9,)),
            gravity(Ask.BEHIND, 3, (2,)),
            gravity(Ask.BEHIND, 3, (1,)),
            gravity(Ask.SILENT, 999, (0,)),
        ]
    )

    assert [(kind, -size, place[0]) for kind, size, place in ranked] == [
        (0, 0, 9), (2, 500, 1), (2, 3, 1), (2, 3, 2), (8, 999, 0),
    ]  # fmt: skip


def test_the_worst_has_more_missed_then_contradicted_then_behind():
    assert worst({1: Trouble(missed=1), 2: Trouble(contradicted=5, behind=9)}) == 1
    assert worst({1: Trouble(behind=9), 2: Trouble(contradicted=1)}) == 2
    assert worst({1: Trouble(behind=1, late=1), 2: Trouble(behind=1)}) == 1


def test_nobody_is_named_the_worst_without_trouble_or_where_two_are_equal():
    assert worst({}) is None
    assert worst({1: Trouble(), 2: Trouble()}) is None
    assert worst({1: Trouble(contradictions=3), 2: Trouble()}) is None
    assert worst({1: Trouble(missed=1), 2: Trouble(missed=1)}) is None
