"""Damaged files, thousands in the long form: each is taken whole or refused, never half."""

import io
import random
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import islice

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction

from baoshan_portal.tests.desk import browser_of
from baoshan_portal.tests.slices import some
from measures.access import EDITOR
from measures.models import TrailEvent, User
from measures.tests.factories import (
    make_department,
    make_measure,
    make_report,
    make_round,
    make_section,
    make_staff,
    make_theme,
)
from metrics.models import Observation
from metrics.tests.factories import make_indicator, make_unit

from ..imports.reading import FileError, read_table
from ..imports.report_template import import_report
from ..imports.round_template import import_entries
from .tables import csv_file, xlsx_file

pytestmark = [
    pytest.mark.once("is about reading files; test_upload writes rows"),
    pytest.mark.long,
    pytest.mark.sweep,
]

CODES = [f"indicator-{number}" for number in range(4)]


class Files:
    """One table in each format, undamaged."""

    def __init__(self, headers: str, row: str):
        rows = [row.format(code=code).split(";") for code in CODES]
        self.csv = csv_file(headers.split(), rows)
        self.xlsx = xlsx_file(headers.split(), rows)
        self.gb18030 = self.csv.decode("utf-8-sig").encode("gb18030")


ROUND = Files("代码 指标 计量单位 本期数值 确定程度 说明", "{code};名称;家;约1,475家;实际;说明")
REPORT = Files(
    "报告位置 指标 计量单位 报告原文数值 所属期起 所属期止 确定程度 更正理由",
    "1.3/5;{code};家;约1,475家;2022-01-01;2022-12-31;实际;",
)
SCRAPS = (
    "=1+1", "'", '"', '"\n', ",", ";", "\t", "\r", "\n", "\x00", "\x0b", "\ufeff", "９" * 30, "-",
    "约", "翻两番", "第", "e9", "NaN", "Infinity", "一亿二千万元", "indicator-1", "代码", "code",
    "%", "1e400", "0x10", "٣", "²", "x" * 300, "1/0", "\U0001f600",
)  # fmt: skip
MARKUP = (
    b"<", b">", b"&", b"&x;", b'"', b"<c>", b"</row>", b't="e"', b't="s"', b't="d"', b't="b"',
    b'r="A0"', b'r="ZZZZ9"', b'r="9999999999"', b'r="-1"', b's="99999"', b"<v>9e999</v>",
    b"<!DOCTYPE x>", b"<![CDATA[", b"]]>", b"\xff", b"\x00", b'<mergeCell ref="A1:B2"/>',
    b"<v>nan</v>", b"<f>1</f>", b'ref="A1:XFD1048576"',
)  # fmt: skip


def flipped(content: bytes, chance: random.Random) -> bytes:
    damaged = bytearray(content)
    for _ in range(chance.randint(1, 8)):
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def cut(content: bytes, chance: random.Random) -> bytes:
    begin, end = sorted(chance.sample(range(len(content)), 2))
    return chance.choice([content[:end], content[begin:], content[:begin] + content[end:]])


def spliced(content: bytes, scraps, chance: random.Random) -> bytes:
    for _ in range(chance.randint(1, 4)):
        begin = chance.randrange(len(content))
        end = begin + chance.choice([0, 0, 1, 5])
        content = content[:begin] + chance.choice(scraps) + content[end:]
    return content


def noise(chance: random.Random) -> bytes:
    start = chance.choice([b"", b"PK\x03\x04", b"\xef\xbb\xbf", b"code,figure\n"])
    return start + chance.randbytes(chance.randint(0, 400))


def mutated_text(files: Files, chance: random.Random) -> bytes:
    lines = files.csv.decode("utf-8-sig").splitlines()
    cells = [line.split(",") for line in lines]
    for _ in range(chance.randint(1, 4)):
        row = chance.choice(cells)
        row[chance.randrange(len(row))] = chance.choice(SCRAPS)
        if chance.random() < 0.2:
            cells.insert(chance.randrange(len(cells)), chance.choice(cells))
    text = "\n".join(",".join(row) for row in cells)
    return text.encode(chance.choice(["utf-8", "utf-8-sig", "gb18030"]))


def mutated_zip(files: Files, chance: random.Random) -> bytes:
    """An xlsx file that unpacks well but holds a damaged, lost or misplaced part."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(files.xlsx)) as old, zipfile.ZipFile(packed, "w") as new:
        names = old.namelist()
        victim = chance.choice([*names, "xl/worksheets/sheet1.xml", "xl/worksheets/sheet1.xml"])
        for name in names:
            data = old.read(name)
            if name == victim:
                damage = chance.randrange(5)
                if damage == 0:
                    continue
                if damage == 1:
                    data = flipped(data, chance)
                elif damage == 2:
                    data = cut(data, chance)
                else:
                    data = spliced(data, MARKUP, chance)
            new.writestr(name, data)
    return packed.getvalue()


#: Of the damaged files of a kind, which are alike by the hundred
EVERY = 15
KINDS = {
    "bits of csv": (600, lambda it, chance: flipped(chance.choice([it.csv, it.gb18030]), chance)),
    "parts of csv": (300, lambda it, chance: cut(chance.choice([it.csv, it.gb18030]), chance)),
    "cells of csv": (700, mutated_text),
    "bits of xlsx": (500, lambda it, chance: flipped(it.xlsx, chance)),
    "parts of xlsx": (300, lambda it, chance: cut(it.xlsx, chance)),
    "xml of xlsx": (300, mutated_zip),
    "noise": (500, lambda it, chance: noise(chance)),
}


@dataclass
class Door:
    """An upload: its undamaged files, its page, and who sends which share of the files to it."""

    files: Files
    address: str
    take: Callable
    by: User
    share: int

    def damaged_files(self, kind: str):
        count, make = KINDS[kind]
        chance = random.Random(f"2023 {kind}")
        return (make(self.files, chance) for _ in some(range(count // self.share), every=EVERY))


@pytest.fixture(params=["round", "report"])
def door(db, request):
    department, unit = make_department(), make_unit()
    theme = make_theme(section=make_section(order=1), order=3)
    measure = make_measure(lead=department, theme=theme)
    for code in CODES:
        make_indicator(code=code, measure=measure, unit=unit)
    by = make_staff(EDITOR, departments=[department])
    if request.param == "report":
        report = make_report(opinion=theme.section.opinion)
        take = partial(import_report, report=report, by=by)
        # Most of the way is that of a round, which gets them all.
        return Door(REPORT, f"/admin/report-figures/{report.code}/", take, by, share=4)
    round_ = make_round(period_start=date(2023, 10, 1), period_end=date(2023, 12, 31))
    take = partial(import_entries, round=round_, department=department, by=by)
    return Door(ROUND, f"/admin/upload/{round_.code}/{department.code}/", take, by, share=1)


def test_there_are_thousands():
    assert sum(count for count, _make in KINDS.values()) == 3200


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file_is_taken_whole_or_refused_with_a_sentence(kind, door):
    seen = {"taken": 0, "refused": 0}
    for content in door.damaged_files(kind):
        try:
            readable = read_table(content)
        except FileError as error:
            assert all(problem.message for problem in error.problems)
            seen["refused"] += 1
            continue
        assert all(len(row.cells) == len(readable.headers) for row in readable.rows)
        with transaction.atomic():
            outcome = door.take(content)
            written = Observation.objects.count()
            assert written == (0 if outcome.problems else len(outcome.changes))
            recorded = TrailEvent.objects.filter(action="imported").count()
            assert recorded == (0 if outcome.problems else 1)
            transaction.set_rollback(True)
        seen["refused" if outcome.problems else "taken"] += 1
    assert seen["refused"] > 0
    count = KINDS[kind][0] // door.share
    assert seen["taken"] + seen["refused"] == len(some(range(count), every=EVERY))


@pytest.mark.filterwarnings("ignore")
def test_the_page_answers_every_kind_of_damage(door):
    browser = browser_of(door.by)
    for kind in KINDS:
        for content in islice(door.damaged_files(kind), len(some(range(4), every=4))):
            page = browser.post(door.address, {"file": SimpleUploadedFile("x.xlsx", content)})
            assert page.status_code == 200
            assert Observation.objects.count() == 0
