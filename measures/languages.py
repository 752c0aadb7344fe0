"""Marks the Chinese that stands on an English page, so that a screen reader reads it as Chinese."""

import re

_HAN = "\u3000-\u303f\u3400-\u9fff\uff00-\uffef\U00020000-\U0003ffff"
#: Chinese from its first character to its last, with the digits and signs that belong to it:
#: 宝府〔2023〕70号, 51.79亿元, 第6. A Latin letter ends it, and so does markup.
_RUN = rf"(?:[0-9][0-9.,]*)?[{_HAN}](?:[^A-Za-z<&]*[{_HAN}])?[0-9]*"
_PART = re.compile(
    # What is marked already, up to the next tag, and what no reader reads
    r"(?P<left><(?:script|style|textarea)\b.*?</|<[^>]*\slang=\"zh[^>]*>[^<]*)"
    # Elements that can hold no other element carry the mark themselves
    rf"|<(?P<bare>option|text|tspan|title|desc)\b(?P<rest>[^>]*>[^<{_HAN}]*[{_HAN}][^<]*)"
    r"|<[^>]*>"
    rf"|(?P<run>{_RUN})",
    re.DOTALL,
)


def _marked(part: re.Match) -> str:
    if part["bare"]:
        return f'<{part["bare"]} lang="zh-Hans"{part["rest"]}'
    if part["run"]:
        return f'<span lang="zh-Hans">{part["run"]}</span>'
    return part[0]


def mark_chinese(html: str) -> str:
    """``html``, finished and escaped, with every Chinese run inside ``lang="zh-Hans"``.

    Names without a translation, numbers of documents and figures as printed turn up in every
    table, so they are marked here, once for all pages, rather than by each template. Attributes
    cannot be marked and stay as they are.
    """
    return _PART.sub(_marked, html)
