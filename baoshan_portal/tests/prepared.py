"""A prepared database on PostgreSQL, made once in a run of tests, of which others are copies."""

import os
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2
from django.db import connection

from .server import QUICK, made_once, prepare


def prepared_on_postgresql(demo: str = "0") -> tuple[str, Path]:
    """Its name, and the folder with what the preparation said; nobody is connected to it."""
    name = f"prepared_{demo}"

    def make(folder: Path) -> None:
        # The tests' own has the tables, whose migrations take the time; it is copied while nobody
        # is connected.
        connection.close()
        with closing(psycopg2.connect(os.environ["DATABASE_URL"])) as server:
            server.autocommit = True
            own = connection.settings_dict["NAME"]
            server.cursor().execute(f"CREATE DATABASE {name} TEMPLATE {own}")
        # Nothing is served from here.
        (folder / "static").mkdir()
        address = urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))
        prepare(folder, DATABASE_URL=address, DEMO=demo, DJANGO_SETTINGS_MODULE=QUICK)

    return name, made_once(name, make)
