"""Days, periods and targets as a sentence says them, and not as a table does."""

from collections.abc import Iterable
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from measures.models import Measure
from measures.text import day_in_words
from metrics.models import Observation, Target
from metrics.rules.choices import Comparator
from metrics.wording import figure_text, period_in_words


def end_text(day: date) -> str:
    """The end of a period: 2023年底, the end of 2023; any other day as it is."""
    if (day.month, day.day) == (12, 31):
        return _("the end of %(year)d") % {"year": day.year}
    return day_in_words(day)


def when(value: Observation) -> str:
    """Of when a value is, within a sentence."""
    return period_in_words(value.period_start, value.period_end)


def aim(target: Target) -> str:
    """What a target asks for: 不少于550家; empty where its value was not published.

    Needs its indicator's unit.
    """
    if target.value is None:
        return ""
    figure = figure_text(target.value, target.indicator.unit)
    return {
        Comparator.AT_LEAST: _("at least %(figure)s"),
        Comparator.AT_MOST: _("at most %(figure)s"),
        Comparator.EXACTLY: _("exactly %(figure)s"),
    }[target.comparator] % {"figure": figure}


def listed(parts: Iterable) -> str:
    """Names, figures or clauses one after the other."""
    return pgettext("between names", ", ").join(str(part) for part in parts)


def lead_text(measure: Measure) -> str:
    """Who leads, and whether the office confirmed it."""
    if not measure.lead:
        return _("not known")
    if measure.lead_confirmed:
        return _("%(lead)s (confirmed)") % {"lead": measure.lead}
    return _("%(lead)s (proposed)") % {"lead": measure.lead}
