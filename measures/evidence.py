"""Files that prove what staff report: what is accepted, and where it is kept."""

from pathlib import PurePath

from django.core.exceptions import ValidationError
from django.core.validators import FileExtensionValidator
from django.utils.translation import gettext as _

LARGEST = 10 * 1024 * 1024
EXTENSIONS = ("pdf", "png", "jpg", "jpeg", "doc", "docx", "xls", "xlsx", "ofd", "zip")

validate_extension = FileExtensionValidator(EXTENSIONS)


def validate_size(file) -> None:
    """Raises ValidationError for a file over 10 MB."""
    if file.size > LARGEST:
        raise ValidationError(_("The file is larger than 10 MB."))


def evidence_path(row, name: str) -> str:
    """Where a file of ``row`` is kept: by the row's code, so that names never collide."""
    return f"evidence/{row._meta.model_name}/{row.code}{PurePath(name).suffix.lower()}"
