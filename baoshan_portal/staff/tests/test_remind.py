from datetime import timedelta
from io import StringIO
from smtplib import SMTPRecipientsRefused

import pytest
from django.core.mail import EmailMessage
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from baoshan_portal.tests import runs_once
from measures import workflow
from measures.access import EDITOR, REVIEWER
from measures.models import Mailed, TrailEvent
from measures.tests.factories import (
    make_department,
    make_measure,
    make_note,
    make_round,
    make_staff,
    make_superuser,
)
from metrics.rules.choices import Frequency
from metrics.tests.factories import make_indicator, make_observation

pytestmark = [pytest.mark.django_db, runs_once.MAILS, pytest.mark.long]


@pytest.fixture
def department():
    return make_department(name="区科委")


@pytest.fixture
def editor(department):
    return make_staff(EDITOR, departments=[department], email="editor@example.cn")


@pytest.fixture
def indicator(department):
    measure = make_measure(lead=department)
    return make_indicator(measure=measure, name="高企总数", frequency=Frequency.MONTHLY)


def a_round(due_in_days, **fields):
    today = timezone.localdate()
    end = today.replace(day=1) - timedelta(days=1)
    return make_round(
        period_start=end.replace(day=1),
        period_end=end,
        opens_on=today - timedelta(days=30),
        due_on=today + timedelta(days=due_in_days),
        **fields,
    )


def remind(**options) -> str:
    out = StringIO()
    call_command("remind", stdout=out, stderr=out, **options)
    return out.getvalue()


def test_an_editor_gets_one_mail_about_what_is_due(mailoutbox, editor, indicator):
    round_ = a_round(due_in_days=5, name="本期填报")
    assert "1 mails sent" in remind()
    (mail,) = mailoutbox
    assert mail.to == ["editor@example.cn"]
    assert "本期填报" in mail.body
    assert f"http://127.0.0.1:8000/admin/entry/{round_.code}/" in mail.body


def test_overdue_is_told_apart_from_due(mailoutbox, editor, indicator):
    a_round(due_in_days=-1)
    remind()
    assert "逾期" in mailoutbox[0].body


def test_a_returned_row_is_told_with_its_reason(mailoutbox, editor, indicator):
    reviewer = make_staff(REVIEWER)
    row = make_observation(indicator=indicator, entered_by=editor, changed_by=editor)
    workflow.submit(row, by=editor)
    workflow.send_back(row, by=reviewer, reason="口径与上期不一致")
    remind()
    assert "口径与上期不一致" in mailoutbox[0].body


def test_a_reviewer_is_told_what_waits(mailoutbox, editor, indicator):
    make_staff(REVIEWER, email="reviewer@example.cn")
    row = make_observation(indicator=indicator, entered_by=editor, changed_by=editor)
    workflow.submit(row, by=editor)
    remind()
    assert [mail.to for mail in mailoutbox] == [["reviewer@example.cn"]]
    assert "区科委" in mailoutbox[0].body


def test_running_it_twice_sends_nothing_more(mailoutbox, editor, indicator):
    a_round(due_in_days=5)
    remind()
    assert "0 mails sent" in remind()
    assert len(mailoutbox) == 1
    assert TrailEvent.objects.filter(action="reminded").count() == 1


def test_an_address_that_is_refused_keeps_nobody_else_waiting(
    mailoutbox, department, editor, indicator, monkeypatch
):
    other = make_staff(EDITOR, departments=[department], email="other@example.cn")
    a_round(due_in_days=5)
    send = EmailMessage.send

    def send_to_others(mail, **options):
        if mail.to == [editor.email]:
            raise SMTPRecipientsRefused({editor.email: (550, b"no such user")})
        return send(mail, **options)

    monkeypatch.setattr(EmailMessage, "send", send_to_others)
    with pytest.raises(CommandError, match="1 mails could not be sent"):
        remind()
    assert [mail.to for mail in mailoutbox] == [[other.email]]
    reminded = TrailEvent.objects.filter(action="reminded")
    assert list(reminded.values_list("subject_code", flat=True)) == [str(other.pk)]

    monkeypatch.setattr(EmailMessage, "send", send)
    assert "1 mails sent" in remind()
    assert mailoutbox[-1].to == [editor.email]


def test_a_dry_run_prints_and_sends_nothing(mailoutbox, editor, indicator):
    a_round(due_in_days=5, name="本期填报")
    assert "本期填报" in remind(dry_run=True)
    assert not mailoutbox
    assert not TrailEvent.objects.filter(action="reminded").exists()


def test_nobody_is_bothered_when_nothing_waits(mailoutbox, editor):
    assert "0 mails sent" in remind()
    assert not mailoutbox


def test_who_has_no_address_is_named(mailoutbox, editor, indicator):
    editor.email = ""
    editor.save()
    a_round(due_in_days=5)
    assert f"{editor.username} has no address" in remind()


# What is new, day by day


def days_pass(days: int = 1) -> None:
    """As if what was mailed had been mailed so many days earlier."""
    for row in Mailed.objects.all():
        row.at -= timedelta(days=days)
        row.save()


@pytest.fixture
def quiet(mailoutbox, editor, indicator):
    """The weekly mail went out yesterday, and nothing has happened since."""
    round_ = a_round(due_in_days=20)
    remind()
    mailoutbox.clear()
    days_pass()
    return round_


def returned(indicator, editor, reason="口径与上期不一致"):
    row = make_observation(indicator=indicator, entered_by=editor, changed_by=editor)
    workflow.submit(row, by=editor)
    workflow.send_back(row, by=make_staff(REVIEWER), reason=reason)
    return row


def test_a_day_without_news_brings_no_mail(quiet, mailoutbox):
    assert "0 mails sent" in remind()
    assert not mailoutbox


def test_a_round_that_opens_is_told_once(quiet, mailoutbox, department):
    round_ = a_round(due_in_days=20, name="新一期")
    assert "1 mails sent" in remind()
    (mail,) = mailoutbox
    assert "有什么新情况" in mail.subject
    assert "新一期" in mail.body
    assert f"http://127.0.0.1:8000/admin/entry/{round_.code}/{department.code}/" in mail.body
    days_pass()
    assert "0 mails sent" in remind()


def test_a_round_that_opens_tomorrow_or_asks_nothing_is_not_told(quiet, mailoutbox):
    tomorrow = timezone.localdate() + timedelta(days=1)
    make_round(opens_on=tomorrow, due_on=tomorrow)
    make_round(period_start=timezone.localdate(), period_end=timezone.localdate(),
               opens_on=timezone.localdate(), due_on=tomorrow)  # fmt: skip
    assert "0 mails sent" in remind()


def test_a_returned_row_is_told_the_next_day_and_again_if_it_comes_back_again(
    quiet, mailoutbox, editor, indicator
):
    row = returned(indicator, editor)
    remind()
    assert "口径与上期不一致" in mailoutbox[0].body
    days_pass()
    assert "0 mails sent" in remind()
    row.refresh_from_db()
    workflow.submit(row, by=editor)
    workflow.send_back(row, by=make_staff(REVIEWER), reason="仍缺清单")
    remind()
    assert "仍缺清单" in mailoutbox[1].body


def test_the_days_before_a_round_is_due_are_a_setting(quiet, mailoutbox, settings):
    settings.REMIND_DAYS_BEFORE_DUE = 19
    assert "0 mails sent" in remind()
    settings.REMIND_DAYS_BEFORE_DUE = 20
    remind()
    assert "即将到期" in mailoutbox[0].body
    days_pass()
    assert "0 mails sent" in remind()


def test_another_due_day_is_told_anew(quiet, mailoutbox):
    soon = timezone.localdate() + timedelta(days=2)
    type(quiet).objects.filter(pk=quiet.pk).update(due_on=soon)
    assert "1 mails sent" in remind()
    days_pass()
    type(quiet).objects.filter(pk=quiet.pk).update(due_on=soon - timedelta(days=1))
    assert "1 mails sent" in remind()


def test_whoever_handed_everything_in_is_left_alone(quiet, mailoutbox, indicator, settings):
    settings.REMIND_DAYS_BEFORE_DUE = 30
    make_observation(
        indicator=indicator, round=quiet, state="submitted", submitted_at=timezone.now()
    )
    assert "0 mails sent" in remind()


def test_several_things_of_a_day_are_one_mail_and_the_rest_comes_tomorrow(
    quiet, mailoutbox, editor, indicator
):
    a_round(due_in_days=2, name="新一期")
    returned(indicator, editor, reason="第一条")
    remind()
    (mail,) = mailoutbox
    assert "新一期" in mail.body and "第一条" in mail.body
    # Opened and due soon in one line.
    assert mail.body.count("新一期") == 1
    returned(indicator, editor, reason="第二条")
    assert "0 mails sent" in remind()
    days_pass()
    remind()
    assert "第二条" in mailoutbox[1].body
    assert "第一条" not in mailoutbox[1].body


def test_nothing_is_lost_while_the_mail_server_is_away(
    quiet, mailoutbox, editor, indicator, monkeypatch
):
    returned(indicator, editor)

    def send(mail, **options):
        raise ConnectionRefusedError(111, "Connection refused")

    with monkeypatch.context() as away:
        away.setattr(EmailMessage, "send", send)
        with pytest.raises(CommandError, match="1 mails could not be sent"):
            remind()
        days_pass()
        with pytest.raises(CommandError, match="1 mails could not be sent"):
            remind()
    assert "1 mails sent" in remind()
    assert "口径与上期不一致" in mailoutbox[0].body


def test_nothing_is_sent_while_a_transaction_is_open(quiet, editor, indicator, monkeypatch):
    returned(indicator, editor)
    depth, outside = [], len(connection.savepoint_ids)

    def send(mail, **options):
        depth.append(len(connection.savepoint_ids))

    monkeypatch.setattr(EmailMessage, "send", send)
    remind()
    assert depth == [outside]


def test_many_rows_that_come_back_are_counted_after_the_first_ten(
    quiet, mailoutbox, editor, indicator
):
    for number in range(12):
        returned(indicator, editor, reason=f"理由{number}。")
    remind()
    assert mailoutbox[0].body.count("理由") == 10
    assert "另有2条" in mailoutbox[0].body
    days_pass()
    assert "0 mails sent" in remind()


def test_accounts_that_are_not_active_and_other_departments_get_nothing(
    quiet, mailoutbox, editor, indicator
):
    editor.is_active = False
    editor.save()
    make_staff(EDITOR, departments=[make_department()], email="other@example.cn")
    a_round(due_in_days=20)
    make_note(measure=indicator.measure)
    assert "0 mails sent" in remind()


def test_a_superuser_of_no_department_is_told_of_no_sheet_day_by_day(quiet, mailoutbox):
    admin = make_superuser(email="admin@example.cn")
    Mailed.objects.create(person=admin, matter="digest", at=timezone.now() - timedelta(days=1))
    a_round(due_in_days=20)
    remind()
    assert [mail.to for mail in mailoutbox] == [["editor@example.cn"]]


def test_after_a_week_the_mail_holds_all_that_waits(quiet, mailoutbox, editor, indicator):
    days_pass(7)
    a_round(due_in_days=20, name="新一期")
    remind()
    (mail,) = mailoutbox
    assert "待办提醒" in mail.subject
    assert "新一期" in mail.body and str(quiet.name) in mail.body
    assert Mailed.objects.filter(person=editor, matter="digest").count() == 1


def test_what_was_mailed_is_forgotten_after_a_year_and_a_bit(quiet, editor):
    Mailed.objects.create(
        person=editor, matter="opened old", at=timezone.now() - timedelta(days=401)
    )
    a_round(due_in_days=20)
    remind()
    assert not Mailed.objects.filter(matter="opened old").exists()


def test_a_matter_is_told_to_a_person_once(editor):
    Mailed.objects.create(person=editor, matter="digest")
    with pytest.raises(IntegrityError), transaction.atomic():
        Mailed.objects.create(person=editor, matter="digest")
