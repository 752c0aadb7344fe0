"""What visitors send, read without letting them hold the server.

granian hands a request over when its head is there, and waits for the rest without an end: four
visitors who sent a byte a minute held four threads. A read that waits cannot be given up either,
since granian then waits for it itself and the whole process with it. So half of the threads may
wait for what is sent, and no more; whoever comes on top is answered unread.
"""

from threading import BoundedSemaphore

from django.conf import settings

#: Seconds in which one of the places becomes free, unless slow ones hold them all.
TURN = 0.05

#: The other half of the threads answers ordinary requests, whatever is sent to these.
_places = BoundedSemaphore(max(1, settings.THREADS // 2))


class NoPlace(OSError):
    """Others send so slowly that this is not read."""


class Body:
    """``wsgi.input`` that is read at one of few places; ``refused`` where none was free."""

    def __init__(self, stream):
        self._stream = stream
        self.refused = False

    def read(self, *size):
        return self._at_a_place(self._stream.read, size)

    def readline(self, *size):
        return self._at_a_place(self._stream.readline, size)

    def _at_a_place(self, read, size):
        if self.refused or not _places.acquire(timeout=TURN):
            self.refused = True
            raise NoPlace("Others hold every place for what is sent.")
        try:
            return read(*size)
        finally:
            _places.release()


def bounded(application):
    """``application`` of WSGI, which reads every body through ``Body``."""

    def answer(environ, start_response):
        if environ.get("CONTENT_LENGTH") or environ.get("HTTP_TRANSFER_ENCODING"):
            environ["wsgi.input"] = Body(environ["wsgi.input"])
        return application(environ, start_response)

    return answer
