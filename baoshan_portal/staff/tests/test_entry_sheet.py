"""The entry sheet: one page for all that a department hands in for a round."""

import re
from datetime import date
from decimal import Decimal
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from baoshan_portal.tests import runs_once
from baoshan_portal.tests.desk import browser_of
from measures import workflow
from measures.access import AUDITOR, EDITOR, REVIEWER, STEWARD
from measures.models import ProgressNote, TrailEvent
from measures.submission import State
from measures.tests.factories import (
    ISSUED,
    make_department,
    make_measure,
    make_note,
    make_round,
    make_staff,
    make_superuser,
    make_theme,
    make_unlock,
    make_user,
)
from metrics.models import Observation
from metrics.rules.choices import Frequency, Kind, Qualifier
from metrics.tests.factories import make_indicator, make_money, make_observation, make_unit

from ..entry_sheet.page import sheet_url

pytestmark = [pytest.mark.django_db, pytest.mark.long, pytest.mark.english]


@pytest.fixture
def office():
    return make_department(name="科委", name_en="Science")


@pytest.fixture
def round_():
    return make_round(name="2023年第三季度", name_en="Third quarter of 2023")


@pytest.fixture
def measure(office):
    return make_measure(lead=office)


@pytest.fixture
def firms(measure):
    return make_indicator(
        measure=measure, frequency=Frequency.QUARTERLY, kind=Kind.STOCK, name_en="Firms"
    )


@pytest.fixture
def clerk(office):
    return make_staff(EDITOR, departments=[office], username="zhang")


@pytest.fixture
def sheet(round_, office, clerk):
    return Sheet(sheet_url(round_, office), browser_of(clerk))


class Sheet:
    """The page in a browser: what is typed is sent together with what the form holds already."""

    def __init__(self, address, browser):
        self.address, self.browser = address, browser
        self.page = None

    @property
    def page(self):
        """What is open; where a sheet that was taken leads is opened once somebody looks at it."""
        if self.answer is None:
            self.open()
        elif self.answer.status_code == 302:
            self.answer = self.browser.get(self.answer.url)
        return self.answer

    @page.setter
    def page(self, answer):
        self.answer = answer

    def open(self):
        self.page = self.browser.get(self.address)
        return self

    def send(self, button="save", **typed):
        """Press ``button`` on the page that is open, after typing into fields by their names."""
        data = {button: ""}
        for row in self.page.context["sheet"].rows:
            if row.form:
                data[f"{row.prefix}-seen"] = row.seen
                for name in row.initial():
                    data[f"{row.prefix}-{name}"] = row.form[name].value() or ""
                if getattr(row, "asks_answer", False):
                    data[f"{row.prefix}-answered"] = row.answered
        self.page = self.browser.post(self.address, data | typed)
        return self

    def type(self, row, button="save", **typed):
        kind = "note" if hasattr(row, "theme_id") else "figure"
        return self.send(button, **{f"{kind}-{row.code}-{k}": v for k, v in typed.items()})

    @property
    def text(self) -> str:
        body = re.sub("<[^>]*>", " ", self.page.content.decode())
        return " ".join(unescape(body).split())

    @property
    def errors(self) -> list[tuple]:
        return [
            (row.number, str(field), str(message))
            for row in self.page.context["sheet"].faults
            for field, _id, message in row.errors
        ]

    def row(self, subject):
        rows = self.page.context["sheet"].rows
        return next(row for row in rows if row.subject == subject)


# Who may open it


@runs_once.PAGES
def test_a_row_for_every_figure_that_is_due_and_every_measure(sheet, firms, measure, office):
    other = make_measure(lead=office)
    make_indicator(measure=other, frequency=Frequency.YEARLY)
    make_indicator(frequency=Frequency.QUARTERLY)
    make_observation(indicator=firms, value=1475, published=ISSUED)
    page = sheet.open().page.context["sheet"]
    assert [row.subject for row in page.figures] == [firms]
    assert {row.subject for row in page.notes} == {measure, other}
    for said in ("Firms", "Scope", "1,475 organisations", "year 2022", "2023-09-30"):
        assert said in sheet.text


@runs_once.RIGHTS
def test_who_does_not_enter_is_told_so(sheet, office, firms):
    for role in (REVIEWER, STEWARD, AUDITOR, None):
        browser = browser_of(make_staff(role, departments=[office]))
        for answer in (browser.get(sheet.address), browser.post(sheet.address)):
            assert answer.status_code == 403, role
            assert "You do not enter figures for Science." in answer.content.decode(), role


@runs_once.RIGHTS
def test_an_editor_of_another_department_is_refused_and_writes_nothing(sheet, firms):
    stranger = browser_of(make_staff(EDITOR, departments=[make_department()]))
    data = {f"figure-{firms.code}-figure": "5", f"figure-{firms.code}-seen": "0:", "save": ""}
    assert stranger.get(sheet.address).status_code == 403
    assert stranger.post(sheet.address, data).status_code == 403
    assert not Observation.objects.exists()


@runs_once.RIGHTS
def test_whoever_is_not_signed_in_is_asked_to(sheet, client):
    assert client.get(sheet.address).status_code == 302


@runs_once.RIGHTS
def test_a_locked_round_is_refused_until_it_is_unlocked(sheet, round_, office, firms):
    round_.locked = True
    round_.save()
    answer = sheet.browser.get(sheet.address)
    assert answer.status_code == 403
    assert "is locked" in answer.content.decode()
    assert sheet.browser.post(sheet.address, {"save": ""}).status_code == 403
    make_unlock(round=round_, department=office)
    assert sheet.type(firms, figure="5").page.status_code == 200
    assert Observation.objects.count() == 1


@runs_once.RIGHTS
def test_a_round_that_has_not_opened_says_when_it_will(sheet, round_):
    round_.opens_on = round_.due_on = date(2999, 1, 1)
    round_.save()
    answer = sheet.browser.get(sheet.address)
    assert answer.status_code == 403
    assert "opens on 2999-01-01" in answer.content.decode()


@runs_once.RIGHTS
def test_an_unknown_sheet_is_not_found(sheet, round_, office):
    for row in (round_, office):
        assert sheet.browser.get(sheet.address.replace(row.code, "nothing")).status_code == 404


# What is stored


def test_a_figure_becomes_a_draft_with_its_period_and_source(sheet, firms, clerk, round_):
    sheet.type(firms, figure="１，４７５家", certainty="preliminary", note="快报数",
               evidence_url="example.org/list")  # fmt: skip
    row = Observation.objects.get()
    assert (row.value, row.qualifier, row.as_written) == (1475, Qualifier.EXACT, "１，４７５家")
    assert (row.period_start, row.period_end) == (date(2023, 9, 30), date(2023, 9, 30))
    assert not row.period_inferred
    assert row.source_name == "科委2023年第三季度"
    assert (row.round, row.state, row.entered_by) == (round_, State.DRAFT, clerk)
    assert (row.certainty, row.note) == ("preliminary", "快报数")
    assert row.evidence_url == "https://example.org/list"
    assert "1 row was saved as a draft." in sheet.text
    assert "Read as 1,475家." in sheet.text


@runs_once.FORMS
def test_the_period_follows_from_kind_frequency_and_last_value(sheet, measure):
    periods = {}
    for kind, frequency, period in (
        (Kind.FLOW, Frequency.QUARTERLY, (date(2023, 7, 1), date(2023, 9, 30))),
        (Kind.FLOW, Frequency.MONTHLY, (date(2023, 9, 1), date(2023, 9, 30))),
        (Kind.CUMULATIVE, Frequency.QUARTERLY, (date(2021, 1, 1), date(2023, 9, 30))),
    ):
        indicator = make_indicator(measure=measure, kind=kind, frequency=frequency)
        make_observation(
            indicator=indicator, published=ISSUED,
            period_start=date(2021, 1, 1), period_end=date(2022, 12, 31),
        )  # fmt: skip
        periods[indicator] = period
    sheet.send(**{f"figure-{row.code}-figure": "9" for row in periods})
    drafts = Observation.objects.filter(state=State.DRAFT)
    assert {row.indicator: (row.period_start, row.period_end) for row in drafts} == periods


READ = [
    ("约5亿元", "亿元", "5", Qualifier.ABOUT, ""),
    ("1100万元", "亿元", "0.11", Qualifier.EXACT, "Read as 0.11亿元 (from 1100万元)."),
    ("2.1万余", "家", "21000", Qualifier.OVER, "Read as 21,000余家."),
    ("1,475", "家", "1475", Qualifier.EXACT, ""),
    ("12.5", "亿元", "12.5", Qualifier.EXACT, ""),
]


@runs_once.FORMS
def test_figures_are_read_as_clerks_write_them(sheet, measure):
    units = make_money() | {"家": make_unit()}
    typed = {}
    for text, unit, *_read in READ:
        indicator = make_indicator(measure=measure, unit=units[unit], frequency=Frequency.QUARTERLY)
        typed[f"figure-{indicator.code}-figure"] = text
    sheet.send(**typed)
    found = {row.as_written: (row.value, row.qualifier) for row in Observation.objects.all()}
    assert found == {
        text: (Decimal(value), qualifier) for text, _unit, value, qualifier, _said in READ
    }
    told = [said for *_read, said in READ if said]
    assert all(said in sheet.text for said in told)
    assert sheet.text.count("Read as") == len(told)


@runs_once.FORMS
def test_empty_rows_are_no_entries(sheet, firms):
    assert "Nothing was changed" in sheet.send().text
    assert "nothing to submit" in sheet.send("submit").text
    assert not Observation.objects.exists()
    assert not ProgressNote.objects.exists()


@runs_once.FORMS
def test_zero_is_a_figure(sheet, firms):
    sheet.type(firms, figure="0")
    assert Observation.objects.get().value == 0


@runs_once.FORMS
def test_what_is_saved_again_unchanged_leaves_no_mark(sheet, firms):
    sheet.type(firms, figure="5", note="一\n二")
    before = TrailEvent.objects.count()
    assert "Nothing was changed" in sheet.send().text
    assert TrailEvent.objects.count() == before


def test_a_draft_is_changed_and_then_emptied(sheet, firms):
    sheet.type(firms, figure="5", note="快报")
    sheet.type(firms, figure="6")
    row = Observation.objects.get()
    assert (row.value, row.version, row.note) == (6, 2, "快报")
    assert "1 row that you emptied was removed." in sheet.type(firms, figure="", note="").text
    assert not Observation.objects.exists()


@runs_once.FORMS
def test_all_that_was_typed_is_submitted(sheet, firms, measure):
    second = make_indicator(measure=measure, frequency=Frequency.MONTHLY)
    sheet.type(firms, figure="5")
    typed = {f"note-{measure.code}-happened_on": "2023-09-20"}
    typed |= {f"note-{measure.code}-text": "已开工。", f"figure-{second.code}-figure": "7"}
    sheet.send("submit", **typed)
    assert "3 rows were submitted for review." in sheet.text
    assert set(Observation.objects.values_list("value", "state")) == {
        (5, "submitted"),
        (7, "submitted"),
    }
    assert ProgressNote.objects.get().state == State.SUBMITTED
    assert sheet.row(firms).form is None
    assert "waiting for review" in sheet.text
    assert f'name="figure-{firms.code}-figure"' not in sheet.page.content.decode()


def test_a_progress_note_is_stored(sheet, measure, round_, clerk):
    sheet.type(measure, happened_on="2023-09-20", text="已开工。", evidence_url="https://a.cn/1")
    row = ProgressNote.objects.get()
    assert (row.measure, row.round, row.entered_by) == (measure, round_, clerk)
    assert (row.happened_on, row.text) == (date(2023, 9, 20), "已开工。")
    assert (row.evidence_url, row.state) == ("https://a.cn/1", State.DRAFT)


def pdf(name="清单.pdf"):
    return SimpleUploadedFile(name, b"%PDF-1.4", "application/pdf")


@runs_once.PAGES
def test_an_evidence_file_is_kept_replaced_and_removed(sheet, firms, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    sheet.type(firms, figure="5", evidence_file=pdf())
    row = Observation.objects.get()
    assert row.evidence_file.name.startswith(f"evidence/observation/{row.code}-")
    assert row.evidence_file.name.endswith("/清单.pdf")
    assert "file kept" in sheet.text
    sheet.type(firms, figure="6")
    row.refresh_from_db()
    assert row.evidence_file
    sheet.type(firms, remove_file="on")
    row.refresh_from_db()
    assert (row.value, bool(row.evidence_file)) == (6, False)


# What is refused


WRONG = [
        ({"figure": "许多"}, "New figure", "Expected one figure"),
        ({"figure": "5亿元"}, "New figure", "but the indicator is counted in 家"),
        ({"figure": "1" * 41}, "New figure", "at most 40 characters"),
        ({"note": "无数据"}, "New figure", "Expected a figure beside the note or evidence"),
        ({"figure": "5", "certainty": "sure"}, "Certainty", "sure is not one of the available"),
        ({"figure": "5", "evidence_url": "not an address"}, "Evidence: link", "Expected a web"),
        ({"figure": "5", "evidence_file": pdf("a.exe")}, "Evidence: file", "“exe” is not allowed"),
]  # fmt: skip


@runs_once.FORMS
def test_an_error_says_which_row_which_field_and_what_was_expected(sheet, measure):
    good = make_indicator(measure=measure, frequency=Frequency.QUARTERLY)
    make_money()
    sent, wrong = {f"figure-{good.code}-figure": "7"}, []
    for n, (typed, _field, _said) in enumerate(WRONG):
        wrong.append(make_indicator(
            measure=measure, frequency=Frequency.QUARTERLY, name_en=f"Firms of kind {n}"
        ))  # fmt: skip
        sent |= {f"figure-{wrong[n].code}-{name}": value for name, value in typed.items()}
    sheet.send(**sent)
    found = {number: (where, message) for number, where, message in sheet.errors}
    assert len(found) == len(sheet.errors) == len(WRONG)
    for n, (_typed, field, said) in enumerate(WRONG):
        number = sheet.row(wrong[n]).number
        where, message = found[number]
        assert where == field
        assert said in message
        assert f"Row {number}, Firms of kind {n}" in sheet.text
    assert [row.indicator for row in Observation.objects.all()] == [good]
    assert sheet.row(good).form["figure"].value() == "7"


@runs_once.FORMS
def test_a_figure_that_does_not_fit_after_conversion_is_refused(sheet, measure):
    yuan = make_indicator(measure=measure, unit=make_money()["元"], frequency=Frequency.QUARTERLY)
    sheet.type(yuan, figure="9999999999999亿元")
    assert [(number, field) for number, field, _message in sheet.errors] == [(1, "New figure")]


@runs_once.FORMS
def test_half_a_note_is_refused(sheet, measure, firms, office):
    half = [
        ({"text": "已开工。"}, "Date", "Expected the day"),
        ({"happened_on": "2023-09-20"}, "What was done", "Expected a sentence"),
        ({"happened_on": "2999-01-01", "text": "已开工。"}, "Date", "Expected a day that is past"),
        ({"happened_on": "20日", "text": "已开工。"}, "Date", "Expected a date"),
    ]
    measures = [measure, *(make_measure(lead=office) for _ in half[1:])]
    sent = {f"figure-{firms.code}-figure": "7"}
    for row, (typed, _field, _said) in zip(measures, half, strict=True):
        sent |= {f"note-{row.code}-{name}": value for name, value in typed.items()}
    sheet.send(**sent)
    found = {number: (where, message) for number, where, message in sheet.errors}
    assert len(found) == len(sheet.errors) == len(half)
    for row, (_typed, field, said) in zip(measures, half, strict=True):
        where, message = found[sheet.row(row).number]
        assert where == field
        assert said in message
    assert Observation.objects.get().as_written == "7"
    assert not ProgressNote.objects.exists()


@runs_once.FORMS
def test_a_chosen_file_must_be_chosen_again_after_an_error(sheet, firms):
    sheet.type(firms, figure="许多", evidence_file=pdf())
    assert "Choose the file 清单.pdf again" in sheet.text


def test_the_same_figure_from_the_same_source_is_refused_with_its_row(sheet, firms):
    make_observation(
        indicator=firms, value=5, source_name="科委2023年第三季度",
        period_start=date(2023, 9, 30), period_end=date(2023, 9, 30),
    )  # fmt: skip
    sheet.type(firms, figure="6")
    assert sheet.errors == [
        (1, "", "This figure is recorded already for the same period and source.")
    ]
    assert Observation.objects.get().value == 5
    assert sheet.row(firms).form["figure"].value() == "6"


@runs_once.FORMS
def test_a_note_that_the_database_refuses_is_told_as_a_note(sheet, firms, measure, monkeypatch):
    def refuse(row, **how):
        raise IntegrityError

    sheet.open()
    monkeypatch.setattr(workflow, "save", refuse)
    sheet.type(measure, happened_on="2023-09-20", text="已开工。")
    assert sheet.errors == [
        (2, "", "Somebody saved at the same moment, so this note was not: save again.")
    ]
    assert sheet.row(measure).form["text"].value() == "已开工。"


@runs_once.FORMS
def test_a_row_that_is_not_on_the_sheet_is_not_written(sheet, firms):
    foreign = make_indicator(frequency=Frequency.QUARTERLY)
    sheet.type(foreign, figure="5", seen="0:")
    assert not Observation.objects.exists()


# Warnings do not block


@runs_once.PAGES
def test_a_warning_is_shown_and_does_not_block(sheet, firms):
    make_observation(indicator=firms, value=5, published=ISSUED)
    sheet.type(firms, figure="50")
    assert "Ten times the last value or more: 5 organisations (year 2022)." in sheet.text
    sheet.type(firms, "submit", answer="新园区投用")
    assert Observation.objects.get(value=50).state == State.SUBMITTED


# What review made of it


@runs_once.FORMS
def test_a_returned_row_shows_its_reason_and_can_be_mended(sheet, firms):
    sheet.type(firms, "submit", figure="5")
    row = Observation.objects.get()
    workflow.send_back(row, by=make_user(), reason="口径不符")
    assert "口径不符" in sheet.open().text
    sheet.type(firms, "submit", figure="6")
    row.refresh_from_db()
    assert (row.value, row.state, row.return_reason) == (6, State.SUBMITTED, "")


@runs_once.PAGES
def test_a_published_row_leads_to_its_correction(sheet, firms, round_, clerk):
    row = make_observation(indicator=firms, round=round_, published=ISSUED)
    step = f"/admin/metrics/observation/{row.pk}/step/correct/"
    assert step in sheet.open().page.content.decode()
    assert sheet.row(firms).form is None
    draft = workflow.correct(row, by=clerk, reason="漏计")
    html = sheet.open().page.content.decode()
    assert "Correction under way: draft" in sheet.text
    assert f"/admin/metrics/observation/{draft.pk}/change/" in html
    assert step not in html


@runs_once.PAGES
def test_a_returned_correction_says_why(sheet, firms, round_, clerk):
    row = make_observation(indicator=firms, round=round_, published=ISSUED)
    draft = workflow.correct(row, by=clerk, reason="漏计", value=Decimal(8), as_written="8家")
    workflow.submit(draft, by=clerk)
    workflow.send_back(draft, by=make_user(), reason="缺佐证")

    sheet.open()

    assert sheet.row(firms).return_reason == "缺佐证"
    assert sheet.page.content.decode().count("缺佐证") == 2


@runs_once.PAGES
def test_after_a_correction_the_new_value_stands_on_the_sheet(sheet, firms, round_, clerk):
    row = make_observation(indicator=firms, round=round_, published=ISSUED)
    draft = workflow.correct(row, by=clerk, reason="漏计", value=Decimal(8), as_written="8家")
    workflow.submit(draft, by=clerk)
    workflow.publish(draft, by=make_user())
    assert sheet.open().row(firms).stored == draft


# Two at once


@pytest.fixture
def other(sheet, office):
    return Sheet(sheet.address, browser_of(make_staff(EDITOR, departments=[office], username="li")))


def test_a_colleagues_newer_row_is_told_and_what_was_typed_stays(sheet, other, firms):
    sheet.open()
    other.type(firms, figure="6")
    sheet.type(firms, figure="7")
    ((number, _field, message),) = sheet.errors
    assert number == 1
    assert message.startswith("li changed this row while you were editing.")
    assert message.endswith("as written: 6")
    assert Observation.objects.get().value == 6
    assert 'value="7"' in sheet.page.content.decode()
    sheet.type(firms, figure="7")
    assert Observation.objects.get().value == 7


@runs_once.FORMS
def test_a_row_that_only_the_colleague_touched_is_no_conflict(sheet, other, firms, measure):
    second = make_indicator(measure=measure, frequency=Frequency.QUARTERLY)
    sheet.open()
    other.type(firms, figure="6")
    sheet.type(second, figure="7")
    assert set(Observation.objects.values_list("indicator", "value")) == {
        (firms.pk, 6), (second.pk, 7),
    }  # fmt: skip
    assert sheet.row(firms).form["figure"].value() == "6"


@runs_once.FORMS
def test_nobody_submits_a_colleagues_change_unseen(sheet, other, firms):
    other.type(firms, figure="6")
    sheet.open()
    other.type(firms, figure="9")
    sheet.send("submit")
    ((_number, _field, message),) = sheet.errors
    assert message == "li changed this row meanwhile; look at it, then submit again."
    assert Observation.objects.get().state == State.DRAFT
    assert sheet.row(firms).form["figure"].value() == "9"


@runs_once.FORMS
def test_both_typing_the_same_is_no_conflict(sheet, other, firms):
    sheet.open()
    other.type(firms, figure="6")
    sheet.type(firms, figure="6")
    assert Observation.objects.get().value == 6
    assert sheet.answer.status_code == 302


@runs_once.FORMS
def test_typing_into_a_row_that_a_colleague_submitted_loses_nothing(sheet, other, firms):
    sheet.open()
    other.type(firms, "submit", figure="6")
    sheet.type(firms, figure="7家")
    ((_number, _field, message),) = sheet.errors
    assert message.startswith("This row is “waiting for review” by now")
    assert message.endswith("7家")
    assert Observation.objects.get().value == 6


@runs_once.FORMS
def test_typing_into_a_row_that_a_colleague_removed_loses_nothing(sheet, other, firms):
    other.type(firms, figure="6")
    sheet.open()
    other.type(firms, figure="")
    sheet.type(firms, figure="7")
    ((_number, _field, message),) = sheet.errors
    assert message.startswith("Somebody removed this row meanwhile.")
    assert sheet.row(firms).form["figure"].value() == "7"
    assert not Observation.objects.exists()


@runs_once.FORMS
def test_a_mangled_version_overwrites_nothing(sheet, measure):
    seen = ["", "x", "9:9", "0"]
    rows = [make_indicator(measure=measure, frequency=Frequency.QUARTERLY) for _ in seen]
    sheet.send(**{f"figure-{row.code}-figure": "6" for row in rows})
    sent = {f"figure-{row.code}-figure": "7" for row in rows}
    mangled = {f"figure-{row.code}-seen": it for row, it in zip(rows, seen, strict=True)}
    sheet.send(**sent, **mangled)
    assert {number for number, *_told in sheet.errors} == {sheet.row(row).number for row in rows}
    assert [row.value for row in Observation.objects.all()] == [6] * 4


def test_two_notes_of_one_measure_meet_as_well(sheet, other, measure):
    sheet.open()
    other.type(measure, happened_on="2023-09-20", text="已开工。")
    sheet.type(measure, happened_on="2023-09-21", text="已开工。")
    ((_number, _field, message),) = sheet.errors
    assert message.endswith("date: 2023-09-20")
    assert ProgressNote.objects.count() == 1


# How it behaves with many rows


def many(office, count, rounds=()):
    """``count`` indicators and measures of ``office``, each with a public value in ``rounds``."""
    theme, unit = make_theme(), make_unit()
    indicators = [
        make_indicator(
            measure=make_measure(lead=office, theme=theme), unit=unit, frequency=Frequency.QUARTERLY
        )
        for _ in range(count)
    ]
    noon = make_observation(published=ISSUED).published_at
    public = {"state": State.PUBLISHED, "published_at": noon}
    for round_ in rounds:
        Observation.objects.bulk_create(entry_in(round_, row, **public) for row in indicators)
    return indicators


def entry_in(round_, indicator, **fields) -> Observation:
    return Observation(
        indicator=indicator,
        round=round_,
        period_start=round_.period_start,
        period_end=round_.period_end,
        value=5,
        as_written="5家",
        source_name=f"台账{round_.pk}",
        **fields,
    )


def rounds_of_years(count):
    return [
        make_round(period_start=date(1980 + n, 7, 1), period_end=date(1980 + n, 9, 30))
        for n in range(count)
    ]


def queries_of(user, address) -> int:
    """How many queries a page takes, without those that ask what the user may do at all."""
    browser = browser_of(user)
    with CaptureQueriesContext(
        connection,
    ) as found:
        assert browser.get(address).status_code == 200
    return len([query for query in found if "auth_permission" not in query["sql"]])


@runs_once.QUERIES
def test_as_many_queries_for_twelve_times_the_rows_and_for_superusers(
    sheet, office, round_, clerk, firms
):
    sheet.type(firms, figure="5")
    few = queries_of(clerk, sheet.address)
    indicators = many(office, 11, rounds_of_years(2))
    Observation.objects.bulk_create(entry_in(round_, row, entered_by=clerk) for row in indicators)
    assert queries_of(clerk, sheet.address) == few
    assert queries_of(make_superuser(), sheet.address) == few
    assert few == 17


@runs_once.QUERIES
def test_as_many_queries_for_six_conflicts_as_for_one(sheet, other, office):
    indicators = many(office, 6)
    one, six = sheet.open(), Sheet(sheet.address, sheet.browser).open()
    other.open()
    other.send(**figures(indicators, "6"))
    assert conflicts(one, indicators[:1]) == conflicts(six, indicators)


def figures(indicators, figure: str) -> dict[str, str]:
    return {f"figure-{row.code}-figure": figure for row in indicators}


def conflicts(sheet, indicators) -> int:
    """How many queries a form takes that types what a colleague has typed into these meanwhile."""
    with CaptureQueriesContext(connection) as found:
        sheet.send(**figures(indicators, "7"))
    assert len(sheet.errors) == len(indicators)
    assert all(message.startswith("li changed") for _row, _field, message in sheet.errors)
    return len(found)


def test_many_rows_are_saved_and_submitted_in_one_go(sheet, office):
    indicators = many(office, 8)
    sheet.open()
    typed = {f"figure-{row.code}-figure": str(n) for n, row in enumerate(indicators)}
    typed |= {f"note-{row.measure.code}-happened_on": "2023-09-20" for row in indicators}
    typed |= {f"note-{row.measure.code}-text": "已开工。" for row in indicators}
    sheet.send("submit", **typed)
    assert "16 rows were submitted for review." in sheet.text
    stored = Observation.objects.filter(state=State.SUBMITTED)
    assert {row.indicator_id: row.value for row in stored} == {
        row.pk: n for n, row in enumerate(indicators)
    }
    assert ProgressNote.objects.filter(state=State.SUBMITTED).count() == 8


@runs_once.PAGES
def test_a_note_of_another_round_is_not_on_this_sheet(sheet, measure):
    make_note(measure=measure, round=make_round(), text="别的填报期")
    assert sheet.open().row(measure).stored is None
