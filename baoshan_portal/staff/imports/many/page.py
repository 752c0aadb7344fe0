"""Files for what used to be typed one by one: the list to take away, and its way back.

As with figures a file is previewed first; it waits in the server's temporary folder until somebody
confirms what the preview showed.
"""

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.templatetags.admin_urls import admin_urlname
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from measures.models import User
from measures.spreadsheets import TYPES, Column, download
from measures.trail import Action, record
from measures.watermark import file_name, watermark

from ...once import taken_once
from ..importing import Outcome
from ..upload import PREVIEW_LASTS, UploadForm, WaitingFile
from .accounts import ACCOUNTS
from .core import Kind, Reader, import_rows
from .leads import LEADS
from .structure import STRUCTURE
from .synonyms import SYNONYMS
from .targets import TARGETS

KINDS = {kind.key: kind for kind in (ACCOUNTS, LEADS, STRUCTURE, SYNONYMS, TARGETS)}


def urls(site) -> list:
    return [
        path("rows/<slug:key>.<slug:file_format>", site.admin_view(template), name="rows-file"),
        path("rows/<slug:key>/", site.admin_view(upload), name="rows"),
    ]


def kinds_for(user, model) -> list[Kind]:
    """What ``user`` may send files of, from the list of ``model``."""
    return [kind for kind in KINDS.values() if kind.model is model and kind.may(user)]


class ConfirmForm(forms.Form):
    """``preview`` is signed; ``submit`` is asked only where rows are reviewed one by one."""

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

    def __init__(self, *args, kind: Kind, **kwargs):
        super().__init__(*args, **kwargs)
        if not kind.is_submitted:
            del self.fields["submit"]


def _kind(request, key: str) -> Kind:
    kind = KINDS.get(key)
    if kind is None:
        raise Http404
    if not kind.may(request.user):
        raise PermissionDenied
    return kind


def template(request, key, file_format):
    """All rows that stand in the portal, to be changed and added to."""
    kind = _kind(request, key)
    if file_format not in TYPES:
        raise Http404
    choices, rows = kind.choices(), kind.reader(request.user).rows()
    columns = [
        Column(str(column), column.width, choices=choices.get(column.key, ()))
        for column in kind.columns
    ]
    note = f"{kind.model._meta.label_lower}: {key}.{file_format}, {len(rows)} rows"
    record(Action.EXPORTED, by=request.user, note=note)
    title = watermark().replace(" /", "")
    name = file_name(f"{key}.{file_format}")
    return download(file_format, title, columns, rows, name, last=True)


def upload(request, key):
    """Choose a file, see what it would change, write all of it or nothing."""
    kind = _kind(request, key)
    if "preview" in request.POST:
        return taken_once(request, lambda: _upload(request, kind))
    return _upload(request, kind)


def _upload(request, kind: Kind):
    form, confirm, outcome = UploadForm(), None, None
    if "preview" in request.POST:
        try:
            preview, waiting = _waiting(request)
            content = waiting.read()
        except (signing.BadSignature, FileNotFoundError):
            messages.error(request, _("This preview is over: send the file again."))
            return redirect(request.path)
        confirm = ConfirmForm(request.POST, kind=kind)
        if confirm.is_valid():
            how = {"submit": confirm.cleaned_data.get("submit", False), "name": preview["name"]}
            outcome, reader = import_rows(
                content, kind, by=request.user, expected=preview["digest"], **how
            )
            if not outcome.problems:
                waiting.remove()
                return _done(request, kind, outcome, reader)
            for problem in outcome.problems:
                messages.error(request, problem.message)
        outcome, _reader = import_rows(content, kind, by=request.user, dry_run=True)
        confirm = _confirmation(request, kind, preview["file"], preview["name"], outcome)
    elif request.method == "POST":
        form = UploadForm(request.POST, request.FILES)
        if form.is_valid():
            file = form.cleaned_data["file"]
            content = file.read()
            outcome, _reader = import_rows(content, kind, by=request.user, dry_run=True)
            if outcome.changes and not outcome.problems:
                waiting = WaitingFile(read_mode="rb")
                waiting.save(content)
                confirm = _confirmation(request, kind, waiting.name, file.name, outcome)
    context = {
        **admin.site.each_context(request),
        "title": kind.title,
        "kind": kind,
        "model": kind.model._meta,
        "back": _list_of(kind),
        "form": form,
        "confirm": confirm,
        "outcome": outcome,
        "formats": list(TYPES),
    }
    return TemplateResponse(request, "staff/rows.html", context)


def _confirmation(request, kind, waiting: str, name: str, outcome: Outcome) -> ConfirmForm:
    token = signing.dumps(
        {"path": request.path, "by": request.user.pk, "file": waiting, "name": name,
         "digest": outcome.digest},
        salt=__name__,
    )  # fmt: skip
    return ConfirmForm(initial={"preview": token}, kind=kind)


def _waiting(request) -> tuple[dict, WaitingFile]:
    preview = signing.loads(request.POST["preview"], salt=__name__, max_age=PREVIEW_LASTS)
    if (preview["path"], preview["by"]) != (request.path, request.user.pk):
        raise signing.BadSignature
    return preview, WaitingFile(name=preview["file"], read_mode="rb")


def _done(request, kind: Kind, outcome: Outcome, reader: Reader):
    written = len(outcome.changes)
    text = ngettext("%(n)d row was written.", "%(n)d rows were written.", written)
    messages.success(request, text % {"n": written})
    if made := getattr(reader, "made", None):
        return redirect(invite_address(made))
    if revision := getattr(reader, "revision", None):
        messages.warning(
            request, _("What is public waits for review: give the reason and submit the change.")
        )
        return redirect(admin_address(revision))
    return redirect(_list_of(kind))


def invite_address(users: list[User]) -> str:
    ids = ",".join(str(user.pk) for user in users)
    return reverse("admin:measures_user_invite", query={"ids": ids})


def admin_address(row) -> str:
    return reverse(admin_urlname(row._meta, "change"), args=[row.pk])


def _list_of(kind: Kind) -> str:
    return reverse(admin_urlname(kind.model._meta, "changelist"))
