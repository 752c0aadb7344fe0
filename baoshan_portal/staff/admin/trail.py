"""The trail as auditors read it, and as the file that they take away."""

from django.contrib import admin
from django.db.models import Q
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from import_export import resources
from import_export.fields import Field

from measures.models import TrailEvent
from measures.models.trail import kind_of_row

from ..trail_search import AskFilter, changes_of, under_every_name
from .looked_at import OnlyLookedAt
from .recorded import RecordsExport


class TrailEventResource(resources.ModelResource):
    at = Field("at")
    action = Field("get_action_display")
    subject_type = Field("kind")

    columns = {
        "at": {"width": 26},
        "action": {"width": 20},
        "subject_code": {"width": 30},
        "subject": {"width": 40},
        "before": {"width": 50},
        "after": {"width": 50},
        "note": {"width": 50},
    }

    class Meta:
        model = TrailEvent
        fields = (
            "at", "actor_name", "address", "action", "subject_type", "subject_code", "subject",
            "before", "after", "note",
        )  # fmt: skip
        export_order = fields

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        # Header and values alike are in the language of the page.
        for name, field in self.fields.items():
            field.column_name = str(self._meta.model._meta.get_field(name).verbose_name)

    def dehydrate_at(self, event):
        return timezone.localtime(event.at).isoformat(sep=" ", timespec="seconds")


class KindFilter(admin.AllValuesFieldListFilter):
    """Offers the kinds of rows by what people call them."""

    def choices(self, changelist):
        for choice in super().choices(changelist):
            label, space, count = str(choice["display"]).partition(" ")
            named = kind_of_row(label) or self.empty_value_display
            yield {**choice, "display": f"{named}{space}{count}"}


@admin.register(TrailEvent)
class TrailEventAdmin(RecordsExport, OnlyLookedAt):
    resource_classes = [TrailEventResource]
    list_display = ("when", "who", "action", "what")
    list_filter = (AskFilter, "at", "action", ("subject_type", KindFilter))
    search_fields = ("actor_name", "subject", "subject_code", "before", "after", "note")
    date_hierarchy = "at"
    fields = (
        "at", "actor_name", "actor", "address", "action", "kind", "subject_code", "subject",
        "changes", "note",
    )  # fmt: skip

    class Media:
        css = {"all": ["css/desk.css"]}

    def get_search_results(self, request, queryset, search_term):
        found, distinct = super().get_search_results(request, queryset, search_term)
        if text := search_term.strip():
            found = queryset.filter(
                Q(pk__in=found.order_by().values("pk")) | under_every_name(text)
            )
        return found, distinct

    @admin.display(description=_("old and new"))
    def changes(self, event):
        """A line for each field: what it said before, and what it says now."""
        lines = changes_of(event)
        if not lines:
            return "—"
        heads = format_html_join(
            "", "<th scope=col>{}</th>", ((text,) for text in (_("field"), _("before"), _("after")))
        )
        rows = format_html_join(
            "", "<tr><th scope=row>{}</th><td>{}</td><td>{}</td></tr>",
            ((label, old or "—", new or "—") for label, old, new in lines),
        )  # fmt: skip
        table = "<table class=desk-changes><thead><tr>{}</tr></thead><tbody>{}</tbody></table>"
        return format_html(table, heads, rows)

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
