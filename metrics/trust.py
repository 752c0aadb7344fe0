"""How far the public figures can be checked: what is known of every indicator, to be counted.

The words are those of the filters of the list of indicators, so that a count and its list agree.
"""

from datetime import date

from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q, Subquery

from measures.submission import end_of_day

from .models import NEWEST_FIRST, Indicator, Observation, Target


def facts(as_of: date | None, told_on: date) -> list[dict]:
    """A row for every public indicator, in one query; ``told_on`` is the report's day of issue.

    ``theme`` is the key of its theme, and the rest are yes or no: ``value`` it has a public
    value, ``traced`` the newest one names its report or source, ``updated`` one was published
    after ``told_on``, ``inferred`` the period of one was worked out, ``target`` a target is known
    to exist, ``target_value`` one was published with its value.
    """
    values = Observation.objects.published(as_of).filter(indicator=OuterRef("pk"))
    targets = Target.objects.published(as_of).filter(indicator=OuterRef("pk"))
    sourced = ExpressionWrapper(
        Q(report__isnull=False) | ~Q(source_name=""), output_field=BooleanField()
    )
    newest = values.order_by(*NEWEST_FIRST).annotate(sourced=sourced)
    rows = (
        Indicator.objects.published(as_of)
        .annotate(
            value=Exists(values),
            traced=Subquery(newest.values("sourced")[:1]),
            updated=Exists(values.filter(published_at__gte=end_of_day(told_on))),
            inferred=Exists(values.filter(period_inferred=True)),
            target=Exists(targets),
            target_value=Exists(targets.filter(value__isnull=False)),
        )
        .order_by()
    )
    names = ("value", "traced", "updated", "inferred", "target", "target_value")
    return [
        {"theme": row["measure__theme"], **{name: bool(row[name]) for name in names}}
        for row in rows.values("measure__theme", *names)
    ]
