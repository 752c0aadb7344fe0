"""What was made once and is kept: a folder that may fail without failing a page, bounded in bytes.

What cannot be read is made again, what cannot be kept is made each time. Used by Django's
``CACHES``.
"""

import logging
import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from django.core.cache.backends.filebased import DEFAULT_TIMEOUT, FileBasedCache

logger = logging.getLogger(__name__)

#: In one of so many writes the folder is measured, which takes a moment for each of its files.
MEASURED = 50
#: The part of the most that is left when the oldest have been taken away.
LEFT = 0.8


class KeptFiles(FileBasedCache):
    """Django's files, where a folder that is full, read-only, away or damaged is an empty one.

    ``OPTIONS["MAX_BYTES"]`` bounds all of them together, give or take ``MEASURED`` files; what was
    written first goes first.
    """

    def __init__(self, folder, params):
        # Django's own bound is a number of files, counted at every write.
        self.most = params.setdefault("OPTIONS", {}).get("MAX_BYTES", 256 * 1024 * 1024)
        try:
            super().__init__(folder, params)
        except OSError as error:
            logger.warning("There is no folder for what is kept: %s", error)

    def get(self, key, default=None, version=None):
        try:
            return super().get(key, default, version)
        # What reading damaged bytes raises is no closed list.
        except Exception as error:
            logger.warning("What was kept cannot be read: %s", error)
            return default

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        try:
            super().set(key, value, timeout, version)
        except OSError as error:
            logger.warning("Something was not kept: %s", error)

    def _cull(self):
        if random.randrange(MEASURED):
            return
        trim(Path(self._dir), self.most)


def trim(folder: Path, most: int) -> None:
    """Takes away what was written first, where the files of ``folder`` are more than ``most``
    bytes together, until ``LEFT`` of that is left."""
    files = sorted(_files(folder))
    total = sum(size for _time, size, _path in files)
    if total <= most:
        return
    for _time, size, path in files:
        path.unlink(missing_ok=True)
        total -= size
        if total <= LEFT * most:
            break


def _files(folder: Path) -> Iterator[tuple[float, int, Path]]:
    for path in folder.iterdir():
        # Another may take it away meanwhile.
        with suppress(FileNotFoundError):
            found = path.stat()
            yield found.st_mtime, found.st_size, path
