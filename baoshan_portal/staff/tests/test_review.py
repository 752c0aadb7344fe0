"""The reviewer's queue: old beside new; publish what is on the screen, return with a reason."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from baoshan_portal.tests import runs_once
from baoshan_portal.tests.desk import browser_of, messages
from measures import workflow
from measures.access import ADMINISTRATOR, AUDITOR, EDITOR, REVIEWER, STEWARD
from measures.models import TrailEvent
from measures.submission import State, submissions
from measures.tests.factories import (
    ISSUED,
    make_department,
    make_measure,
    make_note,
    make_round,
    make_staff,
    make_superuser,
    make_user,
)
from measures.trail import Action
from metrics.rules.choices import Kind, Qualifier
from metrics.tests.factories import (
    make_indicator,
    make_no_figure,
    make_observation,
    make_plan,
    make_target,
    make_unit,
)

from ..review import page as review_page
from ..review.rows import KINDS

pytestmark = [pytest.mark.django_db, pytest.mark.long]

QUEUE = "/en/admin/review/"
PUBLISHING = (
    "metrics.publish_observation",
    "metrics.publish_target",
    "measures.publish_progressnote",
)
YEAR_2023 = {"period_start": date(2023, 1, 1), "period_end": date(2023, 12, 31)}


@pytest.fixture
def editor():
    return make_user(username="clerk")


@pytest.fixture
def reviewer():
    return make_staff(REVIEWER, username="head")


@pytest.fixture
def desk(reviewer):
    """The reviewer's browser."""
    return browser_of(reviewer)


def submitted(make, editor, **fields):
    moment = {"state": State.SUBMITTED, "submitted_at": timezone.now()}
    return make(**{"entered_by": editor, "changed_by": editor, **moment, **fields})


def test_everything_that_is_submitted_has_its_reviewers():
    assert set(KINDS.values()) == set(submissions())


def of_office(office, **fields):
    return make_indicator(measure=make_measure(lead=office), **fields)


def lines(response) -> list:
    return [line for _department, lines in response.context["groups"] for line in lines]


def tokens(response) -> list[str]:
    return [line.token for line in lines(response)]


def publish(client, *rows, address=QUEUE):
    return client.post(address, {"row": rows}, follow=True)


def state_of(row) -> str:
    row.refresh_from_db()
    return row.state


def return_address(row) -> str:
    return f"{QUEUE}{row._meta.model_name}/{row.pk}/return/"


# What the queue shows


@runs_once.PAGES
def test_the_queue_shows_old_and_new_side_by_side(desk, editor):
    indicator = make_indicator(unit=make_unit(name_en="firms"))
    make_observation(indicator=indicator, value=Decimal(5), published=ISSUED)
    row = submitted(
        make_observation, editor, indicator=indicator, value=Decimal(8), as_written="8家",
        note="含两家新设", evidence_url="https://example.org/8", **YEAR_2023,
    )  # fmt: skip

    response = desk.get(QUEUE)

    (line,) = lines(response)
    assert (line.row, line.about) == (row, str(indicator))
    assert (line.old, line.old_period) == ("5 firms", "year 2022")
    assert (line.new, line.new_period) == ("8 firms", "year 2023")
    assert (line.difference, line.growth) == ("+3 firms", "+60%")
    html = response.content.decode()
    for text in ("含两家新设", "https://example.org/8", "clerk", "8家", row.source_name):
        assert text in html


@runs_once.PAGES
def test_a_correction_stands_beside_the_value_that_it_supersedes(desk, editor):
    indicator = make_indicator()
    old = make_observation(indicator=indicator, value=Decimal(5), published=ISSUED)
    make_observation(indicator=indicator, value=Decimal(7), published=date(2024, 1, 5), **YEAR_2023)
    submitted(
        make_observation, editor, indicator=indicator, value=Decimal(4), supersedes=old,
        revision=2, correction_reason="重复计入",
    )  # fmt: skip

    response = desk.get(QUEUE)

    (line,) = lines(response)
    assert (line.old, line.difference) == ("5 organisations", "−1 organisations")
    assert "Correction: 重复计入" in response.content.decode()


def test_a_value_filled_in_late_is_compared_with_the_period_before_it(desk, editor):
    indicator = make_indicator()
    for year, value in ((2020, 3), (2022, 9)):
        period = {"period_start": date(year, 1, 1), "period_end": date(year, 12, 31)}
        make_observation(indicator=indicator, value=value, published=ISSUED, **period)
    period = {"period_start": date(2021, 1, 1), "period_end": date(2021, 12, 31)}
    submitted(make_observation, editor, indicator=indicator, value=4, **period)

    (line,) = lines(desk.get(QUEUE))

    assert (line.old, line.old_period) == ("3 organisations", "year 2020")


@runs_once.PAGES
def test_the_first_value_has_nothing_beside_it(desk, editor):
    submitted(make_observation, editor)

    (line,) = lines(desk.get(QUEUE))

    assert (line.old, line.difference, line.growth) == ("", "", "")


def test_targets_and_notes_wait_in_the_same_queue(desk, editor):
    target = make_target(published=ISSUED)
    note = make_note(published=ISSUED, text="开园")
    change = {"revision": 2, "correction_reason": "调整"}
    submitted(
        make_target, editor, indicator=target.indicator, plan=target.plan, supersedes=target,
        value=Decimal(12), **change,
    )  # fmt: skip
    submitted(make_note, editor, measure=note.measure, supersedes=note, text="闭园", **change)

    waiting = {line.kind: line for line in lines(desk.get(QUEUE))}

    assert waiting["target"].old == "≥ 10 organisations · no claim"
    assert waiting["target"].new == "≥ 12 organisations · no claim"
    assert waiting["target"].difference == "+2 organisations"
    assert (waiting["progressnote"].old, waiting["progressnote"].new) == ("开园", "闭园")


@runs_once.PAGES
def test_what_looks_wrong_is_said_beside_the_row(desk, editor):
    indicator = make_indicator()
    make_observation(indicator=indicator, value=Decimal(5), published=ISSUED)
    submitted(make_observation, editor, indicator=indicator, value=Decimal(50), **YEAR_2023)

    assert "Ten times the last value or more: 5 organisations" in desk.get(QUEUE).content.decode()


@runs_once.PAGES
def test_an_evidence_file_is_offered(desk, editor, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    row = submitted(make_observation, editor)
    row.evidence_file.save("a.pdf", ContentFile(b"%PDF"))

    (line,) = lines(desk.get(QUEUE))

    assert line.evidence_file.startswith(f"/en/admin/evidence/observation/{row.code}-")
    assert line.evidence_file.endswith("/a.pdf")
    assert desk.get(line.evidence_file).status_code == 200


DIFFERENCES = [
    (Kind.STOCK, "organisations", "200", "150", "−50 organisations", "−25%"),
    (Kind.STOCK, "organisations", "3", "4", "+1 organisations", "+33.33%"),
    (Kind.STOCK, "organisations", "0", "4", "+4 organisations", ""),
    (Kind.STOCK, "organisations", "4", "4", "unchanged", ""),
    (Kind.SHARE, "percentage", "40", "42.5", "+2.5 percentage points", ""),
    (Kind.GROWTH, "percentage", "10", "9", "−1 percentage points", ""),
    (Kind.RANK, "rank", "6", "4", "up 2 places", ""),
]


@runs_once.PAGES
def test_the_difference_is_in_the_words_of_its_kind(desk, editor):
    told = {}
    for kind, quantity, old, new, difference, growing in DIFFERENCES:
        indicator = make_indicator(kind=kind, unit=make_unit(quantity=quantity))
        make_observation(indicator=indicator, value=Decimal(old), published=ISSUED)
        row = submitted(
            make_observation, editor, indicator=indicator, value=Decimal(new), **YEAR_2023
        )
        told[row] = difference, growing

    found = {line.row: (line.difference, line.growth) for line in lines(desk.get(QUEUE))}

    assert found == told


@runs_once.PAGES
def test_the_difference_of_inexact_figures_is_itself_inexact(desk, editor):
    indicator = make_indicator()
    make_observation(
        indicator=indicator, value=Decimal(100), qualifier=Qualifier.ABOUT, published=ISSUED
    )
    submitted(make_observation, editor, indicator=indicator, value=Decimal(120), **YEAR_2023)

    (line,) = lines(desk.get(QUEUE))

    assert (line.difference, line.growth) == ("about +20 organisations", "about +20%")


QUARTER = {"period_start": date(2023, 1, 1), "period_end": date(2023, 3, 31)}
DAY = {"period_start": date(2023, 12, 31), "period_end": date(2023, 12, 31)}


@runs_once.PAGES
def test_a_quarter_or_a_day_is_not_compared_with_a_year(desk, editor):
    for kind, period in ((Kind.FLOW, QUARTER), (Kind.SHARE, DAY)):
        indicator = make_indicator(kind=kind)
        make_observation(indicator=indicator, value=100, published=ISSUED)
        submitted(make_observation, editor, indicator=indicator, value=20, **period)

    told = [(line.difference, line.growth) for line in lines(desk.get(QUEUE))]

    assert told == [("The periods differ in length, so nothing is subtracted.", "")] * 2


@runs_once.PAGES
def test_a_correction_that_moves_a_figure_to_another_indicator_is_not_compared(desk, editor):
    old = make_observation(published=ISSUED)
    submitted(
        make_observation, editor, indicator=make_indicator(), supersedes=old, revision=2,
        correction_reason="归错指标",
    )  # fmt: skip

    (line,) = lines(desk.get(QUEUE))

    assert (line.difference, line.growth) == ("of another indicator", "")


@runs_once.PAGES
def test_rows_are_grouped_by_the_department_that_leads(desk, editor):
    first, second = make_department(code="a"), make_department(code="b")
    for indicator in (make_indicator(), of_office(second), of_office(first), of_office(second)):
        submitted(make_observation, editor, indicator=indicator)

    groups = desk.get(QUEUE).context["groups"]

    assert [(department, len(rows)) for department, rows in groups] == [
        (first, 1),
        (second, 2),
        (None, 1),
    ]


def test_the_queue_is_filtered_by_department_and_round(desk, editor):
    office, quarter = make_department(code="office"), make_round(code="q3")
    both = submitted(make_observation, editor, indicator=of_office(office), round=quarter)
    in_round = submitted(make_note, editor, round=quarter)
    of_department = submitted(make_target, editor, indicator=of_office(office))

    def shown(query):
        return {line.row for line in lines(desk.get(QUEUE + query))}

    assert shown("") == {both, in_round, of_department}
    assert shown("?department=office") == {both, of_department}
    assert shown("?round=q3") == {both, in_round}
    assert shown("?department=office&round=q3") == {both}


@runs_once.FORMS
def test_an_unknown_filter_shows_nothing_and_says_so(desk, editor):
    submitted(make_observation, editor)

    for query in ("department=unknown", "round=unknown", "round=%00"):
        response = desk.get(f"{QUEUE}?{query}")

        assert response.status_code == 400, query
        assert lines(response) == [], query
        assert 'role="alert"' in response.content.decode(), query


@runs_once.FORMS
def test_an_impossible_page_number_is_not_found(desk):
    for page in ("2", "0", "-1", "abc", "9" * 30):
        assert desk.get(QUEUE, {"page": page}).status_code == 404, page


def test_only_what_was_submitted_waits(desk, editor):
    make_observation(entered_by=editor)
    make_observation(entered_by=editor, state=State.RETURNED, return_reason="缺证据")
    make_observation(published=ISSUED)

    response = desk.get(QUEUE)

    assert lines(response) == []
    assert "Nothing waits for your review." in response.content.decode()


# Who may


@runs_once.FORMS
def test_nobody_but_reviewers_has_a_queue(editor):
    row = submitted(make_observation, editor)
    for role in (EDITOR, STEWARD, AUDITOR, ADMINISTRATOR):
        client = browser_of(make_staff(role))

        assert client.get(QUEUE).status_code == 403, role
        assert client.post(QUEUE, {"row": [f"observation:{row.pk}:1"]}).status_code == 403, role
        assert client.get(return_address(row)).status_code == 403, role
        sent = {"seen": 1, "reason": "x"}
        assert client.post(return_address(row), sent).status_code == 403, role
        assert state_of(row) == State.SUBMITTED, role


@runs_once.RIGHTS
def test_the_public_is_asked_to_sign_in(client, editor):
    row = submitted(make_observation, editor)
    for address in (QUEUE, return_address(row)):
        assert client.get(address).status_code == 302
        assert client.post(address).status_code == 302


def limited(office):
    """Somebody who reviews for one department only."""
    return make_staff(permissions=PUBLISHING, departments=[office])


@runs_once.RIGHTS
def test_a_reviewer_of_one_department_reaches_nothing_of_another(editor):
    office = make_department()
    own = submitted(make_observation, editor, indicator=of_office(office))
    foreign = submitted(make_observation, editor, indicator=of_office(make_department()))
    client = browser_of(limited(office))

    assert [line.row for line in lines(client.get(QUEUE))] == [own]
    response = publish(client, f"observation:{foreign.pk}:1", f"observation:{own.pk}:1")
    assert messages(response) == [
        "A selected row no longer exists or is not yours to review.",
        "1 row was published.",
    ]
    assert client.get(return_address(foreign)).status_code == 404
    assert (state_of(own), state_of(foreign)) == (State.PUBLISHED, State.SUBMITTED)


def test_own_entries_are_listed_apart_and_somebody_else_must_review_them(editor):
    user = make_superuser()
    entered = submitted(make_observation, user)
    changed = submitted(make_note, editor, changed_by=user)
    client = browser_of(user)

    response = client.get(QUEUE)

    assert lines(response) == []
    assert {line.row for line in response.context["own"]} == {entered, changed}
    assert "Entered by you: somebody else must review it" in response.content.decode()
    assert 'name="row"' not in response.content.decode()
    response = publish(client, f"observation:{entered.pk}:1", f"progressnote:{changed.pk}:1")
    (sentence,) = messages(response)
    assert str(entered) in sentence and str(changed) in sentence
    assert sentence.endswith("Nobody publishes what they entered themselves.")
    assert client.get(return_address(entered)).status_code == 403
    assert (state_of(entered), state_of(changed)) == (State.SUBMITTED, State.SUBMITTED)


# Publishing


def test_what_is_ticked_is_published_and_the_rest_waits_on(desk, reviewer, editor):
    rows = [submitted(make, editor) for make in (make_observation, make_target, make_note)]
    left = submitted(make_observation, editor)
    shown = {line.row: line.token for line in lines(desk.get(QUEUE))}

    response = publish(desk, *(shown[row] for row in rows))

    assert messages(response) == ["3 rows were published."]
    assert [state_of(row) for row in rows] == [State.PUBLISHED] * 3
    assert {row.published_by for row in rows} == {reviewer}
    assert [line.row for line in lines(response)] == [left]


@pytest.mark.django_db(transaction=True)
def test_a_review_that_ends_in_the_middle_published_nothing(desk, editor, monkeypatch):
    rows = [submitted(make, editor) for make in (make_observation, make_note)]
    chosen = tokens(desk.get(QUEUE))
    publish_some, done = workflow.publish_all, []

    def killed(rows, *, by):
        if done:
            raise SystemExit  # As a process that is told to end.
        publish_some(rows, by=by)
        done.extend(rows)
        return {}

    monkeypatch.setattr(workflow, "publish_all", killed)
    with pytest.raises(SystemExit):
        publish(desk, *chosen)

    assert len(done) == 1
    assert [state_of(row) for row in rows] == [State.SUBMITTED] * 2


def test_many_rows_are_published_in_few_queries_each_with_its_event(desk, reviewer, editor):
    costs = []
    for count in (5, 60):
        indicator = make_indicator()
        rows = [submitted(make_observation, editor, indicator=indicator) for _ in range(count)]
        boxes = [f"observation:{row.pk}:1" for row in rows]
        with CaptureQueriesContext(connection) as queries:
            desk.post(QUEUE, {"row": boxes})
        costs.append(len(queries))
        assert {state_of(row) for row in rows} == {State.PUBLISHED}
        assert {(row.version, row.published_by) for row in rows} == {(2, reviewer)}
        events = TrailEvent.objects.filter(action=Action.PUBLISHED, actor=reviewer)
        told = dict(events.values_list("subject_code", "after"))
        assert all("5" in told[row.code] for row in rows)
    assert costs[0] == costs[1] < 30


def test_of_many_rows_those_that_cannot_be_published_are_named_and_the_others_are(
    desk, reviewer, editor
):
    tomorrow = timezone.localdate() + timedelta(days=1)
    good, mine, future, gone, changed = rows = [
        submitted(make_observation, editor),
        submitted(make_observation, reviewer),
        submitted(make_observation, editor, period_end=tomorrow),
        submitted(make_observation, editor),
        submitted(make_observation, editor),
    ]
    boxes = [f"observation:{row.pk}:1" for row in rows]
    workflow.recall(changed, by=editor)
    workflow.recall(gone, by=editor)
    workflow.delete(gone, by=editor)

    said = messages(publish(desk, *boxes, "observation:x:1", "nothing", "observation:99999:1"))

    assert said[-1] == "1 row was published."
    assert any("Nobody publishes what they entered themselves." in text for text in said)
    assert any(str(future) in text for text in said)
    assert any("no longer exists" in text for text in said)
    assert [state_of(row) for row in (good, mine, future, changed)] == [
        State.PUBLISHED, State.SUBMITTED, State.SUBMITTED, State.DRAFT,
    ]  # fmt: skip


def test_what_somebody_else_was_faster_with_is_refused_and_not_published_twice(editor, reviewer):
    slow, fast = (submitted(make_observation, editor) for _ in range(2))
    workflow.publish(type(fast).objects.get(pk=fast.pk), by=make_user())

    refused = workflow.publish_all([slow, fast], by=reviewer)

    assert list(refused) == [fast]
    assert isinstance(refused[fast], workflow.TransitionError)
    assert state_of(slow) == State.PUBLISHED
    with pytest.raises(TypeError):
        workflow.publish_all([make_no_figure()], by=reviewer)


@runs_once.STEPS
def test_one_row_is_published_alone_and_the_filter_stays(desk, editor):
    make_round(code="q3")
    row = submitted(make_observation, editor)

    response = publish(desk, f"observation:{row.pk}:1", address=f"{QUEUE}?round=q3")

    assert messages(response) == ["1 row was published."]
    assert response.redirect_chain == [(f"{QUEUE}?round=q3", 302)]


def test_a_figure_other_than_the_one_on_the_screen_is_not_published(desk, editor):
    stale, fresh = (submitted(make_observation, editor) for _ in range(2))
    shown = tokens(desk.get(QUEUE))
    workflow.send_back(stale, by=make_user(), reason="缺证据")
    stale.value = Decimal(999)
    workflow.save(stale, by=editor, seen=stale.version)
    workflow.submit(stale, by=editor)

    response = publish(desk, *shown)

    assert messages(response) == [
        f"Not published: {stale}. This row was changed meanwhile and is now "
        "“waiting for review”; look at it again.",
        "1 row was published.",
    ]
    assert (state_of(stale), state_of(fresh)) == (State.SUBMITTED, State.PUBLISHED)


@runs_once.PAGES
def test_rows_refused_for_one_reason_are_named_in_one_sentence(desk, editor):
    rows = [submitted(make_observation, editor) for _ in range(3)]
    shown = tokens(desk.get(QUEUE))
    for row in rows:
        workflow.publish(row, by=make_user())

    (sentence,) = messages(publish(desk, *shown))

    assert all(str(row) in sentence for row in rows)
    assert sentence.count("was changed meanwhile") == 1


@runs_once.FORMS
def test_a_row_that_somebody_else_published_is_named(desk, editor):
    row = submitted(make_observation, editor)
    shown = tokens(desk.get(QUEUE))
    other = make_user()
    workflow.publish(row, by=other)

    (message,) = messages(publish(desk, *shown))

    assert message.endswith("is now “published”; look at it again.")
    row.refresh_from_db()
    assert row.published_by == other


@runs_once.FORMS
def test_nothing_ticked_publishes_nothing_and_says_so(desk, editor):
    row = submitted(make_observation, editor)

    response = publish(desk)

    assert messages(response) == ["Nothing was selected, so nothing was published."]
    assert state_of(row) == State.SUBMITTED


#: What no box says.
TOKENS = ["", "x", "observation", "observation::", "user:1:1", "observation:x:1",
          "observation:99999999:1", "observation:" + "9" * 5000 + ":1",
          "observation:²:1"]  # fmt: skip


@runs_once.FORMS
def test_what_no_box_says_is_refused_by_a_sentence(desk):
    for token in TOKENS:
        assert messages(publish(desk, token)) == [
            "A selected row no longer exists or is not yours to review."
        ], token


@runs_once.FORMS
def test_a_box_ticked_twice_counts_once(desk, editor):
    row = submitted(make_observation, editor)
    token = f"observation:{row.pk}:1"

    assert messages(publish(desk, token, token)) == ["1 row was published."]


@runs_once.PAGES
def test_all_boxes_of_the_page_can_be_ticked_without_javascript(desk, editor):
    for _ in range(3):
        submitted(make_observation, editor)

    assert desk.get(QUEUE).content.decode().count(" checked") == 0
    assert desk.get(QUEUE, {"chosen": "all"}).content.decode().count(" checked") == 3


# Returning


@runs_once.STEPS
def test_a_row_is_returned_with_its_reason(desk, reviewer, editor):
    row = submitted(make_observation, editor)
    make_round(code="q3")
    address = f"{return_address(row)}?round=q3"
    assert lines_of_return(desk.get(address)) == [row]

    response = desk.post(address, {"seen": row.version, "reason": " 缺证据 "}, follow=True)

    assert response.redirect_chain == [(f"{QUEUE}?round=q3", 302)]
    assert messages(response) == [f"Returned: {row}"]
    assert (state_of(row), row.return_reason) == (State.RETURNED, "缺证据")
    event = TrailEvent.objects.get(action="returned")
    assert (event.actor, event.note) == (reviewer, "缺证据")


def test_what_was_returned_and_comes_again_says_why_it_was_returned(desk, reviewer, editor):
    row, other = (submitted(make_observation, editor) for _ in range(2))
    for reason in ("缺证据", "数字有误"):
        workflow.send_back(row, by=reviewer, reason=reason)
        workflow.submit(row, by=editor)

    lines = [line for _whose, lines in desk.get(QUEUE).context["groups"] for line in lines]
    assert {line.row: line.returned for line in lines} == {row: "数字有误", other: ""}
    for address in (QUEUE, return_address(row)):
        assert desk.get(address).content.decode().count("Returned before: 数字有误") == 1


def lines_of_return(response) -> list:
    return [line.row for line in response.context["lines"]]


@runs_once.FORMS
def test_a_missing_reason_is_an_error_at_the_field(desk, editor):
    row = submitted(make_observation, editor)
    said = {"reason": ["Whoever returns a row must say why."]}

    for blank in ("", "  ", "\n\u3000"):
        response = desk.post(return_address(row), {"seen": row.version, "reason": blank})

        html = response.content.decode()
        assert response.context["form"].errors == said, repr(blank)
        assert 'id="id_reason_error"' in html
        assert 'aria-invalid="true"' in html
        assert state_of(row) == State.SUBMITTED, repr(blank)


@runs_once.FORMS
def test_a_reason_for_a_row_changed_meanwhile_is_kept_and_can_be_sent_again(desk, editor):
    row = submitted(make_observation, editor, value=Decimal(5))
    seen = row.version
    workflow.send_back(row, by=make_user(), reason="缺证据")
    row.value = Decimal(6)
    workflow.save(row, by=editor, seen=row.version)
    workflow.submit(row, by=editor)

    response = desk.post(return_address(row), {"seen": seen, "reason": "数字有误"})

    html = response.content.decode()
    assert response.status_code == 409
    assert "This row was changed meanwhile" in html
    assert ">\n数字有误</textarea>" in html
    assert "6 organisations" in html
    assert state_of(row) == State.SUBMITTED
    again = {"seen": response.context["form"]["seen"].value(), "reason": "数字有误"}
    assert desk.post(return_address(row), again).status_code == 302
    assert (state_of(row), row.return_reason) == (State.RETURNED, "数字有误")


@runs_once.FORMS
def test_a_reason_for_a_row_published_meanwhile_is_kept_too(desk, editor):
    row = submitted(make_observation, editor)
    seen = row.version
    workflow.publish(row, by=make_user())

    response = desk.post(return_address(row), {"seen": seen, "reason": "数字有误"})

    assert response.status_code == 409
    assert ">\n数字有误</textarea>" in response.content.decode()
    assert state_of(row) == State.PUBLISHED
    assert "it is now “published”" in desk.get(return_address(row)).content.decode()


@runs_once.FORMS
def test_a_row_that_is_not_there_is_not_found(desk):
    for address in ("user/1", "observation/99999999", "target/1", "x/1"):
        assert desk.get(f"{QUEUE}{address}/return/").status_code == 404, address


# Many rows


def count_queries(client) -> int:
    """The queries of the queue itself; what a user may is read once per request beside them."""
    with CaptureQueriesContext(connection) as queries:
        assert client.get(QUEUE).status_code == 200
    return len([query for query in queries if '"auth_permission"' not in query["sql"]])


@runs_once.QUERIES
def test_the_queue_asks_as_many_queries_for_many_rows_as_for_three(editor):
    office, plan = make_department(), make_plan()
    users = [limited(office), make_superuser(), make_staff(REVIEWER)]
    measure, unit, quarter = make_measure(lead=office), make_unit(), make_round()

    def fill(observations, notes, targets):
        for _ in range(observations):
            indicator = make_indicator(measure=measure, unit=unit)
            make_observation(indicator=indicator, published=ISSUED)
            submitted(make_observation, editor, indicator=indicator, round=quarter, **YEAR_2023)
        for _ in range(notes):
            submitted(make_note, editor, measure=measure, round=quarter)
        for _ in range(targets):
            indicator = make_indicator(measure=measure, unit=unit)
            submitted(make_target, editor, indicator=indicator, plan=plan)
        for user in users:
            submitted(make_observation, user, indicator=make_indicator(measure=measure, unit=unit))

    fill(1, 1, 1)
    clients = [browser_of(user) for user in users]
    # What is kept of kinds of rows costs a query the first time only.
    clients[0].get(QUEUE)
    few = [count_queries(client) for client in clients]
    fill(2, 2, 2)
    many = [count_queries(client) for client in clients]

    # Who reviews more kinds is asked for more, whatever waits.
    assert few == many
    assert max(few) <= 39


@pytest.mark.once("reads what a page says; many rows are published below, on both")
def test_more_rows_than_a_page_holds_are_on_the_next(desk, editor, monkeypatch):
    monkeypatch.setattr(review_page, "ROWS_PER_PAGE", 20)
    measure, unit = make_measure(), make_unit()
    for _ in range(21):
        submitted(make_observation, editor, indicator=make_indicator(measure=measure, unit=unit))

    first, second = desk.get(QUEUE), desk.get(QUEUE, {"page": 2})

    assert (len(lines(first)), len(lines(second))) == (20, 1)
    assert set(tokens(first)).isdisjoint(tokens(second))
    assert "21 rows wait for you." in first.content.decode()
    assert messages(publish(desk, *tokens(first))) == ["20 rows were published."]
    assert tokens(desk.get(QUEUE)) == tokens(second)


# Many at once, and what asks for a look


@runs_once.FORMS
def test_all_that_is_ticked_is_returned_for_one_reason(desk, editor):
    rows = [submitted(make_note, editor) for _n in range(3)]
    ticked = tokens(desk.get(QUEUE))[:2]
    desk.post(QUEUE, {"row": ticked, "return": "1", "reason": "请附佐证"})
    found = sorted((row.state, row.return_reason) for row in type(rows[0]).objects.all())
    assert found == [("returned", "请附佐证")] * 2 + [("submitted", "")]
    assert TrailEvent.objects.filter(action="returned", note="请附佐证").count() == 2


@runs_once.FORMS
def test_a_return_without_a_reason_keeps_the_ticks(desk, editor):
    row = submitted(make_note, editor)
    (token,) = tokens(desk.get(QUEUE))
    page = desk.post(QUEUE, {"row": token, "return": "1", "reason": " "})
    assert page.context["reason"].errors
    assert page.context["chosen"] == [token]
    row.refresh_from_db()
    assert row.state == State.SUBMITTED


@runs_once.FORMS
def test_a_reason_without_a_tick_is_told_and_kept(desk, editor):
    submitted(make_note, editor)
    page = desk.post(QUEUE, {"return": "1", "reason": "请附佐证"}, follow=True)
    assert "请附佐证" in messages(page)[0]


@runs_once.PAGES
def test_the_queue_shows_only_what_has_warnings(desk, editor):
    plain = submitted(make_note, editor)
    odd = submitted(make_observation, editor, value=Decimal("1.5"), as_written="1.5家")
    assert {line.row for line in lines(desk.get(QUEUE))} == {plain, odd}
    page = desk.get(QUEUE, {"warned": "on"})
    assert [line.row for line in lines(page)] == [odd]
    assert page.context["here"] == f"{QUEUE}?warned=on"
