"""Runs the attacks on both engines and prints the table; exit status 1 if any failed.

``python -m baoshan_portal.tests.attack [SQLite|PostgreSQL] [NAME …]`` runs some of them.
"""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ..database_server import start
from . import MODULES, Row, seconds_of, table

ENGINES = ["SQLite", "PostgreSQL"]
#: An attack that takes so many times its seconds is ended.
PATIENCE = 4


def main(chosen: list[str]) -> int:
    engines = [name for name in ENGINES if name in chosen] or ENGINES
    attacks = [name for name in MODULES if name in chosen] or list(MODULES)
    if unknown := set(chosen) - set(ENGINES) - set(MODULES):
        print(f"There is no attack {', '.join(sorted(unknown))}: {', '.join(MODULES)}.")
        return 2
    results: table.Results = {}
    # Whoever ends this ends the attack, too.
    signal.signal(signal.SIGTERM, lambda *_signal: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="portal-attack-") as folder:
        for engine in engines:
            _attack_all(results, engine, attacks, Path(folder, engine))
    print()
    print(table.text(results, engines))
    return 1 if table.failed(results) else 0


def _attack_all(results, engine: str, attacks: list[str], folder: Path) -> None:
    """Every attack on a copy of one installation, each in a process of its own."""
    from .portal import Installation, server_command

    folder.mkdir()
    url = ""
    if engine == "PostgreSQL":
        url = start()
    installation, command = Installation(folder, url), server_command()
    installation.prepare()
    for name in attacks:
        if importlib.util.find_spec(f"{__package__}.{name}") is None:
            table.add(results, engine, name, Row("", 0, 1, "not there"))
            continue
        begun = time.monotonic()
        rows = _attack(name, installation.copy(name), command)
        installation.drop(name)
        for row in rows:
            table.add(results, engine, name, row)
        lost = sum(row.failed for row in rows)
        print(f"{engine} {name}: {lost} failed, {time.monotonic() - begun:.0f} s", flush=True)


def _attack(name: str, environment: dict[str, str], command: str) -> list[Row]:
    """What the process of one attack tells, line by line."""
    seconds = seconds_of(name)
    rows: list[Row] = []
    process = subprocess.Popen(
        [sys.executable, "-m", f"{__package__}.one", name, str(seconds), command],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        out, err = process.communicate(timeout=seconds * PATIENCE + 120)
    except subprocess.TimeoutExpired:
        process.terminate()
        out, _err = process.communicate()
        err = "it did not end in time"
    finally:
        # It stops its server when asked.
        process.terminate()
    for line in out.splitlines():
        if line.startswith("["):
            rows.append(Row(*json.loads(line)))
    if process.returncode:
        last = (err.strip().splitlines() or ["without a word"])[-1]
        rows.append(Row("the attack itself", 1, 1, last[:300]))
        if os.environ.get("ATTACK_TRACE"):
            print(err, file=sys.stderr)
    return rows


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
