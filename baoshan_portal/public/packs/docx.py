"""A briefing pack as a Word document in the layout of GB/T 9704-2012.

What it finds and what it is stand on pages of the standard; the tables follow on pages turned
sideways, one table a theme, because six columns need the width.
"""

import re
from datetime import datetime, time
from html import escape
from io import BytesIO

from django.utils.translation import gettext as _
from docx import Document
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt, RGBColor

from measures.characters import printable
from measures.text import day_in_words, joined
from measures.watermark import watermark, watermarked

from ..charts.figure import history_pictures

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

LATIN = "Times New Roman"
FANGSONG, HEITI, KAITI = "仿宋_GB2312", "黑体", "楷体_GB2312"
XIAOBIAOSONG = "方正小标宋简体"
#: What a computer takes that lacks the font; the fonts are named and never bundled.
INSTEAD = {FANGSONG: "仿宋", KAITI: "楷体", XIAOBIAOSONG: "宋体", HEITI: "SimHei"}

BODY = Pt(16)  # 三号
#: 22 lines of 28 characters in the 225 × 156 mm between the margins.
LINE = Pt(28.95)
#: The standard is for characters; Latin letters of that size would fill twice the pages.
LATIN_BODY, LATIN_LINE = Pt(12), Pt(18)
WIDTHS = (52, 37, 48, 36, 32, 42)  # mm, of the columns of a table; together 247

CHART = Mm(74)

#: Text of tables is 五号; Latin letters are read as well a step smaller, and need more room.
TABLE_TEXT, TABLE_LINE = Pt(10.5), Pt(13.5)
LATIN_TABLE_TEXT, LATIN_TABLE_LINE = Pt(9.5), Pt(11.5)

HYPHEN = "<w:noBreakHyphen/>"
_DATE = re.compile(r"\b\d{4}-\d\d-\d\d\b", re.ASCII)
_MARK = re.compile(f"({HYPHEN}|<w:br/>)")

#: What stands after snapToGrid and spacing in the order that Word insists on.
AFTER_SNAP = ("w:spacing", "w:ind", "w:contextualSpacing", "w:jc", "w:outlineLvl")
AFTER_SPACING = ("w:w", "w:kern", "w:position", "w:sz", "w:szCs", "w:u", "w:lang")


def write(pack, chinese: bool) -> bytes:
    """The document; ``chinese`` numbers the headings 一、 （一） 1. and indents by characters.

    Before the tables stand the charts of the key figures that have a history.
    """
    document = Document()
    _set_page(document, chinese)
    _set_styles(document, chinese)
    _set_properties(document, pack)
    for footer, side in (
        (document.sections[0].footer, WD_ALIGN_PARAGRAPH.RIGHT),
        (document.sections[0].even_page_footer, WD_ALIGN_PARAGRAPH.LEFT),
    ):
        _number_pages(footer.paragraphs[0], side)
    if watermark():
        for header in (document.sections[0].header, document.sections[0].even_page_header):
            header.paragraphs[0].style = "Footer"
            header.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.CENTER
            header.paragraphs[0].add_run(watermark())

    _say(document, pack.title, "Title")
    if pack.numbers:
        numbers = _("Deliberation opinion %(number)s") % {"number": pack.numbers}
        _say(document, numbers, "Subtitle")
    _say(document, pack.findings if pack.works else pack.empty_text, "Body Text")
    for name, value in pack.about:
        _say(document, _("%(name)s: %(value)s") % {"name": name, "value": value}, "Body Text")
    if pack.gravest:
        _say(document, _("What to ask"), "Heading 1")
        for number, question in enumerate(pack.gravest, start=1):
            _say(document, f"{number}. {question.sentence}", "Body Text")
        if pack.more_questions_text:
            _say(document, pack.more_questions_text, "Body Text")
    keys = [line.indicator for line in pack.lines if line.indicator.is_key]
    if charts := history_pictures(keys, pack.day):
        _say(document, _("The course of the key figures"), "Heading 1")
        _add_charts(document, charts)
    if pack.sources:
        _say(document, _("Sources"), "Heading 1")
        for number, source in enumerate(pack.sources, start=1):
            _say(document, f"{number}. {source}", "Body Text")
    if pack.works:
        _turn_page(document)
    opinion = None
    for section, themes in pack.sections:
        if pack.has_several and section.opinion != opinion:
            opinion = section.opinion
            _say(document, f"{opinion.number} {opinion}", "Subtitle")
        number = f"{chinese_number(section.order)}、" if chinese else f"{section.order} "
        _say(document, f"{number}{section}", "Heading 1")
        for theme, works in themes:
            number = f"（{chinese_number(theme.order)}）" if chinese else f"{theme.number} "
            _say(document, f"{number}{theme}", "Heading 2")
            _add_table(document, pack.columns, [_rows_of(work, chinese) for work in works])
    made = BytesIO()
    document.save(made)
    return made.getvalue()


def chinese_number(number: int) -> str:
    """一 … 九十九; larger numbers as digits, which no heading reaches."""
    digits = "零一二三四五六七八九"
    if not 0 < number < 100:
        return str(number)
    tens, ones = divmod(number, 10)
    ten = ("" if tens == 1 else digits[tens]) + "十" if tens else ""
    return ten + (digits[ones] if ones else "")


def _rows_of(work, chinese: bool) -> tuple[list[str], list[list[str]]]:
    """What stands across the table of a measure, its name first, and the rows of its figures."""
    measure = work.measure
    number = f"{measure.order}. " if chinese else f"{measure.number} "
    lead = _("%(name)s: %(value)s") % {"name": _("Lead department"), "value": work.lead}
    about = [lead + _(". "), measure.in_language("summary")]
    if not work.lines:
        about.append(_("The documents give no figure."))
    across = [f"{number}{measure}", joined(about)]
    for note in work.notes:
        day = day_in_words(note.happened_on)
        across.append(f"{day} {note.in_language('text')} {note.evidence_url}".strip())
    return across, [line.cells for line in work.lines]


def _say(document, text: str, style: str):
    paragraph = document.add_paragraph(printable(text))
    # By its id: to look a style up by name for every paragraph takes most of the time.
    paragraph._p.style = style.replace(" ", "")
    return paragraph


def _add_table(document, columns: list[str], works) -> None:
    """The table of a theme, put together as text: a call for each cell would take a second."""
    grid = "".join(f'<w:gridCol w:w="{_twips(width)}"/>' for width in WIDTHS)
    rows = [
        _row(
            [_cell([text], width, bold=True) for text, width in zip(columns, WIDTHS, strict=True)],
            head=True,
        )
    ]
    for across, lines in works:
        # The name of a measure stays with the first of its figures.
        whole = _cell(across, sum(WIDTHS), span=len(WIDTHS), bold_first=True, keep=bool(lines))
        rows.append(_row([whole]))
        for texts in lines:
            cells = [_cell([text], width) for text, width in zip(texts, WIDTHS, strict=True)]
            rows.append(_row(cells))
    table = (
        f'<w:tbl {nsdecls("w")}><w:tblPr><w:tblStyle w:val="TableGrid"/><w:tblW w:type="dxa" '
        f'w:w="{_twips(sum(WIDTHS))}"/><w:jc w:val="center"/><w:tblLayout w:type="fixed"/>'
        f'<w:tblLook w:firstRow="1" w:noHBand="1" w:noVBand="1"/></w:tblPr>'
        f"<w:tblGrid>{grid}</w:tblGrid>{''.join(rows)}</w:tbl>"
    )
    document.element.body._insert_tbl(parse_xml(table))
    _say(document, "", "Table Text")


def _add_charts(document, charts: list[tuple]) -> None:
    """Two beside each other, each with its name for who hears the document read."""
    table = document.add_table(rows=(len(charts) + 1) // 2, cols=2)
    places = [cell for row in table.rows for cell in row.cells]
    for (indicator, picture), cell in zip(charts, places, strict=False):
        paragraph = cell.paragraphs[0]
        paragraph.style = "Table Text"
        # Lines of an exact height would cut a picture off.
        paragraph.paragraph_format.line_spacing = 1.0
        shape = paragraph.add_run().add_picture(BytesIO(picture), width=CHART)
        shape._inline.docPr.set("descr", printable(_("Chart: %(names)s") % {"names": indicator}))


def _row(cells: list[str], *, head: bool = False) -> str:
    mark = "<w:tblHeader/>" if head else ""
    return f"<w:tr><w:trPr><w:cantSplit/>{mark}</w:trPr>{''.join(cells)}</w:tr>"


def _cell(texts: list[str], width: int, *, span=1, bold=False, bold_first=False, keep=False) -> str:
    """A cell of ``width`` mm with a paragraph for each text; ``keep`` it with the next row."""
    spans = f'<w:gridSpan w:val="{span}"/>' if span > 1 else ""
    paragraphs = []
    for number, text in enumerate(texts):
        strong = "<w:rPr><w:b/></w:rPr>" if bold or (bold_first and not number) else ""
        kept = "<w:keepNext/>" if keep or bold else ""
        layout = f'<w:pPr><w:pStyle w:val="TableText"/>{kept}</w:pPr>'
        paragraphs.append(f"<w:p>{layout}<w:r>{strong}{_run_text(text)}</w:r></w:p>")
    return (
        f'<w:tc><w:tcPr><w:tcW w:type="dxa" w:w="{_twips(width)}"/>{spans}</w:tcPr>'
        f"{''.join(paragraphs)}</w:tc>"
    )


def _run_text(text: str) -> str:
    """``text`` in a run; a date stays on one line, and is read as it was."""
    shown = escape(printable(text))
    shown = _DATE.sub(lambda day: day[0].replace("-", HYPHEN), shown).replace("\n", "<w:br/>")
    parts = _MARK.split(shown)
    return "".join(
        part if _MARK.fullmatch(part) else f'<w:t xml:space="preserve">{part}</w:t>'
        for part in parts
        if part
    )


def _twips(millimetres: int) -> int:
    return round(millimetres * 1440 / 25.4)


def _turn_page(document) -> None:
    """What follows stands on pages turned sideways."""
    page = document.add_section(WD_SECTION.NEW_PAGE)
    page.orientation = WD_ORIENT.LANDSCAPE
    page.page_width, page.page_height = Mm(297), Mm(210)
    page.top_margin, page.bottom_margin = Mm(20), Mm(18)
    page.left_margin, page.right_margin = Mm(25), Mm(25)
    page.footer_distance = Mm(12)


def _set_page(document, chinese: bool) -> None:
    page = document.sections[0]
    page.orientation = WD_ORIENT.PORTRAIT
    page.page_width, page.page_height = Mm(210), Mm(297)
    page.top_margin, page.bottom_margin = Mm(37), Mm(35)
    page.left_margin, page.right_margin = Mm(28), Mm(26)
    # The number stands 7 mm below the text.
    page.footer_distance = Mm(22)
    document.settings.odd_and_even_pages_header_footer = True
    grid = page._sectPr.find(qn("w:docGrid"))
    if grid is None:
        grid = OxmlElement("w:docGrid")
        page._sectPr.append(grid)
    grid.set(qn("w:type"), "lines")
    line = LINE if chinese else LATIN_LINE
    grid.set(qn("w:linePitch"), str(round(line.pt * 20)))


def _set_styles(document, chinese: bool) -> None:
    table_text, table_line = (
        (TABLE_TEXT, TABLE_LINE) if chinese else (LATIN_TABLE_TEXT, LATIN_TABLE_LINE)
    )
    body, line = (BODY, LINE) if chinese else (LATIN_BODY, LATIN_LINE)
    for name, font, size, indent in (
        ("Normal", FANGSONG, body, False),
        ("Title", XIAOBIAOSONG, Pt(22), False),
        ("Subtitle", FANGSONG, body, False),
        ("Heading 1", HEITI, body, True),
        ("Heading 2", KAITI, body, True),
        ("Heading 3", FANGSONG, body, True),
        ("Body Text", FANGSONG, body, True),
        ("Table Text", FANGSONG, table_text, False),
        ("Footer", "宋体", Pt(14), False),
    ):
        styles = document.styles
        style = styles[name] if name in styles else styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        _set_font(style, font, chinese)
        style.font.size = size
        style.font.color.rgb = RGBColor(0, 0, 0)
        style.font.bold = style.font.italic = False
        layout = style.paragraph_format
        layout.space_before = layout.space_after = Pt(0)
        layout.first_line_indent = 2 * body if indent else Pt(0)
        layout.line_spacing_rule = WD_LINE_SPACING.EXACTLY
        layout.line_spacing = line
        layout.widow_control = True
    for name in ("Title", "Subtitle"):
        layout = document.styles[name].paragraph_format
        layout.alignment = WD_ALIGN_PARAGRAPH.CENTER
        layout.space_after = line
        for border in document.styles[name].element.pPr.findall(qn("w:pBdr")):
            document.styles[name].element.pPr.remove(border)
    document.styles["Title"].paragraph_format.line_spacing = Pt(36)
    for name in ("Table Text", "Footer"):
        exact = name == "Table Text"
        document.styles[name].paragraph_format.line_spacing = table_line if exact else 1.0
        free = OxmlElement("w:snapToGrid")
        free.set(qn("w:val"), "0")
        document.styles[name].element.pPr.insert_element_before(free, *AFTER_SNAP)
    for name in ("Heading 1", "Heading 2", "Heading 3", "Body Text"):
        # 28 characters of 16 pt are 448 pt, and between the margins there are 442.2.
        closer = OxmlElement("w:spacing")
        closer.set(qn("w:val"), "-5")
        document.styles[name].element.rPr.insert_element_before(closer, *AFTER_SPACING)
    for side in ("left", "right"):
        path = f".//{qn('w:tblCellMar')}/{qn(f'w:{side}')}"
        margin = document.styles["Table Grid"].element.find(path)
        margin.set(qn("w:w"), "57")  # 1 mm
    default = document.styles.element.find(f".//{qn('w:rPrDefault')}//{qn('w:lang')}")
    default.set(qn("w:eastAsia"), "zh-CN")
    for part in document.part.package.iter_parts():
        if part.partname == "/word/fontTable.xml":
            part._blob = _font_table()


def _set_font(style, font: str, chinese: bool) -> None:
    style.font.name = LATIN
    fonts = style.element.rPr.rFonts
    # The fonts of the template's theme would win over these.
    fonts.attrib.clear()
    for kind in ("ascii", "hAnsi", "cs"):
        fonts.set(qn(f"w:{kind}"), LATIN)
    fonts.set(qn("w:eastAsia"), font)
    if chinese:
        # Quotation marks and dashes as wide as characters.
        fonts.set(qn("w:hint"), "eastAsia")
    for spacing in style.element.rPr.findall(qn("w:spacing")):
        style.element.rPr.remove(spacing)


def _font_table() -> bytes:
    fonts = "".join(
        f'<w:font w:name="{name}"><w:altName w:val="{instead}"/><w:charset w:val="86"/></w:font>'
        for name, instead in INSTEAD.items()
    )
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    return f'{head}<w:fonts xmlns:w="{space}">{fonts}</w:fonts>'.encode()


def _set_properties(document, pack) -> None:
    said = document.core_properties
    said.title = printable(watermarked(pack.title), multiline=False)[:255]
    said.author = said.last_modified_by = said.comments = ""
    said.created = said.modified = datetime.combine(pack.day, time())
    said.revision = 1


def _number_pages(paragraph, side) -> None:
    """— 1 — at the outer side, one character in from the edge."""
    paragraph.style = "Footer"
    paragraph.alignment = side
    paragraph.paragraph_format.left_indent = Pt(14)
    paragraph.paragraph_format.right_indent = Pt(14)
    paragraph.add_run("— ")
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), "PAGE")
    paragraph._p.append(field)
    number = paragraph.add_run("1")
    field.append(number._r)
    paragraph.add_run(" —")
