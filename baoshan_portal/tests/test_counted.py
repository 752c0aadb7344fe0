"""Pages that count before they tell say what they would if they read everything."""

from datetime import date, timedelta
from random import Random

import pytest
from django.utils import timezone

from baoshan_portal.public.changes.publications import changes_between
from baoshan_portal.public.departments.records import RECENT_DAYS, record_of, records
from baoshan_portal.public.questions.asked import AllAsked
from baoshan_portal.public.questions.rows import all_of
from baoshan_portal.public.standing import load
from baoshan_portal.tests.slices import WHOLE
from baoshan_portal.tests.time_machine import FIRST_DAY, live, small_portal
from measures.past import changed_since, past
from measures.submission import end_of_day
from measures.thresholds import Thresholds
from metrics.models import Indicator, IndicatorSummary, Observation
from metrics.moments import Moments, read
from metrics.summaries import write_missing

pytestmark = [pytest.mark.django_db, pytest.mark.long, pytest.mark.sweep]

DAYS, ACTS = (16, 160) if WHOLE else (2, 30)
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


def test_whatever_happened_and_whatever_is_summarised():
    random, seen = Random(3), set()
    days, acts = [FIRST_DAY - timedelta(days=2)], 0
    with small_portal(random) as world:
        act = world.act

        def act_and_look(name: str) -> bool:
            nonlocal acts
            if not act(name):
                return False
            # What is published at this very moment is public from the next on.
            world.clock.shift(timedelta(seconds=1))
            acts += 1
            if acts % 4 == 0:
                seen.update(row[0] for row in assert_so(None))
                assert_so(random.choice(days[-2:]))
            if random.random() < 0.4:
                write_missing()
            return True

        world.act = act_and_look
        for day in live(world, DAYS, ACTS):
            days.append(day)
    assert len(seen) > 2


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
        assert max(len(some) for some in moments.values()) > 1
