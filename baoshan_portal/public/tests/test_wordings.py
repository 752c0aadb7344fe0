"""What was named, placed or defined anew is told on the row's page and in its feeds."""

import csv
from datetime import UTC, date, datetime, timedelta
from html import unescape
from re import findall

import feedparser
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from measures.tests.days import today, yesterday
from measures.tests.factories import (
    change,
    make_department,
    make_measure,
    make_theme,
    publish,
    reword,
)
from metrics.tests.factories import make_indicator, make_withdrawal

from ..changes import wordings

pytestmark = pytest.mark.django_db


def read(address, **query) -> str:
    answer = Client().get(address, query)
    assert answer.status_code == 200
    return answer.content.decode()


def entries(address, **query) -> list[tuple[str, str]]:
    found = feedparser.parse(Client().get(address, query).content).entries
    return [(entry.title, entry.summary) for entry in found if "revision:" in entry.id]


@pytest.fixture
def renamed():
    """A measure and its indicator with other words since today, and a neighbour with none."""
    measure = make_measure(name="旧举措", theme=make_theme(name="主题"))
    indicator = make_indicator(measure=measure, name="旧指标", scope="旧口径")
    other = make_measure(name="别的举措")
    publish(
        change(measure, name="新举措") + change(indicator, name="新指标", scope="新口径"),
        reason="口径与年鉴一致",
    )
    return measure, indicator, other


def test_a_page_lists_what_its_row_was_called_and_counted_before(renamed):
    measure, indicator, other = renamed
    pages = {row: read(row.get_absolute_url()) for row in renamed}

    for row, words, foreign in (
        (measure, ("旧举措", "新举措"), "旧口径"),
        (indicator, ("旧指标", "旧口径", "新口径"), None),
    ):
        (own,) = pages[row].split('id="wordings"')[1:]
        assert "口径与年鉴一致" in own
        assert today().isoformat() in own
        assert all(word in own for word in words)
        assert foreign is None or foreign not in own
    assert 'id="wordings"' not in pages[other]


def test_a_day_before_the_change_knows_nothing_of_it(renamed):
    for row in renamed:
        assert 'id="wordings"' not in read(row.get_absolute_url(), as_of=yesterday().isoformat())
    assert entries("/changes/feed/", as_of=yesterday().isoformat()) == []


def test_feeds_tell_a_change_where_its_rows_belong(renamed):
    measure, indicator, other = renamed
    section, elsewhere = measure.theme.section, other.theme.section
    of_measure = f"/changes/feed/measure/{measure.code}/"
    of_indicator = f"/changes/feed/indicator/{indicator.code}/"

    ((title, summary),) = entries("/changes/feed/")
    assert "新举措" in title
    for word in ("旧举措", "新举措", "旧口径", "新口径", "口径与年鉴一致"):
        assert word in summary
    ((title, summary),) = entries(of_indicator)
    assert "新指标" in title
    assert "旧举措" not in summary
    assert len(entries(of_measure)) == 1
    assert len(entries(f"/changes/feed/section/{section.key}/")) == 1
    assert len(entries(f"/changes/feed/opinion/{section.opinion.code}/")) == 1
    assert entries(f"/changes/feed/measure/{other.code}/") == []
    assert entries(f"/changes/feed/section/{elsewhere.key}/") == []


def test_words_of_what_is_public_later_are_not_told_before():
    """A change may also make a row public, on a day to come."""
    draft = make_measure(name="草稿举措", published_on=None)
    renamed = make_measure(name="旧举措")
    later = (today() + timedelta(days=30)).isoformat()
    publish(change(renamed, name="新举措") + change(draft, published_on=later))

    told = read("/changes/", **{"from": yesterday().isoformat()})
    assert "新举措" in told
    assert "草稿举措" not in told
    ((_title, summary),) = entries("/changes/feed/")
    assert "草稿举措" not in summary


def test_a_department_that_came_is_told_on_the_page_of_the_measure():
    office, measure = make_department(name="协办部门"), make_measure()
    publish(change(measure, supporting=[office.code]), reason="增加协办")

    assert "协办部门" in read(measure.get_absolute_url()).split('id="wordings"')[1]


def test_ten_changes_cost_a_page_as_many_queries_as_one():
    measure = make_measure()

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            read(measure.get_absolute_url())
        return len(queries)

    publish(change(measure, name="名称"))
    one = cost()
    for n in range(9):
        measure.refresh_from_db()
        publish(change(measure, name=f"名称{n}"))
    assert cost() == one


def test_a_change_of_many_rows_is_told_in_parts(monkeypatch):
    monkeypatch.setattr(wordings, "LINES", 3)
    draft = make_measure(published_on=None)
    hidden = [make_indicator(measure=draft, published_on=None) for _ in range(4)]
    shown = [make_indicator(name=f"甲{n}") for n in range(5)]
    changes = [change(row, published_on=today().isoformat()) for row in hidden]
    changes += [change(row, name=f"乙{n}") for n, row in enumerate(shown)]
    revision = publish([part for row in changes for part in row], reason="换名")
    span = {"from": yesterday().isoformat(), "to": today().isoformat()}

    def told(**query) -> list[int]:
        html = read("/changes/", **span, **query)
        (words,) = html.split("换名</h3>")[1:]
        return [n for n in range(5) if f">乙{n}<" in words]

    def own(number, code=revision.code):
        query = {**span, "part": "reworded", "revision": code, "page": number}
        return Client().get("/changes/", query)

    # Of nine lines in three parts the first four are not public.
    assert told() == told(part="reworded") == [0, 1]
    (link,) = {
        link for link in findall('href="([^"]*)"', read("/changes/", **span)) if "revision=" in link
    }
    assert Client().get(unescape(link)).status_code == 200
    assert [told(part="reworded", revision=revision.code, page=n) for n in (1, 2, 3)] == [
        [0, 1],
        [0, 1],
        [2, 3, 4],
    ]
    assert 'rel="next"' in own(1).content.decode()
    assert 'rel="next"' not in own(3).content.decode()
    assert [own(4).status_code, own(1, "R-0").status_code] == [404, 404]

    ((title, summary),) = entries("/changes/feed/")
    assert title.startswith("乙0等: ")
    assert "甲1 → 乙1" in summary
    assert "；… (换名)" in summary
    # What a page says of its own row is said, however many lines stand before it.
    assert "甲4" in read(shown[4].get_absolute_url()).split('id="wordings"')[1]


def definitions(code, **query) -> list[tuple]:
    lines = csv.DictReader(
        Client().get("/data/definitions.csv", query).getvalue().decode().splitlines()
    )
    return [
        (line["scope"], line["public_from"], line["public_to"])
        for line in lines
        if line["code"] == code
    ]


def test_the_file_of_definitions_has_a_line_for_every_wording():
    indicator = make_indicator(scope="一")
    day = indicator.published_on.isoformat()
    reword(indicator, date(2024, 3, 5), scope="二")
    # Another order says nothing else, and what stood for some hours never was the day's wording.
    reword(indicator, date(2024, 4, 1), order=indicator.order + 50)
    reword(indicator, datetime(2024, 5, 2, 2, tzinfo=UTC), scope="三")
    reword(indicator, datetime(2024, 5, 2, 3, tzinfo=UTC), scope="四")

    assert definitions(indicator.code) == [
        ("一", day, "2024-03-04"),
        ("二", "2024-03-05", "2024-05-01"),
        ("四", "2024-05-02", ""),
    ]
    assert definitions(indicator.code, as_of="2024-05-01") == [
        ("一", day, "2024-03-04"),
        ("二", "2024-03-05", ""),
    ]
    make_withdrawal(indicator, published=date(2024, 6, 1))
    assert definitions(indicator.code)[-1] == ("四", "2024-05-02", "2024-05-31")
