"""The editors' desk for numbers."""

from django import forms
from django.contrib import admin, messages
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from import_export.admin import ImportExportMixin
from import_export.formats.base_formats import CSV, XLSX
from import_export.forms import ExportForm, ImportForm

from measures import access
from measures.models import closed_round
from measures.numerals import plain
from metrics.answers import unanswered, unanswered_text
from metrics.entry import read_entry
from metrics.history import target_value
from metrics.models import (
    Check,
    CheckTerm,
    CompulsoryPair,
    Indicator,
    Observation,
    Plan,
    TableMapping,
    Target,
    Unit,
    UsualBounds,
)
from metrics.rules.periods import period_text
from metrics.rules.quantity import QuantityError
from metrics.warnings import misquotes
from metrics.wording import observed_text, why_not_actual

from ..addresses import list_url
from ..imports.reading import FileError, check_size
from ..imports.resources import AnyTable, IndicatorResource, ObservationResource
from ..imports.upload import WaitingFile
from .files import TakesFiles
from .looked_at import OnlyLookedAt
from .recorded import NamedAdmin, TableExport
from .reviewed import ReviewedAdmin
from .submissions import SubmissionAdmin, SubmissionForm
from .withdrawals import CanBeWithdrawn

SOURCE = (
    _("Source"),
    {
        "fields": (("report", "locator"), ("source_name", "source_url"), "note", "note_en"),
        "description": _("Either a report and the place in it, or another source by name."),
    },
)


#: Keeps the columns within the room beside the filters.
LIST_STYLE = {"all": ["css/desk.css"]}


@admin.display(description=_("Published"), ordering="published_at")
def published_day(row):
    """The day alone: the time of it is on the row's own page."""
    return timezone.localtime(row.published_at).date().isoformat() if row.published_at else None


@admin.register(Unit)
class UnitAdmin(ReviewedAdmin):
    list_display = ("code", "name", "name_en", "quantity", "factor", "base")
    list_select_related = ("base",)
    list_filter = ("quantity",)
    autocomplete_fields = ("base",)


@admin.register(TableMapping)
class TableMappingAdmin(OnlyLookedAt):
    """The versions to look at; a new one is made on the page that shows the table itself."""

    list_display = ("name", "department", "months", "number", "by", "at")
    list_select_related = ("department", "by")
    list_filter = ("months",)
    search_fields = ("name", "department__name")
    ordering = ("department", "name", "months", "-number")

    def get_queryset(self, request):
        return access.visible(request.user, super().get_queryset(request))


class SizedImportForm(ImportForm):
    def clean_import_file(self):
        file = self.cleaned_data["import_file"]
        try:
            check_size(file.size)
        except FileError as error:
            raise forms.ValidationError(str(error)) from None
        return file


class TableFilesMixin(TableExport, ImportExportMixin):
    """Import and export of the rows that the user may change and see, all or none, on record."""

    import_formats = [AnyTable]
    export_formats = [XLSX, CSV]
    mark_last = True
    import_form_class = SizedImportForm
    # A file without all columns could not be imported again.
    export_form_class = ExportForm
    import_template_name = "staff/upload_import.html"
    tmp_storage_class = WaitingFile
    # The trail has it, row by row.
    skip_admin_log = True

    def has_import_permission(self, request):
        return self.has_add_permission(request) and self.has_change_permission(request)

    def has_export_permission(self, request):
        return self.has_view_permission(request)

    def add_data_read_fail_error_to_form(self, form, error):
        if not isinstance(error, FileError):
            raise error
        for problem in error.problems:
            place = " ".join(filter(None, [problem.row and str(problem.row), problem.column]))
            message = ": ".join(filter(None, [place, problem.text, problem.message]))
            form.add_error("import_file", message)

    def process_import(self, request, **kwargs):
        try:
            # There is one format and one resource; import-export trusts the form about both.
            if request.method == "POST" and request.POST.get("format") != "0":
                raise FileNotFoundError
            return super().process_import(request, **kwargs)
        except (FileNotFoundError, FileError):
            messages.error(request, _("This preview is over: send the file again."))
            return redirect(self._import_page())

    def process_result(self, result, request):
        if not result.problems:
            return super().process_result(result, request)
        for problem in result.problems:
            messages.error(request, problem.message)
        return redirect(self._import_page())

    def _import_page(self):
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_import")

    def get_resource_index(self, form):
        return 0

    def export_note(self, rows, name, query):
        return f"{name}, {rows} rows {query}".strip()


@admin.register(Indicator)
class IndicatorAdmin(CanBeWithdrawn, TableFilesMixin, ReviewedAdmin):
    resource_classes = [IndicatorResource]
    list_display = (
        "name", "number", "latest_figure", "latest_period", "category", "kind", "is_key",
        "published_on",
    )  # fmt: skip
    list_filter = (
        "category",
        "kind",
        "level",
        "nature",
        "is_key",
        "is_section_key",
        "measure__theme",
        "measure__lead",
    )
    search_fields = (*NamedAdmin.search_fields, "measure__name", "measure__code")
    autocomplete_fields = ("measure", "unit", "recipients", "basis")
    fieldsets = (
        (None, {"fields": ("code", ("measure", "order"), "name", "name_en", "unit")}),
        (
            _("What it is"),
            {
                "fields": (
                    ("category", "kind"),
                    ("direction", "level"),
                    ("nature", "recipients"),
                    "basis",
                    ("frequency", "schedule_agreed_on", "due_from"),
                )
            },
        ),
        (_("Definition"), {"fields": ("scope", "scope_en", "caution", "caution_en")}),
        (_("Publication"), {"fields": (("is_key", "is_section_key", "key_order"), "published_on")}),
        (_("Asked of it at entry"), {"fields": ("at_entry",)}),
    )

    def get_readonly_fields(self, request, obj=None):
        return (*super().get_readonly_fields(request, obj), "at_entry")

    @admin.display(description=_("further pages"))
    def at_entry(self, indicator):
        """The ways to its usual values and to what is reported together with it."""
        if not indicator.pk:
            return None
        lists = (
            (UsualBounds, {"indicator__id__exact": indicator.pk}),
            (CompulsoryPair, {"q": indicator.code}),
        )
        return format_html_join(
            " · ",
            '<a href="{}">{}</a>',
            ((list_url(model, **which), model._meta.verbose_name_plural) for model, which in lists),
        )

    def get_queryset(self, request):
        rows = super().get_queryset(request).with_place().with_latest_value()
        return access.visible(request.user, rows)

    @admin.display(description=_("number"))
    def number(self, indicator):
        return indicator.measure.full_number

    @admin.display(description=_("latest value"))
    def latest_figure(self, indicator):
        latest = indicator.latest
        return observed_text(latest, indicator.unit) if latest else None

    @admin.display(description=_("period to"))
    def latest_period(self, indicator):
        return indicator.latest.period_end if indicator.latest else None


class OfARound(forms.ModelForm):
    """An entry for a period, which a round that is locked no longer takes."""

    def check_round(self, indicator, day):
        """An entry of a round is checked by the workflow, a correction may come at any time."""
        row = self.instance
        if row.round_id or row.supersedes_id or not indicator or not day:
            return
        if closed := closed_round(indicator.measure.lead, day):
            self.add_error(
                "period_end",
                _("The round “%(round)s” takes no entry of this department.") % {"round": closed},
            )


class ObservationForm(OfARound, SubmissionForm):
    """Type the figure once, as the source prints it: value and qualifier are read from it."""

    value = forms.DecimalField(
        label=_("value"),
        required=False,
        max_digits=15,
        decimal_places=4,
        help_text=_("Leave empty: it is read from the figure as written, in the indicator's unit."),
    )

    def clean(self):
        data = super().clean()
        indicator, text = data.get("indicator"), data.get("as_written")
        self.check_round(indicator, data.get("period_end"))
        self._check_day(data.get("period_end"), data.get("certainty"))
        if not indicator or not text:
            return data
        units = {unit.name: unit for unit in Unit.objects.all()}
        try:
            entry = read_entry(text, indicator.unit, units)
        except QuantityError as error:
            self.add_error("as_written", error.message)
            return data
        # A value that nobody touched follows the figure.
        typed = data.get("value") if "value" in self.changed_data else None
        if typed is not None and typed != entry.value:
            self.add_error(
                "value",
                _("“%(text)s” reads as %(value)s %(unit)s; correct one or leave this empty.")
                % {"text": text, "value": plain(entry.value), "unit": indicator.unit.name},
            )
        data["value"], data["qualifier"] = entry.value, entry.qualifier
        self.instance.qualifier = entry.qualifier
        return data

    def _post_clean(self):
        super()._post_clean()
        row = self.instance
        if "_submit" not in self.data or self.errors:
            return
        if row.pk:
            row.take_the_place_of(Observation.objects.get(pk=row.pk))
        for _row, warnings in unanswered([row]):
            self.add_error("warning_answer", unanswered_text(warnings))

    def _check_day(self, end, certainty):
        """What has not ended yet is never actual."""
        if end and (why := why_not_actual(certainty, end, timezone.localdate())):
            self.add_error("certainty", why)


@admin.register(Observation)
class ObservationAdmin(TableFilesMixin, SubmissionAdmin):
    form = ObservationForm
    resource_classes = [ObservationResource]
    list_display = (
        "indicator", "figure", "period", "state_with_icon", "entered_by", published_day
    )  # fmt: skip
    # The export takes the rows of the list, so what it names is loaded here too.
    list_select_related = ("indicator__unit", "report", "entered_by")
    list_filter = (
        "state", "certainty", "period_inferred", "indicator__category", "indicator__kind",
        "indicator__measure__theme", "indicator__measure__lead", "round", "report",
    )  # fmt: skip
    search_fields = ("indicator__name", "indicator__name_en", "indicator__code", "as_written")
    autocomplete_fields = ("indicator", "report")
    fieldsets = (
        (
            None,
            {
                "fields": ("seen", "indicator", "as_written", "value", "certainty"),
                "description": _(
                    "Write the figure as the source prints it: 1,475家, 约5亿元, 2.1万余个, 第6. "
                    "A figure in another unit of the same quantity is converted."
                ),
            },
        ),
        (_("Period"), {"fields": (("period_start", "period_end"), "period_inferred")}),
        SOURCE,
        (_("Evidence"), {"fields": ("evidence_url", "evidence_file")}),
        (_("Warnings"), {"fields": ("warning_answer",)}),
        SubmissionAdmin.bookkeeping_fieldset,
    )

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        if obj.supersedes and (misquoted := misquotes(obj, obj.supersedes)):
            self.message_user(request, misquoted, messages.WARNING)

    class Media:
        css = LIST_STYLE

    @admin.display(description=_("value"), ordering="value")
    def figure(self, observation):
        return observed_text(observation, observation.indicator.unit)

    @admin.display(description=_("Period"), ordering="period_end")
    def period(self, observation):
        return period_text(observation.period_start, observation.period_end)


@admin.register(Plan)
class PlanAdmin(ReviewedAdmin):
    list_display = ("name", "start_on", "end_on", "dates_inferred")
    autocomplete_fields = ("opinion",)


@admin.register(Target)
class TargetAdmin(TakesFiles, SubmissionAdmin):
    list_display = ("indicator", "aim", "plan", "due_day", "state_with_icon", "entered_by")
    list_select_related = ("indicator__unit", "plan", "entered_by")
    list_filter = ("state", "plan", "claim")
    search_fields = ("indicator__name", "indicator__name_en", "indicator__code")
    autocomplete_fields = ("indicator", "plan", "report")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "seen",
                    "indicator",
                    "plan",
                    ("comparator", "value"),
                    "due_on",
                    "baseline",
                )
            },
        ),
        (_("What the source says of it"), {"fields": ("claim",)}),
        SOURCE,
        SubmissionAdmin.bookkeeping_fieldset,
    )

    class Media:
        css = LIST_STYLE

    @admin.display(description=_("target value"), ordering="value")
    def aim(self, target):
        return target_value(target)

    @admin.display(description=_("due on"), ordering="due_on")
    def due_day(self, target):
        return target.due_on.isoformat() if target.due_on else None


def terms_in(formset) -> list[list]:
    """The figures that were typed, as a revision writes them down."""
    return sorted(
        [data["role"], data["indicator"].code, data["earlier"]]
        for typed in formset.forms
        if (data := typed.cleaned_data) and not data.get("DELETE")
    )


class CheckTerms(forms.BaseInlineFormSet):
    def clean(self):
        super().clean()
        if not any(self.errors):
            self.instance.clean_part(terms_in(self))


class CheckTermInline(admin.TabularInline):
    model = CheckTerm
    formset = CheckTerms
    extra = 0
    autocomplete_fields = ("indicator",)


@admin.register(Check)
class CheckAdmin(CanBeWithdrawn, ReviewedAdmin):
    list_display = ("order", "name", "kind", "comparable")
    list_display_links = ("name",)
    list_filter = ("kind", "comparable")
    inlines = (CheckTermInline,)

    def parts(self, form, formsets):
        return {"terms": terms_in(formsets[0])}

    def content(self, row):
        earlier = CheckTerm._meta.get_field("earlier").verbose_name
        figures = [
            f"{term} ({earlier})" if term.earlier else str(term)
            for term in row.terms.select_related("indicator")
        ]
        return super().content(row) | {str(CheckTerm._meta.verbose_name_plural): "; ".join(figures)}
