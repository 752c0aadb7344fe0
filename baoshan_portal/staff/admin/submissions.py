"""The editors' desk for what staff submit: editing drafts, and the steps of the workflow."""

from collections.abc import Callable
from dataclasses import dataclass

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.http import Http404
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from measures import access, sign_off, workflow
from measures.fields import FormText
from measures.submission import STATE_ICONS, State
from measures.workflow import TransitionError
from metrics.withdrawal import withdraw

from ..addresses import change_url, list_url
from ..once import taken_once
from ..typed import given_back
from .seen import EndsRaces


class ReasonForm(forms.Form):
    """Why a step is taken; ``help_text`` says who will read it."""

    reason = FormText(label=_("Reason"), multiline=True, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args, help_text, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["reason"].help_text = help_text


class WithdrawalReasonForm(ReasonForm):
    """Why a row is withdrawn, in both languages."""

    reason_en = FormText(
        label=_("Reason (English)"),
        multiline=True,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


@dataclass(frozen=True)
class Step:
    """One step of the workflow as a page; ``rows`` of ``access`` chooses whose it is.

    ``who_reads`` says who reads the reason; empty where the step needs none.
    """

    heading: str
    done: str
    rows: Callable
    who_reads: str = ""
    form: type[ReasonForm] = ReasonForm


STEPS = {
    "submit": Step(_("Submit for review"), _("Submitted for review"), access.editable),
    "recall": Step(_("Take back"), _("Taken back"), access.recallable),
    "publish": Step(_("Publish"), _("Published"), access.publishable),
    "return": Step(
        _("Return"),
        _("Returned"),
        access.publishable,
        _("Whoever entered the row reads it."),
    ),
    "correct": Step(
        _("Correct"),
        _("A correction was begun"),
        access.correctable,
        _("Everybody reads it: the correction shows it beside the old figure."),
    ),
    "withdraw": Step(
        _("Withdraw"),
        _("Handed to review: the withdrawal"),
        access.withdrawable,
        _("Everybody reads it where the row used to stand, once somebody else published it."),
        WithdrawalReasonForm,
    ),
}


class SubmissionForm(forms.ModelForm):
    """Remembers which version of the row its reader saw, and refuses if it is no longer that."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["seen"].initial = workflow.seen_version(self.instance)

    def clean(self):
        data = super().clean()
        row = self.instance
        if row.pk and not workflow.is_current(row, data.get("seen")):
            stored = type(row)._base_manager.filter(pk=row.pk).first()
            if stored is None:
                raise ValidationError(_("This row was deleted meanwhile."))
            names = [name for name in row.content_fields() if name in data]
            message = workflow.what_changed(stored, {name: data[name] for name in names})
            # Whoever reads this keeps what they typed; sending it again replaces the newer row.
            self.data = self.data.copy()
            self.data[self.add_prefix("seen")] = workflow.seen_version(stored)
            raise ValidationError(message)
        return data


class SubmissionAdmin(EndsRaces):
    """Editing drafts, and the steps: submit, publish, return, correct, withdraw.

    Only drafts and returned rows can be changed or deleted; everything else is read-only here
    and moves by the steps alone.
    """

    form = SubmissionForm
    # A link typed without a scheme is meant as https, as Django 6 will have it.
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    change_form_template = "staff/submission_change_form.html"
    delete_confirmation_template = "staff/submission_delete.html"
    date_hierarchy = "entered_at"
    list_filter = ("state",)
    actions = ("submit_selected",)
    bookkeeping = (
        "state_with_icon", "return_reason", "revision", "supersedes", "correction_reason",
        "entered_by", "entered_at", "submitted_at", "published_by", "published_at",
    )  # fmt: skip
    bookkeeping_fieldset = (_("Who and when"), {"fields": bookkeeping, "classes": ("collapse",)})

    def get_readonly_fields(self, request, obj=None):
        # The reason of a correction can be reworded until it is published.
        fixed = [
            name for name in self.bookkeeping
            if name != "correction_reason" or obj is None or not obj.supersedes_id
        ]  # fmt: skip
        return (*super().get_readonly_fields(request, obj), *fixed)

    @admin.display(description=_("state"), ordering="state")
    def state_with_icon(self, row):
        return format_html("{} {}", STATE_ICONS[row.state], sign_off.state_text(row))

    def get_queryset(self, request):
        rows = sign_off.with_waiting(super().get_queryset(request))
        return access.visible(request.user, rows)

    def get_field_queryset(self, db, db_field, request):
        rows = super().get_field_queryset(db, db_field, request)
        if rows is None:
            rows = db_field.related_model._default_manager.all()
        return access.visible(request.user, rows)

    def has_change_permission(self, request, obj=None):
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or access.may(request.user, access.editable, obj))

    def has_delete_permission(self, request, obj=None):
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or access.may(request.user, access.editable, obj))

    def get_actions(self, request):
        # Bulk deletion could take published rows along.
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def save_model(self, request, obj, form, change):
        # The form has compared it with what its reader saw.
        workflow.save(obj, by=request.user, seen=obj.version if change else None)

    def response_add(self, request, obj, post_url_continue=None):
        return self._submitted(request, obj) or super().response_add(
            request, obj, post_url_continue
        )

    def response_change(self, request, obj):
        return self._submitted(request, obj) or super().response_change(request, obj)

    def _submitted(self, request, row):
        """What answers “save and submit”; None where only saving was asked for."""
        if "_submit" not in request.POST:
            return None
        try:
            workflow.submit(row, by=request.user)
        except TransitionError as error:
            self.message_user(request, str(error), messages.ERROR)
            return redirect(change_url(row))
        self.message_user(request, f"{STEPS['submit'].done}: {row}", messages.SUCCESS)
        return redirect(list_url(self.model))

    def delete_model(self, request, obj):
        workflow.check_seen(obj, request.POST.get("seen"))
        workflow.delete(obj, by=request.user)

    def delete_view(self, request, object_id, extra_context=None):
        try:
            return super().delete_view(request, object_id, extra_context)
        except TransitionError as error:
            self.message_user(request, str(error), messages.ERROR)
            return redirect(list_url(self.model))

    @admin.action(description=_("Submit the selected rows for review"), permissions=["change"])
    def submit_selected(self, request, queryset):
        with transaction.atomic():
            rows = list(access.editable(request.user, queryset))
            refused = workflow.submit_each(rows, by=request.user)
            moved = len(rows) - len(refused)
            for row in rows:
                if why := refused.get(row.pk):
                    self.message_user(request, f"{row}: {why}", messages.ERROR)
        if moved:
            self.message_user(
                request,
                ngettext("%(n)d row was moved on.", "%(n)d rows were moved on.", moved)
                % {"n": moved},
                messages.SUCCESS,
            )

    def get_urls(self):
        name = f"{self.opts.app_label}_{self.opts.model_name}_step"
        step = path(
            "<path:object_id>/step/<slug:step>/", self.admin_site.admin_view(self.step), name=name
        )
        return [step, *super().get_urls()]

    def open_steps(self, request, row) -> list[tuple[str, str]]:
        """The steps that ``row`` allows ``request.user`` on a page of their own, with headings.

        What can still be edited is submitted by a button of its form, which keeps what was typed.
        """
        possible = {
            State.SUBMITTED: ["recall", "publish", "return"],
            State.PUBLISHED: ["correct", "withdraw"],
        }
        return [
            (step, STEPS[step].heading)
            for step in possible.get(row.state, [])
            if self._may(request, step, row)
        ]

    def _may(self, request, step, row) -> bool:
        return access.may(request.user, STEPS[step].rows, row)

    def step(self, request, object_id, step):
        """One step of the workflow: asks first, takes the reason, then moves."""
        return taken_once(request, lambda: self._step(request, object_id, step))

    def _step(self, request, object_id, step):
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        if step not in STEPS or not self._may(request, step, row):
            why = _("This row is “%(state)s” now, so this step is not open to you.")
            raise PermissionDenied(why % {"state": row.get_state_display()})
        chosen = STEPS[step]
        form, typed = None, given_back(request)
        if chosen.who_reads:
            data = typed.data if typed else request.POST or None
            form = chosen.form(data, help_text=chosen.who_reads)
        if request.method == "POST" and (form is None or form.is_valid()):
            try:
                workflow.check_seen(row, request.POST.get("seen"))
                moved = self._take(step, row, request.user, form)
            except (TransitionError, ValidationError) as error:
                told = getattr(error, "messages", [str(error)])
                row = self.get_object(request, unquote(object_id))
                if form is None or row is None or not self._may(request, step, row):
                    for message in [*told, *_typed_reason(form)]:
                        self.message_user(request, message, messages.ERROR)
                    return redirect(change_url(row) if row else list_url(self.model))
                # The newer row is shown beside the reason, to be sent for it if it still fits.
                form.add_error(None, told)
            else:
                self.message_user(request, f"{chosen.done}: {row}", messages.SUCCESS)
                return redirect(change_url(moved))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": row,
            "title": chosen.heading,
            "form": form,
        }
        return TemplateResponse(request, "staff/submission_step.html", context)

    def _take(self, step, row, user, form):
        if step == "submit":
            workflow.submit(row, by=user)
        elif step == "recall":
            workflow.recall(row, by=user)
        elif step == "publish":
            workflow.publish(row, by=user)
        elif step == "return":
            workflow.send_back(row, by=user, reason=form.cleaned_data["reason"])
        elif step == "withdraw":
            return withdraw(row, by=user, **form.cleaned_data)
        else:
            return workflow.correct(row, by=user, reason=form.cleaned_data["reason"])
        return row

    def change_view(self, request, object_id, form_url="", extra_context=None):
        row = self.get_object(request, object_id)
        steps = self.open_steps(request, row) if row else []
        return super().change_view(
            request, object_id, form_url, {**(extra_context or {}), "steps": steps}
        )

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        context["show_submit"] = add or self.has_change_permission(request, obj)
        return super().render_change_form(request, context, add, change, form_url, obj)


def _typed_reason(form) -> list[str]:
    """A sentence with the reason that somebody typed in vain."""
    reason = form.cleaned_data.get("reason", "") if form else ""
    return [_("You typed: %(text)s") % {"text": reason}] if reason else []
