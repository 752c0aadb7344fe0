"""Long files, which are made while they are sent: kept compressed on the way, for who comes next.

A file is kept when it was sent to its end. It stays on this machine, whatever CACHE_URL says.
"""

import gzip
import hashlib
import json
import logging
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

from measures.kept_files import trim

from .page import Kept

logger = logging.getLogger(__name__)

#: Quick rather than small: the reader waits for it.
LEVEL = 3
#: The format gzip, not zlib
GZIP = 31
CHUNK = 256 * 1024


@dataclass(frozen=True)
class Download(Kept):
    """A file that was sent before; ``path`` is its gzip."""

    path: Path

    codings = ("gzip",)
    size = 2000

    def body(self, coding):
        if coding:
            return self.path.stat().st_size, _chunks(self.path.open("rb"))
        return None, _chunks(gzip.open(self.path))


def _chunks(file) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK):
            yield chunk


class Downloads:
    """Those in ``folder``, ``most`` bytes of them."""

    def __init__(self, folder: Path, most: int):
        self._folder, self._most = folder, most

    def find(self, key: str) -> Download | None:
        """The file that was kept for ``key``; None if there is none."""
        try:
            told = json.loads((self._folder / f"{key}.json").read_text(encoding="utf-8"))
            path = self._folder / f"{key}.gz"
            if path.stat().st_size != told["length"]:
                return None
            headers = tuple((name, value) for name, value in told["headers"])
            return Download(headers, told["etag"], told["made"], path)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def kept_while_sent(self, key: str, headers: list[tuple[str, str]], chunks) -> "Sent":
        """``chunks`` of bytes, compressed; kept when the last one was asked for."""
        return Sent(self, key, headers, chunks)

    def begin(self):
        """A file to write to, or None where nothing can be kept."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            return NamedTemporaryFile(dir=self._folder, suffix=".part", delete=False)
        except OSError as error:
            logger.warning("A file is not kept: %s", error)
            return None

    def keep(self, key: str, part: Path, headers, etag: str) -> None:
        """Takes the finished ``part`` over; what says how to read it comes last."""
        told = {
            "headers": headers, "etag": etag, "made": int(time.time()),
            "length": part.stat().st_size,
        }  # fmt: skip
        part.rename(self._folder / f"{key}.gz")
        (self._folder / f"{key}.part").write_text(json.dumps(told), encoding="utf-8")
        (self._folder / f"{key}.part").rename(self._folder / f"{key}.json")
        trim(self._folder, self._most)

    def is_too_long(self, length: int) -> bool:
        """Whether a file of so many bytes would leave no place for others."""
        return length > self._most // 2


class Sent:
    """The compressed bytes of an answer, written to a file besides while they are sent."""

    def __init__(self, downloads: Downloads, key: str, headers, chunks):
        self._downloads, self._key, self._headers, self._answer = downloads, key, headers, chunks
        self._file = downloads.begin()
        self._told, self._length = hashlib.sha256(), 0

    def __iter__(self):
        press = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP)
        for number, chunk in enumerate(self._answer):
            self._told.update(chunk)
            pressed = press.compress(chunk)
            if number == 0:
                # The reader sees at once that something comes.
                pressed += press.flush(zlib.Z_SYNC_FLUSH)
            if pressed:
                yield self._written(pressed)
        yield self._written(press.flush())
        self._keep()

    def _written(self, pressed: bytes) -> bytes:
        self._length += len(pressed)
        if self._file is None:
            return pressed
        try:
            self._file.write(pressed)
        except OSError as error:
            logger.warning("A file is not kept: %s", error)
            self._drop()
        if self._downloads.is_too_long(self._length):
            self._drop()
        return pressed

    def _keep(self) -> None:
        if self._file is None:
            return
        try:
            self._file.close()
            etag = self._told.hexdigest()[:32]
            self._downloads.keep(self._key, Path(self._file.name), self._headers, etag)
            self._file = None
        except OSError as error:
            logger.warning("A file is not kept: %s", error)
            self._drop()

    def _drop(self) -> None:
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
                Path(self._file.name).unlink(missing_ok=True)
            self._file = None

    def close(self) -> None:
        """Whoever reads it breaks off, or has all of it."""
        self._drop()
        self._answer.close()
