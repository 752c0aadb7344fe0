"""Which indicator the name of a row means: by its name, by a synonym, or nearly (a proposal)."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from metrics.models import Indicator

from .sheets import NamedRow, plain, split_unit, without_part

#: How alike two names are of which one is proposed for the other.
ALIKE = 0.62
_COUNTED = re.compile(r"(?:总数|数量|总额|金额|数)$")


class How(TextChoices):
    """By what a name was matched."""

    NAME = "name", _("by its name")
    SYNONYM = "synonym", _("by a synonym")
    NEAR = "near", _("a proposal: compare it")
    HAND = "hand", _("by hand")
    NONE = "", ""


@dataclass
class Match:
    indicator: Indicator | None = None
    how: How = How.NONE


class Matcher:
    """Matches names to ``indicators``, which have their units; ``synonyms`` are what people say
    and what they mean by it."""

    def __init__(self, indicators: Iterable[Indicator], synonyms: Mapping[str, str]):
        self.indicators = list(indicators)
        self.synonyms = {plain(term): plain(meaning) for term, meaning in synonyms.items()}
        self.by_name: dict[str, list[Indicator]] = {}
        for row in self.indicators:
            for name in {plain(row.name), plain(row.name_en)} - {""}:
                self.by_name.setdefault(name, []).append(row)

    def match_all(self, rows: Sequence[NamedRow]) -> list[Match]:
        """For each row what it means; no indicator is taken twice, the surest match has it."""
        found = [self._sure(row) for row in rows]
        taken = {match.indicator.pk for match in found if match.indicator}
        # The nearest pairs first, whatever row they are of.
        pairs = sorted(
            (
                (-self._alike(row, indicator), at, n)
                for at, row in enumerate(rows) if not found[at].indicator
                for n, indicator in enumerate(self.indicators) if indicator.pk not in taken
            ),
        )  # fmt: skip
        for alike, at, n in pairs:
            indicator = self.indicators[n]
            if -alike < ALIKE:
                break
            if not found[at].indicator and indicator.pk not in taken:
                found[at] = Match(indicator, How.NEAR)
                taken.add(indicator.pk)
        return found

    def _sure(self, row: NamedRow) -> Match:
        for text in self._spellings(row.name):
            if len(same := self.by_name.get(text, [])) == 1:
                return Match(same[0], How.NAME)
        for text in self._spellings(row.name):
            for said in self._meant(text):
                if len(same := self.by_name.get(said, [])) == 1:
                    return Match(same[0], How.SYNONYM)
        return Match()

    def _spellings(self, name: str) -> list[str]:
        name = without_part(name)
        return list(dict.fromkeys([plain(name), plain(split_unit(name)[0])]))

    def _meant(self, text: str) -> list[str]:
        return [
            text.replace(term, meaning)
            for term, meaning in sorted(self.synonyms.items(), key=lambda pair: -len(pair[0]))
            if term in text and meaning not in text
        ]

    def _alike(self, row: NamedRow, indicator: Indicator) -> float:
        """From 0 to 1, how alike the names are; 0 if the units name different things."""
        unit = row.unit or split_unit(row.name)[1]
        if unit and plain(unit)[-1:] != plain(indicator.unit.name)[-1:]:
            return 0
        own = self._spellings(row.name)[-1]
        texts = [own, *self._meant(own)]
        return max(_alike(text, plain(indicator.name)) for text in texts)


def _alike(one: str, other: str) -> float:
    # What is counted is in the unit; 数 and 总数 behind the name say nothing.
    one, other = (_COUNTED.sub("", text) or text for text in (one, other))
    if not one or not other:
        return 0
    in_order = SequenceMatcher(None, one, other).ratio()
    # 入库科技型中小企业 and 科技型中小企业入库: the same signs in another order.
    shared = sum(min(one.count(sign), other.count(sign)) for sign in {*one})
    return max(in_order, 0.95 * 2 * shared / (len(one) + len(other)))
