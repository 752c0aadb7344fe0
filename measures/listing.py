"""Public lists: filter, search, sort and page through the URL, and export what is filtered."""

from http import HTTPStatus

import tablib
from django.core.paginator import InvalidPage
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.encoding import force_str
from django.utils.translation import gettext as _
from django_filters.views import FilterView
from django_tables2 import RequestConfig, SingleTableMixin

from . import demo
from .as_of import BadQuery

CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def safe_cell(value):
    """``value`` for a spreadsheet: text that would run as a formula is quoted, numbers stay."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int | float) or hasattr(value, "as_tuple"):
        return value
    text = force_str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def table_file(table, file_format: str, name: str) -> HttpResponse:
    """All rows of ``table`` as a download for people: headers in their language.

    ``file_format`` is csv (UTF-8 with a byte order mark, so that Excel opens it) or xlsx.
    """
    rows = ([safe_cell(cell) for cell in row] for row in demo.with_watermark(table.as_values()))
    dataset = tablib.Dataset(headers=next(rows))
    dataset.extend(rows)
    dataset.title = demo.file_name(name)[:31]
    content = dataset.export(file_format)
    if file_format == "csv":
        content = "\ufeff" + content
    file_name = demo.file_name(f"{name}-{timezone.localdate()}.{file_format}")
    return HttpResponse(
        content,
        content_type=CONTENT_TYPES[file_format],
        headers={"Content-Disposition": f'attachment; filename="{file_name}"'},
    )


class ListPage(SingleTableMixin, FilterView):
    """A filtered table; ``?format=csv`` or ``xlsx`` gives every filtered row as a file.

    Subclasses name ``filterset_class``, ``table_class``, ``template_name``, ``heading`` and
    ``file_name``. An unknown filter value answers 400 and says so, an impossible page number 404.
    """

    heading = ""
    file_name = ""
    table_pagination = {"per_page": 50}

    def get(self, request, *args, **kwargs):
        filterset = self.get_filterset(self.get_filterset_class())
        valid = not filterset.is_bound or filterset.is_valid()
        self.object_list = filterset.qs if valid else filterset.queryset.none()
        file_format = request.GET.get("format")
        if file_format and valid:
            return self.file(file_format)
        context = self.get_context_data(
            filter=filterset, object_list=self.object_list, heading=self.heading
        )
        return self.render_to_response(
            context, status=HTTPStatus.OK if valid else HTTPStatus.BAD_REQUEST
        )

    def file(self, file_format: str) -> HttpResponse:
        if file_format not in CONTENT_TYPES:
            raise BadQuery(
                _("“%(format)s” is not a file format of the portal; there are csv and xlsx.")
                % {"format": file_format[:20]}
            )
        # Where the page shows a dash, the file has an empty cell.
        table = self.sorted_table(self.object_list, default="")
        return table_file(table, file_format, self.file_name)

    def sorted_table(self, rows, **options):
        """The table of all ``rows`` in the order that the URL asks for."""
        # Given the request, the table would page itself, and per_page=-1 would be a crash.
        table = self.get_table_class()(data=rows, **options)
        RequestConfig(self.request, paginate=False).configure(table)
        return table

    def get_table(self, **kwargs):
        table = self.sorted_table(self.get_table_data())
        page = self.request.GET.get(table.prefixed_page_field) or 1
        try:
            table.paginate(page=page, **self.table_pagination)
        except InvalidPage as error:
            raise Http404(_("This list has no such page.")) from error
        return table
