"""Light rows of values say what the rows of the table say."""

from datetime import date
from decimal import Decimal

import pytest

from measures.tests.factories import ISSUED

from ..courses import CourseValue, load_latest, load_values
from ..models import Indicator
from ..rules.choices import Certainty, Qualifier
from .factories import make_indicator, make_no_figure, make_observation

pytestmark = pytest.mark.django_db

LATER = date(2023, 9, 1)
#: What a light row is asked for.
SAID = (*CourseValue._fields, "is_reported", "period", "source_text")


def told(value) -> dict:
    return {name: getattr(value, name) for name in SAID} | {
        "certainty in words": value.get_certainty_display()
    }


@pytest.fixture
def indicators() -> list[Indicator]:
    """Two of one page: with values of a report, of another source, only expected, of a draft and
    of a day to come; and without any."""
    known = make_indicator()
    for year, fields in (
        (2020, {"period_start": None, "certainty": Certainty.PRELIMINARY}),
        (2021, {"report": None, "locator": "", "source_name": "季报"}),
        (2022, {"qualifier": Qualifier.ABOUT, "as_written": "约6家", "period_inferred": True}),
        (2030, {"certainty": Certainty.EXPECTED}),
    ):
        period = {"period_start": date(year, 1, 1), "period_end": date(year, 12, 31)}
        make_observation(indicator=known, published=ISSUED, **period | fields)
    year = {"period_start": date(2019, 1, 1), "period_end": date(2019, 12, 31)}
    make_observation(indicator=known, **year)
    make_observation(indicator=known, value=Decimal(9), published=LATER)
    make_no_figure(published=ISSUED)
    return [known, make_indicator()]


@pytest.mark.parametrize("as_of", [None, ISSUED, date(2023, 7, 24)])
def test_a_light_row_says_what_the_row_of_the_table_says(indicators, as_of):
    keys = [row.pk for row in indicators]
    rows = Indicator.objects.filter(pk__in=keys).order_by("pk")
    whole = rows.with_public_values(as_of)
    newest = rows.with_newest_value(as_of)
    load_values(light := list(rows), as_of)
    load_latest(alone := list(rows), as_of)

    for row, values, latest, light_latest in zip(whole, light, newest, alone, strict=True):
        assert [told(value) for value in values.public_values] == [
            told(value) for value in row.public_values
        ]
        assert (latest.latest is None) == (light_latest.latest is None) == (row.latest is None)
        if row.latest:
            assert told(light_latest.latest) == told(latest.latest) == told(values.latest)
    assert len(light[0].public_values) == {None: 5, ISSUED: 4}.get(as_of, 0)


def test_no_figure_costs_no_query(django_assert_num_queries):
    with django_assert_num_queries(0):
        load_values([], None)
        load_latest([], None)
