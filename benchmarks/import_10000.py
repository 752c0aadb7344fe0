"""Times the import of a template with 10,000 figures, in a database of its own.

Run it as `.venv/bin/python benchmarks/import_10000.py`; DATABASE_URL selects another database,
which must be empty. The limit is a minute for preview and import together on two cores.
"""

import os
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, process_time

import django

ROWS = 10_000
LIMIT_SECONDS = 60

folder = tempfile.TemporaryDirectory(prefix="portal-benchmark-")
os.environ.setdefault("DATABASE_URL", f"sqlite:///{folder.name}/portal.sqlite3")
os.environ.update(SECRET_KEY="benchmark-only", HTTPS="0", DEBUG="0", ALLOWED_HOSTS="*")
os.environ["DJANGO_SETTINGS_MODULE"] = "baoshan_portal.settings"
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
django.setup()

from django.conf import settings  # noqa: E402
from django.core.files.uploadedfile import SimpleUploadedFile  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from baoshan_portal.staff.imports.reading import read_table  # noqa: E402
from baoshan_portal.staff.imports.round_template import import_entries  # noqa: E402
from measures.access import EDITOR  # noqa: E402
from measures.models import TrailEvent  # noqa: E402
from measures.spreadsheets import Column, Sheet, workbook  # noqa: E402
from measures.tests.factories import (  # noqa: E402
    make_department,
    make_measure,
    make_round,
    make_staff,
)
from metrics.models import Indicator, Observation  # noqa: E402
from metrics.tests.factories import make_unit  # noqa: E402


@contextmanager
def timed(what: str):
    with CaptureQueriesContext(connection) as queries:
        begun, worked = perf_counter(), process_time()
        yield
        seconds, worked = perf_counter() - begun, process_time() - worked
    print(f"{what:<30}{seconds:6.1f} s ({worked:5.1f} s of work) {len(queries):5d} queries")
    times[what] = seconds


times: dict[str, float] = {}
call_command("migrate", verbosity=0)
department = make_department()
editor = make_staff(EDITOR, departments=[department])
yearly = make_round(
    period_start="2023-01-01", period_end="2023-12-31", opens_on="2023-01-01", due_on="2024-01-15"
)
yearly.refresh_from_db()
measure, unit = make_measure(lead=department), make_unit()
Indicator.objects.bulk_create(
    Indicator(
        code=f"indicator-{n}", name=f"指标{n}", name_en=f"Indicator {n}", order=n % 30_000,
        measure=measure, unit=unit, category="enterprises", kind="flow", scope="口径",
        scope_en="Scope", published_on="2023-07-25",
    )
    for n in range(ROWS)
)  # fmt: skip

client = Client()
client.force_login(editor)
with timed("template"):
    place = f"{yearly.code}/{department.code}"
    template = client.get(f"/admin/template/{place}.xlsx")
    assert template.status_code == 200, template.status_code
table = read_table(template.content)
assert len(table.rows) == ROWS


def filled_in(first: int) -> bytes:
    figure, note = table.headers.index("本期数值"), table.headers.index("说明")
    rows = [list(row.cells) for row in table.rows]
    for n, cells in enumerate(rows):
        cells[figure], cells[note] = f"约{first + n:,}家", "按季度台账"
    return workbook([Sheet("", [Column(header) for header in table.headers], rows)])


def preview_and_import(content: bytes, name: str):
    about = {"round": yearly, "department": department, "by": editor}
    with timed(f"{name}: preview"):
        outcome = import_entries(content, **about, dry_run=True)
    assert not outcome.problems and len(outcome.changes) == ROWS, outcome.problems[:3]
    with timed(f"{name}: import"):
        outcome = import_entries(content, **about, expected=outcome.digest)
    assert not outcome.problems, outcome.problems[:3]


new = filled_in(1)
with timed("reading the file alone"):
    read_table(new)
preview_and_import(new, "10,000 new rows")
preview_and_import(filled_in(2), "10,000 changed rows")
settings.STATIC_ROOT = folder.name
call_command("collectstatic", interactive=False, verbosity=0)
with timed("the page of the preview"):
    upload = SimpleUploadedFile("figures.xlsx", filled_in(3))
    page = client.post(f"/admin/upload/{place}/", {"file": upload})
    assert page.status_code == 200
print(f"size of that page: {len(page.content) / 1e6:.1f} MB; of the file: {len(new) / 1e3:.0f} kB")
assert Observation.objects.count() == ROWS
assert TrailEvent.objects.filter(action__in=["entered", "changed"]).count() == 2 * ROWS

for name in ("10,000 new rows", "10,000 changed rows"):
    total = times[f"{name}: preview"] + times[f"{name}: import"]
    print(f"{name}: {total:.1f} s of {LIMIT_SECONDS} s allowed, ratio {total / LIMIT_SECONDS:.2f}")
