"""What has not happened yet is expected or preliminary, never actual, and meets no target."""

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import DatabaseError, connection, transaction

from measures import workflow
from measures.submission import State
from measures.tests.factories import make_user

from ..assessment import assess
from ..models import Indicator, Observation
from ..rules.choices import Certainty, Freshness, Kind, Verdict
from ..rules.periods import is_over
from ..warnings import warnings_of
from .factories import make_indicator, make_observation, make_target

pytestmark = pytest.mark.django_db

FAR = date(2999, 12, 31)
#: In UTC this is still the day before.
MORNING = datetime(2023, 7, 25, 0, 30, tzinfo=ZoneInfo("Asia/Shanghai"))


@pytest.mark.parametrize(
    ("end", "on", "over"),
    [
        (date(2023, 6, 30), date(2023, 7, 1), True),
        (date(2023, 6, 30), date(2023, 6, 30), True),
        (date(2023, 6, 30), date(2023, 6, 29), False),
    ],
)
def test_a_period_is_over_on_its_last_day(end, on, over):
    assert is_over(end, on) is over


@pytest.mark.parametrize(
    ("end", "certainty", "stored"),
    [
        (date(2023, 7, 25), Certainty.ACTUAL, True),
        (date(2023, 7, 26), Certainty.ACTUAL, False),
        (date(2023, 7, 26), Certainty.EXPECTED, True),
        (date(2023, 7, 26), Certainty.PRELIMINARY, True),
    ],
)
@pytest.mark.parametrize("way", ["insert", "update"])
def test_the_database_publishes_no_actual_value_of_a_period_that_has_not_ended(
    way, end, certainty, stored
):
    fields = {"period_start": date(2023, 7, 1), "period_end": end, "certainty": certainty}
    table = Observation._meta.db_table

    def write():
        if way == "insert":
            make_observation(published=MORNING, **fields)
            return
        row = make_observation(**fields)
        moment = connection.ops.adapt_datetimefield_value(MORNING)
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {table} SET state = 'published', published_at = %s WHERE id = %s",
                [moment, row.pk],
            )

    if stored:
        write()
        assert Observation.objects.filter(state=State.PUBLISHED).count() == 1
    else:
        with pytest.raises(DatabaseError, match="has not ended"), transaction.atomic():
            write()


def test_what_is_not_public_may_say_so_until_it_is_submitted():
    row = make_observation(period_end=FAR)
    sentence = "2999-12-31"
    (found,) = warnings_of([row])
    assert any(sentence in warning for warning in found)
    for step in (workflow.submit, lambda row, by: workflow.submit_all([row], by=by)):
        with pytest.raises(workflow.TransitionError, match=sentence):
            step(row, by=make_user())
    row.refresh_from_db()
    assert row.state == State.DRAFT


def test_nobody_publishes_it():
    row = make_observation(period_end=FAR, state=State.SUBMITTED)
    with pytest.raises(workflow.TransitionError, match="2999-12-31"):
        workflow.publish(row, by=make_user())


@pytest.mark.parametrize("certainty", [Certainty.EXPECTED, Certainty.PRELIMINARY])
def test_an_expected_or_preliminary_value_goes_its_way(certainty):
    row = make_observation(period_end=FAR, certainty=certainty)
    workflow.submit(row, by=make_user())
    workflow.publish(row, by=make_user())
    assert row.state == State.PUBLISHED


def assessed(indicator, on, **how):
    (row,) = Indicator.objects.filter(pk=indicator.pk).with_latest()
    return assess(row, row.current_target, on)


def test_an_expected_value_meets_no_target_and_is_no_report():
    indicator = make_indicator(kind=Kind.CUMULATIVE)
    make_target(indicator=indicator, value=Decimal(10), published=date(2023, 1, 2))
    make_observation(
        indicator=indicator,
        value=Decimal(12),
        period_end=date(2023, 12, 31),
        certainty=Certainty.EXPECTED,
        published=date(2023, 1, 2),
    )
    found = assessed(indicator, date(2023, 6, 30))
    assert (found.verdict, found.timeliness.state) == (Verdict.NO_DATA, Freshness.NEVER)
    assert (found.completion.value, found.progress.value) == (None, None)
    assert found.latest.value == 12

    make_observation(
        indicator=indicator,
        value=Decimal(5),
        period_end=date(2022, 12, 31),
        published=date(2023, 1, 20),
    )
    found = assessed(indicator, date(2023, 6, 30))
    assert (found.latest.value, found.completion.value) == (5, 50)
    assert assessed(indicator, date(2024, 1, 1)).verdict == Verdict.MISSED


def test_what_is_expected_does_not_stand_in_for_what_was_reported():
    indicator = make_indicator()
    make_observation(indicator=indicator, value=Decimal(3), published=date(2023, 1, 20))
    make_observation(
        indicator=indicator,
        value=Decimal(9),
        period_start=date(2023, 1, 1),
        period_end=date(2023, 12, 31),
        certainty=Certainty.EXPECTED,
        published=date(2023, 2, 1),
    )
    for rows in (Indicator.objects.with_latest(), Indicator.objects.with_history()):
        assert rows.get(pk=indicator.pk).latest.value == 3
    (row,) = Indicator.objects.with_latest_base_value()
    assert row.latest_base_value == 3
