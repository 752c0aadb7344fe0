"""A portal to attack: the demonstration on a database of its own, by the Makefile's own command."""

import os
import secrets
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

from ..databases import address_of, create
from ..server import Server, free_port, wait_for
from .visitor import Visitor

BASE = Path(__file__).resolve().parents[3]
PASSWORD = "宝山填报-2023年第4季度"


def server_command() -> str:
    """What ``make run`` ends with: its server, listening on $HOST and $PORT."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    told = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", "run"],
        cwd=BASE, env=environment | {"HOST": "@host@", "PORT": "@port@"},
        capture_output=True, text=True, check=True,
    ).stdout.replace("\\\n", " ")  # fmt: skip
    command = [line for line in told.splitlines() if "granian" in line or "serve" in line][-1]
    return command.replace("@host@", '"$HOST"').replace("@port@", '"$PORT"')


@dataclass
class Installation:
    """A prepared demonstration in ``folder``, of which each attack gets a copy.

    ``url`` is the address of a PostgreSQL server; without one the database is a SQLite file.
    """

    folder: Path
    url: str = ""

    @property
    def engine(self) -> str:
        return "PostgreSQL" if self.url else "SQLite"

    def database(self, name: str) -> str:
        """The address of the database ``name``."""
        if self.url:
            return address_of(self.url, name)
        return f"sqlite:///{self.folder / name}.sqlite3"

    def environment(self, name: str) -> dict[str, str]:
        """The settings of a portal on the database ``name``."""
        place = self.folder / name
        (place / "tmp").mkdir(parents=True, exist_ok=True)
        return {
            **os.environ,
            "SECRET_KEY": secrets.token_urlsafe(50),
            "HTTPS": "0", "DEBUG": "0", "DEMO": "1", "SCRIPT_NAME": "", "TRUST_PROXY": "0",
            "HOST": "127.0.0.1", "ALLOWED_HOSTS": "127.0.0.1", "CSRF_TRUSTED_ORIGINS": "",
            "DATABASE_URL": self.database(name),
            "MEDIA_ROOT": str(place / "files"),
            "CACHE_ROOT": str(place / "cache"),
            "STATIC_ROOT": str(self.folder / "static"),
            "TMPDIR": str(place / "tmp"),
            "BACKUP_FOLDER": "",
            "PYTHON": sys.executable,
        }  # fmt: skip

    def prepare(self) -> None:
        """Make the original; some ten seconds."""
        if self.url:
            create(self.url, "original")
        manage(self.environment("original"), "prepare")

    def copy(self, name: str) -> dict[str, str]:
        """The settings of a fresh copy of the original under ``name``."""
        environment = self.environment(name)
        if self.url:
            create(self.url, name, of="original")
        else:
            original = self.folder / "original.sqlite3"
            with (
                closing(sqlite3.connect(original)) as source,
                closing(sqlite3.connect(self.folder / f"{name}.sqlite3")) as target,
            ):
                source.backup(target)
        return environment

    def drop(self, name: str) -> None:
        """Throw a copy away."""
        shutil.rmtree(self.folder / name, ignore_errors=True)
        if not self.url:
            for file in self.folder.glob(f"{name}.sqlite3*"):
                file.unlink()
            return
        import psycopg2

        with closing(psycopg2.connect(self.url)) as connection:
            connection.autocommit = True
            connection.cursor().execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def manage(environment, *arguments: str, check=True) -> subprocess.CompletedProcess:
    """Run a management command; what it did and said."""
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(
        command, cwd=BASE, env=environment, check=check, capture_output=True, text=True
    )


@dataclass
class Portal(Server):
    """The portal under attack; ``seconds`` is how long this attack may take."""

    command: str = ""
    seconds: float = 60
    begun: float = field(default_factory=time.monotonic)

    @classmethod
    def of(cls, environment: dict[str, str], command: str, seconds: float) -> "Portal":
        port = free_port()
        environment = environment | {"PORT": str(port)}
        return cls(
            address=f"http://127.0.0.1:{port}",
            process=None,
            environment=environment,
            password=None,
            log=[],
            command=command,
            seconds=seconds,
        )

    def start(self) -> "Portal":
        """Start the server; raises RuntimeError if it does not listen."""
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", self.command], cwd=BASE, env=self.environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            # A group of its own: all of it can be killed, and nothing else.
            start_new_session=True,
        )  # fmt: skip
        # Somebody must read what it says, or it stops when the pipe is full.
        Thread(target=self._read, args=(self.process.stdout,), daemon=True).start()
        try:
            wait_for(int(self.environment["PORT"]), self.process)
        except RuntimeError as error:
            time.sleep(0.5)
            raise RuntimeError(f"{error} {' '.join(self.log[-3:]).strip()}") from None
        self.answers()
        return self

    def _read(self, stream) -> None:
        with suppress(ValueError):
            self.log.extend(stream)

    def answers(self, within: float = 60) -> bool:
        """Whether the portal answers again before so many seconds have gone."""
        end = time.monotonic() + within
        while time.monotonic() < end:
            if Visitor(self.address, patience=10).get("/healthz").status == 200:
                return True
            time.sleep(0.1)
        return False

    def kill(self) -> None:
        """Kill the server with all that belongs to it, in the middle of whatever it does."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=30)

    def stop(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=15)
        self.kill()

    def workers(self) -> list[int]:
        """The processes that answer: those below the server itself that granian made."""
        found, waiting = [], [self.process.pid]
        while waiting:
            pid = waiting.pop()
            with suppress(OSError):
                children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
                waiting += map(int, children)
                line = Path(f"/proc/{pid}/cmdline").read_bytes()
                if pid != self.process.pid and b"resource_tracker" not in line:
                    found.append(pid)
        return [pid for pid in found if _parent(pid) == self._server()]

    def _server(self) -> int:
        """The server's own process, below the shell if that stayed."""
        pid = self.process.pid
        if b"granian" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0-c\0")[0]:
            return pid
        (child, *_others) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split() or [pid]
        return int(child)

    def visitor(self, patience: float = 60) -> Visitor:
        return Visitor(self.address, patience=patience)

    def staff(self, name: str) -> Visitor:
        """One of the demonstration's people, signed in by name and password."""
        from measures.models import User

        user = User.objects.get(username=name)
        if not user.check_password(PASSWORD):
            user.set_password(PASSWORD)
            user.save()
        return self.visitor().sign_in(name, PASSWORD)

    def has_time(self, share: float = 1.0) -> bool:
        """Whether less than this share of the attack's seconds has gone."""
        return time.monotonic() - self.begun < self.seconds * share


def _parent(pid: int) -> int:
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0
