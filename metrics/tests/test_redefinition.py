"""Whether a verdict is better because the terms changed; every case worked out by hand."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from measures.tests.factories import ISSUED, make_measure, reword

from ..history import earlier_targets
from ..models import Target
from ..redefinition import redefinitions
from ..rules.choices import Frequency, Kind, Verdict
from ..rules.redefinition import is_better, slip
from .factories import make_indicator, make_observation, make_plan, make_target
from .test_history import corrected

AUGUST, SEPTEMBER, OCTOBER = date(2023, 8, 10), date(2023, 9, 1), date(2023, 10, 1)
MET, MISSED, BEHIND, ON_TRACK = Verdict.MET, Verdict.MISSED, Verdict.BEHIND, Verdict.ON_TRACK
UNSAID, UNKNOWN = Verdict.NOT_ASSESSABLE, Verdict.TARGET_UNKNOWN


@pytest.mark.parametrize(
    ("verdict", "than", "better"),
    [
        (MET, UNSAID, True), (MET, MISSED, True), (ON_TRACK, BEHIND, True), (BEHIND, MISSED, True),
        (UNSAID, MISSED, True), (UNKNOWN, MISSED, True), (ON_TRACK, UNSAID, True),
        (MET, MET, False), (MISSED, BEHIND, False), (UNSAID, ON_TRACK, False),
        # What becomes known is disclosed; it was not different before.
        (MET, UNKNOWN, False), (MET, Verdict.CLAIM_UNVERIFIABLE, False),
        (MET, Verdict.NO_TARGET, False),
    ],
)  # fmt: skip
def test_which_verdict_is_better(verdict, than, better):
    assert is_better(verdict, than) is better


@pytest.mark.parametrize(
    ("first", "now", "days"),
    [
        (date(2023, 12, 31), date(2024, 12, 31), 366),
        (date(2023, 12, 31), date(2023, 12, 1), -30),
        (date(2023, 12, 31), date(2023, 12, 31), 0),
        (None, date(2023, 12, 31), None),
        (date(2023, 12, 31), None, None),
    ],
)
def test_by_how_many_days_a_due_date_slips(first, now, days):
    assert slip(first, now) == days


def state_of(indicator, as_of):
    targets = Target.objects.for_list(as_of).filter(indicator=indicator)
    (found,) = redefinitions(targets, earlier_targets(targets, as_of), as_of).values()
    return found


def aimed_at(target="10", value="5", due=date(2023, 12, 31), **fields):
    indicator = make_indicator(**fields)
    make_observation(indicator=indicator, value=Decimal(value), published=ISSUED)
    aim = make_target(
        indicator=indicator, value=target and Decimal(target), due_on=due, published=ISSUED
    )
    return indicator, aim


@pytest.mark.django_db
def test_a_target_that_is_lowered_below_the_value_is_a_redefinition():
    """5 does not reach 10 and reaches 4; a yearly flow has no pace."""
    indicator, aim = aimed_at()
    corrected(aim, make_target, AUGUST, "目标下调", value=Decimal(4))

    terms = state_of(indicator, SEPTEMBER)

    assert (terms.is_redefined, terms.otherwise, terms.slip) == (True, UNSAID, 0)
    assert terms.first == aim
    before = state_of(indicator, date(2023, 8, 9))
    assert (before.is_redefined, before.has_first) == (False, False)


@pytest.mark.django_db
def test_a_target_lowered_that_the_value_does_not_reach_changes_no_verdict():
    indicator, aim = aimed_at()
    corrected(aim, make_target, AUGUST, "目标下调", value=Decimal(6))

    terms = state_of(indicator, SEPTEMBER)

    assert (terms.is_redefined, terms.first, terms.has_first) == (False, aim, True)


@pytest.mark.django_db
def test_a_value_that_reaches_old_and_new_target_is_no_redefinition():
    indicator, aim = aimed_at(value="12")
    corrected(aim, make_target, AUGUST, "目标上调", value=Decimal(11))

    assert not state_of(indicator, SEPTEMBER).is_redefined


@pytest.mark.django_db
def test_a_target_that_becomes_known_is_disclosed_and_not_redefined():
    indicator, aim = aimed_at(target=None)
    corrected(aim, make_target, AUGUST, "公布目标值", value=Decimal(4))

    assert not state_of(indicator, SEPTEMBER).is_redefined


@pytest.mark.django_db
def test_a_due_date_put_off_hides_that_the_target_is_missed():
    """Due on 31 August and not reached: missed on 1 September; put off by 122 days it is open."""
    indicator, aim = aimed_at(due=date(2023, 8, 31))
    corrected(aim, make_target, AUGUST, "延期", due_on=date(2023, 12, 31))

    terms = state_of(indicator, SEPTEMBER)

    assert (terms.is_redefined, terms.otherwise, terms.slip) == (True, MISSED, 122)
    assert (terms.first_due, terms.due) == (date(2023, 8, 31), date(2023, 12, 31))
    # While it was not due yet, the same verdict was due to nothing.
    assert not state_of(indicator, date(2023, 8, 31)).is_redefined


@pytest.mark.django_db
def test_a_plan_that_ends_later_puts_off_its_targets_without_a_date():
    indicator = make_indicator()
    make_observation(indicator=indicator, published=ISSUED)
    plan = make_plan(end_on=date(2023, 8, 31))
    make_target(indicator=indicator, plan=plan, published=ISSUED)
    reword(plan, AUGUST, end_on=date(2023, 12, 31))

    terms = state_of(indicator, SEPTEMBER)

    assert (terms.is_redefined, terms.otherwise, terms.slip) == (True, MISSED, 122)


@pytest.mark.django_db
def test_another_kind_that_ends_a_bad_verdict_is_a_redefinition():
    """100 % of the time of 2021 to 31 August 2023 is almost used, 5 of 10 is half of the way."""
    fields = {"kind": Kind.CUMULATIVE, "frequency": Frequency.QUARTERLY}
    indicator = make_indicator(**fields)
    make_observation(indicator=indicator, period_start=date(2021, 1, 1), published=ISSUED)
    make_target(indicator=indicator, published=ISSUED)
    reword(indicator, AUGUST, kind=Kind.STOCK)

    terms = state_of(indicator, SEPTEMBER)

    assert (terms.is_redefined, terms.otherwise) == (True, BEHIND)


@pytest.mark.django_db
def test_another_scope_counts_if_the_first_value_after_it_gives_a_better_verdict():
    indicator, _aim = aimed_at()
    reword(indicator, AUGUST, scope="含规模以下企业")
    assert not state_of(indicator, AUGUST).is_redefined
    make_observation(
        indicator=indicator,
        value=Decimal(12),
        period_start=date(2023, 1, 1),
        period_end=date(2023, 8, 31),
        published=SEPTEMBER,
    )

    terms = state_of(indicator, SEPTEMBER)

    assert (terms.is_redefined, terms.otherwise) == (True, None)


@pytest.mark.django_db
def test_another_scope_does_not_count_for_values_long_after_it():
    indicator, _aim = aimed_at()
    reword(indicator, AUGUST, scope="含规模以下企业")
    for value, published in ((6, SEPTEMBER), (12, OCTOBER)):
        make_observation(
            indicator=indicator,
            value=Decimal(value),
            period_start=date(2023, 1, 1),
            period_end=date(2023, 8, value),
            published=published,
        )

    assert not state_of(indicator, OCTOBER).is_redefined


@pytest.mark.django_db
def test_a_new_name_or_place_is_no_redefinition():
    indicator, _aim = aimed_at()
    reword(indicator, AUGUST, name="新名称")
    reword(indicator, SEPTEMBER, measure=make_measure())
    make_observation(indicator=indicator, value=Decimal(12), published=OCTOBER)

    assert not state_of(indicator, OCTOBER).is_redefined


@pytest.mark.django_db
def test_any_number_of_targets_costs_two_queries_beside_the_list():
    def cost():
        targets = list(Target.objects.for_list(SEPTEMBER))
        earlier = earlier_targets(targets, SEPTEMBER)
        with CaptureQueriesContext(connection) as queries:
            redefinitions(targets, earlier, SEPTEMBER)
        return len(queries)

    for _n in range(2):
        _indicator, aim = aimed_at()
        corrected(aim, make_target, AUGUST, "目标下调", value=Decimal(4))
    one = cost()
    for _n in range(8):
        _indicator, aim = aimed_at()
        corrected(aim, make_target, AUGUST, "目标下调", value=Decimal(4))

    assert cost() == one == 2


@pytest.mark.once("reads what a page says")
@pytest.mark.django_db
def test_page_list_and_file_say_so(client):
    indicator, aim = aimed_at(due=date(2023, 8, 31))
    corrected(aim, make_target, AUGUST, "延期", due_on=date(2023, 12, 31), value=Decimal(4))
    said = "The verdict changed because of a redefinition"

    page = client.get(f"/en/indicators/{indicator.code}/?as_of=2023-09-01").content.decode()
    assert said in page and "target missed" in page
    assert "First target" in page and "≥ 10" in page and "put off by 122 days" in page
    listed = client.get("/en/targets/?as_of=2023-09-01").content.decode()
    assert said in listed and "put off by 122 days" in listed
    file = b"".join(client.get("/en/targets/?as_of=2023-09-01&format=csv")).decode()
    assert "2023-08-31,122," in file and said in file
    changes = client.get("/en/changes/?from=2023-07-25&to=2023-09-01").content.decode()
    assert said in changes
    assert (
        said
        not in client.get(f"/en/indicators/{indicator.code}/?as_of=2023-08-09").content.decode()
    )


@pytest.mark.once("counts queries")
@pytest.mark.django_db
def test_the_list_costs_two_queries_more_for_any_number_of_targets(client):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/en/targets/").status_code == 200
        return queries

    def about(queries, table):
        return sum(f'FROM "{table}"' in query["sql"] for query in queries)

    for _n in range(12):
        _indicator, aim = aimed_at()
        corrected(aim, make_target, AUGUST, "目标下调", value=Decimal(4))
    queries = cost()

    assert about(queries, "measures_version") == 1
    for _n in range(12):
        aimed_at()
    assert len(cost()) == len(queries)
