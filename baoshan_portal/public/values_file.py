"""``observations.csv``: every public value, a million lines as fast as the database reads them.

What all values of an indicator have in common is read once. PostgreSQL writes the lines itself
(COPY), unless one of them needs what only ``spreadsheets.machine_text`` knows.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from measures import watermark
from measures.models import Measure, Report
from measures.numerals import plain
from measures.prepared import prepared
from measures.spreadsheets import machine_text
from metrics.models import PLACE_IN_OPINION, Indicator, Observation

from .in_parts import Slices, in_order, parts_of

#: Of an indicator, for the columns that are the same in all of its lines.
PLACE = (
    "pk",
    "code",
    "name",
    "measure__theme__section__order",
    "measure__theme__order",
    "measure__code",
    "unit__name",
    "unit__factor",
    "unit__base__name",
    "measure__theme__section__opinion__code",
)
#: Of a value; as text what Django would make into objects only to make text of them again.
TEXT = TextField()
OF_VALUE = (
    "indicator_id", Cast("value", TEXT), "qualifier", "as_written", Cast("period_start", TEXT),
    Cast("period_end", TEXT), "period_inferred", "certainty", "report__number", "source_name",
    "locator", "revision", Cast("published_at", TEXT),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """What the lines of an indicator have in common; texts as they stand there."""

    key: int
    factor: Decimal
    theme: str
    code: str
    name: str
    measure: str
    unit: str
    base_unit: str
    opinion: str

    @classmethod
    def of(cls, row: tuple) -> "Place":
        key, code, name, section, theme, measure, unit, factor, base, opinion = row
        return cls(
            key, factor, f"{section}.{theme}",
            *map(machine_text, (code, name, measure, unit, base or unit, opinion)),
        )  # fmt: skip


def value_lines(as_of: date | None) -> Iterator[bytes]:
    """The lines of the file without its head, many at once."""
    write = _copied if connection.vendor == "postgresql" else _written
    slices = Slices()
    for measures in parts_of(_measures(as_of=as_of)):
        # Some at a time, so that the first lines do not wait for what is said of thousands.
        for rows in slices.of(_places(measures, as_of=as_of)):
            places = [Place.of(row) for row in rows]
            lines = write(places, as_of)
            slices.came(len(places), lines.count(b"\n"))
            yield lines


@prepared
def _measures(*, as_of):
    return in_order(Measure.objects.published(as_of))


@prepared
def _places(measures, *, as_of):
    indicators = Indicator.objects.published(as_of).filter(measure__in=measures)
    return indicators.order_by(*PLACE_IN_OPINION).values_list(*PLACE)


@prepared
def _rows(indicators, *, as_of):
    rows = _values(indicators, as_of).order_by("period_end", "locator", "pk")
    return rows.values_list(*OF_VALUE)


def _values(indicators, as_of: date | None) -> QuerySet:
    return Observation.objects.published(as_of).filter(indicator__in=indicators)


def _written(places: list[Place], as_of: date | None) -> bytes:
    """The values of ``places`` as lines."""
    numbers = {place.key: number for number, place in enumerate(places)}
    rows = sorted(_rows(numbers, as_of=as_of), key=lambda row: numbers[row[0]])
    mark = [watermark.watermark()] if watermark.watermark() else []
    zone, file = timezone.get_current_timezone(), io.StringIO(newline="")
    csv.writer(file).writerows(
        (*_cells(places[numbers[row[0]]], zone, *row[1:]), *mark) for row in rows
    )
    return file.getvalue().encode()


def _cells(
    place: Place, zone, value, qualifier, as_written, start, end, inferred, certainty, number,
    source, locator, revision, published_at,
) -> tuple:  # fmt: skip
    value = value.rstrip("0").rstrip(".") if "." in value else value
    moment = datetime.fromisoformat(published_at)
    return (
        place.code,
        place.name,
        place.theme,
        place.measure,
        value,
        place.unit,
        value if place.factor == 1 else plain(Decimal(value) * place.factor),
        place.base_unit,
        qualifier,
        machine_text(as_written),
        start,
        end,
        "true" if inferred else "false",
        certainty,
        machine_text(source if number is None else number),
        locator,
        revision,
        (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(zone).isoformat(),
        place.opinion,
    )


#: Texts that every writer writes as they are; others are left to ``machine_text``.
ORDINARY = (
    "^[0-9A-Za-z一-龥〔《][0-9A-Za-z一-龥〔〕《》（）().,，、。·/:：%％ +-]*$|"
    "^-[0-9]+([.][0-9]+)?余?([一-龥]*|%)$"
)
#: Before this moment Shanghai's clocks were not always eight hours ahead of UTC.
EVEN_CLOCKS = "1992-01-01"
#: Stands in a line that COPY cannot write, and in no other.
ODD = "\x01"

TEXTS = ("code", "name", "theme", "measure", "unit", "base_unit", "opinion")
#: The columns of ``_cells``: ``p`` is a place with its texts, ``o`` the value, ``r`` its report.
COLUMNS = (
    "p.code", "p.name", "p.theme", "p.measure",
    "trim_scale(o.value)",
    "p.unit",
    "trim_scale(o.value * p.factor)",
    "p.base_unit",
    "o.qualifier", "o.as_written", "o.period_start", "o.period_end", "o.period_inferred::text",
    "o.certainty",
    "coalesce(r.number, nullif(o.source_name, ''))",
    "nullif(o.locator, '')",
    "o.revision",
    "to_char(o.published_at AT TIME ZONE %(zone)s, 'YYYY-MM-DD\"T\"HH24:MI:SS') || "
    "CASE to_char(o.published_at, 'US') WHEN '000000' THEN '' "
    "ELSE to_char(o.published_at, '.US') END || '+08:00'",
    "CASE WHEN o.as_written ~ %(ordinary)s AND coalesce(r.number, o.source_name) ~ %(ordinary)s "
    "AND o.published_at >= %(even)s THEN p.opinion ELSE %(odd)s END",
)  # fmt: skip


def _copied(places: list[Place], as_of: date | None) -> bytes:
    """What ``_written`` writes, by PostgreSQL where nothing in it is out of the ordinary."""
    # COPY tells an empty text from none at all, and the file does not.
    texts = {name: [getattr(place, name) or None for place in places] for name in TEXTS}
    if any("\n" in text or "\r" in text for column in texts.values() for text in column if text):
        return _written(places, as_of)
    mark = watermark.watermark()
    select = (
        f"SELECT {', '.join(COLUMNS)}{', %(mark)s' if mark else ''} FROM ({{values}}) o "
        "JOIN unnest(%(keys)s::bigint[], %(factors)s::numeric[], %(code)s::text[], "
        "%(name)s::text[], %(theme)s::text[], %(measure)s::text[], %(unit)s::text[], "
        "%(base_unit)s::text[], %(opinion)s::text[]) WITH ORDINALITY AS "
        "p(key, factor, code, name, theme, measure, unit, base_unit, opinion, place) "
        f"ON p.key = o.indicator_id LEFT JOIN {Report._meta.db_table} r ON r.id = o.report_id "
        "ORDER BY p.place, o.period_end, o.locator, o.id"
    )
    given = {
        "keys": [place.key for place in places],
        "factors": [place.factor for place in places],
        **texts,
        "zone": settings.TIME_ZONE,
        "ordinary": ORDINARY,
        "even": EVEN_CLOCKS,
        "odd": ODD,
        "mark": mark,
    }
    # All columns under their names; a past day has another table under the name of reports.
    values = _values(given["keys"], as_of).order_by()
    found, file = values.query.sql_with_params(), io.BytesIO()
    with connection.cursor() as cursor:
        # The text of the inner query is put in at last, because it has places of its own.
        select, rest = cursor.mogrify(select, given).decode().split("{values}")
        statement = f"COPY ({select}{cursor.mogrify(*found).decode()}{rest}) TO STDOUT (FORMAT csv)"
        cursor.copy_expert(statement, file)
    lines = file.getvalue()
    if ODD.encode() in lines:
        return _written(places, as_of)
    return lines.replace(b"\n", b"\r\n")
