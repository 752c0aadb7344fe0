"""Archives of the feeds (RFC 5005): every entry once, in documents that cost what they show."""

from datetime import date, datetime, timedelta
from itertools import chain
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import feedparser
import pytest
from django.db import connection
from django.db.models import Model
from django.test.utils import CaptureQueriesContext

from baoshan_portal.tests import runs_once
from baoshan_portal.tests.slices import one_way_each
from measures.submission import start_of_day
from measures.tests.factories import (
    ISSUED,
    make_measure,
    make_note,
    make_section,
    make_theme,
)
from metrics.tests.factories import make_indicator, make_observation, make_target
from metrics.tests.test_history import corrected

from ..changes.refs import between, count_between

pytestmark = [pytest.mark.django_db, pytest.mark.long]

MONTH = date(2023, 9, 1)


@pytest.fixture(scope="module")
def measure(module_rows):
    return make_measure(theme=make_theme(order=1, section=make_section(order=1)), code="known")


@pytest.fixture(scope="module")
def known(measure):
    """Notes of two months, of the first more than an archive holds; what they are called."""
    return notes(measure, 320)


def moment(n: int) -> datetime:
    """Noon of the day, the same for two publications one after another."""
    noon = datetime(2023, 8, 1, 12, tzinfo=ZoneInfo("Asia/Shanghai"))
    return noon + timedelta(hours=9 * (n // 2))


def notes(measure, count: int) -> list[str]:
    """Notes, two of each moment; what their entries are called, the newest first."""
    made = [make_note(measure=measure, published=moment(n)) for n in range(count)]
    made.sort(key=lambda note: (note.published_at, note.code), reverse=True)
    return [f"urn:baoshan-portal:note:{note.code}" for note in made]


def documents(client, address: str):
    """All documents of a feed, from the newest one back."""
    found = []
    while address:
        parts = urlsplit(address)
        answer = client.get(f"{parts.path}?{parts.query}".rstrip("?"))
        assert answer.status_code == 200, address
        feed = feedparser.parse(answer.content)
        assert not feed.bozo
        found.append(feed)
        address = linked(feed, "prev-archive")
    return found


def linked(feed, relation: str) -> str | None:
    return next((link.href for link in feed.feed.links if link.rel == relation), None)


EVERYTHING, OF_ONE, PAST = "/changes/feed/", "/en/changes/feed/measure/known/", "?as_of=2024-06-30"


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("address", "query"),
    one_way_each([(address, query) for query in ("", PAST) for address in (EVERYTHING, OF_ONE)]),
)
def test_who_follows_the_archives_gets_every_entry_once(client, measure, known, address, query):
    late = make_indicator(measure=measure, published_on=MONTH)
    first = make_observation(indicator=late, published=ISSUED)
    corrected(first, make_observation, MONTH + timedelta(days=3), "漏计")

    found = documents(client, address + query)

    ids = [entry.id for feed in found for entry in feed.entries]
    assert [name for name in ids if ":note:" in name] == known
    assert len(ids) == len(set(ids)) == 322
    assert len(found) > 2
    moments = [entry.updated_parsed for feed in found for entry in feed.entries]
    assert moments == sorted(moments, reverse=True)
    assert 100 <= len(found[0].entries) < 200
    assert all(1 <= len(feed.entries) <= 100 for feed in found[1:])
    assert len({feed.feed.id for feed in found}) == 1


def test_as_many_are_counted_before_an_entry_as_are_listed(measure, known):
    late = make_indicator(measure=measure, published_on=MONTH + timedelta(days=1))
    for day in (ISSUED, MONTH, MONTH + timedelta(days=3)):
        make_observation(indicator=late, published=day)
    # Of the same moment as two notes, each kind before or after them by its name.
    among = make_observation(indicator=make_indicator(measure=measure), published=moment(200))
    make_target(indicator=among.indicator, published=moment(200))
    since, until = start_of_day(MONTH), start_of_day(MONTH + timedelta(days=20))

    found = between(since, until)
    at = [n for n, ref in enumerate(found) if ref.at == among.published_at or n % 40 == 0]
    assert {found[n].id.split(":")[0] for n in at} >= {"observation", "target", "note"}
    assert [count_between(since, until, found[n]) for n in at] == at
    assert count_between(since, until) == len(found)
    # What became public with its indicator stands among them, read and not sorted with the rest.
    parts = [between(since, until, start, start + 7) for start in range(0, len(found), 7)]
    assert list(chain(*parts)) == found
    own = {"measure": measure}
    assert count_between(since, until, **own) == len(between(since, until, **own))


def test_an_archive_says_that_it_is_one_and_where_the_newest_entries_are(client, known):
    newest, archive = documents(client, "/changes/feed/")[:2]

    assert linked(newest, "current") is None
    assert linked(archive, "current") == "http://testserver/changes/feed/"
    assert linked(archive, "self") == linked(newest, "prev-archive")

    assert b"<fh:archive" in client.get(linked(archive, "self")).content
    assert b"fh:archive" not in client.get("/changes/feed/").content


def test_an_archive_stays_as_it_is_when_more_is_published(client, measure, known):
    address = linked(documents(client, "/changes/feed/")[0], "prev-archive")
    before = client.get(address).content

    for n in range(30):
        make_note(measure=measure, published=moment(330 + n))

    assert client.get(address).content == before


@runs_once.ADDRESSES
@pytest.mark.parametrize(
    "name", ["", "2023-08", "2023-13-1", "2023-08-0", "2023-08-9", "x", "0000-01-1"]
)
def test_an_archive_that_does_not_exist_is_not_found(client, known, name):
    assert client.get("/changes/feed/", {"archive": name}).status_code == 404


def test_what_is_not_full_is_an_archive_only_of_a_month_that_is_over(client, measure):
    notes(make_measure(theme=measure.theme, order=2, code="other"), 4)

    address, query = "/changes/feed/measure/other/", {"archive": "2023-08-1"}
    assert client.get(address, query).status_code == 200
    assert client.get(address, {**query, "as_of": "2023-08-20"}).status_code == 404


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
            assert client.get(address).status_code == 200
    return len(queries), len(made)


@runs_once.QUERIES
def test_what_is_not_shown_costs_nothing(client, monkeypatch, measure, known):
    addresses = ("/changes/feed/", "/changes/feed/?as_of=2024-12-31")
    client.get(addresses[0])
    before = [measured(client, monkeypatch, address) for address in addresses]

    notes(make_measure(theme=measure.theme, order=2), 230)
    after = [measured(client, monkeypatch, address) for address in addresses]

    for (queries, rows, shown), (again, more_rows, more_shown) in zip(before, after, strict=True):
        # Which queries find the next boundary depends on where the months end.
        assert again <= queries + 30
        assert more_rows / more_shown <= rows / shown * 1.1


def measured(client, monkeypatch, address: str) -> tuple[int, int, int]:
    """Queries, rows and entries of the newest document of a feed."""
    entries = len(feedparser.parse(client.get(address).content).entries)
    return *cost(client, monkeypatch, address), entries
