"""Many new rows at once are what the same rows are one by one."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import DataError, IntegrityError, connection, transaction

from measures.many_rows import TOGETHER, insert_all
from measures.models import TrailEvent
from metrics.models import Observation
from metrics.tests.factories import make_indicator

pytestmark = pytest.mark.django_db


#: What is written otherwise, and what would end a value where values stand in a row.
NOTES = (
    "一\r\n二\x0b三", "", "NULL", '"', "\\", '{"甲", \\"乙\\", }', "o'clock, 50%", "\\N %s", " 空 ",
)  # fmt: skip


def rows_of(indicator, source: str, count: int) -> list[Observation]:
    moment = datetime(2024, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
    return [
        Observation(
            indicator=indicator, code=f"{source}-{n}", source_name=f"{source}{n}",
            value=Decimal(("51.79", "51.790", "-3", "0")[n % 4]),
            as_written="51.79\u200b亿元", note=NOTES[n % len(NOTES)],
            period_end=date(2023, 12, 31), revision=1,
            entered_at=moment.astimezone(ZoneInfo("Asia/Shanghai")) if n % 2 else moment,
            period_inferred=n % 2 == 0, period_start=date(2023, 1, 1) if n % 3 else None,
        )
        for n in range(count)
    ]  # fmt: skip


def test_they_say_what_they_would_by_django_and_get_their_keys():
    indicator, count = make_indicator(), TOGETHER + 3
    ours, theirs = (rows_of(indicator, source, 28) for source in ("一", "二"))
    many = rows_of(make_indicator(), "三", count)
    insert_all(ours)
    Observation.objects.bulk_create(theirs)
    insert_all(many)
    insert_all([])

    names = [field.attname for field in Observation._meta.concrete_fields]
    names = [name for name in names if name not in {"id", "code", "source_name"}]
    found = {
        source: list(
            Observation.objects.filter(code__startswith=f"{source}-").order_by("pk").values(*names)
        )
        for source in ("一", "二")
    }
    assert found["一"] == found["二"]
    assert {row["note"] for row in found["一"]} == {"一\n二\n三", *NOTES[1:]}
    assert found["一"][0]["as_written"] == "51.79亿元"
    assert found["一"][0]["note"] == "一\n二\n三" == ours[0].note
    assert Observation.objects.in_bulk([row.pk for row in many]).keys() == {r.pk for r in many}
    assert [Observation.objects.get(pk=row.pk).code for row in many[-3:]] == [
        row.code for row in many[-3:]
    ]


def test_an_address_of_the_network_is_one():
    events = [TrailEvent(action="entered", address=address) for address in ("::1", None)]
    insert_all(events)
    assert [*TrailEvent.objects.order_by("pk").values_list("address", flat=True)] == ["::1", None]


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite takes texts of any length")
def test_what_is_too_long_is_refused_and_not_cut():
    (row,) = rows_of(make_indicator(), "一", 1)
    row.as_written = "5" * 41
    with pytest.raises(DataError):
        insert_all([row])


def test_all_or_none_are_written():
    rows = rows_of(make_indicator(), "一", TOGETHER + 1)
    rows[-1].code = rows[0].code
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_all(rows)
    assert not Observation.objects.exists()
    insert_all([TrailEvent(action="entered", actor_name="x", subject="甲\u200b")])
    assert TrailEvent.objects.get().subject == "甲"
