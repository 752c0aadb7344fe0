"""What the trail is told of changes and exports in the admin."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.text import capfirst
from import_export.admin import ExportMixin
from import_export.formats.base_formats import CSV, XLSX
from import_export.forms import SelectableFieldsExportForm

from measures import watermark
from measures.trail import Action, differences, in_trail_language, record, snapshot


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


class RecordsRights(admin.ModelAdmin):
    """Tells the trail what somebody may do before and after a change.

    Subclasses say in ``rights(row)`` what a row tells of anybody's rights, as text by labels for
    people.
    """

    def save_model(self, request, obj, form, change):
        request.rights_before = (
            self._rights_kept(type(obj).objects.get(pk=obj.pk)) if change else {}
        )
        super().save_model(request, obj, form, change)

    def _rights_kept(self, row) -> dict[str, str]:
        with in_trail_language():
            return self.rights(row)

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        row = type(form.instance).objects.get(pk=form.instance.pk)
        before, after = differences(request.rights_before, self._rights_kept(row))
        if after:
            record(
                Action.PERMISSIONS_CHANGED,
                by=request.user,
                subject=row,
                before=before,
                after=after,
            )


class ColumnsForm(SelectableFieldsExportForm):
    """Offers the columns by the headers that they have in the file."""

    def _get_field_label(self, resource, field_name):
        return capfirst(resource().fields[field_name].column_name)


class RecordsExport(ExportMixin):
    """Exports the filtered list as csv for Excel or as xlsx, and tells the trail."""

    export_form_class = ColumnsForm
    export_formats = (CSV, XLSX)
    to_encoding = "utf-8-sig"

    def get_export_filename(self, request, queryset, file_format):
        return watermark.file_name(super().get_export_filename(request, queryset, file_format))

    def get_data_for_export(self, request, queryset, **kwargs):
        data = super().get_data_for_export(request, queryset, **kwargs)
        if mark := watermark.watermark():
            data.insert_col(0, [mark] * len(data), header=mark)
        return data

    def get_export_data(self, file_format, request, queryset, **kwargs):
        if not self.has_view_permission(request):
            raise PermissionDenied
        data = super().get_export_data(file_format, request, queryset, **kwargs)
        # The name of the model alone: the event is about the list, not about a row of it.
        record(
            Action.EXPORTED,
            by=request.user,
            note=f"{self.opts.label_lower}.{file_format.get_extension()}"
            f" ({queryset.count()}) {request.GET.urlencode()}".strip(),
        )
        return data
