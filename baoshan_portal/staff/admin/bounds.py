"""The stewards' desk for what is usual: proposed by an indicator's own history, confirmed here."""

from django import forms
from django.contrib import admin
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from measures.numerals import rounded
from metrics.models import Indicator, UsualBounds
from metrics.warnings import proposed_bounds
from metrics.wording import figure_text

from .recorded import RecordsChanges


def proposal_text(indicator: Indicator) -> str:
    """What the history of ``indicator`` proposes and by how many values, or that it cannot."""
    found = proposed_bounds(indicator)
    if found is None:
        return _("Nothing is proposed: fewer than four comparable values are public.")
    unit = indicator.unit
    return _("%(low)s to %(high)s, by the last %(n)d public values") % {
        "low": figure_text(rounded(found.low), unit),
        "high": figure_text(rounded(found.high), unit),
        "n": found.count,
    }


class BoundsForm(forms.ModelForm):
    """What stays empty is taken from the proposal."""

    least = forms.DecimalField(
        label=gettext_lazy("least usual value"), required=False, max_digits=15, decimal_places=4,
        help_text=gettext_lazy("In the indicator’s unit. Empty: as proposed by its history."),
    )  # fmt: skip
    largest = forms.DecimalField(
        label=gettext_lazy("largest usual value"), required=False, max_digits=15, decimal_places=4
    )

    def clean(self):
        data = super().clean()
        indicator = data.get("indicator")
        empty = [name for name in ("least", "largest") if data.get(name) is None]
        if not indicator or not empty or set(empty) & self.errors.keys():
            return data
        found = proposed_bounds(indicator)
        for name in empty:
            if found is None:
                self.add_error(name, proposal_text(indicator))
            else:
                data[name] = rounded(found.low if name == "least" else found.high)
        return data


@admin.register(UsualBounds)
class UsualBoundsAdmin(RecordsChanges, admin.ModelAdmin):
    form = BoundsForm
    list_display = ("indicator", "least", "largest", "confirmed_by", "confirmed_at")
    list_select_related = ("indicator__unit", "confirmed_by")
    search_fields = ("indicator__name", "indicator__name_en", "indicator__code")
    autocomplete_fields = ("indicator",)
    typed = ("indicator", "least", "largest")
    told = ("proposal", "basis", "confirmed_by", "confirmed_at")

    def get_fields(self, request, obj=None):
        return (*self.typed, *self.told) if obj else self.typed

    def get_readonly_fields(self, request, obj=None):
        return ("indicator", *self.told) if obj else ()

    def get_changeform_initial_data(self, request):
        initial = super().get_changeform_initial_data(request)
        key = initial.get("indicator", "")
        indicator = Indicator.objects.filter(pk=key).first() if str(key).isdecimal() else None
        if indicator and (found := proposed_bounds(indicator)):
            initial |= {"least": rounded(found.low), "largest": rounded(found.high)}
        return initial

    @admin.display(description=gettext_lazy("proposed by its history now"))
    def proposal(self, row):
        return proposal_text(row.indicator)

    def save_model(self, request, obj, form, change):
        obj.basis, obj.confirmed_by = proposal_text(obj.indicator)[:200], request.user
        obj.confirmed_at = timezone.now()
        super().save_model(request, obj, form, change)
