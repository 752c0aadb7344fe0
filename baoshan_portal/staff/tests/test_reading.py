"""What is in an uploaded table, and what is said of everything that is none."""

import io
import zipfile
from datetime import date
from decimal import Decimal

import openpyxl
import pytest
from django.test import override_settings

from ..imports import parsing as files
from ..imports.parsers.archives import LARGEST_UNPACKED
from ..imports.reading import FileError, Problem, read_table
from .tables import csv_file, xlsx_file

pytestmark = [pytest.mark.once("is about reading files"), pytest.mark.english]

TOO_LONG = "The table has more than 20000 rows"
TABLE = "代码,本期数值\nnew-firms,1475\n"


def cells(content: bytes) -> list[list[str]]:
    return [row.cells for row in read_table(content).rows]


def workbook(*rows, change=lambda sheet: None) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    change(book.active)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def repacked(content: bytes, change, **options) -> bytes:
    """An xlsx file again, after ``change(name, data)`` gave every part its new data."""
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(packed, "w", **{"compression": zipfile.ZIP_DEFLATED} | options) as new,
    ):
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return packed.getvalue()


def what_is_wrong(content: bytes) -> list[Problem]:
    with pytest.raises(FileError) as refusal:
        read_table(content)
    return refusal.value.problems


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_file_reads_the_same_in_every_usual_encoding(encoding):
    table = read_table(TABLE.encode(encoding))

    assert table.headers == ["代码", "本期数值"]
    assert [row.cells for row in table.rows] == [["new-firms", "1475"]]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_separator_of_a_csv_file_is_found_in_its_headers(separator):
    text = f"code{separator}figure\na{separator}5\n"

    assert cells(text.encode()) == [["a", "5"]]


def test_a_line_break_within_a_csv_cell_does_not_shift_the_row_numbers():
    rows = read_table(b'code,note\r\na,"one\r\ntwo"\r\n\r\nb,three\r\n').rows

    assert [(row.number, row.cells) for row in rows] == [
        (2, ["a", "one\ntwo"]),
        (4, ["b", "three"]),
    ]


def test_rows_above_the_headers_may_be_empty_and_short_rows_are_filled_up():
    table = read_table(b"\n,,\ncode,figure,note\na,5\n")

    assert table.headers == ["code", "figure", "note"]
    assert [(row.number, row.cells) for row in table.rows] == [(4, ["a", "5", ""])]


def test_values_of_a_spreadsheet_are_read_as_a_person_sees_them():
    def formats(sheet):
        sheet["E2"].number_format = "0.0%"

    row = [1475, 0.1 + 0.2, 1e15, date(2023, 9, 30), 0.285, True, "２.1万余", None]
    content = workbook(list("abcdefgh"), row, change=formats)

    assert cells(content) == [
        ["1475", "0.3", "1000000000000000", "2023-09-30", "28.5%", "TRUE", "２.1万余", ""]
    ]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (b" \r\n \n", "The file is empty."),
        (b",,,\n,,\n", "The file is empty."),
        (workbook(), "The file is empty."),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "The file is damaged"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "This is a picture"),
        (b"code,figure\na,\x005", "This is no table that can be read"),
        (b"\xef\xbb\xbfcode,note\na,\xff", "This is no table that can be read"),
        (b"code,note\na,\xff\xff", "This is no table that can be read"),
        (b"PK\x03\x04 and nothing more", "The file is damaged"),
        (workbook(["code"])[:-100], "The file is damaged"),
    ],
)
def test_what_is_no_table_is_told_in_a_sentence(content, sentence):
    (problem,) = what_is_wrong(content)

    assert problem.message.startswith(sentence)


def test_quotation_marks_that_do_not_match_are_told_with_their_row():
    (problem,) = what_is_wrong(b'code,note\na,fine\nb,"open\n')

    assert (problem.row, problem.message) == (3, "The quotation marks of this row do not match.")


@pytest.mark.parametrize("length", [32_768, 131_073, 1_000_000])
def test_a_cell_that_is_too_long_is_told_with_its_place(length):
    (problem,) = what_is_wrong(b"code,note\na,fine\nb," + b"x" * length + b"\n")

    assert (problem.row, problem.column) == (3, "B note")
    assert problem.message == "Expected at most 32767 characters."


def test_a_larger_file_than_allowed_is_not_even_opened():
    with override_settings(UPLOAD_LIMIT_MB=1):
        (problem,) = what_is_wrong(b"x" * (1024 * 1024 + 1))

    assert problem.message == "The file is larger than 1 MB."


def test_a_zip_bomb_is_refused_by_what_it_says_it_unpacks_to():
    zeros = bytes(LARGEST_UNPACKED + 1)
    bomb = repacked(
        workbook(["code"]), lambda name, data: zeros if name.endswith("sheet1.xml") else data
    )

    (problem,) = what_is_wrong(bomb)

    assert len(bomb) < 100_000
    assert problem.message.startswith("The .xlsx file unpacks to more than 40 MB")


def test_a_zip_bomb_that_lies_about_its_size_is_damage():
    big = b"<x>" + b" " * 5_000_000
    bomb = repacked(
        workbook(["code"]), lambda name, data: big if name.endswith("sheet1.xml") else data
    )
    lying = bomb.replace(len(big).to_bytes(4, "little"), (1000).to_bytes(4, "little"))

    assert lying != bomb
    assert what_is_wrong(lying)[0].message.startswith("The file is damaged")


def test_a_part_that_is_packed_in_an_unusual_way_is_refused():
    packed = repacked(workbook(["code"]), lambda name, data: data, compression=zipfile.ZIP_LZMA)

    assert what_is_wrong(packed)[0].message.startswith("The .xlsx file unpacks to more than")


def test_an_entity_bomb_is_damage():
    bomb = (
        b'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a "aaaaaaaaaa">'
        b'<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><worksheet>&b;</worksheet>'
    )
    content = repacked(
        workbook(["code"]), lambda name, data: bomb if name.endswith("sheet1.xml") else data
    )

    assert what_is_wrong(content)[0].message.startswith("The file is damaged")


@pytest.mark.timeout(20)
def test_merged_cells_that_never_end_are_damage_without_a_long_search():
    # When every one of them was searched to the end of the sheet, 16,000 took 23 seconds.
    open_tags = b"<mergeCell " * 200_000
    bomb = repacked(
        workbook(["code"]),
        lambda name, data: data.replace(b"</worksheet>", open_tags + b"</worksheet>"),
    )

    assert len(bomb) < 20_000
    assert what_is_wrong(bomb)[0].message.startswith("The file is damaged")


def test_only_the_first_of_very_many_faults_are_kept():
    def merge(sheet):
        for row in range(2, files.MOST_PROBLEMS + 10):
            sheet.merge_cells(f"A{row}:B{row}")

    assert len(what_is_wrong(workbook(["code"], change=merge))) == files.MOST_PROBLEMS
    assert len(what_is_wrong(b"code\n" + b"x," * 5_000)) == files.MOST_PROBLEMS


@pytest.mark.parametrize("make", [csv_file, workbook])
def test_a_formula_is_told_with_row_column_and_text(make):
    rows = ["code", "figure"], ["a", "5"], ["b", "=1+1"]
    content = make(*rows) if make is workbook else b"code,figure\na,5\nb,=1+1\n"

    assert what_is_wrong(content) == [
        Problem(
            "Expected a plain value, not a formula: paste it as a value.", 3, "B figure", "=1+1"
        )
    ]


def test_every_merged_range_is_told():
    def merge(sheet):
        sheet.merge_cells("A2:A3")
        sheet.merge_cells("B4:C4")

    problems = what_is_wrong(workbook(["code", "figure", "note"], ["a", 5], change=merge))

    assert [(problem.row, problem.text) for problem in problems] == [(2, "A2:A3"), (4, "B4:C4")]
    assert {problem.message[:22] for problem in problems} == {"Cells are merged here:"}


def test_a_cell_beside_the_table_is_told():
    assert what_is_wrong(b"code,figure\na,5,stray\n") == [
        Problem("This cell stands under no header.", 2, "C", "stray")
    ]


def test_a_table_may_be_as_long_as_the_limit_and_no_longer():
    longest = b"code\n" + b"a\n" * files.MOST_ROWS

    assert len(cells(longest)) == 20_000
    assert what_is_wrong(longest + b"a\n")[0].message.startswith(TOO_LONG)


def test_a_sheet_that_claims_to_be_endless_is_read_by_what_it_holds():
    content = repacked(
        workbook(["code", "figure"], ["a", 5]),
        lambda name, data: data.replace(b'ref="A1:B2"', b'ref="A1:XFD1048576"'),
    )

    assert cells(content) == [["a", "5"]]


def test_a_row_far_below_the_limit_is_told_as_too_many_rows():
    def far(sheet):
        sheet["A1048576"] = "b"

    (problem,) = what_is_wrong(workbook(["code"], ["a"], change=far))

    assert problem.message.startswith(TOO_LONG)


def test_a_table_that_is_too_wide_is_told():
    (problem,) = what_is_wrong(",".join(f"c{n}" for n in range(61)).encode())

    assert problem.message == "The table has more than 60 columns."


@pytest.mark.parametrize("write", [csv_file, xlsx_file])
def test_what_is_written_reads_back_as_it_was(write):
    rows = [["a", "=SUM(A1)", "-note", Decimal("51.79"), "1/4"], ["b", "", "", -5, None]]

    content = write(["code", "x", "y", "value", "text"], rows)

    assert cells(content) == [["a", "=SUM(A1)", "-note", "51.79", "1/4"], ["b", "", "", "-5", ""]]


@pytest.mark.parametrize("text", ["'=1+1", "'-3.2%", "'＝1", "=1+1", "-3.2%"])
def test_an_apostrophe_before_a_formula_is_no_part_of_a_workbooks_text(text):
    """Whoever opens our csv file and saves it as xlsx has it in the cell."""
    book = openpyxl.Workbook()
    book.active.append(["note"])
    book.active["A2"].value, book.active["A2"].data_type = text, "s"
    content = io.BytesIO()
    book.save(content)

    assert cells(content.getvalue()) == [[text.removeprefix("'")]]


@pytest.mark.parametrize("make", [csv_file, workbook])
def test_a_line_end_of_word_becomes_one_and_what_nobody_sees_goes(make):
    text = "一\x0b二\u200b\u202e三"
    content = (
        f'code,note\na,"{text}"\n'.encode()
        if make is csv_file
        else workbook(["code", "note"], ["a", text.replace("\x0b", "\n")])
    )

    assert cells(content) == [["a", "一\n二三"]]


def test_a_character_that_no_file_can_carry_is_told_with_its_place():
    (problem,) = what_is_wrong("code,note\na,重点\x07工作\n".encode())

    assert (problem.row, problem.column) == (2, "B note")
    assert "“重点�工作” holds a character" in problem.message
    assert problem.text == "重点工作"
