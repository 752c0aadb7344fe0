"""What visitors send, read without letting them hold the server.

The server hands a request over when its head is there, and waits for the rest without an end: four
visitors who sent a byte a minute held four threads. Here whoever does not send at once gets one
of a few places for slow ones, and there a few seconds for each part.
"""

import threading
from queue import Empty, SimpleQueue

from django.conf import settings

#: Seconds in which what was sent is mostly there; after them it counts as slow.
AT_ONCE = 0.1
#: Seconds that the next part (64 KB, or the rest) may take.
PATIENCE = 10
#: Reads that nobody waits for any more, until their visitors close the connection.
ABANDONED = 200

#: Half of the threads answer ordinary requests, whatever is sent to the others.
_slow = threading.BoundedSemaphore(max(1, settings.THREADS // 2))
_reads = threading.BoundedSemaphore(ABANDONED + settings.THREADS)


class SlowBody(OSError):
    """The rest of the request did not come in time."""


class Body:
    """``wsgi.input`` with a bound on waiting; ``failed`` after a part that did not come."""

    def __init__(self, stream):
        self._stream = stream
        self.failed = False

    def read(self, *size):
        return self._in_time(self._stream.read, size)

    def readline(self, *size):
        return self._in_time(self._stream.readline, size)

    def _in_time(self, read, size):
        # Nothing stops a read that waits, so a thread of its own does it and may be left behind.
        if self.failed or not _reads.acquire(blocking=False):
            self._fail()
        answer = SimpleQueue()
        threading.Thread(target=_read, args=(read, size, answer), daemon=True).start()
        try:
            return _result(answer.get(timeout=AT_ONCE))
        except Empty:
            pass
        if not _slow.acquire(blocking=False):
            self._fail()
        try:
            return _result(answer.get(timeout=PATIENCE))
        except Empty:
            self._fail()
        finally:
            _slow.release()

    def _fail(self):
        self.failed = True
        raise SlowBody("What was sent did not come in time.")


def _read(read, size, answer) -> None:
    try:
        answer.put(read(*size))
    except Exception as error:
        answer.put(error)
    finally:
        _reads.release()


def _result(found):
    if isinstance(found, Exception):
        raise found
    return found


def bounded(application):
    """``application`` of WSGI, which reads every body through ``Body``."""

    def answer(environ, start_response):
        if environ.get("CONTENT_LENGTH") or environ.get("HTTP_TRANSFER_ENCODING"):
            environ["wsgi.input"] = Body(environ["wsgi.input"])
        return application(environ, start_response)

    return answer
