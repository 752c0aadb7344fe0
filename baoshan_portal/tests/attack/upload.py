"""Damaged files and bombs at every door for tables: a page each, nothing saved, others served."""

import io
import threading
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from random import Random

from django.utils import timezone

from baoshan_portal.staff.tests import test_upload_fuzz as fuzz
from baoshan_portal.staff.tests.tables import xlsx_file
from measures.models import Measure, Report, Round, TrailEvent, User
from metrics.models import Indicator, Observation, Unit
from metrics.rules.choices import Category, Kind

from . import LONG, Count
from .portal import Portal
from .visitor import Visitor

#: Seconds within which a reader is answered while files are worked on, on a busy machine.
READERS_WAIT = 15
#: Seconds within which whoever sent a bomb is answered.
SENDERS_WAIT = 60
DAMAGED = 30_000 if LONG else 3_000


class Watcher(threading.Thread):
    """Reads a page over and over while ``with`` lasts; ``longest`` is the longest wait."""

    def __init__(self, visitor: Visitor):
        super().__init__(daemon=True)
        self.visitor, self.over, self.count = visitor, threading.Event(), Count("")
        visitor.patience = READERS_WAIT

    def run(self) -> None:
        while not self.over.wait(0.5):
            begun = time.monotonic()
            answer = self.visitor.get("/method/")
            seconds = time.monotonic() - begun
            self.count.add("" if answer.status == 200 else f"{answer.status} after {seconds:.0f} s")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error):
        self.over.set()
        self.join()


def doors() -> dict[str, tuple[fuzz.Files, str, str, str]]:
    """Undamaged files, address, field and whose door it is; the rows that they name are made."""
    editor = User.objects.get(username="demo-editor")
    User.objects.create_superuser("demo-root")
    measure = Measure.objects.filter(lead__members=editor).published().first()
    unit = Unit.objects.get(name="家")
    for n, code in enumerate(fuzz.CODES):
        Indicator.objects.create(
            code=code, name=f"指标{n}", name_en=f"Indicator {n}", measure=measure, unit=unit,
            order=20_000 + n, category=Category.ENTERPRISES, kind=Kind.STOCK, scope="口径",
            published_on=timezone.localdate(),
        )  # fmt: skip
    today = timezone.localdate()
    round_ = Round.objects.create(
        code="attack", name="攻击", name_en="Attack", period_start=date(1999, 10, 1),
        period_end=date(1999, 12, 31), opens_on=today, due_on=today,
    )  # fmt: skip
    report = Report.objects.first()
    table = fuzz.Files("code name unit value", "{code};x;x;1")
    return {
        "a round": (fuzz.ROUND, f"/admin/upload/{round_.code}/{measure.lead.code}/", "file",
                    "demo-editor"),
        "a report": (fuzz.REPORT, f"/admin/report-figures/{report.code}/", "file", "demo-root"),
        "values": (table, "/admin/metrics/observation/import/", "import_file", "demo-root"),
        "indicators": (table, "/admin/metrics/indicator/import/", "import_file", "demo-root"),
    }  # fmt: skip


def attack(portal: Portal):
    places = doors()
    people = {name: portal.staff(name) for name in {door[3] for door in places.values()}}
    before = _stored()
    damaged, bombs = Count("damaged files, each answered"), Count("bombs, each answered in time")
    kept = Count("nothing was saved of any file")
    watcher = Watcher(portal.visitor())
    watcher.count.name = f"other readers meanwhile, within {READERS_WAIT} s"
    with watcher:
        for name, content in _bombs():
            for place, door in places.items():
                answer, seconds = _send(people[door[3]], door, content)
                late = f"{seconds:.0f} s" if seconds > SENDERS_WAIT else ""
                fault = answer.fault or late or ("" if answer.status else "no answer")
                bombs.add(f"{name} at {place}: {fault}" if fault else "")
            if not portal.has_time(0.9):
                bombs.note = f"the time was over after {name}"
                break
        _damage(portal, places, people, damaged)
    kept.add("" if _stored() == before else f"{before} became {_stored()}")
    return [damaged.row(), bombs.row(), kept.row(), watcher.count.row()]


def _stored() -> tuple[int, int]:
    imported = TrailEvent.objects.filter(action="imported").count()
    return Observation.objects.count(), imported


def _send(visitor: Visitor, door, content: bytes):
    _files, address, field, _who = door
    name = "x.xlsx" if content[:2] == b"PK" else "x.csv"
    begun = time.monotonic()
    sent = {"format": "0", "resource": "0"} if "import" in address else {}
    visitor = visitor.copy()
    visitor.patience = 2 * SENDERS_WAIT
    answer = visitor.post(address, sent, {field: (name, content)})
    return answer, time.monotonic() - begun


def _damage(portal: Portal, places, people, count: Count) -> None:
    """Every kind of damage in turn at every door, two files at a time."""
    chance = Random(2023)
    kinds = [make for _count, make in fuzz.KINDS.values()]

    def one(n: int):
        door = doors_[n % len(doors_)]
        content = contents[n]
        return _send(people[door[3]], door, content)[0]

    doors_ = list(places.values())
    done = 0
    while done < DAMAGED and (not done or portal.has_time(1.6)):
        contents = [
            kinds[n % len(kinds)](doors_[n % len(doors_)][0], chance) for n in range(len(kinds) * 8)
        ]
        with ThreadPoolExecutor(2) as pool:
            for answer in pool.map(one, range(len(contents))):
                ok = answer.status in (200, 400, 503) or 300 <= answer.status < 400
                count.add(answer.fault or ("" if ok else f"{answer.status} at {answer.address}"))
        done += len(contents)


def _bombs() -> Iterator[tuple[str, bytes]]:
    """Small files that would become large, or take long, for whoever reads them plainly."""
    sheet = "xl/worksheets/sheet1.xml"
    cells = b'<row r="1"><c r="A1" t="inlineStr"><is><t>%b</t></is></c></row>'
    yield "300 MB of one letter", _with(sheet, cells % (b"a" * 10), pad=b"a" * 300_000_000)
    yield "two million cells", _with(sheet, b"<c/>" * 2_000_000)
    yield "a million rows", _with(sheet, b"<row><c><v>1</v></c></row>" * 1_000_000)
    yield (
        "300,000 attributes",
        _with(sheet, b"<row " + b" ".join(b'a%d="1"' % n for n in range(300_000)) + b"/>"),
    )
    yield "elements in one another", _with(sheet, b"<a>" * 500_000)
    yield "a sheet of every cell", _with(sheet, b"", before=b'<dimension ref="A1:XFD1048576"/>')
    merged = b"".join(b'<mergeCell ref="A%d:XFD%d"/>' % (n, n) for n in range(1, 60_000))
    yield "60,000 merged rows", _with(sheet, b"", after=b"<mergeCells>" + merged + b"</mergeCells>")
    yield "entities", _with(sheet, b"<row><c><v>&j;</v></c></row>", head=_entities())
    strings = b"<sst>" + b"<si><t>x</t></si>" * 2_000_000 + b"</sst>"
    yield "two million strings", _replaced("xl/sharedStrings.xml", strings)
    styles = b"<styleSheet><cellXfs>" + b"<xf/>" * 2_000_000 + b"</cellXfs></styleSheet>"
    yield "two million styles", _replaced("xl/styles.xml", styles)
    yield "60,000 parts", _packed({f"xl/{n}.xml": b"" for n in range(60_000)})
    yield "archives in one another", _nested()
    yield "9 MB of quotes", b'"' * 9_000_000
    yield "9 MB of commas", b"," * 9_000_000
    yield "9 MB of lines", b"\n" * 9_000_000
    yield "one line of 9 MB", b"code,figure\n" + b"9" * 9_000_000
    yield "9 MB of digits in cells", b"code,figure\n" + b"indicator-0,9e9\n" * 560_000


def _plain() -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(xlsx_file(["a"], [["1"]]))) as parts:
        return {name: parts.read(name) for name in parts.namelist()}


def _packed(more: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as file:
        for name, content in (_plain() | more).items():
            file.writestr(name, content)
    return packed.getvalue()


def _replaced(name: str, content: bytes) -> bytes:
    return _packed({name: content})


def _with(name, rows: bytes, *, head=b"", before=b"", after=b"", pad=b"") -> bytes:
    space = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    content = b"".join(
        (b'<?xml version="1.0"?>', head, b'<worksheet xmlns="', space, b'">', before,
         b"<sheetData>", rows, pad, b"</sheetData>", after, b"</worksheet>")
    )  # fmt: skip
    return _packed({name: content})


def _entities() -> bytes:
    names = "abcdefghij"
    told = [f'<!ENTITY {names[0]} "{"x" * 100}">'] + [
        f'<!ENTITY {new} "{f"&{old};" * 10}">' for old, new in zip(names, names[1:], strict=False)
    ]
    return f"<!DOCTYPE x [{''.join(told)}]>".encode()


def _nested() -> bytes:
    content = b"0" * 1_000_000
    for n in range(12):
        content = _packed({f"{n}.zip": content, f"{n}.again.zip": content})
        if len(content) > 5_000_000:
            break
    return content
