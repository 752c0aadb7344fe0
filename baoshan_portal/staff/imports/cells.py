"""What the cells of a file say: days, choices, departments, indicators, plans."""

import re
import unicodedata
from collections import defaultdict
from datetime import date

from django.conf import settings
from django.db import models
from django.utils import translation
from django.utils.translation import gettext as _

from measures.models import Department

from .importing import normalised

#: Days beyond are slips, and arithmetic with periods needs room before and after.
FIRST_YEAR, LAST_YEAR = 1900, 2199

_DAY = re.compile(r"([0-9]{4})([-/.年])([0-9]{1,2})([-/.月])([0-9]{1,2})日?")


def read_day(text: str) -> date:
    """A day as people write it. Raises ValueError with a sentence."""
    match = _DAY.fullmatch(unicodedata.normalize("NFKC", text).replace(" ", ""))
    try:
        day = date(int(match[1]), int(match[3]), int(match[5])) if match else None
    except ValueError:
        day = None
    if day is None or not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(_("Expected a date, such as 2023-09-30."))
    return day


def read_day_or_none(text: str) -> date | None:
    """``read_day``, None for no text."""
    return read_day(text) if text else None


def read_yes(text: str) -> bool:
    """Yes or no in either language, no text is no. Raises ValueError with a sentence."""
    word = normalised(text)
    if word in {"yes", "y", "true", "1", "是", "√"}:
        return True
    if word in {"", "no", "n", "false", "0", "否", "×"}:
        return False
    raise ValueError(_("Expected one of: %(words)s.") % {"words": f"{_('yes')}, {_('no')}"})


def yes_or_no(value: bool) -> str:
    return _("yes") if value else _("no")


class Words:
    """The choices of a field, by what they are called in either language and as stored."""

    def __init__(self, choices: type[models.TextChoices]):
        self.choices = choices
        self.known = {normalised(choice.value): choice for choice in choices}
        for language, _name in settings.LANGUAGES:
            with translation.override(language):
                self.known |= {normalised(str(choice.label)): choice for choice in choices}

    def read(self, text: str):
        """Raises ValueError, with all that there is to choose from."""
        if (found := self.known.get(normalised(text))) is not None:
            return found
        labels = ", ".join(str(choice.label) for choice in self.choices)
        raise ValueError(_("Expected one of: %(words)s.") % {"words": labels})


class Names:
    """Rows by code and by what they are called in either language."""

    def __init__(self, rows, none: str):
        self.by_code, self.by_name, self.none = {}, defaultdict(list), none
        for row in rows:
            self.add(row)

    def add(self, row) -> None:
        self.by_code[row.code] = row
        for name in {normalised(row.name), normalised(row.name_en)} - {""}:
            self.by_name[name].append(row)

    def write(self, row) -> str:
        """How a file names ``row``: by its name, or by its code if another one has that too."""
        if row is None:
            return ""
        return row.name if len(self.by_name[normalised(row.name)]) < 2 else row.code

    def write_all(self, rows) -> str:
        return "、".join(self.write(row) for row in sorted(rows, key=lambda row: row.code))

    def read(self, text: str):
        """None for no text. Raises ValueError for a name that nothing, or several rows, have."""
        if not text:
            return None
        found = [self.by_code[text]] if text in self.by_code else self.by_name[normalised(text)]
        if len(found) > 1:
            raise ValueError(
                _("Several rows have this name; write the code of one: %(codes)s.")
                % {"codes": ", ".join(row.code for row in found[:5])}
            )
        if not found:
            raise ValueError(self.none % {"text": text[:40]})
        return found[0]


class Offices(Names):
    """The departments that stand; one that has ended is given nothing new."""

    def __init__(self):
        super().__init__(
            Department.objects.all(),
            _("There is no department “%(text)s”: write its code or its whole name."),
        )

    def read(self, text: str):
        office = super().read(text)
        if office and office.has_ended:
            raise ValueError(_("%(department)s has ended.") % {"department": office})
        return office
