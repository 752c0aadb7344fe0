"""The portal as ``make run`` serves it: prepared, by the production server, on its own port."""

import fcntl
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from threading import Thread
from urllib.request import HTTPRedirectHandler, Request, build_opener

from django.conf import settings

from .slices import WHOLE

#: The settings with a quick hash
QUICK = "baoshan_portal.tests.quick_settings"


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None


@dataclass
class Server:
    """A running portal; ``password`` is its administrator's, if this run made one."""

    address: str
    process: subprocess.Popen
    environment: dict[str, str]
    password: str | None
    log: list[str]
    #: Of the people who have signed in, by their names.
    sessions: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **headers):
        """The answer to a GET, whatever its status; redirects are not followed."""
        opener = build_opener(_NoRedirects)
        opener.addheaders = []
        request = Request(self.address + path, headers=headers)
        try:
            return opener.open(request, timeout=30)
        except OSError as answer:
            if not hasattr(answer, "status"):
                raise
            return answer

    def text(self, path: str) -> str:
        return self.get(path).read().decode()

    def manage(self, *arguments: str) -> str:
        """Run a management command on the same installation; returns what it says."""
        return _manage(self.environment, *arguments)

    def workers(self) -> list[int]:
        """The processes that answer requests."""
        pid = self.process.pid
        return [
            int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]


def _manage(environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(
        command, cwd=settings.BASE_DIR, env=environment, check=True, capture_output=True, text=True
    ).stdout


def manage(folder: Path, *arguments: str, **changes: str) -> str:
    """Run a management command on the installation in ``folder``; returns what it says."""
    return _manage(_environment(folder) | changes, *arguments)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def _environment(folder: Path) -> dict[str, str]:
    """The settings of an installation that has everything of its own in ``folder``."""
    return {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{folder / 'portal.sqlite3'}",
        "STATIC_ROOT": str(folder / "static"),
        "MEDIA_ROOT": str(folder / "files"),
        "ALLOWED_HOSTS": "127.0.0.1",
        "PYTHON": sys.executable,
        "WORKERS": "1",
    }


def prepare(folder: Path, **changes: str) -> None:
    """Make an installation in ``folder``; does nothing where there is one.

    Static files that are there are not collected again.
    """
    if not (folder / "prepared.txt").exists():
        options = ["--no-static"] if (folder / "static").exists() else []
        told = _manage(_environment(folder) | changes, "prepare", *options)
        (folder / "prepared.txt").write_text(told)


def with_static_files(folder: Path) -> None:
    """Give ``folder`` the static files of the installation that a run of tests makes first."""
    shutil.copytree(made_once("installation", _installation) / "static", folder / "static")


def made_once(name: str, make: Callable[[Path], None]) -> Path:
    """The folder that ``make`` fills, once in a run of tests; whoever asks meanwhile waits."""
    shared = Path(os.environ["TESTS_SHARED"])
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / name).exists():
            # Under another name as long as it is not whole.
            unfinished = Path(mkdtemp(dir=shared))
            make(unfinished)
            unfinished.rename(shared / name)
    return shared / name


def copy_of_shared(name: str, make: Callable[[Path], None], folder: Path) -> None:
    """Fill ``folder`` with a copy of what ``make`` makes once in a run of tests."""
    shutil.copytree(made_once(name, make), folder, dirs_exist_ok=True)


def install(folder: Path, demo: str) -> str:
    """Make an installation in ``folder``; returns what its preparation said.

    Within a run of tests all are copies of one of the report, or of the demonstration if ``demo``
    is 1.
    """
    if "TESTS_SHARED" in os.environ and not (folder / "prepared.txt").exists():
        if demo == "1":
            copy_of_shared("demonstration", _demonstration, folder)
        else:
            copy_of_shared("installation", _installation, folder)
    prepare(folder, DEMO=demo)
    return (folder / "prepared.txt").read_text()


def _installation(folder: Path) -> None:
    _migrated(folder)
    prepare(folder)


def _demonstration(folder: Path) -> None:
    _migrated(folder)
    with_static_files(folder)
    # The slow hash of half a dozen passwords takes as long as the rest.
    prepare(folder, DEMO="1", **({} if WHOLE else {"DJANGO_SETTINGS_MODULE": QUICK}))


def _migrated(folder: Path) -> None:
    """Let a preparation in ``folder`` begin with the tables; in the long form with nothing.

    The migrations are most of it, and what waits for them is the same in both.
    """
    if not WHOLE:
        copy_of_shared("migrated", migrate_in, folder)


def migrate_in(folder: Path) -> None:
    """Make the database of an installation in ``folder``, with its migrations and nothing else."""
    migrate(_environment(folder)["DATABASE_URL"])


def migrate(address: str) -> None:
    """Migrate the database at ``address``, a DATABASE_URL."""
    _manage(os.environ | {"DATABASE_URL": address}, "migrate", "--verbosity", "0", "--skip-checks")


@contextmanager
def serve(folder: Path, **changes: str):
    """Serve a prepared installation in ``folder``; ``changes`` are settings."""
    environment = _environment(folder) | changes
    told = install(folder, changes.get("DEMO", "0"))
    port = free_port()
    process = subprocess.Popen(
        [settings.BASE_DIR / "deploy/serve"],
        # As the unit and the image start it, it finds its own place.
        cwd=folder,
        env={**environment, "PORT": str(port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    log = []
    # Somebody must read what it says, or it stops when the pipe is full.
    Thread(target=lambda: log.extend(process.stdout), daemon=True).start()
    try:
        wait_for(port, process)
        password = re.search(r"password: (\S+)|$", told)[1]
        yield Server(f"http://127.0.0.1:{port}", process, environment, password, log)
    finally:
        process.terminate()
        process.wait(timeout=30)


def wait_for(port: int, process: subprocess.Popen) -> None:
    """Return as soon as somebody listens; raises RuntimeError if nobody will."""
    for _attempt in range(300):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=0.1)
                break
    raise RuntimeError("The server did not start.")
