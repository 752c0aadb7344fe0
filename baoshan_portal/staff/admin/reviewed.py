"""Editing what is public: a change goes into the steward's open revision, never into the row."""

from django.contrib import admin, messages
from django.forms import CheckboxSelectMultiple, MultipleChoiceField
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from measures import revisions
from measures.models import Revision

from ..addresses import change_url, list_url
from .recorded import NamedAdmin
from .submissions import SubmissionAdmin, SubmissionForm


class ReviewedAdmin(NamedAdmin):
    """Rows that are kept as versions. A draft is edited in place, its day comes by review alone."""

    #: Whether a new row waits for review; rows with a day of their own begin as drafts instead.
    is_made_by_review = True

    @property
    def has_day(self) -> bool:
        return any(field.name == "published_on" for field in self.opts.concrete_fields)

    def get_form(self, request, obj=None, **kwargs):
        form = super().get_form(request, obj, **kwargs)
        if not revisions.is_public(obj or self.model()):
            return form

        class Reviewed(form):
            def _get_validation_exclusions(self):
                # Two rows that exchange their places hold each other's until both are reviewed.
                return super()._get_validation_exclusions() | {"order"}

        return Reviewed

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and not (
            obj is not None and revisions.is_public(obj)
        )

    def get_actions(self, request):
        # Bulk deletion could take public rows along.
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def save_model(self, request, obj, form, change):
        stored = self.model.objects.get(pk=obj.pk) if change else None
        request.entries_of, request.public_since = None, None
        if stored and revisions.is_public(stored):
            request.entries_of = stored
            return
        if not change and not self.has_day and self.is_made_by_review:
            request.entries_of = obj
            return
        if self.has_day:
            request.public_since, obj.published_on = obj.published_on, None
        super().save_model(request, obj, form, change)

    def save_related(self, request, form, formsets, change):
        row = form.instance
        if request.entries_of is None:
            super().save_related(request, form, formsets, change)
            entries = []
            if request.public_since:
                before, after = {"published_on": None}, {"published_on": request.public_since}
                after["published_on"] = request.public_since.isoformat()
                entries = revisions.changes_between(row, before, after)
        else:
            after = revisions.says(row) | self.parts(form, formsets)
            if change:
                before = revisions.says(request.entries_of)
                entries = revisions.changes_between(row, before, after)
            else:
                entries = [revisions.creation(row, after)]
        if entries:
            revision = revisions.collect(entries, by=request.user)
            text = _("This waits for review: give the reason and submit it with <a>the change</a>.")
            before, _tag, rest = str(text).partition("<a>")
            link, _tag, after = rest.partition("</a>")
            self.message_user(
                request,
                format_html('{}<a href="{}">{}</a>{}', before, change_url(revision), link, after),
                messages.WARNING,
            )

    def parts(self, form, formsets) -> dict:
        """What is stored in other tables, as a revision writes it down."""
        return {}

    def _waits(self, request) -> bool:
        return getattr(request, "entries_of", None) is not None

    def construct_change_message(self, request, form, formsets, add=False):
        # The parts of a row that waits were not stored either.
        if self._waits(request):
            return []
        return super().construct_change_message(request, form, formsets, add)

    def log_addition(self, request, obj, message):
        return None if self._waits(request) else super().log_addition(request, obj, message)

    def log_change(self, request, obj, message):
        return None if self._waits(request) else super().log_change(request, obj, message)

    def response_add(self, request, obj, post_url_continue=None):
        if self._waits(request):
            return redirect(list_url(self.model))
        return super().response_add(request, obj, post_url_continue)

    def response_change(self, request, obj):
        if self._waits(request):
            return redirect(request.path)
        return super().response_change(request, obj)


class RevisionForm(SubmissionForm):
    taken_out = MultipleChoiceField(
        label=_("Take out"),
        required=False,
        widget=CheckboxSelectMultiple,
        help_text=_("What is ticked is left as it is."),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "taken_out" in self.fields:
            found = revisions.lines(self.instance)
            self.fields["taken_out"].choices = [(str(n), str(line)) for n, line in enumerate(found)]

    def clean(self):
        data = super().clean()
        out = set(data.get("taken_out", ()))
        self.instance.changes = [
            change for n, change in enumerate(self.instance.changes) if str(n) not in out
        ]
        return data


@admin.register(Revision)
class RevisionAdmin(SubmissionAdmin):
    """A revision begins with a change in the form of a public row; here it gets its reason."""

    form = RevisionForm
    list_display = ("about", "reason", "state_with_icon", "entered_by", "published_at")
    list_select_related = ("entered_by",)
    search_fields = ("reason",)
    readonly_fields = ("lines",)
    fieldsets = (
        (None, {"fields": ("seen", "lines", "reason", "taken_out")}),
        SubmissionAdmin.bookkeeping_fieldset,
    )

    def get_fieldsets(self, request, obj=None):
        if obj and self.has_change_permission(request, obj):
            return self.fieldsets
        return ((None, {"fields": ("lines", "reason")}), SubmissionAdmin.bookkeeping_fieldset)

    def get_readonly_fields(self, request, obj=None):
        fields = super().get_readonly_fields(request, obj)
        return (*fields, "correction_reason") if "correction_reason" not in fields else fields

    def has_add_permission(self, request):
        return False

    def _may(self, request, step, row):
        # What was changed is changed again by a further revision.
        return step != "correct" and super()._may(request, step, row)

    @admin.display(description=_("what changes"))
    def about(self, revision):
        return str(revision)

    @admin.display(description=_("what changes"))
    def lines(self, revision):
        return revision.get_changes_display()
