"""The departments side by side, and the page of one of them."""

from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django_tables2 import RequestConfig

from measures.models import Department
from measures.submission import end_of_day
from metrics.history import newest_period

from ..changes.page import default_since, newest_report
from ..changes.publications import changes_between
from ..changes.states import state_changes
from ..data_file import day_of_state
from ..lists.page import file_format_of, table_file
from ..taken_away import list_cover
from .ends import tell_ends
from .records import RECENT_DAYS, records
from .table import DepartmentTable, verdict_lines

#: Publications that a department's page lists; the feed and the page of changes have all.
MOST_CHANGES = 30


def listing(request):
    """All departments in one table, the gravest first; ``?format=csv`` or ``xlsx`` as a file."""
    rows = records(request.as_of)
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
    (record,) = records(as_of, [row])
    continues = Department.objects.once_published(as_of).filter(succeeded_by=row)
    since = default_since(newest_report(on), on)
    changes = changes_between(end_of_day(since), end_of_day(on), department=row)
    states = [change for change in state_changes(since, on) if change.measure.lead_id == row.pk]
    context = {
        "department": row,
        "record": record,
        "continues": list(continues),
        "continued_by": list(row.succeeded_by.all()),
        **verdict_lines(request, record),
        "since": since,
        "until": on,
        "changes": changes[:MOST_CHANGES],
        "more_changes": max(0, len(changes) - MOST_CHANGES),
        "states": [change for change in states if change.before],
        "newest_period": newest_period(record.indicators),
    }
    return render(request, "public/department.html", context)
