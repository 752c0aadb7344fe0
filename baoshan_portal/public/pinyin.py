"""The first letters of pinyin, by which Chinese names are found: gxjsqy for 高新技术企业.

``pypinyin`` knows them, in a dictionary that would stay in each worker with 9 MB. It is asked by a
process of its own, which prints the letters of all characters there are: 28,672 of them. They are
kept in a file, so that this happens once for each version of the dictionary.
"""

import os
import subprocess
import sys
from functools import cache, lru_cache
from importlib.metadata import version

from django.conf import settings
from django.core.cache import caches

#: From the first sign of Chinese, with 〇, to the last of the characters in use; rarer ones stand
#: for themselves.
FIRST, LAST = 0x3000, 0x9FFF


@lru_cache(maxsize=50_000)
def initials(text: str) -> str:
    """The first letter of every character's pinyin; what has none stands for itself."""
    letters = _letters()
    return "".join(
        letters[ord(sign) - FIRST] if FIRST <= ord(sign) <= LAST else sign for sign in text
    )


@cache
def _letters() -> str:
    key = f"{version('pypinyin')}-{FIRST}-{LAST}"
    return caches["pinyin"].get_or_set(key, _asked)


def _asked() -> str:
    told = subprocess.run(
        [sys.executable, "-m", __name__],
        cwd=settings.BASE_DIR,
        # One reading a character is enough: its phrases take a second to load.
        env={**os.environ, "PYPINYIN_NO_PHRASES": "true"},
        check=True,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    return told.stdout


def _print() -> None:
    from pypinyin import Style, lazy_pinyin

    sys.stdout.reconfigure(encoding="utf-8")
    for code in range(FIRST, LAST + 1):
        (letter,) = lazy_pinyin(chr(code), style=Style.FIRST_LETTER)
        sys.stdout.write(letter)


if __name__ == "__main__":
    _print()
