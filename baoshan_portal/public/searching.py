"""What a search compares: texts and words made alike, whatever way they are typed.

Full width and half, traditional and simplified characters, 〔〕 [] () （） and thousands separators
make no difference; a figure is found however it is written (148.54万, 1485400), and a thing under
the names that people have for it (``Synonym``).
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from decimal import Decimal
from difflib import get_close_matches
from functools import cache, lru_cache

from django.utils.translation import gettext as _
from opencc import OpenCC

from measures.characters import printable
from measures.numerals import plain
from metrics.rules.quantity import MAGNITUDES, PERCENT, RANK, QuantityError, read

from .as_of import BadQuery
from .pinyin import initials

#: Characters of a search.
LONGEST = 100

#: Around what they hold, brackets and quotation marks are a matter of taste.
_NOTHING = str.maketrans("", "", "〔〕【】〖〗［］[]()（）《》〈〉<>「」『』“”‘’\"'")
#: Between what is never found together; nothing that people write or search for holds it.
APART = "\x1f"
_SUGGESTED = 3
_ALIKE = 0.5
#: Texts that are folded together.
_AT_ONCE = 2_000


def query_of(request) -> str:
    """What ``?q=`` asks for; raises BadQuery if it is longer than anybody types."""
    query = request.GET.get("q", "").strip()
    if len(query) > LONGEST:
        raise BadQuery(_("Search for at most %(n)d characters.") % {"n": LONGEST})
    return query


@cache
def _converter() -> OpenCC:
    return OpenCC("t2s")


def simplified(text: str) -> str:
    """``text`` with simplified characters for traditional ones."""
    return _converter().convert(text)


@lru_cache(maxsize=50_000)
def folded(text: str) -> str:
    """``text`` as it is compared."""
    text = unicodedata.normalize("NFKC", printable(text)).lower().translate(_NOTHING)
    text = re.sub(r"(?<=\d),(?=\d)", "", text)
    # Most texts are compared again and again, and are simplified already.
    return simplified(text)


def folded_all(texts: Sequence[str]) -> list[str]:
    """``folded`` of many texts, line ends as spaces; far quicker than one after the other."""
    fold = folded.__wrapped__
    found: list[str] = []
    for begin in range(0, len(texts), _AT_ONCE):
        some = texts[begin : begin + _AT_ONCE]
        lines = fold("\n".join(some)).split("\n")
        if len(lines) != len(some):
            lines = [fold(text).replace("\n", " ") for text in some]
        found += lines
    return found


def said_of(names: Sequence[str], *others: Sequence[str]) -> list[str]:
    """What a search compares of each of many rows: the Chinese name, its initials and whatever else
    describes it; a column each."""
    columns = [folded_all(names), map(initials, names), *map(folded_all, others)]
    return [" ".join(row).lower() for row in zip(*columns, strict=True)]


def said_of_values(rows: Sequence[tuple[str, str, Decimal, str, str]]) -> list[str]:
    """What is said of each of many values: how it is written, where, its number and its document.

    A row: as written, the locator, the value, its unit and the document.
    """
    written = folded_all([f"{as_written} {locator}" for as_written, locator, *_others in rows])
    # Of documents there are few.
    documents = {row[-1]: "" for row in rows}
    documents = dict(zip(documents, folded_all([*documents]), strict=True))
    return [
        f"{text} {number(value, unit)}{APART}{documents[document]}"
        for text, (_written, _locator, value, unit, document) in zip(written, rows, strict=True)
    ]


def asked_words(text: str) -> list[str]:
    """The words of a search, folded."""
    return folded(text).split()


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
    known = dict(zip(folded_all(names), names, strict=True))
    sound = initials(folded(query))
    same_sound = [name for text, name in known.items() if sound in initials(text)]
    alike = get_close_matches(
        folded(query), _that_can_be_alike(folded(query), known), n=_SUGGESTED, cutoff=_ALIKE
    )
    return list(dict.fromkeys([*sorted(same_sound, key=len), *(known[text] for text in alike)]))[
        :_SUGGESTED
    ]


def _that_can_be_alike(text: str, known: Iterable[str]) -> list[str]:
    """Those of ``known`` that have enough characters of ``text``: comparing in full takes long."""
    characters = set(text)
    return [
        name
        for name in known
        if 2 * sum(map(characters.__contains__, name)) >= _ALIKE * (len(name) + len(text))
    ]
