"""The chain of the record: every public version and every event of the trail, linked in order.

``seal`` links what is not linked yet; it runs after each publication, and before a checkpoint.
``kinds`` says which rows those are: everything that is submitted, once it is public, the versions
of words, when they begin and when they end, and the trail.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import partial

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from . import ended
from .chain_check import (
    IN_FLIGHT,
    START,
    Finding,
    Linked,
    check,
    digest_of,
    hash_of,
    moment_text,
    read_checkpoint,
)
from .many_rows import insert_all
from .models import Checkpoint, Link, LinkForm, TrailEvent, Version
from .submission import State, end_of_day, submissions
from .trail import kept_since

#: Any number that nothing else of the portal locks.
LOCK = 7_031_223
READ_TOGETHER = 2_000
AS_THEY_ARE = frozenset({str, int, bool, type(None)})


@dataclass(frozen=True)
class Kind:
    """Rows of ``model`` that are for good once they answer to ``condition``.

    ``moment`` names the column that says since when. ``left_out`` may still change.
    """

    name: str
    model: type[models.Model]
    moment: str
    condition: Q = field(default_factory=Q)
    left_out: frozenset[str] = frozenset()
    #: Whether rows are deleted after their term.
    may_be_gone: bool = False

    @property
    def columns(self) -> list[str]:
        return [
            f.attname for f in self.model._meta.concrete_fields if f.attname not in self.left_out
        ]

    def rows(self):
        # The chain's order is its own: that of the model would join its tables.
        return self.model._base_manager.filter(self.condition).order_by()

    def not_linked(self):
        links = Link.objects.filter(form__kind=self.name, row=OuterRef("pk"))
        return self.rows().filter(~Exists(links))


def kinds() -> list[Kind]:
    submitted = [
        Kind(
            model._meta.label_lower, model, "published_at", Q(state=State.PUBLISHED),
            left_out=frozenset({"ended_at"}),
        )
        for model in submissions()
    ]  # fmt: skip
    return [
        *submitted,
        Kind("version begun", Version, "made_at", left_out=frozenset({"valid_to"})),
        Kind("version ended", Version, "valid_to", Q(valid_to__isnull=False)),
        Kind("measures.trailevent", TrailEvent, "at", may_be_gone=True),
    ]


def canonical(value):
    """A value as JSON has it, the same whatever database it was read from."""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, datetime):
        return moment_text(value)
    if isinstance(value, date):
        return value.isoformat()
    return value


def told(row: dict) -> dict:
    """The columns of a row; those of what a version says stand beside the others."""
    said = row.pop("content", None)
    # Most values are as JSON has them; a hundred thousand rows are looked at together.
    found = {
        name: value if type(value) in AS_THEY_ARE else canonical(value)
        for name, value in row.items()
    }
    return found if said is None else found | {f"content.{name}": said[name] for name in said}


@transaction.atomic
def seal(*, lately: bool = False) -> int:
    """Links every row of the record that is not linked yet; how many.

    In the order of their moments. One at a time: whoever comes second waits. ``lately`` looks only
    at what a transaction that ends after the last link may have dated, as ``verify`` does; a
    checkpoint makes up for the rest.
    """
    _wait_for_others()
    last = Link.objects.last()
    waiting = []
    for kind in kinds():
        rows = kind.not_linked()
        if lately and last:
            rows = rows.filter(**{f"{kind.moment}__gte": last.moment - IN_FLIGHT})
        for row in rows.values(*kind.columns):
            waiting.append((row[kind.moment], kind, row["id"], told(row)))
    waiting.sort(key=lambda found: (found[0], found[1].name, found[2]))
    number, before = (last.number, last.hash) if last else (0, START)
    forms = {(form.kind, form.names): form for form in LinkForm.objects.all()}
    links = []
    for moment, kind, key, values in waiting:
        names = sorted(values)
        joined = " ".join(names)
        if (kind.name, joined) not in forms:
            forms[kind.name, joined] = LinkForm.objects.create(kind=kind.name, names=joined)
        number, digest = number + 1, digest_of(names, values)
        before = hash_of(number, kind.name, key, values[kind.moment], digest, before)
        form = forms[kind.name, joined].pk
        links.append(
            Link(number=number, form_id=form, row=key, moment=moment, digest=digest, hash=before)
        )
    insert_all(links)
    return len(links)


def _wait_for_others() -> None:
    """On SQLite there is one writer at a time anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


_seal_lately = partial(seal, lately=True)


def seal_after_commit() -> None:
    """Links what this transaction makes public, once it has; once, however much that is."""
    # Asked for within a savepoint that is taken back, it goes with what was published there.
    if not any(after is _seal_lately for _savepoints, after, *_how in connection.run_on_commit):
        transaction.on_commit(_seal_lately, robust=True)


@transaction.atomic
def make_checkpoint() -> Checkpoint:
    """Seals the record, and says how long it is and how it ends; signed if there is a key."""
    seal()
    last = Link.objects.last()
    row = Checkpoint(
        made_at=timezone.now(), size=last.number if last else 0, root=last.hash if last else START
    )
    row.signature = sign(str(row))
    row.save(force_insert=True)
    return row


def sign(text: str) -> str:
    """The Ed25519 signature in hexadecimal digits; empty without CHECKPOINT_KEY."""
    if not settings.CHECKPOINT_KEY:
        return ""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(settings.CHECKPOINT_KEY))
    return key.sign(text.encode()).hex()


def newest_checkpoint(as_of: date | None = None) -> Checkpoint | None:
    """The last one that there was at the end of ``as_of``; of all if None."""
    rows = Checkpoint.objects.order_by("-made_at")
    if as_of:
        rows = rows.filter(made_at__lt=end_of_day(as_of))
    return rows.first()


def linked() -> Iterator[Linked]:
    """Every link in its order, with the row that it is about; a query a kind, and one more."""
    values: dict[str, dict[int, dict]] = {}
    going: dict[str, bool] = {}
    for kind in kinds():
        going[kind.name] = kind.may_be_gone
        rows = kind.rows().values(*kind.columns).iterator(chunk_size=READ_TOGETHER)
        values[kind.name] = {row["id"]: told(row) for row in rows}
    forms = {form.pk: (form.kind, tuple(form.names.split(" "))) for form in LinkForm.objects.all()}
    links = Link.objects.order_by("number").values_list(
        "number", "form_id", "row", "moment", "digest", "hash"
    )
    for number, form, row, moment, digest, hash_ in links.iterator(chunk_size=READ_TOGETHER):
        kind, names = forms[form]
        yield Linked(
            number, kind, row, canonical(moment), digest, hash_, names,
            values.get(kind, {}).get(row), going.get(kind, False),
        )  # fmt: skip


def young() -> str:
    """From when on no event of the trail may be missing."""
    return canonical(kept_since())


def verify(checkpoint: str | None = None) -> list[Finding]:
    """What is not as it was linked, against a checkpoint kept elsewhere or the newest one here.

    Also what is public and was never linked, though a checkpoint was made since, and what says that
    it ended at another moment than its correction or withdrawal has: that alone may still change.
    """
    newest = newest_checkpoint()
    if checkpoint is None and newest is None:
        return []
    made_at, size, root = read_checkpoint(checkpoint or str(newest))
    found = list(check(linked(), size, root, made_at, young=young()))
    for kind in kinds():
        rows = kind.not_linked().filter(**{f"{kind.moment}__lt": made_at})
        found += [
            Finding(None, kind.name, key, "inserted")
            for key in rows.order_by("pk").values_list("pk", flat=True)
        ]
    return found + [
        Finding(None, model._meta.label_lower, key, "ended at another moment")
        for model, key in ended.wrong(submissions(), connection)
    ]
