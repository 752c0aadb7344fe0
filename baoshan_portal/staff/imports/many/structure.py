"""Measures with their indicators from one file, as offices keep them: a measure, its figures below.

A row names a measure and, if it has any, an indicator of it. Where the measure's code stays empty
it is that of the row above. Drafts are written, what is public changes by review alone.
"""

from django.core.exceptions import ValidationError
from django.db.models import Max
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from measures import revisions
from measures.models import Measure, Theme
from metrics.models import Indicator, Unit
from metrics.rules.choices import Category, Direction, Frequency, Level
from metrics.rules.choices import Kind as KindOfFigure

from ..cells import Names, Offices, Words, read_day_or_none
from ..columns import Column
from ..importing import FileRow, normalised
from .core import Kind, Reader, RowChange, difference, parts, read_each, said
from .structure_rows import StructureWriter

COLUMNS = (
    Column("measure_code", "举措代码", "Measure code", 28),
    Column("theme", "主题", "Theme", 10),
    Column("measure_order", "举措序号", "Measure order", 10),
    Column("measure", "举措名称", "Measure", 36),
    Column("measure_en", "举措英文名", "Measure (English)", 30),
    Column("summary", "举措概述", "Summary", 44),
    Column("summary_en", "英文概述", "Summary (English)", 30),
    Column("lead", "牵头单位", "Lead department", 24),
    Column("supporting", "配合单位", "Supporting departments", 30),
    Column("measure_since", "举措公开日", "Measure public since", 14),
    Column("indicator_code", "指标代码", "Indicator code", 28),
    Column("indicator_order", "指标序号", "Indicator order", 10),
    Column("indicator", "指标名称", "Indicator", 36),
    Column("indicator_en", "指标英文名", "Indicator (English)", 30),
    Column("unit", "计量单位", "Unit", 10),
    Column("category", "类别", "Category", 12),
    Column("kind", "指标类型", "Kind", 12),
    Column("direction", "方向", "Direction", 10),
    Column("level", "级别", "Level", 10),
    Column("frequency", "频率", "Frequency", 10),
    Column("scope", "口径", "What it counts", 44),
    Column("scope_en", "英文口径", "What it counts (English)", 30),
    Column("indicator_since", "指标公开日", "Indicator public since", 14),
)
#: The columns of each kind of row, with the field that each is for
MEASURE = {
    "theme": "theme", "measure_order": "order", "measure": "name", "measure_en": "name_en",
    "summary": "summary", "summary_en": "summary_en", "lead": "lead", "supporting": "supporting",
    "measure_since": "published_on",
}  # fmt: skip
INDICATOR = {
    "indicator_order": "order", "indicator": "name", "indicator_en": "name_en", "unit": "unit",
    "category": "category", "kind": "kind", "direction": "direction", "level": "level",
    "frequency": "frequency", "scope": "scope", "scope_en": "scope_en",
    "indicator_since": "published_on",
}  # fmt: skip
CHOICES = {
    "category": Category, "kind": KindOfFigure, "direction": Direction, "level": Level,
    "frequency": Frequency,
}  # fmt: skip
#: What is taken as it is written
PLAIN = (
    "measure", "measure_en", "summary", "summary_en", "indicator", "indicator_en", "scope",
    "scope_en",
)  # fmt: skip


class StructureReader(Reader):
    def __init__(self, by):
        super().__init__(by)
        self.measures = {row.code: row for row in measures()}
        self.indicators = {row.code: row for row in indicators()}
        self.offices = Offices()
        self.units = Names(
            Unit.objects.all(), _("There is no unit “%(text)s”: it is made first, by review.")
        )
        self.themes = {}
        for theme in Theme.objects.select_related("section__opinion"):
            self.themes[theme.code] = theme
            self.themes[normalised(theme_text(theme))] = theme
        words = {name: Words(choices).read for name, choices in CHOICES.items()}
        self.readers = {
            **dict.fromkeys(PLAIN, str),
            **{name: _or_empty(read) for name, read in words.items()},
            "theme": self._theme,
            "measure_order": _number,
            "indicator_order": _number,
            "lead": self.offices.read,
            "supporting": lambda text: [self.offices.read(part) for part in parts(text)],
            "measure_since": read_day_or_none,
            "indicator_since": read_day_or_none,
            "unit": self.units.read,
        }
        self.writer = StructureWriter(by)
        self.above = ""
        self.said_of: dict[str, dict[str, tuple[str, int]]] = {}

    def take(self, row: FileRow) -> RowChange:
        cells = said(row)
        code = cells.get("measure_code") or self.above
        if not code:
            raise ValidationError({"measure_code": _("Expected the code of the measure.")})
        self.above = code
        of_measure = {key: text for key, text in cells.items() if key in MEASURE}
        of_indicator = {key: text for key, text in cells.items() if key in INDICATOR}
        self._check_alike(code, of_measure, row)
        indicator_code = cells.get("indicator_code", "")
        if of_indicator and not indicator_code:
            raise ValidationError({"indicator_code": _("Expected a code; it is permanent.")})
        measure, is_new, waits, changed = self._measure(code, of_measure)
        if indicator_code:
            self.once(indicator_code, row, "indicator_code")
            row_of = self._indicator(indicator_code, measure, of_indicator)
            subject, made, waiting, more = row_of
            return RowChange(
                row.number, subject.code, f"{measure} · {subject}", is_new or made,
                changed + more, waits=waits or waiting,
            )  # fmt: skip
        return RowChange(row.number, code, str(measure), is_new, changed, waits=waits)

    def _check_alike(self, code: str, cells: dict[str, str], row: FileRow) -> None:
        """Raises ValidationError for a measure of which an earlier row says something else."""
        before = self.said_of.setdefault(code, {})
        errors = {}
        for key, text in cells.items():
            other, number = before.setdefault(key, (text, row.number))
            if normalised(other) != normalised(text):
                errors[key] = _("Row %(row)d says “%(text)s” of the same measure.") % {
                    "row": number,
                    "text": other[:40],
                }
        if errors:
            raise ValidationError(errors)

    def _measure(self, code: str, cells: dict[str, str]):
        measure = self.measures.get(code) or Measure(code=code)
        is_new = measure.pk is None
        if not is_new and not cells:
            return measure, False, False, ()
        old = {} if is_new else self.measure_texts(measure)
        values = {MEASURE[key]: value for key, value in read_each(cells, self.readers).items()}
        if is_new:
            _needs(values, {"theme": "theme", "name": "measure", "summary": "summary"})
            values.setdefault("order", self._next(Measure, "theme", values["theme"]))
        if "order" in values and values["order"] is None:
            values.pop("order")
        if values.get("lead", measure.lead) != measure.lead:
            values["lead_confirmed"] = False
        supporting = values.get("supporting")
        waits = self._write(measure, values, MEASURE)
        self.measures[code] = measure
        after = self.measure_texts(measure, supporting, since=values.get("published_on"))
        return measure, is_new, waits, difference(STRUCTURE.labels, old, after)

    def _indicator(self, code: str, measure: Measure, cells: dict[str, str]):
        indicator = self.indicators.get(code) or Indicator(code=code)
        is_new = indicator.pk is None
        old = {} if is_new else self.indicator_texts(indicator)
        values = {INDICATOR[key]: value for key, value in read_each(cells, self.readers).items()}
        moved = is_new or indicator.measure_id != measure.pk
        if moved:
            values["measure"] = measure
        if is_new:
            _needs(
                values,
                {"name": "indicator", "unit": "unit", "category": "category", "kind": "kind",
                 "scope": "scope"},
            )  # fmt: skip
            values.setdefault("order", self._next(Indicator, "measure", measure))
        if "order" in values and values["order"] is None:
            values.pop("order")
        waits = self._write(indicator, values, INDICATOR)
        self.indicators[code] = indicator
        after = self.indicator_texts(indicator, since=values.get("published_on"))
        changed = difference(STRUCTURE.labels, old, after)
        if moved and not is_new:
            label = STRUCTURE.labels["measure_code"]
            changed = ((label, old["measure_code"], measure.code), *changed)
        return indicator, is_new, waits, changed

    def _write(self, row, values: dict, columns: dict[str, str]) -> bool:
        try:
            return self.writer.write(row, dict(values))
        except ValidationError as error:
            column_of = {field: column for column, field in columns.items()}
            column_of["code"] = "indicator_code" if columns is INDICATOR else "measure_code"
            if not hasattr(error, "error_dict"):
                raise
            raise ValidationError(
                {column_of.get(field, field): found for field, found in error.error_dict.items()}
            ) from None

    def _next(self, model, parent: str, row) -> int:
        last = model.objects.filter(**{parent: row}).order_by().aggregate(last=Max("order"))["last"]
        return (last or 0) + 1

    def _theme(self, text: str) -> Theme:
        theme = self.themes.get(text) or self.themes.get(normalised(text))
        if theme is None:
            raise ValueError(_("There is no theme “%(text)s”: write its number, such as 1.3.")
                             % {"text": text[:40]})  # fmt: skip
        return theme

    def measure_texts(self, measure: Measure, supporting=None, since=None) -> dict[str, str]:
        """``since`` is the day that waits for review."""
        offices = measure.supporting.all() if supporting is None else supporting
        return {
            "measure_code": measure.code,
            "theme": theme_text(measure.theme),
            "measure_order": str(measure.order),
            "measure": measure.name,
            "measure_en": measure.name_en,
            "summary": measure.summary,
            "summary_en": measure.summary_en,
            "lead": self.offices.write(measure.lead),
            "supporting": self.offices.write_all(offices),
            "measure_since": _day(since or measure.published_on),
        }

    def indicator_texts(self, indicator: Indicator, since=None) -> dict[str, str]:
        return {
            "measure_code": indicator.measure.code,
            "indicator_code": indicator.code,
            "indicator_order": str(indicator.order),
            "indicator": indicator.name,
            "indicator_en": indicator.name_en,
            "unit": self.units.write(indicator.unit),
            "category": indicator.get_category_display(),
            "kind": indicator.get_kind_display(),
            "direction": indicator.get_direction_display(),
            "level": indicator.get_level_display(),
            "frequency": indicator.get_frequency_display(),
            "scope": indicator.scope,
            "scope_en": indicator.scope_en,
            "indicator_since": _day(since or indicator.published_on),
        }

    def rows(self) -> list[list[str]]:
        """A row for each indicator, and one for each measure that has none."""
        of: dict[str, list[Indicator]] = {}
        for indicator in self.indicators.values():
            of.setdefault(indicator.measure.code, []).append(indicator)
        found = []
        for measure in self.measures.values():
            whole = self.measure_texts(measure)
            for place, indicator in enumerate(of.get(measure.code, [None])):
                # The measure is told once, as in a table whose cells are joined.
                words = whole if place == 0 else {"measure_code": measure.code}
                words = {**(self.indicator_texts(indicator) if indicator else {}), **words}
                found.append([words.get(column.key, "") for column in COLUMNS])
        return found

    def finish(self, submit: bool) -> None:
        self.writer.finish()

    @property
    def revision(self):
        return self.writer.revision


def _needs(values: dict, columns: dict[str, str]) -> None:
    """Raises ValidationError for what a new row must say; ``columns`` by field."""
    missing = [column for field, column in columns.items() if not values.get(field)]
    if missing:
        raise ValidationError({column: _("Expected something: the row is new.")
                               for column in missing})  # fmt: skip


def _number(text: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or not 0 < int(text[:9]) <= revisions.LARGEST_ORDER:
        raise ValueError(_("Expected a whole number from 1 on."))
    return int(text)


def _or_empty(read):
    return lambda text: read(text) if text else ""


def measures():
    return Measure.objects.with_place().prefetch_related("supporting")


def indicators():
    return Indicator.objects.with_place().select_related("unit")


def theme_text(theme: Theme) -> str:
    return f"{theme.section.opinion.prefix}{theme.number}"


def _day(day) -> str:
    return day.isoformat() if day else ""


def may(user) -> bool:
    return user.has_perms([
        "measures.add_measure", "measures.change_measure", "metrics.add_indicator",
        "metrics.change_indicator",
    ])  # fmt: skip


def choices() -> dict[str, tuple[str, ...]]:
    return {
        name: tuple(str(choice.label) for choice in choices) for name, choices in CHOICES.items()
    }


STRUCTURE = Kind(
    "measures", Measure, gettext_lazy("Measures with indicators by file"), COLUMNS,
    ("measure_code",), StructureReader, may, choices,
    (
        gettext_lazy(
            "One row is one indicator with its measure; a measure is described once, its further "
            "indicators stand below with the same code, or with none."
        ),
        gettext_lazy(
            "Codes are made of small Latin letters, digits and hyphens, and are permanent. "
            "English names may stay empty; English pages say that they are missing."
        ),
        gettext_lazy(
            "What is new begins as a draft; the day on which it becomes public, and each change "
            "of what is public, waits for review."
        ),
    ),
)  # fmt: skip
