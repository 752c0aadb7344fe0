"""An indicator in a few sentences of plain language: what it is now, what changed, what remains.

What cannot be said is said to be so, with the reason; the arithmetic is that of ``progress``.
"""

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_CEILING, Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from measures.numerals import rounded
from measures.text import day_in_words, joined
from metrics.assessment import Assessment
from metrics.last_change import difference_words, last_change, sums_by_year, year_on_year
from metrics.models import Indicator, Observation, Unit
from metrics.rules import progress
from metrics.rules.baseline import BaselineSource
from metrics.rules.checks import MEASURED
from metrics.rules.choices import Qualifier, Verdict
from metrics.wording import (
    baseline_text,
    figure_text,
    observed_text,
    percent_text,
    period_in_words,
)

from . import prose


def summary(
    indicator: Indicator,
    assessment: Assessment,
    on: date,
    growth: str = "",
    others: Sequence[Assessment] = (),
) -> str:
    """All sentences on one indicator; needs its unit and ``public_values``, newest first.

    ``growth`` is what the source states of it (``stated_growth``), ``others`` are the states of
    its further targets, so that each plan is told of.
    """
    latest = assessment.latest
    if latest is None:
        return _("No value has been published. That is not a zero.")
    sentences = [
        _now(indicator, latest),
        _change(indicator, growth),
        *_year_on_year(indicator),
        *_since(assessment),
    ]
    for state in (assessment, *others):
        said = _target(indicator, state, on)
        if others:
            said[0] = _("%(name)s: %(value)s") % {"name": state.target.plan, "value": said[0]}
        sentences += said
    return joined(sentences)


def _now(indicator: Indicator, latest: Observation) -> str:
    return _("%(name)s: %(figure)s, %(period)s.") % {
        "name": indicator,
        "figure": observed_text(latest, indicator.unit),
        "period": period_in_words(latest.period_start, latest.period_end),
    }


def _change(indicator: Indicator, growth: str) -> str:
    change = last_change(indicator)
    if change is None and growth:
        return _("The source tells a growth of %(rate)s, but no earlier value.") % {"rate": growth}
    if change is None:
        return _("No earlier value can be compared with it.")
    said = {
        "before": observed_text(change.before, indicator.unit),
        "period": period_in_words(change.before.period_start, change.before.period_end),
        "change": change.words,
        "reason": change.difference.reason,
    }
    if change.difference.value is None:
        return _("Before it was %(before)s (%(period)s). %(reason)s") % said
    return _("Compared with %(before)s (%(period)s): %(change)s.") % said


def _year_on_year(indicator: Indicator) -> list[str]:
    """同比 and 累计至今, where they say something beside the last change."""
    said = []
    if change := year_on_year(indicator):
        said.append(
            _("On the same period of the year before (%(before)s): %(change)s.")
            % {"before": observed_text(change.before, indicator.unit), "change": change.words}
        )
    for so_far in sums_by_year(indicator)[:1]:
        text = {"year": so_far.year, "figure": figure_text(so_far.total, indicator.unit)}
        if so_far.difference_text:
            text["change"] = so_far.difference_text
            sentence = _(
                "So far in %(year)d: %(figure)s, on the same part of the year before %(change)s."
            )
        else:
            sentence = _("So far in %(year)d: %(figure)s.")
        said.append(sentence % text)
    return said


def _since(state: Assessment) -> list[str]:
    """What should have been reported since; nothing where nothing is overdue."""
    missed = state.timeliness.missed
    if not missed:
        return []
    return [
        ngettext(
            "Since then %(n)d value has fallen due, and none was published.",
            "Since then %(n)d values have fallen due, and none was published.",
            missed,
        )
        % {"n": missed}
    ]


def _target(indicator: Indicator, state: Assessment, on: date) -> list[str]:
    target = state.target
    if target is None:
        return [_("No target has been published, so what remains cannot be said.")]
    if target.value is None:
        said = [_("What remains cannot be said: the target value is not published.")]
        if state.verdict == Verdict.CLAIM_UNVERIFIABLE:
            said = [_("The source claims that the target was met; this cannot be verified."), *said]
        return said
    due = target.due_day
    aim = {
        "target": prose.aim(target),
        "due": prose.end_text(due),
        "verdict": state.verdict.label,
    }
    said = [_("Target %(target)s by %(due)s: %(verdict)s.") % aim]
    said += _way(indicator, state)
    value = indicator.reported.value if indicator.reported else None
    left = progress.remaining(value, target.value, target.comparator)
    if left.value:
        figure = _rounded(left.value, indicator.unit)
        said.append(_("%(figure)s remain to the target.") % {"figure": figure})
        said.append(_needed(indicator, left, on, due))
        said.append(_reached(indicator, state, on))
    if state.contradicts_claim:
        said.append(
            _("The source claims otherwise: %(claim)s.") % {"claim": target.get_claim_display()}
        )
    return said


def _way(indicator: Indicator, state: Assessment) -> list[str]:
    """Completion, and what happened since the baseline: a fall is told as a fall."""
    said = []
    if state.completion.value is not None:
        said.append(
            _("Completion: %(percent)s.") % {"percent": percent_text(state.completion.value)}
        )
    if state.baseline is None or state.baseline.source == BaselineSource.ZERO:
        return said
    said.append(
        _("Since the baseline of %(baseline)s: %(change)s.")
        % {
            "baseline": baseline_text(state.baseline, indicator.unit),
            "change": _since_baseline(indicator, state),
        }
    )
    return said


def _since_baseline(indicator: Indicator, state: Assessment) -> str:
    """The difference to the baseline, and the progress where it can be said."""
    if indicator.reported is None:
        return str(progress.NO_DATA)
    before = state.baseline.before
    exact = {indicator.reported.qualifier, before.qualifier if before else Qualifier.EXACT}
    change = difference_words(
        indicator.reported.value - state.baseline.value,
        indicator.unit,
        exact=exact == {Qualifier.EXACT},
    )
    if state.progress.value is None:
        return change
    return _("%(change)s, progress %(percent)s") % {
        "change": change,
        "percent": percent_text(state.progress.value),
    }


def _needed(indicator: Indicator, left: progress.Answer, on: date, due: date) -> str:
    needed = progress.needed_per_quarter(left, on, due)
    if needed.value is None:
        return _("What each quarter must bring cannot be said: %(reason)s") % {
            "reason": needed.reason
        }
    return _("Each quarter until then must bring %(figure)s.") % {
        "figure": _rounded(needed.value, indicator.unit)
    }


def _reached(indicator: Indicator, state: Assessment, on: date) -> str:
    target = state.target
    day = progress.reached_on(
        state.progress,
        target.plan.start_on,
        on,
        kind=indicator.kind,
        frequency=indicator.frequency,
        baseline=state.baseline.value if state.baseline else None,
    )
    if day.value is None:
        return _("When it will be reached at this pace cannot be said: %(reason)s") % {
            "reason": day.reason
        }
    return _("At this pace it is reached on %(day)s.") % {"day": day_in_words(day.value)}


def _rounded(value: Decimal, unit: Unit) -> str:
    """Two decimals for what is measured; counted things are whole, and too few would not do."""
    if unit.quantity in MEASURED:
        return figure_text(rounded(value), unit)
    return figure_text(value.to_integral_value(ROUND_CEILING), unit)
