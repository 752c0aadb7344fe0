"""Periods without a figure at the editors' desk; most are entered on the entry sheet."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from metrics.models import NoFigure
from metrics.rules.periods import period_text

from .numbers import LIST_STYLE, SOURCE, OfARound, published_day
from .submissions import SubmissionAdmin, SubmissionForm


class NoFigureForm(OfARound, SubmissionForm):
    def clean(self):
        data = super().clean()
        self.check_round(data.get("indicator"), data.get("period_end"))
        return data


@admin.register(NoFigure)
class NoFigureAdmin(SubmissionAdmin):
    form = NoFigureForm
    list_display = (
        "indicator", "period", "reason", "state_with_icon", "entered_by", published_day
    )  # fmt: skip
    list_select_related = ("indicator", "entered_by")
    list_filter = (
        "state", "reason", "indicator__measure__theme", "indicator__measure__lead", "round"
    )  # fmt: skip
    search_fields = ("indicator__name", "indicator__name_en", "indicator__code", "note")
    autocomplete_fields = ("indicator", "report")
    fieldsets = (
        (None, {"fields": ("seen", "indicator", "reason", ("period_start", "period_end"))}),
        SOURCE,
        SubmissionAdmin.bookkeeping_fieldset,
    )

    class Media:
        css = LIST_STYLE

    @admin.display(description=_("Period"), ordering="period_end")
    def period(self, row):
        return period_text(*row.period)
