"""The one writer of tables: safe, lossless, and no larger in memory than a few rows."""

import csv
import io
import subprocess
import tracemalloc
from datetime import date
from decimal import Decimal

import openpyxl
import pytest
from django.utils.translation import gettext, override
from hypothesis import given
from hypothesis import strategies as st

from measures.cells import LONGEST_CELL, quoted, unquoted
from measures.characters import printable
from measures.spreadsheets import (
    Column,
    Kind,
    Sheet,
    cells_of_column,
    csv_lines,
    download,
    machine_lines,
    streamed,
    workbook,
)
from measures.watermark import WATERMARK

pytestmark = [pytest.mark.once("writes files and asks no database"), pytest.mark.long]

COLUMNS = (
    Column("名称", 40),
    Column("值", 12, Kind.NUMBER),
    Column("日期", 12, Kind.DATE),
)
ANY_TEXT = st.text(st.characters(codec=None, categories=None), max_size=40)
FORMULAS = (
    "=1+1", "+1+1", "-A1", "@SUM(A1)", "＝1+1", "＋A1", "－A1", "＠A1", "=cmd|' /C calc'!A0",
    "#N/A",
)  # fmt: skip


def csv_rows(columns, rows, **how) -> list[list[str]]:
    text = "".join(csv_lines(columns, rows, **how))
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def sheet_of(columns, rows, **how):
    content = workbook([Sheet("表", columns, rows)], **how)
    return openpyxl.load_workbook(io.BytesIO(content)).active


def cells_of(columns, rows, **how) -> list[list]:
    return [list(row) for row in sheet_of(columns, rows, **how).values]


@pytest.mark.parametrize("text", [*FORMULAS[:-1], "\t=1"])
def test_csv_quotes_what_would_run(text):
    assert csv_rows(COLUMNS[:1], [[text]])[1] == [f"'{text}"]


@pytest.mark.parametrize("text", ["-3.2%", "−3.2 %", "+5家", "-1,475家", "－3.2%", "1/4", "#N/A"])
def test_csv_leaves_a_number_with_its_sign_alone(text):
    assert csv_rows(COLUMNS[:1], [[text]])[1] == [text]


@pytest.mark.parametrize("text", [*FORMULAS, "-3.2%", "1/4", "2023-07-31", "0012", "'=1"])
def test_a_text_cell_of_a_workbook_is_text_by_its_type(text):
    cell = sheet_of(COLUMNS[:1], [[text]])["A2"]

    assert (cell.value, cell.data_type, cell.number_format) == (text, "s", "@")


def test_numbers_and_dates_keep_their_type_in_their_columns_alone():
    rows = [
        ["一", Decimal("51.79"), date(2023, 7, 31)],
        ["二", 3, None],
        [Decimal("1.50"), "近30名", "未公布"],
        [date(2023, 7, 31), Decimal("12345678901234.5678"), 5],
        [True, True, False],
    ]

    with override("en"):
        sheet = [[cell.value for cell in row] for row in sheet_of(COLUMNS, rows).iter_rows()][1:]
        told = csv_rows(COLUMNS, rows)[1:]

    day = sheet[0][2].date()
    assert (sheet[0][:2], day) == (["一", 51.79], date(2023, 7, 31))
    assert sheet[1:] == [
        ["二", 3, None],
        ["1.5", "近30名", "未公布"],
        ["2023-07-31", "12345678901234.5678", "5"],
        ["yes", "yes", "no"],
    ]
    assert told == [
        ["一", "51.79", "2023-07-31"],
        ["二", "3", ""],
        ["1.5", "近30名", "未公布"],
        ["2023-07-31", "12345678901234.5678", "5"],
        ["yes", "yes", "no"],
    ]


def test_a_workbook_has_widths_a_frozen_head_and_choices():
    sheet = sheet_of((Column("代码", 30), Column("程度", choices=("实际", "初步"))), [["a", ""]])

    assert sheet.freeze_panes == "A2"
    assert sheet.print_title_rows == "$1:$1"
    assert sheet["A1"].font.bold
    assert [sheet.column_dimensions[letter].width for letter in "AB"] == [30, 16]
    (rule,) = sheet.data_validations.dataValidation
    assert rule.formula1 == '"实际,初步"'


def test_choices_can_stand_in_another_sheet():
    here = Column("代码", choices_from=cells_of_column("Li's list", 2, 3))
    (rule,) = sheet_of((here,), [["a"]]).data_validations.dataValidation

    assert rule.formula1 == "'Li''s list'!$B$2:$B$4"
    assert cells_of_column("空", 1, 0) == "'空'!$A$2:$A$2"


def test_a_demonstration_says_so_in_every_row(settings):
    settings.DEMO = True

    for rows in (csv_rows(COLUMNS[:1], [["一"]]), cells_of(COLUMNS[:1], [["一"]])):
        assert rows == [[WATERMARK, "名称"], [WATERMARK, "一"]]
    for rows in (
        csv_rows(COLUMNS[:1], [["一"]], last=True),
        cells_of(COLUMNS[:1], [["一"]], last=True),
    ):
        assert rows == [["名称", WATERMARK], ["一", WATERMARK]]


@given(ANY_TEXT, ANY_TEXT)
def test_any_text_comes_back_from_every_file(heading, text):
    columns, shown = (Column(heading),), printable(text)

    told = [[unquoted(cell) for cell in row] for row in csv_rows(columns, [[text]])]
    assert told == [[printable(heading)], [shown]]
    assert cells_of(columns, [[text]])[1:] == [[shown or None]]
    (line,) = csv.reader(io.StringIO("".join(machine_lines([text], [])), newline=""))
    assert line == [text]


@given(ANY_TEXT | st.builds("".join, st.lists(st.sampled_from(["'", *"=+-@\t\r＝5a"]))))
def test_what_is_quoted_comes_back_as_it_was(text):
    assert unquoted(quoted(text)) == text


def test_a_text_that_is_too_long_for_a_cell_is_cut_and_not_an_error():
    assert len(cells_of(COLUMNS[:1], [["一" * (LONGEST_CELL + 1)]])[1][0]) == LONGEST_CELL


def test_a_file_for_machines_quotes_nothing_but_what_came_before_the_doors_were_shut():
    rows = [["=1", True], ["a\x0bb", None], ["-3.2%", False]]
    text = "".join(machine_lines(["name", "sure"], rows))

    assert text == 'name,sure\r\n\'=1,true\r\n"a\nb",\r\n-3.2%,false\r\n'


@pytest.mark.parametrize("write", [csv_lines, lambda columns, rows: machine_lines("ab", rows)])
def test_rows_are_written_as_they_are_read(write):
    read = []

    def rows():
        for number in range(10_000):
            read.append(number)
            yield [f"第{number}行" * 20, number]

    lines = iter(write(COLUMNS[:2], rows()))
    for _line in range(5):
        next(lines)
    assert len(read) <= 4
    tracemalloc.start()
    for _line in lines:
        read.clear()
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 200_000


def test_a_download_is_made_in_the_language_that_it_was_asked_for_in():
    def rows():
        for _number in range(70_000):
            yield [gettext("yes")]

    with override("en"):
        answer = streamed(csv_lines(COLUMNS[:1], rows()), "a.csv")
    with override("zh-hans"):
        chunks = list(answer)

    assert len(chunks) > 3
    assert {*b"".join(chunks).decode().splitlines()[1:]} == {"yes"}


def test_what_goes_wrong_at_the_first_row_goes_wrong_before_anything_is_sent():
    def rows():
        raise LookupError
        yield

    for file_format in ("csv", "xlsx"):
        with pytest.raises(LookupError):
            download(file_format, "a", COLUMNS, rows(), f"a.{file_format}")


def test_libreoffice_runs_nothing(tmp_path, soffice):
    texts = [*FORMULAS, "-3.2%"]
    (tmp_path / "a.xlsx").write_bytes(workbook([Sheet("a", COLUMNS[:1], ([t] for t in texts))]))

    subprocess.run(
        [soffice, f"-env:UserInstallation=file://{tmp_path}/home", "--headless", "--convert-to",
         "csv:Text - txt - csv (StarCalc):44,34,76", "--outdir", str(tmp_path),
         str(tmp_path / "a.xlsx")],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip

    rows = list(csv.reader((tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()))
    assert [row[0] for row in rows[1:]] == texts
