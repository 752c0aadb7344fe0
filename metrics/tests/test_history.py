"""What was public once stays readable: what it said, from when to when, and why it changed."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from measures.submission import moment_of
from measures.tests.factories import ISSUED, make_user, to_the_past

from .. import history
from ..models import Observation, Target
from .factories import make_indicator, make_observation, make_plan, make_target

pytestmark = [pytest.mark.django_db, pytest.mark.long]

AUGUST, SEPTEMBER = date(2023, 8, 10), date(2023, 9, 1)
BEFORE_AUGUST = date(2023, 8, 9)


def corrected(old, make, published, reason, **changes):
    """The published correction of ``old``."""
    content = {name: getattr(old, name) for name in old.content_fields()}
    bookkeeping = {"supersedes": old, "revision": old.revision + 1, "correction_reason": reason}
    return make(**content | bookkeeping | changes, published=published)


def corrected_value():
    """5 on the day of issue, 6 since 10 August, 7 since 1 September."""
    clerk, head = make_user(username="clerk"), make_user(username="head")
    people = {"entered_by": clerk, "published_by": head}
    first = make_observation(published=ISSUED, as_written="5家", **people)
    second = corrected(
        first, make_observation, AUGUST, "漏计一家", value=Decimal(6), as_written="6家", **people
    )
    third = corrected(
        second, make_observation, SEPTEMBER, "又漏一家", value=Decimal(7), as_written="7家"
    )
    return [first, second, third]


def corrected_target(**fields):
    """At least 10 since the day of issue, at least 20 since 10 August."""
    first = make_target(published=ISSUED, due_on=date(2023, 12, 31), **fields)
    return [first, corrected(first, make_target, AUGUST, "计划调整", value=Decimal(20))]


def page_of(client, row, **query):
    return client.get(f"/en/indicators/{row.indicator.code}/", query)


def words(response) -> str:
    return " ".join(response.content.decode().split())


def test_every_corrected_value_is_shown_with_its_days_its_reason_and_its_people(client):
    first, second, third = corrected_value()

    response = page_of(client, third)

    assert response.context["observations"] == [third]
    shown = [
        (row, row.replaced_at, row.replaced_because) for row in response.context["corrected_values"]
    ]
    assert shown == [
        (second, third.published_at, "又漏一家"),
        (first, second.published_at, "漏计一家"),
    ]
    html = words(response)
    assert '5 organisations</span> · <span lang="zh-Hans">5家</span>' in html
    assert ">2023-07-25</time> – <time" in html
    assert ">2023-08-10</time>" in html
    assert "漏计一家" in html
    assert html.count("by two persons of staff") == 2
    assert "clerk" not in html


def test_a_past_day_knows_only_the_corrections_made_by_then(client):
    versions = corrected_value()

    for day, standing, gone in (
        ("2023-08-09", 0, []),
        ("2023-08-10", 1, [0]),
        ("2023-08-31", 1, [0]),
        ("2023-09-01", 2, [1, 0]),
        ("", 2, [1, 0]),
    ):
        response = page_of(client, versions[0], as_of=day)

        assert response.context["observations"] == [versions[standing]], day
        assert response.context["corrected_values"] == [versions[n] for n in gone], day
        assert ("又漏一家" in words(response)) == (standing == 2), day


@pytest.mark.once("reads what a page says")
def test_a_value_that_was_never_corrected_has_no_history(client):
    row = make_observation(published=ISSUED)

    assert "No value of this indicator has been corrected." in words(page_of(client, row))


def test_a_correction_under_way_is_not_shown(client):
    row = make_observation(published=ISSUED)
    make_observation(
        indicator=row.indicator, supersedes=row, revision=2, correction_reason="不得公开"
    )

    response = page_of(client, row)

    assert response.context["observations"] == [row]
    assert response.context["corrected_values"] == []
    assert "不得公开" not in words(response)


def test_a_value_moved_to_another_indicator_stays_in_the_history_of_the_first(client):
    row, other = make_observation(published=ISSUED), make_indicator()
    corrected(row, make_observation, AUGUST, "归类有误", indicator=other)

    response = page_of(client, row)

    assert response.context["observations"] == []
    assert response.context["corrected_values"] == [row]
    assert "No value has been published" in words(response)
    assert "归类有误" in words(response)


def test_what_stands_is_what_is_published():
    corrected_value()
    make_observation(published=AUGUST)

    for day in (BEFORE_AUGUST, AUGUST, SEPTEMBER, None):
        rows = Observation.objects.versions(moment_of(day))

        assert set(history.standing(rows)) == set(Observation.objects.published(day)), day


def test_the_page_shows_what_the_target_said_before(client):
    first, second = corrected_target()

    response = page_of(client, second)

    assert [state.target for state, _terms in response.context["judged"]] == [second]
    assert response.context["corrected_targets"] == [first]
    assert "≥ 10 organisations · due on 2023-12-31 · no claim" in words(response)
    assert "计划调整" in words(response)


def test_the_target_said_nothing_before_on_a_day_before_the_change(client):
    first, _second = corrected_target()

    response = page_of(client, first, as_of="2023-08-09")

    assert [state.target for state, _terms in response.context["judged"]] == [first]
    assert response.context["corrected_targets"] == []
    assert "计划调整" not in words(response)


@pytest.mark.once("reads what a page says")
@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"value": None}, "target value not published · no claim"),
        ({"baseline": Decimal(1200)}, "≥ 10 organisations · baseline 1,200 · no claim"),
        ({"claim": "met"}, "≥ 10 organisations · reported met"),
    ],
)
def test_a_target_is_written_in_one_line(client, fields, text):
    target = make_target(published=ISSUED, **fields)
    corrected(target, make_target, AUGUST, "笔误", value=Decimal(99))

    assert text in words(page_of(client, target))


def test_the_list_of_targets_is_a_ledger(client):
    _first, second = corrected_target()
    corrected(second, make_target, SEPTEMBER, "再次调整", value=Decimal(30))

    csv = client.get("/en/targets/", {"format": "csv"}).getvalue().decode()

    assert (
        "2023-08-10 – 2023-09-01: ≥ 20 organisations · due on 2023-12-31 · no claim "
        "(corrected: 再次调整); "
        "2023-07-25 – 2023-08-10: ≥ 10 organisations · due on 2023-12-31 · no claim "
        "(corrected: 计划调整)"
    ) in csv
    html = words(client.get("/en/targets/"))
    assert html.index("再次调整") < html.index("计划调整")
    assert ">≥ 20 organisations · due on 2023-12-31 · no claim</td>" in html
    assert "再次调整" not in words(client.get("/en/targets/", {"as_of": "2023-08-31"}))


def test_the_ledger_does_not_tell_of_indicators_that_are_not_public(client):
    secret = make_indicator(published_on=None)
    first = make_target(indicator=secret, published=ISSUED, value=Decimal(987654))
    public = {"indicator": make_indicator(), "value": Decimal(1)}
    corrected(first, make_target, AUGUST, "归类有误", **public)

    assert "987,654" not in words(client.get("/en/targets/"))


def count_queries(read) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert read().status_code == 200
    return len(queries)


@pytest.mark.once("counts queries")
@pytest.mark.parametrize("day", ["", "2023-10-01"])
def test_the_indicator_page_asks_ten_queries_at_most_however_often_it_was_corrected(client, day):
    indicator = make_indicator(basis=make_indicator())
    make_indicator(basis=indicator)
    value = make_observation(indicator=indicator, published=ISSUED)
    target = make_target(indicator=indicator, published=ISSUED)
    count_queries(lambda: page_of(client, value, as_of=day))
    before = count_queries(lambda: page_of(client, value, as_of=day))
    for n in range(4):
        value = corrected(value, make_observation, AUGUST, f"原因{n}")
        target = corrected(target, make_target, AUGUST, f"原因{n}")

    assert count_queries(lambda: page_of(client, value, as_of=day)) == before
    assert before <= 10 + to_the_past(day)


@pytest.mark.once("counts queries")
def test_the_list_of_targets_asks_as_many_queries_for_many_corrections_as_for_one(client):
    def read():
        return client.get("/en/targets/")

    plan = make_plan()
    _first, target = corrected_target(plan=plan)
    read()
    before = count_queries(read)
    for n in range(4):
        target = corrected(target, make_target, SEPTEMBER, f"原因{n}")
        corrected_target(plan=plan)

    assert Target.objects.published().count() == 5
    assert count_queries(read) == before
