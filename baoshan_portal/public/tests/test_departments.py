"""A measure's page says that its department has ended, since when, and who continues its work."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from measures.tests.factories import ISSUED, make_department, make_measure, reword

pytestmark = pytest.mark.django_db

ENDED_ON = date(2024, 3, 1)


def page(client, measure, **query) -> str:
    return client.get(measure.get_absolute_url(), query).content.decode()


def test_the_page_says_when_the_department_ended_and_who_continues_it(client):
    office = make_department(name="经委")
    measure = make_measure(lead=office)
    assert "承接" not in page(client, measure)

    reword(office, since=ENDED_ON, ended_on=ENDED_ON)
    assert "已于2024-03-01撤销，未登记由谁承接其工作" in page(client, measure)


def test_all_who_continue_it_are_named_and_the_day_before_nobody(client):
    first = make_department(name="经商委", code="commerce")
    second = make_department(name="数据局", code="data")
    office = make_department(name="经委", ended_on=ENDED_ON)
    office.succeeded_by.set([first, second])
    measure = make_measure(lead=make_department(), published_on=ISSUED)
    measure.supporting.add(office)

    assert "已于2024-03-01撤销，由经商委、数据局承接其工作" in page(client, measure)
    day_before = ENDED_ON - timedelta(days=1)
    assert "承接" not in page(client, measure, as_of=day_before.isoformat())
    text = client.get(f"/en{measure.get_absolute_url()}").content.decode()
    assert f"its work is continued by {first.name_en}, {second.name_en}" in text


def test_the_page_costs_one_query_more_and_only_where_a_department_ended(client):
    def cost(measure) -> int:
        with CaptureQueriesContext(connection) as queries:
            page(client, measure)
        return len(queries)

    stands = make_measure(lead=make_department())
    stands.supporting.add(make_department())
    ended = make_measure(theme=stands.theme, lead=make_department(ended_on=ENDED_ON))
    ended.supporting.add(make_department(ended_on=ENDED_ON))
    assert cost(ended) == cost(stands) + 1
