"""The template of a round goes out with what is known and comes back with figures."""

import io
import os
import re
import time
from datetime import date
from decimal import Decimal
from itertools import product
from pathlib import Path

import openpyxl
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.translation import override

from baoshan_portal.tests import runs_once
from baoshan_portal.tests.desk import browser_of, messages
from baoshan_portal.tests.slices import some
from measures import workflow
from measures.access import ADMINISTRATOR, AUDITOR, EDITOR, REVIEWER, STEWARD
from measures.models import TrailEvent
from measures.submission import State
from measures.tests.factories import (
    make_department,
    make_measure,
    make_round,
    make_staff,
    make_superuser,
    make_unlock,
    reword,
)
from metrics.models import Observation
from metrics.rules.choices import Kind
from metrics.tests.factories import make_indicator, make_money, make_observation

from ..imports.reading import read_table
from ..imports.round_template import TemplateReader
from ..imports.upload import WaitingFile
from .tables import csv_file, xlsx_file
from .uploads import UploadDesk

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.long,
    pytest.mark.english,
    pytest.mark.usefixtures("temporary_folder"),
]

ENGLISH = (
    "Code,Indicator,Unit,Last value,Last period,Period,Figure,Certainty,Note,Evidence link,Round,"
    "Department,Answer to warnings"
)
CHINESE = (
    "代码,指标,计量单位,上次数值,上次期间,本期期间,本期数值,确定程度,说明,佐证链接,"
    "填报轮次,填报部门,核实说明"
)


class Desk(UploadDesk):
    """An editor of a department, and what the last quarter of 2023 asks it for."""

    def __init__(self):
        self.department = make_department()
        self.editor = make_staff(EDITOR, departments=[self.department])
        self.round = make_round(period_start=date(2023, 10, 1), period_end=date(2023, 12, 31))
        self.measure = make_measure(lead=self.department)
        self.firms = self.indicator(code="firms")
        self.funds = self.indicator(code="funds", unit=make_money()["亿元"])
        self.browser = browser_of(self.editor)
        self.address = f"/en/admin/upload/{self.round.code}/{self.department.code}/"

    def template(self, file_format="csv", prefix="/en"):
        place = f"{self.round.code}/{self.department.code}"
        return self.browser.get(f"{prefix}/admin/template/{place}.{file_format}")

    def entries(self):
        return {row.indicator.code: row for row in Observation.objects.filter(round=self.round)}


@pytest.fixture
def desk():
    return Desk()


def test_a_unit_and_a_measure_are_loaded_once_for_all_of_their_indicators(
    desk, django_assert_num_queries
):
    desk.indicator(code="funds-too", unit=desk.funds.unit)
    reader = TemplateReader(desk.round, desk.department, desk.editor, [])

    funds, too = (reader.indicators[code] for code in ("funds", "funds-too"))
    assert (funds.unit, funds.measure) == (desk.funds.unit, desk.measure)
    assert funds.unit is too.unit is reader.units["亿元"]
    assert funds.measure is too.measure
    with django_assert_num_queries(0):
        assert funds.unit.base.name
        assert funds.measure.lead == desk.department


def problems(page) -> list[tuple]:
    return [(p.row, p.column, p.text, p.message) for p in page.context["outcome"].problems]


@runs_once.UPLOADS
@pytest.mark.parametrize(("prefix", "headers"), [("", CHINESE), ("/en", ENGLISH)])
@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_a_template_holds_what_is_known_and_leaves_the_rest_empty(
    desk, file_format, prefix, headers
):
    make_observation(indicator=desk.firms, published=date(2023, 7, 25), as_written="905家")

    table = read_table(desk.template(file_format, prefix).getvalue())

    assert table.headers == headers.split(",")
    period, due = {"": ("2022年", "2023年"), "/en": ("year 2022", "year 2023")}[prefix]
    with override("en" if prefix else "zh-hans"):
        of = [f"{row} · {row.code}" for row in (desk.round, desk.department)]
    name, other = (desk.firms.name, desk.funds.name)
    if prefix:
        name, other = (desk.firms.name_en, desk.funds.name_en)
    assert [row.cells for row in table.rows] == [
        ["firms", name, "家", "905家", period, due, "", "", "", "", *of, ""],
        ["funds", other, "亿元", "", "", due, "", "", "", "", *of, ""],
    ]


@runs_once.UPLOADS
def test_a_template_asks_only_for_what_is_due_and_of_this_department(desk):
    make_indicator(code="of-another-department", measure=make_measure(lead=make_department()))
    make_indicator(code="of-nobody")
    desk.round.period_end = date(2023, 11, 30)
    desk.round.save()
    desk.indicator(code="monthly", frequency="monthly")

    assert [row.cells[0] for row in read_table(desk.template().getvalue()).rows] == ["monthly"]


@runs_once.UPLOADS
def test_a_spreadsheet_template_offers_the_certainties_in_a_list(desk):
    sheet = openpyxl.load_workbook(io.BytesIO(desk.template("xlsx").getvalue())).active

    (choice,) = sheet.data_validations.dataValidation
    assert choice.formula1 == '"actual,preliminary,expected"'
    assert str(choice.sqref).startswith("H2:H")


@runs_once.UPLOADS
def test_no_other_kind_of_template_exists(desk):
    assert desk.template("exe").status_code == 404


def test_a_download_of_the_template_is_on_record(desk):
    desk.template()

    event = TrailEvent.objects.get(action="exported")
    assert (event.actor, event.subject_code) == (desk.editor, desk.round.code)
    assert event.note == f"template.csv, {desk.department.code}, 2 rows"


@runs_once.FORMS
def test_a_preview_shows_old_and_new_and_writes_nothing(desk):
    make_observation(indicator=desk.firms, published=date(2023, 7, 25), value=Decimal(905))

    page = desk.send("code,figure\nfirms,1475\n")

    (change,) = page.context["outcome"].changes
    assert (change.row, change.code, change.is_new) == (2, "firms", True)
    assert change.last == "905 organisations"
    assert change.cells == (("Figure", "", "1475 (1,475 organisations)"),)
    assert desk.entries() == {}
    assert not TrailEvent.objects.exclude(action__startswith="signed").exists()


def test_confirming_writes_the_rows_as_drafts_of_the_round(desk):
    text = "code,figure,certainty,note,evidence\nfirms,１，４７５家,初步,按台账,https://x.cn/a\n"

    page = desk.take(text)

    row = desk.entries()["firms"]
    assert (row.value, row.as_written, row.qualifier) == (1475, "１，４７５家", "exact")
    assert (row.certainty, row.note) == ("preliminary", "按台账")
    assert row.evidence_url == "https://x.cn/a"
    assert (row.period_start, row.period_end) == (date(2023, 1, 1), date(2023, 12, 31))
    assert (row.state, row.entered_by, row.version) == (State.DRAFT, desk.editor, 1)
    assert row.source_name == f"{desk.department.name}{desk.round.name}"
    assert messages(page) == ["1 row was written as a draft."]


def test_an_import_is_on_record_as_a_whole_and_row_by_row(desk):
    desk.store("code,figure\nfirms,5\nfunds,6\n", submit="1")

    events = TrailEvent.objects.exclude(action="signed-in").order_by("pk")
    actions = ["entered", "entered", "submitted", "submitted", "imported"]
    assert [event.action for event in events] == actions
    assert "5" in events[0].after
    assert events[4].actor == desk.editor
    assert events[4].note == (
        f"{desk.department.code}, submitted: metrics.observation: figures.csv: "
        "2 new, 0 changed, 0 unchanged"
    )


@runs_once.FORMS
def test_rows_can_be_submitted_at_once(desk):
    page = desk.take("code,figure\nfirms,5\nfunds,6\n", submit="1")

    assert {row.state for row in desk.entries().values()} == {State.SUBMITTED}
    assert messages(page) == ["2 rows were written and submitted for review."]


@runs_once.FORMS
def test_a_figure_in_another_unit_of_the_quantity_is_converted_and_the_preview_says_so(desk):
    page = desk.send("code,figure\nfunds,约1100万元\n")

    (change,) = page.context["outcome"].changes
    assert change.cells[0][2] == "约1100万元 (about CNY 11 million, converted from 万元)"
    desk.confirm(page)
    assert desk.entries()["funds"].value == Decimal("0.11")


@runs_once.UPLOADS
@pytest.mark.sweep
@pytest.mark.parametrize(
    ("headers", "encoding"),
    # Each of both once.
    some(
        product(
            ["code,figure", "代码,本期数值", "Ｃｏｄｅ, FIGURE "], ["utf-8", "utf-8-sig", "gb18030"]
        ),
        every=4,
    ),
)
def test_headers_are_known_in_both_languages_and_all_encodings(desk, headers, encoding):
    desk.store(f"{headers}\nfirms,2.1万余\n".encode(encoding))

    row = desk.entries()["firms"]
    assert (row.value, row.qualifier, row.as_written) == (21000, "over", "2.1万余")


@runs_once.UPLOADS
@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_a_template_filled_in_comes_back(desk, file_format):
    table = read_table(desk.template(file_format, prefix="").getvalue())
    rows = [row.cells for row in table.rows]
    rows[0][6], rows[0][7] = Decimal(1475), "预计"
    write = {"csv": csv_file, "xlsx": xlsx_file}[file_format]

    desk.store(write(table.headers, rows))

    (row,) = desk.entries().values()
    assert (row.indicator, row.value, row.certainty) == (desk.firms, 1475, "expected")


@runs_once.UPLOADS
def test_an_empty_template_changes_nothing(desk):
    page = desk.send(desk.template("xlsx").getvalue())

    assert page.context["outcome"].problems == []
    assert page.context["outcome"].changes == []
    assert "There is nothing to write." in page.content.decode()


FIGURE = "B figure"


#: What is sent, and where and what is told.
WRONG = [
    ("code,figure\nfirms,many\n", 2, FIGURE, "many", "Expected one figure"),
    ("code,figure\nfirms,5亿元\n", 2, FIGURE, "5亿元", "This figure is in 亿元, but"),
    ("code,figure\nfirms,12\n\nfirms,13\n", 4, "A code", "firms", "This code stands in row 2"),
    ("code,figure\nno-such,5\n", 2, "A code", "no-such", "There is no indicator with this"),
    (f"code,figure\n{'x' * 200},5\n", 2, "A code", "x" * 80, "There is no indicator with"),
    ("code,figure\n,5\n", 2, "A code", "", "Expected a code"),
    ("code,figure\nfirms,=1+1\n", 2, FIGURE, "=1+1", "Expected a plain value, not a formula"),
    ("code,unit,figure\nfirms,万家,5\n", 2, "B unit", "万家", "Wrong unit: the indicator is"),
    ("code,unit,figure\nfirms,万家,\n", 2, "B unit", "万家", "Wrong unit: the indicator is"),
    ("code,figure,note\nfirms,,why\n", 2, FIGURE, "", "Expected a figure, because other"),
    ("code,figure,certainty\nfirms,5,sure\n", 2, "C certainty", "sure", "Expected one of:"),
    ("code,figure,evidence\nfirms,5,x.cn\n", 2, "C evidence", "x.cn", "Expected a link that"),
    ("code,figure\nfirms," + "约" * 41, 2, FIGURE, "约" * 41, "This is too long for one"),
    ("code,figure\nfunds,99999999999999万亿\n", 2, FIGURE, "99999999999999万亿", "At most 11"),
    ("code,figure\nfirms,5,6\n", 2, "C", "6", "This cell stands under no header."),
    (
        "code,figure,figure\nfirms,5,6\n",
        None,
        "C figure",
        "figure",
        "This column is there twice",
    ),
    ("code,figures\nfirms,5\n", None, "B figures", "figures", "This column is not known: did"),
    ("figure,note\n5,x\n", None, "", "", "The column “Code” is missing"),
    ("code,note\nfirms,x\n", None, "", "", "The column “Figure” is missing"),
    ("code,figure\n,,\n", None, "", "", "There is no row below the headers."),
    ("", None, "", "", "The submitted file is empty."),
]


@runs_once.UPLOADS
def test_what_is_wrong_is_told_with_its_place_and_nothing_is_written(desk):
    for text, row, column, cell, message in WRONG:
        page = desk.send(text)

        assert page.status_code == 200
        if text:
            (found,) = problems(page)
            assert found[:3] == (row, column, cell)
            assert found[3].startswith(message), text
        else:
            assert page.context["form"].errors["file"] == [message]
        assert page.context["confirm"] is None, text
        assert desk.entries() == {}, text


@runs_once.UPLOADS
def test_every_fault_is_told_at_once_and_the_good_rows_are_not_written(desk):
    page = desk.send("code,figure,certainty\nfirms,5,\nfunds,many,sure\nno-such,5,\n")

    assert [(found[0], found[1]) for found in problems(page)] == [
        (3, FIGURE),
        (3, "C certainty"),
        (4, "A code"),
    ]
    html = page.content.decode()
    assert "Nothing was written" in html
    assert re.search(r">many</td>\s*<td[^>]*>Expected one figure", html)


@runs_once.UPLOADS
def test_rows_of_another_department_and_of_another_round_are_told(desk):
    make_indicator(code="theirs", measure=make_measure(lead=make_department()))
    desk.round.period_end = date(2023, 11, 30)
    desk.round.save()

    page = desk.send("code,figure\ntheirs,5\nfirms,5\n")

    assert [(found[0], found[3]) for found in problems(page)] == [
        (2, "This indicator belongs to another department."),
        (3, "This indicator is not due in this round."),
    ]


@runs_once.UPLOADS
def test_a_file_of_50_mb_is_refused(desk):
    # Before it is read.
    assert desk.send(b"x" * 50 * 1024 * 1024).status_code == 413


@runs_once.UPLOADS
def test_a_file_that_is_a_little_too_large_is_told_so(desk):
    page = desk.send(b"x" * (10 * 1024 * 1024 + 1))

    assert page.context["form"].errors["file"] == ["The file is larger than 10 MB."]


@runs_once.UPLOADS
def test_merged_cells_are_told(desk):
    book = openpyxl.Workbook()
    book.active.append(["code", "figure"])
    book.active.append(["firms", 5])
    book.active.merge_cells("B2:B3")
    content = io.BytesIO()
    book.save(content)

    (found,) = problems(desk.send(content.getvalue()))

    assert found[0] == 2
    assert found[2:] == (
        "B2:B3", "Cells are merged here: split them, so that every row has its own."
    )  # fmt: skip


@runs_once.UPLOADS
def test_no_cell_but_those_of_the_figure_is_written(desk):
    page = desk.send("code,indicator,value,figure\nfirms,又名,7,5\n")
    desk.confirm(page)

    assert page.context["outcome"].notices == [
        "Columns that are not known are left out: C value.",
        "The column “Indicator” was changed in the rows 2: it came with the template, and nothing "
        "is taken from it.",
    ]
    row = desk.entries()["firms"]
    assert row.value == 5
    assert row.indicator.name == desk.firms.name


def draft(desk, **fields):
    fields = {"indicator": desk.firms, "round": desk.round, "entered_by": desk.editor} | fields
    return make_observation(**fields)


def test_empty_cells_leave_a_draft_as_it_is(desk):
    row = draft(desk, value=Decimal(5), note="wait")

    page = desk.send("code,figure,note\nfirms,6,\n")
    (change,) = page.context["outcome"].changes
    desk.confirm(page)

    assert change.cells == (("Figure", "5家", "6 (6 organisations)"),)
    row.refresh_from_db()
    assert (row.value, row.as_written, row.note, row.version) == (6, "6", "wait", 2)
    assert row.changed_by == desk.editor
    event = TrailEvent.objects.get(action="changed")
    assert "5家" in event.before
    assert "wait" not in event.before


@runs_once.FORMS
def test_the_same_file_again_changes_nothing(desk):
    text = "code,figure,certainty,note\nfirms,5,actual,x\n"
    desk.store(text)

    outcome = desk.send(text).context["outcome"]

    assert (outcome.changes, outcome.unchanged, outcome.drafts) == ([], 1, 1)


@runs_once.FORMS
def test_drafts_that_the_file_repeats_are_submitted_with_the_rest(desk):
    desk.store("code,figure\nfirms,5\n")

    page = desk.take("code,figure\nfirms,5\nfunds,6\n", submit="1")

    assert {row.state for row in desk.entries().values()} == {State.SUBMITTED}
    assert messages(page) == ["2 rows were written and submitted for review."]


@runs_once.FORMS
def test_a_returned_row_can_be_mended_by_a_file(desk):
    row = draft(desk, state=State.RETURNED, return_reason="unit?")

    desk.store("code,figure\nfirms,6\n", submit="1")

    row.refresh_from_db()
    assert (row.state, row.value, row.return_reason) == (State.SUBMITTED, 6, "")


@runs_once.FORMS
@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"state": State.SUBMITTED}, "This figure waits for review"),
        ({"published": date(2024, 1, 5)}, "This figure is published and never changed in place"),
    ],
)
def test_a_figure_that_is_out_of_hand_is_told_and_left_alone(desk, fields, message):
    row = draft(desk, value=Decimal(5), **fields)

    page = desk.send("code,figure\nfirms,6\nfunds,7\n")

    ((number, column, text, found),) = problems(page)
    assert (number, column, text) == (2, FIGURE, "6")
    assert found.startswith(message)
    assert list(desk.entries().values()) == [row]


@runs_once.FORMS
def test_a_published_figure_that_the_file_repeats_is_no_fault(desk):
    draft(desk, value=Decimal(5), published=date(2024, 1, 5))

    outcome = desk.send("code,figure\nfirms,5家\n").context["outcome"]

    assert (outcome.problems, outcome.changes, outcome.unchanged) == ([], [], 1)


def test_a_figure_of_the_round_that_stands_beside_it_already_is_refused_in_the_preview(desk):
    desk.store("code,figure\nfirms,5\n")
    Observation.objects.update(round=None)

    ((row, _column, _text, message),) = problems(desk.send("code,figure\nfirms,5\n"))

    assert row is None
    assert message.startswith("One of these figures has been recorded meanwhile")


@runs_once.FORMS
def test_a_correction_under_way_is_not_touched(desk):
    old = draft(desk, value=Decimal(5), published=date(2024, 1, 5))
    workflow.correct(old, by=desk.editor, reason="typo", value=Decimal(6), as_written="6家")

    ((_row, _column, _text, message),) = problems(desk.send("code,figure\nfirms,7\n"))

    assert message.startswith("This figure is published")


@runs_once.FORMS
def test_warnings_are_shown_and_do_not_block(desk):
    reword(desk.firms, kind=Kind.CUMULATIVE)
    made = {"value": Decimal(905), "period_start": date(2022, 1, 1)}
    make_observation(indicator=desk.firms, published=date(2023, 7, 25), **made)

    page = desk.send("code,figure\nfirms,5\n")

    (change,) = page.context["outcome"].changes
    assert change.warnings[0].startswith("A running total should not fall: it was 905")
    assert page.context["confirm"]


def test_what_changed_since_the_preview_is_shown_again_before_anything_is_written(desk):
    row = draft(desk, value=Decimal(5))
    page = desk.send("code,figure\nfirms,7\n")
    row.value, row.as_written = Decimal(6), "6家"
    workflow.save(row, by=make_superuser(), seen=1)

    again = desk.confirm(page)

    assert messages(again) == ["What stands in the portal has changed meanwhile: look again."]
    (change,) = again.context["outcome"].changes
    assert change.cells == (("Figure", "6家", "7 (7 organisations)"),)
    row.refresh_from_db()
    assert row.value == 6
    desk.confirm(again)
    row.refresh_from_db()
    assert row.value == 7


@pytest.mark.parametrize("write", [workflow.save_all, workflow.submit_all])
def test_rows_are_not_written_together_if_one_of_them_has_moved_on(desk, write):
    rows = [draft(desk), draft(desk, indicator=desk.funds)]
    Observation.objects.filter(pk=rows[1].pk).update(version=2)
    for row in rows:
        row.note = "new"

    with pytest.raises(workflow.TransitionError, match="This row was changed meanwhile"):
        write(rows, by=desk.editor)

    assert {(row.note, row.state) for row in desk.entries().values()} == {("", State.DRAFT)}
    assert not TrailEvent.objects.exclude(action="signed-in").exists()


def test_a_round_that_is_locked_after_the_preview_takes_nothing(desk):
    page = desk.send("code,figure\nfirms,7\n")
    desk.round.locked = True
    desk.round.save()

    after = desk.confirm(page)

    assert "takes no entry of this department" in messages(after)[0]
    assert desk.entries() == {}


@runs_once.FORMS
def test_a_locked_round_takes_no_file_unless_it_is_unlocked_for_the_department(desk):
    desk.round.locked = True
    desk.round.save()
    locked = desk.send("code,figure\nfirms,7\n")
    make_unlock(round=desk.round, department=desk.department)

    assert "takes no entry of this department" in problems(locked)[0][3]
    assert problems(desk.send("code,figure\nfirms,7\n")) == []


def test_a_confirmation_that_arrives_twice_leads_to_where_the_first_one_led(desk):
    page = desk.send("code,figure\nfirms,7\n")
    first = desk.confirm(page)
    again = desk.confirm(page)

    assert again.redirect_chain == first.redirect_chain
    assert messages(again) == ["This form had arrived already, so it was taken once."]
    assert Observation.objects.count() == 1


@runs_once.FORMS
def test_a_preview_is_confirmed_once(desk):
    page = desk.send("code,figure\nfirms,7\n")
    desk.confirm(page)
    token = page.context["confirm"]["preview"].value()
    again = desk.browser.post(desk.address, {"preview": token, "submit": "0"}, follow=True)

    assert messages(again) == ["This preview is over: send the file again."]
    assert Observation.objects.count() == 1


@runs_once.FORMS
def test_a_preview_cannot_be_confirmed_by_somebody_else_or_for_another_round(desk):
    page = desk.send("code,figure\nfirms,7\n")
    colleague = browser_of(make_staff(EDITOR, departments=[desk.department]))
    over = ["This preview is over: send the file again."]

    assert messages(desk.confirm(page, browser=colleague)) == over
    desk.address = f"/en/admin/upload/{make_round().code}/{desk.department.code}/"
    assert messages(desk.confirm(page)) == over
    assert Observation.objects.count() == 0


@runs_once.FORMS
def test_a_forged_preview_is_refused(desk):
    for token in ("", "forged", "a:b:c"):
        page = desk.browser.post(desk.address, {"preview": token, "submit": "0"}, follow=True)

        assert messages(page) == ["This preview is over: send the file again."], token


@runs_once.FORMS
def test_a_confirmation_must_choose_between_drafts_and_submitting(desk):
    page = desk.confirm(desk.send("code,figure\nfirms,7\n"), submit="perhaps")

    assert page.status_code == 200
    assert "submit" in page.context["confirm"].errors
    assert desk.entries() == {}


@runs_once.FORMS
def test_a_file_waits_only_between_preview_and_confirmation(desk, temporary_folder):
    page = desk.send("code,figure\nfirms,7\n")
    assert len(list(temporary_folder.iterdir())) == 1

    desk.confirm(page)

    assert list(temporary_folder.iterdir()) == []


@runs_once.FORMS
def test_files_of_abandoned_previews_are_forgotten(desk, temporary_folder):
    abandoned = temporary_folder / f"{WaitingFile.prefix}old"
    other = temporary_folder / "other"
    for file in (abandoned, other):
        file.write_text("x")
        os.utime(file, times=(time.time() - 3601,) * 2)

    desk.send("code,figure\nfirms,7\n")

    assert not abandoned.exists()
    assert other.exists()


@runs_once.FORMS
def test_an_abandoned_file_that_is_gone_or_not_ours_stops_no_upload(
    desk, temporary_folder, monkeypatch
):
    # Links to nowhere: a file that another upload removed between finding and looking at it.
    for name in ("a", "z"):
        (temporary_folder / f"{WaitingFile.prefix}{name}").symlink_to(temporary_folder / "gone")
    for name in ("b", "c"):
        file = temporary_folder / f"{WaitingFile.prefix}{name}"
        file.write_text("x")
        os.utime(file, times=(time.time() - 3601,) * 2)
    unlink = Path.unlink

    def refusing(file, *args, **kwargs):
        if file.name.endswith("b"):
            raise PermissionError(file)
        unlink(file, *args, **kwargs)

    monkeypatch.setattr(Path, "unlink", refusing)

    page = desk.send("code,figure\nfirms,7\n")

    assert page.context["outcome"].problems == []
    assert (temporary_folder / f"{WaitingFile.prefix}b").exists()
    assert not (temporary_folder / f"{WaitingFile.prefix}c").exists()


@runs_once.FORMS
@pytest.mark.parametrize("name", ["/etc/hostname", "other", "../portal-upload-x/../other"])
def test_a_waiting_file_is_never_any_other_file(temporary_folder, name):
    (temporary_folder / "other").write_text("x")

    with pytest.raises(FileNotFoundError):
        WaitingFile(name=name, read_mode="rb").read()


@runs_once.RIGHTS
def test_only_who_reports_for_the_department_may_upload(desk):
    for role in (REVIEWER, STEWARD, AUDITOR, ADMINISTRATOR):
        member = browser_of(make_staff(role, departments=[desk.department]))

        assert member.get(desk.address).status_code == 403, role
        assert desk.send("code,figure\nfirms,7\n", browser=member).status_code == 403, role


@runs_once.RIGHTS
def test_an_editor_of_another_department_gets_neither_template_nor_upload(desk):
    desk.browser = browser_of(make_staff(EDITOR, departments=[make_department()]))

    assert desk.template().status_code == 403
    assert desk.browser.get(desk.address).status_code == 403
    assert desk.send("code,figure\nfirms,7\n").status_code == 403
    assert desk.entries() == {}


@runs_once.FORMS
def test_the_upload_page_offers_the_templates_and_ties_the_label_to_the_field(desk):
    html = desk.browser.get(desk.address).content.decode()

    assert f"/en/admin/template/{desk.round.code}/{desk.department.code}.xlsx" in html
    assert '<label for="id_file">' in html
    assert 'aria-describedby="id_file_helptext"' in html


@runs_once.QUERIES
@pytest.mark.parametrize("everywhere", [False, True])
def test_template_and_preview_ask_the_database_as_often_for_many_rows_as_for_few(desk, everywhere):
    user = make_superuser() if everywhere else desk.editor

    def ask():
        desk.browser = browser_of(user)
        with CaptureQueriesContext(connection) as template:
            content = desk.template().getvalue()
        rows = "".join(
            f"{row.cells[0]},5家\n" for row in read_table(content).rows if row.cells[2] == "家"
        )
        with CaptureQueriesContext(connection) as preview:
            page = desk.send(f"code,figure\n{rows}")
        assert page.context["outcome"].problems == []
        return len(template), len(preview), len(page.context["outcome"].changes)

    few = ask()
    for number in range(8):
        indicator = desk.indicator(unit=desk.firms.unit)
        if number % 2:
            make_observation(indicator=indicator, published=date(2023, 7, 25))
    many = ask()

    assert (few[2], many[2]) == (1, 9)
    assert few[:2] == many[:2]


# The command line


def run(desk, path: Path, *options, user=None):
    out, err = io.StringIO(), io.StringIO()
    names = {"round": desk.round.code, "department": desk.department.code}
    try:
        call_command(
            "import_observations", str(path), *options, **names,
            username=(user or desk.editor).username, stdout=out, stderr=err,
        )  # fmt: skip
    except CommandError as error:
        return str(error), err.getvalue()
    return out.getvalue(), err.getvalue()


@pytest.fixture
def figures(tmp_path):
    file = tmp_path / "figures.csv"
    file.write_bytes("代码,本期数值\nfirms,1475\nfunds,5\n".encode("gb18030"))
    return file


def test_the_command_writes_what_the_page_would(desk, figures):
    assert run(desk, figures)[0] == "2 rows written, 0 left as is.\n"
    assert {code: row.value for code, row in desk.entries().items()} == {"firms": 1475, "funds": 5}
    event = TrailEvent.objects.get(action="imported")
    assert event.actor == desk.editor


@runs_once.FORMS
def test_the_command_submits_when_asked_to(desk, figures):
    run(desk, figures, "--submit")

    assert {row.state for row in desk.entries().values()} == {State.SUBMITTED}


@runs_once.FORMS
def test_a_dry_run_lists_what_it_would_write_and_writes_nothing(desk, figures):
    out, _err = run(desk, figures, "--dry-run")

    assert out.splitlines() == [
        "2  firms  Figure: – → 1475 (1,475 organisations)",
        "3  funds  Figure: – → 5 (CNY 500 million)",
        "2 rows would be written, 0 left as is.",
    ]
    assert desk.entries() == {}


@runs_once.FORMS
def test_the_command_lists_what_is_wrong(desk, figures):
    figures.write_text("code,figure\nfirms,many\n")

    told_, listed = run(desk, figures)

    assert told_ == "Nothing was written."
    assert listed.startswith("row 2 B figure “many”: Expected one figure")


@runs_once.FORMS
def test_the_command_shows_how_far_it_is(desk, figures):
    rows = [desk.indicator(unit=desk.firms.unit).code for _ in range(500)]
    figures.write_text("code,figure\n" + "".join(f"{code},5\n" for code in rows))

    assert run(desk, figures)[1] == "500 rows read\n"


@runs_once.RIGHTS
def test_the_command_acts_for_nobody_who_may_not(desk, figures):
    stranger = make_staff(EDITOR)
    inactive = make_staff(EDITOR, departments=[desk.department], is_active=False)

    for user in (stranger, inactive):
        told_, _listed = run(desk, figures, user=user)
        assert told_ == f"{user} does not report for {desk.department}."
    assert desk.entries() == {}


@runs_once.FORMS
def test_the_command_says_what_does_not_exist(desk, tmp_path, figures):
    assert "No such file" in run(desk, tmp_path / "none.csv")[0]
    desk.round.code = "no-such"
    assert run(desk, figures)[0] == "There is no round with code no-such."
