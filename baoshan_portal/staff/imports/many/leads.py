"""Who leads which measure, from a file; what is public changes by review alone."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from measures.models import Measure

from ..cells import Offices, read_yes, yes_or_no
from ..columns import Column
from ..importing import FileRow, normalised
from .core import Kind, Reader, RowChange, difference, parts, read_each, said
from .structure_rows import StructureWriter, no_measure

COLUMNS = (
    Column("code", "举措代码", "Measure code", 30),
    Column("measure", "举措", "Measure", 44),
    Column("lead", "牵头单位", "Lead department", 28),
    Column("lead_confirmed", "已确认", "Confirmed", 10),
    Column("supporting", "配合单位", "Supporting departments", 44),
)


class LeadReader(Reader):
    def __init__(self, by):
        super().__init__(by)
        self.measures = {row.code: row for row in measures()}
        self.by_name = {}
        for row in self.measures.values():
            for name in (row.full_number, f"{row.full_number} {row.name}", row.name, row.name_en):
                self.by_name.setdefault(normalised(name), []).append(row)
        self.offices = Offices()
        self.writer = StructureWriter(by)

    def take(self, row: FileRow) -> RowChange:
        measure = self._measure(row)
        self.once(measure.pk, row, "code" if row.cells.get("code") else "measure")
        old = self.texts(measure)
        values = read_each(
            said(row, but=("code", "measure")),
            {"lead": self.offices.read, "lead_confirmed": read_yes, "supporting": self._several},
        )
        lead = values.get("lead", measure.lead)
        if values.get("lead_confirmed") is None and "lead" in values and lead != measure.lead:
            # What one office confirmed is no word of another.
            values["lead_confirmed"] = False
        supporting = values.pop("supporting", None)
        if supporting is None:
            supporting = list(measure.supporting.all())
        supporting = [office for office in supporting if office != lead]
        waits = self.writer.write(measure, {**values, "supporting": supporting})
        changed = difference(LEADS.labels, old, self.texts(measure, supporting))
        return RowChange(row.number, measure.code, str(measure), False, changed, waits=waits)

    def _measure(self, row: FileRow) -> Measure:
        code, name = row.cells.get("code", ""), row.cells.get("measure", "")
        if code:
            if code not in self.measures:
                raise ValidationError({"code": no_measure() % {"text": code[:40]}})
            return self.measures[code]
        found = self.by_name.get(normalised(name), []) if name else []
        if len(found) != 1:
            raise ValidationError({"measure": no_measure() % {"text": name[:40]}})
        return found[0]

    def _several(self, text: str) -> list:
        return [self.offices.read(part) for part in parts(text)]

    def texts(self, measure: Measure, supporting=None) -> dict[str, str]:
        return {
            "code": measure.code,
            "measure": f"{measure.full_number} {measure.name}",
            "lead": self.offices.write(measure.lead),
            "lead_confirmed": yes_or_no(measure.lead_confirmed),
            "supporting": self.offices.write_all(
                measure.supporting.all() if supporting is None else supporting
            ),
        }

    def rows(self) -> list[list[str]]:
        return [list(self.texts(measure).values()) for measure in self.measures.values()]

    def finish(self, submit: bool) -> None:
        self.writer.finish()

    @property
    def revision(self):
        return self.writer.revision


def measures():
    return Measure.objects.with_place().prefetch_related("supporting")


def may(user) -> bool:
    return user.has_perm("measures.change_measure")


def choices() -> dict[str, tuple[str, ...]]:
    return {"lead_confirmed": (_("yes"), _("no"))}


LEADS = Kind(
    "leads", Measure, gettext_lazy("Lead departments by file"), COLUMNS, (), LeadReader, may,
    choices,
    (
        gettext_lazy("One row is one measure, found by its code or by number and name. Departments "
          "are written by code or whole name, several with 、 between them."),
        gettext_lazy("Another lead counts as a proposal until “confirmed” says yes again."),
    ),
)  # fmt: skip
