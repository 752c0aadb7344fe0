"""The page on which a department's own table is shown once: its headers, columns and names.

A file comes from the upload of the round, which could not read it, or is sent here. It waits in
the server's temporary folder, and goes on to the preview once what was shown is kept.
"""

from django import forms
from django.contrib import admin, messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Max
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from openpyxl.utils import get_column_letter

from measures import access
from measures.models import Department, Round, Synonym
from measures.trail import Action, differences, record, snapshot
from metrics.models import Indicator, TableMapping
from metrics.rules.periods import period_text

from ...addresses import change_url
from ...typed import given_back
from ..reading import FileError
from ..upload import UploadForm, WaitingFile, waiting_file, waiting_token
from .headers import (
    LOOKED_AT,
    MARK,
    guessed_columns,
    guessed_header,
    months_of_column,
    pattern,
)
from .layout import ROLES, Layout, changed, places_of
from .names import How, Match, Matcher
from .sheets import Sheet, named_rows, sheets_of, twice
from .taking import fitting, months_in

#: Rows of the table that the page shows; those with names below are all asked for.
MOST_SHOWN = 60
OPTIONAL = ("unit", "total", "growth")


def urls(site) -> list:
    return [
        path(
            "own-table/<slug:round_code>/<slug:department_code>/",
            site.admin_view(own_table),
            name="own-table",
        )
    ]


class LayoutForm(forms.Form):
    """Where the figures stand, chosen by letter and number as a spreadsheet shows them."""

    table = forms.CharField(label=gettext_lazy("Name of the table"), max_length=100)
    sheet = forms.TypedChoiceField(label=gettext_lazy("Sheet"), coerce=int)
    first = forms.TypedChoiceField(label=gettext_lazy("Headers from row"), coerce=int)
    last = forms.TypedChoiceField(label=gettext_lazy("to row"), coerce=int)
    name = forms.TypedChoiceField(label=gettext_lazy("Names of the indicators"), coerce=int)
    unit = forms.TypedChoiceField(
        label=gettext_lazy("Units"), coerce=int, required=False, empty_value=None
    )
    value = forms.TypedChoiceField(label=gettext_lazy("Figures of this round"), coerce=int)
    total = forms.TypedChoiceField(
        label=gettext_lazy("Total of the year so far (累计)"), coerce=int, required=False,
        empty_value=None,
    )  # fmt: skip
    growth = forms.TypedChoiceField(
        label=gettext_lazy("Growth on the year before (同比)"), coerce=int, required=False,
        empty_value=None,
    )  # fmt: skip

    def __init__(self, *args, sheets: list[Sheet], sheet: Sheet, rows: tuple[int, int], **kwargs):
        super().__init__(*args, **kwargs)
        headers = sheet.headers(*rows)
        numbers = [(line.number, str(line.number)) for line in sheet.lines[:LOOKED_AT]]
        columns = [(at, _column(at, header)) for at, header in enumerate(headers)]
        self.fields["sheet"].choices = [(n, one.name or "1") for n, one in enumerate(sheets)]
        self.fields["first"].choices = self.fields["last"].choices = numbers
        for role in ROLES:
            none = [("", _("– none –"))] if role in OPTIONAL else []
            self.fields[role].choices = [*none, *columns]

    def clean(self):
        cleaned = super().clean()
        if {"first", "last"} <= cleaned.keys() and cleaned["last"] < cleaned["first"]:
            self.add_error("last", _("The headers end before they begin."))
        return cleaned


class Shown:
    """A file with what is chosen for it so far: what was sent, else what was kept, else a guess."""

    def __init__(self, content: bytes, round_: Round, department: Department, data):
        self.round, self.department, self.data = round_, department, data
        self.sheets, _hidden = sheets_of(content)
        self.end = round_.period_end
        mappings = TableMapping.objects.in_force(department)
        months = months_in(round_)
        self.fit = fitting(self.sheets, [row for row in mappings if row.months == months])
        self.before = self.fit[0] if self.fit else None
        self._choose_rows()
        self.form = LayoutForm(
            data, initial=self._initial(), sheets=self.sheets, sheet=self.sheet,
            rows=(self.first, self.last),
        )  # fmt: skip
        self.parts = self.sheet.parts(self.first, self.last)
        self.headers = [" ".join(parts) for parts in self.parts]
        self.places = self._places()
        self.rows = named_rows(self.sheet, self.last, self.places["name"], self.places["unit"])
        self.indicators = list(
            Indicator.objects.filter(measure__lead=department)
            .not_withdrawn().select_related("unit", "measure").order_by("name", "code")
        )  # fmt: skip
        self.matches, self.columns = self._matches()

    def _number(self, name: str, otherwise: int, allowed) -> int:
        text = self.data.get(name, "") if self.data else ""
        number = int(text) if text.isdecimal() and len(text) < 6 else otherwise
        return number if number in allowed else otherwise

    def _choose_rows(self) -> None:
        fit_sheet = self.sheets.index(self.fit[2].sheet) if self.fit else 0
        self.sheet_at = self._number("sheet", fit_sheet, range(len(self.sheets)))
        self.sheet = self.sheets[self.sheet_at]
        if self.fit and self.fit[2].sheet is self.sheet:
            first, last = self.fit[2].first, self.fit[2].last
        else:
            first, last = guessed_header(self.sheet)
        numbers = [line.number for line in self.sheet.lines[:LOOKED_AT]]
        self.first = self._number("first", first, numbers)
        self.last = max(self.first, self._number("last", last, numbers))

    def _initial(self) -> dict:
        parts = self.sheet.parts(self.first, self.last)
        guess = guessed_columns(parts, self.round.period_start, self.end)
        if self.fit:
            _mapping, layout, found = self.fit
            for role in ROLES:
                # What was kept and is still there; of the rest, a guess.
                there = places_of(found, getattr(layout, role), self.end)
                if len(there) == 1:
                    guess[role] = there[0]
        title = next(iter(self.sheet.titles(self.first)), "") or self.sheet.name
        name = self.before.name if self.before else pattern(title, self.end)[:100]
        name = MARK.sub("", name)
        return {
            "table": name or "1", "sheet": self.sheet_at, "first": self.first, "last": self.last,
            **guess,
        }  # fmt: skip

    def _places(self) -> dict[str, int | None]:
        initial, columns = self.form.initial, range(len(self.headers))
        found = {}
        for role in ROLES:
            if self.data and role in self.data and self.data[role] == "":
                found[role] = None
            else:
                found[role] = self._number(role, initial[role], columns)
        found["name"] = found["name"] or 0
        return found

    def _matches(self) -> tuple[list[Match], list[int | None]]:
        synonyms = dict(Synonym.objects.values_list("term", "meaning"))
        proposed = Matcher(self.indicators, synonyms).match_all(self.rows)
        by_code = {row.code: row for row in self.indicators}
        kept = self.before.indicators if self.before else {}
        matches, columns = [], []
        for row, match in zip(self.rows, proposed, strict=True):
            if row.key in kept:
                match = Match(by_code.get(kept[row.key]["code"]), How.HAND)
            column = self._kept_column(kept.get(row.key, {}).get("column", ""))
            name = f"code-{row.line.number}"
            if self.data and name in self.data:
                code = self.data[name]
                if code != (match.indicator.code if match.indicator else ""):
                    match = Match(by_code.get(code), How.HAND)
                column = self._number(f"column-{row.line.number}", -1, range(len(self.headers)))
            matches.append(match)
            columns.append(None if column is None or column < 0 else column)
        return matches, columns

    def _kept_column(self, header: str) -> int | None:
        there = places_of(self.fit[2], header, self.end) if header and self.fit else []
        return there[0] if len(there) == 1 else None

    # What the page shows

    def lines(self) -> list[tuple[int, bool, list[str]]]:
        """The rows of the sheet as they stand: number, whether of the header, cells."""
        return [
            (
                line.number,
                self.first <= line.number <= self.last,
                [line.cell(at) for at in range(self.sheet.width)],
            )
            for line in self.sheet.lines[:MOST_SHOWN]
        ]

    def letters(self) -> list[str]:
        roles = {at: role for role, at in self.places.items() if at is not None}
        labels = self.form.fields
        return [
            (get_column_letter(at + 1), str(labels[roles[at]].label) if at in roles else "")
            for at in range(self.sheet.width)
        ]

    def choices(self) -> list[dict]:
        """For each named row: what stands there, the indicators and the columns to choose from."""
        options = [(row.code, f"{row.name}（{row.unit.name}）") for row in self.indicators]
        columns = [(at, _column(at, header)) for at, header in enumerate(self.headers)]
        found = []
        for row, match, column in zip(self.rows, self.matches, self.columns, strict=True):
            chosen = match.indicator.code if match.indicator else ""
            value = self.places["value"] if column is None else column
            label = _("Indicator of row %(row)d") % {"row": row.line.number}
            of_column = _("Column of row %(row)d") % {"row": row.line.number}
            found.append({
                "row": row,
                "figure": row.line.cell(value),
                "how": match.how.label,
                "is_near": match.how == How.NEAR,
                "indicator": forms.Select(
                    attrs={"aria-label": label}, choices=[("", _("– leave out –")), *options]
                ).render(f"code-{row.line.number}", chosen),
                "column": forms.Select(
                    attrs={"aria-label": of_column}, choices=[("", _("as above")), *columns]
                ).render(f"column-{row.line.number}", "" if column is None else column),
            })  # fmt: skip
        return found

    def changed(self) -> str:
        """How the table differs from the version that was kept; '' if it does not."""
        if not self.fit:
            return ""
        return str(changed(self.fit[2], self.fit[1], self.end))

    # What is kept

    def faults(self) -> list[str]:
        """Why this cannot be kept, in sentences."""
        found = []
        if self.places["value"] is None:
            found.append(_("No column holds the figures of this round."))
        used = {column for column in self.columns if column is not None} | {self.places["value"]}
        for at in sorted(used - {None}):
            found += self._faults_of_column(at)
        chosen = [match.indicator for match in self.matches if match.indicator]
        if not chosen:
            found.append(_("No row means an indicator yet."))
        for row in {row.pk: row for row in chosen if chosen.count(row) > 1}.values():
            found.append(_("Several rows mean “%(indicator)s”.") % {"indicator": row})
        for row in twice(self.rows):
            found.append(
                _("Row %(row)d has the name of another one, “%(name)s”: say in the table of which "
                  "each is a part.")
                % {"row": row.line.number, "name": row.name}
            )  # fmt: skip
        return found

    def _faults_of_column(self, at: int) -> list[str]:
        header, place = self.headers[at], _column(at, self.headers[at])
        if not header:
            return [_("The column %(column)s has no header.") % {"column": place}]
        if self.headers.count(header) > 1:
            return [
                _("Several columns are called “%(column)s”: give them different headers, or take "
                  "more rows as headers.")
                % {"column": header}
            ]  # fmt: skip
        said = months_of_column(self.parts[at], self.end)
        if said and (said[0], said[1][1]) != (self.end.year, self.end.month):
            return [
                _("The column %(column)s does not end with the period of this round, %(period)s.")
                % {
                    "column": place,
                    "period": period_text(self.round.period_start, self.round.period_end),
                }
            ]
        return []

    def mapping(self) -> TableMapping:
        """The next version of what is shown, not written yet."""
        layout = Layout.of(self.sheet, self.first, self.last, self.places, self.end)
        indicators = {
            row.key: {
                "code": match.indicator.code if match.indicator else "",
                "column": "" if column is None else layout.columns[column],
            }
            for row, match, column in zip(self.rows, self.matches, self.columns, strict=True)
        }
        return TableMapping(
            department=self.department, name=self.form.cleaned_data["table"],
            months=months_in(self.round), layout=layout.kept(), indicators=indicators,
        )  # fmt: skip


def _column(at: int, header: str) -> str:
    return f"{get_column_letter(at + 1)} {header}".strip()


def own_table(request, round_code, department_code):
    """Sends a file here, or shows the one that waits, until what it means is kept."""
    round_ = get_object_or_404(Round, code=round_code)
    department = get_object_or_404(Department, code=department_code)
    own = Department.objects.filter(pk=department.pk)
    if not access.mapped_departments(request.user, own).exists():
        raise PermissionDenied
    enters = access.reporting_departments(request.user, own).exists()
    context = {
        **admin.site.each_context(request),
        "title": _("A table of your own"),
        "round": round_,
        "department": department,
        "enters": enters,
        "form": UploadForm(),
        "mappings": TableMapping.objects.in_force(department),
    }
    if "file" in request.GET:
        try:
            name, waiting = waiting_file(request, request.GET["file"])
            typed = given_back(request)
            data = request.POST if request.method == "POST" else typed.data if typed else None
            shown = Shown(waiting.read(), round_, department, data)
        except (signing.BadSignature, FileNotFoundError):
            messages.error(request, _("This preview is over: send the file again."))
            return redirect(request.path)
        except FileError as error:
            messages.error(request, str(error))
            return redirect(request.path)
        if "keep" in request.POST and shown.form.is_valid():
            context["faults"] = shown.faults()
            if not context["faults"]:
                return _kept(request, shown, waiting.name, name, enters)
        return TemplateResponse(request, "staff/own_table.html", context | {"shown": shown})
    if request.method == "POST":
        context["form"] = form = UploadForm(request.POST, request.FILES)
        if form.is_valid():
            file = form.cleaned_data["file"]
            waiting = WaitingFile(read_mode="rb")
            waiting.save(file.read())
            token = waiting_token(request, request.path, waiting.name, file.name)
            return redirect(f"{request.path}?file={token}")
    return TemplateResponse(request, "staff/own_table.html", context)


def _kept(request, shown: Shown, waiting: str, name: str, enters: bool):
    mapping = keep(shown.mapping(), by=request.user)
    text = _("Kept as version %(number)d of “%(table)s”: such a table is understood from now on.")
    messages.success(request, text % {"number": mapping.number, "table": mapping.name})
    if not enters:
        return redirect(change_url(mapping))
    there = reverse("admin:upload", args=[shown.round.code, shown.department.code])
    token = waiting_token(request, there, waiting, name)
    return redirect(f"{there}?file={token}")


def keep(mapping: TableMapping, *, by) -> TableMapping:
    """Writes ``mapping`` as the next version of its table; the newest one if it says the same."""
    same = TableMapping.objects.filter(
        department=mapping.department, name=mapping.name, months=mapping.months
    )
    for _attempt in range(3):
        newest = same.order_by("-number").first()
        said = ("layout", "indicators")
        if newest and all(getattr(newest, name) == getattr(mapping, name) for name in said):
            return newest
        mapping.number = (same.aggregate(Max("number"))["number__max"] or 0) + 1
        mapping.by = by
        mapping.full_clean()
        try:
            with transaction.atomic():
                mapping.save(force_insert=True)
                before = snapshot(newest, ("number", *said)) if newest else {}
                old, new = differences(before, snapshot(mapping, ("number", *said)))
                record(Action.ENTERED, by=by, subject=mapping, before=old, after=new)
        except IntegrityError:
            # Somebody else kept a version at the same moment; ours is the next one.
            mapping.pk = None
            continue
        return mapping
    raise IntegrityError("three versions of one table at the same moment")
