"""What looks unusual is handed in with a short answer, through whichever door it comes."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError
from django.urls import reverse

from baoshan_portal.tests import runs_once
from baoshan_portal.tests.desk import browser_of, errors, messages
from measures import workflow
from measures.access import EDITOR, REVIEWER
from measures.models import TrailEvent
from measures.submission import State
from measures.tests.factories import (
    make_department,
    make_measure,
    make_opinion,
    make_report,
    make_round,
    make_section,
    make_staff,
    make_theme,
    make_user,
    reword,
)
from metrics.models import Observation
from metrics.rules.checks import Role
from metrics.rules.choices import Kind
from metrics.tests.factories import make_check, make_indicator, make_observation, make_term

from ..entry_sheet.page import sheet_url
from .test_entry_sheet import Sheet
from .uploads import UploadDesk

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.long,
    pytest.mark.english,
    pytest.mark.usefixtures("temporary_folder"),
    runs_once.STEPS,
]

#: The last value is 5, so this looks ten times too much.
MUCH, MORE = "50", "60"
WHY = "新园区投用"


FILES = (
    "observations.csv", "indicators.csv", "measures.csv", "targets.csv", "evaluations.csv",
    "no_figures.csv", "checks.csv", "notes.csv", "definitions.csv", "vintages.csv",
    "datapackage.json",
)  # fmt: skip


class Desk(UploadDesk):
    submits = "1"

    def __init__(self):
        self.department = make_department()
        self.editor = make_staff(EDITOR, departments=[self.department])
        self.round = make_round(period_start=date(2023, 10, 1), period_end=date(2023, 12, 31))
        self.measure = make_measure(lead=self.department)
        self.firms = self.indicator(code="firms", kind=Kind.STOCK)
        self.people = self.indicator(code="people", kind=Kind.STOCK)
        for row in (self.firms, self.people):
            make_observation(indicator=row, value=5, published=date(2023, 7, 25))
        self.browser = browser_of(self.editor)
        self.address = f"/en/admin/upload/{self.round.code}/{self.department.code}/"
        self.sheet = Sheet(sheet_url(self.round, self.department), self.browser)

    @property
    def row(self):
        return Observation.objects.get(round=self.round, indicator=self.firms)

    def told(self):
        return self.row.state, self.row.value, self.row.warning_answer


@pytest.fixture
def desk():
    return Desk()


ASKED = "The figure looks unusual. Say below it in a few words why it is right, or mend it."

# The entry sheet


def test_the_sheet_asks_at_submission_and_keeps_no_other_row(desk):
    desk.sheet.open()
    address = desk.sheet.address
    data = {"submit": ""}
    for code, figure in (("firms", MUCH), ("people", "6")):
        row = desk.sheet.row(getattr(desk, code))
        data |= {f"figure-{code}-seen": row.seen, f"figure-{code}-figure": figure}
        data[f"figure-{code}-certainty"] = "actual"
    desk.sheet.page = desk.browser.post(address, data, follow=True)

    ((_number, field, message),) = desk.sheet.errors
    assert (field, message) == ("Why the figure is nevertheless right", ASKED)
    assert not Observation.objects.filter(indicator=desk.firms, round=desk.round).exists()
    assert Observation.objects.get(indicator=desk.people, round=desk.round).state == "submitted"
    assert "Ten times the last value or more" in desk.sheet.text

    desk.sheet.type(desk.firms, "submit", answer=f" {WHY} ")
    assert desk.told() == (State.SUBMITTED, 50, WHY)
    assert f"Answer to the warnings: {WHY}" in desk.sheet.text


def test_drafts_and_figures_as_usual_are_asked_for_nothing(desk):
    desk.sheet.type(desk.firms, figure=MUCH)
    assert desk.told() == (State.DRAFT, 50, "")
    assert desk.sheet.row(desk.firms).asks_answer
    desk.sheet.type(desk.firms, "submit", figure="6")
    assert desk.told() == (State.SUBMITTED, 6, "")


def test_what_saves_itself_never_asks(desk):
    seen = desk.sheet.open().row(desk.firms).seen
    data = {"autosave": "1", "figure-firms-seen": seen, "figure-firms-figure": MUCH}
    told = desk.browser.post(desk.sheet.address, data | {"figure-firms-certainty": "actual"})
    assert told.json()["faults"] == []
    assert desk.told() == (State.DRAFT, 50, "")


def test_an_answer_goes_with_the_figure_that_it_was_given_for(desk):
    desk.sheet.type(desk.firms, figure=MUCH)
    desk.sheet.type(desk.firms, answer=WHY)
    assert desk.told() == (State.DRAFT, 50, WHY)
    desk.sheet.type(desk.firms, "submit", figure=MORE)
    assert [message for *_, message in desk.sheet.errors] == [ASKED]
    assert desk.sheet.row(desk.firms).form["answer"].value() == ""
    # In the same words, but given anew.
    desk.sheet.type(desk.firms, "submit", answer=WHY)
    assert desk.told() == (State.SUBMITTED, 60, WHY)


def test_a_new_answer_may_come_with_the_new_figure(desk):
    desk.sheet.type(desk.firms, figure=MUCH)
    desk.sheet.type(desk.firms, answer=WHY)
    desk.sheet.type(desk.firms, "submit", figure=MORE, answer="又一园区")
    assert desk.told() == (State.SUBMITTED, 60, "又一园区")


def test_a_stale_answer_is_forgotten_in_a_draft_too(desk):
    desk.sheet.type(desk.firms, figure=MUCH)
    desk.sheet.type(desk.firms, answer=WHY)
    desk.sheet.type(desk.firms, figure=MORE)
    assert desk.told() == (State.DRAFT, 60, "")


def test_an_answer_that_is_too_long_is_refused(desk):
    desk.sheet.type(desk.firms, figure=MUCH)
    desk.sheet.type(desk.firms, "submit", answer="多" * 201)
    assert desk.told() == (State.DRAFT, 50, "")
    assert len(desk.sheet.errors) == 1


# Files


def test_a_template_answers_in_its_own_column(desk):
    desk.store(f"code,figure,Answer to warnings\nfirms,{MUCH},{WHY}\n")
    assert desk.told() == (State.SUBMITTED, 50, WHY)


def test_an_old_template_is_answered_in_the_preview(desk):
    page = desk.send(f"code,figure\nfirms,{MUCH}\npeople,6\n")
    assert 'name="answer-2"' in page.content.decode()
    assert 'name="answer-3"' not in page.content.decode()

    again = desk.confirm(page)
    assert messages(again) == [
        "Figures that look unusual are submitted with a short answer why they are right: write it "
        "below the warnings or in the column “Answer to warnings”, in the rows 2. As drafts they "
        "are taken without."
    ]
    assert not Observation.objects.filter(round=desk.round).exists()

    desk.confirm(again, **{"answer-2": WHY})
    assert desk.told() == (State.SUBMITTED, 50, WHY)


def test_as_drafts_a_file_is_taken_without_and_asked_when_it_is_submitted(desk):
    file = f"code,figure\nfirms,{MUCH}\n"
    desk.store(file, submit="0")
    assert desk.told() == (State.DRAFT, 50, "")
    page = desk.send(file + "people,6\n")
    assert 'name="answer-2"' in page.content.decode()
    assert messages(desk.confirm(page))[0].startswith("Figures that look unusual")
    desk.confirm(desk.send(file + "people,6\n"), **{"answer-2": WHY})
    assert desk.told() == (State.SUBMITTED, 50, WHY)


def test_a_file_is_told_of_an_answer_that_is_too_long(desk):
    page = desk.send(f"code,figure,Answer to warnings\nfirms,{MUCH},{'多' * 201}\n")
    (problem,) = page.context["outcome"].problems
    assert problem.message == "Expected at most 200 characters."


def test_another_figure_by_file_forgets_the_answer(desk):
    desk.store(f"code,figure,Answer to warnings\nfirms,{MUCH},{WHY}\n", submit="0")
    desk.store(f"code,figure\nfirms,{MORE}\n", submit="0")
    assert desk.told() == (State.DRAFT, 60, "")


def test_a_reports_template_answers_too():
    opinion = make_opinion()
    theme = make_theme(section=make_section(opinion=opinion, order=1), order=3)
    measure = make_measure(theme=theme, lead=make_department())
    report = make_report(opinion=opinion)
    firms = make_indicator(measure=measure, code="firms", kind=Kind.STOCK)
    make_observation(indicator=firms, value=5, published=date(2023, 1, 10))
    desk = UploadDesk()
    desk.submits, desk.address = "1", f"/en/admin/report-figures/{report.code}/"
    desk.browser = browser_of(make_staff(EDITOR, departments=[measure.lead]))
    header = "Place in the report,Indicator,Figure as written,Period to,Answer to warnings"

    refused = desk.take(f"{header}\n1.3/5,firms,50,2023-06-30,\n")
    assert messages(refused)[0].startswith("Figures that look unusual")
    desk.store(f"{header}\n1.3/5,firms,50,2023-06-30,{WHY}\n")

    row = Observation.objects.get(report=report)
    assert (row.state, row.warning_answer) == (State.SUBMITTED, WHY)


# The admin


def draft(desk, value=50, **fields):
    return make_observation(
        indicator=desk.firms, round=desk.round, value=value, entered_by=desk.editor,
        period_start=None, period_end=date(2023, 12, 31), report=None, locator="",
        source_name="台账", **fields,
    )  # fmt: skip


def test_the_admins_form_asks(desk):
    row = draft(desk)
    address = reverse("admin:metrics_observation_change", args=[row.pk])
    data = {
        "seen": "1", "indicator": desk.firms.pk, "as_written": MUCH, "certainty": "actual",
        "period_end": "2023-12-31", "source_name": "台账", "_submit": "1",
    }  # fmt: skip
    page = desk.browser.post(address, data)
    (message,) = errors(page)["warning_answer"]
    assert message.startswith("Say in a few words why the figure is nevertheless right")
    desk.browser.post(address, data | {"warning_answer": WHY})
    assert desk.told() == (State.SUBMITTED, 50, WHY)


def test_submitting_many_in_the_admin_asks(desk):
    row = draft(desk)
    sent = {"action": "submit_selected", "_selected_action": [row.pk]}
    address = reverse("admin:metrics_observation_changelist")
    page = desk.browser.post(address, sent, follow=True)
    assert "nevertheless right" in messages(page)[0]
    assert desk.row.state == State.DRAFT
    row.warning_answer = WHY
    workflow.save(row, by=desk.editor, seen=row.version)
    desk.browser.post(address, sent)
    assert desk.row.state == State.SUBMITTED


# The workflow


@pytest.mark.parametrize("submit", [workflow.submit, lambda r, by: workflow.submit_all([r], by=by)])
def test_the_workflow_asks_whoever_comes_by_another_door(desk, submit):
    row = draft(desk)
    with pytest.raises(workflow.TransitionError, match="Ten times the last value or more"):
        submit(row, by=desk.editor)
    row.warning_answer = WHY
    workflow.save(row, by=desk.editor, seen=row.version)
    submit(row, by=desk.editor)
    assert desk.told() == (State.SUBMITTED, 50, WHY)


@pytest.mark.parametrize(
    "change", [{"value": Decimal(60), "as_written": "60家"}, {"period_end": date(2023, 12, 30)}]
)
@pytest.mark.parametrize("together", [False, True])
def test_another_value_or_period_needs_another_answer(desk, change, together):
    row = draft(desk, warning_answer=WHY)
    row.note = "说明"
    workflow.save(row, by=desk.editor, seen=row.version)
    assert desk.row.warning_answer == WHY
    for name, value in change.items():
        setattr(row, name, value)
    if together:
        workflow.save_all([row], by=desk.editor)
    else:
        workflow.save(row, by=desk.editor, seen=row.version)
    assert desk.row.warning_answer == ""


def test_a_correction_of_the_value_needs_an_answer_of_its_own(desk):
    row = draft(desk, warning_answer=WHY, published=date(2024, 1, 10))
    changed = workflow.correct(
        row, by=desk.editor, reason="漏计", value=Decimal(60), as_written="60家"
    )
    assert changed.warning_answer == ""
    with pytest.raises(workflow.TransitionError, match="nevertheless right"):
        workflow.submit(changed, by=desk.editor)


def test_an_answer_alone_is_no_correction(desk):
    row = draft(desk, warning_answer=WHY, published=date(2024, 1, 10))
    again = workflow.correct(row, by=desk.editor, reason="措辞", warning_answer="另一说法")
    with pytest.raises(workflow.TransitionError, match="changes nothing yet"):
        workflow.submit(again, by=desk.editor)


def test_parts_and_wholes_of_one_sheet_are_looked_at_together(desk):
    """A row that fits the other rows of its round is asked for nothing, whichever comes first."""
    check = make_check()
    make_term(check_of=check, role=Role.PART, indicator=desk.people)
    make_term(check_of=check, indicator=desk.firms)
    desk.sheet.send("submit", **{"figure-firms-figure": "9", "figure-people-figure": "8"})
    assert desk.sheet.errors == []
    assert set(Observation.objects.filter(round=desk.round).values_list("state", flat=True)) == {
        State.SUBMITTED
    }


def test_an_answer_of_what_is_public_stays_as_it_is(desk):
    row = draft(desk, warning_answer=WHY, published=date(2024, 1, 10))
    with pytest.raises(IntegrityError, match="published rows are never changed"):
        Observation.objects.filter(pk=row.pk).update(warning_answer="另一说法")


# Who reads it


def test_the_reviewer_reads_it_and_the_trail_keeps_it(desk):
    row = draft(desk)
    row.warning_answer = WHY
    workflow.save(row, by=desk.editor, seen=row.version)
    workflow.submit(row, by=desk.editor)
    page = browser_of(make_staff(REVIEWER)).get("/en/admin/review/")
    assert WHY in page.content.decode()
    assert TrailEvent.objects.filter(after__contains=WHY).exists()


@pytest.mark.once("which columns a page or a file shows is written in Python")
def test_an_answer_never_becomes_public(desk, client):
    for row in (desk.measure, desk.firms, desk.people):
        reword(row, published_on=date(2023, 1, 1))
    row = draft(desk, warning_answer=WHY)
    workflow.submit(row, by=desk.editor)
    workflow.publish(row, by=make_user())
    changed = workflow.correct(
        row, by=desk.editor, reason="漏计", value=Decimal(60), as_written="60家",
        warning_answer=WHY,
    )  # fmt: skip
    workflow.submit(changed, by=desk.editor)
    workflow.publish(changed, by=make_user())
    assert Observation.objects.published().get(indicator=desk.firms, round=desk.round).value == 60
    for address in (
        "/", f"/indicators/{desk.firms.code}/", f"/measures/{desk.measure.code}/", "/indicators/",
        "/changes/", "/changes/feed/", "/questions/", "/checks/",
        *(f"/data/{name}" for name in FILES), f"/indicators/{desk.firms.code}/?as_of=2024-01-31",
    ):  # fmt: skip
        page = client.get(f"/en{address}" if not address.startswith("/data") else address)
        assert page.status_code == 200, address
        content = b"".join(page) if page.streaming else page.content
        assert WHY not in content.decode(), address


def test_the_reviewer_sees_the_year_before_and_the_checks_beside_the_figure(desk):
    check = make_check(name_en="Part of all")
    make_term(check_of=check, role=Role.PART, indicator=desk.firms)
    make_term(check_of=check, indicator=desk.people)
    stock = {"indicator": desk.firms, "period_start": None, "published": date(2023, 10, 9)}
    make_observation(value=8, period_end=date(2022, 12, 31), **stock)
    make_observation(value=9, period_end=date(2023, 9, 30), **stock)
    people = {**stock, "indicator": desk.people, "published": date(2024, 1, 9)}
    make_observation(value=5, period_end=date(2023, 12, 31), **people)
    row = draft(desk, value=10, warning_answer=WHY)
    workflow.submit(row, by=desk.editor)
    page = browser_of(make_staff(REVIEWER)).get("/en/admin/review/")
    ((_department, (line,)),) = page.context["groups"]
    assert line.old.startswith("9 ")
    assert line.year_before.startswith("8 ")
    assert [text.partition(" (")[0] for text in line.checks] == ["Part of all: does not hold"]
    content = page.content.decode()
    for text in (line.year_before, line.checks[0], WHY):
        assert text in content
