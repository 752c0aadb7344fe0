"""Names of people: the family name first, as Chinese names are written."""

import re

#: Family names of two characters that occur today.
_TWO = frozenset(
    re.findall(
        "..",
        "欧阳太史端木上官司马东方独孤南宫万俟闻人夏侯诸葛尉迟公羊赫连澹台皇甫宗政濮阳公冶"
        "太叔申屠公孙慕容仲孙钟离长孙宇文司徒鲜于司空闾丘子车亓官司寇巫马公西颛孙壤驷公良"
        "漆雕乐正宰父谷梁拓跋夹谷轩辕令狐段干百里呼延东郭南门羊舌微生梁丘左丘东门西门南荣",
    )
)


def is_chinese(text: str) -> bool:
    """Whether ``text`` is written in Chinese characters, with the dot of longer names."""
    return bool(text) and all("\u3400" <= sign <= "\u9fff" or sign in "·〇" for sign in text)


def full_name(last: str, first: str) -> str:
    """张三 without a space, Zhang San with one; the family name first in both."""
    last, first = last.strip(), first.strip()
    return last + first if is_chinese(last + first) else f"{last} {first}".strip()


def split_name(name: str) -> tuple[str, str]:
    """Family name and given name in ``name``; ``full_name`` joins them again.

    A name of one word, or with a dot in it (Uyghur and Tibetan names), has no family name apart.
    """
    name = " ".join(name.split())
    last, space, first = name.partition(" ")
    if space:
        return last, first
    if not is_chinese(name) or "·" in name or len(name) < 2:
        return name, ""
    cut = 2 if name[:2] in _TWO and len(name) > 2 else 1
    return name[:cut], name[cut:]
