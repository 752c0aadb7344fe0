"""Rows that are only looked at: they come to be elsewhere, and nobody changes them."""

from .by_key import FoundByKey


class OnlyLookedAt(FoundByKey):
    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False
