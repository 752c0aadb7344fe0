"""Two people act on the same row at the same moment, over two real connections."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection

from measures import workflow
from measures.models import TrailEvent
from measures.numerals import plain
from measures.submission import State
from measures.tests.factories import ISSUED, make_user
from measures.workflow import TransitionError
from metrics.models import Observation
from metrics.tests.factories import make_observation

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        "connection.vendor != 'postgresql'",
        reason="SQLite in memory has one connection; this runs on PostgreSQL",
    ),
]

ROUNDS = 10


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
