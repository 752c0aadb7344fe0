"""The second factor: setting it up, giving it, requiring it of a role, losing it."""

import re
import time
from base64 import b32decode
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlparse

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.test import Client
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from baoshan_portal.tests import runs_once
from baoshan_portal.tests.desk import browser_of, desk, messages
from measures.access import ADMINISTRATOR, EDITOR, REVIEWER
from measures.models import RolePolicy, TrailEvent, User
from measures.tests.factories import make_staff, make_superuser
from measures.trail import Action

pytestmark = [pytest.mark.django_db, pytest.mark.english, pytest.mark.long]

SET_UP = "/en/admin/second-factor/"
CODE = "/en/admin/second-factor/code/"
DESK = "/en/admin/metrics/observation/"


def code_of(device, steps=0) -> str:
    """What the app shows now, or that many half minutes from now."""
    return f"{totp(device.bin_key, t0=-30 * steps):06d}"


def wrong_code_of(device) -> str:
    good = {int(code_of(device, steps)) for steps in range(-3, 4)}
    return next(f"{n:06d}" for n in range(10) if n not in good)


def make_device(user, **fields) -> TOTPDevice:
    return TOTPDevice.objects.create(user=user, **{"confirmed": True, **fields})


def require_of(role) -> None:
    RolePolicy.objects.create(group=Group.objects.get(name=role), require_second_factor=True)


def recorded(*actions) -> list[tuple[str, str]]:
    found = TrailEvent.objects.filter(action__in=actions).order_by("pk")
    return list(found.values_list("action", "actor_name"))


def complaints(page) -> list[str]:
    return page.context["form"].errors.get("code", [])


@pytest.fixture
def half_minute():
    """All of a test happens in one half minute, however slow the machine is."""
    with time_machine.travel(datetime.now(UTC), tick=False):
        yield


@pytest.fixture
def clerk():
    return make_staff(EDITOR, username="li")


def test_codes_are_those_of_the_standard():
    # RFC 6238, appendix B: the SHA-1 key 12345678901234567890 shows 287082 at second 59.
    device = TOTPDevice(key=b"12345678901234567890".hex())
    # That second lies in the half minute from 30 to 59; taken in its middle, no clock disturbs.
    assert totp(device.bin_key, t0=int(time.time()) - 45) == 287082


def test_nobody_needs_one_unless_a_role_requires_it(clerk):
    assert browser_of(clerk).get(DESK).status_code == 200


@runs_once.PAGES
def test_the_picture_and_the_key_on_the_page_are_the_ones_to_set_up(clerk):
    page = browser_of(clerk).get(SET_UP)
    html = page.content.decode()
    device = TOTPDevice.objects.get()
    assert (device.user, device.confirmed) == (clerk, False)
    key = re.search(r"<code>([A-Z2-7 ]+)</code>", html)[1].replace(" ", "")
    assert b32decode(key) == device.bin_key
    address = urlparse(device.config_url)
    assert (address.scheme, address.netloc, address.path) == (
        "otpauth",
        "totp",
        "/Baoshan%20portal%3Ali",
    )
    assert parse_qs(address.query)["secret"] == [key]
    assert 'class="qrline"' in html
    assert not re.search(r"\sstyle=|data:|<script(?![^>]*src=)", html)


def test_a_first_code_sets_it_up_and_goes_on_the_trail(clerk):
    browser = browser_of(clerk)
    browser.get(SET_UP)
    device = TOTPDevice.objects.get()
    assert browser.post(SET_UP, {"code": code_of(device)}).url == "/en/admin/"
    device.refresh_from_db()
    assert device.confirmed
    assert recorded(Action.SECOND_FACTOR_SET) == [(Action.SECOND_FACTOR_SET, "li")]
    # This session has given a code; the next one must.
    assert browser.get(DESK).status_code == 200
    assert browser_of(clerk).get(DESK).url == CODE


def test_a_wrong_first_code_sets_nothing_up(clerk):
    browser = browser_of(clerk)
    browser.get(SET_UP)
    device = TOTPDevice.objects.get()
    page = browser.post(SET_UP, {"code": wrong_code_of(device)})
    assert len(complaints(page)) == 1
    device.refresh_from_db()
    assert not device.confirmed
    assert browser_of(clerk).get(DESK).status_code == 200


def test_looking_at_the_page_twice_shows_the_same_key(clerk):
    browser = browser_of(clerk)
    browser.get(SET_UP)
    browser.get(SET_UP)
    assert TOTPDevice.objects.count() == 1


@pytest.mark.parametrize(
    "address",
    ["/en/admin/", DESK, SET_UP, "/en/admin/password_change/", "/en/admin/autocomplete/"],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_with_the_password_alone_nothing_is_reached(method, address, clerk):
    make_device(clerk)
    answer = getattr(browser_of(clerk), method)(address)
    assert (answer.status_code, answer.url) == (302, CODE)


def test_the_code_opens_the_way(clerk):
    device = make_device(clerk)
    browser = browser_of(clerk)
    assert browser.get(CODE).status_code == 200
    assert browser.post(CODE, {"code": code_of(device)}).url == "/en/admin/"
    assert browser.get(DESK).status_code == 200


@pytest.mark.parametrize("typed", [" {0}{1} ", "{0} {1}"])
def test_a_code_may_be_typed_with_spaces(typed, clerk):
    device = make_device(clerk)
    code = code_of(device)
    answer = browser_of(clerk).post(CODE, {"code": typed.format(code[:3], code[3:])})
    assert answer.status_code == 302


def test_a_code_is_good_only_once(clerk):
    device = make_device(clerk)
    code = code_of(device)
    assert browser_of(clerk).post(CODE, {"code": code}).status_code == 302
    again = browser_of(clerk)
    assert again.post(CODE, {"code": code}).status_code == 200
    assert again.get(DESK).url == CODE


def test_the_code_of_somebody_else_does_not_open(clerk):
    make_device(clerk)
    other = make_device(make_staff(EDITOR))
    browser = browser_of(clerk)
    page = browser.post(CODE, {"code": code_of(other)})
    assert len(complaints(page)) == 1
    assert browser.get(DESK).url == CODE


@pytest.mark.parametrize("typed", ["", "abcdef", "-1", "1e5", "9" * 13, "零一二三四五"])
def test_what_is_no_code_gets_an_answer(typed, clerk):
    make_device(clerk)
    page = browser_of(clerk).post(CODE, {"code": typed})
    assert page.status_code == 200
    assert len(complaints(page)) == 1


def test_wrong_codes_are_on_the_trail_and_make_everybody_wait(clerk):
    device = make_device(clerk, throttling_failure_count=0)
    browser = browser_of(clerk)
    browser.post(CODE, {"code": wrong_code_of(device)})
    device.refresh_from_db()
    assert device.throttling_failure_count == 1
    # After the eighth failure one waits 2 to the power of 7, which is 128 seconds.
    TOTPDevice.objects.update(throttling_failure_count=8)
    page = browser.post(CODE, {"code": code_of(device)})
    (message,) = complaints(page)
    assert 120 < int(re.search(r"in (\d+) seconds", message)[1]) <= 128
    assert browser.get(DESK).url == CODE
    assert recorded(Action.SECOND_FACTOR_FAILED) == [(Action.SECOND_FACTOR_FAILED, "li")] * 2


def test_a_role_can_require_it_before_all_else(clerk):
    require_of(EDITOR)
    browser = browser_of(clerk)
    for address in ("/en/admin/", DESK):
        assert browser.get(address).url == SET_UP
        assert browser.post(address).url == SET_UP
    assert "Your role requires a second factor" in browser.get(SET_UP).content.decode()
    browser.post(SET_UP, {"code": code_of(TOTPDevice.objects.get())})
    assert browser.get(DESK).status_code == 200


def test_a_role_requires_it_of_nobody_else(clerk):
    require_of(REVIEWER)
    assert browser_of(clerk).get(DESK).status_code == 200
    both = make_staff(EDITOR, REVIEWER)
    assert browser_of(both).get(DESK).url == SET_UP


def test_a_role_that_no_longer_requires_it_lets_everybody_in(clerk):
    require_of(EDITOR)
    RolePolicy.objects.update(require_second_factor=False)
    assert browser_of(clerk).get(DESK).status_code == 200


def test_the_initial_password_is_changed_before_the_second_factor_is_set_up(clerk):
    require_of(EDITOR)
    User.objects.update(must_change_password=True)
    assert browser_of(clerk).get(DESK).url == "/en/admin/password_change/"


def verified_browser(user) -> tuple[Client, TOTPDevice]:
    device = make_device(user)
    browser = browser_of(user)
    browser.post(CODE, {"code": code_of(device)})
    return browser, device


@pytest.mark.usefixtures("half_minute")
def test_whoever_need_not_have_it_turns_it_off_with_a_code(clerk):
    browser, device = verified_browser(clerk)
    assert browser.post(SET_UP, {"code": wrong_code_of(device)}).status_code == 200
    assert TOTPDevice.objects.filter(confirmed=True).exists()
    TOTPDevice.objects.update(throttling_failure_count=0)
    assert browser.post(SET_UP, {"code": code_of(device, steps=1)}).status_code == 302
    assert not TOTPDevice.objects.exists()
    assert recorded(Action.SECOND_FACTOR_REMOVED) == [(Action.SECOND_FACTOR_REMOVED, "li")]
    assert browser_of(clerk).get(DESK).status_code == 200


@runs_once.RIGHTS
@pytest.mark.usefixtures("half_minute")
def test_whoever_must_have_it_does_not_turn_it_off(clerk):
    require_of(EDITOR)
    browser, device = verified_browser(clerk)
    page = browser.post(SET_UP, {"code": code_of(device, steps=1)})
    assert "Your role requires it" in page.content.decode()
    assert TOTPDevice.objects.filter(confirmed=True).exists()


def remove(browser, *users):
    fields = {
        "action": "remove_second_factors",
        "post": "yes",
        "_selected_action": [user.pk for user in users],
    }
    return browser.post(desk(User, "changelist"), fields, follow=True)


def test_an_administrator_removes_a_lost_one_and_that_is_on_the_trail(clerk):
    make_device(clerk)
    without = make_staff(EDITOR)
    administrator = browser_of(make_staff(ADMINISTRATOR, username="guan"))
    page = remove(administrator, clerk, without)
    assert messages(page) == ["The second factor of 1 account was removed."]
    assert not TOTPDevice.objects.exists()
    event = TrailEvent.objects.get(action=Action.SECOND_FACTOR_REMOVED)
    assert (event.actor_name, event.subject) == ("guan", "li")


def test_an_administrator_does_not_remove_the_own_one():
    own = make_staff(ADMINISTRATOR)
    make_device(own)
    remove(browser_of(own), own)
    assert TOTPDevice.objects.filter(user=own).exists()


def test_a_removed_one_ends_what_was_signed_in_with_it(clerk):
    require_of(EDITOR)
    browser, _device = verified_browser(clerk)
    assert browser.get(DESK).status_code == 200
    remove(browser_of(make_staff(ADMINISTRATOR)), clerk)
    assert browser.get(DESK).url == SET_UP


@runs_once.RIGHTS
def test_an_administrator_does_not_remove_that_of_a_superuser():
    make_device(make_superuser())
    remove(browser_of(make_staff(ADMINISTRATOR)), *User.objects.all())
    assert TOTPDevice.objects.count() == 1


@runs_once.RIGHTS
def test_an_editor_does_not_remove_that_of_anybody(clerk):
    make_device(make_staff(EDITOR))
    assert remove(browser_of(clerk), *User.objects.all()).status_code == 403
    assert TOTPDevice.objects.count() == 1


@runs_once.RIGHTS
def test_nobody_sees_the_keys_of_others():
    boss = browser_of(make_superuser())
    device = make_device(make_staff(EDITOR))
    assert boss.get("/en/admin/otp_totp/totpdevice/").status_code == 404
    assert boss.get(f"/en/admin/otp_totp/totpdevice/{device.pk}/change/").status_code == 404
    assert device.key not in boss.get(desk(device.user, "change")).content.decode()


def test_without_signing_in_there_is_no_second_step(client):
    for address in (SET_UP, CODE):
        assert client.get(address).url.startswith("/en/admin/login/")
        assert client.post(address, {"code": "000000"}).url.startswith("/en/admin/login/")
    assert not TOTPDevice.objects.exists()
