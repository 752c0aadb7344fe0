"""The committee's word: who may do what to it, and what its rows say."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone, translation

from .. import workflow
from ..access import (
    ADMINISTRATOR,
    AUDITOR,
    COMMITTEE,
    EDITOR,
    REVIEWER,
    ROLES,
    STEWARD,
    correctable,
    editable,
    may,
    permissions_of,
    publishable,
    visible,
)
from ..models import Evaluation, OpinionStage, Stage
from ..submission import State
from .factories import (
    ISSUED,
    make_evaluation,
    make_report,
    make_section,
    make_staff,
    make_stage,
    make_theme,
)

pytestmark = pytest.mark.django_db

MAKERS = {OpinionStage: make_stage, Evaluation: make_evaluation}
each_kind = pytest.mark.parametrize("model", MAKERS)


@each_kind
def test_only_the_committees_office_enters_and_publishes_its_word(model):
    name = model._meta.model_name
    writing = {f"measures.{action}_{name}" for action in ("add", "change", "delete", "publish")}

    assert writing <= permissions_of(COMMITTEE)
    for role in set(ROLES) - {COMMITTEE}:
        assert not writing & permissions_of(role), role
    reading = {role for role in ROLES if f"measures.view_{name}" in permissions_of(role)}
    assert reading == {COMMITTEE, AUDITOR}


def test_the_office_has_no_say_over_anything_else():
    assert {label.rpartition("_")[2] for label in permissions_of(COMMITTEE)} == {
        "opinionstage",
        "evaluation",
    }


@each_kind
@pytest.mark.parametrize("role", [EDITOR, REVIEWER, STEWARD, ADMINISTRATOR])
def test_nobody_of_the_government_sees_or_moves_a_row_in_any_state(model, role):
    user = make_staff(role)
    for state in (State.DRAFT, State.SUBMITTED):
        MAKERS[model](state=state)
    MAKERS[model](published=ISSUED)

    for choose in (visible, editable, publishable, correctable):
        assert not choose(user, model.objects.all()).exists()


@each_kind
def test_somebody_else_of_the_office_publishes_what_one_entered(model):
    first, second = make_staff(COMMITTEE), make_staff(COMMITTEE)
    row = MAKERS[model](state=State.SUBMITTED, entered_by=first, changed_by=first)

    assert not may(first, publishable, row)
    with pytest.raises(PermissionDenied):
        workflow.publish(row, by=first)
    assert may(second, publishable, row)
    workflow.publish(row, by=second)
    assert list(model.objects.published()) == [row]


def test_a_correction_supersedes_and_the_past_keeps_the_old_numbers():
    old = make_evaluation(published=ISSUED, satisfied=28)
    one, other = make_staff(COMMITTEE), make_staff(COMMITTEE)
    new = workflow.correct(old, by=one, reason="漏计一票", satisfied=29)
    workflow.submit(new, by=one)
    workflow.publish(new, by=other)

    assert [row.satisfied for row in Evaluation.objects.published()] == [29]
    assert [row.satisfied for row in Evaluation.objects.published(ISSUED)] == [28]


@each_kind
def test_what_has_not_happened_yet_is_refused(model):
    field = model.day_field
    row = MAKERS[model](**{field: timezone.localdate()})
    row.full_clean()
    setattr(row, field, timezone.localdate() + timedelta(days=1))
    with pytest.raises(ValidationError) as error:
        row.full_clean()
    assert list(error.value.message_dict) == [field]


def test_votes_may_be_none_at_all_and_zero():
    make_evaluation(**dict.fromkeys(Evaluation.VOTES, 0)).full_clean()
    row = make_evaluation()
    row.full_clean()
    assert not row.has_votes
    assert {n for _name, n in row.votes} == {None}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"grade": "not-satisfied"}, True),
        ({"grade": "fairly-satisfied"}, False),
        # What was announced goes before the votes.
        (dict.fromkeys(Evaluation.VOTES, 0) | {"grade": "satisfied", "not_satisfied": 9}, False),
        # 11 of 20 is more than half, 10 is not.
        (dict(zip(Evaluation.VOTES, (4, 4, 11, 1), strict=True)), True),
        (dict(zip(Evaluation.VOTES, (4, 5, 10, 1), strict=True)), False),
        # Three numbers do not tell the whole.
        (dict(zip(Evaluation.VOTES, (1, 1, 11, None), strict=True)), False),
        ({}, False),
    ],
)  # fmt: skip
def test_not_satisfied_is_what_was_announced_or_more_than_half_of_all_votes(said, expected):
    assert make_evaluation(**said).says_not_satisfied is expected


def test_an_evaluation_knows_its_opinion_whatever_it_is_of():
    theme, section, report = make_theme(), make_section(), make_report()

    assert make_evaluation(theme=theme).opinion == theme.section.opinion
    assert make_evaluation(section=section).opinion == section.opinion
    assert make_evaluation(report=report).opinion == report.opinion


def test_a_stage_of_an_opinion_is_told_once_but_can_be_corrected():
    stage = make_stage(published=ISSUED)
    again = OpinionStage(opinion=stage.opinion, stage=stage.stage, happened_on=date(2023, 1, 1))
    with pytest.raises(ValidationError) as error:
        again.full_clean()
    assert "已登记" in str(error.value.messages) or "entered already" in str(error.value.messages)
    make_stage(opinion=stage.opinion, stage=Stage.CLOSED).full_clean()
    workflow.correct(stage, by=make_staff(COMMITTEE), reason="笔误", happened_on=date(2023, 7, 24))


def test_a_line_says_all_of_an_evaluation_but_what_was_not_published():
    with translation.override("en"):
        row = make_evaluation(grade="satisfied", satisfied=3, abstained=0, decision="closed")
        said = "Standing Committee · satisfied · satisfied 3, abstained 0 · closed"
        assert row.result_text == said
        assert make_evaluation().result_text == "Standing Committee · no decision yet"
