"""Figures that are reported together, such as a quota and what was used of it.

A data steward declares such a pair. A value of one is handed in only where the other one has a
value, or is said to have none, for the same period, and published only while it has. The workflow
asks, so no door passes it; drafts are never asked, and the pairs themselves are for staff alone.
"""

from collections.abc import Iterator, Sequence

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Greatest, Least
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from measures import access
from measures.submission import State

from .rules.periods import OF_LENGTH, period_text


class CompulsoryPair(models.Model):
    """Two indicators that are reported together; which of them is the first does not matter."""

    first = models.ForeignKey(
        "Indicator", models.PROTECT, related_name="+", verbose_name=_("indicator")
    )
    second = models.ForeignKey(
        "Indicator", models.PROTECT, related_name="+", verbose_name=_("reported together with")
    )

    role_rights = access.STRUCTURE_PART

    class Meta:
        ordering = ["first", "second"]
        verbose_name = _("indicators reported together")
        verbose_name_plural = _("indicators reported together")
        constraints = [
            models.CheckConstraint(
                condition=~Q(first=F("second")),
                name="compulsorypair_of_two",
                violation_error_message=_("An indicator is no pair with itself."),
            ),
            models.UniqueConstraint(
                Least("first", "second"),
                Greatest("first", "second"),
                name="compulsorypair_once",
                violation_error_message=_("These two indicators are declared a pair already."),
            ),
        ]

    def __str__(self):
        return f"{self.first} + {self.second}"

    def clean(self):
        """Refuses a pair that would ask for what nobody can hand in together."""
        super().clean()
        if not (self.first_id and self.second_id):
            return
        if self.first.frequency != self.second.frequency:
            raise ValidationError(
                _("They are not reported equally often: “%(first)s” %(often)s, “%(second)s” "
                  "%(other)s.")
                % {
                    "first": self.first, "often": self.first.get_frequency_display(),
                    "second": self.second, "other": self.second.get_frequency_display(),
                }
            )  # fmt: skip
        if self.first.measure.lead_id != self.second.measure.lead_id:
            raise ValidationError(
                _("They are reported by two departments, of which each would wait for the other.")
            )


def check_pairs(rows: Sequence) -> None:
    """Raises ValidationError, a sentence a figure, if one of the values ``rows`` lacks its other.

    What counts is public, waits for review or is among ``rows``. Needs the rows' indicators.
    """
    problems = [
        gettext(
            "“%(row)s” is reported together with “%(other)s”, of which nothing is handed in for "
            "this period (%(period)s): enter its figure, or that there is none, and submit both "
            "together."
        )
        % {"row": row.indicator, "other": other, "period": period_text(*row.period)}
        for row, other in _lacking(rows)
    ]
    if problems:
        raise ValidationError(problems)


def left_alone(rows: Sequence) -> dict[int, str]:
    """Of the values ``rows`` that wait for review, by their keys, why some cannot be published:
    their other was taken back or returned meanwhile. Needs the rows' indicators."""
    return {
        row.pk: gettext(
            "“%(row)s” is reported together with “%(other)s”, of which nothing is handed in any "
            "more for this period (%(period)s): return it, so that both come together."
        )
        % {"row": row.indicator, "other": other, "period": period_text(*row.period)}
        for row, other in _lacking(rows)
    }


def _lacking(rows: Sequence) -> list[tuple]:
    """(row, the other indicator) where nothing of the other is public, waits or is in ``rows``."""
    asked = list(_asked(rows))
    there = [*rows, *_handed_in(asked)] if asked else []
    return [
        (row, other)
        for row, other in asked
        if not any(_answers(entry, row, other) for entry in there)
    ]


def together(rows: Sequence) -> list[list]:
    """The values ``rows`` in groups that can be handed in only together; one query."""
    groups = [[row] for row in rows]
    for row, other in _asked(rows):
        own = next(group for group in groups if any(entry is row for entry in group))
        for group in list(groups):
            if group is not own and any(_answers(entry, row, other) for entry in group):
                own += group
                groups.remove(group)
    return groups


def _asked(rows: Sequence) -> Iterator[tuple]:
    """(row, the other indicator) for each pair that asks for another figure beside a row.

    A correction that stays in its period is asked for nothing: what it mends is public alone
    already. Nor is it asked for what nobody can enter: what is not public, is withdrawn or has
    come to another department since.
    """
    from .models import Indicator

    keys = {row.indicator_id for row in rows}
    mine = CompulsoryPair.objects.filter(Q(first__in=keys) | Q(second__in=keys)).order_by()
    # By their own keys, lest SQLite begin with every indicator there is.
    pairs = CompulsoryPair.objects.filter(pk__in=mine.values("pk")).filter(
        Q(first__measure__lead=F("second__measure__lead"))
        | Q(first__measure__lead__isnull=True, second__measure__lead__isnull=True)
    )
    # Asked of each pair: a list of what is public would name every indicator of the city.
    public = Indicator.objects.published().order_by()
    pairs = pairs.filter(
        Exists(public.filter(pk=OuterRef("first"))), Exists(public.filter(pk=OuterRef("second")))
    )
    for pair in pairs.select_related("first", "second").order_by("pk"):
        for one, other in ((pair.first, pair.second), (pair.second, pair.first)):
            for row in rows:
                if row.indicator_id == one.pk and not _only_mends(row):
                    yield row, other


def _only_mends(row) -> bool:
    return bool(row.supersedes_id) and row.supersedes.period == row.period


def _handed_in(asked: Sequence[tuple]) -> list:
    """What is public or waits for review of the other indicators, with or without a figure."""
    from .models import NoFigure, Observation

    about = {
        "indicator__in": {other.pk for _row, other in asked},
        "period_end__in": {row.period_end for row, _other in asked},
    }
    found = []
    for model in (Observation, NoFigure):
        public = model.objects.published().filter(**about).order_by().values("pk")
        found += model.objects.filter(
            Q(state=State.SUBMITTED) | Q(pk__in=public), **about
        ).select_related("indicator")
    return found


def _answers(entry, row, other) -> bool:
    """Whether ``entry`` says of ``other`` what is asked for beside the value ``row``.

    What is only expected is nothing beside what was reported.
    """
    if entry.indicator_id != other.pk or entry.period_end != row.period_end:
        return False
    if row.is_reported and not getattr(entry, "is_reported", True):
        return False
    of_length = row.indicator.kind in OF_LENGTH and other.kind in OF_LENGTH
    return not of_length or entry.period_start == row.period_start
