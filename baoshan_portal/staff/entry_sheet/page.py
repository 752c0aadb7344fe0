"""The entry sheet: every figure and note that one round asks of one department, on one page.

All rows are saved, or none. What a row is and may do is in ``rows``.
"""

from django.conf import settings
from django.contrib import admin, messages
from django.db import IntegrityError, transaction
from django.db.models import Prefetch
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from measures import access
from measures.models import Department, Measure, ProgressNote, Round
from measures.workflow import TransitionError
from metrics.due import indicators_of
from metrics.models import Observation, Unit
from metrics.warnings import warnings_of

from ..typed import given_back
from .rows import FigureRow, NoteRow, SheetRow


def urls(site) -> list:
    return [
        path(
            "entry/<slug:round_code>/<slug:department_code>/",
            site.admin_view(entry_sheet),
            name="entry-sheet",
        )
    ]


def sheet_url(round_: Round, department: Department) -> str:
    return reverse("admin:entry-sheet", args=[round_.code, department.code])


class Sheet:
    """All rows of one round and department; as many queries for any number of rows."""

    def __init__(self, round_: Round, department: Department, data=None, files=None):
        self.round, self.department, self.data, self.files = round_, department, data, files
        self.units = {unit.name: unit for unit in Unit.objects.all()}
        self.figures = [
            FigureRow(self, indicator, entries)
            for indicator, entries in _with_entries(
                indicators_of(round_, department), Observation, self.round
            )
        ]
        self.notes = [
            NoteRow(self, measure, entries)
            for measure, entries in _with_entries(self._measures(), ProgressNote, self.round)
        ]
        for number, row in enumerate(self.rows, start=1):
            row.number = number

    def _measures(self):
        notes = ProgressNote.objects.published().order_by("-happened_on", "-pk")
        return (
            Measure.objects.filter(lead=self.department)
            .with_place()
            .prefetch_related(Prefetch("notes", notes, to_attr="loaded_notes"))
        )

    @property
    def rows(self) -> list[SheetRow]:
        return [*self.figures, *self.notes]

    @property
    def entered(self) -> int:
        return sum(row.is_entered for row in self.figures)

    @property
    def drafts(self) -> int:
        return sum(row.stored is not None and row.is_open for row in self.rows)

    @property
    def returned(self) -> list[SheetRow]:
        return [row for row in self.rows if row.return_reason]

    def is_valid(self, submitting: bool) -> bool:
        for row in self.rows:
            row.check(submitting)
        return not self.faults

    @property
    def faults(self) -> list[SheetRow]:
        return [row for row in self.rows if row.errors]

    def save(self, *, by, submitting: bool) -> dict[str, int]:
        """Store all rows; how many were saved, submitted and removed."""
        done = dict.fromkeys(("saved", "submitted", "removed"), 0)
        for row in self.rows:
            try:
                outcome = row.save(by=by, submitting=submitting)
            except (TransitionError, IntegrityError) as error:
                raise NotSaved(row, error) from error
            if outcome:
                done[outcome] += 1
        return done

    def prepare(self) -> None:
        """Add what the page says about the values that stand on it."""
        shown = [(row, value) for row in self.figures if (value := row.shown())]
        for (row, value), found in zip(
            shown, warnings_of([value for _row, value in shown]), strict=True
        ):
            row.show_reading(value)
            row.warnings = found


class NotSaved(Exception):
    """A row was refused while the sheet was written; nothing of the sheet was stored."""

    def __init__(self, row: SheetRow, error: Exception):
        super().__init__(str(row.taken if isinstance(error, IntegrityError) else error))
        self.prefix = row.prefix


def entry_sheet(request, round_code, department_code):
    """Show the sheet; or save all that was typed, as drafts or for review."""
    round_ = get_object_or_404(Round, code=round_code)
    department = get_object_or_404(Department, code=department_code)
    if refusal := _refusal(request.user, round_, department):
        return _refused(request, refusal)
    if request.method != "POST":
        typed = given_back(request)
        sheet = Sheet(round_, department, typed and typed.data, typed and {})
        if typed:
            sheet.is_valid(submitting=False)
        return _page(request, sheet)
    submitting = "submit" in request.POST
    try:
        with transaction.atomic():
            # Whoever saves the same department's sheet at the same moment comes after this.
            Department.objects.select_for_update(no_key=True).get(pk=department.pk)
            sheet = Sheet(round_, department, request.POST, request.FILES)
            if sheet.is_valid(submitting):
                done = sheet.save(by=request.user, submitting=submitting)
                _report(request, done, submitting)
                return redirect(sheet_url(round_, department))
    except NotSaved as error:
        # Somebody was faster on another page; the sheet as it is now says with what.
        sheet = Sheet(round_, department, request.POST, request.FILES)
        if sheet.is_valid(submitting):
            row = next(row for row in sheet.rows if row.prefix == error.prefix)
            row.notices.append(str(error))
    return _page(request, sheet)


def _refusal(user, round_: Round, department: Department) -> str:
    """Why ``user`` may not enter anything on this sheet; "" if they may."""
    theirs = access.reporting_departments(user, Department.objects.filter(pk=department.pk))
    if not theirs.exists():
        return _("You do not enter figures for %(department)s.") % {"department": department}
    if round_.accepts(department):
        return ""
    if round_.locked:
        return _(
            "The round “%(round)s” is locked. If a figure must still go in, ask a data steward "
            "to unlock it for %(department)s."
        ) % {"round": round_, "department": department}
    return _("The round “%(round)s” opens on %(day)s.") % {
        "round": round_,
        "day": round_.opens_on.isoformat(),
    }


def _refused(request, refusal: str):
    context = {
        **admin.site.each_context(request),
        "title": _("This sheet takes no entry"),
        "refusal": refusal,
    }
    return TemplateResponse(request, "staff/entry_sheet_refused.html", context, status=403)


def _page(request, sheet: Sheet):
    sheet.prepare()
    today = timezone.localdate()
    context = {
        **admin.site.each_context(request),
        "title": _("Entry sheet"),
        "is_nav_sidebar_enabled": False,
        "sheet": sheet,
        "days_left": (sheet.round.due_on - today).days,
        "days_late": (today - sheet.round.due_on).days,
        "idle_minutes": settings.IDLE_MINUTES,
    }
    return TemplateResponse(request, "staff/entry_sheet.html", context)


def _report(request, done: dict[str, int], submitting: bool) -> None:
    """Say how many rows were submitted, saved and removed."""
    if n := done["submitted"]:
        text = ngettext(
            "%(n)d row was submitted for review.", "%(n)d rows were submitted for review.", n
        )
        messages.success(request, text % {"n": n})
    if n := done["saved"]:
        text = ngettext("%(n)d row was saved as a draft.", "%(n)d rows were saved as drafts.", n)
        messages.success(request, text % {"n": n})
    if n := done["removed"]:
        text = ngettext(
            "%(n)d row that you emptied was removed.",
            "%(n)d rows that you emptied were removed.",
            n,
        )
        messages.success(request, text % {"n": n})
    if not any(done.values()):
        if submitting:
            messages.warning(request, _("There is nothing to submit: no row has a figure."))
        else:
            messages.info(request, _("Nothing was changed, so nothing was saved."))


def _with_entries(subjects, model, round_):
    """Every subject with its entries in the round."""
    subjects = list(subjects)
    field = "indicator" if model is Observation else "measure"
    entries = {subject.pk: [] for subject in subjects}
    rows = model.objects.filter(**{"round": round_, f"{field}__in": subjects})
    for entry in rows.select_related("entered_by", "changed_by"):
        subject = entries[getattr(entry, f"{field}_id")]
        subject.append(entry)
    for subject in subjects:
        for entry in entries[subject.pk]:
            setattr(entry, field, subject)
            entry.round = round_
        yield subject, entries[subject.pk]
