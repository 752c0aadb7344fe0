"""What the public lists of words can be filtered by."""

import unicodedata

import django_filters
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from .facets import NONE, Facet, FacetFilterSet
from .models import Department, Measure, ProgressNote, Section, Theme


def search_words(text: str) -> list[str]:
    """The words of a search, with full-width forms made plain and thousands separators dropped."""
    return unicodedata.normalize("NFKC", text).replace(",", "").split()


def yes_if(condition) -> Case:
    """The answer ``yes`` where ``condition`` is true, otherwise ``no``."""
    return Case(When(condition, then=Value("yes")), default=Value("no"))


def yes_no(label, yes, no) -> Facet:
    """A facet with two answers in words; to exclude one is to choose the other."""
    return Facet(label, [("yes", yes), ("no", no)], excludable=False)


PLACE_NAMES = ("section", "theme", "department")
#: The parameters that ask for a place or an office, or leave one out.
PLACES = frozenset([*PLACE_NAMES, *(f"not_{name}" for name in PLACE_NAMES)])
PLACE_GROUPS = [(None, (name,)) for name in PLACE_NAMES]


class Places:
    """What can be asked for by place or office, each kind loaded when it is first needed."""

    @cached_property
    def themes(self) -> list[Theme]:
        return list(Theme.objects.select_related("section"))

    @property
    def sections(self) -> list[Section]:
        """Sections without a theme have no rows either, so that one query is enough for both."""
        return list({theme.section_id: theme.section for theme in self.themes}.values())

    @cached_property
    def departments(self) -> list[Department]:
        return list(Department.objects.all())

    def find(self, name: str, code: str) -> Section | Theme | Department | None:
        """The row that an answer of the facet ``name`` stands for; None for no office known."""
        return next((row for row in getattr(self, f"{name}s") if row.code == code), None)


class PlaceFilter(FacetFilterSet):
    """Search, the place in the report and the department that leads.

    Subclasses say how to get to the measure (``to``) and what a word of the search must match
    (``matches``). Two filter sets of one request may share their ``places``.
    """

    q = django_filters.CharFilter(label=_("Search"), method="search", max_length=100)
    section = Facet(_("Section"), "section_choices", has_long_names=True)
    theme = Facet(_("Theme"), "theme_choices", has_long_names=True)
    department = Facet(_("Department"), "department_choices", has_long_names=True)

    to = ""

    def __init__(self, *args, places: Places | None = None, **kwargs):
        super().__init__(*args, **kwargs)
        self.places = places or Places()

    @property
    def section_choices(self) -> list[tuple[str, str]]:
        return [(row.code, f"{row.order} {row}") for row in self.places.sections]

    @property
    def theme_choices(self) -> list[tuple[str, str]]:
        return [(row.code, f"{row.number} {row}") for row in self.places.themes]

    @property
    def department_choices(self) -> list[tuple[str, str]]:
        offices = [(row.code, str(row)) for row in self.places.departments]
        return [*offices, (NONE, _("not known"))]

    def expressions(self):
        return {
            "section": F(f"{self.to}theme__section__code"),
            "theme": F(f"{self.to}theme__code"),
            "department": F(f"{self.to}lead__code"),
        }

    def search(self, queryset, name, value):
        for word in search_words(value):
            queryset = queryset.filter(self.matches(word))
        return queryset


class MeasureFilter(PlaceFilter):
    noted = yes_no(_("Progress notes"), _("has notes"), _("has no note"))
    confirmed = yes_no(_("Lead department"), _("confirmed"), _("proposed or not known"))
    counted = yes_no(_("Figures"), _("has figures"), _("has no figure"))

    groups = [*PLACE_GROUPS, (_("What is known"), ("noted", "confirmed", "counted"))]

    class Meta:
        model = Measure
        fields = ()

    def expressions(self):
        as_of = self.request.as_of
        # Figures are a matter of the app above, which this one does not import.
        indicators = Measure._meta.get_field("indicators").related_model.objects
        of_measure = {"measure": OuterRef("pk")}
        return super().expressions() | {
            "noted": yes_if(Exists(ProgressNote.objects.published(as_of).filter(**of_measure))),
            "confirmed": yes_if(Q(lead_confirmed=True)),
            "counted": yes_if(Exists(indicators.published(as_of).filter(**of_measure))),
        }

    def matches(self, word: str) -> Q:
        return (
            Q(name__icontains=word)
            | Q(name_en__icontains=word)
            | Q(summary__icontains=word)
            | Q(summary_en__icontains=word)
            | Q(code__icontains=word)
        )
