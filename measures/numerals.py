"""Numbers in plain digits, and whether a text is nothing but a number."""

import re
import unicodedata
from decimal import ROUND_HALF_UP, Decimal

_NUMERALS = "零〇一二两三四五六七八九十百千万亿"
#: The words that may stand before a figure; ``metrics.rules.quantity`` reads what some of them say.
BEFORE = (
    "大约", "约", "将近", "近", "超过", "超", "逾", "达到", "达", "共计", "共", "总计", "总量",
    "总数", "全市", "排名", "位列",
)  # fmt: skip
#: A sign, a numeral, and at most a unit in letters: no cell, no function, no second operation.
_PLAIN = re.compile(
    rf"(?:{'|'.join(BEFORE)})*(?:翻了?番|(?:[-+负]|第|翻了?)?"
    rf"[0-9{_NUMERALS}点余多][0-9{_NUMERALS}点余多,.]*"
    rf"(?:(?:/|分之)[0-9{_NUMERALS}点,.]+)?"
    r"(?:[^\W\d_]*|[%‰]级?)(?:余|多|左右){0,2})"
)
#: A separator that does not stand before the third digit: 86,21 or a telephone number.
_MISPLACED = re.compile(r",(?![0-9]{3}(?![0-9]))")


def plain(value: Decimal, grouping: bool = False) -> str:
    """``value`` in digits: no exponent, no trailing zeros; 1,475 with ``grouping``."""
    text = format(value, ",f" if grouping else "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def rounded(value: Decimal, places: int = 2) -> Decimal:
    """``value`` to so many decimals, a half up and away from zero: 104.125 is 104.13.

    The one rounding of computed figures, on page and file alike.
    """
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def compact(text: str) -> str:
    """``text`` as figures in it are read: half-width, without spaces and what nobody can see.

    1 475 is a grouped number and becomes 1,475; 12 34 must not become 1234.
    """
    text = unicodedata.normalize("NFKC", text).replace("\N{MINUS SIGN}", "-")
    # Web pages and chats put marks between characters that nobody can see.
    text = "".join(char for char in text if unicodedata.category(char) != "Cf")
    text = re.sub(r"(?<=[0-9])\s+(?=[0-9])", ",", text)
    return re.sub(r"\s", "", text)


def is_plain_number(text: str) -> bool:
    """Whether ``text`` is one number with its sign and unit, and so no formula: -3.2%, +5家.

    Wider than what is read as a figure, but never so wide that a program could run it.
    """
    text = compact(text)
    return bool(_PLAIN.fullmatch(text)) and not _MISPLACED.search(text)
