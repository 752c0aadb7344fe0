"""What the public lists of figures can be filtered by."""

from django.db.models import Case, Exists, F, OuterRef, Prefetch, Q, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from measures.facets import NONE, Facet
from measures.filters import PLACE_GROUPS, PlaceFilter, yes_if, yes_no

from . import check_marks
from .assessment import assess
from .checks import Result
from .choices import Category, Claim, Freshness, Kind, Level, Verdict
from .models import Indicator, Observation, Target
from .quantity import QuantityError, read
from .trust import questions


def figure_in(word: str) -> Q:
    """Observations of the figure in ``word``, however their source writes it: 3264家, 3,264家."""
    try:
        typed = read(word)
    except QuantityError:
        return Q(pk__in=[])
    unit = Q(indicator__unit__name=typed.unit) if typed.unit else Q()
    return Q(value=typed.value) & unit


class IndicatorFilter(PlaceFilter):
    category = Facet(_("Category"), Category)
    kind = Facet(_("Kind"), Kind)
    level = Facet(_("Level"), [*Level.choices, (NONE, _("not stated"))])
    key = Facet(_("Key figures"), [("true", _("yes")), ("false", _("no"))], excludable=False)
    value = yes_no(_("Public value"), _("has one"), _("no data"))
    traced = yes_no(_("Source"), _("can be traced"), _("cannot be traced"))
    inferred = yes_no(_("Period"), _("inferred"), _("not inferred"))
    updated = yes_no(_("Since the report"), _("updated"), _("not updated"))
    fresh = Facet(_("Reported when due"), Freshness)
    target = Facet(
        _("Target"),
        [
            ("none", _("no public target")),
            ("unpublished", _("value not published")),
            ("published", _("value published")),
        ],
    )
    check = Facet(_("Checks"), Result, computed="check_results")

    to = "measure__"
    groups = [
        *PLACE_GROUPS,
        (None, ("category",)),
        (None, ("kind",)),
        (None, ("level",)),
        (None, ("key",)),
        (
            _("How far the figures can be trusted"),
            ("value", "traced", "inferred", "updated", "fresh", "target", "check"),
        ),
    ]

    class Meta:
        model = Indicator
        fields = ()

    def expressions(self):
        return (
            super().expressions()
            | questions(self.request.as_of)
            | {
                "category": F("category"),
                "kind": F("kind"),
                "level": F("level"),
                "key": Case(When(is_key=True, then=Value("true")), default=Value("false")),
            }
        )

    def check_results(self) -> dict[int, list[str]]:
        """What came of the public checks that each indicator takes part in."""
        marks = check_marks.of_page(self.request)
        return {row.pk: marks.get(row.pk, []) for row in self.rows}

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
    claim = Facet(_("Claim"), Claim)
    valued = yes_no(_("Target value"), _("value published"), _("value not published"))
    verdict = Facet(
        _("What can be concluded"),
        # A target is never without one.
        [choice for choice in Verdict.choices if choice[0] != Verdict.NO_TARGET],
        computed="verdicts",
        has_long_names=True,
    )

    to = "indicator__measure__"
    groups = [*PLACE_GROUPS, (_("Claim and conclusion"), ("claim", "valued", "verdict"))]

    class Meta:
        model = Target
        fields = ()

    def expressions(self):
        return super().expressions() | {
            "claim": F("claim"),
            "valued": yes_if(Q(value__isnull=False)),
        }

    def with_related(self, queryset):
        latest = Observation.objects.latest_of_each(self.request.as_of)
        return queryset.select_related("plan", "indicator").prefetch_related(
            Prefetch("indicator__observations", latest, to_attr="loaded_latest")
        )

    def verdicts(self) -> dict[int, list[str]]:
        """What can be concluded for each target on the day of the page."""
        day = self.request.as_of or timezone.localdate()
        return {row.pk: [assess(row.indicator, row, day).verdict.value] for row in self.rows}

    def matches(self, word: str) -> Q:
        return (
            Q(indicator__name__icontains=word)
            | Q(indicator__name_en__icontains=word)
            | Q(plan__name__icontains=word)
            | Q(plan__name_en__icontains=word)
        )
