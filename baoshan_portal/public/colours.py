"""The colours of the style sheet, and how well each can be read on its ground.

Read from tokens.css itself, so that the page of components and the tests speak of what is shown.
"""

import re
from functools import cache

from django.conf import settings

TOKENS = settings.BASE_DIR / "static/css/tokens.css"
#: Where each palette is declared; other selectors may stand beside.
PALETTES = {"light": ":root", "dark": ":root.theme-dark", "device": ":root.theme-auto"}

#: Contrast that WCAG 2.1 AA asks of text, and of the border of a field (1.4.3, 1.4.11).
TEXT, BORDER = 4.5, 3.0
#: What stands on what, and the contrast that it needs.
PAIRS = (
    *(
        (name, ground, TEXT)
        for name in ("ink", "ink-soft", "accent", "accent-deep", "good", "warn", "bad", "open")
        for ground in ("paper", "paper-deep")
    ),
    ("ink", "field", TEXT),
    ("on-accent", "accent", TEXT),
    ("on-accent", "accent-deep", TEXT),
    ("paper", "ink", TEXT),
    ("ink-soft", "field", BORDER),
    ("ink-soft", "paper-deep", BORDER),
)
STATES = ("good", "warn", "bad", "open")


@cache
def palette(name: str) -> dict[str, str]:
    """The colours of one of ``PALETTES`` by their token, such as ``{"ink": "#1c1b19"}``."""
    css = TOKENS.read_text(encoding="utf-8")
    rules = re.search(
        rf"^\s*{re.escape(PALETTES[name])}(?:, [^{{]+)? \{{(.*?)\}}", css, re.DOTALL | re.MULTILINE
    )
    return dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{3,6});", rules[1]))


def luminance(colour: str) -> float:
    """Relative luminance of ``#rgb`` or ``#rrggbb`` as WCAG defines it: 0 is black, 1 white."""
    digits = colour.removeprefix("#")
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    shares = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (
        share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast of two colours as WCAG defines it: from 1, the same, to 21, black on white."""
    darker, lighter = sorted([luminance(one), luminance(other)])
    return (lighter + 0.05) / (darker + 0.05)
