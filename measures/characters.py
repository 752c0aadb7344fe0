"""Which characters a text may hold: cleaned where it enters, printable where it leaves.

Text enters in one form (NFC, ``\\n`` between lines) and holds nothing that XML, a spreadsheet or
a feed cannot carry, and nothing that changes how the text around it is read without being seen.
What people paste unknowingly and nobody sees is taken out; what cannot be what they meant is
refused with a sentence. Joiners (U+200C, U+200D) and variation selectors stay: emoji and rare
Chinese characters are written with them.
"""

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from .numerals import is_plain_number

#: Soft hyphen, zero-width spaces, marks of direction, byte order mark, invisible operators, tags.
_UNSEEN = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)
#: However a program ends a line: Word has a vertical tab in it, old printers a form feed.
_LINE_END = re.compile("\r\n|[\r\n\x0b\x0c\x85\u2028\u2029]")
_HALF = re.compile("[\ud800-\udfff]")
_REFUSED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")

MISSING = "\N{REPLACEMENT CHARACTER}"

#: What spreadsheet programs take for the beginning of a formula; some the full-width signs too.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def clean_text(text: str, multiline: bool = False) -> str:
    """``text`` as it is kept; in a single line, line ends and tabs become spaces.

    Raises ValidationError, with a sentence for the person, for characters that no file can carry.
    """
    if _is_tidy(text, multiline):
        return text
    if refused := _REFUSED.search(text):
        at = refused.start()
        place = _REFUSED.sub(MISSING, text[max(0, at - 10) : at + 11])
        raise ValidationError(
            _(
                "“%(place)s” holds a character that no file can carry (%(code)s): delete it, or "
                "type this place anew."
            ),
            code="unprintable",
            params={
                "place": _tidied(place, multiline=False),
                "code": f"U+{ord(refused[0]):04X}",
            },
        )
    return _tidied(text, multiline)


def printable(text: str, multiline: bool = True) -> str:
    """``text``, wherever it comes from, as every page, file and feed can carry it.

    What ``clean_text`` refuses is left out: nobody could see it. Of half a character a reader sees
    that something is missing.
    """
    if _is_tidy(text, multiline):
        return text
    return _tidied(_REFUSED.sub("", _HALF.sub(MISSING, text)), multiline)


def _is_tidy(text: str, multiline: bool) -> bool:
    """Whether nothing is to do, as with most texts."""
    shown = text.replace("\n", "") if multiline else text
    return shown.isprintable() and unicodedata.is_normalized("NFC", text)


def _tidied(text: str, multiline: bool) -> str:
    text = unicodedata.normalize("NFC", _UNSEEN.sub("", text))
    return _LINE_END.sub("\n", text) if multiline else _LINE_END.sub(" ", text).replace("\t", " ")


def begins_like_a_formula(text: str) -> bool:
    """Whether a spreadsheet program would run ``text``; a number with its sign is none."""
    return text.startswith(FORMULA_SIGNS) and not is_plain_number(text)


def refuse_formula(text: str) -> None:
    """Raises ValidationError for text that the open data, which quote nothing, could not hold."""
    text = text.lstrip()
    if begins_like_a_formula(text):
        raise ValidationError(
            _(
                "This begins with “%(sign)s” like a formula, and spreadsheet programs would run "
                "it: begin with another character."
            ),
            code="formula",
            params={"sign": text[0]},
        )
