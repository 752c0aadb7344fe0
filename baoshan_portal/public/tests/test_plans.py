"""How PostgreSQL answers the queries of each page where there are fifty thousand values.

SQLite's plans do not say how much of an index is read; ``test_queries`` counts its steps instead.
"""

from collections.abc import Collection, Iterator

import pytest
from django.db import connection
from django.test import Client

from baoshan_portal.public import indexed
from baoshan_portal.public.searching import alternatives, asked_words
from baoshan_portal.tests.environment import analyse
from baoshan_portal.tests.pages import OFFICE, SECTIONS
from baoshan_portal.tests.read_tables import statements
from measures import protection
from measures.models import Measure
from measures.triggers import lifted
from metrics.models import Indicator, Observation
from metrics.said_tables import VALUES as SAID
from metrics.summaries import write_missing

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.long,
    pytest.mark.skipif(
        "connection.vendor != 'postgresql'", reason="SQLite's steps are counted in test_queries"
    ),
]

LARGE = Observation._meta.db_table
#: Figures, each a further one of a measure, for each one of the report, and years for each value.
FIGURES, YEARS = 10, 44

FIND = "/find/?q=%E4%BC%81%E4%B8%9A"
PAGES = (
    "/", "/measures/", "/indicators/", "/indicators/?category=funds", "/indicators/?fresh=late",
    "/indicators/?check=fails", "/targets/", "/checks/", "/questions/", "/departments/", OFFICE,
    "/money/", *SECTIONS[:1], "/compare/", "/changes/", "/changes/feed/", FIND, "/method/",
)  # fmt: skip
#: Pages that still have some statements which do: how many at the most, and what they ask.
KNOWN = {
    "/changes/feed/": (2, "which values are public later than they were published, of archives"),
    FIND: (1, "a word that a third of all values hold, or their figures"),
    SECTIONS[0]: (1, "the values of its own figures, here a quarter of all"),
}


@pytest.fixture(scope="module")
def large(report, django_db_blocker):
    """The report with fifty thousand further values, of a thousand further figures."""
    series = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %s) "
    indicators = {
        "code": "o.code || '-' || n.i",
        "order": 'o."order" + 700 * n.i',
        "is_key": "false",
        "basis_id": "NULL",
        "recipients_id": "NULL",
    }
    values = {
        "code": "o.code || '-' || i.id || '-' || n.i",
        "indicator_id": "i.id",
        "period_start": "NULL",
        "period_end": "(o.period_end - make_interval(years => n.i))::date",
        "published_at": "o.published_at + make_interval(secs => i.id * 30 + n.i)",
    }
    with lifted(connection, LARGE, Indicator._meta.db_table), connection.cursor() as cursor:
        cursor.execute(series + copies(Indicator, indicators, "CROSS JOIN n"), [FIGURES])
        further = (
            "JOIN metrics_indicator f ON f.id = o.indicator_id "
            "JOIN metrics_indicator i ON i.measure_id = f.measure_id AND i.name = f.name "
            "AND i.code LIKE f.code || '-%%' AND i.id <> f.id CROSS JOIN n "
            "WHERE o.id IN (SELECT min(id) FROM metrics_observation GROUP BY indicator_id)"
        )
        cursor.execute(series + copies(Observation, values, further), [YEARS])
    # As a migration that lifts triggers ends.
    protection.install(connection)
    write_missing()
    indexed.write_missing()
    analyse()
    assert Observation.objects.count() > 50_000


def copies(model, changed: dict[str, str], further: str) -> str:
    """The statement that copies rows of ``model``, ``o``, with other SQL for some columns."""
    names = [field.column for field in model._meta.concrete_fields if not field.primary_key]
    columns = ", ".join(f'"{name}"' for name in names)
    read = ", ".join(changed.get(name, f'o."{name}"') for name in names)
    table = model._meta.db_table
    return f"INSERT INTO {table} ({columns}) SELECT {read} FROM {table} o {further}"


def read_by(address: str) -> list[tuple[str, tuple]]:
    """The statements by which a page reads."""
    with statements() as asked:
        answer = Client().get(address)
        assert answer.status_code == 200, address
        answer.getvalue()
    return [one for one in asked if one[0].startswith(("SELECT", "(SELECT", "WITH"))]


def looks_through(sql: str, params, tables: Collection[str] = (LARGE,)) -> bool:
    """Whether the database would read one of the large ``tables`` from end to end for it."""
    if not any(table in sql for table in tables):
        return False
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        told = cursor.fetchone()[0]
    return any(
        node["Node Type"].endswith("Seq Scan") and node["Relation Name"] in tables
        for node in nodes(told[0]["Plan"])
    )


def nodes(plan: dict) -> Iterator[dict]:
    """``plan`` and all that is below it."""
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


@pytest.mark.parametrize("address", PAGES)
def test_no_page_has_the_database_look_through_all_values(large, address):
    through = [sql for sql, params in read_by(address) if looks_through(sql, params)]
    most, _why = KNOWN.get(address, (0, ""))
    assert len(through) <= most, through


def test_neither_has_that_of_a_measure_or_of_a_figure(large):
    for model in (Measure, Indicator):
        address = model.objects.published().first().get_absolute_url()
        assert [sql for sql, params in read_by(address) if looks_through(sql, params)] == []


@pytest.mark.parametrize(
    "query", ["翻两番", "番", "148.54万元", "hsdkjyqynys", "翻两番 企业", "无此词"]
)
def test_no_search_for_what_is_rare_looks_through_values_or_what_they_say(large, query):
    with statements() as asked:
        indexed.figures([alternatives(word, {}) for word in asked_words(query)], 20)
    assert [sql for sql, params in asked if looks_through(sql, params, (LARGE, SAID))] == []


def test_looking_through_is_seen(large):
    everything = Observation.objects.published().filter(note__contains="x").values("pk").query
    assert looks_through(*everything.sql_with_params())
    one = Observation.objects.filter(indicator=Indicator.objects.first()).values("pk").query
    assert not looks_through(*one.sql_with_params())
