"""Charts as SVG and PNG, each drawn once: the cache knows a chart by all that it says.

A changed value changes the spec, and with it the key: a chart in the cache is never out of date.
"""

import base64
import hashlib
import json
import logging
import shutil
import subprocess
import sys
from functools import cache
from importlib.metadata import version
from threading import Lock, Timer

from django.conf import settings
from django.core.cache import caches

from measures.characters import printable

logger = logging.getLogger(__name__)

CONVERTER = "vl-convert-python"
#: How long a drawing may take, and how long the process waits for the next.
SECONDS = 60
IDLE_SECONDS = 30


def svgs(specs: list[dict]) -> list[str | None]:
    """Every spec as SVG text, in order; None where it cannot be drawn, which is logged."""
    return _drawn(specs, "svg")


def png(spec: dict) -> bytes | None:
    """``spec`` as a PNG picture; None if it cannot be drawn, which is logged."""
    (picture,) = _drawn([spec], "png")
    return None if picture is None else base64.b64decode(picture)


@cache
def draws_chinese() -> bool:
    """Whether this machine has a font for the Chinese words of a PNG; an SVG brings none along
    and is set in the reader's own."""
    if not shutil.which("fc-list"):
        return False
    fonts = subprocess.run(["fc-list", ":lang=zh"], capture_output=True, timeout=SECONDS)
    return bool(fonts.stdout.strip())


def _drawn(specs: list[dict], file_format: str) -> list[str | None]:
    """From the cache where it is there; the others by the process that draws."""
    specs = [_carried(spec) for spec in specs]
    store = caches["charts"]
    keys = [_key(spec, file_format) for spec in specs]
    known = store.get_many(keys)
    if missing := {key: spec for key, spec in zip(keys, specs, strict=True) if key not in known}:
        new = dict(zip(missing, _convert([*missing.values()], file_format), strict=True))
        store.set_many({key: chart for key, chart in new.items() if chart is not None})
        known |= new
    return [known[key] for key in keys]


def _carried(part):
    """A part of a spec, whose words an SVG can carry, whatever stands in the database."""
    if isinstance(part, dict):
        return {name: _carried(value) for name, value in part.items()}
    if isinstance(part, list):
        return [_carried(value) for value in part]
    return printable(part) if isinstance(part, str) else part


def _key(spec: dict, file_format: str) -> str:
    text = json.dumps([version(CONVERTER), file_format, spec], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


class _Converter:
    """The process that draws, started for the first chart and ended when none was asked for.

    Its start costs fifteen times what a chart does, so that it waits for the next one.
    """

    def __init__(self):
        self._lock = Lock()
        self._process: subprocess.Popen | None = None
        self._rest: Timer | None = None

    def charts(self, request: dict) -> list[str]:
        """The charts of ``request``; raises OSError or ValueError if they cannot be drawn."""
        with self._lock:
            if self._rest:
                self._rest.cancel()
            if self._process is None or self._process.poll() is not None:
                self._process = self._started()
            answer = self._answer(self._process, json.dumps(request))
            self._rest = self._after(IDLE_SECONDS, self.end)
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer["charts"]

    def end(self) -> None:
        """End the process, if one waits for charts."""
        with self._lock:
            if self._process:
                # What it waits for ends, and with it the process.
                self._process.communicate()
            self._process = None

    def _started(self) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-m", "baoshan_portal.public.charts.converter"],
            cwd=settings.BASE_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def _answer(self, process: subprocess.Popen, request: str) -> dict:
        limit = self._after(SECONDS, process.kill)
        try:
            process.stdin.write(f"{request}\n")
            process.stdin.flush()
            # Empty, which is no JSON, if the process has ended.
            return json.loads(process.stdout.readline())
        finally:
            limit.cancel()

    @staticmethod
    def _after(seconds: float, do) -> Timer:
        timer = Timer(seconds, do)
        timer.daemon = True
        timer.start()
        return timer


_converter = _Converter()


def _convert(specs: list[dict], file_format: str) -> list[str | None]:
    try:
        return _converter.charts({"format": file_format, "specs": specs})
    except (OSError, ValueError) as error:
        # The page says the same in its table; a chart is not worth an error page.
        logger.error("A chart was not drawn: %s", error)
        return [None] * len(specs)
