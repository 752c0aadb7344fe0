"""What readers ask for most is made again after a change, and nothing else is."""

import fcntl
from datetime import timedelta

import pytest
from django.core.wsgi import get_wsgi_application
from django.utils.timezone import localdate

from baoshan_portal.tests.wsgi_client import ask, keep_pages_in, kept_connections
from measures.models import DataVersion
from measures.past import past
from measures.submission import end_of_day
from measures.tests.factories import ISSUED, make_measure, make_synonym
from metrics import facts, kept_days
from metrics.models import Indicator, IndicatorSummary, KeptDay
from metrics.tests.factories import make_observation

from ..page_cache.ahead import AGENT, KNOWN, MOST, Ahead
from ..page_cache.layer import PageCache

pytestmark = pytest.mark.django_db


class Pages:
    """Notes what it is asked for, and by whom."""

    def __init__(self):
        self.asked, self.then, self.status = [], None, "200 OK"

    def __call__(self, environ, start_response):
        self.asked.append((environ["PATH_INFO"], environ.get("HTTP_USER_AGENT") == AGENT))
        start_response(self.status, [("Content-Type", "text/html")])
        if self.then:
            self.then()
        return [b"a page"]

    def made_ahead(self) -> list[str]:
        return [path for path, is_ahead in self.asked if is_ahead]


@pytest.fixture
def pages():
    return Pages()


@pytest.fixture
def ahead(pages, settings, tmp_path):
    settings.CACHE_ROOT = tmp_path
    ahead = Ahead(pages)
    look(ahead)
    return ahead


def look(ahead) -> int:
    """Twice, so that what stands has stood."""
    with kept_connections():
        return ahead.look() + ahead.look()


def change() -> None:
    # PostgreSQL raises the version once a transaction, as nobody reads within another's.
    DataVersion.objects.all().delete()
    make_synonym()


def test_what_was_asked_for_most_is_made_first(ahead, pages):
    for path, times in (("/a/", 1), ("/b/", 3), ("/c/", 2)):
        for _each in range(times):
            ask(ahead, path)
    assert look(ahead) == 0
    change()

    assert look(ahead) == 3

    assert pages.made_ahead() == ["/b/", "/c/", "/a/"]
    assert look(ahead) == 0


def test_what_readers_worked_out_of_a_past_day_is_written(ahead, monkeypatch):
    make_observation(published=ISSUED)
    monkeypatch.setattr(kept_days, "FEW", 0)
    day = ISSUED + timedelta(days=9)
    IndicatorSummary.objects.all().delete()
    with past(end_of_day(day)):
        facts.of(Indicator.objects.published(day), day, 30)

    with kept_connections():
        ahead.look()

    assert KeptDay.objects.get().name == f"facts {day}"


def test_no_more_than_some(ahead, pages):
    for n in range(MOST + 5):
        ask(ahead, f"/{n}/")
    change()

    assert look(ahead) == MOST


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/data/observations.csv", {}),
        ("/indicators/?format=csv", {}),
        ("/admin/", {}),
        ("/", {"HTTP_COOKIE": "sessionid=somebody"}),
        ("/", {"HTTP_COOKIE": "size=large"}),
    ],
)
def test_files_and_what_is_somebodys_own_are_left_to_whoever_asks(ahead, pages, path, headers):
    ask(ahead, path, **headers)
    change()

    assert look(ahead) == 0


def test_what_is_not_there_is_not_asked_for_again(ahead, pages):
    pages.status = "404 Not Found"
    ask(ahead, "/nothing/")
    change()

    assert look(ahead) == 0


def test_while_things_change_nothing_is_made(ahead, pages):
    ask(ahead, "/a/")
    for _publication in range(3):
        change()
        assert ahead.look() == 0

    assert ahead.look() == 1


def test_a_change_meanwhile_ends_it(ahead, pages):
    for path in ("/a/", "/b/", "/c/"):
        ask(ahead, path)
    change()
    pages.then = change

    assert look(ahead) == 1


def test_another_day_is_a_change(ahead, pages, monkeypatch):
    ask(ahead, "/a/")
    tomorrow = localdate() + timedelta(days=1)
    monkeypatch.setattr("django.utils.timezone.localdate", lambda *moment: tomorrow)

    assert look(ahead) == 1


def test_what_lists_read_of_a_figure_is_worked_out_before_its_first_reader(ahead):
    value = make_observation(published=ISSUED)
    change()
    assert not IndicatorSummary.objects.exists()

    look(ahead)

    assert IndicatorSummary.objects.get().indicator == value.indicator


def test_of_two_workers_one_does_it(ahead, pages, tmp_path):
    ask(ahead, "/a/")
    change()
    with (tmp_path / "ahead.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)

        assert look(ahead) == 0


def test_what_many_ask_for_once_does_not_fill_the_memory(ahead):
    for n in range(3000):
        ask(ahead, f"/{n}/")

    assert len(ahead._asked) <= KNOWN


@pytest.fixture
def portal(settings, tmp_path):
    keep_pages_in(tmp_path, settings)
    return get_wsgi_application()


def test_the_first_reader_after_a_change_is_answered_from_what_was_made(portal):
    made = []

    def django(environ, start_response):
        made.append(environ["PATH_INFO"])
        return portal(environ, start_response)

    ahead = Ahead(PageCache(django))
    look(ahead)
    ask(ahead, "/measures/", HTTP_ACCEPT_ENCODING="gzip")
    DataVersion.objects.all().delete()
    measure = make_measure()
    assert look(ahead) == 1
    assert len(made) == 2

    answer = ask(ahead, "/measures/", HTTP_ACCEPT_ENCODING="gzip")

    assert len(made) == 2
    assert measure.name in answer.body.decode()
