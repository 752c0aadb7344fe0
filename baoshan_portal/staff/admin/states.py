"""The states of measures at the editors' desk."""

from django import forms
from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from measures.models import Measure, MeasureState

from .submissions import SubmissionAdmin, SubmissionForm


class MeasureStateForm(SubmissionForm):
    """Chooses the measures that carry the work on by name; the row keeps their codes."""

    into = forms.ModelMultipleChoiceField(
        Measure.objects.none(),
        label=_("merged or split into"),
        to_field_name="code",
        required=False,
        help_text=_("Only for a measure that was merged (one) or split (one or more)."),
        widget=forms.SelectMultiple(attrs={"size": 8}),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "into" in self.fields:
            self.fields["into"].queryset = Measure.objects.published().with_place()
            self.initial["into"] = self.instance.into_codes

    def clean_into(self):
        return " ".join(measure.code for measure in self.cleaned_data["into"])


@admin.register(MeasureState)
class MeasureStateAdmin(SubmissionAdmin):
    form = MeasureStateForm
    list_display = (
        "measure", "status", "since", "confirmed", "state_with_icon", "entered_by", "published_at",
    )  # fmt: skip
    list_select_related = ("measure", "entered_by")
    list_filter = ("state", "status", "measure__theme__section")
    autocomplete_fields = ("measure", "report")
    search_fields = ("measure__name", "measure__name_en", "measure__code", "reason", "reason_en")
    fieldsets = (
        (None, {"fields": ("seen", "measure", ("status", "since"), "into", "reason", "reason_en")}),
        (_("Evidence"), {"fields": ("evidence_url", "evidence_file")}),
        (
            _("Source"),
            {
                "fields": (("report", "locator"),),
                "description": _(
                    "Leave empty: the department says so itself. With a report the public reads "
                    "“as told in the report”, until the department confirms a state."
                ),
            },
        ),
        SubmissionAdmin.bookkeeping_fieldset,
    )

    @admin.display(description=_("confirmed by the department"), boolean=True)
    def confirmed(self, state):
        return state.is_confirmed
