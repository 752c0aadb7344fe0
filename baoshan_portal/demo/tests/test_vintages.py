"""From ``vintages.csv`` alone the values and the verdicts of any day can be had again."""

from datetime import date, datetime, timedelta
from functools import cache

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from baoshan_portal.public.vintages import OF_OBSERVATIONS
from baoshan_portal.tests.pages import rows_of
from baoshan_portal.tests.slices import WHOLE, some
from baoshan_portal.tests.vintages import states_on, values_on, verdicts_on
from measures.models import Measure, Threshold
from measures.submission import end_of_day
from measures.tests.factories import reword
from metrics.models import Observation, Target
from metrics.tests.factories import make_withdrawal

from .filled import demonstration

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.sweep,
    pytest.mark.once("computes in Python from one file"),
    pytest.mark.long,
]


@pytest.fixture(scope="module", autouse=True)
def demo(static_files, django_db_setup, django_db_blocker, tmp_path_factory):
    """The demonstration, in which besides an indicator, a measure, a value and a target fell."""
    today, folder = timezone.localdate(), tmp_path_factory.mktemp("vintages")
    with django_db_blocker.unblock(), demonstration(folder), transaction.atomic():
        values = Observation.objects.published().filter(report__isnull=True).order_by("code")
        make_withdrawal(values[3], published=today - timedelta(days=200))
        make_withdrawal(values[20], published=today - timedelta(days=20))
        targets = Target.objects.published().filter(value__isnull=False).order_by("code")
        make_withdrawal(targets[0], published=today - timedelta(days=100))
        make_withdrawal(targets[2].indicator, published=today - timedelta(days=50))
        busy = Measure.objects.get(code="nanda-enterprise-clustering")
        make_withdrawal(busy, published=today - timedelta(days=30))
        tolerance = Threshold.objects.get(code="pace-tolerance")
        reword(tolerance, today - timedelta(days=150), value=0)
        reword(tolerance, today - timedelta(days=25), value=60)
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def read(demo):
    """The rows of a file, which is asked for once: nothing changes between."""
    client = Client()

    @cache
    def read(name: str, as_of: str = "") -> list[dict]:
        query = {"as_of": as_of} if as_of else {}
        return rows_of(client.get(f"/data/{name}.csv", query).getvalue().decode())

    return read


def days() -> list[date]:
    today = timezone.localdate()
    found = [today - timedelta(days=back) for back in (900, 500, 201, 200, 199, 100, 50, 31, 20, 1)]
    return [date(2023, 7, 24), date(2023, 7, 25), *found, today]


def test_the_values_of_any_day_are_those_that_stood_then(read):
    versions = read("vintages")
    names = [field.name for field in OF_OBSERVATIONS]
    sizes = set()
    for on in some(days(), every=2):
        then = read("observations", as_of=on.isoformat())
        told = [{name: row[name] for name in names} for row in then]
        mine = values_on(versions, on, names)
        differing = [pair for pair in zip(mine, told, strict=False) if pair[0] != pair[1]][:1]
        assert (len(mine), differing) == (len(told), []), on
        sizes.add(len(mine))
    assert len(sizes) > (8 if WHOLE else 4)


def test_the_verdicts_of_any_day_follow_from_the_same_file(read):
    versions = read("vintages")
    seen = set()
    for on in some(days(), every=3):
        mine = verdicts_on(versions, on)
        told = [
            (row["indicator_code"], row["plan"], row["due_on"], row["verdict"])
            for row in read("targets", as_of=on.isoformat())
        ]
        assert sorted(set(mine) ^ set(told)) == [], on
        assert len(mine) == len(told)
        seen |= {row[-1] for row in mine}
    assert len(seen) >= 5


def test_the_states_and_the_indicators_of_any_day_follow_from_it_too(read):
    versions = read("vintages")
    for on in some(days(), every=3):
        mine = states_on(versions, on)
        told = {
            row["code"]: (row["state"], row["state_on"])
            for row in read("measures", as_of=on.isoformat())
            if row["state"]
        }
        assert dict(mine.items() ^ told.items()) == {}, on


def test_a_version_says_by_which_reason_it_came_and_went(read):
    rows = read("vintages")
    withdrawals = [row for row in rows if row["kind"] == "withdrawal"]
    assert {row["withdrawn_kind"] for row in withdrawals} == {
        "observation", "target", "indicator", "measure", "progressnote",
    }  # fmt: skip
    assert all(row["reason"] for row in withdrawals)
    corrected = [row for row in rows if row["kind"] == "observation" and row["revision"] != "1"]
    assert corrected and all(row["reason"] for row in corrected)
    assert len({(row["kind"], row["code"]) for row in rows}) == len(rows)


def test_the_file_of_a_past_day_does_not_know_what_came_later(read):
    on = timezone.localdate() - timedelta(days=300)
    rows = read("vintages", as_of=on.isoformat())
    begun = [datetime.fromisoformat(row["public_from"]) for row in rows if row["public_from"]]
    assert max(begun) < end_of_day(on)
    moments = [datetime.fromisoformat(row["public_to"]) for row in rows if row["public_to"]]
    assert moments and max(moments) < end_of_day(on)
    assert not {row["withdrawn_kind"] for row in rows} & {"indicator", "measure"}
