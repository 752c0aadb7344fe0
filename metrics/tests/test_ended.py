"""``ended_at`` is what the corrections and withdrawals say, whichever door they come through."""

from datetime import date, timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import Exists, Min, OuterRef
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from measures import ended
from measures.models import Withdrawal
from measures.submission import moment_of, start_of_day, submissions
from measures.tests.factories import make_note
from measures.triggers import lifted
from measures.withdrawn import kind_of

from ..models import Observation
from .factories import make_indicator, make_observation, make_target, make_withdrawal

FIRST, THEN, LATER = date(2023, 8, 1), date(2023, 9, 1), date(2023, 10, 1)
TABLE = Observation._meta.db_table


def noon(day: date):
    """When the factories publish."""
    return start_of_day(day) + timedelta(hours=12)


def corrected(row, on, **fields):
    return make_observation(
        published=on,
        indicator=row.indicator,
        supersedes=row,
        revision=row.revision + 1,
        correction_reason="误报。",
        **fields,
    )


def ends(row):
    row.refresh_from_db()
    return row.ended_at


def refused(statement: str, *values) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, values)
    except DatabaseError:
        return True
    return False


@pytest.mark.django_db
class TestMoment:
    def test_a_row_that_stands_has_none(self):
        assert ends(make_observation(published=FIRST)) is None

    def test_a_correction_ends_what_it_supersedes_when_it_becomes_public(self):
        row = make_observation(published=FIRST)
        correction = corrected(row, None)
        assert ends(row) is None
        Observation.objects.filter(pk=correction.pk).update(
            state="published", published_at=noon(THEN)
        )
        assert (ends(row), ends(correction)) == (noon(THEN), None)

    def test_corrections_of_one_statement_end_each_what_it_supersedes(self):
        rows = [make_observation(published=FIRST) for _n in range(3)]
        corrections = [corrected(row, None).pk for row in rows[:2]]
        Observation.objects.filter(pk__in=corrections).update(
            state="published", published_at=noon(THEN)
        )
        assert [ends(row) for row in rows] == [noon(THEN), noon(THEN), None]

    @pytest.mark.parametrize("make", [make_observation, make_target, make_note])
    def test_a_withdrawal_ends_the_row_that_it_names(self, make):
        row, other = make(published=FIRST), make(published=FIRST)
        withdrawal = make_withdrawal(row)
        assert ends(row) is None
        Withdrawal.objects.filter(pk=withdrawal.pk).update(
            state="published", published_at=noon(THEN)
        )
        assert (ends(row), ends(other)) == (noon(THEN), None)

    def test_the_first_end_counts_whatever_is_published_later(self):
        row = make_observation(published=FIRST)
        make_withdrawal(row, published=THEN)
        corrected(row, LATER)
        assert ends(row) == noon(THEN)

    def test_a_row_that_comes_in_after_its_correction_has_it_too(self):
        key, reason = 10**9, {"revision": 2, "correction_reason": "误报。"}
        correction = make_observation(published=THEN, supersedes_id=key, **reason)
        row = make_observation(
            pk=key, published=FIRST, indicator=correction.indicator, ended_at=noon(LATER)
        )
        assert ends(row) == noon(THEN)


@pytest.mark.django_db
class TestDoors:
    def test_no_statement_ends_what_stands_or_makes_stand_what_ended(self):
        row = make_observation(published=FIRST)
        assert refused(f"UPDATE {TABLE} SET ended_at = %s WHERE id = %s", timezone.now(), row.pk)
        corrected(row, THEN)
        assert refused(f"UPDATE {TABLE} SET ended_at = NULL WHERE id = %s", row.pk)
        assert ends(row) == noon(THEN)

    def test_nothing_else_changes_under_cover_of_the_true_moment(self):
        row = make_observation(published=FIRST)
        corrected(row, THEN)
        statement = f"UPDATE {TABLE} SET ended_at = %s, note = 'forged' WHERE id = %s"
        assert refused(statement, noon(THEN), row.pk)

    def test_a_draft_that_claims_an_end_has_none_once_it_is_public(self):
        row = make_observation(ended_at=timezone.now())
        Observation.objects.filter(pk=row.pk).update(state="published", published_at=noon(FIRST))
        assert ends(row) is None

    def test_moments_that_are_wrong_or_missing_are_written_anew(self):
        stands, gone = make_observation(published=FIRST), make_observation(published=FIRST)
        make_withdrawal(gone, published=THEN)
        with lifted(connection, TABLE):
            Observation.objects.filter(pk=stands.pk).update(ended_at=timezone.now())
            Observation.objects.filter(pk=gone.pk).update(ended_at=None)
        ended.write_missing(submissions(), connection)
        assert (ends(stands), ends(gone)) == (None, noon(THEN))


def slow_published(as_of):
    """What ``published`` is, from the corrections and withdrawals themselves."""
    moment = moment_of(as_of)
    rows = Observation.objects.filter(published_at__lt=moment)
    corrections = rows.filter(supersedes=OuterRef("pk"))
    withdrawals = Withdrawal.objects.filter(
        published_at__lt=moment, subject_type=kind_of(Observation)
    )
    return rows.exclude(Exists(corrections)).exclude(code__in=withdrawals.values("subject_code"))


#: Steps on one of the rows, by their number, days after the first day.
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["publish", "correct", "withdraw"]), st.integers(0, 5), st.integers(0, 9)
    ),
    max_size=12,
)


class TestTheSlowWay(TestCase):
    """``published`` and ``versions`` on every day, whatever was done in whichever order."""

    @settings(max_examples=15, deadline=None)
    @given(STEPS)
    def test_what_is_public_is_what_nothing_ended(self, steps):
        indicator, rows, withdrawn = make_indicator(), [], set()
        for step, number, days in steps:
            day = FIRST + timedelta(days=days)
            row = rows[number % len(rows)] if rows else None
            if step == "publish" or row is None:
                rows.append(make_observation(published=day, indicator=indicator))
            elif step == "correct" and not row.corrections.exists():
                rows.append(corrected(row, day))
            elif step == "withdraw" and row not in withdrawn:
                make_withdrawal(row, published=day)
                withdrawn.add(row)
        for days in range(12):
            as_of = FIRST + timedelta(days=days - 1)
            slow = set(slow_published(as_of).values_list("pk", flat=True))
            assert set(Observation.objects.published(as_of).values_list("pk", flat=True)) == slow
            versions = Observation.objects.versions(moment_of(as_of))
            assert {row.pk for row in versions if not row.replaced_at} == slow
        firsts = dict(
            Observation.objects.filter(corrections__isnull=False).values_list(
                "pk", Min("corrections__published_at")
            )
        )
        for row in rows:
            withdrawal = Withdrawal.objects.filter(subject_code=row.code).aggregate(
                first=Min("published_at")
            )["first"]
            known = [moment for moment in (withdrawal, firsts.get(row.pk)) if moment]
            assert ends(row) == min(known, default=None)
