"""What was worked out of a past day is kept as long as nothing is dated before its end."""

from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from django.db import connection
from django.utils import timezone

from baoshan_portal.tests.read_tables import tables_read
from measures.models import DataVersion, Measure
from measures.past import changed_since, past
from measures.submission import end_of_day, start_of_day
from measures.tests.factories import (
    ISSUED,
    as_reviewed,
    change,
    make_department,
    publish,
    reword,
    submission,
    the_threshold,
)
from measures.versions import kept_tables
from metrics import check_results, facts, kept_days, verdicts
from metrics.kept_day_table import KeptDay, triggers
from metrics.models import Check, Indicator, Observation, Target
from metrics.tests.factories import (
    make_indicator,
    make_no_figure,
    make_observation,
    make_target,
    make_whole_check,
    make_withdrawal,
)

pytestmark = pytest.mark.django_db

EARLY, MAY, LATE = date(2023, 9, 1), date(2024, 5, 2), date(2024, 6, 1)
DAYS = (EARLY, MAY, LATE)


@pytest.fixture(autouse=True)
def all_is_much(monkeypatch):
    """Nothing is worked out sooner than looked up, and nothing of another test waits."""
    monkeypatch.setattr(kept_days, "FEW", 0)
    kept_days._waiting.clear()
    yield
    kept_days._waiting.clear()


@pytest.fixture
def figures():
    """Two figures that a check compares, the first with a target, since the report's day."""
    check = make_whole_check()
    part, whole = (term.indicator for term in check.terms.order_by("role"))
    part.measure.supporting.add(make_department())
    target = make_target(indicator=part, published=ISSUED)
    value = make_observation(indicator=part, period_inferred=True, published=ISSUED)
    draft = make_observation(indicator=whole)
    return SimpleNamespace(
        check=check, part=part, whole=whole, target=target, value=value, draft=draft
    )


def keep(*days: date) -> None:
    """As a page of each of ``days`` does, and the server after it."""
    for day in days:
        moment = end_of_day(day)
        with past(moment, changed_since(moment)):
            read(day)
        kept_days.write()


def read(day: date) -> tuple:
    return (
        facts.of(Indicator.objects.published(day), day, 30),
        verdicts.of(Target.objects.published(day), day),
        check_results.of(Check.objects.published(day), day),
    )


def kept() -> dict[date, int]:
    """How many things are kept of each of the days."""
    return {day: KeptDay.objects.filter(name__endswith=f" {day}").count() for day in DAYS}


ALL = dict.fromkeys(DAYS, 3)


def test_what_was_worked_out_is_not_asked_of_the_rows_again(figures):
    keep(*DAYS)
    assert kept() == ALL
    moment = end_of_day(MAY)
    with past(moment):
        right = read(MAY)
        with tables_read() as tables, past(moment):
            assert read(MAY) == right
    assert "metrics_keptday" in tables
    assert not tables & {"metrics_observation", "metrics_nofigure"}


def keep_less(figures) -> KeptDay:
    """What is kept of a day, without one of the two figures."""
    keep(MAY)
    row = KeptDay.objects.get(name__startswith="facts")
    known = kept_days._unpacked(row.content)
    del known[figures.whole.pk]
    row.content = kept_days._packed(known)
    row.save()
    return row


def ask_for(*figures: Indicator) -> set[int]:
    """Of which of ``figures`` something is known, and then written."""
    asked = Indicator.objects.filter(pk__in=[figure.pk for figure in figures])
    with past(end_of_day(MAY)):
        told = facts.of(asked, MAY, 30)
    kept_days.write()
    return {row.pk for row, _told in told}


def test_what_is_kept_without_a_row_is_worked_out_for_that_row(figures):
    row = keep_less(figures)
    assert ask_for(figures.whole) == {figures.whole.pk}
    row.refresh_from_db()
    assert {*kept_days._unpacked(row.content)} == {figures.part.pk, figures.whole.pk}


def test_few_rows_are_worked_out_and_neither_looked_up_nor_kept(figures, monkeypatch):
    row = keep_less(figures)
    monkeypatch.setattr(kept_days, "FEW", 1)
    # Much is asked for, and little of it is missing.
    assert ask_for(figures.part, figures.whole) == {figures.part.pk, figures.whole.pk}
    row.refresh_from_db()
    assert {*kept_days._unpacked(row.content)} == {figures.part.pk}
    with tables_read() as tables:
        assert ask_for(figures.part) == {figures.part.pk}
    assert "metrics_observation" in tables
    assert "metrics_keptday" not in tables


def test_today_and_a_day_that_is_not_over_are_not_kept(figures):
    read(None)
    keep(timezone.localdate())
    assert not KeptDay.objects.exists()


def test_what_is_published_now_leaves_the_days_as_they_are(figures):
    keep(*DAYS)
    now = timezone.now()
    make_observation(indicator=figures.part, published=now)
    Observation.objects.filter(pk=figures.draft.pk).update(**submission(now))
    make_withdrawal(figures.value, published=now)
    publish(change(figures.part, name="另一名称"))
    assert kept() == ALL
    figures.value.refresh_from_db()
    assert figures.value.ended_at == now


def in_may():
    return start_of_day(MAY) + timedelta(hours=12)


def leave(measure: Measure) -> None:
    with as_reviewed(in_may()):
        measure.supporting.clear()


#: What is dated in May and comes later.
LATER = {
    "a value": lambda all: make_observation(indicator=all.part, published=in_may()),
    "a draft": lambda all: Observation.objects.filter(pk=all.draft.pk).update(
        **submission(in_may())
    ),
    "a target": lambda all: make_target(
        indicator=all.whole, plan=all.target.plan, published=in_may()
    ),
    "no figure": lambda all: make_no_figure(indicator=all.part, published=in_may()),
    "a withdrawal": lambda all: make_withdrawal(all.value, published=in_may()),
    "a version": lambda all: reword(all.part, in_may(), name="另一名称"),
    "an office that supports no more": lambda all: leave(all.part.measure),
    "a threshold": lambda all: reword(the_threshold(), in_may(), value=7),
}


@pytest.mark.parametrize("what", LATER)
def test_what_is_dated_before_the_end_of_a_day_takes_that_day_away(figures, what):
    keep(*DAYS)
    LATER[what](figures)
    assert kept() == {EARLY: 3, MAY: 0, LATE: 0}
    keep(*DAYS)
    assert kept() == ALL
    for day in DAYS:
        assert_as_it_is(day)


def test_what_one_change_writes_twice_takes_the_day_away_again(figures):
    with as_reviewed(in_may()):
        Indicator.objects.filter(pk=figures.part.pk).update(name="另一名称")
        keep(*DAYS)
        Indicator.objects.filter(pk=figures.part.pk).update(name="再一名称")
        assert kept() == {EARLY: 3, MAY: 0, LATE: 0}


def assert_as_it_is(day: date) -> None:
    with past(end_of_day(day)):
        told = read(day)
    KeptDay.objects.all().delete()
    with past(end_of_day(day)):
        assert told == read(day)


def test_what_has_always_been_so_takes_every_day_away(figures):
    keep(*DAYS)
    make_indicator()
    assert kept() == dict.fromkeys(DAYS, 0)


def test_the_moment_itself_is_of_the_next_day(figures):
    keep(*DAYS)
    make_observation(indicator=figures.part, published=end_of_day(MAY))
    assert kept() == {EARLY: 3, MAY: 3, LATE: 0}


def work_out(day: date) -> None:
    with past(end_of_day(day), changed_since(end_of_day(day))):
        read(day)


def test_what_changed_meanwhile_is_not_written(figures, monkeypatch):
    """Something may have been dated before the end of that day."""
    work_out(MAY)
    version = kept_days.data_version.current(connection)
    # PostgreSQL raises the version once a transaction.
    monkeypatch.setattr(kept_days.data_version, "current", lambda _connection: version + 1)
    assert kept_days.write() == 0
    assert not KeptDay.objects.exists()
    work_out(MAY)
    assert kept_days.write() == 3


def test_what_is_taken_away_while_it_is_looked_up_is_not_written_again(figures, monkeypatch):
    keep_less(figures)
    look_up = kept_days._kept

    def look_up_before_a_change(name: str) -> dict:
        said = look_up(name)
        # PostgreSQL raises the version once a transaction.
        DataVersion.objects.all().delete()
        make_observation(indicator=figures.part, published=in_may())
        return said

    monkeypatch.setattr(kept_days, "_kept", look_up_before_a_change)
    assert ask_for(figures.whole) == {figures.whole.pk}
    assert not KeptDay.objects.filter(name__startswith="facts").exists()


def test_what_was_read_while_a_table_changed_is_not_kept(figures):
    """The page is made again; what it found is not of that day."""
    moment = end_of_day(MAY)
    with past(moment, changed_since(moment)):
        with past(None):
            publish(change(figures.part, name="另一名称"))
        read(MAY)
    assert kept_days.write() == 0
    # Nor what was not read in the past at all.
    read(MAY)
    assert kept_days.write() == 0
    keep(MAY)
    assert kept()[MAY] == 3


def test_no_more_is_kept_or_waits_than_some(figures, monkeypatch):
    monkeypatch.setattr(kept_days, "MOST", 4)
    with monkeypatch.context() as patch:
        patch.setattr(kept_days, "MOST_WAITING", 2)
        keep(EARLY)
        assert kept()[EARLY] == 2
    keep(MAY, LATE)
    assert kept()[LATE] == 3
    assert KeptDay.objects.count() == 4


def test_every_table_of_which_a_day_is_made_takes_it_away(figures):
    make_no_figure(indicator=figures.whole, published=ISSUED)
    with past(end_of_day(MAY)), tables_read() as tables:
        read(MAY)
    # The structure is read from its versions.
    ours = {table for table in tables if table.startswith(("measures_", "metrics_"))}
    ours -= {kept.table for kept in kept_tables()}
    taking = {trigger.table for trigger in triggers()}
    # Those of today are no part of what is kept; whether a row is public at all is asked beside it.
    beside = {table for table in ours if table.endswith("summary")}
    beside |= {"measures_withdrawal", "metrics_keptday", "measures_dataversion"}
    assert ours - beside == taking
