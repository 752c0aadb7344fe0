"""A filled-in file of a round, be it the template or the department's own table."""

import re
from dataclasses import dataclass, field
from datetime import date

from django.utils import timezone
from django.utils.translation import gettext as _

from measures.models import Department, Round
from metrics.due import indicators_of
from metrics.models import Indicator, TableMapping, Unit

from ..importing import FileRow, Outcome, normalised
from ..names import numbers_text
from ..parsers.sheets import merged_message
from ..reading import FileError, Problem, Table
from ..round_template import import_entries, take_rows
from .headers import months_of_column, rendered
from .layout import NEEDED, ROLES, Changed, Found, Layout, changed, find, places_of
from .proof import Stated, prove
from .sheets import NamedRow, Sheet, named_rows, sheets_of, split_unit, twice

_BARE_NUMBER = re.compile(r"[-+]?[0-9０-９][0-9０-９.,，．]*")
MOST_NAMED = 12


def months_in(round_: Round) -> int:
    """How many months the period of a round has, begun ones too."""
    start, end = round_.period_start, round_.period_end
    return (end.year - start.year) * 12 + end.month - start.month + 1


def take_file(
    content: bytes, *, round: Round, department: Department, by, name="", submit=False, **how
) -> Outcome:
    """Takes the template of a round, or a table of the department that was mapped, as
    ``import_entries`` does; what is neither has the problems of the template."""
    how |= {"round": round, "department": department, "by": by, "name": name, "submit": submit}
    outcome = import_entries(content, **how)
    if not outcome.is_no_template:
        return outcome
    try:
        mapped = Mapped.of(content, round, department)
    except FileError as error:
        return Outcome(error.problems, is_no_template=True)
    if mapped is None:
        return outcome
    outcome = take_rows(mapped.rows, mapped.table, **how)
    if not outcome.problems:
        prove(outcome.changes, mapped.stated, mapped.units)
    return outcome


def fitting(
    sheets: list[Sheet], mappings: list[TableMapping]
) -> tuple[TableMapping, Layout, Found] | None:
    """The mapping whose table is most like one of ``sheets``; None if none is."""
    best = None
    for mapping in mappings:
        layout = Layout(**mapping.layout)
        for sheet in sheets:
            found = find(sheet, layout)
            if found and (best is None or found.alike > best[2].alike):
                best = mapping, layout, found
    return best


@dataclass
class Mapped:
    """The rows of a mapped table with the cells of the template, and what they state besides."""

    rows: list[FileRow]
    table: Table
    units: dict[str, Unit]
    stated: dict[int, Stated] = field(default_factory=dict)

    @classmethod
    def of(cls, content: bytes, round: Round, department: Department) -> "Mapped | None":
        """None if the file is no table that was mapped. Raises FileError for one that has changed,
        and for cells from which no figure can be taken."""
        mappings = TableMapping.objects.in_force(department)
        if not mappings:
            return None
        sheets, hidden = sheets_of(content)
        months = months_in(round)
        chosen = fitting(sheets, [row for row in mappings if row.months == months])
        if chosen is None:
            if other := fitting(sheets, mappings):
                raise FileError(
                    _(
                        "This table was mapped for rounds of %(other)d months, and “%(round)s” "
                        "has %(months)d: show where the figures of such a round stand."
                    )
                    % {"other": other[0].months, "round": round, "months": months}
                )
            return None
        return _Reading(*chosen, round, department, sheets, hidden).mapped()


class _Reading:
    """One table, read by one mapping."""

    def __init__(self, mapping, layout, found, round_, department, sheets, hidden):
        self.mapping, self.layout, self.found = mapping, layout, found
        self.round, self.department = round_, department
        self.others = [sheet.name for sheet in sheets if sheet is not found.sheet]
        self.hidden = hidden
        self.end: date = round_.period_end
        self.changed: Changed = changed(found, layout, self.end)
        self.notices: list[str] = []
        self.problems: list[Problem] = []

    def mapped(self) -> Mapped:
        places = {role: self._place(role, getattr(self.layout, role)) for role in ROLES}
        sheet, last = self.found.sheet, self.found.last
        named = named_rows(sheet, last, places["name"], places["unit"])
        if same := twice(named):
            raise FileError(
                Problem(
                    _("This name stands in the rows %(rows)s; say of which each is a part.")
                    % {"rows": numbers_text([row.line.number for row in same])},
                    text=same[0].name,
                )
            )
        wanted = self.mapping.indicators
        mapped = [row for row in named if wanted.get(row.key, {}).get("code")]
        indicators = {
            row.code: row
            for row in Indicator.objects.filter(
                code__in=[wanted[row.key]["code"] for row in mapped]
            ).select_related("unit")
        }
        due = set(indicators_of(self.round, self.department).values_list("code", flat=True))
        units = {unit.name: unit for unit in Unit.objects.all()}
        rows, stated, not_due = [], {}, []
        for row in mapped:
            said = wanted[row.key]
            column = said.get("column", "")
            at = self._place("value", column) if column else places["value"]
            if said["code"] not in due:
                not_due += [row] if row.line.cell(at) else []
                continue
            rows.append(self._row(row, indicators[said["code"]], at, places, units))
            stated[row.line.number] = self._stated(row, at, places)
        self._tell(named, mapped, not_due, places)
        if self.problems:
            raise FileError(*self.problems)
        if not rows:
            raise FileError(_("No row of this table is asked for in this round."))
        table = Table(
            self.found.headers, [], sheet.titles(self.found.first), self.notices,
            len(named) - len(rows),
        )  # fmt: skip
        return Mapped(rows, table, units, stated)

    def _place(self, role: str, header: str) -> int | None:
        """Where the column of the kept ``header`` stands. Raises FileError if it is needed and
        not there, or there twice."""
        if not header:
            return None
        places = places_of(self.found, header, self.end)
        if len(places) == 1:
            (at,) = places
            if role in NEEDED and at in self.found.sheet.hidden_columns:
                message = _("This column is hidden and holds values: show it, or delete it.")
                raise FileError(Problem(message, column=self.found.place(at)))
            return at
        header = rendered(header, self.end)
        if role not in NEEDED:
            self.notices.append(
                _("The column “%(column)s” is not found, so nothing is compared with it.")
                % {"column": header}
            )
            return None
        raise FileError(
            _(
                "The layout of this table has changed since it was mapped on %(day)s: the column "
                "“%(column)s” is %(how)s (%(changed)s). Show anew where the figures stand."
            )
            % {
                "day": timezone.localtime(self.mapping.at).date().isoformat(),
                "column": header,
                "how": _("there twice") if places else _("missing"),
                "changed": str(self.changed) or "–",
            }
        )

    def _row(self, row: NamedRow, indicator: Indicator, at: int, places, units) -> FileRow:
        line, sheet = row.line, self.found.sheet
        text = line.cell(at)
        if message := line.faults.get(at):
            self.problems.append(Problem(message, line.number, self.found.place(at), text[:80]))
        if sheet.is_merged(line.number, at) or sheet.is_merged(line.number, places["name"]):
            self.problems.append(Problem(merged_message(), line.number, self.found.place(at)))
        unit = row.unit or split_unit(row.name)[1]
        cells = {"code": indicator.code, "figure": text}
        shown = {"figure": self.found.place(at), "code": self.found.place(places["name"])}
        if unit and normalised(unit) != normalised(indicator.unit.name):
            if unit in units and _BARE_NUMBER.fullmatch(text):
                # Read as if it was typed with its unit: converted, or refused.
                cells["figure"] = f"{text}{unit}"
            elif row.unit:
                cells["unit"] = unit
                shown["unit"] = self.found.place(places["unit"])
        return FileRow(line.number, cells, shown)

    def _stated(self, row: NamedRow, at: int, places) -> Stated:
        """What the row states besides, where it is of the round's time."""
        said = Stated(unit=row.unit or split_unit(row.name)[1])
        total = places["total"]
        parts = self.found.sheet.parts(self.found.first, self.found.last)
        if total is not None and months_of_column(parts[total], self.end) != (
            self.end.year, (1, self.end.month),
        ):  # fmt: skip
            return said
        for role in ("total", "growth"):
            place = places[role]
            if place is not None and place != at and place not in row.line.faults:
                setattr(said, role, row.line.cell(place))
        return said

    def _tell(self, named, mapped, not_due, places) -> None:
        """Says all that was left out or is otherwise than it was shown."""
        self.notices.insert(
            0,
            _("Read as the table “%(table)s”, version %(number)d, from the column %(column)s.")
            % {
                "table": self.mapping.name,
                "number": self.mapping.number,
                "column": self.found.place(places["value"]),
            },
        )
        if self.changed:
            self.notices.append(
                _(
                    "The table has changed since it was mapped (%(changed)s); the columns that are "
                    "read were found by their headers."
                )
                % {"changed": self.changed}
            )
        known = self.mapping.indicators
        there = {row.key for row in named}
        for message, names in (
            (
                _("Rows that are not mapped are left out: %(rows)s."),
                [_of(row) for row in named if row.key not in known],
            ),
            (
                _("Mapped rows that are not in the table: %(rows)s."),
                [f"“{key}”" for key, said in known.items() if said["code"] and key not in there],
            ),
            (
                _("Rows that are not asked for in this round are left out: %(rows)s."),
                [_of(row) for row in not_due],
            ),
        ):
            if names:
                shown = "; ".join(names[:MOST_NAMED]) + (" …" if len(names) > MOST_NAMED else "")
                self.notices.append(message % {"rows": shown})
        if odd := [
            _("%(cell)s shows “%(shown)s” and holds %(stored)s")
            % {
                "cell": f"{self.found.place(at).partition(' ')[0]}{row.line.number}",
                "shown": row.line.cell(at),
                "stored": stored,
            }
            for row in mapped
            for at, stored in row.line.stored.items()
            if at == places["value"]
        ]:
            self.notices.append(
                _("What a cell shows is read, not what it holds: %(cells)s.")
                % {"cells": "; ".join(odd[:MOST_NAMED])}
            )
        if hidden := sorted(self.found.sheet.hidden_rows & set(range(self.found.last + 1, 2000))):
            self.notices.append(
                _("Hidden rows are not read: %(rows)s.") % {"rows": numbers_text(hidden)}
            )
        if others := [f"“{name}”" for name in [*self.others, *self.hidden]]:
            self.notices.append(
                _("Only the sheet “%(sheet)s” is read. Others that hold something are not: "
                  "%(others)s.")
                % {"sheet": self.found.sheet.name, "others": "、".join(others)}
            )  # fmt: skip


def _of(row: NamedRow) -> str:
    return f"{row.line.number} “{row.name}”"
