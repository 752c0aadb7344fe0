"""Days, periods and targets as a sentence says them, and not as a table does."""

from datetime import date

from django.utils.dateformat import format as date_text
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from measures.text import in_chinese
from metrics.models import Observation, Target
from metrics.rules.choices import Comparator
from metrics.rules.periods import period_text
from metrics.wording import figure_text


def day_text(day: date) -> str:
    """2023年7月25日, 25 July 2023."""
    return date_text(day, "Y年n月j日" if in_chinese() else "j F Y")


def end_text(day: date) -> str:
    """The end of a period: 2023年底, the end of 2023; any other day as it is."""
    if (day.month, day.day) == (12, 31):
        return _("the end of %(year)d") % {"year": day.year}
    return day_text(day)


def when(value: Observation) -> str:
    """Of when a value is, within a sentence: 2022年, 2023年7月24日, 截至2023年7月24日."""
    if value.period_start is None:
        return _("up to %(end)s") % {"end": day_text(value.period_end)}
    if value.period_start == value.period_end:
        return day_text(value.period_end)
    text = period_text(value.period_start, value.period_end)
    if " – " not in text:
        return text
    return _("%(start)s to %(end)s") % {
        "start": day_text(value.period_start),
        "end": day_text(value.period_end),
    }


def due_on(target: Target) -> date:
    """The due date, or the end of the plan where none is published."""
    return target.due_on or target.plan.end_on


def aim(target: Target) -> str:
    """What a target with a value asks for: 不少于550家; needs its indicator's unit."""
    figure = figure_text(target.value, target.indicator.unit)
    return {
        Comparator.AT_LEAST: _("at least %(figure)s"),
        Comparator.AT_MOST: _("at most %(figure)s"),
        Comparator.EXACTLY: _("exactly %(figure)s"),
    }[target.comparator] % {"figure": figure}


def listed(parts) -> str:
    """Names or figures one after the other."""
    return pgettext("between names", ", ").join(str(part) for part in parts)
