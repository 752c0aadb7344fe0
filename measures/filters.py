"""What the public lists of words can be filtered by."""

import unicodedata

import django_filters
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .models import Department, Measure, Section, Theme


def search_words(text: str) -> list[str]:
    """The words of a search, with full-width forms made plain and thousands separators dropped."""
    return unicodedata.normalize("NFKC", text).replace(",", "").split()


class PlaceFilter(django_filters.FilterSet):
    """Search and the place in the report.

    Subclasses say how to get to the measure (``to``) and what a word of the search must match
    (``matches``).
    """

    q = django_filters.CharFilter(label=_("Search"), method="search", max_length=100)
    section = django_filters.ModelChoiceFilter(
        label=_("Section"),
        queryset=Section.objects.all(),
        to_field_name="code",
        empty_label=_("all sections"),
        method="in_section",
    )
    theme = django_filters.ModelChoiceFilter(
        label=_("Theme"),
        queryset=Theme.objects.select_related("section"),
        to_field_name="code",
        empty_label=_("all themes"),
        method="in_theme",
    )
    department = django_filters.ModelChoiceFilter(
        label=_("Department"),
        queryset=Department.objects.all(),
        to_field_name="code",
        empty_label=_("all departments"),
        method="of_department",
    )

    to = ""

    def in_section(self, queryset, name, value):
        return queryset.filter(**{f"{self.to}theme__section": value})

    def in_theme(self, queryset, name, value):
        return queryset.filter(**{f"{self.to}theme": value})

    def of_department(self, queryset, name, value):
        return queryset.filter(**{f"{self.to}lead": value})

    def search(self, queryset, name, value):
        for word in search_words(value):
            queryset = queryset.filter(self.matches(word))
        return queryset


class MeasureFilter(PlaceFilter):
    class Meta:
        model = Measure
        fields = ()

    def matches(self, word: str) -> Q:
        return (
            Q(name__icontains=word)
            | Q(name_en__icontains=word)
            | Q(summary__icontains=word)
            | Q(summary_en__icontains=word)
            | Q(code__icontains=word)
        )
