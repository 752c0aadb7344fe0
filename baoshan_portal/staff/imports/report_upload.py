"""The template of a report's figures as a file to take away, and its upload."""

from functools import partial

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from measures import access
from measures.models import Report
from measures.spreadsheets import (
    TYPES,
    Column,
    Sheet,
    cells_of_column,
    csv_lines,
    streamed,
    workbook,
)
from measures.trail import Action, record
from measures.watermark import file_name
from metrics.rules.choices import Certainty
from metrics.rules.periods import period_text

from ..addresses import change_url
from .report_template import COLUMNS, import_report, indicators_for, measure_text, names_of
from .round_template import LABELS as ROUND
from .upload import figures_written, preview


def urls(site) -> list:
    return [
        path(
            "report-figures/<slug:code>.<slug:file_format>",
            site.admin_view(template),
            name="report-template",
        ),
        path("report-figures/<slug:code>/", site.admin_view(upload), name="report-upload"),
    ]


def _report(request, code: str) -> Report:
    """The report of the address, if ``request.user`` takes figures of reports over."""
    report = get_object_or_404(Report.objects.select_related("opinion"), code=code)
    if not access.takes_over_reports(request.user):
        raise PermissionDenied
    return report


def template(request, code, file_format):
    """A row for each indicator of the report's opinion, with empty cells for its figure."""
    report = _report(request, code)
    if file_format not in TYPES:
        raise Http404
    indicators = list(indicators_for(report, request.user).with_latest_value())
    names = names_of(indicators)
    rows = [
        ["", measure_text(row.measure), names[row.pk], row.unit.name] + [""] * (len(COLUMNS) - 4)
        for row in indicators
    ]
    record(
        Action.EXPORTED,
        by=request.user,
        subject=report,
        note=f"template.{file_format}, {len(rows)} rows",
    )
    name = file_name(f"figures-{report.code}.{file_format}")
    if file_format == "csv":
        return streamed(csv_lines(_columns(), rows, last=True), name)
    known = _known(indicators, names)
    figures = Sheet(_("Figures of a report"), _columns(known.title, len(rows)), rows)
    return HttpResponse(
        # The first sheet is the one that is read.
        workbook([figures, known, _instructions(report)], title=str(report), last=True),
        content_type=TYPES["xlsx"],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _columns(known: str = "", rows: int = 0) -> list[Column]:
    """The columns of the figures; ``known`` is the sheet with the ``rows`` of what there is."""
    choices = {
        "inferred": (_("yes"), _("no")),
        "certainty": tuple(str(certainty.label) for certainty in Certainty),
    }
    lists = {"indicator": cells_of_column(known, 2, rows)} if known else {}
    return [
        Column(
            str(column),
            column.width,
            choices=choices.get(column.key, ()),
            choices_from=lists.get(column.key, ""),
        )
        for column in COLUMNS
    ]


def _known(indicators, names: dict[int, str]) -> Sheet:
    """The measures and indicators that a row can name, to look up and to choose from."""
    columns = [
        Column(capfirst(_("measure")), 36),
        Column(capfirst(_("indicator")), 36),
        Column(capfirst(_("code")), 30),
        Column(capfirst(_("unit")), 10),
        Column(_("What it counts"), 50),
        Column(capfirst(_("kind")), 14),
        Column(str(ROUND["last_value"]), 14),
        Column(str(ROUND["last_period"]), 24),
        Column(capfirst(_("lead department")), 24),
    ]
    rows = [
        [
            measure_text(row.measure),
            names[row.pk],
            row.code,
            row.unit.name,
            row.in_language("scope"),
            row.get_kind_display(),
            row.latest.as_written if row.latest else "",
            period_text(row.latest.period_start, row.latest.period_end) if row.latest else "",
            str(row.measure.lead or ""),
        ]
        for row in indicators
    ]
    return Sheet(_("List of indicators"), columns, rows)


def _instructions(report: Report) -> Sheet:
    lines = [
        f"{report.number} {report}",
        _("One row is one figure at one place. Rows that stay empty change nothing; copy a row "
          "where the report prints two figures of one indicator."),
        _("Place in the report: theme/sentence, such as 1.3/5. By place, indicator and period a "
          "figure is recognised when the file is sent again."),
        _("Figure as written: as the report prints it, such as 1475家, 约5亿元, 2.1万余个."),
        _("Period from: empty for what stands at one day, and for a total whose beginning the "
          "report does not state. Period inferred: yes, if the report does not state the period."),
        _("Certainty: empty means actual. What ends after the report was issued is preliminary "
          "or expected."),
        _("Reason for correction: only where another value is public already; everybody reads it."),
        _("An indicator that is not in the list is created first, in a review of its own."),
    ]  # fmt: skip
    return Sheet(_("How to fill in"), [Column(_("How to fill in"), 90)], [[line] for line in lines])


def upload(request, code):
    """Choose a file, see what it would change, write all of it or nothing."""
    report = _report(request, code)
    back = change_url(report)
    context = {"title": _("Figures of a report"), "report": report, "is_open": True, "back": back}
    take = partial(import_report, report=report, by=request.user)
    done = partial(figures_written, request, back)
    return preview(request, take, "staff/report_upload.html", context, done=done)
