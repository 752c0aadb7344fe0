"""From ``vintages.csv`` alone the values and the verdicts of any day can be had again."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db import transaction
from django.test import override_settings
from django.utils import timezone

from baoshan_portal.public.vintages import OF_OBSERVATIONS
from baoshan_portal.tests.pages import rows_of
from measures.models import Measure, Threshold
from measures.submission import end_of_day
from measures.tests.factories import reword
from metrics.models import Observation, Target
from metrics.rules import progress
from metrics.rules.baseline import Stated, baseline
from metrics.rules.choices import Certainty
from metrics.tests.factories import make_withdrawal

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.once("computes in Python from one file"),
    pytest.mark.long,
]


@pytest.fixture(scope="module", autouse=True)
def demo(django_db_setup, django_db_blocker):
    """The demonstration, in which besides an indicator, a measure, a value and a target fell."""
    today = timezone.localdate()
    with django_db_blocker.unblock(), override_settings(DEMO=True), transaction.atomic():
        call_command("prepare", verbosity=0)
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


def read(client, name: str, **query) -> list[dict]:
    return rows_of(client.get(f"/data/{name}.csv", query).getvalue().decode())


def stood(row: dict, day: date) -> bool:
    end = end_of_day(day)
    gone = row["public_to"] and datetime.fromisoformat(row["public_to"]) < end
    begun = row["public_from"] and datetime.fromisoformat(row["public_from"])
    return (not begun or begun < end) and not gone


def days() -> list[date]:
    today = timezone.localdate()
    found = [today - timedelta(days=back) for back in (900, 500, 201, 200, 199, 100, 50, 31, 20, 1)]
    return [date(2023, 7, 24), date(2023, 7, 25), *found, today]


def day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def decimal(text: str) -> Decimal | None:
    return Decimal(text) if text else None


def newest_first(rows: list[dict]) -> list[dict]:
    """What was reported, not only expected, newest first."""
    order = ("period_end", "published_at")
    reported = [row for row in rows if row["certainty"] != Certainty.EXPECTED]
    return sorted(
        reported,
        key=lambda row: (*(row[name] for name in order), int(row["sequence"])),
        reverse=True,
    )


def stated(row: dict) -> Stated:
    period = day(row["period_start"]), day(row["period_end"])
    return Stated(Decimal(row["value"]), row["qualifier"], period)


def verdict(target: dict, values: list[dict], on: date, tolerance_points: int) -> str:
    start, value = day(target["plan_start"]), values[0] if values else None
    before = [row for row in values if day(row["period_end"]) <= start]
    begins = baseline(
        target["indicator_kind"],
        stated=decimal(target["baseline"]),
        start=start,
        now=value and stated(value).period,
        before=stated(before[0]) if before else None,
    )
    return progress.verdict(
        value=value and Decimal(value["value"]),
        target_exists=True,
        target=decimal(target["value"]),
        comparator=target["comparator"],
        baseline=begins.value if begins else None,
        claim=target["claim"],
        start=start,
        due=day(target["due_on"]) or day(target["plan_end"]),
        on=on,
        kind=target["indicator_kind"],
        frequency=target["frequency"],
        qualifier=value["qualifier"] if value else "",
        tolerance_points=tolerance_points,
    ).value


def test_the_values_of_any_day_are_those_that_stood_then(client):
    versions = [row for row in read(client, "vintages") if row["kind"] == "observation"]
    names = [field.name for field in OF_OBSERVATIONS]
    sizes = set()
    for on in days():
        then = read(client, "observations", as_of=on.isoformat())
        told = [{name: row[name] for name in names} for row in then]
        mine = [{name: row[name] for name in names} for row in versions if stood(row, on)]
        differing = [pair for pair in zip(mine, told, strict=False) if pair[0] != pair[1]][:1]
        assert (len(mine), differing) == (len(told), []), on
        sizes.add(len(mine))
    assert len(sizes) > 8


def test_the_verdicts_of_any_day_follow_from_the_same_file(client):
    versions = read(client, "vintages")
    seen = set()
    for on in days():
        now = [row for row in versions if stood(row, on)]
        values = {}
        (tolerance,) = [row["value"] for row in now if row["code"].startswith("pace-tolerance-")]
        for row in now:
            if row["kind"] == "observation":
                values.setdefault(row["indicator_code"], []).append(row)
        mine = [
            (
                row["indicator_code"], row["plan"], row["due_on"],
                verdict(
                    row, newest_first(values.get(row["indicator_code"], [])), on, int(tolerance)
                ),
            )
            for row in now
            if row["kind"] == "target"
        ]  # fmt: skip
        told = [
            (row["indicator_code"], row["plan"], row["due_on"], row["verdict"])
            for row in read(client, "targets", as_of=on.isoformat())
        ]
        assert sorted(set(mine) ^ set(told)) == [], on
        assert len(mine) == len(told)
        seen |= {row[-1] for row in mine}
    assert len(seen) >= 5


def test_the_states_and_the_indicators_of_any_day_follow_from_it_too(client):
    versions = read(client, "vintages")
    for on in days():
        states = {}
        for row in versions:
            if row["kind"] == "state" and stood(row, on):
                states.setdefault(row["measure_code"], []).append(row)
        told = {
            row["code"]: (row["state"], row["state_on"])
            for row in read(client, "measures", as_of=on.isoformat())
            if row["state"]
        }
        newest = {
            code: max(rows, key=lambda row: (row["state_on"], row["published_at"]))
            for code, rows in states.items()
        }
        mine = {code: (row["state"], row["state_on"]) for code, row in newest.items()}
        assert dict(mine.items() ^ told.items()) == {}, on


def test_a_version_says_by_which_reason_it_came_and_went(client):
    rows = read(client, "vintages")
    withdrawals = [row for row in rows if row["kind"] == "withdrawal"]
    assert {row["withdrawn_kind"] for row in withdrawals} == {
        "observation", "target", "indicator", "measure", "progressnote",
    }  # fmt: skip
    assert all(row["reason"] for row in withdrawals)
    corrected = [row for row in rows if row["kind"] == "observation" and row["revision"] != "1"]
    assert corrected and all(row["reason"] for row in corrected)
    assert len({(row["kind"], row["code"]) for row in rows}) == len(rows)


def test_the_file_of_a_past_day_does_not_know_what_came_later(client):
    on = timezone.localdate() - timedelta(days=300)
    rows = read(client, "vintages", as_of=on.isoformat())
    froms = [row["public_from"] for row in rows if row["kind"] != "threshold"]
    assert all(datetime.fromisoformat(moment) < end_of_day(on) for moment in froms)
    moments = [datetime.fromisoformat(row["public_to"]) for row in rows if row["public_to"]]
    assert moments and max(moments) < end_of_day(on)
    assert not {row["withdrawn_kind"] for row in rows} & {"indicator", "measure"}
