"""Accounts: signing in, lock-out, passwords, and who may change whose rights."""

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from baoshan_portal.doors import SessionStore
from baoshan_portal.tests import runs_once
from baoshan_portal.tests.desk import browser_of, desk, errors, fill_in, publish_what_waits
from baoshan_portal.tests.test_settings import refusal
from measures.access import ADMINISTRATOR, AUDITOR, EDITOR, REVIEWER
from measures.failed_sign_ins import sweep
from measures.models import FailedSignIns, RolePolicy, TrailEvent, User
from measures.tests.factories import make_department, make_staff, make_superuser
from measures.trail import Action, client_address

pytestmark = [pytest.mark.django_db, pytest.mark.english, runs_once.RIGHTS, pytest.mark.long]

LOGIN = "/en/admin/login/"
PASSWORD = "hX7-tulip-9"
OTHER = "qZ4-maple-2"


def sign_in(username, password=PASSWORD, *, client=None, **headers):
    fields = {"username": username, "password": password}
    return (client or Client()).post(LOGIN, fields, **headers)


def with_password(user, **fields) -> User:
    user.set_password(PASSWORD)
    for name, value in fields.items():
        setattr(user, name, value)
    user.save()
    return user


def groups(*names) -> list[int]:
    return list(Group.objects.filter(name__in=names).values_list("pk", flat=True))


def events(action) -> list[TrailEvent]:
    return list(TrailEvent.objects.filter(action=action).order_by("pk"))


@pytest.fixture(autouse=True)
def quick_passwords(settings):
    """A real hash takes a third of a second on purpose."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def clerk():
    return with_password(make_staff(EDITOR, username="li"))


@pytest.fixture
def administrator():
    return browser_of(make_staff(ADMINISTRATOR, username="guan"))


# Signing in


def test_five_failures_lock_the_account_for_that_address(clerk):
    assert settings.SIGN_IN_FAILURES == 5
    answers = [sign_in("li", "wrong").status_code for _n in range(5)]
    assert answers == [200, 200, 200, 200, 429]
    assert sign_in("li").status_code == 429
    assert sign_in("li", REMOTE_ADDR="10.0.0.9").status_code == 302


def test_a_failure_more_or_less_is_forgotten_after_a_success(clerk):
    for _n in range(2):
        assert [sign_in("li", "wrong").status_code for _n in range(4)] == [200] * 4
        assert sign_in("li").status_code == 302


def test_a_lock_does_not_touch_other_accounts(clerk):
    with_password(make_staff(EDITOR, username="wang"))
    for _n in range(5):
        sign_in("li", "wrong")
    assert sign_in("wang").status_code == 302


def test_a_lock_ends_after_ten_minutes(clerk):
    assert settings.LOCK_OUT_MINUTES == 10
    for _n in range(5):
        sign_in("li", "wrong")
    begun = FailedSignIns.objects.get().locked_at
    FailedSignIns.objects.update(locked_at=begun - timedelta(minutes=9))
    assert sign_in("li").status_code == 429
    FailedSignIns.objects.update(locked_at=begun - timedelta(minutes=10, seconds=1))
    assert sign_in("li").status_code == 302


def test_the_page_of_a_lock_tells_how_long_and_what_to_do(clerk):
    for _n in range(4):
        sign_in("li", "wrong")
    page = sign_in("li", "wrong")
    assert page["Retry-After"] == "600"
    text = page.content.decode()
    assert "locked for 10 minutes" in text
    assert "ask an administrator for a new one" in text
    assert PASSWORD not in text


def test_failures_and_locks_are_on_the_trail_with_name_and_address(clerk):
    for _n in range(5):
        sign_in("li", "wrong", REMOTE_ADDR="10.0.0.9")
        sign_in("li", "wrong", REMOTE_ADDR="10.0.0.9")
    assert [(e.actor_name, e.address) for e in events(Action.LOCKED_OUT)] == [("li", "10.0.0.9")]
    assert list(events(Action.SIGN_IN_FAILED)) == []
    FailedSignIns.objects.update(locked_at=timezone.now() - timedelta(minutes=11))
    assert sweep() == 10
    (failed,) = events(Action.SIGN_IN_FAILED)
    assert (failed.actor_name, failed.actor, failed.address) == ("li", None, "10.0.0.9")
    assert failed.note.startswith("10: ")


def test_a_stranger_makes_one_row_and_one_event_however_often_they_try(clerk):
    for n in range(15):
        sign_in(f"nobody-{n}", "wrong", HTTP_USER_AGENT=f"agent {n}")
    assert [(row.account, row.count) for row in FailedSignIns.objects.all()] == [("", 15)]
    assert TrailEvent.objects.count() == 1
    assert len(events(Action.LOCKED_OUT)) == 1
    assert sign_in("li").status_code == 302


def test_when_too_many_windows_are_open_the_rest_are_counted_together(clerk, monkeypatch):
    monkeypatch.setattr("measures.failed_sign_ins.MOST", 3)
    for n in range(9):
        sign_in("li", "wrong", REMOTE_ADDR=f"10.0.0.{n}")
    assert FailedSignIns.objects.count() == 4


def test_nothing_keeps_a_password_that_was_typed(clerk):
    sign_in("li", "nearly-" + PASSWORD)
    kept = [*FailedSignIns.objects.values(), *TrailEvent.objects.values()]
    assert len(kept) == 1
    assert PASSWORD not in str(kept)


def test_an_inactive_account_does_not_sign_in(clerk):
    with_password(clerk, is_active=False)
    assert sign_in("li").status_code == 200
    assert [row.account for row in FailedSignIns.objects.all()] == ["li"]


@pytest.mark.parametrize(
    ("trusted", "forwarded", "expected"),
    [
        (False, "10.1.1.1", "127.0.0.1"),
        (True, "10.1.1.1", "10.1.1.1"),
        (True, "6.6.6.6, 10.1.1.1", "10.1.1.1"),
        (True, "10.1.1.1 ,  2001:db8::7", "2001:db8::7"),
        (True, None, "127.0.0.1"),
        (True, "unknown", None),
        (True, "10.1.1.1,", None),
    ],
)
def test_only_what_the_own_proxy_says_of_an_address_counts(trusted, forwarded, expected, settings):
    settings.TRUST_PROXY = trusted
    headers = {"x-forwarded-for": forwarded} if forwarded else {}
    assert client_address(RequestFactory().get("/", headers=headers)) == expected


def test_behind_a_proxy_the_lock_and_the_trail_are_about_the_visitor(clerk, settings):
    settings.TRUST_PROXY = True
    for n in range(5):
        # What visitors write themselves comes before what the proxy appends.
        sign_in("li", "wrong", HTTP_X_FORWARDED_FOR=f"6.6.6.{n}, 10.0.0.9")
    assert sign_in("li", HTTP_X_FORWARDED_FOR="6.6.6.6, 10.0.0.9").status_code == 429
    assert sign_in("li", HTTP_X_FORWARDED_FOR="10.0.0.10").status_code == 302
    assert {row.address for row in FailedSignIns.objects.all()} == {"10.0.0.9"}


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("for=10.1.1.1", "10.1.1.1"),
        ('for=6.6.6.6, for="10.1.1.1:4711";proto=https', "10.1.1.1"),
        ('For="[2001:db8::7]:80"', "2001:db8::7"),
        ('for="2001:db8::7"', "2001:db8::7"),
        ("for=unknown", None),
        ("", "127.0.0.1"),
    ],
)
def test_a_header_of_one_spelling_alone_cannot_be_written_by_the_visitor(
    header, expected, settings
):
    settings.TRUST_PROXY = "forwarded"
    headers = {"forwarded": header, "x-forwarded-for": "6.6.6.6"}
    assert client_address(RequestFactory().get("/", headers=headers)) == expected


# Sessions


def test_a_session_ends_after_thirty_idle_minutes_or_a_minute_less(clerk):
    browser = browser_of(clerk)
    begun = timezone.now()

    def is_let_in(minutes: float) -> bool:
        with time_machine.travel(begun + timedelta(minutes=minutes), tick=False):
            return browser.get("/en/admin/").status_code == 200

    # Requests of the first minute are one; each further one begins the time anew.
    assert is_let_in(0.9)
    assert is_let_in(29.9) and is_let_in(58.8) and is_let_in(59.7)
    assert not is_let_in(89.8)


def test_a_session_of_one_minute_lasts_while_it_is_used(clerk, settings):
    # As the settings make it of IDLE_MINUTES=1.
    settings.SESSION_COOKIE_AGE, settings.SESSION_WRITTEN_EVERY = 60, 6
    browser, begun = browser_of(clerk), timezone.now()
    for seconds in (5, 58, 110):
        with time_machine.travel(begun + timedelta(seconds=seconds), tick=False):
            assert browser.get("/en/admin/").status_code == 200
    with time_machine.travel(begun + timedelta(seconds=171), tick=False):
        assert browser.get("/en/admin/").url.startswith(LOGIN)


def test_requests_within_a_minute_write_a_session_once(clerk):
    browser, begun = browser_of(clerk), timezone.now()

    def writes(seconds: int) -> int:
        moment = begun + timedelta(seconds=seconds)
        with time_machine.travel(moment, tick=False), CaptureQueriesContext(connection) as seen:
            browser.get("/en/measures/")
        return sum('UPDATE "django_session"' in query["sql"] for query in seen)

    assert [writes(seconds) for seconds in (0, 59, 61, 90, 122)] == [0, 0, 1, 0, 1]


def test_prolonging_a_session_keeps_what_another_request_put_there(clerk):
    browser, begun, put = browser_of(clerk), timezone.now(), []
    key = browser.cookies["sessionid"].value

    def put_beside(execute, sql, *rest):
        if 'UPDATE "django_session"' in sql and not put:
            put.append(sql)
            session = SessionStore(key)
            session["beside"] = "it"
            session.save()
        return execute(sql, *rest)

    moment = begun + timedelta(seconds=61)
    with time_machine.travel(moment, tick=False), connection.execute_wrapper(put_beside):
        assert browser.get("/en/measures/").status_code == 200
    assert put and SessionStore(key)["beside"] == "it"


def test_a_sign_in_whose_session_cannot_be_kept_is_no_success(clerk):
    with_password(clerk)
    client = Client(raise_request_exception=False)

    def write_no_more(execute, sql, *rest):
        if 'UPDATE "django_session"' in sql:
            connection.connection.execute("PRAGMA query_only = 1")
        return execute(sql, *rest)

    try:
        with connection.execute_wrapper(write_no_more):
            answer = sign_in(clerk.username, client=client)
    finally:
        connection.connection.execute("PRAGMA query_only = 0")

    assert answer.status_code == 503
    assert sign_in(clerk.username, client=client).status_code == 302


def test_a_visitor_without_account_has_no_session(client):
    client.get("/en/method/")
    assert not Session.objects.exists()
    assert "sessionid" not in client.cookies


# Passwords


@pytest.mark.parametrize("password", ["xK7-pq2", "password1", "8301946275", "li.mingming"])
def test_a_password_that_is_short_or_common_or_numeric_or_ones_name_is_refused(password):
    with pytest.raises(ValidationError):
        validate_password(password, User(username="li.mingming"))


def test_eight_mixed_characters_are_enough():
    validate_password("xK7-pq2w", User(username="li.mingming"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PASSWORD_LENGTH", "7"),
        ("SIGN_IN_FAILURES", "0"),
        ("LOCK_OUT_MINUTES", "ten"),
        ("IDLE_MINUTES", "0"),
        ("TRAIL_MONTHS", "5"),
        ("TRUST_PROXY", "perhaps"),
    ],
)
def test_a_rule_that_is_too_weak_or_malformed_stops_the_start(name, value):
    assert name in refusal(**{name: value}).splitlines()[-1]


@pytest.mark.parametrize(
    "address", ["/en/admin/", "/en/admin/metrics/observation/", "/en/admin/second-factor/"]
)
def test_whoever_must_change_the_password_does_nothing_else_before(address, clerk):
    with_password(clerk, must_change_password=True)
    browser = browser_of(clerk)
    for answer in (browser.get(address), browser.post(address)):
        assert (answer.status_code, answer.url) == (302, "/en/admin/password_change/")


def test_whoever_must_change_the_password_reads_the_public_pages_and_signs_out(clerk):
    with_password(clerk, must_change_password=True)
    browser = browser_of(clerk)
    assert browser.get("/en/").status_code == 200
    assert "Somebody else chose your password" in (
        browser.get("/en/admin/password_change/").content.decode()
    )
    assert browser.post("/en/admin/logout/").status_code == 200
    assert browser.get("/en/admin/").url.startswith(LOGIN)


def change_password(browser, old, new):
    fields = {"old_password": old, "new_password1": new, "new_password2": new}
    return browser.post("/en/admin/password_change/", fields)


def test_a_changed_password_opens_the_way_and_is_on_the_trail(clerk):
    with_password(clerk, must_change_password=True)
    browser = browser_of(clerk)
    assert change_password(browser, PASSWORD, OTHER).status_code == 302
    clerk.refresh_from_db()
    assert clerk.check_password(OTHER)
    assert not clerk.must_change_password
    assert browser.get("/en/admin/").status_code == 200
    (event,) = events(Action.PASSWORD_CHANGED)
    assert (event.actor, event.subject_type, event.subject) == (clerk, "measures.user", "li")
    assert (event.before, event.after) == ("", "")


@pytest.mark.parametrize(
    ("old", "new"), [(PASSWORD, PASSWORD), ("wrong", OTHER), (PASSWORD, "short")]
)
def test_the_initial_password_a_wrong_one_and_a_weak_one_change_nothing(old, new, clerk):
    with_password(clerk, must_change_password=True)
    assert change_password(browser_of(clerk), old, new).status_code == 200
    clerk.refresh_from_db()
    assert clerk.must_change_password
    assert clerk.check_password(PASSWORD)
    assert events(Action.PASSWORD_CHANGED) == []


def reset_password(browser, user):
    fields = {"usable_password": "true", "password1": OTHER, "password2": OTHER}
    return browser.post(f"/en/admin/measures/user/{user.pk}/password/", fields)


def test_a_password_that_an_administrator_sets_is_an_initial_one_and_ends_a_lock(
    clerk, administrator
):
    for _n in range(5):
        sign_in("li", "wrong")
    assert reset_password(administrator, clerk).status_code == 302
    clerk.refresh_from_db()
    assert clerk.check_password(OTHER)
    assert clerk.must_change_password
    (event,) = events(Action.PASSWORD_CHANGED)
    assert (event.actor_name, event.subject) == ("guan", "li")
    assert sign_in("li", OTHER).status_code == 302


def test_an_administrator_changes_the_own_password_by_giving_the_old_one(administrator):
    own = User.objects.get(username="guan")
    assert reset_password(administrator, own).url == "/en/admin/password_change/"
    # The key in another spelling is still the own one.
    address = f"/en/admin/measures/user/0{own.pk}/password/"
    typed = {"password1": OTHER, "password2": OTHER, "usable_password": "true"}
    assert administrator.post(address, typed).url == "/en/admin/password_change/"
    assert User.objects.get(username="guan").password == own.password


# Who may change whose rights


def test_a_new_account_has_its_role_and_office_and_an_initial_password(administrator):
    office = make_department(name="科委")
    answer = administrator.post(
        "/en/admin/measures/user/add/",
        {
            "username": "zhao",
            "usable_password": "true",
            "password1": PASSWORD,
            "password2": PASSWORD,
            "groups": groups(EDITOR),
            "departments": [office.pk],
        },
    )
    assert answer.status_code == 302
    user = User.objects.get(username="zhao")
    assert (user.is_staff, user.is_superuser, user.must_change_password) == (True, False, True)
    assert [group.name for group in user.groups.all()] == [EDITOR]
    assert list(user.departments.all()) == [office]
    (event,) = events(Action.PERMISSIONS_CHANGED)
    assert (event.actor_name, event.subject, event.before) == ("guan", "zhao", "")
    assert f"角色: {EDITOR}" in event.after
    assert "部门: 科委" in event.after


def test_a_change_of_rights_is_on_the_trail_with_old_and_new(clerk, administrator):
    old, new = make_department(name="科委"), make_department(name="财政局")
    clerk.departments.add(old)
    answer = fill_in(
        administrator,
        desk(clerk, "change"),
        groups=groups(EDITOR, REVIEWER),
        departments=[new.pk],
        is_active="",
    )
    assert answer.status_code == 302
    (event,) = events(Action.PERMISSIONS_CHANGED)
    assert event.before.splitlines() == [
        "有效: 是",
        f"角色: {EDITOR}",
        "部门: 科委",
    ]
    assert event.after.splitlines() == [
        "有效: 否",
        f"角色: {EDITOR}, {REVIEWER}",
        "部门: 财政局",
    ]


def test_a_change_that_concerns_no_right_is_not_a_change_of_rights(clerk, administrator):
    answer = fill_in(administrator, desk(clerk, "change"), email="li@example.org")
    assert answer.status_code == 302
    assert User.objects.get(pk=clerk.pk).email == "li@example.org"
    assert events(Action.PERMISSIONS_CHANGED) == []


@pytest.mark.parametrize("alone", [ADMINISTRATOR, AUDITOR])
def test_who_manages_accounts_or_audits_has_no_other_role(alone, clerk, administrator):
    answer = fill_in(administrator, desk(clerk, "change"), groups=groups(EDITOR, alone))
    assert errors(answer) == {"groups": [f"The role “{alone}” is not held together with another."]}
    assert [group.name for group in clerk.groups.all()] == [EDITOR]


def test_an_administrator_neither_sees_nor_makes_superusers(clerk, administrator):
    page = administrator.get(desk(clerk, "change")).content.decode()
    assert 'name="groups"' in page
    assert 'name="is_superuser"' not in page
    assert 'name="user_permissions"' not in page
    permission = Permission.objects.get(codename="publish_observation")
    fill_in(
        administrator,
        desk(clerk, "change"),
        is_superuser="on",
        user_permissions=[permission.pk],
    )
    clerk.refresh_from_db()
    assert not clerk.is_superuser
    assert not clerk.user_permissions.exists()


def test_an_administrator_does_not_touch_superusers(administrator):
    boss = with_password(make_superuser(username="boss"))
    before = User.objects.filter(pk=boss.pk).values().get()
    assert administrator.get(desk(boss, "change")).status_code == 200
    assert administrator.post(desk(boss, "change"), {"username": "nobody"}).status_code == 403
    assert reset_password(administrator, boss).status_code == 403
    assert User.objects.filter(pk=boss.pk).values().get() == before


def test_an_administrator_does_not_widen_the_own_rights(administrator):
    own, office = User.objects.get(username="guan"), make_department()
    answer = fill_in(
        administrator,
        desk(own, "change"),
        email="guan@example.org",
        groups=groups(EDITOR, REVIEWER),
        departments=[office.pk],
        is_superuser="on",
    )
    assert answer.status_code == 302
    own.refresh_from_db()
    assert own.email == "guan@example.org"
    assert own.is_active and own.is_staff and not own.is_superuser
    assert [group.name for group in own.groups.all()] == [ADMINISTRATOR]
    assert not own.departments.exists()


def test_nobody_is_deleted(clerk):
    boss = browser_of(make_superuser())
    assert boss.post(desk(clerk, "delete"), {"post": "yes"}).status_code == 403
    bulk = {"action": "delete_selected", "_selected_action": [clerk.pk], "post": "yes"}
    boss.post(desk(User, "changelist"), bulk)
    assert User.objects.filter(pk=clerk.pk).exists()


def test_a_superuser_gives_single_permissions_and_that_is_on_the_trail(clerk):
    permission = Permission.objects.get(codename="publish_target")
    answer = fill_in(
        browser_of(make_superuser()), desk(clerk, "change"), user_permissions=[permission.pk]
    )
    assert answer.status_code == 302
    (event,) = events(Action.PERMISSIONS_CHANGED)
    assert event.before == "用户权限: "
    assert event.after == "用户权限: 数字：指标与目标 | 目标 | Can publish target"


def test_the_members_of_an_office_are_changed_on_its_page_and_on_the_trail(clerk, administrator):
    office = make_department(name="科委")
    assert fill_in(administrator, desk(office, "change"), members=[clerk.pk]).status_code == 302
    assert list(office.members.all()) == [clerk]
    (event,) = events(Action.PERMISSIONS_CHANGED)
    assert (event.subject, event.before, event.after) == (
        "科委",
        "成员: ",
        "成员: li",
    )


def test_a_new_name_of_an_office_is_on_the_trail_beside_its_new_members(clerk):
    office = make_department(name="科委")
    fill_in(browser_of(make_superuser()), desk(office, "change"), name="科经委", members=[clerk.pk])
    (rights,) = events(Action.PERMISSIONS_CHANGED)
    publish_what_waits()
    (change,) = [event for event in events(Action.CHANGED) if event.subject_code == office.code]
    assert (rights.before, rights.after) == ("成员: ", "成员: li")
    assert change.before.endswith(": 科委")
    assert change.after.endswith(": 科经委")


def test_nobody_makes_themselves_a_member(administrator):
    office, own = make_department(), User.objects.get(username="guan")
    answer = fill_in(administrator, desk(office, "change"), members=[own.pk])
    assert errors(answer) == {"members": ["Nobody changes what they belong to themselves."]}
    assert not office.members.exists()


def test_who_continues_an_office_is_told_with_the_day_on_which_it_ended():
    office, new = make_department(name="科委"), make_department()
    steward = browser_of(make_superuser())
    answer = fill_in(steward, desk(office, "change"), succeeded_by=[new.pk])
    ((field, (sentence,)),) = errors(answer).items()
    assert field == "ended_on"
    assert sentence.startswith(("Say on which day", "请填写"))
    fill_in(steward, desk(office, "change"), succeeded_by=[new.pk], ended_on="2026-03-01")
    publish_what_waits()
    assert list(office.succeeded_by.all()) == [new]


def test_an_administrator_requires_a_second_factor_of_a_role_and_nothing_more(administrator):
    group = Group.objects.get(name=REVIEWER)
    before = set(group.permissions.all())
    answer = fill_in(
        administrator,
        desk(group, "change"),
        require_second_factor="on",
        name="something else",
        permissions=[],
    )
    assert answer.status_code == 302
    assert RolePolicy.objects.get().group == group
    assert RolePolicy.objects.get().require_second_factor
    group.refresh_from_db()
    assert group.name == REVIEWER
    assert set(group.permissions.all()) == before
    (event,) = events(Action.PERMISSIONS_CHANGED)
    assert (event.subject, event.before, event.after) == (
        REVIEWER,
        "须双因素验证: 否",
        "须双因素验证: 是",
    )


def test_the_lists_of_accounts_and_roles_cost_the_same_however_long(
    administrator,
):
    def cost(address) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert administrator.get(address).status_code == 200
        return len(queries)

    addresses = [desk(User, "changelist"), desk(Group, "changelist")]
    make_staff(EDITOR).departments.add(make_department())
    before = [cost(address) for address in addresses]
    for n in range(20):
        make_staff(EDITOR, REVIEWER).departments.set([make_department(), make_department()])
        RolePolicy.objects.create(group=Group.objects.create(name=f"group {n}"))
    assert [cost(address) for address in addresses] == before
