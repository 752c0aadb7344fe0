"""Figures and what they belong to: constraints, the latest value, what is public."""

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError
from django.utils import timezone, translation

from measures.tests.constraints import (
    assert_database_refuses,
    assert_validation_refuses,
    constraints_of,
    submission_breaches,
)
from measures.tests.factories import ISSUED, make_measure, make_report, make_user
from measures.workflow import correct, publish, submit

from ..models import Indicator, Observation, Target, Unit
from ..rules.choices import Missing, Nature
from .factories import (
    make_bounds,
    make_check,
    make_indicator,
    make_money,
    make_no_figure,
    make_observation,
    make_pair,
    make_plan,
    make_round_due,
    make_table_mapping,
    make_target,
    make_term,
    make_unit,
)

pytestmark = pytest.mark.django_db

CONSTRAINTS = constraints_of("metrics")
YEAR_2021 = {"period_start": date(2021, 1, 1), "period_end": date(2021, 12, 31)}
YEAR_2022 = {"period_start": date(2022, 1, 1), "period_end": date(2022, 12, 31)}


def base_unit_with_a_factor():
    return make_unit(), {"factor": 2}


def multiple_of_nothing():
    return make_unit(base=make_unit(), factor=10), {"factor": 0}


def second_indicator_of_the_same_order():
    first = make_indicator()
    return make_indicator(), {"measure": first.measure, "order": first.order}


def indicator_derived_from_itself():
    row = make_indicator()
    return row, {"basis": row}


def recipients_of_what_is_no_money():
    return make_indicator(), {"recipients": make_indicator()}


def money_that_counts_who_received_it():
    row = make_indicator(unit=make_money()["亿元"], nature=Nature.CREDIT)
    return row, {"recipients": row}


def version_of_a_table_kept_twice():
    first = make_table_mapping()
    row = make_table_mapping(department=first.department, number=2)
    return row, {"number": 1}


def usual_values_upside_down():
    return make_bounds(), {"least": 200}


def indicator_that_is_a_pair_with_itself():
    pair = make_pair()
    return pair, {"second": pair.first}


def pair_declared_twice():
    pair = make_pair()
    return make_pair(), {"first": pair.first, "second": pair.second}


def pair_declared_the_other_way_round():
    pair = make_pair()
    return make_pair(), {"first": pair.second, "second": pair.first}


def table_without_a_name():
    return make_table_mapping(), {"name": ""}


def table_of_rounds_without_a_month():
    return make_table_mapping(), {"months": 0}


def plan_that_ends_on_its_first_day():
    return make_plan(start_on=date(2021, 1, 1)), {"end_on": date(2021, 1, 1)}


def period_that_ends_before_it_begins():
    return make_observation(period_end=date(2022, 12, 31)), {"period_start": date(2023, 1, 1)}


def figure_without_its_words():
    return make_observation(), {"as_written": ""}


def value_stated_twice_by_a_report():
    source = {"indicator": make_indicator(), "report": make_report(), **YEAR_2022}
    make_observation(locator="1.1/1", **source)
    return make_observation(locator="1.1/2", **source), {"locator": "1.1/1"}


def value_stated_twice_by_another_source():
    source = {"indicator": make_indicator(), **YEAR_2022}
    make_observation(source_name="台账甲", **source)
    return make_observation(source_name="台账乙", **source), {"source_name": "台账甲"}


def total_without_a_beginning_stated_twice():
    source = {"indicator": make_indicator(), "source_name": "台账", "period_end": ISSUED}
    make_observation(period_start=None, **source)
    return make_observation(period_start=ISSUED, **source), {"period_start": None}


def period_without_a_figure_that_ends_before_it_begins():
    return make_no_figure(), {"period_start": date(2023, 1, 1)}


def reason_that_nobody_gave():
    return make_no_figure(), {"reason": Missing.NOT_YET_REPORTED}


def period_said_twice_to_have_no_figure():
    first = make_no_figure()
    second = make_no_figure(indicator=first.indicator, **YEAR_2021)
    return second, YEAR_2022


def total_said_twice_to_have_no_figure():
    first = make_no_figure(period_start=None)
    return make_no_figure(indicator=first.indicator), {"period_start": None}


def target_set_twice():
    first = make_target(due_on=ISSUED)
    second = make_target(indicator=first.indicator, plan=first.plan)
    return second, {"due_on": ISSUED}


def target_without_a_date_set_twice():
    first = make_target()
    second = make_target(indicator=first.indicator, plan=first.plan, due_on=ISSUED)
    return second, {"due_on": None}


def check_that_does_not_say_why_it_is_not_comparable():
    return make_check(), {"comparable": False}


def second_term_of_the_same_figure():
    first = make_term()
    return make_term(check_of=first.check_of), {"indicator": first.indicator}


def source_breaches(make):
    """(end of the constraint's name, breach) for a figure with a source."""

    def no_source():
        return make(), {"source_name": ""}

    def two_sources():
        return make(), {"report": make_report(), "locator": "1.1/1"}

    def report_without_the_place_in_it():
        return make(report=make_report(), locator="1.1/1"), {"locator": ""}

    def place_without_the_report():
        return make(), {"locator": "1.1/1"}

    breaches = (no_source, two_sources, report_without_the_place_in_it, place_without_the_report)
    return [("has_source", breach) for breach in breaches]


BREACHES = [
    ("unit_factor_to_base", base_unit_with_a_factor),
    ("unit_factor_to_base", multiple_of_nothing),
    ("indicator_order_once", second_indicator_of_the_same_order),
    ("indicator_not_its_own_basis", indicator_derived_from_itself),
    ("indicator_recipients_of_money", recipients_of_what_is_no_money),
    ("indicator_recipients_of_money", money_that_counts_who_received_it),
    ("plan_dates_in_order", plan_that_ends_on_its_first_day),
    ("observation_period_in_order", period_that_ends_before_it_begins),
    ("observation_as_written", figure_without_its_words),
    ("observation_told_once", value_stated_twice_by_a_report),
    ("observation_told_once", value_stated_twice_by_another_source),
    ("observation_told_once", total_without_a_beginning_stated_twice),
    ("nofigure_period_in_order", period_without_a_figure_that_ends_before_it_begins),
    ("nofigure_reason_known", reason_that_nobody_gave),
    ("nofigure_told_once", period_said_twice_to_have_no_figure),
    ("nofigure_told_once", total_said_twice_to_have_no_figure),
    ("check_says_why_not_comparable", check_that_does_not_say_why_it_is_not_comparable),
    ("tablemapping_version_once", version_of_a_table_kept_twice),
    ("usualbounds_in_order", usual_values_upside_down),
    ("compulsorypair_of_two", indicator_that_is_a_pair_with_itself),
    ("compulsorypair_once", pair_declared_twice),
    ("compulsorypair_once", pair_declared_the_other_way_round),
    ("tablemapping_has_name", table_without_a_name),
    ("tablemapping_counts_from_one", table_of_rounds_without_a_month),
    ("checkterm_once", second_term_of_the_same_figure),
    ("target_set_once", target_set_twice),
    ("target_set_once", target_without_a_date_set_twice),
    *(
        (f"{model}_{name}", breach)
        for model, make in [
            ("observation", make_observation),
            ("target", make_target),
            ("nofigure", make_no_figure),
        ]
        for name, breach in submission_breaches(make) + source_breaches(make)
    ),
]


def test_every_constraint_has_a_breach():
    assert {name for name, _breach in BREACHES} == set(CONSTRAINTS) - {"rounddue_once"}


def test_a_round_asks_for_an_indicator_once():
    """Such a row is never changed, so nothing but a second one can break the constraint."""
    first = make_round_due()

    with pytest.raises(IntegrityError, match=r"rounddue_once|UNIQUE.*round_id.*indicator_id"):
        make_round_due(round=first.round, indicator=first.indicator)


@pytest.mark.parametrize(("name", "breach"), BREACHES)
def test_database_and_validation_refuse_a_breach_in_the_words_of_the_constraint(name, breach):
    row, changes = breach()
    assert_database_refuses(row, changes, CONSTRAINTS[name][1])
    assert_validation_refuses(row, changes, CONSTRAINTS[name][1])


def test_what_the_constraints_allow():
    """The near side of each limit."""
    make_unit(base=make_unit(), factor=Decimal("0.000001")).full_clean()
    make_unit(base=make_unit(), factor=1).full_clean()
    make_indicator(basis=make_indicator()).full_clean()
    make_plan(start_on=date(2021, 1, 1), end_on=date(2021, 1, 2)).full_clean()
    make_observation(period_start=ISSUED, period_end=ISSUED).full_clean()
    make_observation(period_start=None).full_clean()
    make_target(value=None).full_clean()
    make_check(comparable=False, note="口径不同").full_clean()
    term = make_term()
    make_term(check_of=term.check_of, indicator=term.indicator, earlier=True).full_clean()


def test_one_indicator_takes_several_periods_sources_and_places():
    source = {"indicator": make_indicator(), "report": make_report(), "locator": "1.1/1"}
    make_observation(**source, **YEAR_2022)
    make_observation(**source, **YEAR_2021).full_clean()
    make_observation(**source, period_start=None, period_end=date(2022, 12, 31)).full_clean()
    make_observation(**{**source, "locator": "1.1/2"}, **YEAR_2022).full_clean()
    make_observation(**{**source, "report": make_report()}, **YEAR_2022).full_clean()
    make_observation(indicator=source["indicator"], **YEAR_2022).full_clean()


@pytest.mark.parametrize("value", ["99999999999.9999", "-0.0001", "99999999999.9", "0"])
def test_a_value_is_kept_to_the_last_digit(value):
    """Fifteen digits are what SQLite keeps of a decimal."""
    make_observation(value=Decimal(value)).full_clean()
    assert Observation.objects.get().value == Decimal(value)


# The latest value


def latest(indicator, as_of=None):
    return Observation.objects.latest_of_each(as_of).filter(indicator=indicator).get()


def test_the_latest_value_is_that_of_the_latest_period():
    indicator = make_indicator()
    make_observation(indicator=indicator, published=ISSUED, **YEAR_2021)
    newest = make_observation(indicator=indicator, published=ISSUED, **YEAR_2022)
    assert latest(indicator) == newest


def test_filling_in_an_older_period_later_does_not_replace_a_newer_one():
    indicator = make_indicator()
    newest = make_observation(indicator=indicator, published=date(2023, 7, 25), **YEAR_2022)
    make_observation(indicator=indicator, published=date(2023, 9, 1), **YEAR_2021)
    assert latest(indicator) == newest


def test_of_two_periods_with_the_same_end_the_one_published_last_counts():
    indicator = make_indicator()
    later = make_observation(indicator=indicator, published=date(2023, 9, 1), **YEAR_2022)
    earlier = make_observation(indicator=indicator, published=ISSUED, **YEAR_2022)
    assert latest(indicator) == later
    assert latest(indicator, date(2023, 8, 31)) == earlier


def test_of_two_published_at_the_same_moment_it_is_always_the_same_one():
    indicator = make_indicator()
    make_observation(indicator=indicator, published=ISSUED, **YEAR_2022)
    second = make_observation(indicator=indicator, published=ISSUED, **YEAR_2022)
    assert latest(indicator) == second


def test_a_correction_is_the_latest_value_from_its_day_on():
    indicator = make_indicator()
    old = make_observation(indicator=indicator, published=ISSUED, **YEAR_2022)
    new = make_observation(
        indicator=indicator,
        published=date(2023, 9, 1),
        supersedes=old,
        revision=2,
        correction_reason="笔误",
        **YEAR_2022,
    )
    assert latest(indicator, date(2023, 8, 31)) == old
    assert latest(indicator, date(2023, 9, 1)) == latest(indicator) == new


def test_correcting_an_older_period_does_not_replace_a_newer_one():
    indicator = make_indicator()
    old = make_observation(indicator=indicator, published=ISSUED, **YEAR_2021)
    newest = make_observation(indicator=indicator, published=ISSUED, **YEAR_2022)
    make_observation(
        indicator=indicator,
        published=date(2023, 9, 1),
        supersedes=old,
        revision=2,
        correction_reason="笔误",
        **YEAR_2021,
    )
    assert latest(indicator) == newest


def test_a_correction_to_an_earlier_period_takes_the_superseded_value_away():
    indicator = make_indicator()
    middle = make_observation(indicator=indicator, published=ISSUED, **YEAR_2021)
    wrong = make_observation(indicator=indicator, published=ISSUED, **YEAR_2022)
    make_observation(
        indicator=indicator,
        published=date(2023, 9, 1),
        supersedes=wrong,
        revision=2,
        correction_reason="年份有误",
        period_start=date(2020, 1, 1),
        period_end=date(2020, 12, 31),
    )
    assert latest(indicator, ISSUED) == wrong
    assert latest(indicator) == middle


def test_a_draft_is_never_the_latest_value():
    indicator = make_indicator()
    public = make_observation(indicator=indicator, published=ISSUED, **YEAR_2021)
    make_observation(indicator=indicator, **YEAR_2022)
    assert latest(indicator) == public


def test_every_indicator_has_its_own_latest_value():
    rows = [make_observation(published=ISSUED) for _ in range(3)]
    make_indicator()
    assert set(Observation.objects.latest_of_each()) == set(rows)
    assert not Observation.objects.latest_of_each(date(2023, 7, 24)).exists()


def test_the_cycle_of_a_correction_by_the_workflow():
    editor, reviewer = make_user(), make_user()
    old = make_observation(published=ISSUED, value=Decimal("5"), as_written="约5家")
    draft = correct(old, by=editor, reason="笔误", value=Decimal("6"), as_written="6家")
    assert (draft.revision, draft.source_name, draft.code != old.code) == (2, old.source_name, True)
    submit(draft, by=editor)
    assert latest(old.indicator).value == 5
    publish(draft, by=reviewer)
    assert latest(old.indicator).value == 6
    assert latest(old.indicator, ISSUED).value == 5


# Indicators with what pages need


@pytest.mark.parametrize("count", [3, 30])
def test_loading_latest_values_and_targets_takes_three_queries(count, django_assert_num_queries):
    unit, plan, report = make_unit(), make_plan(), make_report()
    for _ in range(count):
        indicator = make_indicator(unit=unit)
        for period in (YEAR_2021, YEAR_2022):
            make_observation(
                indicator=indicator, report=report, locator="1.1/1", published=ISSUED, **period
            )
        make_target(indicator=indicator, plan=plan, published=ISSUED)
    with django_assert_num_queries(3):
        rows = list(Indicator.objects.published().with_place().with_latest())
        shown = [
            (
                row.measure.number,
                row.latest.period_end,
                row.latest.source_text,
                row.current_target.plan.end_on,
            )
            for row in rows
        ]
    assert len(shown) == count
    assert {period_end for _number, period_end, _source, _end in shown} == {date(2022, 12, 31)}


def test_an_indicator_without_value_and_target_says_so():
    make_indicator()
    row = Indicator.objects.with_latest().get()
    assert (row.latest, row.current_target) == (None, None)


def test_the_latest_value_and_target_of_an_indicator_are_those_of_the_day():
    indicator = make_indicator()
    make_observation(indicator=indicator, published=date(2023, 8, 1))
    make_target(indicator=indicator, published=date(2023, 8, 1))

    def found(as_of):
        row = Indicator.objects.with_latest(as_of).get()
        return bool(row.latest), bool(row.current_target)

    assert found(date(2023, 7, 31)) == (False, False)
    assert found(date(2023, 8, 1)) == found(None) == (True, True)


def test_the_current_target_is_the_one_that_falls_due_first():
    indicator, plan = make_indicator(), make_plan()
    make_target(indicator=indicator, plan=plan, due_on=date(2023, 12, 31), published=ISSUED)
    first = make_target(indicator=indicator, plan=plan, due_on=date(2022, 12, 31), published=ISSUED)
    make_target(indicator=indicator, plan=plan, due_on=date(2021, 12, 31))
    assert Indicator.objects.with_latest().get().current_target == first


def test_latest_values_sort_in_the_base_unit():
    money = make_money()
    for name, value in [("亿元", "0.5"), ("万元", "4000"), ("元", "60000000")]:
        make_observation(
            indicator=make_indicator(unit=money[name]), value=Decimal(value), published=ISSUED
        )
    make_indicator(unit=money["元"])
    rows = Indicator.objects.with_latest_base_value().exclude(latest_base_value=None)
    assert [
        (row.unit.name, row.latest_base_value) for row in rows.order_by("latest_base_value")
    ] == [("万元", 40000000), ("亿元", 50000000), ("元", 60000000)]
    assert Indicator.objects.with_latest_base_value().filter(latest_base_value=None).count() == 1


def test_the_base_value_counts_base_units():
    money = make_money()
    row = make_observation(indicator=make_indicator(unit=money["亿元"]), value=Decimal("51.79"))
    assert row.base_value == Decimal("5179000000")
    assert (money["亿元"].base_unit, money["元"].base_unit) == (money["元"], money["元"])


def test_an_indicator_is_public_only_on_a_public_measure():
    july, august = date(2023, 7, 1), date(2023, 8, 1)
    both = make_indicator(published_on=july, measure=make_measure(published_on=july))
    late = make_indicator(published_on=august, measure=make_measure(published_on=july))
    below = make_indicator(published_on=july, measure=make_measure(published_on=august))
    make_indicator(published_on=july, measure=make_measure(published_on=None))
    make_indicator(published_on=None, measure=make_measure(published_on=july))
    assert set(Indicator.objects.published(date(2023, 7, 31))) == {both}
    assert set(Indicator.objects.published(august)) == {both, late, below}
    assert set(Indicator.objects.published()) == {both, late, below}


def test_the_list_of_targets_is_public_with_all_that_a_verdict_needs(django_assert_num_queries):
    shown = make_target(published=ISSUED)
    make_target()
    make_target(published=ISSUED, indicator=make_indicator(published_on=None))
    make_target(published=timezone.now(), indicator=make_indicator())
    assert list(Target.objects.for_list(ISSUED)) == [shown]
    with django_assert_num_queries(3):
        rows = list(Target.objects.for_list())
        assert all(row.plan.end_on and row.indicator.unit.name for row in rows)
        assert {row.indicator.latest for row in rows} == {None}
    assert len(rows) == 2


# Words

MAKERS = (
    make_unit,
    make_indicator,
    make_observation,
    make_plan,
    make_target,
    make_check,
    make_term,
)


def test_a_source_is_a_place_in_a_report_or_a_name():
    report = make_report(number="宝府〔2023〕70号")
    assert make_observation(report=report, locator="1.3/5").source_text == "宝府〔2023〕70号 1.3/5"
    assert make_observation(source_name="区统计局季报").source_text == "区统计局季报"


def test_figures_speak_the_readers_language():
    row = make_observation(note="含在建", note_en="Includes those being built")
    chinese_only = make_observation(note="含在建")
    with translation.override("en"):
        assert row.in_language("note") == "Includes those being built"
        assert chinese_only.in_language("note") == "含在建"
    assert row.in_language("note") == "含在建"


def test_a_row_is_named_after_its_indicator():
    indicator = make_indicator(name="园区", name_en="Parks")
    row = make_observation(indicator=indicator, as_written="8家", **YEAR_2022)
    assert str(row) == "园区 8家 (2022-12-31)"
    assert str(make_target(indicator=indicator, plan=make_plan(name="计划"))) == "园区 – 计划"


def test_rows_are_found_by_their_codes():
    for make in MAKERS:
        row = make()
        assert type(row).objects.get_by_natural_key(*row.natural_key()) == row


def test_units_come_by_quantity_and_size():
    make_money()
    assert [unit.name for unit in Unit.objects.all()] == ["元", "万元", "亿元"]


def test_a_value_published_at_midnight_counts_from_that_day_on():
    row = make_observation(published=datetime(2023, 7, 25, tzinfo=ZoneInfo("Asia/Shanghai")))
    assert latest(row.indicator, date(2023, 7, 25)) == row
    assert not Observation.objects.latest_of_each(date(2023, 7, 24)).exists()
