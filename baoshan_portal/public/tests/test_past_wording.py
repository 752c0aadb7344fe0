"""Pages of a past day speak in the words of that day."""

from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from measures.tests.days import yesterday
from measures.tests.factories import (
    change,
    make_department,
    make_measure,
    make_theme,
    publish,
    to_the_past,
)
from metrics.tests.factories import make_indicator

pytestmark = pytest.mark.django_db


def test_public_pages_of_the_past_speak_in_the_old_words():
    department = make_department(name="旧部门")
    measure = make_measure(name="旧名称", lead=department, lead_confirmed=True)
    indicator = make_indicator(measure=measure, name="旧指标", scope="旧口径")
    theme = make_theme(name="新主题")
    publish(
        change(measure, name="新名称", theme=theme.code)
        + change(indicator, name="新指标", scope="新口径")
        + change(department, name="新部门"),
    )
    client = Client()

    def read(address, **query):
        answer = client.get(address, query)
        assert answer.status_code == 200
        return answer.getvalue().decode()

    old_theme = measure.theme.name
    for address, new, old in (
        (measure.get_absolute_url(), ("新名称", "新部门"), ("旧名称", "旧部门", old_theme)),
        (indicator.get_absolute_url(), ("新指标", "新口径"), ("旧指标", "旧口径", "旧部门")),
        ("/measures/", ("新名称", "新部门"), ("旧名称", "旧部门")),
        ("/measures/?format=csv", ("新名称", "新部门"), ("旧名称", "旧部门")),
        ("/indicators/?q=新口径", ("新指标",), ()),
        ("/indicators/?q=旧口径", (), ("旧指标",)),
        ("/data/measures.csv", ("新名称",), ("旧名称",)),
        ("/data/indicators.csv", ("新指标", department.code), ("旧指标",)),
        (theme.section.get_absolute_url(), ("新名称",), ()),
    ):
        path, _mark, query = address.partition("?")
        query = dict([query.split("=")]) if query else {}
        today = read(path, **query)
        then = read(path, **query, as_of=yesterday().isoformat()) if old else ""
        for word in new:
            assert word in today, (address, word)
            assert word not in then.replace(query.get("q", "-"), ""), (address, word)
        for word in old:
            assert word in then, (address, word)


def test_the_page_of_a_past_day_costs_no_more_than_the_way_there():
    measure = make_measure()
    make_indicator(measure=measure)
    client, address = Client(), measure.get_absolute_url()
    client.get(address)
    with CaptureQueriesContext(connection) as today:
        client.get(address)
    with CaptureQueriesContext(connection) as then:
        client.get(address, {"as_of": date(2024, 1, 1).isoformat()})
    assert len(then) <= len(today) + to_the_past(True)


def test_changes_tell_what_was_reworded_and_why():
    measure, lead = make_measure(name="旧名称"), make_department(name="新牵头")
    publish(change(measure, name="新名称", lead=lead.code), reason="机构改革")
    client = Client()
    html = client.get("/changes/", {"from": yesterday().isoformat()}).content.decode()
    for word in ("机构改革", "旧名称", "新名称", "新牵头"):
        assert word in html
    assert "机构改革" not in client.get("/changes/", {"as_of": yesterday()}).content.decode()


def test_what_stands_on_a_draft_is_told_with_it_and_by_its_name_on_a_past_day():
    measure = make_measure(published_on=None)
    indicator = make_indicator(name="新指标", measure=measure, published_on=None)
    today = timezone.localdate().isoformat()
    client = Client()

    def told() -> list[bool]:
        pages = [
            client.get("/changes/", {"from": yesterday(), **query}).content.decode()
            for query in ({}, {"as_of": today})
        ]
        assert not any(f">{indicator.code}<" in html for html in pages)
        return ["新指标" in html for html in pages]

    publish(change(indicator, published_on=today))
    assert told() == [False, False]
    publish(change(measure, published_on=today))
    assert told() == [True, True]
