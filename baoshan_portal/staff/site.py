"""The admin site of the portal: Django's, with the desks where staff do their daily work."""

from functools import update_wrapper

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig
from django.contrib.admin.exceptions import NotRegistered
from django.contrib.admin.utils import unquote
from django.http import Http404
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

#: Words of Django's own templates that its Chinese lacks; named here, they come into our catalogue.
WORDS_OF_DJANGO = (
    gettext_noop("Model name"),
    gettext_noop("Add link"),
    gettext_noop("Change or view list link"),
)


class PortalAdminSite(AdminSite):
    """Adds the desks to Django's admin; each is a module of its own."""

    def get_urls(self):
        # The modules need the models, which are not loaded yet when this one is.
        from . import completeness, invitations, typed
        from . import evidence as evidence_view
        from . import sign_in as accounts
        from .entry_sheet import page as entry_sheet
        from .imports import report_upload, upload
        from .imports.many import page as many
        from .imports.own_table import page as own_table
        from .review import page as review
        from .review import sign_off

        return [
            path("guide/", self.admin_view(self.guide), name="guide"),
            path(
                "r/<path:content_type_id>/<path:object_id>/",
                self.admin_view(self.on_site),
                name="view_on_site",
            ),
            *accounts.urls(self),
            *completeness.urls(self),
            *entry_sheet.urls(self),
            *evidence_view.urls(self),
            *invitations.urls(self),
            *many.urls(self),
            *own_table.urls(self),
            *review.urls(self),
            *report_upload.urls(self),
            *sign_off.urls(self),
            *typed.urls(self),
            *upload.urls(self),
            *super().get_urls(),
        ]

    def admin_view(self, view, cacheable=False):
        """As Django's; but what somebody sends whose session has ended goes to the sign-in."""
        guarded = super().admin_view(view, cacheable)

        def inner(request, *args, **kwargs):
            if request.method == "POST" and not self.has_permission(request):
                from . import typed

                if token := typed.signed(request, typed.account_of(request)[0]):
                    return self.sign_in_again(request, token)
            return guarded(request, *args, **kwargs)

        return update_wrapper(inner, guarded)

    def sign_in_again(self, request, token: str):
        """The form of the sign-in that carries ``token``, see ``typed``, in answer to a POST."""
        then, request.method = request.get_full_path(), "GET"
        try:
            context = {"typed": token, "next": then, "app_path": reverse("admin:login")}
            answer = self.login(request, context).render()
        finally:
            request.method = "POST"
        answer.status_code = 403
        return answer

    def login(self, request, extra_context=None):
        """As Django's; what the form carries is laid by for the page that it is for."""
        from . import typed

        token = request.POST.get(typed.TYPED, "") if request.method == "POST" else ""
        answer = super().login(request, {"typed": token, **(extra_context or {})})
        if token and answer.status_code == 302 and request.user.is_authenticated:
            return redirect(typed.keep(request, token) or answer.url)
        return answer

    def guide(self, request):
        """The guide for staff, on one page."""
        context = {**self.each_context(request), "title": _("Guide")}
        return TemplateResponse(request, "staff/guide.html", context)

    def on_site(self, request, content_type_id, object_id):
        """To the public page of a row, for whoever may see the row: its address tells the code."""
        from django.contrib.contenttypes.models import ContentType
        from django.contrib.contenttypes.views import shortcut

        try:
            kind = ContentType.objects.get_for_id(int(content_type_id))
            desk = self.get_model_admin(kind.model_class() or ContentType)
        except (ContentType.DoesNotExist, NotRegistered, ValueError, OverflowError):
            raise Http404 from None
        row = desk.get_object(request, unquote(object_id))
        if row is None or not desk.has_view_permission(request, row):
            raise Http404
        return shortcut(request, content_type_id, row.pk)

    def index(self, request, extra_context=None):
        from .my_work.page import MyWork

        return super().index(
            request,
            {"title": _("My work"), "work": MyWork.of(request.user), **(extra_context or {})},
        )


class PortalAdminConfig(AdminConfig):
    default_site = "baoshan_portal.staff.site.PortalAdminSite"
