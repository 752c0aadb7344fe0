"""The process that draws charts: Vega-Lite specs in on stdin, SVG or PNG out on stdout.

Run by ``drawing``. The converter carries a JavaScript engine of some 80 MB, which would stay in
the memory of a server process for good; this one ends when its stdin does.
"""

import base64
import json
import sys

import vl_convert


def convert(spec: dict, file_format: str) -> str:
    """``spec`` as SVG text, or as a PNG in base64 at twice the size, sharp on paper."""
    if file_format == "svg":
        return vl_convert.vegalite_to_svg(spec)
    return base64.b64encode(vl_convert.vegalite_to_png(spec, scale=2)).decode()


def answer(line: str) -> dict:
    """``{"charts": [...]}`` for a request in one line of JSON, or ``{"error": why}``."""
    request = json.loads(line)
    try:
        return {"charts": [convert(spec, request["format"]) for spec in request["specs"]]}
    except ValueError as error:
        return {"error": str(error)}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(answer(line)), flush=True)
