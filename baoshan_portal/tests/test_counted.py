"""Pages that count before they tell say what they would if they read everything."""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from itertools import product
from random import Random
from sys import maxsize

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from baoshan_portal.public.changes.some_states import States
from baoshan_portal.public.changes.states import state_changes
from baoshan_portal.public.departments.records import RECENT_DAYS, record_of, records
from baoshan_portal.public.questions.asked import AllAsked
from baoshan_portal.public.questions.rows import all_of
from baoshan_portal.public.standing import load
from baoshan_portal.public.tests.slow_changes import changes_between
from baoshan_portal.tests.slices import WHOLE, some
from baoshan_portal.tests.time_machine import FIRST_DAY, after_each_act, live, small_portal
from measures.models import Measure
from measures.past import changed_since, past
from measures.submission import end_of_day
from measures.tests.factories import (
    ISSUED,
    make_measure,
    make_report,
    make_section,
    make_theme,
    reword,
)
from measures.thresholds import Thresholds
from metrics.models import (
    CheckSummary,
    Indicator,
    IndicatorSummary,
    Observation,
    TargetSummary,
)
from metrics.moments import Moments, is_long_ago, last_before, read, values_before
from metrics.rules.checks import Role
from metrics.rules.choices import Claim, Frequency, Kind
from metrics.rules.questions import Ask
from metrics.summaries import write_missing
from metrics.tests.factories import (
    make_check,
    make_indicator,
    make_observation,
    make_plan,
    make_target,
    make_term,
)
from metrics.tests.test_history import corrected

pytestmark = [pytest.mark.django_db, pytest.mark.long, pytest.mark.sweep]

#: Each so-manieth summary is there, none if 0; the databases take turns.
SUMMARISED = some([1, 0, 3], every=2, first=connection.vendor == "postgresql")
DAYS, ACTS = (16, 160) if WHOLE else (2, 30)
#: After how many acts all is compared.
EVERY = 4 if WHOLE else 7
COUNTED = (
    "leads", "proposed", "supports", "figures", "freshness", "verdicts", "contradicted", "due",
    "on_time", "handed_in_late", "recent", "newest",
)  # fmt: skip


def named(question) -> tuple:
    # Sizes are kept with fifteen digits.
    return question.ask, question.about, round(float(question.size), 9), question.order


def asked(as_of: date | None) -> list[tuple]:
    everything = AllAsked(as_of)
    told = list(everything.told(everything.rows))
    assert [(row.ask, row.about) for row in everything.rows] == [
        (question.ask, question.about) for question in told
    ]
    assert [row.measures for row in everything.rows] == [
        tuple(measure.pk for measure in question.measures) for question in told
    ]
    return [named(row) for row in everything.rows]


def asked_the_slow_way(as_of: date | None) -> list[tuple]:
    on = as_of or timezone.localdate()
    return [named(question) for question in all_of(load(None, Thresholds.read(), on, as_of))]


def counted(as_of: date | None) -> dict[str, tuple]:
    return {
        row.department.code: tuple(getattr(row, name) for name in COUNTED) for row in records(as_of)
    }


def counted_one_by_one(as_of: date | None) -> dict[str, tuple]:
    """Of rows of the department, and of its publications."""
    on = as_of or timezone.localdate()
    since, until = end_of_day(on - timedelta(days=RECENT_DAYS)), end_of_day(on)
    found = {}
    for row in records(as_of):
        record = record_of(row.department, as_of)
        place = {"department": row.department}
        record.recent = len(changes_between(since, until, **place))
        found[row.department.code] = tuple(getattr(record, name) for name in COUNTED)
    return found


def assert_so(day: date | None) -> list[tuple]:
    """By summaries, of a past day from tables that stand as they did; returns what is asked."""
    if day is None:
        found = asked(None)
        assert found == asked_the_slow_way(None)
        assert counted(None) == counted_one_by_one(None)
        return found
    moment = end_of_day(day)
    with past(moment, changed_since(moment)):
        found, of_departments = asked(day), counted(day)
    with past(moment):
        assert found == asked_the_slow_way(day), day
        assert of_departments == counted_one_by_one(day), day
    return found


def all_kinds() -> None:
    """Of each kind a few, of unlike sizes: what is asked of targets, checks, terms and silence."""
    section = make_section(opinion=make_report().opinion)
    measures = [make_measure(theme=make_theme(section=section)) for _n in range(3)]
    plan = make_plan(opinion=section.opinion)
    longer = make_plan(opinion=section.opinion)

    def figure(n, value=5, **fields):
        fields = {"kind": Kind.STOCK, "frequency": Frequency.QUARTERLY} | fields
        row = make_indicator(measure=measures[n % 3], **fields)
        if value is not None:
            make_observation(indicator=row, value=Decimal(value), published=ISSUED)
        return row

    for n, (value, claim) in enumerate(product((1, 4, None), Claim)):
        for due in (date(2023, 6, 30), None):
            row = figure(n, value, kind=Kind.FLOW)
            make_target(indicator=row, plan=plan, claim=claim, due_on=due, published=ISSUED)
        make_target(indicator=figure(n), plan=plan, value=None, claim=claim, published=ISSUED)
    for n, comparable in product((6, 7, 9), (True, False)):
        check = make_check(comparable=comparable, note="不同口径")
        part, whole = figure(0, n), figure(n, 5)
        make_term(check_of=check, role=Role.PART, indicator=part)
        make_term(check_of=check, role=Role.WHOLE, indicator=whole)
        if n == 7:
            # It holds from then on.
            for row in (part, whole):
                make_observation(indicator=row, value=Decimal(8), published=LATER, **NEXT)
    for n in range(3):
        first = make_target(indicator=figure(n, 8), plan=plan, published=ISSUED)
        corrected(first, make_target, date(2023, 9, 1), "下调", value=Decimal(8 - n))
    make_target(indicator=figure(1, 8), plan=longer, published=ISSUED)
    reword(longer, date(2023, 9, 1), end_on=longer.end_on + timedelta(days=900))
    for n in range(9):
        end = {"period_start": date(2022 - n, 1, 1), "period_end": date(2022 - n, 12, 31)}
        row = figure(n, None, schedule_agreed_on=date(2022, 1, 1) if n % 2 else None)
        make_observation(indicator=row, **end, published=ISSUED)
        if n < 3:
            make_observation(indicator=row, **NEXT, published=LATER)
    make_measure(theme=measures[0].theme)


#: Of a year, and published then.
NEXT = {"period_start": date(2023, 1, 1), "period_end": date(2023, 12, 31)}
LATER = date(2024, 1, 15)


def leave_of_summaries(every: int) -> None:
    """See ``SUMMARISED``."""
    write_missing()
    for model in (IndicatorSummary, TargetSummary, CheckSummary):
        keys = list(model.objects.values_list("pk", flat=True))
        model.objects.exclude(pk__in=keys[::every] if every else []).delete()


@pytest.mark.parametrize("every", SUMMARISED)
def test_of_every_kind_with_some_summaries(every):
    all_kinds()
    for day in ("2024-02-20", "2024-08-01"):
        with time_machine.travel(day):
            leave_of_summaries(every)
            found = assert_so(None)
            for past_day in (date(2023, 8, 15), date(2024, 1, 31)):
                found += assert_so(past_day)
            assert len({row[0] for row in found}) == len(Ask), {row[0] for row in found}


SPANS = [
    (ISSUED, date(2024, 2, 20)), (date(2023, 8, 15), date(2024, 1, 10)),
    # A term that ends, and one that moves.
    (date(2023, 12, 15), date(2024, 1, 5)), (date(2023, 8, 20), date(2023, 9, 10)),
]  # fmt: skip


@pytest.mark.parametrize("every", SUMMARISED)
@time_machine.travel("2024-02-20")
def test_states_that_differ_are_found_with_some_summaries(every):
    all_kinds()
    leave_of_summaries(every)
    everywhere, seen = set(Measure.objects.values_list("pk", flat=True)), Counter()
    for first, last in SPANS:
        whole, states = state_changes(first, last), States(first, last, most=maxsize)
        assert [*states.changed(everywhere)] == [change for change in whole if change.before]
        for direction in (1, -1):
            trend = [change for change in whole if change.trend == direction]
            assert list(states.trend(direction)) == trend
            seen[direction] += len(trend)
        assert states.judged(states.told_first(everywhere)) == [
            change for change in whole if not change.before
        ]
    assert min(seen.values()) > 0


def test_whatever_happened_and_whatever_is_summarised():
    random, seen = Random(3), set()
    days, acts = [FIRST_DAY - timedelta(days=2)], 0
    with small_portal(random) as world:

        def look(name: str) -> None:
            nonlocal acts
            acts += 1
            if acts % EVERY == 0:
                seen.update(row[0] for row in assert_so(None))
                assert_so(random.choice(days[-2:]))
            if random.random() < 0.4:
                write_missing()

        after_each_act(world, look)
        for day in live(world, DAYS, ACTS):
            days.append(day)
    assert len(seen) > (2 if WHOLE else 1)


def test_moments_are_those_of_all_that_was_ever_published():
    with small_portal(Random(1)) as world:
        for _day in live(world, 1, 20):
            pass
        world.clock.shift(timedelta(seconds=1))
        write_missing()
        moments: dict[int, list] = {
            key: [] for key in Indicator.objects.values_list("pk", flat=True)
        }
        rows = Observation.objects.published_before(timezone.now()).order_by("published_at")
        for key, moment in rows.values_list("indicator", "published_at"):
            moments[key].append(moment)
        so = {
            key: Moments(len(some), some[0], some.count(some[0]), some[-1])
            if some
            else Moments(0, None, 0, None)
            for key, some in moments.items()
        }
        assert read(so) == so
        kept = IndicatorSummary.objects.values_list("indicator", *Moments._fields)
        assert {key: Moments(*told) for key, *told in kept}.items() <= so.items()
        for moment in sorted({moment for some in moments.values() for moment in some}):
            for at in (moment, moment + timedelta.resolution):
                rows = Indicator.objects.annotate(
                    n=values_before(at, long_ago=is_long_ago(at)), last=last_before(at)
                ).values_list("pk", "n", "last")
                before = {key: [m for m in some if m < at] for key, some in moments.items()}
                assert {key: told for key, *told in rows} == {
                    key: [len(some), max(some, default=None)] for key, some in before.items()
                }
        assert max(len(some) for some in moments.values()) > 1
