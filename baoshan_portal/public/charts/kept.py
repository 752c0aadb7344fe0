"""Where charts that were drawn are kept: a folder that may fail without failing a page.

A chart that cannot be read is drawn again, one that cannot be kept is drawn each time.
"""

import logging

from django.core.cache.backends.filebased import DEFAULT_TIMEOUT, FileBasedCache

logger = logging.getLogger(__name__)


class ChartCache(FileBasedCache):
    """Django's files, where a folder that is full, read-only, away or damaged is an empty one."""

    def __init__(self, folder, params):
        try:
            super().__init__(folder, params)
        except OSError as error:
            logger.warning("There is no folder for charts: %s", error)

    def get(self, key, default=None, version=None):
        try:
            return super().get(key, default, version)
        # What reading damaged bytes raises is no closed list.
        except Exception as error:
            logger.warning("A chart that was kept cannot be read: %s", error)
            return default

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        try:
            super().set(key, value, timeout, version)
        except OSError as error:
            logger.warning("A chart was not kept: %s", error)
