"""Tags for pages of the public and of staff; loaded in all templates."""

import re
import secrets
from datetime import datetime

from django import template
from django.conf import settings
from django.template.defaultfilters import date as date_text
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import get_language

from .. import watermark
from ..languages import mark_chinese
from ..text import day_in_words

register = template.Library()

_DAY = re.compile(r"\b(\d{4}-\d\d-\d\d)\b", re.ASCII)


@register.inclusion_tag("public/_demo.html")
def demo_banner():
    """The watermark of a demonstration on top of a page; nothing in a real portal."""
    return {"is_demo": settings.DEMO, "chinese": watermark.CHINESE, "english": watermark.ENGLISH}


@register.simple_tag
def once() -> str:
    """A key in a form that adds something, so that it does so once however often it arrives."""
    return format_html('<input type="hidden" name="once" value="{}">', secrets.token_hex(16))


@register.simple_block_tag
def in_its_language(content) -> str:
    """The content of the block; on an English page its Chinese is marked as Chinese."""
    return mark_safe(mark_chinese(content)) if get_language() == "en" else content


@register.inclusion_tag("public/_bar.html")
def bar(share, text):
    """A small bar, ``share`` of it filled, beside ``text``, which says the same in words.

    More than the whole fills it, less than nothing leaves it empty. None is not known: then there
    is no bar, because an empty one would say zero.
    """
    width = None if share is None else f"{100 * min(1, max(0, float(share))):.4g}"
    return {"width": width, "text": text}


@register.filter(expects_localtime=True)
def day(value) -> str:
    """A day as readers see it, readable by programs as well, and never broken between two lines."""
    return format_html('<time datetime="{0}">{0}</time>', date_text(value, "Y-m-d"))


@register.filter
def whole_days(text: str):
    """``text`` with every day such as 2023-07-25 kept on one line."""
    parts = _DAY.split(text)
    # Of a pattern with one group, every second part is what it found.
    return format_html_join(
        "",
        "{}",
        (
            (format_html('<span class="whole">{}</span>', part) if number % 2 else part,)
            for number, part in enumerate(parts)
        ),
    )


@register.filter(expects_localtime=True)
def in_words(value) -> str:
    """A day as prose has it, 2023年7月25日, never broken between two lines."""
    if not value:
        return ""
    day = value.date() if isinstance(value, datetime) else value
    return format_html(
        '<time datetime="{}" class="whole">{}</time>', day.isoformat(), day_in_words(day)
    )


@register.filter
def words(row, field: str) -> str:
    """``row``'s ``field`` in the reader's language."""
    return row.in_language(field)
