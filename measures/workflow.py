"""The steps by which what staff enter becomes public: save, submit, publish, return, correct.

Each is one atomic function that checks, writes and leaves its mark in the trail.
"""

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext

from . import chain, sign_off
from .characters import printable
from .evidence import discard_after_commit, discard_now, file_of
from .fields import clean_texts
from .many_rows import insert_all
from .models.rounds import Round, closed_round
from .models.sign_offs import SignOff
from .models.trail import TrailEvent
from .submission import EDITABLE, State, Submission
from .trail import (
    Action,
    differences,
    event,
    record,
    record_all,
    snapshot,
    texts,
    what_differs,
)


class TransitionError(Exception):
    """A step that the workflow does not allow; the message says why, for a person."""


class StaleRow(TransitionError):
    """Somebody else changed the row meanwhile; ``changes`` says what, a line per field."""

    def __init__(self, message, changes: str):
        super().__init__(message)
        self.changes = changes


def save(row: Submission, *, by, seen: int | None = None, sitting: str = "") -> None:
    """Store a new row as a draft by ``by``, or the changes to a draft or returned row.

    A file that was sent with it is kept only if the row is; what changes nothing leaves no event.
    ``sitting`` names the stay of somebody at a page that saves by itself: all that it saves of a
    row leaves one event, whose note names it; what is handed in then is told whole.

    ``seen`` is the ``version`` that the changes were made on; None for a new row. Raises StaleRow
    if somebody saved another version since, TransitionError if the row can no longer be changed,
    if its round takes no entry or if a text holds what no file can carry.
    """
    file = file_of(row)
    is_sent = file is not None and not file._committed
    try:
        _save(row, by, seen, sitting)
    except BaseException:
        if is_sent and file._committed:
            discard_now(file.storage, file.name)
        raise


@transaction.atomic
def _save(row: Submission, by, seen: int | None, sitting: str) -> None:
    _check_round(row)
    _clean(row)
    fields = row.content_fields()
    if row.pk is None:
        row.entered_by = row.changed_by = by
        row.save()
        after = differences({}, snapshot(row, fields))[1]
        record(Action.ENTERED, by=by, subject=row, after=after, note=sitting)
        return
    stored = type(row)._base_manager.filter(pk=row.pk).first()
    if stored is None:
        raise _refusal(row)
    row.take_the_place_of(stored)
    before = snapshot(stored, fields)
    fresh = type(row)._base_manager.filter(pk=row.pk, state__in=EDITABLE, version=seen)
    if not fresh.update(version=F("version") + 1):
        stored = type(row)._base_manager.filter(pk=row.pk).first()
        if stored is None or stored.state not in EDITABLE:
            raise _refusal(row)
        raise StaleRow(
            gettext("%(who)s changed this row while you were editing; nothing of yours is lost.")
            % {"who": stored.changed_by or stored.entered_by},
            what_differs(row, stored, fields),
        )
    row.state, row.version, row.changed_by = stored.state, seen + 1, by
    row.save()
    old, new = differences(before, snapshot(row, fields))
    if new and not (sitting and _is_told(row, by, sitting)):
        record(Action.CHANGED, by=by, subject=row, before=old, after=new, note=sitting)
    gone = file_of(stored)
    if gone and (not file_of(row) or file_of(row).name != gone.name):
        discard_after_commit(row, gone.name)


def _is_told(row: Submission, by, sitting: str) -> bool:
    """Whether the trail knows already that ``row`` saves itself while ``by`` sits at it."""
    return TrailEvent.objects.filter(
        actor=by, subject_type=row._meta.label_lower, subject_code=row.code, note=sitting
    ).exists()


@transaction.atomic
def save_all(rows: list[Submission], *, by, trial: bool = False) -> None:
    """``save`` for many rows of one model, all or none, in few queries however many rows.

    A row that is not new carries, as ``version``, the one that its changes were made on. The
    rows need their round, their department and whatever names them loaded. A ``trial``, which the
    caller takes back, asks the database whether it takes the rows, and leaves no event.
    """
    if not rows:
        return
    model, fields = type(rows[0]), rows[0].content_fields()
    _check_rounds(rows)
    for row in rows:
        _clean(row)
    new = [row for row in rows if row.pk is None]
    for row in new:
        row.entered_by = row.changed_by = by
    insert_all(new)
    created = {row.pk for row in new}
    changed = [row for row in rows if row.pk not in created]
    stored, touched = _locked(changed), set()
    for row in changed:
        old = stored[row.pk]
        row.take_the_place_of(old)
        # The reason of a correction can be reworded until it is published.
        kept = (*fields, "correction_reason")
        touched |= {name for name in kept if getattr(row, name) != getattr(old, name)}
        row.state, row.version, row.changed_by = old.state, old.version + 1, by
    if touched:
        model._base_manager.bulk_update(changed, sorted(touched), batch_size=500)
    model._base_manager.filter(pk__in=stored).update(version=F("version") + 1, changed_by=by)
    if not trial:
        record_all(_saved([*new, *changed], stored, fields, by))


def _saved(rows: list[Submission], stored: dict[int, Submission], fields, by):
    """The events of ``save_all``: of a row that was ``stored`` before, what differs now.

    To be made in the language of the trail, as ``record_all`` does.
    """
    for row in rows:
        old = stored.get(row.pk)
        before, after = differences(texts(old, fields) if old else {}, texts(row, fields))
        if old is None:
            yield event(Action.ENTERED, by=by, subject=row, after=after)
        elif after:
            yield event(Action.CHANGED, by=by, subject=row, before=before, after=after)


@transaction.atomic
def submit_all(rows: list[Submission], *, by, tell: bool = False, trial: bool = False) -> None:
    """``submit`` for many rows of one model, all or none, in few queries however many rows.

    ``trial`` as in ``save_all``.
    """
    if not rows:
        return
    _check_rounds(rows)
    for row in rows:
        _check_correction(row)
        _check_day(row)
    _check_complete(rows)
    _locked(rows)
    changes = {"state": State.SUBMITTED, "submitted_at": timezone.now(), "return_reason": ""}
    pks = [row.pk for row in rows]
    type(rows[0])._base_manager.filter(pk__in=pks).update(**changes, version=F("version") + 1)
    for row in rows:
        row.version += 1
        for name, value in changes.items():
            setattr(row, name, value)
    if not trial:
        record_all(
            event(Action.SUBMITTED, by=by, subject=row, after=_whole(row) if tell else "")
            for row in rows
        )


def submit_each(rows: list[Submission], *, by, tell: bool = False) -> dict[int, str]:
    """``submit`` each of ``rows`` of one model that can be; why others cannot, by their keys.

    What can be handed in only together is, all of it or none.
    """
    refused = {}
    for group in type(rows[0]).in_groups(rows) if rows else ():
        try:
            if len(group) == 1:
                submit(group[0], by=by, tell=tell)
            else:
                submit_all(group, by=by, tell=tell)
        except TransitionError as error:
            refused |= {row.pk: str(error) for row in group}
    return refused


@transaction.atomic
def delete(row: Submission, *, by) -> None:
    """Delete a draft or a returned row.

    Raises TransitionError if it is in another state or no longer the version in hand.
    """
    before = _whole(row)
    rows = type(row)._base_manager.select_for_update(of=("self",))
    # Django deletes by key, so a condition alone would not hold against who submits meanwhile.
    locked = rows.filter(pk=row.pk, state__in=EDITABLE, version=row.version).first()
    if locked is None:
        raise _refusal(row)
    locked.delete()
    if file := file_of(locked):
        discard_after_commit(row, file.name)
    record(Action.DELETED, by=by, subject=row, before=before)


@transaction.atomic
def submit(row: Submission, *, by, tell: bool = False) -> None:
    """Hand a draft or a returned row to review; ``tell``: the trail keeps all that it says.

    Raises TransitionError if it is in another state, if its round takes no entry, if it is a
    correction that changes nothing, or if it cannot be said today.
    """
    _check_round(row)
    _check_correction(row)
    _check_day(row)
    _check_complete([row])
    _move(row, EDITABLE, state=State.SUBMITTED, submitted_at=timezone.now(), return_reason="")
    record(Action.SUBMITTED, by=by, subject=row, after=_whole(row) if tell else "")


@transaction.atomic
def recall(row: Submission, *, by) -> None:
    """Take a submitted row back, before anybody has reviewed it: it is a draft again.

    Raises TransitionError if it was not submitted or is no longer the version in hand.
    """
    _move(row, {State.SUBMITTED}, state=State.DRAFT, submitted_at=None)
    record(Action.RECALLED, by=by, subject=row)


@transaction.atomic
def sign(row: Submission, *, by) -> None:
    """Sign a submitted row off as head of its department, so that it reaches the reviewer.

    Raises PermissionDenied if ``by`` entered or changed the row, TransitionError if it was not
    submitted, is no longer the version in hand or waits for no sign-off.
    """
    if by.pk in {row.entered_by_id, row.changed_by_id}:
        raise PermissionDenied(gettext("Nobody signs off what they entered themselves."))
    rows = type(row)._base_manager.select_for_update(of=("self",))
    if not rows.filter(pk=row.pk, state=State.SUBMITTED, version=row.version).exists():
        raise _refusal(row)
    if not sign_off.is_missing(row):
        raise TransitionError(gettext("This row waits for no sign-off."))
    SignOff.objects.create(
        subject_type=row._meta.label_lower,
        subject_code=row.code,
        version=row.version,
        by=by,
        entered_by_id=row.entered_by_id,
        changed_by_id=row.changed_by_id,
    )
    record(Action.SIGNED_OFF, by=by, subject=row)


@transaction.atomic
def publish(row: Submission, *, by) -> None:
    """Make a submitted row public, from now on and for good.

    Raises PermissionDenied if ``by`` entered, changed or signed off the row, TransitionError if it
    was not submitted, waits for the head of its department, or what it says cannot be said today,
    or without what is reported together with it, or can no longer take effect.
    """
    alone = type(row).left_alone([row])
    _check_publishable(row, by, sign_off.heads_of([row]), sign_off.missing_among([row]), alone)
    _move(
        row,
        {State.SUBMITTED},
        state=State.PUBLISHED,
        published_at=timezone.now(),
        published_by=by,
    )
    try:
        row.take_effect(by=by)
    except ValidationError as error:
        raise TransitionError(" ".join(error.messages)) from error
    record(
        Action.PUBLISHED,
        by=by,
        subject=row,
        after=_whole(row),
    )
    chain.seal_after_commit()


def why_not_by(row: Submission, by) -> str:
    """Why it is not ``by`` who may publish ``row``, or that a head must sign it off first.

    Empty if nothing of this stands against it; what ``by`` may do at all is not asked.
    """
    try:
        _check_reviewer(row, by, sign_off.heads_of([row]), sign_off.missing_among([row]))
    except (PermissionDenied, TransitionError) as error:
        return str(error)
    return ""


def _check_publishable(
    row: Submission, by, signed: dict[int, int], unsigned: set[int], alone: dict[int, str]
) -> None:
    """Raises as ``publish`` says; ``signed`` and ``unsigned`` as ``sign_off`` gives them, ``alone``
    as the row's model."""
    _check_reviewer(row, by, signed, unsigned)
    if row.state == State.SUBMITTED and row.pk in alone:
        raise TransitionError(alone[row.pk])
    _check_day(row)


def _check_reviewer(row: Submission, by, signed: dict[int, int], unsigned: set[int]) -> None:
    if by.pk in {row.entered_by_id, row.changed_by_id}:
        raise PermissionDenied(gettext("Nobody publishes what they entered themselves."))
    if signed.get(row.pk) == by.pk:
        raise PermissionDenied(gettext("Nobody publishes what they signed off themselves."))
    if row.state == State.SUBMITTED and row.pk in unsigned:
        raise TransitionError(gettext("The head of the department has not signed this row off."))


@transaction.atomic
def publish_all(rows: list[Submission], *, by) -> dict[Submission, Exception]:
    """``publish`` for many rows of one kind that ``stands_alone``, in few queries for any number.

    Those that cannot be published stay as they are and are returned, each with the exception that
    ``publish`` would raise. What the rows name needs to be loaded.
    """
    if not rows:
        return {}
    model, refused = type(rows[0]), {}
    if not model.stands_alone:
        raise TypeError(f"{model.__name__} is published row by row.")
    locked = model._base_manager.select_for_update().filter(pk__in=[row.pk for row in rows])
    stored = set(locked.order_by("pk").values_list("pk", "state", "version"))
    signed, unsigned = sign_off.heads_of(rows), sign_off.missing_among(rows)
    alone = model.left_alone(rows)
    for row in rows:
        try:
            _check_publishable(row, by, signed, unsigned, alone)
            if (row.pk, State.SUBMITTED, row.version) not in stored:
                raise _refusal(row)
        except (PermissionDenied, TransitionError) as error:
            refused[row] = error
    ready = [row for row in rows if row not in refused]
    changes = {
        "state": State.PUBLISHED, "published_at": timezone.now(), "published_by_id": by.pk
    }  # fmt: skip
    written = model._base_manager.filter(pk__in=[row.pk for row in ready])
    written.update(**changes, version=F("version") + 1)
    for row in ready:
        row.version += 1
        for name, value in changes.items():
            setattr(row, name, value)
    fields = model.content_fields()
    record_all(
        event(Action.PUBLISHED, by=by, subject=row, after=differences({}, texts(row, fields))[1])
        for row in ready
    )
    if ready:
        chain.seal_after_commit()
    return refused


@transaction.atomic
def send_back(row: Submission, *, by, reason: str) -> None:
    """Return a submitted row to whoever entered it, saying why.

    Raises TransitionError if the reason is blank or the row was not submitted.
    """
    reason = printable(reason).strip()
    if not reason:
        raise TransitionError(gettext("Whoever returns a row must say why."))
    _move(row, {State.SUBMITTED}, state=State.RETURNED, return_reason=reason)
    record(Action.RETURNED, by=by, subject=row, note=reason)


@transaction.atomic
def correct(row: Submission, *, by, reason: str, **changes) -> Submission:
    """Begin a correction: a new draft by ``by`` that will supersede the published ``row``.

    ``changes`` are field values that differ from ``row``. Raises TransitionError if the reason is
    blank, if ``row`` is not published, or if a correction of it exists already.
    """
    reason = printable(reason).strip()
    if not reason:
        raise TransitionError(gettext("A correction must say why."))
    if row.state != State.PUBLISHED:
        raise TransitionError(gettext("Only a published row can be corrected."))
    # Whoever comes second waits here and then sees the first one's correction.
    type(row)._base_manager.select_for_update().get(pk=row.pk)
    if row.corrections.exists():
        raise TransitionError(gettext("A correction of this row is already under way."))
    kept = {name: getattr(row, name) for name in row.content_fields()}
    draft = type(row)(
        **{**kept, **changes},
        supersedes=row,
        revision=row.revision + 1,
        correction_reason=reason,
        entered_by=by,
        changed_by=by,
    )
    draft.take_the_place_of(row)
    for name, value in changes.items():
        setattr(draft, name, value)
    # What the public row says already is not refused anew: somebody must be able to correct it.
    draft.clean_fields(exclude=kept.keys() - changes.keys())
    draft.clean()
    draft.validate_unique()
    draft.validate_constraints()
    draft.save()
    old, new = differences(
        snapshot(row, row.content_fields()), snapshot(draft, row.content_fields())
    )
    record(Action.CORRECTED, by=by, subject=row, before=old, after=new, note=reason)
    return draft


def what_changed(stored: Submission, typed: dict) -> str:
    """A sentence for whoever saves over a newer version: who changed it, and what stands there now.

    ``typed`` are the values that they wanted to save, by field name.
    """
    mine = type(stored)(**typed)
    now = what_differs(mine, stored, typed)
    return gettext(
        "%(who)s changed this row while you were editing. What you typed is still here; save "
        "again to keep it, or take over what stands there now: %(changes)s"
    ) % {"who": stored.changed_by or stored.entered_by, "changes": now.replace("\n", "; ")}


def both_texts(stored, mine, fields) -> list[tuple[str, str, str]]:
    """(field, what ``stored`` says, what ``mine`` says) of the ``fields`` in which they differ."""
    theirs, ours = texts(stored, fields), texts(mine, fields)
    return [(label, theirs[label], ours[label]) for label in ours if theirs[label] != ours[label]]


def seen_version(row: Submission | None) -> str:
    """What a page carries with ``row``, so that its form says which version its reader saw.

    None stands for a row that is not stored yet.
    """
    return str(row.version if row else 0)


def is_current(row: Submission | None, seen: str | None) -> bool:
    """Whether ``seen``, which a form brought back, is the version of ``row`` in hand."""
    return seen == seen_version(row)


def check_seen(row: Submission, seen: str | None) -> None:
    """Raises TransitionError if the version ``seen`` on a page is not that of ``row``."""
    if not is_current(row, seen):
        raise TransitionError(_is_now(row))


def _check_round(row: Submission) -> None:
    """A correction may come at any time; any other entry only while its round takes it.

    An entry beside the rounds must not slip past the lock of the one to whose period it belongs.
    """
    if row.supersedes_id:
        return
    round_id, day = getattr(row, "round_id", None), getattr(row, "period_end", None)
    # Whoever locks the round at this moment waits, or is waited for.
    rounds = Round.objects.select_for_update(no_key=True).order_by("pk")
    if round_id:
        round_ = rounds.get(pk=round_id)
        closed = None if round_.accepts(row.department) else round_
    elif day:
        list(rounds.filter(period_start__lte=day, period_end__gte=day))
        closed = closed_round(row.department, day)
    else:
        closed = None
    if closed:
        raise TransitionError(
            gettext("The round “%(round)s” takes no entry of this department.") % {"round": closed}
        )


def _check_correction(row: Submission) -> None:
    """Nobody is asked to review a correction that says what the public row says."""
    if not row.supersedes_id:
        return
    fields = set(row.content_fields()) - row.for_review
    if all(_says(row, name) == _says(row.supersedes, name) for name in fields):
        raise TransitionError(gettext("This correction changes nothing yet."))


def _check_day(row: Submission) -> None:
    """Nobody is asked to review, and nobody publishes, what cannot be said today."""
    if why_not := row.why_not_public(timezone.localdate()):
        raise TransitionError(f"{row}: {why_not}")


def _check_complete(rows: list[Submission]) -> None:
    try:
        for row in rows:
            row.check_complete()
        type(rows[0]).check_together(rows)
    except ValidationError as error:
        raise TransitionError(" ".join(error.messages)) from error


def _whole(row: Submission) -> str:
    """All that ``row`` says, for the trail."""
    return differences({}, snapshot(row, row.content_fields()))[1]


def _says(row: Submission, name: str):
    """The value of a field; of an old row's text, what it became when it was stored anew."""
    value = getattr(row, name)
    return printable(value) if isinstance(value, str) else value


def _clean(row: Submission) -> None:
    """The last door for what ``row`` says, whichever way it came here."""
    try:
        clean_texts(row)
    except ValidationError as error:
        raise TransitionError(
            "; ".join(
                f"{row._meta.get_field(name).verbose_name}: {message}"
                for name, messages in error.message_dict.items()
                for message in messages
            )
        ) from error


def _check_rounds(rows: list[Submission]) -> None:
    """``_check_round`` once for every round, or day beside the rounds, and department."""
    asked = {
        (
            getattr(row, "round_id", None) or getattr(row, "period_end", None),
            row.supersedes_id,
            row.department,
        ): row
        for row in rows
    }
    for row in asked.values():
        _check_round(row)


def _locked(rows: list[Submission]) -> dict[int, Submission]:
    """The stored rows by key, which nobody else can change until the transaction ends.

    Raises TransitionError if one of them is no longer editable or not the version in hand.
    """
    if not rows:
        return {}
    model = type(rows[0])
    related = [f for f in model.content_fields() if model._meta.get_field(f).is_relation]
    stored = (
        model._base_manager.select_related(*related)
        .select_for_update(of=("self",))
        .order_by("pk")
        .in_bulk([row.pk for row in rows])
    )
    for row in rows:
        now = stored.get(row.pk)
        if now is None or now.state not in EDITABLE or now.version != row.version:
            raise TransitionError(f"{row}: {_refusal(now or row)}")
    return stored


def _move(row: Submission, allowed, **values) -> None:
    """Write ``values`` if the stored row is still the version in hand and in an ``allowed`` state.

    The condition is part of the UPDATE, so of two people who act at once exactly one succeeds,
    and nobody publishes a figure other than the one on their screen.
    """
    changed = (
        type(row)
        ._base_manager.filter(pk=row.pk, state__in=allowed, version=row.version)
        .update(**values, version=F("version") + 1)
    )
    if not changed:
        raise _refusal(row)
    row.refresh_from_db()


def _refusal(row: Submission) -> TransitionError:
    """Why a step found no row to take; ``row`` then says what is stored, if anything still is."""
    try:
        row.refresh_from_db()
    except type(row).DoesNotExist:
        return TransitionError(gettext("This row was deleted meanwhile."))
    return TransitionError(_is_now(row))


def _is_now(row: Submission) -> str:
    return gettext("This row was changed meanwhile and is now “%(state)s”; look at it again.") % {
        "state": row.get_state_display()
    }
