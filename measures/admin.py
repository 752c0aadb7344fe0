"""The editors' desk for words: the documents, the tree of measures, rounds, notes, the trail."""

from django.contrib import admin
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from . import access
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
from .models.trail import kind_of_row
from .submission_admin import SubmissionAdmin
from .trail import Action, differences, in_trail_language, record, snapshot
from .trail_export import RecordsExport, TrailEventResource

admin.site.site_title = _("Baoshan follow-up portal")
admin.site.site_header = _("Baoshan follow-up portal: editing")
admin.site.index_title = _("What can be edited")


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

    def _told_kept(self, row) -> dict[str, str]:
        with in_trail_language():
            return self.told(row)

    def save_model(self, request, obj, form, change):
        request.told_before = self._told_kept(self.model.objects.get(pk=obj.pk)) if change else {}
        super().save_model(request, obj, form, change)

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        row = self.model.objects.get(pk=form.instance.pk)
        before, after = differences(request.told_before, self._told_kept(row))
        if after:
            action = Action.CHANGED if change else Action.ENTERED
            record(action, by=request.user, subject=row, before=before, after=after)

    def delete_model(self, request, obj):
        before = differences({}, self._told_kept(obj))[1]
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

    @transaction.atomic
    def _set_locked(self, request, queryset, locked, action):
        for row in queryset.exclude(locked=locked):
            row.locked = locked
            row.save(update_fields=["locked"])
            record(action, by=request.user, subject=row)

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


class KindFilter(admin.AllValuesFieldListFilter):
    """Offers the kinds of rows by what people call them."""

    def choices(self, changelist):
        for choice in super().choices(changelist):
            label, space, count = str(choice["display"]).partition(" ")
            named = kind_of_row(label) or self.empty_value_display
            yield {**choice, "display": f"{named}{space}{count}"}


@admin.register(TrailEvent)
class TrailEventAdmin(RecordsExport, admin.ModelAdmin):
    resource_classes = [TrailEventResource]
    list_display = ("when", "who", "action", "what")
    list_filter = ("at", "action", ("subject_type", KindFilter))
    search_fields = ("actor_name", "subject", "subject_code", "before", "after", "note")
    date_hierarchy = "at"
    fields = (
        "at", "actor_name", "actor", "address", "action", "kind", "subject_code", "subject",
        "before", "after", "note",
    )  # fmt: skip

    class Media:
        css = {"all": ["css/desk.css"]}

    @admin.display(description=_("kind of row"), ordering="subject_type")
    def kind(self, event):
        return event.kind

    @admin.display(description=_("when"), ordering="at")
    def when(self, event):
        return f"{timezone.localtime(event.at):%Y-%m-%d %H:%M}"

    @admin.display(description=_("who"), ordering="actor_name")
    def who(self, event):
        return self._lines(event.actor_name, event.address)

    @admin.display(description=_("row"), ordering="subject")
    def what(self, event):
        """The row, its kind and the beginning of the note; the event's page has the whole."""
        return self._lines(event.subject, event.kind, Truncator(event.note).chars(60))

    def _lines(self, first, *further):
        small = format_html_join("", "<small>{}</small>", ((line,) for line in further if line))
        return format_html("{}{}", first, small)

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
