"""What the public lists of figures can be filtered by."""

import django_filters
from django.db.models import Exists, OuterRef, Q
from django.forms import HiddenInput
from django.utils.translation import gettext_lazy as _

from measures.filters import PlaceFilter

from .choices import Category, Claim, Kind, Level
from .models import Indicator, Observation, Target
from .quantity import QuantityError, read


def figure_in(word: str) -> Q:
    """Observations of the figure in ``word``, however their source writes it: 3264家, 3,264家."""
    try:
        typed = read(word)
    except QuantityError:
        return Q(pk__in=[])
    unit = Q(indicator__unit__name=typed.unit) if typed.unit else Q()
    return Q(value=typed.value) & unit


class IndicatorFilter(PlaceFilter):
    category = django_filters.ChoiceFilter(
        label=_("Category"), choices=Category, empty_label=_("all categories")
    )
    kind = django_filters.ChoiceFilter(label=_("Kind"), choices=Kind, empty_label=_("all kinds"))
    level = django_filters.ChoiceFilter(
        label=_("Level"), choices=Level, empty_label=_("all levels")
    )
    # Not a BooleanFilter, which takes any unknown value for no filter at all.
    key = django_filters.TypedChoiceFilter(
        label=_("Key figures"),
        field_name="is_key",
        choices=[("true", "true"), ("false", "false")],
        coerce=lambda text: text == "true",
        widget=HiddenInput,
    )

    to = "measure__"

    class Meta:
        model = Indicator
        fields = ()

    def matches(self, word: str) -> Q:
        """Names, definitions, and the figures themselves, as printed or as a plain number."""
        told = Q(as_written__icontains=word) | Q(note__icontains=word) | Q(note_en__icontains=word)
        observations = Observation.objects.published(self.request.as_of).filter(
            told | figure_in(word), indicator=OuterRef("pk")
        )
        return (
            Exists(observations)
            | Q(name__icontains=word)
            | Q(name_en__icontains=word)
            | Q(scope__icontains=word)
            | Q(scope_en__icontains=word)
            | Q(code__icontains=word)
            | Q(measure__name__icontains=word)
            | Q(measure__name_en__icontains=word)
        )


class TargetFilter(PlaceFilter):
    claim = django_filters.ChoiceFilter(
        label=_("Claim"), choices=Claim, empty_label=_("all claims")
    )

    to = "indicator__measure__"

    class Meta:
        model = Target
        fields = ()

    def matches(self, word: str) -> Q:
        return (
            Q(indicator__name__icontains=word)
            | Q(indicator__name_en__icontains=word)
            | Q(plan__name__icontains=word)
            | Q(plan__name_en__icontains=word)
        )
