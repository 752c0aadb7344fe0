"""Datasette beside the portal, on the same SQLite file, where `make bench` has installed it."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from baoshan_portal.tests.server import free_port, wait_for


def program() -> str | None:
    """Where it is; None where there is none, or the database is not one that it reads."""
    if "sqlite" not in settings.DATABASES["default"]["ENGINE"]:
        return None
    return shutil.which("datasette", path=settings.BASE_DIR / "var/bench/bin")


@contextmanager
def datasette() -> Iterator[str]:
    """The address below which its pages of the tables are, of a server that ends with the block."""
    port = free_port()
    name = Path(settings.DATABASES["default"]["NAME"])
    server = subprocess.Popen(
        [program(), "serve", str(name), "--port", str(port), "--setting", "facet_time_limit_ms",
         "60000", "--setting", "sql_time_limit_ms", "60000"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for(port, server)
        yield f"http://127.0.0.1:{port}/{name.stem}/"
    finally:
        server.terminate()
        server.wait()
