"""Zip archives, looked at before anything of them is unpacked."""

import zipfile

from django.utils.translation import gettext as _

from ..reading import FileError

#: Of the parts of a workbook together, once unpacked. A full table takes about 15 MB.
LARGEST_UNPACKED = 40 * 1024 * 1024
#: Tags in all parts together, two for each element that is not empty: a library takes up to 0.5 KB
#: for what 4 bytes say. A table of 20,000 rows and 20 columns has two million.
MOST_TAGS = 3_000_000
#: What is unpacked at once to be looked at.
PIECE = 1024 * 1024


def check_archive(archive: zipfile.ZipFile) -> None:
    """Refuses what would unpack to more than memory should hold, before anything is unpacked.

    zipfile never unpacks more than a part declares, if it is stored or deflated.
    """
    parts = archive.infolist()
    plain_parts = all(
        part.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for part in parts
    )
    if sum(part.file_size for part in parts) > LARGEST_UNPACKED or not plain_parts:
        raise FileError(
            _("The .xlsx file unpacks to more than %(limit)d MB; send the bare table.")
            % {"limit": LARGEST_UNPACKED // 1024 // 1024}
        )
    if sum(_tags(archive, part) for part in parts) > MOST_TAGS:
        raise FileError(
            _(
                "The .xlsx file holds more cells or formats than a table needs: copy the cells "
                "that are filled in into a new file and send that."
            )
        )


def _tags(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> int:
    """How many tags a part has at the most."""
    with archive.open(part) as unpacked:
        return sum(piece.count(b"<") for piece in iter(lambda: unpacked.read(PIECE), b""))
