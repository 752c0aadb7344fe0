"""Withdrawals at the editors' desk: begun by a button on what is public, reviewed like all else."""

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.translation import gettext_lazy as _

from measures import access
from measures.models import Withdrawal
from measures.workflow import TransitionError
from metrics.withdrawal import withdraw

from ..addresses import change_url
from .submissions import STEPS, SubmissionAdmin


@admin.register(Withdrawal)
class WithdrawalAdmin(SubmissionAdmin):
    """Reasons can be worded anew; what is withdrawn is chosen where it stands."""

    list_display = (
        "subject_name", "subject_type", "measure", "state_with_icon", "entered_by", "published_at",
    )  # fmt: skip
    list_select_related = ("measure", "entered_by")
    list_filter = ("state", "subject_type", "measure__theme__section")
    search_fields = ("subject_name", "subject_name_en", "subject_code", "reason", "reason_en")
    subject = ("subject_type", "subject_name", "subject_name_en", "subject_code", "measure")
    fieldsets = (
        (_("What is withdrawn"), {"fields": subject}),
        (_("Why"), {"fields": ("seen", "reason", "reason_en")}),
        SubmissionAdmin.bookkeeping_fieldset,
    )

    def get_readonly_fields(self, request, obj=None):
        return (*super().get_readonly_fields(request, obj), *self.subject)

    def has_add_permission(self, request):
        return False


class CanBeWithdrawn(admin.ModelAdmin):
    """Rows of the structure with a button that withdraws them."""

    change_form_template = "staff/withdrawable_change_form.html"

    def get_urls(self):
        name = f"{self.opts.app_label}_{self.opts.model_name}_withdraw"
        view = self.admin_site.admin_view(self.withdraw)
        return [path("<path:object_id>/withdraw/", view, name=name), *super().get_urls()]

    def change_view(self, request, object_id, form_url="", extra_context=None):
        row = self.get_object(request, unquote(object_id))
        can = row is not None and access.may(request.user, access.withdrawable, row)
        return super().change_view(
            request, object_id, form_url, {**(extra_context or {}), "can_withdraw": can}
        )

    def withdraw(self, request, object_id):
        """Asks for the reason, then hands the withdrawal to review."""
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        if not access.may(request.user, access.withdrawable, row):
            raise PermissionDenied
        step = STEPS["withdraw"]
        form = step.form(request.POST or None, help_text=step.who_reads)
        if request.method == "POST" and form.is_valid():
            moved = row
            try:
                moved = withdraw(row, by=request.user, **form.cleaned_data)
                self.message_user(request, f"{step.done}: {row}", messages.SUCCESS)
            except TransitionError as error:
                self.message_user(request, str(error), messages.ERROR)
            return redirect(change_url(moved))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": row,
            "title": step.heading,
            "form": form,
        }
        return TemplateResponse(request, "staff/submission_step.html", context)
