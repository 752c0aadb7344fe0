"""A portal of the first version goes on as this one: nothing is lost, no address changes.

``first_version.sql.xz`` is the database of a demonstration that the first version made, with the
report and three years of invented figures, before anything but values, notes and targets had a
history; without its watermark and passwords.
"""

import lzma
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from .server import prepare, serve, with_static_files
from .slices import WHOLE

pytestmark = [
    pytest.mark.once("the database is a file of SQLite"),
    pytest.mark.long,
    pytest.mark.sweep,
]

BEFORE = Path(__file__).parent / "fixtures/first_version.sql.xz"
#: What Django and its parts write themselves when they migrate.
OWN = {"django_migrations", "django_content_type", "auth_permission", "auth_group_permissions"}
#: One row in so many has its page asked for, since all have the same code.
EACH = 8 if WHOLE else 64
#: Kinds of pages, and the rows that have them.
PAGES = {
    "/measures/{}/": "SELECT code FROM measures_measure "
    f"WHERE published_on IS NOT NULL AND id % {EACH} = 0",
    "/indicators/{}/": "SELECT i.code FROM metrics_indicator i JOIN measures_measure m "
    "ON m.id = i.measure_id WHERE i.published_on IS NOT NULL AND m.published_on IS NOT NULL "
    f"AND i.id % {EACH} = 0",
    "/sections/{}/": f'SELECT "order" FROM measures_section WHERE "order" <= {4 if WHOLE else 2}',
    "/changes/feed/measure/{}/": "SELECT code FROM measures_measure LIMIT 2",
}
FURTHER = (
    "/", "/en/", "/measures/", "/indicators/", "/targets/", "/changes/", "/checks/",
    "/method/", "/packs/", "/find/?q=gxjsqy", "/data/observations.csv", "/data/targets.csv",
    "/changes/feed/", "/?as_of=2025-06-30", "/indicators/?format=xlsx",
    "/readyz",
)  # fmt: skip


def rows_of(database: Path) -> dict[str, dict[int, dict]]:
    """Every row by its table and key, as columns with values."""
    with closing(sqlite3.connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        )
        return {
            table: {
                row["id"]: dict(row)
                for row in connection.execute(f'SELECT * FROM "{table}"')
                if "id" in row.keys()  # noqa: SIM118
            }
            for (table,) in tables.fetchall()
        }


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory):
    """The folder of the installation, and all its rows before and after."""
    folder = tmp_path_factory.mktemp("first_version")
    with closing(sqlite3.connect(folder / "portal.sqlite3")) as connection:
        connection.executescript(lzma.decompress(BEFORE.read_bytes()).decode())
    before = rows_of(folder / "portal.sqlite3")
    with_static_files(folder)
    prepare(folder)
    return folder, before, rows_of(folder / "portal.sqlite3")


def test_every_row_says_what_it_said(upgraded):
    _folder, before, after = upgraded
    changed = [
        (table, key, column, row[column], after[table].get(key, {}).get(column))
        for table, rows in before.items()
        if table not in OWN
        for key, row in rows.items()
        for column in row
        if key not in after[table]
        or (column in after[table][key] and after[table][key][column] != row[column])
    ]

    assert changed == []
    assert len(before["metrics_observation"]) > 400


def test_every_public_row_has_its_first_version(upgraded):
    _folder, before, after = upgraded
    kept = {(row["subject_type"], row["subject_pk"]) for row in after["measures_version"].values()}

    for table in ("measures_measure", "metrics_indicator"):
        public = {(table, key) for key, row in before[table].items() if row["published_on"]}
        assert public <= kept
    assert {row["valid_from"] for row in after["measures_version"].values()} == {None}


def test_every_address_still_answers(upgraded):
    folder, _before, _after = upgraded
    with closing(sqlite3.connect(folder / "portal.sqlite3")) as connection:
        addresses = [
            pattern.format(code)
            for pattern, query in PAGES.items()
            for (code,) in connection.execute(query)
        ]
    addresses += FURTHER
    assert len(addresses) > (40 if WHOLE else 20)

    with serve(folder) as server, ThreadPoolExecutor(4) as readers:
        answers = readers.map(lambda address: server.get(address).status, addresses)
        refused = [pair for pair in zip(addresses, answers, strict=True) if pair[1] != 200]

    assert refused == []
