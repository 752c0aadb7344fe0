"""How complete and timely every department was in every round, on one page and as a file."""

from dataclasses import dataclass

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from measures import access
from measures.models import Department, Round
from measures.paging import page_or_404
from measures.spreadsheets import TYPES, Column, Kind, download
from measures.trail import Action, in_trail_language, record
from metrics.completeness import Completeness, completeness_of, departments_asked
from metrics.models import NoFigure, Observation

from .addresses import list_url
from .entry_sheet.page import sheet_url
from .my_work.sheets import Sheets

LINES_PER_PAGE = 200

COLUMNS = (
    Column(gettext_lazy("Round"), 28),
    Column(pgettext_lazy("rows of a round", "Due on"), 12, Kind.DATE),
    Column(pgettext_lazy("rows of a round", "State"), 10),
    Column(pgettext_lazy("an office", "Department"), 28),
    Column(pgettext_lazy("rows of a round", "Expected"), 10, Kind.NUMBER),
    Column(pgettext_lazy("rows of a round", "Handed in"), 10, Kind.NUMBER),
    Column(pgettext_lazy("rows of a round", "Published"), 10, Kind.NUMBER),
    Column(pgettext_lazy("rows of a round", "No figure"), 10, Kind.NUMBER),
    Column(pgettext_lazy("rows of a round", "Missing"), 10, Kind.NUMBER),
    Column(pgettext_lazy("rows of a round", "On time"), 10, Kind.NUMBER),
    Column(pgettext_lazy("rows of a round", "Late"), 10, Kind.NUMBER),
)


def urls(site) -> list:
    return [path("completeness/", site.admin_view(page), name="completeness")]


def may_see(user) -> bool:
    """Whether ``user`` looks after the rounds of all departments, or audits those who do."""
    return user.has_perm("measures.view_round") and access.sees_every_department(user)


class Choice(forms.Form):
    """Which lines are shown; rounds that have not opened ask for nothing yet."""

    round = forms.ModelChoiceField(
        Round.objects.none(),
        label=gettext_lazy("Round"),
        to_field_name="code",
        required=False,
        empty_label=gettext_lazy("all rounds"),
    )
    department = forms.ModelChoiceField(
        Department.objects.all(),
        label=pgettext_lazy("an office", "Department"),
        to_field_name="code",
        required=False,
        empty_label=gettext_lazy("all departments"),
    )
    missing = forms.BooleanField(label=gettext_lazy("Only with missing figures"), required=False)

    def __init__(self, data):
        super().__init__(data)
        opened = Round.objects.filter(opens_on__lte=timezone.localdate())
        self.fields["round"].queryset = opened

    def lines(self) -> list[Completeness]:
        chosen = self.cleaned_data
        rounds = [chosen["round"]] if chosen["round"] else list(self.fields["round"].queryset)
        departments = [chosen["department"]] if chosen["department"] else None
        lines = completeness_of(rounds, departments or list(departments_asked(rounds)))
        return [line for line in lines if line.missing or not chosen["missing"]]

    @property
    def query(self) -> str:
        chosen = self.cleaned_data.items()
        return urlencode({key: getattr(row, "code", "on") for key, row in chosen if row})


@dataclass
class Line:
    """One line as its reader sees it: what it says, and where it leads."""

    found: Completeness
    sheets: Sheets

    @property
    def cells(self) -> list:
        """As ``COLUMNS`` name them."""
        found = self.found
        return [
            str(found.round), found.round.due_on, self.state, str(found.department),
            found.expected, found.handed_in, found.published, found.no_figure, found.missing,
            found.on_time, found.late,
        ]  # fmt: skip

    @property
    def state(self) -> str:
        if self.found.round.locked:
            return _("locked")
        return _("due by now") if self.is_past else pgettext("a round", "open")

    @property
    def is_past(self) -> bool:
        return self.found.round.due_on < self.sheets.today

    @property
    def sheet_url(self) -> str:
        """The entry sheet, for whoever enters there now; "" for anybody else."""
        found = self.found
        theirs = found.department in self.sheets.departments
        if theirs and self.sheets.take_entry(found.round, found.department):
            return sheet_url(found.round, found.department)
        return ""

    @property
    def figures_url(self) -> str:
        return self._list(Observation)

    @property
    def no_figures_url(self) -> str:
        return self._list(NoFigure)

    def _list(self, model) -> str:
        return list_url(
            model,
            round__id__exact=self.found.round.pk,
            indicator__measure__lead__id__exact=self.found.department.pk,
        )


def page(request):
    """The lines of the chosen rounds and departments; with ``format`` the same as a file."""
    if not may_see(request.user):
        raise PermissionDenied
    choice = Choice(request.GET)
    valid = choice.is_valid()
    sheets = Sheets(request.user, timezone.localdate())
    lines = [Line(found, sheets) for found in choice.lines()] if valid else []
    if valid and (file_format := request.GET.get("format")):
        return _file(request, lines, file_format)
    paginator = Paginator(lines, LINES_PER_PAGE)
    shown = page_or_404(paginator, request.GET.get("page") or 1)
    context = {
        **admin.site.each_context(request),
        "title": _("Completeness and timeliness"),
        "is_nav_sidebar_enabled": False,
        "choice": choice,
        "columns": COLUMNS,
        "page": shown,
        "files": [(kind, _address(choice, kind)) for kind in TYPES] if lines else [],
        "total": _total(lines),
    }
    return TemplateResponse(
        request, "staff/completeness.html", context, status=200 if valid else 400
    )


def _total(lines: list[Line]) -> dict[str, int]:
    names = ("expected", "handed_in", "published", "no_figure", "missing", "on_time", "late")
    return {name: sum(getattr(line.found, name) for line in lines) for name in names}


def _address(choice: Choice, file_format: str) -> str:
    query = "&".join(filter(None, [choice.query, f"format={file_format}"]))
    return f"{reverse('admin:completeness')}?{query}"


def _file(request, lines: list[Line], file_format: str):
    if file_format not in TYPES:
        raise Http404
    with in_trail_language():
        what = _("Completeness and timeliness")
    record(Action.EXPORTED, by=request.user, note=f"{what}.{file_format}, {len(lines)} rows")
    title, rows = _("Completeness and timeliness"), (line.cells for line in lines)
    return download(file_format, title, COLUMNS, rows, f"completeness.{file_format}")
