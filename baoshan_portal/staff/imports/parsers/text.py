"""Tables as text: .csv and .txt, in whatever encoding and with whatever separator."""

import csv
import io
import re
from collections.abc import Callable, Iterator

from django.utils.translation import gettext as _

from ..reading import FileError, Problem
from .sheets import Line, Source

SEPARATORS = ",\t;|，"
#: Lines in which the separator is looked for.
LINES_LOOKED_AT = 40

# Python's own limit of 131,072 characters would end the reading before LONGEST_CELL can be told;
# no cell is longer than the file, and that is limited before.
csv.field_size_limit(2**31 - 1)


def decoded(content: bytes) -> str:
    """The text of ``content``. Raises FileError for what is none."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ("utf-16",)
    elif content.startswith(b"\xef\xbb\xbf"):
        encodings = ("utf-8-sig",)
    elif half := _half_of_utf16(content):
        encodings = (half,)
    else:
        encodings = ("utf-8", "gb18030")
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        # No text has it, and every file of another kind.
        if "\0" not in text:
            return text
        break
    raise FileError(
        _("This is no table that can be read: send .xlsx, .ods, .xls, or a text table in UTF-8, "
          "UTF-16 or GB18030.")
    )  # fmt: skip


def _half_of_utf16(content: bytes) -> str:
    """Which byte comes first in a text of UTF-16 without a mark; '' if it is none."""
    head = content[:200]
    if len(head) % 2 or len(head) < 8:
        head = head[:-1]
    zeros = [index % 2 for index, byte in enumerate(head) if not byte]
    # A table has separators, so every text of it has ASCII signs.
    if len(zeros) < 4 or len(set(zeros)) > 1 or len(content) % 2:
        return ""
    try:
        content.decode(half := "utf-16-le" if zeros[0] else "utf-16-be")
    except UnicodeDecodeError:
        return ""
    return half if re.search(r"[\r\n]", content.decode(half)) else ""


def sheets(content: bytes, looks_right: Callable[[list[Line]], float]) -> list[Source]:
    """The one table of the text; ``looks_right`` says how much its first lines look like one."""
    text = decoded(content)
    first, end, rest = _first_line(text)
    if match := re.fullmatch(r'"?sep=(.)"?[,;\t]*', first.strip("\ufeff \r\n"), re.IGNORECASE):
        # It stands in line 1 of the file, so the others keep their numbers.
        return [Source("", lambda: _lines(end + rest, match[1]))]
    separator = _separator(text, looks_right)
    return [Source("", lambda: _lines(text, separator))]


def _first_line(text: str) -> tuple[str, str, str]:
    match = re.search(r"\r\n|\r|\n", text)
    return (text[: match.start()], match[0], text[match.end() :]) if match else (text, "", "")


def _separator(text: str, looks_right) -> str:
    head = "\n".join(text.strip("\r\n").splitlines()[:LINES_LOOKED_AT])
    best = max(SEPARATORS, key=lambda sign: looks_right(_looked_at(head, sign)))
    if looks_right(_looked_at(head, best)):
        return best
    first = head.partition("\n")[0]
    return max(",\t;", key=first.count)


def _looked_at(head: str, separator: str) -> list[Line]:
    found = []
    try:
        for number, cells in enumerate(csv.reader(io.StringIO(head), delimiter=separator), 1):
            found.append(Line(number, [cell.strip() for cell in cells[:200]]))
    except csv.Error:
        pass
    return found


def _lines(text: str, separator: str) -> Iterator[Line]:
    """Every line; a cell with line breaks is still one row."""
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    number = 0
    while True:
        number += 1
        try:
            cells = next(lines, None)
        except csv.Error:
            raise FileError(
                Problem(_("The quotation marks of this row do not match."), number)
            ) from None
        if cells is None:
            return
        yield Line(number, cells)
