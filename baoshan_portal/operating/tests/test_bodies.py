"""Whoever sends slowly holds a few places and not the server."""

from io import BytesIO
from threading import BoundedSemaphore, Event, Thread

import pytest
from django.test import Client

from .. import bodies
from ..bodies import Body, SlowBody

pytestmark = pytest.mark.once("asks no database")


class Stopped:
    """A stream whose rest does not come until ``comes`` is set."""

    def __init__(self):
        self.comes, self.read_by = Event(), 0

    def read(self, size=-1):
        self.read_by += 1
        self.comes.wait(30)
        return b"at last"

    readline = read


@pytest.fixture
def stopped(monkeypatch):
    monkeypatch.setattr(bodies, "AT_ONCE", 0.01)
    monkeypatch.setattr(bodies, "PATIENCE", 0.2)
    stream = Stopped()
    yield stream
    stream.comes.set()


def test_what_is_there_is_read_as_it_is():
    body = Body(BytesIO(b"one\ntwo"))

    assert body.readline() == b"one\n"
    assert body.read(2) == b"tw"
    assert body.read() == b"o"
    assert not body.failed


def test_what_comes_a_little_later_is_waited_for(stopped, monkeypatch):
    monkeypatch.setattr(bodies, "PATIENCE", 10)
    Thread(target=lambda: (Event().wait(0.1), stopped.comes.set())).start()

    assert Body(stopped).read(10) == b"at last"


def test_what_does_not_come_is_given_up_and_not_asked_for_again(stopped):
    body = Body(stopped)
    for _turn in range(2):
        with pytest.raises(SlowBody):
            body.read(10)

    assert body.failed
    assert stopped.read_by == 1


def test_slow_ones_beyond_the_places_for_them_are_given_up_at_once(stopped, monkeypatch):
    monkeypatch.setattr(bodies, "_slow", BoundedSemaphore(1))
    monkeypatch.setattr(bodies, "PATIENCE", 30)
    first = Thread(target=Body(stopped).read, args=(10,))
    first.start()
    while bodies._slow._value:
        pass

    with pytest.raises(SlowBody):
        Body(stopped).read(10)

    # And what is sent at once needs no such place.
    assert Body(BytesIO(b"here")).read() == b"here"
    stopped.comes.set()
    first.join()
    assert bodies._slow._value == 1


def test_no_more_threads_are_left_behind_than_there_may_be(stopped, monkeypatch):
    monkeypatch.setattr(bodies, "_reads", BoundedSemaphore(1))
    with pytest.raises(SlowBody):
        Body(stopped).read(10)
    other = Stopped()
    with pytest.raises(SlowBody):
        Body(other).read(10)

    assert other.read_by == 0


def test_an_error_while_reading_stays_that_error():
    class Broken:
        def read(self, size=-1):
            raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError):
        Body(Broken()).read(1)


@pytest.mark.django_db
def test_a_form_that_does_not_come_is_answered_with_a_sentence(stopped):
    client = Client(enforce_csrf_checks=True)
    client.cookies["csrftoken"] = "a" * 32
    answer = client.generic(
        "POST", "/en/admin/login/", b"", content_type="application/x-www-form-urlencoded",
        **{"CONTENT_LENGTH": "50", "wsgi.input": Body(stopped)},
    )  # fmt: skip

    assert answer.status_code == 503
    assert answer["Connection"] == "close"
    assert b"did not arrive in time" in answer.content
    assert b"not saved, nor any part of it" in answer.content


def test_only_requests_with_a_body_are_watched():
    def application(environ, start_response):
        return [type(environ["wsgi.input"]).__name__.encode()]

    answer = bodies.bounded(application)
    assert answer({"wsgi.input": BytesIO()}, None) == [b"BytesIO"]
    assert answer({"wsgi.input": BytesIO(), "CONTENT_LENGTH": "5"}, None) == [b"Body"]
