"""The departments side by side; each column is declared once, for the page and for the file."""

import django_tables2 as tables
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext, pgettext_lazy

from measures.numerals import rounded
from metrics.rules.choices import Freshness, Verdict
from metrics.wording import percent_text

from ..as_of import address
from ..lists.tables import COUNT, DAY, LONG, NAME, NUMBER, WORD
from ..table import Table
from .records import BY_GRAVITY, Record


def _count(name, **options) -> tables.Column:
    return tables.Column(verbose_name=name, attrs=NUMBER | COUNT, **options)


def _only_in_files(name, accessor, **options) -> tables.Column:
    options = {"orderable": False, "visible": False, "attrs": COUNT} | options
    return tables.Column(verbose_name=name, accessor=accessor, **options)


class VerdictCount(tables.Column):
    """How many targets came to one conclusion; a column of the files alone."""

    def __init__(self, verdict: Verdict):
        super().__init__(
            verbose_name=verdict.label,
            accessor="verdicts",
            orderable=False,
            visible=False,
            attrs=COUNT,
        )
        self.verdict = verdict

    def value(self, value):
        return value[self.verdict]


class DepartmentTable(Table):
    code = _only_in_files(gettext_lazy("Code"), "department__code", attrs=LONG)
    department = tables.Column(verbose_name=pgettext_lazy("an office", "Department"), attrs=NAME)
    ended_on = _only_in_files(gettext_lazy("Ended on"), "department__ended_on", attrs=DAY)
    leads = tables.Column(
        verbose_name=pgettext_lazy("measures of a department", "Leads"),
        attrs={"cell": {"class": "number leads"}} | COUNT,
    )
    proposed = _only_in_files(gettext_lazy("of these proposed"), "proposed")
    supports = _count(pgettext_lazy("measures of a department", "Supports"))
    figures = _count(gettext_lazy("Figures"))
    verdicts = tables.Column(
        verbose_name=gettext_lazy("What can be concluded"),
        accessor="verdict_counts",
        order_by="gravity",
    )
    targets = _only_in_files(gettext_lazy("Targets"), "targets")
    contradicted = _only_in_files(gettext_lazy("Claims that the values contradict"), "contradicted")
    overdue = _count(Freshness.LATE.label)
    silent = _count(Freshness.SILENT.label)
    due = _only_in_files(gettext_lazy("Due in locked rounds"), "due")
    on_time = _only_in_files(gettext_lazy("handed in on time"), "on_time")
    late = _only_in_files(gettext_lazy("handed in late"), "handed_in_late")
    missing = _only_in_files(gettext_lazy("never handed in"), "missing")
    share = tables.Column(
        verbose_name=gettext_lazy("On time"), accessor="on_time_share", empty_values=()
    )
    recent = _count(gettext_lazy("Published in 90 days"))
    newest = tables.DateTimeColumn(
        verbose_name=gettext_lazy("Last publication"), format="Y-m-d", attrs=WORD | DAY
    )

    class Meta:
        fields = ()
        empty_text = gettext_lazy("No department was public on this day.")

    def __init__(self, *args, **kwargs):
        # The files have a column for every conclusion, with a number.
        verdicts = [(f"verdict_{verdict}", VerdictCount(verdict)) for verdict in BY_GRAVITY]
        super().__init__(*args, extra_columns=verdicts, **kwargs)

    def render_department(self, record, value):
        ended = value.ended_by(self.request.as_of or localdate())
        mark = format_html(' <span class="mark">{}</span>', _("ended")) if ended else ""
        return format_html('<a href="{}">{}</a>{}', address(self.request, value), value, mark)

    def value_department(self, value):
        return str(value)

    def render_leads(self, record, value):
        if not value:
            return "0"
        link = format_html(
            '<a href="{}">{}</a>', self._list("measures", record.department.code), value
        )
        if not record.proposed:
            return link
        mark = ngettext("%(n)d proposed", "%(n)d proposed", record.proposed)
        return format_html('{} <span class="mark">{}</span>', link, mark % {"n": record.proposed})

    def value_leads(self, value):
        return value

    def render_figures(self, record, value):
        return self._linked(value, "indicators", record)

    def value_figures(self, value):
        return value

    def render_verdicts(self, record, value):
        return render_to_string("public/_verdict_counts.html", verdict_lines(self.request, record))

    def value_verdicts(self, value):
        between = pgettext("between filters", "; ")
        return between.join(f"{verdict.label} {n}" for verdict, n in value)

    def render_overdue(self, record, value):
        return self._linked(value, "indicators", record, fresh=Freshness.LATE)

    def value_overdue(self, value):
        return value

    def render_silent(self, record, value):
        return self._linked(value, "indicators", record, fresh=Freshness.SILENT)

    def value_silent(self, value):
        return value

    def render_share(self, record, value):
        if value is None:
            return "—"
        text = _("%(on_time)d of %(due)d (%(share)s)") % {
            "on_time": record.on_time,
            "due": record.due,
            "share": percent_text(value),
        }
        bar = render_to_string("public/_bar.html", {"width": f"{value:.4g}", "text": text})
        if not record.missing:
            return bar
        missing = _("%(n)d never handed in") % {"n": record.missing}
        return format_html('{}<small class="below">{}</small>', bar, missing)

    def value_share(self, value):
        return None if value is None else rounded(value)

    def value_newest(self, value):
        return value and localdate(value)

    def _linked(self, value, view, record, **query):
        if not value:
            return value
        link = self._list(view, record.department.code, **query)
        return format_html('<a href="{}">{}</a>', link, value)

    def _list(self, view, code, **query) -> str:
        return address(self.request, view, department=code, **query)


def verdict_lines(request, record: Record) -> dict:
    """What ``_verdict_counts.html`` shows: each conclusion with its number and its list."""
    code = record.department.code
    return {
        "lines": [
            (verdict, n, address(request, "targets", department=code, verdict=verdict))
            for verdict, n in record.verdict_counts
        ],
        "contradicted": record.contradicted,
        "total": record.targets,
    }
