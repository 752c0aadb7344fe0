"""Writing the trail. Every write with consequences calls ``record`` in its own transaction.

Events can never be corrected, and whoever searches them must find a row whoever changed it: so
rows and fields are named in one language, the data's own, whatever the actor's pages speak.
"""

from collections.abc import Iterable
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import islice

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_ipv46_address
from django.db import models
from django.utils import timezone
from django.utils.translation import get_language, gettext, override

from .characters import printable
from .many_rows import insert_all
from .models.trail import Action, TrailEvent

__all__ = [
    "Action",
    "AddressMiddleware",
    "acting_from",
    "client_address",
    "differences",
    "in_trail_language",
    "kept_since",
    "record",
    "snapshot",
    "what_differs",
]

#: No month is longer, so nothing is deleted before its time, whatever the months
DAYS_PER_MONTH = 31

#: What TRUST_PROXY says where the proxy writes the header of RFC 7239.
FORWARDED = "forwarded"

_address: ContextVar[str | None] = ContextVar("address", default=None)


def kept_since() -> datetime:
    """From when on events are kept; ``purge_trail`` deletes the older ones."""
    return timezone.now() - timedelta(days=DAYS_PER_MONTH * settings.TRAIL_MONTHS)


@contextmanager
def acting_from(address: str | None):
    """Whatever is recorded inside came from that network address; None for the command line."""
    token = _address.set(address)
    try:
        yield
    finally:
        _address.reset(token)


def client_address(request) -> str | None:
    """Where ``request`` came from; None where that is no network address.

    With TRUST_PROXY that is the last address in the header that it names, which the proxy itself
    appends; the ones before it are what the visitor wrote. To WSGI X_Forwarded_For is the same
    header as X-Forwarded-For; only ``Forwarded`` (RFC 7239) can be spelt in one way alone.
    """
    address = request.META.get("REMOTE_ADDR") or ""
    if settings.TRUST_PROXY == FORWARDED:
        address = _forwarded_for(request.META.get("HTTP_FORWARDED", "")) or address
    elif settings.TRUST_PROXY and (forwarded := request.META.get("HTTP_X_FORWARDED_FOR")):
        address = forwarded.rpartition(",")[2].strip()
    try:
        validate_ipv46_address(address)
    except ValidationError:
        return None
    return address


def _forwarded_for(header: str) -> str:
    """The address that the last ``for=`` of a header Forwarded names, without its port; or empty.

    RFC 7239 puts an IPv6 address into brackets; proxies that do not are understood too.
    """
    last = header.rpartition(",")[2]
    pairs = (pair.strip().partition("=") for pair in last.split(";"))
    node = next((value.strip('"') for name, _is, value in pairs if name.lower() == "for"), "")
    if node.startswith("["):
        return node[1:].partition("]")[0]
    return node.partition(":")[0] if node.count(":") == 1 else node


class AddressMiddleware:
    """Lets the trail know where a request came from."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        with acting_from(client_address(request)):
            return self.get_response(request)


def in_trail_language():
    """Whatever is turned into text inside is in the language of the trail."""
    if get_language() == settings.LANGUAGE_CODE:
        return nullcontext()
    return override(settings.LANGUAGE_CODE)


def event(action, *, by=None, subject=None, actor_name="", before="", after="", note=""):
    """One event, not written yet.

    ``by`` is the account, None where there is none (a failed sign-in, the command line), in which
    case ``actor_name`` says who it was; ``subject`` is the row that it is about.
    """
    with in_trail_language():
        name = printable(str(subject), multiline=False)[:300] if subject is not None else ""
    return TrailEvent(
        actor_id=by.pk if by else None,
        actor_name=by.get_username() if by else actor_name,
        address=_address.get(),
        action=action,
        subject_type=subject._meta.label_lower if subject is not None else "",
        subject_code=str(getattr(subject, "code", "") or getattr(subject, "pk", "") or ""),
        subject=name,
        before=before,
        after=after,
        note=note,
    )


def record(action, **about):
    """Append one event; see ``event`` for what ``about`` may say."""
    recorded = event(action, **about)
    recorded.save(force_insert=True)
    return recorded


def record_all(events: Iterable[TrailEvent]) -> None:
    """Append many events, which are made as they are written: memory does not grow with them."""
    events = iter(events)
    # Asked for once, and not by each event and each text of it.
    with in_trail_language():
        while some := list(islice(events, 1000)):
            insert_all(some)


def snapshot(row: models.Model, fields) -> dict[str, str]:
    """The named ``fields`` of ``row`` as text, by their labels, in the language of the trail."""
    with in_trail_language():
        return texts(row, fields)


def what_differs(seen: models.Model, stored: models.Model, fields) -> str:
    """What ``stored`` says unlike ``seen``, a line per field: for a person, in their language."""
    return differences(texts(seen, fields), texts(stored, fields))[1]


def differences(before: dict[str, str], after: dict[str, str]) -> tuple[str, str]:
    """Only what differs between two snapshots, as two texts with one line per field."""
    changed = [label for label in after if before.get(label, "") != after[label]]
    return (
        "\n".join(f"{label}: {before[label]}" for label in changed if label in before),
        "\n".join(f"{label}: {after[label]}" for label in changed),
    )


def texts(row: models.Model, fields) -> dict[str, str]:
    """The named ``fields`` of ``row`` as text, by their labels, in the reader's language."""
    labels = _labels(type(row), tuple(fields), get_language())
    return {label: _text(getattr(row, name), choices) for name, label, choices in labels}


@lru_cache(maxsize=64)
def _labels(model: type[models.Model], fields: tuple[str, ...], language) -> list[tuple]:
    """(name, label, words for its choices or None) of each field."""
    # Imports ask for the same thousands of times.
    found = [(name, model._meta.get_field(name)) for name in fields]
    return [
        (
            name,
            str(field.verbose_name),
            {value: str(word) for value, word in field.flatchoices} if field.choices else None,
        )
        for name, field in found
    ]


def _text(value, choices: dict | None) -> str:
    """A field's value for people: what a choice is called, 520 and never 520.0000."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if choices and (word := str(choices.get(value, value))):
        return word
    # As it is stored: two ways to end a line are no change.
    return printable(str(value))
