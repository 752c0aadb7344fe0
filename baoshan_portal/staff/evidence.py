"""Evidence files, handed out to staff who may see the row that they prove, and to nobody else."""

from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404
from django.urls import path, reverse
from django.utils.translation import gettext as _

from measures import access
from measures.evidence import file_of, shown_name
from measures.models import MeasureState, ProgressNote
from measures.submission import Submission
from metrics.models import Observation

KINDS = {model._meta.model_name: model for model in (Observation, ProgressNote, MeasureState)}


def urls(site) -> list:
    address = "evidence/<slug:kind>/<path:name>"
    return [path(address, site.admin_view(evidence), name="evidence")]


def evidence_url(row: Submission) -> str:
    """The address of the row's evidence file, "" if there is none, or can be none."""
    if not file_of(row):
        return ""
    _folder, kind, name = row.evidence_file.name.split("/", 2)
    return reverse("admin:evidence", args=[kind, name])


def evidence(request, kind, name):
    """The file ``name`` of a row of such a kind, always as a download, never shown inline."""
    model = KINDS.get(kind)
    if model is None:
        raise Http404(_("There is no such evidence file."))
    if not request.user.has_perm(f"{model._meta.app_label}.view_{kind}"):
        raise PermissionDenied
    # A correction keeps the file of the row that it supersedes, so several rows may name it.
    rows = access.visible(request.user, model.objects.all())
    row = rows.filter(evidence_file=f"evidence/{kind}/{name}").first()
    if row is None:
        raise Http404(_("There is no such evidence file."))
    try:
        file = row.evidence_file.open("rb")
    except FileNotFoundError as error:
        raise Http404(_("This evidence file is missing on the server.")) from error
    return FileResponse(
        file,
        as_attachment=True,
        filename=shown_name(row.evidence_file.name),
        headers={"X-Content-Type-Options": "nosniff"},
    )
