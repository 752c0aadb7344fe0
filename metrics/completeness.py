"""How complete and how timely departments are, round by round, as whoever runs the rounds sees it.

Unlike the public record of departments, open rounds count, and so does what waits for review;
what is on time is told by the same rule (``due.days_handed_in``).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from measures.models import Department, Round
from measures.submission import State

from .due import days_handed_in, due_by_department, entries_handed_in
from .models import RoundDue


@dataclass
class Completeness:
    """What one round asks of one department, and what of it has been handed in.

    ``handed_in`` waits for review or is public, a figure or that there is none; ``on_time`` of it
    was first handed in by the due day.
    """

    round: Round
    department: Department
    expected: int = 0
    handed_in: int = 0
    published: int = 0
    no_figure: int = 0
    on_time: int = 0

    @property
    def missing(self) -> int:
        return self.expected - self.handed_in

    @property
    def late(self) -> int:
        return self.handed_in - self.on_time


def departments_asked(rounds: Iterable[Round]) -> QuerySet:
    """The departments that lead an indicator, or did when one of ``rounds`` was locked."""
    asked = RoundDue.objects.filter(round__in=rounds).values("department")
    return Department.objects.filter(Q(led__indicators__isnull=False) | Q(pk__in=asked)).distinct()


def completeness_of(rounds: list[Round], departments: list[Department]) -> list[Completeness]:
    """A line for every round, in their order, and department of which it asks anything.

    Six queries at the most.
    """
    found = {
        (round_.pk, department.pk): Completeness(round_, department)
        for round_ in rounds
        for department in departments
    }
    entries = entries_handed_in(rounds)
    days = days_handed_in(entries)
    figures, public = _figures_and_public(entries)
    for round_, department, indicator in due_by_department(rounds, departments):
        line, key = found[round_, department], (round_, indicator)
        line.expected += 1
        if key in days:
            line.handed_in += 1
            line.on_time += days[key] <= line.round.due_on
            line.published += key in public
            line.no_figure += key not in figures
    return [line for line in found.values() if line.expected]


def _figures_and_public(entries: list[QuerySet]) -> tuple[set, set]:
    """(round, indicator), by their keys, of which there is a figure, and what is public of all."""
    columns = ("round", "indicator", "state")
    figures, none = (set(rows.order_by().values_list(*columns)) for rows in entries)
    public = {row[:2] for row in figures | none if row[2] == State.PUBLISHED}
    return {row[:2] for row in figures}, public
