"""Taking rows away from the admin as files, and the trail's own file for the auditor."""

from django.core.exceptions import PermissionDenied
from django.utils import timezone
from django.utils.text import capfirst
from import_export import resources
from import_export.admin import ExportMixin
from import_export.fields import Field
from import_export.formats.base_formats import CSV, XLSX
from import_export.forms import SelectableFieldsExportForm

from . import demo
from .listing import safe_cell
from .models import TrailEvent
from .trail import Action, record


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
        return demo.file_name(super().get_export_filename(request, queryset, file_format))

    def get_data_for_export(self, request, queryset, **kwargs):
        data = super().get_data_for_export(request, queryset, **kwargs)
        if mark := demo.watermark():
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


class TrailEventResource(resources.ModelResource):
    at = Field("at")
    action = Field("get_action_display")
    subject_type = Field("kind")

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

    def export_field(self, field, instance, **kwargs):
        return safe_cell(super().export_field(field, instance, **kwargs))
