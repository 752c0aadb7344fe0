"""Accounts, leads, measures with indicators, targets and synonyms come in by one file each."""

import io
import time
from datetime import date
from decimal import Decimal

import openpyxl
import pytest
from django.utils import timezone

from baoshan_portal.staff.imports.many.page import KINDS
from baoshan_portal.tests import runs_once
from baoshan_portal.tests.desk import browser_of, desk, messages, publish_what_waits
from baoshan_portal.tests.slices import WHOLE
from measures import workflow
from measures.access import ADMINISTRATOR, AUDITOR, EDITOR, REVIEWER, STEWARD
from measures.models import Measure, Revision, Synonym, TrailEvent, User
from measures.submission import State
from measures.tests.factories import (
    ISSUED,
    make_department,
    make_measure,
    make_opinion,
    make_section,
    make_staff,
    make_superuser,
    make_synonym,
    make_theme,
)
from measures.trail import Action
from metrics.models import Indicator, Target
from metrics.tests.factories import make_indicator, make_plan, make_target, make_unit

from .tables import csv_file, xlsx_file
from .uploads import NO, YES, UploadDesk

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.english,
    pytest.mark.usefixtures("temporary_folder"),
    pytest.mark.long,
]


class Desk(UploadDesk):
    """Somebody before the page for one kind of rows."""

    def __init__(self, kind: str, user):
        self.kind, self.address, self.user = kind, f"/en/admin/rows/{kind}/", user
        self.browser = browser_of(user)

    def file(self, *rows: dict, headers=None) -> bytes:
        headers = headers or list(dict.fromkeys(key for row in rows for key in row))
        return csv_file(headers, [[row.get(key, "") for key in headers] for row in rows])

    def problems(self, *rows: dict) -> list[tuple]:
        page = self.send(self.file(*rows))
        assert page.context["confirm"] is None
        return [
            (problem.row, _column(problem.column), problem.message)
            for problem in page.context["outcome"].problems
        ]

    def write(self, *rows: dict, submit=None):
        return self.take(self.file(*rows), submit)

    def changes(self, *rows: dict) -> list:
        page = self.send(self.file(*rows))
        assert page.context["outcome"].problems == []
        return page.context["outcome"].changes


def _column(place: str) -> str:
    """A column by its key: as the file has it behind its letter, or by its label."""
    letter, _space, name = place.partition(" ")
    return (name if len(letter) == 1 else place).lower().replace(" ", "_")


@pytest.fixture
def accounts():
    return Desk("accounts", make_staff(ADMINISTRATOR, username="guan"))


@pytest.fixture
def steward():
    return make_staff(STEWARD, username="shu")


# Accounts


@pytest.mark.sweep
def test_forty_accounts_come_in_by_one_file_in_under_two_minutes(accounts, mailoutbox):
    many = 40 if WHOLE else 12
    begun = time.monotonic()
    offices = [make_department(name=f"部门{n:02}局") for n in range(10)]
    rows = [
        [f"zhang{n:02}", f"张{'一二三四五六七八九十'[n % 10]}", f"zhang{n}@example.cn",
         "填报员" if n % 4 else "审核员", f"部门{n % 10:02}局", ""]
        for n in range(many)
    ]  # fmt: skip
    headers = ["账号", "姓名", "电子邮箱", "角色", "部门", "启用"]
    page = accounts.send(xlsx_file(headers, rows))
    assert (page.context["outcome"].problems, len(page.context["outcome"].changes)) == ([], many)
    page = accounts.confirm(page)
    # The way leads on to the links.
    assert page.request["PATH_INFO"] == "/en/admin/measures/user/invite/"
    assert len(page.context["users"]) == many
    page = accounts.browser.post(page.request["PATH_INFO"],
                                 {"ids": page.context["ids"], "way": "mail"})  # fmt: skip
    assert time.monotonic() - begun < 120
    assert page.context["invitations"] == []
    assert len(mailoutbox) == many
    people = User.objects.filter(username__startswith="zhang")
    assert people.count() == many
    one = people.get(username="zhang01")
    assert (one.last_name, one.first_name, one.get_full_name()) == ("张", "二", "张二")
    assert (one.is_staff, one.is_active, one.has_usable_password()) == (True, True, False)
    assert [group.name for group in one.groups.all()] == [EDITOR]
    assert list(one.departments.all()) == [offices[1]]
    assert TrailEvent.objects.filter(action=Action.PERMISSIONS_CHANGED).count() == many
    assert TrailEvent.objects.filter(action=Action.INVITED).count() == many


@pytest.mark.parametrize(
    ("row", "column", "message"),
    [
        ({"roles": ""}, "roles", "Expected a role: an account without one can do nothing."),
        ({"roles": "editor"}, "departments",
         "Expected a department: an editor enters what it leads."),
        ({"roles": "reviewer，administrator"}, "roles",
         "The role “administrator 系统管理员” is not held together with another."),
        ({"roles": "boss"}, "roles", "“boss” is no role"),
        ({"departments": "无此局"}, "departments", "There is no department “无此局”"),
        ({"email": "nowhere"}, "email", "Enter a valid email address."),
        ({"username": "a b"}, "username", "Enter a valid username."),
        ({"username": "GUAN"}, "username", "There is an account “guan” already"),
    ],
)  # fmt: skip
@runs_once.UPLOADS
def test_an_account_that_could_not_work_is_refused_by_row_and_field(row, column, message, accounts):
    row = {"username": "li", "roles": "reviewer", **row}
    ((number, where, why),) = accounts.problems({"username": "ok", "roles": "auditor"}, row)
    assert (number, where) == (3, column)
    assert why.startswith(message)
    assert not User.objects.filter(username__in=["li", "ok"]).exists()


@runs_once.UPLOADS
def test_yes_and_no_are_read_in_all_their_spellings(accounts):
    words = [*YES, *NO]
    # Each account says the contrary of what its word does, so that each word changes it.
    for n, word in enumerate(words):
        make_staff(AUDITOR, username=f"li{n}", is_active=word in NO)
    accounts.write(*({"username": f"li{n}", "active": word} for n, word in enumerate(words)))

    found = User.objects.filter(username__startswith="li").in_bulk(field_name="username")
    assert [found[f"li{n}"].is_active for n in range(len(words))] == [word in YES for word in words]


@runs_once.UPLOADS
def test_an_account_stands_in_a_file_once(accounts):
    row = {"username": "li", "roles": "审计员"}
    assert accounts.problems(row, row) == [(3, "username", "This stands in row 2 already.")]


@runs_once.UPLOADS
def test_a_file_that_was_taken_away_changes_nothing_when_it_comes_back(accounts):
    make_staff(EDITOR, username="li", last_name="李", first_name="四",
               departments=[make_department()])  # fmt: skip
    file = accounts.browser.get("/en/admin/rows/accounts.xlsx").content
    outcome = accounts.send(file).context["outcome"]
    assert (outcome.problems, outcome.changes, outcome.unchanged) == ([], [], 2)


@runs_once.RIGHTS
def test_nobody_changes_the_own_account_nor_a_superuser_by_file(accounts):
    make_superuser(username="root")
    found = accounts.problems(
        {"username": "guan", "name": "管理"}, {"username": "root", "active": "no"}
    )
    assert [message for _row, _column, message in found] == [
        "Nobody changes their own account by file.",
        "You may not change this account.",
    ]


@runs_once.UPLOADS
def test_a_dash_empties_and_an_empty_cell_keeps(accounts):
    office = make_department()
    li = make_staff(REVIEWER, username="li", email="li@example.cn", departments=[office])
    accounts.write({"username": "li", "email": "-", "departments": ""})
    li.refresh_from_db()
    assert (li.email, list(li.departments.all())) == ("", [office])


# Synonyms


def test_synonyms_are_added_and_changed_at_once(steward):
    make_synonym(term="高企", meaning="高新企业")
    desk_ = Desk("synonyms", steward)
    rows = [
        {"term": "高企", "meaning": "高新技术企业"},
        {"term": "科委", "meaning": "科学技术委员会"},
    ]
    assert [change.what for change in desk_.changes(*rows)] == ["changed", "new"]
    assert not Synonym.objects.filter(term="科委").exists()
    desk_.write(*rows)
    assert dict(Synonym.objects.values_list("term", "meaning")) == {
        "高企": "高新技术企业",
        "科委": "科学技术委员会",
    }
    entered = TrailEvent.objects.get(action=Action.ENTERED)
    assert (entered.subject, entered.actor) == ("科委 → 科学技术委员会", steward)


@runs_once.UPLOADS
def test_one_wrong_synonym_keeps_all_out(steward):
    desk_ = Desk("synonyms", steward)
    found = desk_.problems({"term": "科委", "meaning": "科学"}, {"term": "高企", "meaning": "高企"})
    assert [(row, message) for row, _column, message in found] == [
        (3, "A synonym means something else than itself.")
    ]
    assert not Synonym.objects.exists()


# Leads


def test_the_leads_of_public_measures_go_through_review(steward):
    old, new = make_department(name="甲局"), make_department(name="乙局")
    measures = [make_measure(lead=old, lead_confirmed=True) for _n in range(3)]
    rows = [{"code": row.code, "lead": "乙局", "supporting": "甲局"} for row in measures]
    page = Desk("leads", steward).write(*rows)
    revision = Revision.objects.get()
    assert page.request["PATH_INFO"] == desk(revision, "change")
    assert {row.lead for row in Measure.objects.all()} == {old}
    publish_what_waits()
    assert {row.lead for row in Measure.objects.all()} == {new}
    # What one office confirmed is no word of another.
    assert {row.lead_confirmed for row in Measure.objects.all()} == {False}
    assert {tuple(row.supporting.all()) for row in Measure.objects.all()} == {(old,)}


@runs_once.UPLOADS
def test_a_lead_that_has_ended_and_a_measure_that_is_unknown_are_told(steward):
    make_department(name="旧局", ended_on=date(2020, 1, 1))
    measure = make_measure()
    found = Desk("leads", steward).problems(
        {"code": measure.code, "lead": "旧局"}, {"code": "nothing", "lead": ""}
    )
    assert [(row, column) for row, column, _message in found] == [(2, "lead"), (3, "code")]
    assert found[0][2] == "旧局 has ended." or "has ended" in found[0][2]


@runs_once.UPLOADS
def test_a_measure_in_a_list_of_leads_is_found_by_number_and_name(steward):
    theme = make_theme(section=make_section(order=1), order=3)
    make_measure(theme=theme, order=2, name="孵化", lead=None)
    make_department(name="甲局")
    Desk("leads", steward).write({"measure": "1.3.2 孵化", "lead": "甲局"})
    publish_what_waits()
    assert Measure.objects.get().lead.name == "甲局"


def test_selected_measures_get_a_lead_in_one_step(steward):
    old, new = make_department(), make_department()
    measures = [make_measure(lead=old), make_measure(lead=new), make_measure(lead=None)]
    browser = browser_of(steward)
    sent = {"action": "give_lead", "to": new.code, "_selected_action": [m.pk for m in measures]}
    answer = browser.post(desk(Measure, "changelist"), sent)
    assert answer.url == desk(Revision.objects.get(), "change")
    publish_what_waits()
    assert {row.lead for row in Measure.objects.all()} == {new}


# Measures with indicators


@pytest.fixture
def structure(steward):
    make_theme(section=make_section(opinion=make_opinion(), order=1), order=3)
    make_unit(name="家")
    make_department(name="科委")
    return Desk("measures", steward)


NEW = {
    "measure_code": "incubation", "theme": "1.3", "measure": "孵化", "summary": "建孵化器。",
    "lead": "科委", "indicator_code": "firms", "indicator": "企业数", "unit": "家",
    "category": "企业", "kind": "时点", "scope": "在孵企业。",
}  # fmt: skip
MORE = {
    "indicator_code": "new-firms", "indicator": "新增企业数", "unit": "家",
    "category": "enterprises", "kind": "flow", "scope": "年内新增。",
}  # fmt: skip


def test_a_measure_and_its_indicators_come_from_rows_below_each_other(structure):
    assert [change.what for change in structure.changes(NEW, MORE)] == ["new", "new"]
    assert not Measure.objects.exists()
    structure.write(NEW, MORE)
    measure = Measure.objects.get()
    assert (measure.number, measure.name, measure.name_en) == ("1.3.1", "孵化", "")
    assert (measure.lead.name, measure.lead_confirmed, measure.published_on) == (
        "科委", False, None,
    )  # fmt: skip
    found = Indicator.objects.order_by("order").values_list("code", "order", "kind", "published_on")
    assert list(found) == [("firms", 1, "stock", None), ("new-firms", 2, "flow", None)]


def test_the_day_of_publication_waits_for_review(structure):
    structure.write(NEW | {"measure_since": "2023-07-25", "indicator_since": "2023年7月25日"}, MORE)
    assert Measure.objects.get().published_on is None
    publish_what_waits()
    # Nothing is public before somebody else has reviewed it, whatever day was asked for.
    today = timezone.localdate()
    assert Measure.objects.get().published_on == today
    assert Indicator.objects.get(code="firms").published_on == today
    assert Indicator.objects.get(code="new-firms").published_on is None


def test_what_is_public_changes_by_review_alone(structure):
    measure = make_measure(name="旧名")
    make_indicator(measure=measure, code="firms", name="企业")
    (change,) = structure.changes(
        {"measure_code": measure.code, "measure": "新名", "indicator_code": "firms",
         "indicator": "企业数"}
    )  # fmt: skip
    assert change.what == "by review"
    structure.write(
        {"measure_code": measure.code, "measure": "新名", "indicator_code": "firms",
         "indicator": "企业数"}
    )  # fmt: skip
    measure.refresh_from_db()
    assert measure.name == "旧名"
    publish_what_waits()
    measure.refresh_from_db()
    assert (measure.name, Indicator.objects.get().name) == ("新名", "企业数")


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([NEW | {"theme": "7.7"}], [(2, "theme")]),
        ([NEW | {"unit": "斤"}], [(2, "unit")]),
        ([NEW | {"kind": "什么"}], [(2, "kind")]),
        ([NEW | {"measure_code": "Ab c"}], [(2, "measure_code")]),
        ([{"measure_code": "", "indicator_code": "x", "indicator": "y"}], [(2, "measure_code")]),
        ([NEW, NEW | {"measure": "另一个", "indicator_code": "other"}], [(3, "measure")]),
        ([NEW, MORE | {"indicator_code": "firms"}], [(3, "indicator_code")]),
        ([NEW, MORE | {"scope": ""}], [(3, "scope")]),
    ],
)
@runs_once.UPLOADS
def test_what_does_not_fit_is_told_by_row_and_column_and_nothing_is_written(
    rows, expected, structure
):
    found = structure.problems(*rows)
    assert [(row, column) for row, column, _message in found] == expected
    assert not Measure.objects.exists()
    assert not Indicator.objects.exists()


@runs_once.UPLOADS
def test_the_structure_comes_back_unchanged(structure):
    measure = make_measure(lead=make_department())
    measure.supporting.set([make_department(), make_department()])
    make_indicator(measure=measure)
    make_indicator(measure=measure)
    make_measure()
    file = structure.browser.get("/en/admin/rows/measures.xlsx").content
    outcome = structure.send(file).context["outcome"]
    assert (outcome.problems, outcome.changes, outcome.unchanged) == ([], [], 3)


# Targets


@pytest.fixture
def targets(steward):
    return Desk("targets", steward)


@pytest.fixture
def plan():
    return make_plan(name="三年行动", start_on=date(2021, 1, 1), end_on=date(2023, 12, 31))


def test_targets_are_written_as_drafts_or_submitted(targets, plan):
    unit = make_unit(name="家")
    indicators = [make_indicator(name=f"企业{n}", unit=unit) for n in range(3)]
    rows = [
        {"indicator": row.name, "plan": "三年行动", "comparator": ">=", "value": "1,200家",
         "due_on": "2023-12-31", "source_name": "三年行动方案"}
        for row in indicators
    ]  # fmt: skip
    targets.write(*rows, submit="0")
    assert {(t.value, t.state) for t in Target.objects.all()} == {(Decimal(1200), State.DRAFT)}
    targets.write(*(row | {"value": "1300"} for row in rows), submit="1")
    assert {(t.value, t.state) for t in Target.objects.all()} == {(Decimal(1300), State.SUBMITTED)}


def test_a_public_target_changes_only_by_a_correction_with_its_reason(targets, plan):
    target = make_target(plan=plan, due_on=plan.end_on, value=10, published=ISSUED,
                         source_name="方案", report=None, locator="")  # fmt: skip
    row = {"indicator_code": target.indicator.code, "plan": plan.code,
           "due_on": "2023-12-31", "value": "12"}  # fmt: skip
    ((_row, column, message),) = targets.problems(row)
    assert (column, message) == (
        "reason_for_correction",
        "Another target is public already: a correction must say why.",
    )
    targets.write(row | {"reason": "方案修订"}, submit="1")
    target.refresh_from_db()
    assert target.value == 10
    correction = Target.objects.get(supersedes=target)
    assert (correction.value, correction.state) == (12, State.SUBMITTED)
    workflow.publish(correction, by=make_staff(REVIEWER))


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ({"due_on": "2024-01-01"}, "The plan runs from 2021-01-01 to 2023-12-31."),
        ({"value": "约60"}, "Expected an exact figure: a target is not “about”."),
        ({"source_name": ""}, "Name a report and the place in it, or another source"),
        ({"plan": "没有"}, "There is no plan “没有”."),
        ({"indicator_code": "nothing"}, "There is no indicator “nothing”"),
    ],
)
@runs_once.UPLOADS
def test_a_target_that_cannot_be_is_told(cell, message, targets, plan):
    row = {"indicator_code": make_indicator().code, "plan": plan.code, "value": "60",
           "source_name": "方案"} | cell  # fmt: skip
    ((_row, _column, why),) = targets.problems(row)
    assert why.startswith(message)
    assert not Target.objects.exists()


# All kinds


@pytest.mark.parametrize("kind", KINDS)
@runs_once.FILES
def test_each_list_goes_out_in_both_formats_and_tells_the_trail(kind):
    browser = browser_of(make_superuser())
    make_synonym()
    make_target()
    for language in ("", "/en"):
        for file_format in ("csv", "xlsx"):
            answer = browser.get(f"{language}/admin/rows/{kind}.{file_format}")
            content = answer.getvalue()
            assert answer.status_code == 200
            if file_format == "xlsx":
                sheet = openpyxl.load_workbook(io.BytesIO(content)).active
                labels = [cell.value for cell in sheet[1]]
                assert len(labels) == len(KINDS[kind].columns)
    assert TrailEvent.objects.filter(action=Action.EXPORTED).count() == 4


@pytest.mark.parametrize("kind", KINDS)
@runs_once.RIGHTS
def test_who_may_not_type_a_row_sends_no_file(kind):
    browser = browser_of(make_staff(EDITOR, departments=[make_department()]))
    assert browser.get(f"/en/admin/rows/{kind}/").status_code == 403
    assert browser.get(f"/en/admin/rows/{kind}.csv").status_code == 403


def test_what_changed_between_preview_and_confirmation_is_told(steward):
    desk_ = Desk("synonyms", steward)
    page = desk_.send(desk_.file({"term": "科委", "meaning": "科学技术委员会"}))
    make_synonym(term="科委", meaning="别的")
    page = desk_.confirm(page)
    assert messages(page) == ["What stands in the portal has changed meanwhile: look again."]
    assert Synonym.objects.get().meaning == "别的"


@runs_once.RIGHTS
def test_a_preview_of_somebody_else_is_worth_nothing(steward):
    desk_ = Desk("synonyms", steward)
    page = desk_.send(desk_.file({"term": "科委", "meaning": "科学技术委员会"}))
    page = desk_.confirm(page, browser=browser_of(make_staff(STEWARD)))
    assert messages(page) == ["This preview is over: send the file again."]
    assert not Synonym.objects.exists()
