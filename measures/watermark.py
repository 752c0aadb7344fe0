"""The demonstration: a portal on a database of its own that also holds invented figures.

Whatever leaves it, page, file or mail, carries the watermark. Nobody sees an invented figure
without it, because DEMO and the mark in the database must agree (``demo_database``).
"""

from django.conf import settings

CHINESE, ENGLISH = "演示数据", "invented data"
#: In both languages everywhere: whoever is handed a file did not choose its language.
WATERMARK = f"{CHINESE} / {ENGLISH}"


def watermark() -> str:
    """What every page and file of a demonstration says; empty in a real portal."""
    return WATERMARK if settings.DEMO else ""


def watermarked(text: str) -> str:
    """``text`` for a title, behind the watermark if this is a demonstration."""
    return f"{WATERMARK} · {text}" if settings.DEMO else text


def file_name(name: str) -> str:
    """The name of a file to take away: demo-indicators.csv in a demonstration."""
    return f"demo-{name}" if settings.DEMO else name
