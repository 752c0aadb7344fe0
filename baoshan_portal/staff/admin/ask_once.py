"""Actions of a list that cannot be undone: asked once, with what is chosen in plain view."""

from collections.abc import Callable
from functools import wraps

from django.template.response import TemplateResponse
from django.utils.functional import Promise

#: More rows than these are counted and not named.
NAMED = 50
_OWN = {"csrfmiddlewaretoken", "post"}


def asks_once(what: str | Promise) -> Callable:
    """Lets an action run only when the page that asks ``what`` was confirmed."""

    def decorate(action: Callable) -> Callable:
        @wraps(action)
        def asking(self, request, queryset):
            if request.POST.get("post") == "yes":
                return action(self, request, queryset)
            sent = [
                (name, value)
                for name, values in request.POST.lists()
                if name not in _OWN
                for value in values
            ]
            context = {
                **self.admin_site.each_context(request),
                "title": what,
                "opts": self.opts,
                "rows": list(queryset[:NAMED]),
                "count": queryset.count(),
                "sent": sent,
                "to": request.POST.get("to", ""),
            }
            return TemplateResponse(request, "staff/ask_once.html", context)

        return asking

    return decorate
