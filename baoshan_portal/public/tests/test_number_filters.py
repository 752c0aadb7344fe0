"""What the lists of figures and targets can be narrowed by, shown with hand-made rows."""

from datetime import date
from types import SimpleNamespace

import pytest
from django.http import QueryDict

from measures.models import Measure
from measures.tests.factories import ISSUED, make_measure, make_report
from metrics.models import Indicator, Target
from metrics.rules.checks import CheckKind, Role
from metrics.rules.choices import Category, Claim, Comparator, Level
from metrics.tests.factories import (
    make_check,
    make_indicator,
    make_observation,
    make_plan,
    make_target,
    make_term,
)

from ..lists.filters import IndicatorFilter, MeasureFilter, TargetFilter

pytestmark = pytest.mark.django_db

LATER = date(2023, 9, 1)


def asked(filterset_class, queryset, query: str, as_of: date | None):
    filterset = filterset_class(
        QueryDict(query), queryset=queryset, request=SimpleNamespace(as_of=as_of, META={})
    )
    assert filterset.is_valid(), filterset.errors
    return filterset


def names(query: str, as_of: date | None = None) -> set[str]:
    """The indicators that answer, by name."""
    queryset = Indicator.objects.published(as_of)
    return {row.name_en for row in asked(IndicatorFilter, queryset, query, as_of).qs}


def targets(query: str, as_of: date | None = None) -> set[str]:
    """The targets that answer, by the name of their indicator."""
    queryset = Target.objects.for_list(as_of)
    return {row.indicator.name_en for row in asked(TargetFilter, queryset, query, as_of).qs}


def make(name: str, **observation) -> Indicator:
    """An indicator with one value, which is public since the report unless it says otherwise."""
    indicator = make_indicator(name_en=name)
    make_observation(**{"indicator": indicator, "published": ISSUED} | observation)
    return indicator


def test_categories_and_levels_take_several_answers():
    make_indicator(name_en="Fund", category=Category.FUNDS, level=Level.NATIONAL)
    make_indicator(name_en="Hub", category=Category.PLATFORMS)
    make_indicator(name_en="Land", category=Category.SPACE, level=Level.DISTRICT)

    assert names("category=funds&category=space") == {"Fund", "Land"}
    assert names("not_category=funds&not_category=space") == {"Hub"}
    assert names("level=national&level=none") == {"Fund", "Hub"}
    assert names("not_level=none") == {"Fund", "Land"}


def test_key_figures_keep_their_address():
    make_indicator(name_en="Key", is_key=True)
    make_indicator(name_en="Other")

    assert names("key=true") == {"Key"}
    assert names("key=false") == {"Other"}


def test_a_draft_is_no_public_value():
    make("Valued", published=LATER)
    make("Drafted", published=None)

    assert names("value=yes") == {"Valued"}
    assert names("value=no") == {"Drafted"}
    assert names("value=no", ISSUED) == {"Valued", "Drafted"}


def test_a_value_is_traced_by_its_report_or_its_source():
    make("Stated in the report", report=make_report(), locator="1.1/1")
    make("Stated elsewhere", source_name="台账")
    make_indicator(name_en="Silent")

    assert names("traced=yes") == {"Stated in the report", "Stated elsewhere"}
    assert names("traced=no") == {"Silent"}


def test_one_inferred_period_among_the_standing_values_is_enough():
    mixed = make("Mixed", period_inferred=True)
    make_observation(indicator=mixed, period_end=date(2023, 6, 30), published=LATER)
    make("Stated")
    wrong = make("Corrected", period_inferred=True)
    make_observation(
        indicator=wrong,
        supersedes=wrong.observations.get(),
        revision=2,
        correction_reason="查明",
        published=LATER,
    )

    assert names("inferred=yes") == {"Mixed"}
    assert names("inferred=no") == {"Stated", "Corrected"}
    assert names("inferred=yes", ISSUED) == {"Mixed", "Corrected"}


def test_updated_is_what_was_published_after_the_day_of_the_report():
    make_report(issued_on=ISSUED)
    make_report(issued_on=date(2024, 7, 1))
    make("On the day", published=ISSUED)
    make("The day after", published=date(2023, 7, 26))

    assert names("updated=yes") == {"The day after"}
    assert names("updated=no") == {"On the day"}
    assert names("updated=yes", ISSUED) == set()


def test_without_a_report_nothing_is_an_update():
    make("Valued")

    assert names("updated=no") == {"Valued"}


def test_a_target_is_published_if_one_of_them_has_a_value():
    plan = make_plan()
    for name, values in (("None", []), ("Claimed", [None]), ("Both", [None, 5]), ("Set", [5])):
        indicator = make_indicator(name_en=name)
        for year, value in enumerate(values, 2023):
            make_target(
                indicator=indicator,
                plan=plan,
                value=value,
                due_on=date(year, 12, 31),
                published=ISSUED if value is None else LATER,
            )
    make_target(indicator=Indicator.objects.get(name_en="None"), plan=plan)

    assert names("target=none") == {"None"}
    assert names("target=unpublished") == {"Claimed"}
    assert names("target=published") == {"Both", "Set"}
    assert names("not_target=published") == {"None", "Claimed"}
    assert names("target=unpublished", ISSUED) == {"Claimed", "Both"}


@pytest.fixture
def checked():
    """Five is part of Ten, and One is not the whole of Five; None has no value to be checked."""
    figures = {name: make(name, value=value) for name, value in (("Five", 5), ("Ten", 10))}
    figures["One"] = make("One", value=1, published=LATER)
    figures["Silent"] = make_indicator(name_en="Silent")
    make("Unchecked")
    for part, whole in (("Five", "Ten"), ("Five", "One"), ("Ten", "Silent")):
        check = make_check(kind=CheckKind.PART)
        make_term(check_of=check, role=Role.PART, indicator=figures[part])
        make_term(check_of=check, role=Role.WHOLE, indicator=figures[whole])


@pytest.mark.parametrize(
    ("query", "as_of", "expected"),
    [
        ("check=holds", None, {"Five", "Ten"}),
        ("check=fails", None, {"Five", "One"}),
        ("check=unknown", None, {"Ten", "Silent"}),
        ("check=approximate", None, set()),
        ("check=fails&check=unknown", None, {"Five", "One", "Ten", "Silent"}),
        ("not_check=fails", None, {"Ten", "Silent", "Unchecked"}),
        ("check=holds&not_check=fails", None, {"Ten"}),
        ("check=fails", ISSUED, set()),
        ("check=unknown", ISSUED, {"Five", "One", "Ten", "Silent"}),
    ],
)
def test_an_indicator_answers_by_every_check_that_it_takes_part_in(checked, query, as_of, expected):
    assert names(query, as_of) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"holds": 2, "fails": 2, "unknown": 2}),
        ("check=holds", {"holds": 2, "fails": 2, "unknown": 2}),
        # Five both holds and fails: with fails left out it no longer counts under holds.
        ("not_check=fails", {"holds": 1, "fails": 2, "unknown": 2}),
        # To choose a result ends its own exclusion and no other: holds would show nothing.
        ("not_check=fails&not_check=unknown", {"fails": 2, "unknown": 2}),
    ],
)
def test_results_count_with_the_other_exclusions_in_force(checked, query, expected):
    counts = asked(IndicatorFilter, Indicator.objects.published(), query, None).counts["check"]

    assert +counts == expected


def test_targets_are_kept_apart_by_claim_value_and_verdict():
    plan = make_plan(start_on=date(2021, 1, 1), end_on=date(2023, 12, 31))
    for name, value, claim in (
        ("Reached", 5, Claim.NONE),
        ("Missed", 10, Claim.NOT_MET),
        ("Claimed", None, Claim.MET_EARLY),
        ("Unknown", None, Claim.NONE),
    ):
        make_target(
            indicator=make(name, value=5),
            plan=plan,
            value=value,
            comparator=Comparator.AT_LEAST,
            claim=claim,
            published=ISSUED,
        )

    assert targets("claim=not-met&claim=met-early") == {"Missed", "Claimed"}
    assert targets("not_claim=none") == {"Missed", "Claimed"}
    assert targets("valued=yes") == {"Reached", "Missed"}
    assert targets("valued=no") == {"Claimed", "Unknown"}
    assert targets("verdict=met") == {"Reached"}
    assert targets("verdict=missed&verdict=claim-unverifiable") == {"Missed", "Claimed"}
    assert targets("not_verdict=missed&valued=yes") == {"Reached"}
    # On the day of the report the plan was not over yet.
    assert targets("verdict=missed", ISSUED) == set()
    assert targets("verdict=not-assessable", ISSUED) == {"Missed"}


def test_measures_are_kept_apart_by_public_figures():
    make_indicator(measure=make_measure(name_en="Counted"), published_on=LATER)
    make_indicator(measure=make_measure(name_en="Prepared"), published_on=None)

    def measures(query: str, as_of: date | None = None) -> set[str]:
        queryset = Measure.objects.published(as_of)
        return {row.name_en for row in asked(MeasureFilter, queryset, query, as_of).qs}

    assert measures("counted=yes") == {"Counted"}
    assert measures("counted=no") == {"Prepared"}
    assert measures("counted=no", ISSUED) == {"Counted", "Prepared"}
