"""What is known of every figure, as the filters and the counts of the first page say it."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import product

import pytest

from measures.tests.factories import ISSUED

from .. import verdicts
from ..assessment import assess
from ..facts import with_facts
from ..models import Indicator, Target
from ..rules.choices import Certainty, Frequency, Freshness, Kind, Verdict
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
    known = with_facts(Indicator.objects.order_by("pk"), day, 30)

    found = dict(zip(cases, (row.facts.fresh for row in known), strict=True))
    told = dict(zip(cases, (assess(row, None, day).timeliness.state for row in rows), strict=True))
    assert found == told


@pytest.mark.django_db
def test_that_there_is_no_figure_counts_as_a_report():
    indicator = make_indicator(frequency=Frequency.YEARLY)
    year = {"period_start": date(2021, 1, 1), "period_end": date(2021, 12, 31)}
    make_observation(indicator=indicator, **year, published=ISSUED)

    def fresh(as_of: date) -> str:
        (row,) = with_facts(Indicator.objects.all(), as_of, 30)
        return row.facts.fresh

    make_no_figure(indicator=indicator, published=ISSUED + timedelta(days=1))
    assert [fresh(ISSUED), fresh(ISSUED + timedelta(days=1))] == [
        Freshness.SILENT, Freshness.CURRENT,
    ]  # fmt: skip


@pytest.mark.django_db
def test_a_verdict_without_its_page_is_that_of_the_page():
    """On a past day: met, behind from the value before the plan, and without a value."""
    before = {"period_start": date(2020, 1, 1), "period_end": date(2020, 12, 31)}
    for values in ([10], [1, 0], []):
        indicator = make_indicator(kind=Kind.STOCK, frequency=Frequency.QUARTERLY)
        for value, period in zip(values, ({}, before), strict=False):
            make_observation(indicator=indicator, value=Decimal(value), **period, published=ISSUED)
        make_target(indicator=indicator, published=ISSUED)

    rows = Target.objects.for_list(ISSUED)
    told = {row.pk: assess(row.indicator, row, ISSUED).verdict for row in rows}
    found = verdicts.of(Target.objects.published(ISSUED), ISSUED)
    assert {row.pk: verdict for row, verdict, _left in found} == told
    assert set(told.values()) == {Verdict.MET, Verdict.BEHIND, Verdict.NO_DATA}
