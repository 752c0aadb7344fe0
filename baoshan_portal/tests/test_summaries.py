"""What lists read of a summary is what the rows say, whatever happened and whoever wrote it."""

import re
from datetime import timedelta
from random import Random
from types import SimpleNamespace

import pytest
from django.db import connection
from django.utils import timezone

from baoshan_portal.tests.slices import WHOLE
from baoshan_portal.tests.time_machine import live, small_portal
from measures import protection, revisions
from measures.tests.factories import ISSUED, change, make_report, submission
from measures.tests.factories import publish as publish_changes
from metrics import check_results, facts
from metrics.models import Check, CheckSummary, Indicator, IndicatorSummary
from metrics.rules.checks import Role
from metrics.summaries import write_missing
from metrics.summary_tables import triggers
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
DAYS, ACTS = (24, 240) if WHOLE else (6, 60)


def as_read() -> tuple:
    """The facts of each indicator and the result of each check, as pages have them."""
    rows = facts.with_facts(Indicator.objects.published(), None, GRACE_DAYS)
    return {row.pk: row.facts for row in rows}, check_results.of_day(None)


def as_it_is() -> tuple:
    """The same from the rows alone."""
    public = Indicator.objects.published()
    read = facts.read(list(public.values_list("pk", flat=True)))
    rows = list(public.annotate(**facts.columns(None)))
    for row in rows:
        for name, told in read[row.pk]._asdict().items():
            setattr(row, f"read_{name}", told)
    checks = Check.objects.published().order_by("order", "code")
    results = check_results.worked_out(list(checks.values_list("pk", flat=True)))
    return facts.of_rows(rows, None, GRACE_DAYS), results


def counted() -> tuple[int, int]:
    return IndicatorSummary.objects.count(), CheckSummary.objects.count()


@pytest.mark.sweep
def test_after_every_act_pages_read_what_is_so():
    """Acts of every kind; between them summaries are written now and then."""
    random, done, mixed = Random(1), set(), 0
    with small_portal(random) as world:
        act = world.act

        def act_and_look(name: str) -> bool:
            nonlocal mixed
            if not act(name):
                return False
            done.add(name)
            # What is published at this very moment is public from the next on.
            world.clock.shift(timedelta(seconds=1))
            assert as_read() == as_it_is(), name
            known, results = as_it_is()
            mixed += 0 < IndicatorSummary.objects.count() < len(known)
            if random.random() < 0.6:
                write_missing()
                assert as_read() == as_it_is(), name
                assert counted() >= (len(known), len(results))
            return True

        world.act = act_and_look
        for _day in live(world, DAYS, ACTS):
            assert as_read() == as_it_is(), "midnight"
    assert len(done) > 25
    assert mixed > 10


def taken_away() -> tuple[int, int]:
    """How many summaries of indicators, and of checks, are missing."""
    of_indicators = Indicator.objects.published().filter(summary__isnull=True)
    return of_indicators.count(), Check.objects.published().filter(summary__isnull=True).count()


def publish(row) -> None:
    type(row).objects.filter(pk=row.pk).update(**submission(ISSUED))


@pytest.fixture
def two():
    """Two figures that a check compares, and one of another measure; all are summarised."""
    check = make_whole_check()
    part, whole = (term.indicator for term in check.terms.order_by("role"))
    other = make_indicator()
    assert part.measure != whole.measure
    write_missing()
    assert taken_away() == (0, 0)
    return SimpleNamespace(check=check, part=part, whole=whole, other=other)


def test_a_value_takes_away_its_own_summary_and_those_of_its_checks(two):
    draft = make_observation(indicator=two.other)
    make_observation(indicator=two.part)
    assert taken_away() == (0, 0)
    publish(draft)
    assert taken_away() == (1, 0)
    value = make_observation(indicator=two.part, published=ISSUED)
    assert taken_away() == (2, 1)
    write_missing()
    make_withdrawal(value, published=ISSUED)
    assert taken_away() == (1, 1)


@pytest.mark.parametrize("make", [make_target, make_no_figure])
def test_a_target_and_that_there_is_no_figure_take_away_their_own(two, make):
    publish(make(indicator=two.part))
    assert taken_away() == (1, 0)
    make(indicator=two.whole, published=ISSUED)
    assert taken_away() == (2, 0)


#: A row of each table whose change takes summaries away, and how many.
STRUCTURE = {
    "metrics_indicator": (lambda two: two.part, (1, 1)),
    "metrics_unit": (lambda two: two.other.unit, (0, 1)),
    "metrics_check": (lambda two: two.check, (0, 1)),
    "metrics_checkterm": (lambda two: two.check.terms.first(), (0, 1)),
    "measures_measure": (lambda two: two.other.measure, (1, 0)),
    "measures_theme": (lambda two: two.other.measure.theme, (3, 0)),
    "measures_section": (lambda two: two.other.measure.theme.section, (3, 0)),
    "measures_report": (lambda two: make_report(), (3, 0)),
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
    assert taken_away() == (3, 0)


def test_a_figure_that_comes_into_a_check_or_leaves_it_takes_its_result_away(two):
    further = make_term(check_of=two.check, role=Role.PART, indicator=make_indicator())
    write_missing()
    terms = [list(term) for term in revisions.told(two.check, "terms")]
    left = [term for term in terms if term[1] != further.indicator.code]
    assert len(left) == 2
    publish_changes(change(two.check, terms=left))
    assert two.check.terms.count() == 2
    assert taken_away() == (0, 1)
    write_missing()
    term = make_term(check_of=two.check, role=Role.PART, indicator=two.other)
    assert taken_away() == (0, 1)
    write_missing()
    where = " ON metrics_checkterm" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        # A review that leaves it out changes its check too, so this goes past the review.
        for other in ("reviewed", "version"):
            cursor.execute(f"DROP TRIGGER metrics_checkterm_{other}_delete{where}")
        cursor.execute("DELETE FROM metrics_checkterm WHERE id = %s", [term.pk])
    assert taken_away() == (0, 1)


def test_of_what_is_public_only_in_a_moment_nothing_is_written():
    """By the clock of another server, which may be a little ahead."""
    make_observation(published=timezone.now() + timedelta(minutes=1))
    assert write_missing() == 0


TABLE = re.compile(r'(?:FROM|JOIN)\s+"?(\w+)"?', re.IGNORECASE)
#: A withdrawal of a row is written on the row (``ended_at``); that of an indicator, of its measure
#: or of a check leaves it out of what is public, with its summary or without.
BESIDE = {"measures_withdrawal", IndicatorSummary._meta.db_table, CheckSummary._meta.db_table}


def test_every_table_of_which_a_summary_is_made_takes_it_away(report):
    read = set()

    def watch(execute, sql, params, many, context):
        read.update(TABLE.findall(sql))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        as_it_is()

    ours = {table for table in read if table.startswith(("measures_", "metrics_"))}
    assert ours - BESIDE == {trigger.table for trigger in triggers()}


def test_they_are_thrown_away_where_triggers_were(report):
    assert all(counted())
    protection.install(connection)
    assert counted() == (0, 0)
    assert as_read() == as_it_is()
    assert write_missing() == len(as_it_is()[0]) + len(as_it_is()[1])
    assert write_missing() == 0
