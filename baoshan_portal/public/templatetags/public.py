"""Tags for the public pages, which speak of one day; loaded in all templates."""

from django import template
from django.urls import reverse, translate_url
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override, pgettext_lazy

from measures.prepared import prepared
from metrics.models import Observation

from .. import check_marks, prose
from ..as_of import address
from ..remembered import remembered
from ..standing import themes_of

register = template.Library()
register.filter("aim", prose.aim)

#: The pages that the head of every page leads to, by the names of their addresses.
WAYS = {
    "overview": gettext_lazy("Overview"),
    "questions": gettext_lazy("What to ask"),
    "targets": gettext_lazy("Targets"),
    "measures": gettext_lazy("Measures"),
    "indicators": gettext_lazy("Indicators"),
    "departments": pgettext_lazy("pages", "Departments"),
    "money": gettext_lazy("Money"),
    "choose": gettext_lazy("Compare"),
    "checks": gettext_lazy("Checks"),
    "changes": gettext_lazy("Changes"),
    "packs": pgettext_lazy("pages", "Briefing packs"),
    "method": gettext_lazy("Method"),
    "data": gettext_lazy("Open data"),
}

#: An answer by which a list can be filtered, its number of rows and the button beside it.
ANSWER = (
    '<li{0}><input type="checkbox" name="{1}" value="{2}" id="{3}"{4}>'
    '<label for="{3}">{5}{6}</label>{7}</li>'
)
TALLY = ' <span class="tally">{}</span>'
LEAVE_OUT = (
    '<button class="leave-out" name="{0}" value="{2}" id="{1}" title="{3}" aria-label="{3}">'
    "−</button>"
)

#: Values by which the newest period is found.
FIRST_FEW = 100


@register.simple_tag(takes_context=True)
def page(context, target, *args, **query) -> str:
    """The address of ``target``, keeping the day that this page speaks of; see ``address``."""
    return address(context.get("request"), target, *args, **query)


@register.filter
def due_text(target) -> str:
    """When a target is due as a sentence says it."""
    return prose.end_text(target.due_day)


@register.simple_tag
def answer(question, option) -> str:
    """The box of one answer to a question of a list, with the number of rows that have it, and the
    button that leaves them out."""
    value = option.value
    asked = question.name, f"in-{question.name}-{value}"
    out = f"not_{question.name}", f"not-{question.name}-{value}"
    name, id_ = out if option.is_excluded else asked
    words, button = option.label, ""
    if option.is_excluded:
        words = _("not %(name)s") % {"name": option.label}
    elif question.facet.excludable and not option.is_chosen:
        leave_out = _("Leave out: %(name)s") % {"name": option.label}
        button = format_html(LEAVE_OUT, *out, value, leave_out)
    return format_html(
        ANSWER,
        mark_safe(' class="idle"') if option.is_idle else "",
        name,
        value,
        id_,
        mark_safe(" checked") if option.is_excluded or option.is_chosen else "",
        words,
        "" if option.count is None else format_html(TALLY, option.count),
        button,
    )


@register.simple_tag(takes_context=True)
def ways(context) -> list[tuple[str, str, bool]]:
    """Address and name of every page that the head leads to, and whether this page is it."""
    request = context.get("request")
    found = []
    for name, words in WAYS.items():
        here = getattr(request, "path", "") == reverse(name)
        found.append((address(request, name), words, here))
    return found


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


@register.simple_tag(takes_context=True)
def newest_period_of_page(context):
    """The last day of the newest period that was reported, of what the page shows if its view
    says so, otherwise of all that was public on the page's day; None if there is none."""
    if "pack" in context and hasattr(context["pack"], "newest_period"):
        return context["pack"].newest_period
    if "newest_period" in context:
        return context["newest_period"]
    request = context.get("request")
    if getattr(request, "resolver_match", None) is None:
        return None
    return remembered(request, "newest period", lambda: _newest_period(request.as_of))


def _newest_period(as_of):
    # The first few in an index, nearly always of a public indicator. Asked of all at once, SQLite
    # looks at the values of one indicator after another.
    days = _newest(few=True, as_of=as_of) or _newest(few=False, as_of=as_of)
    return days[0] if days else None


@prepared
def _newest(*, few, as_of):
    values = Observation.objects.published(as_of).reported().order_by("-period_end")
    some = values.filter(pk__in=values.values("pk")[:FIRST_FEW]) if few else values
    return some.of_public_indicators(as_of).values_list("period_end", flat=True)[:1]


@register.inclusion_tag("public/_crumbs.html", takes_context=True)
def crumbs(context, *rows):
    """The way down to this page: the overview, then ``rows`` with the numbers that they have.

    A row may be the name of a list, such as "departments".
    """
    request = context.get("request")
    return {
        "places": [
            (address(request, "overview"), "", _("Overview")),
            *(
                (address(request, row), "", WAYS[row])
                if isinstance(row, str)
                else (address(request, row), getattr(row, "number", None) or row.order, row)
                for row in rows
            ),
        ]
    }


@register.inclusion_tag("public/_check_mark.html", takes_context=True)
def check_mark(context, indicator):
    """The gravest result of the checks of ``indicator`` that ask for something; else nothing."""
    return {"results": check_marks.asking(context["request"], indicator)}


@register.inclusion_tag("public/_check_mark.html")
def check_word(results):
    """``check_mark`` for a figure that stands alone, where no legend is near: with its word.

    ``results`` are those of ``check_marks.by_indicator``, or None if it is in no check.
    """
    return {"results": check_marks.that_ask(results or []), "in_words": True}


@register.inclusion_tag("public/_check_legend.html", takes_context=True)
def check_legend(context):
    """What the marks of ``check_mark`` mean, with the way to all checks."""
    results = check_marks.that_ask(check_marks.SEVERITY)
    return {"results": results, "request": context["request"]}


@register.inclusion_tag("public/_neighbours.html", takes_context=True)
def neighbours(context, first, last=None):
    """The way to the theme before ``first`` and to the one after ``last`` (``first`` if None), in
    the order of their opinion; a query."""
    request = context["request"]
    opinion = first.section.opinion_id
    themes = themes_of(opinion, as_of=request.as_of)
    places = {theme.pk: n for n, theme in enumerate(themes)}
    before = places.get(first.pk, 0) - 1
    after = places.get((last or first).pk, len(themes)) + 1
    return {
        "before": themes[before] if before >= 0 else None,
        "after": themes[after] if after < len(themes) else None,
        "request": request,
    }
