"""Files that are read in parts and sent as they are made."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baoshan_portal.public import in_parts, taken_away, values_file
from baoshan_portal.tests import runs_once
from baoshan_portal.tests.pages import FILES
from measures.models import Report
from measures.spreadsheets import streamed
from measures.tests.factories import make_report, stored_as
from metrics.models import PLACE_IN_OPINION, Indicator
from metrics.tests.factories import make_indicator, make_observation, make_unit

pytestmark = [pytest.mark.django_db, pytest.mark.long]

place_of = values_file.Place.of
SOME_TEXT = st.one_of(
    st.sampled_from(
        ["1,234家", "-3.2%", "-12.0余%", "约3 家", '"近"30名', "=1+1", "+A1", "-A1", "＝1",
         "－3.2%", "3\n家", "3\r家", "\u200b3家", "e\u0301", "㎡", "\x01", "翻两番", "1/4", " 3"]
    ),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12),
)  # fmt: skip
ROWS = st.lists(
    st.tuples(
        SOME_TEXT,
        SOME_TEXT,
        st.decimals(-(10**10), 10**10, places=4),
        st.datetimes(datetime(1985, 1, 1), datetime(2026, 1, 1), timezones=st.just(UTC)),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no COPY")
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
    # Fifty by `make test-long`.
    max_examples=50 if settings().max_examples > 100 else 8,
)
@given(rows=ROWS, factor=st.sampled_from([Decimal(1), Decimal("0.000001"), Decimal(10**8)]))
def test_postgresql_writes_what_the_portal_writes(db, rows, factor):
    base = make_unit()
    unit = base if factor == 1 else make_unit(base=base, factor=factor)
    indicators = [make_indicator(unit=unit, name=text[:20]) for text in ("一", rows[0][0])]
    for number, (as_written, source, value, moment, inferred) in enumerate(rows):
        row = make_observation(
            indicator=indicators[number % 2], value=value, source_name=f"台账{number}",
            period_start=None if inferred else date(1980, 1, 1), period_end=date(1980, 12, 31),
            period_inferred=inferred,
        )  # fmt: skip
        stored_as(row, moment, as_written=as_written, source_name=f"{source}{number}")
    places = [
        values_file.Place.of(row)
        for row in Indicator.objects.filter(pk__in=[row.pk for row in indicators])
        .order_by(*PLACE_IN_OPINION)
        .values_list(*values_file.PLACE)
    ]

    written = values_file._written(places, None)

    assert values_file._copied(places, None) == written
    assert written.count(b"\r\n") >= len(rows)


@pytest.mark.usefixtures("report")
def test_a_value_of_a_report_and_one_of_another_source_are_lines_of_both_writers(client):
    report, indicator = Report.objects.first(), Indicator.objects.first()
    make_observation(
        indicator=indicator, report=make_report(opinion=report.opinion), locator="1.1/1",
        published=date(2024, 1, 1),
    )  # fmt: skip
    make_observation(indicator=indicator, published=date(2024, 1, 2))
    places = [
        values_file.Place.of(row) for row in Indicator.objects.values_list(*values_file.PLACE)
    ]

    file = client.get("/data/observations.csv").getvalue()

    written = values_file._written(places, None)
    assert sorted(file.splitlines()[1:]) == sorted(written.splitlines())


@pytest.mark.usefixtures("report")
def test_the_first_lines_wait_for_the_first_indicators_alone(monkeypatch):
    made = []
    monkeypatch.setattr(values_file.Place, "of", lambda row: made.append(row) or place_of(row))
    lines = values_file.value_lines(None)

    assert next(lines)
    assert 0 < len(made) <= in_parts.Slices().length
    assert sum(1 for _lines in lines)
    assert len(made) == Indicator.objects.count()


#: Which rows make a part is told in Python; what PostgreSQL writes itself is read there as well.
ONCE = pytest.mark.once("parts are cut in Python; the files with most rows are read on both")
ON_BOTH = ("/data/observations.csv", "/data/vintages.csv")


@pytest.mark.usefixtures("report")
@pytest.mark.parametrize(
    "address",
    [pytest.param(address, marks=() if address in ON_BOTH else ONCE) for address in FILES],
)
def test_a_file_says_the_same_in_however_many_parts_it_is_read(client, address, monkeypatch):
    whole = client.get(address).getvalue()
    monkeypatch.setattr(in_parts, "FIRST", 2)
    monkeypatch.setattr(in_parts, "TOGETHER", 11)
    monkeypatch.setattr(in_parts, "ROWS", 7)
    monkeypatch.setattr(in_parts, "LOADED", 7)

    assert client.get(address).getvalue() == whole


@pytest.mark.once("counts in Python")
def test_the_next_piece_is_as_long_as_the_last_one_was_full():
    slices = in_parts.Slices()
    pieces = slices.of(list(range(1_000)))
    assert len(next(pieces)) == 20
    slices.came(20, 10_000)
    assert len(next(pieces)) == 10
    slices.came(10, 0)
    assert len(next(pieces)) == 40
    assert [number for piece in slices.of(list(range(95))) for number in piece] == list(range(95))


@pytest.mark.once("counts in Python")
def test_a_long_file_is_made_again_when_it_is_sent_and_a_short_one_is_not():
    made = []

    def lines(count):
        made.append(count)
        return ("一行\r\n" for _number in range(count))

    for count, times in ((3, 1), (100_000, 2)):
        made.clear()
        answer = streamed(lambda count=count: lines(count), "a.csv")
        assert answer.getvalue().decode() == "一行\r\n" * count
        assert made == [count] * times


@runs_once.FILES
@pytest.mark.usefixtures("report")
def test_a_workbook_is_refused_beyond_its_rows_and_the_csv_file_is_named(client, monkeypatch):
    monkeypatch.setattr(taken_away, "MOST_IN_WORKBOOK", 3)

    answer = client.get("/en/measures/?format=xlsx")

    assert answer.status_code == 400
    assert "no more than 3 rows" in answer.content.decode()
    assert "format=csv" in answer.content.decode()
    assert client.get("/en/measures/?format=csv").status_code == 200
