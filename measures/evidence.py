"""Files that prove what staff report: what is accepted, under which name, and where it is kept."""

import re
import secrets
import unicodedata
from contextlib import suppress
from pathlib import PurePath, PurePosixPath

from django.core.exceptions import ValidationError
from django.core.validators import FileExtensionValidator
from django.db import transaction
from django.utils.translation import gettext as _

LARGEST = 10 * 1024 * 1024
#: How the content of each kind of file begins; what is text begins as it likes.
_PDF, _OLE, _ZIP = (b"%PDF",), (b"\xd0\xcf\x11\xe0",), (b"PK\x03\x04", b"PK\x05\x06")
BEGINNINGS = {
    "pdf": _PDF, "ofd": _ZIP, "zip": _ZIP,
    "png": (b"\x89PNG",), "jpg": (b"\xff\xd8\xff",), "jpeg": (b"\xff\xd8\xff",),
    "gif": (b"GIF8",), "tif": (b"II*\0", b"MM\0*"), "tiff": (b"II*\0", b"MM\0*"),
    "docx": _ZIP, "xlsx": _ZIP, "pptx": _ZIP, "odt": _ZIP, "ods": _ZIP, "odp": _ZIP,
    "doc": (*_OLE, *_ZIP, b"{\\rtf"), "xls": (*_OLE, *_ZIP), "ppt": (*_OLE, *_ZIP),
    # WPS Office writes the same two containers under names of its own.
    "wps": (*_OLE, *_ZIP), "et": (*_OLE, *_ZIP), "dps": (*_OLE, *_ZIP),
    "rtf": (b"{\\rtf",), "csv": (), "txt": (),
}  # fmt: skip
EXTENSIONS = tuple(BEGINNINGS)
#: What the column of a file's path holds
LONGEST_PATH = 100
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")

validate_extension = FileExtensionValidator(EXTENSIONS)


def validate_size(file) -> None:
    """Raises ValidationError for a file over 10 MB, an empty one, and one that is not what its
    name says. Migrations name this function."""
    if file.size > LARGEST:
        raise ValidationError(_("The file is larger than 10 MB."))
    extension = PurePath(file.name).suffix.lower().lstrip(".")
    if getattr(file, "_committed", False) or extension not in BEGINNINGS:
        return  # It was checked when it came; what is no such file is refused by its name.
    file.seek(0)
    begin = file.read(1024)
    file.seek(0)
    if not begin:
        raise ValidationError(_("The file is empty."))
    known = BEGINNINGS[extension]
    fits = begin.lstrip(b"\xef\xbb\xbf\r\n\t ").startswith(known) if known else _is_text(begin)
    if not fits:
        raise ValidationError(
            _("The content of this file is no %(extension)s: save it again in its program."),
            params={"extension": f".{extension}"},
        )


def _is_text(begin: bytes) -> bool:
    return begin.startswith(_UTF_16) or b"\0" not in begin


def evidence_path(row, name: str) -> str:
    """Where a file of ``row`` is kept: in a folder of its own, under its own name, cleaned."""
    folder = f"evidence/{row._meta.model_name}/{row.code[:32]}-{secrets.token_hex(4)}"
    return f"{folder}/{clean_name(name, LONGEST_PATH - len(folder) - 1)}"


def clean_name(name: str, longest: int) -> str:
    """``name`` without folders, signs that a disk or a header cannot carry, and too much length;
    the end, which says what kind of file it is, stays."""
    name = unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1])
    stem, suffix = PurePath(name).stem, PurePath(name).suffix.lower()
    # Brackets are common in names of documents; the disk's own rule would swallow them.
    stem = re.sub(r"[\s()（）\[\]【】〔〕《》]+", "_", stem)
    stem = re.sub(r"[^-\w.]", "", stem).strip("._-") or "file"
    return stem[: longest - len(suffix)] + suffix


def shown_name(path: str) -> str:
    """What a file is called for whoever may see it."""
    return PurePosixPath(path).name


def file_of(row):
    """The evidence file of ``row``; None for rows that have none, or no such field."""
    return getattr(row, "evidence_file", None) or None


def discard_after_commit(row, path: str) -> None:
    """Removes the file ``path`` once the transaction is written, unless another row names it: a
    correction keeps the file of what it supersedes."""

    def discard() -> None:
        field = type(row)._meta.get_field("evidence_file")
        if not type(row)._base_manager.filter(evidence_file=path).exists():
            discard_now(field.storage, path)

    transaction.on_commit(discard)


def discard_now(storage, path: str) -> None:
    """Removes a file and the folder that was its own."""
    with suppress(OSError):
        storage.delete(path)
        folder = str(PurePosixPath(path).parent)
        # Files from before have no folder of their own.
        if folder.count("/") == 2:
            storage.delete(folder)
