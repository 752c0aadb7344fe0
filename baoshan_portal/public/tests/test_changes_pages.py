"""/changes/ page by page: the same rows in the same order, at the cost of those that are shown."""

import random
import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.db.models import Model
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from baoshan_portal.tests import runs_once
from baoshan_portal.tests.pages import links, texts
from baoshan_portal.tests.slices import one_way_each, some
from measures.models import Measure
from measures.submission import end_of_day
from measures.tests.factories import (
    ISSUED,
    make_measure,
    make_note,
    make_report,
    make_section,
    make_theme,
)
from metrics.models import Indicator
from metrics.rules.checks import CheckKind, Role
from metrics.summaries import write_missing
from metrics.tests.factories import (
    make_check,
    make_indicator,
    make_observation,
    make_target,
    make_term,
)
from metrics.tests.test_history import corrected

from ..changes import page, rest, some_states
from ..changes.listing import Listing
from ..changes.places import Places
from ..changes.refs import between, entries, newest
from ..changes.some_states import States
from ..changes.states import state_changes
from .slow_changes import changes_between

pytestmark = [pytest.mark.django_db, pytest.mark.long]

BEFORE, JULY, AUGUST, LAST = (
    date(2023, 7, 24),
    date(2023, 7, 31),
    date(2023, 8, 20),
    date(2024, 2, 1),
)


@pytest.fixture
def measures():
    """Four measures in three themes of two sections, and a section without a publication."""
    report = make_report()
    found = []
    for order in (1, 2, 3):
        section = make_section(order=order, opinion=report.opinion)
        for number in range(2 if order == 1 else 1):
            theme = make_theme(order=number + 1, section=section)
            found += [make_measure(theme=theme, order=n + 1) for n in range(2 if number else 1)]
    return found[:-1]


def at(chance) -> datetime:
    """A moment of a few, so that many are the same."""
    noon = datetime(2023, 7, 25, 12, tzinfo=ZoneInfo("Asia/Shanghai"))
    return noon + timedelta(hours=12 * chance.randrange(60))


def fill(measures, seed: int) -> None:
    """Publications of all kinds at random, and indicators that became public later."""
    chance = random.Random(seed)
    for measure in measures:
        for _n in range(3):
            late = chance.choice([ISSUED, ISSUED, AUGUST])
            indicator = make_indicator(measure=measure, published_on=late)
            for year in range(2019, 2019 + chance.randrange(1, 5)):
                period = {"period_start": date(year, 1, 1), "period_end": date(year, 12, 31)}
                value = make_observation(
                    indicator=indicator, value=Decimal(chance.randrange(3, 20)),
                    published=at(chance), **period,
                )  # fmt: skip
                if chance.random() < 0.3:
                    corrected(value, make_observation, LAST - timedelta(days=90), "漏计")
            make_target(indicator=indicator, value=Decimal(10), published=at(chance))
            if chance.random() < 0.4:
                whole = chance.choice(Indicator.objects.order_by("pk"))
                check = make_check(kind=CheckKind.PART)
                make_term(check_of=check, role=Role.PART, indicator=indicator)
                make_term(check_of=check, role=Role.WHOLE, indicator=whole)
        for _n in range(chance.randrange(3)):
            make_note(measure=measure, published=at(chance))


def everywhere() -> set[int]:
    return set(Measure.objects.values_list("pk", flat=True))


@pytest.fixture(params=[False, True], ids=["without summaries", "with summaries"])
def summaries(request):
    """Writes the summaries, from which counts come, or leaves all to be worked out."""
    return write_missing if request.param else lambda: None


def place_of(change) -> tuple:
    is_indicator = isinstance(change.subject, Indicator)
    return *change.measure.number_key, change.subject.order if is_indicator else -1


def the_slow_way(first: date, last: date) -> list[str]:
    """All publications in the order of the page: by theme, the first values behind all others."""
    found = []
    in_order = sorted(changes_between(end_of_day(first), end_of_day(last)), key=place_of)
    for _theme, group in groupby(in_order, key=lambda change: change.measure.theme):
        of_theme = list(group)
        firsts = [change for change in of_theme if change.first_value]
        firsts.sort(key=lambda change: timezone.localdate(change.at), reverse=True)
        found += [change.id for change in of_theme if not change.first_value]
        found += [change.id for change in firsts]
    return found


def listed(first: date, last: date, size: int) -> list[str]:
    until = end_of_day(last)
    listing = Listing(end_of_day(first), until, Places(until))
    found = []
    for start in range(0, listing.total, size):
        for _theme, part in listing.part(start, start + size):
            for item in part:
                found += [ref.id for ref in getattr(item, "refs", [item])]
    assert len(found) == listing.total
    return found


PAST = "&as_of=2024-02-01"
SPANS = [(BEFORE, LAST), (JULY, LAST), (JULY, AUGUST), (AUGUST, LAST), (BEFORE, JULY)]


@pytest.mark.sweep
@pytest.mark.parametrize("seed", some(range(2), every=2))
def test_pages_of_any_size_together_are_the_whole_list(measures, summaries, seed):
    fill(measures, seed)
    summaries()

    for first, last in some(SPANS, every=2):
        whole = the_slow_way(first, last)
        for size in (3, 1000):
            assert listed(first, last, size) == whole, (first, last, size)


@pytest.mark.sweep
@pytest.mark.parametrize("seed", some(range(2), every=2))
def test_the_feed_finds_the_newest_and_each_span_as_the_slow_way_does(measures, seed):
    fill(measures, seed)
    until = end_of_day(LAST)
    whole = [change.id for change in changes_between(None, until)]

    for count in (5, 1000):
        assert [ref.id for ref in newest(count, until)] == whole[:count]
    for first, last in some(SPANS, every=2):
        since, end = end_of_day(first), end_of_day(last)
        slowly = changes_between(since, end)
        refs = between(since, end)[::-1]
        assert [ref.id for ref in refs] == [change.id for change in slowly]
        assert entries(refs, end) == slowly


@pytest.mark.sweep
@pytest.mark.parametrize("seed", some(range(2), every=2))
def test_states_worked_out_one_by_one_are_those_of_the_whole(
    measures, summaries, seed, monkeypatch
):
    monkeypatch.setattr("baoshan_portal.public.changes.some_states.TOGETHER", 3)
    fill(measures, seed)
    summaries()

    for first, last in some(SPANS, every=2):
        whole, states = state_changes(first, last), States(first, last)
        everything = [*states.changed(everywhere())]
        assert everything == [change for change in whole if change.before]
        for direction in (1, -1):
            trend = [change for change in whole if change.trend == direction]
            assert list(states.trend(direction)) == trend
        news = states.judged(states.told_first(everywhere()))
        assert news == [change for change in whole if not change.before]


def html_of(client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    return response.content.decode()


def walked(client, address: str) -> list[str]:
    found = []
    while address:
        found.append(html_of(client, address))
        following = re.findall(r'<a rel="next" href="([^"]*)"', found[-1])
        address = following[0].replace("&amp;", "&") if following else ""
    return found


def test_a_place_leads_to_the_page_on_which_it_begins(client, measures, monkeypatch):
    monkeypatch.setattr(page, "PER_PAGE", 2)
    for measure in measures:
        for _each in range(3):
            make_note(measure=measure, published=AUGUST)
    keys = [measure.theme.key for measure in measures]

    for key in keys:
        answer = client.get("/en/changes/", {"from": "2023-08-01", "at": key})
        assert f'id="theme-{key}"' in answer.content.decode()
        before = answer.context["page_of"].number - 1
        assert (
            before == 0
            or f'id="theme-{key}"'
            not in client.get(
                "/en/changes/", {"from": "2023-08-01", "page": before}
            ).content.decode()
        )
    section = measures[-1].theme.section.key
    answer = client.get("/en/changes/", {"from": "2023-08-01", "at": section})
    assert f'id="section-{section}"' in answer.content.decode()


@runs_once.ADDRESSES
@pytest.mark.parametrize("at", ["9-9", "x", "1-", "theme-1-1"])
def test_a_place_that_does_not_exist_is_refused(client, measures, at):
    answer = client.get("/en/changes/", {"from": "2023-08-01", "at": at})

    assert answer.status_code == 400
    assert "such as 1-2" in answer.content.decode()


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("prefix", "query"),
    one_way_each([(prefix, query) for query in ("", PAST) for prefix in ("", "/en")]),
)
def test_every_page_leads_to_the_next_and_nothing_comes_twice(
    client, measures, prefix, query, monkeypatch
):
    monkeypatch.setattr(page, "PER_PAGE", 4)
    written = []
    for n, measure in enumerate(measures):
        for k in range(5):
            written.append(f"Note {n}.{k}.")
            make_note(
                measure=measure, text=written[-1], text_en=written[-1],
                published=end_of_day(JULY) + timedelta(hours=k // 2),
            )  # fmt: skip
        for k in range(3):
            indicator = make_indicator(
                measure=measure, name=f"Firms {n}.{k}!", name_en=f"Firms {n}.{k}!"
            )
            make_observation(indicator=indicator, published=AUGUST)
            written.append(f"Firms {n}.{k}!")

    pages = walked(client, f"{prefix}/changes/?from=2023-07-31&to=2024-01-31{query}")

    assert len(pages) == -(-len(written) // 4)
    bodies = [html.partition("<main")[2] for html in pages]
    for words in written:
        assert [body.count(words) for body in bodies].count(0) == len(pages) - 1, words
        assert sum(body.count(words) for body in bodies) == 1, words
    # The section without a publication has its place on the last page.
    assert 'id="section-3"' in bodies[-1]
    following = re.findall(r'<a rel="next" href="([^"]*)"', "".join(pages))
    assert all(link.endswith(query.replace("&", "&amp;")) for link in following)


@runs_once.ADDRESSES
@pytest.mark.parametrize("number", ["0", "2", "x", "-1", "9999999999"])
def test_a_page_that_does_not_exist_is_not_found(client, measures, number):
    assert client.get(f"/changes/?page={number}").status_code == 404


@runs_once.PAGES
def test_a_day_of_first_values_between_two_pages_says_how_many_it_has(
    client, measures, monkeypatch
):
    monkeypatch.setattr(page, "PER_PAGE", 4)
    for _n in range(6):
        make_observation(indicator=make_indicator(measure=measures[0]), published=AUGUST)

    pages = walked(client, "/en/changes/?from=2023-07-31")

    assert [texts(html, "summary") for html in pages] == [
        [
            "6 values, the first of their indicators, published on 2023-08-20 "
            f"({n} of them on this page)"
        ]
        for n in (4, 2)
    ]


@runs_once.PAGES
def test_only_the_first_states_are_shown_and_the_rest_has_pages(client, measures, monkeypatch):
    monkeypatch.setattr(rest, "JUDGED", 22)
    names = []
    for n in range(30):
        indicator = make_indicator(measure=measures[0], name_en=f"Firms {n}.")
        make_target(indicator=indicator, value=Decimal(4), published=BEFORE)
        value = make_observation(indicator=indicator, value=Decimal(3), published=ISSUED)
        corrected(value, make_observation, AUGUST, "漏计", value=Decimal(6))
        names.append(f"Target: Firms {n}.")

    html = html_of(client, "/en/changes/?from=2023-07-31&to=2024-01-31")
    (link,) = {link for link in links(html) if "part=changed" in link}
    pages = walked(client, link.replace("&amp;", "&"))

    found = [item for body in pages for item in texts(body, "li") if "Target:" in item]
    assert [item.partition(" ?")[0].strip() for item in found] == names
    shown = [item for item in texts(html, "li") if "Target:" in item]
    assert shown == found[:20]


@runs_once.ADDRESSES
@pytest.mark.parametrize("query", ["part=all", "part=first&section=9", "part=first&section=x"])
def test_a_part_that_there_is_not_is_refused(client, measures, query):
    assert client.get(f"/changes/?{query}").status_code in (400, 404)


def test_no_more_is_judged_than_one_page_may(measures, monkeypatch):
    monkeypatch.setattr(some_states, "TOGETHER", 1)
    monkeypatch.setattr(some_states, "MOST", 2)
    fill(measures, 1)
    states = States(JULY, LAST)
    judged = []
    monkeypatch.setattr(some_states, "changes_of", lambda *args: judged.extend(args[2:]) or {})

    assert rest.some_states(states.changed(everywhere())).count is None
    assert 0 < len([pk for pks in judged for pk in pks]) <= 4


def cost(client, monkeypatch, address: str) -> tuple[int, int]:
    """Queries, and rows made into instances."""
    made = []
    from_db = Model.from_db.__func__

    def counted(cls, *args):
        made.append(cls)
        return from_db(cls, *args)

    with monkeypatch.context() as patch:
        patch.setattr(Model, "from_db", classmethod(counted))
        with CaptureQueriesContext(connection) as queries:
            html_of(client, address)
    return len(queries), len(made)


@runs_once.QUERIES
@pytest.mark.parametrize("query", ["", "&as_of=2024-02-01"])
def test_two_hundred_publications_cost_what_ten_do(client, monkeypatch, measures, query):
    monkeypatch.setattr(page, "PER_PAGE", 8)
    address = f"/changes/?from=2023-07-24&to=2024-01-31{query}"

    def publish(count):
        for _n in range(count):
            indicator = make_indicator(measure=measures[0])
            make_observation(indicator=indicator, published=AUGUST)
            make_note(measure=measures[0], published=AUGUST)

    publish(8)
    few = cost(client, monkeypatch, address)
    publish(100)

    assert cost(client, monkeypatch, address) == few
