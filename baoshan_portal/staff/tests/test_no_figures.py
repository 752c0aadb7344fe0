"""A clerk says that there is no figure this time, somebody else reviews it, and the public reads
it."""

import csv
from datetime import date, timedelta
from io import StringIO

import pytest

from baoshan_portal.tests import runs_once
from baoshan_portal.tests.desk import browser_of, errors, fill_in, take_step
from baoshan_portal.tests.desk import desk as address_of
from measures.access import EDITOR, REVIEWER
from measures.submission import State
from measures.tests.factories import ISSUED, make_department, make_measure, make_round, make_staff
from metrics.models import NoFigure, Observation
from metrics.rules.choices import Frequency, Kind, Missing
from metrics.tests.factories import make_indicator, make_no_figure, make_observation

from ..entry_sheet.page import sheet_url
from .test_entry_sheet import Sheet

pytestmark = [pytest.mark.django_db, pytest.mark.english, pytest.mark.long]


@pytest.fixture
def office():
    return make_department(name="科委", name_en="Science")


@pytest.fixture
def clerk(office):
    return make_staff(EDITOR, departments=[office])


@pytest.fixture
def firms(office):
    return make_indicator(
        measure=make_measure(lead=office), frequency=Frequency.QUARTERLY, kind=Kind.STOCK
    )


@pytest.fixture
def sheet(office, clerk):
    return Sheet(sheet_url(make_round(), office), browser_of(clerk))


def test_from_the_sheet_to_the_public_page_and_file(sheet, firms, client):
    sheet.type(firms, "submit", reason=Missing.NOT_YET_SETTLED, note="口径待定")
    row = NoFigure.objects.get()
    assert (row.state, row.note) == (State.SUBMITTED, "口径待定")
    assert not Observation.objects.exists()
    assert "1 of 1 figures handed in" in sheet.text

    reviewer = browser_of(make_staff(REVIEWER))
    page = reviewer.get("/en/admin/review/").content.decode()
    assert "no figure: not yet settled" in page
    token = f"nofigure:{row.pk}:{row.version}"
    reviewer.post("/en/admin/review/", {"row": [token], "publish": "1"})
    row.refresh_from_db()
    assert row.state == State.PUBLISHED

    page = client.get(f"/en/indicators/{firms.code}/").content.decode()
    assert "no figure: not yet settled" in page
    assert row.source_name in page
    assert "未报数据：尚未确定" in client.get(f"/indicators/{firms.code}/").content.decode()
    (line,) = csv.DictReader(StringIO(client.get("/data/no_figures.csv").getvalue().decode()))
    assert (line["indicator_code"], line["reason"]) == (firms.code, "not-yet-settled")
    yesterday = row.published_at.date() - timedelta(days=2)
    before = client.get(f"/en/indicators/{firms.code}/?as_of={yesterday}").content.decode()
    assert "no figure:" not in before
    assert "no figure" in client.get("/en/changes/").content.decode()
    # A figure that comes yet is still taken, and stands in its place.
    assert sheet.open().row(firms).form is not None
    assert "not yet settled" in sheet.text
    sheet.type(firms, "submit", figure="5")
    assert Observation.objects.get().state == State.SUBMITTED


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({"figure": "5"}, "There is a figure and a reason why there is none"),
        ({"evidence_url": "https://example.org/"}, "Evidence belongs to a figure"),
        ({"reason": "not-yet-reported"}, "not-yet-reported is not one of the available choices"),
    ],
)
@runs_once.FORMS
def test_what_does_not_go_with_a_reason_is_refused(typed, message, sheet, firms):
    sheet.type(firms, **{"reason": Missing.WITHHELD} | typed)
    assert message in str(sheet.errors)
    assert not NoFigure.objects.exists() and not Observation.objects.exists()
    for text in typed.values():
        assert text in sheet.page.content.decode()


def test_beside_a_public_figure_of_the_period_it_is_refused(sheet, firms):
    period = {"period_start": None, "period_end": date(2023, 9, 30)}
    make_observation(indicator=firms, published=date(2023, 10, 5), **period)
    sheet.type(firms, reason=Missing.WITHHELD)
    assert "A figure for this period is public" in str(sheet.errors)


def test_a_draft_becomes_the_other_kind_and_back(sheet, firms):
    sheet.type(firms, figure="5")
    sheet.type(firms, figure="", reason=Missing.NO_EVENT)
    assert NoFigure.objects.get().reason == Missing.NO_EVENT
    assert not Observation.objects.exists()
    sheet.open().type(firms, figure="7", reason="")
    assert Observation.objects.get().value == 7
    assert not NoFigure.objects.exists()


@runs_once.FORMS
def test_what_a_colleague_made_of_the_row_meanwhile_is_told(sheet, firms, office):
    sheet.type(firms, figure="5").open()
    other = Sheet(sheet.address, browser_of(make_staff(EDITOR, departments=[office])))
    other.type(firms, figure="", reason=Missing.NO_EVENT)
    sheet.type(firms, figure="6")
    assert "no figure: no event" in str(sheet.errors)
    assert NoFigure.objects.exists()


@runs_once.FORMS
def test_the_form_at_the_desk_refuses_what_the_workflow_would(clerk, firms):
    browser = browser_of(clerk)
    make_observation(indicator=firms, published=ISSUED, period_start=None, period_end=ISSUED)
    typed = {"indicator": firms.pk, "reason": "withheld", "source_name": "台账"}
    for day in (ISSUED, date(2999, 1, 1)):
        answer = fill_in(browser, address_of(NoFigure, "add"), period_end=day.isoformat(), **typed)
        assert "period_end" in errors(answer)
    fill_in(browser, address_of(NoFigure, "add"), period_end="2023-01-31", **typed)
    assert NoFigure.objects.get().state == State.DRAFT


def test_correcting_it_is_told_in_public(clerk, firms, client):
    row = make_no_figure(indicator=firms, published=ISSUED)
    browser = browser_of(clerk)
    take_step(browser, row, "correct", reason="原因写错")
    draft = NoFigure.objects.get(supersedes=row)
    fill_in(browser, address_of(draft, "change"), reason="withheld")
    take_step(browser, draft, "submit")
    draft.refresh_from_db()
    take_step(browser_of(make_staff(REVIEWER)), draft, "publish")
    page = client.get(f"/en/indicators/{firms.code}/").content.decode()
    assert "no figure: withheld" in page and "原因写错" in page
    assert "before: no figure: not yet settled" in page
