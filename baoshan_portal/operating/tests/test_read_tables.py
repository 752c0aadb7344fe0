"""Every table that a public page reads is one whose changes end what was made of it."""

import pytest
from django.db import connection

from baoshan_portal.public.charts import drawing
from baoshan_portal.tests import pages
from baoshan_portal.tests.read_tables import tables_read
from baoshan_portal.tests.slices import one_way_each, some
from measures import protection
from measures.versions import kept_tables
from metrics.kept_day_table import TABLE as KEPT_DAYS
from metrics.said_tables import FIGURES, VALUES
from metrics.summary_tables import CHECKS, INDICATORS, TARGETS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("report"), pytest.mark.long]

#: Tables whose rows say nothing public: found by what Django itself asks.
PRIVATE = {"django_content_type", "django_session"}


@pytest.mark.once("which tables are read is decided in Python; asks for the triggers of both")
@pytest.mark.sweep
def test_every_table_that_a_public_page_reads_raises_the_version(client, monkeypatch):
    """Otherwise a page could stay as it was."""
    # Charts are drawn of what was read before.
    monkeypatch.setattr(drawing, "_drawn", lambda specs, file_format: ["<svg/>"] * len(specs))
    tables = set(connection.introspection.table_names())
    raising = {kept.table for kept in kept_tables()}
    raising |= set.intersection(
        *(
            {each.table for each in protection.wanted(vendor) if "_raises_" in each.name}
            for vendor in ("sqlite", "postgresql")
        )
    )
    with tables_read() as names:
        # A comparison is a plain page; a workbook reads what the same list as CSV reads.
        files = one_way_each([*pages.LISTS_AS_FILES[::2], *pages.LISTS_AS_FILES[1::2]], first=1)
        # Sections are one page; of tables the pages are asked, of the lists one as a file, too.
        plain = [path for path in pages.PLAIN_PAGES if path not in pages.SECTIONS]
        for path in (*pages.FILES, *some(files, every=6), *plain, *some(pages.SECTIONS, every=4),
                     pages.CHOICE, *pages.EMBEDS, "/find/?q=企业"):  # fmt: skip
            answer = client.get(path)
            assert answer.status_code == 200, path
            if answer.streaming:
                b"".join(answer.streaming_content)

    read = tables & names
    # Copies say nothing that is not read elsewhere: see ``tests/test_summaries.py``, and
    # ``tests/test_indexed.py`` for what a search reads.
    copies = {INDICATORS, TARGETS, CHECKS, KEPT_DAYS}
    copies |= {table for table in read if table.startswith((VALUES, FIGURES))}
    assert read - raising - PRIVATE - copies == set()
    assert {"metrics_observation", "measures_round", "metrics_rounddue"} <= read
