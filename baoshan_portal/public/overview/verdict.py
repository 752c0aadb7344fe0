"""Was it done: the verdict on an opinion in a sentence, worked out from those of its targets."""

from collections import Counter
from datetime import date, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from measures.models import MeasureStatus
from measures.text import day_in_words
from metrics.models import Plan
from metrics.rules.checks import Result
from metrics.rules.choices import UNVERIFIABLE, Freshness, Verdict
from metrics.rules.periods import months_between

from ..prose import end_text, listed
from ..standing import Standing

#: The day that a page speaks of is over.
DAY = timedelta(days=1)


def headline(standing: Standing) -> str:
    """How many targets are met, on track, behind, missed or cannot be verified, by which data."""
    if not standing.measures and not standing.figures:
        return _("Nothing has been published yet, so nothing can be said.")
    said = [_targets(standing)]
    late = sum(row.facts.fresh == Freshness.LATE for row in standing.figures)
    if late and late == len(standing.figures):
        text = ngettext("the %(n)d figure is overdue", "all %(n)d figures are overdue", late)
        said.append(text % {"n": late})
    elif late:
        text = _("%(n)d of %(of)d figures are overdue")
        said.append(text % {"n": late, "of": len(standing.figures)})
    sentence = pgettext("between filters", "; ").join(said)
    if standing.newest_period is None:
        return _("%(verdict)s (no data at all).") % {"verdict": sentence}
    return _("%(verdict)s (data up to %(day)s).") % {
        "verdict": sentence,
        "day": day_in_words(standing.newest_period),
    }


def _targets(standing: Standing) -> str:
    counts = Counter(row.verdict for row in standing.targets)
    n = len(standing.targets)
    unsaid = sum(counts[verdict] for verdict in UNVERIFIABLE)
    if not n:
        return _("No target has been published, so whether the work is done cannot be told")
    if unsaid == n:
        return _unsaid(n, counts)
    if counts[Verdict.MET] == n:
        text = ngettext("The %(n)d target is met", "All %(n)d targets are met", n)
        return text % {"n": n}
    if counts[Verdict.MISSED] == n:
        text = ngettext("The %(n)d target was missed", "All %(n)d targets were missed", n)
        return text % {"n": n}
    parts = (
        (_("%(n)d missed"), counts[Verdict.MISSED]),
        (_("%(n)d behind schedule"), counts[Verdict.BEHIND]),
        (_("%(n)d on track"), counts[Verdict.ON_TRACK]),
        (_("%(n)d met"), counts[Verdict.MET]),
        (_("%(n)d cannot be verified"), unsaid),
    )
    return _("%(n)d targets: %(parts)s") % {
        "n": n,
        "parts": listed(text % {"n": count} for text, count in parts if count),
    }


def _unsaid(n: int, counts: Counter) -> str:
    if counts[Verdict.CLAIM_UNVERIFIABLE] == n:
        text = ngettext(
            "%(n)d target is reported met, but its value was never published, so nothing can be "
            "verified",
            "%(n)d targets are reported met, but their values were never published, so nothing "
            "can be verified",
            n,
        )
    else:
        text = ngettext(
            "Whether the %(n)d known target is met cannot be told",
            "Whether any of the %(n)d known targets is met cannot be told",
            n,
        )
    return text % {"n": n}


def seen_instead(standing: Standing) -> str:
    """What can be seen where no target can be judged; empty where one can."""
    if any(row.verdict not in UNVERIFIABLE for row in standing.targets) or not standing.figures:
        return ""
    checks = Counter(one.result for one in standing.results)
    said = {
        "indicators": len(standing.figures),
        "values": sum(row.facts.value for row in standing.figures),
        "updated": sum(row.facts.updated for row in standing.figures),
        "measures": len(standing.measures),
        "done": sum(
            row.status in {MeasureStatus.COMPLETED, MeasureStatus.ONGOING}
            for row in standing.measures
        ),
        "checks": len(standing.results),
        "fails": checks[Result.FAILS],
        "asks": checks[Result.QUESTION],
    }
    return (
        _(
            "%(values)d of %(indicators)d indicators have a value and %(updated)d were updated "
            "since the report; of %(measures)d measures %(done)d are told as completed or routine; "
            "of %(checks)d checks between figures %(fails)d do not hold and %(asks)d raise a "
            "question."
        )
        % said
    )


def time_text(plan: Plan, on: date) -> str:
    """The time of a plan in words; it says nothing of the work."""
    if on > plan.end_on:
        return _("The plan’s period ended with %(end)s") % {"end": end_text(plan.end_on)}
    if on < plan.start_on:
        return _("The plan’s period begins on %(start)s") % {"start": day_in_words(plan.start_on)}
    left = months_between(on, plan.end_on)
    said = {"gone": _months(months_between(plan.start_on, on + DAY)), "end": end_text(plan.end_on)}
    if not left:
        return _("The plan’s period: %(gone)s gone, less than a month left") % said
    said["left"] = _months(left)
    return _("The plan’s period: %(gone)s gone, %(left)s left until %(end)s") % said


def _months(n: int) -> str:
    years, months = divmod(n, 12)
    parts = []
    if years:
        parts.append(ngettext("%(n)d year", "%(n)d years", years) % {"n": years})
    if months or not years:
        parts.append(ngettext("%(n)d month", "%(n)d months", months) % {"n": months})
    return pgettext("years and months", " and ").join(parts)
