"""The record is chained: whatever its owner changes up to a checkpoint kept elsewhere is found."""

import json
import subprocess
import sys
from datetime import timedelta
from io import StringIO
from random import Random

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, models, transaction
from django.test import override_settings
from django.utils import timezone

from measures import chain, protection, workflow
from measures.chain_check import START, hash_of
from measures.models import Checkpoint, Link, ProgressNote, TrailEvent, Version
from measures.submission import State
from measures.tests.factories import ISSUED, change, make_measure, make_note, make_user, publish
from measures.trail import Action, record

from .slices import WHOLE

pytestmark = [pytest.mark.django_db, pytest.mark.long]


@pytest.fixture
def published():
    """A small portal: notes, one corrected, a measure worded anew, and the trail of all of it."""
    measure = make_measure()
    for day in range(3):
        make_note(measure=measure, published=ISSUED, happened_on=ISSUED + timedelta(days=day))
    editor, reviewer = make_user(), make_user()
    note = ProgressNote(measure=measure, happened_on=ISSUED, text="进展")
    workflow.save(note, by=editor)
    workflow.submit(note, by=editor)
    workflow.publish(note, by=reviewer)
    correction = workflow.correct(note, by=editor, reason="更正", text="别的进展")
    workflow.submit(correction, by=editor)
    workflow.publish(correction, by=reviewer)
    publish(change(measure, name="新名称"))
    measure.refresh_from_db()
    return measure


def test_everything_public_and_the_trail_is_linked_once(published):
    n = chain.seal()

    kinds = {link.form.kind: 0 for link in Link.objects.select_related("form")}
    assert {"measures.progressnote", "measures.revision", "measures.trailevent"} <= kinds.keys()
    assert {"version begun", "version ended"} <= kinds.keys()
    assert n == Link.objects.count() == len(set(Link.objects.values_list("hash", flat=True)))
    assert chain.seal() == 0
    record(Action.SIGNED_IN, actor_name="li")
    assert chain.seal() == 1


def test_a_draft_is_not_linked():
    note = make_note()
    chain.seal()
    assert not Link.objects.filter(form__kind="measures.progressnote", row=note.pk).exists()


def test_each_link_carries_the_hash_of_the_one_before(published):
    chain.seal()
    before = START
    for link in Link.objects.select_related("form"):
        moment = chain.canonical(link.moment)
        told = hash_of(link.number, link.form.kind, link.row, moment, link.digest, before)
        assert link.hash == told
        before = link.hash


def test_nothing_is_found_where_nothing_was_done(published):
    checkpoint = str(chain.make_checkpoint())
    publish(change(published, name="又一名称"))
    chain.make_checkpoint()

    assert chain.verify(checkpoint) == []
    assert chain.verify() == []


def test_publications_are_linked_when_their_transaction_has_ended_by_one_seal(
    django_capture_on_commit_callbacks,
):
    measures = [make_measure() for _ in range(3)]
    chain.seal()
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        for measure in measures:
            publish(change(measure, name="又一名称"))
    assert len(callbacks) == 1
    assert Link.objects.filter(form__kind="measures.revision").count() == 3
    assert chain.seal() == 0


def test_a_publication_that_was_taken_back_leaves_the_next_its_seal(
    django_capture_on_commit_callbacks,
):
    measure = make_measure()
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        with transaction.atomic():
            publish(change(measure, name="又一名称"))
            transaction.set_rollback(True)
        assert callbacks == []
        publish(change(measure, name="另一名称"))
    assert len(callbacks) == 1
    assert chain.seal() == 0


def test_a_publication_links_what_a_transaction_before_the_last_link_may_have_dated(
    django_capture_on_commit_callbacks,
):
    measure = make_measure()
    chain.seal()
    last = Link.objects.last().moment
    lately, long_ago = (
        TrailEvent.objects.create(action=Action.SIGNED_IN, at=last - timedelta(minutes=minutes))
        for minutes in (9, 11)
    )
    with django_capture_on_commit_callbacks(execute=True):
        publish(change(measure, name="又一名称"))

    linked = Link.objects.filter(form__kind="measures.trailevent").values_list("row", flat=True)
    assert lately.pk in linked
    assert long_ago.pk not in linked
    chain.make_checkpoint()
    assert long_ago.pk in linked.all()


def test_a_column_that_comes_later_changes_no_link(published):
    """Versions made before a migration get its column, and keep what was linked."""
    checkpoint = str(chain.make_checkpoint())
    with unprotected():
        for version in Version.objects.all():
            version.content["later"] = "x"
            version.save(update_fields=["content"])
    assert chain.verify(checkpoint) == []


def test_the_trail_is_purged_after_its_term_and_the_chain_still_proves(published):
    with unprotected():
        old = timezone.now() - timedelta(days=31 * settings.TRAIL_MONTHS + 5)
        TrailEvent.objects.filter(pk__in=TrailEvent.objects.values("pk")[:2]).update(at=old)
    checkpoint = str(chain.make_checkpoint())
    call_command("purge_trail", stdout=StringIO())
    assert chain.verify(checkpoint) == []
    with unprotected():
        TrailEvent.objects.filter(action=Action.PUBLISHED).first().delete()
    assert [finding.what for finding in chain.verify(checkpoint)] == ["dropped"]


# Tampering by the owner of the database, who can take the triggers away


class unprotected:
    def __enter__(self):
        protection.remove(connection)

    def __exit__(self, *error):
        protection.install(connection)


RECORD = (ProgressNote, TrailEvent, Version)


def other(value, random: Random):
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + random.randint(1, 9)
    if isinstance(value, dict):
        name = random.choice(sorted(value))
        return value | {name: f"{value[name]}x"}
    if hasattr(value, "replace") and hasattr(value, "year"):
        return value - timedelta(days=random.randint(1, 900))
    return f"{value or ''}{random.choice('伪x')}"


def changed_field(random: Random) -> bool:
    model = random.choice(RECORD)
    rows = model._base_manager.all()
    if hasattr(model, "state"):
        rows = rows.filter(state=State.PUBLISHED)
    row = random.choice(list(rows))
    left_out = ("state", "address", "valid_to")
    fields = [
        f
        for f in model._meta.concrete_fields
        if not f.primary_key and not f.is_relation and f.name not in left_out
    ]
    field = random.choice(fields)
    value = other(getattr(row, field.attname), random)
    if isinstance(field, models.CharField | models.TextField):
        value = str(value)
    if isinstance(field, models.DateField) and not hasattr(value, "year"):
        return False
    if field.max_length and len(str(value)) > field.max_length:
        return False
    try:
        with transaction.atomic():
            rows.filter(pk=row.pk).update(**{field.attname: value})
    except IntegrityError:
        return False
    return True


def ended_otherwise(random: Random) -> bool:
    """Hidden from every page, or shown again, by the one column of a public row that may change."""
    row = random.choice(list(ProgressNote.objects.filter(state=State.PUBLISHED)))
    moments = (None, row.published_at, timezone.now())
    moment = random.choice([one for one in moments if one != row.ended_at])
    ProgressNote._base_manager.filter(pk=row.pk).update(ended_at=moment)
    return True


def dropped_row(random: Random) -> bool:
    model = random.choice((TrailEvent, Version))
    rows = model._base_manager.all()
    if model is TrailEvent:
        # An older one may be gone: its term is over.
        rows = rows.filter(at__gte=chain.young())
    row = random.choice(list(rows))
    model._base_manager.filter(pk=row.pk)._raw_delete("default")
    return True


def inserted_row(random: Random) -> bool:
    row = random.choice(list(TrailEvent.objects.all()))
    row.pk, row.note = None, "伪造"
    row.save(force_insert=True)
    return True


def swapped_rows(random: Random) -> bool:
    first, second = random.sample(list(TrailEvent.objects.order_by("pk")), 2)
    if (first.action, first.subject, first.after) == (second.action, second.subject, second.after):
        return False
    keys = first.pk, second.pk
    for row, key in zip((first, second), reversed(keys), strict=True):
        row.pk = key
        row.save(force_update=True)
    return True


def cut_tail(random: Random) -> bool:
    n = random.randint(1, 5)
    for link in list(Link.objects.order_by("-number")[:n]):
        Link.objects.filter(pk=link.pk)._raw_delete("default")
    return True


def made_anew(random: Random) -> bool:
    """A row changed, and its link and all later ones computed anew, as the portal itself would."""
    if not changed_field(random):
        return False
    size = Link.objects.count()
    Link.objects.all()._raw_delete("default")
    chain.seal()
    assert Link.objects.count() == size
    return True


def link_changed(random: Random) -> bool:
    link = random.choice(list(Link.objects.all()))
    name = random.choice(("row", "digest", "hash"))
    value = link.row + 1000 if name == "row" else "0" * 64
    try:
        with transaction.atomic():
            Link.objects.filter(pk=link.pk).update(**{name: value})
    except IntegrityError:
        return False
    return True


WAYS = (
    changed_field, ended_otherwise, dropped_row, inserted_row, swapped_rows, cut_tail, made_anew,
    link_changed,
)  # fmt: skip


@pytest.mark.sweep
@pytest.mark.once("what is found is computed in Python")
def test_whatever_the_owner_does_is_found(published):
    checkpoint = str(chain.make_checkpoint())
    random, done = Random(9), dict.fromkeys(WAYS, 0)
    protection.remove(connection)
    for n in range(1_000 if WHOLE else 56):
        way = WAYS[n % len(WAYS)]
        with transaction.atomic():
            if way(random):
                done[way] += 1
                assert chain.verify(checkpoint), (way.__name__, n)
            transaction.set_rollback(True)
        assert n or chain.verify(checkpoint) == []
    assert chain.verify(checkpoint) == []
    assert min(done.values()) > 4


@pytest.mark.parametrize(
    ("table", "column"),
    [("measures_link", "hash"), ("measures_linkform", "names"), ("measures_checkpoint", "root")],
)
def test_raw_sql_does_not_change_the_chain(published, table, column):
    chain.make_checkpoint()
    for sql in (f"DELETE FROM {table}", f"UPDATE {table} SET {column} = 'x'"):
        with (
            pytest.raises(DatabaseError, match="never changed"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(sql)


# Commands, and the script that needs nothing of the portal


def test_the_commands_print_a_checkpoint_and_verify_it(published):
    out = StringIO()
    call_command("checkpoint", stdout=out)
    line = out.getvalue().strip()
    assert line == str(Checkpoint.objects.get())
    out = StringIO()
    call_command("verify", checkpoint=line, stdout=out)
    assert "is as it was" in out.getvalue()

    with unprotected():
        ProgressNote.objects.filter(text="进展").update(text="改写")
    with pytest.raises(CommandError, match="1 findings"):
        call_command("verify", checkpoint=line, stdout=StringIO())
    with pytest.raises(CommandError, match="A checkpoint is"):
        call_command("verify", checkpoint="x", stdout=StringIO())


def test_without_a_checkpoint_there_is_nothing_to_verify_against():
    with pytest.raises(CommandError, match="no checkpoint yet"):
        call_command("verify", stdout=StringIO())


def test_a_checkpoint_is_signed_where_there_is_a_key(published):
    ed25519 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519")
    key = ed25519.Ed25519PrivateKey.generate()
    with override_settings(CHECKPOINT_KEY=key.private_bytes_raw().hex()):
        row = chain.make_checkpoint()
    key.public_key().verify(bytes.fromhex(row.signature), str(row).encode())


def test_the_script_checks_an_export_without_the_portal(published, tmp_path):
    export, kept = tmp_path / "record.jsonl", tmp_path / "checkpoint.txt"
    kept.write_text(str(chain.make_checkpoint()))
    call_command("export_record", str(export))
    command = [
        sys.executable,
        "-I",
        "-S",
        settings.BASE_DIR / "measures/chain_check.py",
        export,
        kept,
    ]

    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout[:11]) == (0, "0 findings "), done

    lines = export.read_text().splitlines()
    told = json.loads(lines[5])
    told["values"] = told["values"] | {"id": -1}
    export.write_text("\n".join([*lines[:5], json.dumps(told), *lines[6:]]))
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stdout.startswith("changed: ")


@pytest.mark.once("is a script that knows no database")
def test_the_script_alone_says_how_it_is_called():
    script = settings.BASE_DIR / "measures/chain_check.py"
    done = subprocess.run([sys.executable, script], capture_output=True, text=True)

    assert done.returncode == 2
    assert "EXPORT CHECKPOINT" in done.stdout
    assert done.stderr == ""
