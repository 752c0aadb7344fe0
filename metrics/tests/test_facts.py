"""What is known of every figure, as the filters and the counts of the first page say it."""

from datetime import date
from itertools import product

import pytest

from measures.tests.factories import ISSUED

from ..assessment import assess
from ..facts import with_facts
from ..models import Indicator
from ..rules.choices import Certainty, Frequency
from .factories import make_indicator, make_observation


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
