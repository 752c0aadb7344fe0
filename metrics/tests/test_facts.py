"""What is known of every figure, as the filters and the counts of the first page say it."""

from collections import Counter
from copy import copy
from datetime import date, timedelta
from decimal import Decimal
from itertools import product

import pytest
import time_machine

from measures.tests.factories import ISSUED, as_reviewed

from .. import verdicts
from ..assessment import assess
from ..facts import Counted, fresh, read
from ..facts import of as facts_of
from ..models import Indicator, IndicatorSummary, Target, TargetSummary
from ..rules.choices import Certainty, Frequency, Freshness, Kind, Verdict
from ..rules.freshness import newest_due, timeliness
from ..summaries import write_missing
from .factories import make_indicator, make_no_figure, make_observation, make_target


@pytest.mark.django_db
@pytest.mark.parametrize("on", ["2023-07-26", "2023-10-29", "2023-10-30", "2024-01-30"])
def test_page_and_filter_agree(on):
    cases = list(product(Frequency, ["2022-12-31", "2023-07-24", "2023-09-30", None]))
    for frequency, ended in cases:
        indicator = make_indicator(frequency=frequency)
        if not ended:
            continue
        end = date.fromisoformat(ended)
        make_observation(
            indicator=indicator,
            period_start=None,
            period_end=end,
            certainty=Certainty.EXPECTED if end > ISSUED else Certainty.ACTUAL,
            published=ISSUED,
        )
    day = date.fromisoformat(on)

    rows = Indicator.objects.with_latest(day).order_by("pk")
    known = {row.pk: facts for row, facts in facts_of(Indicator.objects.all(), day, 30)}

    found = dict(zip(cases, (known[row.pk].fresh for row in rows), strict=True))
    told = dict(zip(cases, (assess(row, None, day).timeliness.state for row in rows), strict=True))
    assert found == told


@pytest.mark.django_db
def test_that_there_is_no_figure_counts_as_a_report():
    indicator = make_indicator(frequency=Frequency.YEARLY)
    year = {"period_start": date(2021, 1, 1), "period_end": date(2021, 12, 31)}
    make_observation(indicator=indicator, **year, published=ISSUED)

    def fresh(as_of: date) -> str:
        ((_row, facts),) = facts_of(Indicator.objects.all(), as_of, 30)
        return facts.fresh

    make_no_figure(indicator=indicator, published=ISSUED + timedelta(days=1))
    assert [fresh(ISSUED), fresh(ISSUED + timedelta(days=1))] == [
        Freshness.SILENT, Freshness.CURRENT,
    ]  # fmt: skip


@pytest.mark.django_db
def test_what_became_public_later_was_not_so_before():
    """Nor is a draft ever, nor counts as reported what is only expected."""
    indicator, later = make_indicator(), ISSUED + timedelta(days=9)
    years = [
        {"period_start": date(y, 1, 1), "period_end": date(y, 12, 31)} for y in range(2019, 2024)
    ]
    make_observation(indicator=indicator, **years[0], published=ISSUED)
    make_observation(indicator=indicator, **years[1], period_inferred=True, published=later)
    make_observation(indicator=indicator, **years[2], certainty=Certainty.EXPECTED, published=later)
    make_observation(indicator=indicator, **years[3], period_inferred=True)

    def told(day: date) -> tuple[bool, bool, date]:
        known = read({indicator.pk: indicator.measure_id}, day)[indicator.pk]
        return known.value, known.inferred, known.newest

    first, second = (year["period_end"] for year in years[:2])
    assert told(ISSUED - timedelta(days=1)) == (False, False, None)
    assert told(ISSUED) == told(later - timedelta(days=1)) == (True, False, first)
    assert told(later) == (True, True, second)


@pytest.mark.django_db
def test_a_verdict_without_its_page_is_that_of_the_page():
    """On a past day: met, behind from the value before the plan, met as is only expected, and
    without a value."""
    before = {"period_start": date(2020, 1, 1), "period_end": date(2020, 12, 31)}
    expected = {
        "period_start": date(2023, 1, 1), "period_end": date(2023, 12, 31),
        "certainty": Certainty.EXPECTED,
    }  # fmt: skip
    for values in ([10], [1, 0], [1, 0, 10], []):
        indicator = make_indicator(kind=Kind.STOCK, frequency=Frequency.QUARTERLY)
        for value, period in zip(values, ({}, before, expected), strict=False):
            make_observation(indicator=indicator, value=Decimal(value), **period, published=ISSUED)
        make_target(indicator=indicator, published=ISSUED)

    rows = Target.objects.for_list(ISSUED)
    told = {row.pk: assess(row.indicator, row, ISSUED).verdict for row in rows}
    found = verdicts.of(Target.objects.published(ISSUED), ISSUED)
    assert {row.pk: verdict for row, verdict, _left in found} == told
    assert set(told.values()) == {Verdict.MET, Verdict.BEHIND, Verdict.NO_DATA}


#: As many summaries as there are, none, or some.
SUMMARIES = [1, 0, 3]


def written(model, every: int) -> None:
    """Leaves of the summaries of ``model`` each so-manieth, none if 0."""
    write_missing()
    kept = list(model.objects.values_list("pk", flat=True))
    model.objects.exclude(pk__in=kept[::every] if every else []).delete()


@pytest.mark.django_db
@pytest.mark.parametrize("every", SUMMARIES)
def test_facts_counted_are_those_of_each(every):
    """And what is overdue is named: by each frequency, agreed or not, on days around the due."""
    ends = [date(2022, 12, 31), date(2023, 3, 31), date(2023, 6, 30), None]
    with time_machine.travel("2023-07-26"):
        for frequency, agreed, ended, no_figure in product(
            Frequency, [None, date(2023, 1, 1), date(2023, 8, 2)], ends, [False, True]
        ):
            row = make_indicator(frequency=frequency, schedule_agreed_on=agreed)
            if ended:
                make_observation(
                    indicator=row, period_start=None, period_end=ended, published=ISSUED
                )
            if no_figure and ended:
                month = {"period_start": date(2023, 6, 1), "period_end": date(2023, 6, 30)}
                make_no_figure(indicator=row, **month, published=ISSUED)
        written(IndicatorSummary, every)
    public, late = Indicator.objects.published(), 0
    for day in ("2023-07-30", "2023-07-31", "2023-08-01", "2023-08-02", "2023-10-31"):
        with time_machine.travel(day):
            each = facts_of(public, None, 30, "measure_id", "order")
            counted = Counted(public, None, 30, "measure_id", "order")
            found = Counter()
            for (measure,), told, n in counted.by("measure_id"):
                found[measure, told.value, told.fresh, told.missed, told.newest] += n
            assert found == Counter(
                (row.measure_id, told.value, told.fresh, told.missed, told.newest)
                for row, told in each
            )
            overdue = {(row.pk, told.missed) for row, told in counted.late()}
            assert overdue == {
                (row.pk, told.missed) for row, told in each if told.fresh == Freshness.LATE
            }
            late = max(late, len(overdue))
    assert 10 < late < len(each)


@pytest.mark.django_db
@pytest.mark.parametrize("every", SUMMARIES)
def test_verdicts_counted_are_those_of_each(every):
    """Also on days on which time has changed them since the summaries were written."""
    with time_machine.travel("2023-07-26"):
        for value, due in product([None, 3, 20], [None, date(2023, 8, 1), date(2024, 3, 1)]):
            row = make_indicator(kind=Kind.FLOW, frequency=Frequency.QUARTERLY)
            if value is not None:
                make_observation(indicator=row, value=Decimal(value), published=ISSUED)
            make_target(indicator=row, value=Decimal(10), due_on=due, published=ISSUED)
        written(TargetSummary, every)
    targets, seen = Target.objects.published(), set()
    for day in ("2023-07-26", "2023-08-02", "2024-03-02"):
        with time_machine.travel(day):
            each = Counter(verdict for _row, verdict, _left in verdicts.of(targets, None))
            found = Counter()
            for _by, verdict, n in verdicts.counted(targets, None, "claim"):
                found[verdict] += n
            assert found == each
            seen |= each.keys()
    assert len(seen) > 3


@pytest.mark.django_db
@pytest.mark.parametrize("on", ["2024-01-29", "2024-01-30", "2024-03-01", "2024-10-30"])
def test_the_database_judges_freshness_by_the_rule(on):
    """Of reports that ended on and around each day that may matter."""
    day, grace_days = date.fromisoformat(on), 30
    ends = {
        end + timedelta(days=days)
        for frequency in Frequency
        if (end := newest_due(frequency, day, grace_days))
        for days in (-1, 0, 1)
    }
    ends, agreements = [None, *sorted(ends)], [None, day, day + timedelta(days=1)]
    cases = list(product(Frequency, ends, ends[::4], agreements))
    first = make_indicator()
    with as_reviewed():
        rows = [copy(first) for _case in cases]
        for n, (row, (frequency, _newest, _without, agreed_on)) in enumerate(
            zip(rows, cases, strict=True)
        ):
            row.pk, row.code, row.order = None, f"case-{n}", 1000 + n
            row.frequency, row.schedule_agreed_on = frequency, agreed_on
        Indicator.objects.bulk_create(rows)
    IndicatorSummary.objects.bulk_create(
        IndicatorSummary(
            indicator=row, value=bool(newest), traced=True, inferred=False, updated=False,
            target="none", newest=newest, without=without, values=1, of_first=1,
        )
        for row, (_frequency, newest, without, _agreed_on) in zip(rows, cases, strict=True)
    )  # fmt: skip

    told = Indicator.objects.filter(summary__isnull=False).order_by("pk")
    told = told.values_list(fresh(day, grace_days), flat=True)
    assert list(told) == [
        timeliness(
            frequency, newest, day, grace_days=grace_days, agreed_on=agreed_on,
            no_figure_end=without,
        ).state
        for frequency, newest, without, agreed_on in cases
    ]  # fmt: skip
    assert {*told} == {*Freshness}
