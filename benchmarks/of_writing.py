"""Publishing many rows, and importing a file of figures, beside the ways that others take."""

import csv
import io
import tempfile
from collections.abc import Iterator
from datetime import date
from itertools import count
from pathlib import Path
from random import randrange
from secrets import token_hex
from time import perf_counter
from urllib.parse import urlencode

from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from import_export import resources
from import_export.fields import Field
from import_export.widgets import ForeignKeyWidget
from side_by_side import Line, memory, ratios, seconds, taking_turns
from tablib import Dataset

from measures import workflow
from measures.access import EDITOR
from measures.models import Round, Theme, User
from measures.submission import State
from measures.tests.factories import make_department, make_measure, make_round, make_staff
from metrics.models import Indicator, Observation, Unit

PUBLISHED, IMPORTED = 500, 5_000
_numbers = count(1)


class Default(resources.ModelResource):
    """What django-import-export makes of the model by itself: each row looked up, then saved."""

    indicator = Field("indicator", "indicator", ForeignKeyWidget(Indicator, "code"))

    class Meta:
        model = Observation
        import_id_fields = ("code",)
        fields = (
            "code", "indicator", "period_start", "period_end", "value", "as_written", "source_name"
        )  # fmt: skip


def waiting(rows: int) -> list[Observation]:
    """So many new values that wait for review, of indicators of the city."""
    editor, said = User.objects.get(username="city-editor"), f"{next(_numbers)}-{token_hex(4)}"
    moment = timezone.now()
    keys = Indicator.objects.order_by("pk").values_list("pk", flat=True)[:rows]
    made = Observation.objects.bulk_create(
        Observation(
            indicator_id=key, value=5, as_written="5", period_end=date(2020, 3, 31),
            source_name=f"台账{said}-{n}", state=State.SUBMITTED, submitted_at=moment,
            entered_by=editor, changed_by=editor,
        )
        for n, key in enumerate((list(keys) * rows)[:rows])
    )  # fmt: skip
    return made


def reviewer() -> Client:
    client = Client()
    client.force_login(User.objects.get(username="city-reviewer"))
    return client


def boxes_of(rows: list[Observation]) -> list[str]:
    return [f"observation:{row.pk}:{row.version}" for row in rows]


def publish(client: Client) -> float:
    boxes = boxes_of(waiting(PUBLISHED))
    return seconds(lambda: tick(client, boxes))


def tick(client: Client, boxes: list[str]) -> None:
    """Sends the form of the review page as a browser does."""
    data = urlencode({"row": boxes}, doseq=True)
    answer = client.post("/admin/review/", data, "application/x-www-form-urlencoded")
    assert answer.status_code == 302, answer.status_code


def publish_one_by_one() -> float:
    rows, user = waiting(PUBLISHED), User.objects.get(username="city-reviewer")

    @transaction.atomic
    def act():
        for row in rows:
            workflow.publish(row, by=user)

    return seconds(act)


class Office:
    """A department that has ``rows`` figures to report for a year, and the file that it sends."""

    def __init__(self, rows: int, folder: Path):
        # A database that is kept has the offices of earlier runs.
        self.name = f"bench-{token_hex(4)}"
        self.department = make_department(code=self.name)
        self.editor = make_staff(EDITOR, departments=[self.department], username=self.name)
        self.round = Round.objects.filter(code="bench").first() or make_round(
            code="bench", period_start=date(2023, 1, 1), period_end=date(2023, 12, 31),
            opens_on=date(2023, 1, 1), due_on=date(2024, 1, 15),
        )  # fmt: skip
        theme, unit = Theme.objects.first(), Unit.objects.get(name="家")
        measure = make_measure(
            code=self.name, lead=self.department, theme=theme, order=1_000 + randrange(30_000)
        )
        self.indicators = Indicator.objects.bulk_create(
            Indicator(
                code=f"{self.name}-{n}", name=f"指标{n}", order=n % 30_000, measure=measure,
                unit=unit, category="enterprises", kind="flow", scope="口径",
                published_on="2023-07-25",
            )
            for n in range(rows)
        )  # fmt: skip
        self.file = folder / f"{self.name}.csv"
        with self.file.open("w", newline="", encoding="utf-8") as written:
            writer = csv.writer(written)
            writer.writerow(["指标代码", "本期数值", "说明"])
            writer.writerows(
                [row.code, f"{1_000 + n}家", "按季度台账"] for n, row in enumerate(self.indicators)
            )

    def import_file(self) -> float:
        """Preview and import by the command; its seconds."""
        return seconds(lambda: import_file(str(self.file), self.round.code, self.name))

    def memory_of_import(self) -> float:
        act = f"of_writing.import_file({str(self.file)!r}, {self.round.code!r}, {self.name!r})"
        return memory(act, "None")

    def preview_page(self) -> tuple[float, float]:
        """Seconds until the page that shows what the file would change is there, and its MB."""
        client, place = Client(), f"{self.round.code}/{self.name}"
        client.force_login(self.editor)
        client.get(f"/admin/upload/{place}/")
        file = SimpleUploadedFile(self.file.name, self.file.read_bytes())
        begun = perf_counter()
        page = client.post(f"/admin/upload/{place}/", {"file": file})
        assert page.status_code == 200, page.status_code
        return perf_counter() - begun, len(page.content) / 1e6

    def import_by_default(self) -> float:
        """The same rows by django-import-export: its preview, which writes and takes back, and
        the import."""
        said = next(_numbers)
        rows = [
            (f"{self.name}-{said}-{n}", row.code, "2000-01-01", "2000-12-31", 1_000 + n,
             f"{1_000 + n}家", f"台账{said}")
            for n, row in enumerate(self.indicators)
        ]  # fmt: skip
        data = Dataset(*rows, headers=Default.Meta.fields)

        def act():
            for dry_run in (True, False):
                found = Default().import_data(data, dry_run=dry_run, use_transactions=True)
                assert not found.has_errors() and not found.has_validation_errors()

        return seconds(act)


def import_file(file: str, round_: str, office: str) -> None:
    given = {
        "round": round_, "department": office, "username": office,
        "stdout": io.StringIO(), "stderr": io.StringIO(),
    }  # fmt: skip
    call_command("import_observations", file, **given, dry_run=True)
    call_command("import_observations", file, **given)


def lines(rounds: int) -> Iterator[Line]:
    client = reviewer()
    publish(client)
    boxes = boxes_of(waiting(PUBLISHED))
    with CaptureQueriesContext(connection) as queries:
        tick(client, boxes)
    yield Line(f"publishing {PUBLISHED}: queries", [len(queries)], "", 60, True)
    found = taking_turns(rounds, ours=lambda: publish(client), one=publish_one_by_one)
    yield Line(f"publishing {PUBLISHED}", found["ours"], "s", 0.3, True)
    yield Line("row by row ÷ together, seconds", ratios(found["one"], found["ours"]))
    with tempfile.TemporaryDirectory() as folder:

        def office():
            return Office(IMPORTED, Path(folder))

        found = taking_turns(
            rounds,
            ours=lambda: office().import_file(),
            them=lambda: office().import_by_default(),
        )
        yield Line(
            f"django-import-export ÷ the import of {IMPORTED:,} rows, seconds",
            ratios(found["them"], found["ours"]),
            goal=20,
        )
        yield Line(f"import of {IMPORTED:,} rows, previewed", found["ours"], "s")
        yield Line("its memory above idle", [office().memory_of_import()], "MB", 150, True)
        took, size = office().preview_page()
        yield Line("the page of its preview", [took], "s")
        yield Line("its size", [size], "MB")
