"""How the log is written: a line of JSON an event, and a mail about errors, not too many."""

import fcntl
import hashlib
import json
import logging
import time
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime

from django.conf import settings
from django.core.mail import mail_admins

#: The request that this thread is answering; empty outside of one.
request_id: ContextVar[str] = ContextVar("request_id", default="")

#: Seconds in which the same error is mailed once, and how many mails go out in them at all.
PERIOD, MOST = 3600, 20


class RequestId(logging.Filter):
    """Every event knows the request in which it happened."""

    def filter(self, record):
        # Django logs an answer when the request is done.
        record.request_id = request_id.get() or getattr(getattr(record, "request", None), "id", "")
        return True


class JsonFormatter(logging.Formatter):
    """An event as one line; line breaks in what strangers sent are escaped by JSON itself."""

    def format(self, record):
        told = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": getattr(record, "request_id", ""),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            told["traceback"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False, default=str)


class MailHandler(logging.Handler):
    """Mails an error to ADMINS, the same one once in an hour, however many processes meet it.

    A mail says what happened and where, and nothing of what the visitor sent but the path.
    """

    def emit(self, record):
        # Whoever asks for a wrong host makes these, at will.
        if not settings.ADMINS or record.name.startswith("django.security"):
            return
        try:
            unsent = _may_send(_what(record))
            if unsent is not None:
                mail_admins(_subject(record), _body(record, unsent), fail_silently=True)
        except Exception:
            self.handleError(record)


def _what(record) -> str:
    """The same for the same error: its kind and place, or the unfilled message."""
    if record.exc_info and record.exc_info[0]:
        kind, _error, trace = record.exc_info
        place = traceback.extract_tb(trace)[-1:]
        return f"{kind.__name__} {[(frame.filename, frame.lineno) for frame in place]}"
    return f"{record.name} {record.levelname} {record.msg}"


#: What this process has mailed about while nothing could be kept in the cache's folder.
_mailed: dict[str, float] = {}


def _may_send(what: str) -> int | None:
    """How often it happened since the last mail about it; None while no other may be sent."""
    now = time.time()
    try:
        return _ask_folder(what, now)
    except (OSError, ValueError):
        # A full disk is the very thing to mail about.
        for other in [key for key, sent in _mailed.items() if now - sent >= PERIOD]:
            del _mailed[other]
        if what in _mailed or len(_mailed) >= MOST:
            return None
        _mailed[what] = now
        return 0


def _ask_folder(what: str, now: float) -> int | None:
    """What all processes have mailed about is kept in files, a lock around them."""
    folder = settings.CACHE_ROOT / "mailed"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        file = folder / f"{hashlib.sha256(what.encode()).hexdigest()[:32]}.json"
        sent, unsent = json.loads(file.read_text()) if file.exists() else (0, 0)
        recent = 0
        for other in folder.glob("*.json"):
            if now - json.loads(other.read_text())[0] < PERIOD:
                recent += 1
            elif other != file:
                other.unlink()
        if now - sent < PERIOD or recent >= MOST:
            file.write_text(json.dumps([sent, unsent + 1]))
            return None
        file.write_text(json.dumps([now, 0]))
        return unsent


def _subject(record) -> str:
    kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else record.msg
    return f"{record.levelname}: {str(kind).splitlines()[0][:120]}"


def _body(record, unsent: int) -> str:
    request = getattr(record, "request", None)
    told = [
        f"Request: {getattr(record, 'request_id', '') or '-'}",
        f"Address: {getattr(request, 'method', '-')} {getattr(request, 'path', '-')}",
        f"Logger: {record.name}",
        "",
        record.getMessage(),
    ]
    if unsent:
        told.insert(3, f"Since the last mail about it: {unsent} times more")
    if record.exc_info:
        told += ["", logging.Formatter().formatException(record.exc_info)]
    told += ["", "The log has every one; the same error is mailed once an hour at the most."]
    return "\n".join(told)
