from datetime import date
from decimal import Decimal

import pytest

from measures.tests.factories import ISSUED

from ..check_results import states_of
from ..models import Check
from ..rules.checks import (
    ASK,
    MISSING,
    NO_BASE,
    NO_WHOLE_BASE,
    CheckKind,
    CheckOutcome,
    Figure,
    Result,
    Role,
    evaluate,
    last_digit,
)
from ..rules.choices import Qualifier
from .factories import make_check, make_observation, make_term


def counts(*values):
    return [Figure(Decimal(value)) for value in values]


def percent(value, step="1"):
    return [Figure(Decimal(value), step=Decimal(step))]


@pytest.mark.parametrize(
    ("kind", "figures", "result"),
    [
        (CheckKind.PART, {Role.PART: counts(222), Role.WHOLE: counts(345)}, Result.HOLDS),
        (CheckKind.PART, {Role.PART: counts(345), Role.WHOLE: counts(345)}, Result.HOLDS),
        (CheckKind.PART, {Role.PART: counts(346), Role.WHOLE: counts(345)}, Result.FAILS),
        (CheckKind.SUM, {Role.PART: counts(1, 11), Role.WHOLE: counts(12)}, Result.HOLDS),
        (CheckKind.SUM, {Role.PART: counts(139, 95, 16), Role.WHOLE: counts(249)}, Result.FAILS),
        (
            CheckKind.SHARE,
            {Role.PART: counts(8), Role.WHOLE: counts(32), Role.RATE: percent(25, "0")},
            Result.HOLDS,
        ),
        (
            CheckKind.SHARE,
            {Role.PART: counts(9), Role.WHOLE: counts(32), Role.RATE: percent(25)},
            Result.FAILS,
        ),
        (
            CheckKind.GROWTH,
            {Role.NOW: counts(120), Role.BEFORE: counts(80), Role.RATE: percent(50)},
            Result.HOLDS,
        ),
        (CheckKind.BASE, {Role.NOW: counts(13), Role.RATE: percent(300, "0")}, Result.APPROXIMATE),
        (CheckKind.BASE, {Role.NOW: counts(16), Role.RATE: percent(300, "0")}, Result.HOLDS),
        # 118 ÷ 1.605 = 73.5 and 118 ÷ 1.595 = 73.98: no whole number between them.
        (CheckKind.BASE, {Role.NOW: counts(118), Role.RATE: percent(60)}, Result.APPROXIMATE),
        (CheckKind.SAME, {Role.NOW: counts(8), Role.BEFORE: counts(8)}, Result.HOLDS),
        (CheckKind.SAME, {Role.NOW: counts(8), Role.BEFORE: counts(9)}, Result.FAILS),
        (CheckKind.QUOTA, {Role.PART: counts(5), Role.WHOLE: counts(5)}, Result.HOLDS),
        (CheckKind.QUOTA, {Role.PART: counts(6), Role.WHOLE: counts(5)}, Result.FAILS),
        (CheckKind.QUOTA, {Role.PART: counts(5), Role.WHOLE: [None]}, Result.UNKNOWN),
    ],
)
def test_a_relation_is_judged_by_its_figures(kind, figures, result):
    assert evaluate(kind, figures).result == result


def measured(value, step="0.1"):
    return Figure(Decimal(value), step=Decimal(step))


def test_a_measured_figure_stands_for_half_a_step_on_either_side_and_a_count_for_itself():
    assert measured("51.79", "0.01").range == (Decimal("51.785"), Decimal("51.795"))
    assert Figure(Decimal(345)).range == (345, 345)
    assert Figure(Decimal(2700), Qualifier.OVER, step=Decimal(1)).range == (2700, 2800)


@pytest.mark.parametrize(
    ("now", "before", "result"),
    [
        # 1.2 stands for 1.15 to 1.25, 1.3 for 1.25 to 1.35, 1.4 for 1.35 to 1.45.
        ("1.2", "1.2", Result.HOLDS),
        ("1.3", "1.2", Result.APPROXIMATE),
        ("1.2", "1.3", Result.APPROXIMATE),
        ("1.4", "1.2", Result.FAILS),
        ("1.2", "1.4", Result.FAILS),
    ],
)
def test_measured_figures_agree_approximately_where_their_ranges_touch(now, before, result):
    figures = {Role.NOW: [measured(now)], Role.BEFORE: [measured(before)]}
    assert evaluate(CheckKind.SAME, figures).result == result


@pytest.mark.parametrize(
    ("part", "whole", "result"),
    [
        ("1.1", "1.2", Result.HOLDS),
        ("1.3", "1.2", Result.APPROXIMATE),
        ("1.4", "1.2", Result.FAILS),
    ],
)
def test_a_measured_part_exceeds_the_whole_only_beyond_rounding(part, whole, result):
    figures = {Role.PART: [measured(part)], Role.WHOLE: [measured(whole)]}
    assert evaluate(CheckKind.PART, figures).result == result


@pytest.mark.parametrize("whole", ["3.4", "3.6"])
def test_rounding_makes_a_sum_hold_approximately(whole):
    # The parts stand for 3.4 to 3.6, each whole for 0.05 on either side.
    figures = {Role.PART: [measured("1.2"), measured("2.3")], Role.WHOLE: [measured(whole)]}
    assert evaluate(CheckKind.SUM, figures) == CheckOutcome(
        Result.APPROXIMATE, Decimal("3.5"), Decimal(whole), Decimal("0.15")
    )


def test_an_inexact_part_may_still_fit_into_the_whole():
    over = [Figure(Decimal(2700), Qualifier.OVER)]
    about = [Figure(Decimal(2800), Qualifier.ABOUT)]
    outcome = evaluate(CheckKind.PART, {Role.PART: about, Role.WHOLE: over})
    assert outcome == CheckOutcome(Result.APPROXIMATE, Decimal(2800), Decimal(2700), Decimal(100))


def test_a_figure_is_the_same_as_a_rough_one_only_approximately():
    rough = [Figure(Decimal(2700), Qualifier.OVER)]
    outcome = evaluate(CheckKind.SAME, {Role.NOW: rough, Role.BEFORE: counts(2750)})
    assert outcome == CheckOutcome(Result.APPROXIMATE, Decimal(2700), Decimal(2750), Decimal(50))
    outcome = evaluate(CheckKind.SAME, {Role.NOW: counts(2850), Role.BEFORE: rough})
    assert outcome.result == Result.FAILS


@pytest.mark.parametrize(
    ("rate", "step", "result"),
    [
        # 1.0 ÷ 4.0 is 25 %; 0.95 ÷ 4.05 is 23.46 %, and 1.05 ÷ 3.95 is 26.58 %.
        ("25", "1", Result.HOLDS),
        ("25.5", "1", Result.HOLDS),
        ("24.5", "1", Result.HOLDS),
        ("27", "1", Result.APPROXIMATE),
        ("23", "1", Result.APPROXIMATE),
        ("28", "1", Result.FAILS),
        ("22", "1", Result.FAILS),
    ],
)
def test_a_share_of_measured_figures(rate, step, result):
    figures = {
        Role.PART: [measured("1.0")],
        Role.WHOLE: [measured("4.0")],
        Role.RATE: percent(rate, step),
    }
    assert evaluate(CheckKind.SHARE, figures) == CheckOutcome(
        result, Decimal(25), Decimal(rate), Decimal("0.5")
    )


@pytest.mark.parametrize("rate", ["26.5", "23.5"])
def test_a_share_holds_approximately_where_its_range_touches_that_of_the_stated_one(rate):
    # 0.95 ÷ 4 is 23.75 %, and 1.05 ÷ 4 is 26.25 %.
    figures = {
        Role.PART: [measured("1.0")],
        Role.WHOLE: counts(4),
        Role.RATE: percent(rate, "0.5"),
    }
    assert evaluate(CheckKind.SHARE, figures).result == Result.APPROXIMATE


@pytest.mark.parametrize("kind", [CheckKind.GROWTH, CheckKind.BASE])
@pytest.mark.parametrize(
    ("rate", "result"),
    [
        # 5.0 ÷ 4.0 − 1 is 25 %; 4.95 ÷ 4.05 − 1 is 22.22 %, and 5.05 ÷ 3.95 − 1 is 27.85 %.
        ("25", Result.HOLDS),
        ("28", Result.APPROXIMATE),
        ("22", Result.APPROXIMATE),
        ("29", Result.FAILS),
        ("21", Result.FAILS),
    ],
)
def test_growth_between_measured_figures(kind, rate, result):
    figures = {
        Role.NOW: [measured("5.0")],
        Role.BEFORE: [measured("4.0")],
        Role.RATE: percent(rate),
    }
    assert evaluate(kind, figures) == CheckOutcome(
        result, Decimal(25), Decimal(rate), Decimal("0.5")
    )


@pytest.mark.parametrize(
    ("now", "rate", "step", "outcome"),
    [
        # 13 ÷ 4 is 3.25.
        (13, "300", "0", (Result.APPROXIMATE, Decimal("3.25"), None, Decimal(0), NO_WHOLE_BASE)),
        # From 150 ÷ 2.5 = 60 to 150 ÷ 1.5 = 100.
        (150, "100", "100", (Result.HOLDS, Decimal(75), None, Decimal(20))),
    ],
)
def test_a_growth_leads_back_to_the_number_before(now, rate, step, outcome):
    figures = {Role.NOW: counts(now), Role.RATE: percent(rate, step)}
    assert evaluate(CheckKind.BASE, figures) == CheckOutcome(*outcome)


def test_a_figure_without_value_leaves_the_relation_open():
    figures = {Role.PART: [*counts(5), None], Role.WHOLE: counts(5)}
    assert evaluate(CheckKind.SUM, figures) == CheckOutcome(Result.UNKNOWN, reason=MISSING)


@pytest.mark.parametrize("before", [*counts(0), Figure(Decimal(1), Qualifier.NEARLY)])
def test_a_base_that_may_be_zero_gives_no_ratio(before):
    figures = {Role.NOW: counts(5), Role.BEFORE: [before], Role.RATE: percent(50)}
    assert evaluate(CheckKind.GROWTH, figures) == CheckOutcome(Result.UNKNOWN, reason=NO_BASE)


def test_a_base_of_one_gives_a_ratio():
    figures = {Role.NOW: counts(2), Role.BEFORE: counts(1), Role.RATE: percent(100)}
    assert evaluate(CheckKind.GROWTH, figures).result == Result.HOLDS


def test_a_relation_needs_a_known_kind_and_all_its_roles():
    with pytest.raises(ValueError, match="twice"):
        evaluate("twice", {Role.NOW: counts(2)})
    with pytest.raises(KeyError):
        evaluate(CheckKind.PART, {Role.PART: counts(2)})


@pytest.mark.parametrize(
    ("as_written", "quantity", "factor", "step"),
    [
        ("51.79亿元", "money", 10**8, "1000000"),
        ("103亿元", "money", 10**8, "100000000"),
        ("56.22%", "percentage", 1, "0.01"),
        ("32万平方米", "area", 10**4, "10000"),
        ("1.5吨", "mass", 1, "0.1"),
        ("1/4", "percentage", 1, "0"),
        ("十分之一", "percentage", 1, "0"),
        ("翻两番", "percentage", 1, "0"),
        ("345家", "organisations", 1, "0"),
    ],
)
def test_the_last_printed_digit_says_how_far_rounding_reaches(as_written, quantity, factor, step):
    assert last_digit(as_written, quantity, Decimal(factor)) == Decimal(step)


@pytest.mark.parametrize(
    ("parts", "whole", "result", "overlap"),
    [
        ((100, 80, 94), 253, Result.HOLDS, 21),
        ((100, 80, 73), 253, Result.HOLDS, 0),
        ((100, 80), 253, Result.HOLDS, 0),
        ((254, 10), 253, Result.FAILS, 11),
    ],
)
def test_parts_that_may_overlap_are_held_against_the_whole_one_by_one(
    parts, whole, result, overlap
):
    outcome = evaluate(
        CheckKind.OVERLAP,
        {
            Role.PART: [Figure(Decimal(part)) for part in parts],
            Role.WHOLE: [Figure(Decimal(whole))],
        },
    )
    assert (outcome.result, outcome.overlap) == (result, overlap)


@pytest.fixture
def outcomes(report, db):
    checks = [check.pk for check in Check.objects.published()]
    return {state.check.code: state for state in states_of(checks, None)}


def test_the_report_allows_more_than_twenty_five_relations(outcomes):
    assert len(outcomes) >= 25


def test_the_traps_of_the_report_come_out_as_they_are_known(outcomes):
    overlap = outcomes["nanda-parts-overlap"]
    # Five parts of 253 come to 274, so that 21 at the least are counted twice.
    assert overlap.outcome.result == Result.HOLDS
    assert (overlap.outcome.computed, overlap.outcome.stated) == (274, 253)
    assert overlap.outcome.overlap == 21
    assert not [code for code, each in outcomes.items() if each.outcome.result == Result.FAILS]
    doubled = outcomes["little-giants-doubled-twice"].outcome
    assert (doubled.result, doubled.computed) == (Result.APPROXIMATE, Decimal("3.25"))
    scope = outcomes["graphene-platform-in-all-platforms"].outcome
    # One platform 55, all platforms 35: nothing is wrong for certain, and somebody must ask.
    assert (scope.result, scope.reason) == (Result.QUESTION, ASK)
    assert outcomes["firms-settled-in-assessed"].outcome.result == Result.UNKNOWN
    growth = outcomes["loan-growth"].outcome
    assert growth.result == Result.HOLDS
    assert round(growth.computed, 2) == Decimal("56.22")
    assert outcomes["technology-centres-told-twice"].outcome.result == Result.HOLDS
    assert outcomes["national-carriers-share"].outcome.result == Result.HOLDS


def test_before_the_report_was_issued_there_is_nothing_to_check(report, db):
    assert not Check.objects.published(date(2023, 7, 24)).exists()


@pytest.mark.parametrize("result", ["", *Result.values])
def test_the_page_shows_the_checks_of_each_result(client, outcomes, result):
    response = client.get("/en/checks/", {"result": result})
    assert response.status_code == 200
    expected = [code for code, state in outcomes.items() if result in ("", state.outcome.result)]
    page = response.content.decode()
    assert [code for code in outcomes if f'id="{code}"' in page] == expected
    order = [page.index(f'id="{code}"') for code in expected]
    assert (order == sorted(order)) == (result != "")


def test_an_unknown_result_is_refused_with_a_sentence(client, db):
    response = client.get("/en/checks/", {"result": "perhaps"})
    assert response.status_code == 400
    assert "no such result" in response.content.decode()


@pytest.mark.parametrize("roles", [[Role.WHOLE], [Role.PART]])
def test_a_check_that_still_lacks_a_figure_has_no_result_and_breaks_no_page(client, db, roles):
    check = make_check(kind=CheckKind.SUM)
    for role in roles:
        make_observation(indicator=make_term(check_of=check, role=role).indicator, published=ISSUED)

    assert check in Check.objects.published()
    (state,) = states_of([check.pk], None)

    assert state.outcome.result == Result.UNKNOWN
    response = client.get("/en/checks/")
    assert response.status_code == 200
    assert "does not name all the figures" in response.content.decode()
