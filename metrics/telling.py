"""An indicator in a few sentences of plain language: what it is now, what changed, what remains.

What cannot be said is said to be so, with the reason; the arithmetic is that of ``progress``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, Decimal

from django.utils.translation import gettext as _

from measures.text import joined

from . import progress
from .assessment import Assessment
from .checks import MEASURED
from .choices import Certainty, Kind, Qualifier, Verdict
from .figures import figure_text
from .models import Indicator, Observation, Unit
from .periods import period_text
from .quantity import plain

#: Days by which two quarters or two years may differ and still be of one length.
SAME_LENGTH_DAYS = 3


@dataclass(frozen=True)
class Change:
    """The newest value against an earlier one that it may be compared with.

    ``difference`` is in the indicator's unit, percentage points for percentages; ``growth`` is in
    %, and None where it means nothing: for percentages, ranks, and from nothing.
    """

    before: Observation
    difference: Decimal
    growth: Decimal | None
    approximate: bool


def last_change(indicator: Indicator, observations: Sequence[Observation]) -> Change | None:
    """How the newest of ``observations`` (newest first) changed; None without a value to compare.

    A flow is compared only with an earlier period of the same length.
    """
    if not observations:
        return None
    now = observations[0]
    before = next((row for row in observations[1:] if _comparable(indicator, now, row)), None)
    if before is None:
        return None
    rate = progress.growth(now.value, before.value)
    means_growth = indicator.unit.quantity not in {"percentage", "rank"}
    return Change(
        before=before,
        difference=now.value - before.value,
        growth=rate.value if means_growth else None,
        approximate={now.qualifier, before.qualifier} != {Qualifier.EXACT},
    )


def _comparable(indicator: Indicator, now: Observation, before: Observation) -> bool:
    if before.period_end >= now.period_end:
        return False
    if indicator.kind != Kind.FLOW:
        return True
    lengths = [_days(now), _days(before)]
    return None not in lengths and abs(lengths[0] - lengths[1]) <= SAME_LENGTH_DAYS


def _days(row: Observation) -> int | None:
    return None if row.period_start is None else (row.period_end - row.period_start).days


def change_text(change: Change, unit: Unit) -> str:
    """A change in words: up by 199家 (+28.19%), down by 2 percentage points, up 3 places."""
    size = abs(change.difference)
    if size == 0:
        return _("unchanged")
    rises = change.difference > 0
    if unit.quantity == "percentage":
        text = _("up by %(n)s percentage points") if rises else _("down by %(n)s percentage points")
        return _about(change, text % {"n": plain(size)})
    if unit.quantity == "rank":
        # A smaller rank is a better place.
        text = _("down %(n)s places") if rises else _("up %(n)s places")
        return _about(change, text % {"n": plain(size)})
    text = _("up by %(figure)s") if rises else _("down by %(figure)s")
    text = text % {"figure": figure_text(size, unit)}
    if change.growth is not None:
        sign = "+" if change.growth > 0 else "−"
        text = _("%(change)s (%(rate)s)") % {
            "change": text,
            "rate": f"{sign}{plain(abs(round(change.growth, 2)))}%",
        }
    return _about(change, text)


def _about(change: Change, text: str) -> str:
    return _("about %(change)s") % {"change": text} if change.approximate else text


def tell(
    indicator: Indicator,
    observations: Sequence[Observation],
    assessment: Assessment,
    on: date,
) -> str:
    """All sentences on one indicator; ``observations`` are public, newest first."""
    latest = assessment.latest
    if latest is None:
        return _("No value has been published. That is not a zero.")
    sentences = [_now(indicator, latest), _change(indicator, observations)]
    sentences += _target(indicator, assessment, on)
    return joined(sentences)


def _now(indicator: Indicator, latest: Observation) -> str:
    figure = figure_text(latest.value, indicator.unit, latest.qualifier)
    if latest.certainty != Certainty.ACTUAL:
        figure = f"{figure} ({latest.get_certainty_display()})"
    return _("%(name)s: %(figure)s, %(period)s.") % {
        "name": indicator,
        "figure": figure,
        "period": period_text(latest.period_start, latest.period_end),
    }


def _change(indicator: Indicator, observations: Sequence[Observation]) -> str:
    change = last_change(indicator, observations)
    if change is None:
        return _("No earlier value can be compared with it.")
    before = change.before
    return _("Compared with %(before)s (%(period)s): %(change)s.") % {
        "before": figure_text(before.value, indicator.unit, before.qualifier),
        "period": period_text(before.period_start, before.period_end),
        "change": change_text(change, indicator.unit),
    }


def _target(indicator: Indicator, state: Assessment, on: date) -> list[str]:
    target = state.target
    if target is None:
        return [_("No target has been published, so what remains cannot be said.")]
    if target.value is None:
        said = [_("What remains cannot be said: the target value is not published.")]
        if state.verdict == Verdict.CLAIM_UNVERIFIABLE:
            said = [_("The source claims that the target was met; this cannot be verified."), *said]
        return said
    due = target.due_on or target.plan.end_on
    aim = {
        "target": f"{target.get_comparator_display()} {figure_text(target.value, indicator.unit)}",
        "due": due.isoformat(),
        "verdict": state.verdict.label,
    }
    said = [_("Target %(target)s by %(due)s: %(verdict)s.") % aim]
    left = progress.remaining(state.latest.value, target.value, target.comparator)
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
        state.completion,
        target.plan.start_on,
        on,
        kind=indicator.kind,
        frequency=indicator.frequency,
        baseline=target.baseline,
    )
    if day.value is None:
        return _("When it will be reached at this pace cannot be said: %(reason)s") % {
            "reason": day.reason
        }
    return _("At this pace it is reached on %(day)s.") % {"day": day.value.isoformat()}


def _rounded(value: Decimal, unit: Unit) -> str:
    """Two decimals for what is measured; counted things are whole, and too few would not do."""
    if unit.quantity in MEASURED:
        return figure_text(round(value, 2), unit)
    return figure_text(value.to_integral_value(ROUND_CEILING), unit)
