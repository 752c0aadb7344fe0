"""The protection stands while migrations run, outlives their end by force, and is looked for."""

import json
import os
import re
import signal
import sqlite3
from contextlib import closing
from io import StringIO

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError
from django.db import connection

from .. import protection, triggers
from ..models import ProgressNote, TrailEvent
from ..trail import Action, record
from . import forked
from .factories import ISSUED, make_note

pytestmark = pytest.mark.long

NOTES = ProgressNote._meta.db_table
NAME = f"{NOTES}_protect_update"
IS_POSTGRESQL = connection.vendor == "postgresql"

DROPPED = f"DROP TRIGGER {NAME}" + (f" ON {NOTES}" if IS_POSTGRESQL else "")
ALTERED = (
    [
        f"CREATE OR REPLACE FUNCTION portal_{NAME}() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RETURN NEW; END $$"
    ]
    if IS_POSTGRESQL
    else [
        DROPPED,
        f"CREATE TRIGGER {NAME} BEFORE UPDATE ON {NOTES} WHEN OLD.state = 'never' "
        "BEGIN SELECT 1; END",
    ]
)
UNKNOWN = (
    f"CREATE TRIGGER forger AFTER INSERT ON {NOTES} FOR EACH ROW "
    f"EXECUTE FUNCTION portal_{NOTES}_protect_delete()"
    if IS_POSTGRESQL
    else f"CREATE TRIGGER forger AFTER INSERT ON {NOTES} BEGIN SELECT 1; END"
)
HARM = {
    "dropped": ([DROPPED], [f"{NAME} (missing)"]),
    "altered": (ALTERED, [f"{NAME} (altered)"]),
    "unknown": ([UNKNOWN], ["forger (unknown)"]),
}
if IS_POSTGRESQL:
    HARM["disabled"] = (
        [f"ALTER TABLE {NOTES} DISABLE TRIGGER {NAME}"], [f"{NAME} (altered)"]
    )  # fmt: skip


@pytest.fixture(params=HARM)
def harm(request, db) -> list[str]:
    """The database's triggers are not what they should be; what is then said of them."""
    statements, told = HARM[request.param]
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    return told


@pytest.mark.django_db
def test_a_whole_protection_is_silent():
    assert protection.problems(connection) == []
    assert protection.check(databases=["default"]) == []
    protection.refuse_unprotected(connection)


def test_harm_is_found_and_nothing_is_served_until_the_command_puts_it_back(harm):
    assert protection.problems(connection) == harm
    with pytest.raises(SystemCheckError, match="measures.E001"):
        call_command("check", databases=["default"], stdout=StringIO(), stderr=StringIO())
    with pytest.raises(ImproperlyConfigured, match="manage.py protect"):
        protection.refuse_unprotected(connection)

    # `prepare` ends and names what is missing.
    with pytest.raises(CommandError) as error:
        call_command("prepare", stdout=StringIO())
    assert harm[0] in str(error.value)
    assert "manage.py protect" in str(error.value)
    assert protection.problems(connection) == harm

    # The command puts it back, and the trail says so.
    out = StringIO()
    call_command("protect", stdout=out)
    assert out.getvalue().split("\n")[:-1] == harm
    assert protection.problems(connection) == []
    event = TrailEvent.objects.get(action=Action.PROTECTED)
    assert (event.actor_name, event.note) == ("protect", "\n".join(harm))
    call_command("protect", stdout=out)
    assert TrailEvent.objects.count() == 1


@pytest.mark.django_db
def test_a_name_is_no_longer_than_postgresql_takes():
    names = [f"portal_{trigger.name}" for trigger in protection.wanted("postgresql")]
    assert max(map(len, names)) <= 63
    assert len(set(names)) == len(names)


@pytest.mark.django_db
def test_a_door_is_closed_again_as_it_was():
    note = make_note(published=ISSUED)
    before = triggers.found(connection)
    with triggers.lifted(connection, NOTES):
        ProgressNote.objects.filter(pk=note.pk).update(text="迁移")
    assert triggers.found(connection) == before
    assert ProgressNote.objects.get().text == "迁移"


#: Migrates in a process of its own and attacks between its statements; at the one with the number
#: that it is given, it is killed. Tells how many there were, and how many attacks succeeded.
MIGRATE = """
import os, signal, sys
from dataclasses import replace
from django.core.management import call_command
from django.db import connection
from measures import protection
from measures.models import ProgressNote, TrailEvent

kill_at, address = int(os.environ["KILL_AT"]), connection.settings_dict
if connection.vendor == "postgresql":
    import psycopg2
    params = connection.get_connection_params()
    params.pop("cursor_factory", None)
    other = psycopg2.connect(**params, options="-c lock_timeout=5ms")
    other.autocommit = True
else:
    import sqlite3
    other = sqlite3.connect(address["NAME"], timeout=0, isolation_level=None)
ATTACKS = (
    "UPDATE measures_progressnote SET text = 'forged'",
    "DELETE FROM measures_progressnote",
    "UPDATE measures_trailevent SET actor_name = 'forged'",
    "DELETE FROM measures_trailevent",
    "UPDATE measures_measure SET name = 'forged'",
    "DELETE FROM measures_version",
)
asked = passed = 0

def attack(execute, *args):
    global asked, passed
    asked += 1
    if asked == kill_at:
        os.kill(os.getpid(), signal.SIGKILL)
    result = execute(*args)
    cursor = other.cursor()
    for statement in ATTACKS[asked % 3::3]:
        try:
            cursor.execute(statement)
            passed += cursor.rowcount
        except other.Error:
            pass
    return result

# This release words every refusal otherwise.
wanted = protection.wanted
protection.wanted = lambda vendor: [
    replace(each, body=each.body + os.environ["SUFFIX"]) if isinstance(each.body, str) else each
    for each in wanted(vendor)
]
with connection.execute_wrapper(attack):
    for model, name in ((ProgressNote, "text"), (TrailEvent, "subject")):
        with connection.schema_editor() as editor:
            old = model._meta.get_field(name)
            new = old.clone()
            new.set_attributes_from_name(name)
            new.null = True
            editor.alter_field(model, old, new)
            new.model = old.model
            editor.alter_field(model, new, old)
    call_command("migrate", verbosity=0)
print(asked, passed)
"""


class Installation:
    """A database that other processes reach too, with public rows and a trail."""

    def __init__(self, folder):
        self.file = folder / "portal.sqlite3"
        make_note(published=ISSUED)
        record(Action.ENTERED, actor_name="li")
        if IS_POSTGRESQL:
            name = connection.settings_dict["NAME"]
            self.url = re.sub(r"/[^/?]*(\?|$)", rf"/{name}\1", os.environ["DATABASE_URL"], count=1)
        else:
            with closing(sqlite3.connect(self.file)) as copy:
                connection.connection.backup(copy)
            self.url = f"sqlite:///{self.file}"

    def migrate(self, suffix: str, kill_at=0):
        changes = {"DATABASE_URL": self.url, "SUFFIX": suffix, "KILL_AT": str(kill_at)}
        command = ["shell", "--no-imports", "--command", MIGRATE]
        return forked.run(os.environ | changes, command)[0]

    def protection(self) -> str:
        """All triggers, word for word."""
        if IS_POSTGRESQL:
            return json.dumps(triggers.found(connection), sort_keys=True)
        with closing(sqlite3.connect(self.file)) as file:
            rows = file.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            return json.dumps(dict(rows.fetchall()), sort_keys=True)


#: When a migration is killed, in hundredths of its statements: early on, while a table is rebuilt,
#: which SQLite alone does, and in the middle of the replacement.
KILLS = (5, 50, 90) if os.environ.get("WHOLE") else (90,) if IS_POSTGRESQL else (50, 90)


@pytest.mark.sweep
@pytest.mark.django_db(transaction=True)
def test_no_forbidden_update_passes_while_migrating_nor_after_a_kill(tmp_path):
    installation = Installation(tmp_path)
    before = installation.protection()

    done = installation.migrate(" #1")
    assert done.returncode == 0, done.stderr
    asked, passed = map(int, done.stdout.split())
    after = installation.protection()

    assert passed == 0
    assert asked > 60
    assert after.count(" #1") > 40
    assert after.replace(" #1", "") == before
    for share in KILLS:
        killed = installation.migrate(" #2", kill_at=asked * share // 100)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert installation.protection() in {after, after.replace(" #1", " #2")}
