"""Two people act on the same row at the same moment, over two real connections."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
from django.core.exceptions import PermissionDenied
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from baoshan_portal.tests.desk import browser_of, desk, filled_in
from baoshan_portal.tests.slices import WHOLE
from measures import workflow
from measures.models import TrailEvent
from measures.numerals import plain
from measures.submission import State
from measures.tests.factories import (
    ISSUED,
    make_department,
    make_measure,
    make_round,
    make_superuser,
    make_user,
)
from measures.trail import record
from measures.workflow import TransitionError
from metrics.models import IndicatorSummary, Observation
from metrics.summaries import write_missing
from metrics.tests.factories import make_indicator, make_observation

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.sweep,
    pytest.mark.skipif(
        "connection.vendor != 'postgresql'",
        reason="SQLite in memory has one connection; this runs on PostgreSQL",
    ),
]

#: How often two meet.
ROUNDS = 10 if WHOLE else 3


def at_once(*steps) -> list:
    """Run the steps at the same moment; what each returned, or the refusal it met."""
    barrier = Barrier(len(steps))

    def run(step):
        try:
            barrier.wait()
            return step()
        except (TransitionError, PermissionDenied) as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(steps)) as pool:
        return list(pool.map(run, steps))


def refusals(results) -> list:
    return [result for result in results if isinstance(result, Exception)]


def wait_until_somebody_waits() -> None:
    """Returns as soon as another connection waits for a row that this one holds."""
    until = time.monotonic() + 10
    with connection.cursor() as cursor:
        while time.monotonic() < until:
            # Who waits for a row waits for the end of the transaction that holds it.
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE NOT granted "
                "AND transactionid = pg_current_xact_id()::xid"
            )
            if cursor.fetchone()[0]:
                return
            time.sleep(0.01)
    raise AssertionError("nobody waits")


def submitted(editor) -> Observation:
    row = make_observation(entered_by=editor, changed_by=editor)
    workflow.submit(row, by=editor)
    return row


def fresh(row) -> Observation:
    return Observation.objects.get(pk=row.pk)


@pytest.fixture
def people():
    return make_user(), make_user(), make_user()


def test_of_two_reviewers_exactly_one_publishes(people):
    editor, first, second = people
    for _round in range(ROUNDS):
        row = submitted(editor)
        one, other = fresh(row), fresh(row)
        results = at_once(
            lambda one=one: workflow.publish(one, by=first),
            lambda other=other: workflow.publish(other, by=second),
        )
        assert len(refusals(results)) == 1
        assert fresh(row).state == State.PUBLISHED
        assert TrailEvent.objects.filter(action="published", subject_code=row.code).count() == 1


def test_a_row_is_either_published_or_returned(people):
    editor, first, second = people
    for _round in range(ROUNDS):
        row = submitted(editor)
        one, other = fresh(row), fresh(row)
        results = at_once(
            lambda one=one: workflow.publish(one, by=first),
            lambda other=other: workflow.send_back(other, by=second, reason="口径不符"),
        )
        assert len(refusals(results)) == 1
        stored = fresh(row)
        assert (stored.state == State.PUBLISHED) == (stored.return_reason == "")


def test_of_two_submitters_exactly_one_submits(people):
    first, second, _reviewer = people
    for _round in range(ROUNDS):
        row = make_observation(entered_by=first, changed_by=first)
        one, other = fresh(row), fresh(row)
        results = at_once(
            lambda one=one: workflow.submit(one, by=first),
            lambda other=other: workflow.submit(other, by=second),
        )
        assert len(refusals(results)) == 1


def test_of_two_editors_the_second_is_told_what_changed(people):
    first, second, _reviewer = people
    for _round in range(ROUNDS):
        row = make_observation(entered_by=first, changed_by=first)
        one, other = fresh(row), fresh(row)
        one.value, other.value = 6, 7
        results = at_once(
            lambda one=one: workflow.save(one, by=first, seen=1),
            lambda other=other: workflow.save(other, by=second, seen=1),
        )
        (refusal,) = refusals(results)
        assert isinstance(refusal, workflow.StaleRow)
        stored = fresh(row)
        assert stored.version == 2
        assert plain(stored.value) in refusal.changes


def test_a_reviewer_never_publishes_a_value_that_an_editor_changed_under_them(people):
    editor, reviewer, _other = people
    for _round in range(ROUNDS):
        row = make_observation(entered_by=editor, changed_by=editor)
        seen = fresh(row)
        changed = fresh(row)
        changed.value = 99
        workflow.submit(seen, by=editor)
        results = at_once(
            lambda seen=seen: workflow.publish(seen, by=reviewer),
            lambda changed=changed: workflow.save(changed, by=editor, seen=1),
        )
        assert isinstance(results[1], TransitionError)
        stored = fresh(row)
        assert stored.state == State.PUBLISHED
        assert stored.value == 5


def test_of_two_corrections_of_a_row_only_one_begins(people):
    first, second, _reviewer = people
    for _round in range(ROUNDS):
        row = make_observation(published=ISSUED)
        results = at_once(
            lambda row=row: workflow.correct(row, by=first, reason="漏计两家"),
            lambda row=row: workflow.correct(row, by=second, reason="口径调整"),
        )
        assert len(refusals(results)) == 1
        assert row.corrections.count() == 1


def test_a_row_is_either_submitted_or_deleted(people):
    editor, other, _reviewer = people
    for _round in range(ROUNDS):
        row = make_observation(entered_by=editor, changed_by=editor)
        one, two = fresh(row), fresh(row)
        results = at_once(
            lambda one=one: workflow.submit(one, by=editor),
            lambda two=two: workflow.delete(two, by=other),
        )
        assert len(refusals(results)) == 1
        told = TrailEvent.objects.filter(subject_code=row.code).exclude(action="entered")
        assert told.count() == 1
        assert Observation.objects.filter(pk=row.pk).exists() == isinstance(results[1], Exception)


def test_who_deletes_waits_for_who_submits_and_is_refused(people):
    """Else the row would be looked at as it was, and deleted as it is."""
    editor, other, _reviewer = people
    row = make_observation(entered_by=editor, changed_by=editor)
    one, two = fresh(row), fresh(row)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            workflow.submit(one, by=editor)
            deleted = pool.submit(at_once, lambda: workflow.delete(two, by=other))
            wait_until_somebody_waits()
        (result,) = deleted.result()
    assert isinstance(result, TransitionError)
    assert fresh(row).state == State.SUBMITTED


def test_nothing_is_submitted_after_the_round_was_locked(people):
    editor, steward, _reviewer = people
    for _round in range(ROUNDS):
        round_ = make_round()
        row = make_observation(
            entered_by=editor, changed_by=editor, round=round_,
            period_start=round_.period_start, period_end=round_.period_end,
        )  # fmt: skip
        one = fresh(row)

        def lock(round_=round_):
            with transaction.atomic():
                type(round_).objects.filter(pk=round_.pk).update(locked=True)
                record("locked", by=steward, subject=round_)

        at_once(lambda one=one: workflow.submit(one, by=editor), lock)
        codes = (round_.code, row.code)
        events = TrailEvent.objects.filter(subject_code__in=codes).order_by("pk")
        assert [each.action for each in events] in (["locked"], ["submitted", "locked"])


def test_a_figure_added_twice_is_one_row_and_no_error(people):
    office = make_department()
    figure = make_indicator(measure=make_measure(lead=office))
    browsers = [browser_of(make_superuser()) for _ in range(2)]
    address = desk(Observation, "add")
    sent = [
        filled_in(
            browser.get(address), indicator=figure.pk, period_start="2022-01-01",
            period_end="2022-12-31", value="5", as_written="5家", source_name="台账",
        )
        for browser in browsers
    ]  # fmt: skip

    answers = at_once(
        *(
            lambda b=b, s=s: b.post(address, s).status_code
            for b, s in zip(browsers, sent, strict=True)
        )
    )

    assert set(answers) <= {200, 302}
    assert Observation.objects.filter(indicator=figure).count() == 1


def test_a_summary_never_says_what_stood_before_a_publication_that_waited_for_it():
    """While summaries are written nobody can publish, and while somebody does none are written."""
    value = make_observation(published=ISSUED)
    draft = make_observation(indicator=value.indicator, period_inferred=True)
    reader, writer = Event(), Event()

    def publish():
        with transaction.atomic():
            reader.wait(10)
            public = {"state": State.PUBLISHED, "published_at": timezone.now()}
            Observation.objects.filter(pk=draft.pk).update(**public)

    def summarise():
        with transaction.atomic():
            write_missing()
            reader.set()
            # Whoever publishes waits for the end of this.
            writer.wait(0.5)

    at_once(publish, summarise)
    assert not IndicatorSummary.objects.exists()

    def publish_and_wait():
        with transaction.atomic():
            make_observation(indicator=value.indicator, published=timezone.now())
            reader.clear()
            writer.set()
            reader.wait(10)

    def summarise_meanwhile():
        writer.wait(10)
        try:
            with pytest.raises(OperationalError):
                write_missing()
        finally:
            reader.set()

    writer.clear()
    at_once(publish_and_wait, summarise_meanwhile)
    assert write_missing() == 1
    assert IndicatorSummary.objects.get().inferred
