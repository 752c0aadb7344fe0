"""The row that an address of the admin names."""

from django.contrib import admin


class FoundByKey(admin.ModelAdmin):
    """Django looks for a field without a name where an address ends in ``?_to_field=``."""

    def get_object(self, request, object_id, from_field=None):
        return super().get_object(request, object_id, from_field or None)
