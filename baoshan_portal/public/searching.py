"""What a search compares: texts and words made alike, whatever way they are typed.

Full width and half, traditional and simplified characters, 〔〕 [] () （） and thousands separators
make no difference; a figure is found however it is written (148.54万, 1485400), and a thing under
the names that people have for it (``Synonym``).
"""

import re
import unicodedata
from decimal import Decimal
from difflib import get_close_matches
from functools import cache, lru_cache

from opencc import OpenCC
from pypinyin import Style, lazy_pinyin

from measures.characters import printable
from measures.numerals import plain
from metrics.rules.quantity import MAGNITUDES, PERCENT, RANK, QuantityError, read

#: Around what they hold, brackets and quotation marks are a matter of taste.
_NOTHING = str.maketrans("", "", "〔〕【】〖〗［］[]()（）《》〈〉<>「」『』“”‘’\"'")
_SUGGESTED = 3
_ALIKE = 0.5


@cache
def _simplified() -> OpenCC:
    return OpenCC("t2s")


@lru_cache(maxsize=50_000)
def folded(text: str) -> str:
    """``text`` as it is compared."""
    text = unicodedata.normalize("NFKC", printable(text)).lower().translate(_NOTHING)
    text = re.sub(r"(?<=\d),(?=\d)", "", text)
    # Most texts are compared again and again, and are simplified already.
    return _simplified().convert(text)


def asked_words(text: str) -> list[str]:
    """The words of a search, folded."""
    return folded(text).split()


def searchable(name: str, *others: str) -> str:
    """What a search compares: the Chinese name, its initials and whatever else describes it."""
    return " ".join((folded(name), initials(name), *map(folded, others))).lower()


@lru_cache(maxsize=50_000)
def initials(text: str) -> str:
    """The first letter of every character's pinyin: gxjsqy for 高新技术企业."""
    return "".join(lazy_pinyin(text, style=Style.FIRST_LETTER))


def number(value: Decimal, unit: str) -> str:
    """The same for every way of writing a value: 148.54 in 万元 and 1485400 in 元 are =1485400=."""
    return f"={plain(value * MAGNITUDES.get(unit[:1], 1))}="


def alternatives(word: str, synonyms: dict[str, str]) -> list[str]:
    """What may stand in a text that answers to the folded ``word``, which is the first of them.

    ``synonyms``: folded terms and what they mean. Longer terms are tried before those that are
    part of them.
    """
    found = [word]
    meant = word
    for term in sorted(synonyms, key=len, reverse=True):
        if term in meant and synonyms[term] not in meant:
            meant = meant.replace(term, synonyms[term])
    if meant != word:
        found.append(meant)
    try:
        quantity = read(word)
    except QuantityError:
        return found
    # 翻两番 and 第6 are found as they are written; their values stand for other things too.
    if quantity.unit not in (PERCENT, RANK):
        found.append(number(quantity.value, quantity.unit))
    return found


def suggestions(query: str, names: list[str]) -> list[str]:
    """The ``names`` that somebody who found nothing may have meant, the likeliest first.

    A wrong character of the same sound comes first, because that is how people mistype Chinese.
    """
    known = {folded(name): name for name in names}
    sound = initials(folded(query))
    same_sound = [name for text, name in known.items() if sound in initials(text)]
    alike = get_close_matches(folded(query), known, n=_SUGGESTED, cutoff=_ALIKE)
    return list(dict.fromkeys([*sorted(same_sound, key=len), *(known[text] for text in alike)]))[
        :_SUGGESTED
    ]
