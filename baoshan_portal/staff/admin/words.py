"""The editors' desk for words: the documents, the tree of measures, rounds, notes."""

from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.forms import ModelChoiceField
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from measures import access
from measures.models import (
    Department,
    Measure,
    Opinion,
    ProgressNote,
    Report,
    Round,
    RoundUnlock,
    Section,
    Synonym,
    Theme,
    Threshold,
)
from measures.reorganisation import give_lead
from measures.trail import Action, in_trail_language, record
from metrics import due

from ..addresses import change_url
from .ask_once import asks_once
from .files import TakesFiles
from .recorded import NamedAdmin, RecordsChanges
from .reviewed import ReviewedAdmin
from .submissions import SubmissionAdmin
from .withdrawals import CanBeWithdrawn

admin.site.site_title = _("Baoshan follow-up portal")
admin.site.site_header = _("Baoshan follow-up portal: editing")
admin.site.index_title = _("What can be edited")


@admin.register(Opinion)
class OpinionAdmin(ReviewedAdmin):
    list_display = ("number", "name", "issuer", "issued_on")


@admin.register(Report)
class ReportAdmin(ReviewedAdmin):
    list_display = ("number", "kind", "name", "opinion", "issuer", "signed_on", "issued_on")
    list_select_related = ("opinion",)
    change_form_template = "staff/report_change_form.html"

    def change_view(self, request, object_id, form_url="", extra_context=None):
        takes = access.takes_over_reports(request.user)
        return super().change_view(
            request, object_id, form_url, {**(extra_context or {}), "takes_figures": takes}
        )


@admin.register(Section)
class SectionAdmin(ReviewedAdmin):
    list_display = ("order", "name", "opinion")
    list_display_links = ("name",)
    list_select_related = ("opinion",)
    list_filter = ("opinion",)


@admin.register(Theme)
class ThemeAdmin(ReviewedAdmin):
    list_display = ("number", "name", "section")
    list_display_links = ("name",)
    list_select_related = ("section__opinion",)
    list_filter = ("section__opinion", "section")

    @admin.display(
        description=_("number"),
        ordering=F("section__opinion_id") * 10**6 + F("section__order") * 1000 + F("order"),
    )
    def number(self, theme):
        return f"{theme.section.opinion.prefix}{theme.number}"


@admin.register(Threshold)
class ThresholdAdmin(ReviewedAdmin):
    """Each has its one row from the beginning; a new value waits for review as new words do."""

    list_display = ("__str__", "value")
    search_fields = ("code",)
    fields = ("code", "value")

    def has_add_permission(self, request):
        return False


class LeadForm(ActionForm):
    """Beside the actions: which department leads."""

    to = ModelChoiceField(
        Department.objects.none(),
        label=_("lead department"),
        required=False,
        to_field_name="code",
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["to"].queryset = Department.objects.standing()


@admin.register(Measure)
class MeasureAdmin(TakesFiles, CanBeWithdrawn, ReviewedAdmin):
    action_form = LeadForm
    actions = ("give_lead",)
    list_display = ("number", "name", "lead", "lead_confirmed", "locator", "published_on")
    list_display_links = ("name",)
    list_select_related = ("theme__section__opinion", "lead")
    list_filter = ("theme__section__opinion", "theme__section", "theme", "lead", "lead_confirmed")
    autocomplete_fields = ("theme", "lead", "supporting", "report")
    search_fields = (*NamedAdmin.search_fields, "summary", "summary_en")
    snapshot_relations = ("supporting",)
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

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "lead":
            kwargs["queryset"] = _offered(request, "led")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field, request, **kwargs):
        if db_field.name == "supporting":
            kwargs["queryset"] = _offered(request, "supported")
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def parts(self, form, formsets):
        if "supporting" not in form.cleaned_data:
            return {}
        return {"supporting": sorted(row.code for row in form.cleaned_data["supporting"])}

    @admin.display(description=_("number"))
    def number(self, measure):
        return measure.full_number

    @admin.action(
        description=_("Give the selected measures to a lead department"), permissions=["change"]
    )
    def give_lead(self, request, queryset):
        code = request.POST.get("to", "")
        to = Department.objects.standing().filter(code=code).first()
        if to is None:
            self.message_user(request, _("Choose the department that leads."), messages.ERROR)
            return None
        try:
            revision = give_lead(list(queryset), to, by=request.user)
        except ValidationError as error:
            self.message_user(request, " ".join(error.messages), messages.ERROR)
            return None
        return redirect(change_url(revision))


def _offered(request, relation: str):
    """The departments that stand, and those that the measure in hand has already."""
    offered = Department.objects.standing()
    measure = request.resolver_match.kwargs.get("object_id")
    if measure and measure.isdecimal():
        offered |= Department.objects.filter(**{relation: measure})
    return offered.distinct()


class RoundUnlockInline(admin.TabularInline):
    model = RoundUnlock
    extra = 0
    autocomplete_fields = ("department",)
    readonly_fields = ("by", "at")
    can_delete = False

    def has_change_permission(self, request, obj=None):
        return False


def what_it_did(round_: Round) -> str:
    """A sentence on what locking or unlocking ``round_`` has just done."""
    if not round_.locked:
        return gettext("“%s” is unlocked and takes entry again; what was due stays fixed.") % round_
    asked, entered, drafts = due.counts_of(round_)
    text = gettext(
        "“%(round)s” is locked: of %(asked)d figures due, %(entered)d were handed in; %(drafts)d "
        "drafts stay where they are and can no longer be submitted. What was due is fixed; "
        "corrections remain possible."
    )
    return text % {"round": round_, "asked": asked, "entered": entered, "drafts": drafts}


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
                    "figures in every quarter, yearly ones in the round that ends the year. What "
                    "is due when the round is locked first is fixed then for good."
                ),
            },
        ),
    )

    @admin.action(description=_("Lock the selected rounds"), permissions=["change"])
    @asks_once(_("Lock these rounds? What is due in them is fixed for good."))
    def lock(self, request, queryset):
        self._set_locked(request, queryset, True, Action.LOCKED)

    @admin.action(description=_("Unlock the selected rounds"), permissions=["change"])
    def unlock(self, request, queryset):
        self._set_locked(request, queryset, False, Action.UNLOCKED)

    @transaction.atomic
    def _set_locked(self, request, queryset, locked, action):
        rows = list(queryset.exclude(locked=locked))
        for row in rows:
            row.locked = locked
            row.save(update_fields=["locked"])
            if locked:
                due.fix(row)
            record(action, by=request.user, subject=row)
            self.message_user(request, what_it_did(row), messages.SUCCESS)
        for row in queryset.exclude(pk__in=[row.pk for row in rows]):
            locked_already, not_locked = _("“%s” was locked already."), _("“%s” was not locked.")
            text = (locked_already if locked else not_locked) % row
            self.message_user(request, text, messages.INFO)

    def save_formset(self, request, form, formset, change):
        for unlock in formset.save(commit=False):
            unlock.by = request.user
            unlock.save()
            with in_trail_language():
                department = str(unlock.department)
            record(
                Action.UNLOCKED,
                by=request.user,
                subject=unlock.round,
                after=department,
                note=unlock.reason,
            )
        formset.save_m2m()


@admin.register(Synonym)
class SynonymAdmin(TakesFiles, RecordsChanges, admin.ModelAdmin):
    list_display = ("term", "meaning")
    search_fields = ("term", "meaning")


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
