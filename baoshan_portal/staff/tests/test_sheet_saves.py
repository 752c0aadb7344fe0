"""The sheet saves row by row, drafts by itself, and once however often a form arrives."""

import json
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from baoshan_portal.tests import runs_once
from baoshan_portal.tests.desk import browser_of, desk, filled_in
from measures import workflow
from measures.access import EDITOR
from measures.models import ProgressNote, SentForm, TrailEvent
from measures.submission import State
from measures.tests.factories import (
    ISSUED,
    make_department,
    make_measure,
    make_note,
    make_round,
    make_staff,
)
from metrics.models import Observation
from metrics.rules.choices import Frequency, Kind
from metrics.tests.factories import make_indicator, make_observation

from ..entry_sheet.page import sheet_url

pytestmark = [pytest.mark.django_db, pytest.mark.english, pytest.mark.long]

KEY, OTHER_KEY = "a" * 32, "b" * 32


@pytest.fixture
def office():
    return make_department(name="科委", name_en="Science")


@pytest.fixture
def clerk(office):
    return make_staff(EDITOR, departments=[office], username="li")


@pytest.fixture
def measure(office):
    return make_measure(lead=office)


@pytest.fixture
def firms(measure):
    return make_indicator(measure=measure, frequency=Frequency.QUARTERLY, kind=Kind.STOCK)


@pytest.fixture
def labs(measure):
    return make_indicator(measure=measure, frequency=Frequency.QUARTERLY, kind=Kind.STOCK)


@pytest.fixture
def round_():
    return make_round(name_en="Third quarter")


class Page:
    """One window with the sheet, as its script would send it."""

    def __init__(self, browser, address):
        self.browser, self.address = browser, address
        self.seen = {}
        for row in browser.get(address).context["sheet"].rows:
            self.seen[row.prefix] = row.seen

    def _data(self, figures) -> dict:
        data = {}
        for indicator, figure in figures.items():
            prefix = f"figure-{indicator.code}"
            data |= {
                f"{prefix}-seen": self.seen[prefix],
                f"{prefix}-figure": figure,
                f"{prefix}-certainty": "actual",
            }
        return data

    def by_itself(self, figures) -> dict:
        answer = self.browser.post(self.address, self._data(figures) | {"autosave": "1"})
        told = json.loads(answer.content)
        for prefix, row in told["rows"].items():
            self.seen[prefix] = row["seen"]
        return told

    def send(self, figures, button="save", **more):
        return self.browser.post(self.address, self._data(figures) | {button: ""} | more)


@pytest.fixture
def page(clerk, office, round_, firms, labs):
    return Page(browser_of(clerk), sheet_url(round_, office))


def figures() -> list[tuple[str, str]]:
    rows = Observation.objects.order_by("indicator__order", "pk")
    return list(rows.values_list("as_written", "state"))


def events(*actions):
    return TrailEvent.objects.filter(action__in=actions or ["entered", "changed"]).order_by("pk")


@runs_once.FORMS
def test_a_bad_row_keeps_no_other_from_being_submitted(page, firms, labs):
    answer = page.send({firms: "很多", labs: "12家"}, button="submit")
    assert answer.status_code == 200
    assert figures() == [("12家", State.SUBMITTED)]
    text = answer.content.decode()
    assert "These rows were not saved, all others were" in text
    assert "很多" in text
    assert "1 row was submitted for review." in text


def test_drafts_are_saved_by_themselves_and_the_time_is_told(page, firms, labs):
    told = page.by_itself({firms: "1,475", labs: "很多"})
    assert told["at"] == f"{timezone.localtime():%H:%M}"
    assert list(told["rows"]) == [f"figure-{firms.code}"]
    assert told["faults"] == [f"figure-{labs.code}"]
    assert figures() == [("1,475", State.DRAFT)]


@runs_once.FORMS
def test_what_is_typed_after_that_is_no_conflict(page, firms):
    page.by_itself({firms: "1"})
    page.by_itself({firms: "14"})
    assert page.send({firms: "1,475"}, button="submit").status_code == 302
    assert figures() == [("1,475", State.SUBMITTED)]


def test_a_row_that_saves_itself_leaves_one_event_a_sitting(page, firms):
    for figure in ("1", "14", "147", "1,475"):
        page.by_itself({firms: figure})
    (event,) = events()
    assert "自动保存" in event.note
    # What is handed in then is told whole.
    page.send({firms: "1,475"}, button="submit")
    assert len(events()) == 1
    (submitted,) = events("submitted")
    assert "1,475" in submitted.after
    assert Observation.objects.get().version == 5


@runs_once.FORMS
def test_another_sitting_leaves_another_event(page, firms, clerk):
    page.by_itself({firms: "1"})
    again = Page(browser_of(clerk), page.address)
    again.by_itself({firms: "14"})
    assert len(events()) == 2


@runs_once.FORMS
def test_an_emptied_row_is_not_removed_by_itself(page, firms):
    page.by_itself({firms: "1"})
    assert page.by_itself({firms: ""})["rows"] == {}
    assert figures() == [("1", State.DRAFT)]


@runs_once.FORMS
def test_saving_by_itself_is_no_activity(page, firms):
    soon = timezone.now() + timedelta(minutes=3)
    Session.objects.update(expire_date=soon)
    page.by_itself({firms: "1"})
    assert Session.objects.get().expire_date == soon
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    answer = page.browser.post(page.address, {"autosave": "1"})
    assert answer.status_code == 403


def test_a_colleagues_newer_row_is_not_overwritten_by_itself(page, firms, office):
    colleague = Page(browser_of(make_staff(EDITOR, departments=[office])), page.address)
    colleague.send({firms: "7"})
    told = page.by_itself({firms: "8"})
    assert told["rows"] == {}
    assert told["faults"] == [f"figure-{firms.code}"]
    assert figures() == [("7", State.DRAFT)]


@runs_once.FORMS
def test_a_locked_round_takes_nothing_and_shows_what_was_typed(page, firms, round_):
    page.send({firms: "7家"})
    type(round_).objects.update(locked=True)
    answer = page.send({firms: "8家"})
    text = answer.content.decode()
    assert answer.status_code == 403
    assert "is locked" in text and "7家" in text and "8家" in text
    assert page.browser.post(page.address, {"autosave": "1"}).status_code == 403


# Once, however often it arrives


def test_a_double_click_submits_once(page, firms):
    first = page.send({firms: "7家"}, button="submit", once=KEY)
    second = page.send({firms: "7家"}, button="submit", once=KEY)
    assert (first.status_code, second.status_code) == (302, 302)
    assert second.url == first.url
    assert "had arrived already" in page.browser.get(page.address).content.decode()
    assert len(events("submitted")) == 1


@runs_once.FORMS
def test_a_refused_form_may_come_again_with_the_same_key(page, firms):
    assert page.send({firms: "很多"}, once=KEY).status_code == 200
    assert not SentForm.objects.exists()
    assert page.send({firms: "7"}, once=KEY).status_code == 302


def test_a_note_is_added_once(clerk, measure):
    browser, address = browser_of(clerk), desk(ProgressNote, "add")
    shown = browser.get(address)
    assert 'name="once"' in shown.content.decode()
    data = filled_in(shown, text="开园。", measure=measure.pk, happened_on="2023-06-30")
    answers = [browser.post(address, data | {"once": KEY}) for _n in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert answers[0].url == answers[1].url
    assert ProgressNote.objects.count() == 1
    browser.post(address, data | {"once": OTHER_KEY})
    assert ProgressNote.objects.count() == 2


def test_a_correction_is_begun_once_and_the_second_click_leads_to_it(clerk, firms):
    value = make_observation(indicator=firms, published=ISSUED)
    browser, address = browser_of(clerk), desk(value, "step", "correct")
    data = {"seen": str(value.version), "reason": "笔误", "once": KEY}
    first, second = browser.post(address, data), browser.post(address, data)
    assert first.url == second.url == desk(value.corrections.get(), "change")


def test_the_key_of_somebody_else_answers_nothing(clerk, office, measure):
    other = make_staff(EDITOR, departments=[office])
    SentForm.objects.create(key=KEY, by=other, answer="/en/admin/elsewhere/")
    browser, address = browser_of(clerk), desk(ProgressNote, "add")
    data = filled_in(browser.get(address), text="开园。", measure=measure.pk, once=KEY)
    answer = browser.post(address, data | {"happened_on": "2023-06-30"})
    assert "elsewhere" not in answer.url
    assert ProgressNote.objects.count() == 1


def test_old_keys_are_forgotten(page, firms, clerk):
    long_ago = timezone.now() - timedelta(days=4)
    SentForm.objects.create(key=KEY, by=clerk, at=long_ago, answer="/")
    page.send({firms: "7家"}, once=KEY)
    assert figures() == [("7家", State.DRAFT)]
    assert SentForm.objects.get().at > long_ago


# Taken back


def test_what_was_submitted_is_taken_back_until_it_is_reviewed(page, firms, clerk):
    page.send({firms: "7家"}, button="submit")
    row = Observation.objects.get()
    assert "Take it back" in page.browser.get(page.address).content.decode()
    address = desk(row, "step", "recall")
    page.browser.post(address, {"seen": str(row.version)})
    row.refresh_from_db()
    assert (row.state, row.submitted_at) == (State.DRAFT, None)
    (event,) = events("recalled")
    assert event.actor == clerk
    # And submitted again.
    workflow.submit(row, by=clerk)


def test_nothing_is_taken_back_once_it_is_public(clerk, measure):
    note = make_note(measure=measure, published=ISSUED)
    with pytest.raises(workflow.TransitionError):
        workflow.recall(note, by=clerk)
    assert browser_of(clerk).get(desk(note, "step", "recall")).status_code == 403
