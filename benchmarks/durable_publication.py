"""What it costs that a confirmed publication is on the disk: SQLite with FULL beside NORMAL.

Run it as `.venv/bin/python benchmarks/durable_publication.py [FOLDER]`; the database is made in
FOLDER, whose disk is measured, and removed again. Both take turns, so that they share the noise.
"""

import os
import sys
import tempfile
from statistics import median
from time import perf_counter

from portal import set_up

PUBLICATIONS = 60

folder = tempfile.TemporaryDirectory(
    prefix="portal-benchmark-", dir=sys.argv[1] if len(sys.argv) > 1 else None
)
os.environ["DATABASE_URL"] = f"sqlite:///{folder.name}/portal.sqlite3"
set_up()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from measures import workflow  # noqa: E402
from measures.tests.factories import make_superuser  # noqa: E402
from metrics.tests.factories import make_indicator, make_observation  # noqa: E402

call_command("migrate", verbosity=0)
editor, reviewer = make_superuser(), make_superuser()
indicator = make_indicator()
took = {"NORMAL": [], "FULL": []}
for number in range(PUBLICATIONS):
    level = ("NORMAL", "FULL")[number % 2]
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA synchronous = {level}")
    row = make_observation(indicator=indicator, entered_by=editor)
    workflow.submit(row, by=editor)
    begun = perf_counter()
    workflow.publish(row, by=reviewer)
    took[level].append((perf_counter() - begun) * 1000)

middle = {level: median(times) for level, times in took.items()}
for level, milliseconds in middle.items():
    print(f"{level}: {milliseconds:.1f} ms a publication, the link of the record included")
print(f"FULL / NORMAL: {middle['FULL'] / middle['NORMAL']:.2f}")
