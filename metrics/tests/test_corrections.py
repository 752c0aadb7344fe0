"""Corrections told by their size; every number worked out by hand."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from measures.tests.factories import ISSUED, make_department, make_measure

from ..corrections import corrections, revisions_by_department
from ..models import Observation
from ..rules.choices import Kind
from ..rules.corrections import Revisions, Size, revisions, size
from .factories import make_indicator, make_observation, make_unit, make_withdrawal
from .test_history import corrected

AUGUST, SEPTEMBER = date(2023, 8, 10), date(2023, 9, 1)


def sizes(*pairs):
    return [size(Decimal(first), Decimal(latest)) for first, latest in pairs]


def test_the_size_is_told_in_the_unit_and_in_percent_of_the_first_value():
    assert size(Decimal(5), Decimal(7)) == Size(Decimal(2), Decimal(40))
    assert size(Decimal(-5), Decimal(-6)) == Size(Decimal(-1), Decimal(-20))
    assert size(Decimal(0), Decimal(3)) == Size(Decimal(3), None)
    assert size(Decimal(1), Decimal(2), relative=False) == Size(Decimal(1), None)


def test_means_are_over_what_was_corrected_and_has_a_percentage():
    """+40 %, −20 % and one from 0; 8 to 8 is not counted: (40 − 20) ÷ 2 and (40 + 20) ÷ 2."""
    found = revisions(sizes((5, 7), (5, 4), (0, 3), (8, 8)), 9)

    assert found == Revisions(9, 3, 2, Decimal(10), Decimal(30))
    assert revisions(sizes((0, 3)), 4) == Revisions(4, 1, 0, None, None)
    assert revisions([], 4) == Revisions(4, 0, 0, None, None)


def five_six_seven(**fields):
    first = make_observation(published=ISSUED, **fields)
    second = corrected(first, make_observation, AUGUST, "漏计", value=Decimal(6))
    return corrected(second, make_observation, SEPTEMBER, "又漏", value=Decimal(7))


def of_all(**fields):
    return corrections(Observation.objects.select_related("indicator__unit").versions())


@pytest.mark.django_db
def test_the_first_value_stands_against_the_latest_one():
    five_six_seven()

    (found,) = of_all()

    assert (found.first.value, found.latest.value) == (5, 7)
    with translation.override("en"):
        assert found.text == "+2 organisations (+40%)"


@pytest.mark.django_db
def test_of_shares_no_percentage_is_told():
    indicator = make_indicator(kind=Kind.SHARE, unit=make_unit(name="%", quantity="percentage"))
    five_six_seven(indicator=indicator)

    (found,) = of_all()

    assert (found.size.difference, found.size.percent) == (2, None)


@pytest.mark.django_db
def test_what_was_withdrawn_or_never_corrected_has_no_size():
    make_observation(published=ISSUED)
    make_withdrawal(five_six_seven(), published=date(2023, 9, 2))

    assert of_all() == []


@pytest.mark.django_db
def test_departments_are_told_apart_and_the_day_counts():
    """甲: 5 → 7, one of two values; on 10 August 5 → 6. Without a lead: none of one."""
    department = make_department(code="a-first")
    indicator = make_indicator(measure=make_measure(lead=department))
    five_six_seven(indicator=indicator)
    make_observation(indicator=indicator, published=ISSUED)
    make_observation(published=ISSUED)

    forty, twenty = Decimal(40), Decimal(20)
    nobody = (None, Revisions(1, 0, 0, None, None))
    assert revisions_by_department(SEPTEMBER) == [
        (department, Revisions(2, 1, 1, forty, forty)), nobody
    ]  # fmt: skip
    assert revisions_by_department(AUGUST) == [
        (department, Revisions(2, 1, 1, twenty, twenty)), nobody
    ]  # fmt: skip
    with CaptureQueriesContext(connection) as queries:
        revisions_by_department()
    assert len(queries) == 3


@pytest.mark.django_db
def test_pages_tell_the_size(client):
    indicator = five_six_seven().indicator

    page = client.get(f"/en/indicators/{indicator.code}/").content.decode()
    assert "Size of the correction" in page and "+2 organisations (+40%)" in page
    changes = client.get("/en/changes/?from=2023-07-25&to=2023-09-01").content.decode()
    assert "first published: 5 organisations; corrected by +2 organisations (+40%) since" in changes
    method = " ".join(client.get("/en/method/").content.decode().split())
    assert ">1/1</td>" in method and "40%" in method
