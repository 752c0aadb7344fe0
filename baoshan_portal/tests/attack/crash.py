"""kill -9 of the server, of a worker and of migrations, in the middle of publications.

After each: whatever was answered as confirmed is there, nothing is half, the triggers stand.
"""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from datetime import date

from django.db import connection

from measures import chain, protection, workflow
from measures.models import Measure, ProgressNote, TrailEvent, User
from measures.submission import State
from measures.tests.test_protection_stands import MIGRATE
from measures.trail import Action

from . import Count
from .portal import BASE, Portal, manage

#: Notes that one review publishes together.
TOGETHER = 5
WRITERS = 4


class Desk:
    """What is waiting to be published or corrected, and what the portal said that it did."""

    def __init__(self, portal: Portal):
        self.portal = portal
        self.editor = User.objects.get(username="demo-editor")
        self.measure = Measure.objects.filter(lead__members=self.editor).published().first()
        self.at_review, self.at_desk = portal.staff("demo-reviewer"), portal.staff("demo-editor")
        self.lock = threading.Lock()
        self.waiting: list[ProgressNote] = []
        self.public: list[ProgressNote] = []
        #: (what was done, keys, whether it was confirmed)
        self.done: list[tuple[str, list[int], bool]] = []

    def fill(self, number: int) -> None:
        """So many more notes wait for review."""
        for _n in range(number):
            note = ProgressNote(
                measure=self.measure, happened_on=date(2023, 6, 30), text=f"第{random.random()}步。"
            )
            workflow.save(note, by=self.editor)
            workflow.submit(note, by=self.editor)
            self.waiting.append(note)

    def act(self, stop: threading.Event) -> None:
        """One person's work until ``stop``: a review of several, of one, a correction."""
        review, desk = self.at_review.copy(), self.at_desk.copy()
        while not stop.is_set():
            with self.lock:
                several = [self.waiting.pop() for _ in range(min(TOGETHER, len(self.waiting)))]
                one = self.waiting.pop() if self.waiting else None
                public = self.public.pop() if self.public else None
            if not several:
                return
            tokens = [f"progressnote:{note.pk}:{note.version}" for note in several]
            self._note("review", several, review.post("/admin/review/", {"row": tokens}))
            if one and not stop.is_set():
                self._note("publish", [one], review.post(_step(one, "publish"), seen(one)))
            if public and not stop.is_set():
                answer = desk.post(_step(public, "correct"), seen(public) | {"reason": "笔误"})
                self._note("correct", [public], answer)

    def _note(self, what: str, rows: list[ProgressNote], answer) -> None:
        with self.lock:
            self.done.append((what, [row.pk for row in rows], is_confirmed(answer)))


def is_confirmed(answer) -> bool:
    """Whether the portal said that it did as asked, and did not ask who that is."""
    return answer.status == 302 and "login" not in answer.headers.get("Location", "")


def seen(row) -> dict[str, str]:
    return {"seen": str(row.version)}


def _step(row, step: str) -> str:
    return f"/admin/measures/progressnote/{row.pk}/step/{step}/"


def attack(portal: Portal):
    checkpoint = str(chain.make_checkpoint())
    desk, chance = Desk(portal), random.Random(9)
    confirmed = Count("what was confirmed is there, once, with its event")
    whole = Count(f"a review of {TOGETHER} is whole or not at all")
    stands = Count("the triggers stand after a kill")
    proves = Count("the chain proves after a kill")
    back = Count("the portal answers after a worker was killed")
    started = Count("the server starts again")
    ways, n = ("server", "worker", "server and migrate", "server and protect"), 0
    while portal.has_time(0.8) or n < len(ways):
        way, n = ways[n % len(ways)], n + 1
        desk.fill(40)
        stop, owner = threading.Event(), None
        writers = [threading.Thread(target=desk.act, args=(stop,)) for _ in range(WRITERS)]
        if way.endswith("protect"):
            _take_a_trigger_away()
        if " and " in way:
            owner = _owner(portal, way.rpartition(" ")[2])
            time.sleep(chance.uniform(1.5, 6.0))
        for writer in writers:
            writer.start()
        time.sleep(chance.uniform(0.1, 1.5))
        if way == "worker":
            pid = (portal.workers() or [portal.process.pid])[0]
            os.kill(pid, signal.SIGKILL)
            back.add("" if portal.answers(20) else "no answer in 20 s")
            stop.set()
        else:
            stop.set()
            portal.kill()
        if owner:
            with suppress(ProcessLookupError):
                os.killpg(owner.pid, signal.SIGKILL)
            owner.communicate()
        for writer in writers:
            writer.join()
        connection.close()
        if way.endswith("protect"):
            # Its own transaction: the one that was missing may still be, and nothing else.
            missing = protection.problems(connection)
            stands.add("" if missing in ([], [GONE]) else str(missing[:3]))
            manage(portal.environment, "protect")
        missing = protection.problems(connection)
        stands.add("" if not missing else str(missing[:3]))
        proves.add("; ".join(map(str, chain.verify(checkpoint)[:2])))
        _look(desk, confirmed, whole)
        if way != "worker" or back.failures:
            portal.kill()
            try:
                portal.start()
                started.add()
            except RuntimeError as error:
                started.add(str(error))
                break
    for command in (["check", "--database", "default"], ["verify"]):
        done = manage(portal.environment, *command, check=False)
        stands.add(done.stderr.strip()[-200:] if done.returncode else "")
    return [count.row() for count in (started, back, confirmed, whole, stands, proves)]


GONE = "measures_progressnote_protect_update (missing)"


def _take_a_trigger_away() -> None:
    """So that ``protect`` has something to do."""
    name, table = GONE.split()[0], ProgressNote._meta.db_table
    where = f" ON {table}" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {name}{where}")


def _owner(portal: Portal, what: str) -> subprocess.Popen:
    """Who migrates, or puts the protection back, at the same time."""
    command = ["protect"]
    environment = portal.environment
    if what == "migrate":
        command = ["shell", "--no-imports", "--command", MIGRATE]
        environment = environment | {"SUFFIX": "", "KILL_AT": "0"}
    return subprocess.Popen(
        [sys.executable, "manage.py", *command], cwd=BASE, env=environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip


def _look(desk: Desk, confirmed: Count, whole: Count) -> None:
    """Compares what was said with what is stored; published notes can be corrected next."""
    with desk.lock:
        done, desk.done = desk.done, []
    for what, keys, was_confirmed in done:
        rows = list(ProgressNote.objects.filter(pk__in=keys))
        if what == "correct":
            drafts = ProgressNote.objects.filter(supersedes__in=keys)
            # The event is the public row's.
            there, events = len(drafts), _events(rows, Action.CORRECTED)
            right = there == events and (there == 1 or not was_confirmed and there == 0)
        else:
            public = [row for row in rows if row.state == State.PUBLISHED]
            there, events = len(public), _events(public, Action.PUBLISHED)
            right = len(rows) == len(keys) and there == events
            right = right and (there == len(keys) or not was_confirmed)
            if what == "review":
                whole.add("" if there in (0, len(keys)) else f"{there} of {len(keys)}")
            desk.public += public
        confirmed.add("" if right else f"{what}: {there} rows, {events} events of {len(keys)}")


def _events(rows, action: str) -> int:
    codes = [row.code for row in rows]
    return TrailEvent.objects.filter(subject_code__in=codes, action=action).count()
