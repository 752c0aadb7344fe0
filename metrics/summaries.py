"""The summaries (``summary_tables``) written: what they say is read from the rows themselves."""

from django.db import connection, transaction
from django.utils import timezone

from measures.protection import submission_tables
from measures.publication import is_to_come

from . import check_results, facts, verdicts
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
    holds no more; returns how many.

    None while something is public only in a moment, by another server's clock. Raises
    OperationalError on PostgreSQL while something is being published: what is not committed yet
    cannot be read, and neither waits for the other.
    """
    written = 0
    while made := _write_some():
        written += made
    return written


@transaction.atomic
def _write_some() -> int:
    if connection.vendor == "postgresql":
        # Who publishes deletes here, and holds that until the end. SQLite has one writer anyway.
        with connection.cursor() as cursor:
            tables = f"{INDICATORS}, {TARGETS}, {CHECKS}"
            cursor.execute(f"LOCK TABLE {tables} IN SHARE ROW EXCLUSIVE MODE NOWAIT")
    if is_to_come(connection, submission_tables()):
        return 0
    unknown = Indicator.objects.order_by().filter(pk__in=_without_summary(Indicator))
    told = facts.read(dict(unknown.values_list("pk", "measure_id")))
    IndicatorSummary.objects.bulk_create(
        IndicatorSummary(indicator_id=key, **read._asdict()) for key, read in told.items()
    )
    TargetSummary.objects.filter(until__lte=timezone.localdate()).delete()
    concluded = list(verdicts.worked_out(_without_summary(Target)))
    TargetSummary.objects.bulk_create(
        TargetSummary(target_id=target.pk, indicator_id=target.indicator_id, **holding._asdict())
        for target, holding in concluded
    )
    results = check_results.worked_out(_without_summary(Check))
    CheckSummary.objects.bulk_create(
        CheckSummary(check_of_id=one.pk, result=one.result) for one in results
    )
    return len(told) + len(concluded) + len(results)


def _without_summary(model: type[Indicator | Target | Check]) -> list[int]:
    rows = model.objects.published().filter(summary__isnull=True).order_by()
    return list(rows.values_list("pk", flat=True)[:TOGETHER])
