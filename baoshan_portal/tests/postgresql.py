"""Pytest plugin: runs the suite on a real PostgreSQL, started here and removed at the end.

Tests that are marked ``once`` have run on SQLite and are left out.
"""

import os

from .database_server import start

# Workers inherit the address, and pytest-django gives each a database of its own.
if "PYTEST_XDIST_WORKER" not in os.environ:
    os.environ["DATABASE_URL"] = start()


def pytest_collection_modifyitems(config, items):
    once = [item for item in items if item.get_closest_marker("once")]
    config.hook.pytest_deselected(items=once)
    items[:] = [item for item in items if not item.get_closest_marker("once")]
