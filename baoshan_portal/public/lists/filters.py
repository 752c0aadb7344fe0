"""What the public lists can be filtered by."""

import unicodedata
from datetime import date
from operator import attrgetter

import django_filters
from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
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
from measures.prepared import prepared
from measures.thresholds import JUDGING, Thresholds, columns
from metrics import check_results, facts, verdicts
from metrics.models import Check, CheckTerm, Indicator, Observation, Target
from metrics.rules.checks import Result
from metrics.rules.choices import Category, Claim, Freshness, Kind, Level, Verdict
from metrics.rules.quantity import QuantityError, read

from .. import check_marks
from ..searching import simplified
from .facets import NONE, NOTHING, Facet, FacetFilterSet, or_none, yes_if, yes_no


def search_words(text: str) -> list[str]:
    """The words of a search, with full-width forms made plain and thousands separators dropped."""
    return unicodedata.normalize("NFKC", printable(text)).replace(",", "").split()


def has_word(word: str, *fields: str) -> Q:
    """Rows of which one of the ``fields`` contains ``word``, in whatever case and characters."""
    words = dict.fromkeys((word, simplified(word)))
    said = ((f"{name}__icontains", one) for one in words for name in fields)
    return Q(*said, _connector=Q.OR)


PLACE_NAMES = ("opinion", "section", "theme", "department")
#: The parameters that ask for a place or an office, or leave one out.
PLACES = frozenset([*PLACE_NAMES, *(f"not_{name}" for name in PLACE_NAMES)])
PLACE_GROUPS = [(None, (name,)) for name in PLACE_NAMES]


class Places:
    """What can be asked for by place or office, each kind loaded when it is first needed.

    What was public on the page's day (today if ``as_of`` is None); nothing that is only prepared.
    """

    def __init__(self, as_of: date | None):
        self.as_of = as_of

    @cached_property
    def themes(self) -> list[Theme]:
        return _themes(as_of=self.as_of)

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
        return _departments(as_of=self.as_of)

    def find(self, name: str, code: str) -> Opinion | Section | Theme | Department | None:
        """The row that an answer of the facet ``name`` stands for; None for no office known."""
        return next((row for row in getattr(self, f"{name}s") if row.code == code), None)


@prepared
def _themes(*, as_of):
    themes = Theme.objects.published(as_of).select_related("section__opinion")
    return themes.annotate(**columns(JUDGING))


@prepared
def _departments(*, as_of):
    return Department.objects.published(as_of)


@prepared
def _hidden_checks(*, as_of):
    known = Check.objects.order_by().filter(summary__isnull=False)
    public = Check.objects.published(as_of).order_by()
    return known.exclude(pk__in=public).values_list("pk", flat=True)


@prepared
def _unknown_figures(*, as_of):
    unknown = facts.unknown(as_of) | check_results.in_unknown(as_of)
    return Indicator.objects.order_by().filter(unknown).values_list("pk", flat=True)


@prepared
def _unknown_targets(*, as_of):
    unknown = Target.objects.order_by().filter(verdicts.unknown(as_of))
    return unknown.values_list("pk", flat=True)


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
        self.places = places or Places(self.request.as_of)

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
            "department": or_none(f"{self.to}lead__code"),
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
    # There are few measures.
    together = [(*PLACE_NAMES, "status", "told", "noted", "confirmed", "counted")]

    class Meta:
        model = Measure
        fields = ()

    def expressions(self):
        as_of = self.request.as_of
        of_measure = {"measure": OuterRef("pk")}
        state = MeasureState.objects.newest(as_of)
        by = Case(When(report__isnull=True, then=Value("department")), default=Value("report"))
        return super().expressions() | {
            "status": or_none(Subquery(state.values("status")[:1])),
            "told": or_none(Subquery(state.values(by=by)[:1])),
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


#: What ``Facts`` say of an indicator.
TRUST = ("value", "traced", "inferred", "updated", "fresh", "target")


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
    check = Facet(_("Checks"), Result)

    to = "measure__"
    groups = [
        *PLACE_GROUPS,
        (None, ("category",)),
        (None, ("kind",)),
        (None, ("level",)),
        (None, ("key",)),
        (
            _("How far the figures can be trusted"),
            (*TRUST, "check"),
        ),
    ]
    together = [PLACE_NAMES, ("category", "kind", "level", "key", *TRUST)]

    class Meta:
        model = Indicator
        fields = ()

    def expressions(self):
        return super().expressions() | {
            "category": F("category"),
            "kind": F("kind"),
            "level": or_none("level"),
            "key": Case(When(is_key=True, then=Value("true")), default=Value("false")),
        }

    def summarised(self):
        is_so = {name: yes_if(Q(**{f"summary__{name}": True})) for name in facts.YES_OR_NO}
        fresh = facts.fresh(self.request.as_of, self.places.grace_days)
        return is_so | {"fresh": fresh, "target": F("summary__target")}

    def unknown(self):
        return _unknown_figures(as_of=self.request.as_of)

    def has_any(self, name, answers):
        if name != "check":
            return super().has_any(name, answers)
        terms = self.known_terms.filter(check_of__summary__result__in=sorted(answers))
        return Q(pk__in=terms.values("indicator"))

    def counted(self, rows, group):
        if group != ("check",):
            return super().counted(rows, group)
        terms = self.known_terms.filter(indicator__in=rows.values("pk"))
        _chosen, excluded = self.narrowing.get("check", NOTHING)
        # Of a figure with several results none is counted where another is left out.
        for results in ({*Result} - excluded, *({result} for result in excluded)):
            if others := excluded - results:
                left_out = self.known_terms.filter(check_of__summary__result__in=sorted(others))
                is_left_out = Q(indicator__in=left_out.values("indicator"))
                terms = terms.exclude(is_left_out, check_of__summary__result__in=sorted(results))
        results = terms.values_list("check_of__summary__result")
        counts = results.annotate(n=Count("indicator", distinct=True))
        return ((((result,),), n) for result, n in counts)

    @cached_property
    def known_terms(self) -> QuerySet:
        """The figures of the public checks of which the results are known; one query."""
        # Hardly one, and to ask which ones are public takes longer than all else.
        hidden = _hidden_checks(as_of=self.request.as_of)
        terms = CheckTerm.objects.order_by().filter(check_of__summary__isnull=False)
        return terms.exclude(check_of__in=hidden)

    def read(self, queryset, answers):
        return super().read(queryset, answers | facts.columns())

    def worked_out(self, rows):
        known = facts.of_rows(rows, self.request.as_of, self.places.grace_days)
        told = [known[row.pk] for row in rows]
        marks = check_marks.of_indicators(self.request, [row.pk for row in rows])
        found = {
            name: (("yes",) if is_so else ("no",) for is_so in map(attrgetter(name), told))
            for name in facts.YES_OR_NO
        }
        found["fresh"] = ((one.fresh.value,) for one in told)
        found["target"] = ((one.target,) for one in told)
        found["check"] = (tuple(marks.get(row.pk, ())) for row in rows)
        return found

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
        has_long_names=True,
    )

    to = "indicator__measure__"
    groups = [*PLACE_GROUPS, (_("Claim and conclusion"), ("claim", "valued", "verdict"))]
    together = [PLACE_NAMES, ("claim", "valued", "verdict")]
    # A summary is written again on the day on which its verdict ends.
    is_lasting = False

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

    def summarised(self):
        return {"verdict": F("summary__verdict")}

    def unknown(self):
        return _unknown_targets(as_of=self.request.as_of)

    def worked_out(self, rows):
        known = verdicts.of_rows(rows, self.request.as_of)
        return {"verdict": ((known[row.pk].value,) for row in rows)}

    def matches(self, word: str) -> Q:
        names = ("indicator__name", "indicator__name_en", "plan__name", "plan__name_en")
        return has_word(word, *names)
