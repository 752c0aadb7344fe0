"""Charts as SVG and PNG, each drawn once: the cache knows a chart by all that it says.

A changed value changes the spec, and with it the key: a chart in the cache is never out of date.
"""

import base64
import hashlib
import json
import logging
import shutil
import subprocess
from functools import cache
from importlib.metadata import version

from django.core.cache import caches

from measures.characters import printable
from measures.workers import Limits, Worker, WorkerError

logger = logging.getLogger(__name__)

CONVERTER = "vl-convert-python"
#: How long the charts of a page may take.
SECONDS = 60

#: Charts of one page after the other. The engine grows with each; after so many pages a new one
#: begins with what it needs.
_converter = Worker(
    "baoshan_portal.public.charts.converter",
    Limits(
        seconds=SECONDS, cpu_seconds=SECONDS, memory_mb=1024, answer_mb=64, jobs=200, files=True
    ),
)


def svgs(specs: list[dict]) -> list[str | None]:
    """Every spec as SVG text, in order; None where it cannot be drawn, which is logged."""
    return _drawn(specs, "svg")


def png(spec: dict) -> bytes | None:
    """``spec`` as a PNG picture; None if it cannot be drawn, which is logged."""
    (picture,) = pngs([spec])
    return picture


def pngs(specs: list[dict]) -> list[bytes | None]:
    """``png`` of every spec, in order."""
    return [picture and base64.b64decode(picture) for picture in _drawn(specs, "png")]


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
    store = caches["charts"]
    keys = [_key(spec, file_format) for spec in specs]
    known = store.get_many(keys)
    if missing := {key: spec for key, spec in zip(keys, specs, strict=True) if key not in known}:
        drawn = _convert([_carried(spec) for spec in missing.values()], file_format)
        new = dict(zip(missing, drawn, strict=True))
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


def _convert(specs: list[dict], file_format: str) -> list[str | None]:
    try:
        return _converter.do({"format": file_format, "specs": specs})
    except (OSError, WorkerError) as error:
        # The page says the same in its table; a chart is not worth an error page.
        logger.error("A chart was not drawn: %s", error)
        return [None] * len(specs)
