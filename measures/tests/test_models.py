"""Measures and what they belong to: constraints, numbers, languages, what is public."""

from datetime import date
from functools import partial

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone, translation

from ..models import (
    DataVersion,
    Evaluation,
    Measure,
    MeasureState,
    MeasureStatus,
    Stage,
    Threshold,
    ThresholdCode,
    Withdrawal,
)
from ..submission import State
from .constraints import (
    assert_database_refuses,
    assert_validation_refuses,
    constraints_of,
    submission_breaches,
)
from .factories import (
    ISSUED,
    make_department,
    make_evaluation,
    make_mailed,
    make_measure,
    make_note,
    make_opinion,
    make_report,
    make_revision,
    make_round,
    make_section,
    make_sign_off,
    make_stage,
    make_state,
    make_synonym,
    make_theme,
    make_unlock,
    reword,
    the_threshold,
)

pytestmark = pytest.mark.django_db

CONSTRAINTS = constraints_of("measures")


def report_issued_before_it_was_signed():
    return make_report(signed_on=date(2023, 7, 24)), {"issued_on": date(2023, 7, 23)}


def second_section_of_the_same_order():
    first = make_section()
    return make_section(), {"opinion": first.opinion, "order": first.order}


def second_opinion_that_is_the_first():
    make_opinion()
    return make_opinion(), {"is_first": True}


def unknown_kind_of_document():
    return make_report(), {"kind": "rumour"}


def second_theme_of_the_same_order():
    first = make_theme()
    return make_theme(), {"section": first.section, "order": first.order}


def second_measure_of_the_same_order():
    first = make_measure()
    return make_measure(), {"theme": first.theme, "order": first.order}


def confirmed_lead_that_is_not_named():
    return make_measure(), {"lead_confirmed": True}


def report_without_the_place_in_it():
    return make_measure(), {"report": make_report()}


def place_without_the_report():
    return make_measure(), {"locator": "1.2/3"}


def round_that_ends_before_it_begins():
    return make_round(period_end=date(2023, 9, 30)), {"period_start": date(2023, 10, 1)}


def matter_told_twice():
    first = make_mailed()
    return make_mailed(person=first.person), {"matter": first.matter}


def signed_off_by_whoever_entered_it():
    row = make_sign_off()
    return row, {"entered_by": row.by}


def signed_off_by_whoever_changed_it():
    row = make_sign_off()
    return row, {"changed_by": row.by}


def signed_off_twice():
    first = make_sign_off()
    return make_sign_off(), {"subject_code": first.subject_code}


def synonym_of_itself():
    return make_synonym(), {"term": "同一个词", "meaning": "同一个词"}


def round_that_is_due_before_it_opens():
    return make_round(opens_on=date(2023, 10, 1)), {"due_on": date(2023, 9, 30)}


def second_unlock_for_a_department():
    first = make_unlock()
    return make_unlock(round=first.round), {"department": first.department}


def unlock_without_a_reason():
    return make_unlock(), {"reason": ""}


def unknown_stage():
    return make_stage(), {"stage": "lost"}


def stage_told_twice():
    first = make_stage()
    return make_stage(opinion=first.opinion, stage=Stage.CLOSED), {"stage": first.stage}


def evaluation_of_two_things():
    return make_evaluation(), {"theme": make_theme()}


def evaluation_of_nothing():
    return make_evaluation(), {"section": None}


def votes_below_zero(name):
    return make_evaluation(**{name: 0}), {name: -1}


def unknown_result():
    return make_evaluation(), {"grade": "splendid"}


def unknown_decision():
    return make_evaluation(), {"decision": "lost"}


def withdrawal(**fields) -> Withdrawal:
    """A draft of the withdrawal of a note that is public."""
    note = make_note(published=ISSUED)
    subject = {"subject_type": "progressnote", "subject_code": note.code, "subject_name": "说明"}
    return Withdrawal.objects.create(measure=note.measure, reason="误报。", **subject | fields)


def withdrawal_of_nothing():
    return withdrawal(), {"subject_code": ""}


def withdrawal_of_an_unknown_kind():
    return withdrawal(), {"subject_type": "round"}


def withdrawal_without_a_reason():
    return withdrawal(), {"reason": ""}


def second_withdrawal():
    first = withdrawal()
    return withdrawal(), {"subject_code": first.subject_code}


def unknown_status():
    return make_state(), {"status": "lost"}


def merged_into_nothing():
    return make_state(), {"status": MeasureStatus.MERGED}


def state_without_a_reason():
    return make_state(), {"reason": ""}


def state_with_a_place_in_no_report():
    return make_state(), {"locator": "1.1/1"}


def state_told_twice():
    first = make_state()
    return make_state(measure=first.measure), {"since": first.since}


def submitted_revision_without_a_reason():
    return make_revision(), {"state": State.SUBMITTED, "reason": ""}


def pace_tolerance_of_more_than_a_hundred():
    return the_threshold(), {"value": 101}


def tolerance_of_nothing_known():
    return the_threshold(), {"value": None}


def more_than_a_year_to_report():
    return the_threshold("reporting-grace"), {"value": 366}


def term_of_no_day():
    return the_threshold("term-answered"), {"value": 0}


def transaction_told_twice():
    first = DataVersion.objects.create(made_in=1, began_at=timezone.now(), token=1)
    second = DataVersion.objects.create(made_in=2, began_at=first.began_at, token=1)
    return second, {"made_in": 1}


BREACHES = [
    ("threshold_points", pace_tolerance_of_more_than_a_hundred),
    ("threshold_has_value", tolerance_of_nothing_known),
    ("threshold_grace", more_than_a_year_to_report),
    ("threshold_term", term_of_no_day),
    ("report_signed_before_issue", report_issued_before_it_was_signed),
    ("opinion_first_once", second_opinion_that_is_the_first),
    ("report_kind_known", unknown_kind_of_document),
    ("section_order_once", second_section_of_the_same_order),
    ("theme_order_once", second_theme_of_the_same_order),
    ("measure_order_once", second_measure_of_the_same_order),
    ("measure_confirmed_lead_exists", confirmed_lead_that_is_not_named),
    ("measure_place_in_report", report_without_the_place_in_it),
    ("measure_place_in_report", place_without_the_report),
    ("round_period_in_order", round_that_ends_before_it_begins),
    ("round_opens_before_due", round_that_is_due_before_it_opens),
    ("synonym_means_something_else", synonym_of_itself),
    ("mailed_once", matter_told_twice),
    ("signoff_of_others", signed_off_by_whoever_entered_it),
    ("signoff_of_others", signed_off_by_whoever_changed_it),
    ("signoff_once", signed_off_twice),
    ("roundunlock_once", second_unlock_for_a_department),
    ("roundunlock_has_reason", unlock_without_a_reason),
    ("opinionstage_stage_known", unknown_stage),
    ("opinionstage_told_once", stage_told_twice),
    ("evaluation_of_one_thing", evaluation_of_two_things),
    ("evaluation_of_one_thing", evaluation_of_nothing),
    *((f"evaluation_{name}_counts", partial(votes_below_zero, name)) for name in Evaluation.VOTES),
    ("evaluation_result_known", unknown_result),
    ("evaluation_result_known", unknown_decision),
    *((f"progressnote_{name}", breach) for name, breach in submission_breaches(make_note)),
    *((f"opinionstage_{name}", breach) for name, breach in submission_breaches(make_stage)),
    *((f"evaluation_{name}", breach) for name, breach in submission_breaches(make_evaluation)),
    ("withdrawal_has_subject", withdrawal_of_nothing),
    ("withdrawal_has_subject", withdrawal_of_an_unknown_kind),
    ("withdrawal_has_reason", withdrawal_without_a_reason),
    ("withdrawal_once", second_withdrawal),
    ("measurestate_status_known", unknown_status),
    ("measurestate_leads_on", merged_into_nothing),
    ("measurestate_has_reason", state_without_a_reason),
    ("measurestate_place_in_report", state_with_a_place_in_no_report),
    ("measurestate_told_once", state_told_twice),
    *((f"withdrawal_{name}", breach) for name, breach in submission_breaches(withdrawal)),
    *((f"measurestate_{name}", breach) for name, breach in submission_breaches(make_state)),
    *((f"revision_{name}", breach) for name, breach in submission_breaches(make_revision)),
    ("revision_has_reason", submitted_revision_without_a_reason),
    ("data_version_once_a_transaction", transaction_told_twice),
]


def test_every_constraint_has_a_breach():
    assert {name for name, _breach in BREACHES} == set(CONSTRAINTS) - {"threshold_known"}


def test_there_is_no_threshold_but_the_known_ones():
    """The code of a row is permanent, so nothing but a new one can break the constraint."""
    with pytest.raises(IntegrityError, match="threshold_known"), transaction.atomic():
        Threshold.objects.create(code="mood", value=1)
    with pytest.raises(ValidationError):
        Threshold(code="mood", value=1).full_clean()
    assert {row.code for row in Threshold.objects.all()} == set(ThresholdCode)
    for code, value in (("pace-tolerance", 0), ("pace-tolerance", 100), ("reporting-grace", 0),
                        ("term-closed", 1), ("term-closed", None)):  # fmt: skip
        reword(the_threshold(code), value=value)


@pytest.mark.parametrize(("name", "breach"), BREACHES)
def test_database_and_validation_refuse_a_breach_in_the_words_of_the_constraint(name, breach):
    row, changes = breach()
    assert_database_refuses(row, changes, CONSTRAINTS[name][1])
    assert_validation_refuses(row, changes, CONSTRAINTS[name][1])


def test_what_the_constraints_allow():
    """The near side of each limit."""
    section, theme = make_section(order=1), make_theme(order=1)
    make_report(signed_on=ISSUED, issued_on=ISSUED).full_clean()
    make_round(period_start=ISSUED, period_end=ISSUED).full_clean()
    make_round(opens_on=ISSUED, due_on=ISSUED).full_clean()
    unlock = make_unlock()
    make_unlock(round=unlock.round).full_clean()
    make_unlock(department=unlock.department).full_clean()
    make_section(order=2).full_clean()
    make_section(opinion=section.opinion, order=3).full_clean()
    make_theme(order=1).full_clean()
    make_theme(section=theme.section, order=2).full_clean()
    make_measure(order=1).full_clean()
    make_measure(
        lead=make_department(), lead_confirmed=True, report=make_report(), locator="1.2/3"
    ).full_clean()


@pytest.mark.parametrize("locator", ["1.3/5", "12.10/101"])
def test_a_place_is_theme_and_sentence(locator):
    make_measure(report=make_report(), locator=locator).full_clean()


@pytest.mark.parametrize("locator", ["1.3", "1/5", "1.3/0", "0.3/5", "1.3/5 ", "一.3/5"])
def test_anything_else_is_no_place(locator):
    measure = make_measure(report=make_report(), locator="1.3/5")
    measure.locator = locator
    with pytest.raises(ValidationError) as error:
        measure.full_clean()
    assert list(error.value.message_dict) == ["locator"]


def test_numbers_follow_from_order():
    theme = make_theme(section=make_section(order=1), order=2)
    measure = make_measure(theme=theme, order=3)
    assert (theme.number, measure.number) == ("1.2", "1.2.3")
    theme.order = 4
    assert measure.number == "1.4.3"


def test_measures_come_in_the_order_of_their_numbers():
    opinion = make_opinion()
    sections = {n: make_section(opinion=opinion, order=n) for n in (2, 1)}
    themes = {(s, n): make_theme(section=sections[s], order=n) for s in (2, 1) for n in (10, 9)}
    for theme in themes.values():
        for order in (10, 2):
            make_measure(theme=theme, order=order)
    expected = [
        "1.9.2", "1.9.10", "1.10.2", "1.10.10", "2.9.2", "2.9.10", "2.10.2", "2.10.10",
    ]  # fmt: skip
    assert [measure.number for measure in Measure.objects.with_place()] == expected


def test_loading_the_place_takes_one_query(django_assert_num_queries):
    for _ in range(3):
        make_measure(lead=make_department())
    with django_assert_num_queries(1):
        for measure in Measure.objects.with_place():
            assert measure.number and measure.lead.name


@pytest.mark.parametrize(
    ("language", "name_en", "expected"),
    [("zh-hans", "Tower", "塔"), ("en", "Tower", "Tower"), ("en", "", "塔")],
)
def test_a_name_is_in_the_readers_language_and_else_in_chinese(language, name_en, expected):
    measure = make_measure(name="塔", name_en=name_en)
    note = make_note(measure=measure, text="塔", text_en=name_en)
    with translation.override(language):
        assert measure.in_language("name") == expected
        # A page in English says that a name is missing.
        missing = " (no English name yet)" if language == "en" and not name_en else ""
        assert str(measure) == f"{expected}{missing}"
        assert note.in_language("text") == expected


def test_a_measure_is_public_from_its_day_on():
    make_measure(code="early", published_on=date(2023, 7, 25))
    make_measure(code="hidden", published_on=None)
    make_measure(code="later", published_on=date(9999, 1, 1))
    for as_of, expected in [
        (date(2023, 7, 24), set()),
        (date(2023, 7, 25), {"early"}),
        (None, {"early"}),
    ]:
        assert set(Measure.objects.published(as_of).values_list("code", flat=True)) == expected


def test_rows_are_found_by_their_codes():
    for make in (make_department, make_opinion, make_report, make_section, make_theme):
        row = make()
        assert type(row).objects.get_by_natural_key(*row.natural_key()) == row
    for make in (make_measure, make_note):
        row = make()
        assert type(row).objects.get_by_natural_key(*row.natural_key()) == row


@pytest.mark.once("is decided in Python")
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_a_choice_is_displayed_in_the_words_of_the_language(language):
    measure = make_measure()
    with translation.override(language):
        for status in MeasureStatus:
            state = MeasureState(measure=measure, status=status)
            assert state.get_status_display() == str(status.label) == status.label
            assert type(state.get_status_display()) is str
    assert MeasureState(status="unheard-of").get_status_display() == "unheard-of"
