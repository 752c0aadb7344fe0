"""The desk of a head of department: what the department handed in, before the reviewer sees it."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from measures import access, workflow

from ..typed import given_back
from .page import ReasonForm, by_department, each_chosen, keys_of, load, return_chosen

#: What one page shows at the most; what is signed makes room for the next.
ROWS = 200


def urls(site) -> list:
    return [path("sign-off/", site.admin_view(desk), name="sign-off")]


def may_sign(user) -> bool:
    return user.has_perm("measures.add_signoff")


def desk(request):
    """All that waits for this head; what is ticked is signed off, or returned for one reason."""
    user = request.user
    if not may_sign(user):
        raise PermissionDenied
    typed, reason = given_back(request), ReasonForm()
    if typed:
        reason = ReasonForm(initial={"reason": typed.data.get("reason", "")})
    if request.method == "POST":
        reason = ReasonForm(request.POST)
        if "return" not in request.POST:
            _sign_chosen(request)
            return redirect(reverse("admin:sign-off"))
        if reason.is_valid():
            return_chosen(request, reason.cleaned_data["reason"], access.signable)
            return redirect(reverse("admin:sign-off"))
    keys = keys_of(user, access.signable)
    sent = typed.data if typed else request.POST
    context = {
        **admin.site.each_context(request),
        "title": _("Sign off"),
        "is_nav_sidebar_enabled": False,
        "groups": by_department(load(keys[:ROWS])),
        "count": len(keys),
        "shown": min(len(keys), ROWS),
        "all_chosen": request.GET.get("chosen") == "all",
        "chosen": sent.getlist("row"),
        "reason": reason,
    }
    return TemplateResponse(request, "staff/sign_off.html", context)


@transaction.atomic
def _sign_chosen(request) -> None:
    """Sign every ticked row off that still is the version shown, and name each that is not."""
    signed = each_chosen(
        request,
        lambda row: workflow.sign(row, by=request.user),
        choose=access.signable,
        nothing=_("Nothing was selected, so nothing was signed off."),
        refusal=_("Not signed off: %(row)s. %(why)s"),
    )
    if signed:
        text = ngettext("%(n)d row was signed off.", "%(n)d rows were signed off.", signed)
        messages.success(request, text % {"n": signed})
