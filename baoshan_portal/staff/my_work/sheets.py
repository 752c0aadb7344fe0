"""How far departments are with their entry sheets, and which sheets somebody can fill in now."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property

from django.urls import reverse

from measures import access
from measures.models import Department, Round, RoundUnlock, User
from measures.submission import Submission
from metrics.due import due_by_department, handed_in_of
from metrics.models import NoFigure, Observation

from ..addresses import change_url, list_url
from ..entry_sheet.page import sheet_url


@dataclass
class SheetProgress:
    """How far one department is with one round: figures handed in, of those that are due."""

    round: Round
    department: Department
    due: int = 0
    handed_in: int = 0

    @property
    def missing(self) -> int:
        return self.due - self.handed_in

    @property
    def url(self) -> str:
        return sheet_url(self.round, self.department)

    @property
    def own_table_url(self) -> str:
        return reverse("admin:own-table", args=[self.round.code, self.department.code])

    @property
    def list_url(self) -> str:
        return list_url(
            Observation,
            round__id__exact=self.round.pk,
            indicator__measure__lead__id__exact=self.department.pk,
        )


def progress_of_sheets(
    rounds: list[Round], departments: list[Department]
) -> dict[tuple[int, int], SheetProgress]:
    """How far each department is with each round, by their keys; four queries at the most."""
    found = {
        (round_.pk, department.pk): SheetProgress(round_, department)
        for round_ in rounds
        for department in departments
    }
    handed_in = handed_in_of(rounds)
    for round_, department, indicator in due_by_department(rounds, departments):
        sheet = found[round_, department]
        sheet.due += 1
        sheet.handed_in += (round_, indicator) in handed_in
    return found


@dataclass
class Sheets:
    """The entry sheets of ``user``."""

    user: User
    today: date

    @cached_property
    def departments(self) -> list[Department]:
        return list(access.reporting_departments(self.user, Department.objects.all()))

    @cached_property
    def _unlocked(self) -> set[tuple[int, int]]:
        """(round, department) of the exceptions that concern this user."""
        unlocks = RoundUnlock.objects.filter(department__in=self.departments)
        return set(unlocks.order_by().values_list("round", "department"))

    def take_entry(self, round_: Round, department: Department) -> bool:
        opened = round_.opens_on <= self.today
        return opened and (not round_.locked or (round_.pk, department.pk) in self._unlocked)

    @cached_property
    def _missing(self) -> list[SheetProgress]:
        """The sheets that take entry now and lack figures, the earliest due first."""
        if not self.departments:
            return []
        rounds = list(Round.objects.filter(opens_on__lte=self.today).order_by("due_on", "code"))
        return [
            sheet
            for sheet in progress_of_sheets(rounds, self.departments).values()
            if sheet.missing and self.take_entry(sheet.round, sheet.department)
        ]

    @property
    def due_now(self) -> list[SheetProgress]:
        return [sheet for sheet in self._missing if sheet.round.due_on >= self.today]

    @property
    def overdue(self) -> list[SheetProgress]:
        return [sheet for sheet in self._missing if sheet.round.due_on < self.today]

    def address_of(self, row: Submission) -> str:
        """The row's line on its entry sheet while that takes it, else its own page."""
        round_ = getattr(row, "round", None)
        on_sheet = round_ and row.department in self.departments and not row.supersedes_id
        if on_sheet and row.is_editable and self.take_entry(round_, row.department):
            figure = isinstance(row, Observation | NoFigure)
            line = f"figure-{row.indicator.code}" if figure else f"note-{row.measure.code}"
            return f"{sheet_url(round_, row.department)}#{line}"
        return change_url(row)
