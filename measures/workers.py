"""Processes beside the server that work under limits, and start anew when they have reached them.

What people send can be made to take any memory and any time, and an engine that draws charts stays
in memory for good. Such work is done by a process that can be lost. It knows no secret: it reads
no setting and no database, and its environment holds only what a program needs to run. It waits
for the next job, because its start costs more than most jobs do, ends when none came for a while,
and makes room for a new one after so many.

What it does is a module with ``answer(job, body)``; see ``measures.worker_process``.
"""

import fcntl
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from threading import Lock, Semaphore, Timer

from django.conf import settings

logger = logging.getLogger(__name__)

MB = 1024 * 1024
#: What a process is told of the server's environment: how to find programs, fonts and words.
ENVIRONMENT = (
    "PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "XDG_CACHE_HOME",
    "XDG_DATA_HOME", "FONTCONFIG_PATH", "FONTCONFIG_FILE", "PYTHONPATH", "PYTHONHOME",
    "PYTHONDONTWRITEBYTECODE", "OPENPYXL_LXML",
)  # fmt: skip
#: How long a process may take to end when it is told to.
END_SECONDS = 5
#: How often somebody who waits for a place looks whether one is free, in seconds.
LOOKS_EVERY = 0.1


class WorkerError(Exception):
    """A job was not done; the message is for the log."""


class Ended(WorkerError):
    """The process ended before it answered: the job reached a limit, or was too much for it."""


class Busy(WorkerError):
    """Others' jobs take every place, and no more may wait: nothing was begun."""


@dataclass(frozen=True)
class Limits:
    """What one job may take, and how long a process serves.

    ``seconds`` by the clock and ``cpu_seconds`` of the processors are a job's, ``memory_mb`` is all
    that the process may hold to write in (code and what is merely reserved do not count), and
    ``answer_mb`` the longest answer. ``files`` says whether it may write files. The process ends
    after ``jobs``, or when it had none for ``idle_seconds``.
    """

    seconds: float
    cpu_seconds: int
    memory_mb: int
    answer_mb: int
    jobs: int
    idle_seconds: float = 30
    files: bool = False


class Worker:
    """One such process, started for the first job; jobs come one after the other."""

    def __init__(self, module: str, limits: Limits):
        self.module, self.limits = module, limits
        self._lock = Lock()
        self._process: subprocess.Popen | None = None
        self._jobs = 0
        self._rest: Timer | None = None

    def do(self, job: dict, body: bytes = b""):
        """What the module answers to ``job``, plain values of JSON, and ``body``.

        Raises Busy if those before take longer than one job may, Ended if the process ended over
        it, WorkerError with the traceback if the module raised, OSError if no process can start.
        """
        if not self._lock.acquire(timeout=self.limits.seconds):
            raise Busy(f"{self.module} works on something else.")
        try:
            if self._rest:
                self._rest.cancel()
            process, self._process = self._process, None
            if process is None or process.poll() is not None:
                process, self._jobs = self._started(), 0
            self._jobs += 1
            answer = self._answer(process, job, body)
            # Not before: an answer that was not read would be taken for that of the next job.
            self._process = process
            if self._jobs >= self.limits.jobs:
                self._end()
            else:
                self._rest = _after(self.limits.idle_seconds, self.end)
        finally:
            self._lock.release()
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer["answer"]

    def end(self) -> None:
        """End the process, if one waits for jobs."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process:
            # What it waits for ends, and with it the process.
            with suppress(OSError):
                process.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=END_SECONDS)
            _ended(process)

    def _started(self) -> subprocess.Popen:
        limits = json.dumps(asdict(self.limits))
        process = subprocess.Popen(
            [sys.executable, "-m", "measures.worker_process", self.module, limits],
            cwd=settings.BASE_DIR,
            env={name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        if not self._line(process):
            raise WorkerError(f"{self.module} does not start: ended with {_ended(process)}.")
        return process

    def _answer(self, process: subprocess.Popen, job: dict, body: bytes) -> dict:
        head = json.dumps({**job, "bytes": len(body)}).encode()
        if line := self._line(process, head + b"\n", body):
            return json.loads(line)
        status = _ended(process)
        raise Ended(f"{self.module} ended with {status} over a job of {len(body)} bytes.")

    def _line(self, process: subprocess.Popen, *told: bytes) -> bytes:
        """The line that ``process`` answers to what it is ``told``; empty if it did not."""
        limit, line = _after(self.limits.seconds, process.kill), b""
        try:
            # It may end while it is being told.
            with suppress(OSError):
                process.stdin.writelines(told)
                process.stdin.flush()
                line = process.stdout.readline(self.limits.answer_mb * MB)
        finally:
            limit.cancel()
        return line if line.endswith(b"\n") else b""


def _ended(process: subprocess.Popen) -> int:
    """The status with which ``process`` ended, here if it had not before."""
    process.kill()
    status = process.wait()
    with suppress(OSError):
        process.stdin.close()
    process.stdout.close()
    return status


class Places:
    """So many workers of one kind at a time on this machine, whichever server process asks.

    ``waiting`` others of each server process may wait ``wait_seconds`` for a place: a server has
    few threads, and those that wait answer nobody. A place is a lock on a file of CACHE_ROOT,
    which the system gives back whatever ends the process that had it.
    """

    def __init__(
        self, name: str, module: str, limits: Limits, *, places=2, wait_seconds=10, waiting=1
    ):
        self.name, self.wait_seconds = name, wait_seconds
        self.workers = [Worker(module, limits) for _place in range(places)]
        self._waiting = Semaphore(waiting)

    def do(self, job: dict, body: bytes = b""):
        """As ``Worker.do``, by whichever has a place. Raises Busy if there is none."""
        with self.place() as worker:
            return worker.do(job, body)

    @contextmanager
    def place(self) -> Iterator[Worker]:
        """A worker whose place nobody else has meanwhile."""
        worker, lock = self._free() or self._waited_for()
        try:
            yield worker
        finally:
            if lock is not None:
                os.close(lock)

    def end(self) -> None:
        """End the processes that wait for jobs."""
        for worker in self.workers:
            worker.end()

    def _free(self) -> tuple[Worker, int | None] | None:
        for number, worker in enumerate(self.workers, 1):
            try:
                lock = self._opened(settings.CACHE_ROOT / f"{self.name}-{number}.lock")
            except OSError as error:
                # A cache that cannot be written fails nobody: one at a time in this process.
                logger.warning("No place for %s can be locked: %s", self.name, error)
                return self.workers[0], None
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return worker, lock
            except OSError:
                os.close(lock)
        return None

    @staticmethod
    def _opened(path) -> int:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def _waited_for(self) -> tuple[Worker, int | None]:
        if not self._waiting.acquire(blocking=False):
            raise Busy(f"All places for {self.name} are taken, and somebody waits already.")
        try:
            end = time.monotonic() + self.wait_seconds
            while time.monotonic() < end:
                time.sleep(LOOKS_EVERY)
                if place := self._free():
                    return place
        finally:
            self._waiting.release()
        raise Busy(f"All places for {self.name} were taken for {self.wait_seconds} s.")


def _after(seconds: float, do) -> Timer:
    timer = Timer(seconds, do)
    timer.daemon = True
    timer.start()
    return timer
