"""What the public lists can be filtered by."""

import unicodedata
from operator import attrgetter

import django_filters
from django.db.models import Case, Exists, F, OuterRef, Q, Subquery, Value, When
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from measures.characters import printable
from measures.models import (
    Department,
    Measure,
    MeasureState,
    MeasureStatus,
    Opinion,
    ProgressNote,
    Section,
    Theme,
)
from measures.thresholds import JUDGING, Thresholds, columns
from metrics import facts, verdicts
from metrics.models import Indicator, Observation, Target
from metrics.rules.checks import Result
from metrics.rules.choices import Category, Claim, Freshness, Kind, Level, Verdict
from metrics.rules.quantity import QuantityError, read

from .. import check_marks
from .facets import NONE, Facet, FacetFilterSet, yes_if, yes_no


def search_words(text: str) -> list[str]:
    """The words of a search, with full-width forms made plain and thousands separators dropped."""
    return unicodedata.normalize("NFKC", printable(text)).replace(",", "").split()


def has_word(word: str, *fields: str) -> Q:
    """Rows of which one of the ``fields`` contains ``word``, in whatever case."""
    return Q(*((f"{name}__icontains", word) for name in fields), _connector=Q.OR)


PLACE_NAMES = ("opinion", "section", "theme", "department")
#: The parameters that ask for a place or an office, or leave one out.
PLACES = frozenset([*PLACE_NAMES, *(f"not_{name}" for name in PLACE_NAMES)])
PLACE_GROUPS = [(None, (name,)) for name in PLACE_NAMES]


class Places:
    """What can be asked for by place or office, each kind loaded when it is first needed.

    What is public today, as it was called on the page's day; nothing that is only prepared.
    """

    @cached_property
    def themes(self) -> list[Theme]:
        themes = Theme.objects.published().select_related("section__opinion")
        return list(themes.annotate(**columns(JUDGING)))

    @property
    def grace_days(self) -> int:
        """Days after a period until its value is due; comes with the themes, if there are any."""
        found = Thresholds.beside(self.themes[0]) if self.themes else Thresholds.read()
        return found.grace_days

    @property
    def sections(self) -> list[Section]:
        """Sections without a theme have no rows either, so that one query is enough for all."""
        return list({theme.section_id: theme.section for theme in self.themes}.values())

    @property
    def opinions(self) -> list[Opinion]:
        return list({row.opinion_id: row.opinion for row in self.sections}.values())

    @cached_property
    def has_several(self) -> bool:
        """Whether rows of several opinions may stand together, so that each names its own."""
        return len(self.opinions) > 1

    @cached_property
    def departments(self) -> list[Department]:
        return list(Department.objects.published())

    def find(self, name: str, code: str) -> Opinion | Section | Theme | Department | None:
        """The row that an answer of the facet ``name`` stands for; None for no office known."""
        return next((row for row in getattr(self, f"{name}s") if row.code == code), None)


class PlaceFilter(FacetFilterSet):
    """Search, the opinion, the place in it and the department that leads.

    Subclasses say how to get to the measure (``to``) and what a word of the search must match
    (``matches``). Two filter sets of one request may share their ``places``.
    """

    q = django_filters.CharFilter(label=_("Search"), method="search", max_length=100)
    opinion = Facet(_("Opinion"), "opinion_choices", has_long_names=True)
    section = Facet(_("Section"), "section_choices", has_long_names=True)
    theme = Facet(_("Theme"), "theme_choices", has_long_names=True)
    department = Facet(_("Department"), "department_choices", has_long_names=True)

    to = ""

    def __init__(self, *args, places: Places | None = None, **kwargs):
        super().__init__(*args, **kwargs)
        self.places = places or Places()

    def offers(self, name):
        return name != "opinion" or self.places.has_several

    @property
    def opinion_choices(self) -> list[tuple[str, str]]:
        return [(row.code, f"{row.number} {row}") for row in self.places.opinions]

    @property
    def section_choices(self) -> list[tuple[str, str]]:
        return [
            (row.code, f"{self._of(row.opinion)}{row.order} {row}") for row in self.places.sections
        ]

    @property
    def theme_choices(self) -> list[tuple[str, str]]:
        return [
            (row.code, f"{self._of(row.section.opinion)}{row.number} {row}")
            for row in self.places.themes
        ]

    def _of(self, opinion: Opinion) -> str:
        """What stands before a number where rows of several opinions stand together."""
        return f"{opinion.number} " if self.places.has_several else ""

    @property
    def department_choices(self) -> list[tuple[str, str]]:
        offices = [(row.code, str(row)) for row in self.places.departments]
        return [*offices, (NONE, _("not known"))]

    def expressions(self):
        return {
            "opinion": F(f"{self.to}theme__section__opinion__code"),
            "section": F(f"{self.to}theme__section__code"),
            "theme": F(f"{self.to}theme__code"),
            "department": F(f"{self.to}lead__code"),
        }

    def search(self, queryset, name, value):
        for word in search_words(value):
            queryset = queryset.filter(self.matches(word))
        return queryset


class MeasureFilter(PlaceFilter):
    status = Facet(
        pgettext_lazy("of a measure", "State"), [*MeasureStatus.choices, (NONE, _("not known"))]
    )
    told = Facet(
        _("Who says so"),
        [
            ("department", _("confirmed by the department")),
            ("report", _("as told in the report")),
            (NONE, _("not known")),
        ],
        excludable=False,
    )
    noted = yes_no(_("Progress notes"), _("has notes"), _("has no note"))
    confirmed = yes_no(_("Lead department"), _("confirmed"), _("proposed or not known"))
    counted = yes_no(_("Figures"), _("has figures"), _("has no figure"))

    groups = [
        *PLACE_GROUPS,
        (pgettext_lazy("of a measure", "State"), ("status", "told")),
        (_("What is known"), ("noted", "confirmed", "counted")),
    ]

    class Meta:
        model = Measure
        fields = ()

    def expressions(self):
        as_of = self.request.as_of
        of_measure = {"measure": OuterRef("pk")}
        state = MeasureState.objects.newest(as_of)
        by = Case(When(report__isnull=True, then=Value("department")), default=Value("report"))
        return super().expressions() | {
            "status": Subquery(state.values("status")[:1]),
            "told": Subquery(state.values(by=by)[:1]),
            "noted": yes_if(Exists(ProgressNote.objects.published(as_of).filter(**of_measure))),
            "confirmed": yes_if(Q(lead_confirmed=True)),
            "counted": yes_if(Exists(Indicator.objects.published(as_of).filter(**of_measure))),
        }

    def matches(self, word: str) -> Q:
        return has_word(word, "name", "name_en", "summary", "summary_en", "code")


def figure_in(word: str) -> Q:
    """Observations of the figure in ``word``, however their source writes it: 3264家, 3,264家."""
    try:
        typed = read(word)
    except QuantityError:
        return Q(pk__in=[])
    unit = Q(indicator__unit__name=typed.unit) if typed.unit else Q()
    return Q(value=typed.value) & unit


#: What an indicator is called, and what it is a figure of.
INDICATOR_NAMES = ("name", "name_en", "code", "measure__name", "measure__name_en")


class IndicatorFilter(PlaceFilter):
    category = Facet(_("Category"), Category)
    kind = Facet(_("Kind"), Kind)
    level = Facet(_("Level"), [*Level.choices, (NONE, _("not stated"))])
    key = Facet(_("Key figures"), [("true", _("yes")), ("false", _("no"))], excludable=False)
    value = yes_no(_("Public value"), _("has one"), _("no data"), computed="is_so")
    traced = yes_no(_("Source"), _("can be traced"), _("cannot be traced"), computed="is_so")
    inferred = yes_no(_("Period"), _("inferred"), _("not inferred"), computed="is_so")
    updated = yes_no(_("Since the report"), _("updated"), _("not updated"), computed="is_so")
    fresh = Facet(_("Reported when due"), Freshness, computed="what_is_so")
    target = Facet(
        _("Target"),
        [
            ("none", _("no public target")),
            ("unpublished", _("value not published")),
            ("published", _("value published")),
        ],
        computed="what_is_so",
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
        return super().expressions() | {
            "category": F("category"),
            "kind": F("kind"),
            "level": F("level"),
            "key": Case(When(is_key=True, then=Value("true")), default=Value("false")),
        }

    def read(self, queryset, answers):
        return super().read(queryset, answers | facts.columns())

    @cached_property
    def facts(self) -> dict[int, facts.Facts]:
        """What is known of each of ``rows``."""
        return facts.of_rows(self.rows, self.request.as_of, self.places.grace_days)

    def is_so(self, name: str) -> dict[int, list[str]]:
        """Yes or no to one of the ``Facts``."""
        yes, no, is_so = ["yes"], ["no"], attrgetter(name)
        return {key: yes if is_so(known) else no for key, known in self.facts.items()}

    def what_is_so(self, name: str) -> dict[int, list[str]]:
        """One of the ``Facts`` that has more answers."""
        return {key: [getattr(known, name)] for key, known in self.facts.items()}

    def check_results(self, name: str) -> dict[int, list[str]]:
        """The results of the public checks that each indicator takes part in."""
        marks = check_marks.of_page(self.request)
        return {row.pk: marks.get(row.pk, []) for row in self.rows}

    def matches(self, word: str) -> Q:
        """Names, definitions, and the figures themselves, as printed or as a plain number."""
        text = has_word(word, "as_written", "note", "note_en")
        observations = Observation.objects.published(self.request.as_of).filter(
            text | figure_in(word), indicator=OuterRef("pk")
        )
        return Exists(observations) | has_word(word, "scope", "scope_en", *INDICATOR_NAMES)


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

    def read(self, queryset, answers):
        return super().read(queryset, answers | verdicts.columns())

    def verdicts(self, name: str) -> dict[int, list[str]]:
        """What can be concluded for each target on the day of the page."""
        known = verdicts.of_rows(self.rows, self.request.as_of)
        return {key: [verdict.value] for key, verdict in known.items()}

    def matches(self, word: str) -> Q:
        names = ("indicator__name", "indicator__name_en", "plan__name", "plan__name_en")
        return has_word(word, *names)
