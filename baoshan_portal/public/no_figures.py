"""The file of open data that tells for which periods there is no figure, and why."""

from django.utils.translation import gettext_lazy as _

from measures.models import Measure
from metrics.models import PLACE_IN_OPINION, Indicator, NoFigure

from .data_file import OPINION, Field, File, csv_answer, moment_text, prose
from .in_parts import by_measures

NO_FIGURES = File(
    "no_figures.csv",
    _("Every period of which it is public that it has no figure, without those that got one."),
    (
        Field("code", "string", _("permanent code of this version")),
        Field("indicator_code", "string", _("permanent code of the indicator")),
        Field("indicator", "string", _("name of the indicator, in Chinese")),
        Field("theme", "string", _("number of the theme, such as 1.2")),
        Field("measure_code", "string", _("permanent code of the measure")),
        Field("period_start", "date", _("first day; empty: beginning not stated")),
        Field("period_end", "date", _("last day")),
        Field("reason", "string", _("why there is no figure, as a code of the data package")),
        Field("note", "string", _("note in Chinese")),
        Field("note_en", "string", _("note in English")),
        Field("source", "string", _("document number or name of the source")),
        Field("locator", "string", _("theme/sentence in the document")),
        Field("revision", "integer", _("1, or higher for a correction")),
        Field("published_at", "datetime", _("moment of publication")),
        OPINION,
    ),
    ("code",),
)


def no_figures(request):
    as_of = request.as_of
    rows = (
        NoFigure.objects.standing(as_of)
        .filter(indicator__in=Indicator.objects.published(as_of))
        .select_related("indicator__measure__theme__section__opinion", "report")
        .order_by(*(f"indicator__{column}" for column in PLACE_IN_OPINION), "period_end", "pk")
    )
    measures = Measure.objects.published(as_of)
    return csv_answer(
        NO_FIGURES,
        lambda: map(_no_figure, by_measures(rows, measures, "indicator__measure")),
        as_of,
    )


def _no_figure(row: NoFigure) -> tuple:
    return (
        row.code,
        row.indicator.code,
        row.indicator.name,
        row.indicator.measure.theme.number,
        row.indicator.measure.code,
        row.period_start,
        row.period_end,
        row.reason,
        prose(row.note),
        prose(row.note_en),
        row.document,
        row.locator,
        row.revision,
        moment_text(row.published_at),
        row.indicator.measure.theme.section.opinion.code,
    )
