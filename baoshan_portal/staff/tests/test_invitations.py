"""One-time links: a person chooses the password; a link ends, and is used once."""

import re
from datetime import datetime, timedelta

import pytest
from django.test import Client

from baoshan_portal.staff import invitations
from baoshan_portal.tests.desk import browser_of, desk, errors, messages
from measures.access import ADMINISTRATOR, AUDITOR, EDITOR, REVIEWER
from measures.models import TrailEvent, User
from measures.names import full_name, split_name
from measures.reorganisation import open_work
from measures.tests.factories import (
    make_department,
    make_measure,
    make_note,
    make_staff,
    make_superuser,
)
from measures.trail import Action
from metrics.tests.factories import make_indicator, make_observation

from .test_accounts import PASSWORD, groups, quick_passwords  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.english]

INVITE = "/en/admin/measures/user/invite/"


@pytest.fixture
def administrator():
    return browser_of(make_staff(ADMINISTRATOR, username="guan"))


def invite(browser, *users, way="print"):
    ids = ",".join(str(user.pk) for user in users)
    return browser.post(INVITE, {"ids": ids, "way": way})


def link_on(page) -> str:
    """The path of the link on a printed page."""
    (found,) = re.findall(r"<code>http://testserver(/[^<]+)</code>", page.content.decode())
    return found


def choose(link, password=PASSWORD):
    """The page after somebody without an account chose ``password`` by the link."""
    typed = {"new_password1": password, "new_password2": password}
    return Client().post(link, typed)


def is_good(link) -> bool:
    return bool(Client().get(link).context["form"])


def test_a_printed_link_sets_a_password_once(administrator):
    li = make_staff(EDITOR, username="li", departments=[make_department()])
    page = invite(administrator, li)
    assert "no-store" in page["Cache-Control"]
    link = link_on(page)
    assert choose(link).context.get("username")
    li.refresh_from_db()
    assert li.check_password(PASSWORD)
    assert not li.must_change_password
    done = TrailEvent.objects.get(action=Action.PASSWORD_CHANGED)
    assert (done.actor, done.subject) == (li, "li")
    again = choose(link, "other-" + PASSWORD)
    assert again.context["form"] is None
    li.refresh_from_db()
    assert li.check_password(PASSWORD)


def test_the_link_is_kept_nowhere(administrator):
    li = make_staff(EDITOR, username="li", departments=[make_department()])
    token = link_on(invite(administrator, li)).rstrip("/").rpartition("/")[2]
    kept = [*TrailEvent.objects.values(), *User.objects.values()]
    assert token not in str(kept)


def test_a_link_ends_after_its_days(administrator, monkeypatch):
    li = make_staff(EDITOR, username="li", departments=[make_department()])
    link = link_on(invite(administrator, li))
    assert is_good(link)
    # A stricter policy would make the browser hide the origin, and the form be refused.
    assert Client().get(link)["Referrer-Policy"] == "same-origin"
    monkeypatch.setattr(
        invitations.Tokens, "_now", lambda self: datetime.now() + timedelta(days=7, minutes=1)
    )
    assert not is_good(link)


def test_a_newer_link_ends_the_older_one_and_the_password_until_then(administrator):
    li = make_staff(EDITOR, username="li", departments=[make_department()])
    first = link_on(invite(administrator, li))
    assert choose(first).context.get("username")
    page = administrator.get(INVITE, {"ids": str(li.pk)})
    assert "end at once" in page.content.decode()
    second = link_on(invite(administrator, li))
    third = link_on(invite(administrator, li))
    li.refresh_from_db()
    assert not li.has_usable_password()
    assert not is_good(second)
    assert choose(third).context.get("username")


def test_a_weak_password_and_an_inactive_account_are_refused(administrator):
    li = make_staff(EDITOR, username="li", departments=[make_department()])
    link = link_on(invite(administrator, li))
    assert not choose(link, "short").context.get("username")
    User.objects.filter(pk=li.pk).update(is_active=False)
    assert not is_good(link)


def test_links_go_out_by_mail_and_on_paper_where_there_is_no_address(administrator, mailoutbox):
    li = make_staff(EDITOR, username="li", email="li@example.cn", last_name="李", first_name="四")
    wang = make_staff(EDITOR, username="wang")
    page = invite(administrator, li, wang, way="mail")
    assert [one.user for one in page.context["invitations"]] == [wang]
    (mail,) = mailoutbox
    assert mail.to == ["li@example.cn"]
    assert "李四" in mail.body
    (link,) = re.findall(r"http://testserver(/admin/invitation/\S+)", mail.body)
    assert choose(link).context.get("username")


def test_a_mail_that_could_not_be_sent_is_printed_with_the_reason(administrator, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise OSError("no such host")

    monkeypatch.setattr(invitations.EmailMessage, "send", refuse)
    li = make_staff(EDITOR, username="li", email="li@example.cn")
    page = invite(administrator, li, way="mail")
    assert "no such host" in page.content.decode()
    assert choose(link_on(page)).context.get("username")


def test_nobody_is_invited_whom_one_may_not_change(administrator):
    boss = make_superuser(username="boss")
    own = User.objects.get(username="guan")
    page = administrator.post(INVITE, {"ids": f"{boss.pk},{own.pk},x,{10**30}", "way": "print"})
    assert page.url == desk(User, "changelist")
    assert not TrailEvent.objects.filter(action=Action.INVITED).exists()


def test_an_account_that_is_typed_is_invited(administrator):
    typed = {"username": "zhao", "usable_password": "false", "groups": groups(AUDITOR)}
    answer = administrator.post("/en/admin/measures/user/add/", typed)
    zhao = User.objects.get(username="zhao")
    assert answer.url == f"{INVITE}?ids={zhao.pk}"
    assert not zhao.has_usable_password()


@pytest.mark.parametrize(("role", "field"), [(None, "groups"), (EDITOR, "departments")])
def test_an_account_without_role_or_editor_without_department_is_refused(
    role, field, administrator
):
    typed = {"username": "zhao", "usable_password": "false", "groups": groups(role)}
    answer = administrator.post("/en/admin/measures/user/add/", typed)
    assert list(errors(answer)) == [field]
    assert not User.objects.filter(username="zhao").exists()


# Names


@pytest.mark.parametrize(
    ("name", "last", "first"),
    [
        ("张三", "张", "三"),
        ("欧阳修", "欧阳", "修"),
        ("欧阳", "欧", "阳"),
        ("Zhang San", "Zhang", "San"),
        ("阿不都·买买提", "阿不都·买买提", ""),
        ("李", "李", ""),
    ],
)
def test_a_name_has_the_family_name_first(name, last, first):
    assert split_name(name) == (last, first)
    assert full_name(last, first) == name


# Handing over


def hand_over(browser, to, *people, ends=False):
    sent = {
        "action": "hand_over_and_end" if ends else "hand_over",
        "to": to.username,
        "post": "yes",
        "_selected_action": [user.pk for user in people],
    }
    return browser.post(desk(User, "changelist"), sent, follow=True)


@pytest.fixture
def office():
    return make_department()


def drafts_of(user, office):
    measure = make_measure(lead=office)
    return [
        make_note(measure=measure, entered_by=user, changed_by=user),
        make_observation(
            indicator=make_indicator(measure=measure), entered_by=user, changed_by=user
        ),
    ]


def test_whoever_leaves_hands_over_the_open_work_in_one_step(administrator, office):
    li = make_staff(EDITOR, username="li", departments=[office])
    wang = make_staff(EDITOR, username="wang", departments=[office])
    rows = drafts_of(li, office)
    assert messages(hand_over(administrator, wang, li, ends=True)) == ["2 rows went over."]
    for row in rows:
        row.refresh_from_db()
        assert row.entered_by == wang
    li.refresh_from_db()
    assert not li.is_active
    events = TrailEvent.objects.filter(action=Action.HANDED_OVER)
    assert {(event.before, event.after) for event in events} == {("录入人: li", "录入人: wang")}
    assert open_work([li]) == []


def test_handing_over_asks_once(administrator, office):
    li = make_staff(EDITOR, username="li", departments=[office])
    wang = make_staff(EDITOR, username="wang", departments=[office])
    rows = drafts_of(li, office)
    sent = {"action": "hand_over", "to": "wang", "_selected_action": [li.pk]}
    page = administrator.post(desk(User, "changelist"), sent)
    html = page.content.decode()
    assert "Hand over the open work of these accounts?" in html
    for name, value in [*sent.items(), ("post", "yes")]:
        value = value[0] if isinstance(value, list) else value
        assert f'name="{name}" value="{value}"' in html
    rows[0].refresh_from_db()
    assert (rows[0].entered_by, open_work([wang])) == (li, [])


def test_work_goes_over_only_to_somebody_who_can_go_on_with_it(administrator, office):
    li = make_staff(EDITOR, username="li", departments=[office])
    other = make_staff(EDITOR, username="wang", departments=[make_department()])
    rows = drafts_of(li, office)
    (text,) = messages(hand_over(administrator, other, li))
    assert text.startswith("wang cannot go on with 1 of these rows")
    rows[0].refresh_from_db()
    assert rows[0].entered_by == li


def test_a_reviewer_who_stays_hands_nothing_over_to_publish_it_later(administrator, office):
    li = make_staff(EDITOR, REVIEWER, username="li", departments=[office])
    wang = make_staff(EDITOR, username="wang", departments=[office])
    drafts_of(li, office)
    (text,) = messages(hand_over(administrator, wang, li))
    assert text.startswith("li is a reviewer")
    assert messages(hand_over(administrator, wang, li, ends=True)) == ["2 rows went over."]


def test_somebody_who_changes_department_is_told_of_open_work(administrator, office):
    li = make_staff(EDITOR, username="li", departments=[office])
    drafts_of(li, office)
    page = administrator.get(desk(li, "change"))
    sent = {
        "username": "li", "is_active": "on", "is_staff": "on", "groups": groups(EDITOR),
        "departments": [make_department().pk], "seen": page.context["seen"],
    }  # fmt: skip
    page = administrator.post(desk(li, "change"), sent, follow=True)
    assert any("2 rows of this account are still open" in text for text in messages(page))
