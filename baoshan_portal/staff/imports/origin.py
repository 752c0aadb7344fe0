"""Which round and department a filled-in table is of, by all that it says of it.

Templates say it in every row. Older ones, and tables that were typed, give it away by a title, by
the period of their values, by what they call the last value, or by which rows they have.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.conf import settings
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext as _

from measures.models import Department, Round
from metrics.due import due_in_rounds
from metrics.models import Indicator, Observation
from metrics.rules.period_reading import periods_in, read_period
from metrics.rules.periods import Period, period_text

from .importing import FileRow, normalised
from .names import numbers_text

#: So few rows may be those of any round.
FEWEST_ROWS = 3
MOST_NAMED = 8


def label(row: Round | Department) -> str:
    """How a template names its round and department: by the name, and the code that stays."""
    return f"{row} · {row.code}"


@dataclass
class Origin:
    """What is found: ``refusal`` is one sentence, or '' if the table is of this round; ``notices``
    are about given cells that were changed."""

    refusal: str = ""
    notices: list[str] = field(default_factory=list)


class Origins:
    """Compares tables with the round and the department for which they are sent."""

    def __init__(
        self,
        round: Round,
        department: Department,
        indicators: dict[str, Indicator],
        elsewhere: Mapping[str, Indicator],
        labels: Mapping[str, object],
    ):
        """``indicators`` by their code, with ``public_values``, and those ``elsewhere`` that the
        table names; ``labels`` are the names of the columns for people."""
        self.round, self.department = round, department
        self.indicators, self.elsewhere, self.labels = indicators, elsewhere, labels

    def of(self, rows: Sequence[FileRow], titles: Sequence[str]) -> Origin:
        """Where ``rows`` come from, below ``titles``; a row without a known code is passed over."""
        refusal = (
            self._named_elsewhere(rows)
            or self._of_another_department(rows)
            or self._of_another_period(rows)
        )
        if refusal:
            return Origin(refusal)
        says_round = any(row.cells.get("round") for row in rows)
        if not says_round and (refusal := self._titled_elsewhere(titles)):
            return Origin(refusal)
        changed, is_old = self._last_values(rows)
        if says_round:
            return Origin(notices=changed)
        if is_old:
            return Origin(is_old)
        if refusal := self._rows_of_another_round(rows):
            return Origin(refusal)
        return Origin(notices=changed)

    # Round and department by name

    def _named_elsewhere(self, rows: Sequence[FileRow]) -> str:
        for key, own, model in (
            ("round", self.round, Round),
            ("department", self.department, Department),
        ):
            said = {row.cells.get(key, "") for row in rows} - {""}
            others = sorted(text for text in said if not _names(own, text))
            if not others:
                continue
            other = _found(model, others[0]) or others[0][:60]
            return self._refused(other if key == "round" else None, other)
        return ""

    def _of_another_department(self, rows: Sequence[FileRow]) -> str:
        """Rows of which none is of the department, and all that are known are of one other."""
        codes = {row.cells.get("code", "") for row in rows} - {""}
        others = [row for code in codes if (row := self.elsewhere.get(code))]
        leads = {row.measure.lead_id for row in others}
        if len(others) < 2 or codes & set(self.indicators) or len(leads) != 1:
            return ""
        (lead,) = leads
        if lead in {None, self.department.pk}:
            return ""
        return self._refused(None, Department.objects.get(pk=lead))

    def _titled_elsewhere(self, titles: Sequence[str]) -> str:
        own = self.round.period_start, self.round.period_end
        said = [period for title in titles for period in periods_in(title)]
        if said and not any(_overlap(period, own) for period in said):
            return _(
                "This file is of another round: its title says %(said)s, and “%(round)s” goes "
                "from %(start)s to %(end)s."
            ) % {
                "said": period_text(*said[0]),
                "round": self.round,
                "start": own[0].isoformat(),
                "end": own[1].isoformat(),
            }
        text = normalised(" ".join(titles))
        if text and normalised(self.department.name) not in text:
            others = Department.objects.exclude(pk=self.department.pk)
            for other in others:
                # A name that is part of the own one says nothing.
                name = normalised(other.name)
                if name and name in text and name not in normalised(self.department.name):
                    return self._refused(None, other)
        return ""

    def _refused(self, other_round, other) -> str:
        if other_round is not None:
            return _("This file is of another round: it is for “%(other)s”, not for “%(own)s”.") % {
                "other": other_round,
                "own": self.round,
            }
        return _("This file is of another department: of “%(other)s”, not of “%(own)s”.") % {
            "other": other,
            "own": self.department,
        }

    # The period of the new values

    def _of_another_period(self, rows: Sequence[FileRow]) -> str:
        for row in rows:
            text = row.cells.get("period", "")
            said = read_period(text) if text else None
            if said is None:
                continue
            if not self.round.period_start <= said[1] <= self.round.period_end:
                return _(
                    "This file is of another round: row %(row)d is for %(said)s, and “%(round)s” "
                    "goes from %(start)s to %(end)s."
                ) % {
                    "row": row.number,
                    "said": text,
                    "round": self.round,
                    "start": self.round.period_start.isoformat(),
                    "end": self.round.period_end.isoformat(),
                }
        return ""

    # The last value

    def _last_values(self, rows: Sequence[FileRow]) -> tuple[list[str], str]:
        """Notices of given cells that were changed, and the refusal of a table whose last values
        are those of another time."""
        compared, older, edited = 0, [], {"last_value": [], "last_period": []}
        for row in rows:
            indicator = self.indicators.get(row.cells.get("code", ""))
            value, period = row.cells.get("last_value", ""), row.cells.get("last_period", "")
            if indicator is None or not (value or period):
                continue
            compared += 1
            known = self._last_of(indicator)
            differs = _differs(value, period, known)
            if not differs:
                continue
            if _is_older(value, period, indicator.public_values, known):
                older.append((row, indicator))
                continue
            for name in differs:
                edited[name].append(row.number)
            if "last_period" in differs and _is_as_given_out(period):
                older.append((row, indicator))
        sure = [
            pair for pair in older
            if pair[0].number not in {*edited["last_value"], *edited["last_period"]}
        ]  # fmt: skip
        changed_values = len(edited["last_value"]) * 2 > compared and not self._says_period(rows)
        if sure or len(older) * 2 > compared or changed_values:
            row, indicator = (sure or older or [self._first(rows, edited["last_value"])])[0]
            return self._changed(edited), self._is_old(row, indicator)
        return self._changed(edited), ""

    def _first(self, rows, numbers):
        row = next(row for row in rows if row.number in numbers)
        return row, self.indicators[row.cells["code"]]

    @staticmethod
    def _says_period(rows) -> bool:
        return any(row.cells.get("last_period") for row in rows)

    def _last_of(self, indicator: Indicator) -> list[Observation]:
        """What a template of the round may have given out as the last value."""
        known = [indicator.latest] if indicator.latest else []
        for value in indicator.public_values:
            # Before a part of the round was published, the value before it was the last.
            if value.round_id != self.round.pk:
                return [*known, value]
        return known

    def _is_old(self, row: FileRow, indicator: Indicator) -> str:
        last = indicator.latest
        here = "–"
        if last:
            here = f"{last.as_written}, {period_text(last.period_start, last.period_end)}"
        said = ", ".join(
            filter(None, [row.cells.get("last_value", ""), row.cells.get("last_period", "")])
        )
        return _(
            "This file is of another round or year: in row %(row)d the last value of "
            "“%(indicator)s” is %(said)s, in the portal it is %(here)s; download the template "
            "of “%(round)s”."
        ) % {
            "row": row.number,
            "indicator": indicator,
            "said": said[:80],
            "here": here,
            "round": self.round,
        }

    def _changed(self, edited: dict[str, list[int]]) -> list[str]:
        return [
            _("The column “%(name)s” was changed in the rows %(rows)s: it came with the template, "
              "and nothing is taken from it.")
            % {"name": self.labels[name], "rows": numbers_text(numbers)}
            for name, numbers in edited.items()
            if numbers
        ]  # fmt: skip

    # Its rows

    def _rows_of_another_round(self, rows: Sequence[FileRow]) -> str:
        """A template without a word of its round, whose rows are exactly those of another one."""
        codes = {row.cells.get("code", "") for row in rows}
        if len(codes) < FEWEST_ROWS or not self._says_period(rows):
            return ""
        if codes == set(self.indicators):
            return ""
        others = list(
            Round.objects.filter(~Q(pk=self.round.pk), ~Q(period_end=self.round.period_end))
            .order_by("-period_end")[:MOST_NAMED]
        )  # fmt: skip
        led = Indicator.objects.filter(measure__lead=self.department).order_by()
        for other in others:
            due = {row.code for row in due_in_rounds([other], led)[other.pk]}
            if due == codes:
                return _(
                    "This file is of another round: it has just the %(count)d rows that "
                    "“%(other)s” asks for, and “%(own)s” asks for %(here)d; download the template "
                    "of “%(own)s”."
                ) % {
                    "count": len(codes),
                    "other": other,
                    "own": self.round,
                    "here": len(self.indicators),
                }
        return ""


def _names(row: Round | Department, text: str) -> bool:
    names = {normalised(name) for name in (row.code, row.name, row.name_en, label(row)) if name}
    said = normalised(text)
    return said in names or re.split(r"[·\s/]+", said)[-1] == normalised(row.code)


def _found(model, text: str):
    """The row of ``model`` that ``text`` names, if there is one."""
    code = re.split(r"[·\s/]+", normalised(text))[-1]
    return model.objects.filter(Q(code=code) | Q(name=text.strip())).first()


def _overlap(period: Period, own: Period) -> bool:
    start, end = period
    return end >= own[0] and (start is None or start <= own[1])


def _differs(value: str, period: str, known: Sequence[Observation]) -> list[str]:
    """Which of the two cells say something else than every one of ``known``."""
    found = None
    for last in known:
        differs = []
        if value and _tight(value) != _tight(last.as_written):
            differs.append("last_value")
        if period and not _is_period(period, last):
            differs.append("last_period")
        if found is None or len(differs) < len(found):
            found = differs
    if found is None:
        return [name for name, text in (("last_value", value), ("last_period", period)) if text]
    return found


def _is_older(value: str, period: str, public: Sequence[Observation], known) -> bool:
    """Whether both cells, or the one that is filled in, are those of a value further back."""
    return any(
        (not value or _tight(value) == _tight(old.as_written))
        and (not period or _is_period(period, old))
        for old in public
        if old not in known
    )


def _is_period(text: str, figure: Observation) -> bool:
    start, end = figure.period_start, figure.period_end
    if read_period(text) == (start, end):
        return True
    return normalised(text) in {normalised(said) for said in _in_all_languages(start, end)}


def _in_all_languages(start, end) -> list[str]:
    said = []
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            said.append(period_text(start, end))
    return said


def _is_as_given_out(text: str) -> bool:
    """Whether ``text`` is a period as the portal itself writes one."""
    period = read_period(text)
    return period is not None and normalised(text) in {
        normalised(said) for said in _in_all_languages(*period)
    }


def _tight(text: str) -> str:
    return re.sub(r"[\s,，]", "", unicodedata.normalize("NFKC", text)).casefold()
