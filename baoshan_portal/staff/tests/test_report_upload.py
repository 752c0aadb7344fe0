"""The figures of a report come in by one file, are reviewed, and are public with their place."""

import io
from datetime import date
from decimal import Decimal
from itertools import product

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from baoshan_portal.tests import runs_once
from baoshan_portal.tests.desk import browser_of, messages
from baoshan_portal.tests.pages import SECOND_OPINION
from baoshan_portal.tests.slices import some
from measures import workflow
from measures.access import ADMINISTRATOR, AUDITOR, COMMITTEE, EDITOR, REVIEWER, STEWARD
from measures.models import Department, Opinion, Report, TrailEvent
from measures.submission import State
from measures.tests.factories import (
    ISSUED,
    make_department,
    make_measure,
    make_opinion,
    make_report,
    make_round,
    make_section,
    make_staff,
    make_theme,
    make_unlock,
    reword,
)
from metrics.models import Indicator, Observation
from metrics.rules.choices import Kind
from metrics.tests.factories import (
    make_indicator,
    make_money,
    make_observation,
    make_unit,
    make_withdrawal,
)

from ..imports.reading import read_table
from .tables import csv_file, xlsx_file
from .uploads import NO, YES, UploadDesk

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.long,
    pytest.mark.english,
    pytest.mark.usefixtures("temporary_folder"),
]

ENGLISH = (
    "Place in the report,Measure,Indicator,Unit,Figure as written,Period from,Period to,"
    "Period inferred,Certainty,Reason for correction,Answer to warnings"
)
CHINESE = (
    "报告位置,举措,指标,计量单位,报告原文数值,所属期起,所属期止,所属期系推定,确定程度,更正理由,"
    "核实说明"
)
HEAD = "place,indicator,figure,period_start,period_end"
YEAR = "2022-01-01,2022-12-31"


class Desk(UploadDesk):
    """A steward and an editor before a report, whose opinion has the theme 1.3."""

    file_name = "figures.xlsx"
    submits = "1"

    def __init__(self):
        self.opinion = make_opinion()
        theme = make_theme(section=make_section(opinion=self.opinion, order=1), order=3)
        self.report = make_report(opinion=self.opinion, code="the-report")
        self.department = make_department()
        self.measure = make_measure(theme=theme, lead=self.department, order=2, name="孵化")
        self.unit = make_unit()
        self.firms = self.indicator(code="firms", name="企业数", unit=self.unit)
        self.stock = self.indicator(code="stock", name="存量", kind=Kind.STOCK, unit=self.unit)
        self.funds = self.indicator(code="funds", name="资金", unit=make_money()["亿元"])
        self.editor = make_staff(EDITOR, departments=[self.department])
        self.steward = make_staff(STEWARD)
        self.browser = browser_of(self.steward)

    @property
    def address(self):
        return f"/en/admin/report-figures/{self.report.code}/"

    def template(self, file_format="csv", prefix="/en", browser=None):
        place = f"{prefix}/admin/report-figures/{self.report.code}.{file_format}"
        return (browser or self.browser).get(place)

    def public(self, **fields):
        """5 firms of 2022, as the report says it at 1.3/5."""
        fields = {"indicator": self.firms, "report": self.report, "locator": "1.3/5"} | fields
        return make_observation(published=ISSUED, **fields)


@pytest.fixture
def desk():
    return Desk()


def row(indicator="firms", figure="5", place="1.3/5", period=YEAR):
    return f"{place},{indicator},{figure},{period}"


def table(*rows, more=""):
    """A csv file; ``more`` are headers of further columns."""
    return "\n".join([HEAD + more, *rows])


def problems(page) -> list[tuple]:
    return [(p.row, p.column, p.message) for p in page.context["outcome"].problems]


# The template


@runs_once.UPLOADS
@pytest.mark.parametrize(("prefix", "headers"), [("", CHINESE), ("/en", ENGLISH)])
@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_a_template_has_a_row_for_each_indicator_of_the_opinion(desk, file_format, prefix, headers):
    make_indicator(
        measure=make_measure(theme=make_theme(section=make_section(opinion=make_opinion())))
    )

    found = read_table(desk.template(file_format, prefix).getvalue())

    assert found.headers == headers.split(",")
    assert [row.number for row in found.rows] == [2, 3, 4]
    name = desk.firms.name_en if prefix else "企业数"
    measure = desk.measure.name_en if prefix else "孵化"
    assert found.rows[0].cells == ["", f"1.3.2 {measure}", name, "家", *[""] * 7]


@runs_once.UPLOADS
def test_two_indicators_of_one_name_are_written_by_their_codes(desk):
    desk.indicator(code="other", name="企业数", unit=desk.unit)

    found = read_table(desk.template(prefix="").getvalue())

    assert [row.cells[2] for row in found.rows] == ["firms", "存量", "资金", "other"]


@runs_once.UPLOADS
def test_a_workbook_offers_what_can_be_chosen_and_says_how_to_fill_it_in(desk):
    desk.public()
    book = openpyxl.load_workbook(io.BytesIO(desk.template("xlsx").getvalue()))

    figures, known, how = book.worksheets
    assert (figures.title, known.title, how.title) == (
        "Figures of a report",
        "List of indicators",
        "How to fill in",
    )
    lists = {str(rule.sqref).partition("2")[0]: rule.formula1
             for rule in figures.data_validations.dataValidation}  # fmt: skip
    assert lists == {
        "C": "'List of indicators'!$B$2:$B$4",
        "H": '"yes,no"',
        "I": '"actual,preliminary,expected"',
    }
    assert figures.freeze_panes == known.freeze_panes == "A2"
    assert figures.column_dimensions["B"].width == 36
    cells = [cell.value for cell in known[2]]
    assert cells[1:4] == [desk.firms.name_en, "firms", "家"]
    assert cells[6:8] == ["5家", "year 2022"]
    assert desk.report.number in how["A2"].value
    assert how.max_row == 9


@runs_once.UPLOADS
def test_the_choices_come_from_the_right_sheet_in_chinese_too(desk):
    book = openpyxl.load_workbook(io.BytesIO(desk.template("xlsx", prefix="").getvalue()))

    assert book.sheetnames == ["报告数据", "指标清单", "填写说明"]
    rules = book.worksheets[0].data_validations.dataValidation
    assert rules[0].formula1 == "'指标清单'!$B$2:$B$4"
    assert book["指标清单"]["B2"].value == "企业数"


@runs_once.UPLOADS
def test_a_template_holds_only_what_its_reader_may_take_over(desk):
    desk.indicator(code="theirs", measure=make_measure(theme=desk.measure.theme))

    own = read_table(desk.template(browser=browser_of(desk.editor)).getvalue())

    assert len(own.rows) == 3
    assert len(read_table(desk.template().getvalue()).rows) == 4


def test_a_download_of_the_template_is_on_record(desk):
    desk.template("xlsx")

    event = TrailEvent.objects.get(action="exported")
    assert (event.actor, event.subject_code) == (desk.steward, "the-report")
    assert event.note == "template.xlsx, 3 rows"
    assert desk.template("exe").status_code == 404


@runs_once.RIGHTS
def test_the_page_of_the_report_leads_there_whoever_may(desk):
    for role in (EDITOR, STEWARD, REVIEWER, AUDITOR):
        browser = browser_of(make_staff(role, departments=[desk.department]))

        page = browser.get(f"/en/admin/measures/report/{desk.report.pk}/change/").content.decode()

        shown = "/en/admin/report-figures/the-report.xlsx" in page
        assert shown == ("Figures of this report: template" in page), role
        assert shown == (role in {EDITOR, STEWARD}), role


# What a row says


def test_a_figure_waits_for_review_with_its_place_and_period(desk):
    page = desk.take(table(row(figure="2.1万余家")))

    found = Observation.objects.get()
    assert (found.indicator, found.report, found.locator) == (desk.firms, desk.report, "1.3/5")
    assert (found.value, found.qualifier, found.as_written) == (21000, "over", "2.1万余家")
    assert (found.period_start, found.period_end) == (date(2022, 1, 1), date(2022, 12, 31))
    assert (found.state, found.entered_by, found.certainty) == ("submitted", desk.steward, "actual")
    assert (found.source_name, found.round, found.period_inferred) == ("", None, False)
    assert messages(page) == ["1 row was written and submitted for review."]
    assert page.redirect_chain[-1][0].endswith(f"/measures/report/{desk.report.pk}/change/")
    with pytest.raises(Exception, match="Nobody publishes"):
        workflow.publish(found, by=desk.steward)


def test_an_import_is_on_record_as_a_whole_and_row_by_row(desk):
    desk.store(table(row()))

    events = TrailEvent.objects.exclude(action="signed-in").order_by("pk")
    assert [event.action for event in events] == ["entered", "submitted", "imported"]
    assert events[2].subject_code == "the-report"
    assert events[2].note == (
        "submitted: metrics.observation: figures.xlsx: 1 new, 0 changed, 0 unchanged"
    )


@runs_once.FORMS
def test_a_preview_says_what_becomes_of_every_row_and_writes_nothing(desk):
    desk.public()
    make_observation(
        indicator=desk.stock, report=desk.report, locator="1.3/6",
        period_start=date(2022, 12, 31), period_end=date(2022, 12, 31),
    )  # fmt: skip
    desk.public(indicator=desk.funds, value=Decimal(7))
    more = (
        row(),
        row("stock", "6", "1.3/6", ",2022-12-31"),
        row("funds", "8", "1.3/5") + ",slip",
        row("firms", "5", "1.3/9"),
    )
    page = desk.send(table(*more, more=",reason"))

    outcome = page.context["outcome"]
    assert outcome.problems == []
    assert [(change.row, change.what) for change in outcome.changes] == [
        (3, "changed"), (4, "correction"), (5, "new"),
    ]  # fmt: skip
    assert [change.row for change in outcome.same] == [2]
    assert outcome.changes[2].code == "firms · 1.3/9 · year 2022"
    assert outcome.changes[2].cells == (
        ("Figure as written", "", "5 (5 organisations)"),
        ("Period from – Period to", "", "year 2022"),
    )
    assert outcome.changes[1].cells[0] == ("Figure as written", "7亿元", "8 (CNY 800 million)")
    html = page.content.decode()
    assert "Rows that stay as they are" in html
    assert "<small>correction</small>" in html
    assert Observation.objects.count() == 3


NAMES = ["firms", "企业数", "{firms.name_en}", " ＦＩＲＭＳ ", "{firms.code}"]
MEASURES = ["", "1.3.2", "孵化", "1.3.2 孵化", "{measure.code}", "1.3.2 {measure.name_en}"]


@runs_once.UPLOADS
def test_indicator_and_measure_are_known_by_code_number_and_name(desk):
    reword(desk.firms, name_en="Firms")
    pairs = [text.format(**vars(desk)) for text in map(",".join, product(NAMES, MEASURES))]
    rows = []
    for sentence, pair in enumerate(pairs, 1):
        named, measure = pair.split(",")
        rows.append(row(named, place=f"1.3/{sentence}") + f",{measure}")
    page = desk.send(table(*rows, more=",measure"))

    assert problems(page) == []
    found = [change.figure.indicator for change in page.context["outcome"].changes]
    assert found == [desk.firms] * 30


BEGINNINGS = [
    (Kind.STOCK, ",2022-12-31", date(2022, 12, 31)),
    (Kind.RANK, ",2022/12/31", date(2022, 12, 31)),
    (Kind.SHARE, ",2022年12月31日", date(2022, 12, 31)),
    (Kind.CUMULATIVE, ",2022.12.31", None),
    (Kind.CUMULATIVE, "２０２１-1-1,2022-12-31", date(2021, 1, 1)),
    (Kind.STOCK, "2022-12-01,2022-12-31", date(2022, 12, 1)),
]


@runs_once.UPLOADS
def test_what_stands_at_a_day_begins_on_it_and_a_total_may_begin_nowhere(desk):
    rows = []
    for n, (kind, period, _start) in enumerate(BEGINNINGS, 1):
        desk.indicator(code=f"row-{n}", kind=kind, unit=desk.unit)
        rows.append(row(f"row-{n}", place=f"1.3/{n}", period=period))
    desk.store(table(*rows))

    found = Observation.objects.order_by("indicator__code")
    assert [(one.period_start, one.period_end) for one in found] == [
        (start, date(2022, 12, 31)) for _kind, _period, start in BEGINNINGS
    ]


@runs_once.UPLOADS
def test_that_a_period_was_inferred_and_a_figure_only_expected_is_kept(desk):
    rows = row(period="2023-01-01,2023-12-31") + ",是,预计"
    desk.store(table(rows, more=",inferred,certainty"))

    found = Observation.objects.get()
    assert (found.period_inferred, found.certainty) == (True, "expected")


FIGURE, PLACE, INDICATOR = "C figure", "A place", "B indicator"


@runs_once.UPLOADS
def test_yes_and_no_are_read_in_all_their_spellings(desk):
    rows = [row(place=f"1.3/{n}") + f",{word}" for n, word in enumerate([*YES, *NO], 1)]
    desk.store(table(*rows, more=",inferred"))

    found = {
        row.locator: row.period_inferred for row in Observation.objects.filter(report=desk.report)
    }
    assert [found[f"1.3/{n}"] for n in range(1, len(rows) + 1)] == (
        [True] * len(YES) + [False] * len(NO)
    )


WRONG = [
    (row(figure="many"), FIGURE, "Expected one figure"),
    (row(figure=""), FIGURE, "Expected the figure as the report prints it."),
    (row("funds", "5家"), FIGURE, "This figure is in 家, but"),
    (row(figure="约" * 41), FIGURE, "This is too long for one"),
    (row(place=""), PLACE, "Write the place as theme/sentence"),
    (row(place="page 5"), PLACE, "Write the place as theme/sentence"),
    (row(place="1.3"), PLACE, "Write the place as theme/sentence"),
    (row(place="1.9/5"), PLACE, "The opinion has no theme 1.9."),
    (row(place="1.3/" + "9" * 20), PLACE, "No theme has so many sentences."),
    (row(""), INDICATOR, "Expected the code or the name of an indicator."),
    (row("no-such"), INDICATOR, "There is no indicator with this code or name: create it"),
    (row("x" * 200), INDICATOR, "There is no indicator with this code or name: create it"),
    (row("abroad"), INDICATOR, "This indicator belongs to another opinion"),
    (row("gone"), INDICATOR, "This indicator is withdrawn."),
    (row("twin"), INDICATOR, "Several indicators have this name; write the code"),
    (row(period="2022-01-01,"), "E period_end", "Expected a date, such as 2023-09-30."),
    (row(period="2022-01-01,2022"), "E period_end", "Expected a date, such as"),
    (row(period="2022-01-01,2022-02-30"), "E period_end", "Expected a date, such as"),
    (row(period="0001-01-01,2022-12-31"), "D period_start", "Expected a date, such as"),
    (row(period="2022-01-01,01/02/2022"), "E period_end", "Expected a date, such as"),
    (row(period="2022-12-31,2022-01-01"), "D period_start", "The period ends before it"),
    (row(period=",2022-12-31"), "D period_start", "Expected the first day of the period"),
    (row() + ",9.9.9", "F measure", "This indicator belongs to the measure 1.3.2"),
    (row() + ",,万家", "G unit", "Wrong unit: the indicator is counted in"),
    (row() + ",,,sure", "H certainty", "Expected one of: actual"),
    (row() + ",,,,perhaps", "I inferred", "Expected one of: yes, no"),
    (row() + ",,,,,because", "J reason", "Expected nothing: what is not public needs"),
    (row(period="2099-01-01,2099-12-31"), "H certainty", "The period ends only on 2099-12-31"),
    # The report was issued on 25 July 2023, so it cannot know.
    (row(period="2023-01-01,2023-07-26"), "H certainty", "The period ends only on 2023-07-26"),
]


@runs_once.UPLOADS
def test_what_is_wrong_is_told_with_its_place_and_nothing_is_written(desk):
    make_indicator(
        code="abroad",
        measure=make_measure(theme=make_theme(section=make_section(opinion=make_opinion()))),
    )
    make_withdrawal(desk.indicator(code="gone"), published=ISSUED)
    for code in ("one", "two"):
        desk.indicator(code=code, name_en="Twin")
    # Each at a sentence of its own, where it names one.
    rows = [text.replace("1.3/5", f"1.3/{n}") for n, (text, *_told) in enumerate(WRONG, 10)]

    page = desk.send(
        table(
            row("stock", "7", "1.3/7", period=",2022-12-31"),
            *rows,
            more=",measure,unit,certainty,inferred,reason",
        )
    )

    found = problems(page)
    assert [(number, column) for number, column, _message in found] == [
        (number, column) for number, (_text, column, _message) in enumerate(WRONG, 3)
    ]
    for (_number, _column, message), (*_row, begins) in zip(found, WRONG, strict=True):
        assert message.startswith(begins)
    assert page.context["confirm"] is None
    assert not Observation.objects.exists()


@runs_once.UPLOADS
def test_a_formula_is_refused_before_any_row_is_read(desk):
    page = desk.send(table(row("stock", "7", "1.3/7", ",2022-12-31"), row(figure="=1+1")))

    ((number, column, message),) = problems(page)
    assert (number, column) == (3, FIGURE)
    assert message.startswith("Expected a plain value, not a formula")
    assert page.context["confirm"] is None
    assert not Observation.objects.exists()


@runs_once.UPLOADS
def test_a_table_that_is_none_is_refused(desk):
    for text, column, message in (
        (HEAD + ",reasons\n" + row() + ",x", "F reasons", "This column is not known: did you"),
        ("indicator,figure\nfirms,5", "", "The columns “Place in the report”, “Period to” are"),
        (table(), "", "There is no row below the headers."),
        (table(row() + ",6"), "F", "This cell stands under no header."),
    ):
        found = problems(desk.send(text))

        assert found[0][1] == column, text
        assert found[0][2].startswith(message), text


@runs_once.UPLOADS
def test_every_fault_is_told_at_once_in_the_language_of_the_reader(desk):
    file = SimpleUploadedFile("t.csv", table(row("none", "x", "y", "a,b"), row()).encode())
    page = desk.browser.post("/admin/report-figures/the-report/", {"file": file})

    found = problems(page)
    assert [place for _row, place, _message in found] == [
        "B indicator", "A place", "D period_start", "E period_end",
    ]  # fmt: skip
    assert "没有" in found[0][2]
    assert all(not message.isascii() for _row, _place, message in found)


@runs_once.UPLOADS
def test_one_place_indicator_and_period_stand_once(desk):
    page = desk.send(table(row(), "", row("stock"), row(figure="6", place="１.３／５")))

    assert problems(page) == [
        (5, PLACE, "This place, indicator and period stand in row 2 already.")
    ]


def test_a_figure_printed_twice_is_two_rows_and_two_periods_are_two(desk):
    period = "2021-01-01,2021-12-31"
    desk.store(table(row(), row(place="1.3/8"), row(figure="4", period=period)))

    assert Observation.objects.count() == 3


@runs_once.UPLOADS
def test_merged_cells_are_told(desk):
    book = openpyxl.Workbook()
    book.active.append(HEAD.split(","))
    book.active.append(row().split(","))
    book.active.merge_cells("A2:A3")
    content = io.BytesIO()
    book.save(content)

    ((number, _column, message),) = problems(desk.send(content.getvalue()))

    assert number == 2
    assert message.startswith("Cells are merged here")


@runs_once.UPLOADS
def test_a_workbook_whose_days_are_dates_is_read(desk):
    content = xlsx_file(
        ENGLISH.split(","),
        [["1.3/5", "", "firms", "家", Decimal(5), "2022-01-01", "", "", "", "", ""]],
    )
    book = openpyxl.load_workbook(io.BytesIO(content))
    book.active["G2"] = date(2022, 12, 31)
    book.active["G2"].number_format = "yyyy/mm/dd"
    saved = io.BytesIO()
    book.save(saved)

    desk.store(saved.getvalue())

    assert Observation.objects.get().period_end == date(2022, 12, 31)


# What stands there already


@runs_once.UPLOADS
def test_the_same_file_again_changes_nothing_and_submits_the_drafts(desk):
    text = table(row(), row("funds", "1100万元", "1.3/6"))
    desk.store(text, submit="0")

    page = desk.send(text)
    outcome = page.context["outcome"]
    assert (outcome.changes, outcome.unchanged, outcome.drafts) == ([], 2, 2)
    desk.confirm(page)

    assert [found.state for found in Observation.objects.all()] == ["submitted"] * 2


@runs_once.UPLOADS
def test_a_draft_is_changed_in_place_and_what_waits_is_left_alone(desk):
    desk.store(table(row()), submit="0")
    desk.store(table(row(figure="6")))

    found = Observation.objects.get()
    assert (found.value, found.state, found.version) == (6, "submitted", 3)
    ((_row, column, message),) = problems(desk.send(table(row(figure="7"))))
    assert column == FIGURE
    assert message.startswith("This figure waits for review")


@runs_once.UPLOADS
def test_a_public_figure_that_is_repeated_is_unchanged(desk):
    desk.public()

    outcome = desk.send(table(row(figure="5 家"))).context["outcome"]

    assert (outcome.problems, outcome.changes, outcome.unchanged) == ([], [], 1)


def test_another_value_of_a_public_figure_needs_a_reason_and_becomes_a_correction(desk):
    old = desk.public()
    ((_row, column, message),) = problems(desk.send(table(row(figure="6") + ",", more=",reason")))
    assert column == "F reason"
    assert message == "Another value is public already: a correction must say why."

    desk.store(table(row(figure="6") + ",抄录有误", more=",reason"))

    new = Observation.objects.get(supersedes=old)
    assert (new.value, new.revision, new.correction_reason) == (6, 2, "抄录有误")
    assert (new.state, new.locator, new.report) == ("submitted", "1.3/5", desk.report)
    event = TrailEvent.objects.get(action="corrected")
    assert (event.subject_code, event.note) == (old.code, "抄录有误")
    workflow.publish(new, by=make_staff(REVIEWER))
    # The same file once more.
    outcome = desk.send(table(row(figure="6") + ",抄录有误", more=",reason")).context["outcome"]
    assert (outcome.problems, outcome.changes, outcome.unchanged) == ([], [], 1)


@runs_once.UPLOADS
def test_a_correction_that_is_a_draft_is_changed_by_the_next_file(desk):
    old = desk.public()
    desk.store(table(row(figure="6") + ",slip", more=",reason"), submit="0")
    desk.store(table(row(figure="7") + ",other slip", more=",reason"))

    new = Observation.objects.get(supersedes=old)
    assert (new.value, new.correction_reason, new.state) == (7, "other slip", "submitted")
    ((_row, column, _message),) = problems(desk.send(table(row(figure="8"))))
    assert column == FIGURE


@runs_once.UPLOADS
def test_a_figure_whose_correction_stands_elsewhere_says_where(desk):
    old = desk.public()
    new = workflow.correct(old, by=desk.editor, reason="place", locator="1.3/8")
    workflow.submit(new, by=desk.editor)
    workflow.publish(new, by=make_staff(REVIEWER))

    ((_row, column, message),) = problems(desk.send(table(row())))

    assert (column, message) == (
        PLACE,
        "The figure of this place and period was corrected: it stands at 1.3/8, year 2022 now.",
    )
    assert desk.send(table(row(place="1.3/8"))).context["outcome"].unchanged == 1


@runs_once.UPLOADS
def test_a_withdrawn_figure_does_not_come_back_unchanged(desk):
    make_withdrawal(desk.public(), published=ISSUED)

    ((_row, column, message),) = problems(desk.send(table(row())))

    assert (column, message) == (
        FIGURE, "This figure is withdrawn: it can only come back corrected.",
    )  # fmt: skip
    assert desk.send(table(row(figure="6") + ",x", more=",reason")).context["confirm"]


@runs_once.UPLOADS
def test_a_figure_of_another_report_is_none_of_this_one(desk):
    desk.public(report=make_report(opinion=desk.opinion), value=Decimal(4))

    desk.store(table(row()))

    assert Observation.objects.count() == 2


def test_what_changed_since_the_preview_is_shown_again(desk):
    page = desk.send(table(row()))
    desk.public(value=Decimal(9))

    again = desk.confirm(page)

    assert Observation.objects.count() == 1
    assert messages(again)
    assert again.context["outcome"].problems


@runs_once.UPLOADS
def test_a_locked_round_keeps_its_lock_until_it_is_unlocked(desk):
    period = {"period_start": date(2022, 10, 1), "period_end": date(2022, 12, 31)}
    locked = make_round(locked=True, **period)

    ((_row, column, message),) = problems(desk.send(table(row())))
    assert column == "E period_end"
    assert "takes no entry of this department" in message
    make_unlock(round=locked, department=desk.department)
    assert problems(desk.send(table(row()))) == []


# Who may


@runs_once.RIGHTS
def test_nobody_else_takes_a_report_over(desk):
    for role in (REVIEWER, AUDITOR, ADMINISTRATOR, COMMITTEE):
        browser = browser_of(make_staff(role, departments=[desk.department]))

        assert browser.get(desk.address).status_code == 403, role
        assert desk.template(browser=browser).status_code == 403, role
        assert desk.send(table(row()), browser).status_code == 403, role


@runs_once.RIGHTS
def test_an_editor_takes_over_the_own_department_and_no_other(desk):
    desk.indicator(code="theirs", measure=make_measure(theme=desk.measure.theme))
    nobody = browser_of(make_staff(EDITOR))
    editor = browser_of(desk.editor)

    foreign = "This indicator belongs to another department."
    assert problems(desk.send(table(row()), nobody)) == [(2, INDICATOR, foreign)]
    mixed = table(row(), row("theirs", place="1.3/6"))
    assert problems(desk.send(mixed, editor)) == [(3, INDICATOR, foreign)]
    desk.store(table(row()), browser=editor)
    assert Observation.objects.get().entered_by == desk.editor


@runs_once.FORMS
def test_a_preview_is_confirmed_by_nobody_else_and_for_no_other_report(desk):
    page = desk.send(table(row()))
    over = ["This preview is over: send the file again."]

    assert messages(desk.confirm(page, browser=browser_of(desk.editor))) == over
    desk.report = make_report(opinion=desk.opinion)
    assert messages(desk.confirm(page)) == over
    assert not Observation.objects.exists()


@runs_once.RIGHTS
def test_who_left_the_department_after_the_preview_writes_nothing(desk):
    browser = browser_of(desk.editor)
    page = desk.send(table(row()), browser)
    desk.editor.departments.clear()

    desk.confirm(page, browser=browser)

    assert not Observation.objects.exists()


@runs_once.QUERIES
def test_a_preview_asks_the_database_as_often_for_many_rows_as_for_few(desk):
    def ask():
        codes = Indicator.objects.filter(unit=desk.unit, kind=Kind.FLOW).values_list(
            "code", flat=True
        )
        with CaptureQueriesContext(connection) as template:
            desk.template("xlsx").getvalue()
        with CaptureQueriesContext(connection) as queries:
            page = desk.send(table(*(row(code) for code in codes)))
        assert problems(page) == []
        return len(template), len(queries), len(page.context["outcome"].changes)

    few = ask()
    for _number in range(6):
        desk.indicator(unit=desk.unit)
    many = ask()

    assert (few[2], many[2]) == (1, 7)
    assert few[:2] == many[:2]


# The whole way


@pytest.mark.once("goes from file to page; others here write and publish such rows on both")
@pytest.mark.sweep
@pytest.mark.parametrize(
    # Other tests here read files of both kinds; by `make test-long` both go the whole way.
    "write",
    some([csv_file, xlsx_file], every=2),
)
def test_the_second_opinions_figures_come_in_by_the_file_and_are_public(report, client, write):
    call_command("loaddata", SECOND_OPINION, verbosity=0)
    of_second = Observation.objects.filter(report__opinion__code="invented-2024-18")
    told_before = {
        (found.indicator.code, found.period_end, found.as_written, found.locator, found.report_id)
        for found in of_second.select_related("indicator")
    }
    # As if nobody had typed them: the reports are copied, and theirs are read from files.
    opinion = Opinion.objects.get(code="invented-2024-18")
    steward, reviewer = browser_of(make_staff(STEWARD)), make_staff(REVIEWER)
    by_report = {}
    for number, old in enumerate(Report.objects.filter(opinion=opinion), 1):
        copy = Report.objects.get(pk=old.pk)
        copy.pk, copy.code, copy.number = None, f"copy-{number}", f"宝府〔2024〕9{number}号"
        copy.save(force_insert=True)
        by_report[old.pk] = copy
    for pk, copy in by_report.items():
        address = f"/admin/report-figures/{copy.code}"
        given = read_table(steward.get(f"{address}.xlsx").getvalue())
        names = {cells[2]: cells for cells in (line.cells for line in given.rows)}
        rows = []
        for found in of_second.filter(report=pk).select_related("indicator"):
            cells = list(names.pop(found.indicator.name))
            cells[0], cells[4] = found.locator, found.as_written
            cells[5:7] = [str(found.period_start or ""), str(found.period_end)]
            rows.append(cells)
        # What the report does not mention stays in the file, empty.
        content = write(given.headers, rows + list(names.values()))
        file = SimpleUploadedFile("t.xlsx", content)
        page = steward.post(f"{address}/", {"file": file})
        assert page.context["outcome"].problems == []
        assert len(page.context["outcome"].changes) == len(rows) > 0
        token = page.context["confirm"]["preview"].value()
        steward.post(f"{address}/", {"preview": token, "submit": "1"})
    came = Observation.objects.filter(report__in=by_report.values())
    html = client.get("/en/indicators/community-clinics-open/").content.decode()
    assert "宝府〔2024〕91号" not in html
    for found in came:
        assert found.state == State.SUBMITTED
        workflow.publish(found, by=reviewer)

    old_of = {copy.pk: pk for pk, copy in by_report.items()}
    assert {
        (found.indicator.code, found.period_end, found.as_written, found.locator,
         old_of[found.report_id])
        for found in came.published()
    } == told_before  # fmt: skip
    for typed in of_second.filter(report__in=by_report):
        read = came.get(
            indicator=typed.indicator, locator=typed.locator, period_end=typed.period_end
        )
        same = ("value", "qualifier", "period_start", "certainty", "period_inferred")
        assert [getattr(read, name) for name in same] == [getattr(typed, name) for name in same]
    html = client.get("/en/indicators/community-clinics-open/").content.decode()
    assert "1.1/1" in html
    assert any(copy.number in html for copy in by_report.values())
    assert Department.objects.filter(code="health-care-office").exists()
