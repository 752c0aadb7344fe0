"""Writing the trail. Every write with consequences calls ``record`` in its own transaction."""

from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_ipv46_address
from django.db import models
from django.utils.translation import get_language

from .models.trail import Action, TrailEvent

__all__ = [
    "Action",
    "AddressMiddleware",
    "acting_from",
    "client_address",
    "differences",
    "record",
    "snapshot",
]

_address: ContextVar[str | None] = ContextVar("address", default=None)


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

    With TRUST_PROXY that is the last address in X-Forwarded-For, which the proxy itself appends;
    the ones before it are what the visitor wrote.
    """
    address = request.META.get("REMOTE_ADDR") or ""
    if settings.TRUST_PROXY and (forwarded := request.META.get("HTTP_X_FORWARDED_FOR")):
        address = forwarded.rpartition(",")[2].strip()
    try:
        validate_ipv46_address(address)
    except ValidationError:
        return None
    return address


class AddressMiddleware:
    """Lets the trail know where a request came from."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        with acting_from(client_address(request)):
            return self.get_response(request)


def event(action, *, by=None, subject=None, actor_name="", before="", after="", note=""):
    """One event, not written yet.

    ``by`` is the account, None where there is none (a failed sign-in, the command line), in which
    case ``actor_name`` says who it was; ``subject`` is the row that it is about.
    """
    return TrailEvent(
        actor=by,
        actor_name=by.get_username() if by else actor_name,
        address=_address.get(),
        action=action,
        subject_type=subject._meta.label_lower if subject is not None else "",
        subject_code=str(getattr(subject, "code", "") or getattr(subject, "pk", "") or ""),
        subject=str(subject)[:300] if subject is not None else "",
        before=before,
        after=after,
        note=note,
    )


def record(action, **about):
    """Append one event; see ``event`` for what there is to tell ``about`` it."""
    recorded = event(action, **about)
    recorded.save(force_insert=True)
    return recorded


def record_all(events) -> None:
    """Append many events at once."""
    TrailEvent.objects.bulk_create(events, batch_size=1000)


def snapshot(row: models.Model, fields) -> dict[str, str]:
    """The named ``fields`` of ``row`` as text, by their labels for people."""
    labels = _labels(type(row), tuple(fields), get_language())
    return {label: _text(getattr(row, name)) for name, label in labels.items()}


@lru_cache(maxsize=64)
def _labels(model: type[models.Model], fields: tuple[str, ...], language) -> dict[str, str]:
    # Imports ask for the same labels thousands of times.
    return {name: str(model._meta.get_field(name).verbose_name) for name in fields}


def differences(before: dict[str, str], after: dict[str, str]) -> tuple[str, str]:
    """Only what differs between two snapshots, as two texts with one line per field."""
    changed = [label for label in after if before.get(label, "") != after[label]]
    return (
        "\n".join(f"{label}: {before[label]}" for label in changed if label in before),
        "\n".join(f"{label}: {after[label]}" for label in changed),
    )


def _text(value) -> str:
    return "" if value is None else str(value)
