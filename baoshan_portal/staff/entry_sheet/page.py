"""The entry sheet: every figure and note that one round asks of one department, on one page.

Each row is saved by itself: one that is refused keeps no other from being saved. With JavaScript
the page saves drafts by itself, too. What a row is and may do is in ``rows``.
"""

from contextlib import contextmanager
from hashlib import sha256

from django.conf import settings
from django.contrib import admin, messages
from django.db import IntegrityError, transaction
from django.db.models import Prefetch
from django.http import JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from measures import access, sign_off
from measures.models import Department, Measure, ProgressNote, Round
from measures.trail import in_trail_language
from measures.workflow import TransitionError, submit_each
from metrics.due import indicators_of
from metrics.models import NoFigure, Observation, Unit
from metrics.warnings import warnings_of

from ..once import taken_once
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
        indicators = list(indicators_of(round_, department))
        entries = _entries(indicators, Observation, round_)
        without = _entries(indicators, NoFigure, round_)
        self.figures = [
            FigureRow(self, row, entries[row.pk], without[row.pk]) for row in indicators
        ]
        measures = list(self._measures())
        notes = _entries(measures, ProgressNote, round_)
        self.notes = [NoteRow(self, measure, notes[measure.pk]) for measure in measures]
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

    def check(self, submitting: bool) -> None:
        """Find what speaks against saving, row by row: see ``faults``."""
        for row in self.rows:
            row.check(submitting)
        if submitting:
            for row, _value, warnings in self._warned():
                row.check_answered(warnings)

    def _warned(self) -> list[tuple[FigureRow, Observation, list[str]]]:
        """Every row with the value that stands on it and the warnings that this gives rise to."""
        shown = [(row, value) for row in self.figures if (value := row.shown())]
        found = warnings_of([value for _row, value in shown])
        return [(*pair, warnings) for pair, warnings in zip(shown, found, strict=True)]

    @property
    def faults(self) -> list[SheetRow]:
        return [row for row in self.rows if row.errors]

    def save(self, *, by, submitting: bool) -> dict[str, int]:
        """Store all rows that can be; how many were saved, submitted and removed.

        What the workflow or the database refuses is among the ``faults`` afterwards.
        """
        found = {}
        for row in self.rows:
            if row.errors:
                continue
            try:
                found[row.prefix] = row.save(by=by)
            except (TransitionError, IntegrityError) as error:
                # Somebody was faster on another page; the row as it is now says with what.
                taken = isinstance(error, IntegrityError)
                row.notices.append(str(row.taken if taken else error))
        if submitting:
            # A figure is handed in beside all others of the sheet, so they are stored before.
            found |= self._submit(by=by)
        outcomes = list(found.values())
        return {outcome: outcomes.count(outcome) for outcome in ("saved", "submitted", "removed")}

    def _submit(self, *, by) -> dict[str, str]:
        handed_in = [row for row in self.rows if row.is_handed_in and not row.errors]
        # Of what is reported together, one may be said to have no figure.
        for model in (NoFigure, Observation, ProgressNote):
            rows = [row for row in handed_in if isinstance(row.stored, model)]
            refused = submit_each([row.stored for row in rows], by=by, tell=True)
            for row in rows:
                row.notices += filter(None, [refused.get(row.stored.pk)])
        return {row.prefix: "submitted" for row in handed_in if not row.notices}

    def save_drafts(self, *, by, sitting: str) -> list[SheetRow]:
        """Store what was typed in rows that can be stored and are not empty; those rows."""
        stored = []
        for row in self.rows:
            if row.errors:
                continue
            try:
                if row.save_draft(by=by, sitting=sitting):
                    stored.append(row)
            except (TransitionError, IntegrityError) as error:
                row.notices.append(str(error))
        return stored

    def what_is_left(self) -> "Sheet":
        """The sheet as it is now, with what was sent of the rows that are not stored."""
        left = self.data.copy()
        faults = {row.prefix: row.notices for row in self.faults}
        unanswered = {row.prefix for row in self.faults if row.is_unanswered}
        for row in self.rows:
            if row.prefix not in faults:
                left.pop(f"{row.prefix}-seen", None)
        sheet = Sheet(self.round, self.department, left, self.files)
        sheet.check(submitting=False)
        for row in sheet.rows:
            row.notices = list(dict.fromkeys([*faults.get(row.prefix, ()), *row.notices]))
            row.is_unanswered = row.prefix in unanswered
            if row.is_unanswered:
                row.empty_answer()
        return sheet

    def typed(self) -> list[tuple[str, str, str]]:
        """(row, what is stored, what was typed) of every row in which somebody typed anything."""
        return [
            (f"{row.number}. {row.name}", row.stored_text, row.typed_text)
            for row in self.rows
            if row.was_sent and row.is_touched
        ]

    def prepare(self) -> None:
        """Add what the page says about the values that stand on it."""
        for row, value, found in self._warned():
            row.show_reading(value)
            row.warnings = found


def entry_sheet(request, round_code, department_code):
    """Show the sheet; or save all that was typed, as drafts or for review."""
    round_ = get_object_or_404(Round, code=round_code)
    department = get_object_or_404(Department, code=department_code)
    typed = given_back(request)
    sent = typed.data if typed else request.POST if request.method == "POST" else None
    refusal, is_theirs = _refusal(request.user, round_, department)
    if refusal:
        sheet = Sheet(round_, department, sent, {}) if is_theirs and sent else None
        return _refused(request, refusal, sheet)
    if request.method == "POST":
        if "autosave" in request.POST:
            return _save_by_itself(request, round_, department)
        return taken_once(request, lambda: _save(request, round_, department))
    sheet = Sheet(round_, department, sent, {} if typed else None)
    if typed:
        sheet.check(submitting=False)
    return _page(request, sheet)


def _save(request, round_: Round, department: Department):
    submitting = "submit" in request.POST
    with _alone_at(department):
        sheet = Sheet(round_, department, request.POST, request.FILES)
        sheet.check(submitting)
        done = sheet.save(by=request.user, submitting=submitting)
    _report(request, done, submitting, is_whole=not sheet.faults)
    if sheet.faults:
        return _page(request, sheet.what_is_left(), just_sent=True)
    return redirect(sheet_url(round_, department))


def _save_by_itself(request, round_: Round, department: Department) -> JsonResponse:
    """Save the rows that were sent as drafts, as far as they can be; no activity of a person's.

    Says when, which version of each row stands now, and which rows are not stored.
    """
    request.is_no_activity = True
    sitting = sha256(f"{request.session.session_key}".encode()).hexdigest()[:12]
    with in_trail_language():
        by_itself = _("saved by itself")
    with _alone_at(department):
        sheet = Sheet(round_, department, request.POST, {})
        sheet.check(submitting=False)
        stored = sheet.save_drafts(by=request.user, sitting=f"{by_itself} {sitting}")
    return JsonResponse(
        {
            "at": f"{timezone.localtime():%H:%M}",
            "rows": {
                row.prefix: {"seen": row.seen, "state": row.state, "icon": row.icon}
                for row in stored
            },
            "faults": [row.prefix for row in sheet.faults],
        }
    )


@contextmanager
def _alone_at(department: Department):
    """Whoever saves the same department's sheet at the same moment comes after this."""
    with transaction.atomic():
        Department.objects.select_for_update(no_key=True).get(pk=department.pk)
        yield


def _refusal(user, round_: Round, department: Department) -> tuple[str, bool]:
    """Why ``user`` may not enter anything on this sheet, "" if they may; and whether it is one of
    theirs at all."""
    theirs = access.reporting_departments(user, Department.objects.filter(pk=department.pk))
    if not theirs.exists():
        text = _("You do not enter figures for %(department)s.")
        return text % {"department": department}, False
    if round_.accepts(department):
        return "", True
    if round_.locked:
        text = _(
            "The round “%(round)s” is locked. If a figure must still go in, ask a data steward "
            "to unlock it for %(department)s."
        )
        return text % {"round": round_, "department": department}, True
    text = _("The round “%(round)s” opens on %(day)s.")
    return text % {"round": round_, "day": round_.opens_on.isoformat()}, True


def _refused(request, refusal: str, sheet: Sheet | None):
    """The sentence; and what was typed in ``sheet`` beside what is stored, to copy."""
    context = {
        **admin.site.each_context(request),
        "title": _("This sheet takes no entry"),
        "refusal": refusal,
        "typed": sheet.typed() if sheet else [],
    }
    return TemplateResponse(request, "staff/entry_sheet_refused.html", context, status=403)


def _page(request, sheet: Sheet, *, just_sent: bool = False):
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
        "just_sent": just_sent,
    }
    return TemplateResponse(request, "staff/entry_sheet.html", context)


def _report(request, done: dict[str, int], submitting: bool, *, is_whole: bool) -> None:
    """Say how many rows were submitted, saved and removed; that nothing was, if that is all."""
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
    if is_whole and not any(done.values()):
        if submitting:
            messages.warning(request, _("There is nothing to submit: no row has a figure."))
        else:
            messages.info(request, _("Nothing was changed, so nothing was saved."))


def _entries(subjects: list, model, round_: Round) -> dict[int, list]:
    """The rows of ``model`` in the round by the key of the indicator or measure they are on."""
    field = "measure" if model is ProgressNote else "indicator"
    by_key = {subject.pk: subject for subject in subjects}
    found = {key: [] for key in by_key}
    rows = model.objects.filter(**{"round": round_, f"{field}__in": subjects})
    for entry in sign_off.with_waiting(rows.select_related("entered_by", "changed_by")):
        key = getattr(entry, f"{field}_id")
        setattr(entry, field, by_key[key])
        entry.round = round_
        found[key].append(entry)
    return found
