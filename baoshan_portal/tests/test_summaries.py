"""What lists read of a summary is what the rows say, whatever happened and whoever wrote it."""

from collections import Counter
from datetime import date, timedelta
from math import inf
from random import Random
from types import SimpleNamespace

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from baoshan_portal.tests.read_tables import tables_read
from baoshan_portal.tests.slices import WHOLE
from baoshan_portal.tests.time_machine import FIRST_DAY, after_each_act, live, small_portal
from measures import protection, revisions
from measures.models import Threshold
from measures.past import changed_since, past
from measures.submission import end_of_day
from measures.tests.factories import ISSUED, change, make_report, submission
from measures.tests.factories import publish as publish_changes
from metrics import check_results, facts, kept_days, touched, verdicts
from metrics.models import (
    Check,
    CheckSummary,
    Indicator,
    IndicatorSummary,
    KeptDay,
    Observation,
    Target,
    TargetSummary,
)
from metrics.rules.checks import Role
from metrics.summaries import write_missing
from metrics.summary_tables import CHECKS, INDICATORS, TARGETS, triggers
from metrics.tests.factories import (
    make_indicator,
    make_no_figure,
    make_observation,
    make_target,
    make_term,
    make_whole_check,
    make_withdrawal,
)

pytestmark = pytest.mark.django_db

GRACE_DAYS = 30
#: Every kind of act, and those that come more often; in the long form four times.
DAYS, ACTS = (24, 240) if WHOLE else (4, 60)


def as_read(as_of: date | None = None) -> tuple:
    """The facts of each indicator, the verdict on each target and the result of each check, as
    pages have them."""
    rows = facts.of(Indicator.objects.published(as_of), as_of, GRACE_DAYS)
    targets = Target.objects.published(as_of).annotate(**verdicts.columns())
    known = verdicts.of_rows(targets, as_of)
    return {row.pk: told for row, told in rows}, known, check_results.of_day(as_of)


def as_it_is(as_of: date | None = None) -> tuple:
    """The same from the rows alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kept_days, "FEW", inf)
        patch.setattr(check_results, "REACHES", (None,))
        return _as_it_is(as_of)


def _as_it_is(as_of: date | None) -> tuple:
    public = Indicator.objects.published(as_of)
    read = facts.read(dict(public.values_list("pk", "measure_id")), as_of)
    rows = list(public.annotate(**facts.columns()))
    for row in rows:
        for name, told in read[row.pk]._asdict().items():
            setattr(row, f"read_{name}", told)
    checks = Check.objects.published(as_of).order_by("order", "code")
    results = check_results.worked_out(list(checks.values_list("pk", flat=True)), as_of)
    targets = Target.objects.published(as_of).values_list("pk", flat=True)
    unknown = [SimpleNamespace(pk=key, read_verdict=None) for key in targets]
    return facts.of_rows(rows, as_of, GRACE_DAYS), verdicts.of_rows(unknown, as_of), results


#: A change of one of these may touch the facts of every indicator.
OF_EVERY = {"measures_report", "measures_section", "measures_theme"}


def assert_a_past_day_is_read_as_it_was(day: date) -> bool:
    """By summaries of today and from tables that stand as they did; returns whether there may have
    been any that hold."""
    moment = end_of_day(day)
    changed = changed_since(moment)
    with past(moment, changed):
        read = as_read(day)
    # What was worked out of it, and what was kept of it before.
    kept_days.write()
    with past(moment, changed):
        again = as_read(day)
    with past(moment):
        assert again == read == as_it_is(day), day
    return not changed & OF_EVERY


def counted() -> tuple[int, int, int]:
    models = (IndicatorSummary, TargetSummary, CheckSummary)
    return tuple(model.objects.count() for model in models)


@pytest.mark.long
@pytest.mark.sweep
def test_after_every_act_pages_read_what_is_so(monkeypatch):
    """Acts of every kind; between them summaries are written now and then."""
    monkeypatch.setattr(kept_days, "FEW", 0)
    # Of some of the days it is asked of every figure what was touched, of others of all values.
    monkeypatch.setattr(touched, "LATELY", timedelta(hours=30))
    random, done, held, mixed = Random(1), set(), set(), 0
    days, of_past = [FIRST_DAY - timedelta(days=2)], Counter()
    with small_portal(random) as world:

        def look(name: str) -> None:
            nonlocal mixed
            done.add(name)
            so = as_it_is()
            assert as_read() == so, name
            mixed += 0 < IndicatorSummary.objects.count() < len(so[0])
            held.update(TargetSummary.objects.filter(until__isnull=False).values_list("target"))
            # In the short form after each second act.
            of_past["acts"] += 1
            if WHOLE or of_past["acts"] % 2:
                of_past[assert_a_past_day_is_read_as_it_was(random.choice(days[-2:]))] += 1
            if random.random() < 0.6:
                write_missing()
                if WHOLE:
                    # What the rows alone say, no summary changes; else seen after the next act.
                    assert as_read() == so, name
                every = zip(counted(), so, strict=True)
                assert all(number >= len(rows) for number, rows in every)

        after_each_act(world, look)
        for day in live(world, DAYS, ACTS):
            assert as_read() == as_it_is(), "midnight"
            days.append(day)
        # Also of days that were kept long ago.
        assert KeptDay.objects.count() > 5
        for day in days:
            assert_a_past_day_is_read_as_it_was(day)
    assert len(done) > 25
    assert mixed > 10
    assert held
    assert min(of_past[False], of_past[True]) > 5


def taken_away() -> tuple[int, int, int]:
    """How many summaries of indicators, of targets and of checks are missing."""
    return tuple(
        model.objects.published().filter(summary__isnull=True).count()
        for model in (Indicator, Target, Check)
    )


def publish(row) -> None:
    type(row).objects.filter(pk=row.pk).update(**submission(ISSUED))


@pytest.fixture
def two():
    """Two figures that a check compares, the first with a target, and one of another measure; all
    are summarised."""
    check = make_whole_check()
    part, whole = (term.indicator for term in check.terms.order_by("role"))
    other = make_indicator()
    assert part.measure != whole.measure
    target = make_target(indicator=part, published=ISSUED)
    write_missing()
    assert taken_away() == (0, 0, 0)
    return SimpleNamespace(check=check, part=part, whole=whole, other=other, target=target)


def test_a_value_takes_away_its_own_summary_and_those_of_its_checks(two):
    draft = make_observation(indicator=two.other)
    make_observation(indicator=two.part)
    assert taken_away() == (0, 0, 0)
    publish(draft)
    assert taken_away() == (1, 0, 0)
    value = make_observation(indicator=two.part, published=ISSUED)
    assert taken_away() == (2, 1, 1)
    write_missing()
    make_withdrawal(value, published=ISSUED)
    assert taken_away() == (1, 1, 1)


def test_values_of_one_statement_take_away_the_summaries_of_each_and_no_draft_does(two):
    drafts = [make_observation(indicator=row) for row in (two.part, two.whole, two.other)]
    Observation.objects.all().update(note="x")
    assert taken_away() == (0, 0, 0)
    some = Observation.objects.filter(pk__in=[row.pk for row in drafts[1:]])
    some.update(**submission(ISSUED))
    assert taken_away() == (2, 0, 1)


@pytest.mark.parametrize(("make", "targets"), [(make_target, (2, 3)), (make_no_figure, (0, 0))])
def test_a_target_and_that_there_is_no_figure_take_away_their_own(two, make, targets):
    publish(make(indicator=two.part))
    assert taken_away() == (1, targets[0], 0)
    make(indicator=two.whole, published=ISSUED)
    assert taken_away() == (2, targets[1], 0)


#: A row of each table whose change takes summaries away, and how many.
STRUCTURE = {
    "metrics_indicator": (lambda two: two.part, (1, 1, 1)),
    "metrics_unit": (lambda two: two.other.unit, (0, 0, 1)),
    "metrics_check": (lambda two: two.check, (0, 0, 1)),
    "metrics_checkterm": (lambda two: two.check.terms.first(), (0, 0, 1)),
    "metrics_plan": (lambda two: two.target.plan, (0, 1, 0)),
    "measures_threshold": (lambda two: Threshold.objects.first(), (0, 1, 0)),
    "measures_measure": (lambda two: two.other.measure, (1, 0, 0)),
    "measures_theme": (lambda two: two.other.measure.theme, (3, 0, 0)),
    "measures_section": (lambda two: two.other.measure.theme.section, (3, 0, 0)),
    "measures_report": (lambda two: make_report(), (3, 0, 0)),
}


@pytest.mark.parametrize("table", STRUCTURE)
def test_what_decides_over_a_summary_takes_it_away(two, table):
    row, missing = STRUCTURE[table]
    key = row(two).pk
    write_missing()
    with connection.cursor() as cursor:
        # Whatever it changes; what is public lets nothing be changed without a review.
        cursor.execute(f"UPDATE {table} SET id = id WHERE id = %s", [key])
    assert taken_away() == missing


def test_a_report_takes_all_away_when_it_comes(two):
    make_report()
    assert taken_away() == (3, 0, 0)


def test_a_figure_that_comes_into_a_check_or_leaves_it_takes_its_result_away(two):
    further = make_term(check_of=two.check, role=Role.PART, indicator=make_indicator())
    write_missing()
    terms = [list(term) for term in revisions.told(two.check, "terms")]
    left = [term for term in terms if term[1] != further.indicator.code]
    assert len(left) == 2
    publish_changes(change(two.check, terms=left))
    assert two.check.terms.count() == 2
    assert taken_away() == (0, 0, 1)
    write_missing()
    term = make_term(check_of=two.check, role=Role.PART, indicator=two.other)
    assert taken_away() == (0, 0, 1)
    write_missing()
    where = " ON metrics_checkterm" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        # A review that leaves it out changes its check too, so this goes past the review.
        for other in ("reviewed", "version"):
            cursor.execute(f"DROP TRIGGER metrics_checkterm_{other}_delete{where}")
        cursor.execute("DELETE FROM metrics_checkterm WHERE id = %s", [term.pk])
    assert taken_away() == (0, 0, 1)


def test_a_verdict_is_read_until_the_day_on_which_time_alone_changes_it(two):
    """Falling behind, and the day after the target is due."""
    day = two.target.due_day
    with time_machine.travel(day, tick=False):
        TargetSummary.objects.all().delete()
        write_missing()
    held = TargetSummary.objects.get()
    assert held.since == date.min
    assert held.until == day + timedelta(days=1)
    for n in (-1, 0, 1):
        with time_machine.travel(day + timedelta(days=n), tick=False):
            assert as_read() == as_it_is()
    assert len({verdict_on(two.target, day + timedelta(days=n)) for n in (0, 1)}) == 2
    with time_machine.travel(day + timedelta(days=1), tick=False):
        assert write_missing() == 1
    held = TargetSummary.objects.get()
    assert held.since == day + timedelta(days=1)
    assert held.until is None


def verdict_on(target, day) -> str:
    with time_machine.travel(day, tick=False):
        ((_target, holding),) = verdicts.worked_out([target.pk])
    return holding.verdict


def test_of_what_is_public_only_in_a_moment_nothing_is_written():
    """By the clock of another server, which may be a little ahead."""
    make_observation(published=timezone.now() + timedelta(minutes=1))
    assert write_missing() == 0


#: A withdrawal of a row is written on the row (``ended_at``); that of an indicator, of its measure
#: or of a check leaves it out of what is public, with its summary or without.
BESIDE = {"measures_withdrawal", INDICATORS, TARGETS, CHECKS}


def test_every_table_of_which_a_summary_is_made_takes_it_away(report):
    with tables_read() as read:
        as_it_is()

    ours = {table for table in read if table.startswith(("measures_", "metrics_"))}
    assert ours - BESIDE == {trigger.table for trigger in triggers(connection.vendor)}


def test_they_are_thrown_away_where_triggers_were(report):
    assert all(counted())
    protection.remove(connection)
    protection.install(connection)
    assert counted() == (0, 0, 0)
    assert as_read() == as_it_is()
    assert write_missing() == sum(map(len, as_it_is()))
    assert write_missing() == 0
