"""Workbooks to take away meet the essential points of the checklist for accessible statistics.

The points are those of the UK Government Analysis Function, “making spreadsheets accessible: a
checklist of the basics”; real files of real rows are opened as a reader's program opens them.
"""

import subprocess
import tracemalloc
import zipfile
from functools import cache
from io import BytesIO
from urllib.parse import unquote

import openpyxl
import pytest
from django.test import Client

from baoshan_portal.tests.pages import LISTS
from baoshan_portal.tests.slices import some
from measures.accessible_workbook import Cover, publication
from measures.spreadsheets import Column, Kind, Sheet
from measures.tests.factories import ISSUED, make_measure
from measures.watermark import WATERMARK
from metrics.rules.choices import Missing
from metrics.tests.factories import make_indicator, make_observation, make_target

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.once("what a file is made of depends on no database"),
    pytest.mark.long,
]

BOOKS = [f"{address}?format=xlsx" for address in LISTS] + ["/packs/pack.xlsx"]


@pytest.fixture(scope="module")
def rows(module_rows):
    """An indicator with all that belongs to it, and one of which nothing is known."""
    measure = make_measure(name="甲", name_en="Alpha")
    indicator = make_indicator(measure=measure, name="有数", name_en="Known")
    make_observation(indicator=indicator, published=ISSUED)
    make_target(indicator=indicator, published=ISSUED)
    make_indicator(measure=measure, name="无数", name_en="Unknown")


def book_at(address: str):
    content = Client().get(address).content
    return content, openpyxl.load_workbook(BytesIO(content))


@pytest.fixture(scope="module")
def book_of(rows):
    """A workbook of what is there for the whole module, which is asked for once."""
    return cache(book_at)


def table_of(sheet):
    (table,) = sheet.tables.values()
    return table


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("prefix", "address"),
    # All in English, which the next test reads as well, and the two kinds in Chinese too.
    [
        *(("/en", address) for address in BOOKS),
        *(("", address) for address in some(BOOKS, every=3)),
    ],
)
def test_a_workbook_meets_every_essential_point(book_of, address, prefix):
    content, book = book_of(f"{prefix}{address}")
    cover, notes, *data = book.worksheets

    # Document information; the cursor in the first cell of the first sheet.
    assert book.properties.title
    assert book.properties.language == ("en-GB" if prefix else "zh-CN")
    assert book.active is cover
    assert {sheet.sheet_view.selection[0].activeCell for sheet in book} == {"A1"}
    # Sheets have different names, and none is blank.
    assert len({sheet.title.casefold() for sheet in book}) == len(book.sheetnames)
    assert all(sheet["A1"].value for sheet in book)
    # Titles are marked as such; no headers, footers, merged or hidden cells, pictures or macros.
    assert {sheet["A1"].style for sheet in book} == {"Headline 1"}
    for sheet in book:
        parts = (sheet.oddHeader, sheet.oddFooter, sheet.evenHeader, sheet.evenFooter)
        assert not any(part.left.text or part.center.text or part.right.text for part in parts)
        assert not sheet.merged_cells.ranges
        assert not any(column.hidden for column in sheet.column_dimensions.values())
        assert not sheet._images
        assert not sheet._charts
        assert sheet.print_area
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert sheet.page_setup.fitToHeight == 0
    assert not [name for name in zipfile.ZipFile(BytesIO(content)).namelist() if "vba" in name]
    # The cover is text in the first column, without a gap.
    assert cover.max_column == 1
    assert all(cell.value for (cell,) in cover.iter_rows())
    # One marked table a sheet at the left edge, with one head of different, filled names.
    tables = [notes, *(sheet for sheet in data if sheet.max_row > 2)]
    assert len(tables) > 1
    for sheet in tables:
        table = table_of(sheet)
        assert table.ref == f"A3:{sheet.cell(sheet.max_row, sheet.max_column).coordinate}"
        assert table.headerRowCount == 1
        assert table.autoFilter is None
        heads = [cell.value for cell in sheet[3]]
        assert [column.name for column in table.tableColumns] == heads
        assert all(heads)
        assert len({head.casefold() for head in heads}) == len(heads)
        # Texts wrap, and no cell is blank.
        for line in sheet.iter_rows(min_row=4):
            assert all(cell.value not in (None, "") for cell in line), [c.value for c in line]
            assert all(cell.alignment.wrap_text for cell in line)
    assert len({table_of(sheet).displayName for sheet in tables}) == len(tables)


@pytest.mark.english
@pytest.mark.parametrize("address", BOOKS)
def test_every_code_of_a_missing_value_is_explained_on_the_notes(book_of, address):
    _content, book = book_of(f"/en{address}")
    explained = {row[0] for row in book["Notes"].values}
    used = {
        cell
        for sheet in book.worksheets[2:]
        for row in sheet.values
        for cell in row
        if isinstance(cell, str) and cell.startswith("[")
    }

    assert used
    assert used <= explained
    assert {f"[{reason.label}]" for reason in Missing} <= explained


@pytest.mark.sweep
@pytest.mark.parametrize("address", some(BOOKS, every=3))
def test_the_cover_says_what_when_which_and_whom_to_ask(rows, address, settings):
    settings.CONTACT, settings.DATA_LICENCE = "office@example.org", "Open licence"
    mark = "&" if "?" in address else "?"
    _content, book = book_at(f"/en{address}{mark}as_of=2023-12-31")
    said = [row[0] for row in book["Cover"].values]

    for heading in ("Source", "Date of the data", "Filters", "Contact", "Licence"):
        assert heading in said, heading
    text = "\n".join(said)
    for words in ("office@example.org", "Open licence", "2023-12-31"):
        assert words in text
    assert [line.partition(":")[0] for line in said[-len(book.sheetnames[1:]) :]] == (
        book.sheetnames[1:]
    )


def test_a_cover_names_the_filters_in_use(rows):
    _content, book = book_at("/en/indicators/?format=xlsx&q=Known&kind=stock")

    assert "Search: Known; Kind: stock" in [row[0] for row in book["Cover"].values]


def test_a_demonstration_says_so_on_its_cover_and_in_every_row(rows, settings):
    settings.DEMO = True
    _content, book = book_at("/en/indicators/?format=xlsx")

    assert WATERMARK in [row[0] for row in book["Cover"].values]
    assert WATERMARK in book.properties.title
    for sheet in book.worksheets[1:]:
        assert {row[0] for row in list(sheet.values)[2:]} == {WATERMARK}


def test_a_list_without_rows_says_so(rows):
    _content, book = book_at("/en/indicators/?format=xlsx&q=nowhere")

    assert [row[0] for row in book.worksheets[-1].values] == ["Indicators", "There are no rows."]
    assert not book.worksheets[-1].tables


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_file_has_a_chinese_name_for_readers_of_chinese(rows, kind):
    told = Client().get(f"/indicators/?format={kind}&as_of=2023-12-31")["Content-Disposition"]

    plain, called = told.split("; filename*=UTF-8''")
    assert plain == f'attachment; filename="indicators-2023-12-31.{kind}"'
    assert unquote(called) == f"指标_2023-12-31.{kind}"
    assert "*" not in Client().get(f"/en/indicators/?format={kind}")["Content-Disposition"]


def test_heads_that_are_alike_or_empty_are_told_apart():
    columns = [Column("Date"), Column("date"), Column(""), Column("")]
    content = publication(Cover("a", "b"), [Sheet("t", columns, [[1, 2, 3, 4]])], [], "[x]")
    heads = [cell.value for cell in openpyxl.load_workbook(BytesIO(content))["t"][3]]

    assert len({head.casefold() for head in heads}) == 4
    assert heads[:2] == ["Date", "date (2)"]


def test_memory_does_not_grow_with_the_rows():
    def written(count: int) -> int:
        columns = [Column("名称", 40), Column("值", 12, Kind.NUMBER)]
        made = ([f"第{number}行", number] for number in range(count))
        tracemalloc.start()
        publication(Cover("a", "b"), [Sheet("t", columns, made)], [], "[x]")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    written(10)
    assert written(4_000) < written(400) + 1_000_000


def test_libreoffice_opens_it(rows, soffice, tmp_path):
    content, _book = book_at("/indicators/?format=xlsx")
    (tmp_path / "a.xlsx").write_bytes(content)

    subprocess.run(
        [soffice, f"-env:UserInstallation=file://{tmp_path}/home", "--headless", "--convert-to",
         "pdf", "--outdir", str(tmp_path), str(tmp_path / "a.xlsx")],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip

    assert (tmp_path / "a.pdf").stat().st_size > 1000
