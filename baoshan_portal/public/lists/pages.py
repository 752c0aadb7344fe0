"""The public lists: measures, indicators and targets."""

from datetime import date

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from measures.models import Measure, MeasureState, ProgressNote
from measures.models.states import load_states, with_state
from measures.prepared import prepared
from metrics.courses import load_latest
from metrics.models import Indicator, Target

from .. import check_marks
from .filters import PLACES, IndicatorFilter, MeasureFilter, TargetFilter
from .page import ListPage
from .tables import IndicatorTable, MeasureTable, TargetTable


def measures_with_counts(as_of: date | None) -> QuerySet:
    """Public measures as of a day, each with its state and ``with_counts``."""
    return with_state(with_counts(Measure.objects.published(as_of), as_of), as_of)


def with_counts(measures: QuerySet, as_of: date | None) -> QuerySet:
    """``measures`` with their places, ``indicator_count``, ``latest_note_on`` and ``status``."""
    of_measure = {"measure": OuterRef("pk")}
    # Each measure's own: a join would bring the indicators of all before any is shown.
    indicators = Indicator.objects.published(as_of).filter(**of_measure).order_by()
    counted = indicators.values("measure").annotate(n=Count("pk")).values("n")
    notes = ProgressNote.objects.published(as_of).filter(**of_measure)
    latest_note = notes.order_by("-happened_on").values("happened_on")[:1]
    return measures.with_place().annotate(
        indicator_count=Coalesce(Subquery(counted), 0),
        latest_note_on=Subquery(latest_note),
        status=Subquery(MeasureState.objects.newest(as_of).values("status")[:1]),
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

    def shown(self, keys):
        found = _measures(keys, as_of=self.request.as_of)
        load_states(found, self.request.as_of)
        return found


@prepared
def _measures(keys, *, as_of):
    return with_counts(Measure.objects.filter(pk__in=keys), as_of).order_by()


class IndicatorList(ListPage):
    template_name = "public/indicators.html"
    filterset_class = IndicatorFilter
    table_class = IndicatorTable
    heading = _("Indicators")
    file_name = "indicators"
    pack_parameters = frozenset(IndicatorFilter.base_filters)

    def get_queryset(self):
        return Indicator.objects.published(self.request.as_of).with_place()

    def shown(self, keys):
        found = _indicators(keys)
        load_latest(found, self.request.as_of)
        check_marks.of_shown(self.request, keys)
        return found

    def get_file_data(self):
        # What changed since the value before, and whether it came when it was due
        return super().get_file_data().with_public_values(self.request.as_of)


@prepared
def _indicators(keys):
    return Indicator.objects.filter(pk__in=keys).with_place().order_by()


class TargetList(ListPage):
    template_name = "public/targets.html"
    filterset_class = TargetFilter
    table_class = TargetTable
    heading = _("Targets")
    file_name = "targets"

    def get_queryset(self):
        return Target.objects.for_list(self.request.as_of)

    def shown(self, keys):
        as_of = self.request.as_of
        found = _targets(keys, as_of=as_of)
        indicators = _judged_indicators({row.indicator_id for row in found}, as_of=as_of)
        load_latest(indicators, as_of)
        by_key = {row.pk: row for row in indicators}
        for row in found:
            row.indicator = by_key[row.indicator_id]
        check_marks.of_shown(self.request, by_key)
        return found


@prepared
def _targets(keys, *, as_of):
    rows = Target.objects.filter(pk__in=keys).with_value_before(as_of)
    return rows.select_related("plan", "report").order_by()


@prepared
def _judged_indicators(keys, *, as_of):
    rows = Indicator.objects.filter(pk__in=keys).with_place().order_by()
    return rows.with_thresholds().with_no_figures(as_of)
