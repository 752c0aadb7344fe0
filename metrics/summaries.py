"""The summaries (``summary_tables``) written: what they say is read from the rows themselves."""

from datetime import date

from django.utils import timezone

from . import check_results, copies, facts, kept_days, moments, verdicts
from .models import Check, Indicator, Target
from .summary_tables import (
    CHECKS,
    INDICATORS,
    TARGETS,
    CheckSummary,
    IndicatorSummary,
    TargetSummary,
)

#: Rows that are written together; nothing is published meanwhile.
TOGETHER = 5000


def write_missing() -> int:
    """Writes the summary of each public indicator, target and check that has none, or whose verdict
    holds no more; returns how many. When it writes none and what it raises says ``copies``.
    """
    return copies.write_missing(copies.SUMMARIES, _write_some)


def _write_some() -> int:
    unknown = Indicator.objects.order_by().filter(pk__in=_without_summary(Indicator))
    told = facts.read(dict(unknown.values_list("pk", "measure_id")))
    published = moments.read(told)
    IndicatorSummary.objects.bulk_create(
        IndicatorSummary(indicator_id=key, **read._asdict(), **published[key]._asdict())
        for key, read in told.items()
    )
    TargetSummary.objects.filter(until__lte=timezone.localdate()).delete()
    concluded = list(verdicts.worked_out(_without_summary(Target)))
    TargetSummary.objects.bulk_create(
        TargetSummary(target_id=target.pk, indicator_id=target.indicator_id, **holding._asdict())
        for target, holding in concluded
    )
    results = check_results.worked_out(_without_summary(Check))
    CheckSummary.objects.bulk_create(
        CheckSummary(check_of_id=one.pk, result=one.result, apart=one.apart) for one in results
    )
    return len(told) + len(concluded) + len(results)


def wrong() -> list[tuple[str, int | str]]:
    """(table, key) of each summary of what is public, and of each kept day, that says another than
    the rows do; to be asked while nobody publishes."""
    public = Indicator.objects.published().order_by()
    read = facts.read(dict(public.values_list("pk", "measure_id")))
    published = moments.read(read)
    names = (*facts.Read._fields, *moments.Moments._fields)
    rows = IndicatorSummary.objects.values_list("pk", *names)
    found = [
        (INDICATORS, key)
        for key, *told in rows
        if key in read and tuple(told) != (*read[key], *published[key])
    ]
    on = timezone.localdate()
    rows = TargetSummary.objects.values_list("pk", "since", "until", "verdict", "left")
    holding = {
        key: tuple(told) for key, since, until, *told in rows if verdicts.holds_on(on, since, until)
    }
    public = Target.objects.published().filter(pk__in=holding).values_list("pk", flat=True)
    for target, held in verdicts.worked_out(list(public)):
        if holding[target.pk] != (held.verdict, held.left):
            found.append((TARGETS, target.pk))
    rows = CheckSummary.objects.values_list("pk", "result", "apart")
    known = {key: tuple(told) for key, *told in rows}
    public = Check.objects.published().filter(pk__in=known).values_list("pk", flat=True)
    results = check_results.worked_out(list(public))
    found += [(CHECKS, one.pk) for one in results if known[one.pk] != (one.result, one.apart)]
    return found + kept_days.wrong(OF_DAYS)


def _facts_of_day(keys: list[int], day: date) -> dict[int, facts.Read]:
    measures = Indicator.objects.filter(pk__in=keys).order_by().values_list("pk", "measure_id")
    return facts.read(dict(measures), day)


#: What is kept of days, from the rows.
OF_DAYS = {
    facts.KEPT_AS: _facts_of_day,
    verdicts.KEPT_AS: verdicts.of_day,
    check_results.KEPT_AS: check_results.results,
}


def _without_summary(model: type[Indicator | Target | Check]) -> list[int]:
    rows = model.objects.published().filter(summary__isnull=True).order_by()
    return list(rows.values_list("pk", flat=True)[:TOGETHER])
