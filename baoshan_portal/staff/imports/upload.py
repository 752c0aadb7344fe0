"""The template of a department's figures for a round, and its way back as an upload.

An upload is previewed first: every row old and new, or everything that is wrong. Between preview
and confirmation the file waits in the server's temporary folder; confirming reads it once more.
"""

import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from import_export.tmp_storages import TempFolderStorage

from measures import access, spreadsheets
from measures.models import Department, Round
from measures.trail import Action, record
from measures.watermark import file_name, watermark
from metrics.due import indicators_of
from metrics.rules.choices import Certainty

from ..entry_sheet.page import sheet_url
from ..once import taken_once
from ..typed import given_back
from .importing import Outcome
from .own_table.taking import take_file
from .reading import FileError, check_size
from .round_template import COLUMNS, template_row

#: What the browser offers to choose; what a file is, its content says.
ACCEPTED = ".xlsx,.xlsm,.xls,.et,.ods,.csv,.txt"
#: How long a preview can be confirmed, in seconds.
PREVIEW_LASTS = 3600


def urls(site) -> list:
    place = "<slug:round_code>/<slug:department_code>"
    return [
        path(
            f"template/{place}.<slug:file_format>",
            site.admin_view(template),
            name="upload-template",
        ),
        path(f"upload/{place}/", site.admin_view(upload), name="upload"),
    ]


class WaitingFile(TempFolderStorage):
    """An uploaded file between preview and confirmation, under a name that cannot be guessed."""

    prefix = "portal-upload-"

    def get_full_path(self):
        # The name has been with the reader, so it may name nothing but such a file.
        name = Path(self.name).name
        if not name.startswith(self.prefix):
            raise FileNotFoundError(name)
        return str(Path(tempfile.gettempdir()) / name)

    def save(self, data):
        self._forget_old()
        handle, name = tempfile.mkstemp(prefix=self.prefix)
        with open(handle, "wb") as file:
            file.write(data)
        self.name = Path(name).name

    def _forget_old(self):
        for file in Path(tempfile.gettempdir()).glob(f"{self.prefix}*"):
            # Another upload may forget it at the same moment, or another account own it.
            with suppress(OSError):
                if file.stat().st_mtime < time.time() - PREVIEW_LASTS:
                    file.unlink()


class UploadForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("Filled-in template"),
        widget=forms.ClearableFileInput(attrs={"accept": ACCEPTED}),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["file"].help_text = _(
            "A workbook (.xlsx, .xlsm, .xls, .et, .ods) or a text table (.csv, .txt) of up to "
            "%(limit)d MB."
        ) % {"limit": settings.UPLOAD_LIMIT_MB}

    def clean_file(self):
        file = self.cleaned_data["file"]
        try:
            check_size(file.size)
        except FileError as error:
            raise forms.ValidationError(str(error)) from None
        return file


class ConfirmForm(forms.Form):
    preview = forms.CharField(widget=forms.HiddenInput)
    submit = forms.TypedChoiceField(
        label=gettext_lazy("Write the rows"),
        choices=[
            ("0", gettext_lazy("as drafts, to be looked at again")),
            ("1", gettext_lazy("and submit them for review")),
        ],
        coerce=lambda choice: choice == "1",
        widget=forms.RadioSelect,
        initial="0",
    )


def _place(request, round_code, department_code) -> tuple[Round, Department]:
    """The round and the department of the address, if ``request.user`` reports for it."""
    round = get_object_or_404(Round, code=round_code)
    department = get_object_or_404(Department, code=department_code)
    own = access.reporting_departments(request.user, Department.objects.filter(pk=department.pk))
    if not own.exists():
        raise PermissionDenied
    return round, department


def template(request, round_code, department_code, file_format):
    """Codes, names, units and last values of what is due, with empty cells for the new values."""
    round, department = _place(request, round_code, department_code)
    if file_format not in spreadsheets.TYPES:
        raise Http404
    rows = [
        template_row(indicator, round, department) for indicator in indicators_of(round, department)
    ]
    words = {"certainty": tuple(str(certainty.label) for certainty in Certainty)}
    columns = [
        spreadsheets.Column(str(column), column.width, choices=words.get(column.key, ()))
        for column in COLUMNS
    ]
    record(
        Action.EXPORTED,
        by=request.user,
        subject=round,
        note=f"template.{file_format}, {department.code}, {len(rows)} rows",
    )
    name = file_name(f"{round.code}-{department.code}.{file_format}")
    title = watermark().replace(" /", "")
    # The first columns are found by their letters.
    return spreadsheets.download(file_format, title, columns, rows, name, last=True)


def upload(request, round_code, department_code):
    """Choose a file, see what it would change, write all of it or nothing."""
    round, department = _place(request, round_code, department_code)
    context = {
        "title": _("Upload figures"),
        "round": round,
        "department": department,
        "is_open": round.accepts(department),
        "sheet": sheet_url(round, department),
    }
    if access.mapped_departments(request.user, Department.objects.filter(pk=department.pk)):
        context["own_table"] = reverse("admin:own-table", args=[round_code, department_code])
    take = partial(take_file, round=round, department=department, by=request.user)
    done = partial(figures_written, request, context["sheet"])
    return preview(request, take, "staff/upload.html", context, done=done)


def waiting_token(request, path: str, waiting: str, name: str) -> str:
    """Signed, for the address of a page ``path``: the file ``waiting``, which came as ``name``."""
    return _token(request, path, waiting, name)


def waiting_file(request, token: str) -> tuple[str, WaitingFile]:
    """The name of a file, and the file, that ``waiting_token`` handed over to this page.

    Raises BadSignature if the token is not for this page and account, or too old.
    """
    preview, waiting = _waiting(request, token)
    return preview["name"], waiting


def preview(
    request,
    take: Callable[..., Outcome],
    page: str,
    context: dict,
    *,
    done: Callable[[Outcome, bool], HttpResponse],
    confirm_form: Callable[..., forms.Form] = ConfirmForm,
):
    """Answers a page to which files are sent: first what one would change, then it is written.

    ``take`` imports the content of a file; it is called with what ``import_figures`` takes of a
    preview and of a person's choice. ``done`` answers once all is written, told whether it is
    submitted; a confirmation that arrives twice is led where it led. ``confirm_form`` makes the
    form that asks for the choice.
    """

    def answer():
        return _preview(request, take, page, context, done, confirm_form)

    return taken_once(request, answer) if "preview" in request.POST else answer()


def _preview(request, take, page: str, context: dict, done, confirm_form):
    form, confirm, outcome = UploadForm(), None, None
    typed = given_back(request)
    given = typed.data["preview"] if typed and "preview" in typed.data else request.GET.get("file")
    if given and request.method != "POST":
        # The session ended before the confirmation, or the file comes from the page that maps it:
        # the same preview once more, nothing written.
        try:
            preview, waiting = _waiting(request, given)
            how = {"name": preview["name"], **(_answers(typed.data) if typed else {})}
            outcome = _previewed(take, waiting.read(), **how)
            agreed = _agreed(request, preview["file"], preview["name"], outcome)
            confirm = confirm_form(initial=agreed)
            if typed and "preview" in typed.data:
                confirm = confirm_form(typed.data)
        except (signing.BadSignature, FileNotFoundError):
            messages.error(request, _("This preview is over: send the file again."))
            confirm = None
    elif "preview" in request.POST:
        try:
            outcome, confirm, submitted = _confirm(request, confirm_form, take)
        except (signing.BadSignature, FileNotFoundError):
            messages.error(request, _("This preview is over: send the file again."))
            return redirect(request.path)
        if confirm is None:
            return done(outcome, submitted)
    elif request.method == "POST":
        form = UploadForm(request.POST, request.FILES)
        if form.is_valid():
            file = form.cleaned_data["file"]
            waiting = WaitingFile(read_mode="rb")
            content = file.read()
            outcome = take(content, dry_run=True)
            if not outcome.problems:
                waiting.save(content)
                confirm = confirm_form(initial=_agreed(request, waiting.name, file.name, outcome))
            elif outcome.is_no_template and "own_table" in context:
                # It may be a table of the office: the page that maps it goes on with this file.
                waiting.save(content)
                there = context["own_table"]
                token = waiting_token(request, there, waiting.name, file.name)
                context["own_table_of_file"] = f"{there}?file={token}"
    context = {
        **admin.site.each_context(request),
        "form": form,
        "confirm": confirm,
        "outcome": outcome,
        "formats": ["xlsx", "csv"],
        **context,
    }
    return TemplateResponse(request, page, context)


def _agreed(request, waiting: str, name: str, outcome: Outcome) -> dict[str, str]:
    """What the form of a confirmation begins with: that this outcome of this file was shown."""
    return {"preview": _token(request, request.path, waiting, name, outcome.digest)}


def _token(request, path: str, waiting: str, name: str, digest: str | None = None) -> str:
    content = {"path": path, "by": request.user.pk, "file": waiting, "name": name}
    return signing.dumps(content | {"digest": digest}, salt=__name__)


def _waiting(request, token: str) -> tuple[dict, WaitingFile]:
    """What was previewed here by this account, and its file.

    Raises BadSignature if ``token`` is none of a preview of this page, or too old.
    """
    preview = signing.loads(token, salt=__name__, max_age=PREVIEW_LASTS)
    if (preview["path"], preview["by"]) != (request.path, request.user.pk):
        raise signing.BadSignature
    return preview, WaitingFile(name=preview["file"], read_mode="rb")


def _confirm(request, confirm_form, take):
    """The outcome, the form to confirm it once more, None if all is written; whether to submit."""
    preview, waiting = _waiting(request, request.POST["preview"])
    name, content = preview["name"], waiting.read()
    form, how = confirm_form(request.POST), {"name": name, **_answers(request.POST)}
    if not form.is_valid():
        return _previewed(take, content, **how), form, False
    submit = form.cleaned_data.get("submit", False)
    outcome = take(content, submit=submit, expected=preview["digest"], **how)
    if outcome.problems:
        for problem in outcome.problems:
            messages.error(request, problem.message)
        again = _previewed(take, content, **how)
        agreed = _agreed(request, preview["file"], name, again)
        return again, confirm_form(initial=agreed | {"submit": str(int(submit))}), submit
    waiting.remove()
    return outcome, None, submit


def _answers(sent) -> dict[str, dict[int, str]]:
    """What was answered to warnings of the preview by row, as ``import_figures`` takes it."""
    found = {}
    for name, text in sent.items():
        key, _dash, row = name.partition("-")
        if key == "answer" and row.isdecimal() and len(row) < 8 and text.strip():
            found[int(row)] = text.strip()
    return {"answers": found} if found else {}


def _previewed(take, content: bytes, **how) -> Outcome:
    """What a file would change; with the answers to warnings, unless these cannot be kept."""
    outcome = take(content, dry_run=True, **how)
    if outcome.problems and how.pop("answers", None):
        return take(content, dry_run=True, **how)
    return outcome


def figures_written(request, then: str, outcome: Outcome, submit: bool):
    """Says how many figures were written, and leads to ``then``."""
    written = len(outcome.changes) + (outcome.drafts if submit else 0)
    message = (
        ngettext(
            "%(n)d row was written and submitted for review.",
            "%(n)d rows were written and submitted for review.",
            written,
        )
        if submit
        else ngettext(
            "%(n)d row was written as a draft.", "%(n)d rows were written as drafts.", written
        )
    )
    messages.success(request, message % {"n": written})
    return redirect(then)
