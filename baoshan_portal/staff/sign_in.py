"""Signing in safely: an initial password must be changed, a second factor given; the lock-out.

The second factor is a code of an authenticator app (TOTP). Anybody may set one up; an administrator
can require it of a role.
"""

from functools import cache

import segno
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.forms import AdminPasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse_lazy
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_otp import login as confirm_session
from django_otp.plugins.otp_totp.models import TOTPDevice

from measures.last_account import forget_account, remember_account
from measures.models import RolePolicy, User
from measures.trail import Action, record

from . import typed

#: What nobody is kept from, whatever else is still to be done
ALWAYS = {"login", "logout", "jsi18n"}


#: What a session knows of where somebody wanted to go
THEN = "then"
#: Asked by scripts: nobody wants to end there.
NO_PLACE = {"autocomplete", "typed-forget"}


class AccountMiddleware:
    """Keeps everybody from the admin who must change the password or give a second factor first.

    Where they wanted to go, and what they sent there, waits for them meanwhile.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        match = request.resolver_match
        if match is None or match.app_name != "admin":
            return response
        if not request.user.is_authenticated:
            if match.url_name == "logout":
                forget_account(response)
            return response
        is_page = request.method == "GET" and match.url_name not in ALWAYS | NO_PLACE
        is_page &= not hasattr(request, "given_back") and not hasattr(request, "on_duty")
        if is_page and (waiting := typed.waiting(request)):
            # A page that cannot show what was sent to it before the session ended.
            response = typed.signed_in_again(request, waiting)
        remember_account(request, response)
        return response

    def process_view(self, request, view, args, kwargs):
        match = request.resolver_match
        if match.app_name != "admin" or match.url_name in ALWAYS:
            return None
        if not request.user.is_authenticated:
            return None
        page = duty(request.user)
        if page is None:
            typed.settle(request)
            return None
        request.on_duty = page
        if page == match.url_name:
            return None
        if token := typed.signed(request, request.user.pk):
            typed.keep(request, token)
        if match.url_name not in DUTIES | NO_PLACE:
            request.session[THEN] = request.get_full_path()
        return redirect(f"admin:{page}")


DUTIES = {"second_factor_code", "second_factor", "password_change"}


def _go_on(request, otherwise: str = "admin:index"):
    """To where somebody wanted to go before they had to do something first."""
    return redirect(request.session.pop(THEN, None) or otherwise)


def duty(user) -> str | None:
    """The page on which ``user`` has something to do before all else; None if there is none."""
    has_device, required = (False, False) if user.is_verified() else _second_factor_of(user)
    if has_device:
        return "second_factor_code"
    if user.must_change_password:
        return "password_change"
    return "second_factor" if required else None


def _second_factor_of(user) -> tuple[bool, bool]:
    """Whether ``user`` has a second factor, and whether a role of theirs requires one."""
    return _second_factors().get(pk=user.pk)


@cache
def _second_factors() -> QuerySet:
    """Of each user as ``_second_factor_of`` says; made once, because each page of the admin asks
    it of somebody."""
    devices = TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True)
    policies = RolePolicy.objects.filter(group__user=OuterRef("pk"), require_second_factor=True)
    return User.objects.values_list(Exists(devices), Exists(policies))


class PasswordForm(AdminPasswordChangeForm):
    """The change of one's own password; it ends the obligation to change it."""

    def clean(self):
        data = super().clean()
        new = data.get("new_password1")
        if new and new == data.get("old_password"):
            self.add_error("new_password1", _("Choose another password than the one until now."))
        return data

    @transaction.atomic
    def save(self, commit=True):
        self.user.must_change_password = False
        user = super().save(commit)
        record(Action.PASSWORD_CHANGED, by=user, subject=user)
        return user


def password_change(request):
    done = reverse_lazy("admin:password_change_done")
    view = PasswordChangeView.as_view(
        form_class=PasswordForm,
        template_name="staff/password_change.html",
        success_url=done,
        extra_context=admin.site.each_context(request),
    )
    answer = view(request)
    return _go_on(request, done) if answer.status_code == 302 else answer


class CodeForm(forms.Form):
    """Asks for the code that the authenticator app shows, and checks it against ``device``."""

    code = forms.CharField(
        label=_("Code from the app"),
        max_length=12,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}
        ),
    )

    def __init__(self, *args, device, **kwargs):
        super().__init__(*args, **kwargs)
        self.device = device

    def clean_code(self):
        # Locked, so that codes tried at the same time are still counted one by one.
        with transaction.atomic():
            device = get_object_or_404(TOTPDevice.objects.select_for_update(), pk=self.device.pk)
            allowed, why = device.verify_is_allowed()
            accepted = allowed and device.verify_token(self.cleaned_data["code"].replace(" ", ""))
            if not accepted:
                record(Action.SECOND_FACTOR_FAILED, by=device.user)
        if accepted:
            self.device = device
            return self.cleaned_data["code"]
        if allowed:
            raise ValidationError(
                _("This is not the code that the app shows now; every code is good only once.")
            )
        seconds = int((why["locked_until"] - timezone.now()).total_seconds()) + 1
        raise ValidationError(
            _("Too many wrong codes. Try again in %(seconds)d seconds."),
            params={"seconds": seconds},
        )


def second_factor_code(request):
    """After the password: asks for the code."""
    device = TOTPDevice.objects.devices_for_user(request.user, confirmed=True).first()
    if device is None or request.user.is_verified():
        return redirect("admin:index")
    form = CodeForm(request.POST or None, device=device)
    if form.is_valid():
        confirm_session(request, form.device)
        return _go_on(request)
    return _page(request, "staff/second_factor_code.html", _("Second step of signing in"), form)


def second_factor(request):
    """Sets a second factor up, or turns it off where no role requires it."""
    device = TOTPDevice.objects.devices_for_user(request.user, confirmed=True).first()
    if device:
        return _turn_off(request, device)
    device = TOTPDevice.objects.devices_for_user(request.user, confirmed=False).first()
    device = device or TOTPDevice.objects.create(user=request.user, confirmed=False)
    form = CodeForm(request.POST or None, device=device)
    if form.is_valid():
        with transaction.atomic():
            form.device.confirmed = True
            form.device.save()
            record(Action.SECOND_FACTOR_SET, by=request.user, subject=request.user)
        confirm_session(request, form.device)
        messages.success(request, gettext("The second factor is set up."))
        return _go_on(request)
    return _page(
        request,
        "staff/second_factor.html",
        _("Set up a second factor"),
        form,
        required=_second_factor_of(request.user)[1],
        picture=_picture(device.config_url),
        secret=_secret(device),
    )


def _turn_off(request, device):
    required = _second_factor_of(request.user)[1]
    form = None if required else CodeForm(request.POST or None, device=device)
    if form and form.is_valid():
        remove_second_factor(request.user, by=request.user)
        messages.success(request, gettext("The second factor is turned off."))
        return redirect("admin:index")
    return _page(request, "staff/second_factor_off.html", _("Second factor"), form)


@transaction.atomic
def remove_second_factor(user, *, by) -> bool:
    """Whether ``user`` had a second factor; they have none afterwards."""
    had, _rows = TOTPDevice.objects.filter(user=user, confirmed=True).delete()
    if had:
        record(Action.SECOND_FACTOR_REMOVED, by=by, subject=user)
    return bool(had)


def _picture(address: str) -> str:
    """A QR code as an SVG element: the security policy forbids pictures from data: addresses."""
    # Its only text from outside is the account's name, and that is encoded as squares.
    return mark_safe(segno.make(address).svg_inline(scale=5, light="#fff"))


def _secret(device) -> str:
    """The key as an authenticator app takes it by hand, in groups of four."""
    key = device.config_url.partition("secret=")[2].partition("&")[0]
    return " ".join(key[start : start + 4] for start in range(0, len(key), 4))


def _page(request, template, title, form, **context):
    context |= {**admin.site.each_context(request), "title": title, "form": form}
    return TemplateResponse(request, template, context)


def locked_out(request, response, credentials):
    """What somebody sees whose account is locked after too many failures."""
    context = {
        **admin.site.each_context(request),
        "title": _("This account is locked for a while"),
        "minutes": settings.LOCK_OUT_MINUTES,
        "failures": settings.SIGN_IN_FAILURES,
        "typed": request.POST.get(typed.TYPED, ""),
        "next": request.POST.get("next", ""),
    }
    page = TemplateResponse(request, "staff/locked_out.html", context, status=429)
    page["Retry-After"] = str(settings.LOCK_OUT_MINUTES * 60)
    return page.render()


def urls(site):
    """The pages of this module for the admin ``site``."""
    return [
        path("password_change/", site.admin_view(password_change), name="password_change"),
        path("second-factor/", site.admin_view(second_factor), name="second_factor"),
        path("second-factor/code/", site.admin_view(second_factor_code), name="second_factor_code"),
    ]
