"""What somebody sent after their session had ended: it goes with them through the sign-in and back.

The form of the sign-in carries it, signed and bounded, and only the account that was signed in
before gets it back: a signed cookie says which one that was. Passwords and files are not carried.
"""

from dataclasses import dataclass
from datetime import datetime

from django.contrib import admin, messages
from django.core import signing
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import Resolver404, path, resolve
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from measures.last_account import LASTS, account_of

#: The most characters of names and texts together that are carried.
LARGEST = 1_000_000
#: The name of the sign-in's hidden field, and of what the session keeps.
TYPED = "typed"
#: Pages whose forms hold secrets or nothing.
NEVER = {
    "login", "logout", "jsi18n", "password_change", "password_change_done", "second_factor",
    "second_factor_code", "auth_user_password_change", "typed-forget",
}  # fmt: skip

_salt = "baoshan_portal.staff.typed"


@dataclass(frozen=True)
class Typed:
    """What was sent to ``path`` at a moment, and the names of files that came with it."""

    path: str
    data: QueryDict
    files: list[str]
    at: datetime

    @property
    def fields(self) -> list[tuple[str, str]]:
        """(name, text) of every field, to be sent once more."""
        return [(name, text) for name, texts in self.data.lists() for text in texts]

    @property
    def texts(self) -> list[str]:
        """What a person has written, each once: to be read and copied."""
        texts = (text for name, text in self.fields if not name.endswith(("seen", "once")))
        return list(dict.fromkeys(text for text in texts if len(text.strip()) > 1))


# The way out


def sent(request) -> Typed:
    """What a request sends."""
    data = QueryDict(mutable=True)
    for name, texts in request.POST.lists():
        if name != "csrfmiddlewaretoken" and "password" not in name:
            data.setlist(name, texts)
    names = [file.name for files in request.FILES.lists() for file in files[1]]
    return Typed(request.get_full_path(), data, names, timezone.now())


def signed(request, by: int | None) -> str:
    """What ``request`` sends, signed for the account ``by``; "" if that cannot be carried."""
    if request.method != "POST" or by is None or _url_name(request) in NEVER:
        return ""
    try:
        typed = sent(request)
    except (BadRequest, SuspiciousOperation):
        return ""
    fields = typed.fields
    if not fields or sum(len(name) + len(text) for name, text in fields) > LARGEST:
        return ""
    content = {
        "by": by,
        "path": typed.path,
        "fields": fields,
        "files": typed.files,
        "at": typed.at.timestamp(),
    }
    return signing.dumps(content, salt=_salt, compress=True)


def _url_name(request) -> str | None:
    try:
        return resolve(request.path_info).url_name
    except Resolver404:
        return None


# The way back


def keep(request, token: str) -> str:
    """Lay ``token``, which a form of the sign-in brought, by for the page that it is for.

    The address of that page; "" if the token is none of ours, too old, or of another account,
    which is told.
    """
    try:
        content = signing.loads(token, salt=_salt, max_age=LASTS)
    except signing.BadSignature:
        return ""
    if content["by"] != request.user.pk:
        text = _("What was typed here before belongs to another account, so it is not shown.")
        messages.warning(request, text)
        return ""
    request.session[TYPED] = token
    return content["path"]


def waiting(request) -> Typed | None:
    """What was laid by for the page that is asked for; None if nothing was."""
    token = request.session.get(TYPED)
    if not token:
        return None
    try:
        content = signing.loads(token, salt=_salt)
    except signing.BadSignature:
        return None
    if content["path"] != request.get_full_path() or content["by"] != request.user.pk:
        return None
    data = QueryDict(mutable=True)
    for name, text in content["fields"]:
        data.appendlist(name, text)
    at = datetime.fromtimestamp(content["at"], tz=timezone.get_default_timezone())
    return Typed(content["path"], data, content["files"], at)


def given_back(request) -> Typed | None:
    """What was laid by for this page, if it is merely looked at: the page shows it, unsaved.

    It stays until something is sent to the page or the reader drops it: reloading shows it again.
    """
    if request.method != "GET":
        return None
    request.given_back = waiting(request)
    return request.given_back


def settle(request) -> None:
    """Drop what was laid by for a page to which something is sent now."""
    if request.method == "POST" and waiting(request):
        del request.session[TYPED]


@require_POST
def forget(request):
    """The reader wants none of what was laid by."""
    request.session.pop(TYPED, None)
    then = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(then, {request.get_host()}, request.is_secure())
    return redirect(then if is_ours else "admin:index")


def page(
    request, typed: Typed, *, heading: str, why: str, status: int = 200, again: bool = True
) -> HttpResponse:
    """A page that shows what was sent, for pages that cannot, and sends it ``again`` if that may
    help."""
    context = {
        **admin.site.each_context(request),
        "title": heading,
        "why": why,
        "resend": typed,
        "again": again,
        "is_nav_sidebar_enabled": False,
    }
    return TemplateResponse(request, "staff/typed.html", context, status=status).render()


def signed_in_again(request, typed: Typed) -> HttpResponse:
    return page(
        request,
        typed,
        heading=_("You are signed in again"),
        why=_("Your session had ended before this arrived, so nothing was done. Nothing that you "
              "typed is lost: send it again, or go back to the page without it."),
    )  # fmt: skip


def csrf_failure(request, reason=""):
    """What answers a form whose page is older than the last sign-in, or came from elsewhere."""
    from .sign_in import duty

    by, same = account_of(request)
    ours = same and _is_from_here(request) and "/admin/" in request.path_info
    if ours and request.user.is_authenticated:
        if request.user.pk == by and duty(request.user) is None and _url_name(request) not in NEVER:
            return page(
                request,
                sent(request),
                heading=_("This page was older than your sign-in"),
                why=_("You have signed in again since it was opened, perhaps in another window, "
                      "so nothing was done. What you typed is still here: send it again."),
                status=403,
            )  # fmt: skip
    elif ours and (token := signed(request, by)):
        return admin.site.sign_in_again(request, token)
    context = {"is_login": _url_name(request) == "login", "address": request.get_full_path()}
    answer = TemplateResponse(request, "403_csrf.html", context, status=403)
    answer["Cache-Control"] = "no-store"
    return answer.render()


def _is_from_here(request) -> bool:
    """Whether the browser says that the form stood on a page of this portal."""
    here = f"{request.scheme}://{request.get_host()}"
    return request.headers.get("Origin", "") == here


def urls(site) -> list:
    return [path("typed/forget/", site.admin_view(forget), name="typed-forget")]
