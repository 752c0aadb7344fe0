"""One-time links by which somebody chooses the first password, or a new one.

Nobody invents passwords for others: a link goes out by mail or printed, ends after
INVITATION_DAYS, and is used up by the password that it sets. A newer link ends the older ones.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from axes.utils import reset
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.http import HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone, translation
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.debug import sensitive_post_parameters

from measures.models import User
from measures.trail import Action, record
from measures.watermark import watermark, watermarked

#: What one page of links may hold.
MOST = 500


class Tokens(PasswordResetTokenGenerator):
    """Signed with the password hash, so that whatever sets a password uses the link up."""

    key_salt = __name__


tokens = Tokens()


@dataclass(frozen=True)
class Invitation:
    """A link for ``user``; ``mailed`` says whether it went out by mail, ``fault`` why not."""

    user: User
    address: str
    until: datetime
    mailed: bool = False
    fault: str = ""


class WayForm(forms.Form):
    way = forms.ChoiceField(
        label=gettext_lazy("How the links go out"),
        choices=[
            ("mail", gettext_lazy("by mail, and on paper for accounts without an address")),
            ("print", gettext_lazy("on paper, to be handed over")),
        ],
        widget=forms.RadioSelect,
        initial="print",
    )


def invited(request, ids: str):
    """The accounts named by ``ids`` (keys with commas between) that ``request.user`` may invite."""
    keys = [int(key) for key in ids.split(",")[:MOST] if key.isascii() and key.isdecimal()]
    users = User.objects.filter(
        pk__in=[key for key in keys if key < 2**63], is_active=True
    ).exclude(pk=request.user.pk)
    if not request.user.is_superuser:
        users = users.filter(is_superuser=False)
    return users.prefetch_related("departments").order_by("username")


def invite_page(request, context: dict):
    """Asks how the links of the accounts ``?ids=`` go out; then makes them and shows them once.

    ``context`` is the admin's; whoever comes here may change accounts.
    """
    users = list(invited(request, request.POST.get("ids") or request.GET.get("ids", "")))
    if not users:
        messages.error(request, _("There is no account that you may invite."))
        return HttpResponseRedirect(reverse("admin:measures_user_changelist"))
    form = WayForm(request.POST or None)
    context |= {"title": _("One-time links"), "users": users, "form": form}
    context["ids"] = ",".join(str(user.pk) for user in users)
    context["ends"] = [user for user in users if user.has_usable_password()]
    if request.method != "POST" or not form.is_valid():
        return TemplateResponse(request, "staff/invite.html", context)
    found = invite(users, by=request.user, origin=request.build_absolute_uri("/").rstrip("/"))
    if form.cleaned_data["way"] == "mail":
        found = mail(found)
    mailed = sum(one.mailed for one in found)
    if mailed:
        text = ngettext("%(n)d link was mailed.", "%(n)d links were mailed.", mailed)
        messages.success(request, text % {"n": mailed})
    context["invitations"] = [one for one in found if not one.mailed]
    page = TemplateResponse(request, "staff/invitations.html", context)
    # The links are shown once: neither a cache nor the way back keeps them.
    page["Cache-Control"] = "no-store"
    return page


@transaction.atomic
def invite(users: list[User], *, by: User, origin: str) -> list[Invitation]:
    """New links for ``users``, whose passwords and older links end; ``origin`` is scheme and host.

    Each leaves its mark in the trail, without the link.
    """
    until = timezone.now() + timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)
    found = []
    for user in User.objects.select_for_update().filter(pk__in=[user.pk for user in users]):
        user.set_unusable_password()
        user.must_change_password = False
        user.save(update_fields=["password", "must_change_password"])
        record(Action.INVITED, by=by, subject=user)
        found.append(Invitation(user, origin + link(user), until))
    return sorted(found, key=lambda one: one.user.username)


def link(user: User) -> str:
    """The path of a new link, in the portal's first language: its reader's is not known."""
    with translation.override(settings.LANGUAGE_CODE):
        key = urlsafe_base64_encode(force_bytes(user.pk))
        return reverse("admin:invitation", args=[key, tokens.make_token(user)])


def mail(found: list[Invitation]) -> list[Invitation]:
    """Mails what can be mailed; what could not be says why and is to be printed."""
    connection, done = get_connection(), []
    for one in found:
        if not one.user.email:
            done.append(one)
            continue
        with translation.override(settings.LANGUAGE_CODE):
            context = {"one": one, "watermark": watermark()}
            text = render_to_string("email/invitation.txt", context)
            subject = watermarked(_("Baoshan follow-up portal: your account"))
        try:
            EmailMessage(subject, text, to=[one.user.email], connection=connection).send()
        except OSError as error:
            # One address that the server refuses must not keep the others waiting.
            done.append(Invitation(one.user, one.address, one.until, fault=str(error)[:200]))
        else:
            done.append(Invitation(one.user, one.address, one.until, mailed=True))
    return done


@sensitive_post_parameters()
def first_password(request, uidb64, token):
    """Where a link leads: to choose a password, once. A stranger has no session here."""
    user = _user(uidb64)
    valid = user is not None and tokens.check_token(user, token)
    form = SetPasswordForm(user, request.POST or None) if valid else None
    if form and form.is_valid():
        valid = _set_password(form, token)
        if valid:
            return _page(request, _("Your password is set"), username=user.get_username())
        form = None
    return _page(request, _("Choose your password"), form=form, validlink=valid)


def _user(uidb64: str) -> User | None:
    try:
        key = int(urlsafe_base64_decode(uidb64).decode())
    except ValueError:
        return None
    return User.objects.filter(pk=key, is_active=True).first() if key < 2**63 else None


@transaction.atomic
def _set_password(form: SetPasswordForm, token: str) -> bool:
    """Whether the link was still good: the second of two with the same one is late."""
    user = User.objects.select_for_update().get(pk=form.user.pk)
    if not tokens.check_token(user, token):
        return False
    form.user = user
    user.must_change_password = False
    form.save()
    record(Action.PASSWORD_CHANGED, by=user, subject=user)
    reset(username=user.get_username())
    return True


def _page(request, title: str, **context):
    context |= {**admin.site.each_context(request), "title": title}
    page = TemplateResponse(request, "staff/first_password.html", context)
    # The address is the secret: no cache keeps it. That no other site hears of it is the policy of
    # all pages; a stricter one would take the origin from the form, too, which is then refused.
    page["Cache-Control"] = "no-store"
    return page


def urls(site) -> list:
    return [path("invitation/<str:uidb64>/<str:token>/", first_password, name="invitation")]
