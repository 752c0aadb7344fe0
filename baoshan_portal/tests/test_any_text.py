"""Whatever somebody types, pastes or uploads, and whatever older rows hold: all of it can be read.

Any text goes through every door: it is refused with a sentence that names the field, or stored
clean. Any text that stands in the database already breaks no page, no file and no feed.
"""

import csv
import json
from contextlib import contextmanager
from html.parser import HTMLParser
from io import BytesIO, StringIO
from xml.etree import ElementTree

import feedparser
import openpyxl
import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import models, transaction
from django.test import Client
from docx import Document
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from baoshan_portal.staff.entry_sheet.page import sheet_url
from baoshan_portal.staff.tests.tables import csv_file, xlsx_file
from baoshan_portal.tests.desk import (
    browser_of,
    desk,
    errors,
    fill_in,
    publish_what_waits,
    take_step,
)
from measures import workflow
from measures.access import COMMITTEE, EDITOR, REVIEWER, STEWARD
from measures.cells import unquoted
from measures.characters import clean_text, printable
from measures.models import (
    Department,
    Evaluation,
    Measure,
    ProgressNote,
    Report,
    TrailEvent,
    Version,
)
from measures.submission import State
from measures.tests.factories import (
    ISSUED,
    as_reviewed,
    make_department,
    make_evaluation,
    make_measure,
    make_note,
    make_report,
    make_round,
    make_section,
    make_staff,
    make_stage,
    make_superuser,
    make_theme,
    stored_as,
)
from metrics.models import Indicator, IndicatorSaid, Observation, ValueSaid
from metrics.tests.factories import make_indicator, make_observation, make_target

from .pages import FILES, LISTS, LISTS_AS_FILES, in_both_languages
from .slices import one_of_each, one_way_each

pytestmark = [pytest.mark.django_db, pytest.mark.long, pytest.mark.english]

ODD = (
    "\x00\x07\x0b\x0c\x1b\x85\u2028\u200b\u202e\u2066\ufeff\ufffe=+-@＝＋\t\r\n'\"<>&,;e\u0301重5%"
)
# Half a character cannot come by the web: browsers and Django make U+FFFD of it.
WHOLE = st.characters(codec="utf-8", categories=None)
TEXTS = st.text(st.sampled_from(ODD) | WHOLE, min_size=1, max_size=30)
HALVES = st.text(st.sampled_from(ODD + "\ud800\udfff") | st.characters(), min_size=1, max_size=30)


#: By `make test-long`.
LONG = settings().max_examples > 100


def few(number: int, **more):
    """``number`` examples, each many requests; twenty times as many in the long form.

    The first of them is the simplest, which is an empty text.
    """
    return settings(
        **more,
        max_examples=number * (20 if LONG else 1),
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


@contextmanager
def forgotten():
    """What is written inside is taken back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def kept(text: str, multiline: bool = True) -> str | None:
    """What a door stores of ``text``; None where it refuses it."""
    try:
        return clean_text(text, multiline).strip()
    except ValidationError:
        return None


class World:
    """One of each kind of row that a reader sees, and the people who write them."""

    def __init__(self):
        self.office = make_department(name="科委", name_en="Science")
        self.report = make_report()
        self.section = make_section(order=1, opinion=self.report.opinion)
        self.theme = make_theme(section=self.section, order=1)
        self.measure = make_measure(theme=self.theme, lead=self.office, code="measure")
        self.indicator = make_indicator(measure=self.measure, code="indicator")
        self.round = make_round(period_start="2023-10-01", period_end="2023-12-31")
        self.round.refresh_from_db()
        self.clerk = make_staff(EDITOR, departments=[self.office])
        self.reviewer = make_staff(REVIEWER)


@pytest.fixture
def world():
    return World()


# What stands in the database already


def addresses() -> list[str]:
    pages = ["/", "/sections/1/", *LISTS, "/checks/", "/changes/", "/method/"]
    # Each list as one of its files, by turns.
    pages += one_of_each(LISTS_AS_FILES, kind=lambda address: address.partition("?")[0])
    pages += ["/measures/measure/", "/indicators/indicator/", "/packs/", "/find/?q=5"]
    pages += [f"/packs/pack.{kind}" for kind in ("csv", "xlsx", "docx")]
    feeds = ["", "section/1/", "measure/measure/", "indicator/indicator/"]
    pages += [f"/changes/feed/{feed}" for feed in feeds]
    return [*FILES, *one_way_each(in_both_languages(*pages))]


def parsed(address: str, answer) -> str:
    """All the text that a program finds in an answer."""
    content, kind = answer.getvalue(), answer["Content-Type"]
    if kind.startswith("text/csv"):
        rows = csv.reader(StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        return "\n".join(unquoted(cell) for row in rows for cell in row)
    if kind.startswith("application/json"):
        return str(json.loads(content))
    if kind.startswith("application/atom"):
        ElementTree.fromstring(content)
        feed = feedparser.parse(content)
        assert not feed.bozo
        return "\n".join(f"{entry.title}\n{words(entry.summary)}" for entry in feed.entries)
    if "wordprocessing" in kind:
        return "\n".join(part.text or "" for part in Document(BytesIO(content)).element.iter())
    if "spreadsheet" in kind:
        book = openpyxl.load_workbook(BytesIO(content))
        cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
        assert {cell.data_type for cell in cells} <= {"s", "n", "d"}
        return "\n".join(str(cell.value) for cell in cells)
    assert kind.startswith("text/html"), (address, kind)
    return words(content.decode())


def words(html: str) -> str:
    page = HTMLWords()
    page.feed(html)
    return page.text


class HTMLWords(HTMLParser):
    text = ""

    def handle_data(self, data):
        self.text += data


def of_the_worst(test):
    """What is no character of a page or of XML, what is markup and what is a formula: in one text,
    all of it before a name ends, and in the long form apart as well."""
    texts = ["＝1+1<b>重\x0b点\x0c\x07\x1f\u202e</b> <img src=x onerror=alert(1)>"]
    if LONG:
        texts.append("重\x0b点\x0c\x07\x1f\u202e=1+1")
        texts.append("＝1+1 <b>重点</b> <img src=x onerror=alert(1)>")
    for text in texts:
        test = example(text)(test)
    return test


@pytest.mark.once("reads what pages and files make of a text; every door is tried on both")
@few(1, **({} if LONG else {"phases": [Phase.explicit]}))
@given(TEXTS)
@of_the_worst
def test_no_text_that_stands_in_the_database_breaks_a_page_a_file_or_a_feed(world, text):
    with forgotten():
        observation = make_observation(indicator=world.indicator)
        target, note = make_target(indicator=world.indicator), make_note(measure=world.measure)
        first = make_note(measure=world.measure, published=ISSUED)
        correction = make_note(
            measure=world.measure, supersedes=first, revision=2, correction_reason="x"
        )
        stage = make_stage(opinion=world.report.opinion)
        evaluation = make_evaluation(theme=world.theme)
        again = make_evaluation(report=world.report)
        name = text[:30] or "x"
        for row in (
            world.office, world.report, world.report.opinion, world.section, world.theme,
            world.measure, world.indicator, world.indicator.unit, target.plan,
        ):  # fmt: skip
            stored_as(row, name=name, name_en=name)
        stored_as(world.measure, summary=text, summary_en=text)
        stored_as(world.indicator, scope=text, scope_en=text, caution=text, caution_en=text)
        stored_as(observation, ISSUED, as_written=name, source_name=name, note=text, note_en=text)
        stored_as(target, ISSUED, source_name=name, note=text, note_en=text)
        stored_as(note, ISSUED, text=text, text_en=text)
        stored_as(correction, ISSUED, text=text, correction_reason=text)
        said = {"document": name, "document_url": name, "note": text, "note_en": text}
        stored_as(stage, ISSUED, **said)
        for row in (evaluation, again):
            stored_as(row, ISSUED, body=name, body_en=name, **said)
        reader, shown = Client(), printable(text)

        for address in addresses():
            answer = reader.get(address)
            assert answer.status_code == 200, address
            told = parsed(address, answer)
            if "/changes/feed/" in address and "indicator" not in address:
                assert shown in told, address
        admin = browser_of(make_superuser())
        desks = (world.measure, world.indicator, note, observation, target, world.office)
        for row in (*desks, stage, evaluation):
            assert admin.get(desk(row, "change")).status_code == 200
            assert admin.get(desk(type(row), "changelist")).status_code == 200
        for model in (Indicator, Observation, TrailEvent):
            # The trail in both formats, which one writer makes for all.
            for file_format in "01" if LONG or model is TrailEvent else "1":
                parsed("", admin.post(desk(model, "export"), export_of(model, file_format)))


def export_of(model, file_format: str) -> dict:
    chosen = {"traileventresource_subject": "on", "traileventresource_after": "on"}
    return {"format": file_format, "resource": "0"} | (chosen if model is TrailEvent else {})


@pytest.mark.once("reads the drawing that a chart makes of a text")
def test_a_chart_says_whatever_a_name_holds(world):
    other = make_indicator(measure=world.measure, unit=world.indicator.unit)
    for year, value in ((2021, 4), (2022, 5)):
        make_observation(
            indicator=world.indicator, published=ISSUED, value=value,
            period_start=f"{year}-01-01", period_end=f"{year}-12-31",
        )  # fmt: skip
        make_observation(
            indicator=other, published=ISSUED, value=value,
            period_start=f"{year}-01-01", period_end=f"{year}-12-31",
        )  # fmt: skip
    for row in (world.indicator, world.indicator.unit):
        stored_as(row, name="重\x0b点\x07\x1f<&>", name_en="重\x0b点\x07\x1f<&>")

    answer = Client().get("/indicators/indicator/chart.svg")

    assert answer.status_code == 200
    assert "重" in "".join(ElementTree.fromstring(answer.content).itertext())
    assert Client().get("/compare/enterprises/").status_code == 200


# The doors


@few(2)
@given(TEXTS)
@example("一\x0b二")
@example("一\x07二")
def test_the_admins_form_of_a_note(world, text):
    with forgotten():
        browser = browser_of(world.clerk)
        answer = fill_in(
            browser, desk(ProgressNote, "add"),
            measure=world.measure.pk, happened_on="2023-06-30", text=text,
        )  # fmt: skip
        stored = list(ProgressNote.objects.values_list("text", flat=True))
        if clean := kept(text):
            assert stored == [clean]
        else:
            assert list(errors(answer)) == ["text"]
            assert stored == []


@few(2)
@given(TEXTS)
@example("一\x0b二")
@example("一\x07二")
def test_the_admins_form_of_an_evaluation(world, text):
    with forgotten():
        browser = browser_of(make_staff(COMMITTEE))
        answer = fill_in(
            browser, desk(Evaluation, "add"),
            section=world.section.pk, held_on="2023-09-20", body="区人大常委会", note=text,
        )  # fmt: skip
        stored = list(Evaluation.objects.values_list("note", flat=True))
        if (clean := kept(text)) is not None:
            assert stored == [clean]
        else:
            assert list(errors(answer)) == ["note"]
            assert stored == []


@few(2)
@given(TEXTS)
@example("=1+1")
@example("＝1+1")
@example("-3.2%")
def test_the_admins_form_of_a_name(world, text):
    with forgotten():
        browser = browser_of(make_superuser())
        answer = fill_in(browser, desk(world.office, "change"), name=text, name_en="Science")
        publish_what_waits()
        world.office.refresh_from_db()
        clean = kept(text, multiline=False)
        if clean and answer.status_code == 302:
            assert world.office.name == clean
        else:
            assert list(errors(answer)) == ["name"]
            assert world.office.name == "科委"


@few(2)
@given(TEXTS)
@example("一\x0b二\u202e")
@example("一\x1f二")
def test_the_entry_sheet(world, text):
    with forgotten():
        browser, address = browser_of(world.clerk), sheet_url(world.round, world.office)
        page = browser.get(address)
        (row,) = [row for row in page.context["sheet"].rows if row.prefix == "figure-indicator"]
        sent = {"save": "", "figure-indicator-seen": row.seen}
        sent |= {"figure-indicator-figure": "5", "figure-indicator-certainty": "actual"}
        answer = browser.post(address, sent | {"figure-indicator-note": text}, follow=True)
        stored = list(Observation.objects.values_list("note", flat=True))
        if (clean := kept(text)) is not None:
            assert stored == [clean]
        else:
            (row,) = [r for r in answer.context["sheet"].rows if r.prefix == "figure-indicator"]
            assert [label for label, _place, _message in row.errors] == ["Note"]
            assert stored == []


@few(2)
@given(TEXTS, st.sampled_from([csv_file, xlsx_file]))
@example("一\x0b二\u200b", csv_file)
@example("一\x07二", csv_file)
@example("=1+1", xlsx_file)
def test_the_upload_of_a_table(world, text, write):
    with forgotten():
        browser = browser_of(world.clerk)
        address = f"/en/admin/upload/{world.round.code}/{world.office.code}/"
        content = b"code,figure,note\r\n" if write is csv_file else None
        if write is csv_file:
            line = StringIO(newline="")
            csv.writer(line).writerow(["indicator", "5", text])
            content += line.getvalue().encode()
        else:
            content = xlsx_file(["code", "figure", "note"], [["indicator", "5", text]])
        page = browser.post(address, {"file": SimpleUploadedFile("t.csv", content)})
        assert page.status_code == 200
        if problems := page.context["outcome"].problems:
            assert all(problem.message for problem in problems)
            return
        token = page.context["confirm"]["preview"].value()
        browser.post(address, {"preview": token, "submit": "0"}, follow=True)
        (stored,) = Observation.objects.values_list("note", flat=True)
        assert clean_text(stored, multiline=True) == stored
        if write is xlsx_file:
            assert stored in {printable(text).strip(), unquoted(printable(text).strip())}


@few(2)
@given(TEXTS, st.sampled_from(["figure", "place", "indicator", "measure", "reason"]))
@example("一\x0b二\u200b", "reason")
@example("=1+1", "reason")
@example("１\u202e.1/1", "place")
def test_the_upload_of_a_reports_figures(world, text, column):
    with forgotten():
        source = {"report": world.report, "locator": "1.1/1"}
        old = make_observation(indicator=world.indicator, published=ISSUED, **source)
        cells = {
            "place": "1.1/1", "measure": "", "indicator": "indicator", "figure": "6",
            "period_start": "2022-01-01", "period_end": "2022-12-31", "reason": "抄录有误",
        }  # fmt: skip
        content = xlsx_file(list(cells), [list((cells | {column: text}).values())])
        browser = browser_of(world.clerk)
        address = f"/en/admin/report-figures/{world.report.code}/"
        page = browser.post(address, {"file": SimpleUploadedFile("t.xlsx", content)})
        assert page.status_code == 200
        if problems := page.context["outcome"].problems:
            assert all(problem.message for problem in problems)
            return
        if not (confirm := page.context["confirm"]):
            return
        token = confirm["preview"].value()
        browser.post(address, {"preview": token, "submit": "0"}, follow=True)
        for reason in Observation.objects.filter(supersedes=old).values_list(
            "correction_reason", flat=True
        ):
            assert clean_text(reason, multiline=True) == reason


@few(2)
@given(TEXTS)
@example("=1+1")
@example("一\x0b二")
def test_the_admins_import_of_names(world, text):
    with forgotten():
        browser = browser_of(make_staff(STEWARD))
        content = xlsx_file(["code", "name"], [["indicator", text]])
        sent = {"import_file": SimpleUploadedFile("t.xlsx", content), "format": "0"}
        page = browser.post(desk(Indicator, "import"), sent | {"resource": "0"})
        assert page.status_code == 200
        before = Indicator.objects.get(pk=world.indicator.pk).name
        if form := page.context.get("confirm_form"):
            data = {field.html_name: field.value() for field in form}
            browser.post(desk(Indicator, "process_import"), data, follow=True)
        world.indicator.refresh_from_db()
        stored = world.indicator.name
        assert stored == before or stored == kept(unquoted(printable(text).strip()), False)
        world.indicator.clean_fields()


@few(3)
@given(HALVES)
@example("一\x0b二")
@example("一\ud800二")
@example("=1+1")
def test_a_fixture(world, tmp_path, text):
    # YAML knows no half characters; JSON holds anything, as an escape.
    path = tmp_path / "any.json"
    fields = {"code": "other", "name": text, "name_en": "Other", "members": []}
    path.write_text(json.dumps([{"model": "measures.department", "fields": fields}]), "ascii")
    with forgotten():
        try:
            call_command("loaddata", path, verbosity=0)
        except CommandError as error:
            assert "name: " in str(error)
            assert not Department.objects.filter(code="other").exists()
        else:
            stored = Department.objects.get(code="other").name
            assert stored == clean_text(text)


@few(3)
@given(HALVES)
@example("\u200b")
def test_the_workflow_itself(world, text):
    with forgotten():
        note = make_note(measure=world.measure)
        note.text = text
        try:
            workflow.save(note, by=world.clerk, seen=note.version)
        except workflow.TransitionError as error:
            assert "text (Chinese): " in str(error)
            assert kept(text) is None
        else:
            note.refresh_from_db()
            assert note.text == clean_text(text, multiline=True)
            assert note.text in TrailEvent.objects.filter(action="changed").get().after

        waiting = make_note(measure=world.measure, state=State.SUBMITTED)
        old = make_note(measure=world.measure, published=ISSUED)
        reason = printable(text).strip()
        if not reason:
            with pytest.raises(workflow.TransitionError):
                workflow.send_back(waiting, by=world.reviewer, reason=text)
            return
        workflow.send_back(waiting, by=world.reviewer, reason=text)
        workflow.correct(old, by=world.clerk, reason=text)
        assert waiting.return_reason == reason
        assert old.corrections.get().correction_reason == reason


@few(2)
@given(TEXTS)
def test_the_reason_for_a_step(world, text):
    with forgotten():
        note = make_note(measure=world.measure, state=State.SUBMITTED, entered_by=world.clerk)
        take_step(browser_of(world.reviewer), note, "return", reason=text)
        note.refresh_from_db()
        assert note.return_reason == (kept(text) or "")


@few(3)
@given(HALVES)
def test_code_that_writes_past_every_form(world, text):
    with forgotten():
        ProgressNote.objects.bulk_create([ProgressNote(
            measure=world.measure, happened_on="2023-06-30", text=text
        )])  # fmt: skip
        assert ProgressNote.objects.get().text == printable(text)
        with as_reviewed():
            Department.objects.filter(pk=world.office.pk).update(name=text)
        world.office.refresh_from_db()
        assert world.office.name == printable(text, multiline=False)
        world.office.name_en = text
        with as_reviewed():
            Department.objects.bulk_update([world.office], ["name_en"])
        world.office.refresh_from_db()
        assert world.office.name_en == printable(text, multiline=False)


@few(2)
@given(TEXTS)
def test_what_a_stranger_types_at_the_door(text):
    with forgotten():
        answer = Client().post("/admin/login/", {"username": text, "password": text})
        assert answer.status_code in (200, 429)
        for event in TrailEvent.objects.all():
            assert event.actor_name == printable(event.actor_name, multiline=False)


@few(2)
@given(TEXTS)
def test_what_is_searched_for(world, text):
    for address in ("/en/find/", "/en/measures/", "/en/indicators/", "/en/targets/", "/packs/"):
        assert Client().get(address, {"q": text}).status_code in (200, 400)


def test_an_old_published_row_can_still_be_corrected(world):
    note = make_note(measure=world.measure)
    stored_as(note, ISSUED, text="一\x07二\x0b三")

    draft = workflow.correct(note, by=world.clerk, reason="乱码")

    assert draft.text == "一二\n三"
    with pytest.raises(workflow.TransitionError):
        workflow.submit(draft, by=world.clerk)
    value = make_observation(indicator=world.indicator)
    stored_as(value, ISSUED, source_name="=1+1")
    assert workflow.correct(value, by=world.clerk, reason="来源").source_name == "=1+1"


def test_every_text_of_every_row_is_one_of_the_portals_own_fields():
    from django.apps import apps

    from measures.fields import CharField, SlugField, TextField, URLField

    own = (CharField, SlugField, TextField, URLField)
    passed_by = {
        str(field)
        for app in ("measures", "metrics")
        for model in apps.get_app_config(app).get_models()
        # These are written of rows whose texts came through the doors.
        if model not in (IndicatorSaid, ValueSaid, Version)
        for field in model._meta.concrete_fields
        if isinstance(field, models.CharField | models.TextField)
        and not field.choices
        and not isinstance(field, own)
    }

    # Django's own rules for these allow no such character; a password is kept as a hash.
    assert passed_by == {f"measures.User.{name}" for name in ("username", "email", "password")}


def test_every_name_and_source_of_the_open_data_is_refused_where_it_begins_like_a_formula():
    for field in (
        Department._meta.get_field("name"),
        Measure._meta.get_field("name_en"),
        Indicator._meta.get_field("name"),
        Report._meta.get_field("number"),
        Observation._meta.get_field("source_name"),
        Observation._meta.get_field("as_written"),
    ):
        for text in ("=1+1", "+cmd", "@SUM(1)", "＝1", " =1"):
            with pytest.raises(ValidationError, match="like a formula"):
                field.clean(text, None)
        assert field.clean("-3.2%", None) == "-3.2%"
