"""The editors' desk for words, and the steps of the workflow for whatever is submitted."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.db.models import F
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from . import access, workflow
from .accounts_admin import RecordsMembers
from .models import (
    Department,
    Measure,
    Opinion,
    ProgressNote,
    Report,
    Round,
    RoundUnlock,
    Section,
    Theme,
    TrailEvent,
)
from .submission import State
from .trail import Action, differences, record, snapshot
from .trail_export import RecordsExport, TrailEventResource
from .workflow import TransitionError

admin.site.site_title = _("Baoshan follow-up portal")
admin.site.site_header = _("Baoshan follow-up portal: editing")
admin.site.index_title = _("What can be edited")

STATE_ICONS = {
    State.DRAFT: "✎",
    State.SUBMITTED: "◷",
    State.PUBLISHED: "✓",
    State.RETURNED: "↩",
}


class RecordsChanges(admin.ModelAdmin):
    """Tells the trail what a row said before and after a change, and that it was deleted."""

    #: Many-to-many fields that belong to what the row says
    told_relations: tuple[str, ...] = ()

    def told(self, row) -> dict[str, str]:
        """What ``row`` says, as text by labels for people."""
        fields = [f.name for f in self.opts.concrete_fields if not f.primary_key]
        related = {
            str(self.opts.get_field(name).verbose_name): ", ".join(
                map(str, getattr(row, name).all())
            )
            for name in self.told_relations
        }
        return snapshot(row, fields) | related

    def save_model(self, request, obj, form, change):
        request.told_before = self.told(self.model.objects.get(pk=obj.pk)) if change else {}
        super().save_model(request, obj, form, change)

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        row = self.model.objects.get(pk=form.instance.pk)
        before, after = differences(request.told_before, self.told(row))
        if after:
            action = Action.CHANGED if change else Action.ENTERED
            record(action, by=request.user, subject=row, before=before, after=after)

    def delete_model(self, request, obj):
        before = differences({}, self.told(obj))[1]
        record(Action.DELETED, by=request.user, subject=obj, before=before)
        super().delete_model(request, obj)

    @transaction.atomic
    def delete_queryset(self, request, queryset):
        for row in queryset:
            self.delete_model(request, row)


class NamedAdmin(RecordsChanges):
    """Rows with a code, which can be set once and never changed."""

    search_fields = ("code", "name", "name_en")

    def get_readonly_fields(self, request, obj=None):
        fields = super().get_readonly_fields(request, obj)
        return (*fields, "code") if obj else fields

    def get_prepopulated_fields(self, request, obj=None):
        return {} if obj else {"code": ("name_en",)}


@admin.register(Department)
class DepartmentAdmin(RecordsMembers, NamedAdmin):
    list_display = ("code", "name", "name_en")
    autocomplete_fields = ("members",)


@admin.register(Opinion)
class OpinionAdmin(NamedAdmin):
    list_display = ("number", "name", "issuer", "issued_on")


@admin.register(Report)
class ReportAdmin(NamedAdmin):
    list_display = ("number", "name", "issuer", "signed_on", "issued_on")


@admin.register(Section)
class SectionAdmin(NamedAdmin):
    list_display = ("order", "name", "opinion")
    list_display_links = ("name",)
    list_select_related = ("opinion",)


@admin.register(Theme)
class ThemeAdmin(NamedAdmin):
    list_display = ("number", "name", "section")
    list_display_links = ("name",)
    list_select_related = ("section",)
    list_filter = ("section",)

    @admin.display(description=_("number"), ordering=F("section__order") * 1000 + F("order"))
    def number(self, theme):
        return theme.number


@admin.register(Measure)
class MeasureAdmin(NamedAdmin):
    list_display = ("number", "name", "lead", "lead_confirmed", "locator", "published_on")
    list_display_links = ("name",)
    list_select_related = ("theme__section", "lead")
    list_filter = ("theme__section", "theme", "lead", "lead_confirmed")
    autocomplete_fields = ("theme", "lead", "supporting", "report")
    search_fields = (*NamedAdmin.search_fields, "summary", "summary_en")
    told_relations = ("supporting",)
    fieldsets = (
        (
            None,
            {"fields": ("code", ("theme", "order"), "name", "name_en", "summary", "summary_en")},
        ),
        (
            _("Who is responsible"),
            {
                "fields": ("lead", "lead_confirmed", "supporting"),
                "description": _(
                    "Tick “lead confirmed” only when the office itself has confirmed it."
                ),
            },
        ),
        (_("Source and publication"), {"fields": (("report", "locator"), "published_on")}),
    )

    def get_queryset(self, request):
        return access.visible(request.user, super().get_queryset(request))

    @admin.display(description=_("number"))
    def number(self, measure):
        return measure.number


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), widget=forms.Textarea(attrs={"rows": 3}))


class SubmissionForm(forms.ModelForm):
    """Remembers which version of the row its reader saw, and tells if it is no longer that."""

    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["seen"].initial = self.instance.version if self.instance.pk else None

    def clean(self):
        data = super().clean()
        row = self.instance
        if row.pk and data.get("seen") != row.version:
            stored = type(row)._base_manager.get(pk=row.pk)
            names = [name for name in row.content_fields() if name in data]
            told = workflow.what_changed(stored, {name: data[name] for name in names})
            # Whoever reads this keeps what they typed; sending it again replaces the newer row.
            self.data = self.data.copy()
            self.data[self.add_prefix("seen")] = stored.version
            raise ValidationError(told)
        return data


class SubmissionAdmin(admin.ModelAdmin):
    """Editing drafts, and the steps submit, publish, return and correct.

    Only drafts and returned rows can be changed or deleted; everything else is read-only here
    and moves by the steps alone.
    """

    form = SubmissionForm
    # A link typed without a scheme is meant as https, as Django 6 will have it.
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    change_form_template = "admin/submission_change_form.html"
    date_hierarchy = "entered_at"
    list_filter = ("state",)
    actions = ("submit_selected", "publish_selected")
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
        return format_html("{} {}", STATE_ICONS[row.state], row.get_state_display())

    def get_queryset(self, request):
        return access.visible(request.user, super().get_queryset(request))

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        kwargs["queryset"] = access.visible(
            request.user, kwargs.get("queryset") or db_field.related_model._default_manager.all()
        )
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

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
        workflow.save(obj, by=request.user, seen=form.cleaned_data["seen"] if change else None)

    def delete_model(self, request, obj):
        workflow.delete(obj, by=request.user)

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except TransitionError as error:
            # Between the check of the form and the write somebody else was faster.
            self.message_user(request, str(error), messages.ERROR)
            return redirect(request.path)

    def has_publish_permission(self, request):
        codename = f"publish_{self.opts.model_name}"
        return request.user.has_perm(f"{self.opts.app_label}.{codename}")

    @admin.action(description=_("Submit the selected rows for review"), permissions=["change"])
    def submit_selected(self, request, queryset):
        self._move_all(request, queryset, access.editable, workflow.submit)

    @admin.action(description=_("Publish the selected rows"), permissions=["publish"])
    def publish_selected(self, request, queryset):
        self._move_all(request, queryset, access.publishable, workflow.publish)

    def _move_all(self, request, queryset, choose, step):
        moved = 0
        for row in choose(request.user, queryset):
            try:
                step(row, by=request.user)
                moved += 1
            except (TransitionError, PermissionDenied) as error:
                self.message_user(request, f"{row}: {error}", messages.ERROR)
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

    # Step: (heading, needs a reason, the function of ``access`` that must include the row)
    steps = {
        "submit": (_("Submit for review"), False, access.editable),
        "publish": (_("Publish"), False, access.publishable),
        "return": (_("Return"), True, access.publishable),
        "correct": (_("Correct"), True, access.correctable),
    }

    def open_steps(self, request, row) -> list[tuple[str, str]]:
        """The steps that ``row`` allows ``request.user`` now, with their headings."""
        possible = {
            State.DRAFT: ["submit"],
            State.RETURNED: ["submit"],
            State.SUBMITTED: ["publish", "return"],
            State.PUBLISHED: ["correct"],
        }[row.state]
        return [(step, self.steps[step][0]) for step in possible if self._may(request, step, row)]

    def _may(self, request, step, row) -> bool:
        return access.may(request.user, self.steps[step][2], row)

    def step(self, request, object_id, step):
        """One step of the workflow: asks first, takes the reason, then moves."""
        row = get_object_or_404(self.get_queryset(request), pk=object_id)
        if step not in self.steps or not self._may(request, step, row):
            raise PermissionDenied
        heading, needs_reason, _choose = self.steps[step]
        form = ReasonForm(request.POST or None) if needs_reason else None
        if request.method == "POST" and (form is None or form.is_valid()):
            try:
                workflow.check_seen(row, request.POST.get("seen"))
                moved = self._take(step, row, request.user, form)
            except (TransitionError, ValidationError) as error:
                for message in getattr(error, "messages", [str(error)]):
                    self.message_user(request, message, messages.ERROR)
                moved = row
            else:
                self.message_user(request, f"{heading}: {row}", messages.SUCCESS)
            name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
            return redirect(reverse(name, args=[moved.pk]))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": row,
            "title": heading,
            "form": form,
        }
        return TemplateResponse(request, "admin/submission_step.html", context)

    def _take(self, step, row, user, form):
        if step == "submit":
            workflow.submit(row, by=user)
        elif step == "publish":
            workflow.publish(row, by=user)
        elif step == "return":
            workflow.send_back(row, by=user, reason=form.cleaned_data["reason"])
        else:
            return workflow.correct(row, by=user, reason=form.cleaned_data["reason"])
        return row

    def change_view(self, request, object_id, form_url="", extra_context=None):
        row = self.get_object(request, object_id)
        steps = self.open_steps(request, row) if row else []
        return super().change_view(
            request, object_id, form_url, {**(extra_context or {}), "steps": steps}
        )


class RoundUnlockInline(admin.TabularInline):
    model = RoundUnlock
    extra = 0
    autocomplete_fields = ("department",)
    readonly_fields = ("by", "at")
    can_delete = False

    def has_change_permission(self, request, obj=None):
        return False


@admin.register(Round)
class RoundAdmin(NamedAdmin):
    list_display = ("name", "period_start", "period_end", "opens_on", "due_on", "locked")
    inlines = (RoundUnlockInline,)
    actions = ("lock", "unlock")
    fieldsets = (
        (None, {"fields": ("code", "name", "name_en")}),
        (
            _("When"),
            {
                "fields": (("period_start", "period_end"), ("opens_on", "due_on")),
                "description": _(
                    "What is due in a round follows from each indicator's frequency: quarterly "
                    "figures in every quarter, yearly ones in the round that ends the year."
                ),
            },
        ),
    )

    @admin.action(description=_("Lock the selected rounds"), permissions=["change"])
    def lock(self, request, queryset):
        self._set_locked(request, queryset, True, Action.LOCKED)

    @admin.action(description=_("Unlock the selected rounds"), permissions=["change"])
    def unlock(self, request, queryset):
        self._set_locked(request, queryset, False, Action.UNLOCKED)

    def _set_locked(self, request, queryset, locked, action):
        for row in queryset.exclude(locked=locked):
            row.locked = locked
            row.save(update_fields=["locked"])
            record(action, by=request.user, subject=row)

    def save_formset(self, request, form, formset, change):
        for unlock in formset.save(commit=False):
            unlock.by = request.user
            unlock.save()
            record(
                Action.UNLOCKED,
                by=request.user,
                subject=unlock.round,
                after=str(unlock.department),
                note=unlock.reason,
            )
        formset.save_m2m()


@admin.register(TrailEvent)
class TrailEventAdmin(RecordsExport, admin.ModelAdmin):
    resource_classes = [TrailEventResource]
    list_display = ("at", "actor_name", "address", "action", "subject", "note")
    list_filter = ("at", "action", "subject_type")
    search_fields = ("actor_name", "subject", "subject_code", "before", "after", "note")
    date_hierarchy = "at"

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(ProgressNote)
class ProgressNoteAdmin(SubmissionAdmin):
    list_display = ("happened_on", "measure", "state_with_icon", "entered_by", "published_at")
    list_select_related = ("measure", "entered_by")
    list_filter = ("state", "measure__theme__section")
    autocomplete_fields = ("measure",)
    search_fields = ("text", "text_en", "measure__name", "measure__code")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "seen",
                    "measure",
                    "happened_on",
                    "text",
                    "text_en",
                    "evidence_url",
                    "evidence_file",
                )
            },
        ),
        SubmissionAdmin.bookkeeping_fieldset,
    )
