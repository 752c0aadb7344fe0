"""A prepared database on PostgreSQL, made once in a run of tests, of which others are copies."""

import os
from pathlib import Path

from django.db import connection

from .databases import create
from .server import QUICK, made_once, prepare


def prepared_on_postgresql(demo: str = "0") -> tuple[str, Path]:
    """Its name, and the folder with what the preparation said; nobody is connected to it."""
    name = f"prepared_{demo}"

    def make(folder: Path) -> None:
        # The tests' own has the tables, whose migrations take the time; it is copied while nobody
        # is connected.
        connection.close()
        address = create(os.environ["DATABASE_URL"], name, of=connection.settings_dict["NAME"])
        # Nothing is served from here.
        (folder / "static").mkdir()
        prepare(folder, DATABASE_URL=address, DEMO=demo, DJANGO_SETTINGS_MODULE=QUICK)

    return name, made_once(name, make)
