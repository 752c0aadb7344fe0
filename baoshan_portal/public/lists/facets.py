"""Facets: questions with a closed list of answers that narrow a list of rows, with counts.

A row stays where any of the chosen answers is true of it and none of the excluded ones:
``?category=funds&category=platforms&not_theme=talent``. What is true of a row is read once, and
both the rows and the counts come from that reading (``answers``), so that they cannot disagree.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import attrgetter

import django_filters
from django.db.models import Case, Value, When
from django.forms import ModelChoiceField
from django.utils.functional import Promise, cached_property
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from ..prose import listed
from ..remembered import VERSION, remembered
from .answers import Answers

#: The answer of a row that has none.
NONE = "none"
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
    ``computed`` names the method of the filter set that works the answers of each row out, given
    the name of the facet, where the database cannot.
    ``has_long_names`` gives the answers more room on the page.
    """

    field_class = AnswersField

    def __init__(
        self, label, choices, *, computed="", excludable=True, has_long_names=False, **kwargs
    ):
        super().__init__(label=label, choices=choices, **kwargs)
        self.choices = choices
        self.computed = computed
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


class FacetFilterSet(django_filters.FilterSet):
    """A filter set whose facets take several answers, exclude (``not_…``) and count.

    Subclasses give ``groups`` (names of facets that the page folds away together, and a label
    where there are several) and ``expressions``. All other filters, such as the search, narrow
    the rows first.
    """

    groups: list[tuple[Promise | None, tuple[str, ...]]] = []

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
        """How the database reads the answer of each facet that is not computed, by its name."""
        return {}

    def offers(self, name: str) -> bool:
        """Whether the page shows the facet: a question with one answer is none."""
        return True

    def read(self, queryset, answers: dict) -> list:
        """Each of ``queryset`` with ``pk``, its ``answers`` and what computed facets need of it."""
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
            return self.searched
        return self.searched.filter(pk__in=self.answers.keys_of(self.matching_but()))

    @cached_property
    def searched(self):
        """The rows that answer to everything but the facets."""
        return super().filter_queryset(self.queryset.all())

    @cached_property
    def rows(self) -> list:
        """The rows, each with the answers that the database reads; one query.

        All of the day where they are remembered, otherwise those that were searched.
        """
        rows = self.queryset.all() if self.remembers else self.searched
        plain = rows.order_by().select_related(None).prefetch_related(None)
        answers = {f"facet_{name}": read for name, read in self.expressions().items()}
        return self.read(plain, answers)

    @property
    def remembers(self) -> bool:
        return self.is_whole and VERSION in self.request.META

    @cached_property
    def answers(self) -> Answers:
        """What is true of each of ``rows``: everything where it is remembered, otherwise what
        ``answers_to`` has read."""
        if not self.remembers:
            return self._read([])
        name = f"facets of {type(self).__name__}"
        return remembered(self.request, name, lambda: self._read(self.facets))

    def answers_to(self, name: str) -> Answers:
        """``answers``, among them those to the facet ``name``."""
        if name not in self.answers:
            self.answers.read(name, self._answers_of_rows(name))
        return self.answers

    def _read(self, facets: Iterable[str]) -> Answers:
        answers = Answers(row.pk for row in self.rows)
        for name in facets:
            answers.read(name, self._answers_of_rows(name))
        return answers

    def _answers_of_rows(self, name: str) -> Iterator[Iterable[str]]:
        if method := self.facets[name].computed:
            found = getattr(self, method)(name)
            return (found[row.pk] for row in self.rows)
        answers = map(attrgetter(f"facet_{name}"), self.rows)
        return ((answer or NONE,) for answer in answers)

    @cached_property
    def asked(self) -> int:
        """The mask of the rows that were searched: those that answer to all but the facets."""
        searches = any(self.form.cleaned_data.get(name) for name in self.searching)
        if not (self.remembers and searches):
            return self.answers.all
        return self.answers.mask_of(self.searched.order_by().values_list("pk", flat=True))

    @property
    def searching(self) -> list[str]:
        """The parameters that narrow the rows before any facet does."""
        return [name for name, each in self.filters.items() if not isinstance(each, Facet)]

    def taken(self, parameter: str) -> frozenset[str]:
        """The answers that the address gives under ``parameter``."""
        return frozenset(self.form.cleaned_data.get(parameter) or ())

    @cached_property
    def narrowing(self) -> dict[str, tuple[frozenset[str], frozenset[str]]]:
        """The facets in use, each with its chosen and its excluded answers."""
        asked = {name: (self.taken(name), self.taken(f"not_{name}")) for name in self.facets}
        return {name: answers for name, answers in asked.items() if any(answers)}

    @cached_property
    def kept(self) -> dict[str, int]:
        """By each facet in use, the mask of the rows that it keeps."""
        kept = {}
        for name, (chosen, excluded) in self.narrowing.items():
            answers = self.answers_to(name)
            mask = answers.any_of(name, chosen) if chosen else answers.all
            kept[name] = mask & ~answers.any_of(name, excluded)
        return kept

    def matching_but(self, name: str = "") -> int:
        """The mask of the rows that answer to everything but the facet ``name``."""
        mask = self.asked
        for facet, kept in self.kept.items():
            if facet != name:
                mask &= kept
        return mask

    @cached_property
    def count(self) -> int:
        """How many rows answer to everything."""
        return self.matching_but().bit_count()

    @cached_property
    def counts(self) -> dict[str, Counter]:
        """By facet and answer, the rows that the list has with that one answer of the facet.

        All other filters stay in force, and so do the facet's exclusions of other answers.
        """
        return {name: self._counts(name) for name in self.facets}

    def _counts(self, name: str) -> Counter:
        rows, (_chosen, excluded) = self.matching_but(name), self.narrowing.get(name, ((), ()))
        answers, counts = self.answers_to(name), Counter()
        for answer, mask in answers.of(name).items():
            # Choosing an answer ends its own exclusion and no other.
            others = answers.any_of(name, {*excluded} - {answer})
            counts[answer] = (rows & mask & ~others).bit_count()
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
