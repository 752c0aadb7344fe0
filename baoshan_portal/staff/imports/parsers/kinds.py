"""What kind of file somebody sent: told by its content, because names are changed lightly."""

import re
import zipfile

from django.utils.translation import gettext as _

from ..reading import FileError

_HTML = re.compile(rb"<(!doctype\s+html|html|head|body|table|meta)\b")
#: So much of a text tells whether it is a web page or a workbook of XML.
_TEXT_LOOKED_AT = 4_000


def refuse_foreign(content: bytes) -> None:
    """Raises FileError for files of known kinds that hold no table for us."""
    if message := _foreign(content):
        raise FileError(message)


def _foreign(content: bytes) -> str:
    if content[:1024].lstrip().startswith(b"%PDF"):
        return _("This is a PDF: it holds a picture of the table. Send the spreadsheet itself.")
    if content.startswith((b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM6", b"II*\0", b"MM\0*")):
        return _("This is a picture: send the spreadsheet itself.")
    if content.startswith((b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b")):
        return _("This is an archive: unpack it and send the table alone.")
    if content.lstrip().startswith(b"{\\rtf"):
        return _text_document()
    head = content[:_TEXT_LOOKED_AT]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head.decode("utf-16", "ignore").encode()
    head = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if b"urn:schemas-microsoft-com:office:spreadsheet" in head and head.startswith(b"<"):
        return _("This is an XML table of Excel 2003: open it and save it as .xlsx.")
    if head.startswith(b"mime-version:") or (head.startswith(b"<") and _HTML.search(head)):
        return _("This is a web page, whatever its name says: open it in a spreadsheet program and "
                 "save it as .xlsx.")  # fmt: skip
    if head.startswith(b"<?xml"):
        return _("This is an XML file and no table: open it in a spreadsheet program and save it "
                 "as .xlsx.")  # fmt: skip
    return ""


def _text_document() -> str:
    return _("This is a text document: copy its table into a spreadsheet and send that.")


def foreign_archive(archive: zipfile.ZipFile) -> str:
    """What is wrong with an archive that is no workbook; '' if it may be one."""
    names = archive.namelist()
    kind = archive.read("mimetype")[:100] if "mimetype" in names else b""
    if "word/document.xml" in names or b"opendocument.text" in kind:
        return _text_document()
    if "ppt/presentation.xml" in names or b"opendocument.presentation" in kind:
        return _("These are slides: copy the table into a spreadsheet and send that.")
    if "xl/workbook.bin" in names or any(name.endswith(".iwa") for name in names):
        return _("This kind of workbook cannot be read: save it as .xlsx.")
    if any(re.search(r"\.(xlsx?|xlsm|ods|et|csv|txt)$", name, re.IGNORECASE) for name in names):
        return _("This is an archive: unpack it and send the table alone.")
    return ""
