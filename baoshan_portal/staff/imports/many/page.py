"""Files for what used to be typed one by one: the list to take away, and its way back.

As with figures a file is previewed first; it waits in the server's temporary folder until somebody
confirms what the preview showed.
"""

from functools import partial

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from measures.models import User
from measures.spreadsheets import TYPES, Column, download
from measures.trail import Action, record
from measures.watermark import file_name, watermark

from ...addresses import change_url, list_url
from ..upload import ConfirmForm, preview
from .accounts import ACCOUNTS
from .core import Kind, RowsOutcome, import_rows
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


class ConfirmRowsForm(ConfirmForm):
    """``submit`` is asked only where rows are reviewed one by one."""

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
    context = {
        "title": kind.title,
        "kind": kind,
        "model": kind.model._meta,
        "back": list_url(kind.model),
        "formats": list(TYPES),
    }
    return preview(
        request,
        partial(import_rows, kind=kind, by=request.user),
        "staff/rows.html",
        context,
        done=partial(_done, request, kind),
        confirm_form=partial(ConfirmRowsForm, kind=kind),
    )


def _done(request, kind: Kind, outcome: RowsOutcome, _submitted: bool):
    written = len(outcome.changes)
    text = ngettext("%(n)d row was written.", "%(n)d rows were written.", written)
    messages.success(request, text % {"n": written})
    if made := getattr(outcome.reader, "made", None):
        return redirect(invite_address(made))
    if revision := getattr(outcome.reader, "revision", None):
        messages.warning(
            request, _("What is public waits for review: give the reason and submit the change.")
        )
        return redirect(change_url(revision))
    return redirect(list_url(kind.model))


def invite_address(users: list[User]) -> str:
    ids = ",".join(str(user.pk) for user in users)
    return reverse("admin:measures_user_invite", query={"ids": ids})
