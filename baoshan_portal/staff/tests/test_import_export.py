"""What the admin exports can be imported again, and changes only what may be changed."""

import re
from datetime import date
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from baoshan_portal.tests import runs_once
from baoshan_portal.tests.desk import browser_of, desk, messages, publish_what_waits
from measures.access import ADMINISTRATOR, AUDITOR, EDITOR, REVIEWER, STEWARD
from measures.models import TrailEvent
from measures.submission import State
from measures.tests.factories import ISSUED, make_department, make_measure, make_report, make_staff
from metrics.models import Indicator, Observation
from metrics.tests.factories import make_indicator, make_money, make_observation, make_unit

from ..imports.reading import read_table
from .tables import csv_file, xlsx_file

pytestmark = [pytest.mark.django_db, pytest.mark.english, pytest.mark.long]

INLINE = re.compile(r"<style\b|<script\b(?![^>]*\ssrc=)|<[^>]*\s(?:style|on[a-z]+)\s*=")
FORMATS = {"xlsx": "0", "csv": "1"}
WRITERS = {"xlsx": xlsx_file, "csv": csv_file}
#: Of what a file says both databases make the same rows.
EACH_FORMAT = pytest.mark.parametrize(
    "file_format", ["xlsx", pytest.param("csv", marks=runs_once.UPLOADS)]
)


@pytest.fixture
def department():
    return make_department()


@pytest.fixture
def editor(department):
    return browser_of(make_staff(EDITOR, departments=[department]))


@pytest.fixture
def steward():
    return browser_of(make_staff(STEWARD))


@pytest.fixture
def firms(department):
    return make_indicator(measure=make_measure(lead=department), code="firms")


def export(browser, model=Observation, file_format="csv", query=None) -> bytes:
    sent = {"format": FORMATS[file_format], "resource": "0"}
    answer = browser.post(desk(model, "export", query=query), sent)
    assert answer.status_code == 200
    return answer.getvalue()


def changed(content: bytes, code: str, /, file_format="csv", **cells) -> bytes:
    """The exported file, after somebody typed ``cells`` into the row of ``code``."""
    table = read_table(content)
    rows = [dict(zip(table.headers, row.cells, strict=True)) for row in table.rows]
    for row in rows:
        if row["code"] == code:
            row.update(cells)
    return WRITERS[file_format](table.headers, [list(row.values()) for row in rows])


def send(browser, content, model=Observation):
    file = SimpleUploadedFile("figures.csv", content)
    sent = {"import_file": file, "format": "0", "resource": "0"}
    return browser.post(desk(model, "import"), sent)


def confirm(browser, page, model=Observation, **instead):
    form = page.context["confirm_form"]
    sent = {field.html_name: field.value() for field in form} | instead
    return browser.post(desk(model, "process_import"), sent, follow=True)


def outcome(page):
    """(number of changes, number of rows left as they are, what is wrong)"""
    result = page.context["result"]
    wrong = [(p.row, p.column, p.text, p.message) for p in result.problems]
    return len(result.changes), result.unchanged, wrong


def every_kind_of_row(firms):
    funds = make_indicator(measure=firms.measure, code="funds", unit=make_money()["亿元"])
    note = "=SUM(A1)\r\n- 第二行 \r\n'+"
    day = date(2023, 7, 25)
    make_observation(code="draft", indicator=firms, note=note)
    make_observation(code="waiting", indicator=firms, state=State.SUBMITTED, note_en="@x")
    make_observation(
        code="public", indicator=firms, published=day, value=Decimal("-12.5"), as_written="-12.5家"
    )
    make_observation(
        code="precise", indicator=funds, value=Decimal("12345678901.2345"), as_written="很多"
    )
    make_observation(
        code="told", indicator=funds, report=make_report(), locator="1.3/5", published=day,
        value=Decimal("51.79"), period_start=None, as_written="51.79亿元", qualifier="about",
    )  # fmt: skip


@EACH_FORMAT
def test_what_was_exported_imports_again_unchanged(editor, firms, file_format):
    every_kind_of_row(firms)
    before = list(Observation.objects.order_by("pk").values())

    page = send(editor, export(editor, file_format=file_format))

    assert outcome(page) == (0, 5, [])
    confirm(editor, page)
    assert list(Observation.objects.order_by("pk").values()) == before


def test_an_export_holds_figures_as_numbers_and_no_formula(editor, firms):
    every_kind_of_row(firms)

    text = export(editor).decode("utf-8-sig")

    assert ",51.79,about,51.79亿元," in text
    assert "\"'=SUM(A1)" in text
    assert ",-12.5,exact,-12.5家," in text


@EACH_FORMAT
def test_a_changed_draft_is_previewed_and_then_written(editor, firms, file_format):
    row = make_observation(code="draft", indicator=firms, value=Decimal(5), note="old")
    content = changed(
        export(editor, file_format=file_format), "draft", file_format,
        as_written="约6家", value="6", qualifier="about", note="new",
    )  # fmt: skip

    page = send(editor, content)

    (change,) = page.context["result"].changes
    assert set(change.cells) == {
        ("as_written", "5家", "约6家"),
        ("value", "5", "6"),
        ("qualifier", "exact", "about"),
        ("note", "old", "new"),
    }
    row.refresh_from_db()
    assert row.value == 5
    confirm(editor, page)
    row.refresh_from_db()
    assert (row.value, row.qualifier, row.note, row.version) == (6, "about", "new", 2)


@runs_once.UPLOADS
def test_drafts_that_a_file_repeats_stay_drafts_and_the_preview_speaks_of_no_choice(editor, firms):
    make_observation(code="draft", indicator=firms)

    page = send(editor, export(editor))

    assert "if you choose to submit" not in page.content.decode()
    confirm(editor, page)
    assert Observation.objects.get().state == State.DRAFT


def test_exports_and_imports_are_on_record(editor, firms):
    make_observation(code="draft", indicator=firms)
    make_observation(code="other", indicator=firms, as_written="7家")
    content = export(editor, query={"as_written": "7家"})

    confirm(editor, send(editor, changed(content, "other", as_written="8家", value="8")))

    notes = dict(TrailEvent.objects.values_list("action", "note"))
    assert notes["exported"].startswith("metrics.observation.csv, 1 rows")
    assert notes["imported"] == "metrics.observation: figures.csv: 0 new, 1 changed, 0 unchanged"
    assert TrailEvent.objects.filter(action="changed", subject_code="other").count() == 1


#: What is typed into which row, and where and what is told.
KEPT = [
    ("public", {"note": "x"}, "N note", "This figure is published and never changed in place"),
    ("waiting", {"note": "x"}, "N note", "This figure waits for review"),
    ("draft", {"as_written": "many"}, "I as_written", "Expected one figure"),
    (
        "draft",
        {"as_written": "7家", "value": "8"},
        "G value",
        "Expected “7”, as the figure as written says",
    ),
    ("draft", {"value": "7"}, "G value", "Expected “5”, as the figure as written says"),
    ("draft", {"qualifier": "over"}, "H qualifier", "Expected “exact”, as the figure as"),
    ("draft", {"unit": "个"}, "C unit", "Expected “家”: an import cannot change this."),
    ("draft", {"indicator": "funds"}, "B indicator", "Expected “firms”: an import cannot"),
    ("draft", {"period_end": "2024-12-31"}, "E period_end", "Expected “2022-12-31”: an import"),
    ("draft", {"certainty": "sure"}, "J certainty", "Expected one of:"),
    ("draft", {"evidence_url": "x"}, "P evidence_url", "Expected a link that begins with"),
    ("draft", {"code": "no-such"}, "A code", "There is no figure with this code that you may"),
    ("draft", {"code": ""}, "A code", "Expected a code"),
    ("draft", {"code": "public"}, "A code", "This code stands in row"),
]


@runs_once.UPLOADS
def test_what_an_import_may_not_change_is_told_and_nothing_is_written(editor, firms):
    every_kind_of_row(firms)
    exported = export(editor)
    before = list(Observation.objects.order_by("pk").values())

    for code, cells, column, message in KEPT:
        page = send(editor, changed(exported, code, **cells))

        _changes, _unchanged, wrong = outcome(page)
        assert [(place, said[: len(message)]) for _row, place, _text, said in wrong] == [
            (column, message)
        ]
        assert "confirm_form" not in page.context, message
        assert list(Observation.objects.order_by("pk").values()) == before, message


def test_one_fault_keeps_every_row_from_being_written(editor, firms):
    every_kind_of_row(firms)
    content = changed(export(editor), "draft", as_written="9家", value="9")

    page = send(editor, changed(content, "public", note="x"))

    assert len(outcome(page)[2]) == 1
    assert "confirm_form" not in page.context


def test_a_row_that_was_submitted_after_the_preview_stops_the_whole_import(editor, firms):
    make_observation(code="a", indicator=firms)
    make_observation(code="b", indicator=firms)
    content = changed(export(editor), "a", note="new")
    page = send(editor, changed(content, "b", note="new"))
    Observation.objects.filter(code="b").update(state=State.SUBMITTED)

    after = confirm(editor, page)

    assert messages(after) == [
        "This figure waits for review: it must be returned before it is changed."
    ]
    assert set(Observation.objects.values_list("note", flat=True)) == {""}


@runs_once.UPLOADS
def test_dates_as_excel_writes_them_are_no_change(editor, firms):
    make_observation(code="draft", indicator=firms)
    content = changed(export(editor), "draft", period_start="2022/1/1", period_end="2022/12/31")

    assert outcome(send(editor, content)) == (0, 1, [])


@runs_once.UPLOADS
def test_value_and_qualifier_follow_the_figure_as_written(editor, firms):
    row = make_observation(code="draft", indicator=firms)

    page = send(editor, changed(export(editor), "draft", as_written="2.1万余家"))

    (change,) = page.context["result"].changes
    assert ("value", "5", "21000") in change.cells
    confirm(editor, page)
    row.refresh_from_db()
    assert (row.value, row.qualifier) == (21000, "over")


@runs_once.UPLOADS
def test_columns_may_be_left_out_but_not_invented(editor, firms):
    make_observation(code="draft", indicator=firms)

    assert outcome(send(editor, b"code,note\ndraft,new\n"))[0] == 1
    ((_row, place, text, message),) = outcome(send(editor, b"code,notes\ndraft,new\n"))[2]
    assert (place, text, message[:24]) == ("B notes", "notes", "This column is not known")


@runs_once.QUERIES
def test_an_export_of_ten_rows_takes_as_many_queries_as_of_one(editor, firms):
    def queries():
        with CaptureQueriesContext(connection) as found:
            rows = read_table(export(editor)).rows
        return len(rows), len(found)

    def make(count):
        # Each with an indicator and a report of its own, so that every relation must be loaded.
        for _ in range(count):
            indicator = make_indicator(measure=firms.measure)
            make_observation(
                indicator=indicator, report=make_report(), locator="1.1/1", published=ISSUED
            )

    make(1)
    queries()  # fills the caches of content types
    few = queries()
    make(9)
    assert (few, queries()) == ((1, 12), (10, 12))


def test_rows_of_other_departments_are_neither_exported_nor_imported(editor, firms):
    theirs = make_observation(
        code="theirs", indicator=make_indicator(measure=make_measure(lead=make_department()))
    )
    make_observation(code="ours", indicator=firms)

    assert [row.cells[0] for row in read_table(export(editor)).rows] == ["ours"]
    ((row, place, text, message),) = outcome(send(editor, b"code,note\ntheirs,mine\n"))[2]
    assert (row, place, text) == (2, "A code", "theirs")
    assert message.startswith("There is no figure with this code that you may see")
    theirs.refresh_from_db()
    assert theirs.note == ""


@runs_once.UPLOADS
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"code,note\na,=1+1\n", "2 B note: =1+1: Expected a plain value, not a formula"),
        (b"\x89PNG\r\n\x1a\n\x00", "This is a picture"),
        (b"PK\x03\x04 broken", "The file is damaged"),
        (b"x" * (10 * 1024 * 1024 + 1), "The file is larger than 10 MB."),
    ],
)
def test_a_file_that_is_no_table_is_refused_with_a_sentence(editor, content, message):
    page = send(editor, content)

    assert page.context["form"].errors["import_file"][0].startswith(message)


@runs_once.UPLOADS
@pytest.mark.parametrize("instead", [{"import_file_name": "hostname"}, {"format": "7"}])
def test_a_confirmation_that_was_tampered_with_is_refused(editor, firms, instead):
    make_observation(code="draft", indicator=firms)
    page = send(editor, b"code,note\ndraft,new\n")

    assert messages(confirm(editor, page, **instead)) == [
        "This preview is over: send the file again."
    ]
    assert Observation.objects.get().note == ""


@runs_once.FORMS
def test_an_import_is_confirmed_once(editor, firms):
    make_observation(code="draft", indicator=firms)
    page = send(editor, b"code,note\ndraft,new\n")
    confirm(editor, page)

    assert messages(confirm(editor, page)) == ["This preview is over: send the file again."]


@runs_once.RIGHTS
@pytest.mark.parametrize(
    ("role", "model", "exports", "imports"),
    [
        (EDITOR, Observation, 200, 200),
        (REVIEWER, Observation, 200, 403),
        (STEWARD, Observation, 200, 403),
        (AUDITOR, Observation, 200, 403),
        (ADMINISTRATOR, Observation, 403, 403),
        (EDITOR, Indicator, 200, 403),
        (REVIEWER, Indicator, 200, 403),
        (STEWARD, Indicator, 200, 200),
        (AUDITOR, Indicator, 200, 403),
        (ADMINISTRATOR, Indicator, 403, 403),
    ],
)
def test_who_may_see_rows_exports_them_and_who_may_enter_rows_imports_them(
    role, model, exports, imports
):
    browser = browser_of(make_staff(role, departments=[make_department()]))

    assert browser.get(desk(model, "export")).status_code == exports
    assert browser.get(desk(model, "import")).status_code == imports
    assert send(browser, b"code\nx\n", model).status_code == imports
    sent = {"import_file_name": "x", "original_file_name": "x", "format": "0"}
    written = browser.post(desk(model, "process_import"), sent).status_code
    assert written == (302 if imports == 200 else 403)


@runs_once.PAGES
@pytest.mark.parametrize("page", ["import", "export"])
def test_the_pages_hold_nothing_that_the_content_policy_forbids(editor, firms, page):
    make_observation(code="draft", indicator=firms)

    for answer in (
        editor.get(desk(Observation, page)),
        send(editor, b"code,note\ndraft,new\n"),
        send(editor, b"code,note\nno-such,new\n"),
    ):
        assert not INLINE.findall(answer.content.decode())


# Indicators


@EACH_FORMAT
def test_indicators_that_were_exported_import_again_unchanged(steward, firms, file_format):
    share = make_indicator(basis=firms, is_key=True, published_on=None, level="district")
    share.caution = "=不相加\r\n第二行"
    share.save()
    before = list(Indicator.objects.order_by("pk").values())

    page = send(steward, export(steward, Indicator, file_format), Indicator)

    assert outcome(page) == (0, 2, [])
    confirm(steward, page, Indicator)
    assert list(Indicator.objects.order_by("pk").values()) == before


def test_a_steward_changes_and_adds_indicators_by_a_file(steward, firms):
    table = read_table(changed(export(steward, Indicator), "firms", name="新名"))
    new = dict(zip(table.headers, table.rows[0].cells, strict=True))
    new |= {"code": "added", "order": "77", "name": "新增"}
    content = csv_file(table.headers, [table.rows[0].cells, new.values()])

    page = send(steward, content, Indicator)
    assert [change.is_new for change in page.context["result"].changes] == [False, True]
    assert ("name", firms.name, "新名") in page.context["result"].changes[0].cells
    assert Indicator.objects.count() == 1
    confirm(steward, page, Indicator)
    firms.refresh_from_db()
    assert firms.name != "新名"
    publish_what_waits()

    firms.refresh_from_db()
    assert firms.name == "新名"
    assert Indicator.objects.get(code="added").order == 77
    events = TrailEvent.objects.filter(subject_type="metrics.indicator")
    assert {event.action: event.subject_code for event in events} == {
        "changed": "firms",
        "entered": "added",
    }


#: What is typed, and where it is told.
IMPOSSIBLE = [
    ({"unit": "no-such"}, "unit"),
    ({"measure": "no-such"}, "measure"),
    ({"order": "first"}, "order"),
    ({"kind": "no-such"}, "kind"),
    ({"published_on": "soon"}, "published_on"),
    ({"name": ""}, "name"),
    ({"name": "名" * 200}, "name"),
]


@runs_once.UPLOADS
def test_what_an_indicator_cannot_be_is_told_with_its_column(steward, firms):
    exported = export(steward, Indicator)
    for cells, column in IMPOSSIBLE:
        page = send(steward, changed(exported, "firms", **cells), Indicator)

        assert page.status_code == 200
        _changes, _unchanged, wrong = outcome(page)
        assert [place.partition(" ")[2] for _row, place, _text, _message in wrong] == [column]
        assert Indicator.objects.get().name == firms.name


def test_a_file_cannot_change_the_unit_of_told_values(steward, firms):
    make_observation(indicator=firms, published=date(2023, 7, 25))
    make_unit(code="units", name="户")
    page = send(steward, changed(export(steward, Indicator), "firms", unit="units"), Indicator)

    _changes, _unchanged, wrong = outcome(page)
    message = "Values are told in the unit until now: make a new indicator instead."
    assert [(place.partition(" ")[2], told) for _row, place, _text, told in wrong] == [
        ("unit", message)
    ]
