"""Files made to take the server's memory and time: each is refused with a sentence, in seconds,
and meanwhile everybody else is served."""

import ast
import io
import re
import time
import zipfile
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from threading import Thread

import pytest
from django.conf import settings as portal
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.utils.translation import override

from baoshan_portal.tests.desk import browser_of
from baoshan_portal.tests.slices import WHOLE, some
from measures.access import EDITOR
from measures.models import TrailEvent
from measures.tests.factories import (
    make_department,
    make_measure,
    make_report,
    make_round,
    make_staff,
)
from measures.tests.test_workers import forget_peak, peak
from measures.workers import Places, WorkerError
from metrics.models import Observation
from metrics.tests.factories import make_indicator

from ..imports import reading
from ..imports.parsers.archives import LARGEST_UNPACKED, MOST_TAGS
from ..imports.reading import FileError, read_table
from .tables import xlsx_file
from .uploads import UploadDesk

pytestmark = [
    pytest.mark.once("is about reading files"),
    pytest.mark.long,
    pytest.mark.english,
]

SHEET, STYLES = "xl/worksheets/sheet1.xml", "xl/styles.xml"
STRINGS = "xl/sharedStrings.xml"
TOO_MANY = "The .xlsx file holds more cells or formats than a table needs"
TOO_MUCH = "Reading this file takes more time or memory than a table needs"


def with_part(name: str, change) -> bytes:
    """A workbook of one cell whose part ``name`` is what ``change`` makes of it."""
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(xlsx_file(["code"], [["a"]]))) as old,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for part in old.namelist():
            data = old.read(part)
            new.writestr(part, change(data) if part == name else data)
    return packed.getvalue()


def with_rows(rows: bytes) -> bytes:
    head, foot = b"<sheetData>", b"</sheetData>"
    return with_part(
        SHEET, lambda sheet: sheet.partition(head)[0] + head + rows + foot + b"</worksheet>"
    )


def filled(element: bytes, size: int = LARGEST_UNPACKED - 100_000) -> bytes:
    return element * (size // len(element))


def repeated_text() -> bytes:
    """One long text that stands in very many cells."""
    row = b'<row><c t="inlineStr"><is><t>%s</t></is></c></row>' % (b"x" * 32_000)
    return with_rows(row * 1_200)


BOMBS = {
    "cells": (lambda: with_rows(b"<row>" + filled(b"<c/>") + b"</row>"), TOO_MANY),
    "rows": (lambda: with_rows(filled(b"<row/>")), TOO_MANY),
    "formats": (
        lambda: with_part(STYLES, lambda data: data.replace(b"<cellXfs", filled(b"<xf/>"))),
        TOO_MANY,
    ),
    "elements in each other": (lambda: with_rows(b"<c>" * (MOST_TAGS - 10_000)), TOO_MUCH),
    "text": (repeated_text, "The table holds more than 10000000 characters"),
    "attributes": (
        lambda: with_rows(b"<row " + b" ".join(b'a%d=""' % n for n in range(500_000)) + b"/>"),
        TOO_MUCH,
    ),
    "merged cells": (
        lambda: with_part(
            SHEET,
            lambda data: data.replace(
                b"</sheetData>", b"</sheetData>" + b'<mergeCell ref="A1:B2"/>' * 700_000
            ),
        ),
        "Cells are merged here",
    ),
    "a number": (
        lambda: with_rows(b"<row><c><v>" + b"9" * 1_000_000 + b"</v></c></row>"),
        "The file is damaged",
    ),
    "entities": (
        lambda: with_part(
            SHEET,
            lambda data: (
                b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
                + b"".join(
                    b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9)
                )
                + b"]><worksheet>&j;</worksheet>"
            ),
        ),
        "The file is damaged",
    ),
    "columns": (lambda: b"code," * 1_000_000, "The table has more than 60 columns"),
    "a long number": (lambda: b"code\n" + b"9" * 5_000_000, "Expected at most 32767"),
}


@pytest.fixture(scope="module")
def impatient_readers():
    limits = replace(reading.readers.workers[0].limits, cpu_seconds=2)
    readers = Places("impatient", reading.readers.workers[0].module, limits)
    yield readers
    readers.end()


@pytest.fixture
def impatient(monkeypatch, impatient_readers):
    """Readers that take two seconds of the processor for a file, so that tests end soon."""
    monkeypatch.setattr(reading, "readers", impatient_readers)


#: One limit refuses these three, and another what is read while others are answered.
ALIKE, SLOW = ["cells", "rows", "formats"], ["elements in each other", "attributes"]
TRIED = [
    *some(ALIKE, every=3),
    *(SLOW if WHOLE else ()),
    *(kind for kind in BOMBS if kind not in ALIKE + SLOW),
]


@pytest.mark.sweep
@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("kind", TRIED)
def test_a_file_that_is_made_to_take_everything_is_refused_in_seconds(kind):
    make, sentence = BOMBS[kind]
    content = make()
    read_table(b"code\na\n")
    forget_peak()
    before, begin = peak(), time.monotonic()

    with pytest.raises(FileError) as refusal:
        read_table(content)

    assert time.monotonic() - begin < reading.SECONDS
    assert refusal.value.problems[0].message.startswith(sentence)
    # Of the server's own; the file is sent on as it came.
    assert peak() - before < 20 + len(content) // 1024 // 1024


def test_a_sentence_is_in_the_language_of_the_reader():
    with pytest.raises(FileError) as refusal, override("zh-hans"):
        read_table(b"")

    assert str(refusal.value) == "文件是空的。"


def test_a_reader_that_does_not_start_is_our_fault_and_not_the_files(monkeypatch):
    reading.readers.end()
    for worker in reading.readers.workers:
        monkeypatch.setattr(worker, "module", "baoshan_portal.staff.imports.nothing")

    with pytest.raises(WorkerError, match="does not start"):
        read_table(b"code\na\n")


# Whose turn it is


class Desk(UploadDesk):
    """An editor with every page to which tables are sent, before two readers of the test's own."""

    def __init__(self):
        self.department = make_department()
        measure = make_measure(lead=self.department)
        make_indicator(code="firms", measure=measure)
        self.round = make_round(period_start=date(2023, 10, 1), period_end=date(2023, 12, 31))
        self.report = make_report(opinion=measure.theme.section.opinion)
        self.editor = make_staff(EDITOR, departments=[self.department])
        self.browser = browser_of(self.editor)
        self.address = f"/en/admin/upload/{self.round.code}/{self.department.code}/"

    def pages(self) -> dict[str, dict]:
        """Addresses to which tables are sent, with what is sent beside the file."""
        imports = "/en/admin/metrics/observation/import/"
        return {
            self.address: {},
            f"/en/admin/report-figures/{self.report.code}/": {},
            imports: {"format": "0", "resource": "0"},
        }

    def send_to(self, address: str, content=b"Code,Figure\nfirms,1475\n"):
        sent, name = self.pages()[address], "import_file" if "import/" in address else "file"
        return self.browser.post(address, {**sent, name: SimpleUploadedFile("x.csv", content)})


@pytest.fixture
def desk(db, settings, tmp_path, monkeypatch, temporary_folder):
    settings.CACHE_ROOT = tmp_path / "cache"
    monkeypatch.setattr(reading.readers, "wait_seconds", 0.2)
    return Desk()


def both_places(stack: ExitStack) -> None:
    for _place in range(2):
        stack.enter_context(reading.readers.place())


def test_a_third_upload_is_told_to_wait_a_minute_on_every_page(desk):
    before = TrailEvent.objects.count()
    with ExitStack() as stack:
        both_places(stack)
        for address in desk.pages():
            page = desk.send_to(address)

            assert (page.status_code, page["Retry-After"]) == (503, "60"), address
            assert "Two other files are being read at the moment." in page.content.decode()
            # Everybody else is served.
            assert desk.browser.get(address).status_code == 200
        assert desk.browser.get("/en/").status_code == 200
    assert Observation.objects.count() == 0
    assert TrailEvent.objects.count() == before
    assert desk.send(b"Code,Figure\nfirms,1475\n").context["confirm"]


def test_a_third_upload_is_taken_when_its_turn_comes(desk, monkeypatch):
    monkeypatch.setattr(reading.readers, "wait_seconds", 60)
    stack = ExitStack()
    both_places(stack)
    leave = Thread(target=lambda: (time.sleep(0.3), stack.close()))
    leave.start()

    assert desk.send(b"Code,Figure\nfirms,1475\n").context["confirm"]
    leave.join()


def test_the_command_says_that_others_are_read(desk, tmp_path):
    file = tmp_path / "figures.csv"
    file.write_bytes(b"Code,Figure\nfirms,1475\n")
    options = {"round": desk.round.code, "department": desk.department.code}

    with ExitStack() as stack, pytest.raises(CommandError, match="try again in a minute"):
        both_places(stack)
        call_command("import_observations", file, username=desk.editor.username, **options)


def test_every_page_refuses_a_file_that_is_too_much_with_a_sentence(desk):
    bomb = with_rows(b"<row>" + filled(b"<c/>") + b"</row>")
    for address in desk.pages():
        page = desk.send_to(address, bomb)

        assert page.status_code == 200, address
        assert TOO_MANY in page.content.decode(), address
    assert Observation.objects.count() == 0


@pytest.mark.usefixtures("impatient")
def test_while_a_file_is_read_others_are_answered(desk):
    make, sentence = BOMBS["elements in each other"]
    bomb, seen, told = make(), [], []

    def read():
        begin = time.monotonic()
        with override("en"), pytest.raises(FileError) as refusal:
            read_table(bomb)
        told.extend((refusal.value.problems[0].message, time.monotonic() - begin))
        seen.append("the file")

    reader = Thread(target=read)
    reader.start()
    while not seen:
        assert desk.browser.get("/en/").status_code == 200
        if reader.is_alive():
            seen.append("a page")
    reader.join()

    assert seen[0] == "a page"
    assert seen[-1] == "the file"
    assert told[0].startswith(sentence)
    assert told[1] < reading.SECONDS


# No other door


READERS = {f".parsers.{name}" for name in ("ods", "text", "xls", "xlsx")}


def what_parses_in(path) -> set[str]:
    """What the code of a file mentions that parses tables, or imports the module that does."""
    parses = {"openpyxl.load_workbook", "csv.reader", "csv.DictReader", "xlrd.open_workbook"}
    parses |= {"defusedxml.ElementTree.iterparse"}
    found, text = set(), path.read_text(encoding="utf-8")
    # What is not spelt in it need not be looked for.
    if not re.search("openpyxl|csv|xlrd|defusedxml|parsing|parsers", text):
        return found
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute) and ast.unparse(node) in parses:
            found.add(ast.unparse(node))
        elif isinstance(node, ast.ImportFrom):
            names = {f"{node.module or ''}.{name.name}" for name in node.names}
            within = {f"{'.' * node.level}{name}" for name in names}
            found |= {name for name in names if name in parses or "parsing" in name.split(".")}
            found |= {name for name in within if name in READERS}
    return found


def test_nothing_in_the_server_parses_a_table_itself():
    """What parses is named in one folder, and that by no other: it runs in the other process."""
    found = {
        path.name: parses
        for top in ("baoshan_portal", "measures", "metrics")
        for path in (portal.BASE_DIR / top).rglob("*.py")
        if "tests" not in path.parts and (parses := what_parses_in(path))
    }

    assert found == {
        "parsing.py": {".parsers.ods", ".parsers.text", ".parsers.xls", ".parsers.xlsx"},
        "ods.py": {"defusedxml.ElementTree.iterparse"},
        "text.py": {"csv.reader"},
        "xls.py": {"xlrd.open_workbook"},
        "xlsx.py": {"openpyxl.load_workbook"},
    }
