"""Files as offices send them, each with what the portal makes of it.

Those in ``office/`` were written by LibreOffice; the rest is built here, by what writes such files.
"""

import csv
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

import openpyxl
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

OFFICE = Path(__file__).parent / "office"
HEADERS = [
    "代码",
    "指标",
    "计量单位",
    "上次数值",
    "上次期间",
    "本期数值",
    "确定程度",
    "说明",
    "佐证链接",
]
LEFT_OUT = "Rows that are no figures are left out: "
SHOWN = "What a cell shows is read, not what it holds: "
ANOTHER = "This file is of another round"
THEIRS = "This file is of another department"


@dataclass(frozen=True)
class Case:
    """A file, with either ``values`` (code and figure as written) and how its ``notices`` begin,
    or how the ``refusals`` begin that are told."""

    name: str
    make: Callable[[], bytes]
    values: dict[str, str] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()


def office(name: str) -> Callable[[], bytes]:
    return (OFFICE / name).read_bytes


def row(code="firms", figure=66, **cells) -> list:
    """A row of the template: what ``cells`` say stands in the columns of these names."""
    by_name = {"代码": code, "本期数值": figure} | cells
    return [by_name.get(header) for header in HEADERS]


def book(*rows, headers=HEADERS, formats=None, change=lambda book: None) -> Callable[[], bytes]:
    def make() -> bytes:
        made = openpyxl.Workbook()
        for cells in [headers, *rows] if headers else rows:
            made.active.append(cells)
        for place, code in (formats or {}).items():
            made.active[place].number_format = code
        change(made)
        return saved(made)

    return make


def saved(made) -> bytes:
    content = io.BytesIO()
    made.save(content)
    return content.getvalue()


def text(*lines, headers=HEADERS, separator=",", end="\r\n", encoding="utf-8") -> Callable:
    def make() -> bytes:
        content = io.StringIO()
        rows = csv.writer(content, delimiter=separator, lineterminator=end)
        rows.writerows([headers, *lines] if headers else lines)
        return content.getvalue().encode(encoding)

    return make


def strict(make: Callable[[], bytes]) -> Callable[[], bytes]:
    """The same workbook in the strict form of its format."""
    names = (
        (b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
         b"http://purl.oclc.org/ooxml/spreadsheetml/main"),
        (b"http://schemas.openxmlformats.org/officeDocument/2006/relationships",
         b"http://purl.oclc.org/ooxml/officeDocument/relationships"),
        (b"<workbook ", b'<workbook conformance="strict" '),
    )  # fmt: skip

    def change(data: bytes) -> bytes:
        for plain, other in names:
            data = data.replace(plain, other)
        return data

    return lambda: repacked(make(), change)


def repacked(content: bytes, change) -> bytes:
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, change(old.read(name)))
    return packed.getvalue()


def with_macros(content: bytes) -> bytes:
    kind = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    macros = b"application/vnd.ms-excel.sheet.macroEnabled.main+xml"
    return repacked(content, lambda data: data.replace(kind, macros))


def archive(**parts: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as new:
        for name, data in parts.items():
            new.writestr(name.replace("__", "/").replace("_", "."), data)
    return packed.getvalue()


def old_document(stream: str) -> bytes:
    """A folder of the kind in which Word, WPS and Excel of old keep a document."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1024) + stream.encode("utf-16-le")


def several_columns(made) -> None:
    made.active.insert_cols(7)
    made.active["G1"] = "同比"
    made.active["G2"] = "12%"
    made.active["G3"] = "#REF!"


def rich(made) -> None:
    bold = TextBlock(InlineFont(b=True), "66")
    made.active["F2"] = CellRichText(bold, "家")


def second_table(made) -> None:
    notes = made.active
    notes.title = "填表说明"
    notes["A1"] = "请在第二张表填写"
    sheet = made.create_sheet("填报表")
    sheet.append(HEADERS)
    sheet.append(row())


def all_hidden(made) -> None:
    other = made.create_sheet("封面")
    made.active.sheet_state = "hidden"
    made.active = 1
    assert other.sheet_state == "visible"


QUARTER = {"上次数值": "64家", "上次期间": "2023年第3季度"}
LONG = "代码,指标,计量单位,上次数值,上次期间,本期数值,确定程度,说明,佐证链接"

CASES = [
    # What a cell shows
    Case("formats.ods", office("formats.ods"),
         {"share": "25%", "growth": "8.8%", "funds": "89400万元", "firms": "1,475家",
          "cost": "3.8亿元"}),
    Case("formats.xls", office("formats.xls"),
         {"share": "25%", "growth": "8.8%", "funds": "89400万元", "firms": "1,475家",
          "cost": "3.8亿元"}),
    Case("formats.xlsx", office("formats.xlsx"),
         {"share": "25%", "growth": "8.8%", "funds": "89400万元", "firms": "1,475家",
          "cost": "3.8亿元"}),
    Case("thousands and millions.ods", office("percent.ods"),
         {"share": "25%", "growth": "8.8%", "funds": "89,400.00千元", "cost": "8.9百万",
          "firms": "1,475"},
         (SHOWN + "F6 shows “1,475” and holds 1475.4",)),
    Case("thousands and millions.xls", office("percent.xls"),
         {"share": "25%", "growth": "8.8%", "funds": "89,400.00千元", "cost": "8.9百万",
          "firms": "1,475"},
         (SHOWN + "F6 shows “1,475” and holds 1475.4",)),
    Case("a negative number without its sign.xls", office("fraction.xls"),
         refusals=("This cell holds -5 and shows it without its sign",)),
    Case("fraction.xlsx", book(row("share", 0.25), formats={"F2": "# ?/?"}), {"share": "1/4"}),
    Case("negative in brackets.xlsx",
         book(row("growth", -3.2), formats={"F2": "0.0;[Red](0.0)"}), {"growth": "-3.2"}),
    Case("rounded.xlsx", book(row("funds", 51.786), formats={"F2": "0.00"}), {"funds": "51.79"},
         (SHOWN + "F2 shows “51.79” and holds 51.786",)),
    Case("a fraction that became a date.xlsx",
         book(row("share", date(2023, 1, 4)), formats={"F2": "m/d"}),
         refusals=("Expected one figure",)),
    Case("zero as a dash.xlsx",
         book(row(figure=0), formats={"F2": '_ * #,##0_ ;_ * -#,##0_ ;_ * "-"_ ;_ @_ '}),
         refusals=("This says neither that it is zero",)),
    Case("hidden by its format.xlsx", book(row(), formats={"F2": ";;;"}), {},
         (SHOWN + "F2 shows “” and holds 66",)),
    Case("rich text.xlsx", book(row(), change=rich), {"firms": "66家"}),
    Case("text with its unit.xlsx", book(row(figure="66"), formats={"F2": '@"家"'}),
         {"firms": "66家"}),
    Case("an error as note.xlsx", book(row(说明="#REF!")),
         refusals=("This is an error of the spreadsheet and no value",)),
    Case("an error.ods", office("error.ods"),
         refusals=("This is an error of the spreadsheet and no value",)),
    Case("an error.csv", text(row(figure="#N/A")),
         refusals=("This is an error of the spreadsheet and no value",)),
    Case("a formula.xls", office("formula.xls"),
         refusals=("Expected a plain value, not a formula",)),
    # Whose it is
    Case("template of an earlier quarter.xlsx",
         book(row(上次数值="51家", 上次期间="2023年第2季度")), refusals=(ANOTHER,)),
    Case("only the last value tells.csv",
         text(["firms", "51家", "66"], headers=["代码", "上次数值", "本期数值"]),
         refusals=(ANOTHER,)),
    Case("the same quarter a year before.xlsx", book(row(上次期间="2022年第3季度")),
         refusals=(ANOTHER,)),
    Case("the rows of another round.xlsx",
         book(row(**QUARTER), row("cost", 7, 上次期间="2023年第3季度"), row("people", 8)),
         refusals=(ANOTHER,)),
    Case("title of another quarter.csv", text(HEADERS, row(), headers=["2023年第三季度填报表"]),
         refusals=(ANOTHER,)),
    Case("title of another year.csv", text(HEADERS, row(), headers=["2022年度指标填报表"]),
         refusals=(ANOTHER,)),
    Case("title of another department.csv", text(HEADERS, row(), headers=["区商务委填报表"]),
         refusals=(THEIRS,)),
    Case("rows of another department.csv", text(row("theirs"), row("theirs-too")),
         refusals=(THEIRS,)),
    Case("for another period.csv",
         text(["firms", "2023年第3季度", "66"], headers=["代码", "本期期间", "本期数值"]),
         refusals=(ANOTHER,)),
    Case("for another round.csv",
         text(["firms", "66", "三季度 · 2023-q3"], headers=["代码", "本期数值", "填报轮次"]),
         refusals=(ANOTHER,)),
    Case("last periods written anew.csv",
         text(row(上次数值="64家", 上次期间="2023.9"), row("funds", 7)),
         {"firms": "66", "funds": "7"}, ("The column “Last period” was changed in the rows 2",)),
    Case("last period in other words.xlsx", book(row(上次数值="64家", 上次期间="2023Q3")),
         {"firms": "66"}),
    Case("names and codes that do not match.csv", text(row(指标="基金")),
         refusals=("This is the name of another indicator",)),
    # The header
    Case("title, unit, total, note and signature.ods", office("title.ods"), {"firms": "66"},
         (LEFT_OUT + "5 “合计”; 6 “注：1. 按台账。”; 7 “填表人：孙某”",)),
    Case("title, unit, total, note and signature.xls", office("title.xls"), {"firms": "66"},
         (LEFT_OUT + "5 “合计”; 6 “注：1. 按台账。”; 7 “填表人：孙某”",)),
    Case("title, unit, total, note and signature, strict.xlsx", strict(office("title.xlsx")),
         {"firms": "66"}, (LEFT_OUT + "5 “合计”; 6 “注：1. 按台账。”; 7 “填表人：孙某”",)),
    Case("header over two rows.ods", office("header3.ods"), {"firms": "66"},
         (LEFT_OUT + "4 “甲”",)),
    Case("header over two rows.csv",
         text(["代码", "上次", "", "本期", ""], ["", "数值", "期间", "数值", "说明"],
              ["firms", "64家", "2023年第3季度", "66", "按台账"], headers=["2023年四季度"]),
         {"firms": "66"}),
    Case("not in the corner, in another order.ods", office("offset.ods"),
         {"firms": "66", "funds": "7"}),
    Case("sep=.csv", text(["firms", "66"], headers=["代码", "本期数值"], separator=";",
                          encoding="utf-8-sig"), {"firms": "66"}),
    Case("sep line.csv", lambda: "sep=;\r\n代码;本期数值\r\nfirms;66\r\n".encode(),
         {"firms": "66"}),
    Case("a title with commas.csv", lambda: f"一,二,三\n{LONG}\nfirms,,,,,66,,,\n".encode(),
         {"firms": "66"}),
    Case("nearly the name.csv", text(["firms", "66"], headers=["代码", "本期数"]),
         refusals=("This column is not known: did you mean “Figure”?",)),
    Case("the name and a unit.csv", text(["funds", "66"], headers=["代码", "本期数值（万元）"]),
         refusals=("This column is not known: did you mean “Figure”?",)),
    Case("columns of one's own.xlsx", book(row(), row("funds", 7), change=several_columns),
         {"firms": "66", "funds": "7"}, ("Columns that are not known are left out: G 同比",)),
    Case("the header again on page two.csv", text(row(), HEADERS, row("funds", 7)),
         {"firms": "66", "funds": "7"}, (LEFT_OUT + "3 “代码”",)),
    Case("headings and subtotals.csv",
         text(["一、科技企业"], row(), ["", "小 计", "", "", "", "66"], row("funds", 7),
              ["", "总计（家）", "", "", "", "73"], ["备注：按台账"], ["第二句"], ["单位负责人：",
              "", "填表日期：2024年1月8日"]),
         {"firms": "66", "funds": "7"},
         (LEFT_OUT + "2 “一、科技企业”; 4 “小 计”; 6 “总计（家）”; 7 “备注：按台账”; 8 “第二句”; "
          "9 “单位负责人：”",)),
    Case("names without codes.xlsx",
         book(["企业", "家", 66], ["基金", "亿元", 9.12], headers=["指标名称", "单位", "本期数值"]),
         {"firms": "66", "funds": "9.12"},
         ("Rows without a code are matched by the name of the indicator: 2, 3",)),
    Case("a name that is nearly one.csv", text(["企业数", "5"], headers=["指标", "本期数值"]),
         refusals=("No indicator of this round has this name: did you mean “",)),
    Case("a table of months.xlsx",
         book(["企业", "家", 20, 22], headers=["指标名称", "计量单位", "10月", "11月"]),
         refusals=("The column “Figure” is missing; there are: 指标名称, 计量单位, 10月, 11月.",)),
    # Sheets, rows and columns that are hidden
    Case("hidden sheet and row.ods", office("hidden.ods"), {"firms": "66"},
         ("Hidden sheets are not read: “旧”", "Hidden rows are not read: 3",
          "Among them are rows with new values; show them to have them read: 3 “funds”")),
    Case("hidden sheet and row.xls", office("hidden.xls"), {"firms": "66"},
         ("Hidden sheets are not read: “旧”", "Hidden rows are not read: 3",
          "Among them are rows with new values; show them to have them read: 3 “funds”")),
    Case("hidden column with values.xlsx", office("hidden-column.xlsx"),
         refusals=("This column is hidden and holds values: show it, or delete it.",)),
    Case("a second sheet.xls", office("two-sheets.xls"), {"firms": "66"},
         ("Only the sheet “填报表” is read. Others that hold something are not: “汇总”",)),
    Case("the table on the second sheet.xlsx", book(headers=None, change=second_table),
         {"firms": "66"},
         ("Only the sheet “填报表” is read. Others that hold something are not: “填表说明”",)),
    Case("nothing but a hidden sheet.xlsx", book(row(), change=all_hidden),
         refusals=("The only table is on a hidden sheet, “Sheet”",)),
    Case("merged figures.xlsx", office("merged.xlsx"), refusals=("Cells are merged here",)),
    # Formats
    Case("strict.xlsx", strict(office("formats.xlsx")),
         {"share": "25%", "growth": "8.8%", "funds": "89400万元", "firms": "1,475家",
          "cost": "3.8亿元"}),
    Case("with macros.xlsm", lambda: with_macros(book(row())()), {"firms": "66"}),
    Case("of WPS.et", office("two-sheets.xls"), {"firms": "66"},
         ("Only the sheet “填报表” is read",)),
    Case("UTF-16.txt", text(row(), separator="\t", encoding="utf-16"), {"firms": "66"}),
    Case("UTF-16 without a mark.txt", text(row(), separator="\t", encoding="utf-16-le"),
         {"firms": "66"}),
    Case("GB18030.csv", text(row(), encoding="gb18030"), {"firms": "66"}),
    Case("with a mark.csv", text(row(), encoding="utf-8-sig"), {"firms": "66"}),
    Case("of an old Macintosh.csv", text(row(), row("funds", 7), end="\r"),
         {"firms": "66", "funds": "7"}),
    Case("a web page.xls", lambda: b"<html><body><table><tr><td>firms</td></tr></table></html>",
         refusals=("This is a web page, whatever its name says",)),
    Case("XML of 2003.xls",
         lambda: b'<?xml version="1.0"?><Workbook '
                 b'xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>',
         refusals=("This is an XML table of Excel 2003",)),
    Case("a text.wps", lambda: old_document("WordDocument"),
         refusals=("This is a text document of Word or WPS",)),
    Case("with a password.xlsx", lambda: old_document("EncryptedPackage"),
         refusals=("This file has a password",)),
    Case("a text.docx", lambda: archive(word__document_xml=b"<w/>"),
         refusals=("This is a text document",)),
    Case("a picture of it.pdf", lambda: b"%PDF-1.7\n%\xe2\xe3", refusals=("This is a PDF",)),
    Case("several in one.zip", lambda: archive(a_xlsx=b"PK"), refusals=("This is an archive",)),
    # Figures in words
    Case("wordings.csv",
         text(row(figure="四十余家"), row("funds", "约５亿元"), row("growth", "翻两番"),
              row("cost", "2.1万余"), row("share", "十分之一")),
         {"firms": "四十余家", "funds": "约５亿元", "growth": "翻两番", "cost": "2.1万余",
          "share": "十分之一"}),
    Case("a day with its time.xlsx", book(row(说明=datetime(2023, 12, 31, 8, 30))),
         {"firms": "66"}),
]  # fmt: skip
