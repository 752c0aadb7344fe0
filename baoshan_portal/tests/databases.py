"""Databases on a PostgreSQL of tests and attacks."""

from contextlib import closing
from urllib.parse import urlsplit, urlunsplit

import psycopg2


def address_of(server: str, name: str) -> str:
    """Where the database ``name`` is, on the server of which ``server`` names any database."""
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))


def create(server: str, name: str, of: str = "template1") -> str:
    """Make the database ``name``, which begins as a copy of ``of``; returns its address.

    PostgreSQL copies none to which somebody is connected.
    """
    with closing(psycopg2.connect(address_of(server, "postgres"))) as there:
        there.autocommit = True
        there.cursor().execute(f'CREATE DATABASE "{name}" TEMPLATE "{of}"')
    return address_of(server, name)
