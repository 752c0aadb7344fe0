"""Public lists: filter, search, sort and page through the URL, and export what is filtered."""

from collections.abc import Callable, Iterator
from http import HTTPStatus
from itertools import islice

from django.core.paginator import InvalidPage, Paginator
from django.db.models import Model, QuerySet
from django.http import Http404
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django_filters.views import FilterView
from django_tables2 import RequestConfig, SingleTableMixin
from django_tables2.data import TableQuerysetData
from django_tables2.rows import BoundRow

from measures.accessible_workbook import Cover
from measures.spreadsheets import TYPES, Column
from metrics.rules.choices import Missing

from ..as_of import BadQuery
from ..data_file import day_of_state
from ..in_parts import LOADED
from ..taken_away import code_of, list_cover, taken_table
from .facets import values_in_words

#: Why the cells of a column are empty, where it is not because nothing was published.
REASONS = {
    **dict.fromkeys(("checks", "earlier", "redefined", "slip"), Missing.NOT_APPLICABLE),
    **dict.fromkeys(("change", "year_on_year"), Missing.NOT_APPLICABLE),
    **dict.fromkeys(("figure", "value", "qualifier", "as_written"), Missing.NOT_YET_REPORTED),
    **dict.fromkeys(("period", "inferred", "latest", "source"), Missing.NOT_YET_REPORTED),
    **dict.fromkeys(("status", "state_on", "state_source"), Missing.NOT_YET_REPORTED),
    "latest_note_on": Missing.NO_EVENT,
}


def table_file(table, file_format: str, name: str, day: str, cover: Cover):
    """All rows of ``table`` as a download for people: headers in their language.

    ``day`` is that of the state which it shows; ``cover`` is the first sheet of a workbook.
    """
    names = [column.name for column in table.columns.iterall()]
    columns = [
        Column(
            column.header,
            missing=code_of(REASONS.get(column.name, Missing.NOT_PUBLISHED)),
            **column.column.attrs.get("file", {}),
        )
        for column in table.columns.iterall()
    ]
    # What SQLite has begun to read of a past day ends where its views are made anew for sending.
    return taken_table(file_format, name, day, cover, columns, lambda: _cells(table, names))


def _cells(table, names: list[str]) -> Iterator[list]:
    """The cells of every row, ``LOADED`` rows at a time."""
    records = table.data.data
    if isinstance(records, QuerySet):
        records = records.iterator(chunk_size=LOADED)
    records = iter(records)
    while some := list(islice(records, LOADED)):
        if hasattr(table, "load_for"):
            table.load_for(some)
        for record in some:
            row = BoundRow(record, table)
            yield [row.get_cell_value(name) for name in names]


def file_format_of(request) -> str:
    """The format that ``?format=`` asks for, empty for the page itself; raises BadQuery."""
    file_format = request.GET.get("format", "")
    if file_format and file_format not in TYPES:
        raise BadQuery(
            _("“%(format)s” is not a file format of the portal; there are csv and xlsx.")
            % {"format": file_format[:20]}
        )
    return file_format


class ShownByKeys(TableQuerysetData):
    """Rows of a page, of which the database filters and sorts the keys alone.

    ``load`` returns those of some keys, in any order, with all that the page says of them.
    """

    def __init__(self, rows: QuerySet, load: Callable[[list[int]], list[Model]]):
        super().__init__(rows)
        self._load = load

    def __getitem__(self, place: slice) -> list[Model]:
        keys = list(self.data.values_list("pk", flat=True)[place])
        known = {row.pk: row for row in self._load(keys)}
        return [known[key] for key in keys]


class CountedPaginator(Paginator):
    """Pages of rows whose number is known, so that the database is not asked for it again."""

    def __init__(self, rows, per_page, *, count: int):
        super().__init__(rows, per_page)
        self.count = count


class ListPage(SingleTableMixin, FilterView):
    """A filtered table; ``?format=csv`` or ``xlsx`` gives every filtered row as a file.

    Subclasses name ``filterset_class`` (a ``FacetFilterSet``), ``table_class``, ``template_name``,
    ``heading`` and ``file_name``, and have ``shown``, which returns the rows of some keys of the
    list with what the page says of them. An unknown filter value answers 400 and says so, an
    impossible page number 404. ``pack_parameters`` are the filters that briefing packs understand
    as the list does; the list leads to a pack where no other filter is in use.
    """

    heading = ""
    file_name = ""
    table_pagination = {"per_page": 50}
    pack_parameters: frozenset[str] = frozenset()

    def get_filterset_kwargs(self, filterset_class):
        # Bound also where nothing is asked for, so that there is one way through it.
        given = {"data": self.request.GET, "is_whole": True}
        return super().get_filterset_kwargs(filterset_class) | given

    def get(self, request, *args, **kwargs):
        self.filterset = self.get_filterset(self.get_filterset_class())
        valid = self.filterset.is_valid()
        self.object_list = self.filterset.qs if valid else self.filterset.queryset.none()
        if valid and (file_format := file_format_of(request)):
            return self.file(file_format)
        context = self.get_context_data(
            filter=self.filterset,
            object_list=self.object_list,
            heading=self.heading,
            chosen=self.chosen() if valid else [],
            pack=self.pack() if valid else None,
        )
        return self.render_to_response(
            context, status=HTTPStatus.OK if valid else HTTPStatus.BAD_REQUEST
        )

    def chosen(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """The filters in use: the label of each, and its values with links that take one away."""
        return [
            (
                chosen.label,
                [(words, self.without(chosen.parameter, value)) for value, words in chosen.values],
            )
            for chosen in self.filterset.chosen
        ]

    def without(self, parameter: str, value: str) -> str:
        """The address of this list without one value of a filter, from its first page."""
        query = self.request.GET.copy()
        values = query.pop(parameter)
        # The search has one value, whatever the spaces around it.
        if parameter in self.filterset.facets or parameter.startswith("not_"):
            query.setlist(parameter, [other for other in values if other != value])
        query.pop("page", None)
        return f"{self.request.path}?{query.urlencode()}".rstrip("?")

    def pack(self) -> str | None:
        """The query of the briefing pack of exactly these rows; None where there is none."""
        used = {chosen.parameter for chosen in self.filterset.chosen}
        if not self.pack_parameters or used - self.pack_parameters:
            return None
        kept = {name: self.request.GET.getlist(name) for name in sorted(used)}
        if self.request.as_of:
            kept["as_of"] = [self.request.as_of.isoformat()]
        return urlencode(kept, doseq=True)

    def file(self, file_format: str):
        # Where the page shows a dash, the file has an empty cell.
        table = self.sorted_table(self.get_file_data(), default="")
        cover = list_cover(
            self.request,
            str(self.heading),
            [(chosen.label, values_in_words(chosen)) for chosen in self.filterset.chosen],
        )
        day = day_of_state(self.request.as_of)
        return table_file(table, file_format, self.file_name, day, cover)

    def get_file_data(self) -> QuerySet:
        """The rows with what a file says of them."""
        return self.object_list

    def sorted_table(self, rows, **options):
        """The table of all ``rows`` in the order that the URL asks for."""
        if not self.filterset.places.has_several:
            options["exclude"] = ("opinion",)
        # Given the request, the table would page itself, and per_page=-1 would be a crash.
        table = self.get_table_class()(data=rows, **options)
        RequestConfig(self.request, paginate=False).configure(table)
        return table

    def get_table(self, **kwargs):
        table = self.sorted_table(ShownByKeys(self.get_table_data(), self.shown))
        page = self.request.GET.get(table.prefixed_page_field) or 1
        try:
            table.paginate(
                paginator_class=CountedPaginator,
                count=self.filterset.count if self.filterset.is_valid() else 0,
                page=page,
                **self.table_pagination,
            )
        except InvalidPage as error:
            raise Http404(_("This list has no such page.")) from error
        return table
