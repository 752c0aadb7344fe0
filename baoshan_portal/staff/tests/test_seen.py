"""Who saves second over the same row is told both texts, and nothing of theirs is stored."""

import pytest
from django.contrib import admin
from django.db import IntegrityError

from baoshan_portal.tests.desk import browser_of, desk, errors, filled_in
from measures import workflow
from measures.models import Department, ProgressNote, RoundUnlock
from measures.tests.factories import (
    make_department,
    make_measure,
    make_note,
    make_report,
    make_round,
    make_superuser,
    make_theme,
    make_user,
    reword,
)
from metrics.models import Indicator
from metrics.tests.factories import make_indicator, make_plan, make_unit, make_whole_check

pytestmark = [pytest.mark.django_db, pytest.mark.english, pytest.mark.long]


@pytest.fixture
def two():
    """The browsers of two people who may do everything."""
    return browser_of(make_superuser()), browser_of(make_superuser())


DRAFTS = {
    "measure": lambda: (make_measure(published_on=None), "name"),
    "indicator": lambda: (make_indicator(published_on=None), "name"),
    "round": lambda: (make_round(), "name"),
    "account": lambda: (make_user(), "last_name"),
}
PUBLIC = {
    "measure": lambda: (make_measure(), "name"),
    "indicator": lambda: (make_indicator(), "name"),
    "check": lambda: (make_whole_check(), "name"),
    "report": lambda: (make_report(), "name"),
    "department": lambda: (make_department(), "name"),
    "theme": lambda: (make_theme(), "name"),
    "plan": lambda: (make_plan(), "name"),
    "unit": lambda: (make_unit(), "name_en"),
}


@pytest.mark.parametrize("kind", DRAFTS)
def test_who_saves_second_is_told_both_texts(two, kind):
    row, field = DRAFTS[kind]()
    address = desk(row, "change")
    first, second = (filled_in(browser.get(address)) for browser in two)

    assert two[0].post(address, first | {field: "甲"}).status_code == 302
    refused = two[1].post(address, second | {field: "乙"})

    (sentence,) = errors(refused)["__all__"]
    assert "now “甲”, yours “乙”" in sentence
    row.refresh_from_db()
    assert getattr(row, field) == "甲"
    assert refused.context["adminform"].form[field].value() == "乙"

    # To send it again is to decide so.
    assert two[1].post(address, filled_in(refused)).status_code == 302
    row.refresh_from_db()
    assert getattr(row, field) == "乙"


@pytest.mark.parametrize("kind", PUBLIC)
def test_a_change_that_was_published_meanwhile_is_not_undone(two, kind):
    row, field = PUBLIC[kind]()
    address = desk(row, "change")
    seen = filled_in(two[0].get(address))
    reword(row, **{field: "甲"})

    refused = two[0].post(address, seen | {field: "乙"})

    assert "now “甲”, yours “乙”" in errors(refused)["__all__"][0]


def test_who_belongs_to_an_office_is_not_overwritten(two):
    office, clerk = make_department(), make_user()
    address = desk(office, "change")
    seen = filled_in(two[0].get(address))
    office.members.add(clerk)

    refused = two[0].post(address, seen | {"members": []})

    assert "Somebody else saved this row" in errors(refused)["__all__"][0]
    assert list(Department.objects.get(pk=office.pk).members.all()) == [clerk]


def test_a_form_that_does_not_say_what_was_seen_is_refused(two):
    row = make_round()
    address = desk(row, "change")
    sent = filled_in(two[0].get(address))
    del sent["seen"]
    assert "Somebody else saved this row" in errors(two[0].post(address, sent))["__all__"][0]


def test_a_stale_unlock_form_ends_in_a_sentence(two):
    round_, office = make_round(locked=True), make_department()
    address = desk(round_, "change")
    unlock = {
        "unlocks-TOTAL_FORMS": 1,
        "unlocks-0-round": round_.pk,
        "unlocks-0-department": office.pk,
        "unlocks-0-reason": "数据晚到",
    }
    first, second = (filled_in(browser.get(address)) | unlock for browser in two)

    assert two[0].post(address, first).status_code == 302
    assert two[1].post(address, second).status_code == 200
    assert RoundUnlock.objects.count() == 1


def test_a_draft_that_was_deleted_meanwhile_is_not_saved(two):
    note = make_note()
    address = desk(note, "change")
    seen = filled_in(two[0].get(address))
    workflow.delete(note, by=make_user())

    answer = two[0].post(address, seen | {"text": "开园"}, follow=True)

    assert answer.status_code == 404
    assert "Somebody deleted this row meanwhile" in answer.content.decode()
    assert "开园" in answer.content.decode()
    assert not ProgressNote.objects.exists()


@pytest.mark.parametrize("make", [make_note, make_indicator, make_round])
def test_what_somebody_else_stored_at_the_same_moment_ends_in_a_sentence(two, make, monkeypatch):
    row = make() if make is not make_indicator else make(published_on=None)
    address = desk(row, "change")
    sent = filled_in(two[0].get(address))

    def too_late(*args, **kwargs):
        raise IntegrityError("UNIQUE constraint failed")

    monkeypatch.setattr(type(admin.site._registry[type(row)]), "save_model", too_late)
    answer = two[0].post(address, sent, follow=True)

    assert answer.status_code == 200
    assert errors(answer)["__all__"] == [
        "Somebody else saved the same meanwhile, so nothing was saved; look again."
    ]


def test_every_form_of_ours_says_what_was_seen():
    from ..admin.seen import SaysWhatWasSeen
    from ..admin.submissions import SubmissionAdmin

    ours = {
        model.__name__
        for model, model_admin in admin.site._registry.items()
        if not isinstance(model_admin, (SaysWhatWasSeen, SubmissionAdmin))
    }
    # These are only looked at.
    assert ours == {"TableMapping", "TrailEvent"}
    assert isinstance(admin.site._registry[Indicator], SaysWhatWasSeen)
