"""What was made once is answered to everybody until something changes; nobody gets another's."""

import os
import threading
from collections import Counter
from datetime import date, timedelta
from random import Random
from time import sleep
from types import SimpleNamespace

import pytest
from django.core.cache import caches
from django.core.wsgi import get_wsgi_application
from django.db import DatabaseError, connection
from django.test import RequestFactory
from django.utils import timezone
from django.utils.http import http_date
from time_machine import travel

from baoshan_portal.tests import kept_days
from baoshan_portal.tests.desk import browser_of
from baoshan_portal.tests.time_machine import live, small_portal
from baoshan_portal.tests.wsgi_client import ask, keep_pages_in, kept_connections
from measures import data_version
from measures.models import DataVersion
from measures.tests.factories import make_measure, make_superuser, make_synonym
from metrics.tests.factories import make_indicator, make_observation

from ..page_cache import asked, layer
from ..page_cache.page import codings

pytestmark = pytest.mark.django_db
ANSWERS = pytest.mark.once("what is kept and how it is answered is decided in Python, on files")

#: `make test-time-machine` takes forty days of three portals.
LONG = os.environ.get("TIME_MACHINE") == "long"
SEEDS, DAYS, ACTS = ((5, 6, 7), 40, 400) if LONG else ((5,), 3, 45)
#: A page and a file are asked for around each act; in the short form one of them at each sixth.
EVERY = 1 if LONG else 6
#: Somebody who was signed in once: never answered from what is kept.
AROUND = {"HTTP_COOKIE": "sessionid=nobody"}
BROWSER = {"HTTP_ACCEPT_ENCODING": "gzip, deflate, br"}


@pytest.fixture
def made():
    """The paths for which Django was asked."""
    return []


@pytest.fixture
def portal(made, settings, tmp_path):
    keep_pages_in(tmp_path, settings)
    django = get_wsgi_application()

    def application(environ, start_response):
        made.append(environ["PATH_INFO"])
        return django(environ, start_response)

    return layer.PageCache(application)


@pytest.fixture
def figures():
    indicator = make_indicator(measure=make_measure())
    make_observation(indicator=indicator, published=date(2023, 7, 25))
    return indicator


def test_what_lacks_something_that_another_clock_has_published_is_not_kept(portal, made, figures):
    with travel(timezone.now(), tick=False) as clock:
        soon = timezone.now() + timedelta(seconds=1)
        value = make_observation(indicator=figures, published=soon, as_written="31415家")
        before = ask(portal, "/indicators/").body.decode()
        clock.shift(timedelta(minutes=1))
        after = ask(portal, "/indicators/").body.decode()
        ask(portal, "/indicators/")

    assert made == ["/indicators/"] * 2
    assert value.as_written not in before
    assert value.as_written in after


def test_a_page_is_made_once(portal, made, figures):
    first, second = (ask(portal, "/indicators/", **BROWSER) for _each in range(2))

    assert made == ["/indicators/"]
    assert first.body == second.body
    assert first.headers["etag"] == second.headers["etag"]
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    assert "<table" in second.body.decode()


@ANSWERS
def test_it_is_as_django_makes_it(portal, figures):
    kept = [ask(portal, "/indicators/") for _each in range(2)][1]
    around = ask(portal, "/indicators/", **AROUND)

    assert kept.body == around.body
    for name in ("content-security-policy", "x-frame-options", "content-type", "content-language"):
        # The directives come in any order.
        assert sorted(kept.headers[name].split("; ")) == sorted(around.headers[name].split("; "))


def test_a_publication_ends_what_was_made(portal, made, figures):
    # PostgreSQL raises the version once a transaction, as nobody reads within another's.
    DataVersion.objects.all().delete()
    before = ask(portal, "/indicators/")
    make_observation(indicator=figures, value=777, published=timezone.now() - timedelta(seconds=1),
                     period_end=date(2023, 9, 30), period_start=date(2023, 7, 1))  # fmt: skip

    after = ask(portal, "/indicators/")

    assert len(made) == 2
    assert "777" in after.body.decode()
    assert before.headers["etag"] != after.headers["etag"]


def test_a_publication_that_a_page_does_not_show_leaves_its_tag(portal, figures):
    before = ask(portal, "/accessibility/")
    make_synonym()

    answer = ask(portal, "/accessibility/", HTTP_IF_NONE_MATCH=before.headers["etag"])

    assert answer.status == 304


@ANSWERS
def test_midnight_ends_it(portal, made, figures, monkeypatch):
    ask(portal, "/indicators/")
    monkeypatch.setattr(asked.timezone, "localdate", lambda: date(2030, 1, 1))
    ask(portal, "/indicators/")

    assert len(made) == 2


@ANSWERS
def test_what_changes_a_page_is_asked_for_apart(portal, made, figures):
    ways = (
        {},
        {"HTTP_COOKIE": "size=large"},
        {"HTTP_COOKIE": "theme=dark"},
        {"HTTP_HOST": "127.0.0.1"},
        {"HTTP_X_FORWARDED_PROTO": "https"},
    )
    for number, headers in enumerate(ways, 1):
        for _each in range(2):
            ask(portal, "/indicators/", **headers)
            assert len(made) == number, headers


@ANSWERS
def test_a_cookie_of_others_changes_nothing(portal, made, figures):
    for cookie in ("_ga=1", "size=enormous", "csrftoken=x"):
        ask(portal, "/indicators/", HTTP_COOKIE=cookie)

    assert len(made) == 1


@ANSWERS
@pytest.mark.parametrize("cookie", ["sessionid=x", "messages=x", "size=large; sessionid=x"])
def test_who_was_signed_in_is_answered_by_django(portal, made, figures, cookie):
    for _each in range(2):
        ask(portal, "/indicators/", HTTP_COOKIE=cookie)

    assert len(made) == 2


def test_what_a_person_sees_is_kept_for_nobody(portal, made, figures):
    client = browser_of(make_superuser())
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    own = ask(portal, "/indicators/", HTTP_COOKIE=cookie)

    everybody = ask(portal, "/indicators/")

    assert own.status == everybody.status == 200
    assert len(made) == 2
    assert "cache-control" not in own.headers or "private" in own.headers["cache-control"]


@ANSWERS
@pytest.mark.parametrize(
    "path",
    ["/nosuch/", "/display/?size=large", "/admin/", "/healthz", "/readyz", "/indicators/?as_of=x"],
)
def test_what_is_no_page_for_everybody_is_not_kept(portal, made, figures, path):
    for _each in range(2):
        ask(portal, path)

    assert len(made) == 2


@ANSWERS
@pytest.mark.parametrize("status", ["500 Internal Server Error", "503 Service Unavailable"])
def test_what_failed_once_is_kept_when_it_succeeds(monkeypatch, settings, tmp_path, status):
    answers = [status, "200 OK", "no third time"]

    class Page(list):
        streaming, content = False, b"made"

        def close(self):
            pass

    def passing(environ, start_response):
        start_response(answers.pop(0), [("Content-Type", "text/html"), ("X-Request-ID", "x")])
        return Page([b"made"])

    keep_pages_in(tmp_path, settings)
    monkeypatch.setattr(layer, "key_of", lambda environ: status.encode().hex().ljust(64, "0"))
    cache = layer.PageCache(passing)
    assert [ask(cache, "/a/").status for _each in range(3)] == [int(status[:3]), 200, 200]


@ANSWERS
def test_a_post_is_never_answered_from_what_is_kept(portal, made, figures):
    ask(portal, "/indicators/")
    answer = ask(portal, "/indicators/", "POST")

    assert answer.status in (403, 405)
    assert len(made) == 2


@ANSWERS
def test_whoever_has_it_is_told_so(portal, made, figures):
    first = ask(portal, "/indicators/", **BROWSER)
    for headers in (
        {"HTTP_IF_NONE_MATCH": first.headers["etag"]},
        {"HTTP_IF_NONE_MATCH": f'"other", W/{first.headers["etag"]}'},
        {"HTTP_IF_NONE_MATCH": "*"},
        {"HTTP_IF_MODIFIED_SINCE": first.headers["last-modified"]},
    ):
        answer = ask(portal, "/indicators/", **BROWSER, **headers)
        assert (answer.status, answer.sent) == (304, b"")
        assert answer.headers["etag"] == first.headers["etag"]
        assert answer.headers["vary"] == first.headers["vary"]
    long_ago = http_date(0)
    for headers in (
        {"HTTP_IF_NONE_MATCH": '"other"', "HTTP_IF_MODIFIED_SINCE": first.headers["last-modified"]},
        {"HTTP_IF_MODIFIED_SINCE": long_ago},
        {"HTTP_IF_MODIFIED_SINCE": "yesterday"},
    ):
        assert ask(portal, "/indicators/", **BROWSER, **headers).status == 200
    assert len(made) == 1


@ANSWERS
def test_a_tag_tells_the_codings_apart(portal, figures):
    tags = {
        ask(portal, "/indicators/", HTTP_ACCEPT_ENCODING=coding).headers["etag"]
        for coding in ("", "gzip", "br")
    }

    assert len(tags) == 3


@ANSWERS
def test_head_is_get_without_the_body(portal, made, figures):
    head = ask(portal, "/indicators/", "HEAD", **BROWSER)
    got = ask(portal, "/indicators/", **BROWSER)

    assert head.sent == b""
    assert int(head.headers["content-length"]) == len(got.sent)
    assert made == ["/indicators/"]


@pytest.mark.once("parses a header")
@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("", ()),
        ("gzip", ("gzip",)),
        ("gzip, br", ("br", "gzip")),
        ("br;q=0, gzip;q=0.5", ("gzip",)),
        ("*", ("br", "gzip")),
        ("*;q=0, gzip", ("gzip",)),
        ("gzip;q=x, identity", ()),
        ("GZIP ; q=1", ("gzip",)),
    ],
)
def test_codings_as_they_are_accepted(accepted, expected):
    assert codings(accepted) == expected


@ANSWERS
def test_a_proxy_may_keep_it_a_minute(portal, figures):
    answer = ask(portal, "/indicators/")

    assert answer.headers["cache-control"] == "public, max-age=60"
    assert answer.headers["vary"] == "Accept-Encoding, Cookie"
    assert "accept-language" not in answer.headers["vary"].lower()


def test_a_file_is_kept_when_it_was_sent_to_its_end(portal, made, figures):
    first, second, plain = (
        ask(portal, "/data/observations.csv", **headers) for headers in (BROWSER, BROWSER, {})
    )

    assert len(made) == 1
    assert first.body == second.body == plain.sent
    assert second.headers["content-encoding"] == "gzip"
    assert int(second.headers["content-length"]) == len(second.sent)
    assert plain.body == ask(portal, "/data/observations.csv", **AROUND).body


def test_a_file_that_somebody_broke_off_is_not_kept(portal, made, figures, tmp_path):
    environ = {"HTTP_ACCEPT_ENCODING": "gzip"}
    request = RequestFactory(SERVER_NAME="localhost").get("/data/observations.csv", **environ)
    request.environ["HTTP_HOST"] = "localhost"
    with kept_connections():
        chunks = portal(request.environ, lambda *told: None)
        next(iter(chunks))
        chunks.close()

    assert list((tmp_path / "downloads").iterdir()) == []
    assert ask(portal, "/data/observations.csv", **BROWSER).body.startswith(b"indicator_code,")


@ANSWERS
def test_files_are_bounded(portal, figures, tmp_path, monkeypatch):
    kept = portal.store.downloads
    monkeypatch.setattr(kept, "_most", 5000)
    for n in range(20):
        ask(portal, f"/data/observations.csv?n={n}", **BROWSER)

    assert sum(path.stat().st_size for path in (tmp_path / "downloads").iterdir()) <= 8000


@ANSWERS
@pytest.mark.parametrize("folder", ["pages", "downloads", "turns"])
@pytest.mark.parametrize("path", ["/indicators/", "/data/observations.csv"])
def test_without_a_folder_each_is_made_and_none_fails(portal, figures, tmp_path, folder, path):
    (tmp_path / folder).write_text("in the way")

    answers = [ask(portal, path, **BROWSER) for _each in range(2)]

    assert [answer.status for answer in answers] == [200, 200]
    assert answers[0].body == answers[1].body


@ANSWERS
def test_what_is_damaged_is_made_again(portal, made, figures, tmp_path):
    whole = ask(portal, "/indicators/")
    ask(portal, "/data/observations.csv", **BROWSER)
    for path in [*(tmp_path / "pages").iterdir(), *(tmp_path / "downloads").iterdir()]:
        path.write_bytes(path.read_bytes()[:-7])
    # Another worker, whose memory is empty.
    other = layer.PageCache(portal.application)

    assert ask(other, "/indicators/").body == whole.body
    assert ask(other, "/data/observations.csv", **BROWSER).body.startswith(b"indicator_code,")
    assert len(made) == 4


@ANSWERS
def test_workers_share_what_was_made(portal, made, figures):
    ask(portal, "/indicators/")
    ask(portal, "/data/observations.csv", **BROWSER)
    other = layer.PageCache(portal.application)
    ask(other, "/indicators/")
    ask(other, "/data/observations.csv", **BROWSER)

    assert len(made) == 2


@ANSWERS
def test_a_shared_cache_that_is_away_is_an_empty_one(portal, figures, monkeypatch):
    def away(*values):
        raise ConnectionError

    monkeypatch.setattr(type(caches["pages"]), "get", away)
    monkeypatch.setattr(type(caches["pages"]), "set", away)

    assert ask(portal, "/indicators/").status == 200


@pytest.mark.once("waits for a file, whatever the database")
def test_two_who_ask_for_the_same_page_wait_for_one(portal, figures, monkeypatch):
    made, answers = [], []

    class Slow(list):
        streaming, content = False, b"made"

        def close(self):
            pass

    def slowly(environ, start_response):
        made.append(environ["PATH_INFO"])
        sleep(0.3)
        start_response("200 OK", [("Content-Type", "text/html"), ("X-Request-ID", "x")])
        return Slow([b"made"])

    monkeypatch.setattr(layer, "key_of", lambda environ: environ["PATH_INFO"].encode().hex() * 8)
    # These threads have a database of their own in memory, without tables.
    monkeypatch.setattr(layer, "_is_settled", lambda: True)
    workers = [layer.PageCache(slowly) for _each in range(2)]
    threads = [
        threading.Thread(target=lambda cache=cache: answers.append(ask(cache, "/a/").sent))
        for cache in workers * 3
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert made == ["/a/"]
    assert answers == [b"made"] * 6


def test_a_database_that_does_not_answer_is_the_pages_matter(portal, made, figures, monkeypatch):
    def away(connection):
        raise DatabaseError

    monkeypatch.setattr(data_version, "current", away)
    # As if it were not the test's own.
    monkeypatch.setattr(layer, "connection", SimpleNamespace(close=lambda: None))

    assert ask(portal, "/accessibility/").status == 200
    assert made == ["/accessibility/"]


@pytest.mark.once("reads settings and files")
def test_another_release_or_setting_is_another_installation(settings, tmp_path):
    asked.installation.cache_clear()
    before = asked.installation()
    asked.installation.cache_clear()
    assert asked.installation() == before

    settings.CONTACT = "somebody else"
    asked.installation.cache_clear()
    try:
        assert asked.installation() != before
    finally:
        settings.CONTACT = ""
        asked.installation.cache_clear()


@pytest.mark.long
@pytest.mark.once("the acts of the time machine; that triggers raise the version, both engines say")
@pytest.mark.parametrize("seed", SEEDS)
def test_no_page_is_ever_stale(portal, made, seed):
    """Acts of every kind, and around each some pages and files: what is kept is what is made anew.

    Those that were asked for right before an act are asked for again right after it.
    """
    random, kept, done = Random(seed), Counter(), Counter()
    with small_portal(random) as world:
        act = world.act

        def look(path: str, after: str) -> None:
            kept[is_kept_as_made(portal, made, path, after)] += 1

        def some_around() -> list[str]:
            """What is asked for right before an act and right after it."""
            number, turn = divmod(done.total(), EVERY)
            if turn:
                return []
            both = (
                lambda: kept_days.addresses(random, world.today),
                lambda: kept_days.DATA,
            )
            return [random.choice(each()) for each in (both if LONG else both[number % 2 :][:1])]

        def act_and_look(name: str) -> bool:
            paths = some_around()
            for path in paths:
                look(path, f"before {name}")
            # Tells of whatever is published; mostly asked for after the act before.
            # In the short form of the day, which takes half the time, around each fourth act: of
            # all of them it asks whether the version was raised, below which nothing is kept.
            changes = "/changes/" if LONG else f"/changes/?from={world.today}"
            is_asked, before = LONG or done.total() % 4 == 0, data_version.current(connection)
            if is_asked:
                ask(portal, changes)
            if not act(name):
                return False
            # What is published at this very moment is public from the next on.
            world.clock.shift(timedelta(seconds=1))
            has_raised = data_version.current(connection) != before
            # Nobody else sees what is no more than drafted.
            assert has_raised == (name != "drafted"), name
            for path in (changes, *paths) if is_asked else paths:
                look(path, name)
            done[name] += 1
            return True

        world.act = act_and_look
        for _day in live(world, DAYS, ACTS):
            for path in ("/", "/changes/"):
                look(path, "midnight")
                look(path, "nothing")
    assert len(done) > 25
    assert kept[True] >= (2 * DAYS if LONG else DAYS)
    assert kept[False] > (len(done) if LONG else 12)


def is_kept_as_made(portal, made, path: str, after: str) -> bool:
    """Whether the page was kept, which then is as Django makes it now."""
    before = len(made)
    answer = ask(portal, path)
    if len(made) > before:
        return False
    around = ask(portal, path, **AROUND)
    assert (answer.status, answer.body) == (around.status, around.body), (path, after)
    return True
