from datetime import timedelta
from io import StringIO
from smtplib import SMTPRecipientsRefused

import pytest
from django.core.mail import EmailMessage
from django.core.management import CommandError, call_command
from django.utils import timezone

from measures import workflow
from measures.access import EDITOR, REVIEWER
from measures.models import TrailEvent
from measures.tests.factories import make_department, make_measure, make_round, make_staff
from metrics.rules.choices import Frequency
from metrics.tests.factories import make_indicator, make_observation

pytestmark = pytest.mark.django_db


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
    assert "1 digests sent" in remind()
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
    assert "0 digests sent" in remind()
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
    with pytest.raises(CommandError, match="1 digests could not be sent"):
        remind()
    assert [mail.to for mail in mailoutbox] == [[other.email]]
    reminded = TrailEvent.objects.filter(action="reminded")
    assert list(reminded.values_list("subject_code", flat=True)) == [str(other.pk)]

    monkeypatch.setattr(EmailMessage, "send", send)
    assert "1 digests sent" in remind()
    assert mailoutbox[-1].to == [editor.email]


def test_a_dry_run_prints_and_sends_nothing(mailoutbox, editor, indicator):
    a_round(due_in_days=5, name="本期填报")
    assert "本期填报" in remind(dry_run=True)
    assert not mailoutbox
    assert not TrailEvent.objects.filter(action="reminded").exists()


def test_nobody_is_bothered_when_nothing_waits(mailoutbox, editor):
    assert "0 digests sent" in remind()
    assert not mailoutbox


def test_who_has_no_address_is_named(mailoutbox, editor, indicator):
    editor.email = ""
    editor.save()
    a_round(due_in_days=5)
    assert f"{editor.username} has no address" in remind()
