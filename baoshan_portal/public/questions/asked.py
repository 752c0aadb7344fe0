"""Everything that is worth asking on a day, in a few columns: enough to count and to sort it.

What lists need to find the rows of a page. Of these alone a sentence is made (``told``), by the
rules of ``rows``; ``test_counted`` holds that both name the same.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from django.db.models import Q, QuerySet
from django.utils import timezone

from measures.models import Measure
from measures.thresholds import Thresholds
from metrics import check_results, facts, verdicts
from metrics.models import Check, CheckTerm, Indicator, Target
from metrics.redefinition import set_anew
from metrics.rules import questions
from metrics.rules.choices import Claim, Freshness, Verdict
from metrics.rules.questions import OVER, Ask

from ..standing import load_some, with_status
from .rows import CHECK, ENDED, INDICATOR, MEASURE, TARGET, Question, all_of

#: Of which sentences are made together.
TOGETHER = 200
#: By what is claimed of a target, the verdicts with which it gives something to ask.
ASKING = {
    claim: [verdict for verdict in Verdict if questions.of_target(verdict, claim)]
    for claim in Claim
}


class Place(NamedTuple):
    """Where a measure stands (see ``Measure.number_key``), and by whose keys it is found."""

    key: tuple[int, int, int, int]
    theme: int
    lead: int | None


class Asked(NamedTuple):
    """A ``Question`` without its sentence: ``about`` is the kind and the key of the target, check,
    indicator or measure that gives it to ask, ``measures`` the keys of all that it is about."""

    ask: Ask
    size: float
    about: tuple[str, int]
    measures: tuple[int, ...]
    order: int = 0


class AllAsked:
    """All of a day, the gravest first, and the ``places`` of measures by their keys."""

    def __init__(self, as_of: date | None):
        self.as_of, self.on = as_of, as_of or timezone.localdate()
        self.thresholds = Thresholds.read()
        columns = (
            "theme__section__opinion", "theme__section__order", "theme__order", "order",
            "theme", "lead",
        )  # fmt: skip
        rows = Measure.objects.published(as_of).order_by().values_list("pk", *columns)
        self.places = {pk: Place(tuple(row[:4]), *row[4:]) for pk, *row in rows}
        found = [
            *self._of_targets(),
            *self._of_checks(),
            *self._of_terms(),
            *self._of_silence(),
        ]
        # What became public after the measures were read is asked about in a moment.
        found = [row for row in found if self.places.keys() >= {*row.measures}]
        self.rows = sorted(found, key=self._gravity)

    def _gravity(self, row: Asked) -> tuple:
        return questions.gravity(row.ask, row.size, (*self.places[row.measures[0]].key, row.order))

    def told(self, rows: Sequence[Asked]) -> Iterator[Question]:
        """``rows`` as questions, in their order; as many queries for each ``TOGETHER`` of them.

        Left out is what is asked no more because something was published meanwhile.
        """
        for start in range(0, len(rows), TOGETHER):
            some = rows[start : start + TOGETHER]
            keys: dict[str, set[int]] = defaultdict(set)
            for row in some:
                keys[row.about[0]].add(row.about[1])
            standing = load_some(
                self.thresholds, self.on, self.as_of,
                targets=keys[TARGET], checks=keys[CHECK],
                indicators=keys[INDICATOR], measures=keys[MEASURE],
            )  # fmt: skip
            found = {(row.ask, row.about): row for row in all_of(standing)}
            yield from (found[row.ask, row.about] for row in some if (row.ask, row.about) in found)

    def _targets(self) -> QuerySet:
        public = Indicator.objects.published(self.as_of)
        return Target.objects.published(self.as_of).filter(indicator__in=public)

    def _of_targets(self) -> Iterator[Asked]:
        wanted = Q()
        for claim, concluded in ASKING.items():
            wanted |= Q(claim=claim, summary__verdict__in=concluded)
        found = verdicts.of(
            self._targets().filter(verdicts.that_may_be(wanted, self.as_of)),
            self.as_of, "claim", "due_on", "indicator__order", "indicator__measure",
        )  # fmt: skip
        # Of one indicator the one that is due first, as in ``standing``.
        for row, verdict, left in sorted(found, key=lambda told: _due(told[0])):
            if ask := questions.of_target(verdict, row.claim):
                size = left + float(OVER) * (verdict == Verdict.MISSED)
                yield Asked(
                    ask, size, (TARGET, row.pk), (row.indicator__measure,), row.indicator__order
                )

    def _of_checks(self) -> Iterator[Asked]:
        checks = Check.objects.published(self.as_of)
        checks = checks.filter(check_results.that_may_be(questions.ASKING, self.as_of))
        found = [
            one for one in check_results.of(checks, self.as_of) if questions.of_check(one.result)
        ]
        terms = CheckTerm.objects.filter(check_of__in=[one.pk for one in found])
        measures: dict[int, dict[int, None]] = defaultdict(dict)
        for check, measure in terms.values_list("check_of", "indicator__measure"):
            measures[check][measure] = None
        for one in found:
            ask = questions.of_check(one.result)
            yield Asked(ask, one.apart, (CHECK, one.pk), tuple(measures[one.pk]))

    def _of_terms(self) -> Iterator[Asked]:
        anew = set_anew(self._targets()).order_by("indicator", "pk")
        keys = list(anew.values_list("pk", flat=True))
        for start in range(0, len(keys), TOGETHER):
            some = {*keys[start : start + TOGETHER]}
            standing = load_some(
                self.thresholds, self.on, self.as_of,
                targets=some, checks=(), indicators=(), measures=(),
            )  # fmt: skip
            for row in standing.targets:
                if row.target.pk in some and row.terms.is_redefined:
                    yield Asked(
                        Ask.REDEFINED, float(max(0, row.terms.slip)), (TARGET, row.target.pk),
                        (row.indicator.measure_id,), row.indicator.order,
                    )  # fmt: skip

    def _of_silence(self) -> Iterator[Asked]:
        """What is overdue or was not updated, and measures without any figure."""
        figures = facts.Counted(
            Indicator.objects.published(self.as_of),
            self.as_of, self.thresholds.grace_days, "measure_id", "order",
        )  # fmt: skip
        for row, known in figures.late():
            yield Asked(Ask.LATE, known.missed, (INDICATOR, row.pk), (row.measure_id,), row.order)
        silent, told = defaultdict(int), set()
        for (measure,), known, count in figures.by("measure_id"):
            if known.fresh == Freshness.SILENT:
                silent[measure] += count
            if known.value:
                told.add(measure)
        for measure, count in silent.items():
            yield Asked(Ask.SILENT, count, (MEASURE, measure), (measure,))
        rest = Measure.objects.filter(pk__in=self.places.keys() - told).order_by()
        for measure, status in with_status(rest, self.as_of).values_list("pk", "status"):
            if status not in ENDED:
                yield Asked(Ask.NO_FIGURE, 0, (MEASURE, measure), (measure,))


def _due(row) -> tuple:
    return row.due_on or date.max, row.pk
