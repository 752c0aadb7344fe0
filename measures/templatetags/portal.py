"""Tags that every page of the portal uses; loaded in all templates."""

from django import template
from django.conf import settings
from django.template.defaultfilters import date as date_text
from django.urls import reverse, translate_url
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import mark_safe
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from .. import demo
from ..as_of import address
from ..languages import mark_chinese

register = template.Library()


@register.simple_tag(takes_context=True)
def page(context, target, *args, **query) -> str:
    """The address of ``target``, keeping the day that this page speaks of; see ``address``."""
    return address(context.get("request"), target, *args, **query)


@register.simple_tag(takes_context=True)
def this_page_in(context, language: str) -> str:
    """This page's address in the other language; the overview's where the page has none."""
    request = context["request"]
    # A path that begins with two slashes would be read as the name of another site.
    path = "/" + request.path_info.lstrip("/")
    here = f"{path}?{request.GET.urlencode()}".rstrip("?")
    there = translate_url(here, language)
    if there == here:
        with override(language):
            there = reverse("overview")
    return there


@register.simple_tag(takes_context=True)
def day_of_page(context):
    """The day that the page speaks of: the one asked for, or today."""
    return getattr(context.get("request"), "as_of", None) or timezone.localdate()


@register.inclusion_tag("_demo.html")
def demo_banner():
    """The watermark of a demonstration on top of a page; nothing in a real portal."""
    return {"is_demo": settings.DEMO, "chinese": demo.CHINESE, "english": demo.ENGLISH}


@register.simple_block_tag
def in_its_language(content) -> str:
    """The content of the block; on an English page its Chinese is marked as Chinese."""
    return mark_safe(mark_chinese(content)) if get_language() == "en" else content


@register.inclusion_tag("_crumbs.html", takes_context=True)
def crumbs(context, *rows):
    """The way down to this page: the overview, then ``rows`` with the numbers that they have."""
    request = context.get("request")
    numbered = ((getattr(row, "number", None) or row.order, row) for row in rows)
    return {
        "places": [
            (address(request, "overview"), "", _("Overview")),
            *((address(request, row), number, row) for number, row in numbered),
        ]
    }


@register.inclusion_tag("_bar.html")
def bar(share, text):
    """A small bar, ``share`` of it filled, beside ``text``, which says the same in words.

    More than the whole fills it, less than nothing leaves it empty. None is not known: then there
    is no bar, because an empty one would say zero.
    """
    width = None if share is None else f"{100 * min(1, max(0, float(share))):.4g}"
    return {"width": width, "text": text}


@register.filter(expects_localtime=True)
def day(value) -> str:
    """A day as readers see it, told to programs as well, and never broken between two lines."""
    return format_html('<time datetime="{0}">{0}</time>', date_text(value, "Y-m-d"))


@register.filter
def words(row, field: str) -> str:
    """``row``'s ``field`` in the reader's language."""
    return row.in_language(field)
