"""What a page costs: few queries, no more of them with five times the data, and of the database
not more than as many times the work. Between two commits with three times the data."""

from copy import copy
from itertools import count

import pytest
from django.db import connection
from django.db.models import Count
from django.test import Client
from django.test.utils import CaptureQueriesContext

from baoshan_portal.public import in_parts, indexed
from baoshan_portal.tests import pages, runs_once
from baoshan_portal.tests.environment import analyse
from baoshan_portal.tests.pages import CHOICE, FILES, LISTS, TABLES, rows_of
from baoshan_portal.tests.slices import WHOLE, one_way_each, some
from measures.models import Measure
from measures.tests.factories import ISSUED, make_note, to_the_past
from metrics.models import Check, CheckTerm, Indicator, Observation, Target
from metrics.summaries import write_missing

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.long,
    pytest.mark.sweep,
    runs_once.QUERIES,
]

# An Excel book asks for the same rows as the CSV file.
CHANGES = ("/changes/", "/changes/?from=2023-07-01", "/changes/?from=2023-07-01&to=2023-08-01")
#: A table as a file is read like its page; the pages of sections are one page.
SIDE_BY_SIDE = (*one_way_each([*TABLES, *(f"{a}?format=csv" for a in TABLES)]), CHOICE)
SECTIONS = some(pages.SECTIONS, every=4)
#: Read in parts, so that memory does not grow with the rows.
IN_PARTS = (*FILES, *(f"{address}?format=csv" for address in LISTS))
#: With the most behind them; each on a past day too, which is read from versions.
_TODAY = (
    "/", "/checks/", "/questions/", "/departments/", "/money/", "/find/?q=%E4%BC%81%E4%B8%9A",
    "/compare/funds/", *SECTIONS[:1], *LISTS,
)  # fmt: skip
HEAVY = [
    *_TODAY,
    *(
        f"{address}{'&' if '?' in address else '?'}as_of=2023-08-01"
        # They are read by the same statements, from versions.
        for address in some(_TODAY, every=3)
    ),
]
#: How many times the data, and the work that is allowed for it: what sorts or searches takes a
#: little more for each of more, and a look through all for each of all their square.
TIMES, WORK = (5, 8) if WHOLE else (3, 4)
ALL = ("/", *SECTIONS, *LISTS, *SIDE_BY_SIDE, *CHANGES, *IN_PARTS)


def cost_of(address: str) -> tuple[int, int]:
    """The queries of ``address``, and how many hundred steps of its machine SQLite takes for them;
    the same each time."""
    taken = count()
    connection.ensure_connection()
    connection.connection.set_progress_handler(lambda: next(taken) * 0, 100)
    try:
        with CaptureQueriesContext(connection) as queries:
            answer = Client().get(address)
            # A file is made while it is sent.
            answer.getvalue()
    finally:
        connection.connection.set_progress_handler(None, 0)
    assert answer.status_code == 200
    return len(queries), next(taken)


def queries_of(address: str) -> int:
    return cost_of(address)[0]


def multiply(model, copies: int, parents: dict[str, dict]) -> dict:
    """Store further copies of every row, each below its parent's; returns them by original."""
    made = {}
    originals = list(model.objects.all())
    for n in range(1, copies + 1):
        for row in originals:
            twin = copy(row)
            twin.pk = None
            if hasattr(row, "code"):
                twin.code = f"{row.code}-{n}"
            if hasattr(row, "order"):
                twin.order = row.order + 1000 * n
            for name, twins in parents.items():
                setattr(twin, name, twins[getattr(row, f"{name}_id"), n])
            made[row.pk, n] = twin
    model.objects.bulk_create(made.values())
    return made


@pytest.fixture(scope="module")
def costs(report):
    """The queries of every address, with the report's data and with ``TIMES`` as much, and the
    steps of the heavy ones."""
    make_note(measure=Measure.objects.first(), published=ISSUED)
    analyse()
    asked = list(dict.fromkeys((*ALL, *HEAVY)))
    before = {address: cost_of(address) for address in asked}
    tables = (Measure, Indicator, Observation, Target, Check, CheckTerm)
    rows = {model: model.objects.count() for model in tables}

    more = TIMES - 1
    measures = multiply(Measure, more, {})
    indicators = multiply(Indicator, more, {"measure": measures})
    multiply(Observation, more, {"indicator": indicators})
    multiply(Target, more, {"indicator": indicators})
    checks = multiply(Check, more, {})
    multiply(CheckTerm, more, {"check_of": checks, "indicator": indicators})
    for model, stored in rows.items():
        assert model.objects.count() == TIMES * stored
    write_missing()
    indexed.write_missing()
    analyse()

    after = {address: cost_of(address) for address in asked}
    return (
        {address: before[address][0] for address in ALL},
        {address: after[address][0] for address in ALL},
        {address: (before[address][1], after[address][1]) for address in HEAVY},
    )


def test_all_of_the_data_is_public(costs):
    text = Client().get("/data/observations.csv").getvalue().decode()

    assert len(rows_of(text)) == Observation.objects.count() > 100 * TIMES


def test_several_times_the_data_cost_no_further_query(costs):
    """But long files are read some measures at a time, and begun twice."""
    before, after, _steps = costs
    # Changes read the kinds of rows that stand on the page, which may be others with more data.
    differ = {*IN_PARTS, *CHANGES}
    # The first of several numbered pages may show less that needs a query of its own.
    assert {a: n for a, n in after.items() if a not in differ and n > before[a]} == {}
    parts = Measure.objects.count() // in_parts.AS_OBJECTS + 2
    more = {address: after[address] - before[address] for address in IN_PARTS}
    assert {address: n for address, n in more.items() if n > 8 * (parts + 1)} == {}


def test_several_times_the_data_are_hardly_more_times_the_work(costs):
    """Today or in the past."""
    _before, _after, steps = costs
    assert {a: (n, more) for a, (n, more) in steps.items() if more > WORK * n} == {}


def test_overview_sections_lists_and_files_keep_to_their_number_of_queries(costs):
    """Ten, and more where a page tells of states, redefinitions or the committee's word."""
    before, after, _steps = costs
    more = {
        # And of thresholds, of which it needs all, and values of key figures, targets and checks.
        "/": 7,
        # Facets are counted by three queries, and keys are sorted before their rows are read.
        "/indicators/": 2,
        "/targets/": 3,
        "/departments/": 2,
        "/departments/?format=csv": 2,
        **dict.fromkeys(SECTIONS, 2),
        # Counts and places first, then a query or two for each kind of row on the page.
        **dict.fromkeys(CHANGES, 25),
        # Five kinds of rows, each in parts, and its beginning twice.
        "/data/vintages.csv": 10,
    }
    costly = {a: cost for a, cost in after.items() if cost > 10 + more.get(a, 0)}
    assert costly.keys() <= set(IN_PARTS)
    assert {
        a: cost for a, cost in before.items() if a in IN_PARTS and cost > 10 + more.get(a, 0)
    } == {}
    assert after["/"] > 0


def test_a_measure_page_costs_fourteen_queries_and_an_indicator_page_eleven_at_most(costs):
    rows = [
        Measure.objects.get(notes__isnull=False),
        Measure.objects.annotate(n=Count("indicators")).order_by("-n").first(),
        Measure.objects.annotate(n=Count("supporting")).order_by("-n").first(),
        Indicator.objects.filter(targets__isnull=False).first(),
        Indicator.objects.filter(basis__isnull=False).first(),
        Indicator.objects.annotate(n=Count("derived")).order_by("-n").first(),
        Indicator.objects.annotate(n=Count("observations")).order_by("-n").first(),
    ]

    limits = {
        (model, as_of): most + to_the_past(as_of)
        for model, most in ((Measure, 14), (Indicator, 11))
        for as_of in ("", "?as_of=2023-08-01")
    }
    ways = [(row, as_of) for as_of in ("", "?as_of=2023-08-01") for row in rows]
    costs = {
        (row, day): queries_of(row.get_absolute_url() + day) for row, day in one_way_each(ways)
    }

    over = {(row, day): cost for (row, day), cost in costs.items() if cost > limits[type(row), day]}
    assert over == {}
