"""The components that show figures."""

from django import template

from measures.numerals import plain

from ..history import target_text as text_of_target
from ..history import target_value as value_of_target
from ..rules.checks import Result
from ..rules.choices import Freshness, Verdict
from ..rules.periods import period_text
from ..wording import as_written_text, baseline_text, figure_text, observed_text, percent_text

register = template.Library()

# A state always carries a word and an icon; the class gives the colour. No state has an arrow,
# which says that something changed, and no check has the icon of a verdict.
VERDICTS = {
    Verdict.MET: ("good", "✓"),
    Verdict.ON_TRACK: ("good", "●"),
    Verdict.BEHIND: ("warn", "◇"),
    Verdict.MISSED: ("bad", "✕"),
    Verdict.CLAIM_UNVERIFIABLE: ("open", "?"),
    Verdict.TARGET_UNKNOWN: ("open", "?"),
    Verdict.NO_TARGET: ("none", "–"),
    Verdict.NO_DATA: ("none", "○"),
    Verdict.NOT_ASSESSABLE: ("open", "?"),
}


# A figure reported when it was due calls for no attention, nor does one reported only once.
FRESHNESS = {
    Freshness.CURRENT: ("good", "✓"),
    Freshness.LATE: ("bad", "!"),
    Freshness.SILENT: ("open", "…"),
    Freshness.ONCE: ("none", "–"),
    Freshness.NEVER: ("none", "○"),
}


@register.simple_tag
def figure(observation, unit) -> str:
    """A value with unit and qualifier in the reader's language."""
    return figure_text(observation.value, unit, observation.qualifier)


@register.simple_tag
def observed(observation, unit) -> str:
    """A figure with a word where it is preliminary or expected."""
    return observed_text(observation, unit)


@register.simple_tag
def period(observation) -> str:
    """The period of an observation, short and exact."""
    return period_text(observation.period_start, observation.period_end)


@register.filter
def number(value) -> str:
    """A decimal with thousands separators and without trailing zeros."""
    return plain(value, grouping=True)


@register.filter
def percent(value) -> str:
    """A percentage to two decimals."""
    return percent_text(value)


@register.inclusion_tag("public/_bar.html")
def bar_percent(value):
    """A percentage in words beside a small bar, which is full at 100 and empty below 0."""
    return {"width": f"{min(100, max(0, float(value))):.4g}", "text": percent_text(value)}


@register.simple_tag
def baseline(state, unit) -> str:
    """From what the way to the target of an assessment is measured, and why."""
    return baseline_text(state.baseline, unit)


@register.filter
def as_written(observation) -> str:
    """The figure as the source prints it, 翻两番 with its multiple ×4."""
    return as_written_text(observation)


@register.filter
def target_text(target) -> str:
    """All that a target says in one line."""
    return text_of_target(target)


# The icon and the colour of the result of a check.
RESULTS = {
    Result.HOLDS: ("good", "="),
    Result.APPROXIMATE: ("warn", "≈"),
    Result.FAILS: ("bad", "≠"),
    Result.QUESTION: ("warn", "≠?"),
    Result.UNKNOWN: ("open", "=?"),
}


@register.filter
def result_class(result) -> str:
    return RESULTS[result][0]


@register.filter
def result_icon(result) -> str:
    return RESULTS[result][1]


@register.inclusion_tag("public/_freshness.html")
def freshness(state):
    """Whether a figure was reported when it was due, with icon and word."""
    tone, icon = FRESHNESS[state]
    return {"state": state, "tone": tone, "icon": icon}


@register.filter
def target_value(target) -> str:
    """What a target asks for, such as ≥ 10家."""
    return value_of_target(target)


@register.filter
def verdict_class(verdict) -> str:
    return VERDICTS[verdict][0]


@register.filter
def verdict_icon(verdict) -> str:
    return VERDICTS[verdict][1]
