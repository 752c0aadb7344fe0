"""Copies are written while somebody publishes, over two real connections."""

from datetime import timedelta
from threading import Event

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from baoshan_portal.public import indexed
from baoshan_portal.staff.tests.test_two_at_once import at_once
from measures.past import past
from measures.submission import State, end_of_day
from measures.tests.factories import ISSUED
from metrics import facts, kept_days
from metrics.models import Indicator, KeptDay, Observation, ValueSaid
from metrics.tests.factories import make_indicator, make_observation

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.sweep,
    pytest.mark.skipif(
        connection.vendor != "postgresql",
        reason="SQLite in memory has one connection; this runs on PostgreSQL",
    ),
]


def unwritten() -> int:
    return ValueSaid.objects.filter(text="").count()


def test_whoever_publishes_waits_until_it_is_written():
    value = make_observation(published=ISSUED)
    draft = make_observation(indicator=value.indicator, period_inferred=True)
    is_written, is_over = Event(), Event()

    def publish():
        is_written.wait(10)
        with transaction.atomic():
            public = {"state": State.PUBLISHED, "published_at": timezone.now()}
            Observation.objects.filter(pk=draft.pk).update(**public)
        return is_over.is_set()

    def write():
        with transaction.atomic():
            indexed.write_missing()
            is_written.set()
            # Whoever publishes waits for the end of this.
            is_over.wait(0.5)
            is_over.set()

    assert at_once(publish, write)[0]
    assert ValueSaid.objects.get(text="").pk == draft.pk
    assert indexed.write_missing() == 1


def test_nothing_is_written_while_somebody_publishes():
    figure = make_indicator()
    is_published, is_tried = Event(), Event()

    def publish():
        with transaction.atomic():
            make_observation(indicator=figure, published=timezone.now())
            is_published.set()
            is_tried.wait(10)

    def write():
        is_published.wait(10)
        try:
            with pytest.raises(OperationalError):
                indexed.write_missing()
        finally:
            is_tried.set()

    at_once(publish, write)
    assert unwritten() == 1
    indexed.write_missing()
    assert unwritten() == 0


def test_no_day_is_kept_while_somebody_publishes(monkeypatch):
    """It may be dated before the end of that day, and nobody sees it yet."""
    monkeypatch.setattr(kept_days, "FEW", 0)
    figure, day = make_observation(published=ISSUED).indicator, ISSUED + timedelta(days=9)
    is_published, is_tried = Event(), Event()

    def publish():
        with transaction.atomic():
            make_observation(indicator=figure, period_inferred=True, published=ISSUED)
            is_published.set()
            is_tried.wait(10)

    def write():
        is_published.wait(10)
        try:
            with past(end_of_day(day)):
                facts.of(Indicator.objects.published(day), day, 30)
            with pytest.raises(OperationalError):
                kept_days.write()
        finally:
            is_tried.set()

    at_once(publish, write)
    assert kept_days.write() == 0
    assert not KeptDay.objects.exists()
