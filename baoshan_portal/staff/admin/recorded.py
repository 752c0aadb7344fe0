"""Changes and exports in the admin go to the trail."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.text import capfirst
from import_export.admin import ExportMixin
from import_export.formats.base_formats import CSV, XLSX
from import_export.forms import SelectableFieldsExportForm

from measures import watermark
from measures.spreadsheets import Column, download
from measures.trail import Action, differences, in_trail_language, record, snapshot

from .seen import SaysWhatWasSeen


class RecordsChanges(SaysWhatWasSeen):
    """Records in the trail what a row said before and after a change, and that it was deleted.

    What a row says of anybody's rights is recorded as an event of its own.
    """

    #: Many-to-many fields that belong to what the row says
    snapshot_relations: tuple[str, ...] = ()

    def content(self, row) -> dict[str, str]:
        """What ``row`` says, as text by labels for people."""
        fields = [f.name for f in self.opts.concrete_fields if not f.primary_key]
        related = {
            str(self.opts.get_field(name).verbose_name): ", ".join(
                map(str, getattr(row, name).all())
            )
            for name in self.snapshot_relations
        }
        return snapshot(row, fields) | related

    def rights(self, row) -> dict[str, str]:
        """What ``row`` says of anybody's rights, as text by labels for people."""
        return {}

    def _snapshots(self, row) -> tuple[dict[str, str], dict[str, str]]:
        with in_trail_language():
            return self.content(row), self.rights(row)

    def save_model(self, request, obj, form, change):
        stored = self.model.objects.get(pk=obj.pk) if change else None
        request.before_change = self._snapshots(stored) if stored else ({}, {})
        super().save_model(request, obj, form, change)

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        row = self.model.objects.get(pk=form.instance.pk)
        actions = Action.CHANGED if change else Action.ENTERED, Action.PERMISSIONS_CHANGED
        snapshots = zip(actions, request.before_change, self._snapshots(row), strict=True)
        for action, old, new in snapshots:
            before, after = differences(old, new)
            if after:
                record(action, by=request.user, subject=row, before=before, after=after)

    def delete_model(self, request, obj):
        with in_trail_language():
            before = differences({}, self.content(obj))[1]
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


class ColumnsForm(SelectableFieldsExportForm):
    """Offers the columns by the headers that they have in the file."""

    def _get_field_label(self, resource, field_name):
        return capfirst(resource().fields[field_name].column_name)


class TableExport(ExportMixin):
    """Exports the filtered list as csv or xlsx by the portal's own writer, and tells the trail.

    A resource says in ``columns`` what ``spreadsheets.Column`` takes besides the heading, by the
    names of its fields. ``mark_last`` puts the watermark behind the columns, for files that come
    back: their first ones are read by their letters.
    """

    export_formats = (CSV, XLSX)
    mark_last = False

    def export_note(self, rows: int, name: str, query: str) -> str:
        """What the trail says of the file ``name``."""
        return f"{name} ({rows}) {query}".strip()

    def _do_file_export(self, file_format, request, queryset, export_form=None):
        # In place of get_export_data, which holds the whole file in memory, twice.
        if not self.has_export_permission(request):
            raise PermissionDenied
        resource = self.choose_export_resource_class(export_form, request)()
        chosen = self.get_export_resource_fields_from_form(export_form)
        looks = getattr(resource, "columns", {})
        columns = [
            Column(field.column_name, **looks.get(resource.get_field_name(field), {}))
            for field in resource.get_export_fields(chosen)
        ]
        rows = (
            resource.export_resource(row, selected_fields=chosen)
            for row in resource.iter_queryset(queryset)
        )
        extension = file_format.get_extension()
        note = self.export_note(
            queryset.count(), f"{self.opts.label_lower}.{extension}", request.GET.urlencode()
        )
        answer = download(
            extension,
            watermark.watermark().replace(" /", ""),
            columns,
            rows,
            watermark.file_name(self.get_export_filename(request, queryset, file_format)),
            last=self.mark_last,
        )
        # After the first rows were read, so that the trail's own file does not tell of itself. The
        # name of the model alone: the event is about the list, not about a row of it.
        record(Action.EXPORTED, by=request.user, note=note)
        return answer


class RecordsExport(TableExport):
    """Offers the columns of the list one by one."""

    export_form_class = ColumnsForm

    def has_export_permission(self, request):
        return self.has_view_permission(request)
