from datetime import date
from decimal import Decimal

import pytest

from measures.tests.factories import ISSUED

from ..assessment import assess_checks
from ..models import Check
from ..rules.checks import CheckKind, Figure, Result, Role, evaluate, last_digit
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
        (CheckKind.QUOTA, {Role.PART: counts(5), Role.WHOLE: [None]}, Result.UNKNOWN),
    ],
)
def test_a_relation_is_judged_by_its_figures(kind, figures, result):
    assert evaluate(kind, figures).result == result


def test_a_part_whose_range_only_touches_that_of_the_whole_is_not_told_to_be_more():
    # 1.05 − 0.05 is 1.00, and so is 0.95 + 0.05.
    part = Figure(Decimal("1.05"), step=Decimal("0.1"))
    whole = Figure(Decimal("0.95"), step=Decimal("0.1"))

    assert evaluate(CheckKind.PART, {Role.PART: [part], Role.WHOLE: [whole]}).result == (
        Result.APPROXIMATE
    )


def test_rounding_makes_a_relation_hold_approximately():
    parts = [
        Figure(Decimal("1.2"), step=Decimal("0.1")),
        Figure(Decimal("2.3"), step=Decimal("0.1")),
    ]
    whole = [Figure(Decimal("3.6"), step=Decimal("0.1"))]
    assert evaluate(CheckKind.SUM, {Role.PART: parts, Role.WHOLE: whole}).result == (
        Result.APPROXIMATE
    )


def test_an_inexact_part_may_still_fit_into_the_whole():
    over = [Figure(Decimal(2700), Qualifier.OVER)]
    about = [Figure(Decimal(2800), Qualifier.ABOUT)]
    outcome = evaluate(CheckKind.PART, {Role.PART: about, Role.WHOLE: over})
    assert outcome.result == Result.APPROXIMATE


def test_a_base_of_zero_gives_no_ratio():
    figures = {Role.NOW: counts(5), Role.BEFORE: counts(0), Role.RATE: percent(50)}
    assert evaluate(CheckKind.GROWTH, figures).result == Result.UNKNOWN


@pytest.mark.parametrize(
    ("as_written", "quantity", "factor", "step"),
    [
        ("51.79亿元", "money", 10**8, "1000000"),
        ("103亿元", "money", 10**8, "100000000"),
        ("56.22%", "percentage", 1, "0.01"),
        ("1/4", "percentage", 1, "0"),
        ("翻两番", "percentage", 1, "0"),
        ("345家", "organisations", 1, "0"),
    ],
)
def test_the_last_printed_digit_says_how_far_rounding_reaches(as_written, quantity, factor, step):
    assert last_digit(as_written, quantity, Decimal(factor)) == Decimal(step)


@pytest.fixture
def outcomes(report, db):
    return {state.check.code: state for state in assess_checks(Check.objects.published(), None)}


def test_the_report_allows_more_than_twenty_five_relations(outcomes):
    assert len(outcomes) >= 25


def test_the_traps_of_the_report_come_out_as_they_are_known(outcomes):
    overlap = outcomes["nanda-parts-overlap"]
    assert overlap.outcome.result == Result.FAILS
    assert (overlap.outcome.computed, overlap.outcome.stated) == (274, 253)
    doubled = outcomes["little-giants-doubled-twice"].outcome
    assert (doubled.result, doubled.computed) == (Result.APPROXIMATE, Decimal("3.25"))
    scope = outcomes["graphene-platform-in-all-platforms"].outcome
    assert scope.result == Result.UNKNOWN
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


@pytest.mark.parametrize("roles", [[], [Role.WHOLE], [Role.PART]])
def test_a_check_that_still_lacks_a_figure_has_no_result_and_breaks_no_page(client, db, roles):
    check = make_check(kind=CheckKind.SUM)
    for role in roles:
        make_observation(indicator=make_term(check_of=check, role=role).indicator, published=ISSUED)

    (state,) = assess_checks(Check.objects.filter(pk=check.pk).published(), None)

    assert state.outcome.result == Result.UNKNOWN
    response = client.get("/en/checks/")
    assert response.status_code == 200
    assert "does not name all the figures" in response.content.decode()
