"""How a reader wants to see the pages: large type 关怀版, light or dark; kept in cookies."""

from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.http import HttpResponseRedirect
from django.urls import Resolver404, get_script_prefix, resolve, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .as_of import BadQuery

#: Choice by cookie; the first of each is what a reader gets who has not chosen.
CHOICES = {
    "size": {"normal": gettext_lazy("Normal type"), "large": gettext_lazy("Large type")},
    "theme": {
        "auto": gettext_lazy("As the device"),
        "light": gettext_lazy("Light"),
        "dark": gettext_lazy("Dark"),
    },
}
YEAR = 365 * 24 * 3600


def chosen(request) -> dict[str, str]:
    """The reader's choices; an unknown value in a cookie counts as none."""
    return {
        name: value if (value := request.COOKIES.get(name)) in values else next(iter(values))
        for name, values in CHOICES.items()
    }


def choose(request):
    """Remember the choices in the query and go back to ``next``, or to where the reader was.

    A choice that the query does not name stays as it is.
    """
    back = request.GET.get("next") or request.headers.get("Referer", "")
    response = HttpResponseRedirect(back if _is_page(back, request) else reverse("overview"))
    for name, values in CHOICES.items():
        value = request.GET.get(name)
        if value is None:
            continue
        if value not in values:
            raise BadQuery(_("The portal knows no such way to show its pages."))
        response.set_cookie(
            name,
            value,
            max_age=YEAR,
            path=settings.SESSION_COOKIE_PATH,
            secure=request.is_secure(),
            httponly=True,
            samesite="Lax",
        )
    return response


def _is_page(address: str, request) -> bool:
    """Whether ``address`` is of a page of this portal, and not of this one."""
    if not url_has_allowed_host_and_scheme(address, allowed_hosts={request.get_host()}):
        return False
    try:
        path = urlsplit(address).path
        # As the server hands it on: without the prefix under which the portal lives.
        prefix = get_script_prefix()
        found = resolve("/" + unquote(path).removeprefix(prefix)) if path else None
    except (Resolver404, ValueError):
        return False
    return found is not None and found.view_name != "display" and path.startswith(prefix)


def context(request) -> dict:
    """For every template: the choices with what is chosen, the other size, the page's classes."""
    current = chosen(request)
    other_size = "normal" if current["size"] == "large" else "large"
    return {
        "display_choices": [
            (name, [(value, label, value == current[name]) for value, label in values.items()])
            for name, values in CHOICES.items()
        ],
        "other_size": (other_size, CHOICES["size"][other_size]),
        "display_classes": " ".join(f"{name}-{value}" for name, value in current.items()),
    }
