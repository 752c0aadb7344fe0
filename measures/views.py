"""Public pages of words: the measures and what was done on them."""

from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from .as_of import get_public_or_404
from .filters import PLACES, MeasureFilter
from .listing import ListPage
from .models import Measure
from .tables import MeasureTable


class MeasureList(ListPage):
    template_name = "measures/list.html"
    filterset_class = MeasureFilter
    table_class = MeasureTable
    heading = _("Measures")
    file_name = "measures"
    # Packs search figures, so that they would find other rows for the same words.
    pack_parameters = PLACES

    def get_queryset(self):
        as_of = self.request.as_of
        return Measure.objects.published(as_of).with_place().with_counts(as_of)


def measure(request, code):
    row = get_public_or_404(
        Measure.objects.select_related("theme__section", "lead", "report").prefetch_related(
            "supporting"
        ),
        request,
        code,
    )
    notes = row.notes.published(request.as_of)
    return render(request, "measures/measure.html", {"measure": row, "notes": notes})
