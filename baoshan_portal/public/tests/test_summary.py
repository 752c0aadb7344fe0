"""What a page says of an indicator in plain language, worked out by hand."""

from datetime import date
from decimal import Decimal

import pytest
from django.utils.translation import override

from measures.tests.factories import ISSUED
from metrics.assessment import assess
from metrics.last_change import last_change
from metrics.models import Target
from metrics.rules.choices import Certainty, Claim, Frequency, Kind, Qualifier
from metrics.tests.factories import (
    make_indicator,
    make_observation,
    make_plan,
    make_target,
    make_unit,
)

from ..summary import summary

pytestmark = [pytest.mark.django_db, pytest.mark.once("is about words")]

ON = date(2022, 6, 30)


@pytest.fixture(autouse=True)
def english(language):
    with override("en"):
        yield


def year(indicator, year, value, **fields):
    return make_observation(
        indicator=indicator,
        value=Decimal(value),
        period_start=date(year, 1, 1),
        period_end=date(year, 12, 31),
        published=ISSUED,
        **fields,
    )


def loaded(indicator):
    return type(indicator).objects.with_place().with_history().get(pk=indicator.pk)


def change_of(indicator) -> str | None:
    change = last_change(loaded(indicator))
    return change and change.words


def said(indicator, on=ON) -> str:
    row = loaded(indicator)
    return summary(row, assess(row, row.current_target, on), on)


@pytest.mark.parametrize(
    ("before", "now", "text"),
    [
        (706, 905, "up by 199 organisations (+28.19%)"),
        (905, 706, "down by 199 organisations (−21.99%)"),
        (905, 905, "unchanged"),
        (0, 5, "up by 5 organisations"),
    ],
)
def test_a_change_is_named_with_its_growth(before, now, text):
    indicator = make_indicator()
    year(indicator, 2021, before)
    year(indicator, 2022, now)

    assert change_of(indicator) == text


def test_percentages_change_by_percentage_points():
    unit = make_unit(name="%", name_en="%", quantity="percentage")
    indicator = make_indicator(unit=unit, kind=Kind.SHARE)
    year(indicator, 2021, "10.5")
    year(indicator, 2022, 12)

    assert change_of(indicator) == "up by 1.5 percentage points"


def test_a_smaller_rank_is_a_better_place():
    unit = make_unit(name="名次", name_en="rank", quantity="rank")
    indicator = make_indicator(unit=unit, kind=Kind.RANK)
    year(indicator, 2021, 8)
    year(indicator, 2022, 6)

    assert change_of(indicator) == "up 2 places"


def test_a_change_of_inexact_values_is_about():
    indicator = make_indicator()
    year(indicator, 2021, 100)
    year(indicator, 2022, 200, qualifier=Qualifier.OVER)

    assert change_of(indicator) == "up by about 100 organisations (about +100%)"


def test_a_quarter_is_not_compared_with_a_year():
    indicator = make_indicator()
    year(indicator, 2021, 100)
    make_observation(
        indicator=indicator,
        period_start=date(2022, 1, 1),
        period_end=date(2022, 3, 31),
        published=ISSUED,
    )

    assert change_of(indicator) == ""
    assert "Before it was 100 organisations (year 2021). The periods differ" in said(indicator)


def test_a_year_is_compared_with_a_leap_year():
    indicator = make_indicator()
    year(indicator, 2020, 1)
    year(indicator, 2021, 2)

    assert change_of(indicator) == "up by 1 organisations (+100%)"


def test_two_sources_of_one_period_are_no_change():
    indicator = make_indicator(kind=Kind.STOCK)
    year(indicator, 2022, 1)
    year(indicator, 2022, 2)

    assert change_of(indicator) is None


@pytest.mark.parametrize(
    ("of", "sentence"),
    [
        (2022, "The source tells a growth of over 35%, but no earlier value."),
        (2021, "No earlier value can be compared with it."),
    ],
)
def test_without_an_earlier_value_the_growth_that_the_source_tells_is_said(client, of, sentence):
    indicator = make_indicator()
    year(indicator, 2022, 5)
    unit = make_unit(name="%", name_en="%", quantity="percentage")
    rate = make_indicator(basis=indicator, kind=Kind.GROWTH, unit=unit, measure=indicator.measure)
    year(rate, of, 35, as_written="超过35%", qualifier=Qualifier.OVER)

    page = client.get(f"/en/indicators/{indicator.code}/").content.decode()

    assert sentence in page


def test_without_a_value_nothing_else_is_said():
    assert said(make_indicator()) == "No value has been published. That is not a zero."


def test_without_a_target_what_remains_is_not_guessed():
    indicator = make_indicator()
    year(indicator, 2022, 5)

    assert said(indicator).endswith("No target has been published, so what remains cannot be said.")


def test_an_unpublished_target_is_not_guessed_either():
    indicator = make_indicator()
    year(indicator, 2022, 5)
    make_target(indicator=indicator, value=None, claim=Claim.MET_EARLY, published=ISSUED)

    text = said(indicator)

    assert "claims that the target was met; this cannot be verified" in text
    assert "%" not in text


def on_the_way(value, on=ON, **fields):
    """A cumulative total that is to grow from 0 to 300 in the three years 2021 to 2023."""
    indicator = make_indicator(kind=Kind.CUMULATIVE, frequency=Frequency.QUARTERLY)
    make_observation(
        indicator=indicator,
        value=Decimal(value),
        period_start=date(2021, 1, 1),
        period_end=on,
        published=ISSUED,
    )
    make_target(
        indicator=indicator,
        plan=make_plan(),
        value=Decimal(300),
        due_on=date(2023, 12, 31),
        published=ISSUED,
        **fields,
    )
    return indicator


def test_what_remains_is_shared_by_the_quarters_that_are_left():
    # 300 − 182 = 118 over the six quarters from July 2022 to December 2023: 19.67, so 20.
    text = said(on_the_way(182))

    assert "118 organisations remain to the target." in text
    assert "Each quarter until then must bring 20 organisations." in text
    # 546 of 1,095 days brought 182 of 300, so 300 come after 900 days: on 19 June 2023.
    assert "At this pace it is reached on 19 June 2023." in text


def test_a_target_that_is_met_needs_nothing_more():
    text = said(on_the_way(300))

    assert "target met" in text
    assert "remain" not in text


def test_after_the_due_day_no_quarter_is_left():
    text = said(on_the_way(182), on=date(2024, 2, 1))

    assert "target missed" in text
    assert "No time is left" in text


def test_a_claim_that_the_figures_do_not_bear_out_is_named():
    text = said(on_the_way(10, claim=Claim.MET))

    assert "The source claims otherwise: reported met." in text
    assert Target.objects.count() == 1


def test_an_expected_value_is_marked_as_such():
    indicator = make_indicator()
    year(indicator, 2022, 5, certainty=Certainty.EXPECTED)

    assert "5 organisations (expected)" in said(indicator)
