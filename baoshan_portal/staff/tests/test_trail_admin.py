"""The trail in the admin: reading, filtering and taking it away, and nothing else."""

import csv
import re
from datetime import datetime, timedelta
from io import BytesIO, StringIO
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from baoshan_portal.tests import runs_once
from baoshan_portal.tests.desk import browser_of, desk
from measures import protection
from measures.access import ADMINISTRATOR, AUDITOR, EDITOR, REVIEWER, STEWARD
from measures.models import TrailEvent
from measures.tests.factories import make_staff
from measures.trail import Action
from metrics.models import Observation
from metrics.rules.choices import Certainty
from metrics.tests.factories import make_indicator, make_observation, make_target

from ..trail_search import changes_of

pytestmark = [pytest.mark.django_db, pytest.mark.english]

LIST = "/en/admin/measures/trailevent/"
EXPORT = f"{LIST}export/"
HEADERS = (
    "when", "who", "from where", "action", "kind of row", "code", "row", "before", "after", "note",
)  # fmt: skip
COLUMNS = (
    "at", "actor_name", "address", "action", "subject_type", "subject_code", "subject", "before",
    "after", "note",
)  # fmt: skip
CSV, XLSX = 0, 1
IN_JULY = datetime(2023, 7, 25, 9, 30, tzinfo=ZoneInfo("Asia/Shanghai"))


def make_event(**fields) -> TrailEvent:
    defaults = {"actor_name": "li", "action": Action.CHANGED, "address": "10.0.0.9"}
    return TrailEvent.objects.create(**defaults | fields)


def export(browser, file_format, query=""):
    chosen = {f"trailevent_resource_{column}": "on" for column in COLUMNS}
    chosen |= {f"TrailEventResource_{column}".lower(): "on" for column in COLUMNS}
    return browser.post(EXPORT + query, {"format": file_format, "resource": "0", **chosen})


def csv_rows(answer) -> list[dict]:
    return list(csv.DictReader(StringIO(answer.getvalue().decode("utf-8-sig"))))


def shown(page) -> list[TrailEvent]:
    return list(page.context["cl"].result_list)


@pytest.fixture(scope="module")
def signed_in(module_rows):
    """The cookies of an auditor. Signing in has left an event; the tests count from none."""
    cookies = browser_of(make_staff(AUDITOR, username="shen")).cookies
    protection.remove(connection)
    TrailEvent.objects.all().delete()
    protection.install(connection)
    return cookies


@pytest.fixture(autouse=True)
def auditor(signed_in):
    client = Client()
    client.cookies.update(signed_in)
    return client


def test_the_newest_event_comes_first(auditor):
    old = make_event(at=timezone.now() - timedelta(days=2))
    new = make_event()
    assert shown(auditor.get(LIST)) == [new, old]


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("?action__exact=published", {"published"}),
        ("?subject_type=metrics.target", {"target"}),
        ("?q=wang", {"by wang"}),
        ("?q=51.79", {"value"}),
        ("?at__gte=2023-07-01+00:00:00%2B08:00&at__lt=2023-08-01+00:00:00%2B08:00", {"july"}),
        ("?at__year=2023&at__month=7", {"july"}),
    ],
)
def test_events_are_filtered_by_what_when_and_who(query, kept, auditor):
    make_event(note="published", action=Action.PUBLISHED)
    make_event(note="target", subject_type="metrics.target")
    make_event(note="by wang", actor_name="wang")
    make_event(note="value", before="value: 51.79")
    make_event(note="july", at=IN_JULY)
    assert {event.note for event in shown(auditor.get(LIST + query))} == kept


@runs_once.PAGES
def test_an_event_is_read_whole_and_only_read(auditor):
    event = make_event(
        before="value: 1", after="value: 2", note="typing error", subject_type="measures.round"
    )
    page = auditor.get(desk(event, "change"))
    html = page.content.decode()
    for text in ("10.0.0.9", ">value<", ">1<", ">2<", "typing error", "li changed", ">round<"):
        assert text in html
    assert 'name="_save"' not in html
    assert auditor.post(desk(event, "change"), {"note": "forged"}).status_code == 403
    assert auditor.post(desk(event, "delete"), {"post": "yes"}).status_code == 403
    assert auditor.post(desk(TrailEvent, "add"), {"note": "forged"}).status_code == 403
    bulk = {"action": "delete_selected", "_selected_action": [event.pk], "post": "yes"}
    auditor.post(LIST, bulk)
    assert list(TrailEvent.objects.values_list("note", flat=True)) == ["typing error"]


@pytest.mark.parametrize("role", [EDITOR, REVIEWER, STEWARD, ADMINISTRATOR])
@runs_once.RIGHTS
def test_only_the_auditor_reads_it(role):
    browser = browser_of(make_staff(role))
    assert browser.get(LIST).status_code == 403
    assert browser.get(EXPORT).status_code == 403
    assert export(browser, CSV).status_code == 403


def test_the_filtered_list_is_exported_as_csv(auditor):
    make_event(
        at=IN_JULY,
        action=Action.PUBLISHED,
        subject_type="metrics.target",
        subject_code="t-1",
        subject="目标",
        before="",
        after="值: 5",
        note="公开",
    )
    make_event()
    answer = export(auditor, CSV, "?action__exact=published")
    assert csv_rows(answer) == [
        {
            "when": "2023-07-25 09:30:00+08:00",
            "who": "li",
            "from where": "10.0.0.9",
            "action": "published",
            "kind of row": "target",
            "code": "t-1",
            "row": "目标",
            "before": "",
            "after": "值: 5",
            "note": "公开",
        }
    ]


@runs_once.FILES
def test_the_list_is_exported_as_xlsx(auditor):
    make_event(note="一")
    make_event(note="二")
    answer = export(auditor, XLSX)
    rows = list(openpyxl.load_workbook(BytesIO(answer.content)).active.values)
    assert rows[0] == HEADERS
    assert [row[-1] for row in rows[1:]] == ["二", "一"]


@pytest.mark.parametrize("file_format", [CSV, XLSX])
@runs_once.FILES
def test_what_strangers_typed_neither_runs_nor_breaks_the_file(file_format, auditor):
    make_event(actor_name="=1+1", action=Action.SIGN_IN_FAILED)
    make_event(actor_name="@\x01\x02", action=Action.SIGN_IN_FAILED)
    answer = export(auditor, file_format)
    assert answer.status_code == 200
    if file_format == CSV:
        names = [row["who"] for row in csv_rows(answer)]
    else:
        cells = openpyxl.load_workbook(BytesIO(answer.content)).active["B"][1:]
        assert {cell.data_type for cell in cells} == {"s"}
        names = [cell.value for cell in cells]
    assert len(names) == 2
    # In a workbook text is text by its type.
    quote = "'" if file_format == CSV else ""
    assert names == [f"{quote}@", f"{quote}=1+1"]


@runs_once.FILES
def test_the_file_speaks_the_language_of_the_page(auditor):
    make_event(action=Action.PUBLISHED, subject_type="measures.round")
    chosen = {f"traileventresource_{column}": "on" for column in COLUMNS}
    with translation.override("zh-hans"):
        address = desk(TrailEvent, "export")
    answer = auditor.post(address, {"format": CSV, "resource": "0", **chosen})
    (row,) = csv_rows(answer)
    assert list(row) == [
        "时间", "操作人", "来源地址", "操作", "记录类型", "代码", "记录", "变更前", "变更后",
        "备注",
    ]  # fmt: skip
    assert (row["操作"], row["记录类型"]) == ("已发布", "填报期")


@runs_once.PAGES
def test_every_column_of_the_file_is_ticked_and_named_for_people(auditor):
    form = auditor.get(EXPORT).context["form"]
    boxes = [field for field in form.visible_fields() if field.name != "format"]
    assert all(box.value() for box in boxes)
    assert [box.label.lower() for box in boxes] == list(HEADERS)


@pytest.mark.parametrize(
    "model",
    [m for m, of_model in admin.site._registry.items() if hasattr(of_model, "get_export_data")],
    ids=str,
)
@runs_once.PAGES
def test_the_policy_for_content_blocks_nothing_of_an_export_page(model, admin_client):
    page = admin_client.get(desk(model, "export"))
    html = page.content.decode()
    assert page.status_code == 200
    assert 'type="submit"' in html
    assert not re.findall(r"<[^>]*\s(?:style|on\w+)\s*=[^>]*>", html)
    assert not re.findall(r"<style|<script(?![^>]*\ssrc=)[^>]*>", html)


@runs_once.PAGES
def test_kinds_of_rows_are_told_by_name_in_list_and_filter(auditor):
    make_event(subject_type="measures.round")
    make_event(subject_type="metrics.gone")
    make_event()
    for query in ("", "?_facets=True"):
        html = auditor.get(LIST + query).content.decode()
        assert "<small>round</small>" in html
        assert "<small>metrics.gone</small>" in html
        shown_as = [" ".join(t.split()) for t in re.findall(r'subject_type=[^"]*">([^<]*)<', html)]
        count = " (1)" if query else ""
        assert shown_as == [f"-{count}", f"round{count}", f"metrics.gone{count}"]


@runs_once.PAGES
def test_a_long_note_is_cut_in_the_list_and_whole_on_its_page(auditor):
    event = make_event(note="一" * 200)
    assert "一" * 59 + "…" in (html := auditor.get(LIST).content.decode())
    assert "一" * 60 not in html
    assert "一" * 200 in auditor.get(desk(event, "change")).content.decode()


def test_an_export_is_itself_on_the_trail_with_its_filter(auditor):
    make_event()
    make_event()
    assert len(csv_rows(export(auditor, CSV, "?action__exact=changed"))) == 2
    newest = TrailEvent.objects.first()
    assert (newest.action, newest.actor_name) == (Action.EXPORTED, "shen")
    assert newest.note == "measures.trailevent.csv (2) action__exact=changed"


def test_looking_at_the_form_of_an_export_is_no_export(auditor):
    assert auditor.get(EXPORT).status_code == 200
    assert not TrailEvent.objects.exists()


@runs_once.QUERIES
def test_reading_and_exporting_cost_the_same_however_long_the_trail_is(auditor):
    def costs() -> list[int]:
        found = []
        for read in (lambda: auditor.get(LIST), lambda: export(auditor, CSV)):
            with CaptureQueriesContext(connection) as queries:
                answer = read()
                assert answer.status_code == 200
                # A file is made while it is read, from rows that wait in the database.
                answer.getvalue()
            found.append(len(queries))
        return found

    user = make_staff(EDITOR)
    make_event(actor=user)
    before = costs()
    for _n in range(50):
        make_event(actor=user)
    assert costs() == before


# Finding


def notes(page) -> set[str]:
    return {event.note for event in shown(page)}


def test_a_thing_is_found_under_every_name_it_had(auditor):
    of = {"subject_type": "measures.measure", "subject_code": "park"}
    make_event(note="then", subject="旧园区", **of)
    make_event(
        note="renamed",
        subject="新园区",
        before="名称（中文）: 旧园区",
        after="名称（中文）: 新园区",
        **of,
    )
    make_event(note="now", subject="新园区", **of)
    make_event(note="other", subject="别的", subject_type="measures.measure", subject_code="road")
    for name in ("旧园区", "新园区"):
        assert notes(auditor.get(LIST, {"q": name})) == {"then", "renamed", "now"}


def test_everything_about_an_indicator_and_one_person_is_one_list(auditor):
    indicator = make_indicator(code="firms", name="企业数")
    figure, other = make_observation(indicator=indicator), make_observation()
    target = make_target(indicator=indicator)
    for row, note in [(indicator, "itself"), (figure, "figure"), (target, "target")]:
        label = row._meta.label_lower
        make_event(note=note, subject_type=label, subject_code=row.code, subject=str(row))
    make_event(note="wang", actor_name="wang", subject_type="metrics.observation",
               subject_code=figure.code)  # fmt: skip
    make_event(note="deleted", subject_type="metrics.observation", subject_code="gone",
               before="指标: 企业数\n数值: 5")  # fmt: skip
    make_event(note="other", subject_type="metrics.observation", subject_code=other.code)
    for asked in ("firms", "企业数"):
        page = auditor.get(LIST, {"indicator": asked})
        assert notes(page) == {"itself", "figure", "target", "wang", "deleted"}
    assert notes(auditor.get(LIST, {"indicator": "firms", "person": "wang"})) == {"wang"}


def test_events_between_any_two_days_of_the_form(auditor):
    for day in (24, 25, 26, 27):
        make_event(note=str(day), at=IN_JULY.replace(day=day, hour=0, minute=1))
    asked = {"since": "2023-07-25", "until": "2023-07-26"}
    assert notes(auditor.get(LIST, asked)) == {"25", "26"}
    page = auditor.get(LIST, asked | {"action__exact": "changed"})
    assert notes(page) == {"25", "26"}
    # The form keeps what was asked for beside it.
    assert 'name="action__exact" value="changed"' in page.content.decode()
    assert notes(auditor.get(LIST, {"since": "no day"})) == set()


@runs_once.PAGES
def test_old_and_new_stand_beside_each_other_by_label_in_the_readers_language(auditor):
    with translation.override("zh-hans"):
        text = str(Certainty.ACTUAL.label)
        label = str(Observation._meta.get_field("certainty").verbose_name)
        note = str(Observation._meta.get_field("note").verbose_name)
    event = make_event(
        subject_type="metrics.observation", before=f"{label}: {text}\n{note}: 一\n二",
        after=f"{label}: \n{note}: 三",
    )  # fmt: skip
    with translation.override("en"):
        assert changes_of(event) == [
            ("certainty", "actual", ""), ("note (Chinese)", "一\n二", "三"),
        ]  # fmt: skip
    html = auditor.get(desk(event, "change")).content.decode()
    assert "<th scope=row>certainty</th><td>actual</td>" in html
