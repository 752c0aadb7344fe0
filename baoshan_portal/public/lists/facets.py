"""Facets: questions with a closed list of answers that narrow a list of rows, with counts.

A row stays where any of the chosen answers is true of it and none of the excluded ones:
``?category=funds&category=platforms&not_theme=talent``. The database reads, keeps and counts; rows
of which it cannot say every answer are read one by one (``answers``).
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from operator import attrgetter

import django_filters
from django.db.models import Case, CharField, Count, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, NullIf
from django.forms import ModelChoiceField
from django.utils.functional import Promise, cached_property
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from ..prose import listed
from ..remembered import VERSION, remembered
from .answers import Answers, Combination, Group

#: The answer of a row that has none.
NONE = "none"
#: What is chosen and excluded of a facet that is not in use.
NOTHING = frozenset(), frozenset()
#: A facet with more answers than ``MANY`` shows the ``FIRST`` with most rows, and a way to all.
MANY, FIRST = 60, 20
#: The query parameter that names the facets which show all their answers.
ALL = "all"


class AnswersField(django_filters.fields.MultipleChoiceField):
    """Answers of a closed list; an empty one, such as ``?category=``, asks for nothing."""

    # Without the answer itself, which may be thousands of characters long.
    default_error_messages = {
        "invalid_choice": ModelChoiceField.default_error_messages["invalid_choice"]
    }

    def to_python(self, value):
        return [answer for answer in super().to_python(value) if answer]


class Facet(django_filters.MultipleChoiceFilter):
    """One question. Its filter set says how the answer is read, see ``FacetFilterSet``.

    ``choices`` are the answers, or the name of the filter set's property that lists them.
    ``has_long_names`` gives the answers more room on the page.
    """

    field_class = AnswersField

    def __init__(self, label, choices, *, excludable=True, has_long_names=False, **kwargs):
        super().__init__(label=label, choices=choices, **kwargs)
        self.choices = choices
        self.excludable = excludable
        self.has_long_names = has_long_names

    def opposite(self) -> "Facet":
        """The filter that leaves out the rows with one of the answers."""
        label = format_lazy(_("{name} except"), name=self.label)
        return Facet(label, self.choices, exclude=True)

    def filter(self, queryset, value):
        # The filter set narrows by all facets at once.
        return queryset


def yes_if(condition) -> Case:
    """The answer ``yes`` where ``condition`` is true, otherwise ``no``."""
    return Case(When(condition, then=Value("yes")), default=Value("no"))


def or_none(text) -> Coalesce:
    """The answer that stands in ``text``, ``NONE`` where that is null or empty."""
    given = NullIf(text, Value(""), output_field=CharField())
    return Coalesce(given, Value(NONE), output_field=CharField())


def yes_no(label, yes, no, **kwargs) -> Facet:
    """A facet with two answers in words; to exclude one is to choose the other."""
    return Facet(label, [("yes", yes), ("no", no)], excludable=False, **kwargs)


@dataclass(frozen=True)
class Option:
    """One answer as the page offers it; ``count`` is None where it is not known."""

    value: str
    label: str
    count: int | None
    is_chosen: bool
    is_excluded: bool

    @property
    def is_idle(self) -> bool:
        """Whether choosing it would show nothing."""
        return self.count == 0 and not self.is_chosen and not self.is_excluded


def shortened(options: list[Option]) -> list[Option]:
    """Of more than ``MANY`` answers the ``FIRST`` with most rows and those in use, in their
    order."""
    if len(options) <= MANY:
        return options
    by_rows = sorted(options, key=lambda option: -(option.count or 0))[:FIRST]
    kept = {option.value for option in by_rows}
    return [row for row in options if row.value in kept or row.is_chosen or row.is_excluded]


@dataclass(frozen=True)
class Question:
    """A facet as the page shows it."""

    name: str
    facet: Facet
    options: list[Option]
    errors: list[str]
    all_count: int

    @property
    def is_shortened(self) -> bool:
        return len(self.options) < self.all_count


@dataclass(frozen=True)
class FacetGroup:
    """Facets that the page folds away together; ``used`` is how many of their answers are taken."""

    name: str
    label: Promise
    questions: list[Question]
    used: int

    @property
    def is_single(self) -> bool:
        return len(self.questions) == 1

    @property
    def is_open(self) -> bool:
        return self.used > 0 or any(question.errors for question in self.questions)


@dataclass(frozen=True)
class Chosen:
    """What the address asks of one filter: its parameter, and the values, each with its words."""

    parameter: str
    label: str
    values: list[tuple[str, str]]


def values_in_words(chosen: Chosen) -> str:
    """The values of a filter in use, one after the other."""
    return listed(words for _value, words in chosen.values)


def _plain(rows: QuerySet) -> QuerySet:
    """``rows`` to be counted or read in a few columns."""
    return rows.order_by().select_related(None).prefetch_related(None)


class FacetFilterSet(django_filters.FilterSet):
    """A filter set whose facets take several answers, exclude (``not_…``) and count.

    Subclasses give ``groups`` (names of facets that the page folds away together, and a label
    where there are several), ``together`` and ``expressions``. All other filters, such as the
    search, narrow the rows first.

    The database counts: a query for each group of ``together``. Rows of which it cannot say every
    answer (``unknown``) are looked at one by one, and counted besides.
    """

    groups: list[tuple[Promise | None, tuple[str, ...]]] = []
    #: Facets whose answers are counted together; there are few combinations of each group.
    together: list[Group] = []
    #: Whether a row of a past day stays known, or ``unknown``, until something becomes public.
    is_lasting = True

    def __init__(self, *args, is_whole=False, **kwargs):
        """``is_whole``: the rows are all that the day of the request has, so that what is true of
        them can be remembered."""
        super().__init__(*args, **kwargs)
        self.is_whole = is_whole
        for facet in self.filters.values():
            if isinstance(facet, Facet) and isinstance(facet.choices, str):
                # A function, because forms copy their choices, and would copy a filter set too.
                facet.extra["choices"] = lambda name=facet.choices: getattr(self, name)

    @classmethod
    def get_filters(cls):
        filters = {}
        for name, filter_ in super().get_filters().items():
            filters[name] = filter_
            if isinstance(filter_, Facet) and filter_.excludable:
                filters[f"not_{name}"] = filter_.opposite()
        return filters

    def expressions(self) -> dict:
        """By facets how the database reads the answer of every row, which is never null."""
        return {}

    def summarised(self) -> dict:
        """``expressions`` of further facets, of rows that are not ``unknown``."""
        return {}

    def worked_out(self, rows: list) -> dict[str, Iterable[tuple[str, ...]]]:
        """By all other facets than those of ``expressions`` the answers of each of ``rows``."""
        return {}

    def unknown(self) -> list[int]:
        """The keys of rows of which not every answer can be read by the database, public or not:
        to look among the public ones costs far more. One query."""
        return []

    def has_any(self, name: str, answers: Collection[str]) -> Q:
        """Known rows with ``read_by`` that have one of ``answers`` to the facet ``name``."""
        return Q(**{f"facet_{name}__in": sorted(answers)})

    def counted(self, rows: QuerySet, group: Group) -> Iterable[tuple[Combination, int]]:
        """How many of ``rows``, none of them ``unknown``, answer alike to ``group``; one query."""
        read = self.read_by(group)
        alike = rows.annotate(**read).values_list(*read).annotate(n=Count("pk"))
        return ((tuple((answer,) for answer in answers), n) for *answers, n in alike)

    def offers(self, name: str) -> bool:
        """Whether the page shows the facet: a question with one answer is none."""
        return True

    def read(self, queryset, answers: dict) -> list:
        """Each of ``queryset`` with ``pk``, its ``answers`` and what ``worked_out`` needs of it."""
        return list(queryset.annotate(**answers).values_list("pk", *answers, named=True))

    @property
    def facets(self) -> dict[str, Facet]:
        return {
            name: filter_
            for name, filter_ in self.filters.items()
            if isinstance(filter_, Facet) and not filter_.exclude
        }

    def filter_queryset(self, queryset):
        if not self.narrowing:
            return self.found
        rows, kept = self.found.alias(**self.read_by(self.narrowing)), self._kept_but(())
        if self.narrowing.keys() <= self.expressions().keys():
            return rows.filter(kept)
        of_them = Q(pk__in=self.answers.kept(self._keeps))
        return rows.filter(self._is_known & kept | of_them)

    @cached_property
    def found(self) -> QuerySet:
        """The rows that answer to everything but the facets. A search is slow, and asked once."""
        if self._found_keys is None:
            return self.queryset.all()
        return self.queryset.filter(pk__in=self._found_keys)

    @cached_property
    def _found_keys(self) -> list[int] | None:
        """None: nothing is searched for."""
        searching = [name for name, one in self.filters.items() if not isinstance(one, Facet)]
        if not any(self.form.cleaned_data.get(name) for name in searching):
            return None
        return list(_plain(super().filter_queryset(self.queryset)).values_list("pk", flat=True))

    @property
    def _is_known(self) -> Q:
        if not self.answers:
            return Q()
        # One that is summed up only now was read before.
        return Q(summary__isnull=False) & ~Q(pk__in=self.answers.keys)

    @cached_property
    def known(self) -> QuerySet:
        """The rows of ``found`` that are counted by the database."""
        return _plain(self.found).filter(self._is_known)

    @cached_property
    def answers(self) -> Answers:
        """Of the rows of ``found`` that are looked at one by one; those of a past day, which may be
        all, are remembered."""
        may_remember = self.is_whole and self.is_lasting and self.request.as_of
        if not may_remember or VERSION not in self.request.META:
            return self._read(self.found)
        name = f"answers of {type(self).__name__}"
        found = remembered(self.request, name, lambda: self._read(self.queryset))
        return found if self._found_keys is None else found.among(self._found_keys)

    def _read(self, rows: QuerySet) -> Answers:
        """Of those of ``rows`` that are ``unknown``; a query that finds them, and where there are
        some another and those of ``worked_out``."""
        keys = self.unknown()
        if not keys:
            return Answers((), {group: () for group in self.counted_apart})
        read = {f"facet_{name}": one for name, one in self.expressions().items()}
        rows = self.read(_plain(rows.filter(pk__in=keys)), read)
        answers = dict(self.worked_out(rows))
        for name in self.expressions():
            answers[name] = zip(map(attrgetter(f"facet_{name}"), rows))
        return Answers(
            (row.pk for row in rows),
            {
                group: zip(*(answers[name] for name in group), strict=True)
                for group in self.counted_apart
            },
        )

    @property
    def counted_apart(self) -> list[Group]:
        """``together``, and each other facet by itself."""
        others = self.facets.keys() - {name for group in self.together for name in group}
        return [*self.together, *((name,) for name in sorted(others))]

    def read_by(self, names: Iterable[str]) -> dict:
        """Annotations with the answers of known rows to those of the facets ``names`` of which
        each row has one."""
        read = self.expressions() | self.summarised()
        return {f"facet_{name}": read[name] for name in names if name in read}

    def taken(self, parameter: str) -> frozenset[str]:
        """The answers that the address gives under ``parameter``."""
        return frozenset(self.form.cleaned_data.get(parameter) or ())

    @cached_property
    def narrowing(self) -> dict[str, tuple[frozenset[str], frozenset[str]]]:
        """The facets in use, each with its chosen and its excluded answers."""
        asked = {name: (self.taken(name), self.taken(f"not_{name}")) for name in self.facets}
        return {name: answers for name, answers in asked.items() if any(answers)}

    def _kept_but(self, group: Group) -> Q:
        """What the facets in use ask of known rows, but for those of ``group``."""
        kept = Q()
        for name, (chosen, excluded) in self.narrowing.items():
            if name in group:
                continue
            if chosen:
                kept &= self.has_any(name, chosen)
            if excluded:
                kept &= ~self.has_any(name, excluded)
        return kept

    def _refusing(self, group: Group, combination: Combination) -> list[str]:
        """The facets of ``group`` that do not keep rows with such answers."""
        refusing = []
        for name, answers in zip(group, combination, strict=True):
            chosen, excluded = self.narrowing.get(name, NOTHING)
            if (chosen and chosen.isdisjoint(answers)) or not excluded.isdisjoint(answers):
                refusing.append(name)
        return refusing

    def _keeps(self, group: Group, combination: Combination) -> bool:
        return not self._refusing(group, combination)

    def _combinations(self, group: Group) -> Iterator[tuple[Combination, int]]:
        """How many of the rows that all other facets keep answer alike to ``group``."""
        others = [name for name in self.narrowing if name not in group]
        rows = self.known.alias(**self.read_by(others)).filter(self._kept_but(group))
        yield from self.counted(rows, group)
        yield from self.answers.counted(group, self._keeps).items()

    @cached_property
    def count(self) -> int:
        """How many rows answer to everything."""
        first = self.together[0]
        return sum(n for one, n in self._counted_together[first] if self._keeps(first, one))

    @cached_property
    def _counted_together(self) -> dict[Group, list[tuple[Combination, int]]]:
        if self.narrowing or not self.is_whole or self._found_keys is not None:
            return self._count_together()
        # Of the whole list they are alike on every page, in every order and language.
        return remembered(self.request, f"counts of {type(self).__name__}", self._count_together)

    def _count_together(self) -> dict[Group, list[tuple[Combination, int]]]:
        return {group: list(self._combinations(group)) for group in self.counted_apart}

    @cached_property
    def counts(self) -> dict[str, Counter]:
        """By facet and answer, the rows that the list has with that one answer of the facet.

        All other filters stay in force, and so do the facet's exclusions of other answers.
        """
        counts = {name: Counter() for name in self.facets}
        for group, combinations in self._counted_together.items():
            for combination, n in combinations:
                refusing = self._refusing(group, combination)
                if len(refusing) > 1:
                    continue
                for name, answers in zip(group, combination, strict=True):
                    if refusing and name not in refusing:
                        continue
                    _chosen, excluded = self.narrowing.get(name, NOTHING)
                    for answer in answers:
                        # Choosing an answer ends its own exclusion and no other.
                        if (excluded - {answer}).isdisjoint(answers):
                            counts[name][answer] += n
        return counts

    @cached_property
    def chosen(self) -> list[Chosen]:
        """What the address asks for, in words and in the order of the filters."""
        found = []
        for parameter, filter_ in self.filters.items():
            value = self.form.cleaned_data.get(parameter)
            if not value:
                continue
            if isinstance(filter_, Facet):
                options = self.form.fields[parameter].choices
                values = [(answer, str(label)) for answer, label in options if answer in value]
            else:
                values = [(value, value)]
            found.append(Chosen(parameter, str(filter_.label), values))
        return found

    @cached_property
    def shown_groups(self) -> list[FacetGroup]:
        """The facets for the page, with counts unless the address cannot be answered."""
        counts = self.counts if self.is_valid() else None
        offered = [
            (label, shown)
            for label, names in self.groups
            if (shown := [name for name in names if self.offers(name)])
        ]
        groups = []
        for number, (label, names) in enumerate(offered, 1):
            questions = [self._question(name, counts and counts[name]) for name in names]
            used = sum(
                option.is_chosen + option.is_excluded
                for question in questions
                for option in question.options
            )
            label = label or questions[0].facet.label
            groups.append(FacetGroup(f"group-{number}", label, questions, used))
        return groups

    def _question(self, name: str, counts: Counter | None) -> Question:
        chosen, excluded = self.taken(name), self.taken(f"not_{name}")
        options = [
            Option(
                value=value,
                label=str(label),
                count=None if counts is None else counts[value],
                is_chosen=value in chosen,
                is_excluded=value in excluded,
            )
            for value, label in self.form.fields[name].choices
        ]
        errors = [
            error
            for parameter in (name, f"not_{name}")
            for error in self.form.errors.get(parameter, ())
        ]
        shown = options if name in self.data.getlist(ALL) else shortened(options)
        return Question(name, self.facets[name], shown, errors, len(options))
