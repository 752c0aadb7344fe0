"""The departments side by side, and the page of one of them."""

import sys

from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django_tables2 import RequestConfig

from measures.models import Department, Measure
from measures.submission import end_of_day
from metrics.history import newest_period

from ..changes.page import default_since, newest_report
from ..changes.publications import count_of_lead
from ..changes.refs import entries, newest_publications
from ..changes.some_states import States
from ..data_file import day_of_state
from ..lists.page import file_format_of, table_file
from ..remembered import remembered_large
from ..taken_away import list_cover
from .ends import tell_ends
from .records import RECENT_DAYS, record_of, records
from .table import DepartmentTable, verdict_lines

#: Publications that a department's page lists; the feed and the page of changes have all.
MOST_CHANGES = 30


def listing(request):
    """All departments in one table, the gravest first; ``?format=csv`` or ``xlsx`` as a file."""
    rows = remembered_large(request, "departments", lambda: records(request.as_of))
    file_format = file_format_of(request)
    table = DepartmentTable(rows, default="" if file_format else "—")
    RequestConfig(request, paginate=False).configure(table)
    if file_format:
        cover = list_cover(request, _("Departments side by side"), [])
        return table_file(table, file_format, "departments", day_of_state(request.as_of), cover)
    context = {
        "table": table,
        "leads": sum(row.leads for row in rows),
        "proposed": sum(row.proposed for row in rows),
        "recent_days": RECENT_DAYS,
    }
    return render(request, "public/departments.html", context)


def page(request, code):
    """What one department leads and supports, how its targets stand, what is late or changed."""
    as_of = request.as_of
    on = as_of or timezone.localdate()
    row = get_object_or_404(Department.objects.once_published(as_of), code=code)
    tell_ends([row], on)
    record = record_of(row, as_of)
    continues = Department.objects.once_published(as_of).filter(succeeded_by=row)
    since = default_since(newest_report(on), on)
    begin, end = end_of_day(since), end_of_day(on)
    refs = newest_publications(MOST_CHANGES, end, department=row)
    count = count_of_lead(row, begin, end)
    led = Measure.objects.filter(lead=row).order_by().values_list("pk", flat=True)
    states = States(since, on, most=sys.maxsize).changed(list(led))
    context = {
        "department": row,
        "record": record,
        "continues": list(continues),
        "continued_by": list(row.succeeded_by.all()),
        **verdict_lines(request, record),
        "since": since,
        "until": on,
        "changes": entries([ref for ref in refs if ref.at >= begin], end),
        "more_changes": max(0, count - MOST_CHANGES),
        "states": list(states),
        "newest_period": newest_period(record.indicators),
    }
    return render(request, "public/department.html", context)
