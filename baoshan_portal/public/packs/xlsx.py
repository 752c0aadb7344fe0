"""A briefing pack as a workbook."""

from datetime import date
from io import BytesIO

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from measures.watermark import watermarked, with_watermark

from ..lists.page import safe_cell

WIDEST = 48


def write(pack, sheets: dict[str, list[list]]) -> bytes:
    """A sheet for each of ``sheets``, whose first row is the head that stays in sight."""
    book = Workbook()
    book.remove(book.active)
    book.properties.creator = ""
    book.properties.title = _clean(watermarked(pack.title))
    for title, rows in sheets.items():
        sheet = book.create_sheet(title[:31])
        for row in with_watermark(rows):
            sheet.append([_clean(cell) for cell in row])
        sheet.freeze_panes = "A2"
        sheet.print_title_rows = "1:1"
        sheet.page_setup.orientation = "landscape"
        sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
        sheet.sheet_properties.pageSetUpPr.fitToPage = True
        sheet.page_setup.fitToHeight = 0
        for cell in sheet[1]:
            cell.font = Font(bold=True)
        for number, column in enumerate(sheet.columns, start=1):
            # A Chinese character is as wide as two digits.
            widest = max(len(str(cell.value or "").encode("gb18030", "replace")) for cell in column)
            width = sheet.column_dimensions[get_column_letter(number)]
            width.width = min(widest, WIDEST) + 2
            for cell in column:
                cell.alignment = Alignment(wrap_text=widest > WIDEST, vertical="top")
    made = BytesIO()
    book.save(made)
    return made.getvalue()


def _clean(cell):
    """Dates and numbers as they are, text that neither runs as a formula nor breaks the file."""
    if isinstance(cell, date):
        return cell
    cell = safe_cell(cell)
    return ILLEGAL_CHARACTERS_RE.sub("", cell) if isinstance(cell, str) else cell
