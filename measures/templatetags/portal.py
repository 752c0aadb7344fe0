"""Tags that every page of the portal uses; loaded in all templates."""

from django import template
from django.conf import settings
from django.urls import reverse, translate_url
from django.utils import timezone
from django.utils.translation import override

from .. import demo
from ..as_of import address

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


@register.filter
def words(row, field: str) -> str:
    """``row``'s ``field`` in the reader's language."""
    return row.in_language(field)
