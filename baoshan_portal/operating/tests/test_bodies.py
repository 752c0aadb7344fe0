"""Whoever sends slowly holds a few places and not the server."""

from io import BytesIO
from threading import BoundedSemaphore, Event, Thread

import pytest
from django.http import HttpResponseForbidden
from django.test import RequestFactory

from .. import bodies
from ..bodies import Body, NoPlace
from ..unavailable import UnavailableMiddleware

pytestmark = pytest.mark.once("asks no database")


class Stopped:
    """A stream whose rest does not come until ``comes`` is set."""

    def __init__(self):
        self.comes, self.asked = Event(), Event()

    def read(self, size=-1):
        self.asked.set()
        self.comes.wait(30)
        return b"at last"


@pytest.fixture
def held(monkeypatch):
    """The stream of a visitor who holds the only place."""
    monkeypatch.setattr(bodies, "_places", BoundedSemaphore(1))
    stream = Stopped()
    thread = Thread(target=Body(stream).read, args=(10,))
    thread.start()
    stream.asked.wait(30)
    yield stream
    stream.comes.set()
    thread.join()


def test_what_is_there_is_read_as_it_is():
    body = Body(BytesIO(b"one\ntwo"))

    assert body.readline() == b"one\n"
    assert body.read(2) == b"tw"
    assert body.read() == b"o"
    assert not body.refused


def test_whoever_finds_no_place_is_not_read(held):
    other = Stopped()
    body = Body(other)
    for _turn in range(2):
        with pytest.raises(NoPlace):
            body.read(10)

    assert body.refused
    assert not other.asked.is_set()


def test_a_place_is_free_again_when_what_was_sent_is_there(held):
    held.comes.set()

    assert Body(BytesIO(b"here")).read() == b"here"
    with pytest.raises(ZeroDivisionError):
        Body(type("Broken", (), {"read": lambda self: 1 / 0})()).read()
    assert Body(BytesIO(b"here")).read() == b"here"


def test_a_form_that_was_not_read_is_answered_with_a_sentence(held):
    request = RequestFactory().post("/en/admin/login/", {"username": "somebody"})
    request.environ["wsgi.input"] = body = Body(BytesIO())

    def page(request):
        with pytest.raises(NoPlace):
            body.read()
        # Django's check of a form's origin takes an unread form for an empty one.
        return HttpResponseForbidden()

    answer = UnavailableMiddleware(page)(request)

    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    assert b"More is going on than the portal can do at once." in answer.content
    assert b"not saved, nor any part of it" in answer.content


def test_only_requests_with_a_body_are_watched():
    def application(environ, start_response):
        return [type(environ["wsgi.input"]).__name__.encode()]

    answer = bodies.bounded(application)
    assert answer({"wsgi.input": BytesIO()}, None) == [b"BytesIO"]
    assert answer({"wsgi.input": BytesIO(), "CONTENT_LENGTH": "5"}, None) == [b"Body"]


@pytest.mark.parametrize("length", ["1000000", str(12 * 1024 * 1024 + 1), "many", "-1", "9" * 30])
def test_what_nobody_read_is_taken_from_the_line_within_a_bound(length):
    stream = BytesIO(b"x" * 1_000_000)
    answer = bodies.bounded(lambda environ, start_response: [b"refused"])

    assert answer({"wsgi.input": stream, "CONTENT_LENGTH": length}, None) == [b"refused"]
    assert stream.tell() == (1_000_000 if length == "1000000" else 0)


def test_what_was_read_to_its_end_waits_for_no_place_again():
    def application(environ, start_response):
        return [environ["wsgi.input"].read()]

    stream = Ended(b"all of it")
    answer = bodies.bounded(application)
    assert answer({"wsgi.input": stream, "CONTENT_LENGTH": "9"}, None) == [b"all of it"]
    assert stream.asked == 1


class Ended(BytesIO):
    """Counts how often it is read."""

    asked = 0

    def read(self, size=-1):
        self.asked += 1
        return super().read(size)


def test_whoever_holds_the_places_keeps_no_refusal_back(held):
    answer = bodies.bounded(lambda environ, start_response: [b"refused"])
    other = Stopped()

    assert answer({"wsgi.input": other, "CONTENT_LENGTH": "5"}, None) == [b"refused"]
    assert not other.asked.is_set()
