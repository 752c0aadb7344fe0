"""Lists whose rows also come by a file: a link above the list leads to the page for it."""

from django.contrib import admin

from ..imports.many.page import kinds_for


class TakesFiles(admin.ModelAdmin):
    change_list_template = "staff/rows_list.html"

    def changelist_view(self, request, extra_context=None):
        kinds = kinds_for(request.user, self.model)
        return super().changelist_view(request, {**(extra_context or {}), "kinds": kinds})
