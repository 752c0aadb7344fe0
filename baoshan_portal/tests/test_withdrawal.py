"""What was public and is withdrawn: by two persons, with a reason, for good and in plain view."""

import re
from datetime import date

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from baoshan_portal.public.changes.states import state_changes
from baoshan_portal.tests import runs_once
from baoshan_portal.tests.desk import browser_of, desk, take_step
from baoshan_portal.tests.pages import rows_of
from measures import workflow
from measures.access import EDITOR, REVIEWER, STEWARD
from measures.models import Measure, TrailEvent, Withdrawal
from measures.submission import State, end_of_day
from measures.tests.factories import (
    ISSUED,
    make_department,
    make_measure,
    make_note,
    make_report,
    make_section,
    make_staff,
    make_theme,
    make_user,
)
from measures.workflow import TransitionError
from metrics.models import Check, Indicator, Observation
from metrics.rules.checks import Role
from metrics.tests.factories import (
    make_check,
    make_indicator,
    make_observation,
    make_target,
    make_term,
    make_withdrawal,
)
from metrics.withdrawal import withdraw

pytestmark = [pytest.mark.django_db, pytest.mark.long]

BEFORE, FELL, AFTER = date(2023, 8, 31), date(2023, 9, 1), date(2023, 9, 1)


@pytest.fixture
def office():
    return make_department()


@pytest.fixture
def indicator(office):
    section = make_section(order=1, opinion=make_report().opinion)
    measure = make_measure(lead=office, theme=make_theme(section=section))
    return make_indicator(measure=measure, name="新增企业", name_en="New enterprises")


def words(client, address, **query) -> str:
    answer = client.get(address, query)
    assert answer.status_code == 200, address
    text = answer.content.decode() if not answer.streaming else answer.getvalue().decode()
    return " ".join(re.sub("<[^>]*>", " ", text).split())


def lines(client, name, **query) -> list[dict]:
    return rows_of(client.get(f"/data/{name}.csv", query).getvalue().decode())


@pytest.mark.parametrize(
    "make", [make_observation, make_target, make_note], ids=["value", "target", "note"]
)
def test_what_is_withdrawn_stood_until_then(make):
    row = make(published=ISSUED)
    make_withdrawal(row, published=FELL)
    rows = type(row).objects

    assert list(rows.published(BEFORE)) == [row]
    assert list(rows.published(AFTER)) == list(rows.published()) == []
    (then,) = rows.versions(end_of_day(BEFORE))
    assert (then.withdrawn_at, then.replaced_at) == (None, None)
    (now,) = rows.versions()
    assert now.withdrawn_at == now.replaced_at == Withdrawal.objects.get().published_at
    assert now.replaced_because == "误报。"


def test_a_draft_of_a_withdrawal_withdraws_nothing():
    row = make_observation(published=ISSUED)
    make_withdrawal(row, state=State.SUBMITTED)

    assert list(Observation.objects.published()) == [row]


def test_the_reason_is_told_in_the_language_of_its_reader():
    row = make_observation(published=ISSUED)
    make_withdrawal(row, published=FELL, reason="误报。", reason_en="Told in error.")

    with translation.override("en"):
        assert Observation.objects.versions().get().replaced_because == "Told in error."


def test_an_indicator_falls_with_its_measure_and_a_check_with_its_indicators(indicator):
    whole = make_indicator(measure=make_measure())
    check = make_check()
    make_term(check_of=check, role=Role.PART, indicator=indicator)
    make_term(check_of=check, role=Role.WHOLE, indicator=whole)
    make_withdrawal(indicator.measure, published=FELL)

    for rows, row in (
        (Measure.objects, indicator.measure),
        (Indicator.objects, indicator),
        (Check.objects, check),
    ):
        assert row in rows.published(BEFORE)
        assert row not in rows.published(AFTER)
        assert row not in rows.published()
    assert whole in Indicator.objects.published()


def test_a_withdrawn_check_leaves_its_indicators_alone(client, indicator):
    check = make_check(name="部分", name_en="Part")
    make_term(check_of=check, role=Role.PART, indicator=indicator)
    make_withdrawal(check, published=FELL)

    assert not Check.objects.published().exists()
    assert indicator in Indicator.objects.published()
    assert "已撤回" in (page := words(client, "/checks/")) and "误报。" in page
    assert "误报。" not in words(client, "/checks/", as_of=BEFORE.isoformat())


def test_a_correction_may_follow_a_withdrawal_and_stands_in_its_place():
    row = make_observation(published=ISSUED)
    make_withdrawal(row, published=FELL)
    again = make_observation(
        published=date(2023, 10, 1), indicator=row.indicator, source_name=row.source_name,
        supersedes=row, revision=2, correction_reason="核实后更正", value=6,
    )  # fmt: skip

    assert list(Observation.objects.published(BEFORE)) == [row]
    assert list(Observation.objects.published(date(2023, 9, 30))) == []
    assert list(Observation.objects.published()) == [again]
    old = Observation.objects.versions().get(pk=row.pk)
    assert (old.replaced_at, old.replaced_because) == (old.withdrawn_at, "误报。")


def test_a_withdrawn_correction_does_not_bring_back_what_it_replaced():
    row = make_observation(published=ISSUED)
    again = make_observation(
        published=BEFORE, indicator=row.indicator, source_name=row.source_name,
        supersedes=row, revision=2, correction_reason="x", value=6,
    )  # fmt: skip
    make_withdrawal(again, published=FELL)

    assert not Observation.objects.published().exists()


# Pages and files


@runs_once.PAGES
def test_a_withdrawn_value_is_told_on_the_page_of_its_indicator_and_counted_nowhere(
    client, indicator
):
    make_observation(indicator=indicator, published=ISSUED, value=253)
    row = Observation.objects.get()
    make_withdrawal(row, published=FELL, reason="重复统计。")

    page = words(client, indicator.get_absolute_url())
    assert "253" in page and "重复统计。" in page and "撤回" in page
    assert "重复统计。" not in words(client, indicator.get_absolute_url(), as_of=BEFORE.isoformat())
    assert lines(client, "observations") == []
    assert len(lines(client, "observations", as_of=BEFORE.isoformat())) == 1
    (line,) = lines(client, "indicators")
    assert line["latest_value"] == ""


@runs_once.PAGES
@pytest.mark.parametrize("kind", ["indicator", "measure"])
def test_the_page_of_what_is_withdrawn_stays_and_says_since_when_and_why(client, indicator, kind):
    make_observation(indicator=indicator, published=ISSUED, value=98_765)
    row = indicator if kind == "indicator" else indicator.measure
    make_withdrawal(row, published=FELL, reason="口径不成立。")

    page = words(client, row.get_absolute_url())
    assert "2023年9月1日" in page and "口径不成立。" in page
    assert "98,765" not in page
    assert "98,765" in words(client, row.get_absolute_url(), as_of=BEFORE.isoformat())
    # An indicator falls with its measure, for the same reason.
    assert "口径不成立。" in words(client, indicator.get_absolute_url())
    assert client.get(f"{indicator.get_absolute_url()}chart.svg").status_code == 404
    for name in ("observations", "indicators"):
        assert lines(client, name) == []
        assert len(lines(client, name, as_of=BEFORE.isoformat())) == 1
    (measure,) = lines(client, "measures") or [{"indicators": "0"}]
    assert measure["indicators"] == "0"
    assert indicator.name not in words(client, "/indicators/")
    for address in ("/", "/packs/", "/compare/enterprises/", indicator.measure.theme.section):
        address = address if isinstance(address, str) else address.get_absolute_url()
        assert "98,765" not in words(client, address)


@runs_once.PAGES
def test_a_withdrawn_note_is_told_below_those_that_stand(client, indicator):
    note = make_note(measure=indicator.measure, published=ISSUED, text="已完成选址。")
    make_withdrawal(note, published=FELL, reason="尚未选址。")

    page = words(client, indicator.measure.get_absolute_url())
    assert "尚未选址。" in page
    assert lines(client, "measures")[0]["latest_note_on"] == ""


@runs_once.PAGES
def test_changes_and_feeds_tell_a_withdrawal(client, indicator):
    make_observation(indicator=indicator, published=ISSUED, value=253)
    target = make_target(indicator=indicator, published=ISSUED)
    make_withdrawal(Observation.objects.get(), published=FELL, reason="重复统计。")
    make_withdrawal(target, published=FELL, reason="计划已废止。")

    page = words(client, "/changes/", **{"from": BEFORE.isoformat(), "to": AFTER.isoformat()})
    assert "重复统计。" in page and "计划已废止。" in page and "新增企业 253家" in page
    for feed in ("", f"measure/{indicator.measure.code}/", f"indicator/{indicator.code}/"):
        text = words(client, f"/changes/feed/{feed}")
        assert "重复统计。" in text and "计划已废止。" in text


def test_the_feed_of_an_indicator_tells_that_its_measure_was_withdrawn(client, indicator):
    make_withdrawal(indicator.measure, published=FELL, reason="措施不成立。")

    assert "措施不成立。" in words(client, f"/changes/feed/indicator/{indicator.code}/")


def test_what_fell_has_no_state_any_more(indicator):
    make_observation(indicator=indicator, published=ISSUED, value=253)
    make_target(indicator=indicator, published=ISSUED)
    check = make_check()
    make_term(check_of=check, role=Role.PART, indicator=indicator)
    early = date(2023, 7, 1)
    assert len(state_changes(early, BEFORE)) == 2
    make_withdrawal(check, published=FELL)
    assert len(state_changes(early, AFTER)) == 1
    make_withdrawal(indicator, published=FELL)
    assert state_changes(early, AFTER) == []
    assert len(state_changes(early, BEFORE)) == 2


@runs_once.QUERIES
def test_withdrawals_cost_no_query_a_row(client, indicator):
    def fill(n):
        for day in range(n):
            value = make_observation(indicator=indicator, published=ISSUED, value=day + 1)
            make_withdrawal(value, published=FELL)
            note = make_note(measure=indicator.measure, published=ISSUED)
            make_withdrawal(note, published=FELL)

    def cost(address):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(address)
        return len(queries)

    addresses = [
        "/", "/changes/?from=2023-07-01", "/changes/feed/", "/checks/",
        indicator.get_absolute_url(), indicator.measure.get_absolute_url(),
    ]  # fmt: skip
    fill(1)
    few = {address: cost(address) for address in addresses}
    fill(5)
    assert {address: cost(address) for address in addresses} == few


# Two persons


def test_a_withdrawal_is_begun_by_one_person_and_published_by_another(office, indicator):
    row = make_observation(indicator=indicator, published=ISSUED)
    clerk = make_staff(EDITOR, departments=[office])
    browser = browser_of(clerk)

    take_step(browser, row, "withdraw", reason="重复统计。", reason_en="Counted twice.")

    (draft,) = Withdrawal.objects.all()
    assert (draft.state, draft.subject_code, draft.entered_by) == (State.SUBMITTED, row.code, clerk)
    assert draft.subject_name_en.startswith("New enterprises 5")
    with pytest.raises(PermissionDenied):
        workflow.publish(draft, by=clerk)
    assert list(Observation.objects.published()) == [row]
    reviewer = browser_of(make_staff(REVIEWER))
    queue = reviewer.get("/en/admin/review/").content.decode()
    assert "重复统计。" in queue and "Counted twice." in queue
    token = f"withdrawal:{draft.pk}:{draft.version}"
    reviewer.post("/en/admin/review/", {"row": [token]})
    draft.refresh_from_db()
    assert draft.state == State.PUBLISHED
    assert not Observation.objects.published().exists()
    assert set(TrailEvent.objects.values_list("action", flat=True)) >= {
        "entered", "submitted", "published",
    }  # fmt: skip
    assert "Counted twice." in TrailEvent.objects.get(action="published").after


def test_what_is_withdrawn_or_about_to_be_is_not_withdrawn_again(office, indicator):
    row = make_observation(indicator=indicator, published=ISSUED)
    steward = make_staff(STEWARD)
    withdraw(row, by=steward, reason="误报")

    with pytest.raises(TransitionError, match="撤回"):
        withdraw(row, by=make_user(), reason="误报")
    assert take_step(browser_of(steward), row, "withdraw", reason="误报").status_code == 403


def test_a_withdrawal_that_comes_second_is_not_published(indicator):
    row = make_observation(indicator=indicator, published=ISSUED)
    draft = withdraw(row, by=make_user(), reason="误报")
    make_observation(
        published=FELL, indicator=row.indicator, source_name=row.source_name,
        supersedes=row, revision=2, correction_reason="x", value=6,
    )  # fmt: skip

    with pytest.raises(TransitionError, match="更正"):
        workflow.publish(draft, by=make_user())


def test_a_draft_is_not_withdrawn_and_a_withdrawal_says_why():
    with pytest.raises(TransitionError):
        withdraw(make_observation(), by=make_user(), reason="误报")
    with pytest.raises(TransitionError):
        withdraw(make_observation(published=ISSUED), by=make_user(), reason=" \u200b")
    assert not Withdrawal.objects.exists()


@pytest.mark.parametrize("kind", ["measure", "indicator", "check"])
@runs_once.FORMS
def test_a_steward_withdraws_the_structure_by_a_button(indicator, kind):
    check = make_check()
    make_term(check_of=check, role=Role.PART, indicator=indicator)
    row = {"measure": indicator.measure, "indicator": indicator, "check": check}[kind]
    browser = browser_of(make_staff(STEWARD))

    assert "../withdraw/" in browser.get(desk(row, "change")).content.decode()
    answer = browser.post(desk(row, "withdraw"), {"reason": "不成立。"}, follow=True)

    assert answer.status_code == 200
    draft = Withdrawal.objects.get()
    assert (draft.subject_type, draft.subject_code, draft.state) == (kind, row.code, "submitted")
    assert "../withdraw/" not in browser.get(desk(row, "change")).content.decode()
    workflow.publish(draft, by=make_user())
    assert not type(row).objects.published().filter(pk=row.pk).exists()


def test_the_reason_of_a_withdrawal_can_be_worded_anew_in_public(client, indicator):
    row = make_observation(indicator=indicator, published=ISSUED)
    first = make_withdrawal(row, published=FELL, reason="误报。")
    again = make_withdrawal(
        row, published=date(2023, 10, 1), reason="重复统计。", supersedes=first, revision=2,
        correction_reason="理由不准确",
    )  # fmt: skip

    (old,) = Observation.objects.versions()
    assert old.withdrawn_at == first.published_at
    assert old.replaced_because == again.reason
    assert not Observation.objects.published().exists()


# The database


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"reason": ""}, "withdrawal_has_reason"),
        ({"subject_code": ""}, "withdrawal_has_subject"),
        ({"subject_type": "unit"}, "withdrawal_has_subject"),
    ],
)
def test_the_database_refuses_a_withdrawal_of_nothing_or_without_a_reason(fields, name):
    good = make_withdrawal(make_note(published=ISSUED))
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        Withdrawal.objects.filter(pk=good.pk).update(**fields)


def test_the_database_refuses_a_second_withdrawal():
    row = make_note(published=ISSUED)
    make_withdrawal(row)
    with pytest.raises(IntegrityError), transaction.atomic():
        make_withdrawal(row)


def test_a_published_withdrawal_is_neither_changed_nor_deleted():
    row = make_withdrawal(make_note(published=ISSUED), published=FELL)
    for act in (Withdrawal.objects.all().delete, lambda: Withdrawal.objects.update(reason="x")):
        with pytest.raises(IntegrityError), transaction.atomic():
            act()
    assert Withdrawal.objects.get() == row
