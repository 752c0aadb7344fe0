"""What looks wrong about an entry without being forbidden."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from measures.tests.factories import ISSUED, make_round, named
from measures.workflow import correct

from ..models import Check, CheckTerm, Indicator, Observation
from ..rules.checks import CheckKind, Figure, Role
from ..rules.choices import Kind, Qualifier
from ..warnings import (
    falls,
    is_a_tenth,
    is_no_count,
    is_over_all,
    is_over_whole,
    is_ten_times,
    proposed_bounds,
    warnings_of,
)
from .factories import (
    make_bounds,
    make_check,
    make_indicator,
    make_money,
    make_observation,
    make_term,
    make_unit,
)

pytestmark = pytest.mark.english

#: All periods of these tests have ended by then.
LATER = date(2024, 1, 5)
YEAR_2022, YEAR_2023 = (
    {"period_start": date(year, 1, 1), "period_end": date(year, 12, 31)} for year in (2022, 2023)
)
TOTAL_2022, TOTAL_2023 = (
    {"period_start": None, "period_end": date(year, 12, 31)} for year in (2022, 2023)
)


@pytest.mark.parametrize(
    ("kind", "value", "before", "answer"),
    [
        (Kind.CUMULATIVE, 344, 345, True),
        (Kind.CUMULATIVE, 345, 345, False),
        (Kind.STOCK, 344, 345, False),
        (Kind.FLOW, 0, 345, False),
    ],
)
def test_only_running_totals_cannot_fall(kind, value, before, answer):
    assert falls(kind, Decimal(value), Decimal(before)) is answer


@pytest.mark.parametrize(
    ("value", "before", "times", "tenth"),
    [
        ("50", "5", True, False),
        ("49.9", "5", False, False),
        ("0.5", "5", False, True),
        ("0.51", "5", False, False),
        ("0", "5", False, False),
        ("5", "0", False, False),
        ("-50", "5", False, False),
        ("-50", "-5", True, False),
    ],
)
def test_ten_times_and_a_tenth(value, before, times, tenth):
    assert is_ten_times(Decimal(value), Decimal(before)) is times
    assert is_a_tenth(Decimal(value), Decimal(before)) is tenth


@pytest.mark.parametrize(
    ("quantity", "value", "answer"),
    [
        ("organisations", "3", False),
        ("organisations", "0", False),
        ("organisations", "1.5", True),
        ("organisations", "-4", True),
        ("money", "1.5", False),
        ("percentage", "-3.2", False),
    ],
)
def test_what_is_counted_is_whole_and_not_below_zero(quantity, value, answer):
    assert is_no_count(quantity, Decimal(value)) is answer


@pytest.mark.django_db
def test_a_broken_count_is_warned_of_but_not_a_broken_multiple():
    wan = make_unit(name="万个", factor=10**4, base=make_unit())

    assert warnings_of([make_observation(value=Decimal("1.5"))]) == [
        ["What is counted is a whole number and not below zero."]
    ]
    assert warnings_of(
        [make_observation(value=Decimal("2.1"), indicator=make_indicator(unit=wan))]
    ) == [[]]


def test_a_share_beyond_the_whole():
    assert is_over_all(Kind.SHARE, Decimal("100.01"))
    assert not is_over_all(Kind.SHARE, Decimal(100))
    assert not is_over_all(Kind.GROWTH, Decimal(300))


@pytest.mark.parametrize(
    ("part", "whole", "answer"),
    [
        (Figure(Decimal(11)), Figure(Decimal(10)), True),
        (Figure(Decimal(10)), Figure(Decimal(10)), False),
        (Figure(Decimal(11)), Figure(Decimal(10), Qualifier.OVER), False),
    ],
)
def test_a_part_is_at_most_the_whole(part, whole, answer):
    assert is_over_whole(CheckKind.PART, part, whole) is answer


def total(value=345, **fields):
    """A running total that stood at ``value`` at the end of 2022."""
    indicator = make_indicator(kind=Kind.CUMULATIVE)
    make_observation(indicator=indicator, value=value, published=ISSUED, **TOTAL_2022, **fields)
    return indicator


def entry(indicator, value, period=TOTAL_2023, **fields) -> Observation:
    """An entry that is not stored."""
    return Observation(
        indicator=indicator, value=Decimal(value), as_written=str(value), **period, **fields
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("value", "sentences"),
    [
        (350, []),
        (340, ["A running total should not fall: it was 345 organisations (up to 2022-12-31)."]),
        (345, ["The same as the last value: 345 organisations (up to 2022-12-31)."]),
        (3450, ["Ten times the last value or more: 345 organisations (up to 2022-12-31). "
                "Is the unit right?"]),
        (34, ["A running total should not fall: it was 345 organisations (up to 2022-12-31).",
              "A tenth of the last value or less: 345 organisations (up to 2022-12-31). "
              "Is the unit right?"]),
    ],
)  # fmt: skip
def test_the_warnings_of_an_entry(value, sentences):
    assert warnings_of([entry(total(), value)]) == [sentences]


@pytest.mark.django_db
def test_a_first_value_gives_rise_to_no_warning():
    assert warnings_of([entry(make_indicator(kind=Kind.CUMULATIVE), 5)]) == [[]]


@pytest.mark.django_db
def test_drafts_of_others_and_later_periods_are_not_compared_with():
    indicator = make_indicator(kind=Kind.CUMULATIVE)
    make_observation(indicator=indicator, value=900, **TOTAL_2022)
    make_observation(indicator=indicator, value=900, published=LATER, **TOTAL_2023)
    row = entry(indicator, 5, {"period_start": None, "period_end": date(2023, 6, 30)})
    assert warnings_of([row]) == [[]]


@pytest.mark.django_db
def test_a_correction_is_not_compared_with_what_it_supersedes():
    indicator = make_indicator()
    old = make_observation(indicator=indicator, value=50, published=ISSUED, **YEAR_2022)
    draft = correct(old, by=None, reason="多计一位", value=Decimal(5), as_written="5家")
    assert warnings_of([draft]) == [[]]


@pytest.mark.django_db
def test_a_share_of_more_than_all_is_named():
    percent = make_unit(name="%", name_en="%", quantity="percentage")
    share = make_indicator(kind=Kind.SHARE, unit=percent)
    assert warnings_of([entry(share, 120, YEAR_2023)]) == [
        ["A share of more than 100 %: the part is larger than the whole."]
    ]


def check(part, whole, **fields) -> None:
    """``part`` should be at most ``whole``."""
    fields = {"kind": CheckKind.PART, "order": 1, **fields}
    row = Check.objects.create(**named("check", "勾稽", **fields))
    for role, indicator in ((Role.PART, part), (Role.WHOLE, whole)):
        CheckTerm.objects.create(check_of=row, role=role, indicator=indicator)


@pytest.mark.django_db
@pytest.mark.parametrize("part_is_entered", [True, False])
def test_a_part_above_the_whole_is_named_whichever_is_entered(part_is_entered):
    unit = make_unit()
    part = make_indicator(kind=Kind.STOCK, unit=unit, name_en="Parks at work")
    whole = make_indicator(kind=Kind.STOCK, unit=unit, name_en="Parks")
    check(part, whole)
    rows = [(part, 7), (whole, 6)]
    (entered, value), (public, other) = rows if part_is_entered else rows[::-1]
    make_observation(indicator=public, value=other, published=ISSUED, **YEAR_2022)
    row = entry(entered, value, {"period_start": date(2022, 12, 31),
                                 "period_end": date(2022, 12, 31)})  # fmt: skip
    (found,) = warnings_of([row])
    assert len(found) == 1
    assert found[0].startswith("The part is larger than the whole: Parks at work 7 organisations (")
    assert "but Parks 6 organisations (" in found[0]


@pytest.mark.django_db
def test_part_and_whole_of_one_sheet_are_compared_with_each_other():
    money = make_money()
    part = make_indicator(unit=money["万元"])
    whole = make_indicator(unit=money["亿元"])
    check(part, whole)
    make_observation(indicator=whole, value=1, published=ISSUED, **YEAR_2022)
    rows = [entry(part, 30000, YEAR_2023), entry(whole, 2, YEAR_2023)]
    assert [len(found) for found in warnings_of(rows)] == [1, 1]
    rows = [entry(part, 30000, YEAR_2023), entry(whole, 4, YEAR_2023)]
    assert warnings_of(rows) == [[], []]


@pytest.mark.django_db
@pytest.mark.parametrize("fields", [{"comparable": False, "note": "口径不同"}, {"kind": "same"}])
def test_figures_that_are_no_part_of_each_other_are_not_compared(fields):
    unit = make_unit()
    part, whole = make_indicator(unit=unit), make_indicator(unit=unit)
    check(part, whole, **fields)
    rows = [entry(part, 7, YEAR_2023), entry(whole, 6, YEAR_2023)]
    assert warnings_of(rows) == [[], []]


@pytest.mark.django_db
def test_flows_of_different_periods_are_no_part_of_each_other():
    unit = make_unit()
    part, whole = make_indicator(unit=unit), make_indicator(unit=unit)
    check(part, whole)
    make_observation(indicator=whole, value=6, published=ISSUED, **YEAR_2022)
    assert warnings_of([entry(part, 7, YEAR_2023)]) == [[]]


def carriers() -> dict[Role, Indicator]:
    """8 national ones among 32 carriers, which is the stated quarter, all at the end of 2022."""
    unit, percent = make_unit(), make_unit(name="%", name_en="%", quantity="percentage")
    check_of = make_check(kind=CheckKind.SHARE, name_en="Share of national carriers")
    kinds = {Role.PART: (Kind.STOCK, unit, 8), Role.WHOLE: (Kind.STOCK, unit, 32),
             Role.RATE: (Kind.SHARE, percent, 25)}  # fmt: skip
    found = {}
    for role, (kind, unit_, value) in kinds.items():
        found[role] = make_indicator(kind=kind, unit=unit_)
        make_term(check_of=check_of, role=role, indicator=found[role])
        make_observation(indicator=found[role], value=value, published=ISSUED, **TOTAL_2022)
    return found


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("part", "share", "sentences"),
    [
        (9, "28.1", []),
        (9, "25.5", ["Share of national carriers: computed 28.13%, stated 25.5%."]),
        (9, None, []),
        (None, "30", []),
    ],
)
def test_a_share_that_its_figures_do_not_give_is_named(part, share, sentences):
    of = carriers()
    entered = {Role.PART: part, Role.WHOLE: 32, Role.RATE: share}
    rows = [entry(of[role], value, TOTAL_2023) for role, value in entered.items() if value]
    found = warnings_of(rows)
    alone = ["The same as the last value: 32 organisations (up to 2022-12-31)."]
    assert [[text for text in texts if text not in alone] for texts in found] == [
        sentences for _row in rows
    ]


@pytest.mark.django_db
def test_an_entry_beside_public_figures_of_its_day_is_checked():
    of = carriers()
    make_observation(indicator=of[Role.WHOLE], value=32, published=LATER, **TOTAL_2023)
    make_observation(indicator=of[Role.PART], value=9, published=LATER, **TOTAL_2023)
    (found,) = warnings_of([entry(of[Role.RATE], 50, TOTAL_2023)])
    assert found == ["Share of national carriers: computed 28.13%, stated 50%."]


def growing(kind, name):
    """A check of ``kind`` on a figure and its growth, the figure, and the growth."""
    percent = make_unit(name="%", name_en="%", quantity="percentage")
    figure, rate = make_indicator(), make_indicator(kind=Kind.GROWTH, unit=percent)
    check = make_check(kind=kind, name_en=name)
    make_term(check_of=check, role=Role.NOW, indicator=figure)
    make_term(check_of=check, role=Role.RATE, indicator=rate)
    return check, figure, rate


@pytest.mark.django_db
def test_a_growth_that_led_back_to_a_number_is_held_beside_that_number_once_it_is_public():
    _check, firms, rate = growing(CheckKind.BASE, "Firms and their growth")
    rows = [entry(firms, 30, YEAR_2023), entry(rate, 40, YEAR_2023)]
    assert warnings_of(rows) == [[], []]

    make_observation(indicator=firms, value=20, published=ISSUED, **YEAR_2022)

    sentence = "Firms and their growth: computed 50%, stated 40%."
    assert warnings_of(rows) == [[sentence], [sentence]]


@pytest.mark.django_db
def test_growth_is_held_beside_the_value_of_the_year_before():
    check, loans, rate = growing(CheckKind.GROWTH, "Loans and their growth")
    make_term(check_of=check, role=Role.BEFORE, indicator=loans, earlier=True)
    make_observation(indicator=loans, value=20, published=ISSUED, **YEAR_2022)
    sentence = "Loans and their growth: computed 50%, stated 40%."
    rows = [entry(loans, 30, YEAR_2023), entry(rate, 40, YEAR_2023)]
    assert warnings_of(rows) == [[sentence], [sentence]]
    rows = [entry(loans, 30, YEAR_2023), entry(rate, 50, YEAR_2023)]
    assert warnings_of(rows) == [[], []]


@pytest.mark.django_db
def test_the_sum_of_parts_that_overlap_in_public_too_is_no_news():
    unit = make_unit()
    whole, one, other = (make_indicator(unit=unit) for _ in range(3))
    check_of = make_check(kind=CheckKind.SUM, name_en="Parts")
    for role, indicator in ((Role.WHOLE, whole), (Role.PART, one), (Role.PART, other)):
        make_term(check_of=check_of, role=role, indicator=indicator)
    rows = [entry(whole, 10, YEAR_2023), entry(one, 7, YEAR_2023), entry(other, 6, YEAR_2023)]
    sentence = "Parts: computed 13 organisations, stated 10 organisations."
    assert warnings_of(rows) == [[sentence]] * 3

    for indicator, value in ((whole, 20), (one, 14), (other, 12)):
        make_observation(indicator=indicator, value=value, published=ISSUED, **YEAR_2022)
    assert warnings_of(rows) == [[]] * 3


def overlapping(*values, period) -> list[Observation]:
    """A whole and two parts that should add up to it; public values in the order of their names."""
    unit = make_unit()
    check_of = make_check(kind=CheckKind.SUM, name_en="Parts")
    indicators = [make_indicator(unit=unit) for _value in values]
    for role, indicator in zip((Role.WHOLE, Role.PART, Role.PART), indicators, strict=True):
        make_term(check_of=check_of, role=role, indicator=indicator)
    return public_values(indicators, values, period)


def public_values(indicators, values, period) -> list[Observation]:
    return [
        make_observation(indicator=indicator, value=value, published=LATER, **period)
        for indicator, value in zip(indicators, values, strict=True)
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_correction_of_parts_that_overlap_in_public_is_no_news(place):
    old = overlapping(10, 7, 6, period=YEAR_2022)[place]
    draft = correct(old, by=None, reason="补充说明", note="x")
    assert warnings_of([draft]) == [[]]
    draft.value += 1
    assert warnings_of([draft]) == [[]]


@pytest.mark.django_db
def test_a_correction_after_which_the_parts_no_longer_give_the_whole_is_named():
    draft = correct(overlapping(10, 4, 6, period=YEAR_2022)[1], by=None, reason="重计", value=5)
    assert warnings_of([draft]) == [["Parts: computed 11 organisations, stated 10 organisations."]]


@pytest.mark.django_db
@pytest.mark.parametrize(("before", "now", "news"), [((10, 7, 6), (10, 4, 6), False),
                                                     ((10, 4, 6), (10, 7, 6), True)])  # fmt: skip
def test_a_correction_is_held_against_its_own_time_not_the_newest(before, now, news):
    olds = overlapping(*before, period=YEAR_2022)
    public_values([old.indicator for old in olds], now, YEAR_2023)
    draft = correct(olds[1], by=None, reason="重计", value=Decimal(8))
    assert bool(warnings_of([draft])[0]) is news


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 30])
def test_three_queries_whatever_the_number_of_rows(count, django_assert_num_queries):
    round_ = make_round()
    rows = [make_observation(indicator=total(), round=round_) for _ in range(count)]
    rows = list(Observation.objects.filter(pk__in=[row.pk for row in rows])
                .select_related("indicator__unit"))  # fmt: skip
    check(rows[0].indicator, make_indicator(unit=rows[0].indicator.unit))
    with django_assert_num_queries(3):
        warnings_of(rows)


@pytest.mark.django_db
def test_a_figure_out_of_its_usual_range_and_an_old_one_again_are_asked_about():
    indicator = make_indicator(kind=Kind.FLOW)
    quarters = (("01-01", "03-31"), ("04-01", "06-30"), ("07-01", "09-30"), ("10-01", "12-31"))
    for (start, end), value in zip(quarters, (20180, 21460, 19870, 22930), strict=True):
        make_observation(
            indicator=indicator,
            value=Decimal(value),
            period_start=date.fromisoformat(f"2022-{start}"),
            period_end=date.fromisoformat(f"2022-{end}"),
            published=ISSUED,
        )

    def asked(value):
        period = {"period_start": date(2023, 1, 1), "period_end": date(2023, 3, 31)}
        row = entry(indicator, value, period)
        return [sentence.split(":")[0].split(" of ")[0] for sentence in warnings_of([row])[0]]

    assert asked(20500) == []
    assert asked(42000) == ["Unusual"]
    assert asked(21460) == ["Exactly the value"]


def flow_of_quarters(*values):
    """A flow with a public value for each quarter since 2022."""
    indicator = make_indicator(kind=Kind.FLOW)
    for n, value in enumerate(values):
        start = date(2022 + n // 4, n % 4 * 3 + 1, 1)
        end = date(2022 + (n + 1) // 4, (n + 1) % 4 * 3 + 1, 1) - timedelta(days=1)
        make_observation(
            indicator=indicator, value=value, period_start=start, period_end=end,
            published=date(2024, 1, 9),
        )  # fmt: skip
    return indicator


@pytest.mark.django_db
def test_what_a_steward_confirmed_takes_the_place_of_what_is_computed():
    indicator = flow_of_quarters(100, 103, 99, 101, 102)
    quarter = {"period_start": date(2023, 4, 1), "period_end": date(2023, 6, 30)}
    row = make_observation(indicator=indicator, value=Decimal(180), **quarter)
    ((computed,),) = warnings_of([row])
    assert computed.startswith("Unusual: after the last 5 values")

    bounds = make_bounds(indicator=indicator, least=50, largest=200)
    assert warnings_of([row]) == [[]]

    bounds.largest = Decimal(150)
    bounds.save()
    assert warnings_of([row]) == [
        [
            "Outside of what is usual: between 50 organisations and 150 organisations, as "
            "confirmed by a data steward."
        ]
    ]


@pytest.mark.django_db
def test_what_is_proposed_is_what_the_history_says_of_the_next_value():
    found = proposed_bounds(flow_of_quarters(100, 103, 99, 101, 102))
    assert found.count == 5
    assert found.low < 99 < 103 < found.high < 150
    assert proposed_bounds(flow_of_quarters(100, 103, 99)) is None
    assert proposed_bounds(make_indicator()) is None
