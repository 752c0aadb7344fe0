"""A department's own monthly table: shown once, understood next month, told when it changed."""

import io
from datetime import date
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from baoshan_portal.tests import runs_once
from baoshan_portal.tests.desk import browser_of, messages
from measures.access import AUDITOR, EDITOR, STEWARD
from measures.models import TrailEvent
from measures.tests.factories import (
    make_department,
    make_measure,
    make_round,
    make_staff,
    make_synonym,
)
from metrics.models import Observation, TableMapping
from metrics.rules.choices import Frequency, Kind
from metrics.tests.factories import make_indicator, make_money, make_observation, make_unit

from ..imports.own_table.headers import months_of_column, pattern, rendered, shape

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.english,
    pytest.mark.usefixtures("temporary_folder"),
    pytest.mark.long,
]

OCTOBER = Path(__file__).parent / "office" / "own-table.xlsx"
MONTH = {"frequency": Frequency.MONTHLY}


def book(change=None) -> bytes:
    """The table of October 2024; ``change`` is called with its sheet."""
    workbook = openpyxl.load_workbook(OCTOBER)
    for row in workbook.active.iter_rows():
        for cell in row:
            # The sample is of a year that is not over.
            if isinstance(cell.value, str):
                cell.value = cell.value.replace("2026年", "2024年")
    if change:
        change(workbook.active)
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


def of_november(sheet):
    """A month later: another title, and a column for remarks of the month before 同比."""
    for place in [str(place) for place in sheet.merged_cells.ranges]:
        sheet.unmerge_cells(place)
    sheet["D4"].value, sheet["G3"].value = "11月", "1-11月累计"
    sheet.insert_cols(5)
    sheet["E3"], sheet["E4"] = "2024年四季度", "环比（%）"
    for row in range(6, 12):
        sheet.cell(row, 5).value = 1.5
    for column in (4, 5, 6, 7):
        sheet.cell(3, column).value = "2024年四季度"
    sheet["I3"].value = "1-11月累计"


class Desk:
    def __init__(self):
        self.department = make_department(name="区科学技术委员会")
        self.editor = make_staff(EDITOR, departments=[self.department])
        self.browser = browser_of(self.editor)
        measure = make_measure(lead=self.department)
        firms, money = make_unit(name="家", quantity="enterprises"), make_money()
        self.firms = make_indicator(
            code="firms",
            name="高新技术企业总数",
            unit=firms,
            measure=measure,
            kind=Kind.STOCK,
            **MONTH,
        )
        self.new = make_indicator(
            code="new",
            name="高新技术企业新认定数",
            unit=firms,
            measure=measure,
            kind=Kind.FLOW,
            **MONTH,
        )
        self.loans = make_indicator(
            code="loans", name="科技信贷金额", unit=money["亿元"], measure=measure, kind=Kind.FLOW,
            **MONTH,
        )  # fmt: skip
        self.october = self.round(10)
        self.november = self.round(11)

    def round(self, month, start=None):
        last = {10: 31, 11: 30, 12: 31}[month]
        return make_round(
            code=f"2024-{month}{start or ''}", period_start=date(2024, start or month, 1),
            period_end=date(2024, month, last), opens_on=date(2024, month, 1),
            due_on=date(2024, month, last),
        )  # fmt: skip

    def address(self, page, round_):
        return f"/en/admin/{page}/{round_.code}/{self.department.code}/"

    def upload(self, content, round_):
        file = SimpleUploadedFile("own.xlsx", content)
        return self.browser.post(self.address("upload", round_), {"file": file})

    def show(self, content, round_, browser=None):
        file = SimpleUploadedFile("own.xlsx", content)
        return (browser or self.browser).post(
            self.address("own-table", round_), {"file": file}, follow=True
        )

    def send(self, page, what="keep", browser=None, **changes):
        shown = page.context["shown"]
        sent = {name: "" if at is None else at for name, at in shown.form.initial.items()}
        for row, match in zip(shown.rows, shown.matches, strict=True):
            sent[f"code-{row.line.number}"] = match.indicator.code if match.indicator else ""
        return (browser or self.browser).post(
            page.wsgi_request.get_full_path(), sent | {what: "1"} | changes, follow=True
        )

    def map_october(self, **changes):
        return self.send(self.show(book(), self.october), **{"code-7": "new"} | changes)

    def confirm(self, page):
        token = page.context["confirm"]["preview"].value()
        return self.browser.post(
            page.wsgi_request.path, {"preview": token, "submit": "0"}, follow=True
        )

    def values(self, round_):
        rows = Observation.objects.filter(round=round_)
        return {row.indicator.code: row.value for row in rows}


@pytest.fixture
def desk():
    return Desk()


def figures(page):
    outcome = page.context["outcome"]
    assert [problem.message for problem in outcome.problems] == []
    return {change.code: change.figure.as_written for change in outcome.changes}


@runs_once.UPLOADS
def test_the_refusal_of_an_unknown_table_leads_to_the_page_that_shows_it(desk):
    page = desk.upload(book(), desk.october)

    assert page.context["outcome"].problems
    shown = desk.browser.get(page.context["own_table_of_file"])
    assert "本季合计" in shown.content.decode()
    assert shown.context["shown"].lines()[0][2][0].startswith("宝山区科技创新主要指标")


@runs_once.UPLOADS
def test_headers_columns_and_names_are_proposed(desk):
    shown = desk.show(book(), desk.october).context["shown"]

    assert (shown.first, shown.last) == (3, 4)
    roles = {role: shown.headers[at] for role, at in shown.places.items() if at is not None}
    assert roles["name"] == "指标名称"
    assert roles["unit"] == "计量单位"
    assert roles["value"] == "2024年四季度 10月"
    assert roles["growth"] == "同比增长（%）"
    assert [row.line.number for row in shown.rows] == [6, 7, 8, 10, 11]
    means = {row.name: m.indicator and m.indicator.code
             for row, m in zip(shown.rows, shown.matches, strict=True)}  # fmt: skip
    assert means["高新技术企业数"] == "firms"
    assert means["科技信贷金额"] == "loans"


def test_a_synonym_matches_a_name(desk):
    make_synonym(term="履约保费补贴", meaning="科技履约贷保费补助")
    subsidy = make_indicator(
        code="subsidy", name="科技履约贷保费补助", unit=make_unit(name="万元", quantity="money2"),
        measure=desk.firms.measure, **MONTH,
    )  # fmt: skip

    shown = desk.show(book(), desk.october).context["shown"]

    assert shown.matches[4].indicator == subsidy
    assert shown.matches[4].how == "synonym"


def test_october_is_mapped_and_goes_on_to_the_preview_and_in(desk):
    page = desk.map_october()

    assert figures(page) == {"firms": "1650", "new": "20", "loans": "0.2"}
    desk.confirm(page)
    assert desk.values(desk.october) == {
        "firms": Decimal(1650), "new": Decimal(20), "loans": Decimal("0.2"),
    }  # fmt: skip
    mapping = TableMapping.objects.get()
    assert (mapping.number, mapping.months, mapping.by) == (1, 1, desk.editor)
    assert TrailEvent.objects.filter(subject_type="metrics.tablemapping").count() == 1


@runs_once.UPLOADS
def test_november_with_a_column_more_is_understood_by_its_headers(desk):
    desk.map_october()

    page = desk.upload(book(of_november), desk.november)

    assert figures(page) == {"firms": "1672", "new": "22", "loans": "0.25"}
    (told,) = [n for n in page.context["outcome"].notices if "has changed since" in n]
    assert "环比" in told


@runs_once.UPLOADS
def test_a_reworded_header_is_told_in_one_sentence_and_not_guessed(desk):
    desk.map_october()

    page = desk.upload(book(lambda sheet: sheet.__setitem__("D4", "十一月数")), desk.november)

    (problem,) = page.context["outcome"].problems
    assert problem.message.startswith("The layout of this table has changed since it was mapped")
    assert "2024年四季度 11月" in problem.message
    assert page.context["own_table_of_file"]
    assert desk.values(desk.november) == {}


@runs_once.UPLOADS
def test_a_new_row_and_a_renamed_one_are_named(desk):
    desk.map_october()

    def rename(sheet):
        sheet["A6"] = "高企数"

    page = desk.upload(book(rename), desk.november)

    notices = " ".join(page.context["outcome"].notices)
    assert "6 “高企数”" in notices
    assert "“高新技术企业数”" in notices


def test_a_change_is_a_new_version_and_the_same_is_none(desk):
    desk.map_october()
    desk.map_october()
    assert TableMapping.objects.count() == 1

    desk.map_october(**{"code-10": ""})

    assert [row.number for row in TableMapping.objects.order_by("number")] == [1, 2]
    assert set(figures(desk.upload(book(), desk.october))) == {"firms", "new"}


@runs_once.UPLOADS
def test_a_column_of_another_month_is_not_kept(desk):
    page = desk.show(book(), desk.october)

    page = desk.send(page, value=4)

    assert "does not end with the period of this round" in " ".join(page.context["faults"])
    assert not TableMapping.objects.exists()


@runs_once.UPLOADS
def test_two_rows_of_one_indicator_are_not_kept(desk):
    page = desk.send(desk.show(book(), desk.october), **{"code-7": "firms"})

    (fault,) = page.context["faults"]
    assert fault.startswith("Several rows mean")


@runs_once.UPLOADS
def test_another_column_of_a_row_is_taken(desk):
    quarter = desk.round(12, start=10)
    page = desk.show(book(), quarter)
    assert page.context["shown"].headers[page.context["shown"].places["value"]].endswith("本季合计")

    page = desk.send(page, **{"code-7": "", "column-6": 4, "code-10": ""})

    assert figures(page) == {"firms": "1690"}


@runs_once.UPLOADS
def test_a_formula_in_a_cell_that_is_taken_is_refused(desk):
    quarter = desk.round(12, start=10)

    page = desk.send(desk.show(book(), quarter), **{"code-7": "new"})

    assert [(p.row, p.message) for p in page.context["outcome"].problems] == [
        (7, "Expected a plain value, not a formula: paste it as a value.")
    ]


@runs_once.UPLOADS
def test_a_round_of_another_length_needs_its_own_columns(desk):
    desk.map_october()

    (problem,) = desk.upload(book(), desk.round(12, start=10)).context["outcome"].problems

    assert problem.message.startswith("This table was mapped for rounds of 1 months")


def test_totals_and_growth_are_held_against_the_portals_own(desk):
    for month, last in enumerate((31, 29, 31, 30, 31, 30, 31, 31, 30), 1):
        for indicator, value in ((desk.new, 20), (desk.loans, Decimal("1.02"))):
            make_observation(
                indicator=indicator, period_start=date(2024, month, 1),
                period_end=date(2024, month, last), value=value, published=date(2024, 10, 1),
            )  # fmt: skip
    day = date(2023, 10, 31)
    make_observation(
        indicator=desk.firms, period_start=day, period_end=day, value=1475,
        published=date(2024, 1, 1),
    )  # fmt: skip

    def to_october(sheet):
        sheet["G3"] = "1-10月累计"
        sheet["G6"], sheet["I6"] = 1650, 11.9
        sheet["G7"], sheet["G10"] = 200, 9.12

    page = desk.send(desk.show(book(to_october), desk.october), **{"code-7": "new"})

    warnings = {change.code: change.warnings for change in page.context["outcome"].changes}
    assert not [w for w in warnings["firms"] + warnings["new"] if w.startswith("The table")]
    (warning,) = [w for w in warnings["loans"] if w.startswith("The table’s total")]
    assert "9.12亿元" in warning
    assert "938 million" in warning


@runs_once.UPLOADS
def test_growth_that_disagrees_is_told(desk):
    day = date(2023, 10, 31)
    make_observation(
        indicator=desk.firms, period_start=day, period_end=day, value=1500,
        published=date(2024, 1, 1),
    )  # fmt: skip

    def to_october(sheet):
        sheet["G3"], sheet["G6"] = "1-10月累计", 1650

    page = desk.send(desk.show(book(to_october), desk.october))

    (change,) = [c for c in page.context["outcome"].changes if c.code == "firms"]
    assert "The table states growth of 14.6 %; by the portal it is 10.0 %." in change.warnings


def test_what_is_of_another_unit_is_converted(desk):
    def in_ten_thousands(sheet):
        sheet["B10"], sheet["C10"] = "万元", 2000

    page = desk.send(desk.show(book(in_ten_thousands), desk.october))

    (change,) = [c for c in page.context["outcome"].changes if c.code == "loans"]
    assert change.figure.value == Decimal("0.2")


@runs_once.RIGHTS
def test_a_steward_maps_for_every_department_and_others_do_not(desk):
    steward = browser_of(make_staff(STEWARD))
    page = desk.send(desk.show(book(), desk.october, steward), browser=steward)
    assert page.status_code == 200
    assert TableMapping.objects.count() == 1
    assert "Kept as version 1" in " ".join(messages(page))

    for stranger in (
        make_staff(AUDITOR), make_staff(EDITOR, departments=[make_department()]),
    ):  # fmt: skip
        answer = browser_of(stranger).get(desk.address("own-table", desk.october))
        assert answer.status_code == 403


@runs_once.UPLOADS
def test_looking_again_keeps_what_was_chosen(desk):
    page = desk.send(desk.show(book(), desk.october), "look", **{"code-8": "new", "code-6": ""})

    chosen = [m.indicator and m.indicator.code for m in page.context["shown"].matches]
    assert chosen[:3] == [None, None, "new"]


@pytest.mark.parametrize(
    ("header", "kept", "next_month"),
    [
        ("2026年四季度 10月", "{Y}年{CQ}季度 {M}月", "2027年一季度 2月"),
        ("1-10月累计", "1-{M}月累计", "1-2月累计"),
        ("11月", "11月", "11月"),
        ("2025年10月", "{Y-1}年{M}月", "2026年2月"),
        ("十月", "{CM}月", "二月"),
        ("同比增长（%）", "同比增长(%)", "同比增长(%)"),
    ],
)
@runs_once.UPLOADS
def test_a_header_is_kept_without_its_month(header, kept, next_month):
    assert pattern(header, date(2026, 10, 31)) == kept
    assert rendered(kept, date(2027, 2, 28)) == next_month
    assert shape(kept) == shape(header)


@pytest.mark.parametrize(
    ("parts", "months"),
    [
        (["2026年四季度", "10月"], (2026, (10, 10))),
        (["2026年四季度", "本季合计"], (2026, (10, 12))),
        (["1-12月累计", "本年累计"], (2026, (1, 12))),
        (["本年累计"], (2026, (1, 10))),
        (["1-12月累计", "上年同期"], None),
        (["同比增长（%）"], None),
        (["备注"], None),
        (["2025年", "10月"], (2025, (10, 10))),
    ],
)
@runs_once.UPLOADS
def test_a_column_says_of_which_months_it_is(parts, months):
    assert months_of_column(parts, date(2026, 10, 31)) == months
