"""What somebody types survives the end of their session, and is given back to them alone."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from baoshan_portal.tests import runs_once
from baoshan_portal.tests.desk import browser_of, desk, filled_in
from measures import last_account, workflow
from measures.access import EDITOR, REVIEWER
from measures.models import ProgressNote, User
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

from .. import typed
from ..entry_sheet.page import sheet_url
from .test_second_factor import code_of, make_device

pytestmark = [pytest.mark.django_db, pytest.mark.english, pytest.mark.long]

PASSWORD = "xK7-pq2w-宝山"
OTHER = "zL8-rs3x-宝山"
LOGIN = "/en/admin/login/"


@pytest.fixture
def office():
    return make_department()


@pytest.fixture
def clerk(office):
    return with_password(make_staff(EDITOR, departments=[office], username="li"))


def with_password(user, **fields) -> User:
    user.set_password(PASSWORD)
    for name, value in fields.items():
        setattr(user, name, value)
    user.save()
    return user


@pytest.fixture
def firms(office):
    return make_indicator(
        measure=make_measure(lead=office), frequency=Frequency.QUARTERLY, kind=Kind.STOCK
    )


def end_sessions() -> None:
    Session.objects.all().delete()


def hidden(page, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]* value="([^"]*)"', page.content.decode())
    return unescape(found[1]) if found else ""


def value_of(page, name: str) -> str:
    text = page.content.decode()
    if found := re.search(rf'<input[^>]*name="{name}"[^>]*>', text):
        value = re.search(r'value="([^"]*)"', found[0])
        return unescape(value[1]) if value else ""
    found = re.search(rf'<textarea[^>]*name="{name}"[^>]*>([^<]*)<', text)
    return unescape(found[1]).strip() if found else ""


def sign_in(browser, page, name="li", password=PASSWORD):
    """Fill in the form of the sign-in that ``page`` is, and send all that it holds."""
    fields = {"username": name, "password": password}
    fields |= {field: hidden(page, field) for field in ("typed", "next")}
    return browser.post(LOGIN, fields)


def sent_without_session(browser, address, data):
    """The form of the sign-in that answers ``data``, sent after the session has ended."""
    end_sessions()
    page = browser.post(address, data)
    assert page.status_code == 403
    assert "Your session has ended" in page.content.decode()
    return page


def sheet_of(office):
    return sheet_url(make_round(), office)


def test_the_entry_sheet_comes_back_with_all_that_was_typed(clerk, office, firms):
    browser, address = browser_of(clerk), sheet_of(office)
    browser.get(address)
    name = f"figure-{firms.code}"
    data = {f"{name}-seen": "0:x", f"{name}-figure": "98,765", f"{name}-certainty": "actual",
            f"{name}-note": "含新设\n第二行", "save": ""}  # fmt: skip
    answer = sign_in(browser, sent_without_session(browser, address, data))

    assert (answer.status_code, answer.url) == (302, address)
    page = browser.get(address)
    assert value_of(page, f"{name}-figure") == "98,765"
    assert value_of(page, f"{name}-note") == "含新设\n第二行"
    assert "is not saved yet" in page.content.decode()
    assert not Observation.objects.exists()
    # Reloading shows it again; once it is saved, it is done.
    assert value_of(browser.get(address), f"{name}-figure") == "98,765"
    data[f"{name}-seen"] = value_of(page, f"{name}-seen")
    browser.post(address, data)
    assert Observation.objects.get().as_written == "98,765"
    assert "is not saved yet" not in browser.get(address).content.decode()


@runs_once.FORMS
def test_the_reader_may_drop_it(clerk, office, firms):
    browser, address = browser_of(clerk), sheet_of(office)
    browser.get(address)
    name = f"figure-{firms.code}"
    data = {f"{name}-seen": "0:x", f"{name}-figure": "98,765", "save": ""}
    sign_in(browser, sent_without_session(browser, address, data))
    assert browser.post("/en/admin/typed/forget/", {"next": address}).url == address
    assert value_of(browser.get(address), f"{name}-figure") == ""


@runs_once.FORMS
def test_nobody_else_gets_it(clerk, office, firms):
    with_password(make_staff(EDITOR, departments=[office], username="wang"))
    browser, address = browser_of(clerk), sheet_of(office)
    browser.get(address)
    data = {f"figure-{firms.code}-figure": "98,765", "save": ""}
    page = sent_without_session(browser, address, data)
    answer = sign_in(browser, page, "wang")
    shown = browser.get(answer.url).content.decode()
    assert "belongs to another account" in shown
    assert "98,765" not in shown


@runs_once.FORMS
def test_a_changed_token_is_none(clerk, office):
    browser, address = browser_of(clerk), sheet_of(office)
    browser.get(address)
    page = sent_without_session(browser, address, {"figure-x-figure": "98,765"})
    token = hidden(page, "typed")
    fields = {"username": "li", "password": PASSWORD, "typed": token[:-2] + "xx", "next": address}
    assert browser.post(LOGIN, fields).url == address
    assert "98,765" not in browser.get(address).content.decode()


@runs_once.FORMS
def test_a_stranger_is_sent_to_the_sign_in_with_nothing(office):
    address = sheet_of(office)
    answer = Client().post(address, {"figure-x-figure": "1"})
    assert answer.url.startswith(LOGIN)
    assert Client().post(address, {"a": "x"}, headers={"cookie": "desk=1:2:3"}).status_code == 302


@runs_once.FORMS
def test_a_wrong_password_in_between_loses_nothing(clerk, office):
    browser, address = browser_of(clerk), sheet_of(office)
    browser.get(address)
    page = sent_without_session(browser, address, {"figure-x-figure": "98,765"})
    page = sign_in(browser, page, password="wrong")
    assert page.status_code == 200
    assert sign_in(browser, page).url == address


def test_a_lock_out_in_between_loses_nothing(clerk, office):
    browser, address = browser_of(clerk), sheet_of(office)
    browser.get(address)
    page = sent_without_session(browser, address, {"figure-x-figure": "98,765"})
    for _n in range(5):
        page = sign_in(browser, page, password="wrong")
    assert page.status_code == 429
    assert hidden(page, "typed") and hidden(page, "next") == address


@runs_once.FORMS
def test_it_goes_through_password_change_and_second_factor(clerk, office, firms):
    browser, address = browser_of(clerk), sheet_of(office)
    browser.get(address)
    with_password(clerk, must_change_password=True)
    device = make_device(clerk)
    name = f"figure-{firms.code}"
    data = {f"{name}-seen": "0:x", f"{name}-figure": "98,765", "save": ""}
    answer = sign_in(browser, sent_without_session(browser, address, data))
    assert answer.url == address
    assert browser.get(address).url == "/en/admin/second-factor/code/"
    answer = browser.post("/en/admin/second-factor/code/", {"code": code_of(device)})
    assert answer.url == address
    assert browser.get(address).url == "/en/admin/password_change/"
    fields = {"old_password": PASSWORD, "new_password1": OTHER, "new_password2": OTHER}
    assert browser.post("/en/admin/password_change/", fields).url == address
    assert value_of(browser.get(address), f"{name}-figure") == "98,765"


@runs_once.FORMS
def test_what_is_sent_before_the_second_factor_was_given_waits_for_it(clerk, office, firms):
    """A second factor that another window set up since."""
    browser, address = browser_of(clerk), sheet_of(office)
    browser.get(address)
    device = make_device(clerk)
    name = f"figure-{firms.code}"
    browser.post(address, {f"{name}-seen": "0:x", f"{name}-figure": "98,765", "save": ""})
    browser.post("/en/admin/second-factor/code/", {"code": code_of(device)})
    assert value_of(browser.get(address), f"{name}-figure") == "98,765"


@runs_once.FORMS
def test_a_file_must_be_chosen_again_and_that_is_said(clerk, office, firms):
    browser, address = browser_of(clerk), sheet_of(office)
    browser.get(address)
    name = f"figure-{firms.code}"
    file = SimpleUploadedFile("台账.pdf", b"%PDF-1.4 " + b"x" * 200_000)
    data = {f"{name}-seen": "0:x", f"{name}-figure": "1", f"{name}-evidence_file": file}
    page = sent_without_session(browser, address, data)
    assert sign_in(browser, page).url == address
    assert "Choose the file 台账.pdf again" in browser.get(address).content.decode()


@runs_once.FORMS
def test_a_form_of_the_admin_comes_back_unsaved(clerk, office):
    note = make_note(measure=make_measure(lead=office), entered_by=clerk, changed_by=clerk)
    browser, address = browser_of(clerk), desk(note, "change")
    data = filled_in(browser.get(address), text="已完成移交。")
    assert sign_in(browser, sent_without_session(browser, address, data)).url == address
    page = browser.get(address)
    assert value_of(page, "text") == "已完成移交。"
    note.refresh_from_db()
    assert note.text != "已完成移交。"
    browser.post(address, data)
    note.refresh_from_db()
    assert note.text == "已完成移交。"


@runs_once.FORMS
def test_a_new_row_comes_back_unsaved(clerk, office):
    measure = make_measure(lead=office)
    browser, address = browser_of(clerk), desk(ProgressNote, "add")
    data = filled_in(browser.get(address), text="开园。", measure=measure.pk)
    data["happened_on"] = ISSUED.date() if hasattr(ISSUED, "date") else ISSUED
    assert sign_in(browser, sent_without_session(browser, address, data)).url == address
    assert value_of(browser.get(address), "text") == "开园。"
    assert not ProgressNote.objects.exists()


@runs_once.FORMS
def test_the_reason_of_a_correction_comes_back(clerk, office, firms):
    value = make_observation(indicator=firms, published=ISSUED)
    browser, address = browser_of(clerk), desk(value, "step", "correct")
    data = {"seen": str(value.version), "reason": "笔误，应为12"}
    browser.get(address)
    assert sign_in(browser, sent_without_session(browser, address, data)).url == address
    assert value_of(browser.get(address), "reason") == "笔误，应为12"
    assert not value.corrections.exists()


@pytest.fixture
def waiting_row(clerk, firms):
    row = make_observation(indicator=firms, entered_by=clerk, changed_by=clerk)
    workflow.submit(row, by=clerk)
    return row


@pytest.fixture
def reviewer():
    return with_password(make_staff(REVIEWER, username="shen"))


@runs_once.FORMS
def test_the_reason_of_a_return_comes_back(reviewer, waiting_row):
    browser = browser_of(reviewer)
    address = f"/en/admin/review/observation/{waiting_row.pk}/return/"
    data = {"seen": hidden(browser.get(address), "seen"), "reason": "与台账不符"}
    page = sent_without_session(browser, address, data)
    assert sign_in(browser, page, "shen").url == address
    assert value_of(browser.get(address), "reason") == "与台账不符"
    waiting_row.refresh_from_db()
    assert waiting_row.state == State.SUBMITTED


@runs_once.FORMS
def test_the_queue_comes_back_with_the_same_boxes_ticked(reviewer, waiting_row):
    browser, address = browser_of(reviewer), "/en/admin/review/"
    line = browser.get(address).context["groups"][0][1][0]
    page = sent_without_session(browser, address, {"row": line.token})
    assert sign_in(browser, page, "shen").url == address
    shown = browser.get(address).content.decode()
    assert re.search(rf'value="{line.token}"[^>]* checked', shown)
    waiting_row.refresh_from_db()
    assert waiting_row.state == State.SUBMITTED


@runs_once.FORMS
def test_what_no_form_can_show_is_shown_and_sent_once_more(clerk, office):
    note = make_note(measure=make_measure(lead=office), entered_by=clerk, changed_by=clerk)
    browser, address = browser_of(clerk), desk(ProgressNote, "changelist")
    browser.get(address)
    data = {"action": "submit_selected", "_selected_action": str(note.pk)}
    assert sign_in(browser, sent_without_session(browser, address, data)).url == address
    page = browser.get(address)
    assert "You are signed in again" in page.content.decode()
    assert hidden(page, "action") == "submit_selected"
    browser.post(address, data)
    note.refresh_from_db()
    assert note.state == State.SUBMITTED
    assert "You are signed in again" not in browser.get(address).content.decode()


@runs_once.FORMS
def test_passwords_are_never_carried(clerk):
    browser = browser_of(clerk)
    browser.get("/en/admin/")
    end_sessions()
    fields = {"old_password": PASSWORD, "new_password1": OTHER, "new_password2": OTHER}
    assert browser.post("/en/admin/password_change/", fields).status_code == 302
    page = browser.post("/en/admin/measures/user/add/", {"username": "x", "password1": OTHER})
    assert OTHER not in page.content.decode()
    from django.core import signing

    content = signing.loads(hidden(page, "typed"), salt=typed._salt)
    assert content["fields"] == [["username", "x"]]


@runs_once.FORMS
def test_what_is_too_much_is_not_carried(clerk, office):
    browser, address = browser_of(clerk), sheet_of(office)
    browser.get(address)
    end_sessions()
    assert browser.post(address, {"figure-x-note": "x" * 1_000_001}).status_code == 302


@runs_once.FORMS
def test_after_three_days_nothing_is_carried(clerk, office, monkeypatch):
    browser, address = browser_of(clerk), sheet_of(office)
    browser.get(address)
    end_sessions()
    monkeypatch.setattr(last_account, "LASTS", timedelta(seconds=-1))
    assert browser.post(address, {"figure-x-note": "字"}).status_code == 302


@runs_once.FORMS
def test_signing_out_forgets_whose_browser_it_was(clerk, office):
    browser, address = browser_of(clerk), sheet_of(office)
    browser.get(address)
    assert browser.cookies[last_account.COOKIE].value
    browser.post("/en/admin/logout/")
    assert browser.post(address, {"figure-x-note": "字"}).status_code == 302


# Forms of old pages


def strict_browser(user) -> Client:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(user)
    return browser


@runs_once.FORMS
def test_a_form_that_is_older_than_the_sign_in_shows_what_was_typed(clerk, office, firms):
    browser, address = strict_browser(clerk), sheet_of(office)
    browser.get(address)
    data = {f"figure-{firms.code}-figure": "98,765", "csrfmiddlewaretoken": "x" * 64}
    here = {"Origin": "http://testserver"}
    page = browser.post(address, data, headers=here)
    assert page.status_code == 403
    assert "older than your sign-in" in page.content.decode()
    assert hidden(page, f"figure-{firms.code}-figure") == "98,765"


@runs_once.FORMS
def test_a_form_from_elsewhere_is_refused_and_not_offered_again(clerk, office):
    browser, address = strict_browser(clerk), sheet_of(office)
    browser.get(address)
    for headers in ({}, {"Origin": "http://elsewhere.example"}, {"Origin": "null"}):
        page = browser.post(address, {"figure-x-figure": "98,765"}, headers=headers)
        text = page.content.decode()
        assert page.status_code == 403
        assert "This form could not be accepted" in text
        assert "98,765" not in text and "DEBUG" not in text


@runs_once.FORMS
def test_a_sign_in_without_cookies_says_what_to_do(client):
    page = Client(enforce_csrf_checks=True).post(LOGIN, {"username": "li", "password": "x"})
    assert "allow cookies" in page.content.decode()


@runs_once.RIGHTS
def test_what_is_not_open_to_somebody_is_a_page_of_ours(clerk):
    browser = browser_of(clerk)
    page = browser.get("/en/admin/measures/user/")
    assert page.status_code == 403
    assert "ask an administrator" in page.content.decode()
    assert "DEBUG" not in page.content.decode()
    page = browser.get("/admin/measures/user/")
    assert "管理员" in page.content.decode()


# Somebody else was faster


def test_what_was_typed_in_a_row_that_was_handed_in_meanwhile_is_shown_beside_it(clerk, office):
    note = make_note(measure=make_measure(lead=office), entered_by=clerk, changed_by=clerk)
    browser, address = browser_of(clerk), desk(note, "change")
    data = filled_in(browser.get(address), text="已完成移交。")
    workflow.submit(note, by=clerk)
    page = browser.post(address, data)
    text = page.content.decode()
    assert page.status_code == 403
    assert "takes no entry here any more" in text
    assert "已完成移交。" in text and note.text in text
    note.refresh_from_db()
    assert note.text != "已完成移交。"


@runs_once.FORMS
def test_a_lock_that_comes_between_keeps_what_was_typed_in_the_form(clerk, office, firms):
    round_ = make_round()
    row = make_observation(
        indicator=firms, round=round_, period_end=round_.period_end, entered_by=clerk,
        changed_by=clerk,
    )  # fmt: skip
    browser, address = browser_of(clerk), desk(row, "change")
    data = filled_in(browser.get(address), note="核对过")
    type(round_).objects.update(locked=True)
    page = browser.post(address, data)
    assert page.status_code == 200
    assert "takes no entry of this department" in page.content.decode()
    assert value_of(page, "note") == "核对过"


@runs_once.FORMS
def test_a_step_that_is_gone_keeps_the_reason(reviewer, waiting_row, clerk):
    browser = browser_of(reviewer)
    address = desk(waiting_row, "step", "return")
    seen = hidden(browser.get(address), "seen")
    workflow.publish(waiting_row, by=make_staff(REVIEWER))
    page = browser.post(address, {"seen": seen, "reason": "与台账不符"})
    assert page.status_code == 403
    assert "与台账不符" in page.content.decode()
