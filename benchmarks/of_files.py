"""``observations.csv`` beside COPY, Datasette and django-import-export, and the other files."""

import urllib.request
from collections.abc import Iterator
from functools import partial
from time import perf_counter

from django.db import connection
from django.test import Client
from peer import datasette, program
from side_by_side import Line, memory, ratios, seconds, taking_turns

from baoshan_portal.staff.imports.resources import ObservationResource
from metrics.models import Observation

FILE = "/data/observations.csv"
PAST = f"{FILE}?as_of=2024-06-30"
OTHERS = (
    "indicators", "measures", "targets", "checks", "notes", "definitions", "no_figures", "vintages"
)  # fmt: skip
#: What the file says, by one statement with all joins: the order included.
COPY = """
COPY (SELECT i.code, i.name, s."order" || '.' || t."order", m.code, o.value, u.name,
    o.value * u.factor, coalesce(b.name, u.name), o.qualifier, o.as_written, o.period_start,
    o.period_end, o.period_inferred, o.certainty, coalesce(r.number, o.source_name), o.locator,
    o.revision, o.published_at, op.code
  FROM metrics_observation o JOIN metrics_indicator i ON i.id = o.indicator_id
    JOIN measures_measure m ON m.id = i.measure_id JOIN measures_theme t ON t.id = m.theme_id
    JOIN measures_section s ON s.id = t.section_id JOIN measures_opinion op ON op.id = s.opinion_id
    JOIN metrics_unit u ON u.id = i.unit_id LEFT JOIN metrics_unit b ON b.id = u.base_id
    LEFT JOIN measures_report r ON r.id = o.report_id
  WHERE o.state = 'published' AND NOT EXISTS (SELECT 1 FROM metrics_observation c
    WHERE c.supersedes_id = o.id AND c.state = 'published')
    AND o.code NOT IN (SELECT subject_code FROM measures_withdrawal
      WHERE state = 'published' AND subject_type = 'observation')
  ORDER BY s.opinion_id, s."order", t."order", m."order", i."order", o.period_end, o.locator, o.id
) TO STDOUT (FORMAT csv)"""


class Counted:
    """A file that only counts the lines."""

    lines = 0

    def write(self, some: bytes) -> None:
        self.lines += some.count(b"\n")


def rate(send) -> float:
    """Lines a second of what ``send`` makes."""
    begun = perf_counter()
    lines = send()
    return lines / (perf_counter() - begun)


#: As in a server, the middleware is loaded once.
READER = Client()


def file_lines(address: str = FILE) -> int:
    return sum(chunk.count(b"\n") for chunk in READER.get(address).streaming_content)


def first_byte(address: str = FILE) -> float:
    def read():
        answer = READER.get(address)
        next(iter(answer.streaming_content))
        answer.close()

    return seconds(read)


def copied_lines() -> int:
    counted = Counted()
    with connection.cursor() as cursor:
        cursor.copy_expert(COPY, counted)
    return counted.lines


def exported_lines() -> int:
    rows = Observation.objects.published()[:10_000]
    return len(ObservationResource().export(rows).csv.splitlines())


def streamed_lines(address: str) -> int:
    with urllib.request.urlopen(address) as answer:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: answer.read(65_536), b""))


def lines(rounds: int) -> Iterator[Line]:
    file_lines("/data/measures.csv")
    for what, address in (("first byte", FILE), ("first byte of a past day", PAST)):
        took = [first_byte(address) for _round in range(rounds)]
        yield Line(f"observations.csv: {what}", took, "s", 0.1, True)
    yield Line("observations.csv: memory above idle", [_memory(FILE)], "MB", 30, True)
    yield from _beside(rounds)
    for name in OTHERS:
        address = f"/data/{name}.csv"
        yield Line(f"{name}.csv: memory above idle", [_memory(address)], "MB", 30, True)
        yield Line(f"{name}.csv: lines", [rate(partial(file_lines, address))], "/s")


def _memory(address: str) -> float:
    # A worker has shown a file before.
    idle = "of_files.file_lines('/data/evaluations.csv')"
    return memory(f"of_files.file_lines({address!r})", idle)


def _beside(rounds: int) -> Iterator[Line]:
    ways = {"ours": lambda: rate(file_lines), "export": lambda: rate(exported_lines)}
    if connection.vendor == "postgresql":
        found = taking_turns(rounds, copy=lambda: rate(copied_lines), **ways)
        yield Line(
            "observations.csv ÷ COPY of the same, lines a second",
            ratios(found["ours"], found["copy"]),
            goal=0.5,
        )
    elif program():
        with datasette() as tables:
            stream = f"{tables}metrics_observation.csv?_stream=1"
            found = taking_turns(rounds, them=lambda: rate(lambda: streamed_lines(stream)), **ways)
        yield Line(
            "observations.csv ÷ Datasette’s stream of the table",
            ratios(found["ours"], found["them"]),
            goal=3,
        )
    else:
        found = taking_turns(rounds, **ways)
    yield Line("observations.csv: lines", found["ours"], "/s")
    yield Line(
        "observations.csv ÷ django-import-export’s export", ratios(found["ours"], found["export"])
    )
