"""The stewards' desk for what is reported together."""

from django.contrib import admin

from metrics.models import CompulsoryPair

from .recorded import RecordsChanges


@admin.register(CompulsoryPair)
class CompulsoryPairAdmin(RecordsChanges, admin.ModelAdmin):
    list_display = ("first", "second")
    list_select_related = ("first", "second")
    search_fields = tuple(
        f"{side}__{name}" for side in ("first", "second") for name in ("name", "name_en", "code")
    )
    autocomplete_fields = ("first", "second")
