"""What was touched since a moment: all else was then as it is now, and so is what is known of it.

To be asked after what is known was read: what comes between the two counts as touched, too.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Exists, Model, OuterRef, QuerySet, Value
from django.utils import timezone

from measures.models import Version
from measures.submission import Submission

from .models import Indicator, Observation

#: Values that became public since are fewer than it takes to ask of every figure.
LATELY = timedelta(days=100)


def touched_since(moment: datetime, *models: type[Model]) -> dict[type[Model], set[int]]:
    """By each of ``models`` what became another, became public or ended at ``moment`` or later;
    one query.

    Of a model of the structure the keys of its rows, and of what is submitted of indicators those
    of the indicators.
    """
    of_table = {model._meta.db_table: model for model in models}
    found: dict[type[Model], set[int]] = {model: set() for model in models}
    first, *others = _parts(moment, models)
    for table, key in first.union(*others):
        found[of_table[table]].add(key)
    return found


def _parts(moment: datetime, models: tuple[type[Model], ...]) -> Iterator[QuerySet]:
    """(table, key), each from an index of its own."""
    is_long_ago = timezone.now() - moment > LATELY
    for model in models:
        table = model._meta.db_table
        if issubclass(model, Submission):
            rows, key, moments = model.objects.order_by(), "indicator", ("published_at", "ended_at")
        else:
            rows = Version.objects.filter(subject_type=table).order_by()
            key, moments = "subject_pk", ("valid_from", "valid_to")
        for column in moments:
            touched = rows.filter(**{f"{column}__gte": moment})
            if model is Observation and column == "published_at" and is_long_ago:
                # Of dozens of values of a figure one is enough.
                one = Exists(touched.filter(indicator=OuterRef("pk")))
                yield Indicator.objects.filter(one).order_by().values_list(Value(table), "pk")
            else:
                yield touched.values_list(Value(table), key)
