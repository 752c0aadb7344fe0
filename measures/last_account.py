"""Which account a browser was last signed in to: a signed cookie says it after the session, too."""

from datetime import timedelta

from django.conf import settings
from django.core import signing

#: How long a page may lie open before what is typed in it is no longer carried.
LASTS = timedelta(days=3)
COOKIE = "demo_desk" if settings.DEMO else "desk"
_salt = "measures.last_account"


def account_of(request) -> tuple[int | None, bool]:
    """The key of the account that was last signed in here, and whether the one before was the
    same, so that also older pages are its own; (None, False) if that is not known."""
    try:
        text = signing.loads(request.COOKIES.get(COOKIE, ""), salt=_salt, max_age=LASTS)
        return int(text["by"]), bool(text["same"])
    except (signing.BadSignature, TypeError, KeyError, ValueError):
        return None, False


def remember_account(request, response) -> None:
    """Let the browser keep which account is signed in; nobody else can write that."""
    user, (before, same) = request.user, account_of(request)
    same = same if before == user.pk else before is None
    response.set_cookie(
        COOKIE,
        signing.dumps({"by": user.pk, "same": same}, salt=_salt),
        path=settings.SESSION_COOKIE_PATH,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def forget_account(response) -> None:
    response.delete_cookie(COOKIE, path=settings.SESSION_COOKIE_PATH, samesite="Lax")
