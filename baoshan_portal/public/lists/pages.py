"""The public lists: measures, indicators and targets."""

from datetime import date

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from measures.models import Measure, MeasureState, ProgressNote
from measures.models.states import with_state
from metrics.courses import load_latest
from metrics.models import Indicator, Target

from .. import check_marks
from .filters import PLACES, IndicatorFilter, MeasureFilter, TargetFilter
from .page import ListPage
from .tables import IndicatorTable, MeasureTable, TargetTable


def measures_with_counts(as_of: date | None) -> QuerySet:
    """Public measures, each with ``indicator_count``, ``latest_note_on`` and state as of a day."""
    of_measure = {"measure": OuterRef("pk")}
    # Each measure's own: a join would bring the indicators of all before any is shown.
    indicators = Indicator.objects.published(as_of).filter(**of_measure).order_by()
    counted = indicators.values("measure").annotate(n=Count("pk")).values("n")
    notes = ProgressNote.objects.published(as_of).filter(**of_measure)
    latest_note = notes.order_by("-happened_on").values("happened_on")[:1]
    return (
        with_state(Measure.objects.published(as_of), as_of)
        .with_place()
        .annotate(
            indicator_count=Coalesce(Subquery(counted), 0),
            latest_note_on=Subquery(latest_note),
            status=Subquery(MeasureState.objects.newest(as_of).values("status")[:1]),
        )
    )


class MeasureList(ListPage):
    template_name = "public/measures.html"
    filterset_class = MeasureFilter
    table_class = MeasureTable
    heading = _("Measures")
    file_name = "measures"
    # Packs search figures, so that they would find other rows for the same words.
    pack_parameters = PLACES

    def get_queryset(self):
        return measures_with_counts(self.request.as_of)


class IndicatorList(ListPage):
    template_name = "public/indicators.html"
    filterset_class = IndicatorFilter
    table_class = IndicatorTable
    heading = _("Indicators")
    file_name = "indicators"
    pack_parameters = frozenset(IndicatorFilter.base_filters)

    def get_queryset(self):
        return Indicator.objects.published(self.request.as_of).with_place()

    def get_table(self, **kwargs):
        table = super().get_table(**kwargs)
        shown = [row.record for row in table.paginated_rows]
        load_latest(shown, self.request.as_of)
        check_marks.of_shown(self.request, [row.pk for row in shown])
        return table

    def get_file_data(self):
        # What changed since the value before, and whether it came when it was due
        return super().get_file_data().with_public_values(self.request.as_of)


class TargetList(ListPage):
    template_name = "public/targets.html"
    filterset_class = TargetFilter
    table_class = TargetTable
    heading = _("Targets")
    file_name = "targets"

    def get_queryset(self):
        return Target.objects.for_list(self.request.as_of)

    def get_table(self, **kwargs):
        table = super().get_table(**kwargs)
        shown = [row.record.indicator_id for row in table.paginated_rows]
        check_marks.of_shown(self.request, shown)
        return table
