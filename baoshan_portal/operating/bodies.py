"""What visitors send, read without letting them hold the server.

granian hands a request over when its head is there, and waits for the rest without an end: four
visitors who sent a byte a minute held four threads. A read that waits cannot be given up either,
since granian then waits for it itself and the whole process with it. So half of the threads may
wait for what is sent, and no more; whoever comes on top is answered unread.
"""

from contextlib import suppress
from threading import BoundedSemaphore

from django.conf import settings

#: Seconds in which one of the places becomes free, unless slow ones hold them all.
TURN = 0.05

#: The longest body, in bytes, that is taken from the line although nobody wants it: what the proxy
#: lets through. Longer ones are left, and who sends one sees a broken connection.
DISCARDED = 12 * 1024 * 1024
CHUNK = 64 * 1024

#: The other half of the threads answers ordinary requests, whatever is sent to these.
_places = BoundedSemaphore(max(1, settings.THREADS // 2))


class NoPlace(OSError):
    """Others send so slowly that this is not read."""


class Body:
    """``wsgi.input`` that is read at one of few places; ``refused`` where none was free.

    ``length`` are the bytes that were said to come; 0 where that is not known.
    """

    def __init__(self, stream, length: int = 0):
        self._stream, self._left = stream, length
        self.refused = False

    def read(self, *size):
        return self._at_a_place(self._stream.read, size)

    def readline(self, *size):
        return self._at_a_place(self._stream.readline, size)

    def discard(self) -> None:
        """Takes what was not read from the line.

        A connection that ends with something unread is reset, and the answer is lost on its way:
        the proxy then says that the portal is away where it has just said why it refused.
        """
        with suppress(NoPlace):
            while self._left > 0 and self.read(CHUNK):
                pass

    def _at_a_place(self, read, size):
        if self.refused or not _places.acquire(timeout=TURN):
            self.refused = True
            raise NoPlace("Others hold every place for what is sent.")
        try:
            given = read(*size)
        finally:
            _places.release()
        self._left -= len(given)
        return given


def length_of(environ) -> int:
    """The bytes that follow a request's head; what is no number is more than any limit."""
    text = environ.get("CONTENT_LENGTH") or "0"
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else 2**63


def bounded(application):
    """``application`` of WSGI, which reads every body through ``Body`` and leaves none unread."""

    def answer(environ, start_response):
        length = length_of(environ)
        if not (length or environ.get("HTTP_TRANSFER_ENCODING")):
            return application(environ, start_response)
        environ["wsgi.input"] = body = Body(environ["wsgi.input"], length)
        page = application(environ, start_response)
        if length <= DISCARDED:
            body.discard()
        return page

    return answer
