"""What a chart draws as a CSV file, one row a mark; columns as in the open data."""

from django.utils.translation import gettext_lazy as _

from measures.numerals import plain

from ..data_file import Field, File, csv_answer, moment_text, number, prose

_VALUE = (
    Field("value", "number", _("the value as reported, in unit; empty: not reported")),
    Field("unit", "string", _("its unit")),
    Field("qualifier", "string", _("exact, about, nearly or over")),
    Field("certainty", "string", _("actual, preliminary or expected")),
    Field("as_written", "string", _("the figure as the source prints it")),
    Field("source", "string", _("document and place in it, or another named source")),
)
HISTORY = (
    Field("indicator_code", "string", _("permanent code of the indicator")),
    Field("series", "string", _("value, missing, target or baseline")),
    Field("period_start", "date", _("first day; empty if not stated")),
    Field("period_end", "date", _("last day; of a target its due day")),
    *_VALUE,
    Field("corrected_from", "number", _("what a corrected value said first")),
    Field("published_at", "datetime", _("since when it is public")),
)
COMPARISON = (
    Field("indicator_code", "string", _("permanent code of the indicator")),
    Field("indicator", "string", _("its name in Chinese")),
    Field("group", "integer", _("bars of one group have one scale")),
    *_VALUE,
    Field("common_value", "number", _("the value in the unit of the comparison")),
    Field("common_unit", "string", _("the unit of the comparison")),
    Field("period_start", "date", _("first day; empty if not stated")),
    Field("period_end", "date", _("last day")),
)


def history_file(name: str, indicator, values, gaps, targets, starts, former, as_of):
    """The file of a chart over time: ``values`` drawn, ``gaps`` between them, ``targets`` with
    their baselines ``starts`` and ``former`` versions by key."""
    rows = [
        [indicator.code, "value", row.period_start, row.period_end, *_value_cells(row, indicator)]
        + [number(former[row.pk].value) if row.pk in former else None]
        + [moment_text(row.published_at)]
        for row in values
    ]
    rows += [
        [indicator.code, "missing", start, end, None, indicator.unit.name, *[None] * 6]
        for start, end in gaps
    ]
    for target in targets:
        begin, due = target.plan.start_on, target.due_day
        baseline = starts.get(target.pk)
        if baseline is not None:
            rows.append(
                [indicator.code, "baseline", None, begin, number(baseline.value)]
                + [indicator.unit.name, *[None] * 6]
            )
        rows.append(
            [indicator.code, "target", begin, due, number(target.value), indicator.unit.name]
            + [None, None, None, prose(target.source_text), None]
            + [moment_text(target.published_at)]
        )
    rows.sort(key=lambda row: row[3])
    return csv_answer(File(name, "", HISTORY, ()), rows, as_of)


def comparison_file(name: str, unit, groups, as_of):
    """The file of a comparison in ``unit``."""
    rows = (
        [bar.indicator.code, prose(bar.indicator.name), n]
        + _value_cells(bar.latest, bar.indicator)
        + [plain(bar.value.normalize()), unit.name]
        + [bar.latest.period_start, bar.latest.period_end]
        for n, group in enumerate(groups, 1)
        for bar in group.bars
    )
    return csv_answer(File(name, "", COMPARISON, ()), rows, as_of)


def _value_cells(row, indicator) -> list:
    return [
        number(row.value),
        indicator.unit.name,
        row.qualifier,
        row.certainty,
        prose(row.as_written),
        prose(row.source_text),
    ]
